//! Answers that are kept are those that would be written now, whoever writes: real processes over both engines.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use serde_json::{Value, json};
use vext::graphql::Limits;

use crate::client;
use crate::engines::{Content, Engine, Live, on_each_engine};
use crate::harness::{ALL, MOLLOY, READ, Server, TOKEN};
use crate::plans::Draw;
use crate::process::Process;
use crate::watching::{free, scrape};

/// What is asked again and again: the text, and numbers that its variable has.
const QUESTIONS: [(&str, &[&str]); 6] = [
    (
        "query($n: ExtensionNumber!) { tenant { revision virtualExtension(by: {number: $n}) { id version number name
      description note { department } followMe { number condition { name } }
      outboundRecording { minRecordingBytes } } } }",
        &["108", "640", "641"],
    ),
    (
        "query($n: String!) { tenant { virtualExtensions(first: 5, filter: {number: {startsWith: $n}}) { totalCount
      nodes { number name information { members { number } } } } } }",
        &["1", "64"],
    ),
    ("{ tenant { name timezone newVirtualExtension { outboundRecording { minRecordingBytes } } } }", &["1"]),
    (
        "query A($n: ExtensionNumber!) { tenant { virtualExtension(by: {number: $n}) { name } } }
      query B($n: ExtensionNumber!) { tenant { virtualExtension(by: {number: $n}) { number } } }",
        &["108", "640"],
    ),
    // These depend on more than the selected tenant.
    (
        "query($n: ExtensionNumber!) { tenants { code revision virtualExtension(by: {number: $n}) { name version } } }",
        &["108", "640"],
    ),
    ("{ tenant(code: \"CANISTRACCI\") { code name } }", &["1"]),
];

const CREATE: &str = "mutation($n: ExtensionNumber!, $t: String!) { virtualExtensionCreate(input: {information:
  {number: $n, name: $t}}) { object { id } userErrors { code } } }";
const SAVE: &str = "mutation($id: ID!, $t: String!) { virtualExtensionUpdate(input: {id: $id, information:
  {description: $t}}) { userErrors { code } } }";
const COUNT: &str = "mutation($id: ID!, $v: Int!) { virtualExtensionOutboundRecordingUpdate(input: {id: $id,
  outboundRecording: {minRecordingBytes: $v}}) { userErrors { code } } }";
const FIND: &str = "query($n: ExtensionNumber!) { tenant { virtualExtension(by: {number: $n}) { id } } }";
const PLAN: &str = "query($id: ID!) { objectDeletePlan(id: $id) { token } }";
const DEFAULTS: &str = "mutation($v: Int!) { virtualExtensionDefaultsUpdate(input: {outboundRecording:
  {minRecordingBytes: $v}}) { userErrors { code } } }";
const RENAME: &str =
    "mutation($id: ID!, $t: String!) { tenantUpdate(input: {id: $id, name: $t}) { userErrors { code } } }";

/// Two servers that keep answers and one that keeps none, over one database.
struct Nodes {
    /// The last one keeps none.
    nodes: [Process; 3],
    metrics: [String; 2],
    live: Live,
}

impl Nodes {
    fn start(engine: Engine) -> Self {
        let live = Live::new(engine, Content::Demo);
        let (url, key) = (live.url(), live.folder.path().join("vext.key"));
        let serve = ["serve", "--database", &url, "--key-file", key.to_str().unwrap(), "--readers", "2"];
        let metrics = [free(), free()];
        let keeps = |i: usize| Process::start(&[&serve[..], &["--metrics-listen", &metrics[i]]].concat());
        let nodes = [keeps(0), keeps(1), Process::start(&[&serve[..], &["--answer-cache", "0"]].concat())];
        Self { nodes, metrics, live }
    }

    fn ask(&self, node: usize, token: &str, query: &str, variables: &Value) -> Value {
        let answer = self.nodes[node].ask(token, query, variables).unwrap();
        assert!(!answer["data"].is_null(), "{query} {variables}: {answer}");
        answer
    }

    /// How many answers of one of the two were kept ones.
    fn kept(&self, node: usize) -> f64 {
        scrape(&self.metrics[node]).get("vext_executed_total{by=\"kept\"}").copied().unwrap_or_default()
    }
}

/// The status, the tag and the answer to a query that is sent with GET, where a client has an answer with a tag.
fn get(address: &str, token: &str, body: &Value, tag: &str) -> (u16, String, String) {
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let mut parameters = form_urlencoded::Serializer::new(String::new());
    parameters.append_pair("query", &text("query").unwrap());
    parameters.append_pair("variables", &body["variables"].to_string());
    parameters.append_pair("extensions", &body["extensions"].to_string());
    if let Some(name) = text("operationName") {
        parameters.append_pair("operationName", &name);
    }
    let headers = [("authorization", &*format!("Bearer {token}")), ("if-none-match", tag)];
    let answer = client::get(address, &format!("/graphql?{}", parameters.finish()), &headers).unwrap();
    (answer.status, answer.header("etag").to_owned(), answer.body)
}

/// Something that changes a tenant, as often as not.
fn change(nodes: &Nodes, draw: &mut Draw, step: usize) {
    let node = draw.below(3);
    let token = [TOKEN, MOLLOY][draw.below(2)];
    let number = ["640", "641"][draw.below(2)];
    let id = |number: &str| {
        let found = nodes.ask(2, token, FIND, &json!({ "n": number }));
        found["data"]["tenant"]["virtualExtension"]["id"].as_str().map(str::to_owned)
    };
    match draw.below(6) {
        0 => drop(nodes.ask(node, token, CREATE, &json!({ "n": number, "t": format!("x{step}") }))),
        1 | 2 => {
            if let Some(id) = id(number) {
                nodes.ask(node, token, SAVE, &json!({ "id": id, "t": format!("d{step}") }));
            }
        }
        3 => {
            if let Some(id) = id(number) {
                let plan = nodes.ask(node, token, PLAN, &json!({ "id": id }));
                let delete = "mutation($id: ID!, $t: String!) { objectDelete(input: {id: $id, onReferences: DETACH,
                  planToken: $t}) { userErrors { code } } }";
                let token_of_plan = &plan["data"]["objectDeletePlan"]["token"];
                nodes.ask(node, token, delete, &json!({ "id": id, "t": token_of_plan }));
            }
        }
        4 => drop(nodes.ask(node, token, DEFAULTS, &json!({ "v": step }))),
        _ => {
            let tenants = nodes.ask(2, ALL, "{ tenants { id } }", &json!({}));
            let id = &tenants["data"]["tenants"][draw.below(2)]["id"];
            nodes.ask(node, ALL, RENAME, &json!({ "id": id, "t": format!("T{step}") }));
        }
    }
}

async fn a_kept_answer_is_the_one_that_would_be_written_now(engine: Engine) {
    let nodes = Nodes::start(engine);
    let mut draw = Draw(14);
    // The last answer to each question that had a tag, which a client keeps.
    let mut tagged: HashMap<(&str, String), (String, String)> = HashMap::new();
    let mut held = 0;
    for step in 0..150 {
        if draw.below(3) == 0 {
            change(&nodes, &mut draw, step);
        }
        for _ in 0..3 {
            let (text, numbers) = QUESTIONS[draw.below(QUESTIONS.len())];
            let variables = json!({ "n": numbers[draw.below(numbers.len())] });
            let token = [TOKEN, READ, MOLLOY][draw.below(3)];
            let name = text.contains("query A").then(|| ["A", "B"][draw.below(2)]);
            let cost = json!({ "cost": draw.below(2) == 0 });
            let question = json!({ "query": text, "variables": variables, "operationName": name, "extensions": cost });
            let body = question.to_string();
            let [one, two, fresh] = [0, 1, 2]
                .map(|node: usize| client::ask(&nodes.nodes[node].address, token, &question).unwrap().to_string());
            assert!(!fresh.contains("errors"), "{body}: {fresh}");
            assert_eq!((&one, &two), (&fresh, &fresh), "step {step}: {body} by {token}");
            let (tag, kept) = tagged.get(&(token, body.clone())).cloned().unwrap_or_default();
            let (status, tag, own) = get(&nodes.nodes[draw.below(2)].address, token, &question, &tag);
            let own = if status == 304 { kept } else { own };
            assert_eq!(own, fresh, "step {step}: {status}, {body} by {token} over GET");
            held += i32::from(status == 304);
            if !tag.is_empty() {
                tagged.insert((token, body), (tag, own));
            }
        }
    }
    let kept = [nodes.kept(0), nodes.kept(1)];
    assert!(kept.iter().all(|kept| *kept > 100.0) && held > 50, "{kept:?}, {held} of 450");
    assert!(scrape(&nodes.metrics[0])["vext_answer_cache_bytes"] > 0.0);
}

/// Who asks after a save was acknowledged is answered at least what was saved, by whichever server.
async fn no_kept_answer_is_older_than_what_was_acknowledged(engine: Engine) {
    let nodes = Arc::new(Nodes::start(engine));
    let found = nodes.ask(0, TOKEN, FIND, &json!({ "n": "108" }));
    let id = found["data"]["tenant"]["virtualExtension"]["id"].clone();
    let (saved, ends) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicBool::new(false)));
    let read = |node: usize| {
        let (nodes, saved, ends) = (Arc::clone(&nodes), Arc::clone(&saved), Arc::clone(&ends));
        std::thread::spawn(move || {
            let (text, _) = QUESTIONS[0];
            let mut reads = 0;
            while !ends.load(Ordering::SeqCst) {
                let before = saved.load(Ordering::SeqCst);
                let answer = nodes.ask(node, TOKEN, text, &json!({ "n": "108" }));
                let extension = &answer["data"]["tenant"]["virtualExtension"];
                let value = extension["outboundRecording"]["minRecordingBytes"].as_i64().unwrap();
                assert!(value >= before, "{value} where {before} was acknowledged: {answer}");
                reads += 1;
            }
            reads
        })
    };
    let readers = [read(0), read(0), read(1)];
    for (turn, value) in (1..=100).enumerate() {
        let answer = nodes.ask(turn % 3, TOKEN, COUNT, &json!({ "id": id, "v": value }));
        assert_eq!(answer["data"]["virtualExtensionOutboundRecordingUpdate"]["userErrors"], json!([]), "{answer}");
        saved.store(value, Ordering::SeqCst);
    }
    ends.store(true, Ordering::SeqCst);
    let reads = readers.map(|reader| reader.join().unwrap());
    assert!(reads.iter().all(|reads| *reads > 20), "{reads:?}");
}

/// A token that another process takes away is worth nothing at once, also where who has it is remembered.
async fn who_is_remembered_is_not_when_a_token_is_revoked(engine: Engine) {
    let nodes = Nodes::start(engine);
    let (text, _) = QUESTIONS[2];
    let body = json!({ "query": text });
    for _ in 0..4 {
        assert!(client::ask(&nodes.nodes[0].address, READ, &body).unwrap()["data"]["tenant"].is_object());
    }
    let before = nodes.kept(0);
    assert!(before > 0.0, "it is remembered");
    let (url, key) = (nodes.live.url(), nodes.live.folder.path().join("vext.key"));
    let revoke = ["token", "revoke", READ, "--database", &url, "--key-file", key.to_str().unwrap()];
    let said = crate::process::output(&mut crate::process::vext(&revoke));
    assert!(said.status.success(), "{said:?}");
    let refused = client::ask(&nodes.nodes[0].address, READ, &body).unwrap();
    assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{refused}");
    assert!(nodes.ask(0, TOKEN, text, &json!({}))["data"]["tenant"].is_object());
}

/// A tenant that is erased and made again has nothing of the one before, not even its key.
async fn nothing_is_kept_of_a_tenant_that_is_gone(engine: Engine) {
    let server = Server::limited(Live::new(engine, Content::Demo), Limits::default());
    let authorization = format!("Bearer {ALL}");
    let headers = [("authorization", authorization.as_str()), ("x-tenant", "SHORTLIVED")];
    let make = "mutation($name: String!) { tenantCreate(input: {code: \"SHORTLIVED\", name: $name,
      timezone: \"UTC\"}) { object { id } userErrors { message } } }";
    let mut seen = Vec::new();
    for name in ["First", "Second"] {
        let made = server.answer(ALL, make, json!({ "name": name })).await;
        seen.push(made["data"]["tenantCreate"]["object"]["id"].clone());
        for _ in 0..2 {
            let body = json!({ "query": "{ tenant { name revision } }" });
            let (_, answer) = server.post(&headers, &body).await;
            assert_eq!(answer["data"]["tenant"], json!({ "name": name, "revision": 1 }), "{answer}");
        }
        assert!(server.app.delete_tenant("SHORTLIVED").await.unwrap());
    }
    assert!(seen[0].is_string() && seen[0] != seen[1], "{seen:?}");
}

on_each_engine!(
    a_kept_answer_is_the_one_that_would_be_written_now,
    no_kept_answer_is_older_than_what_was_acknowledged,
    who_is_remembered_is_not_when_a_token_is_revoked,
    nothing_is_kept_of_a_tenant_that_is_gone,
);
