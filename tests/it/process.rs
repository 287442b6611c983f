//! The real binary with a real file: what it prints, what it refuses, and that it keeps what it acknowledged.

use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client;
use crate::engines::{Content, Engine, Live};

/// A command of the program, in an empty environment.
pub fn vext(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vext"));
    command.args(arguments).env_clear().stdin(Stdio::null());
    command
}

/// What a command says that should end by itself, and soon.
pub fn output(command: &mut Command) -> Output {
    output_within(command, Duration::from_secs(60))
}

/// What a command says that should end by itself within a time.
pub fn output_within(command: &mut Command, time: Duration) -> Output {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let id = child.id().to_string();
    let (done, ended) = mpsc::channel();
    std::thread::spawn(move || done.send(child.wait_with_output().unwrap()));
    ended.recv_timeout(time).unwrap_or_else(|_| {
        let _ = Command::new("kill").args(["-KILL", &id]).status();
        panic!("{command:?} goes on")
    })
}

/// A server process; ends with the value.
pub struct Process {
    pub child: Child,
    pub address: String,
    /// What it printed until it listened.
    pub banner: String,
    /// What it goes on to print.
    lines: Mutex<mpsc::Receiver<String>>,
    /// Where it keeps temporary files: killed, it cannot clean up itself.
    temporary: tempfile::TempDir,
    /// The database that was copied for it.
    _copied: Option<Live>,
}

impl Process {
    /// Starts a command on a free port and waits until it says where it listens.
    pub fn start(arguments: &[&str]) -> Self {
        let mut command = vext(arguments);
        command.args(["--listen", "127.0.0.1:0"]);
        Self::listening(command)
    }

    /// The demo with these options. It finds its data in a copy of the tests' own, and listens a second earlier than over
    /// a new database.
    pub fn demo(options: &[&str]) -> Self {
        let live = Live::new(Engine::Sqlite, Content::Demo);
        fs::rename(live.folder.path().join("vext.key"), live.folder.path().join("vext.db.key")).unwrap();
        let mut server = Self::start(&[&["demo", "--database", &live.url()], options].concat());
        server._copied = Some(live);
        server
    }

    /// Starts a command that is the server, or starts it, and waits until it says where it listens.
    pub fn listening(mut command: Command) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let mut child =
            command.env("TMPDIR", temporary.path()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // `demo` says it on stdout, `serve` in its log; both are read to the end, or the process would wait.
        let (said, lines) = mpsc::channel();
        let outputs: [Box<dyn Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for output in outputs {
            let said = said.clone();
            std::thread::spawn(move || {
                BufReader::new(output).lines().map_while(Result::ok).for_each(|line| drop(said.send(line)));
            });
        }
        drop(said);
        let (mut banner, mut address) = (String::new(), None);
        let next = |banner: &mut String| {
            let line = lines.recv().unwrap_or_else(|_| panic!("the process ended: {banner}"));
            banner.push_str(&line);
            banner.push('\n');
            line
        };
        while address.is_none() {
            let line = next(&mut banner);
            let demo = line.split_once("http://").and_then(|(_, rest)| rest.strip_suffix("/graphql"));
            let serve = line.split_once("address=").and_then(|(_, rest)| rest.split(' ').next());
            // Only `demo` goes on, with the token.
            while demo.is_some() && !next(&mut banner).contains("Token") {}
            address = demo.or(serve).map(str::to_owned);
        }
        Self { child, address: address.unwrap(), banner, temporary, lines: Mutex::new(lines), _copied: None }
    }

    /// The whole answer to a GraphQL request; `None` when the server is gone.
    pub fn ask(&self, token: &str, query: &str, variables: &Value) -> Option<Value> {
        client::ask(&self.address, token, &json!({ "query": query, "variables": variables }))
    }

    /// The id of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it has ended by itself.
    pub fn ended(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            match self.child.try_wait().unwrap() {
                Some(status) => return status,
                None if begun.elapsed() > Duration::from_secs(20) => panic!("it goes on: {}", self.banner),
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    /// Waits for a line with these words and returns it.
    pub fn says(&self, words: &str) -> String {
        let (lines, begun) = (self.lines.lock().unwrap(), Instant::now());
        let mut said = String::new();
        while let Ok(line) = lines.recv_timeout(Duration::from_secs(30).saturating_sub(begun.elapsed())) {
            if line.contains(words) {
                return line;
            }
            said += &line;
        }
        panic!("it does not say {words:?}, but {said}");
    }

    /// What it has said since that was last asked for.
    pub fn said(&self) -> String {
        self.lines.lock().unwrap().try_iter().map(|line| line + "\n").collect()
    }

    /// What it has still said when it has ended.
    pub fn rest(&self) -> String {
        self.lines.lock().unwrap().iter().map(|line| line + "\n").collect()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: &str) {
        let kill = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(kill.success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn error(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The issue's own example.
#[test]
fn the_demo_answers_with_ivy_morgans_data() {
    let demo = Process::start(&["demo", "--token", "T"]);
    assert!(demo.banner.contains("/playground/") && demo.banner.contains('T'), "{}", demo.banner);
    let query =
        r#"{tenant{virtualExtension(by:{number:"108"}){name information{members{number name}} note{additionalInfo}}}}"#;
    let answer = demo.ask("T", query, &json!({})).unwrap();
    assert_eq!(answer["data"]["tenant"]["virtualExtension"]["name"], "Ivy Morgan", "{answer}");
    let refused = demo.ask("wrong", query, &json!({})).unwrap();
    assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}

/// A fresh installation, step by step as the README tells it.
#[test]
fn a_tenant_and_a_token_are_made_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("vext.db");
    let database = database.to_str().unwrap();
    let run = |arguments: &[&str]| {
        let output = vext(arguments).args(["--database", database]).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", error(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    run(&["migrate"]);
    run(&["tenant", "create", "--code", "ACME", "--name", "Acme", "--timezone", "Europe/Rome"]);
    assert!(run(&["tenant", "list"]).contains("ACME"));
    let token = run(&["token", "create", "--name", "panel", "--tenant", "ACME", "--scope", "read", "--scope", "write"]);
    let token = token.trim();
    let listed = run(&["token", "list"]);
    assert!(listed.contains("panel") && !listed.contains(token), "{listed}");
    let server = Process::start(&["serve", "--database", database]);
    let create = r#"mutation { virtualExtensionCreate(input: {information: {number: "200", name: "Desk"}}) { object { number } userErrors { message } } }"#;
    let answer = server.ask(token, create, &json!({})).unwrap();
    assert_eq!(answer["data"]["virtualExtensionCreate"]["object"]["number"], "200", "{answer}");
    // Another process ends the token; the server that runs knows at once.
    run(&["token", "revoke", "panel"]);
    assert_eq!(
        server.ask(token, "{ tenant { code } }", &json!({})).unwrap()["errors"][0]["extensions"]["code"],
        "UNAUTHENTICATED"
    );
}

#[test]
fn what_cannot_be_served_is_refused_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(file("text.db"), "this is no database, just text that is long enough to be one".repeat(40)).unwrap();
    rusqlite::Connection::open(file("foreign.db")).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    for name in ["newer.db", "damaged.db", "keyless.db"] {
        let output = vext(&["tenant", "create", "--code", "ACME", "--name", "Acme", "--database", &file(name)])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", error(&output));
    }
    let newer = "INSERT INTO migration VALUES (99, '0099_future', 'x', 0)";
    rusqlite::Connection::open(file("newer.db")).unwrap().execute_batch(newer).unwrap();
    damage(Path::new(&file("damaged.db")));
    let key = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().path()).find(|p| {
        let name = p.file_name().unwrap().to_str().unwrap();
        name.starts_with("keyless") && name.ends_with("key")
    });
    fs::remove_file(key.unwrap()).unwrap();
    let directory = folder.path().to_str().unwrap().to_owned();
    for (database, word) in [
        (file("text.db"), "not a SQLite database"),
        (file("foreign.db"), "not one of vext"),
        (file("newer.db"), "newer than this program"),
        (file("damaged.db"), "damaged"),
        (file("keyless.db"), "key file"),
        (directory, "directory"),
        (file("typo.db"), "; `vext migrate` creates one, and so does --create"),
        (file("nowhere/vext.db"), "does not exist"),
        // Nobody, root included, can make a file there.
        ("/proc/vext.db".to_owned(), "cannot be written"),
    ] {
        let mut serve = vext(&["serve", "--database", &database, "--listen", "127.0.0.1:0"]);
        // For the two that say what is wrong with the place.
        let create = database.contains("nowhere") || database.starts_with("/proc");
        let output = serve.args(create.then_some("--create")).output().unwrap();
        let said = error(&output);
        assert_eq!(output.status.code(), Some(1), "{database}: {said}");
        // What was closed in good order is served until the end of its check; the log says that it begins and ends.
        let is_log = |line: &str| line.contains(" INFO ") || line.contains(" WARN ");
        let sentences: Vec<_> = said.trim().lines().filter(|line| !is_log(line)).collect();
        assert!(sentences.len() == 1 && sentences[0].contains(word), "{database}: {said}");
        assert_eq!(said.contains("listening"), word == "damaged", "{database}: {said}");
    }
    assert!(!Path::new(&file("nowhere")).exists());
}

/// Who may read a database but not write it is told so. Root may write everything, so it steps down for this.
#[test]
fn a_database_that_cannot_be_written_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let database = file("readonly.db");
    let create = ["tenant", "create", "--code", "ACME", "--name", "Acme", "--database", database.to_str().unwrap()];
    assert!(vext(&create).status().unwrap().success());
    let program = file("vext");
    // By another process: a file that this one has open for writing, if only in a fork, cannot be executed.
    assert!(Command::new("cp").arg(env!("CARGO_BIN_EXE_vext")).arg(&program).status().unwrap().success());
    for (path, mode) in [(folder.path(), 0o555), (&database, 0o444), (&program, 0o555)] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let mut serve = Command::new(&program);
    serve.args(["serve", "--database", database.to_str().unwrap(), "--listen", "127.0.0.1:0"]).env_clear();
    if fs::metadata(&database).unwrap().uid() == 0 {
        serve.uid(65534);
    }
    let output = serve.output().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let sentence = error(&output);
    assert_eq!(output.status.code(), Some(1), "{sentence}");
    assert!(sentence.contains("readonly.db is not writable") && sentence.trim().lines().count() == 1, "{sentence}");
}

/// What is wrong with a new tenant is said at once.
#[test]
fn a_bad_tenant_is_told_everything_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("vext.db");
    let output =
        vext(&["tenant", "create", "--code", "acme", "--name", "", "--timezone", "Nowhere", "--area-code", "0x"])
            .args(["--area-code-regex", "(", "--database", database.to_str().unwrap()])
            .output()
            .unwrap();
    assert_eq!(output.status.code(), Some(1));
    for field in ["code must", "name must", "timezone must", "areaCode must", "areaCodeRegex must"] {
        assert!(error(&output).contains(field), "{field}: {}", error(&output));
    }
}

/// Overwrites the root page of a table, as a failing disk might.
pub fn damage(file: &Path) {
    let connection = rusqlite::Connection::open(file).unwrap();
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE").unwrap();
    let (page, size): (u32, u32) = connection
        .query_row(
            "SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_schema WHERE name = 'information'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    drop(connection);
    let mut bytes = fs::read(file).unwrap();
    let range = ((page - 1) * size) as usize..(page * size) as usize;
    bytes[range].fill(0xAA);
    fs::write(file, bytes).unwrap();
}

#[test]
fn a_damaged_file_is_not_migrated() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("old.db");
    let database = file.to_str().unwrap();
    assert!(vext(&["migrate", "--database", database]).output().unwrap().status.success());
    let older = "DELETE FROM migration WHERE number = (SELECT max(number) FROM migration)";
    rusqlite::Connection::open(&file).unwrap().execute_batch(older).unwrap();
    damage(&file);
    for command in [&["migrate"][..], &["serve", "--listen", "127.0.0.1:0"]] {
        let output = vext(&[command, &["--database", database]].concat()).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(error(&output).contains("is damaged ("), "{}", error(&output));
    }
    let output = vext(&["migrate", "--check", "--database", database]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("pending"), "nothing was applied: {output:?}");
}

#[test]
fn a_port_in_use_is_named() {
    let first = Process::start(&["demo"]);
    let output = vext(&["demo", "--listen", &first.address]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(error(&output).contains(&first.address), "{}", error(&output));
}

/// The database, its log and the key, while a server uses them.
#[test]
fn what_is_made_belongs_to_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("vext.db");
    let server = Process::start(&["serve", "--create", "--database", database.to_str().unwrap()]);
    assert!(server.banner.contains("there is no tenant yet"), "{}", server.banner);
    let modes: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap())
        .map(|file| (file.file_name(), file.metadata().unwrap().mode() & 0o777))
        .collect();
    assert!(modes.len() >= 3 && modes.iter().all(|(_, mode)| *mode == 0o600), "{modes:?}");
}

#[test]
fn it_stops_gracefully_when_it_is_asked_to() {
    for signal in ["-TERM", "-INT"] {
        let mut demo = Process::start(&["demo", "--token", "T"]);
        assert!(demo.ask("T", "{ tenant { code } }", &json!({})).is_some());
        demo.signal(signal);
        let status = demo.ended();
        assert!(status.success(), "{signal}: {status}");
        assert_eq!(fs::read_dir(demo.temporary.path()).unwrap().count(), 0, "the temporary database is deleted");
    }
}

/// Saves go on while the process is killed at a random moment, again and again on one file. What was acknowledged is
/// there after the restart, and no save is there by half: its fields stand in three tables and always agree.
#[test]
fn kill_minus_nine_loses_nothing_that_was_acknowledged() {
    const ROUNDS: u64 = 200;
    const CLIENTS: usize = 4;
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("vext.db");
    let demo = ["demo", "--token", "T", "--database", database.to_str().unwrap()];
    let serve = ["serve", "--database", database.to_str().unwrap()];
    let first = Process::start(&demo);
    let create = "mutation($n: ExtensionNumber!) { virtualExtensionCreate(input: {information: {number: $n, name: \"x\"}}) { object { id } } }";
    let ids: Vec<Value> = (0..CLIENTS)
        .map(|i| first.ask("T", create, &json!({ "n": format!("90{i}") })).unwrap()["data"]["virtualExtensionCreate"]["object"]["id"].clone())
        .collect();
    drop(first);
    let save = "mutation($id: ID!, $n: Int!, $text: String!) { virtualExtensionUpdate(input: {id: $id,
        information: {description: $text}, outboundRecording: {minRecordingBytes: $n}, note: {additionalInfo: $text}}) { userErrors { code } } }";
    let read = "query($id: ID!) { node(id: $id) { ... on VirtualExtension { description
        outboundRecording { minRecordingBytes } note { additionalInfo } } } }";
    let acknowledged = Mutex::new(vec![0_i64; CLIENTS]);
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    for round in 0..ROUNDS {
        let mut server = Process::start(&serve);
        for (client, id) in ids.iter().enumerate() {
            let found = server.ask("T", read, &json!({ "id": id })).unwrap()["data"]["node"].clone();
            let kept = found["outboundRecording"]["minRecordingBytes"].as_i64().unwrap();
            let text = if kept == 0 { String::new() } else { kept.to_string() };
            assert_eq!(
                (&found["description"], &found["note"]["additionalInfo"]),
                (&json!(text), &json!(text)),
                "half a save"
            );
            let last = acknowledged.lock().unwrap()[client];
            assert!(kept >= last, "round {round}: {last} was acknowledged, {kept} is there");
            acknowledged.lock().unwrap()[client] = kept;
        }
        let (over, at_work) = (AtomicBool::new(false), AtomicBool::new(false));
        std::thread::scope(|scope| {
            for (client, id) in ids.iter().enumerate() {
                let (server, acknowledged, over, at_work) = (&server.address, &acknowledged, &over, &at_work);
                scope.spawn(move || {
                    let mut next = acknowledged.lock().unwrap()[client];
                    while !over.load(Ordering::Relaxed) {
                        next += 1;
                        let body =
                            json!({ "query": save, "variables": { "id": id, "n": next, "text": next.to_string() } });
                        match client::ask(server, "T", &body) {
                            Some(answer) if answer["data"]["virtualExtensionUpdate"]["userErrors"] == json!([]) => {
                                acknowledged.lock().unwrap()[client] = next;
                                at_work.store(true, Ordering::Relaxed);
                            }
                            _ => break,
                        }
                    }
                });
            }
            let begun = Instant::now();
            while !at_work.load(Ordering::Relaxed) {
                assert!(begun.elapsed() < Duration::from_secs(60), "nothing is saved");
                std::thread::sleep(Duration::from_millis(1));
            }
            // xorshift: the moments differ from round to round and are the same in every run.
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            std::thread::sleep(Duration::from_micros(random % 60_000));
            server.child.kill().unwrap();
            over.store(true, Ordering::Relaxed);
        });
        server.child.wait().unwrap();
    }
    let saves: i64 = acknowledged.lock().unwrap().iter().sum();
    println!("{ROUNDS} rounds, {saves} saves acknowledged, none lost");
    assert!(saves > ROUNDS as i64, "the writers were at work when the process was killed: {saves}");
}
