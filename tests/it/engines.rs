//! Both engines for the tests: a SQLite file, or a database of a PostgreSQL server that the tests start themselves.
//!
//! A test that is written for both is an `async fn(Engine)`, named once in [`on_each_engine!`]; one that is forgotten
//! there is dead code, which the lints refuse. Every test gets a database of its own, copied from a template.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, Once, OnceLock};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use postgres::{Client, NoTls};
use vext::service::{App, Database, OpenOptions};
use vext::store::PostgresServer;

use crate::harness;
use crate::playground::missing;

/// What a test runs on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// `on_each_engine!(one_test, another)`: each of these runs as `sqlite::one_test` and as `postgres::one_test`.
macro_rules! on_each_engine {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                crate::engines::count("sqlite");
                super::$test(crate::engines::Engine::Sqlite).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                if crate::engines::postgres_or_skip() {
                    crate::engines::count("postgres");
                    super::$test(crate::engines::Engine::Postgres).await;
                }
            })+
        }
    };
}
pub(crate) use on_each_engine;

/// Whether there is a PostgreSQL to run on; if not, that is said once for all its tests.
pub fn postgres_or_skip() -> bool {
    static SAID: Once = Once::new();
    let found = binaries().is_some();
    if !found {
        SAID.call_once(|| missing("PostgreSQL"));
    }
    found
}

/// The folder with `initdb` and `postgres`: of the newest version that Debian's packages have installed, or on the path.
pub fn binaries() -> Option<PathBuf> {
    let mut folders: Vec<_> = fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.filter_map(Result::ok).map(|version| version.path().join("bin")).collect())
        .unwrap_or_default();
    folders.sort();
    folders.reverse();
    folders.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
    folders.into_iter().find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
}

/// A PostgreSQL server of our own in a folder of its own. Root may not run one, so it steps down.
pub struct Cluster {
    pub folder: PathBuf,
    pub port: u16,
    /// A process that ends the server and deletes its folder when this process is gone, however it ends: its input
    /// closes.
    guard: Child,
}

const GUARD: &str = r#"folder=$1; shift
"$@" >"$folder/log" 2>&1 & server=$!
while read -r line; do :; done
kill -INT $server 2>/dev/null; (sleep 1; kill -QUIT $server) 2>/dev/null & wait $server; rm -rf "$folder""#;

/// A command as the user that PostgreSQL may run as.
fn as_postgres(program: &Path) -> Command {
    let mut command = Command::new(program);
    if let Some((uid, gid)) = step_down() {
        command.uid(uid).gid(gid);
    }
    command.current_dir("/");
    command
}

/// The user to step down to, for root.
fn step_down() -> Option<(u32, u32)> {
    let me = std::os::unix::fs::MetadataExt::uid(&fs::metadata("/proc/self").unwrap());
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let id = |field: Option<&str>| field.and_then(|id| id.parse().ok()).unwrap();
    let user = |name: &str| {
        let line = users.lines().find(|line| line.starts_with(&format!("{name}:")))?;
        let mut fields = line.split(':').skip(2);
        Some((id(fields.next()), id(fields.next())))
    };
    (me == 0).then(|| user("postgres").or_else(|| user("nobody")).unwrap())
}

/// A new folder that the server may use.
fn folder() -> PathBuf {
    let folder = tempfile::Builder::new().prefix("vext-postgres-").tempdir().unwrap().keep();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    if let Some((uid, gid)) = step_down() {
        chown(&folder, Some(uid), Some(gid)).unwrap();
    }
    folder
}

/// Gives a server a file that only it may read.
pub fn give(file: &Path) {
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
    if let Some((uid, gid)) = step_down() {
        chown(file, Some(uid), Some(gid)).unwrap();
    }
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Cluster {
    /// A fresh server with these settings, such as `fsync=off`.
    pub fn start(settings: &[&str]) -> Self {
        let folder = folder();
        let data = folder.join("data");
        let mut initdb = as_postgres(&binaries().unwrap().join("initdb"));
        initdb.args(["--auth=trust", "--username=vext", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"]);
        succeed(initdb.arg(&data));
        Self::run(folder, settings)
    }

    /// A standby of this server.
    pub fn standby(&self, settings: &[&str]) -> Self {
        let folder = folder();
        let mut copy = as_postgres(&binaries().unwrap().join("pg_basebackup"));
        copy.args(["--host=127.0.0.1", "--username=vext", "--write-recovery-conf", "--checkpoint=fast", "--no-sync"]);
        succeed(copy.arg(format!("--port={}", self.port)).arg("-D").arg(folder.join("data")));
        Self::run(folder, settings)
    }

    fn run(folder: PathBuf, settings: &[&str]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut guard = as_postgres(Path::new("/bin/sh"));
        guard.arg("-c").arg(GUARD).arg("sh").arg(&folder).arg(binaries().unwrap().join("postgres"));
        guard.arg("-D").arg(folder.join("data")).arg(format!("--port={port}"));
        guard.args(["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=300"]);
        guard.arg(format!("--unix_socket_directories={}", folder.display()));
        for setting in settings {
            guard.args(["-c", setting]);
        }
        let guard = guard.process_group(0).stdin(Stdio::piped()).spawn().unwrap();
        let cluster = Self { folder, port, guard };
        let begun = Instant::now();
        let parameters = cluster.parameters("postgres");
        let answers = || Client::connect(&parameters, NoTls).is_ok();
        while !std::thread::scope(|scope| scope.spawn(answers).join().unwrap()) {
            let log = || fs::read_to_string(cluster.folder.join("log")).unwrap_or_default();
            assert!(begun.elapsed() < Duration::from_secs(60), "the server does not come up: {}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
        cluster
    }

    fn parameters(&self, database: &str) -> String {
        format!("host=127.0.0.1 port={} user=vext dbname={database}", self.port)
    }

    /// The URL of one of its databases.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://vext@127.0.0.1:{}/{database}", self.port)
    }

    /// Works with a plain connection, on a thread of its own: the client must not be used in an async task.
    pub fn sql<T: Send>(&self, database: &str, work: impl FnOnce(&mut Client) -> T + Send) -> T {
        let parameters = self.parameters(database);
        let connect = || work(&mut Client::connect(&parameters, NoTls).unwrap());
        std::thread::scope(|scope| scope.spawn(connect).join().unwrap())
    }

    /// The server's own process.
    pub fn pid(&self) -> String {
        let file = fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap();
        file.lines().next().unwrap().to_owned()
    }

    /// Makes a standby the primary.
    pub fn promote(&self) {
        self.sql("postgres", |client| assert!(client.query_one("SELECT pg_promote()", &[]).unwrap().get::<_, bool>(0)));
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Closes its input first.
        let _ = self.guard.wait();
    }
}

/// The server that all tests share. Nothing of it has to survive a crash.
pub fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| Cluster::start(&["fsync=off", "full_page_writes=off", "synchronous_commit=off"]))
}

/// Counts a test that runs on an engine. The counts are printed when all have ended: by a process that outlives this
/// one for a moment, since the harness of Rust's tests has no end that a test could see.
pub fn count(engine: &str) {
    const TALLY: &str = r#"sqlite=0; postgres=0
while read -r engine; do case $engine in sqlite) sqlite=$((sqlite+1));; postgres) postgres=$((postgres+1));; esac; done
echo "tests of the store, the service and the API: $sqlite ran on SQLite, $postgres on PostgreSQL" >&2"#;
    static TALLY_INPUT: OnceLock<Mutex<ChildStdin>> = OnceLock::new();
    let tally = TALLY_INPUT.get_or_init(|| {
        let process = Command::new("/bin/sh").args(["-c", TALLY]).stdin(Stdio::piped()).process_group(0).spawn();
        Mutex::new(process.unwrap().stdin.unwrap())
    });
    writeln!(tally.lock().unwrap(), "{engine}").unwrap();
}

/// What a new database holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Content {
    /// The schema.
    Schema,
    /// The demo data and the tests' tokens.
    Demo,
}

/// A database that belongs to one test, and the way to it behind the program's back.
pub struct Live {
    pub database: Database,
    pub folder: tempfile::TempDir,
    /// The name of the PostgreSQL database.
    name: Option<String>,
}

impl Live {
    /// A database of its own for a test.
    pub fn new(engine: Engine, content: Content) -> Self {
        let template = template(engine);
        let folder = tempfile::tempdir().unwrap();
        fs::copy(&template.key, folder.path().join("vext.key")).unwrap();
        match engine {
            Engine::Sqlite => {
                let path = folder.path().join("vext.db");
                fs::copy(template.folder.join(format!("{content:?}.db")), &path).unwrap();
                Self { database: Database::Sqlite(path), folder, name: None }
            }
            Engine::Postgres => {
                let name = next_name();
                copy_database(&content.template(), &name);
                Self { database: postgres(&name), folder, name: Some(name) }
            }
        }
    }

    /// A database with nothing in it, with a key that is always the same.
    pub fn empty(engine: Engine) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("vext.key");
        fs::write(&key, STANDARD.encode([7; 32])).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        if engine == Engine::Sqlite {
            return Self { database: Database::Sqlite(folder.path().join("vext.db")), folder, name: None };
        }
        let name = next_name();
        cluster().sql("postgres", |client| client.batch_execute(&format!("CREATE DATABASE {name}")).unwrap());
        Self { database: postgres(&name), folder, name: Some(name) }
    }

    /// The name of the PostgreSQL database, if it is one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// How the tests open it.
    pub fn options(&self) -> OpenOptions {
        harness::options(self.database.clone(), self.folder.path().join("vext.key"))
    }

    /// The `--database` of a command.
    pub fn url(&self) -> String {
        match (&self.database, &self.name) {
            (Database::Sqlite(path), _) => format!("sqlite:{}", path.display()),
            (_, name) => cluster().url(name.as_ref().unwrap()),
        }
    }

    /// Runs a statement without parameters and says how many rows it changed.
    pub fn execute(&self, sql: &str) -> u64 {
        match (&self.database, &self.name) {
            (Database::Sqlite(path), _) => rusqlite::Connection::open(path).unwrap().execute(sql, []).unwrap() as u64,
            (_, name) => cluster().sql(name.as_ref().unwrap(), |client| client.execute(sql, &[]).unwrap()),
        }
    }

    /// Runs statements without parameters.
    pub fn batch(&self, sql: &str) {
        match (&self.database, &self.name) {
            (Database::Sqlite(path), _) => rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap(),
            (_, name) => cluster().sql(name.as_ref().unwrap(), |client| client.batch_execute(sql).unwrap()),
        }
    }

    /// The first column of a query, which must be text.
    pub fn texts(&self, sql: &str) -> Vec<String> {
        match (&self.database, &self.name) {
            (Database::Sqlite(path), _) => {
                let connection = rusqlite::Connection::open(path).unwrap();
                let mut statement = connection.prepare(sql).unwrap();
                statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
            }
            (_, name) => cluster().sql(name.as_ref().unwrap(), |client| {
                client.query(sql, &[]).unwrap().iter().map(|row| row.get(0)).collect()
            }),
        }
    }

    /// Every byte that the engine keeps of it on disk.
    pub fn bytes(&self) -> Vec<u8> {
        let folder = match &self.name {
            None => self.folder.path().to_owned(),
            Some(name) => {
                let oid = cluster().sql(name, |client| {
                    client.batch_execute("CHECKPOINT").unwrap();
                    let row = client.query_one("SELECT oid FROM pg_database WHERE datname = current_database()", &[]);
                    row.unwrap().get::<_, u32>(0)
                });
                cluster().folder.join(format!("data/base/{oid}"))
            }
        };
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
        files.flat_map(|path| fs::read(path).unwrap()).collect()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            let drop = format!("DROP DATABASE {name} WITH (FORCE)");
            cluster().sql("postgres", |client| client.batch_execute(&drop).unwrap());
        }
    }
}

/// A name that no database of the tests has had.
fn next_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

fn postgres(name: &str) -> Database {
    Database::Postgres(PostgresServer::parse(&cluster().url(name)).unwrap())
}

/// Copies a database that nobody is connected to any more, or only for a moment.
fn copy_database(from: &str, to: &str) {
    let leave = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1";
    let copy = format!("CREATE DATABASE {to} TEMPLATE {from}");
    cluster().sql("postgres", |client| {
        client.execute(leave, &[&from]).unwrap();
        client.batch_execute(&copy).unwrap();
    });
}

impl Content {
    fn template(self) -> String {
        format!("template_{self:?}").to_lowercase()
    }
}

/// The databases that the tests' own are copied from.
struct Template {
    /// Where SQLite's files are.
    folder: PathBuf,
    key: PathBuf,
}

fn template(engine: Engine) -> &'static Template {
    static TEMPLATES: [OnceLock<Template>; 2] = [OnceLock::new(), OnceLock::new()];
    TEMPLATES[engine as usize].get_or_init(|| {
        // Lives as long as the tests; they end without a chance to clean up, so it lies where cargo cleans up.
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("template-{engine:?}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let key = folder.join("vext.key");
        for content in [Content::Schema, Content::Demo] {
            let database = match engine {
                Engine::Sqlite => Database::Sqlite(folder.join(format!("{content:?}.db"))),
                Engine::Postgres => {
                    cluster().sql("postgres", |client| {
                        client.batch_execute(&format!("CREATE DATABASE {}", content.template())).unwrap();
                    });
                    postgres(&content.template())
                }
            };
            let options = harness::options(database, key.clone());
            vext::service::migrate(&options).unwrap();
            if content == Content::Demo {
                // Not on this thread: it may be one of an async runtime already.
                let fill =
                    || tokio::runtime::Runtime::new().unwrap().block_on(harness::fill(App::open(&options).unwrap()));
                std::thread::scope(|scope| scope.spawn(fill).join().unwrap());
            }
        }
        Template { folder, key }
    })
}
