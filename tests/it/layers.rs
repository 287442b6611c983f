//! The architecture's arrows and absences, read from the source.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use vext::domain::Kind;
use vext::form::Form;

/// From the top: a layer may use those behind it in the list.
const LAYERS: [&str; 11] =
    ["cli", "config", "selftest", "operations", "http", "graphql", "service", "store", "objects", "form", "domain"];

/// Layers that stand beside each other: the first does not use the second either, although it is behind in the list.
const BESIDE: [(&str, &str); 3] = [("config", "selftest"), ("operations", "http"), ("operations", "graphql")];

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
    found.into_iter().map(|(name, text)| (name, text.split("\nmod tests {").next().unwrap().to_owned())).collect()
}

#[test]
fn arrows_point_one_way() {
    let mut wrong = Vec::new();
    for (name, text) in code() {
        let is_of = |layer: &&str| name == format!("{layer}.rs") || name.starts_with(&format!("{layer}/"));
        let Some(rank) = LAYERS.iter().position(is_of) else { continue };
        let beside = BESIDE.iter().filter(|(layer, _)| *layer == LAYERS[rank]).map(|(_, beside)| beside);
        for other in LAYERS[..rank].iter().chain(beside) {
            let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            if lines
                .clone()
                .any(|line| line.contains(&format!("crate::{other}::")) || line.contains(&format!("crate::{other};")))
            {
                wrong.push(format!("{name} uses {other}"));
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

/// A file may name the kinds or sections that it is about, such as those that a call can be sent to. One that names more
/// is a list of all, which would lack the next one: whatever must be said of each is made from the lists of these two.
#[test]
fn kinds_and_sections_are_listed_once() {
    const MOST_KINDS: usize = 12;
    const MOST_SECTIONS: usize = 7;
    let kinds: Vec<_> = Kind::ALL
        .iter()
        .map(|kind| vec![kind.name().to_owned(), kind.word().into(), kind.word().to_lowercase()])
        .collect();
    let sections: Vec<_> = Form::infos()
        .iter()
        .map(|info| vec![info.table.to_owned(), info.name.to_owned(), info.client_name.clone()])
        .collect();
    let (mut wrong, mut lists) = (Vec::new(), Vec::new());
    for (name, text) in code().into_iter().filter(|(name, _)| name.ends_with(".rs")) {
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let words: BTreeSet<_> =
            lines.flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_')).collect();
        let said = |listed: &[Vec<String>]| {
            listed.iter().filter(|names| names.iter().any(|name| words.contains(name.as_str()))).count()
        };
        let (of_kinds, of_sections) = (said(&kinds), said(&sections));
        if (of_kinds, name.as_str()) == (kinds.len(), "domain/kinds.rs")
            || (of_sections, name.as_str()) == (sections.len(), "form/mod.rs")
        {
            lists.push(name);
        } else if of_kinds > MOST_KINDS || of_sections > MOST_SECTIONS {
            wrong.push(format!("{name} names {of_kinds} kinds and {of_sections} sections"));
        }
    }
    assert_eq!(wrong, [] as [&str; 0]);
    assert_eq!(lists.len(), 2, "both lists are found: {lists:?}");
}

/// What clients are answered in the order of fields must come so from the program that is shipped, not only from the one
/// that the tests build.
#[test]
fn the_program_keeps_the_order_of_json_as_the_tests_do() {
    let manifest = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap();
    let shipped = manifest.split_once("[dependencies]").unwrap().1.split_once("\n[").unwrap().0;
    let line = shipped.lines().find(|line| line.starts_with("serde_json ")).unwrap();
    assert!(line.contains("preserve_order"), "{line}");
}

/// `(word, where alone it may stand)`.
const ABSENCES: [(&str, &[&str]); 6] = [
    ("rusqlite", &["store/sqlite/"]),
    ("tokio_postgres::", &["store/postgres/"]),
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

/// `Cargo.toml` looks for no tests in the documentation and in main.rs: they would never be run.
#[test]
fn there_are_no_tests_where_none_are_run() {
    let mut found = Vec::new();
    sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut found);
    let is_example = |line: &str| {
        let line = line.trim_start();
        let said = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
        // Rustdoc runs what stands in fences, and what is indented by four spaces more than the text.
        said.is_some_and(|text| {
            text.starts_with("     ") || ["```", "~~~"].iter().any(|f| text.trim_start().starts_with(f))
        })
    };
    let is_test = |line: &str| line.contains("#[test]") || line.contains("cfg(test)");
    let mut wrong: Vec<_> =
        found.iter().filter(|(_, text)| text.lines().any(is_example)).map(|(name, _)| name).collect();
    wrong.extend(
        found.iter().filter(|(name, text)| name == "main.rs" && text.lines().any(is_test)).map(|(name, _)| name),
    );
    assert_eq!(wrong, [] as [&str; 0]);
}

/// Every package with the features that these kinds of dependencies switch on.
fn packages(kinds: &str) -> BTreeSet<String> {
    let mut tree = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    tree.current_dir(env!("CARGO_MANIFEST_DIR")).args(["tree", "--locked", "--offline", "--no-dedupe"]);
    let output = tree.args(["--prefix", "none", "--format", "{p} [{f}]", "--edges", kinds]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|line| line.replace(" (proc-macro)", "")).collect()
}

/// A feature that the tests alone switch on would be tried and not shipped.
#[test]
fn the_tests_try_what_ships() {
    let (shipped, tried) = (packages("normal,build"), packages("normal,build,dev"));
    let name = |package: &str| package.split(" [").next().unwrap().to_owned();
    let names: BTreeSet<_> = shipped.iter().map(|package| name(package)).collect();
    assert!(names.len() > 100, "the packages are found: {names:?}");
    let others: Vec<_> = tried.difference(&shipped).filter(|package| names.contains(&name(package))).collect();
    assert_eq!(others, [] as [&str; 0], "a package of the program with other features");
}
