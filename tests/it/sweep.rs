//! Sweeps over the whole live schema: whatever takes an id, another tenant's id answers exactly as one that nobody has;
//! and nobody changes what the token does not allow. What a sweep does not know fails it.

use serde_json::{Value, json};
use vext::domain::{Kind, ObjectId, TenantId};
use vext::service::demo;
use vext::store;

use crate::engines::{Engine, on_each_engine};
use crate::harness::{ALL, MOLLOY, Server, TOKEN};
use crate::probes::{Place, Probe, World, places};
use crate::types::{list, name};

/// The probes for all places; fails with the places for which there are none.
fn probes(world: &World) -> Vec<Probe> {
    let (known, unknown): (Vec<_>, Vec<_>) =
        places(&world.types).iter().map(|place| world.probe(&world.types, place)).partition(Result::is_ok);
    let unknown: Vec<_> = unknown.into_iter().filter_map(Result::err).collect();
    assert!(unknown.is_empty(), "the sweep does not know\n{}", unknown.join("\n"));
    known.into_iter().filter_map(Result::ok).collect()
}

/// The answer to a probe with another name in it, without the name.
async fn ask(server: &Server, token: &str, probe: &Probe, other: &str) -> Value {
    let authorization = format!("Bearer {token}");
    let headers = [("authorization", authorization.as_str()), ("x-tenant", demo::CANISTRACCI)];
    let request = json!({ "query": probe.text, "variables": probe.naming(other) });
    let (_, answer) = server.post(&headers, &request).await;
    assert!(answer.get("errors").is_none(), "{}: {answer:#}\n{request:#}", probe.place.name());
    serde_json::from_str(&answer.to_string().replace(other, "(the name)")).unwrap()
}

/// The codes of what a mutation says is wrong.
fn codes(answer: &Value) -> Vec<&str> {
    let payloads = answer["data"].as_object().unwrap().values();
    payloads.flat_map(|payload| list(&payload["userErrors"])).map(|error| error["code"].as_str().unwrap()).collect()
}

/// The revisions of all tenants.
async fn revisions(server: &Server) -> Vec<i64> {
    server.app.tenants().await.unwrap().iter().map(|tenant| tenant.revision).collect()
}

async fn another_tenants_id_answers_as_one_that_nobody_has(engine: Engine) {
    let world = World::new(engine).await;
    let (server, before, mut wrong) = (&world.server, revisions(&world.server).await, Vec::new());
    let probes = probes(&world);
    println!("{} places", probes.len());
    for probe in &probes {
        let [foreign, unknown, nowhere] = world.others(&probe.own).await;
        for token in [TOKEN, ALL] {
            let mut answers = Vec::new();
            for other in [&probe.own, &foreign, &unknown, &nowhere] {
                answers.push(ask(server, token, probe, other).await);
            }
            let [own, foreign, unknown, nowhere] = &answers[..] else { unreachable!() };
            let mut expect = |fits: bool, what: &str| {
                if !fits {
                    wrong.push(format!("{}, {token}: {what}\nown {own}\nforeign {foreign}\nunknown {unknown}", probe.place.name()));
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

on_each_engine!(another_tenants_id_answers_as_one_that_nobody_has);
