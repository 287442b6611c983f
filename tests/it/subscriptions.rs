//! Subscriptions: what is heard of, by whom, and over which transport.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use vext::http::{ServeOptions, StreamSettings, router};
use vext::service::App;

use crate::client;
use crate::engines::{Content, Engine, Live, on_each_engine};
use crate::events::Events;
use crate::harness::{ALL, EXPLORE, MOLLOY, READ, Server, TOKEN, paths};
use crate::playground::missing;
use crate::process::Process;
use crate::watching::{free, scrape, until};

const FOLLOW: &str = "subscription($since: Int, $after: String, $kinds: [Kind!], $ids: [ID!], $tenant: String) {
  objectChanged(since: $since, after: $after, kinds: $kinds, ids: $ids, tenant: $tenant) {
    cursor revision changedAt actor action objectId kind version object { id name version }
    changes { path before after } } }";

async fn follow(server: &Server, token: &str, variables: Value) -> Events {
    let authorization = format!("Bearer {token}");
    let request = json!({ "query": FOLLOW, "variables": variables });
    Events::open(server, &[("authorization", &authorization)], &request).await
}

async fn revision(server: &Server) -> i64 {
    server.data("{ tenant { revision } }", json!({})).await["tenant"]["revision"].as_i64().unwrap()
}

async fn rename(server: &Server, number: &str, name: &str) {
    let (id, _) = server.extension(number).await;
    server.save(TOKEN, "virtualExtensionUpdate", json!({ "id": id, "information": { "name": name } })).await;
}

async fn an_event_says_what_a_save_has_changed(engine: Engine) {
    let server = Server::start(engine);
    let before = revision(&server).await;
    let mut all = follow(&server, TOKEN, json!({ "since": before })).await;
    let made = json!({ "information": { "number": "8190", "name": "Desk" }, "webUserPanel": { "userPanelEnabled": true,
        "webUser": "desk", "webPassword": "A very secret 1 word" } });
    let id = server.save(TOKEN, "virtualExtensionCreate", made).await;
    let event = all.change().await;
    assert_eq!(
        [&event["action"], &event["kind"], &event["objectId"], &event["actor"], &event["object"]["name"]],
        [&json!("CREATED"), &json!("VIRTUAL_EXTENSION"), &json!(id), &json!(TOKEN), &json!("Desk")],
        "{event:#}"
    );
    assert_eq!((event["revision"].as_i64(), event["version"].as_i64()), (Some(before + 1), Some(1)), "{event:#}");
    assert!(paths(&event["changes"]).contains(&"webUserPanel.webPassword".to_owned()), "{event:#}");
    assert!(!event.to_string().contains("secret"), "{event:#}");

    let change = json!({ "id": id, "expectedVersion": 1, "information": { "name": "Front desk" } });
    server.save(TOKEN, "virtualExtensionUpdate", change).await;
    let event = all.change().await;
    assert_eq!((&event["action"], &event["version"]), (&json!("UPDATED"), &json!(2)), "{event:#}");
    assert_eq!(event["changes"], json!([{ "path": ["information", "name"], "before": "Desk", "after": "Front desk" }]));

    // Lists and switches are what they are, entries in the order of their fields; a secret says whether it is set.
    let change = json!({ "id": id, "information": { "dnd": true, "inboundTimeoutSeconds": 42, "securityPin": "7305" },
        "additionalDestinations": { "onBusy": [{ "number": "100" }, { "hangup": "BUSY" }] } });
    let saved = server.mutate("virtualExtensionUpdate", change).await;
    let event = all.change().await;
    let told = |path: &[&str]| {
        let mut changes = event["changes"].as_array().unwrap().iter();
        let change =
            changes.find(|change| change["path"] == json!(path)).unwrap_or_else(|| panic!("{path:?} in {event:#}"));
        [&change["before"], &change["after"]].map(Value::to_string)
    };
    assert_eq!(told(&["information", "dnd"]), ["false", "true"]);
    assert_eq!(told(&["information", "securityPin"]), ["false", "true"]);
    assert_eq!(told(&["information", "inboundTimeoutSeconds"])[1], "42");
    assert_eq!(told(&["additionalDestinations", "onBusy"]), ["[]", r#"[{"number":"100"},{"hangup":"BUSY"}]"#]);
    assert_eq!(event["changes"].as_array().unwrap().len(), 4, "{event:#}");
    // As the save itself said.
    let by_path = |changes: &Value| {
        let mut changes = changes.as_array().unwrap().clone();
        changes.sort_by_key(|change| change["path"].to_string());
        changes
    };
    assert_eq!(by_path(&saved["changes"]), by_path(&event["changes"]));
    let entries = r#"[{"name":"Zoe","phone1":"0551234","phone2":null,"email":"zoe@example.com"}]"#;
    let book = json!({ "name": "Book", "entries": serde_json::from_str::<Value>(entries).unwrap() });
    let made = server.mutate("phoneBookCreate", book).await;
    let event = all.change().await;
    for changes in [&made["changes"], &event["changes"]] {
        let mut changes = changes.as_array().unwrap().iter();
        let change = changes.find(|change| change["path"] == json!(["entries"])).unwrap();
        assert_eq!((&change["before"], change["after"].to_string().as_str()), (&json!([]), entries));
    }

    let delete = "mutation($id: ID!) { objectDelete(input: {id: $id}) { deletedId userErrors { message } } }";
    let deleted = server.data(delete, json!({ "id": id })).await;
    assert_eq!(deleted["objectDelete"]["deletedId"], id, "{deleted:#}");
    let event = all.change().await;
    assert_eq!(
        [&event["action"], &event["kind"], &event["objectId"], &event["object"]],
        [&json!("DELETED"), &json!("VIRTUAL_EXTENSION"), &json!(id), &Value::Null],
        "{event:#}"
    );
    assert!(paths(&event["changes"]).contains(&"information.name".to_owned()), "{event:#}");

    // Heard anew, all of it is the same, but that the object is gone now.
    let mut again = follow(&server, TOKEN, json!({ "since": before, "ids": [id] })).await;
    for action in ["CREATED", "UPDATED", "UPDATED", "DELETED"] {
        let event = again.change().await;
        assert_eq!((&event["action"], &event["object"]), (&json!(action), &Value::Null), "{event:#}");
        assert_eq!(event["kind"], "VIRTUAL_EXTENSION");
    }
}

async fn only_what_was_asked_for_is_heard(engine: Engine) {
    let server = Server::start(engine);
    let (ivy, _) = server.extension("108").await;
    let mut of_ivy = follow(&server, READ, json!({ "ids": [ivy, "no-id"] })).await;
    let mut queues = follow(&server, READ, json!({ "kinds": ["QUEUE"] })).await;
    let mut nothing_of_others = follow(&server, MOLLOY, json!({})).await;
    let queue = server.named("queue", "Export orders").await;
    rename(&server, "111", "Another").await;
    rename(&server, "108", "Ivy M.").await;
    server.save(TOKEN, "queueUpdate", json!({ "id": queue, "name": "Helpdesk" })).await;
    assert_eq!(of_ivy.change().await["object"]["name"], "Ivy M.");
    let event = queues.change().await;
    assert_eq!((&event["kind"], &event["object"]["name"]), (&json!("QUEUE"), &json!("Helpdesk")));
    let input = json!({ "tenant": "MOLLOY", "information": { "number": "8190", "name": "Moe" } });
    server.save(MOLLOY, "virtualExtensionCreate", input).await;
    assert_eq!(nothing_of_others.change().await["object"]["name"], "Moe");
}

/// Everything since a moment, heard in one go and with a break behind each event: the same, event by event. A delete
/// changes several objects in one revision.
async fn who_comes_back_misses_nothing_and_hears_nothing_twice(engine: Engine) {
    let server = Server::start(engine);
    let since = revision(&server).await;
    let mut whole = follow(&server, TOKEN, json!({ "since": since })).await;
    for name in ["A", "B", "C"] {
        rename(&server, "108", name).await;
    }
    let (id, _) = server.extension("108").await;
    let plan = "query($id: ID!) { objectDeletePlan(id: $id) { token references { totalCount } } }";
    let plan = server.data(plan, json!({ "id": id })).await["objectDeletePlan"].take();
    let delete = "mutation($id: ID!, $plan: String!) { objectDelete(input: {id: $id, onReferences: DETACH,
        planToken: $plan}) { deletedId userErrors { message } } }";
    let deleted = server.data(delete, json!({ "id": id, "plan": plan["token"] })).await;
    assert_eq!(deleted["objectDelete"]["deletedId"], id, "{deleted:#}");
    rename(&server, "111", "The last").await;

    let mut heard = vec![whole.change().await];
    while heard.last().unwrap()["object"]["name"] != "The last" {
        heard.push(whole.change().await);
    }
    let of_delete = heard.iter().filter(|event| event["revision"] == since + 4).count();
    assert!(of_delete > 3, "{of_delete} objects in one revision");
    let mut again = Vec::new();
    let mut from = json!({ "since": since });
    for _ in &heard {
        let event = follow(&server, TOKEN, from).await.change().await;
        from = json!({ "after": event["cursor"] });
        again.push(event);
    }
    // What the object is now was another thing while it was not deleted yet.
    heard.iter_mut().chain(&mut again).for_each(|event| event["object"] = Value::Null);
    assert_eq!(again, heard);
}

/// Two programs over one database: what the one saves, the other hears of.
async fn another_process_is_heard_of(engine: Engine) {
    hear_of_another_process(&Server::start(engine), "8190").await;
}

async fn hear_of_another_process(server: &Server, number: &str) {
    let other = App::open(&server.live.options()).unwrap();
    let other: Router = router(other, ServeOptions::default()).unwrap();
    let mut events = follow(server, TOKEN, json!({})).await;
    let query = "mutation($n: ExtensionNumber!) { virtualExtensionCreate(input: {information: {number: $n,
        name: \"Elsewhere\"}}) { userErrors { message } } }";
    let body = json!({ "query": query, "variables": { "n": number } }).to_string();
    let post = Request::post("/graphql").header("content-type", "application/json");
    let post = post.header("authorization", format!("Bearer {TOKEN}"));
    let answer = other.oneshot(post.body(Body::from(body)).unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(events.change().await["object"]["name"], "Elsewhere");
}

/// Whether something happens or not.
async fn a_revoked_token_hears_nothing_more(engine: Engine) {
    let server = Server::start(engine);
    let (mut active, mut idle) =
        (follow(&server, READ, json!({})).await, follow(&server, READ, json!({ "kinds": ["FLOW"] })).await);
    rename(&server, "108", "Heard").await;
    assert_eq!(active.change().await["object"]["name"], "Heard");
    assert!(server.app.revoke_token(READ).await.unwrap());
    rename(&server, "108", "Not heard").await;
    assert_eq!(active.refusal().await, "UNAUTHENTICATED");
    assert_eq!(idle.refusal().await, "UNAUTHENTICATED");
}

async fn a_tenant_that_is_deleted_ends_what_follows_it(engine: Engine) {
    let server = Server::start(engine);
    let mut events = follow(&server, MOLLOY, json!({})).await;
    assert!(server.app.delete_tenant("MOLLOY").await.unwrap());
    assert_eq!(events.refusal().await, "UNAUTHENTICATED");
}

/// There are 16 connections that read. Who waits for a change holds none of them, and all hear of it.
async fn who_waits_holds_no_connection(engine: Engine) {
    let server = Server::start(engine);
    let mut waiting = join_all((0..60).map(|_| follow(&server, TOKEN, json!({})))).await;
    let asked = join_all((0..20).map(|_| server.data("{ tenant { code } }", json!({})))).await;
    assert_eq!(asked.len(), 20);
    rename(&server, "108", "For all").await;
    for event in join_all(waiting.iter_mut().map(Events::change)).await {
        assert_eq!(event["object"]["name"], "For all");
    }
}

/// Saves go on while somebody follows with a break now and then: every one of them is heard of, in order.
async fn nothing_is_lost_while_many_save(engine: Engine) {
    const SAVES: usize = 40;
    let server = Server::start(engine);
    let since = revision(&server).await;
    let saving = async {
        join_all((0..4).map(async |client| {
            for i in 0..SAVES / 4 {
                let number = json!({ "information": { "number": format!("9{client}{i:02}"), "name": "x" } });
                server.save(TOKEN, "virtualExtensionCreate", number).await;
            }
        }))
        .await;
    };
    let following = async {
        let (mut from, mut heard) = (json!({ "since": since }), Vec::new());
        while heard.len() < SAVES {
            let mut events = follow(&server, TOKEN, from.clone()).await;
            for _ in 0..7.min(SAVES - heard.len()) {
                let event = events.change().await;
                heard.push(event["revision"].as_i64().unwrap());
                from = json!({ "after": event["cursor"] });
            }
        }
        heard
    };
    let (_, heard) = tokio::join!(saving, following);
    assert_eq!(heard, (1..=SAVES as i64).map(|n| since + n).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_place_to_begin_at_is_checked() {
    let server = Server::start(Engine::Sqlite);
    let future = revision(&server).await + 1;
    for variables in [
        json!({ "since": 1, "after": "x" }),
        json!({ "after": "x" }),
        json!({ "since": future }),
        json!({ "ids": vec!["x"; 101] }),
    ] {
        assert_eq!(follow(&server, TOKEN, variables.clone()).await.refusal().await, "BAD_USER_INPUT", "{variables}");
    }
    for tenant in ["MOLLOY", "NOBODY"] {
        assert_eq!(follow(&server, TOKEN, json!({ "tenant": tenant })).await.refusal().await, "NOT_FOUND");
    }
    assert_eq!(follow(&server, ALL, json!({})).await.refusal().await, "TENANT_REQUIRED");
    let mut anonymous = Events::open(&server, &[], &json!({ "query": FOLLOW })).await;
    assert_eq!(anonymous.refusal().await, "UNAUTHENTICATED");
}

/// What is wrong with the document is told in the stream; a bad token and a bad body keep their status.
#[tokio::test]
async fn a_stream_answers_everything_that_a_post_answers() {
    let server = Server::start(Engine::Sqlite);
    let authorization = format!("Bearer {TOKEN}");
    let token = [("authorization", authorization.as_str())];
    let ask = async |query: &str| Events::open(&server, &token, &json!({ "query": query })).await;
    let mut events = ask("{ tenant { code } }").await;
    assert_eq!(events.next().await.unwrap()["data"], json!({ "tenant": { "code": "CANISTRACCI" } }));
    assert!(events.next().await.is_none() && events.complete);
    let asks = json!({ "query": "{ tenant { code } }", "extensions": { "cost": true, "plan": true } });
    let explorer = format!("Bearer {EXPLORE}");
    let event = Events::open(&server, &[("authorization", &explorer)], &asks).await.next().await.unwrap();
    assert!(event["extensions"]["cost"]["actual"].is_number(), "{event:#}");
    assert!(event["extensions"]["plan"]["statementCount"].is_number(), "{event:#}");
    for wrong in [
        "{",
        "{ tenant { cod } }",
        "subscription { objectChanged { cursor } second: objectChanged { cursor } }",
        "subscription { ...Both } fragment Both on Subscription { objectChanged { cursor } }",
        "subscription { __typename }",
        "subscription { objectChanged @skip(if: true) { cursor } }",
        "subscription { objectChanged { nothing } }",
    ] {
        let mut events = ask(wrong).await;
        let event = events.next().await.unwrap();
        assert!(event["errors"][0]["message"].is_string() && event.get("data").is_none(), "{wrong}: {event:#}");
        assert!(events.next().await.is_none() && events.complete, "{wrong}");
    }
    for (token, body, status) in [
        ("Bearer wrong", json!({ "query": FOLLOW }), StatusCode::UNAUTHORIZED),
        (authorization.as_str(), json!({ "query": 1 }), StatusCode::BAD_REQUEST),
    ] {
        let post = Request::post("/graphql").header("content-type", "application/json").header("authorization", token);
        let post = post.header("accept", "text/event-stream").body(Body::from(body.to_string())).unwrap();
        let answer = server.send(post).await;
        assert_eq!(answer.status(), status);
        assert_eq!(answer.headers()["content-type"], "application/graphql-response+json; charset=utf-8");
    }
    // Without a stream it says how to get one.
    let (_, answer) = server.post(&token, &json!({ "query": FOLLOW })).await;
    let error = &answer["errors"][0];
    assert_eq!(error["extensions"]["code"], "STREAM_REQUIRED", "{answer:#}");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("graphql-transport-ws") && message.contains("text/event-stream"), "{message}");
    assert!(answer.get("data").is_none());
}

#[tokio::test]
async fn streams_of_a_token_and_of_a_tenant_are_counted() {
    let streaming = StreamSettings { max_streams: 2, ..StreamSettings::default() };
    let server = Server::with(Engine::Sqlite, ServeOptions { streaming, ..ServeOptions::default() }).unwrap();
    let first = follow(&server, TOKEN, json!({})).await;
    let _second = follow(&server, READ, json!({})).await;
    let refused = async |token: &str| {
        let post = Request::post("/graphql").header("content-type", "application/json");
        let post = post.header("accept", "text/event-stream").header("authorization", format!("Bearer {token}"));
        server.send(post.body(Body::from(json!({ "query": FOLLOW }).to_string())).unwrap()).await
    };
    let answer = refused(READ).await;
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    let error = serde_json::from_slice::<Value>(&body).unwrap()["errors"][0].take();
    assert_eq!(error["extensions"], json!({ "code": "TOO_MANY_STREAMS", "limit": 2, "actual": 3 }), "{error:#}");
    assert!(error["message"].as_str().unwrap().starts_with("The tenant has 2 streams open"), "{error:#}");
    // Another tenant has its own, and one that ends makes room.
    let _molloy = follow(&server, MOLLOY, json!({})).await;
    drop(first);
    let _third = follow(&server, READ, json!({})).await;
}

/// A client closes its connection while its save is at work, and nobody looks into the database for what others do.
#[test]
fn a_save_whose_client_has_gone_is_heard_of() {
    let live = Live::new(Engine::Sqlite, Content::Demo);
    let (url, key, metrics) = (live.url(), live.folder.path().join("vext.key"), free());
    let serve = ["serve", "--database", &url, "--key-file", key.to_str().unwrap(), "--metrics-listen", &metrics];
    let server = Process::start(&[&serve[..], &["--feed-poll", "1h"]].concat());
    let authorization = format!("Bearer {TOKEN}");
    let headers = [("accept", "text/event-stream"), ("authorization", &authorization)];
    let follow = json!({ "query": "subscription { objectChanged { object { name } } }" }).to_string();
    let stream = client::open(&server.address, "/graphql", &headers, Some(follow.as_bytes())).unwrap();
    let mut events = BufReader::new(stream.into_body().into_reader()).lines().map(Result::unwrap);
    let mut heard = || events.find(|line| line.starts_with("data:") && line.contains("objectChanged")).unwrap();
    let save = |number: &str, name: &str| {
        format!(
            "mutation {{ virtualExtensionCreate(input: {{information: {{number: \"{number}\", name: \"{name}\"}}}}) {{
            userErrors {{ code }} }} }}"
        )
    };
    server.ask(TOKEN, &save("991", "Stays"), &json!({})).unwrap();
    assert!(heard().contains("Stays"));
    let waits = "vext_writer_wait_seconds_count";
    let before = scrape(&metrics)[waits];
    // Somebody else holds the file, so that the save has to wait.
    let other = rusqlite::Connection::open(live.database.file().unwrap()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let body = json!({ "query": save("992", "Goes") }).to_string();
    let client = client::sent(&server.address, client::bytes(TOKEN, &body));
    until(&metrics, waits, before + 1.0);
    drop(client);
    until(&metrics, r#"vext_requests_total{operation="none",type="mutation",outcome="abandoned"}"#, 1.0);
    other.execute_batch("ROLLBACK").unwrap();
    let begun = Instant::now();
    assert!(heard().contains("Goes"));
    // Every five seconds a stream looks at its token, and would see it then.
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

/// Every statement of the feed, for the test of the plans.
pub async fn run_every_statement(server: &Server) {
    hear_of_another_process(server, "8907").await;
}

const CLIENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients");

/// The clients of the ecosystem, `graphql-ws` and `graphql-sse`, and the protocol's own refusals with plain `ws`.
#[test]
fn the_npm_clients_are_served() {
    let node = Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success());
    if !node || !Path::new(CLIENTS).join("node_modules/graphql-ws").is_dir() {
        return missing("node, or what `npm ci` installs in tests/clients/");
    }
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("vext.db");
    let mut demo = Process::start(&[
        "demo",
        "--token=T",
        &format!("--database={}", database.display()),
        "--socket-init-timeout=3s",
        "--stream-ping=1s",
        "--stream-patience=2s",
        "--max-streams=12",
        "--max-socket-operations=30",
        "--allowed-origin=https://panel.example",
    ]);
    let mut test = Command::new("node");
    test.current_dir(CLIENTS).args(["subscriptions.mjs", &demo.address, env!("CARGO_BIN_EXE_vext")]);
    let output = test.arg(&database).arg(demo.id().to_string()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    println!("{said}");
    // The script has stopped the server, with a socket and a stream open.
    assert!(demo.ended().success());
}

on_each_engine!(
    an_event_says_what_a_save_has_changed,
    only_what_was_asked_for_is_heard,
    who_comes_back_misses_nothing_and_hears_nothing_twice,
    another_process_is_heard_of,
    a_revoked_token_hears_nothing_more,
    a_tenant_that_is_deleted_ends_what_follows_it,
    who_waits_holds_no_connection,
    nothing_is_lost_while_many_save,
);
