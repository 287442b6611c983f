//! Secrets that are hashed: when they are, in whose turn, and what that takes of the machine.

use std::cell::Cell;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use vext::graphql::Limits;
use vext::http::{FairUse, ServeOptions};

use crate::engines::{Engine, on_each_engine};
use crate::harness::{MOLLOY, READ, Server, TOKEN, path as path_of, problems};

/// The three secrets of a form that are hashed, and one that is sealed.
fn with_secrets(number: &str) -> Value {
    json!({
        "information": { "number": number, "name": "Desk", "securityPin": "7305" },
        "security": { "lockPin": "2846" },
        "webUserPanel": { "webPassword": "A very secret 1 word", "twoFactorSecret": "JBSWY3DPEHPK3PXP" },
    })
}

fn and(mut input: Value, more: Value) -> Value {
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    input
}

async fn only_what_will_be_saved_is_hashed(engine: Engine) {
    let server = Server::start(engine);
    let hashes = || server.app.hashes();
    let before = hashes();
    let (id, version) = server.extension("108").await;

    let create = "virtualExtensionCreate";
    let tried = server.mutate(create, and(with_secrets("8190"), json!({ "dryRun": true }))).await;
    assert_eq!(tried["userErrors"], json!([]), "{tried:#}");
    let set = |change: &Value, path: &str| path_of(change) == path && change["after"] == true;
    for path in ["information.securityPin", "security.lockPin", "webUserPanel.webPassword"] {
        assert!(tried["changes"].as_array().unwrap().iter().any(|change| set(change, path)), "{path} in {tried:#}");
    }
    let changes = json!({ "id": id, "security": { "lockPin": "2846" } });
    let stale = and(changes.clone(), json!({ "expectedVersion": version - 1 }));
    let stale = server.mutate("virtualExtensionUpdate", stale).await;
    assert_eq!(stale["userErrors"][0]["code"], "CONFLICT", "{stale:#}");
    let tried = server.mutate("virtualExtensionSecurityUpdate", and(changes.clone(), json!({ "dryRun": true }))).await;
    assert_eq!(path_of(&tried["changes"][0]), "security.lockPin", "{tried:#}");
    // All that is wrong at once, whether it is wrong with a secret or not.
    let wrong = json!({ "information": { "number": "101", "name": "", "securityPin": "1111" },
        "security": { "lockPin": "2846" }, "webUserPanel": { "webPassword": "A very secret 1 word", "userPanelEnabled": true } });
    let refused = server.mutate(create, wrong).await;
    let found = problems(&refused["userErrors"]);
    for problem in
        ["information.number NUMBER_TAKEN", "information.securityPin WEAK_PIN", "webUserPanel.webUser REQUIRED_WHEN"]
    {
        assert!(found.iter().any(|known| known == problem), "{problem} in {found:?}");
    }
    let nobody = server.mutate_as(MOLLOY, "virtualExtensionSecurityUpdate", changes.clone()).await;
    assert_eq!(nobody["userErrors"][0]["code"], "NOT_FOUND", "{nobody:#}");
    let reader = server.mutate_as(READ, "virtualExtensionSecurityUpdate", changes.clone()).await;
    assert_eq!(reader["userErrors"][0]["code"], "FORBIDDEN", "{reader:#}");
    let defaults =
        "mutation { virtualExtensionDefaultsUpdate(input: {expectedVersion: 999, security: {lockPin: \"2846\"}}) {
      userErrors { code } } }";
    let refused = server.data(defaults, json!({})).await;
    assert_eq!(refused["virtualExtensionDefaultsUpdate"]["userErrors"][0]["code"], "CONFLICT", "{refused:#}");
    let meeting = json!({ "number": "8191", "name": "Meeting", "pin": "7305", "adminPin": "2846" });
    server.mutate("conferenceCreate", and(meeting.clone(), json!({ "dryRun": true }))).await;
    server.mutate("conferenceCreate", and(meeting.clone(), json!({ "number": "101" }))).await;
    // What is sealed is not hashed.
    server
        .save(TOKEN, "virtualExtensionUpdate", json!({ "id": id, "webUserPanel": { "twoFactorMobile": "+390612345" } }))
        .await;
    assert_eq!(hashes(), before, "nothing of this was to be saved, or had a secret to hash");

    let made = server.save(TOKEN, create, with_secrets("8190")).await;
    assert_eq!(hashes() - before, 3);
    server.save(TOKEN, "conferenceCreate", meeting).await;
    assert_eq!(hashes() - before, 5);
    server.save(TOKEN, "virtualExtensionSecurityUpdate", changes).await;
    assert_eq!(hashes() - before, 6);
    let query = "query($id: ID!) { node(id: $id) { ... on VirtualExtension { information { securityPinSet } security { lockPinSet }
      webUserPanel { webPasswordSet twoFactorSecretSet twoFactorMobileSet } } } }";
    let shown = server.data(query, json!({ "id": made })).await["node"].take();
    assert_eq!(
        shown,
        json!({ "information": { "securityPinSet": true }, "security": { "lockPinSet": true },
            "webUserPanel": { "webPasswordSet": true, "twoFactorSecretSet": true, "twoFactorMobileSet": false } })
    );
    let hash = "$argon2id$v=19$m=19456,t=2,p=1$";
    let kept = server.live.texts("SELECT security_pin FROM information WHERE security_pin <> ''");
    assert!(kept.iter().all(|kept| kept.starts_with(hash)) && !kept.is_empty(), "{kept:?}");
}

/// A flood of saves with secrets holds up nobody's save but its own.
async fn a_save_with_a_secret_waits_for_no_flood_of_others(engine: Engine) {
    let (max_wait, request_timeout) = (Duration::from_secs(300), Duration::from_secs(300));
    let (fair, limits) = (FairUse { max_wait, ..FairUse::default() }, Limits { request_timeout, ..Limits::default() });
    let server = Server::with(engine, ServeOptions { fair, limits, ..ServeOptions::default() }).unwrap();
    // Until it has been valid, a token waits in the line of its address.
    for token in [TOKEN, MOLLOY] {
        assert!(server.answer(token, "{ tenant { code } }", json!({})).await.get("errors").is_none());
    }
    let save = "mutation($n: ExtensionNumber!) { virtualExtensionCreate(input: {information: {number: $n, name: \"Desk\", securityPin: \"7305\"}}) {
      userErrors { message } } }";
    let done = Cell::new(0);
    let saved = async |token: &str, number: String| {
        let answer = server.answer(token, save, json!({ "n": number })).await;
        assert_eq!(answer["data"]["virtualExtensionCreate"]["userErrors"], json!([]), "{answer}");
        done.set(done.get() + 1);
        done.get()
    };
    let flood = join_all((0..20).map(|i| saved(TOKEN, format!("77{i:02}"))));
    let (_, place) = futures_util::future::join(flood, saved(MOLLOY, "7700".into())).await;
    assert!(place <= 4, "it was the {place}th to be saved");
    #[cfg(target_os = "linux")]
    assert_eq!(crate::fair::priorities("hasher-0").iter().min(), Some(&19), "whatever else there is to do comes first");
}

on_each_engine!(only_what_will_be_saved_is_hashed, a_save_with_a_secret_waits_for_no_flood_of_others);

/// What cost each hash 19 MiB, and one thread each, before there was a place for them.
#[cfg(target_os = "linux")]
#[test]
fn sixty_saves_with_secrets_at_once_take_the_memory_of_one() {
    use crate::process::Process;
    let metrics = crate::watching::free();
    let patient = ["--request-timeout", "300s", "--max-wait", "300s", "--client-timeout", "300s"];
    let server = Process::start(&[&["demo", "--token", "T", "--metrics-listen", &metrics][..], &patient].concat());
    let memory = |what: &str| -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(what)).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
    };
    let hashes = || {
        let text = crate::client::get(&metrics, "/metrics", &[]).unwrap().body;
        let line = text.lines().find_map(|line| line.strip_prefix("vext_hashes_total ")).unwrap();
        line.parse::<u64>().unwrap()
    };
    let save = "mutation($input: VirtualExtensionCreateInput!) { virtualExtensionCreate(input: $input) { userErrors { message } } }";
    let saved = |input: &Value| {
        let answer = server.ask("T", save, &json!({ "input": input })).unwrap();
        assert_eq!(answer["data"]["virtualExtensionCreate"]["userErrors"], json!([]), "{answer}");
    };
    saved(&json!({ "information": { "number": "7799", "name": "Desk" } }));
    let (before, hashed) = (memory("VmRSS:"), hashes());
    std::thread::scope(|scope| {
        for i in 0..60 {
            scope.spawn(move || {
                let number = format!("77{i:02}");
                saved(&and(with_secrets(&number), json!({ "dryRun": true })));
                saved(&json!({ "information": { "number": number, "name": "Desk", "securityPin": "7305" } }));
            });
        }
    });
    let grown = memory("VmHWM:").saturating_sub(before);
    assert_eq!(hashes() - hashed, 60);
    println!("60 saves with a secret at once: {grown} MiB more");
    assert!(grown < 150, "{grown} MiB more");
}
