//! The door through the real router: what is refused says which limit, how much and where, and the worst that is let
//! through is answered in bounded time.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::engines::Engine;
use crate::harness::{Server, TOKEN};

const JSON: (&str, &str) = ("accept", "application/graphql-response+json");

/// Refusals keep their shape over POST and GET, and nothing of the text is repeated.
#[tokio::test]
async fn a_refusal_names_the_limit_the_actual_value_and_the_place() {
    let server = Server::start(Engine::Sqlite);
    for (text, code, limit, actual, column) in [
        ("{a(b:".to_owned() + &"[".repeat(4000), "VALUE_TOO_DEEP", 16, 17, 22),
        ("{a".repeat(30_000), "NESTED_TOO_DEEP", 64, 65, 129),
        ("{".to_owned() + &"a ".repeat(2000) + "}", "TOO_MANY_TOKENS", 2000, 2001, 4000),
        ("{".to_owned() + &"a:b ".repeat(31) + "}", "TOO_MANY_ALIASES", 30, 31, 122),
        (format!("{{ {} }}", "a".repeat(257)), "NAME_TOO_LONG", 256, 257, 3),
        ("query($a:".to_owned() + &"[".repeat(30_000), "TYPE_TOO_DEEP", 16, 17, 26),
        ("{a".repeat(13) + &"}".repeat(13), "SELECTION_TOO_DEEP", 12, 13, 26),
    ] {
        let (status, answer) = server.post(&[JSON], &json!({ "query": text })).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        let error = &answer["errors"][0];
        assert_eq!(error["extensions"], json!({ "code": code, "limit": limit, "actual": actual }), "{code}");
        assert_eq!(error["locations"], json!([{ "line": 1, "column": column }]), "{code}");
        assert_eq!(answer.as_object().unwrap().len(), 1, "no data: {answer}");
        let query: String = form_urlencoded::Serializer::new(String::new()).append_pair("query", &text).finish();
        let get = Request::get(format!("/graphql?{query}")).header(JSON.0, JSON.1).header("x-tenant", "CANISTRACCI");
        if query.len() < 60_000 {
            let response = server.send(get.body(Body::empty()).unwrap()).await;
            assert_eq!(response.status(), StatusCode::BAD_REQUEST);
            let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
            assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), answer);
        }
    }
    let deep = (0..20).fold(json!(1), |value, _| json!([value]));
    let (status, answer) = server.post(&[JSON], &json!({ "query": "{ a }", "variables": { "v": deep } })).await;
    let extensions = json!({ "code": "VALUE_TOO_DEEP", "limit": 16, "actual": 17 });
    assert_eq!((status, &answer["errors"][0]["extensions"]), (StatusCode::BAD_REQUEST, &extensions));
    let (_, answer) = server.post(&[JSON], &json!({ "query": "{ a }", "variables": { "v": vec![0; 5000] } })).await;
    let extensions = json!({ "code": "TOO_MANY_VALUES", "limit": 5000, "actual": 5001 });
    assert_eq!(answer["errors"][0]["extensions"], extensions);
}

/// The most that is let through of what parsing and validation take longest for.
fn worst() -> Vec<(&'static str, String, Value)> {
    let none = Value::Null;
    let names = |count: usize, length: usize| {
        (0..count).map(move |i| format!("{i:a<length$} ").replacen(|c: char| c.is_ascii_digit(), "n", 1))
    };
    let chain = |body: fn(usize) -> String| {
        (0..30).map(|i| format!("fragment F{i} on Query{{...F{} {}}}", i + 1, body(i))).collect::<String>()
    };
    let form = "tenant{virtualExtension(by:{number:\"108\"}){information{outboundCallerId}}}";
    vec![
        ("tokens", format!("{{tenants{{{}}}}}", "id ".repeat(1990)), none.clone()),
        ("unknown fields", format!("{{tenants{{{}}}}}", "nope ".repeat(1990)), none.clone()),
        ("long unknown names", format!("{{tenants{{{}}}}}", names(250, 250).collect::<String>()), none.clone()),
        ("long unknown directives", format!("{{tenants{{id {}}}}}", "@skip(nope:1)".repeat(50)), none.clone()),
        (
            "conflicts",
            format!("{{{}}}", (0..220).map(|i| format!("tenant(code:\"{i}\"){{id}}")).collect::<String>()),
            none.clone(),
        ),
        (
            "conflicts in a chain",
            format!(
                "{{...F0}}{}fragment F30 on Query{{tenants{{id}}}}",
                chain(|i| format!("tenant(code:\"{i}\"){{id}}"))
            ),
            none.clone(),
        ),
        (
            "fragments",
            format!("{{...F0}}{}fragment F30 on Query{{{}}}", chain(|_| String::new()), "__typename ".repeat(1500)),
            none.clone(),
        ),
        (
            "fragments on objects",
            {
                let sets = "virtualExtensions{nodes{...F}}".repeat(40);
                format!("{{tenant{{{sets}}}}}fragment F on VirtualExtension{{{}}}", "id name number ".repeat(15))
            },
            none.clone(),
        ),
        ("one field", format!("{{{}}}", form.repeat(90)), none.clone()),
        ("white space", format!("{{tenants{{id{}}}}}", " ".repeat(60_000)), none.clone()),
        ("comments", format!("{{tenants{{id{}}}}}", "#\n".repeat(30_000)), none.clone()),
        ("a string", format!("{{node(id:\"{}\"){{id}}}}", "\\\"".repeat(30_000)), none.clone()),
        ("a block string", format!("{{node(id:\"\"\"{}\"\"\"){{id}}}}", " \\\"\"\"\"\" ".repeat(8_000)), none.clone()),
        ("values", format!("{{nodes(ids:[{}]){{id}}}}", "\"a\"".repeat(1980)), none.clone()),
        (
            "variables",
            {
                let defined: String = (0..120).map(|i| format!("$v{i}:ID!")).collect();
                let used: String = (0..120).map(|i| format!("node(id:$v{i}){{id}}")).collect();
                format!("query({defined}){{{used}}}")
            },
            none.clone(),
        ),
        (
            "a list in many places",
            format!("query($v:[ID!]!){{{}}}", "nodes(ids:$v){id}".repeat(190)),
            json!({ "v": vec!["a"; 4990] }),
        ),
        (
            "a text in many places",
            format!(
                "query($v:OrderField!){{tenant{{{}}}}}",
                "virtualExtensions(orderBy:{field:$v}){nodes{id}}".repeat(100)
            ),
            json!({ "v": "A".repeat(16_000) }),
        ),
    ]
}

#[tokio::test]
async fn the_worst_that_is_let_through_is_answered() {
    let server = Server::start(Engine::Sqlite);
    let authorization = format!("Bearer {TOKEN}");
    for (name, text, variables) in worst() {
        let begun = Instant::now();
        let body = json!({ "query": text, "variables": variables });
        let (_, answer) = server.post(&[("authorization", &authorization), JSON], &body).await;
        let codes = ["TOO_MANY_", "TOO_LARGE", "TOO_DEEP", "TOO_LONG"];
        let refused = answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_default();
        assert!(!codes.iter().any(|code| refused.contains(code)), "{name} does not pass: {}", answer["errors"][0]);
        println!(
            "{name}: {:?}, {} bytes, {} errors",
            begun.elapsed(),
            answer.to_string().len(),
            answer["errors"].as_array().map_or(0, Vec::len)
        );
        assert!(begun.elapsed() < Duration::from_secs(20), "{name} took {:?}", begun.elapsed());
    }
    // The answers of a server that is well.
    assert_eq!(server.data("{ tenant { code } }", json!({})).await["tenant"]["code"], "CANISTRACCI");
}
