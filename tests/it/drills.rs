//! What goes wrong one day: the process is killed, the disk is full, a page is damaged. The real binary, real files.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Instant;

use serde_json::{Value, json};
use vext::store::FileIntegrityCheck;

use crate::backups::{Place, fails, succeeds, text};
use crate::client;
use crate::health::until;
use crate::playground::missing;
use crate::process::{Process, damage};

const TOKEN: &str = "test-token";
const CREATE: &str = "mutation($n: ExtensionNumber!, $text: String!) { virtualExtensionCreate(input: {information: {number: $n, name: \"x\"}, note: {additionalInfo: $text}}) { object { id } userErrors { code } } }";
const NUMBERS: &str = "SELECT number FROM pbx_object WHERE number >= '7000' AND number < '8000' ORDER BY number";

/// Makes the extension with a number; whether that was acknowledged.
fn create(address: &str, number: i64, note: &str) -> bool {
    let body = json!({ "query": CREATE, "variables": { "n": number.to_string(), "text": note } });
    let answer = client::ask(address, TOKEN, &body).unwrap_or_default();
    answer["data"]["virtualExtensionCreate"]["userErrors"] == json!([])
}

fn numbers(database: &Path) -> Vec<i64> {
    let connection = rusqlite::Connection::open(database).unwrap();
    let mut statement = connection.prepare(NUMBERS).unwrap();
    statement.query_map([], |row| row.get::<_, String>(0)).unwrap().map(|n| n.unwrap().parse().unwrap()).collect()
}

#[test]
fn a_backup_under_load_brings_everything_back_that_was_acknowledged_before_it() {
    const CLIENTS: i64 = 4;
    const BACKUPS: usize = 5;
    let place = Place::new();
    let database = text(&place.database);
    let mut server = Process::start(&["serve", "--database", database]);
    let (next, acknowledged, over) = (AtomicI64::new(7000), Mutex::new(Vec::new()), AtomicBool::new(false));
    let (mut before, mut files) = (Vec::new(), Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= 8000 || !create(&server.address, number, "under load") {
                        break;
                    }
                    acknowledged.lock().unwrap().push(number);
                }
            });
        }
        let count = || acknowledged.lock().unwrap().len();
        for i in 0..BACKUPS {
            // The writers are at work when it begins.
            let at = count();
            while count() < at + 4 {
                std::thread::yield_now();
            }
            before.push(acknowledged.lock().unwrap().clone());
            files.push(place.backup(&format!("b{i}.db")));
        }
        let at = count();
        while count() < at + 4 {
            std::thread::yield_now();
        }
        Command::new("kill").args(["-9", &server.child.id().to_string()]).status().unwrap();
        over.store(true, Ordering::Relaxed);
    });
    server.child.wait().unwrap();
    for (file, before) in files.iter().zip(&before) {
        succeeds(&["verify", text(file), "--key-file", text(&place.path("vext.db.key"))]);
        let there = numbers(file);
        let lost: Vec<_> = before.iter().filter(|number| !there.contains(number)).collect();
        assert!(lost.is_empty(), "{}: {lost:?} were acknowledged before it began", file.display());
    }
    let last = files.last().unwrap();
    let said = succeeds(&["restore", text(last), "--database", database, "--force"]);
    assert!(said.contains("is the right one"), "{said}");
    let manifest: Value = serde_json::from_slice(&fs::read(format!("{}.manifest", last.display())).unwrap()).unwrap();
    let connection = rusqlite::Connection::open(&place.database).unwrap();
    for (table, rows) in manifest["rows"].as_object().unwrap() {
        let count = format!("SELECT count(*) FROM {table}");
        assert_eq!(connection.query_row(&count, [], |row| row.get::<_, i64>(0)).unwrap(), *rows, "{table}");
    }
    drop(connection);
    // What came after the backup is not gone either: it is in the database that was kept aside.
    let aside = place.names("vext.db.before-restore-");
    let kept = numbers(&place.path(&aside[0]));
    let all = acknowledged.lock().unwrap();
    assert!(all.iter().all(|number| kept.contains(number)), "the old database holds everything acknowledged");
    let server = Process::start(&["serve", "--database", database]);
    let query =
        r#"query($n: ExtensionNumber!) { tenant { virtualExtension(by: {number: $n}) { note { additionalInfo } } } }"#;
    let number = before.last().unwrap().last().unwrap();
    let answer = server.ask(TOKEN, query, &json!({ "n": number.to_string() })).unwrap();
    assert_eq!(answer["data"]["tenant"]["virtualExtension"]["note"]["additionalInfo"], "under load", "{answer}");
    assert!(create(&server.address, 7999, "after"), "and it goes on");
    println!("{BACKUPS} backups under {} acknowledged saves, none lost", all.len());
}

/// While `full` holds, saves are refused as unavailable and reads go on; after `free` everything works, in the same
/// process. Nothing that was acknowledged is lost.
fn without_space(server: &mut Process, database: &Path, full: impl FnOnce(), free: impl FnOnce()) {
    let mut acknowledged = Vec::new();
    let mut save = |server: &Process, numbers: std::ops::Range<i64>| {
        let mut refused = 0;
        for number in numbers {
            let variables = json!({ "n": number.to_string(), "text": "n".repeat(900) });
            let answer = server.ask(TOKEN, CREATE, &variables).unwrap();
            if answer["data"]["virtualExtensionCreate"]["userErrors"] == json!([]) {
                acknowledged.push(number);
            } else {
                assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{answer}");
                refused += 1;
            }
        }
        refused
    };
    assert_eq!(save(server, 7000..7010), 0);
    full();
    let mut number = 7010;
    // What there was of space is used up.
    while save(server, number..number + 1) == 0 {
        number += 1;
        assert!(number < 7900, "the disk never gets full");
    }
    for _ in 0..10 {
        number += 1;
        save(server, number..number + 1);
        let answer = server.ask(TOKEN, "{ tenant { code virtualExtensions { totalCount } } }", &json!({})).unwrap();
        assert_eq!(answer["data"]["tenant"]["code"], "CANISTRACCI", "reads go on: {answer}");
    }
    until(&server.address, 503, r#""database":"ok","schema":"ok","writer":"failed""#);
    // However many saves fail, the log names the cause once a second.
    server.said();
    let begun = Instant::now();
    assert_eq!(save(server, number + 1..number + 41), 40);
    let lines = server.said().lines().filter(|line| line.contains("a request failed")).count();
    assert!(lines as u64 <= 2 + begun.elapsed().as_secs(), "{lines}");
    free();
    until(&server.address, 200, r#""writer":"ok""#);
    assert_eq!(save(server, 7900..7950), 0, "all is well again");
    server.signal("-TERM");
    assert!(server.ended().success());
    let connection = rusqlite::Connection::open(database).unwrap();
    let verdict: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
    drop(connection);
    assert_eq!(numbers(database), acknowledged, "what was acknowledged, and nothing else");
}

#[test]
fn a_file_that_may_not_grow_refuses_saves_until_it_may() {
    let place = Place::new();
    if Command::new("prlimit").arg("--version").stdout(Stdio::null()).status().is_err() {
        return missing("prlimit");
    }
    let pid = std::cell::Cell::new(0);
    let limit = |size: &str| {
        let done =
            Command::new("prlimit").args(["--pid", &format!("{}", pid.get()), &format!("--fsize={size}:")]).status();
        assert!(done.unwrap().success());
    };
    // Without the signal that a limit sends, a write beyond it is an error like any other. The log goes to a pipe.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_vext"), "serve"]);
    command.args(["--database", text(&place.database), "--listen", "127.0.0.1:0"]).stdin(Stdio::null());
    let mut server = Process::listening(command);
    pid.set(server.id());
    without_space(&mut server, &place.database, || limit("1000000"), || limit("unlimited"));
}

/// A file system of its own; it is gone with the value.
pub struct Small(pub PathBuf);

impl Small {
    /// Mounts a tmpfs with these options, such as `size=32m`; `None` where that is not allowed.
    pub fn mount(folder: PathBuf, options: &str) -> Option<Self> {
        fs::create_dir(&folder).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "vext-test"]).arg(&folder).stderr(Stdio::null());
        mount.status().is_ok_and(|status| status.success()).then_some(Self(folder))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_refuses_saves_until_there_is_space() {
    let place = Place::new();
    let Some(disk) = Small::mount(place.path("disk"), "size=32m") else {
        return missing("a small file system (mounting one needs root)");
    };
    let database = disk.0.join("vext.db");
    fs::copy(&place.database, &database).unwrap();
    fs::copy(place.path("vext.db.key"), disk.0.join("vext.db.key")).unwrap();
    let ballast = disk.0.join("ballast");
    let mut server = Process::start(&["serve", "--database", text(&database)]);
    let full = || {
        let mut file = fs::File::create(&ballast).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
    };
    // A backup finds no space either, says so, and leaves nothing behind.
    let no_backup = || {
        let said = fails(&["backup", "--database", text(&database), "--to", text(&disk.0.join("b.db"))]);
        assert!(said.contains("full") || said.contains("No space"), "{said}");
        assert!(!disk.0.join("b.db").exists());
        fs::remove_file(&ballast).unwrap();
    };
    without_space(&mut server, &database, full, no_backup);
    assert_eq!(fs::read_dir(&disk.0).unwrap().count(), 2, "database and key");
}

/// Saves to a file that has no name any more, or another file of the name, would be lost.
#[test]
fn a_file_that_is_taken_away_is_noticed_before_anything_is_saved() {
    let place = Place::new();
    let server = Process::start(&["serve", "--database", text(&place.database)]);
    until(&server.address, 200, r#""database":"ok""#);
    let aside = place.path("aside.db");
    for replaced in [false, true] {
        fs::rename(&place.database, &aside).unwrap();
        if replaced {
            fs::copy(&aside, &place.database).unwrap();
        }
        until(&server.address, 503, r#""database":"failed""#);
        server.says("was deleted or replaced");
        let answer = server.ask(TOKEN, CREATE, &json!({ "n": "7000", "text": "lost" })).unwrap();
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{answer}");
        fs::rename(&aside, &place.database).unwrap();
        until(&server.address, 200, r#""database":"ok""#);
    }
}

#[test]
fn a_damaged_page_is_noticed_and_said_and_nothing_is_made_anew() {
    let place = Place::new();
    let (backup, database) = (place.backup("b.db"), text(&place.database));
    let query = r#"{ tenant { virtualExtension(by: {number: "108"}) { name information { dnd } } } }"#;
    let mut server = Process::start(&["serve", "--database", database]);
    let answer = server.ask(TOKEN, query, &json!({})).unwrap();
    assert_eq!(answer["data"]["tenant"]["virtualExtension"]["name"], "Ivy Morgan", "{answer}");
    overwrite(&place.database, "information");
    // What a connection has kept in its memory is read again once somebody has written.
    place.sql("UPDATE tenant SET revision = revision");
    let answer = server.ask(TOKEN, query, &json!({})).unwrap();
    assert_eq!(answer["errors"][0]["extensions"]["code"], "INTERNAL", "{answer}");
    assert!(answer["data"]["tenant"]["virtualExtension"].is_null(), "no wrong data: {answer}");
    server.says("damaged");
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    // A new start refuses, and touches nothing.
    let bytes = || (fs::read(&place.database).unwrap(), fs::read(place.path("vext.db-wal")).unwrap());
    let before = bytes();
    for _ in 0..2 {
        let said = fails(&["serve", "--database", database, "--listen", "127.0.0.1:0"]);
        assert!(said.contains("is damaged (") && said.contains("vext restore"), "{said}");
        assert_eq!(said.trim().lines().count(), 1, "{said}");
        assert!(bytes() == before, "the files are as they were");
    }
    let said = fails(&["backup", "--database", database, "--to", text(&place.path("c.db"))]);
    assert!(said.contains("damaged") && !place.path("c.db").exists(), "{said}");
    succeeds(&["restore", text(&backup), "--database", database, "--force"]);
    let server = Process::start(&["serve", "--database", database]);
    let answer = server.ask(TOKEN, query, &json!({})).unwrap();
    assert_eq!(answer["data"]["tenant"]["virtualExtension"]["name"], "Ivy Morgan", "{answer}");
}

/// Overwrites a table's root page under a server, as a failing disk might.
fn overwrite(file: &Path, table: &str) {
    let connection = rusqlite::Connection::open(file).unwrap();
    let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).unwrap();
    assert_eq!(busy, 0, "all of it stands in the file");
    let (page, size): (u32, u32) = connection
        .query_row(
            // The schema's own page is the first.
            "SELECT coalesce((SELECT rootpage FROM sqlite_schema WHERE name = $1), 1), page_size FROM pragma_page_size",
            [table],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    // Not by this process: SQLite's locks are lost when it closes the file once more.
    let mut write = Command::new("dd");
    write.arg(format!("of={}", file.display())).arg(format!("bs={size}")).arg(format!("seek={}", page - 1));
    let mut write = write.args(["conv=notrunc", "status=none"]).stdin(Stdio::piped()).spawn().unwrap();
    write.stdin.take().unwrap().write_all(&vec![0xAA; size as usize]).unwrap();
    assert!(write.wait().unwrap().success());
}

/// The first page is gone: SQLite does not take the file for a database, but a restore can still replace it.
#[test]
fn a_file_that_is_no_database_any_more_is_replaced_and_kept() {
    let place = Place::new();
    let backup = place.backup("b.db");
    damage(&place.database);
    let mut bytes = fs::read(&place.database).unwrap();
    bytes[..4096].fill(0xAA);
    fs::write(&place.database, &bytes).unwrap();
    fs::write(place.path("vext.db-wal"), "what was left of a log").unwrap();
    succeeds(&["restore", text(&backup), "--database", text(&place.database), "--force"]);
    let aside = place.names("vext.db.before-restore-");
    assert_eq!(aside.len(), 2, "{aside:?}");
    assert!(fs::read(place.path(&aside[0])).unwrap() == bytes);
    assert_eq!(fs::read_to_string(place.path(&aside[1])).unwrap(), "what was left of a log");
    assert_eq!(place.names("vext.db-"), [] as [&str; 0]);
    succeeds(&["token", "list", "--database", text(&place.database)]);
    // Nor is it taken from a server that has it open, although SQLite cannot read it.
    let server = Process::start(&["serve", "--database", text(&place.database)]);
    overwrite(&place.database, "sqlite_schema");
    let said = fails(&["restore", text(&backup), "--database", text(&place.database), "--force"]);
    assert!(said.contains("is in use; first stop the server"), "{said}");
    drop(server);
    succeeds(&["restore", text(&backup), "--database", text(&place.database), "--force"]);
    succeeds(&["token", "list", "--database", text(&place.database)]);
}

/// Neither a start nor a stop waits until a file has been read to its end.
#[test]
fn a_large_file_is_served_and_let_go_at_once() {
    let place = Place::new();
    let database = text(&place.database);
    // Until it has answered, and until it has ended: the shorter of two each.
    let run = || {
        let once = || {
            let begun = Instant::now();
            let mut server = Process::start(&["serve", "--database", database]);
            let answer = server.ask(TOKEN, "{ tenant { code } }", &json!({})).unwrap();
            assert_eq!(answer["data"]["tenant"]["code"], "CANISTRACCI", "{answer}");
            let started = begun.elapsed();
            server.signal("-TERM");
            assert!(server.ended().success());
            (started, begun.elapsed() - started)
        };
        let (one, other) = (once(), once());
        (one.0.min(other.0), one.1.min(other.1))
    };
    let (small_start, _) = run();
    place.sql(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000000)
         INSERT INTO change_field SELECT c.tenant_id, c.object_id, c.version, printf('%08d', i), '0', '1'
         FROM (SELECT tenant_id, object_id, version FROM change LIMIT 1) c, n",
    );
    let (reading, begun) = (FileIntegrityCheck::open(&place.database).unwrap(), Instant::now());
    assert_eq!(reading.read(&|| false), Ok(None));
    let all = begun.elapsed();
    drop(reading);
    let (start, end) = run();
    println!("read in {all:?}, served after {start:?} instead of {small_start:?}, ended after {end:?}");
    assert!(start < small_start + all / 2, "read in {all:?}, served after {start:?} instead of {small_start:?}");
    assert!(end < all / 2, "read in {all:?}, ended after {end:?}");
}
