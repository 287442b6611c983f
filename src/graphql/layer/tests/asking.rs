//! How arguments arrive.

use super::*;
use crate::domain::{Patch, Sent};

async fn echo(text: &str, variables: Json) -> String {
    let response = schema().execute(request(text, variables)).await;
    assert!(response.errors.is_empty(), "{:?}", response.errors);
    let Json::String(echo) = json_of(&response)["data"]["echo"].take() else { panic!("there is no text") };
    echo
}

#[tokio::test]
async fn omitted_arguments_have_their_default_or_are_missing() {
    let seven = "Patch([(\"count\", Int(7))])";
    assert_eq!(echo("{ echo }", json!({})).await, seven);
    assert_eq!(echo("query($n: Int! = 8) { echo(count: $n) }", json!({})).await, seven.replace('7', "8"));
    assert_eq!(echo("query($n: Int! = 8) { echo(count: $n) }", json!({ "n": 9 })).await, seven.replace('7', "9"));
    assert_eq!(echo("query($i: Asked) { echo(input: $i) }", json!({})).await, seven);
    let null = "Patch([(\"count\", Int(7)), (\"input\", Null)])";
    assert_eq!(echo("query($i: Asked) { echo(input: $i) }", json!({ "i": null })).await, null);
    assert_eq!(echo("{ echo(input: null) }", json!({})).await, null);
}

#[tokio::test]
async fn input_fields_are_in_the_order_of_their_definition() {
    let text = "
        query($ids: [ID!], $absent: Day) {
            echo(input: { day: $absent, within: { day: \"Mon\", ids: 5, word: SHELF }, ids: $ids }, count: 3)
        }";
    let within = r#"Object(Patch([("word", Text("SHELF")), ("ids", List([Text("5")])), ("day", Text("Mon"))]))"#;
    let ids = r#"List([Text("6"), Text("seven")])"#;
    let input = format!(r#"Object(Patch([("word", Text("BOOK")), ("ids", {ids}), ("within", {within})]))"#);
    let expected = format!(r#"Patch([("count", Int(3)), ("input", {input})])"#);
    assert_eq!(echo(text, json!({ "ids": [6, "seven"] })).await, expected);
}

#[tokio::test]
async fn a_variable_can_be_an_object_or_a_list_of_one() {
    let text = "query($i: Asked) { echo(input: $i) }";
    let expected = r#"Object(Patch([("word", Null), ("ids", List([Text("x")]))]))"#;
    let echoed = echo(text, json!({ "i": { "ids": "x", "word": null } })).await;
    assert_eq!(echoed, format!(r#"Patch([("count", Int(7)), ("input", {expected})])"#));
    let exact = r#"Patch([("count", Int(7)), ("exact", Object(Patch([("b", Text("x"))])))])"#;
    assert_eq!(echo("{ echo(exact: { b: \"x\" }) }", json!({})).await, exact);
}

#[tokio::test]
async fn a_secret_arrives_as_a_secret() {
    for (text, variables) in [
        ("{ echo(input: { pin: \"4711\" }) }", json!({})),
        ("query($p: String) { echo(input: { pin: $p }) }", json!({ "p": "4711" })),
        ("query($i: Asked) { echo(input: $i) }", json!({ "i": { "pin": "4711" } })),
    ] {
        let echoed = echo(text, variables).await;
        assert!(echoed.contains("(\"pin\", Secret(SecretText(…)))"), "{echoed}");
        assert!(!echoed.contains("4711"), "{echoed}");
    }
}

#[test]
fn arguments_are_read_by_their_shape() {
    let words = vec!["BOOK", "SHELF"];
    let given = Patch::from([("n", Sent::Int(3)), ("b", true.into()), ("null", Sent::Null), ("words", words.into())]);
    let args = Args(given);
    assert_eq!(args.int("n").unwrap(), Some(3));
    assert_eq!(args.bool("b").unwrap(), Some(true));
    assert_eq!((args.text("null").unwrap(), args.int("absent").unwrap()), (None, None));
    assert_eq!(args.texts("words").unwrap(), Some(vec!["BOOK", "SHELF"]));
    let initial = |word: &str| word.chars().next().filter(|c| *c != 'X');
    assert_eq!(args.choices("words", initial).unwrap(), Some(vec!['B', 'S']));
    let code = |error: Error| error.extensions.and_then(|own| own.get("code").cloned());
    for wrong in [args.text("n").err(), args.required_text("null").err(), args.required_object("b").err()] {
        assert_eq!(wrong.and_then(code), Some("INTERNAL".into()));
    }
}
