//! How the cost of finding depends on the size of a tenant: pages by number and by name at the beginning, in the middle
//! and at the end, searches and filters, in tenants of 10 thousand, 100 thousand and 1 million virtual extensions.
//! Prints a Markdown table of medians, as multiples of the first page by number in the smallest tenant. In a flat row,
//! the cost does not depend on the size.
//!
//! `VEXT_BENCH_ROUNDS` sets the number of rounds (default 30); with 1, only the smallest tenant is measured.
//! `VEXT_BENCH_SIZES=10000,100000` sets the sizes. `VEXT_BENCH_DATABASE=postgres://…/…` measures over PostgreSQL: a
//! database is created for each size on that server and dropped at the end; the named database is not changed.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a benchmark measures time and stops at the first surprise"
)]

mod common;

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;
use vext::domain::{Environment, fold, words};
use vext::operations::demo;
use vext::service::{App, Database, NewToken, OpenOptions};
use vext::store::PostgresServer;

/// Options without limits and without cached answers.
fn unlimited() -> vext::http::ServeOptions {
    let request_timeout = std::time::Duration::from_secs(300);
    let limits = vext::graphql::Limits::default();
    let limits = vext::graphql::Limits { max_cost: u64::MAX, answer_cache: 0, request_timeout, ..limits };
    let fair = vext::http::FairUse { expensive_cost: u64::MAX, ..vext::http::FairUse::default() };
    vext::http::ServeOptions { limits, fair, ..vext::http::ServeOptions::default() }
}

const PAGE: &str = "query($after: String, $order: ObjectOrder, $search: String, $filter: VirtualExtensionFilter) {
  tenant { virtualExtensions(first: 50, after: $after, orderBy: $order, search: $search, filter: $filter) {
    nodes { id number name } pageInfo { hasNextPage endCursor } } } }";
const COUNT: &str = "query($search: String) { tenant { virtualExtensions(search: $search) { totalCount } } }";

/// The tables of the sections. The copies have the rows of the demo's 108, except for values that must differ.
const SECTIONS: [&str; 9] = [
    "information",
    "call_settings",
    "outbound_recording",
    "security",
    "web_user_panel",
    "outbound_calls",
    "follow_me",
    "additional_destinations",
    "note",
];
/// The first id after those of the demo.
const FIRST: usize = 1000;

const FAMILIES: [&str; 16] = [
    "Abbott", "Bianchi", "Conti", "Dubois", "Esposito", "Ferrari", "Garcia", "Hansen", "Ivanova", "Jensen", "Keller",
    "Lopez", "Müller", "Novak", "O'Neill", "Peréz",
];
const NAMES: [&str; 8] = ["Ada", "Bruno", "Carla", "Dario", "Élise", "Franz", "Gita", "Hugo"];

/// The name of the extension `i`. Names repeat, as in real tenants.
fn name(i: usize) -> String {
    let i = i.wrapping_mul(7919);
    format!("{} {} {}", FAMILIES[i % 16], NAMES[i / 16 % 8], i / 128 % 1000)
}

/// Runs statements on the engine directly, without the program.
trait Raw {
    fn batch(&mut self, sql: &str);
    fn columns(&mut self, table: &str) -> Vec<String>;
}

impl Raw for rusqlite::Connection {
    fn batch(&mut self, sql: &str) {
        self.execute_batch(sql).unwrap();
    }

    fn columns(&mut self, table: &str) -> Vec<String> {
        let mut statement = self.prepare(&format!("SELECT name FROM pragma_table_info('{table}')")).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }
}

impl Raw for postgres::Client {
    fn batch(&mut self, sql: &str) {
        self.batch_execute(sql).unwrap();
    }

    fn columns(&mut self, table: &str) -> Vec<String> {
        let sql =
            "SELECT column_name::text FROM information_schema.columns WHERE table_name = $1 ORDER BY ordinal_position";
        self.query(sql, &[&table]).unwrap().iter().map(|row| row.get(0)).collect()
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Creates `size` extensions. Each has one of `size / 10` members, one of ten branches, and its own reference id.
fn fill(raw: &mut dyn Raw, size: usize) {
    for chunk in (0..size).collect::<Vec<_>>().chunks(2000) {
        let (mut objects, mut known, mut links) = (Vec::new(), Vec::new(), Vec::new());
        let mut notes = Vec::new();
        for &i in chunk {
            let (id, number, name) = (FIRST + i, format!("{}", 1_000_000 + i), name(i));
            let (branch, reference) = (format!("Branch {}", i % 10), format!("CRM-{i:07}"));
            objects.push(format!(
                "(1, {id}, 'VIRTUAL_EXTENSION', '{number}', {}, {}, '', TRUE, 1, {i}, {})",
                quoted(&name),
                quoted(&fold(&name)),
                i * 31 % size
            ));
            let own: Vec<_> = words(&format!("{number} {name}")).into_iter().map(|word| (word, "pbx_object")).collect();
            let of_note = |text: &str| words(text).into_iter().chain([fold(text)]).map(|word| (word, "note"));
            let mut all: Vec<_> = own.into_iter().chain(of_note(&branch)).chain(of_note(&reference)).collect();
            all.sort();
            all.dedup();
            known.extend(all.iter().map(|(word, source)| format!("(1, {id}, '{source}', {})", quoted(word))));
            links.push(format!("(1, {id}, 'member_ids', 0, {})", FIRST + size + i % (size / 10)));
            notes.push(format!("(1, {id}, '{branch}', 'Sales', '{reference}', '')"));
        }
        let mut sql = String::from("BEGIN;");
        if chunk[0] == 0 {
            // The members are real extensions.
            let members: Vec<_> = (0..size / 10)
                .map(|i| format!("(1, {}, 'EXTENSION', NULL, 'Phone', 'phone', '', TRUE, 1, 0, 0)", FIRST + size + i))
                .collect();
            for some in members.chunks(2000) {
                let _ = write!(sql, "{OBJECT} {};", some.join(", "));
            }
        }
        let _ = write!(sql, "{OBJECT} {};", objects.join(", "));
        let _ =
            write!(sql, "INSERT INTO search_word (tenant_id, object_id, source, word) VALUES {};", known.join(", "));
        let _ = write!(
            sql,
            "INSERT INTO link (tenant_id, owner_id, slot, position, target_id) VALUES {};",
            links.join(", ")
        );
        let _ = write!(
            sql,
            "INSERT INTO note (tenant_id, object_id, branch, department, reference_id, additional_info) VALUES {};",
            notes.join(", ")
        );
        for table in SECTIONS.iter().filter(|table| **table != "note") {
            let columns = raw.columns(table);
            let values: Vec<_> = columns
                .iter()
                .map(|column| match column.as_str() {
                    "tenant_id" => "1".into(),
                    "object_id" => "o.object_id".into(),
                    "web_user" => "NULL".into(),
                    other => format!("s.{other}"),
                })
                .collect();
            let (first, last) = (FIRST + chunk[0], FIRST + chunk[chunk.len() - 1]);
            let _ = write!(
                sql,
                "INSERT INTO {table} ({}) SELECT {} FROM pbx_object o, {table} s WHERE o.tenant_id = 1
                 AND o.object_id BETWEEN {first} AND {last} AND s.tenant_id = 1
                 AND s.object_id = (SELECT object_id FROM pbx_object WHERE tenant_id = 1 AND number = '108');",
                columns.join(", "),
                values.join(", ")
            );
        }
        raw.batch(&(sql + "COMMIT;"));
    }
}

const OBJECT: &str =
    "INSERT INTO pbx_object (tenant_id, object_id, kind, number, name, name_folded, description, enabled,
  version, created_at, changed_at) VALUES";

/// A PostgreSQL database that is dropped at the end.
struct TemporaryDatabase {
    server: String,
    name: String,
}

impl TemporaryDatabase {
    fn new(server: &str, size: usize) -> Self {
        let made = Self { server: server.to_owned(), name: format!("vext_finding_{size}") };
        made.run(&format!("DROP DATABASE IF EXISTS {}", made.name));
        let how = "ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0";
        made.run(&format!("CREATE DATABASE {} {how}", made.name));
        made
    }

    fn run(&self, sql: &str) {
        postgres::Client::connect(&self.server, postgres::NoTls).unwrap().batch_execute(sql).unwrap();
    }

    fn url(&self) -> String {
        format!("{}/{}", self.server.rsplit_once('/').unwrap().0, self.name)
    }
}

impl Drop for TemporaryDatabase {
    fn drop(&mut self) {
        self.run(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

struct Bench {
    runtime: Runtime,
    router: Router,
    size: usize,
    _database: Option<TemporaryDatabase>,
}

impl Bench {
    fn new(folder: &Path, size: usize, server: Option<&str>) -> Self {
        let temporary = server.map(|server| TemporaryDatabase::new(server, size));
        let url = temporary.as_ref().map(TemporaryDatabase::url);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let path = folder.join(format!("{size}.db"));
        let postgres = |url: &String| Database::Postgres(PostgresServer::parse(url).unwrap());
        let database = url.as_ref().map_or_else(|| Database::Sqlite(path.clone()), postgres);
        let environment = Environment::system();
        let options = OpenOptions { database, key_file: folder.join(format!("{size}.key")), readers: 2, environment };
        vext::service::migrate(&options).unwrap();
        let app = App::open(&options).unwrap();
        let token = NewToken {
            name: "bench".into(),
            tenants: vec!["CANISTRACCI".into()],
            all_tenants: false,
            write: false,
            delete: false,
            explore: false,
        };
        runtime.block_on(async {
            demo::fill(&app).await.unwrap();
            app.create_token(token, Some("T".into())).await.unwrap().unwrap();
        });
        let begun = Instant::now();
        match &url {
            None => {
                let mut raw = rusqlite::Connection::open(path).unwrap();
                // The data need not survive a crash, and all references are right by construction.
                raw.execute_batch("PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -200000")
                    .unwrap();
                fill(&mut raw, size);
                raw.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
            }
            Some(url) => {
                let mut raw = postgres::Client::connect(url, postgres::NoTls).unwrap();
                fill(&mut raw, size);
                raw.batch_execute("ANALYZE").unwrap();
            }
        }
        eprintln!("created {size} extensions in {:.0} s", begun.elapsed().as_secs_f64());
        Self { runtime, router: vext::http::router(app, unlimited()).unwrap(), size, _database: temporary }
    }

    fn ask(&self, query: &str, variables: &Value) -> Value {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = Request::post("/graphql")
            .header("content-type", "application/json")
            .header("authorization", "Bearer T")
            .body(Body::from(body))
            .unwrap();
        let answer = self.runtime.block_on(async {
            to_bytes(self.router.clone().oneshot(request).await.unwrap().into_body(), usize::MAX).await.unwrap()
        });
        let mut answer: Value = serde_json::from_slice(&answer).unwrap();
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"]["tenant"]["virtualExtensions"].take()
    }

    /// The cursor after the last extension of this filter's first page, in the order of this field.
    fn cursor(&self, field: &str, filter: &Value) -> Value {
        let variables = json!({ "order": { "field": field }, "filter": filter });
        self.ask(PAGE, &variables)["pageInfo"]["endCursor"].clone()
    }

    /// The cases to measure: name, query, variables, and the minimum number of objects in the answer.
    fn cases(&self) -> Vec<(String, &'static str, Value, usize)> {
        let mut cases = Vec::new();
        for field in ["NUMBER", "NAME"] {
            let order = json!({ "field": field });
            // The last page is the first page of the reverse order: its last object has 49 after it.
            let middle = json!({ "number": { "gte": format!("{}", 1_000_000 + self.size / 2) } });
            let middle = if field == "NUMBER" { middle } else { json!({ "name": { "startsWith": "Hansen" } }) };
            let last = self.ask(PAGE, &json!({ "order": { "field": field, "direction": "DESC" } }));
            let number = last["nodes"].as_array().unwrap().last().unwrap()["number"].clone();
            // The cursor of that object in this order.
            let last = self.cursor(field, &json!({ "number": { "eq": number } }));
            let by = field.to_lowercase();
            cases.push((format!("first page by {by}"), PAGE, json!({ "order": order }), 50));
            cases.push((
                format!("page in the middle by {by}"),
                PAGE,
                json!({ "order": order, "after": self.cursor(field, &middle) }),
                50,
            ));
            cases.push((format!("last page by {by}"), PAGE, json!({ "order": order, "after": last }), 49));
        }
        let few = json!({ "search": format!("crm {:07}", self.size / 3) });
        let many = json!({ "search": "branch ada" });
        let member = vext::domain::ObjectId { tenant: vext::domain::TenantId(1), local: (FIRST + self.size) as i64 };
        let member = json!({ "filter": { "member": member.opaque() } });
        let reference = json!({ "filter": { "referenceId": { "eq": format!("crm-{:07}", self.size / 4) } } });
        cases.push(("search that finds one".into(), PAGE, few.clone(), 1));
        cases.push(("search that finds an eighth".into(), PAGE, many, 50));
        cases.push(("filter by member".into(), PAGE, member, 10));
        cases.push(("filter by reference id".into(), PAGE, reference, 1));
        cases.push(("count of a search that finds one".into(), COUNT, few, 0));
        cases
    }
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() {
    let rounds = common::rounds(30);
    let url = std::env::var("VEXT_BENCH_DATABASE").ok();
    let sizes = std::env::var("VEXT_BENCH_SIZES").unwrap_or_else(|_| "10000,100000,1000000".into());
    let sizes: Vec<usize> = sizes.split(',').map(|size| size.parse().unwrap()).collect();
    let sizes = if rounds == 1 { &sizes[..1] } else { &sizes[..] };
    let folder = tempfile::tempdir().unwrap();
    let benches: Vec<_> = sizes.iter().map(|&size| Bench::new(folder.path(), size, url.as_deref())).collect();
    let cases: Vec<_> = benches.iter().map(Bench::cases).collect();
    let mut times = vec![vec![Vec::new(); sizes.len()]; cases[0].len()];
    // All sizes in turn, so that other load on the machine affects them alike. The first round only warms up the
    // caches.
    for round in 0..=rounds {
        for (case, times) in times.iter_mut().enumerate() {
            for (bench, (cases, times)) in benches.iter().zip(cases.iter().zip(times)) {
                let (name, query, variables, least) = &cases[case];
                let begun = Instant::now();
                let answer = bench.ask(query, variables);
                if round > 0 {
                    times.push(begun.elapsed().as_secs_f64() * 1e6);
                }
                let found = answer["nodes"].as_array().map_or(0, Vec::len);
                assert!(found >= *least && (*least == 50 || found < 50), "{name}: {found}");
            }
        }
    }
    let mut base = 0.0;
    println!("| request | {} |", sizes.iter().map(|size| format!("{size}")).collect::<Vec<_>>().join(" | "));
    println!("|---|{}", "---|".repeat(sizes.len()));
    for (case, times) in times.iter_mut().enumerate() {
        let medians: Vec<_> = times.iter_mut().map(|times| median(times)).collect();
        if case == 0 {
            base = medians[0];
        }
        let cells: Vec<_> = medians.iter().map(|median| format!("{:.2}", median / base)).collect();
        println!("| {} | {} |", cases[0][case].0, cells.join(" | "));
    }
    println!("\n1 is {base:.0} µs.");
}
