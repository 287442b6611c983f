//! GraphQL over HTTP: methods, media types, statuses; persisted and trusted documents; answers that clients may keep.

use std::fs;

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use vext::graphql::{DocumentHash, Limits};
use vext::http::{DocumentSettings, ServeOptions};

use crate::engines::{Engine, on_each_engine};
use crate::harness::{ALL, MOLLOY, READ, Server, TOKEN};

const RESPONSE: &str = "application/graphql-response+json";
const JSON: &str = "application/json";

/// An answer with what the transport says about it.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The code of the first error.
    fn code(&self) -> &str {
        self.body["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
    }
}

async fn send(server: &Server, method: &str, address: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request = Request::builder().method(method).uri(address);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = server.send(request.body(Body::from(body.to_owned())).unwrap()).await;
    let (head, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let mut body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
    if let Some(fields) = body.as_object_mut() {
        // What it cost is looked at in execution.rs.
        fields.remove("extensions");
    }
    Answer { status: head.status, headers: head.headers, body }
}

async fn post(server: &Server, headers: &[(&str, &str)], body: &Value) -> Answer {
    let bearer = format!("Bearer {TOKEN}");
    let headers = [&[("content-type", JSON), ("authorization", &bearer)], headers].concat();
    send(server, "POST", "/graphql", &headers, &body.to_string()).await
}

/// A GET of the token of CANISTRACCI.
async fn get(server: &Server, headers: &[(&str, &str)], parameters: &[(&str, &str)]) -> Answer {
    get_as(server, TOKEN, headers, parameters).await
}

async fn get_as(server: &Server, token: &str, headers: &[(&str, &str)], parameters: &[(&str, &str)]) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [&[("authorization", bearer.as_str())], headers].concat();
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    send(server, "GET", &format!("/graphql?{query}"), &headers, "").await
}

/// `(accept, status of what is wrong with the document, media type)`.
async fn the_media_type_decides_what_a_wrong_document_is_called(engine: Engine) {
    let server = Server::start(engine);
    for (accept, status, media) in [
        (RESPONSE, StatusCode::BAD_REQUEST, RESPONSE),
        (JSON, StatusCode::OK, JSON),
        ("*/*", StatusCode::OK, JSON),
        ("application/graphql-response+json, application/json;q=0.9", StatusCode::BAD_REQUEST, RESPONSE),
    ] {
        let nested = "[".repeat(4000);
        let wrong = [
            ("{", json!({}), "GRAPHQL_PARSE_FAILED"),
            ("{ nothing }", json!({}), "GRAPHQL_VALIDATION_FAILED"),
            ("query($id: ID!) { node(id: $id) { id } }", json!({}), "BAD_USER_INPUT"),
            ("query A { __typename } query B { __typename }", json!({}), "OPERATION_RESOLUTION_FAILURE"),
            (&format!("{{ a(x: {nested}"), json!({}), "VALUE_TOO_DEEP"),
        ];
        for (query, variables, code) in wrong {
            let answer = post(&server, &[("accept", accept)], &json!({ "query": query, "variables": variables })).await;
            assert_eq!(answer.status, status, "{accept} {query}: {}", answer.body);
            assert_eq!(answer.header("content-type"), format!("{media}; charset=utf-8"));
            assert_eq!(answer.code(), code, "{}", answer.body);
            // Nothing was executed: there is no data, not even null.
            assert_eq!(answer.body.as_object().unwrap().keys().collect::<Vec<_>>(), ["errors"], "{query}");
            assert!(answer.header("vary").contains("accept"));
            assert_eq!(answer.header("x-request-id").len(), 16, "{:?}", answer.headers);
        }
        // What a resolver refuses was executed.
        let refused =
            json!({ "query": "{ tenant(code: \"CANISTRACCI\") { virtualExtensions(first: 1000) { totalCount } } }" });
        let answer = post(&server, &[("accept", accept)], &refused).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert!(answer.body.get("data").is_some() && answer.code() == "BAD_USER_INPUT", "{}", answer.body);
        let answer = post(&server, &[("accept", accept)], &json!({ "query": "{ __typename }" })).await;
        assert_eq!((answer.status, answer.body), (StatusCode::OK, json!({ "data": { "__typename": "Query" } })));
    }
}

async fn what_is_no_request_is_refused_by_its_status(engine: Engine) {
    let server = Server::start(engine);
    let fine = r#"{"query":"{__typename}"}"#;
    let large = " ".repeat(Limits::default().max_body + 1);
    let json_type = ("content-type", JSON);
    for (method, headers, body, status, code) in [
        ("POST", &[json_type, ("accept", "text/html")][..], fine, 406, "NOT_ACCEPTABLE"),
        ("POST", &[], fine, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("POST", &[("content-type", "text/plain")], fine, 415, "UNSUPPORTED_MEDIA_TYPE"),
        (
            "POST",
            &[("content-type", "application/x-www-form-urlencoded")],
            "query={__typename}",
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        ("POST", &[("content-type", "multipart/form-data; boundary=x")], fine, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("POST", &[("content-type", "application/json; charset=utf-16")], fine, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("POST", &[json_type], "", 400, "BAD_REQUEST"),
        ("POST", &[json_type], "{", 400, "BAD_REQUEST"),
        ("POST", &[json_type], "[]", 400, "BAD_REQUEST"),
        ("POST", &[json_type], r#"[{"query":"{__typename}"}]"#, 400, "BAD_REQUEST"),
        ("POST", &[json_type], "7", 400, "BAD_REQUEST"),
        ("POST", &[json_type], "{}", 400, "BAD_REQUEST"),
        ("POST", &[json_type], r#"{"query":7,"variables":[],"operationName":{},"extensions":""}"#, 400, "BAD_REQUEST"),
        ("POST", &[json_type], &large, 413, "BODY_TOO_LARGE"),
        ("PUT", &[json_type], fine, 405, "METHOD_NOT_ALLOWED"),
        ("DELETE", &[], "", 405, "METHOD_NOT_ALLOWED"),
        ("GET", &[], "", 403, "PREFLIGHT_REQUIRED"),
        ("GET", &[("x-tenant", "CANISTRACCI")], "", 400, "BAD_REQUEST"),
    ] {
        let answer = send(&server, method, "/graphql", headers, body).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (status, code), "{method} {headers:?}: {}", answer.body);
        assert!(answer.body.get("data").is_none());
        if status == 405 {
            assert_eq!(answer.header("allow"), "GET, HEAD, POST");
        }
    }
    let answer =
        post(&server, &[], &json!({ "query": 7, "variables": [], "operationName": {}, "extensions": "" })).await;
    let sentence = answer.body["errors"][0]["message"].as_str().unwrap();
    for problem in [
        "query must be a text",
        "variables must be an object",
        "operationName must be a text",
        "extensions must be an object",
    ] {
        assert!(sentence.contains(problem), "all at once: {sentence}");
    }
    let answer = send(&server, "POST", "/graphql", &[json_type, ("content-length", "262145")], &large).await;
    let extensions = &answer.body["errors"][0]["extensions"];
    assert_eq!((&extensions["limit"], &extensions["actual"]), (&json!(262_144), &json!(262_145)));
}

async fn a_query_may_be_sent_with_get_and_nothing_else(engine: Engine) {
    let server = Server::start(engine);
    let query = "query A { a: __typename } query B($n: ExtensionNumber!) { tenant { virtualExtension(by: {number: $n}) { name } } }";
    let variables = r#"{"n":"108"}"#;
    let named = [("query", query), ("operationName", "B"), ("variables", variables)];
    let answer = get(&server, &[], &named).await;
    assert_eq!(answer.body, json!({ "data": { "tenant": { "virtualExtension": { "name": "Ivy Morgan" } } } }));
    let (_, version) = server.extension("108").await;
    for mutation in [
        "mutation { __typename }",
        "query A { __typename } mutation B($n: ExtensionNumber!) { virtualExtensionCreate(input: {information: {number: $n}}) { userErrors { code } } }",
    ] {
        let operation = if mutation.starts_with("query") { "B" } else { "" };
        let answer =
            get(&server, &[], &[("query", mutation), ("operationName", operation), ("variables", variables)]).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{}", answer.body);
        assert_eq!(answer.header("allow"), "POST");
    }
    assert_eq!(server.extension("108").await.1, version, "nothing was saved");
    for (parameters, said) in [
        (&[("query", "{__typename}"), ("variables", "{")][..], "variables is not JSON"),
        (&[("query", "{__typename}"), ("variables", "[]")], "variables must be an object"),
        (&[("query", "{__typename}"), ("query", "{__typename}")], "query appears more than once"),
        (&[("operationName", "A")], "query is missing"),
    ] {
        let answer = get(&server, &[], parameters).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(answer.body["errors"][0]["message"].as_str().unwrap().contains(said), "{}", answer.body);
    }
    // A page of another origin can make a browser send a GET, but not with one of these headers.
    let address = "/graphql?query=%7B__typename%7D";
    let forged = [("accept", JSON), ("origin", "https://elsewhere.example")];
    assert_eq!(send(&server, "GET", address, &forged, "").await.status, StatusCode::FORBIDDEN);
    for header in [("apollo-require-preflight", "true"), ("graphql-require-preflight", ""), ("content-type", JSON)] {
        assert_eq!(send(&server, "GET", address, &[header], "").await.status, StatusCode::OK, "{header:?}");
    }
}

/// What Apollo's clients and urql do: the hash alone, then hash and text, then the hash alone.
async fn a_query_is_remembered_by_its_hash_once_it_is_valid(engine: Engine) {
    let server = Server::start(engine);
    let hash_of = |query: &str| DocumentHash::of(query).to_string();
    let named = |hash: &str, version: u32| json!({ "persistedQuery": { "version": version, "sha256Hash": hash } });
    let query = "{ tenant { code } }";
    let alone = json!({ "extensions": named(&hash_of(query), 1) });
    let both = json!({ "query": query, "extensions": named(&hash_of(query), 1) });
    let answer = post(&server, &[], &alone).await;
    assert_eq!(
        (answer.code(), &answer.body["errors"][0]["message"]),
        ("PERSISTED_QUERY_NOT_FOUND", &json!("PersistedQueryNotFound"))
    );
    let data = json!({ "data": { "tenant": { "code": "CANISTRACCI" } } });
    assert_eq!(post(&server, &[], &both).await.body, data);
    assert_eq!(post(&server, &[], &alone).await.body, data);
    let extensions = alone["extensions"].to_string();
    assert_eq!(get(&server, &[], &[("extensions", &extensions)]).await.body, data);
    let id = format!("sha256:{}", hash_of(query));
    assert_eq!(post(&server, &[], &json!({ "documentId": id })).await.body, data);
    // The right of who asks is looked at each time.
    let stranger = send(&server, "POST", "/graphql", &[("content-type", JSON)], &alone.to_string()).await;
    assert_eq!(stranger.code(), "UNAUTHENTICATED");
    let other = send(
        &server,
        "POST",
        "/graphql",
        &[("content-type", JSON), ("authorization", &format!("Bearer {MOLLOY}"))],
        &alone.to_string(),
    )
    .await;
    assert_eq!(other.body["data"]["tenant"]["code"], "MOLLOY");

    let wrong = "{ tenant { nothing } }";
    let answer = post(&server, &[], &json!({ "query": wrong, "extensions": named(&hash_of(wrong), 1) })).await;
    assert!(answer.body["errors"][0]["message"].as_str().unwrap().contains("nothing"));
    let answer = post(&server, &[], &json!({ "extensions": named(&hash_of(wrong), 1) })).await;
    assert_eq!(answer.code(), "PERSISTED_QUERY_NOT_FOUND", "only what is valid is remembered");
    let answer =
        post(&server, &[], &json!({ "query": "{ __typename }", "extensions": named(&hash_of(query), 1) })).await;
    assert_eq!(answer.code(), "PERSISTED_QUERY_HASH_MISMATCH", "nobody puts a text under another's hash");
    for (extensions, code) in [
        (named(&hash_of(query), 2), "PERSISTED_QUERY_NOT_SUPPORTED"),
        (json!({ "persistedQuery": 7 }), "PERSISTED_QUERY_NOT_SUPPORTED"),
        (json!({ "persistedQuery": { "version": 1 } }), "BAD_REQUEST"),
        (named("../etc", 1), "PERSISTED_QUERY_NOT_FOUND"),
    ] {
        assert_eq!(post(&server, &[], &json!({ "extensions": extensions })).await.code(), code, "{extensions}");
    }
}

async fn the_memory_for_documents_is_bounded(engine: Engine) {
    let limits = Limits { document_cache: 200, ..Limits::default() };
    let server = Server::with(engine, ServeOptions { limits, ..ServeOptions::default() }).unwrap();
    let query = |i: usize| format!("{{ a{i}: tenant {{ code }} }}");
    for i in 0..20 {
        post(&server, &[], &json!({ "query": query(i) })).await;
    }
    let remembered = async |i| {
        let hash = DocumentHash::of(&query(i)).to_string();
        post(&server, &[], &json!({ "documentId": hash })).await.body.get("data").is_some()
    };
    assert!(remembered(19).await && !remembered(0).await);
}

async fn trusted_documents_are_named_and_may_be_the_only_ones(engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("documents.json");
    let start = |text: Option<&str>, only: bool| {
        _ = text.map(|text| fs::write(&file, text).unwrap());
        let documents = DocumentSettings { trusted_documents: Some(file.clone()), trusted_only: only };
        Server::with(engine, ServeOptions { documents, ..ServeOptions::default() })
    };
    let code = "query Code { tenant { code } }";
    let hash = DocumentHash::of(code).to_string();
    let data = json!({ "data": { "tenant": { "code": "CANISTRACCI" } } });
    let map = json!({ "5f0b": code }).to_string();
    let manifest = json!({ "format": "apollo-persisted-query-manifest", "version": 1,
        "operations": [{ "id": "5f0b", "name": "Code", "type": "query", "body": code }] });
    for text in [map.clone(), manifest.to_string()] {
        for only in [false, true] {
            let server = start(Some(&text), only).unwrap();
            for asked in [
                json!({ "documentId": "5f0b" }),
                json!({ "documentId": format!("sha256:{hash}") }),
                json!({ "extensions": { "persistedQuery": { "version": 1, "sha256Hash": hash } } }),
                json!({ "query": code }),
            ] {
                assert_eq!(post(&server, &[], &asked).await.body, data, "{asked}");
            }
            let answer = post(&server, &[], &json!({ "query": "{ tenant { name } }" })).await;
            assert_eq!(answer.code(), if only { "DOCUMENT_NOT_TRUSTED" } else { "" });
            assert_eq!(post(&server, &[], &json!({ "documentId": "5f0c" })).await.code(), "PERSISTED_QUERY_NOT_FOUND");
        }
    }
    for (text, said) in [
        ("[]", "neither a map"),
        (r#"{"a": 1}"#, "neither a map"),
        (r#"{"format": "other", "version": 1, "operations": []}"#, "a manifest of the format \"other\", version 1"),
        (r#"{"bad": "{"}"#, "--trusted-documents: bad: Syntax error: expected "),
        (r#"{"bad": "{\n  tenant { nothing } }"}"#, "(line 2, column 12)"),
    ] {
        let why = start(Some(text), true).err().unwrap();
        assert!(why.contains(said) && !why.contains('\n'), "{text}: {why}");
    }
    fs::remove_file(&file).unwrap();
    let documents = DocumentSettings { trusted_documents: None, trusted_only: true };
    let nothing = Server::with(engine, ServeOptions { documents, ..ServeOptions::default() });
    assert!(nothing.err().unwrap().contains("needs --trusted-documents"));
    let why = start(None, false).err().unwrap();
    assert!(why.contains("documents.json: No such file"), "{why}");
}

async fn an_answer_is_kept_until_its_tenant_changes(engine: Engine) {
    let server = Server::start(engine);
    let query =
        "query($n: ExtensionNumber!) { tenant { virtualExtension(by: {number: $n}) { name note { department } } } }";
    let of = |number: &str| json!({ "n": number }).to_string();
    let (ivy, other) = (of("108"), of("101"));
    let ask = async |headers: &[(&str, &str)], variables: &str| {
        get(&server, headers, &[("query", query), ("variables", variables)]).await
    };
    let first = ask(&[], &ivy).await;
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with("W/\"") && first.header("cache-control") == "private, no-cache", "{:?}", first.headers);
    assert!(first.headers.get_all("vary").iter().any(|value| value == "authorization, x-tenant"));
    let known = [("if-none-match", format!("\"x\", {tag}"))];
    let known: Vec<_> = known.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let same = ask(&known, &ivy).await;
    assert_eq!((same.status, &same.body, same.header("etag")), (StatusCode::NOT_MODIFIED, &Value::Null, tag.as_str()));
    // Another question, another asker, another form of the answer: other tags.
    assert_eq!(ask(&known, &other).await.status, StatusCode::OK);
    assert_eq!(ask(&[known[0], ("accept", RESPONSE)], &ivy).await.status, StatusCode::OK);
    let parameters = [("query", query), ("variables", ivy.as_str())];
    assert_eq!(get_as(&server, READ, &known, &parameters).await.status, StatusCode::OK);
    assert_eq!(get_as(&server, "wrong", &known, &parameters).await.status, StatusCode::UNAUTHORIZED);

    let (id, _) = server.extension("110").await;
    server.save(TOKEN, "virtualExtensionUpdate", json!({ "id": id, "note": { "department": "Elsewhere" } })).await;
    let changed = ask(&known, &ivy).await;
    assert_eq!(
        (changed.status, &changed.body),
        (StatusCode::OK, &first.body),
        "the tenant has changed, this answer has not"
    );
    assert_ne!(changed.header("etag"), tag);

    // A change of another tenant changes nothing here.
    let tag = changed.header("etag").to_owned();
    let input = json!({ "information": { "number": "3077", "name": "New" } });
    server.save(MOLLOY, "virtualExtensionCreate", input).await;
    assert_eq!(ask(&[("if-none-match", &tag)], &ivy).await.status, StatusCode::NOT_MODIFIED);
}

/// What depends on more than the selected tenant's rows must not be kept by its revision.
async fn an_answer_that_depends_on_more_has_no_tag(engine: Engine) {
    let server = Server::start(engine);
    let tag = async |token: &str, headers: &[(&str, &str)], query: &str| {
        let answer = get_as(&server, token, headers, &[("query", query)]).await;
        assert!(answer.body.get("data").is_some(), "{query}: {}", answer.body);
        !answer.header("etag").is_empty()
    };
    let selected = [("x-tenant", "CANISTRACCI")];
    assert!(tag(TOKEN, &[], "{ tenant { code virtualExtensions { totalCount } } }").await);
    assert!(tag(ALL, &selected, "{ tenant { code virtualExtensions { totalCount } } }").await);
    assert!(
        !tag(ALL, &[], "{ tenant(code: \"CANISTRACCI\") { virtualExtensions { totalCount } } }").await,
        "none is selected"
    );
    let two = "{ a: tenant { virtualExtensions { totalCount } } b: tenant(code: \"MOLLOY\") { virtualExtensions { totalCount } } }";
    assert!(!tag(ALL, &selected, two).await);
    assert!(!tag(ALL, &selected, "{ tenants { code } }").await);
    assert!(!tag(TOKEN, &[], "{ tenantLint { nodes { code } } }").await, "conditions are tried at this moment");
    assert!(
        !tag(TOKEN, &[], "{ tenant { virtualExtensions(first: 1000) { totalCount } } }").await,
        "an error is not kept"
    );
    let posted = post(&server, &[], &json!({ "query": "{ tenant { code } }" })).await;
    assert_eq!(posted.header("etag"), "");
}

on_each_engine!(
    the_media_type_decides_what_a_wrong_document_is_called,
    what_is_no_request_is_refused_by_its_status,
    a_query_may_be_sent_with_get_and_nothing_else,
    a_query_is_remembered_by_its_hash_once_it_is_valid,
    the_memory_for_documents_is_bounded,
    trusted_documents_are_named_and_may_be_the_only_ones,
    an_answer_is_kept_until_its_tenant_changes,
    an_answer_that_depends_on_more_has_no_tag,
);
