//! The tables of both engines: the same ones, with the tenant in front everywhere, and read through indexes only.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use vext::service::NewToken;

use crate::engines::{Content, Engine, Live, cluster, on_each_engine, postgres_or_skip};
use crate::harness::{ALL, Server, TOKEN};

/// Tables that stand above tenants, or have one row for each.
const GLOBAL: [&str; 6] = ["import", "migration", "sealing_key", "tenant", "tenant_key", "token"];

/// What a table consists of, in words that are the same for both engines.
#[derive(Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Part {
    /// Table, name, class of type, whether it can be null.
    Column(String, String, &'static str, bool),
    /// Table, name without the tenant, columns, whether it is unique, whether it is the primary key.
    Index(String, String, Vec<String>, bool, bool),
    /// Table, columns, the table that is referred to, its columns.
    ForeignKey(String, Vec<String>, String, Vec<String>),
}

/// The name that a unique constraint has on both engines.
fn name(table: &str, columns: &[String]) -> String {
    let named = columns.iter().filter(|column| *column != "tenant_id" || columns.len() == 1);
    named.fold(table.to_owned(), |name, column| name + "_" + column)
}

fn strings<const N: usize>(connection: &rusqlite::Connection, sql: &str) -> Vec<[String; N]> {
    let mut statement = connection.prepare(sql).unwrap();
    // Parameters stay unbound: a plan does not ask for them.
    let (mut rows, mut found) = (statement.raw_query(), Vec::new());
    while let Some(row) = rows.next().unwrap() {
        found.push(std::array::from_fn(|i| match row.get_ref(i).unwrap() {
            rusqlite::types::ValueRef::Integer(n) => n.to_string(),
            other => other.as_str().unwrap_or_default().to_owned(),
        }));
    }
    found
}

fn columns_of(list: &str) -> Vec<String> {
    list.split(',').map(str::to_owned).collect()
}

fn of_sqlite(path: &Path) -> BTreeSet<Part> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut parts = BTreeSet::new();
    for [table, sql] in
        strings(&connection, "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    {
        let mut key = Vec::new();
        let info = format!("SELECT name, type, \"notnull\", pk FROM pragma_table_xinfo('{table}')");
        for [column, kind, not_null, pk] in strings(&connection, &info) {
            // What SQLite keeps as 0 or 1 is a switch.
            let switch = sql.contains(&format!("{column} IN (0, 1)"));
            let class = match kind.as_str() {
                "INTEGER" if switch => "boolean",
                "INTEGER" | "BIGINT" => "integer",
                "TEXT" => "text",
                "BLOB" => "bytes",
                other => panic!("{table}.{column} is {other}"),
            };
            if pk != "0" {
                key.push((pk.parse::<u32>().unwrap(), column.clone()));
            }
            parts.insert(Part::Column(table.clone(), column, class, not_null == "0"));
        }
        key.sort();
        let key: Vec<_> = key.into_iter().map(|(_, column)| column).collect();
        parts.insert(Part::Index(table.clone(), format!("{table}_pkey"), key, true, true));
        let indexes = format!("SELECT name, \"unique\" FROM pragma_index_list('{table}') WHERE origin <> 'pk'");
        for [index, unique] in strings(&connection, &indexes) {
            let columns = strings(&connection, &format!("SELECT name FROM pragma_index_info('{index}')"));
            let columns: Vec<_> = columns.into_iter().map(|[column]| column).collect();
            let named = if index.starts_with("sqlite_") { name(&table, &columns) } else { index };
            parts.insert(Part::Index(table.clone(), named, columns, unique == "1", false));
        }
        let keys = format!(
            "SELECT \"table\", group_concat(\"from\"), group_concat(\"to\")
             FROM (SELECT * FROM pragma_foreign_key_list('{table}') ORDER BY id, seq) GROUP BY id"
        );
        for [target, from, to] in strings(&connection, &keys) {
            parts.insert(Part::ForeignKey(table.clone(), columns_of(&from), target, columns_of(&to)));
        }
    }
    parts
}

fn of_postgres(database: &str) -> BTreeSet<Part> {
    const COLUMNS: &str = "SELECT table_name::text, column_name::text, data_type::text, is_nullable::text
      FROM information_schema.columns WHERE table_schema = 'public'";
    const INDEXES: &str = "SELECT t.relname::text, i.relname::text, x.indisunique, x.indisprimary,
        ARRAY(SELECT trim(pg_get_indexdef(x.indexrelid, k, true), '\"') FROM generate_series(1, x.indnkeyatts) k)
      FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
      WHERE t.relnamespace = 'public'::regnamespace";
    const KEYS: &str = "SELECT t.relname::text, f.relname::text,
        ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY k (n, o)
              JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n ORDER BY k.o),
        ARRAY(SELECT a.attname::text FROM unnest(c.confkey) WITH ORDINALITY k (n, o)
              JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.n ORDER BY k.o)
      FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_class f ON f.oid = c.confrelid
      WHERE c.contype = 'f' AND NOT c.condeferrable AND t.relnamespace = 'public'::regnamespace";
    cluster().sql(database, |client| {
        let mut parts = BTreeSet::new();
        for row in client.query(COLUMNS, &[]).unwrap() {
            let class = match row.get(2) {
                "boolean" => "boolean",
                "bigint" => "integer",
                "text" => "text",
                "bytea" => "bytes",
                other => panic!("{}.{} is {other}", row.get::<_, &str>(0), row.get::<_, &str>(1)),
            };
            parts.insert(Part::Column(row.get(0), row.get(1), class, row.get::<_, &str>(3) == "YES"));
        }
        for row in client.query(INDEXES, &[]).unwrap() {
            parts.insert(Part::Index(row.get(0), row.get(1), row.get(4), row.get(2), row.get(3)));
        }
        for row in client.query(KEYS, &[]).unwrap() {
            parts.insert(Part::ForeignKey(row.get(0), row.get(2), row.get(1), row.get(3)));
        }
        parts
    })
}

fn parts(live: &Live) -> BTreeSet<Part> {
    match live.name() {
        None => of_sqlite(&live.folder.path().join("vext.db")),
        Some(name) => of_postgres(name),
    }
}

#[test]
fn both_engines_have_the_same_tables() {
    if postgres_or_skip() {
        let [sqlite, postgres] = [Engine::Sqlite, Engine::Postgres].map(|e| parts(&Live::new(e, Content::Schema)));
        assert!(sqlite.len() > 300, "{}", sqlite.len());
        let differ: Vec<_> = sqlite.symmetric_difference(&postgres).collect();
        assert!(differ.is_empty(), "{differ:#?}");
    }
}

/// The tenant is the first column of every key, every index, every unique constraint and both sides of every foreign
/// key, so that no reference crosses tenants and a database can be split by tenant.
async fn the_tenant_stands_first(engine: Engine) {
    let mut wrong = Vec::new();
    for part in parts(&Live::new(engine, Content::Schema)) {
        let first = |columns: &[String]| columns.first().is_some_and(|column| column == "tenant_id");
        let stands = match &part {
            Part::Column(..) => true,
            // Which tenants a token opens is asked by the token.
            Part::Index(table, name, ..) if table == "token_tenant" && name == "token_tenant_token" => true,
            Part::Index(table, _, columns, ..) => GLOBAL.contains(&table.as_str()) || first(columns),
            Part::ForeignKey(table, _, target, _) if table == "token_tenant" && target == "token" => true,
            Part::ForeignKey(table, from, target, to) => {
                first(to) && (first(from) || (table == "token" && target == "tenant"))
            }
        };
        if !stands {
            wrong.push(part);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The program knows every column that can refer to an object, and each has its index: a foreign key that it does not
/// know would let a delete fail, or leave out what it shows.
async fn every_foreign_key_is_a_known_reference(engine: Engine) {
    let parts = parts(&Live::new(engine, Content::Schema));
    let owns = |column: &str| ["object_id", "owner_id"].contains(&column);
    let keys: BTreeSet<_> = parts
        .iter()
        .filter_map(|part| match part {
            Part::ForeignKey(table, from, target, _) if target == "pbx_object" && !owns(&from[1]) => {
                Some((table.as_str(), from[1].as_str()))
            }
            _ => None,
        })
        .collect();
    let sources = vext::store::reference_columns();
    let hard = sources.iter().filter(|source| source.kinds.is_some());
    assert_eq!(keys, hard.map(|source| (source.table, source.column)).collect());
    assert!(keys.len() > 25, "{keys:?}");
    for source in sources {
        let indexed = parts.iter().any(|part| {
            matches!(part, Part::Index(table, _, columns, ..)
                if table == source.table && columns.len() >= 2 && columns[..2] == ["tenant_id", source.column])
        });
        assert!(indexed, "{}.{}", source.table, source.column);
    }
}

/// Asks for everything that can be asked, and changes everything that can be changed, so that every statement of the
/// program has been run.
async fn ask_for_everything(server: &Server) {
    for entry in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/playground/examples")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "graphql") {
            let variables = fs::read_to_string(path.with_extension("variables.json")).unwrap_or_else(|_| "{}".into());
            let variables: Value = serde_json::from_str(&variables).unwrap();
            server.answer(TOKEN, &fs::read_to_string(&path).unwrap(), variables).await;
        }
    }
    server.app.try_to_write().await.unwrap();
    server.answer(ALL, "{ tenants { code } tenant(code: \"MOLLOY\") { id } }", json!({})).await;
    let data =
        server.data("{ tenant { id virtualExtensions(first: 2) { totalCount nodes { id } } } }", json!({})).await;
    // What one index finds and counts.
    for (filter, order) in [
        ("name: {startsWith: \"i\"}", "NAME"),
        ("createdAt: {gte: \"2020-01-01T00:00:00Z\"}", "CREATED_AT"),
        ("changedAt: {lt: \"2030-01-01T00:00:00Z\"}", "CHANGED_AT"),
    ] {
        let list = format!("virtualExtensions(first: 2, filter: {{{filter}}}, orderBy: {{field: {order}}})");
        let found = server.data(&format!("{{ tenant {{ {list} {{ totalCount }} }} }}"), json!({})).await;
        assert!(found["tenant"]["virtualExtensions"]["totalCount"].as_i64().is_some_and(|count| count > 0), "{found}");
    }
    server.data("query($id: ID!) { node(id: $id) { id } }", json!({ "id": data["tenant"]["id"] })).await;
    // Every kind of object with its detail, and every list of references and destinations written anew.
    crate::cost::rewrite_every_field(server).await;
    crate::reading::read_every_reference(server).await;
    crate::finding::run_every_statement(server).await;
    crate::referring::make_change_and_delete_every_kind(server).await;
    crate::subscriptions::run_every_statement(server).await;
    let tenant = "mutation($id: ID!) { tenantUpdate(input: {id: $id, ai: true}) { userErrors { message } } }";
    server.answer(ALL, tenant, json!({ "id": data["tenant"]["id"] })).await;
    let taken =
        json!({ "dryRun": true, "information": { "number": "101", "name": "x" }, "webUserPanel": { "useLdap": true } });
    server.mutate("virtualExtensionCreate", taken).await;
    let new = NewToken {
        name: "plans".into(),
        tenants: vec!["MOLLOY".into()],
        all_tenants: false,
        write: false,
        delete: false,
        explore: false,
    };
    server.app.create_token(new, None).await.unwrap().unwrap();
    server.app.tokens().await.unwrap();
    server.app.valid_tokens(10, std::time::Duration::from_secs(60)).await.unwrap();
    server.app.tenants().await.unwrap();
    server.app.revoke_token("plans").await.unwrap();
    let tenant = [("code", "PLANS"), ("name", "Plans"), ("timezone", "UTC")];
    server.app.create_tenant(&tenant.into()).await.unwrap().unwrap();
    // What `vext verify` reads. It finds the demo data in order, on either engine.
    let verify = |session: &mut dyn vext::store::Session| {
        let found = vext::store::verify_rows(session, None, &mut |_, _, _| Ok(()));
        assert_eq!(found, Ok(Vec::new()));
        Ok(())
    };
    server.app.snapshot().read_system(verify).await.unwrap();
    crate::transfer::copy_tenant(&server.app, "CANISTRACCI", "COPY").await;
    server.app.delete_tenant("PLANS").await.unwrap();
}

/// The statements that stand in the store's source as whole texts.
fn written_statements() -> Vec<String> {
    fn texts(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                texts(&path, found);
                continue;
            }
            let source = fs::read_to_string(&path).unwrap();
            let source = source.split("#[cfg(test)]").next().unwrap();
            let literals = source.split('"').skip(1).step_by(2);
            let begins = ["SELECT ", "INSERT ", "UPDATE ", "DELETE "];
            found.extend(literals.filter(|text| begins.iter().any(|word| text.starts_with(word))).map(flat));
        }
    }
    let mut found = Vec::new();
    texts(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/store")), &mut found);
    // What an engine asks of itself, and what migrating asks, is not asked for a tenant.
    let own = [
        "sqlite_schema",
        "pragma_",
        "current_setting",
        "clock_timestamp",
        "information_schema",
        "'B' <",
        "FROM migration",
        "INTO migration",
        "SELECT tenant_id FROM tenant ORDER BY",
        "SET name_folded = $3",
    ];
    found.retain(|text| !text.contains('{') && !own.iter().any(|word| text.contains(word)));
    found.retain(|text| !text.contains("sealing_key"));
    assert!(found.len() > 20, "{found:#?}");
    found
}

fn flat(text: &str) -> String {
    text.split_whitespace().filter(|word| *word != "\\").collect::<Vec<_>>().join(" ")
}

/// Whether a statement asks what stands above tenants, and only that.
fn is_global(sql: &str) -> bool {
    let words: Vec<_> = sql.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let tables = words.windows(2).filter(|w| ["FROM", "JOIN", "INTO", "UPDATE"].contains(&w[0])).map(|w| w[1]);
    tables.into_iter().all(|table| GLOBAL.contains(&table) || table == "token_tenant")
}

/// Every statement of the program that reads or changes a tenant's rows finds them through an index that begins with
/// the tenant (see `the_tenant_stands_first`).
async fn every_statement_uses_an_index_of_the_tenant(engine: Engine) {
    let server = Server::filled(engine).await;
    ask_for_everything(&server).await;
    let run = server.app.statement_texts();
    let flat_run: Vec<_> = run.iter().map(|sql| flat(sql)).collect();
    let missed: Vec<_> =
        written_statements().into_iter().filter(|w| !flat_run.iter().any(|r| r.starts_with(w))).collect();
    assert!(missed.is_empty(), "these statements were not run, ask for them: {missed:#?}");
    let explained: Vec<_> = run.into_iter().filter(|sql| !is_global(sql)).collect();
    assert!(explained.len() > 80, "{}", explained.len());
    let wrong = match server.live.name() {
        None => sqlite_plans(&server.live.folder.path().join("vext.db"), &explained),
        Some(name) => postgres_plans(name, &explained),
    };
    assert!(wrong.is_empty(), "{wrong:#?}");
    println!("{} statements explained on {engine:?}", explained.len());
}

/// Whether a statement is about all objects of a tenant.
fn takes_all(sql: &str) -> bool {
    let flat = flat(sql);
    let rest = flat.split_once(" FROM pbx_object WHERE tenant_id = $1").map(|(_, rest)| rest);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(" ORDER BY"))
}

fn sqlite_plans(path: &Path, statements: &[&str]) -> Vec<String> {
    let connection = rusqlite::Connection::open(path).unwrap();
    rusqlite::vtab::array::load_module(&connection).unwrap();
    let mut wrong = Vec::new();
    // As they are run for many ids, and for one.
    let forms = statements.iter().flat_map(|sql| ["IN rarray(", "= ("].map(|form| (sql, sql.replace("= ANY(", form))));
    for (sql, native) in forms {
        let plan = strings::<4>(&connection, &format!("EXPLAIN QUERY PLAN {native}"));
        for [.., step] in plan {
            let through_tenant = step.starts_with("SEARCH") && step.contains("(tenant_id=?");
            let list = step.contains("rarray VIRTUAL TABLE");
            // Objects are many: they are looked for by more than the tenant, unless all are meant.
            let all = step.starts_with("SEARCH pbx_object ") && step.ends_with("(tenant_id=?)");
            if all && !takes_all(sql) {
                wrong.push(format!("{step} reads all objects: {sql}"));
            }
            // What a subquery has found already.
            let found = step == "SCAN r" || step.starts_with("SCAN (subquery-");
            let touches = step.starts_with("SEARCH") || step.starts_with("SCAN");
            if touches && !through_tenant && !list && !found {
                wrong.push(format!("{step}: {sql}"));
            }
        }
    }
    wrong
}

fn postgres_plans(database: &str, statements: &[&str]) -> Vec<String> {
    cluster().sql(database, |client| {
        // Whether there is an index that fits is the question, not whether so few rows are worth it.
        client.batch_execute("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan").unwrap();
        let mut wrong = Vec::new();
        for sql in statements {
            let count = client.prepare(sql).unwrap().params().len();
            let nothing = vec!["NULL"; count].join(", ");
            client.batch_execute(&format!("PREPARE it AS {sql}")).unwrap();
            let plan = client.query(&format!("EXPLAIN EXECUTE it({nothing})"), &[]).unwrap();
            client.batch_execute("DEALLOCATE it").unwrap();
            let steps: Vec<&str> = plan.iter().map(|row| row.get(0)).collect();
            let count =
                |words: &[&str]| steps.iter().filter(|step| words.iter().any(|word| step.contains(word))).count();
            // An index that is read from end to end has no condition.
            let scans = count(&[
                "Index Scan using",
                "Index Only Scan using",
                "Index Scan Backward using",
                "Bitmap Index Scan on",
            ]);
            if scans > count(&["Index Cond:"]) {
                wrong.push(format!("{steps:#?}: {sql}"));
            }
            for step in steps {
                let through_other = step.contains("Index Cond:") && !step.contains("tenant_id = ");
                if step.contains("Seq Scan") || through_other {
                    wrong.push(format!("{step}: {sql}"));
                }
            }
        }
        wrong
    })
}

on_each_engine!(
    every_foreign_key_is_a_known_reference,
    the_tenant_stands_first,
    every_statement_uses_an_index_of_the_tenant
);
