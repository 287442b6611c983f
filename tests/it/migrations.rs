//! Databases as the programs of earlier migrations left them (`tests/fixtures/databases`): today's program migrates each of
//! them, and all become the same.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::Deserialize;
use serde_json::{Value, json};
use vext::domain::{ObjectId, TenantId};
use vext::http::ServeOptions;
use vext::operations::transfer::Secrets;
use vext::service::{App, NewToken};

use crate::engines::{Content, Engine, Live, on_each_engine};
use crate::harness::{Server, Steps, steady};
use crate::process::{output, vext};
use crate::transfer::export;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/databases");
/// The table that the program makes itself, before the first migration.
const MIGRATION_TABLE: &str = "CREATE TABLE migration (
  number BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL
);\n";
/// What the header of a SQLite file says about it.
const APPLICATION_ID: i64 = 0x7665_7874;
const TENANTS: [[(&str, &str); 3]; 2] = [
    [("code", "MILL"), ("name", "The Mill"), ("timezone", "Europe/Rome")],
    [("code", "QUAY"), ("name", "The Quay"), ("timezone", "Europe/Dublin")],
];
const TOKEN: &str = "fixture-token";

/// One save, with ids where the file names what was made before.
struct Save {
    tenant: &'static str,
    mutation: String,
    input: Value,
    /// The id of the object that is created.
    id: Option<String>,
    /// The migration that it was added for.
    since: u32,
}

#[derive(Deserialize)]
struct File {
    saves: Vec<Batch>,
}

#[derive(Deserialize)]
struct Batch {
    tenant: Option<String>,
    mutation: String,
    inputs: Vec<Value>,
}

/// The saves of `content.toml`, and of `content_NNNN.toml` for each migration that was given something of its own.
fn saves() -> Vec<Save> {
    let mut names: Vec<_> = fs::read_dir(FOLDER).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    let (mut saves, mut known, mut last) = (Vec::new(), Vec::new(), [1, 1]);
    for name in names.iter().filter_map(|name| name.to_str().unwrap().strip_suffix(".toml")) {
        let since = name.strip_prefix("content_").map_or(0, |number| number.parse().unwrap());
        let text = fs::read_to_string(format!("{FOLDER}/{name}.toml")).unwrap();
        for Batch { tenant, mutation, inputs } in toml::from_str::<File>(&text).unwrap().saves {
            let tenant = tenant.map_or(0, |code| TENANTS.iter().position(|known| known[0].1 == code).unwrap());
            for mut input in inputs {
                put_ids(&mut input, &known, tenant);
                let id = mutation.ends_with("Create").then(|| {
                    last[tenant] += 1;
                    ObjectId { tenant: TenantId(tenant as i64 + 1), local: last[tenant] }.opaque()
                });
                if let Some(id) = &id {
                    let key = ["/number", "/information/number", "/name"].iter().find_map(|path| input.pointer(path));
                    known.push((tenant, format!("@{}", key.unwrap().as_str().unwrap()), id.clone()));
                }
                saves.push(Save { tenant: TENANTS[tenant][0].1, mutation: mutation.clone(), input, id, since });
            }
        }
    }
    saves
}

fn put_ids(json: &mut Value, known: &[(usize, String, String)], tenant: usize) {
    match json {
        Value::String(text) if text.starts_with('@') => {
            let found = known.iter().find(|(of, key, _)| *of == tenant && key == text);
            text.clone_from(&found.unwrap_or_else(|| panic!("nothing was made as {text}")).2);
        }
        Value::Array(list) => list.iter_mut().for_each(|entry| put_ids(entry, known, tenant)),
        Value::Object(fields) => fields.values_mut().for_each(|value| put_ids(value, known, tenant)),
        _ => {}
    }
}

/// A database with a program that works on it.
struct Opened {
    server: Server,
    steps: Arc<Steps>,
}

impl Opened {
    /// Migrates it, too.
    fn new(live: Live) -> Self {
        let (options, steps) = steady(&live);
        vext::service::migrate(&options).unwrap();
        let app = App::open(&options).unwrap();
        let server = Server::serving(live, app, ServeOptions::default()).unwrap();
        Self { server, steps }
    }

    /// Makes the saves that came after a migration, or all of them.
    async fn save(&self, after: Option<u32>) {
        if after.is_none() {
            for tenant in TENANTS {
                self.server.app.create_tenant(&tenant.into()).await.unwrap().unwrap();
            }
            let new = NewToken {
                name: TOKEN.into(),
                tenants: Vec::new(),
                all_tenants: true,
                write: true,
                delete: true,
                explore: false,
            };
            self.server.app.create_token(new, Some(TOKEN.into())).await.unwrap().unwrap();
        }
        for (i, save) in saves().into_iter().enumerate() {
            self.steps.0.store(i as i64 + 1, Ordering::Relaxed);
            if after.is_none_or(|after| save.since > after) {
                self.mutate(save).await;
            }
        }
    }

    async fn mutate(&self, save: Save) {
        let Save { tenant, mutation, input, id, .. } = save;
        let type_name = mutation[..1].to_uppercase() + &mutation[1..] + "Input";
        let result = match &*mutation {
            "objectDelete" => "deletedId",
            "virtualExtensionDefaultsUpdate" => "object { version }",
            _ => "object { id }",
        };
        let query = format!(
            "mutation($input: {type_name}!) {{ saved: {mutation}(input: $input) {{ {result} userErrors {{ path message }} }} }}"
        );
        let authorization = format!("Bearer {TOKEN}");
        let headers = [("authorization", &*authorization), ("x-tenant", tenant)];
        let answer = self.server.post(&headers, &json!({ "query": query, "variables": { "input": input } })).await.1;
        let saved = &answer["data"]["saved"];
        assert_eq!(saved["userErrors"], json!([]), "{mutation} {input}: {answer}");
        if let Some(id) = id {
            assert_eq!(saved["object"]["id"], id, "{mutation} {input}");
        }
    }

    /// Its database, once no program works on it any more.
    fn close(self) -> Live {
        self.server.live
    }

    async fn exports(&self) -> [String; 2] {
        let [first, second] = TENANTS.map(|tenant| export(&self.server.app, tenant[0].1, Secrets::Sealed));
        [first.await, second.await]
    }
}

fn name(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "sqlite",
        Engine::Postgres => "postgres",
    }
}

/// The migrations of an engine in order: number, name and text.
fn migrations(engine: Engine) -> Vec<(u32, String, String)> {
    let folder = format!("{}/migrations/{}", env!("CARGO_MANIFEST_DIR"), name(engine));
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let one = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name[..4].parse().unwrap(), name, fs::read_to_string(path).unwrap())
    };
    paths.into_iter().map(one).collect()
}

/// The migrations of which there is a fixture.
fn fixtures(engine: Engine) -> Vec<u32> {
    let files = fs::read_dir(format!("{FOLDER}/{}", name(engine))).unwrap();
    let number = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
    let mut numbers: Vec<_> = files.map(|entry| number(entry.unwrap().path())).collect();
    numbers.sort_unstable();
    numbers
}

/// The file of a fixture.
fn path(engine: Engine, number: u32) -> String {
    format!("{FOLDER}/{}/{number:04}.sql", name(engine))
}

/// The database of a fixture, as the program of its time left it.
fn load(engine: Engine, number: u32) -> Live {
    let live = Live::empty(engine);
    let content = fs::read_to_string(path(engine, number)).unwrap();
    let mut sql = MIGRATION_TABLE.to_owned();
    for (_, _, text) in migrations(engine).into_iter().filter(|(of, ..)| *of <= number) {
        sql += &text;
    }
    // What the migrations themselves have put in is in the fixture as well.
    for table in content.lines().filter_map(|line| line.strip_prefix("INSERT INTO ")?.split(' ').next()) {
        writeln!(sql, "DELETE FROM {table};").unwrap();
    }
    sql += &content;
    if engine == Engine::Sqlite {
        writeln!(sql, "PRAGMA application_id = {APPLICATION_ID};").unwrap();
    }
    live.batch(&format!("BEGIN; {sql} COMMIT;"));
    live
}

/// All rows of a database, as statements that insert them again: tables in the order in which they were made, so that
/// what is referred to comes first, rows in the order of their columns.
fn dump(live: &Live, engine: Engine) -> String {
    let tables = match engine {
        Engine::Sqlite => {
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
        }
        Engine::Postgres => {
            "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY oid"
        }
    };
    let mut sql = String::new();
    for table in live.texts(tables) {
        let (columns, literals) = columns(live, engine, &table);
        let columns = columns.join(", ");
        let row = literals.join(" || ', ' || ");
        let rows = live.texts(&format!("SELECT '(' || {row} || ')' FROM {table} ORDER BY {columns}"));
        if !rows.is_empty() {
            write!(sql, "INSERT INTO {table} ({columns}) VALUES\n{};\n", rows.join(",\n")).unwrap();
        }
    }
    sql
}

/// The columns of a table that are not worked out of others, and for each how its value is written in SQL.
fn columns(live: &Live, engine: Engine, table: &str) -> (Vec<String>, Vec<String>) {
    let (names, literals) = match engine {
        Engine::Sqlite => ("name", "'quote(' || name || ')'"),
        Engine::Postgres => (
            "column_name::text",
            "CASE WHEN data_type IN ('text', 'bytea') THEN 'quote_nullable(' || column_name || ')'
                  ELSE 'coalesce(CAST(' || column_name || ' AS TEXT), ''NULL'')' END",
        ),
    };
    let from = match engine {
        Engine::Sqlite => format!("pragma_table_info('{table}') ORDER BY cid"),
        Engine::Postgres => format!(
            "information_schema.columns WHERE table_schema = 'public' AND table_name = '{table}' AND is_generated = 'NEVER'
             ORDER BY ordinal_position"
        ),
    };
    (live.texts(&format!("SELECT {names} FROM {from}")), live.texts(&format!("SELECT {literals} FROM {from}")))
}

/// The rows of a database without when its migrations were applied.
fn rows(live: &Live, engine: Engine) -> String {
    let sql = dump(live, engine);
    let (before, rest) = sql.split_once("INSERT INTO migration ").unwrap();
    before.to_owned() + rest.split_once(";\n").unwrap().1
}

/// Its tables, columns and indexes.
fn shape(live: &Live, engine: Engine) -> Vec<String> {
    live.texts(match engine {
        Engine::Sqlite => {
            "SELECT s.name || ' ' || CASE s.type WHEN 'index' THEN coalesce(s.sql, '') ELSE c.name || ' ' || c.type || ' ' || c.\"notnull\" END
             FROM sqlite_schema AS s LEFT JOIN pragma_table_xinfo(s.name) AS c ORDER BY 1"
        }
        Engine::Postgres => {
            "SELECT table_name || ' ' || column_name || ' ' || data_type || ' ' || is_nullable
             FROM information_schema.columns WHERE table_schema = 'public'
             UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
             UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
                       WHERE connamespace = 'public'::regnamespace ORDER BY 1"
        }
    })
}

/// Writes the fixture of the newest migration when there is none, and fails then.
async fn the_newest_migration_has_a_fixture(engine: Engine) {
    let newest = migrations(engine).last().unwrap().0;
    let path = path(engine, newest);
    if !PathBuf::from(&path).exists() {
        let opened = Opened::new(Live::empty(engine));
        opened.save(None).await;
        fs::create_dir_all(format!("{FOLDER}/{}", name(engine))).unwrap();
        fs::write(&path, dump(&opened.server.live, engine)).unwrap();
        panic!("{path} was missing; it has been written: look at it and commit it");
    }
}

/// Whatever a database's last migration is, it becomes what the newest fixture is, and can be saved to.
async fn every_state_is_migrated(engine: Engine) {
    let known = migrations(engine);
    let (newest, all) = (known.last().unwrap().0, fixtures(engine));
    assert!(all.len() > 4 && all.contains(&newest), "{all:?}");
    let new_shape = shape(&Live::new(engine, Content::Schema), engine);
    let as_newest = Opened::new(load(engine, newest));
    let (expected_rows, expected_exports) = (rows(&as_newest.server.live, engine), as_newest.exports().await);
    assert!(expected_exports.iter().all(|export| export.contains("\"change\"") && export.contains("\"section\"")));

    for number in all {
        let live = load(engine, number);
        let lacking: Vec<_> = known.iter().filter(|(of, ..)| *of > number).map(|(_, name, _)| name.clone()).collect();
        assert_eq!(vext::service::migrate(&steady(&live).0).unwrap(), lacking);
        let opened = Opened::new(live);
        opened.save(Some(number)).await;
        same(number, &shape(&opened.server.live, engine).join("\n"), &new_shape.join("\n"));
        same(number, &rows(&opened.server.live, engine), &expected_rows);
        for (export, expected) in opened.exports().await.iter().zip(&expected_exports) {
            same(number, export, expected);
        }

        let header: Value = serde_json::from_str(opened.exports().await[0].lines().next().unwrap()).unwrap();
        let id = ObjectId { tenant: TenantId(1), local: header["nextObject"].as_i64().unwrap() }.opaque();
        let input = json!({ "information": { "number": "555", "name": "Newcomer", "memberIds": [saves()[0].id] } });
        let mutation = "virtualExtensionCreate".to_owned();
        opened.mutate(Save { tenant: TENANTS[0][0].1, mutation, input, id: Some(id), since: 0 }).await;
        assert!(opened.exports().await[0].contains("Newcomer"));
        sound(&opened.close(), engine);
    }
}

/// Fails with the first line that differs.
fn same(number: u32, is: &str, expected: &str) {
    let pairs = is.lines().zip(expected.lines());
    for (line, (is, expected)) in pairs.enumerate() {
        assert_eq!(is, expected, "line {} of what was made of {number:04}", line + 1);
    }
    assert_eq!(is.len(), expected.len(), "{number:04}");
}

/// The engine and the program find nothing wrong.
fn sound(live: &Live, engine: Engine) {
    match engine {
        Engine::Sqlite => {
            assert_eq!(live.texts("SELECT integrity_check FROM pragma_integrity_check"), ["ok"]);
            assert_eq!(live.texts("SELECT \"table\" FROM pragma_foreign_key_check"), [] as [&str; 0]);
            let path = |file: &str| live.folder.path().join(file).to_str().unwrap().to_owned();
            let verified = output(&mut vext(&["verify", &path("vext.db"), "--key-file", &path("vext.key")]));
            assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
        }
        Engine::Postgres => {
            let sql = "SELECT conname::text FROM pg_constraint WHERE NOT convalidated";
            assert_eq!(live.texts(sql), [] as [&str; 0]);
        }
    }
}

on_each_engine!(the_newest_migration_has_a_fixture, every_state_is_migrated);
