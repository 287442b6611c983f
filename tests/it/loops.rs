//! Calls and questions that would never come to an end are refused when they are saved, and lists that end too early
//! are warned of.

use crate::engines::{Engine, on_each_engine};
use crate::harness::{Server, TOKEN, problems};
use serde_json::{Value, json};

const NONE: [&str; 0] = [];

/// What every call to an extension does.
fn always(to: Value) -> Value {
    json!({ "unconditionalEnabled": true, "unconditional": [to] })
}

fn object(id: &str) -> Value {
    json!({ "objectId": id })
}

/// Makes an extension.
async fn extension(server: &Server, number: &str, destinations: Value) -> String {
    let information = json!({ "number": number, "name": format!("Stop {number}") });
    let input = json!({ "information": information, "additionalDestinations": destinations });
    server.save(TOKEN, "virtualExtensionCreate", input).await
}

async fn make(server: &Server, kind: &str, input: Value) -> String {
    server.save(TOKEN, &format!("{kind}Create"), input).await
}

/// Sends destinations to an extension. What is wrong, and that nothing was saved then.
async fn redirect(server: &Server, id: &str, destinations: Value) -> Value {
    let input = json!({ "id": id, "additionalDestinations": destinations });
    change(server, "virtualExtension", id, input).await
}

/// Changes an object; nothing may be saved when that is refused.
async fn change(server: &Server, kind: &str, id: &str, mut input: Value) -> Value {
    let version = "query($id: ID!) { tenant { revision } node(id: $id) { ... on PbxObject { version } } }";
    let before = server.data(version, json!({ "id": id })).await;
    input["id"] = json!(id);
    let payload = server.mutate(&format!("{kind}Update"), input).await;
    let after = server.data(version, json!({ "id": id })).await;
    assert_eq!(payload["userErrors"] == json!([]), before != after, "{payload:#}");
    payload
}

/// The only error: its path and code, and its message from the first stop on.
fn only_error(payload: &Value) -> (String, String) {
    let errors = payload["userErrors"].as_array().unwrap();
    assert_eq!(errors.len(), 1, "{payload:#}");
    let message = errors[0]["message"].as_str().unwrap();
    let way = message.split_once(": ").map_or("", |(_, way)| way);
    (problems(&payload["userErrors"]).remove(0), way.to_owned())
}

const BY_ID: &str = "additionalDestinations.unconditional.0.objectId ROUTING_LOOP";
const BY_NUMBER: &str = "additionalDestinations.unconditional.0.number ROUTING_LOOP";

/// Two and three extensions that send all their calls on, by id and by number.
async fn unconditional_chains(engine: Engine) {
    let server = Server::start(engine);
    let first = extension(&server, "501", json!({})).await;
    let second = extension(&server, "502", always(object(&first))).await;
    extension(&server, "503", always(json!({ "number": "502" }))).await;
    let third = server.object("503").await;
    let two = "501 Stop 501 → 502 Stop 502 → 501 Stop 501.";
    let three = "501 Stop 501 → 503 Stop 503 → 502 Stop 502 → 501 Stop 501.";
    for (to, path, way) in [
        (object(&second), BY_ID, two),
        (json!({ "number": "502" }), BY_NUMBER, two),
        (object(&third), BY_ID, three),
        (json!({ "number": "503" }), BY_NUMBER, three),
    ] {
        let refused = redirect(&server, &first, always(to.clone())).await;
        assert_eq!(only_error(&refused), (path.into(), way.into()), "{to}");
        assert!(refused["userErrors"][0]["relatedId"].is_string());
        // What is switched off leads nowhere.
        let off = json!({ "unconditionalEnabled": false, "unconditional": [to] });
        assert_eq!(problems(&redirect(&server, &first, off).await["userErrors"]), NONE);
    }
    // A file that is played first does not end the list; a hang-up does.
    let media = make(&server, "mediaFile", json!({ "name": "Sorry" })).await;
    let behind = |first: Value| json!({ "unconditionalEnabled": true, "unconditional": [first, object(&second)] });
    let (path, _) = only_error(&redirect(&server, &first, behind(object(&media))).await);
    assert_eq!(path, "additionalDestinations.unconditional.1.objectId ROUTING_LOOP");
    let hangup = redirect(&server, &first, behind(json!({ "hangup": "BUSY" }))).await;
    assert_eq!(problems(&hangup["userErrors"]), NONE);
}

/// What happens to some calls only is no loop; itself is none either, but an error of its own.
async fn other_slots(engine: Engine) {
    let server = Server::start(engine);
    let first = extension(&server, "501", json!({})).await;
    let second = extension(&server, "502", always(object(&first))).await;
    let busy = json!({ "onBusyEnabled": true, "onBusy": [object(&second)] });
    assert_eq!(problems(&redirect(&server, &first, busy).await["userErrors"]), NONE);
    for (to, path) in [(object(&first), "objectId"), (json!({ "number": "501" }), "number")] {
        let (found, _) = only_error(&redirect(&server, &first, always(to)).await);
        assert_eq!(found, format!("additionalDestinations.unconditional.0.{path} SELF_REFERENCE"));
    }
    // One that is not made yet can only be led to by its number.
    let new = json!({ "information": { "number": "504", "name": "x" }, "additionalDestinations": always(json!({ "number": "504" })) });
    let refused = server.mutate("virtualExtensionCreate", new).await;
    assert_eq!(only_error(&refused).0, "additionalDestinations.unconditional.0.number SELF_REFERENCE");
}

/// A loop of two that another one leads into is theirs, not its own.
async fn a_loop_is_told_where_it_closes(engine: Engine) {
    let server = Server::start(engine);
    let first = extension(&server, "501", json!({})).await;
    let second = extension(&server, "502", always(object(&first))).await;
    let third = extension(&server, "503", json!({})).await;
    // Made by other means than a save.
    let (first_id, second_id) = (local(&first), local(&second));
    let close = format!(
        "INSERT INTO destination (tenant_id, owner_id, slot, position, target_id)
         VALUES (1, {first_id}, 'unconditional', 0, {second_id})"
    );
    let on = "UPDATE additional_destinations SET unconditional_enabled =
      (SELECT unconditional_enabled FROM additional_destinations WHERE tenant_id = 1 AND object_id = $)
      WHERE tenant_id = 1 AND object_id = ";
    assert_eq!(server.live.execute(&close), 1);
    assert_eq!(server.live.execute(&(on.replace('$', &second_id) + &first_id)), 1);
    assert_eq!(problems(&redirect(&server, &third, always(object(&first))).await["userErrors"]), NONE);
    // Who looks the tenant over sees both of the two.
    let lint = "{ tenantLint(severity: ERROR) { nodes { label code path } } }";
    let found = server.data(lint, json!({})).await["tenantLint"]["nodes"].clone();
    let label = |node: &Value| node["label"].as_str().unwrap().to_owned();
    assert_eq!(found.as_array().unwrap().iter().map(label).collect::<Vec<_>>(), ["501 Stop 501", "502 Stop 502"]);
    assert_eq!(problems(&found), [BY_ID; 2]);
    // It does not keep other sections from being saved, see `rules::what_was_wrong_before_does_not_block_other_sections`.
    let note = json!({ "note": { "branch": "Genoa" } });
    let saved = change(&server, "virtualExtension", &first, note).await;
    let forgiven = BY_ID.replace("ROUTING_LOOP", "BROKEN_RULE ROUTING_LOOP");
    assert!(problems(&saved["warnings"]).contains(&forgiven), "{saved:#}");
}

fn local(id: &str) -> String {
    use base64::Engine as _;
    let plain = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(id).unwrap();
    String::from_utf8(plain).unwrap().split_once('.').unwrap().1.to_owned()
}

/// A hunt list goes on where a member sends its calls, if it may.
async fn hunt_lists(engine: Engine) {
    let server = Server::start(engine);
    let stop = extension(&server, "501", json!({})).await;
    let list = |number: &str, member: &str, follows: bool| {
        json!({ "number": number, "name": format!("List {number}"), "members": [object(member)],
            "allowAdditionalDestinations": follows, "onTimeout": [{ "hangup": "BUSY" }] })
    };
    let follows = make(&server, "huntList", list("511", &stop, true)).await;
    let deaf = make(&server, "huntList", list("512", &stop, false)).await;
    let refused = redirect(&server, &stop, always(object(&follows))).await;
    assert_eq!(only_error(&refused), (BY_ID.into(), "501 Stop 501 → 511 List 511 → 501 Stop 501.".into()));
    assert_eq!(problems(&redirect(&server, &stop, always(object(&deaf))).await["userErrors"]), NONE);
    // Now the extension leads to the deaf list, which must stay deaf.
    let opened = change(&server, "huntList", &deaf, json!({ "allowAdditionalDestinations": true })).await;
    let way = "512 List 512 → 501 Stop 501 → 512 List 512.";
    assert_eq!(only_error(&opened), ("members.0.objectId ROUTING_LOOP".into(), way.into()));
    // Lists ring the members of lists whatever they allow.
    let outer = make(&server, "huntList", list("513", &deaf, false)).await;
    for (to, step) in [(object(&outer), "objectId"), (json!({ "number": "513" }), "number")] {
        let closed = change(&server, "huntList", &deaf, json!({ "members": [to] })).await;
        let way = "512 List 512 → 513 List 513 → 512 List 512.";
        assert_eq!(only_error(&closed), (format!("members.0.{step} ROUTING_LOOP"), way.into()));
    }
    let own = change(&server, "huntList", &deaf, json!({ "members": [object(&deaf)] })).await;
    assert_eq!(only_error(&own), ("members.0.objectId ROUTING_LOOP".into(), "512 List 512 → 512 List 512.".into()));
}

/// A condition that is composed of itself has no answer.
async fn conditions(engine: Engine) {
    let server = Server::start(engine);
    let day = json!({ "name": "Monday", "conditionType": "WEEKDAY", "spans": [{ "weekday": "MONDAY" }] });
    let day = make(&server, "condition", day).await;
    let over = |name: &str, of: &str, parts: &[&str]| json!({ "name": name, "conditionType": of, "partIds": parts });
    let inner = make(&server, "condition", over("Inner", "ANY_OF", &[&day])).await;
    let middle = make(&server, "condition", over("Middle", "NOT", &[&inner])).await;
    let outer = make(&server, "condition", over("Outer", "ALL_OF", &[&day, &middle])).await;
    for (parts, place, way) in [
        (vec![&inner], 0, "Inner → Inner."),
        (vec![&day, &middle], 1, "Inner → Middle → Inner."),
        (vec![&outer], 0, "Inner → Outer → Middle → Inner."),
    ] {
        let refused = change(&server, "condition", &inner, json!({ "partIds": parts })).await;
        assert_eq!(only_error(&refused), (format!("partIds.{place} ROUTING_LOOP"), way.into()));
    }
}

/// What leads nowhere else than back to itself would go on for ever. A voice menu may be heard again.
async fn only_back_to_itself(engine: Engine) {
    let server = Server::start(engine);
    let media = make(&server, "mediaFile", json!({ "name": "Sorry" })).await;
    let made = |kind: &'static str, number: &'static str, mut rest: Value| {
        rest["name"] = json!(kind);
        // Conditions have no numbers.
        if kind != "condition" {
            rest["number"] = json!(number);
        }
        rest
    };
    let member = json!([{ "extensionId": server.object("101").await }]);
    for (kind, number, rest, slots) in [
        ("queue", "521", json!({ "members": member }), &["onTimeout", "onFull", "onNobodyHome", "beforeRinging"][..]),
        ("huntList", "522", json!({}), &["onTimeout"]),
        ("flow", "523", json!({}), &["onDestinations", "offDestinations"]),
        ("voicemailBox", "524", json!({}), &["operatorDestinations", "followDestinations", "broadcastDestinations"]),
        ("condition", "", json!({}), &["trueDestinations", "falseDestinations"]),
        ("ivr", "525", json!({}), &["key1", "onWrong", "onTimeout"]),
    ] {
        let id = make(&server, kind, made(kind, number, rest)).await;
        let by_number = (kind != "condition").then(|| (json!({ "number": number }), "number"));
        for slot in slots {
            for (to, step) in [(object(&id), "objectId")].into_iter().chain(by_number.clone()) {
                let alone = change(&server, kind, &id, json!({ "dryRun": false, *slot: [to] })).await;
                let expected = format!("{slot}.0.{step} SELF_REFERENCE");
                let expected = if kind == "ivr" { vec![] } else { vec![expected] };
                assert_eq!(problems(&alone["userErrors"]), expected, "{kind}");
            }
            // Whoever hears something meanwhile does not go round and round.
            let after = change(&server, kind, &id, json!({ *slot: [object(&media), object(&id)] })).await;
            assert_eq!(problems(&after["userErrors"]), NONE, "{kind} {slot}");
        }
    }
}

/// Nothing is reached behind a destination that takes the call.
async fn behind_the_end(engine: Engine) {
    let server = Server::start(engine);
    let media = make(&server, "mediaFile", json!({ "name": "Sorry" })).await;
    let list = json!([object(&media), { "number": "101" }, object(&media), { "hangup": "BUSY" }]);
    let stop = extension(&server, "501", json!({})).await;
    let warned = redirect(&server, &stop, json!({ "onNoAnswerEnabled": true, "onNoAnswer": list })).await;
    assert_eq!(problems(&warned["warnings"]), ["additionalDestinations.onNoAnswer.2 UNREACHABLE_DESTINATION"]);
    let queue = json!({ "number": "521", "name": "x", "members": [{ "extensionId": stop }], "onFull": list });
    let warned = server.mutate("queueCreate", queue).await;
    assert_eq!(problems(&warned["warnings"]), ["onFull.2 UNREACHABLE_DESTINATION"]);
}

on_each_engine!(
    unconditional_chains,
    other_slots,
    a_loop_is_told_where_it_closes,
    hunt_lists,
    conditions,
    only_back_to_itself,
    behind_the_end,
);
