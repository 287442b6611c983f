//! Persisted documents, and answers that a client has cached.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::auth::tenant_code;
use super::check::ServerCheck;
use super::client::TestClient;
use super::request::TestRequest;
use super::verdict::{CheckResult, failed, noted};
use crate::domain::hex;

const QUERY: &str = "query VextSelftest { __typename }";
const TENANT: &str = "query VextSelftest { tenant { code } }";

pub(super) const CHECKS: &[ServerCheck] = &[
    ServerCheck {
        name: "a hash of no document",
        expected: "PERSISTED_QUERY_NOT_FOUND",
        run: |client| {
            let hash = document_hash("vext selftest: no document");
            client.send(&hash_request(client, None, &hash))?.expect_code("PERSISTED_QUERY_NOT_FOUND")?.pass()
        },
    },
    ServerCheck {
        name: "the hash of another document",
        expected: "PERSISTED_QUERY_HASH_MISMATCH",
        run: |client| {
            let hash = document_hash("vext selftest: another document");
            client.send(&hash_request(client, Some(QUERY), &hash))?.expect_code("PERSISTED_QUERY_HASH_MISMATCH")?.pass()
        },
    },
    ServerCheck { name: "a document, then its hash alone", expected: "200, twice", run: by_hash },
    ServerCheck {
        name: "an id that is a path",
        expected: "PERSISTED_QUERY_NOT_FOUND",
        run: |client| {
            let request = client.post_json(&json!({ "documentId": "../../etc/passwd" }));
            client.send(&request)?.expect_code("PERSISTED_QUERY_NOT_FOUND")?.pass()
        },
    },
    ServerCheck { name: "a GET with the ETag of the last", expected: "304", run: not_modified },
    ServerCheck { name: "an answer for one token", expected: "not cached for others", run: private },
];

/// The hash that names a document: its SHA-256.
pub(super) fn document_hash(text: &str) -> String {
    hex(&Sha256::digest(text))
}

fn hash_request(client: &TestClient, text: Option<&str>, hash: &str) -> TestRequest {
    let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } });
    let mut body = json!({ "extensions": extensions });
    if let Some(text) = text {
        body["query"] = Value::from(text);
    }
    client.post_json(&body)
}

fn by_hash(client: &TestClient) -> CheckResult {
    let hash = document_hash(QUERY);
    client.send(&hash_request(client, Some(QUERY), &hash))?.expect_typename()?;
    let answer = client.send(&hash_request(client, None, &hash))?;
    if answer.code() == Some("PERSISTED_QUERY_NOT_FOUND") {
        return Err(noted("not found: perhaps another server answered"));
    }
    answer.expect_typename()?.pass()
}

fn not_modified(client: &TestClient) -> CheckResult {
    tenant_code(client)?;
    let request = client.with_token(client.get(TENANT))?;
    let mut seen = String::new();
    // Tried twice, because the tenant may change between two requests.
    for _ in 0..2 {
        let answer = client.send(&request)?;
        answer.expect_status(200)?;
        let tag = answer.header("etag").ok_or_else(|| failed("no etag"))?;
        let again = client.send(&request.clone().with("if-none-match", tag))?;
        if again.status == 304 && again.bytes.is_empty() {
            return Ok(format!("304 for {tag}"));
        }
        seen = again.summary();
    }
    Err(failed(seen))
}

fn private(client: &TestClient) -> CheckResult {
    tenant_code(client)?;
    let answer = client.send(&client.with_token(client.get(TENANT))?)?;
    answer.expect_header("cache-control", |value| value.contains("private") || value.contains("no-store"))?;
    Ok(answer.header("cache-control").unwrap_or_default().to_owned())
}
