//! Backup, verify and restore from the command line, mostly with what they must refuse.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::engines::{Content, Engine, Live};
use crate::process::{Process, error, vext};

/// A database with the demo data that nobody uses, its key beside it.
pub struct Place {
    pub folder: tempfile::TempDir,
    pub database: PathBuf,
}

impl Place {
    pub fn new() -> Self {
        let live = Live::new(Engine::Sqlite, Content::Demo);
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("vext.db");
        fs::copy(live.folder.path().join("vext.db"), &database).unwrap();
        fs::copy(live.folder.path().join("vext.key"), folder.path().join("vext.db.key")).unwrap();
        Self { folder, database }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The names in the folder that start so.
    pub fn names(&self, start: &str) -> Vec<String> {
        names(self.folder.path()).into_iter().filter(|name| name.starts_with(start)).collect()
    }

    /// A backup under this name.
    pub fn backup(&self, name: &str) -> PathBuf {
        let file = self.path(name);
        succeeds(&["backup", "--database", text(&self.database), "--to", text(&file)]);
        file
    }

    pub fn sql(&self, sql: &str) {
        let connection = rusqlite::Connection::open(&self.database).unwrap();
        connection.pragma_update(None, "foreign_keys", false).unwrap();
        connection.execute_batch(sql).unwrap();
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// What a command prints that must succeed.
pub fn succeeds(arguments: &[&str]) -> String {
    let output = vext(arguments).output().unwrap();
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(output.status.success(), "{arguments:?}: {said}{}", error(&output));
    said
}

/// What a command prints that must fail.
pub fn fails(arguments: &[&str]) -> String {
    let output = vext(arguments).output().unwrap();
    let said = String::from_utf8(output.stdout.clone()).unwrap() + &error(&output);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
    said
}

/// The one sentence with which a command refuses.
fn refuses(arguments: &[&str], words: &str) {
    let said = fails(arguments);
    assert!(said.contains(words) && said.trim().lines().count() == 1, "{arguments:?}: {said}");
}

#[test]
fn a_backup_is_one_file_with_its_page_and_restores_to_the_same_rows() {
    let place = Place::new();
    let file = place.path("b.db");
    let said = succeeds(&["backup", "--database", text(&place.database), "--to", text(&file)]);
    assert!(said.contains("vext.db.key") && said.contains("does not contain the key file"), "{said}");
    assert_eq!(place.names("b.db"), ["b.db", "b.db.manifest"]);
    assert_eq!(place.names(".vext"), [] as [&str; 0], "what was unfinished is gone");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let page: Value = serde_json::from_slice(&fs::read(place.path("b.db.manifest")).unwrap()).unwrap();
    assert_eq!((&page["format"], &page["vext"]), (&json!(1), &json!(env!("CARGO_PKG_VERSION"))));
    assert_eq!(page["size"], fs::metadata(&file).unwrap().len());
    assert_eq!(page["rows"]["tenant"], 2, "{page}");
    assert!(page["rows"]["pbx_object"].as_u64().unwrap() > 50, "{page}");
    let migrations = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite")).unwrap();
    let last = migrations.map(|file| file.unwrap().path().file_stem().unwrap().to_owned()).max().unwrap();
    assert_eq!(page["migration"].as_str(), last.to_str(), "{page}");
    assert!(page["key_id"].is_string(), "{page}");
    // Verifying touches nothing: neither the file nor its folder.
    let key = place.path("vext.db.key");
    fs::copy(&key, place.path("b.db.key")).unwrap();
    let (bytes, modified, there) =
        (fs::read(&file).unwrap(), fs::metadata(&file).unwrap().mtime_nsec(), names(place.folder.path()));
    let said = succeeds(&["verify", text(&file)]);
    assert!(said.contains("is in order") && !said.contains("Note"), "{said}");
    assert_eq!(
        (fs::read(&file).unwrap(), fs::metadata(&file).unwrap().mtime_nsec(), names(place.folder.path())),
        (bytes, modified, there)
    );
    // Elsewhere, where there is nothing yet, and no key either.
    let elsewhere = place.path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let target = elsewhere.join("vext.db");
    let said = succeeds(&["restore", text(&file), "--database", text(&target)]);
    assert!(said.contains("Key, before you serve") && said.contains(page["key_id"].as_str().unwrap()), "{said}");
    assert_eq!(names(&elsewhere), ["vext.db"]);
    fs::copy(&key, elsewhere.join("vext.db.key")).unwrap();
    let said = succeeds(&["restore", text(&file), "--database", text(&target), "--force"]);
    assert!(said.contains("is the right one"), "{said}");
    let server = Process::start(&["serve", "--database", text(&target)]);
    let answer = server.ask("test-token", "{ tenant { code } }", &json!({})).unwrap();
    assert_eq!(answer["data"]["tenant"]["code"], "CANISTRACCI", "{answer}");
}

#[test]
fn what_cannot_be_backed_up_or_restored_is_refused_in_one_sentence() {
    let place = Place::new();
    let backup = place.backup("b.db");
    let (database, file) = (text(&place.database), text(&backup));
    let new = place.path("new.db");
    let nowhere = place.path("nowhere/b.db");
    fs::write(place.path("text.db"), "just text, but enough of it to be more than a header".repeat(40)).unwrap();
    rusqlite::Connection::open(place.path("foreign.db")).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    let (foreign, plain) = (place.path("foreign.db"), place.path("text.db"));
    let before = place.names("");
    refuses(&["backup", "--database", database, "--to", file], "exists, and a backup does not overwrite files");
    refuses(&["backup", "--database", database, "--to", text(&nowhere)], "nowhere does not exist");
    refuses(&["backup", "--database", text(&new), "--to", text(&place.path("c.db"))], "there is no database");
    refuses(&["backup", "--database", text(&plain), "--to", text(&place.path("c.db"))], "is not a SQLite database");
    refuses(&["backup", "--database", text(&foreign), "--to", text(&place.path("c.db"))], "not a database of vext");
    refuses(&["backup", "--database", "postgres://vext@db/vext", "--to", text(&new)], "pg_basebackup");
    refuses(&["restore", file, "--database", "postgres://vext@db/vext"], "the server's own tools");
    refuses(&["restore", file, "--database", database], "exists; --force");
    refuses(&["restore", file, "--database", file, "--force"], "over itself");
    refuses(&["restore", file, "--database", text(&nowhere)], "nowhere does not exist");
    refuses(&["restore", text(&place.path("none.db")), "--database", text(&new)], "there is no file");
    refuses(&["verify", text(&place.path("none.db"))], "there is no file");
    assert!(fails(&["restore", text(&plain), "--database", text(&new)]).contains("is not a SQLite database"));
    assert!(fails(&["verify", text(&foreign)]).contains("not one of vext"));
    assert_eq!(place.names(""), before, "nothing was made, nothing was left behind");
    // Also with --force: a database that a server has open.
    let server = Process::start(&["serve", "--database", database]);
    refuses(&["restore", file, "--database", database, "--force"], "is in use; first stop the server");
    let answer = server.ask("test-token", "{ tenant { code } }", &json!({})).unwrap();
    assert_eq!(answer["data"]["tenant"]["code"], "CANISTRACCI", "the server goes on");
    assert!(fails(&["verify", database]).contains("is in use or was not closed"));
}

#[test]
fn a_backup_that_was_changed_is_not_restored() {
    let place = Place::new();
    let (target, good) = (place.path("new.db"), place.backup("b.db"));
    let bytes = fs::read(&good).unwrap();
    let refused = |what: &str, words: &[&str]| {
        for arguments in [&["verify", text(&good)][..], &["restore", text(&good), "--database", text(&target)]] {
            let said = fails(arguments);
            for word in words {
                assert!(said.contains(word), "{what}: {word}: {said}");
            }
        }
        assert!(!target.exists(), "{what}");
    };
    fs::write(&good, &bytes[..bytes.len() / 2]).unwrap();
    refused("truncated", &["bytes; its manifest says", "SHA-256", "is damaged ("]);
    let mut flipped = bytes.clone();
    *flipped.last_mut().unwrap() ^= 1;
    fs::write(&good, &flipped).unwrap();
    refused("one bit", &["SHA-256"]);
    fs::write(&good, &bytes).unwrap();
    let page = place.path("b.db.manifest");
    let manifest = fs::read_to_string(&page).unwrap();
    fs::write(&page, manifest.replace("\"tenant\": 2", "\"tenant\": 3")).unwrap();
    refused("row counts", &["tenant: 2 rows; the manifest says 3 rows"]);
    fs::write(&page, manifest.replace("\"format\": 1", "\"format\": 2")).unwrap();
    refused("a newer manifest", &["format 2, which this program cannot read"]);
    fs::write(&page, "{").unwrap();
    refused("no manifest", &["is not the manifest of a backup"]);
    fs::remove_file(&page).unwrap();
    let said = succeeds(&["verify", text(&good)]);
    assert!(said.contains("checksum, size and row counts were not compared"), "{said}");
    let newer = "INSERT INTO migration VALUES (99, '0099_future', 'x', 0)";
    rusqlite::Connection::open(&good).unwrap().execute_batch(newer).unwrap();
    refused("a newer vext", &["newer than this program"]);
}

#[test]
fn every_row_that_does_not_fit_is_named_with_its_table_its_key_and_the_rule() {
    let place = Place::new();
    let key = place.path("vext.db.key");
    place.sql("
        UPDATE information SET inbound_timeout_seconds = 9999 WHERE object_id = (SELECT min(object_id) FROM information);
        UPDATE note SET branch = char(7) WHERE object_id = (SELECT max(object_id) FROM note);
        UPDATE pbx_object SET kind = 'TOASTER' WHERE object_id = (SELECT min(object_id) FROM spy_group) AND tenant_id = 1;
        UPDATE pbx_object SET number = 'abc' WHERE number = '101';
        UPDATE parking_lot SET first_slot = '-' WHERE tenant_id = 1;
        UPDATE tenant SET next_object = 2 WHERE code = 'MOLLOY';
        UPDATE tenant SET timezone = 'UTC', area_code = 'x' WHERE code = 'MOLLOY';
        INSERT INTO link VALUES (1, (SELECT object_id FROM pbx_object WHERE number = '108'), 'friends', 0, 1);
        INSERT INTO destination VALUES (1, (SELECT min(object_id) FROM did WHERE tenant_id = 1), 'on_busy', 0, NULL, NULL, 'BUSY');
        INSERT INTO route SELECT tenant_id, 9999, position, name, pattern, provider_id, digits_to_add, digits_to_remove, route_order, priority, weight, emergency, ask_pin, least_cost FROM route LIMIT 1;
        DELETE FROM security WHERE object_id = (SELECT object_id FROM pbx_object WHERE number = '108') AND tenant_id = 1;
        UPDATE token SET scopes = 'admin', hash = x'00' WHERE name = 'test-token';
        UPDATE pbx_object SET name_folded = 'Bruno' WHERE number = '102' AND tenant_id = 1;
        DELETE FROM search_word WHERE word = 'reception' AND source = 'pbx_object' AND tenant_id = 1;
        UPDATE search_word SET word = 'genoa' WHERE word = 'livorno' AND source = 'note';
        INSERT INTO search_word VALUES (1, (SELECT object_id FROM pbx_object WHERE number = '102'), 'x', 'note');
        INSERT INTO change VALUES (1, 1, 7, 999999, 0, 'x');
        INSERT INTO change_field VALUES (1, 1, 7, 'a.b', 'no json', '1');
        UPDATE ldap_server SET bind_password = x'0011223344556677889900112233445566778899001122334455667788990011223344556677';
    ");
    let file = place.path("raw.db");
    fs::copy(&place.database, &file).unwrap();
    let said = fails(&["verify", text(&file), "--key-file", text(&key)]);
    for words in [
        "information[1].inbound_timeout_seconds must be 1 to 600",
        ".branch must not contain control characters",
        "pbx_object[17]: kind is not stored as a Kind",
        ".number must be 2 to 10 digits; it is \"abc\"",
        "parking_lot[",
        "tenant.next_object",
        "tenant[2]: area_code must be at most 8 digits",
        ".friends]: nothing reads this list",
        ".on_busy]: nothing reads this list",
        "route[1.9999.",
        "owner_id refers to pbx_object[1.9999], which is not there",
        "route[9999]: nothing reads this list",
        "security[",
        "].scopes: must be read",
        "].hash: must be 32 bytes",
        "].name_folded: must follow from the name",
        ".pbx_object]: must be the words of the object's row",
        ".note]: must be the words of the object's row",
        ".note]: the object has no such row",
        "change[1.7]: version must be",
        "change_field[1.7.a.b].before_value: must be JSON",
        "bind_password: the key does not open this secret",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    // None is told twice.
    let mut lines: Vec<_> = said.lines().collect();
    let count = lines.len();
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines.len(), count, "{said}");
}

#[test]
fn a_wrong_key_is_noticed_and_the_right_one_opens_all_secrets() {
    let place = Place::new();
    let backup = place.backup("b.db");
    let wrong = place.path("wrong.key");
    fs::write(&wrong, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n").unwrap();
    fs::set_permissions(&wrong, fs::Permissions::from_mode(0o600)).unwrap();
    let said = fails(&["verify", text(&backup), "--key-file", text(&wrong)]);
    assert!(said.contains("sealing_key[") && said.contains("does not open this secret"), "{said}");
    succeeds(&["verify", text(&backup), "--key-file", text(&place.path("vext.db.key"))]);
    let (new, key) = (place.path("new.db"), text(&wrong));
    let said = succeeds(&["restore", text(&backup), "--database", text(&new), "--key-file", key]);
    assert!(said.contains("is not the right one"), "{said}");
}

/// The server that wrote it was killed: its last saves stand in the log beside it, and go along.
#[test]
fn what_is_kept_aside_is_whole() {
    let place = Place::new();
    let (backup, database) = (place.backup("b.db"), text(&place.database));
    let mut server = Process::start(&["serve", "--database", database]);
    let create = r#"mutation { virtualExtensionCreate(input: {information: {number: "907", name: "x"}}) { userErrors { code } } }"#;
    let answer = server.ask("test-token", create, &json!({})).unwrap();
    assert_eq!(answer["data"]["virtualExtensionCreate"]["userErrors"], json!([]), "{answer}");
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    assert!(fs::metadata(place.path("vext.db-wal")).unwrap().len() > 0, "the save stands in the log");
    let said = succeeds(&["restore", text(&backup), "--database", database, "--force"]);
    let aside = place.names("vext.db.before-restore-");
    assert!(aside.len() == 1 && said.contains(&aside[0]), "{aside:?}: {said}");
    assert_eq!(place.names("vext.db-"), [] as [&str; 0], "no log of the old one stands beside the new one");
    let count = |file: &Path| {
        let connection = rusqlite::Connection::open(file).unwrap();
        connection
            .query_row("SELECT count(*) FROM pbx_object WHERE number = '907'", [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!((count(&place.path(&aside[0])), count(&place.database)), (1, 0));
}

fn until(what: &str, mut so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what} does not come true");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn is_backup(name: &str) -> bool {
    name.starts_with("vext-2") && name.ends_with("Z.db")
}

#[test]
fn a_server_takes_backups_and_keeps_the_newest() {
    let place = Place::new();
    let folder = place.path("backups");
    fs::create_dir(&folder).unwrap();
    let foreign = ["vext-2020.db", "vext-20200101T000000Z.db.txt", "notes"];
    for name in foreign {
        fs::write(folder.join(name), "mine").unwrap();
    }
    // Two of long ago, of which one has lost its page, and what a killed program has left.
    for name in ["vext-20200101T000000Z.db", "vext-20200102T000000Z.db", "vext-20200102T000000Z.db.manifest"] {
        fs::write(folder.join(name), "old").unwrap();
    }
    fs::create_dir(folder.join(".vext-unfinished-x")).unwrap();
    let dir = text(&folder);
    let serve = ["serve", "--database", text(&place.database), "--backup-dir", dir, "--backup-keep", "2"];
    let backups = || names(&folder).into_iter().filter(|name| is_backup(name)).collect::<Vec<_>>();
    let server = Process::start(&[&serve[..], &["--backup-every", "1s"]].concat());
    until("a third backup of today", || {
        let now = backups();
        now.len() == 2 && now.iter().all(|name| !name.starts_with("vext-2020"))
    });
    assert!(server.says("a backup was taken").contains("vext-2"));
    let before = backups();
    until("the next one", || backups() != before);
    server.signal("-TERM");
    drop(server);
    let there = backups();
    assert!(there.len() <= 3, "{there:?}");
    for name in &there {
        assert!(succeeds(&["verify", text(&folder.join(name))]).contains("is in order"), "{name}");
    }
    for name in foreign {
        assert_eq!(fs::read_to_string(folder.join(name)).unwrap(), "mine");
    }
    assert!(!names(&folder).iter().any(|name| name.starts_with("vext-2020010") && name.ends_with("manifest")));
    assert!(!folder.join(".vext-unfinished-x").exists());
    // Started again, a server with time to wait takes none.
    let mut server = Process::start(&[&serve[..], &["--backup-every", "24h"]].concat());
    let answer = server.ask("test-token", "{ tenant { code } }", &json!({})).unwrap();
    assert_eq!(answer["data"]["tenant"]["code"], "CANISTRACCI");
    server.signal("-TERM");
    until("the end", || server.child.try_wait().unwrap().is_some());
    assert_eq!(backups(), there);
}

#[test]
fn a_scheduled_backup_that_fails_is_logged_and_tried_again() {
    let place = Place::new();
    let folder = place.path("backups");
    fs::create_dir(&folder).unwrap();
    let serve = ["serve", "--database", text(&place.database), "--backup-keep", "1", "--backup-every", "1s"];
    let server = Process::start(&[&serve[..], &["--backup-dir", text(&folder)]].concat());
    server.says("a backup was taken");
    // The folder goes, as a disk might that is pulled out.
    fs::rename(&folder, place.path("away")).unwrap();
    server.says("no backup was taken");
    fs::rename(place.path("away"), &folder).unwrap();
    server.says("a backup was taken");
}

#[test]
fn a_schedule_that_cannot_work_is_refused_in_one_sentence() {
    let place = Place::new();
    let (database, dir) = (text(&place.database), text(place.folder.path()));
    let serve = ["serve", "--listen", "127.0.0.1:0", "--database", database];
    let with = |flags: &[&str], words: &str| refuses(&[&serve[..], flags].concat(), words);
    with(&["--backup-every", "24h"], "belong together");
    with(&["--backup-dir", dir, "--backup-keep", "7"], "belong together");
    let nowhere = place.path("nowhere");
    with(&["--backup-every", "24h", "--backup-keep", "7", "--backup-dir", text(&nowhere)], "there is no folder");
    assert!(!nowhere.exists());
}
