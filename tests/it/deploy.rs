//! What is in `deploy/`, as it is shipped: the systemd unit is sound and shut tight, and with Litestream nothing is lost
//! but what was saved in the last moment. The drill runs the lines of the drop-in with the real programs.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::playground::missing;
use crate::process::Process;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const UNIT: &str = "vext.service";
const DROP_IN: &str = "vext.service.d/litestream.conf";

fn shipped(name: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join("deploy").join(name)).unwrap()
}

/// What the lines of a unit assign to a key, in their order.
fn assigned<'a>(unit: &'a str, key: &str) -> Vec<&'a str> {
    unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect()
}

/// A text with the paths that programs and settings have here instead of those of an installation.
fn here(text: &str, litestream: &str) -> String {
    text.replace("/usr/local/bin/vext", env!("CARGO_BIN_EXE_vext"))
        .replace("/usr/local/bin/litestream", litestream)
        .replace("/etc/vext/", &format!("{ROOT}/deploy/"))
}

fn has_systemd_analyze() -> bool {
    Command::new("systemd-analyze").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// The unit alone, then with the drop-in: systemd knows every line, and finds little to attack.
#[test]
fn systemd_accepts_the_unit_and_finds_it_hardened() {
    if !has_systemd_analyze() {
        return missing("systemd-analyze");
    }
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join(UNIT);
    for file in [UNIT, DROP_IN] {
        let copy = folder.path().join(file);
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        // Any program that exists will do for Litestream here.
        fs::write(&copy, here(&shipped(file), "/bin/true")).unwrap();
        for arguments in [
            &["verify", "--man=no", "--recursive-errors=no"][..],
            // A tenth of the exposure level, which goes to 10; a unit that says nothing gets 9.6.
            &["security", "--offline=true", "--threshold=15", "--no-pager"],
        ] {
            let output = Command::new("systemd-analyze").args(arguments).arg(&unit).output().unwrap();
            let (said, complaints) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            assert!(output.status.success(), "{file}: {arguments:?}: {complaints}{said}");
            // A key that it does not know is a mere warning for it.
            assert!(!complaints.contains(UNIT), "{file}: {complaints}");
            println!("{file}: {}", said.lines().last().unwrap_or("verified"));
        }
    }
}

/// A system call, or those of a set such as `@system-service` and of the sets in it.
fn calls(word: &str) -> BTreeSet<String> {
    if !word.starts_with('@') {
        return [word.to_owned()].into();
    }
    let output = Command::new("systemd-analyze").args(["syscall-filter", word]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let words = text.lines().skip(1).map(str::trim).filter(|word| !word.is_empty() && !word.starts_with('#'));
    words.flat_map(calls).collect()
}

/// What is refused is no error that anybody sees: expensive requests would go before all others.
#[test]
fn the_unit_lets_the_program_lower_the_priority_of_its_threads() {
    if !has_systemd_analyze() {
        return missing("systemd-analyze");
    }
    let mut allowed = BTreeSet::new();
    for line in assigned(&shipped(UNIT), "SystemCallFilter") {
        let (denies, words) = line.strip_prefix('~').map_or((false, line), |words| (true, words));
        for call in words.split(' ').flat_map(calls) {
            if denies {
                allowed.remove(&call)
            } else {
                allowed.insert(call)
            };
        }
    }
    for (call, is_allowed) in [("setpriority", true), ("fsync", true), ("sched_setscheduler", false), ("mount", false)]
    {
        assert_eq!(allowed.contains(call), is_allowed, "{call}");
    }
}

#[test]
fn the_shipped_files_agree_with_the_program_and_with_each_other() {
    let (unit, drop_in) = (shipped(UNIT), shipped(DROP_IN));
    let reference = fs::read_to_string(Path::new(ROOT).join("docs/configuration.md")).unwrap();
    let grace = reference.lines().find(|line| line.contains("`shutdown-grace`")).unwrap();
    let grace: u64 = grace.split('|').nth(4).unwrap().trim().trim_matches('`').trim_end_matches('s').parse().unwrap();
    for text in [&unit, &drop_in] {
        let stop: u64 = assigned(text, "TimeoutStopSec")[0].parse().unwrap();
        assert!(stop >= grace + 10, "systemd waits {stop} s, vext takes up to {grace} s to stop");
    }
    // One database for vext and Litestream, in the folder that may be written.
    let settings = shipped("vext.toml");
    let database = settings.lines().find_map(|line| line.strip_prefix("database = \"sqlite:")).unwrap();
    let database = database.trim_end_matches('"');
    assert_eq!(Path::new("/var/lib").join(assigned(&unit, "StateDirectory")[0]), Path::new(database).parent().unwrap());
    assert!(drop_in.contains(&format!("LITESTREAM_DATABASE={database} ")), "{drop_in}");
    let replica = assigned(&drop_in, "ReadWritePaths")[0];
    assert!(drop_in.contains(&format!("LITESTREAM_REPLICA={replica}\n")), "{drop_in}");
}

/// Litestream: the one that `VEXT_LITESTREAM` names, or that `.ci/run` has installed, or of the system.
fn litestream() -> Option<String> {
    let named = std::env::var_os("VEXT_LITESTREAM").map(PathBuf::from);
    let installed = Path::new(ROOT).join("target/tools/bin/litestream");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = std::env::split_paths(&path).map(|folder| folder.join("litestream"));
    let found = named.into_iter().chain([installed]).chain(system).find(|path| path.is_file());
    if found.is_none() {
        missing("litestream");
    }
    Some(found?.to_str().unwrap().to_owned())
}

/// Tries until it succeeds, for half a minute at most.
fn eventually<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(value) = attempt() {
            return value;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}: not after half a minute");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The disk of a machine, and a folder elsewhere for the replicas.
struct Machine {
    disk: tempfile::TempDir,
    elsewhere: tempfile::TempDir,
    /// How many disks have been lost: each has its own replica.
    lost: u32,
    litestream: String,
}

impl Machine {
    fn database(&self) -> String {
        self.disk.path().join("vext.db").to_str().unwrap().to_owned()
    }

    /// A command line of a unit, with the variables that say where everything is.
    fn command(&self, line: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &format!("exec {}", here(line, &self.litestream))]).env_clear().stdin(Stdio::null());
        let replica = self.elsewhere.path().join(format!("replica-{}", self.lost));
        command.env("LITESTREAM_DATABASE", self.database()).env("LITESTREAM_REPLICA", replica);
        command.env("VEXT_DATABASE", self.database()).env("VEXT_LISTEN", "127.0.0.1:0").env("VEXT_LOG_FORMAT", "text");
        command
    }

    /// What systemd does for the unit with the drop-in: the line before, then Litestream, which starts vext.
    fn start(&self) -> Pair {
        let drop_in = shipped(DROP_IN);
        for line in assigned(&drop_in, "ExecStartPre") {
            let output = self.command(line).output().unwrap();
            assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        }
        assert!(!Path::new(&format!("{}-wal", self.database())).exists(), "Litestream begins with an empty WAL");
        let [reset, line] = assigned(&drop_in, "ExecStart")[..] else {
            panic!("one line that resets, one that starts")
        };
        assert_eq!(reset, "");
        let mut command = self.command(line);
        command.process_group(0);
        Pair(Process::listening(command))
    }

    /// Restores to a file as `docs/operations.md` tells it; `None` when there is nothing complete yet.
    fn restore(&self, file: &Path) -> Option<()> {
        let line = format!(
            "/usr/local/bin/litestream restore -config /etc/vext/litestream.yml -integrity-check full -o {} {}",
            file.display(),
            self.database()
        );
        self.command(&line).output().unwrap().status.success().then_some(())
    }

    /// Whether the replica has the extension with this number. Looks into the file: a server would need its key.
    fn replicated(&self, number: u64) -> Option<()> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("vext.db");
        self.restore(&file)?;
        let sql = "SELECT 1 FROM pbx_object WHERE number = ?1";
        rusqlite::Connection::open(&file).unwrap().query_row(sql, [number.to_string()], |_| Ok(())).ok()
    }

    /// Loses everything on the disk but the key, of which there is a copy, and restores the database. What comes then
    /// goes to a new replica: Litestream 0.5 counts on from the last change in the old one, which may be one that its
    /// last snapshot is ahead of.
    fn lose_the_disk(&mut self) {
        for entry in fs::read_dir(self.disk.path()).unwrap().map(|entry| entry.unwrap().path()) {
            match entry.file_name().unwrap().to_str().unwrap() {
                "vext.db.key" => {}
                _ if entry.is_dir() => fs::remove_dir_all(&entry).unwrap(),
                _ => fs::remove_file(&entry).unwrap(),
            }
        }
        self.restore(Path::new(&self.database())).expect("a complete replica");
        self.lost += 1;
    }
}

/// Litestream and the vext that it started; both end with the value.
struct Pair(Process);

impl Pair {
    /// `kill -9` of both at once, and the wait until they are gone: until then they hold the file, and nobody else can
    /// empty its log.
    fn kill(&self) {
        let group = format!("-{}", self.0.id());
        // After a graceful stop the group is empty, and that is all right.
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        let begun = Instant::now();
        while self.lives() && begun.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Whether a process of the group still has files open. One that nobody has waited for yet has none, but for threads
    /// of it that are not gone yet, which `ps` shows as an `l`.
    fn lives(&self) -> bool {
        let listed = Command::new("ps").args(["-eo", "pgid=,stat="]).output().unwrap();
        let group = self.0.id().to_string();
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        listed.lines().any(|line| {
            let mut fields = line.split_whitespace();
            fields.next() == Some(&group)
                && !fields.next().is_some_and(|state| state.starts_with('Z') && !state.contains('l'))
        })
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The number of the first save; the others follow.
const FIRST: u64 = 30_000;

/// Saves an extension: some ten rows in as many tables.
fn save(server: &Process, number: u64) {
    let query =
        "mutation($n: ExtensionNumber!) { virtualExtensionCreate(input: {information: {number: $n, name: \"x\"},
        note: {additionalInfo: \"replicate this\"}}) { userErrors { message } } }";
    let answer = server.ask("T", query, &json!({ "n": number.to_string() })).unwrap();
    assert_eq!(answer["data"]["virtualExtensionCreate"]["userErrors"], json!([]), "{answer}");
}

/// The number after the last save that is there. No save before it may be missing.
fn next(server: &Process, before: u64) -> u64 {
    let query = "query($n: ExtensionNumber!) { tenant {
        virtualExtensions(first: 1) { totalCount } virtualExtension(by: {number: $n}) { note { additionalInfo } } } }";
    let ask = |number: u64| {
        let answer = server.ask("T", query, &json!({ "n": number.to_string() })).unwrap();
        (answer["data"]["tenant"]["virtualExtensions"]["totalCount"].as_u64().unwrap(), answer)
    };
    let next = FIRST + ask(FIRST).0 - before;
    let last = ask(next - 1).1;
    assert_eq!(last["data"]["tenant"]["virtualExtension"]["note"]["additionalInfo"], "replicate this", "{last}");
    assert_eq!(ask(next).1["data"]["tenant"]["virtualExtension"], Value::Null);
    next
}

/// Saves go on while the machine dies, with its disk, three times; then it is stopped in good order; then only Litestream
/// dies, and the rest later.
#[test]
fn with_litestream_about_one_second_is_lost_with_the_disk() {
    /// Twice what is promised; the saves of a round go on for longer. A busy machine may copy late once or twice, so
    /// one round of the three has to keep it.
    const LOSS: Duration = Duration::from_secs(2);
    let Some(litestream) = litestream() else { return };
    let folder = || tempfile::tempdir().unwrap();
    let mut machine = Machine { disk: folder(), elsewhere: folder(), lost: 0, litestream };
    let demo = Process::start(&["demo", "--token", "T", "--database", &machine.database()]);
    let count = demo.ask("T", "{ tenant { virtualExtensions(first: 1) { totalCount } } }", &json!({})).unwrap();
    let before = count["data"]["tenant"]["virtualExtensions"]["totalCount"].as_u64().unwrap();
    drop(demo);

    let (mut number, mut least) = (FIRST, Duration::MAX);
    for (round, milliseconds) in [2_600, 3_300, 2_900].into_iter().enumerate() {
        let pair = machine.start();
        for _ in 0..5 {
            save(&pair.0, number);
            number += 1;
        }
        let begun = Instant::now();
        eventually("the replica has the last save", || machine.replicated(number - 1));
        let (replicated, lag) = (number, begun.elapsed());
        let mut acknowledged = Vec::new();
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(milliseconds) {
            save(&pair.0, number);
            acknowledged.push(Instant::now());
            number += 1;
        }
        pair.kill();
        let death = Instant::now();
        drop(pair);
        machine.lose_the_disk();
        let server = machine.start();
        let kept = next(&server.0, before);
        assert!(kept >= replicated, "{replicated} was in the replica, {kept} is restored");
        let lost = &acknowledged[usize::try_from(kept - replicated).unwrap()..];
        let age = lost.first().map_or(Duration::ZERO, |oldest| death - *oldest);
        println!(
            "round {round}: in the replica after {lag:.1?}; killed after {} more saves, {} lost, the oldest {age:.1?} old",
            acknowledged.len(),
            lost.len()
        );
        least = least.min(age);
        number = kept;
    }
    assert!(least <= LOSS, "saves that were {least:?} old are lost");

    // In good order: Litestream waits for vext and sends the rest. (Stopped before it has looked at the database for the
    // first time, it would send nothing.)
    let mut pair = machine.start();
    save(&pair.0, number);
    number += 1;
    eventually("the replica has the last save", || machine.replicated(number - 1));
    for _ in 0..20 {
        save(&pair.0, number);
        number += 1;
    }
    pair.0.signal("-TERM");
    assert!(pair.0.ended().success());
    drop(pair);
    machine.lose_the_disk();
    let pair = machine.start();
    assert_eq!(next(&pair.0, before), number, "a stop in good order loses nothing");
    for _ in 0..20 {
        save(&pair.0, number);
        number += 1;
    }
    eventually("the replica has the last save", || machine.replicated(number - 1));

    // Litestream dies and vext goes on, which systemd would not let it: the WAL begins anew, here by hand instead of
    // after 16000 pages, and Litestream has missed its end. Beside a vext that runs, Litestream 0.5 would not notice.
    pair.0.signal("-KILL");
    for _ in 0..20 {
        save(&pair.0, number);
        number += 1;
    }
    let checkpoint = rusqlite::Connection::open(machine.database()).unwrap();
    let pages = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
    // A read of the last answer may end a moment later.
    eventually("the whole WAL is in the database", || {
        let (all, copied) = checkpoint.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], pages).unwrap();
        (all == copied).then_some(())
    });
    drop(checkpoint);
    save(&pair.0, number);
    number += 1;
    pair.kill();
    drop(pair);
    let pair = machine.start();
    save(&pair.0, number);
    number += 1;
    eventually("the replica has the last save", || machine.replicated(number - 1));
    pair.kill();
    drop(pair);
    machine.lose_the_disk();
    assert_eq!(next(&machine.start().0, before), number, "what Litestream missed is there");
}
