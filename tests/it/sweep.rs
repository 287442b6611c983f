//! Sweeps over the whole live schema: whatever takes an id, another tenant's id answers exactly as one that nobody has;
//! and nobody changes what the token does not allow. What a sweep does not know fails it.

use std::collections::HashMap;

use serde_json::{Value, json};
use vext::domain::Kind;
use vext::operations::demo;
use vext::service::NewToken;
use vext::store;

use crate::engines::{Engine, on_each_engine};
use crate::events::Events;
use crate::harness::{ALL, MOLLOY, Server, TOKEN};
use crate::places::places;
use crate::probes::{Probe, World};
use crate::types::{Types, camel, list, name};

/// Neither an id nor a code.
const NO_NAME: &str = "no-name~at-all";

/// What the sweep cannot build a request for.
fn unknown<'a>(world: &'a World, types: &'a Types) -> impl Iterator<Item = String> + 'a {
    places(types).into_iter().filter_map(|place| world.probes(types, &place).err())
}

/// The probes for all places; fails with the places for which there are none.
fn probes(world: &World) -> Vec<Probe> {
    let unknown: Vec<_> = unknown(world, &world.types).collect();
    assert!(unknown.is_empty(), "the sweep does not know\n{}", unknown.join("\n"));
    places(&world.types).iter().filter_map(|place| world.probes(&world.types, place).ok()).flatten().collect()
}

/// The answer to a probe with another name in it, without the name.
async fn ask(server: &Server, token: &str, probe: &Probe, other: &str) -> Value {
    let authorization = format!("Bearer {token}");
    let headers = [("authorization", authorization.as_str()), ("x-tenant", demo::CANISTRACCI)];
    let request = json!({ "query": probe.text, "variables": probe.naming(other) });
    let answer = match probe.place.object.as_str() {
        "Subscription" => json!({ "data": heard(server, &headers, &request).await }),
        _ => server.post(&headers, &request).await.1,
    };
    assert!(answer.get("errors").is_none(), "{}: {answer:#}\n{request:#}", probe.place.name());
    serde_json::from_str(&answer.to_string().replace(other, "(the name)")).unwrap()
}

/// What a subscription says until it comes to the last of the ids that it asks for; without ids, the first that it says.
async fn heard(server: &Server, headers: &[(&str, &str)], request: &Value) -> Vec<Value> {
    let mut events = Events::open(server, headers, request).await;
    let (last, mut heard) = (list(&request["variables"]["ids"]).last(), Vec::new());
    while let Some(event) = events.next().await {
        let ends = last.is_none_or(|last| event["data"]["objectChanged"]["objectId"] == *last);
        heard.push(event);
        if ends {
            break;
        }
    }
    heard
}

/// The codes of what a mutation says is wrong.
fn codes(answer: &Value) -> Vec<&str> {
    let payloads = answer["data"].as_object().unwrap().values();
    payloads.flat_map(|payload| list(&payload["userErrors"])).map(|error| error["code"].as_str().unwrap()).collect()
}

/// The value of the first thing that a mutation says is wrong.
fn first_value(answer: &Value) -> &Value {
    let mut payloads = answer["data"].as_object().unwrap().values();
    payloads.find_map(|payload| list(&payload["userErrors"]).first()).map_or(&Value::Null, |error| &error["value"])
}

/// The revisions of all tenants.
async fn revisions(server: &Server) -> Vec<i64> {
    server.app.tenants().await.unwrap().iter().map(|tenant| tenant.revision).collect()
}

async fn another_tenants_id_answers_as_one_that_nobody_has(engine: Engine) {
    let world = World::new(engine).await;
    let (server, before, mut wrong) = (&world.server, revisions(&world.server).await, Vec::new());
    let probes = probes(&world);
    println!("{} probes", probes.len());
    for probe in &probes {
        let [foreign, unknown, nowhere] = world.others(&probe.own).await;
        for token in [TOKEN, ALL] {
            let mut answers = Vec::new();
            for other in [&probe.own, &foreign, &unknown, &nowhere, NO_NAME] {
                answers.push(ask(server, token, probe, other).await);
            }
            let [own, foreign, unknown, nowhere, no_name] = &answers[..] else { unreachable!() };
            let mut expect = |fits: bool, what: &str| {
                if !fits {
                    wrong.push(format!(
                        "{}, {token}: {what}\nown {own}\nforeign {foreign}\nunknown {unknown}",
                        probe.place.name()
                    ));
                }
            };
            expect(unknown == nowhere, "a tenant that never was answers differently");
            if probe.place.field == "tenantUpdate" && token == TOKEN {
                // Tenants themselves are for tokens for all tenants: others learn nothing from any name.
                expect([own, foreign].iter().all(|answer| codes(answer) == ["FORBIDDEN"]), "it is not forbidden");
                expect(own == unknown && foreign == unknown, "the name makes a difference");
                continue;
            }
            if probe.place.object == "Mutation" {
                let refused = probe.place.field == "tenantUpdate";
                expect(codes(own).is_empty() != refused, "what fits is refused");
                expect(codes(unknown).first() == Some(&"NOT_FOUND"), "what nobody has is not called so");
                expect(codes(no_name).first() == Some(&"NOT_FOUND"), "what no server handed out is not called so");
                let told = [unknown, no_name].iter().all(|answer| first_value(answer) == "(the name)");
                expect(told, "the value is not what was sent");
            } else {
                expect(unknown == no_name, "what no server handed out answers differently");
            }
            expect(own != unknown, "the name makes no difference");
            // What is read or changed as a whole is, for a token for all tenants, wherever it is. So it must differ there,
            // or this exception hides something.
            let opened = token == ALL && probe.place.is_subject();
            expect((foreign == unknown) != opened, "another tenant's answers differently, or for all tenants not");
        }
    }
    assert!(wrong.is_empty(), "{} answers:\n{}", wrong.len(), wrong.join("\n\n"));
    assert_eq!(revisions(server).await, before);
}

/// What a new field needs before the sweep goes through: a request that can be built.
#[tokio::test]
async fn a_place_that_the_sweep_does_not_know_is_named() {
    let world = World::new(Engine::Sqlite).await;
    let id = json!({ "kind": "SCALAR", "name": "ID" });
    let ids = json!({ "kind": "LIST", "ofType": id });
    let queue = json!({ "kind": "OBJECT", "name": "Queue" });
    let taking = |field: &str, argument: &str, of: &Value| json!({ "name": field, "type": queue, "args": [{ "name": argument, "type": of }] });
    let input = |name: &str| json!({ "kind": "INPUT_OBJECT", "name": name });
    let types = &world.types;
    let made_up = [
        (
            types.with_input("QueueCreateInput", json!({ "name": "rivalId", "type": id })),
            "Mutation.queueCreate(input.rivalId)",
        ),
        (
            types.with_input("QueueMemberInput", json!({ "name": "deputyIds", "type": ids })),
            "Mutation.queueCreate(input.members[].deputyIds[])",
        ),
        (
            types.with_input("VirtualExtensionFilter", json!({ "name": "lot", "type": id })),
            "Tenant.virtualExtensions(filter.lot)",
        ),
        (types.with_field("Query", taking("lookUp", "id", &id)), "Query.lookUp(id)"),
        (types.with_field("Queue", taking("callsOf", "extensionId", &id)), "Queue.callsOf(extensionId)"),
        (types.with_field("Tenant", taking("queueOf", "members", &ids)), "Tenant.queueOf(members[])"),
        (types.with_field("Subscription", taking("queueChanged", "id", &id)), "Subscription.queueChanged(id)"),
        (types.with_field("Mutation", taking("queueReset", "id", &id)), "Mutation.queueReset(id)"),
        (
            types.with_field("Mutation", taking("reset", "input", &input("QueueUpdateInput"))),
            "Mutation.reset(input.id)",
        ),
        (
            types.with_field("Mutation", taking("queueSwap", "input", &input("TenantUpdateInput"))),
            "Mutation.queueSwap(input.id)",
        ),
    ];
    for (types, expected) in &made_up {
        let unknown: Vec<_> = unknown(&world, types).collect();
        assert!(unknown.iter().any(|said| said.starts_with(&format!("{expected}: "))), "{expected}: {unknown:?}");
    }
    assert_eq!(unknown(&world, types).next(), None);
}

/// What of an answer is there, by its path.
fn present(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| present(value, &format!("{path}.{name}"), found));
        }
        Value::Array(list) => list.iter().for_each(|value| present(value, path, found)),
        _ => found.push(path.to_owned()),
    }
}

async fn no_object_is_read_by_another_tenant(engine: Engine) {
    let server = Server::start(engine);
    let types = Types::of(&server).await;
    let by = types.fields("Tenant").iter().filter(|field| list(&field["args"]).iter().any(|one| name(one) == "by"));
    let by: String = by.map(|field| format!("{}(by: {{id: $id}}) {{ id }} ", name(field))).collect();
    assert_eq!(by.matches("by:").count(), World::made_kinds().count());
    let text = format!(
        "query($id: ID!) {{ node(id: $id) {{ id }} nodes(ids: [$id, $id]) {{ id }}
           tenant {{ {by} plan: objectDeletePlan(id: $id) {{ token }} }} plan: objectDeletePlan(id: $id) {{ token }} }}"
    );
    let tenant = server.app.tenants().await.unwrap().remove(0).id;
    let mut count = 0;
    for kind in Kind::ALL {
        let rows = server.app.snapshot().read(tenant, |query| store::objects_of_kind(query, *kind)).await.unwrap();
        for row in rows {
            let id = json!({ "id": row.id.opaque() });
            let seen = async |token: &str| {
                let answer = server.answer(token, &text, id.clone()).await;
                assert!(answer.get("errors").is_none(), "{answer:#}");
                let mut found = Vec::new();
                present(&answer["data"], "", &mut found);
                found
            };
            assert_eq!(seen(MOLLOY).await, [] as [&str; 0], "{row:?}");
            // Its own tenant sees it in each of these ways. The defaults are `newVirtualExtension`, and have no id.
            let field = camel(kind.word());
            let own = [
                ".node.id",
                ".nodes.id",
                ".nodes.id",
                &format!(".tenant.{field}.id"),
                ".tenant.plan.token",
                ".plan.token",
            ];
            let own: &[&str] = if *kind == Kind::FormDefaults { &[] } else { &own };
            assert_eq!(seen(TOKEN).await, own, "{row:?}");
            count += 1;
        }
    }
    assert!(count > 80, "{count} objects");

    let whole =
        "query($id: ID!, $code: String!) { node(id: $id) { id } nodes(ids: [$id]) { id } tenant(code: $code) { id } }";
    let variables = json!({ "id": tenant.opaque(), "code": demo::CANISTRACCI });
    let hidden = json!({ "node": null, "nodes": [null], "tenant": null });
    assert_eq!(server.answer(MOLLOY, whole, variables.clone()).await["data"], hidden);
    let own = json!({ "id": tenant.opaque() });
    assert_eq!(server.data(whole, variables).await, json!({ "node": own, "nodes": [own], "tenant": own }));
    // Nor does the header open it.
    let authorization = format!("Bearer {MOLLOY}");
    for code in [demo::CANISTRACCI, "NOBODY"] {
        let headers = [("authorization", authorization.as_str()), ("x-tenant", code)];
        let answer = server.post(&headers, &json!({ "query": "{ tenant { id } tenants { code } }" })).await.1;
        assert_eq!(answer["data"], json!({ "tenant": null, "tenants": [{ "code": demo::MOLLOY }] }), "{answer}");
        assert!(answer.get("errors").is_none(), "{answer}");
    }
}

/// A token for all tenants with these scopes beside `read`.
async fn token(server: &Server, write: bool, delete: bool) -> String {
    let name = format!("write {write}, delete {delete}");
    let new = NewToken { name, tenants: vec![], all_tenants: true, write, delete, explore: false };
    server.app.create_token(new, None).await.unwrap().unwrap()
}

/// Every mutation with variables that would go through: what they do is what the tenancy sweep tried dry.
fn mutations(world: &World) -> Vec<(String, String, Value)> {
    let subjects: HashMap<_, _> = probes(world)
        .into_iter()
        .filter(|probe| probe.place.is_subject())
        .map(|p| (p.place.field.clone(), p))
        .collect();
    let request = |field: &Value| {
        let field = name(field);
        let mut variables = match field {
            "tenantCreate" => json!({ "input": { "code": "NEW", "timezone": "Europe/Rome" } }),
            field => subjects.get(field).unwrap_or_else(|| panic!("{field} is not known")).earnest(),
        };
        if field.starts_with("tenant") {
            variables["input"]["name"] = json!("Changed");
        }
        (field.to_owned(), world.text("Mutation", field), variables)
    };
    world.types.fields("Mutation").iter().map(request).collect()
}

async fn nothing_is_changed_without_the_scope_for_it(engine: Engine) {
    let world = World::new(engine).await;
    let (server, before) = (&world.server, revisions(&world.server).await);
    let [read, write, delete] =
        [token(server, false, false).await, token(server, true, false).await, token(server, false, true).await];
    let ask = async |token: &str, text: &str, variables: &Value| {
        let authorization = format!("Bearer {token}");
        let headers = [("authorization", authorization.as_str()), ("x-tenant", demo::CANISTRACCI)];
        let (_, answer) = server.post(&headers, &json!({ "query": text, "variables": variables })).await;
        assert!(answer.get("errors").is_none(), "{answer:#}");
        answer
    };
    for (field, text, variables) in mutations(&world) {
        // Deleting is no writing, and tenants themselves are not for a token of one tenant.
        let refused: &[&str] = match field.as_str() {
            "tenantCreate" | "tenantUpdate" => &[&read, &delete, TOKEN],
            "objectDelete" => &[&read, &write],
            _ => &[&read, &delete],
        };
        for token in refused {
            let answer = ask(token, &text, &variables).await;
            assert_eq!(codes(&answer), ["FORBIDDEN"], "{field}: {answer:#}");
        }
    }
    assert_eq!(revisions(server).await, before);
    let text = world.text("Mutation", "objectDelete");
    for spare in World::made_kinds().map(|kind| world.spare(kind)) {
        let answer = ask(&delete, &text, &json!({ "input": { "id": spare, "onReferences": "BLOCK" } })).await;
        assert_eq!(answer["data"]["objectDelete"]["deletedId"], spare, "{answer:#}");
    }
}

on_each_engine!(
    another_tenants_id_answers_as_one_that_nobody_has,
    no_object_is_read_by_another_tenant,
    nothing_is_changed_without_the_scope_for_it,
);
