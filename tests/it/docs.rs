//! The documents say what the program does: generated pages are up to date, and the tour's answers are real.
//!
//! What has drifted is rewritten, and the test fails then: look at the difference and commit it.

use std::fs;
use std::path::Path;

use crate::engines::{Engine, on_each_engine};
use crate::harness::{Server, TOKEN};
use serde_json::{Value, json};

fn path(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn up_to_date(name: &str, content: &str) {
    if fs::read_to_string(path(name)).unwrap_or_default() != content {
        fs::write(path(name), content).unwrap();
        panic!("{name} was not up to date; it has been rewritten: look at the difference and commit it");
    }
}

#[test]
fn the_configuration_page_lists_every_option() {
    up_to_date("docs/configuration.md", &vext::cli::config_reference());
}

/// Moments differ from run to run; everything else of an answer is as it is.
fn steady(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(steady),
        Value::Object(fields) => fields.iter_mut().for_each(|(name, value)| match name.as_str() {
            "createdAt" | "changedAt" => *value = json!("2026-11-23T09:00:00Z"),
            _ => steady(value),
        }),
        _ => {}
    }
}

/// JSON with a line for each entry, except where all of it fits on one.
fn pretty(value: &Value, indent: usize) -> String {
    let line = match value {
        Value::Object(fields) if !fields.is_empty() => {
            let inner: Vec<_> =
                fields.iter().map(|(name, value)| format!("{name:?}: {}", pretty(value, indent + 2))).collect();
            (format!("{{ {} }}", inner.join(", ")), inner, ['{', '}'])
        }
        Value::Array(list) if !list.is_empty() => {
            let inner: Vec<_> = list.iter().map(|value| pretty(value, indent + 2)).collect();
            (format!("[{}]", inner.join(", ")), inner, ['[', ']'])
        }
        other => return other.to_string(),
    };
    let (short, inner, [open, close]) = line;
    if short.len() + indent <= 76 && !short.contains('\n') {
        return short;
    }
    let entries: Vec<_> = inner.into_iter().map(|entry| format!("{:1$}{entry}", "", indent + 2)).collect();
    format!("{open}\n{}\n{:indent$}{close}", entries.join(",\n"), "")
}

/// Runs each `graphql` block of the README in turn on one server with the demo data; the `json` block behind it is the
/// answer's data.
async fn the_tours_answers_are_real(engine: Engine) {
    let server = Server::start(engine);
    let text = fs::read_to_string(path("README.md")).unwrap();
    let (mut page, mut rest, mut steps) = (String::new(), text.as_str(), 0);
    while let Some((before, block)) = rest.split_once("```graphql\n") {
        let (query, after) = block.split_once("```\n").unwrap();
        let (between, answer) = after.split_once("```json\n").expect("an answer stands behind each query");
        assert!(between.trim().len() < 200, "the answer stands right behind its query");
        let mut data = server.answer(TOKEN, query, json!({})).await;
        assert!(data.get("errors").is_none(), "{query}{data:#}");
        steady(&mut data["data"]);
        page += &format!("{before}```graphql\n{query}```\n{between}```json\n{}\n```\n", pretty(&data["data"], 0));
        rest = answer.split_once("```\n").unwrap().1;
        steps += 1;
    }
    assert!(steps >= 5, "the tour has {steps} steps");
    up_to_date("README.md", &(page + rest));
}

/// Every path that the documents name exists.
#[test]
fn named_files_exist() {
    let mut missing = Vec::new();
    for document in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "playground/README.md"] {
        let text = fs::read_to_string(path(document)).unwrap();
        for word in text
            .split(['`', '(', ')', ' ', '\n'])
            .filter(|word| word.contains('/') && !word.contains(['<', '*', ':', '{', '$', '…']))
        {
            let named = ["src/", "docs/", "tests/", "benches/", "migrations/", "playground/"]
                .iter()
                .any(|start| word.starts_with(start));
            if named && !path(word.trim_end_matches(['.', ',', ';'])).exists() {
                missing.push(format!("{document}: {word}"));
            }
        }
    }
    assert_eq!(missing, [] as [&str; 0]);
}

on_each_engine!(the_tours_answers_are_real);
