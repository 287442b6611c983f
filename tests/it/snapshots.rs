//! Whole answers to a dozen and a half requests, as they were when somebody last looked at them (`tests/snapshots`).
//!
//! An answer that has changed is rewritten, and the test fails then: look at the difference and commit it. The crate `insta`
//! would bring a command and a file format of its own for what is a comparison here, as it is for `schema.graphql`.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use vext::graphql::Limits;
use vext::http::ServeOptions;
use vext::service::App;

use crate::engines::{Engine, Live, on_each_engine};
use crate::harness::{self, Server, TOKEN};

/// Each `NAME.graphql` with its `NAME.variables.json`, if there is one, is answered by `NAME.json`, in the order of their
/// names: `write_note` changes the tenant, and comes last. Clock and random numbers stand still, so both engines give the
/// same bytes.
async fn answers_are_as_they_were(engine: Engine) {
    let live = Live::empty(engine);
    let options = harness::steady(&live).0;
    vext::service::migrate(&options).unwrap();
    let app = App::open(&options).unwrap();
    harness::fill(app.clone()).await;
    let limits = Limits { request_timeout: std::time::Duration::from_secs(300), ..Limits::default() };
    let options = ServeOptions { explorable: true, limits, ..ServeOptions::default() };
    let server = Server::serving(live, app, options).unwrap();

    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots"));
    let mut queries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    queries.retain(|path| path.extension().is_some_and(|end| end == "graphql"));
    queries.sort();
    assert!(queries.len() > 15, "{queries:?}");
    let mut changed = Vec::new();
    for query in queries {
        let variables = fs::read_to_string(query.with_extension("variables.json"));
        let variables: Value = variables.map_or(json!({}), |text| serde_json::from_str(&text).unwrap());
        let request = json!({ "query": fs::read_to_string(&query).unwrap(), "variables": variables });
        let answer = server.post(&[("authorization", &format!("Bearer {TOKEN}"))], &request).await.1;
        let answer = serde_json::to_string_pretty(&answer).unwrap() + "\n";
        let file = query.with_extension("json");
        if fs::read_to_string(&file).unwrap_or_default() != answer {
            fs::write(&file, answer).unwrap();
            changed.push(file.file_name().unwrap().to_owned());
        }
    }
    assert!(
        changed.is_empty(),
        "other answers than before on {engine:?}; they have been rewritten: look at the difference and commit it: {changed:?}"
    );
}

on_each_engine!(answers_are_as_they_were);
