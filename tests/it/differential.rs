//! Whether a document is accepted, here and by graphql-js on the same schema: thousands of documents, valid ones and
//! such as had one thing done to them (`tests/clients/mutations.mjs`). A difference that is not listed here fails.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::engines::Engine;
use crate::harness::{Server, TOKEN};
use crate::playground::missing;

const CLIENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients");

/// What differs, and why it stays so: the kind of the document, whether this server accepts what graphql-js refuses, and
/// the reason.
const KNOWN: &[(&str, bool, &str)] = &[(
    "subscription: a directive at its root",
    false,
    "section 5.2.4.1 of September 2025 forbids @skip and @include there; graphql-js 16 has not this rule yet",
)];

/// The documents, with what graphql-js says; `VEXT_DIFFERENTIAL=SEED,COUNT` for others and for more.
fn documents() -> Option<Vec<Value>> {
    if !Path::new(CLIENTS).join("node_modules/graphql").is_dir() {
        missing("the npm package graphql (npm ci --prefix tests/clients)");
        return None;
    }
    let asked = std::env::var("VEXT_DIFFERENTIAL").unwrap_or_else(|_| "1,1500".to_owned());
    let (seed, count) = asked.split_once(',').unwrap();
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql");
    let script = Path::new(CLIENTS).join("differential.mjs");
    let Ok(output) = Command::new("node").arg(script).args([schema, seed, count]).output() else {
        missing("node");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    Some(lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// Why this server does not accept a document; none when it does, whatever execution then says.
async fn refusal(server: &Server, document: &Value) -> Option<String> {
    let mut body = json!({ "query": document["query"], "variables": document["variables"] });
    body["operationName"] = document["operationName"].clone();
    let request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("accept", "application/graphql-response+json")
        .header("authorization", format!("Bearer {TOKEN}"))
        .body(Body::from(body.to_string()));
    let response = server.send(request.unwrap()).await;
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let answer: Value = serde_json::from_slice(&bytes).unwrap();
    match status {
        StatusCode::OK => None,
        StatusCode::BAD_REQUEST => Some(answer["errors"][0]["message"].as_str().unwrap().to_owned()),
        _ => panic!("{status}: {answer:#}\n{document:#}"),
    }
}

#[tokio::test]
async fn graphql_js_accepts_the_same_documents() {
    let Some(documents) = documents() else { return };
    let server = Server::start(Engine::Sqlite);
    // By kind and whether it is accepted here: how many, and the first of them.
    let mut differences: BTreeMap<(&str, bool), (usize, String)> = BTreeMap::new();
    for document in &documents {
        let refused = refusal(&server, document).await;
        let theirs = document["errors"][0].as_str();
        if refused.is_some() == theirs.is_some() {
            continue;
        }
        let kind = (document["kind"].as_str().unwrap(), refused.is_none());
        let (count, _) = differences.entry(kind).or_insert_with(|| {
            let says = refused.as_deref().or(theirs).unwrap_or_default();
            (0, format!("{says}\n{}\n{}", document["query"].as_str().unwrap(), document["variables"]))
        });
        *count += 1;
    }
    let is_known = |kind: &str, accepted: bool| KNOWN.iter().any(|known| (known.0, known.1) == (kind, accepted));
    let new: Vec<_> = differences.iter().filter(|((kind, accepted), _)| !is_known(kind, *accepted)).collect();
    for ((kind, accepted), (count, first)) in &new {
        println!("{kind}: {} {count}: {first}\n", if *accepted { "accepted here only," } else { "refused here only," });
    }
    assert!(new.is_empty(), "{} kinds of documents of {} differ", new.len(), documents.len());
    let gone: Vec<_> = KNOWN.iter().filter(|known| !differences.contains_key(&(known.0, known.1))).collect();
    assert!(gone.is_empty(), "no longer different: {gone:?}");
}
