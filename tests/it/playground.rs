//! The playground: its examples against the demo data, its files, and the page in a real browser.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::engines::{Content, Engine, Live, on_each_engine};
use crate::events::Events;
use crate::harness::{EXPLORE, READ, Server, TOKEN};
use crate::process::Process;
use crate::watching::free;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};

const PLAYGROUND: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/playground");

/// The examples by file name: text and variables.
pub fn examples() -> Vec<(String, String, Value)> {
    let folder = Path::new(PLAYGROUND).join("examples");
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "graphql"));
    files.sort();
    let read = |path: PathBuf| {
        let variables = fs::read_to_string(path.with_extension("variables.json"));
        let variables = variables.map_or(json!({}), |text| serde_json::from_str(&text).unwrap());
        (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap(), variables)
    };
    files.into_iter().map(read).collect()
}

/// Each example does what its title says, on the demo data and in any order.
async fn every_example_does_what_it_says(engine: Engine) {
    let examples = examples();
    let sections = [
        "information",
        "callSettings",
        "outboundRecording",
        "security",
        "webUserPanel",
        "outboundCalls",
        "followMe",
        "additionalDestinations",
        "note",
    ];
    // What only reads finds the demo data as they are; what writes has them for itself.
    let untouched = Server::start(engine);
    for (name, text, variables) in &examples {
        assert!(text.starts_with("# Title: ") && text.contains("\n# Group: "), "{name}");
        if name == "22-delete" {
            delete_with_a_plan(&Server::start(engine), text, variables.clone()).await;
            continue;
        }
        if name == "24-follow" {
            follow_the_history(&Server::start(engine), text, variables).await;
            continue;
        }
        let answer = match text.contains("mutation") {
            true => Server::start(engine).answer(TOKEN, text, variables.clone()).await,
            false => untouched.answer(TOKEN, text, variables.clone()).await,
        };
        assert!(answer.get("errors").is_none(), "{name}: {answer:#}");
        let data = &answer["data"];
        match name.split_once('-').unwrap().1 {
            "create" => {
                assert_eq!(data["virtualExtensionCreate"]["userErrors"], json!([]), "{answer:#}");
                assert!(data["virtualExtensionCreate"]["object"]["number"].is_string());
            }
            "dry-run" => {
                assert_eq!(data["virtualExtensionUpdate"]["userErrors"], json!([]), "{answer:#}");
                let changes = data["virtualExtensionUpdate"]["changes"].as_array().unwrap();
                let paths: Vec<_> = changes.iter().map(|change| &change["path"][1]).collect();
                assert_eq!(paths, ["inboundTimeoutSeconds", "callWaitingServerSide", "onBusy"], "{answer:#}");
            }
            "conflict" => {
                let errors = data["virtualExtensionUpdate"]["userErrors"].as_array().unwrap();
                assert!(errors.len() > 1 && errors.iter().all(|e| e["code"] == "CONFLICT"), "{answer:#}");
            }
            "paging" => assert_eq!(data["tenant"]["virtualExtensions"]["pageInfo"]["hasNextPage"], true),
            "finding" => {
                let found = &data["tenant"]["virtualExtensions"];
                let numbers: Vec<_> = found["nodes"].as_array().unwrap().iter().map(|n| n["number"].as_str()).collect();
                assert_eq!((numbers, &found["totalCount"]), (vec![Some("108"), Some("111")], &json!(2)), "{answer:#}");
            }
            "options" => {
                let nodes = data["tenant"]["options"]["nodes"].as_array().unwrap();
                assert!(nodes.len() == 2 && nodes.iter().all(|node| node["chosen"] == true), "{answer:#}");
            }
            "renumber" => {
                let renumbered = &data["virtualExtensionRenumber"];
                assert_eq!(
                    (&renumbered["userErrors"], &data["virtualExtensionClone"]["userErrors"]),
                    (&json!([]), &json!([]))
                );
                assert_eq!(renumbered["changes"][0]["after"], "188", "{answer:#}");
                assert_eq!(renumbered["softChanges"][0]["label"], "62 Ivy", "{answer:#}");
            }
            "number" => {
                assert_eq!(data["tenant"]["numberAvailability"]["holder"]["name"], "Ivy Morgan", "{answer:#}");
                assert_eq!(data["tenant"]["nextFreeNumber"], "720", "the slots of the parking lots end at 719");
            }
            "lint" => {
                let nodes = data["tenant"]["lint"]["nodes"].as_array().unwrap();
                let codes: Vec<_> = nodes.iter().map(|node| node["code"].as_str().unwrap()).collect();
                assert_eq!(codes, ["MATCHES_NOTHING", "MATCHES_NOTHING"], "{answer:#}");
            }
            "make" => {
                assert_eq!(data["pagingGroupCreate"]["userErrors"], json!([]), "{answer:#}");
                assert_eq!(data["pagingGroupCreate"]["object"]["members"][0]["name"], "Ivy Morgan", "{answer:#}");
            }
            "new-form" => assert!(data["tenant"]["newVirtualExtension"].is_object()),
            "defaults" => assert_eq!(data["virtualExtensionDefaultsUpdate"]["userErrors"], json!([]), "{answer:#}"),
            "whole-form" => {
                let form = &data["tenant"]["virtualExtension"];
                assert!(sections.iter().all(|section| form[section].is_object()), "{answer:#}");
            }
            section => {
                let section = vext::form::camel(&section.replace('-', "_"));
                assert!(sections.contains(&section.as_str()), "{name} is checked by this test");
                let fields = data["tenant"]["virtualExtension"][&section].as_object().unwrap();
                // 108 has every section filled: an example that shows only blanks explains nothing.
                let blank = |v: &Value| matches!(v, Value::Null | Value::Bool(false)) || v == "" || v == &json!([]);
                assert!(fields.values().filter(|v| !blank(v)).count() * 2 > fields.len(), "{name}: {fields:#?}");
            }
        }
    }
    let covered = |section: &&str| examples.iter().any(|(_, text, _)| text.contains(&format!("{section} {{")));
    assert!(sections.iter().all(covered));
    assert_eq!(examples.len(), 24, "one for each section and the fifteen others");
}

/// The example with two operations, each run as the page runs it.
async fn delete_with_a_plan(server: &Server, text: &str, mut variables: Value) {
    let authorization = format!("Bearer {TOKEN}");
    let run = async |operation: &str, variables: &Value| {
        let request = json!({ "query": text, "operationName": operation, "variables": variables });
        let mut answer = server.post(&[("authorization", &authorization)], &request).await.1;
        assert!(answer.get("errors").is_none(), "{operation}: {answer:#}");
        answer["data"].take()
    };
    let refused = run("DeletePagingGroup", &variables).await;
    assert_eq!(refused["objectDelete"]["userErrors"][0]["code"], "PLAN_CHANGED", "{refused:#}");
    let mut plan = run("PlanDelete", &variables).await["objectDeletePlan"].take();
    assert_eq!(
        (&plan["blocked"], &plan["references"]["nodes"][0]["slot"]),
        (&json!(true), &json!(["key9"])),
        "{plan:#}"
    );
    variables["planToken"] = plan["token"].take();
    let deleted = run("DeletePagingGroup", &variables).await;
    assert_eq!(deleted["objectDelete"]["deletedId"], variables["id"], "{deleted:#}");
    assert_eq!(deleted["objectDelete"]["changes"][0]["path"], plan["detach"]["changes"][0]["path"], "{deleted:#}");
}

/// The example that is a subscription: what has happened is told at once.
async fn follow_the_history(server: &Server, text: &str, variables: &Value) {
    let authorization = format!("Bearer {TOKEN}");
    let request = json!({ "query": text, "variables": variables });
    let mut events = Events::open(server, &[("authorization", &authorization)], &request).await;
    for action in ["CREATED", "UPDATED"] {
        let event = events.next().await.unwrap()["data"]["objectChanged"].take();
        assert_eq!((&event["action"], &event["object"]["name"]), (&json!(action), &json!("Ivy Morgan")), "{event:#}");
    }
}

async fn get(server: &Server, path: &str, accept: &str) -> (StatusCode, HeaderMap, Vec<u8>) {
    let request = Request::get(path).header("accept-encoding", accept).body(Body::empty()).unwrap();
    let response = server.send(request).await;
    let (head, body) = response.into_parts();
    (head.status, head.headers, to_bytes(body, usize::MAX).await.unwrap().to_vec())
}

#[tokio::test]
async fn the_files_are_served_compressed_under_a_strict_policy() {
    let server = Server::start(Engine::Sqlite);
    let manifest: Value =
        serde_json::from_str(&fs::read_to_string(format!("{PLAYGROUND}/dist/manifest.json")).unwrap()).unwrap();
    for file in manifest.as_array().unwrap() {
        let path = format!("/playground/{}", file["path"].as_str().unwrap());
        let (status, headers, body) = get(&server, &path, "br, gzip").await;
        assert_eq!((status, headers["content-encoding"].to_str().unwrap()), (StatusCode::OK, "gzip"), "{path}");
        assert_eq!(headers["content-type"].to_str().unwrap(), file["contentType"].as_str().unwrap());
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'")
                && policy.contains("script-src 'self';")
                && !policy.contains("unsafe-eval")
        );
        let (_, plain_headers, plain) = get(&server, &path, "identity").await;
        assert!(plain_headers.get("content-encoding").is_none() && plain.len() > body.len() / 2);
        let tag = Request::get(&path).header("if-none-match", headers["etag"].clone()).body(Body::empty()).unwrap();
        assert_eq!(server.send(tag).await.status(), StatusCode::NOT_MODIFIED);
    }
    let (status, _, index) = get(&server, "/playground/", "identity").await;
    assert_eq!(status, StatusCode::OK);
    assert!(String::from_utf8(index).unwrap().contains("vext playground"));
    assert_eq!(get(&server, "/playground/nothing.js", "gzip").await.0, StatusCode::NOT_FOUND);
    assert_eq!(get(&server, "/", "gzip").await.1["location"], "/playground/");
}

/// Outside the demo the page is told neither a token nor the tenants' codes.
#[tokio::test]
async fn the_page_learns_tenants_in_the_demo_only() {
    let server = Server::start(Engine::Sqlite);
    let (_, headers, config) = get(&server, "/playground/config.json", "identity").await;
    let config: Value = serde_json::from_slice(&config).unwrap();
    assert_eq!((&config["demoToken"], &config["tenants"]), (&Value::Null, &json!([])));
    assert_eq!(headers["cache-control"], "no-store");
}

/// Says that a test is skipped for want of a program, past the test runner, which keeps what passing tests print; CI,
/// which installs them all, fails instead.
pub fn missing(what: &str) {
    assert!(std::env::var_os("VEXT_REQUIRE_ALL").is_none(), "VEXT_REQUIRE_ALL is set, but {what} is not installed");
    let _ = std::io::stderr().write_all(format!("skipped: {what} is not installed\n").as_bytes());
}

fn node_modules() -> bool {
    let node = Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success());
    let packages = Path::new(PLAYGROUND).join("node_modules/playwright-core").is_dir();
    if !node || !packages {
        missing("node, or what `npm ci` installs in playground/");
    }
    node && packages
}

/// Runs a test of `playground/test/` with these arguments, if there is a browser. `VEXT_SCREENSHOT` names the file that
/// it may write, its own name put before the end.
fn in_a_browser(test: &str, arguments: &[&str]) {
    let browser = std::env::var("CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".to_owned());
    if !Path::new(&browser).exists() {
        return missing("chromium");
    }
    if !node_modules() {
        return;
    }
    let mut node = Command::new("node");
    node.current_dir(PLAYGROUND).arg(format!("test/{test}.mjs")).args(arguments);
    if let Some(path) = std::env::var_os("VEXT_SCREENSHOT") {
        node.arg(PathBuf::from(path).with_extension(format!("{test}.png")));
    }
    let output = node.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    println!("{said}");
}

#[test]
fn the_page_works_in_a_browser_and_asks_nobody_else() {
    let demo = Process::start(&["demo"]);
    in_a_browser("browser", &[&format!("http://{}", demo.address)]);
}

/// In production a browser signs in to the playground, and pages of the allowed origin, alone, may use the API.
#[test]
fn production_lets_browsers_in_as_it_is_told() {
    let live = Live::new(Engine::Sqlite, Content::Demo);
    let (database, key) = (live.url(), live.options().key_file.display().to_string());
    let of_pages = free();
    let (_, port) = of_pages.rsplit_once(':').unwrap();
    let origin = format!("http://localhost:{port}");
    let server = Process::start(&["serve", "--database", &database, "--key-file", &key, "--allowed-origin", &origin]);
    in_a_browser("production", &[&format!("http://{}", server.address), port, EXPLORE, READ]);
}

#[test]
fn the_committed_bundle_is_what_the_sources_build() {
    if !node_modules() {
        return;
    }
    let output = Command::new("npm").current_dir(PLAYGROUND).args(["run", "check"]).output().unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

on_each_engine!(every_example_does_what_it_says);
