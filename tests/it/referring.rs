//! What refers to what: shown in `references`, in the way of a delete, and taken out or replaced as the plan said.

use serde_json::{Value, json};
use vext::domain::Kind;
use vext::form::{FieldInfo, Place, ReferenceBy, camel};

use crate::cost::{details, form_fields};
use crate::engines::{Engine, on_each_engine};
use crate::harness::{ALL, MOLLOY, Server, TOKEN, assert_words, paths, problems};

/// The field of an object that refers, and how one is made that does.
struct Way {
    kind: Kind,
    /// The field, as `references` names it: `additionalDestinations`, `onBusy`; of a queue `members`.
    slot: Vec<String>,
    hard: bool,
    /// The path within the object.
    path: Vec<String>,
    /// What is sent for the field; the string `TARGET` stands for the target.
    sent: Value,
}

impl Way {
    fn name(&self) -> String {
        format!("{} {}", type_of(self.kind), self.slot.join("."))
    }
}

/// Every field of every kind that can refer to a virtual extension, as the fields say of themselves.
fn ways() -> Vec<Way> {
    let mut found = Vec::new();
    let mut add = |kind: Kind, section: Option<&str>, field: &FieldInfo| {
        for pointer in &field.pointers {
            let hard = match pointer.by {
                ReferenceBy::Id(kinds) if !kinds.contains(&Kind::VirtualExtension) => continue,
                ReferenceBy::Id(_) => true,
                ReferenceBy::Number => false,
            };
            let (name, column) = (camel(field.name), camel(pointer.column));
            let slot: Vec<_> = section.map(str::to_owned).into_iter().chain([name]).collect();
            let mut path = slot.clone();
            let sent = match field.place {
                Place::Column => json!("TARGET"),
                Place::Rows(rows) => {
                    path.push("0".into());
                    match (rows.table, hard) {
                        ("link", _) => json!(["TARGET"]),
                        ("destination", true) => {
                            path.push("objectId".into());
                            json!([{ "objectId": "TARGET" }])
                        }
                        (table, _) => {
                            path.push(column.clone());
                            let mut entry = entry(table);
                            entry[column.as_str()] = json!("TARGET");
                            json!([entry])
                        }
                    }
                }
            };
            found.push(Way { kind, slot, hard, path, sent });
        }
    };
    for (section, fields) in form_fields() {
        for field in fields {
            add(Kind::VirtualExtension, Some(&section), field);
            // Number, name and follow-me number are no defaults.
            if !matches!((section.as_str(), field.name), ("followMe", "number")) {
                add(Kind::FormDefaults, Some(&section), field);
            }
        }
    }
    for (kind, _, fields) in details() {
        fields.iter().for_each(|field| add(kind, None, field));
    }
    found
}

/// What an entry of a list needs besides the reference.
fn entry(table: &str) -> Value {
    match table {
        "phone_book_entry" => json!({ "name": "Entry" }),
        "phone_key" => json!({ "keyType": "BLF", "label": "Key" }),
        "phone_line" => json!({ "lineNumber": 1 }),
        _ => json!({}),
    }
}

/// What a new object of a kind needs besides its name.
fn needed(kind: Kind, i: usize) -> Value {
    let number = format!("{}", 9000 + i);
    match kind {
        Kind::SpyGroup => json!({ "engineName": format!("group{i}") }),
        Kind::CallGroup | Kind::PickupGroup => json!({ "groupNumber": 20 + i % 40 }),
        Kind::ParkingLot => json!({ "firstSlot": format!("88{i:0>3}"), "lastSlot": format!("88{i:0>3}") }),
        Kind::Provider => json!({ "peerName": "trunk" }),
        Kind::LdapServer => json!({ "host": "ldap.example" }),
        Kind::Did => json!({ "phoneNumber": format!("+39055{:06}", 700_000 + i) }),
        Kind::Extension => json!({ "number": number, "technology": "PJSIP", "peerName": "peer" }),
        Kind::Queue | Kind::HuntList | Kind::Conference | Kind::PagingGroup => json!({ "number": number }),
        Kind::ShortNumber => json!({ "number": number, "destination": "0551234" }),
        Kind::Phone => json!({ "macAddress": format!("00:04:13:00:{:02x}:{:02x}", i / 256, i % 256) }),
        _ => json!({}),
    }
}

fn type_of(kind: Kind) -> String {
    camel(&format!("_{}", kind.word().to_lowercase()))
}

/// `queue`, as mutations begin.
fn word_of(kind: Kind) -> String {
    camel(&kind.word().to_lowercase())
}

const REFERENCES: &str =
    "query($id: ID!, $first: Int, $after: String, $kinds: [Kind!]) { node(id: $id) { ... on PbxObject {
  references(first: $first, after: $after, kinds: $kinds) {
    totalCount counts { kind strength count } pageInfo { hasNextPage endCursor }
    nodes { kind label slot path strength object { id } } } } } }";

async fn references(server: &Server, id: &str) -> Vec<Value> {
    let mut data = server.data(REFERENCES, json!({ "id": id, "first": 100 })).await;
    let found = data["node"]["references"].take();
    assert_eq!(found["totalCount"], found["nodes"].as_array().unwrap().len(), "{found:#}");
    found["nodes"].as_array().unwrap().clone()
}

async fn delete(server: &Server, input: Value) -> Value {
    delete_as(server, TOKEN, input).await
}

async fn delete_as(server: &Server, token: &str, input: Value) -> Value {
    let query = "mutation($input: ObjectDeleteInput!) { result: objectDelete(input: $input) { deletedId
      userErrors { path code message value relatedId } warnings { label path code brokenRule }
      changes { label path before after } } }";
    let mut answer = server.answer(token, query, json!({ "input": input })).await;
    assert!(answer.get("errors").is_none(), "{answer:#}");
    assert_words(&answer["data"]["result"]);
    answer["data"]["result"].take()
}

async fn plan(server: &Server, id: &str, replacement: Option<&str>) -> Value {
    let effect =
        "changes { label path before after } errors { label path code } warnings { label path code brokenRule }";
    let query = format!(
        "query($id: ID!, $replacement: ID) {{ plan: objectDeletePlan(id: $id, replacement: $replacement) {{
          object {{ id }} token blocked takesAlong userErrors {{ path code }} references {{ totalCount }}
          detach {{ {effect} }} replace {{ {effect} }} }} }}"
    );
    server.data(&query, json!({ "id": id, "replacement": replacement })).await["plan"].take()
}

/// A new virtual extension, which refers to nothing.
async fn extension(server: &Server, number: &str) -> String {
    let form = json!({ "information": { "number": number, "name": format!("Extension {number}") } });
    let made = server.mutate("virtualExtensionCreate", form).await;
    assert_eq!(made["userErrors"], json!([]), "{made:#}");
    made["object"]["id"].as_str().unwrap().to_owned()
}

/// Puts `value` where the string `TARGET` stands.
fn filled(mut sent: Value, value: &str) -> Value {
    match &mut sent {
        Value::String(text) if text == "TARGET" => *text = value.to_owned(),
        Value::Array(list) => list.iter_mut().for_each(|one| *one = filled(one.take(), value)),
        Value::Object(fields) => fields.values_mut().for_each(|one| *one = filled(one.take(), value)),
        _ => {}
    }
    sent
}

/// Makes an object, or changes the defaults, so that the way leads to `value`.
async fn refer(server: &Server, way: &Way, i: usize, value: &str) {
    let sent = filled(way.sent.clone(), value);
    let (errors, said) = match way.kind {
        Kind::VirtualExtension | Kind::FormDefaults => {
            let [section, field] = &way.slot[..] else { unreachable!() };
            let mut input = json!({ section: { field: sent } });
            let mutation = if way.kind == Kind::FormDefaults {
                "virtualExtensionDefaultsUpdate"
            } else {
                input["information"] = json!({ "number": format!("{}", 9000 + i), "name": format!("Owner {i}") });
                "virtualExtensionCreate"
            };
            let type_name = mutation[..1].to_uppercase() + &mutation[1..] + "Input";
            let query = format!(
                "mutation($input: {type_name}!) {{ made: {mutation}(input: $input) {{ userErrors {{ path code message }} }} }}"
            );
            let data = server.data(&query, json!({ "input": input })).await;
            (data["made"]["userErrors"].clone(), data)
        }
        kind => {
            let mut input = needed(kind, i);
            input["name"] = json!(format!("Owner {i}"));
            input[&way.slot[0]] = sent;
            let made = server.mutate(&format!("{}Create", word_of(kind)), input).await;
            (made["userErrors"].clone(), made)
        }
    };
    assert_eq!(errors, json!([]), "{}: {said:#}", way.name());
}

/// For every field of every kind that can refer to a virtual extension by id: it is seen in `references`, BLOCK refuses,
/// and REPLACE_WITH and DETACH do what the plan said.
async fn every_hard_reference_is_seen_and_never_left_dangling(engine: Engine) {
    let server = Server::start(engine);
    let ways: Vec<_> = ways().into_iter().filter(|way| way.hard).collect();
    let mut kinds: Vec<_> = ways.iter().map(|way| way.kind.word()).collect();
    kinds.dedup();
    assert!(kinds.len() >= 10 && ways.len() > 50, "{kinds:?}");
    for (i, way) in ways.iter().enumerate() {
        let name = way.name();
        let target = extension(&server, &format!("{}", 7000 + i)).await;
        let replacement = extension(&server, &format!("{}", 8000 + i)).await;
        refer(&server, way, i, &target).await;
        let seen = references(&server, &target).await;
        let [reference] = seen.as_slice() else { panic!("{name}: {seen:#?}") };
        assert_eq!(reference["kind"], way.kind.word(), "{name}");
        assert_eq!((&reference["slot"], &reference["path"]), (&json!(way.slot), &json!(way.path)), "{name}");
        assert_eq!(
            (&reference["strength"], reference["object"].is_null()),
            (&json!("HARD"), way.kind == Kind::FormDefaults)
        );

        let blocked = delete(&server, json!({ "id": target })).await;
        assert_eq!(
            (problems(&blocked["userErrors"]), &blocked["deletedId"]),
            (vec!["id IN_USE".to_owned()], &Value::Null),
            "{name}"
        );
        assert_eq!(references(&server, &target).await.len(), 1, "{name}");

        // Another object in its place.
        let planned = plan(&server, &target, Some(&replacement)).await;
        assert_eq!((&planned["blocked"], &planned["userErrors"]), (&json!(true), &json!([])), "{name}");
        assert_eq!(paths(&planned["replace"]["changes"]), [way.slot.join(".")], "{name}: {planned:#}");
        let input = json!({ "id": target, "onReferences": "REPLACE_WITH", "replacement": replacement,
            "planToken": planned["token"] });
        let replaced = delete(&server, input).await;
        assert_eq!((&replaced["userErrors"], &replaced["deletedId"]), (&json!([]), &json!(target)), "{name}");
        assert_eq!(replaced["changes"], planned["replace"]["changes"], "{name}");
        assert_eq!(replaced["warnings"], planned["replace"]["warnings"], "{name}");
        assert_eq!(server.data(REFERENCES, json!({ "id": target })).await["node"], Value::Null, "{name}");
        let moved = references(&server, &replacement).await;
        assert_eq!((moved.len(), &moved[0]["path"]), (1, &json!(way.path)), "{name}");

        // And that one is taken out.
        let planned = plan(&server, &replacement, None).await;
        assert_eq!(paths(&planned["detach"]["changes"]), [way.slot.join(".")], "{name}: {planned:#}");
        let input = json!({ "id": replacement, "onReferences": "DETACH", "planToken": planned["token"] });
        let detached = delete(&server, input).await;
        assert_eq!((&detached["userErrors"], &detached["deletedId"]), (&json!([]), &json!(replacement)), "{name}");
        assert_eq!(detached["changes"], planned["detach"]["changes"], "{name}");
        assert_eq!(detached["warnings"], planned["detach"]["warnings"], "{name}");
        assert!(!detached["changes"][0]["after"].to_string().contains(&replacement), "{name}");
    }
}

/// For every text that may equal the number of an extension: it is seen as a soft reference, keeps nothing from being
/// deleted, and follows the number when that is asked for.
async fn every_soft_reference_is_seen_and_follows_the_number(engine: Engine) {
    let server = Server::start(engine);
    let ways: Vec<_> = ways().into_iter().filter(|way| !way.hard).collect();
    assert!(ways.len() > 30, "{}", ways.len());
    let renumber =
        "mutation($input: VirtualExtensionRenumberInput!) { result: virtualExtensionRenumber(input: $input) {
        object { number } userErrors { path code message } changes { path before after }
        softChanges { label path before after } } }";
    for (i, way) in ways.iter().enumerate() {
        let name = way.name();
        let (number, other) = (format!("{}", 7000 + i), format!("{}", 8000 + i));
        let target = extension(&server, &number).await;
        refer(&server, way, i, &number).await;
        let seen = references(&server, &target).await;
        let [reference] = seen.as_slice() else { panic!("{name}: {seen:#?}") };
        assert_eq!((&reference["path"], &reference["strength"]), (&json!(way.path), &json!("SOFT")), "{name}");
        assert_eq!(plan(&server, &target, None).await["blocked"], false, "{name}");

        // Shown on a dry run, and without the wish only shown; the extension itself is renumbered.
        let input = json!({ "id": target, "number": other, "updateSoftReferences": true, "dryRun": true });
        let dry = server.data(renumber, json!({ "input": input })).await["result"].take();
        assert_eq!(paths(&dry["softChanges"]), [way.slot.join(".")], "{name}: {dry:#}");
        assert_eq!(
            (&dry["object"]["number"], paths(&dry["changes"])),
            (&json!(number), vec!["information.number".to_owned()])
        );
        assert_eq!(references(&server, &target).await.len(), 1, "{name}");
        let input = json!({ "id": target, "number": other, "updateSoftReferences": true });
        let done = server.data(renumber, json!({ "input": input })).await["result"].take();
        assert_eq!((&done["softChanges"], &done["userErrors"]), (&dry["softChanges"], &json!([])), "{name}");
        assert!(done["softChanges"][0]["after"].to_string().contains(&other), "{name}: {done:#}");
        assert_eq!(references(&server, &target).await[0]["path"], json!(way.path), "{name}");
        let back = json!({ "id": target, "number": number });
        let back = server.data(renumber, json!({ "input": back })).await["result"].take();
        assert_eq!(
            (&back["object"]["number"], paths(&back["softChanges"])),
            (&json!(number), vec![way.slot.join(".")])
        );
        assert_eq!(references(&server, &target).await, [] as [Value; 0], "{name}");

        let deleted = delete(&server, json!({ "id": target })).await;
        assert_eq!(deleted["deletedId"], json!(target), "{name}: {deleted:#}");
    }
}

/// What a call list holds is dialled outside: that it equals an inside number says nothing.
async fn a_call_list_does_not_follow_a_number(engine: Engine) {
    let server = Server::start(engine);
    let target = extension(&server, "1445").await;
    let list = json!({ "name": "Premium", "entries": [{ "number": "1445", "prefix": true }] });
    let list = server.mutate("callListCreate", list).await["object"]["id"].take();
    assert_eq!(references(&server, &target).await, [] as [Value; 0]);
    let renumber =
        "mutation($input: VirtualExtensionRenumberInput!) { result: virtualExtensionRenumber(input: $input) {
        object { number } userErrors { message } softChanges { label } } }";
    let input = json!({ "id": target, "number": "3445", "updateSoftReferences": true });
    let renumbered = server.data(renumber, json!({ "input": input })).await["result"].take();
    assert_eq!(renumbered, json!({ "object": { "number": "3445" }, "userErrors": [], "softChanges": [] }));
    let query = "query($id: ID!) { node(id: $id) { ... on CallList { entries { number } } } }";
    let found = server.data(query, json!({ "id": list })).await;
    assert_eq!(found["node"]["entries"], json!([{ "number": "1445" }]));
}

/// A plan is good for what it showed, and says what would be left that makes no sense.
async fn a_plan_warns_and_grows_old(engine: Engine) {
    let server = Server::start(engine);
    let target = extension(&server, "7000").await;
    let owner = json!({ "information": { "number": "7001", "name": "Owner" },
        "additionalDestinations": { "onBusyEnabled": true, "onBusy": [{ "objectId": target }] } });
    let owner = server.mutate("virtualExtensionCreate", owner).await["object"]["id"].take();
    let queue = json!({ "number": "7002", "name": "Queue", "members": [{ "extensionId": target, "penalty": 3 }] });
    server.mutate("queueCreate", queue).await;
    let planned = plan(&server, &target, Some(owner.as_str().unwrap())).await;
    let warnings: Vec<_> = planned["detach"]["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|w| [&w["label"], &w["path"], &w["code"], &w["brokenRule"]].map(Value::to_string).join(" "))
        .collect();
    assert!(
        warnings
            .contains(&r#""7001 Owner" ["additionalDestinations","onBusy"] "BROKEN_RULE" "REQUIRED_WHEN""#.to_owned()),
        "{warnings:?}"
    );
    assert!(warnings.contains(&r#""7002 Queue" ["members"] "NO_MEMBERS" null"#.to_owned()), "{warnings:?}");
    assert_eq!(planned["detach"]["errors"], json!([]));
    // The owner in its own place would point at itself: that is refused, by name.
    let errors = planned["replace"]["errors"].as_array().unwrap();
    assert_eq!((errors.len(), &errors[0]["code"]), (1, &json!("SELF_REFERENCE")), "{planned:#}");
    let with = |way: &str, token: &Value, replacement: Value| json!({ "id": target, "onReferences": way, "planToken": token, "replacement": replacement });
    let refused = delete(&server, with("REPLACE_WITH", &planned["token"], owner.clone())).await;
    assert_eq!(problems(&refused["userErrors"]), ["replacement SELF_REFERENCE"]);
    // What is wrong with the request itself.
    for (input, expected) in [
        (with("REPLACE_WITH", &planned["token"], Value::Null), "replacement REQUIRED_WHEN"),
        (with("REPLACE_WITH", &planned["token"], json!(target)), "replacement SELF_REFERENCE"),
        (with("REPLACE_WITH", &planned["token"], json!("nobody")), "replacement NOT_FOUND"),
        (with("DETACH", &Value::Null, Value::Null), "planToken REQUIRED_WHEN"),
        (with("DETACH", &json!("guessed"), Value::Null), "planToken PLAN_CHANGED"),
        (json!({ "id": target, "expectedVersion": 7 }), "expectedVersion CONFLICT"),
    ] {
        assert_eq!(problems(&delete(&server, input.clone()).await["userErrors"]), [expected], "{input}");
    }
    // A kind that does not fit into a slot is refused, one that fits is not.
    let box_id = server.object("190").await;
    let planned = plan(&server, &target, Some(&box_id)).await;
    let refused = delete(&server, with("REPLACE_WITH", &planned["token"], json!(box_id))).await;
    assert_eq!(problems(&refused["userErrors"]), ["replacement WRONG_KIND"], "a voicemail box is no member");
    // A dry run says the same and deletes nothing.
    let mut dry = with("DETACH", &planned["token"], Value::Null);
    dry["dryRun"] = json!(true);
    let dry = delete(&server, dry).await;
    assert_eq!((&dry["changes"], &dry["deletedId"]), (&planned["detach"]["changes"], &Value::Null));
    // A reference that has come since, or gone, opens the question again.
    let book = json!({ "name": "Book", "entries": [{ "name": "x", "phone1": "7000" }] });
    server.mutate("phoneBookCreate", book).await;
    let refused = delete(&server, with("DETACH", &planned["token"], Value::Null)).await;
    assert_eq!(problems(&refused["userErrors"]), ["planToken PLAN_CHANGED"]);
    assert_eq!(references(&server, &target).await.len(), 3, "nothing was changed");
    let planned = plan(&server, &target, None).await;
    let done = delete(&server, with("DETACH", &planned["token"], Value::Null)).await;
    assert_eq!(done["deletedId"], json!(target), "{done:#}");
    let query = "query($id: ID!) { node(id: $id) { ... on VirtualExtension { version additionalDestinations { onBusyEnabled onBusy { objectId } } } } }";
    let left = server.data(query, json!({ "id": owner })).await["node"].take();
    assert_eq!(left, json!({ "version": 2, "additionalDestinations": { "onBusyEnabled": true, "onBusy": [] } }));
}

/// Under a tenant only its own objects have plans, which are those of the root field, whoever asks.
async fn a_plan_of_a_tenant_is_of_its_own_objects(engine: Engine) {
    let server = Server::start(engine);
    let (ivy, desk) = (server.extension("108").await.0, server.object("101").await);
    let theirs = "{ tenant { virtualExtensions(first: 1) { nodes { id } } } }";
    let theirs = server.answer(MOLLOY, theirs, json!({})).await;
    let theirs = theirs["data"]["tenant"]["virtualExtensions"]["nodes"][0]["id"].as_str().unwrap().to_owned();
    let plan = "objectDeletePlan(id: $id, replacement: $replacement) { object { id } token blocked takesAlong
        userErrors { path code message value } references { totalCount } detach { changes { label path before after }
        errors { label path code } warnings { label path code brokenRule } } replace { changes { label path before after }
        errors { label path code } warnings { label path code brokenRule } } }";
    let query = format!(
        "query($id: ID!, $replacement: ID) {{ root: {plan} own: tenant(code: \"CANISTRACCI\") {{ plan: {plan} }}
           other: tenant(code: \"MOLLOY\") {{ plan: {plan} }} }}"
    );
    for token in [TOKEN, ALL] {
        let ask = async |id: &str, replacement: Option<&str>| {
            let answer = server.answer(token, &query, json!({ "id": id, "replacement": replacement })).await;
            assert!(answer.get("errors").is_none(), "{answer:#}");
            answer["data"].clone()
        };
        for replacement in [None, Some(desk.as_str()), Some(theirs.as_str())] {
            let told = ask(&ivy, replacement).await;
            assert!(told["root"]["token"].is_string(), "{told:#}");
            assert_eq!(told["own"]["plan"], told["root"], "{replacement:?}");
            // The other tenant is there for a token for all, and has no such object.
            let other = if token == ALL { json!({ "plan": null }) } else { Value::Null };
            assert_eq!(told["other"], other, "{replacement:?}");
            let errors = told["root"]["userErrors"].as_array().unwrap();
            assert_eq!(errors.is_empty(), replacement != Some(&theirs), "{errors:?}");
        }
        let told = ask(&theirs, None).await;
        assert_eq!(told["own"], json!({ "plan": null }), "{told:#}");
        assert_eq!(told["other"]["plan"].is_object(), token == ALL, "{told:#}");
        assert_eq!(told["root"], told["other"]["plan"], "{told:#}");
    }
}

/// Every kind can be made, read, changed one field at a time, and deleted with its plan; nothing of it is left.
async fn every_kind_is_made_changed_and_deleted_alike(engine: Engine) {
    let server = Server::start(engine);
    make_change_and_delete_every_kind(&server).await;
    // What was deleted does not disturb what comes after: the rows are in order, and the tenant can be copied.
    let verify = |session: &mut dyn vext::store::Session| {
        assert_eq!(vext::store::verify_rows(session, None, &mut |_, _, _| Ok(())), Ok(Vec::new()));
        Ok(())
    };
    server.app.snapshot().read_system(verify).await.unwrap();
    crate::transfer::copy_tenant(&server.app, "CANISTRACCI", "COPY").await;
}

pub async fn make_change_and_delete_every_kind(server: &Server) {
    for (i, (kind, table, _)) in details().into_iter().enumerate() {
        let word = word_of(kind);
        let [create, update] = ["Create", "Update"].map(|end| format!("{word}{end}"));
        let mut input = needed(kind, i);
        // All that is wrong, at once.
        let refused = server.mutate(&create, json!({ "name": "<>", "description": "x".repeat(300) })).await;
        let found = problems(&refused["userErrors"]);
        assert!(
            found.contains(&"name INVALID_FORMAT".to_owned()) && found.contains(&"description OUT_OF_RANGE".to_owned()),
            "{word}: {found:?}"
        );
        input["name"] = json!(format!("New {word}"));
        input["dryRun"] = json!(true);
        let dry = server.mutate(&create, input.clone()).await;
        assert_eq!((&dry["userErrors"], &dry["object"]), (&json!([]), &Value::Null), "{word}");
        input["dryRun"] = json!(false);
        let made = server.mutate(&create, input.clone()).await;
        assert_eq!((&made["userErrors"], &made["object"]["version"]), (&json!([]), &json!(1)), "{word}: {made:#}");
        assert_eq!(made["changes"], dry["changes"], "{word}");
        let id = made["object"]["id"].as_str().unwrap().to_owned();
        let changed_to = |description: &str, version: i64| json!({ "id": id, "description": description, "expectedVersion": version });
        let saved = server.mutate(&update, changed_to("Second thoughts", 1)).await;
        let change = json!([{ "path": ["description"], "before": "", "after": "Second thoughts" }]);
        assert_eq!((&saved["changes"], &saved["object"]["version"]), (&change, &json!(2)), "{word}: {saved:#}");
        // Saved by somebody else meanwhile: the field is named.
        let stale = server.mutate(&update, changed_to("Third", 1)).await;
        assert_eq!(problems(&stale["userErrors"]), ["description CONFLICT", "expectedVersion CONFLICT"], "{word}");
        // The same again changes nothing, not even the version.
        let same = server.mutate(&update, json!({ "id": id, "description": "Second thoughts" })).await;
        assert_eq!((&same["changes"], &same["object"]["version"]), (&json!([]), &json!(2)), "{word}");
        // It is not of another kind.
        let other = if kind == Kind::Did { Kind::Queue } else { Kind::Did };
        let wrong = server.mutate(&format!("{}Update", word_of(other)), json!({ "id": id, "name": "x" })).await;
        assert_eq!(problems(&wrong["userErrors"]), ["id NOT_FOUND"], "{word}");

        let planned = plan(server, &id, None).await;
        assert_eq!(
            (&planned["blocked"], &planned["detach"]["changes"]),
            (&json!(false), &json!([])),
            "{word}: {planned:#}"
        );
        let deleted = delete(server, json!({ "id": id, "expectedVersion": 2 })).await;
        assert_eq!((&deleted["deletedId"], &deleted["userErrors"]), (&json!(id), &json!([])), "{word}");
        let local = id_of(&id);
        for (table, column) in [
            (table, "object_id"),
            ("pbx_object", "object_id"),
            ("link", "owner_id"),
            ("destination", "owner_id"),
            ("search_word", "object_id"),
        ] {
            let left =
                server.live.texts(&format!("SELECT '{table}' FROM {table} WHERE {column} = {local} AND tenant_id = 1"));
            assert_eq!(left, [] as [String; 0], "{word}");
        }
        // Its history stays, and ends with what it was.
        let history = server.live.texts(&format!("SELECT path || ' ' || before_value || ' ' || after_value FROM change_field WHERE tenant_id = 1 AND object_id = {local} AND version = 3"));
        assert!(history.contains(&format!("name \"New {word}\" null")), "{word}: {history:?}");
        assert_eq!(problems(&delete(server, json!({ "id": id })).await["userErrors"]), ["id NOT_FOUND"], "{word}");
        assert_eq!(plan(server, &id, None).await, Value::Null, "{word}");
    }
}

fn id_of(opaque: &str) -> i64 {
    vext::domain::ObjectId::from_opaque(opaque).unwrap().local
}

/// Numbers are one space; what must be unique is told with its holder.
async fn what_is_taken_is_told_with_its_holder(engine: Engine) {
    let server = Server::start(engine);
    let (ivy, _) = server.extension("108").await;
    for (mutation, input, expected) in [
        ("queueCreate", json!({ "name": "Q", "number": "108" }), vec!["number NUMBER_TAKEN"]),
        ("queueCreate", json!({ "name": "Q", "number": "705" }), vec!["number NUMBER_RESERVED"]),
        ("queueCreate", json!({ "name": "Q" }), vec!["number REQUIRED"]),
        ("callGroupCreate", json!({ "name": "G", "groupNumber": 1 }), vec!["groupNumber TAKEN"]),
        ("didCreate", json!({ "name": "D", "phoneNumber": "+390586010108" }), vec!["phoneNumber TAKEN"]),
        ("parkingLotCreate", json!({ "name": "P", "firstSlot": "719", "lastSlot": "721" }), vec!["firstSlot TAKEN"]),
        (
            "parkingLotCreate",
            json!({ "name": "P", "firstSlot": "100", "lastSlot": "120" }),
            vec!["firstSlot NUMBER_TAKEN"],
        ),
        (
            "parkingLotCreate",
            json!({ "name": "P", "firstSlot": "900", "lastSlot": "910", "isDefault": true }),
            vec!["isDefault TAKEN"],
        ),
        (
            "routingProfileCreate",
            json!({ "name": "R", "profileType": "VOICE", "isDefault": true }),
            vec!["isDefault TAKEN"],
        ),
        (
            "shortNumberCreate",
            json!({ "name": "S", "number": "108", "destination": "x" }),
            vec!["destination INVALID_FORMAT", "number NUMBER_TAKEN"],
        ),
        (
            "pagingGroupCreate",
            json!({ "name": "", "number": "108", "memberIds": ["nobody"] }),
            vec!["memberIds.0 NOT_FOUND", "name REQUIRED", "number NUMBER_TAKEN"],
        ),
    ] {
        let refused = server.mutate(mutation, input.clone()).await;
        assert_eq!(problems(&refused["userErrors"]), expected, "{mutation} {input}");
        if expected == ["number NUMBER_TAKEN"] {
            assert_eq!(refused["userErrors"][0]["relatedId"], json!(ivy));
            assert!(refused["userErrors"][0]["suggestion"].is_string(), "{refused:#}");
        }
    }
}

/// Pages of references are the whole, in order; counts and kinds agree with them.
async fn references_come_in_pages(engine: Engine) {
    let server = Server::generous(engine);
    let (ivy, _) = server.extension("108").await;
    let all = references(&server, &ivy).await;
    assert!(all.len() > 8, "{all:#?}");
    for first in [1, 2, 3, 7] {
        let (mut after, mut paged) = (Value::Null, Vec::new());
        loop {
            let mut data = server.data(REFERENCES, json!({ "id": ivy, "first": first, "after": after })).await;
            let page = data["node"]["references"].take();
            paged.extend(page["nodes"].as_array().unwrap().iter().cloned());
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
        assert_eq!(paged, all, "{first}");
    }
    // Asked about together, several objects answer as they do alone.
    let mut ids = vec![ivy.clone()];
    for number in ["110", "101", "401", "190", "112"] {
        ids.push(server.object(number).await);
    }
    let together = REFERENCES.replace("$id: ID!", "$ids: [ID!]!").replace("node(id: $id)", "nodes(ids: $ids)");
    for first in [1, 4, 100] {
        let data = server.data(&together, json!({ "ids": ids, "first": first })).await;
        for (id, found) in ids.iter().zip(data["nodes"].as_array().unwrap()) {
            let alone = server.data(REFERENCES, json!({ "id": id, "first": first })).await;
            assert_eq!(alone["node"], *found);
        }
    }
    let data = server.data(REFERENCES, json!({ "id": ivy, "first": 100, "kinds": ["DID", "QUEUE"] })).await;
    let some = &data["node"]["references"];
    let expected: Vec<_> = all.iter().filter(|r| r["kind"] == "DID" || r["kind"] == "QUEUE").cloned().collect();
    assert!(!expected.is_empty());
    assert_eq!(some["nodes"], json!(expected));
    let counted: i64 = some["counts"].as_array().unwrap().iter().map(|count| count["count"].as_i64().unwrap()).sum();
    assert_eq!((counted, some["totalCount"].as_i64().unwrap()), (expected.len() as i64, expected.len() as i64));
    for wrong in
        [json!({ "id": ivy, "first": 0 }), json!({ "id": ivy, "first": 101 }), json!({ "id": ivy, "after": "!" })]
    {
        let answer = server.answer(TOKEN, REFERENCES, wrong.clone()).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{wrong}");
    }
}

/// A delete has a scope of its own; to take an object out of others needs the scope to write too.
async fn a_delete_needs_its_scope(engine: Engine) {
    let server = Server::start(engine);
    for (name, write, delete) in [("w", true, false), ("d", false, true)] {
        let tenants = vec!["CANISTRACCI".to_owned()];
        let new =
            vext::service::NewToken { name: name.into(), tenants, all_tenants: false, write, delete, explore: false };
        server.app.create_token(new, Some(name.into())).await.unwrap().unwrap();
    }
    let free = extension(&server, "7000").await;
    assert_eq!(problems(&delete_as(&server, "w", json!({ "id": free })).await["userErrors"]), [" FORBIDDEN"]);
    assert_eq!(delete_as(&server, "d", json!({ "id": free })).await["deletedId"], json!(free));
    let (ivy, _) = server.extension("108").await;
    let token = plan(&server, &ivy, None).await["token"].take();
    let detach = json!({ "id": ivy, "onReferences": "DETACH", "planToken": token });
    assert_eq!(problems(&delete_as(&server, "d", detach).await["userErrors"]), ["onReferences FORBIDDEN"]);
}

/// A tenant's defaults stay as long as the tenant: their id answers as one that nobody has.
async fn defaults_are_no_object_to_delete(engine: Engine) {
    let server = Server::start(engine);
    let tenant = server.app.tenants().await.unwrap().remove(0);
    let of_kind = |query: &mut vext::store::Query<'_>| vext::store::objects_of_kind(query, Kind::FormDefaults);
    let defaults = server.app.snapshot().read(tenant.id, of_kind).await.unwrap();
    let [defaults] = &defaults[..] else { panic!("{defaults:?}") };
    let (defaults, nobody) = (defaults.id, vext::domain::ObjectId { local: 999_999, ..defaults.id });
    for ways in [json!({}), json!({ "onReferences": "DETACH", "planToken": "guessed" }), json!({ "dryRun": true })] {
        let refused = async |id: vext::domain::ObjectId| {
            let mut input = ways.clone();
            input["id"] = json!(id.opaque());
            let payload = delete(&server, input).await;
            serde_json::from_str::<Value>(&payload.to_string().replace(&id.opaque(), "(the id)")).unwrap()
        };
        let told = refused(defaults).await;
        assert_eq!(problems(&told["userErrors"]), ["id NOT_FOUND"], "{ways}");
        let message = "id must be the id of an object of this tenant; it is \"(the id)\".";
        assert_eq!(told["userErrors"][0]["message"], message);
        assert_eq!(told, refused(nobody).await, "{ways}");
    }
    assert_eq!(plan(&server, &defaults.opaque(), None).await, Value::Null);
    let tenant_after = server.app.tenants().await.unwrap().remove(0);
    assert_eq!(tenant_after.revision, tenant.revision);
}

/// One delete changes a bounded number of references; more than that are refused before anything is done.
async fn too_many_references_are_refused(engine: Engine) {
    let server = Server::start(engine);
    let (desk, (ivy, _)) = (server.object("101").await, server.extension("108").await);
    let many = "INSERT INTO link (tenant_id, owner_id, slot, position, target_id)
        SELECT 1, OWNER, 'member_ids', 1000 + i, TARGET
        FROM (WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5001) SELECT i FROM n) m";
    let many = many.replace("OWNER", &id_of(&ivy).to_string()).replace("TARGET", &id_of(&desk).to_string());
    assert_eq!(server.live.execute(&many), 5001);
    let planned = plan(&server, &desk, None).await;
    assert_eq!(problems(&planned["userErrors"]), ["onReferences OUT_OF_RANGE"]);
    assert_eq!((&planned["blocked"], &planned["detach"]["changes"]), (&json!(true), &json!([])));
    let blocked = delete(&server, json!({ "id": desk })).await;
    let named = blocked["userErrors"].as_array().unwrap();
    assert_eq!((named.len(), &blocked["deletedId"]), (21, &Value::Null));
    assert!(named[20]["message"].as_str().unwrap().contains("more places"), "{}", named[20]);
    let detach = json!({ "id": desk, "onReferences": "DETACH", "planToken": planned["token"] });
    let refused = delete(&server, detach).await;
    assert_eq!(problems(&refused["userErrors"]), ["onReferences OUT_OF_RANGE"]);
    assert_eq!(server.object("101").await, desk);
}

/// A clone is like its original but for what belongs to one alone.
async fn a_clone_is_like_its_original(engine: Engine) {
    let server = Server::start(engine);
    let (ivy, version) = server.extension("108").await;
    let taken = server.mutate("virtualExtensionClone", json!({ "id": ivy, "number": "110", "name": "<" })).await;
    assert_eq!(
        problems(&taken["userErrors"]),
        ["information.name INVALID_FORMAT", "information.number NUMBER_TAKEN"],
        "{taken:#}"
    );
    let input = json!({ "id": ivy, "number": "199", "name": "Ivy's double" });
    let made = server.mutate("virtualExtensionClone", input).await;
    assert_eq!((&made["userErrors"], &made["object"]["number"]), (&json!([]), &json!("199")), "{made:#}");
    let section = |(name, fields)| format!("{name} {{ {} }}", crate::cost::selection(fields));
    let selection = form_fields().into_iter().map(section);
    let query = format!(
        "query($id: ID!) {{ node(id: $id) {{ ... on VirtualExtension {{ version {} }} }} }}",
        selection.collect::<String>()
    );
    let of = async |id: Value| server.data(&query, json!({ "id": id })).await["node"].take();
    let (original, copy) = (of(json!(ivy)).await, of(made["object"]["id"].clone()).await);
    let mut differ = Vec::new();
    for (section, fields) in original.as_object().unwrap() {
        for (field, value) in fields.as_object().into_iter().flatten() {
            if copy[section][field] != *value {
                differ.push(format!("{section}.{field}"));
            }
        }
    }
    let own = [
        "information.number",
        "information.name",
        "information.securityPinSet",
        "security.lockPinSet",
        "webUserPanel.userPanelEnabled",
        "webUserPanel.webUser",
        "webUserPanel.webPasswordSet",
        "webUserPanel.twoFactorType",
        "webUserPanel.twoFactorSecretSet",
        "webUserPanel.twoFactorMobileSet",
        "webUserPanel.notificationEmail",
        "webUserPanel.passwordLocked",
        "note.referenceId",
    ];
    assert_eq!(differ, own);
    assert_eq!(original["version"], version, "the original is as it was");
}

on_each_engine!(
    every_hard_reference_is_seen_and_never_left_dangling,
    every_soft_reference_is_seen_and_follows_the_number,
    a_call_list_does_not_follow_a_number,
    a_plan_warns_and_grows_old,
    a_plan_of_a_tenant_is_of_its_own_objects,
    every_kind_is_made_changed_and_deleted_alike,
    what_is_taken_is_told_with_its_holder,
    references_come_in_pages,
    a_delete_needs_its_scope,
    defaults_are_no_object_to_delete,
    too_many_references_are_refused,
    a_clone_is_like_its_original,
);
