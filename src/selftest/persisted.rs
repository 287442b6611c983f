//! Documents that are named by their hash, and answers that a client has already.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::ask::TestRequest;
use super::auth::tenant_code;
use super::check::DoorCheck;
use super::client::TestClient;
use super::verdict::{Judged, failed, noted};
use crate::domain::hex;

const QUERY: &str = "query VextSelftest { __typename }";
const TENANT: &str = "query VextSelftest { tenant { code } }";

pub(super) const CHECKS: &[DoorCheck] = &[
    DoorCheck {
        name: "a hash of no document",
        expected: "PERSISTED_QUERY_NOT_FOUND",
        run: |client| {
            let hash = hash("vext selftest: no document");
            client.send(&named(client, None, &hash))?.refuses_with("PERSISTED_QUERY_NOT_FOUND")?.fine()
        },
    },
    DoorCheck {
        name: "the hash of another document",
        expected: "PERSISTED_QUERY_HASH_MISMATCH",
        run: |client| {
            let hash = hash("vext selftest: another document");
            client.send(&named(client, Some(QUERY), &hash))?.refuses_with("PERSISTED_QUERY_HASH_MISMATCH")?.fine()
        },
    },
    DoorCheck { name: "a text, then its hash alone", expected: "200, twice", run: by_hash },
    DoorCheck {
        name: "a name that is a path",
        expected: "PERSISTED_QUERY_NOT_FOUND",
        run: |client| {
            let ask = client.post_json(&json!({ "documentId": "../../etc/passwd" }));
            client.send(&ask)?.refuses_with("PERSISTED_QUERY_NOT_FOUND")?.fine()
        },
    },
    DoorCheck { name: "a GET with the ETag of the last", expected: "304", run: not_modified },
    DoorCheck { name: "an answer for one token", expected: "kept by nobody else", run: private },
];

/// The name of a text: its SHA-256.
pub(super) fn hash(text: &str) -> String {
    hex(&Sha256::digest(text))
}

fn named(client: &TestClient, text: Option<&str>, hash: &str) -> TestRequest {
    let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } });
    let mut body = json!({ "extensions": extensions });
    if let Some(text) = text {
        body["query"] = Value::from(text);
    }
    client.post_json(&body)
}

fn by_hash(client: &TestClient) -> Judged {
    let hash = hash(QUERY);
    client.send(&named(client, Some(QUERY), &hash))?.answers()?;
    let answer = client.send(&named(client, None, &hash))?;
    if answer.code() == Some("PERSISTED_QUERY_NOT_FOUND") {
        return Err(noted("not found: by another server, perhaps"));
    }
    answer.answers()?.fine()
}

fn not_modified(client: &TestClient) -> Judged {
    tenant_code(client)?;
    let ask = client.signed(client.get(TENANT))?;
    let mut seen = String::new();
    // Somebody may change something in between, once.
    for _ in 0..2 {
        let answer = client.send(&ask)?;
        answer.status(200)?;
        let tag = answer.header("etag").ok_or_else(|| failed("no etag"))?;
        let again = client.send(&ask.clone().with("if-none-match", tag))?;
        if again.status == 304 && again.bytes.is_empty() {
            return Ok(format!("304 for {tag}"));
        }
        seen = again.seen();
    }
    Err(failed(seen))
}

fn private(client: &TestClient) -> Judged {
    tenant_code(client)?;
    let answer = client.send(&client.signed(client.get(TENANT))?)?;
    answer.says("cache-control", |value| value.contains("private") || value.contains("no-store"))?;
    Ok(answer.header("cache-control").unwrap_or_default().to_owned())
}
