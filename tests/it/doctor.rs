//! `vext doctor`: a sound deployment gets nothing but `ok`, and each thing that is broken is told by its own check. The
//! real binary, real files, real servers.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use serde_json::json;
use vext::domain::{Clock, Environment, SystemClock, SystemRandom};
use vext::operations::doctor::{Deployment, DoctorCheck, DoctorVerdict, examine};
use vext::store::DatabaseView;

use crate::backups::{Place, text};
use crate::drills::Small;
use crate::engines::{Content, Engine, Live, cluster, on_each_engine, postgres_or_skip};
use crate::harness::TOKEN;
use crate::playground::missing;
use crate::process::{Process, damage, error, output, vext};

/// What the doctor has said.
struct Told {
    text: String,
    code: Option<i32>,
}

impl Told {
    /// The line of a check.
    fn line(&self, name: &str) -> &str {
        let is_it = |line: &&str| line.split_whitespace().nth(1) == Some(name) && !line.starts_with(' ');
        self.text.lines().find(is_it).unwrap_or_else(|| panic!("no check {name}: {}", self.text))
    }

    /// This check has this verdict and says these words; and what it is called by is the exit code.
    fn is(&self, verdict: &str, name: &str, words: &str) {
        let line = self.line(name);
        assert!(line.starts_with(verdict) && line.contains(words), "{verdict} {name} {words:?}: {}", self.text);
        let failed = self.text.lines().any(|line| line.starts_with("fail"));
        assert_eq!(self.code, Some(failed.into()), "{}", self.text);
    }

    /// All checks but these are well.
    fn only(&self, others: &[&str]) {
        let checks: Vec<_> = self.text.lines().filter(|line| !line.starts_with(' ')).collect();
        let (sum, checks) = checks.split_last().unwrap();
        assert_eq!(sum.starts_with("Everything is in order."), others.is_empty(), "{}", self.text);
        assert_eq!(checks.len(), 13, "{}", self.text);
        let wrong = checks.iter().filter(|line| !line.starts_with("ok "));
        let wrong: Vec<_> = wrong.filter_map(|line| line.split_whitespace().nth(1)).collect();
        assert_eq!(wrong, others, "{}", self.text);
    }
}

/// A deployment as it should be: closed folders, a key, and for SQLite a schedule with a backup of today.
struct Deployed {
    live: Live,
    key: PathBuf,
}

impl Deployed {
    fn new(engine: Engine) -> Self {
        let live = Live::new(engine, Content::Demo);
        // The clock of the tests' data may be ahead of this machine's.
        for (table, column) in [
            ("migration", "applied_at"),
            ("sealing_key", "created_at"),
            ("tenant", "created_at"),
            ("token", "created_at"),
            ("pbx_object", "changed_at"),
            ("change", "changed_at"),
        ] {
            live.execute(&format!("UPDATE {table} SET {column} = 1700000000000"));
        }
        let deployed = Self { key: live.folder.path().join("vext.key"), live };
        if engine == Engine::Sqlite {
            set_mode(&deployed.path("vext.db"), 0o600);
            fs::create_dir(deployed.path("backups")).unwrap();
            set_mode(&deployed.path("backups"), 0o700);
            deployed.backup(0);
        }
        deployed
    }

    fn path(&self, name: &str) -> PathBuf {
        self.live.folder.path().join(name)
    }

    /// A backup as the server would have taken it so many hours ago.
    fn backup(&self, hours: i64) -> PathBuf {
        let now = SystemClock.now() / 1000 - 3600 * hours;
        let name = jiff::Timestamp::from_second(now).unwrap().strftime("vext-%Y%m%dT%H%M%SZ.db").to_string();
        let file = self.path("backups").join(name);
        let output = output(&mut vext(&["backup", "--database", &self.live.url(), "--to", text(&file)]));
        assert!(output.status.success(), "{}", error(&output));
        file
    }

    fn only_backup(&self) -> PathBuf {
        let files = fs::read_dir(self.path("backups")).unwrap().map(|entry| entry.unwrap().path());
        files.into_iter().find(|file| file.extension().is_some_and(|end| end == "db")).unwrap()
    }

    fn sql(&self, sql: &str) {
        match self.live.name() {
            None => {
                let connection = rusqlite::Connection::open(self.path("vext.db")).unwrap();
                connection.pragma_update(None, "foreign_keys", false).unwrap();
                connection.execute_batch(sql).unwrap();
            }
            Some(_) => drop(self.live.execute(sql)),
        }
    }

    /// The doctor with these options; those that they do not name are as they should be.
    fn doctor(&self, options: &[&str]) -> Told {
        self.doctor_with(options, &[])
    }

    fn doctor_with(&self, options: &[&str], variables: &[(&str, &str)]) -> Told {
        let (url, backups) = (self.live.url(), self.path("backups"));
        let mut all = vec![("--listen", "127.0.0.1:0"), ("--database", &url), ("--key-file", text(&self.key))];
        if self.live.name().is_none() {
            all.extend([("--backup-every", "24h"), ("--backup-keep", "7"), ("--backup-dir", text(&backups))]);
        }
        let mut command = vext(&["doctor"]);
        for (option, value) in all.into_iter().filter(|(option, _)| !options.contains(option)) {
            command.args([option, value]);
        }
        command.args(options);
        told_by(command.current_dir(self.live.folder.path()).envs(variables.iter().copied()))
    }
}

fn told_by(command: &mut Command) -> Told {
    let output = output(command);
    assert_eq!(error(&output), "", "{command:?}");
    Told { text: String::from_utf8(output.stdout).unwrap(), code: output.status.code() }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Every file below a folder, with its bytes and when it was written last.
fn files(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let written = fs::metadata(&path).unwrap().modified().unwrap();
        if path.is_dir() {
            found.extend(files(&path));
            found.insert(path, (Vec::new(), written));
        } else {
            found.insert(path.clone(), (fs::read(&path).unwrap(), written));
        }
    }
    found
}

async fn a_sound_deployment_gets_nothing_but_ok(engine: Engine) {
    let deployed = Deployed::new(engine);
    let before = files(deployed.live.folder.path());
    let told = deployed.doctor(&[]);
    told.only(&[]);
    told.is("ok", "integrity", "the key opens all sealed secrets");
    assert!(files(deployed.live.folder.path()) == before, "nothing was changed, and nothing made");
}

/// Looks at a broken deployment: these checks say so, the first of them in these words, and all is left as it is.
fn broken(deployed: &Deployed, options: &[&str], checks: &[&str], verdict: &str, words: &str) {
    let before = files(deployed.live.folder.path());
    let told = deployed.doctor(options);
    told.only(checks);
    told.is(verdict, checks[0], words);
    assert!(!told.text.contains("hush"), "{}", told.text);
    assert!(files(deployed.live.folder.path()) == before, "{words}: nothing was changed, and nothing made");
}

#[test]
fn who_may_read_and_write_the_files_is_judged() {
    // The folder's mode, a file and its mode.
    for (folder, file, mode, verdict, words) in [
        (0o755, "vext.db", 0o644, "warn", "vext.db can be read by everybody (mode 644): run chmod 600 on it."),
        (0o700, "vext.db", 0o602, "fail", "vext.db can be written by everybody (mode 602): run chmod o-w on it."),
        (0o700, "vext.db", 0o400, "fail", "vext.db cannot be written by its owner (mode 400): run chmod 600 on it."),
        (0o703, "vext.db", 0o600, "fail", "can be written by everybody (mode 703): run chmod o-w on it."),
        (0o700, "backups", 0o500, "fail", "cannot create files in "),
        (0o755, "backup", 0o644, "warn", "Z.db can be read by everybody (mode 644): run chmod 600 on it."),
        (
            0o700,
            "manifest",
            0o666,
            "fail",
            "Z.db.manifest can be written by everybody (mode 666): run chmod o-w on it.",
        ),
        (0o700, "own.toml", 0o646, "fail", "own.toml can be written by everybody (mode 646): run chmod o-w on it."),
        (
            0o755,
            "password",
            0o644,
            "fail",
            "own.toml contains a secret and can be read by everybody (mode 644): run chmod 640",
        ),
        (
            0o755,
            "token",
            0o604,
            "fail",
            "own.toml contains a secret and can be read by everybody (mode 604): run chmod 640",
        ),
        (0o700, "own.json", 0o666, "fail", "own.json can be written by everybody (mode 666): run chmod o-w on it."),
    ] {
        let deployed = Deployed::new(Engine::Sqlite);
        let (settings, documents) = (deployed.path("own.toml"), deployed.path("own.json"));
        let content = match file {
            "password" => "database = 'postgres://me:hush@db/vext'",
            "token" => "demo-token = 'hush'",
            _ => "readers = 1",
        };
        fs::write(&settings, content).unwrap();
        fs::write(&documents, r#"{"mine": "{ tenant { code } }"}"#).unwrap();
        let path = match file {
            "backup" => deployed.only_backup(),
            "manifest" => deployed.only_backup().with_extension("db.manifest"),
            "password" | "token" => settings,
            file => deployed.path(file),
        };
        set_mode(&deployed.path("backups"), folder);
        set_mode(&deployed.path(""), folder);
        set_mode(&path, mode);
        let options = ["--config", "own.toml", "--trusted-documents", "own.json"];
        broken(&deployed, &options, &["modes"], verdict, words);
        if folder == 0o755 {
            // What stands behind a closed folder is closed.
            set_mode(&deployed.path(""), 0o700);
            deployed.doctor(&options).only(&[]);
        }
    }
}

#[test]
fn a_key_that_is_not_the_databases_own_is_noticed() {
    let other = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
    for (content, mode, words) in [
        (
            None,
            0,
            "cannot be read: No such file or directory (os error 2): the server does not start without it; restore",
        ),
        (Some(other), 0o640, "can be read by others (mode 640); run chmod 600 on it"),
        (Some("c2hvcnQ="), 0o600, "does not hold 32 bytes in base64"),
        (Some(other), 0o600, ", but the database needs "),
    ] {
        let deployed = Deployed::new(Engine::Sqlite);
        fs::remove_file(&deployed.key).unwrap();
        if let Some(content) = content {
            fs::write(&deployed.key, content).unwrap();
            set_mode(&deployed.key, mode);
        }
        broken(&deployed, &[], &["key"], "fail", words);
        deployed.doctor(&[]).is("ok", "integrity", "sealed secrets were not opened without the key.");
    }
}

#[test]
fn what_is_wrong_in_the_database_is_told_by_its_own_check() {
    const LOST: &str = "DELETE FROM migration WHERE number = (SELECT max(number) FROM migration)";
    const SECRET: &str = "UPDATE ldap_server SET bind_password = randomblob(50) WHERE bind_password IS NOT NULL";
    let (schema, unreadable) = (&["schema", "integrity"][..], &["database", "schema", "integrity"][..]);
    for (sql, checks, verdict, words) in [
        ("PRAGMA application_id = 7", unreadable, "fail", "vext.db is a SQLite database, but not one of vext."),
        (LOST, schema, "warn", ", which a server applies when it starts; take a backup first."),
        (
            "INSERT INTO migration VALUES (99, '0099_future', 'x', 0)",
            schema,
            "fail",
            "0099_future (99); use a newer vext.",
        ),
        ("UPDATE migration SET checksum = 'x' WHERE number = 2", schema, "fail", "was made by another build."),
        (
            "UPDATE pbx_object SET number = 'abc' WHERE number = '101' AND tenant_id = 1",
            &["integrity"],
            "fail",
            "2 problems in ",
        ),
        ("INSERT INTO change_field VALUES (1, 999, 1, 'a.b', '1', '1')", &["integrity"], "fail", "1 problem in "),
        (SECRET, &["integrity"], "fail", "restore a backup with `vext restore`."),
    ] {
        let deployed = Deployed::new(Engine::Sqlite);
        deployed.sql(sql);
        broken(&deployed, &[], checks, verdict, words);
    }
    let deployed = Deployed::new(Engine::Sqlite);
    damage(&deployed.path("vext.db"));
    broken(&deployed, &[], &["integrity"], "fail", "restore a backup with `vext restore`.");
    fs::write(deployed.path("vext.db"), "just text, but more than a header ".repeat(40)).unwrap();
    broken(&deployed, &[], unreadable, "fail", "vext.db is not a SQLite database.");
    fs::remove_file(deployed.path("vext.db")).unwrap();
    let checks = ["user", "database", "schema", "integrity"];
    broken(&deployed, &[], &checks, "skip", "There is no database to take the owner from.");
}

#[test]
fn a_clock_that_was_set_back_is_noticed() {
    for (ahead, verdict) in [(3_600_500, "fail"), (120_500, "warn")] {
        let deployed = Deployed::new(Engine::Sqlite);
        deployed.sql(&format!("UPDATE change SET changed_at = {}", SystemClock.now() + ahead));
        let words = "ahead of this machine's clock: set this machine's clock";
        broken(&deployed, &[], &["clock"], verdict, words);
    }
}

#[test]
fn backups_that_are_missing_old_or_broken_are_noticed() {
    let deployed = Deployed::new(Engine::Sqlite);
    let is = |verdict: &str, words: &str| broken(&deployed, &[], &["backups"], verdict, words);
    let file = deployed.only_backup();
    let (page, bytes) = (file.with_extension("db.manifest"), fs::read(&file).unwrap());
    fs::write(&file, &bytes[..4096]).unwrap();
    is("fail", "has 4096 bytes, but its manifest says ");
    fs::write(&file, &bytes).unwrap();
    fs::write(&page, "{").unwrap();
    is("fail", "is not the manifest of a backup");
    fs::remove_file(&page).unwrap();
    is("fail", "has no manifest: check it with `vext verify`.");
    fs::remove_file(&file).unwrap();
    is("warn", "yet: the server takes the first when it starts.");
    deployed.backup(49);
    is("fail", "old, but one is due every 24h: see the server's log for \"no backup was taken\".");
    deployed.backup(-1);
    is("fail", "one is due every 24h");
    deployed.backup(47);
    deployed.doctor(&[]).only(&[]);
}

#[test]
fn options_that_do_not_go_together_or_open_a_door_are_told() {
    let (all, no_folder) = (["--listen", "0.0.0.0:0", "--metrics-listen", "[::]:0"], ["options", "disk", "backups"]);
    let said = "--listen 0.0.0.0:0 can be reached from other machines over plain HTTP: let only a TLS proxy connect to it. \
                --metrics-listen [::]:0 can be reached from other machines without a token: block them.";
    let deployed = Deployed::new(Engine::Sqlite);
    fs::write(deployed.path("own.json"), r#"{"mine": "{ tenant { colour } }"}"#).unwrap();
    for (options, checks, verdict, words) in [
        (&all[..], &["options"][..], "warn", said),
        (&["--explorable"], &["options"], "warn", "--explorable shows everybody the schema and the playground"),
        (&["--trusted-only"], &["options"], "fail", "--trusted-only needs --trusted-documents"),
        (&["--trusted-documents", "own.json"], &["options"], "fail", "--trusted-documents: mine: "),
        (&["--backup-dir", "nowhere"], &no_folder, "fail", "there is no folder nowhere."),
        (&["--listen", "192.0.2.1:8080"], &["options", "address"], "warn", "reached from other machines"),
    ] {
        broken(&deployed, options, checks, verdict, words);
    }
    fs::write(deployed.path("own.json"), r#"{"mine": "{ tenant { code } }"}"#).unwrap();
    let told = deployed.doctor(&["--trusted-documents", "own.json"]);
    told.is("ok", "options", "1 trusted document is valid.");
    let url = deployed.live.url();
    let told = told_by(&mut vext(&["doctor", "--listen", "127.0.0.1:0", "--database", &url, "--backup-every", "24h"]));
    told.is(
        "fail",
        "options",
        "--backup-every, --backup-keep and --backup-dir belong together: give all three or none.",
    );
    told.is("skip", "backups", "The options do not give a valid schedule.");
}

/// What is not there, or is another's, keeps only those checks from being made that need it; and each of several things
/// that are wrong is told.
#[test]
fn what_follows_from_something_else_is_skipped() {
    let deployed = Deployed::new(Engine::Sqlite);
    fs::remove_file(deployed.path("vext.db")).unwrap();
    let told = deployed.doctor(&[]);
    told.is("fail", "database", "there is no database ");
    told.is("skip", "integrity", "The database cannot be read.");
    told.is("ok", "key", "could not be checked");
    assert!(told.text.ends_with("1 check failed; 0 warnings.\n"), "{}", told.text);
    let deployed = Deployed::new(Engine::Sqlite);
    deployed.sql("UPDATE pbx_object SET number = 'abc' WHERE number = '101' AND tenant_id = 1; DELETE FROM security WHERE object_id = (SELECT min(object_id) FROM security) AND tenant_id = 1");
    let told = deployed.doctor(&["--explorable"]);
    assert!(told.text.contains("                   tenant CANISTRACCI: pbx_object["), "{}", told.text);
    assert!(told.text.contains(".number must be 2 to 10 digits; it is \"abc\".\n"), "{}", told.text);
    assert!(told.text.contains("the object has no row in this table\n"), "{}", told.text);
    assert!(told.text.ends_with("1 check failed; 1 warning.\n"), "{}", told.text);
    let told = deployed.doctor(&["--database", "postgres://me:hush@db:x/vext"]);
    told.is("fail", "options", "the PostgreSQL URL cannot be read");
    told.is("skip", "backups", "The options do not name a database.");
    assert!(!told.text.contains("hush"), "{}", told.text);
    let told = deployed.doctor(&["--database", "postgres://me@db/vext?sslmode=verify-full&sslrootcert=/nowhere.pem"]);
    told.is("fail", "options", "sslrootcert /nowhere.pem: No such file");
}

#[test]
fn settings_and_variables_with_typing_errors_are_named() {
    let deployed = Deployed::new(Engine::Sqlite);
    let told = deployed.doctor_with(&[], &[("VEXT_LISTN", "0.0.0.0:80"), ("VEXT_READERS", "2"), ("OTHER", "1")]);
    told.only(&["environment"]);
    told.is("warn", "environment", "No option uses VEXT_LISTN: check the spelling.");
    let settings = deployed.path("vext.toml");
    fs::write(&settings, "readers = 2\n").unwrap();
    deployed.doctor(&[]).is("ok", "settings", "vext.toml was read.");
    fs::write(&settings, "readers = 2\nlistn = '[::1]:1'\n").unwrap();
    let refused = output(vext(&["doctor"]).current_dir(deployed.live.folder.path()));
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(error(&refused), "vext: vext.toml:2: there is no setting \"listn\"; did you mean \"listen\"?\n");
}

#[test]
fn other_backups_than_the_servers_own_are_for_others_to_make() {
    let place = Place::new();
    set_mode(&place.database, 0o600);
    let doctor = || told_by(&mut vext(&["doctor", "--listen", "127.0.0.1:0", "--database", text(&place.database)]));
    doctor().is("warn", "backups", "The server takes none by itself: set --backup-every");
    fs::create_dir(place.path(".vext.db-litestream")).unwrap();
    doctor().is("ok", "backups", "Litestream replicates the database");
}

#[test]
fn files_of_another_user_are_noticed() {
    let deployed = Deployed::new(Engine::Sqlite);
    let me = fs::metadata("/proc/self").unwrap().uid();
    if chown(&deployed.key, Some(65534), None).is_err() {
        return missing("another user (giving files away needs root)");
    }
    let told = deployed.doctor(&[]);
    told.is("fail", "modes", &format!("belongs to user 65534, not to user {me}, who owns the database"));
    for file in ["vext.db", "backups"] {
        chown(deployed.path(file), Some(65534), None).unwrap();
    }
    let told = deployed.doctor(&[]);
    told.is("warn", "user", "belongs to user 65534: run `vext doctor` as the server's user");
    // The folder is still root's, who has closed it.
    told.is("fail", "modes", "User 65534 cannot create files in ");
}

#[test]
fn the_address_is_free_or_a_server_answers_there_or_another_program() {
    let deployed = Deployed::new(Engine::Sqlite);
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    deployed.doctor(&["--listen", &free]).is("ok", "address", "is free.");
    let told = deployed.doctor(&["--listen", "192.0.2.1:8080"]);
    told.is("fail", "address", "cannot listen at 192.0.2.1:8080 on this machine");
    let url = deployed.live.url();
    let serve = ["serve", "--database", &url, "--key-file", text(&deployed.key), "--metrics-listen", &free];
    let server = Process::start(&serve);
    let both = ["--listen", &server.address, "--metrics-listen", &free];
    let told = deployed.doctor(&both);
    told.only(&[]);
    told.is("ok", "address", &format!("a server answers at {} and is ready; metrics are at {free}.", server.address));
    // By all of the machine's addresses it is the same.
    let port = server.address.rsplit_once(':').unwrap().1;
    deployed.doctor(&["--listen", &format!("0.0.0.0:{port}")]).is("ok", "address", "and is ready");
    // The metrics are no server, and the server no metrics.
    let told = deployed.doctor(&["--listen", &free, "--metrics-listen", &server.address]);
    told.is(
        "fail",
        "address",
        "another program listens there: stop it, or change --listen. another program listens at",
    );
    deployed.sql("INSERT INTO migration VALUES (99, '0099_future', 'x', 0)");
    std::thread::sleep(Duration::from_millis(1200));
    deployed.doctor(&both).is("fail", "address", "the server is not ready (schema: failed); its log says why");
    drop(server);
    // Somebody who takes connections and says nothing.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let mute = mute.local_addr().map(|address| (mute, address.to_string())).unwrap();
    deployed.doctor(&["--listen", &mute.1]).is("fail", "address", "another program listens there");
}

/// File systems of their own: with space for everything, for less than twice as much, for too little, for no more files,
/// and one that is not for writing.
#[test]
fn a_disk_that_is_full_or_read_only_is_noticed() {
    let deployed = Deployed::new(Engine::Sqlite);
    for (i, (options, verdict, words)) in [
        ("size=400m,mode=0700", "ok", "free and needs 6"),
        ("size=100m,mode=0700", "warn", "less than twice the "),
        ("size=32m,mode=0700", "fail", "a copy of the database and 64 MiB for its log: free up space."),
        ("size=400m,mode=0700,nr_inodes=20", "fail", "more files (inodes): delete some."),
        ("size=400m,mode=0700,ro", "fail", "is mounted read-only: mount it for writing."),
    ]
    .into_iter()
    .enumerate()
    {
        let folder = deployed.path(&format!("disk{i}"));
        let Some(disk) = Small::mount(folder, options) else {
            return missing("a small file system (mounting one needs root)");
        };
        deployed.doctor(&["--backup-dir", text(&disk.0)]).is(verdict, "disk", words);
    }
}

/// Servers save as fast as they can while the doctor looks, again and again.
#[test]
fn a_server_that_is_busy_is_not_disturbed() {
    const SAVE: &str = "mutation($n: ExtensionNumber!) { virtualExtensionCreate(input: {information: {number: $n, name: \"x\"}}) { userErrors { code } } }";
    let deployed = Deployed::new(Engine::Sqlite);
    let url = deployed.live.url();
    let mut server = Process::start(&["serve", "--database", &url, "--key-file", text(&deployed.key)]);
    let (next, saved, over) = (AtomicI64::new(7000), AtomicI64::new(0), AtomicBool::new(false));
    let save = || {
        let number = next.fetch_add(1, Ordering::Relaxed).to_string();
        let answer = server.ask(TOKEN, SAVE, &json!({ "n": number })).unwrap();
        assert_eq!(answer["data"]["virtualExtensionCreate"]["userErrors"], json!([]), "{answer}");
        saved.fetch_add(1, Ordering::Relaxed);
    };
    let names = || files(deployed.live.folder.path()).into_keys().collect::<Vec<_>>();
    let rows =
        |told: &Told| -> u64 { told.line("integrity").split_whitespace().find_map(|word| word.parse().ok()).unwrap() };
    let (mut seen, before) = (Vec::new(), names());
    std::thread::scope(|scope| {
        /// Ends the writers however this ends.
        struct End<'a>(&'a AtomicBool);
        impl Drop for End<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let _end = End(&over);
        for _ in 0..2 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    save();
                }
            });
        }
        for _ in 0..5 {
            let begun = saved.load(Ordering::Relaxed);
            let told = deployed.doctor(&["--listen", &server.address]);
            told.only(&[]);
            seen.push(rows(&told));
            while saved.load(Ordering::Relaxed) < begun + 2 {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    });
    assert!(seen.is_sorted() && seen[0] < seen[4], "it sees what was saved last: {seen:?}");
    // While it looks, saves go on, and it does not see them.
    let objects = |look: &mut dyn DatabaseView| look.tables().unwrap()["pbx_object"];
    let mut look = deployed.live.database.open_view().unwrap();
    let there = objects(&mut *look);
    save();
    assert_eq!(objects(&mut *look), there);
    drop(look);
    assert_eq!(objects(&mut *deployed.live.database.open_view().unwrap()), there + 1);
    assert_eq!(names(), before, "no file has come or gone");
    let last = rows(&deployed.doctor(&[]));
    // Killed, a server leaves a log that nobody has emptied: the doctor reads it, and leaves it.
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    let before = files(deployed.live.folder.path());
    assert!(!before[&deployed.path("vext.db-wal")].0.is_empty(), "the last saves stand in the log");
    let told = deployed.doctor(&[]);
    told.only(&[]);
    assert_eq!(rows(&told), last);
    assert!(files(deployed.live.folder.path()) == before, "nothing was changed, and nothing made");
    // What begins with the log is seen even where its index is gone, and said.
    fs::remove_file(deployed.path("vext.db-shm")).unwrap();
    let before = files(deployed.live.folder.path());
    deployed.doctor(&[]).is("fail", "database", "vext.db-shm is gone: start the server once to create it again");
    assert!(files(deployed.live.folder.path()) == before);
    let server = Process::start(&["serve", "--database", &url, "--key-file", text(&deployed.key)]);
    deployed.doctor(&["--listen", &server.address]).only(&[]);
}

/// A moment of the system's clock, moved.
struct Moved(i64);

impl Clock for Moved {
    fn now(&self) -> i64 {
        SystemClock.now() + self.0
    }
}

/// What the check of the clock says when this machine's is off.
fn clock(deployed: &Deployed, clock: impl Clock + 'static) -> DoctorCheck {
    let environment = Environment { clock: Arc::new(clock), random: Arc::new(SystemRandom) };
    let (database, key_file) = (deployed.live.database.clone(), deployed.key.clone());
    let deployment = Deployment { database, key_file, schedule: Ok(None), files: vec![], environment };
    let checks = examine(&deployment, &mut |_, _, _| Ok(()));
    checks.into_iter().find(|check| check.name == "clock").unwrap()
}

#[test]
fn a_clock_of_long_ago_is_noticed() {
    struct Epoch;
    impl Clock for Epoch {
        fn now(&self) -> i64 {
            0
        }
    }
    let deployed = Deployed::new(Engine::Sqlite);
    let check = clock(&deployed, Epoch);
    let said = check.messages.join(" ");
    assert_eq!(check.verdict, DoctorVerdict::Fail);
    assert!(said.contains("It is 1970-01-01T00:00:00Z by this machine's clock, before this program"), "{said}");
}

#[test]
fn the_clock_of_the_databases_server_is_compared() {
    if !postgres_or_skip() {
        return;
    }
    let deployed = Deployed::new(Engine::Postgres);
    for (moved, verdict, words) in [
        (0, DoctorVerdict::Ok, "the database server's clock agrees"),
        (20_000, DoctorVerdict::Warn, "The database server's clock is 20s behind this machine's: set both with NTP."),
        (-20_000, DoctorVerdict::Warn, "The database server's clock is 20s ahead of this machine's"),
        (90_000, DoctorVerdict::Fail, "is 1m 30s behind"),
        (-90_000, DoctorVerdict::Fail, "is 1m 30s ahead of"),
    ] {
        let check = clock(&deployed, Moved(moved));
        assert!(check.verdict == verdict && check.messages.join(" ").contains(words), "{moved}: {check:?}");
    }
}

#[test]
fn a_database_of_a_server_is_looked_at_too() {
    if !postgres_or_skip() {
        return;
    }
    let deployed = Deployed::new(Engine::Postgres);
    let server = Process::start(&["serve", "--database", &deployed.live.url(), "--key-file", text(&deployed.key)]);
    deployed.doctor(&["--listen", &server.address]).only(&[]);
    drop(server);
    deployed.sql("UPDATE pbx_object SET number = 'abc' WHERE number = '101' AND tenant_id = 1");
    let told = deployed.doctor(&[]);
    told.only(&["integrity"]);
    told.is("fail", "integrity", "restore a backup with PostgreSQL's own tools.");
    fs::write(&deployed.key, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n").unwrap();
    deployed.doctor(&[]).is("fail", "key", ", but the database needs ");
    deployed.sql("DELETE FROM migration WHERE number = (SELECT max(number) FROM migration)");
    deployed.doctor(&[]).is("fail", "schema", "run `vext migrate`.");
    let told = deployed.doctor(&["--backup-every", "24h", "--backup-keep", "7", "--backup-dir", "."]);
    told.is("fail", "options", "back it up with the server's own tools");
    cluster().sql("postgres", |client| client.batch_execute("CREATE DATABASE doctor_empty").unwrap());
    let told = deployed.doctor(&["--database", &cluster().url("doctor_empty")]);
    told.is("fail", "database", "has no tables; `vext migrate` creates them.");
    // Nobody listens there; nobody is called so.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (url, words) in [
        (format!("postgres://me:hush@{free}/vext"), "Connection refused"),
        (cluster().url("vext").replace("vext@", "nobody:hush@"), "nobody"),
        (cluster().url("nowhere"), "nowhere"),
        (cluster().url("postgres").replace("vext@", "vext:hush@") + "?sslmode=require", "TLS"),
    ] {
        let told = deployed.doctor(&["--database", &url]);
        told.is("fail", "database", words);
        told.is("skip", "schema", "The database cannot be read.");
        assert!(!told.text.contains("hush"), "{}", told.text);
    }
}

/// The example of `docs/operations.md` is what the program says, but for numbers.
#[test]
fn the_documents_show_what_it_says() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operations.md")).unwrap();
    let example = page.split_once("sudo -u vext vext doctor").unwrap().1.split_once("```\n").unwrap().1;
    let example = example.split_once("```text\n").unwrap().1.split_once("```").unwrap().0;
    let deployed = Deployed::new(Engine::Sqlite);
    let mut settings = fs::File::create(deployed.path("own.toml")).unwrap();
    settings.write_all(b"readers = 2").unwrap();
    fs::rename(&deployed.key, deployed.path("vext.db.key")).unwrap();
    let key = deployed.path("vext.db.key");
    let (listener, config) = (TcpListener::bind("127.0.0.1:0").unwrap(), deployed.path("own.toml"));
    let free = listener.local_addr().unwrap().to_string();
    drop(listener);
    let said = deployed.doctor(&["--config", text(&config), "--key-file", text(&key), "--listen", &free]).text;
    let folder = text(deployed.live.folder.path());
    let said = said.replace(&format!("{folder}/own.toml"), "/etc/vext/vext.toml").replace(folder, "/var/lib/vext");
    let numbers = regex::Regex::new("key,? [0-9a-f]{16}|[0-9]+[hms]( [0-9]+[hms])*|[0-9][0-9.]*( [KMGT]iB)?").unwrap();
    let shape = |text: &str| numbers.replace_all(text, "N").into_owned();
    assert_eq!(shape(&said), shape(example), "{said}");
}

on_each_engine!(a_sound_deployment_gets_nothing_but_ok);
