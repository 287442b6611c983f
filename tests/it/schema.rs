//! The schema as clients see it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::engines::Engine;
use crate::harness::{Server, TOKEN};
use crate::types::{Types, base, name, written};
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

/// The types, fields, arguments, input fields and enum values of the live schema, each with its path and description.
async fn elements() -> Vec<(String, String)> {
    let answer = Server::start(Engine::Sqlite).answer(TOKEN, INTROSPECTION, json!({})).await;
    let mut found = Vec::new();
    let mut add = |path: String, element: &Value| {
        found.push((path, element["description"].as_str().unwrap_or_default().to_owned()));
    };
    for one in answer["data"]["__schema"]["types"].as_array().unwrap() {
        let name = one["name"].as_str().unwrap();
        // `ID` is the specification's; async-graphql describes the other built-in scalars, but not this one.
        if name.starts_with("__") || name == "ID" {
            continue;
        }
        add(name.to_owned(), one);
        for list in ["fields", "inputFields", "enumValues"] {
            for element in one[list].as_array().into_iter().flatten() {
                let path = format!("{name}.{}", element["name"].as_str().unwrap());
                for argument in element["args"].as_array().into_iter().flatten() {
                    add(format!("{path}({})", argument["name"].as_str().unwrap()), argument);
                }
                add(path, element);
            }
        }
    }
    found
}

/// Every one of them says what it is, in a sentence.
#[tokio::test]
async fn everything_is_described() {
    let sentence = |text: &str| text.starts_with(|c: char| c.is_uppercase() || c == '`') && text.ends_with('.');
    let missing = elements().await.into_iter().filter(|(_, text)| !sentence(text));
    let missing: Vec<_> = missing.map(|(path, text)| format!("{path}: {text:?}")).collect();
    assert!(missing.is_empty(), "not described in a sentence:\n{}", missing.join("\n"));
}

/// What stands in backticks is written as clients write it, and is there: a field, an argument, a type, a word of an enum.
#[tokio::test]
async fn descriptions_name_what_clients_see() {
    /// What is no name of the schema: a header, values, examples of values.
    const OTHER: [&str; 15] = [
        "(uid={user})",
        "00:04:13:a0:b1:c2",
        "A-Z a-z 0-9 . _ -",
        "A-Z a-z 0-9 . _ @ + -",
        "CANISTRACCI",
        "HH:MM",
        "X-Tenant",
        "de_CH",
        "en",
        "false",
        "http://",
        "https://",
        "ivy@example.com",
        "null",
        "true",
    ];
    fn words(text: &str) -> impl Iterator<Item = &str> {
        text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| word.starts_with(char::is_alphabetic))
    }
    let elements = elements().await;
    let known: BTreeSet<_> = elements.iter().flat_map(|(path, _)| words(path)).collect();
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (path, text) in &elements {
        for (i, part) in text.split('`').enumerate() {
            let quoted = i % 2 == 1;
            let fits = |word: &str| match quoted {
                true => known.contains(word),
                // Nor is a field named as the program calls it outside of them.
                false => !(word.contains('_') && word.starts_with(char::is_lowercase)),
            };
            if !(quoted && OTHER.contains(&part) || words(part).all(fits)) {
                wrong.push(format!("{path}: {part:?}"));
            }
            count += usize::from(quoted);
        }
        assert!(text.matches('`').count() % 2 == 0, "{path}: {text:?}");
    }
    assert_eq!(wrong, [] as [&str; 0]);
    assert!(count > 50, "{count} names are looked at");
}

/// The words of errors and of warnings are two enums; what is found in a tenant is one of either.
#[tokio::test]
async fn errors_and_warnings_have_words_of_their_own() {
    const WARNINGS: [&str; 12] = [
        "CALLER_ID_REFUSED",
        "CALLS_DROPPED",
        "MATCHES_NOTHING",
        "MEMBER_DISABLED",
        "NEVER_RINGS",
        "NEVER_TRUE",
        "NO_EFFECT",
        "NO_MEMBERS",
        "NUMBER_NOT_OWNED",
        "REFERENCE_DISABLED",
        "UNREACHABLE_DESTINATION",
        "VOICEMAIL_NEVER_REACHED",
    ];
    let elements = elements().await;
    let words = |of: &str| {
        let word = |(path, _): &(String, String)| path.strip_prefix(&format!("{of}.")).map(str::to_owned);
        elements.iter().filter_map(word).collect::<BTreeSet<_>>()
    };
    let warnings: BTreeSet<_> = WARNINGS.map(str::to_owned).into();
    let (errors, mut of_warnings) = (words("ErrorCode"), words("WarningCode"));
    assert!(of_warnings.remove("BROKEN_RULE"));
    assert_eq!(of_warnings, warnings);
    assert!(errors.len() > 20 && errors.is_disjoint(&warnings), "{errors:?}");
    assert_eq!(words("FindingCode"), &errors | &warnings);

    // Every payload tells errors and warnings so.
    let server = Server::start(Engine::Sqlite);
    let types = Types::of(&server).await;
    for mutation in types.fields("Mutation") {
        let payload = base(&mutation["type"]);
        let written = |field: &str| types.field(payload, field).map(|field| written(&field["type"]));
        assert_eq!(written("userErrors").as_deref(), Some("[UserError!]!"), "{payload}");
        let expected = match payload {
            "TenantPayload" => None,
            "ObjectDeletePayload" => Some("[ObjectWarning!]!"),
            _ => Some("[Warning!]!"),
        };
        assert_eq!(written("warnings").as_deref(), expected, "{payload}");
        if payload != "ObjectDeletePayload" {
            assert!(types.field(payload, "object").is_some(), "{payload}");
        }
    }
    let fields = |of: &str| -> BTreeMap<_, _> {
        types.fields(of).iter().map(|field| (name(field).to_owned(), written(&field["type"]))).collect()
    };
    let (error, warning) = (fields("UserError"), fields("Warning"));
    assert_eq!(
        (&*error["code"], &*warning["code"], &*warning["brokenRule"]),
        ("ErrorCode!", "WarningCode!", "ErrorCode")
    );
    // Of another object they say the same, and which object it is.
    for (of, plain) in [("ObjectError", error), ("ObjectWarning", warning)] {
        let mut of_object = fields(of);
        assert_eq!(of_object.remove("object").as_deref(), Some("PbxObject"));
        assert_eq!(of_object.remove("label").as_deref(), Some("String!"));
        assert_eq!(of_object, plain, "{of}");
    }
}
