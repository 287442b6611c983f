//! Signing in where somebody guesses tokens: over every transport, all at once, and beside those who have a valid one.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tungstenite::Message;
use vext::http::{FairUse, ServeOptions};
use vext::service::{App, NewToken};

use crate::client;
use crate::engines::{Content, Engine, Live, on_each_engine};
use crate::fair::{ASK, Timed};
use crate::harness::{ALL, EXPLORE, MOLLOY, READ, TOKEN};
use crate::process::{Process, error, vext};

/// An address from which more guesses came than are allowed.
const HERE: &str = "192.0.2.1";

async fn status(timed: &Timed, from: &str, token: &str) -> StatusCode {
    timed.ask(from, &[("authorization", &format!("Bearer {token}"))], ASK).await.status
}

async fn guesses_that_come_at_once_are_counted_before_any_is_looked_up(engine: Engine) {
    let timed = Timed::start(engine, FairUse::default());
    let before = timed.server.app.statements();
    let guesses: Vec<_> = (0..100).map(|i| format!("guess-{i}")).collect();
    let answers = join_all(guesses.iter().map(|guess| status(&timed, HERE, guess))).await;
    let count = |wanted| answers.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(StatusCode::UNAUTHORIZED), count(StatusCode::TOO_MANY_REQUESTS)), (10, 90));
    // Ten were looked up, each with the tenant that it would select; for the others the marks of all valid tokens were read,
    // once.
    assert_eq!(timed.server.app.statements() - before, 21);
    // Those with a valid token, whom nobody has seen yet, come in all the same, also all at once.
    let valid = [READ, TOKEN, MOLLOY, EXPLORE];
    let answers = join_all(valid.iter().cycle().take(40).map(|token| status(&timed, HERE, token))).await;
    assert!(answers.iter().all(|status| *status == StatusCode::OK), "{answers:?}");
    assert_eq!(status(&timed, HERE, "guess").await, StatusCode::TOO_MANY_REQUESTS, "they have given nothing back");
}

/// By another process over the same database.
async fn a_token_works_when_it_is_made_and_not_when_it_is_revoked(engine: Engine) {
    let timed = Timed::start(engine, FairUse { rate_sign_in: 1, ..FairUse::default() });
    assert_eq!(status(&timed, HERE, "guess").await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(&timed, HERE, "guess").await, StatusCode::TOO_MANY_REQUESTS);
    let other = App::open(&timed.server.live.options()).unwrap();
    let new = NewToken {
        name: "new".into(),
        tenants: vec!["CANISTRACCI".into()],
        all_tenants: false,
        write: false,
        delete: false,
        explore: false,
    };
    other.create_token(new, Some("new".into())).await.unwrap().unwrap();
    let before = timed.server.app.statements();
    for _ in 0..20 {
        assert_eq!(status(&timed, HERE, "new").await, StatusCode::TOO_MANY_REQUESTS, "the marks were just read");
    }
    assert_eq!(timed.server.app.statements(), before);
    timed.wait(1);
    assert_eq!(status(&timed, HERE, "new").await, StatusCode::OK);

    // READ has a mark, too, but has not been seen here: it was revoked by somebody else meanwhile.
    assert!(other.revoke_token(READ).await.unwrap() && other.revoke_token("new").await.unwrap());
    for revoked in [READ, "new"] {
        assert_eq!(status(&timed, HERE, revoked).await, StatusCode::UNAUTHORIZED, "it is looked up");
        let before = timed.server.app.statements();
        for _ in 0..20 {
            assert_eq!(status(&timed, HERE, revoked).await, StatusCode::TOO_MANY_REQUESTS, "once");
        }
        assert_eq!(timed.server.app.statements(), before);
    }
    timed.wait(1);
    assert_eq!(status(&timed, HERE, READ).await, StatusCode::TOO_MANY_REQUESTS);
    // However fast they come, the marks are read once a second.
    let before = timed.server.app.statements();
    for second in 1..=5 {
        timed.wait(1);
        for i in 0..20 {
            assert_eq!(status(&timed, HERE, &format!("guess-{second}-{i}")).await, StatusCode::TOO_MANY_REQUESTS);
        }
    }
    assert_eq!(timed.server.app.statements() - before, 5);
}

/// It is refused for its document, before any token is looked up.
async fn a_subscription_without_a_stream_is_no_guess(engine: Engine) {
    let timed = Timed::start(engine, FairUse { rate_sign_in: 1, ..FairUse::default() });
    let signed = [("authorization", format!("Bearer {READ}"))];
    let signed = signed.each_ref().map(|(name, value)| (*name, value.as_str()));
    let refused = timed.ask(HERE, &signed, "subscription { objectChanged { cursor } }").await;
    assert_eq!(refused.refusal()["code"], "STREAM_REQUIRED");
    assert_eq!(status(&timed, HERE, "guess").await, StatusCode::UNAUTHORIZED, "the address still has its guess");
}

on_each_engine!(
    a_subscription_without_a_stream_is_no_guess,
    guesses_that_come_at_once_are_counted_before_any_is_looked_up,
    a_token_works_when_it_is_made_and_not_when_it_is_revoked,
);

/// What a server says to a `connection_init`: 200 for an acknowledgement, else the code that it closes with.
fn greeted(address: &str, token: &str) -> u16 {
    let mut socket = client::socket_of(address, token);
    match socket.read().unwrap() {
        Message::Text(text) => {
            let message: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(message["type"], "connection_ack");
            200
        }
        Message::Close(Some(close)) => close.code.into(),
        other => panic!("{other:?}"),
    }
}

/// How a server in production answers a token over each of its ways in: `POST`, an event stream, `GET`, the playground
/// and a socket.
fn over_each_transport(address: &str, token: &str) -> [u16; 5] {
    std::array::from_fn(|way| over_transport(address, way, token))
}

fn over_transport(address: &str, way: usize, token: &str) -> u16 {
    let authorization = format!("Bearer {token}");
    let (body, query) = (json!({ "query": ASK }).to_string(), "/graphql?query=%7Btenant%7Bcode%7D%7D");
    let status = |path: &str, headers: &[(&str, &str)], body| {
        client::open(address, path, headers, body).unwrap().status().as_u16()
    };
    let post = |accept: &str| {
        status("/graphql", &[("accept", accept), ("authorization", &authorization)], Some(body.as_bytes()))
    };
    let basic = format!("Basic {}", STANDARD.encode(format!("me:{token}")));
    match way {
        0 => post("application/json"),
        1 => post("text/event-stream"),
        2 => status(query, &[("authorization", &authorization)], None),
        3 => status("/playground/", &[("authorization", &basic)], None),
        _ => greeted(address, token),
    }
}

/// A save holds the only place, because another program holds the file. Guesses over all transports wait for the place,
/// and none of them is looked up before it has one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_looked_up_in_a_place_whatever_brings_it() {
    let live = Live::new(Engine::Sqlite, Content::Demo);
    let app = App::open(&live.options()).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let max_wait = Duration::from_secs(60);
    let fair = FairUse { max_concurrent: Some(NonZeroUsize::MIN), rate_sign_in: 0, max_wait, ..FairUse::default() };
    let options = ServeOptions { fair, explorable: false, ..ServeOptions::default() };
    tokio::spawn(vext::http::serve(app.clone(), listener, options, std::future::pending()));
    let blocker = rusqlite::Connection::open(live.database.file().unwrap()).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    // Until nothing has been asked of the database for a while.
    let quiet = async || loop {
        let before = app.statements();
        tokio::time::sleep(Duration::from_millis(300)).await;
        if app.statements() == before {
            break before;
        }
    };
    let idle = quiet().await;
    let save = "mutation { virtualExtensionCreate(input: {information: {number: \"8901\", name: \"x\"}}) { object { number } } }";
    let own = address.clone();
    let saved = tokio::task::spawn_blocking(move || client::ask(&own, TOKEN, &json!({ "query": save })).unwrap());
    while app.statements() == idle {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let before = quiet().await;
    let guesses: Vec<_> = (0..5)
        .map(|way| {
            let address = address.clone();
            tokio::task::spawn_blocking(move || over_transport(&address, way, "guess"))
        })
        .collect();
    assert_eq!(quiet().await, before, "no guess was looked up");
    assert!(guesses.iter().all(|guess| !guess.is_finished()), "all wait");
    blocker.execute_batch("COMMIT").unwrap();
    let answers: Vec<_> = join_all(guesses).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers, [401, 401, 401, 401, 4403]);
    assert_eq!(saved.await.unwrap()["data"]["virtualExtensionCreate"]["object"]["number"], "8901");
    assert!(app.statements() > before, "then they were");
}

#[test]
fn a_limited_address_is_limited_over_every_transport_and_valid_tokens_pass() {
    let live = Live::new(Engine::Sqlite, Content::Demo);
    let (url, key) = (live.url(), live.folder.path().join("vext.key"));
    let database = ["--database", &url, "--key-file", key.to_str().unwrap()];
    let server = Process::start(&[&["serve", "--rate-sign-in", "1"], &database[..]].concat());
    let wrong = over_each_transport(&server.address, "guess");
    assert_eq!(wrong, [401, 429, 429, 429, 4429]);
    assert_eq!(over_each_transport(&server.address, EXPLORE), [200; 5]);
    // READ may not explore, so its browser is asked for another token; ALL has no tenant of its own, and may have none.
    assert_eq!(over_each_transport(&server.address, READ), [200, 200, 200, 401, 200]);
    assert_eq!(over_each_transport(&server.address, ALL)[4], 200);
    // A token that the command line makes while the server runs.
    let create = ["token", "create", "--name", "late", "--tenant", "CANISTRACCI", "--scope", "explore"];
    let made = vext(&[&create[..], &database[..]].concat()).output().unwrap();
    assert!(made.status.success(), "{}", error(&made));
    let late = String::from_utf8(made.stdout).unwrap();
    let begun = Instant::now();
    while over_each_transport(&server.address, late.trim()) != [200; 5] {
        assert!(begun.elapsed() < Duration::from_secs(30), "{late} is not let in");
    }
    assert_eq!(over_each_transport(&server.address, "another guess"), [429, 429, 429, 429, 4429]);
}
