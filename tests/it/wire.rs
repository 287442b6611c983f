//! Requests that may be read in two ways, and answers that come from the router itself: all are refused in one shape.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use serde_json::{Value, json};
use vext::http::ServeOptions;

use crate::client::{self, exchange};
use crate::engines::{Engine, on_each_engine};
use crate::harness::{ALL, MOLLOY, Server, TOKEN};
use crate::process::Process;
use crate::watching::free;

const ASK: &str = r#"{"query":"{ tenant { code } }"}"#;

/// Status, headers in small letters, and body of an answer.
fn parts(said: &str) -> (&str, String, Value) {
    let (head, body) = said.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{said:?}"));
    (head.split(' ').nth(1).unwrap(), head.to_lowercase(), serde_json::from_str(body).unwrap_or_default())
}

#[test]
fn a_request_names_its_host_once() {
    let metrics = free();
    let server = Process::demo(&["--token", "T", "--metrics-listen", &metrics]);
    let ask = |address: &str, line: &str, hosts: &[&str]| {
        let hosts: String = hosts.iter().map(|host| format!("host: {host}\r\n")).collect();
        exchange(address, format!("{line}\r\n{hosts}x-tenant: A\r\nx-tenant: B\r\n\r\n"))
    };
    let (own, addresses) =
        (&server.address, ["/", "/healthz", "/graphql", "/playground/", "/playground/%ff", "/nowhere"]);
    for path in addresses {
        for (hosts, said) in [
            (&[][..], "host is missing"),
            (&["a", "b"], "host appears more than once"),
            (&["a", "a"], "host appears more than once"),
            (&[""], "host is empty"),
            (&["a b"], "must be a host name or an IP address"),
            (&["http://a/"], "must be a host name or an IP address"),
            (&["me@a"], "must be a host name or an IP address"),
            (&["a:b"], "must be a host name or an IP address"),
        ] {
            let answer = ask(own, &format!("GET {path} HTTP/1.1"), hosts);
            let (status, head, body) = parts(&answer);
            assert_eq!((status, &body["errors"][0]["extensions"]["code"]), ("400", &json!("BAD_REQUEST")), "{answer}");
            let sentence = body["errors"][0]["message"].as_str().unwrap();
            assert!(
                sentence.contains(said) && sentence.contains("x-tenant appears more than once"),
                "all at once: {sentence}"
            );
            assert!(head.contains("connection: close") && head.contains("x-request-id: "), "{head}");
            assert!(body.get("data").is_none(), "{body}");
        }
    }
    let fine = |address: &str, line: &str, hosts: &str| {
        let said = exchange(address, format!("{line}\r\n{hosts}connection: close\r\n\r\n"));
        parts(&said).0.to_owned()
    };
    for hosts in ["host: pbx.example\r\n", "Host: [::1]:8080\r\n", "HOST:  a: \r\n"] {
        assert_eq!(fine(own, "GET /healthz HTTP/1.1", hosts), "200", "{hosts}");
    }
    // HTTP/1.0 knows no host, and a whole address names it; but nobody names two.
    assert_eq!(fine(own, "GET /healthz HTTP/1.0", ""), "200");
    assert_eq!(fine(own, "GET /healthz HTTP/1.0", "host: a\r\nhost: b\r\n"), "400");
    assert_eq!(fine(own, "GET http://a/healthz HTTP/1.1", "host:\r\n"), "200");
    assert_eq!(fine(own, "GET http://a/healthz HTTP/1.1", ""), "400");
    // The same on the other listener.
    assert_eq!(fine(&metrics, "GET /metrics HTTP/1.1", ""), "400");
    assert_eq!(fine(&metrics, "GET /metrics HTTP/1.1", "host: a\r\n"), "200");
    assert_eq!(fine(&metrics, "POST /metrics HTTP/1.1", "host: a\r\n"), "405");
    assert_eq!(fine(&metrics, "GET / HTTP/1.1", "host: a\r\n"), "404");
    assert!(client::get(own, "/healthz", &[]).is_some());
}

/// The answer to a POST with more headers.
async fn posted(server: &Server, headers: &[(&str, &str)]) -> (StatusCode, Value) {
    let mut request = Request::post("/graphql");
    for (name, value) in headers {
        request = request.header(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    let (status, _, body) = answered(server, request.body(Body::from(ASK)).unwrap()).await;
    (status, body)
}

async fn answered(server: &Server, request: Request<Body>) -> (StatusCode, HeaderMap, Value) {
    let (head, body) = server.send(request).await.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    (head.status, head.headers, serde_json::from_slice(&body).unwrap_or_default())
}

/// Each header that is read: twice it is refused, or it does no harm.
async fn no_header_is_read_in_two_ways(engine: Engine) {
    let server = Server::start(engine);
    let [bearer, molloy] = [TOKEN, MOLLOY].map(|token| format!("Bearer {token}"));
    let signed = [("content-type", "application/json"), ("authorization", bearer.as_str())];
    let key = "dGhlIHNhbXBsZSBub25jZQ==";
    for (name, first, second, refused) in [
        ("authorization", bearer.as_str(), molloy.as_str(), true),
        ("authorization", &bearer, "Basic eDp5", true),
        ("authorization", &bearer, &bearer, true),
        ("x-tenant", "CANISTRACCI", "MOLLOY", true),
        ("x-tenant", "CANISTRACCI", "", true),
        ("content-type", "application/json", "text/plain", true),
        ("content-type", "text/plain", "application/json", true),
        ("origin", "https://panel.example", "https://evil.example", true),
        ("sec-websocket-key", key, key, true),
        ("sec-websocket-version", "13", "13", true),
        // Lists, or names of which any number may come.
        ("accept", "application/json", "text/html", false),
        ("accept-encoding", "identity", "gzip", false),
        ("content-encoding", "identity", "identity", false),
        ("if-none-match", "\"a\"", "\"b\"", false),
        ("x-forwarded-for", "192.0.2.1", "192.0.2.2", false),
        ("forwarded", "for=192.0.2.1", "for=192.0.2.2", false),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "x", false),
        ("x-request-id", "1", "2", false),
        ("apollo-require-preflight", "1", "2", false),
        ("graphql-require-preflight", "1", "2", false),
        ("x-apollo-operation-name", "A", "B", false),
        ("access-control-request-method", "POST", "PUT", false),
        ("cookie", "a=1", "b=2", false),
    ] {
        let others: Vec<_> = signed.into_iter().filter(|(own, _)| *own != name).collect();
        let (status, body) = posted(&server, &[&others[..], &[(name, first), (name, second)]].concat()).await;
        if refused {
            let sentence = format!("The header {name} appears more than once in the request.");
            assert_eq!((status, &body["errors"][0]["message"]), (StatusCode::BAD_REQUEST, &json!(sentence)));
            assert_eq!(body["errors"][0]["extensions"]["code"], "BAD_REQUEST");
            assert!(body.get("data").is_none(), "{body}");
        } else {
            assert_eq!((status, &body["data"]["tenant"]["code"]), (StatusCode::OK, &json!("CANISTRACCI")), "{name}");
        }
    }
    // All that is wrong at once, at any address.
    let twice = Request::get("/healthz").header("x-tenant", "A").header("x-tenant", "B");
    let twice = twice.header("authorization", "a").header("authorization", "b").body(Body::empty()).unwrap();
    let (status, _, body) = answered(&server, twice).await;
    let said = "The header authorization appears more than once in the request. \
                The header x-tenant appears more than once in the request.";
    assert_eq!((status, &body["errors"][0]["message"]), (StatusCode::BAD_REQUEST, &json!(said)));
    // One line with two values is no tenant, and no token: what a proxy may make of two lines.
    let of_all = format!("Bearer {ALL}");
    let json_type = ("content-type", "application/json");
    let (status, body) =
        posted(&server, &[json_type, ("authorization", &of_all), ("x-tenant", "CANISTRACCI, MOLLOY")]).await;
    assert_eq!((status, &body["data"]["tenant"]), (StatusCode::OK, &Value::Null), "{body}");
    let (status, _) = posted(&server, &[json_type, ("authorization", &format!("{bearer}, {molloy}"))]).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    // Nor does the token's own tenant answer where another was named that nobody can read.
    let (status, body) = posted(&server, &[json_type, ("authorization", &bearer), ("x-tenant", "MÖLLOY")]).await;
    assert_eq!((status, &body["errors"][0]["extensions"]["code"]), (StatusCode::BAD_REQUEST, &json!("BAD_REQUEST")));
}

/// What is nowhere is answered alike, however it is written; and what the router answers itself looks like the rest.
async fn the_router_answers_in_the_one_shape(engine: Engine) {
    let server = Server::start(engine);
    let get = async |path: &str| {
        let (status, mut headers, body) = answered(&server, Request::get(path).body(Body::empty()).unwrap()).await;
        headers.remove("x-request-id");
        (status, headers, body)
    };
    let nowhere = get("/nope").await;
    assert_eq!(nowhere.0, StatusCode::NOT_FOUND);
    for path in [
        "/playground/%ff",
        "/playground/nope",
        "/playground/%00",
        "/playground/%2e%2e%2fgraphql",
        "/playground/%",
        "/%ff",
        "/playground/%ff/%fe",
        "/graphql/%ff",
        "/healthz/",
        "/playground/index.js/",
        "//playground/",
    ] {
        assert_eq!(get(path).await, nowhere, "{path}");
    }
    for (method, path) in [
        (Method::POST, "/"),
        (Method::POST, "/healthz"),
        (Method::DELETE, "/readyz"),
        (Method::PUT, "/playground"),
        (Method::POST, "/playground/"),
        (Method::POST, "/playground/%ff"),
        (Method::PATCH, "/playground/config.json"),
        (Method::TRACE, "/healthz"),
        (Method::PUT, "/graphql"),
    ] {
        let request = Request::builder().method(method.clone()).uri(path).body(Body::empty()).unwrap();
        let (status, headers, body) = answered(&server, request).await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        assert_eq!(body["errors"][0]["extensions"]["code"], "METHOD_NOT_ALLOWED", "{method} {path}: {body}");
        assert!(headers["allow"].to_str().unwrap().starts_with("GET"), "{method} {path}: {headers:?}");
        assert_eq!(headers["content-type"], "application/json; charset=utf-8");
    }
    // Upgrades that are none.
    for (name, value) in [("sec-websocket-version", "12"), ("connection", "close"), ("sec-websocket-key", "")] {
        let mut request = Request::get("/graphql").header("upgrade", "websocket").body(Body::empty()).unwrap();
        for (own, fine) in [("connection", "upgrade"), ("sec-websocket-version", "13"), ("sec-websocket-key", "a")] {
            let value = if own == name { value } else { fine };
            request.headers_mut().insert(own, HeaderValue::from_str(value).unwrap());
        }
        let (status, _, body) = answered(&server, request).await;
        assert!(
            status.is_client_error() && body["errors"][0]["extensions"]["code"].is_string(),
            "{name}: {status} {body}"
        );
    }
    // In production the playground asks for a token first, whatever is below it.
    let closed = Server::with(engine, ServeOptions::default()).unwrap();
    let mut seen = Vec::new();
    for path in ["/playground/%ff", "/playground/nope"] {
        let (status, mut headers, body) = answered(&closed, Request::get(path).body(Body::empty()).unwrap()).await;
        headers.remove("x-request-id");
        seen.push((status, headers, body));
    }
    assert!(seen[0].0 == StatusCode::UNAUTHORIZED && seen[0] == seen[1], "{seen:?}");
}

/// What a mutation says of a name that it does not find is what was sent, wherever it was.
async fn an_unknown_tenant_is_told_as_it_was_sent(engine: Engine) {
    let server = Server::start(engine);
    let bearer = format!("Bearer {TOKEN}");
    let all = format!("Bearer {ALL}");
    let create = "mutation($tenant: String) { queueCreate(input: {tenant: $tenant, name: \"Q\", number: \"899\"}) { userErrors { path code value } } }";
    for (headers, sent, value) in [
        (&[("authorization", bearer.as_str())][..], json!("NOPE"), "NOPE"),
        (&[("authorization", &bearer)], json!("MOLLOY"), "MOLLOY"),
        (&[("authorization", &bearer)], json!("no tenant"), "no tenant"),
        (&[("authorization", &bearer), ("x-tenant", "NOPE")], Value::Null, "NOPE"),
        (&[("authorization", &bearer), ("x-tenant", "MOLLOY")], Value::Null, "MOLLOY"),
        (&[("authorization", &all), ("x-tenant", "canistracci")], Value::Null, "canistracci"),
        (&[("authorization", &all), ("x-tenant", "CANISTRACCI")], json!("NOPE"), "NOPE"),
    ] {
        let (_, answer) = server.post(headers, &json!({ "query": create, "variables": { "tenant": sent } })).await;
        let error = json!([{ "path": ["tenant"], "code": "NOT_FOUND", "value": value }]);
        assert_eq!(answer["data"]["queueCreate"]["userErrors"], error, "{headers:?} {sent}: {answer}");
    }
    let update =
        "mutation($id: ID!) { tenantUpdate(input: {id: $id, name: \"X\"}) { userErrors { path code value } } }";
    for id in ["nonsense", "", "T.1"] {
        let answer = server.answer(ALL, update, json!({ "id": id })).await;
        let error = json!([{ "path": ["id"], "code": "NOT_FOUND", "value": id }]);
        assert_eq!(answer["data"]["tenantUpdate"]["userErrors"], error, "{id}: {answer}");
    }
}

on_each_engine!(
    no_header_is_read_in_two_ways,
    the_router_answers_in_the_one_shape,
    an_unknown_tenant_is_told_as_it_was_sent,
);
