//! How often a request waits for PostgreSQL: counted between the two, whoever sends.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::json;
use vext::service::{App, Database, OpenOptions};
use vext::store::PostgresServer;

use crate::engines::{Content, Engine, Live, count, postgres_or_skip};
use crate::harness::{Server, TOKEN};
use vext::http::ServeOptions;

/// Passes bytes on and counts round trips: a client that sends after it was answered begins another.
struct Between {
    port: u16,
    trips: Arc<AtomicU64>,
}

impl Between {
    fn of(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, trips) = (listener.local_addr().unwrap().port(), Arc::<AtomicU64>::default());
        let counted = Arc::clone(&trips);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (server, answered) = (TcpStream::connect(&server).unwrap(), Arc::new(AtomicBool::new(true)));
                for side in [&client, &server] {
                    side.set_nodelay(true).unwrap();
                }
                let back = (server.try_clone().unwrap(), client.try_clone().unwrap(), Arc::clone(&answered));
                let trips = Arc::clone(&counted);
                std::thread::spawn(move || {
                    pass(client, server, || {
                        if answered.swap(false, Ordering::SeqCst) {
                            trips.fetch_add(1, Ordering::SeqCst);
                        }
                    });
                });
                std::thread::spawn(move || pass(back.0, back.1, || back.2.store(true, Ordering::SeqCst)));
            }
        });
        Self { port, trips }
    }

    fn trips(&self) -> u64 {
        self.trips.load(Ordering::SeqCst)
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, seen: impl Fn()) {
    let mut bytes = [0; 65536];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        seen();
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// One of them is for who asks and which tenant, and one for the end of the transaction, for which nobody waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_wait_for_each_other_makes_one_round_trip() {
    if !postgres_or_skip() {
        return;
    }
    count("postgres");
    let live = Live::new(Engine::Postgres, Content::Demo);
    let url = live.url();
    let (head, rest) = url.split_once("127.0.0.1:").unwrap();
    let (port, name) = rest.split_once('/').unwrap();
    let between = Between::of(format!("127.0.0.1:{port}"));
    let address = format!("{head}127.0.0.1:{}/{name}", between.port);
    let database = Database::Postgres(PostgresServer::parse(&address).unwrap());
    let app = App::open(&OpenOptions { database, ..live.options() }).unwrap();
    let server = Server::serving(live, app, ServeOptions { explorable: true, ..ServeOptions::default() }).unwrap();
    let id = server.object("108").await;
    let form = "query($n: ExtensionNumber!) { tenant { virtualExtension(by: {number: $n}) {
        id version information { emails inboundTimeoutSeconds members { number name } callGroups { name } }
        callSettings { includeInPhoneBooks musicOnHold { name } } security { locked } outboundCalls { routingProfile { name } }
        followMe { number } additionalDestinations { onBusy { objectId number } } note { branch } } } }";
    let save = "mutation($i: VirtualExtensionNoteUpdateInput!) { virtualExtensionNoteUpdate(input: $i) {
        userErrors { code } object { version note { branch } } } }";
    let five = "query($n: ExtensionNumber!) { tenant { virtualExtension(by: {number: $n}) { id number name } } }";
    let page = "query($first: Int!) { tenant { virtualExtensions(first: $first) { totalCount nodes {
        id number information { members { number name } } followMe { number } } } } }";
    // How often each has been asked, and the round trips that a time makes at least.
    let mut least = std::collections::BTreeMap::new();
    let mut ask = async |what: &'static str, text: &str, variables| {
        let before = between.trips();
        let answer = server.answer(TOKEN, text, variables).await;
        assert!(answer.get("errors").is_none(), "{answer}");
        // The end of the transaction may come a moment later.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        let trips = between.trips() - before;
        least.entry(what).and_modify(|least: &mut u64| *least = trips.min(*least)).or_insert(trips);
        answer
    };
    // Each connection has to prepare each statement once.
    for time in 0..30 {
        // What was not asked before has a name of its own.
        let new = |text: &str| text.replacen("query(", &format!("query New{time}("), 1);
        ask("five fields", &new(five), json!({ "n": "108" })).await;
        ask("a form", &new(form), json!({ "n": "108" })).await;
        ask("a page", &new(page), json!({ "first": 50 })).await;
        let saved =
            ask("a save", save, json!({ "i": { "id": id, "note": { "branch": format!("Pisa {time}") } } })).await;
        let version = &saved["data"]["virtualExtensionNoteUpdate"]["object"]["version"];
        // What was asked before, but of a tenant that has changed.
        let read = ask("a form again", form, json!({ "n": "108" })).await;
        assert_eq!(&read["data"]["tenant"]["virtualExtension"]["version"], version);
        ask("a page again", page, json!({ "first": 50 })).await;
        // What is kept.
        ask("a kept form", form, json!({ "n": "108" })).await;
    }
    println!("round trips, the end included: {least:?}");
    let most = [
        ("five fields", 3),
        ("a form", 5),
        ("a form again", 3),
        ("a kept form", 2),
        ("a page", 6),
        ("a page again", 3),
        ("a save", 7),
    ];
    for (what, most) in most {
        assert!(least[what] <= most, "{what}: {least:?}");
    }
}
