//! Writing: what is kept, what is changed, what is refused, and that nothing is half saved.

use crate::cost::details;
use crate::engines::{Engine, on_each_engine};
use crate::harness::{READ, Server, TOKEN, paths, problems};
use serde_json::{Value, json};
use vext::form::{FieldInfo, Place, camel};

const NONE: [&str; 0] = [];

async fn read(server: &Server, number: &str, selection: &str) -> Value {
    let query = format!(
        "query($n: ExtensionNumber!) {{ tenant {{ virtualExtension(by: {{number: $n}}) {{ {selection} }} }} }}"
    );
    server.data(&query, json!({ "n": number })).await["tenant"]["virtualExtension"].clone()
}

async fn a_new_extension_takes_the_tenants_defaults(engine: Engine) {
    let server = Server::start(engine);
    let defaults = json!({ "note": { "branch": "Headquarters" }, "information": { "inboundTimeoutSeconds": 42 } });
    let query = "mutation($input: VirtualExtensionDefaultsUpdateInput!) { virtualExtensionDefaultsUpdate(input: $input) {
        userErrors { message } changes { path } object { version note { branch } information { number inboundTimeoutSeconds } } } }";
    let saved = server.data(query, json!({ "input": defaults })).await["virtualExtensionDefaultsUpdate"].clone();
    assert_eq!(saved["object"]["note"]["branch"], "Headquarters", "{saved}");
    let form = server
        .data(
            "{ tenant { newVirtualExtension { information { number name inboundTimeoutSeconds } note { branch } } } }",
            json!({}),
        )
        .await;
    let form = &form["tenant"]["newVirtualExtension"];
    assert_eq!(form["information"], json!({ "number": null, "name": "", "inboundTimeoutSeconds": 42 }));
    let new = json!({ "information": { "number": "150", "name": "Front desk" }, "note": { "department": "Sales" } });
    let payload = server.mutate("virtualExtensionCreate", new).await;
    assert_eq!(problems(&payload["userErrors"]), NONE);
    assert_eq!(payload["object"]["version"], 1);
    let saved = read(&server, "150", "information { inboundTimeoutSeconds } note { branch department }").await;
    assert_eq!(
        saved,
        json!({ "information": { "inboundTimeoutSeconds": 42 }, "note": { "branch": "Headquarters", "department": "Sales" } })
    );
}

async fn defaults_cannot_hold_what_is_unique(engine: Engine) {
    let server = Server::start(engine);
    let query = "mutation { virtualExtensionDefaultsUpdate(input: {information: {number: \"150\"}, webUserPanel: {webUser: \"everybody\"}}) {
        object { version } userErrors { path code } } }";
    let refused = server.data(query, json!({})).await["virtualExtensionDefaultsUpdate"].clone();
    assert_eq!(
        problems(&refused["userErrors"]),
        ["information.number CONTRADICTION", "webUserPanel.webUser CONTRADICTION"]
    );
}

async fn absent_keeps_null_clears(engine: Engine) {
    let server = Server::start(engine);
    let all = "information { memberIds emails dnd securityPinSet } note { branch referenceId additionalInfo }";
    let before = read(&server, "108", all).await;
    let (id, version) = server.extension("108").await;
    let input = json!({ "id": id, "information": { "emails": null, "securityPin": null, "memberIds": null }, "note": { "branch": null } });
    let payload = server.mutate("virtualExtensionUpdate", input).await;
    assert_eq!(problems(&payload["userErrors"]), NONE);
    assert_eq!(payload["object"]["version"], version + 1);
    let after = read(&server, "108", all).await;
    assert_eq!(after["information"]["emails"], json!([]));
    assert_eq!(after["information"]["memberIds"], json!([]));
    assert_eq!(after["information"]["securityPinSet"], json!(false));
    assert_eq!(after["information"]["dnd"], before["information"]["dnd"]);
    assert_eq!(after["note"]["branch"], "");
    assert_eq!(after["note"]["referenceId"], before["note"]["referenceId"]);
    assert_eq!(after["note"]["additionalInfo"], before["note"]["additionalInfo"]);
    let refused = server
        .mutate(
            "virtualExtensionInformationUpdate",
            json!({ "id": id, "information": { "dnd": null, "number": null } }),
        )
        .await;
    assert_eq!(problems(&refused["userErrors"]), ["information.dnd REQUIRED", "information.number REQUIRED"]);
}

/// The lists of destinations of a kind that is no form.
fn destinations(fields: &'static [FieldInfo]) -> Vec<&'static str> {
    let of_list = |field: &&FieldInfo| matches!(field.place, Place::Rows(rows) if rows.table == "destination");
    fields.iter().filter(of_list).map(|field| field.client_name.as_str()).collect()
}

/// A destination that was read is sent back as it is, with the nulls of the fields that it does not use.
async fn a_destination_goes_back_as_it_was_read(engine: Engine) {
    let server = Server::start(engine);
    let (mut kinds, mut steps) = (0, 0);
    let mut send_back = async |mutation: &str, mut input: Value, read: &Value| {
        for (list, entries) in read.as_object().unwrap() {
            input[list] = entries.clone();
            steps += entries.as_array().unwrap().len();
        }
        let saved = server.mutate(mutation, input).await;
        assert_eq!((problems(&saved["userErrors"]), &saved["changes"]), (vec![], &json!([])), "{mutation}: {read:#}");
    };
    let (id, version) = server.extension("108").await;
    let lists = ["unconditional", "onCondition", "onBusy", "onOffline", "onNoAnswer"];
    let selection = lists.map(|list| format!("{list} {{ objectId number hangup }}")).join(" ");
    let form = read(&server, "108", &format!("additionalDestinations {{ {selection} }}")).await;
    let mut input = form.clone();
    input["id"] = json!(id);
    let saved = server.mutate("virtualExtensionUpdate", input).await;
    assert_eq!((&saved["userErrors"], &saved["changes"]), (&json!([]), &json!([])), "{form:#}");
    assert_eq!(saved["object"]["version"], version);
    let tenant = server.app.tenants().await.unwrap().remove(0).id;
    for (kind, _, fields) in details() {
        let lists = destinations(fields);
        if lists.is_empty() {
            continue;
        }
        let rows =
            server.app.snapshot().read(tenant, move |query| vext::store::objects_of_kind(query, kind)).await.unwrap();
        let selection: String = lists.iter().map(|list| format!("{list} {{ objectId number hangup }} ")).collect();
        let query = format!("query($id: ID!) {{ node(id: $id) {{ ... on {} {{ {selection} }} }} }}", kind.name());
        for row in rows {
            let shown = server.data(&query, json!({ "id": row.id.opaque() })).await["node"].take();
            let mutation = format!("{}Update", camel(&kind.word().to_lowercase()));
            send_back(&mutation, json!({ "id": row.id.opaque() }), &shown).await;
        }
        kinds += 1;
    }
    assert!(kinds > 5 && steps > 20, "{steps} steps of {kinds} kinds");
}

/// One that says nothing, or several things, is refused where it stands, beside all else that is wrong.
async fn a_destination_is_exactly_one_thing(engine: Engine) {
    let server = Server::start(engine);
    let (id, version) = server.extension("108").await;
    let wrong = [
        json!({}),
        json!({ "objectId": null, "number": null, "hangup": null }),
        json!({ "number": "101", "hangup": "BUSY" }),
        json!({ "objectId": id, "number": "101", "hangup": null }),
        json!({ "objectId": server.object("101").await, "number": "101", "hangup": "BUSY" }),
    ];
    for entry in &wrong {
        let list = json!([{ "objectId": null, "number": "100", "hangup": null }, entry]);
        let input =
            json!({ "id": id, "additionalDestinations": { "onBusy": list }, "callSettings": { "txVolume": 11 } });
        let refused = server.mutate("virtualExtensionUpdate", input).await;
        let expected = ["additionalDestinations.onBusy.1 INVALID_FORMAT", "callSettings.txVolume OUT_OF_RANGE"];
        assert_eq!(problems(&refused["userErrors"]), expected, "{entry}");
        let told = |error: &&Value| error["code"] == "INVALID_FORMAT";
        let error = refused["userErrors"].as_array().unwrap().iter().find(told).unwrap();
        let message = error["message"].as_str().unwrap();
        assert!(message.starts_with("onBusy[1] must have exactly one of objectId, number and hangup"), "{message}");
        let queue = json!({ "name": "Q", "number": "899", "onTimeout": [entry] });
        let refused = server.mutate("queueCreate", queue).await;
        assert_eq!(problems(&refused["userErrors"]), ["onTimeout.0 INVALID_FORMAT"], "{entry}");
    }
    // As literals of the text, too, and in the tenant's defaults.
    let text = "mutation { virtualExtensionDefaultsUpdate(input: {additionalDestinations:
        {onBusy: [{}], onOffline: [{number: \"100\", hangup: BUSY}]}}) { userErrors { path code } object { version } } }";
    let refused = server.data(text, json!({})).await["virtualExtensionDefaultsUpdate"].take();
    let expected =
        ["additionalDestinations.onBusy.0 INVALID_FORMAT", "additionalDestinations.onOffline.0 INVALID_FORMAT"];
    assert_eq!(problems(&refused["userErrors"]), expected);
    assert_eq!(server.extension("108").await.1, version);
}

/// The nine section mutations are the whole update with one section.
async fn every_section_has_its_mutation(engine: Engine) {
    let server = Server::start(engine);
    let (id, _) = server.extension("108").await;
    let sections = [
        ("information", json!({ "description": "x" })),
        ("callSettings", json!({ "txVolume": -3 })),
        ("outboundRecording", json!({ "minRecordingBytes": 77 })),
        ("security", json!({ "outboundBlockReason": "x" })),
        ("webUserPanel", json!({ "neverExpire": true })),
        ("outboundCalls", json!({ "externalCallerIdName": "x" })),
        ("followMe", json!({ "namePrefix": "x" })),
        ("additionalDestinations", json!({ "ignoreQueueMissed": null })),
        ("note", json!({ "department": "x" })),
    ];
    for (section, fields) in sections {
        let mutation = format!("virtualExtension{}{}Update", section[..1].to_uppercase(), &section[1..]);
        let alone = server.mutate(&mutation, json!({ "id": id, "dryRun": true, section: fields })).await;
        let whole = server.mutate("virtualExtensionUpdate", json!({ "id": id, "dryRun": true, section: fields })).await;
        assert_eq!(alone, whole, "{section}");
        assert_ne!((&alone["changes"], &alone["userErrors"]), (&json!([]), &json!([])), "{section}");
    }
}

async fn all_problems_come_at_once_and_nothing_is_half_saved(engine: Engine) {
    let server = Server::start(engine);
    let (id, version) = server.extension("108").await;
    let input = json!({ "id": id,
        "information": { "number": "10B", "name": "Ivy <1>", "emails": ["ivy@example.com", "nobody"], "inboundTimeoutSeconds": 0,
            "securityPin": "8765", "memberIds": ["x", id] },
        "callSettings": { "txVolume": 11 },
        "security": { "outboundMode": "REGEX", "outboundRegex": "^(00" },
        "outboundCalls": { "externalCallerIdNumber": "12x", "areaCodeMinDigits": 9, "areaCodeMaxDigits": 3 },
        "note": { "branch": "would be fine" } });
    let payload = server.mutate("virtualExtensionUpdate", input).await;
    assert_eq!(
        problems(&payload["userErrors"]),
        [
            "callSettings.txVolume OUT_OF_RANGE",
            "information.emails.1 INVALID_FORMAT",
            "information.inboundTimeoutSeconds OUT_OF_RANGE",
            "information.memberIds.0 NOT_FOUND",
            "information.name INVALID_FORMAT",
            "information.number INVALID_FORMAT",
            "information.securityPin WEAK_PIN",
            "outboundCalls.areaCodeMinDigits OUT_OF_RANGE",
            "outboundCalls.externalCallerIdNumber INVALID_FORMAT",
            "security.outboundRegex REGEX_SYNTAX",
        ]
    );
    let regex = payload["userErrors"].as_array().unwrap().iter().find(|e| e["code"] == "REGEX_SYNTAX").unwrap();
    assert!(regex["message"].as_str().unwrap().contains("unclosed group at character 2"), "{regex}");
    assert!(!payload.to_string().contains("8765"), "a secret is repeated: {payload}");
    assert_eq!(payload["changes"], json!([]));
    assert_eq!(payload["object"]["version"], version);
    assert_ne!(read(&server, "108", "note { branch }").await["note"]["branch"], "would be fine");
}

/// A wrong JSON type is an error of the request that names the input field.
async fn wrong_types_are_graphql_errors_that_name_the_field(engine: Engine) {
    let server = Server::start(engine);
    let (id, _) = server.extension("108").await;
    let query = "mutation($input: VirtualExtensionUpdateInput!) { virtualExtensionUpdate(input: $input) { userErrors { code } } }";
    // The second round asks with a text that has been answered before, which is then not validated completely again.
    let wrong = [
        ("information", "inboundTimeoutSeconds", json!("30")),
        ("information", "dnd", json!("on")),
        ("information", "securityPin", json!(7305)),
        ("callSettings", "txVolume", json!(1.5)),
        ("note", "branch", json!(["x"])),
        ("followMe", "dialMethod", json!("SOMETIMES")),
    ];
    for (round, (section, field, value)) in wrong.iter().map(|w| (1, w)).chain(wrong.iter().map(|w| (2, w))) {
        if round == 2 {
            let right = server.answer(TOKEN, query, json!({ "input": { "id": id, "dryRun": true } })).await;
            assert!(right.get("errors").is_none(), "{right}");
        }
        let answer = server.answer(TOKEN, query, json!({ "input": { "id": id, *section: { *field: value } } })).await;
        let message = answer["errors"][0]["message"].as_str().unwrap_or_else(|| panic!("{field}: {answer}"));
        assert!(message.contains(field), "{field}: {message}");
        assert!(!message.contains("7305"), "a secret is repeated: {message}");
    }
    // A query's variables likewise, and nothing of a mutation is carried out when one of its variables is wrong.
    let by_number = "query($n: ExtensionNumber!) { tenant { virtualExtension(by: {number: $n}) { id } } }";
    for number in [json!("108"), json!(108)] {
        let answer = server.answer(TOKEN, by_number, json!({ "n": number })).await;
        let message = answer["errors"][0]["message"].as_str().unwrap_or_default();
        assert_eq!(message.contains("\"$n\""), number.is_number(), "{answer}");
    }
    let note = |alias: &str, variable: &str| {
        format!(
            "{alias}: virtualExtensionNoteUpdate(input: {{id: $id, note: {{branch: ${variable}}}}}) {{ userErrors {{ code }} }} "
        )
    };
    let two = format!("mutation($id: ID!, $a: String, $b: String) {{ {} {} }}", note("a", "a"), note("b", "b"));
    for (a, b) in [("Genoa", json!("Genoa")), ("Turin", json!(7))] {
        let answer = server.answer(TOKEN, &two, json!({ "id": id, "a": a, "b": b })).await;
        assert_eq!(answer["errors"].is_array(), b.is_number(), "{answer}");
    }
    assert_eq!(read(&server, "108", "note { branch }").await["note"]["branch"], "Genoa");
    let typo = server.answer(TOKEN, "{ tenant { cod } }", json!({})).await;
    assert!(typo["errors"][0]["message"].as_str().unwrap().contains("code"), "a suggestion: {typo}");
}

async fn control_characters_are_refused_in_every_text(engine: Engine) {
    let server = Server::start(engine);
    let texts = [
        ("information", "name"),
        ("information", "description"),
        ("security", "outboundBlockReason"),
        ("outboundCalls", "externalCallerIdName"),
        ("followMe", "namePrefix"),
        ("note", "branch"),
        ("note", "referenceId"),
        ("note", "additionalInfo"),
    ];
    let mut input = json!({ "id": server.extension("108").await.0 });
    for (section, field) in texts {
        input[section][field] = json!("a\u{0}b");
    }
    let payload = server.mutate("virtualExtensionUpdate", input).await;
    assert_eq!(payload["userErrors"].as_array().unwrap().len(), texts.len(), "{payload:#}");
    assert!(payload["userErrors"].as_array().unwrap().iter().all(|e| e["code"] == "INVALID_FORMAT"));
}

async fn a_dry_run_says_what_would_happen_and_writes_nothing(engine: Engine) {
    let server = Server::start(engine);
    let (id, version) = server.extension("108").await;
    let input = |dry| json!({ "id": id, "dryRun": dry, "note": { "branch": "Genoa" }, "information": { "securityPin": "7351" } });
    let dry = server.mutate("virtualExtensionUpdate", input(true)).await;
    assert_eq!(paths(&dry["changes"]), ["information.securityPin", "note.branch"]);
    assert_eq!(dry["changes"][0], json!({ "path": ["information", "securityPin"], "before": true, "after": true }));
    assert_eq!(dry["changes"][1]["after"], "Genoa");
    assert_eq!(server.extension("108").await.1, version);
    let real = server.mutate("virtualExtensionUpdate", input(false)).await;
    assert_eq!(real["changes"], dry["changes"]);
    assert_eq!(server.extension("108").await.1, version + 1);
    let created = json!({ "dryRun": true, "information": { "number": "150", "name": "x" } });
    let created = server.mutate("virtualExtensionCreate", created).await;
    assert_eq!((&created["object"], problems(&created["userErrors"])), (&Value::Null, vec![]));
    assert_eq!(read(&server, "150", "id").await, Value::Null);
}

async fn a_save_that_changes_nothing_counts_for_nothing(engine: Engine) {
    let server = Server::start(engine);
    let (id, version) = server.extension("108").await;
    let name = read(&server, "108", "name").await["name"].clone();
    let payload = server.mutate("virtualExtensionUpdate", json!({ "id": id, "information": { "name": name } })).await;
    assert_eq!((&payload["changes"], &payload["userErrors"]), (&json!([]), &json!([])));
    assert_eq!(payload["object"]["version"], version);
}

async fn a_stale_version_conflicts_and_names_what_changed(engine: Engine) {
    let server = Server::start(engine);
    let (id, version) = server.extension("108").await;
    let first = json!({ "id": id, "expectedVersion": version, "callSettings": { "txVolume": -2 }, "note": { "branch": "Genoa" } });
    assert_eq!(problems(&server.mutate("virtualExtensionUpdate", first).await["userErrors"]), NONE);
    let second = json!({ "id": id, "expectedVersion": version + 1, "note": { "branch": "Turin" } });
    assert_eq!(problems(&server.mutate("virtualExtensionUpdate", second).await["userErrors"]), NONE);
    let stale = json!({ "id": id, "expectedVersion": version, "information": { "dnd": true } });
    let refused = server.mutate("virtualExtensionUpdate", stale).await;
    assert_eq!(
        problems(&refused["userErrors"]),
        ["callSettings.txVolume CONFLICT", "expectedVersion CONFLICT", "note.branch CONFLICT"]
    );
    assert_eq!(refused["object"]["version"], version + 2, "what is saved now comes along");
    let message = refused["userErrors"][0]["message"].as_str().unwrap();
    assert!(message.contains("changed since: callSettings.txVolume, note.branch"), "{message}");
    assert_eq!(read(&server, "108", "information { dnd }").await["information"]["dnd"], false);
}

/// Many at once against one version: one wins, the others conflict, no update is lost.
async fn of_concurrent_saves_of_one_version_one_wins(engine: Engine) {
    let server = Server::start(engine);
    let (id, version) = server.extension("108").await;
    let save = |i: i32| {
        let input = json!({ "id": id, "expectedVersion": version, "note": { "branch": format!("Branch {i}") } });
        server.mutate("virtualExtensionUpdate", input)
    };
    let payloads = futures_util::future::join_all((0..20).map(save)).await;
    let won = payloads.iter().filter(|payload| payload["userErrors"] == json!([])).count();
    assert_eq!((won, server.extension("108").await.1), (1, version + 1));
}

async fn reading_tokens_cannot_write(engine: Engine) {
    let server = Server::start(engine);
    let (id, version) = server.extension("108").await;
    let update = json!({ "id": id, "note": { "branch": "x" } });
    assert_eq!(problems(&server.mutate_as(READ, "virtualExtensionUpdate", update).await["userErrors"]), [" FORBIDDEN"]);
    let create = json!({ "information": { "number": "150", "name": "x" } });
    assert_eq!(problems(&server.mutate_as(READ, "virtualExtensionCreate", create).await["userErrors"]), [" FORBIDDEN"]);
    assert_eq!(server.extension("108").await.1, version);
}

async fn an_unknown_tenant_is_named(engine: Engine) {
    let server = Server::start(engine);
    for code in ["MOLLOY", "NOBODY"] {
        let input = json!({ "tenant": code, "information": { "number": "150", "name": "x" } });
        let payload = server.mutate("virtualExtensionCreate", input).await;
        assert_eq!(problems(&payload["userErrors"]), ["tenant NOT_FOUND"], "{code}");
    }
}

/// The payload of one mutation shows what it wrote, also when another stands before it in the same request.
async fn mutations_of_one_request_see_each_other(engine: Engine) {
    let server = Server::start(engine);
    let (id, version) = server.extension("108").await;
    let one = |alias: &str, branch: &str| {
        format!(
            "{alias}: virtualExtensionNoteUpdate(input: {{id: \"{id}\", note: {{branch: \"{branch}\"}}}}) {{ object {{ version note {{ branch }} }} }} "
        )
    };
    let data = server.data(&format!("mutation {{ {} {} }}", one("a", "Genoa"), one("b", "Turin")), json!({})).await;
    assert_eq!(data["a"]["object"], json!({ "version": version + 1, "note": { "branch": "Genoa" } }));
    assert_eq!(data["b"]["object"], json!({ "version": version + 2, "note": { "branch": "Turin" } }));
}

on_each_engine!(
    a_new_extension_takes_the_tenants_defaults,
    defaults_cannot_hold_what_is_unique,
    absent_keeps_null_clears,
    a_destination_goes_back_as_it_was_read,
    a_destination_is_exactly_one_thing,
    every_section_has_its_mutation,
    all_problems_come_at_once_and_nothing_is_half_saved,
    wrong_types_are_graphql_errors_that_name_the_field,
    control_characters_are_refused_in_every_text,
    a_dry_run_says_what_would_happen_and_writes_nothing,
    a_save_that_changes_nothing_counts_for_nothing,
    a_stale_version_conflicts_and_names_what_changed,
    of_concurrent_saves_of_one_version_one_wins,
    reading_tokens_cannot_write,
    an_unknown_tenant_is_named,
    mutations_of_one_request_see_each_other,
);
