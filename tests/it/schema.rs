//! The schema as clients see it.

use std::fs;

use crate::engines::Engine;
use crate::harness::{Server, TOKEN};
use serde_json::{Value, json};

/// Rewrites `schema.graphql` when it drifts, and fails then.
#[test]
fn schema_graphql_is_what_the_program_serves() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql");
    let sdl = vext::graphql::sdl();
    if fs::read_to_string(path).unwrap_or_default() != sdl {
        fs::write(path, sdl).unwrap();
        panic!("schema.graphql was not up to date; it has been rewritten: look at the difference and commit it");
    }
}

const INTROSPECTION: &str = "{ __schema { types { name kind description
    fields(includeDeprecated: true) { name description args(includeDeprecated: true) { name description } }
    inputFields(includeDeprecated: true) { name description }
    enumValues(includeDeprecated: true) { name description } } } }";

/// Every type, field, argument, input field and enum value says what it is, in a sentence.
#[tokio::test]
async fn everything_is_described() {
    fn check(path: String, element: &Value, missing: &mut Vec<String>) {
        let text = element["description"].as_str().unwrap_or_default();
        let sentence = text.starts_with(|c: char| c.is_uppercase() || c == '`') && text.ends_with('.');
        if !sentence {
            missing.push(format!("{path}: {text:?}"));
        }
    }
    let answer = Server::start(Engine::Sqlite).answer(TOKEN, INTROSPECTION, json!({})).await;
    let mut missing = Vec::new();
    for one in answer["data"]["__schema"]["types"].as_array().unwrap() {
        let name = one["name"].as_str().unwrap();
        // `ID` is the specification's; async-graphql describes the other built-in scalars, but not this one.
        if name.starts_with("__") || name == "ID" {
            continue;
        }
        check(name.to_owned(), one, &mut missing);
        for list in ["fields", "inputFields", "enumValues"] {
            for element in one[list].as_array().into_iter().flatten() {
                let path = format!("{name}.{}", element["name"].as_str().unwrap());
                for argument in element["args"].as_array().into_iter().flatten() {
                    check(format!("{path}({})", argument["name"].as_str().unwrap()), argument, &mut missing);
                }
                check(path, element, &mut missing);
            }
        }
    }
    assert!(missing.is_empty(), "not described in a sentence:\n{}", missing.join("\n"));
}
