//! Documents and variables as the specification reads them (September 2025), through the real router: what is not valid is
//! refused before the first resolver, with a code, on every transport.

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::engines::{Engine, on_each_engine};
use crate::events::Events;
use crate::harness::{Server, TOKEN};

/// The default of a variable holds wherever a directive asks for it.
async fn the_default_of_a_variable_decides_what_is_left_out(engine: Engine) {
    let server = Server::start(engine);
    let text = "query($a: Boolean = true, $b: Boolean = false) { tenant { code @include(if: $a) name @include(if: $b)
        timezone: name @skip(if: $b) gone: code @skip(if: $a)
        ... @include(if: $a) { one: code } ... @skip(if: $a) { two: code }
        ...F @include(if: $a) ...G @skip(if: $a) } }
        fragment F on Tenant { three: code } fragment G on Tenant { four: code }";
    let of = async |variables: Value| {
        let tenant = server.data(text, variables).await["tenant"].take();
        tenant.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(of(json!({})).await, "code timezone one three");
    assert_eq!(of(json!({ "a": false })).await, "timezone gone two four");
    assert_eq!(of(json!({ "a": true, "b": true })).await, "code name one three");
    // Null is no truth value, and is told before anything is executed.
    let refused = server.answer(TOKEN, text, json!({ "a": null })).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{refused}");
    assert_eq!(refused["errors"].as_array().unwrap().len(), 1, "{refused}");
    assert!(refused.get("data").is_none(), "{refused}");

    // In a mutation: the field that is skipped is not executed.
    let text = "mutation($skip: Boolean = true, $include: Boolean = false) {
        a: callGroupCreate(input: {name: \"Skipped\"}) @skip(if: $skip) { object { id } }
        b: callGroupCreate(input: {name: \"Left out\"}) @include(if: $include) { object { id } } __typename }";
    let before = server.data("{ tenant { revision } }", json!({})).await;
    assert_eq!(server.data(text, json!({})).await, json!({ "__typename": "Mutation" }));
    assert_eq!(server.data("{ tenant { revision } }", json!({})).await, before, "nothing was saved");

    // In a subscription.
    let text = "subscription($a: Boolean = true, $since: Int) { objectChanged(since: $since) {
        cursor @skip(if: $a) kind @include(if: $a) } }";
    let authorization = format!("Bearer {TOKEN}");
    let request = json!({ "query": text, "variables": { "since": 0 } });
    let event = Events::open(&server, &[("authorization", &authorization)], &request).await.next().await.unwrap();
    let seen = event["data"]["objectChanged"].as_object().unwrap();
    assert_eq!(seen.keys().collect::<Vec<_>>(), ["kind"], "{event}");
}

/// A client that hears an error tries again: nothing may have been saved.
async fn what_is_wrong_is_told_before_anything_is_saved(engine: Engine) {
    let server = Server::start(engine);
    let revision = async || server.data("{ tenant { revision } }", json!({})).await;
    let before = revision().await;
    let create = |variables: &str, rest: &str| {
        format!("mutation{variables} {{ callGroupCreate(input: {{name: \"Once\"}}) {{ object {{ id {rest} }} }} }}")
    };
    let page = create("($n: Int)", "references(first: $n) { totalCount }");
    for (text, variables) in [
        (create("", "references(first: 99999999999) { totalCount }"), json!({})),
        (create("", "references(first: \"5\") { totalCount }"), json!({})),
        (page.clone(), json!({ "n": 99_999_999_999_u64 })),
        (page.clone(), json!({ "n": "7" })),
        (page, json!({ "n": 1.5 })),
        (create("($on: Boolean = true)", "name @include(if: $on)"), json!({ "on": null })),
        // Another field of the same request.
        (
            "mutation($b: ExtensionNumber) { a: callGroupCreate(input: {name: \"Once\"}) { object { id } }
              b: extensionCreate(input: {name: \"Phone\", number: $b}) { object { id } } }"
                .to_owned(),
            json!({ "b": 190 }),
        ),
        (
            "mutation { a: callGroupCreate(input: {name: \"Once\"}) { object { id } }
              b: extensionCreate(input: {name: \"Phone\", number: 190}) { object { id } } }"
                .to_owned(),
            json!({}),
        ),
    ] {
        let answer = server.answer(TOKEN, &text, variables.clone()).await;
        let code = &answer["errors"][0]["extensions"]["code"];
        assert!(code == "BAD_USER_INPUT" || code == "GRAPHQL_VALIDATION_FAILED", "{text} {variables}: {answer}");
        assert!(answer.get("data").is_none(), "{text}: {answer}");
        assert_eq!(revision().await, before, "{text} {variables}");
    }
}

/// An argument whose variable has no value is as if it were not there.
async fn an_absent_variable_leaves_its_argument_out(engine: Engine) {
    let server = Server::start(engine);
    let text = "query($f: Int, $o: OrderDirection, $s: String) { tenant {
        virtualExtensions(first: $f, search: $s, orderBy: {field: NUMBER, direction: $o}) { nodes { number } } } }";
    assert!(server.data(text, json!({})).await["tenant"]["virtualExtensions"]["nodes"][0]["number"].is_string());
    // The argument has a default, so that the variable need not have one.
    let text = "query($d: Boolean) { __type(name: \"Tenant\") { fields(includeDeprecated: $d) { name } } }";
    let all = server.data(text, json!({})).await;
    assert!(all["__type"]["fields"].as_array().unwrap().len() > 5, "{all}");
    let refused = server.answer(TOKEN, text, json!({ "d": null })).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{refused}");
}

async fn texts_mean_what_the_specification_says(engine: Engine) {
    let server = Server::start(engine);
    let text = r#""""What it does.""" mutation M("A name." $name: String = "\uD83D\uDE00\u{1F600}\u00e9") {
        callGroupCreate(input: {name: $name, description: """
          two   \""" quotes
        """}) { object { name description } userErrors { message } } }"#;
    let made = server.data(text, json!({})).await["callGroupCreate"].take();
    assert_eq!(made["object"], json!({ "name": "😀😀é", "description": "two   \"\"\" quotes" }), "{made}");
}

/// What is wrong, and the code that every transport must answer.
const WRONG: &[(&str, &str)] = &[
    ("{", "GRAPHQL_PARSE_FAILED"),
    ("{ tenant { name(a: \"\\x\") } }", "GRAPHQL_PARSE_FAILED"),
    ("{ noSuchField }", "GRAPHQL_VALIDATION_FAILED"),
    ("{ tenant { x: code } tenant { x: name } }", "GRAPHQL_VALIDATION_FAILED"),
    ("{ __typename @nope }", "GRAPHQL_VALIDATION_FAILED"),
    ("{ __typename @skip }", "GRAPHQL_VALIDATION_FAILED"),
    ("{ __typename @skip(if: true) @skip(if: true) }", "GRAPHQL_VALIDATION_FAILED"),
    ("{ __typename @skip(if: $a) }", "GRAPHQL_VALIDATION_FAILED"),
    ("{ ...F } fragment F on Query { __typename ...F }", "GRAPHQL_VALIDATION_FAILED"),
    ("query A { __typename } query A { __typename }", "GRAPHQL_VALIDATION_FAILED"),
    ("query($n: Int!) { tenant { virtualExtensions(first: $n) { totalCount } } }", "BAD_USER_INPUT"),
    ("query A { __typename } query B { __typename }", "OPERATION_RESOLUTION_FAILURE"),
];

async fn every_error_has_a_code_on_every_transport(engine: Engine) {
    let server = Server::start(engine);
    let authorization = format!("Bearer {TOKEN}");
    for (text, code) in WRONG {
        let check = |answer: &Value, way: &str| {
            let errors = answer["errors"].as_array().unwrap_or_else(|| panic!("{text} over {way}: {answer}"));
            let codes: Vec<_> = errors.iter().map(|error| &error["extensions"]["code"]).collect();
            assert!(!codes.is_empty() && codes.iter().all(|seen| *seen == code), "{text} over {way}: {answer}");
            assert!(answer.get("data").is_none_or(Value::is_null), "{text} over {way}: {answer}");
        };
        check(&server.answer(TOKEN, text, json!({})).await, "POST");
        let query: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let get = Request::get(format!("/graphql?query={query}")).header("authorization", &authorization);
        let answer = server.send(get.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status(), StatusCode::OK);
        check(&serde_json::from_slice(&to_bytes(answer.into_body(), usize::MAX).await.unwrap()).unwrap(), "GET");
        let mut events = Events::open(&server, &[("authorization", &authorization)], &json!({ "query": text })).await;
        check(&events.next().await.unwrap(), "events");
    }
    assert_eq!(server.data("{ __typename }", json!({})).await, json!({ "__typename": "Query" }));
}

on_each_engine!(
    the_default_of_a_variable_decides_what_is_left_out,
    what_is_wrong_is_told_before_anything_is_saved,
    an_absent_variable_leaves_its_argument_out,
    texts_mean_what_the_specification_says,
    every_error_has_a_code_on_every_transport,
);
