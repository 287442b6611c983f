//! Clients of the ecosystem, as their users run them, against the real binary: `tests/clients/README.md`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::playground::missing;
use crate::process::{Process, output_within};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients");
/// Far more than any suite takes; a client that waits for ever fails.
const LONGEST: Duration = Duration::from_secs(300);

/// Node with the packages of the suites.
fn node() -> Option<PathBuf> {
    let node = Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success());
    let found = node && Path::new(FOLDER).join("node_modules/graphql-http").is_dir();
    if !found {
        missing("node, or what `npm ci` installs in tests/clients/");
    }
    found.then(|| "node".into())
}

/// Python with the packages of the suites: the one that `VEXT_PYTHON` names, or that `.ci/run` has installed.
fn python() -> Option<PathBuf> {
    let installed = concat!(env!("CARGO_MANIFEST_DIR"), "/target/tools/bin/python");
    let python = std::env::var_os("VEXT_PYTHON").map_or_else(|| installed.into(), PathBuf::from);
    let packages = Command::new(&python).args(["-c", "import gql, schemathesis"]).output();
    let found = packages.is_ok_and(|output| output.status.success());
    if !found {
        missing("Python with tests/clients/requirements.txt");
    }
    found.then_some(python)
}

/// Runs a suite; a server of its own is told to those that ask one. It does not limit what a request may cost: what
/// schemathesis makes up asks for more than any client.
fn run(program: Option<PathBuf>, suite: &str, server: bool) {
    let Some(program) = program else { return };
    let demo = server.then(|| Process::start(&["demo", "--token", "T", "--max-cost", "1000000"]));
    let temporary = tempfile::tempdir().unwrap();
    let mut command = Command::new(program);
    command.current_dir(FOLDER).arg(suite).env("TMPDIR", temporary.path());
    if let Some(demo) = &demo {
        command.env("VEXT_TEST_URL", format!("http://{}/graphql", demo.address)).env("VEXT_TEST_TOKEN", "T");
    }
    let output = output_within(&mut command, LONGEST);
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{suite}: {said}");
    println!("{said}");
}

#[test]
fn every_audit_of_graphql_http_passes() {
    run(node(), "audits.mjs", true);
}

#[test]
fn the_schema_keeps_the_rules_of_graphql_eslint() {
    run(node(), "lint.mjs", false);
}

#[test]
fn the_schema_breaks_nothing_without_a_word() {
    run(node(), "inspector.mjs", false);
}

#[test]
fn graphql_code_generator_makes_a_typed_program() {
    run(node(), "codegen.mjs", true);
}

#[test]
fn relay_compiles_pages_and_refetches() {
    run(node(), "relay.mjs", true);
}

#[test]
fn apollo_client_keeps_one_cache() {
    run(node(), "apollo.mjs", true);
}

#[test]
fn urql_asks_with_get() {
    run(node(), "urql.mjs", true);
}

#[test]
fn python_gql_checks_what_it_sends() {
    run(python(), "gql_client.py", true);
}

#[test]
fn schemathesis_finds_no_breach() {
    run(python(), "properties.py", true);
}
