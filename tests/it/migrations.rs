//! Databases that earlier versions made: what they hold is there under its new names.

use std::fs;
use std::path::Path;

use serde_json::json;
use vext::service::Database;

use crate::cost::columns;
use crate::engines::{Content, Engine, Live, cluster, on_each_engine};
use crate::events::Events;
use crate::harness::{Server, TOKEN, paths};

/// The lists of addresses: table, column and the path of their changes, and how column and path were called before the
/// migration 0008.
const LISTS: [(&str, [&str; 2], [&str; 2]); 4] = [
    ("information", ["emails", "email"], ["information.emails", "information.email"]),
    (
        "outbound_recording",
        ["recording_emails", "recording_email"],
        ["outboundRecording.recordingEmails", "outboundRecording.recordingEmail"],
    ),
    (
        "additional_destinations",
        ["missed_call_emails", "missed_call_email"],
        ["additionalDestinations.missedCallEmails", "additionalDestinations.missedCallEmail"],
    ),
    ("voicemail_box", ["emails", "email"], ["emails", "email"]),
];

/// Takes a database back to before the migration 0008.
pub fn back_to_single_emails(live: &Live) {
    for (table, [column, earlier_column], [path, earlier_path]) in LISTS {
        live.execute(&format!("ALTER TABLE {table} RENAME COLUMN {column} TO {earlier_column}"));
        live.execute(&format!("UPDATE change_field SET path = '{earlier_path}' WHERE path = '{path}'"));
    }
    live.execute("DROP TABLE tenant_key");
    live.execute("DELETE FROM migration WHERE number >= 8");
}

/// An empty database as the migrations before the 0008th make it, by the files alone.
fn of_the_first_seven(engine: Engine) -> Live {
    let live = Live::new(engine, Content::Schema);
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations"));
    let folder = folder.join(if engine == Engine::Sqlite { "sqlite" } else { "postgres" });
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.file_name().unwrap().to_str().unwrap() < "0008");
    files.sort();
    assert_eq!(files.len(), 7);
    let sql: String = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    match &live.database {
        Database::Sqlite(path) => {
            fs::remove_file(path).unwrap();
            rusqlite::Connection::open(path).unwrap().execute_batch(&sql).unwrap();
        }
        Database::Postgres(_) => {
            let sql = format!("DROP SCHEMA public CASCADE; CREATE SCHEMA public; {sql}");
            cluster().sql(live.name().unwrap(), |client| client.batch_execute(&sql).unwrap());
        }
    }
    live
}

/// The values of the lists and what is kept of their changes, as they are called now.
fn kept(live: &Live, earlier: bool) -> Vec<String> {
    let name = usize::from(earlier);
    let mut found = Vec::new();
    for (table, columns, paths) in LISTS {
        let (column, path) = (columns[name], paths[name]);
        let key =
            |table: &str| format!("CAST({table}.tenant_id AS TEXT) || '.' || CAST({table}.object_id AS TEXT) || ' '");
        let values = format!("SELECT {} || {column} FROM {table} ORDER BY tenant_id, object_id", key(table));
        let changes = format!(
            "SELECT {} || CAST(version AS TEXT) || ' ' || before_value || ' ' || after_value FROM change_field
             WHERE path = '{path}' ORDER BY tenant_id, object_id, version",
            key("change_field")
        );
        for (what, rows) in [(columns[0], live.texts(&values)), (paths[0], live.texts(&changes))] {
            found.extend(rows.iter().map(|row| format!("{table} {what} {row}")));
        }
    }
    found
}

async fn lists_of_addresses_keep_values_and_history(engine: Engine) {
    let server = Server::over(Live::new(engine, Content::Demo));
    let (ivy, _) = server.extension("108").await;
    let lists = json!({ "id": ivy, "information": { "emails": ["ivy@canistracci.example"] },
        "outboundRecording": { "recordingEmails": null },
        "additionalDestinations": { "missedCallEmails": ["a@canistracci.example", "b@canistracci.example"] } });
    server.save(TOKEN, "virtualExtensionUpdate", lists).await;
    let live = server.live;
    let before = kept(&live, false);
    assert!(before.iter().filter(|row| row.contains("@canistracci.example")).count() > 8, "{before:#?}");
    for (table, _, [path, _]) in LISTS {
        let told = |row: &String| row.starts_with(&format!("{table} {path} ")) && row.contains('@');
        assert!(before.iter().any(told), "{table} has a history");
    }

    back_to_single_emails(&live);
    let seven = of_the_first_seven(engine);
    for (table, ..) in LISTS {
        assert_eq!(columns(&live, table), columns(&seven, table), "{table} is as it was");
    }
    assert_eq!(kept(&live, true), before);
    let applied = vext::service::migrate(&live.options()).unwrap();
    assert_eq!(applied[0], "0008_plural_lists");

    assert_eq!(kept(&live, false), before);
    for (_, _, [_, earlier]) in LISTS {
        let left = live.texts(&format!("SELECT path FROM change_field WHERE path = '{earlier}'"));
        assert_eq!(left, [] as [&str; 0], "{earlier}");
    }
    // The addresses of a phone book's entries are no list, and keep their name.
    assert!(columns(&live, "phone_book_entry").contains("email"));

    // Clients read what was there, and hear of it.
    let server = Server::over(live);
    let query = "{ tenant { virtualExtension(by: {number: \"108\"}) { information { emails }
        outboundRecording { recordingEmails } additionalDestinations { missedCallEmails } } } }";
    assert_eq!(
        server.data(query, json!({})).await["tenant"]["virtualExtension"],
        json!({ "information": { "emails": ["ivy@canistracci.example"] },
            "outboundRecording": { "recordingEmails": [] },
            "additionalDestinations": { "missedCallEmails": ["a@canistracci.example", "b@canistracci.example"] } })
    );
    let follow =
        "subscription($ids: [ID!]) { objectChanged(since: 0, ids: $ids) { version changes { path before after } } }";
    let authorization = format!("Bearer {TOKEN}");
    let request = json!({ "query": follow, "variables": { "ids": [ivy] } });
    let mut events = Events::open(&server, &[("authorization", &authorization)], &request).await;
    let mut told = events.change().await;
    let first = paths(&told["changes"]);
    for path in ["information.emails", "outboundRecording.recordingEmails", "additionalDestinations.missedCallEmails"] {
        assert!(first.iter().any(|known| known == path), "{path} in {first:?}");
    }
    while paths(&told["changes"]).len() != 3 {
        told = events.change().await;
    }
    let emails = told["changes"].as_array().unwrap().iter().find(|change| change["path"][0] == "information").unwrap();
    assert_eq!(
        (&emails["path"], &emails["after"]),
        (&json!(["information", "emails"]), &json!(["ivy@canistracci.example"]))
    );
}

on_each_engine!(lists_of_addresses_keep_values_and_history);
