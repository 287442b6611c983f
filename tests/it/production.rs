//! What production keeps back: the schema, the playground, suggestions, reasons; and what every answer says to browsers.

use std::collections::HashSet;

use crate::client;
use crate::engines::{Content, Engine, Live, on_each_engine};
use crate::harness::{READ, Server, TOKEN};
use crate::process::{Process, output, vext};
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use vext::http::{DoorOptions, ServeOptions};
use vext::service::NewToken;

/// The token with the scope `explore`.
const EXPLORER: &str = "test-token-explorer";

/// A server in production, and a token that may explore.
async fn production(engine: Engine) -> Server {
    let server = Server::with(engine, ServeOptions::default()).unwrap();
    let tenants = vec!["CANISTRACCI".into()];
    let new =
        NewToken { name: EXPLORER.into(), tenants, all_tenants: false, write: false, delete: false, explore: true };
    server.app.create_token(new, Some(EXPLORER.into())).await.unwrap().unwrap();
    server
}

async fn answered(server: &Server, request: Request<Body>) -> (StatusCode, HeaderMap, Value) {
    let (head, body) = server.send(request).await.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    (head.status, head.headers, serde_json::from_slice(&body).unwrap_or_default())
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

fn basic(token: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("anybody:{token}")))
}

/// However it is asked for, first by who may, so that the document is known when the others come.
async fn the_schema_is_for_tokens_with_the_scope_explore(engine: Engine) {
    let server = production(engine).await;
    let accept = ("accept", "application/graphql-response+json");
    for text in [
        "{ __schema { queryType { name } } }",
        "{ __type(name: \"Tenant\") { name } }",
        "{ harmless: __type(name: \"Tenant\") { name } }",
        "{ ...F } fragment F on Query { __typename ...G } fragment G on Query { __schema { queryType { name } } }",
        "{ ... @include(if: true) { ... on Query { __type(name: \"Tenant\") { name } } } }",
        "query A { __typename } query B { __type(name: \"Tenant\") { name } }",
    ] {
        let request = json!({ "query": text, "operationName": text.starts_with("query A").then_some("A") });
        let (status, answer) = server.post(&[accept, ("authorization", &bearer(EXPLORER))], &request).await;
        assert!(status == StatusCode::OK && answer.get("errors").is_none(), "{text}: {answer}");
        let (status, answer) = server.post(&[accept, ("authorization", &bearer(READ))], &request).await;
        let error = &answer["errors"][0];
        assert_eq!(
            (status, &error["extensions"]["code"]),
            (StatusCode::BAD_REQUEST, &json!("INTROSPECTION_FORBIDDEN")),
            "{text}"
        );
        assert!(answer.get("data").is_none() && error["locations"][0]["column"].is_u64(), "{answer}");
        assert!(error["message"].as_str().unwrap().contains("scope explore"), "{answer}");
    }
    // The names that clients put into every selection are no secret of the schema.
    let answer = server.answer(TOKEN, "{ __typename tenant { __typename code } }", json!({})).await;
    assert_eq!(
        answer["data"],
        json!({ "__typename": "Query", "tenant": { "__typename": "Tenant", "code": "CANISTRACCI" } })
    );
}

/// Nobody without a valid token can find out a name of the schema, whatever is right or wrong with a document.
async fn without_a_token_every_document_is_answered_alike(engine: Engine) {
    let server = production(engine).await;
    let texts = [
        "{ tenants { code } }",
        "{ __typename }",
        "{ noSuchField }",
        "{ tenants { noSuchField } }",
        "{ __schema { queryType { name } } }",
        "{ ",
        "mutation { queueCreate(input: {}) { userErrors { code } } }",
        "query($a: NoSuchType) { tenants { code } }",
        // Too dear, which the types of its fields say.
        "{ tenant { virtualExtensions(first: 100) { nodes { references(first: 100) { nodes { path } } } } } }",
    ];
    for (authorization, sentence) in
        [(None, "A bearer token is required."), (Some("Bearer made-up"), "The bearer token is not valid.")]
    {
        for text in texts {
            // What breaks the grammar says nothing of the schema, and is told before a made-up token is looked up.
            if authorization.is_some() && text == "{ " {
                continue;
            }
            for accept in ["application/graphql-response+json", "application/json", "text/event-stream"] {
                let mut request = Request::post("/graphql").header("content-type", "application/json");
                request = request.header("accept", accept);
                if let Some(authorization) = authorization {
                    request = request.header("authorization", authorization);
                }
                let body = Body::from(json!({ "query": text }).to_string());
                let (status, headers, answer) = answered(&server, request.body(body).unwrap()).await;
                assert_eq!(status, StatusCode::UNAUTHORIZED, "{text} {accept}: {answer}");
                assert_eq!(headers["www-authenticate"], "Bearer", "{text} {accept}");
                let error = json!({ "message": sentence, "extensions": { "code": "UNAUTHENTICATED" } });
                let [seen] = answer["errors"].as_array().unwrap().as_slice() else { panic!("{text}: {answer}") };
                assert_eq!((&seen["message"], &seen["extensions"]), (&error["message"], &error["extensions"]));
                assert!(seen["locations"].as_array().is_none_or(Vec::is_empty), "{text}: {answer}");
            }
        }
    }
}

/// Each text is one letter beside a name that exists.
async fn names_are_suggested_only_where_the_schema_is_open(engine: Engine) {
    let closed = production(engine).await;
    let open = Server::start(engine);
    for text in [
        "{ tenan { code } }",
        "{ tenant(cod: \"A\") { code } }",
        "{ tenant @deprecated(reasn: \"x\") { code } }",
        "{ tenant { virtualExtensions(orderBy: {field: NUMBR}) { totalCount } } }",
        "{ tenant { virtualExtensions(filter: {numbr: 1}) { totalCount } } }",
        "query($n: Strin) { tenant(code: $n) { code } }",
        "{ ...F } fragment F on Quer { __typename }",
        "{ tenant @inclde(if: true) { code } }",
    ] {
        let errors = async |server: &Server| {
            let answer = server.answer(TOKEN, text, json!({})).await;
            answer.get("errors").unwrap_or_else(|| panic!("{text}: {answer}")).to_string()
        };
        assert!(errors(&open).await.contains("Did you mean"), "{text}: {}", errors(&open).await);
        assert!(!errors(&closed).await.contains("Did you mean"), "{text}: {}", errors(&closed).await);
    }
}

async fn the_playground_asks_for_a_token_with_the_scope_explore(engine: Engine) {
    let server = production(engine).await;
    let page = async |path: &str, authorization: Option<&str>| {
        let mut request = Request::get(path);
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        answered(&server, request.body(Body::empty()).unwrap()).await
    };
    for path in ["/playground/", "/playground/config.json", "/playground/index.js", "/playground/nothing.js"] {
        let without_colon = format!("Basic {}", STANDARD.encode(EXPLORER));
        let (read, wrong, token) = (basic(READ), basic("nonsense"), bearer(EXPLORER));
        for refused in [None, Some(&*read), Some(&wrong), Some(&token), Some(&without_colon), Some("Basic !")] {
            let (status, headers, answer) = page(path, refused).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{path} {refused:?}");
            let challenge = headers["www-authenticate"].to_str().unwrap();
            assert!(challenge.starts_with("Basic realm="), "a browser asks for the token: {challenge}");
            assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
        }
        let status = page(path, Some(&basic(EXPLORER))).await.0;
        let expected = if path.contains("nothing") { StatusCode::NOT_FOUND } else { StatusCode::OK };
        assert_eq!(status, expected, "{path}");
    }
    let (_, _, config) = page("/playground/config.json", Some(&basic(EXPLORER))).await;
    assert_eq!((&config["demoToken"], &config["tenants"]), (&Value::Null, &json!([])));
    assert!(server.app.revoke_token(EXPLORER).await.unwrap());
    assert_eq!(page("/playground/", Some(&basic(EXPLORER))).await.0, StatusCode::UNAUTHORIZED);
}

/// What a browser sends on its own, after somebody has signed in to the playground, is no token to GraphQL: another
/// site's page could make it send that.
async fn what_a_browser_adds_opens_no_data(engine: Engine) {
    let server = production(engine).await;
    let post = Request::post("/graphql").header("content-type", "application/json");
    let post = post.header("authorization", basic(EXPLORER)).body(Body::from(r#"{"query":"{ tenant { code } }"}"#));
    let get = Request::get("/graphql?query=%7Btenant%7Bcode%7D%7D").header("authorization", basic(EXPLORER));
    for request in [post.unwrap(), get.body(Body::empty()).unwrap()] {
        let (status, headers, answer) = answered(&server, request).await;
        assert_eq!((status, answer.get("data")), (StatusCode::UNAUTHORIZED, None));
        assert_eq!(headers["www-authenticate"], "Bearer", "no browser asks for it");
    }
}

async fn every_answer_has_a_name_and_says_what_it_is_not(engine: Engine) {
    let server = production(engine).await;
    let request = |method: Method, path: &str, body: &str| {
        let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        request.body(Body::from(body.to_owned())).unwrap()
    };
    let unacceptable = Request::post("/graphql").header("accept", "text/html").body(Body::empty()).unwrap();
    let (post, get) = (Method::POST, Method::GET);
    let mut seen = HashSet::new();
    for (sent, status) in [
        (request(post.clone(), "/graphql", r#"{"query":"{__typename}"}"#), 401),
        (request(get.clone(), "/healthz", ""), 200),
        (request(get.clone(), "/", ""), 307),
        (request(get.clone(), "/playground", ""), 308),
        (request(post.clone(), "/graphql", "{"), 400),
        (request(get.clone(), "/playground/", ""), 401),
        (request(get.clone(), "/nothing", ""), 404),
        (request(get.clone(), "/graphql/", ""), 404),
        (request(Method::PUT, "/graphql", ""), 405),
        (request(Method::OPTIONS, "/graphql", ""), 405),
        (request(post.clone(), "/", ""), 405),
        (unacceptable, 406),
        (request(post, "/graphql", &" ".repeat(300_000)), 413),
    ] {
        let path = sent.uri().clone();
        let (answered, headers, body) = answered(&server, sent).await;
        assert_eq!(answered.as_u16(), status, "{path}");
        let id = headers["x-request-id"].to_str().unwrap().to_owned();
        assert!(id.len() == 16 && seen.insert(id), "{path}: a name of its own");
        for (name, value) in [
            ("cache-control", "no-store"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
        ] {
            assert_eq!(headers[name], value, "{path}: {name}");
        }
        assert!(headers.contains_key("permissions-policy") && !headers.contains_key("server"), "{path}");
        assert!(!headers.contains_key("access-control-allow-origin"), "{path}");
        if status >= 400 {
            assert!(body["errors"][0]["extensions"]["code"].is_string(), "{path}: {body}");
        }
    }
    // The playground's own policy stands.
    let page = Request::get("/playground/").header("authorization", basic(EXPLORER)).body(Body::empty()).unwrap();
    let (_, headers, _) = answered(&server, page).await;
    assert!(headers["content-security-policy"].to_str().unwrap().contains("script-src 'self'"));
    assert_eq!(
        (&headers["cache-control"], &headers["x-frame-options"]),
        (&"no-cache".parse().unwrap(), &"DENY".parse().unwrap())
    );
}

async fn pages_of_the_allowed_origins_may_use_the_api(engine: Engine) {
    let allowed_origins = vec!["https://panel.example.com".parse().unwrap(), "http://localhost:5173".parse().unwrap()];
    let options = ServeOptions { door: DoorOptions { allowed_origins }, ..ServeOptions::default() };
    let server = Server::with(engine, options).unwrap();
    let preflight = async |path: &str, origin: &str| {
        let request = Request::options(path).header("origin", origin);
        let request = request.header("access-control-request-method", "POST");
        let request = request.header("access-control-request-headers", "authorization,content-type");
        answered(&server, request.body(Body::empty()).unwrap()).await
    };
    let query = async |origin: &str| {
        let request = Request::post("/graphql").header("content-type", "application/json").header("origin", origin);
        let request = request.header("authorization", bearer(TOKEN));
        answered(&server, request.body(Body::from(r#"{"query":"{ tenant { code } }"}"#)).unwrap()).await
    };
    for origin in ["https://panel.example.com", "http://localhost:5173"] {
        let (status, headers, _) = preflight("/graphql", origin).await;
        assert_eq!((status, headers["access-control-allow-origin"].to_str().unwrap()), (StatusCode::OK, origin));
        assert_eq!(headers["access-control-allow-methods"], "GET,POST");
        let allowed = headers["access-control-allow-headers"].to_str().unwrap();
        for name in ["authorization", "content-type", "x-tenant", "graphql-require-preflight", "traceparent"] {
            assert!(allowed.split(',').any(|one| one == name), "{name} in {allowed}");
        }
        assert_eq!(headers["access-control-max-age"], "7200");
        let (status, headers, answer) = query(origin).await;
        assert_eq!((status, &answer["data"]["tenant"]["code"]), (StatusCode::OK, &json!("CANISTRACCI")));
        assert_eq!(headers["access-control-allow-origin"], origin);
        assert!(headers["access-control-expose-headers"].to_str().unwrap().contains("x-request-id"));
        assert!(!headers.contains_key("access-control-allow-credentials"), "nothing that the browser adds counts");
        let vary: Vec<_> = headers.get_all("vary").iter().map(|value| value.to_str().unwrap()).collect();
        assert!(vary.contains(&"origin") && vary.contains(&"accept"), "{vary:?}");
    }
    for origin in ["https://evil.example.com", "https://panel.example.com:8443", "http://panel.example.com", "null"] {
        assert!(!preflight("/graphql", origin).await.1.contains_key("access-control-allow-origin"), "{origin}");
        assert!(!query(origin).await.1.contains_key("access-control-allow-origin"), "{origin}");
    }
    let (status, headers, _) = preflight("/playground/config.json", "https://panel.example.com").await;
    assert!(status != StatusCode::OK && !headers.contains_key("access-control-allow-origin"), "{status} {headers:?}");
}

/// The program as it is installed: production unless it is told otherwise, and what it keeps back stands in its log.
#[test]
fn serve_is_production_and_says_reasons_in_the_log_alone() {
    let live = Live::new(Engine::Sqlite, Content::Demo);
    let (database, key) = (live.url(), live.options().key_file.display().to_string());
    let run = |arguments: &[&str]| {
        let output = output(vext(arguments).args(["--database", &database, "--key-file", &key]));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let explorer = run(&["token", "create", "--name", "developer", "--tenant", "MOLLOY", "--scope", "explore"]);
    assert!(run(&["token", "list"]).contains("read explore"), "the list shows the scope");
    live.execute("UPDATE pbx_object SET kind = 'TELEGRAPH' WHERE tenant_id = 1 AND number = '101'");
    let serve = |more: &[&str]| {
        let arguments = ["serve", "--database", &database, "--key-file", &key, "--log-level", "debug"];
        Process::start(&[&arguments, more].concat())
    };
    let schema =
        |server: &Process, token: &str| server.ask(token, "{ __schema { queryType { name } } }", &json!({})).unwrap();
    let server = serve(&[]);
    assert_eq!(schema(&server, TOKEN)["errors"][0]["extensions"]["code"], "INTROSPECTION_FORBIDDEN");
    assert_eq!(schema(&server, explorer.trim())["data"]["__schema"]["queryType"]["name"], "Query");
    let broken = "{ tenant { virtualExtension(by: {number: \"101\"}) { name } } }";
    let answer = server.ask(TOKEN, broken, &json!({})).unwrap();
    let extensions = &answer["errors"][0]["extensions"];
    assert_eq!(extensions["code"], "INTERNAL", "{answer}");
    assert!(!answer.to_string().contains("damaged"), "{answer}");
    let line = server.says("a request failed");
    assert!(line.contains("damaged") && line.contains(extensions["requestId"].as_str().unwrap()), "{line}");
    let answer = client::get(&server.address, "/nothing", &[]).unwrap();
    let id = answer.header("x-request-id");
    assert!(!id.is_empty() && server.says("status=404").contains(id), "{answer:?}");
    drop(server);
    let server = serve(&["--explorable"]);
    assert_eq!(schema(&server, TOKEN)["data"]["__schema"]["queryType"]["name"], "Query");
}

on_each_engine!(
    the_schema_is_for_tokens_with_the_scope_explore,
    without_a_token_every_document_is_answered_alike,
    names_are_suggested_only_where_the_schema_is_open,
    the_playground_asks_for_a_token_with_the_scope_explore,
    what_a_browser_adds_opens_no_data,
    every_answer_has_a_name_and_says_what_it_is_not,
    pages_of_the_allowed_origins_may_use_the_api,
);
