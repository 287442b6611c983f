//! The architecture's arrows and absences, read from the source.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// From the top: a layer may use those behind it in the list.
const LAYERS: [&str; 7] = ["http", "graphql", "service", "store", "objects", "form", "domain"];

fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            let name = path.strip_prefix(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap().display().to_string();
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

/// The source files without their unit tests, which may look wherever they like.
fn code() -> Vec<(String, String)> {
    let mut found = Vec::new();
    sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut found);
    assert!(found.len() > 40, "the sources are found");
    found
        .into_iter()
        .map(|(name, text)| (name, text.split("#[cfg(test)]\nmod tests").next().unwrap().to_owned()))
        .collect()
}

#[test]
fn arrows_point_one_way() {
    let mut wrong = Vec::new();
    for (name, text) in code() {
        let Some(rank) = LAYERS.iter().position(|layer| name.starts_with(&format!("{layer}/"))) else { continue };
        for above in &LAYERS[..rank] {
            let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            if lines
                .clone()
                .any(|line| line.contains(&format!("crate::{above}::")) || line.contains(&format!("crate::{above};")))
            {
                wrong.push(format!("{name} uses {above}"));
            }
        }
    }
    assert_eq!(wrong, [] as [&str; 0]);
}

/// It is a client, and would otherwise compare the server with itself.
#[test]
fn the_selftest_uses_none_of_what_it_tries() {
    let mut wrong = Vec::new();
    for (name, text) in code().into_iter().filter(|(name, _)| name.starts_with("selftest/")) {
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        wrong.extend(
            lines
                .filter(|line| line.contains("crate::") && !line.contains("crate::domain::"))
                .map(|line| format!("{name}: {line}")),
        );
    }
    assert_eq!(wrong, [] as [&str; 0]);
}

/// The words in quotes between two others of a source file.
fn quoted<'a>(code: &'a [(String, String)], file: &str, from: &str, to: &str) -> BTreeSet<&'a str> {
    let (_, text) = code.iter().find(|(name, _)| name == file).unwrap();
    let part = text.split_once(from).and_then(|(_, rest)| rest.split_once(to)).unwrap().0;
    part.split('"').skip(1).step_by(2).collect()
}

/// So its list of the codes of limits is its own. An answer that is too long or too late is no refusal of an attack.
#[test]
fn the_selftest_knows_every_limit() {
    let code = code();
    let mut limits = quoted(&code, "graphql/limits.rs", "pub fn code(", "///");
    assert!(limits.remove("RESPONSE_TOO_LARGE") && limits.remove("DEADLINE_EXCEEDED"));
    assert_eq!(quoted(&code, "selftest/admission.rs", "const LIMITS", "];"), limits);
}

/// `(word, where alone it may stand)`.
const ABSENCES: [(&str, &[&str]); 6] = [
    ("rusqlite", &["store/sqlite/"]),
    ("::postgres::", &["store/postgres/"]),
    ("Context<'", &["graphql/", "form/section.rs"]),
    ("SystemTime::now", &["domain/environment.rs"]),
    ("getrandom::", &["domain/environment.rs"]),
    ("unsafe ", &[]),
];

#[test]
fn what_belongs_to_one_place_stands_nowhere_else() {
    let mut wrong = Vec::new();
    for (name, text) in code() {
        for (word, places) in ABSENCES {
            let said = text.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(word));
            if said && !places.iter().any(|place| name.starts_with(place)) {
                wrong.push(format!("{name} says {word}"));
            }
        }
    }
    assert_eq!(wrong, [] as [&str; 0]);
}
