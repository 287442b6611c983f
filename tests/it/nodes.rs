//! Several servers over one PostgreSQL, and a PostgreSQL that fails: the real binary, real servers, real signals.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::engines::{Cluster, Content, Engine, Live, cluster, give, postgres_or_skip};
use crate::harness::TOKEN;
use crate::process::{Process, output, vext};

const CREATE: &str =
    "mutation($n: ExtensionNumber!) { virtualExtensionCreate(input: {information: {number: $n, name: \"x\"}}) {
  object { id } userErrors { message } } }";
const SAVE: &str = "mutation($id: ID!, $n: Int!) { virtualExtensionUpdate(input: {id: $id,
  information: {description: \"saved\"}, outboundRecording: {minRecordingBytes: $n}}) { userErrors { code } } }";
const READ: &str = "query($id: ID!) { tenant { revision } node(id: $id) { ... on VirtualExtension { version
  outboundRecording { minRecordingBytes } } } }";

fn sentence(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    said
}

/// Two server processes on one database: concurrent edits of one tenant lose no update, and both show the same state.
#[test]
fn two_nodes_lose_no_update() {
    const CLIENTS: usize = 6;
    const EDITS: i64 = 20;
    if !postgres_or_skip() {
        return;
    }
    let live = Live::new(Engine::Postgres, Content::Demo);
    let (url, key) = (live.url(), live.folder.path().join("vext.key"));
    let serve = ["serve", "--database", &url, "--key-file", key.to_str().unwrap()];
    let nodes = [Process::start(&serve), Process::start(&serve)];
    let ask = |node: usize, query: &str, variables: Value| nodes[node].ask(TOKEN, query, &variables).unwrap();
    let created = ask(0, CREATE, json!({ "n": "640" }));
    let id = &created["data"]["virtualExtensionCreate"]["object"]["id"];
    assert!(id.is_string(), "{created}");
    let edit = "mutation($id: ID!, $v: Int!, $n: Int!) { virtualExtensionOutboundRecordingUpdate(input: {id: $id,
      expectedVersion: $v, outboundRecording: {minRecordingBytes: $n}}) { userErrors { code } } }";
    let conflicts = Mutex::new(0);
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (conflicts, ask) = (&conflicts, &ask);
            scope.spawn(move || {
                for _ in 0..EDITS {
                    // Reads, adds one, and saves against the version that it read, until nobody was faster.
                    loop {
                        let seen = ask(client % 2, READ, json!({ "id": id }))["data"]["node"].clone();
                        let n = seen["outboundRecording"]["minRecordingBytes"].as_i64().unwrap() + 1;
                        let saved = ask(client % 2, edit, json!({ "id": id, "v": seen["version"], "n": n }));
                        let errors = saved["data"]["virtualExtensionOutboundRecordingUpdate"]["userErrors"].clone();
                        if errors == json!([]) {
                            break;
                        }
                        assert_eq!(errors[0]["code"], "CONFLICT", "{saved}");
                        *conflicts.lock().unwrap() += 1;
                    }
                }
            });
        }
    });
    let [one, two] = [0, 1].map(|node| ask(node, READ, json!({ "id": id })));
    assert_eq!(one, two, "both nodes show the same revision, version and value");
    let node = &one["data"]["node"];
    assert_eq!(node["outboundRecording"]["minRecordingBytes"], CLIENTS as i64 * EDITS);
    assert_eq!(node["version"], 1 + CLIENTS as i64 * EDITS);
    println!("{} edits from two nodes, {} conflicts", CLIENTS as i64 * EDITS, conflicts.lock().unwrap());
    // Numbers are unique whoever makes them: of two that come at once one is refused.
    let twice = std::thread::scope(|scope| {
        let make = |node| scope.spawn(move || ask(node, CREATE, json!({ "n": "641" })));
        let made = [make(0), make(1)].map(|made| made.join().unwrap());
        made.iter().filter(|answer| answer["data"]["virtualExtensionCreate"]["userErrors"] == json!([])).count()
    });
    assert_eq!(twice, 1);
}

/// What keeps a server from starting is one sentence that says what to do.
#[test]
fn a_database_that_does_not_fit_is_refused_in_one_sentence() {
    if !postgres_or_skip() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    let run = |command: &[&str], url: &str| {
        let listen: &[&str] = if command == ["serve"] { &["--listen", "127.0.0.1:0"] } else { &[] };
        let mut run = vext(command);
        run.args(listen).args(["--database", url, "--key-file", key.to_str().unwrap()]);
        output(&mut run)
    };
    let refused = |command: &[&str], url: &str| sentence(&run(command, url));
    let make = |name: &str, how: &str| {
        let sql = format!("CREATE DATABASE {name} TEMPLATE template0 {how}");
        cluster().sql("postgres", |client| client.batch_execute(&sql).unwrap());
        cluster().url(name)
    };

    // By the rules of a language, which ICU has on every machine; and in an encoding without most characters.
    let sorted = make("by_language", "LOCALE_PROVIDER icu ICU_LOCALE 'en-US'");
    for command in [&["serve"][..], &["migrate"], &["tenant", "list"]] {
        let said = refused(command, &sorted);
        assert!(said.contains("not by bytes") && said.contains("CREATE DATABASE vext TEMPLATE template0"), "{said}");
    }
    let latin = make("latin", "ENCODING 'LATIN1' LOCALE 'C'");
    assert!(refused(&["migrate"], &latin).contains("LATIN1"));

    // Only `migrate` makes the schema, and it makes the key with it.
    let fresh = make("fresh", "");
    let older = refused(&["serve"], &fresh);
    assert!(older.contains("older than this program") && older.contains("run `vext migrate` first"), "{older}");
    assert!(!key.exists());
    let pending = run(&["migrate", "--check"], &fresh);
    assert_eq!((pending.status.code(), key.exists()), (Some(1), false));
    assert!(String::from_utf8_lossy(&pending.stdout).starts_with("pending 0001_core"));
    assert!(run(&["migrate"], &fresh).status.success() && key.exists());
    assert!(String::from_utf8_lossy(&run(&["migrate"], &fresh).stdout).contains("up to date"));

    // Another node needs the same key.
    let other = folder.path().join("other");
    fs::copy(&key, &other).unwrap();
    let serve = |key: &Path| {
        let serve = ["serve", "--listen", "127.0.0.1:0", "--database", &fresh, "--key-file", key.to_str().unwrap()];
        output(&mut vext(&serve))
    };
    fs::remove_file(&key).unwrap();
    assert!(sentence(&serve(&key)).contains("cannot be read"));
    let foreign = Live::new(Engine::Postgres, Content::Schema);
    assert!(sentence(&serve(&foreign.folder.path().join("vext.key"))).contains("not the one that sealed"));
    fs::rename(&other, &key).unwrap();

    // A schema that is newer, and a database that is somebody else's.
    let next = "INSERT INTO migration VALUES (99, '0099_future', 'x', 0)";
    cluster().sql("fresh", |client| client.batch_execute(next).unwrap());
    assert!(refused(&["serve"], &fresh).contains("newer than this program"));
    let taken = make("taken", "");
    cluster().sql("taken", |client| client.batch_execute("CREATE TABLE t (a int)").unwrap());
    assert!(refused(&["migrate"], &taken).contains("not those of vext"));

    // No server, no such database, no such user.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nobody = refused(&["serve"], &format!("postgres://vext:hush@127.0.0.1:{port}/vext"));
    assert!(nobody.contains("not available") && !nobody.contains("hush"), "{nobody}");
    assert!(refused(&["serve"], &cluster().url("nowhere")).contains("\"nowhere\" does not exist"));
}

/// TLS as libpq has it: with `verify-full` the server's name and certificate must be right, with `require` it only has
/// to be encrypted.
#[test]
fn tls_is_verified_when_it_is_asked_for() {
    if !postgres_or_skip() {
        return;
    }
    let cluster = Cluster::start(&["fsync=off"]);
    let certificate = |name: &str| {
        let [key, file] = ["key", "crt"].map(|end| cluster.folder.join("data").join(format!("{name}.{end}")));
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]);
        openssl.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-addext"]);
        openssl.args(["basicConstraints=critical,CA:FALSE", "-keyout"]);
        assert!(openssl.arg(&key).arg("-out").arg(&file).output().unwrap().status.success());
        (key, file)
    };
    let ((key, file), (_, stranger)) = (certificate("server"), certificate("stranger"));
    give(&key);
    for setting in ["ssl = on", "ssl_cert_file = 'server.crt'", "ssl_key_file = 'server.key'"] {
        cluster.sql("postgres", |client| client.batch_execute(&format!("ALTER SYSTEM SET {setting}")).unwrap());
    }
    cluster.sql("postgres", |client| client.batch_execute("SELECT pg_reload_conf()").unwrap());
    cluster.sql("postgres", |client| client.batch_execute("CREATE DATABASE vext").unwrap());
    let folder = tempfile::tempdir().unwrap();
    let check = |host: &str, options: &str| {
        let url = format!("postgres://vext@{host}:{}/vext?{options}", cluster.port);
        vext(&["migrate", "--check", "--database", &url]).current_dir(folder.path()).output().unwrap()
    };
    let root = |file: &Path| format!("sslmode=verify-full&sslrootcert={}", file.display());
    // The reload is carried out when the server gets to it.
    let begun = Instant::now();
    while String::from_utf8_lossy(&check("localhost", "sslmode=require").stderr).contains("not available") {
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
    for (host, options, fits) in [
        ("localhost", root(&file), true),
        ("127.0.0.1", root(&file), false),
        ("localhost", root(&stranger), false),
        ("127.0.0.1", "sslmode=require".into(), true),
        ("127.0.0.1", "sslmode=disable".into(), true),
        ("127.0.0.1", String::new(), true),
    ] {
        let output = check(host, &options);
        let pending = String::from_utf8_lossy(&output.stdout).contains("pending 0001_core");
        assert_eq!(pending, fits, "{host} {options}: {}", String::from_utf8_lossy(&output.stderr));
        if !fits {
            assert!(sentence(&output).contains("certificate"), "{}", sentence(&output));
        }
    }
}

/// What one client knows of its extension.
#[derive(Default)]
struct Client {
    id: Value,
    acknowledged: i64,
    /// Saves of which the server said that they may be there or not.
    unknown: u32,
    refused: u32,
    /// When saves were acknowledged.
    at: Vec<Instant>,
}

/// The primary is killed under load, its synchronous standby is promoted: the same server process goes on by itself,
/// everything that was acknowledged is there, and meanwhile saves answer UNAVAILABLE.
#[test]
fn a_failover_loses_nothing_that_was_acknowledged() {
    const CLIENTS: usize = 4;
    if !postgres_or_skip() {
        return;
    }
    let primary = Cluster::start(&["wal_level=replica"]);
    let standby = primary.standby(&[]);
    let alter = ["ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()", "CREATE DATABASE vext"];
    alter.iter().for_each(|sql| primary.sql("postgres", |client| client.batch_execute(sql).unwrap()));
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("vext.key");
    let url = format!(
        "postgres://vext@127.0.0.1:{},127.0.0.1:{}/vext?target_session_attrs=read-write&options=-c%20statement_timeout%3D1s",
        primary.port, standby.port
    );
    let run = |arguments: &[&str]| {
        let output = vext(arguments).args(["--database", &url, "--key-file", key.to_str().unwrap()]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    run(&["migrate"]);
    run(&["tenant", "create", "--code", "ACME", "--name", "Acme"]);
    let token = run(&["token", "create", "--name", "t", "--tenant", "ACME", "--scope", "write"]);
    let server = Process::start(&["serve", "--database", &url, "--key-file", key.to_str().unwrap()]);
    let ask = |query: &str, variables: Value| server.ask(&token, query, &variables).unwrap();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|i| {
            let created = ask(CREATE, json!({ "n": format!("90{i}") }));
            let id = created["data"]["virtualExtensionCreate"]["object"]["id"].clone();
            Mutex::new(Client { id, ..Client::default() })
        })
        .collect();

    // Acknowledged means on the standby too: while it stands still nothing is, however long, though a statement may
    // only take one second.
    let still =
        |signal: &str| assert!(Command::new("kill").args([signal, &walreceiver(&standby)]).status().unwrap().success());
    still("-STOP");
    std::thread::scope(|scope| {
        let (done, waiting) = mpsc::channel();
        let (ask, id) = (&ask, clients[0].lock().unwrap().id.clone());
        scope.spawn(move || done.send(ask(SAVE, json!({ "id": id, "n": 1 }))));
        let early = waiting.recv_timeout(Duration::from_secs(3));
        assert!(early.is_err(), "acknowledged without the standby: {early:?}");
        still("-CONT");
        let answer = waiting.recv_timeout(Duration::from_secs(20)).unwrap();
        assert_eq!(answer["data"]["virtualExtensionUpdate"]["userErrors"], json!([]), "{answer}");
    });

    let over = AtomicBool::new(false);
    let save = |client: &Mutex<Client>, n: i64| {
        let id = client.lock().unwrap().id.clone();
        let answer = ask(SAVE, json!({ "id": id, "n": n }));
        let mut client = client.lock().unwrap();
        let Some(errors) = answer["errors"].as_array() else {
            assert_eq!(answer["data"]["virtualExtensionUpdate"]["userErrors"], json!([]), "{answer}");
            client.acknowledged = n;
            client.at.push(Instant::now());
            return;
        };
        assert_eq!(errors[0]["extensions"]["code"], "UNAVAILABLE", "{answer}");
        if errors[0]["extensions"]["outcome"] == "UNKNOWN" {
            client.unknown += 1;
        } else {
            client.refused += 1;
        }
    };
    let (killed, promoted) = std::thread::scope(|scope| {
        for client in &clients {
            let (over, save) = (&over, &save);
            scope.spawn(move || {
                let mut n = 1;
                while !over.load(Ordering::Relaxed) {
                    n += 1;
                    save(client, n);
                }
            });
        }
        let until = |what: &str, all: &dyn Fn(&Client) -> bool| {
            let begun = Instant::now();
            while !clients.iter().all(|client| all(&client.lock().unwrap())) {
                assert!(begun.elapsed() < Duration::from_secs(60), "{what}");
                std::thread::sleep(Duration::from_millis(5));
            }
        };
        until("no load", &|client| client.at.len() >= 200);
        let killed = Instant::now();
        assert!(Command::new("kill").args(["-KILL", &primary.pid()]).status().unwrap().success());
        // Nobody promotes the standby at once: somebody has to notice.
        until("the outage is not noticed", &|client| client.refused >= 1);
        let promoted = Instant::now();
        standby.promote();
        until("the server does not recover", &|client| client.at.last().is_some_and(|at| *at > promoted));
        let recovered = Instant::now();
        until("no load afterwards", &|client| client.at.iter().filter(|at| **at > recovered).count() >= 100);
        over.store(true, Ordering::Relaxed);
        (killed, promoted)
    });
    let (mut acknowledged, mut lost, mut outage) = (0, 0, Duration::ZERO);
    for client in &clients {
        let client = client.lock().unwrap();
        let kept =
            ask(READ, json!({ "id": client.id }))["data"]["node"]["outboundRecording"]["minRecordingBytes"].clone();
        acknowledged += client.at.len();
        lost += i32::from(kept.as_i64().unwrap() < client.acknowledged);
        let first = client.at.iter().find(|at| **at > killed).unwrap();
        outage = outage.max(first.duration_since(killed));
        assert!(client.refused + client.unknown > 0, "a client did not notice the outage");
    }
    let count = |of: fn(&Client) -> u32| clients.iter().map(|client| of(&client.lock().unwrap())).sum::<u32>();
    println!(
        "failover: {acknowledged} saves acknowledged, {lost} lost, {} refused as UNAVAILABLE, {} of unknown outcome, \
         outage {:.1} s, of which {:.1} s until the standby was promoted",
        count(|client| client.refused),
        count(|client| client.unknown),
        outage.as_secs_f64(),
        promoted.duration_since(killed).as_secs_f64()
    );
    assert_eq!(lost, 0);
}

/// The process of a standby that receives what the primary writes.
fn walreceiver(standby: &Cluster) -> String {
    let sql = "SELECT pid::text FROM pg_stat_wal_receiver";
    standby.sql("postgres", |client| client.query_one(sql, &[]).unwrap().get(0))
}
