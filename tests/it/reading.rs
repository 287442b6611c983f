//! Reading: the tour's queries, statements counted, paging, nodes, and what another tenant sees.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::cost::details;
use crate::engines::{Engine, on_each_engine};
use crate::harness::{ALL, MOLLOY, READ, Server, TOKEN};
use serde_json::{Value, json};
use vext::domain::Kind;
use vext::form::camel;

/// The query that the issue asks for.
async fn ivy_morgan_answers(engine: Engine) {
    let query =
        r#"{tenant{virtualExtension(by:{number:"108"}){name information{members{number name}} note{additionalInfo}}}}"#;
    let data = Server::start(engine).data(query, json!({})).await;
    let ivy = &data["tenant"]["virtualExtension"];
    assert_eq!(ivy["name"], "Ivy Morgan");
    assert!(ivy["information"]["members"].as_array().unwrap().len() > 1, "{ivy}");
    assert!(!ivy["note"]["additionalInfo"].as_str().unwrap().is_empty());
}

/// A selection of everything below a type, references included, to a depth.
fn everything<'a>(
    server: &'a Server,
    name: &'a str,
    depth: usize,
) -> std::pin::Pin<Box<dyn Future<Output = String> + 'a>> {
    Box::pin(async move {
        let query = "query($name: String!) { __type(name: $name) { fields { name args { name } type { ...T } } } }
            fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";
        let found = server.data(query, json!({ "name": name })).await;
        let mut selection = String::new();
        for field in found["__type"]["fields"].as_array().unwrap() {
            let mut of = &field["type"];
            while !of["ofType"].is_null() {
                of = &of["ofType"];
            }
            let (field, kind, of) =
                (field["name"].as_str().unwrap(), of["kind"].as_str().unwrap(), of["name"].as_str().unwrap());
            match kind {
                "OBJECT" | "INTERFACE" if depth == 0 => {}
                "OBJECT" | "INTERFACE" => {
                    let inner = everything(server, of, depth - 1).await;
                    let _ = write!(selection, "{field} {{ {inner} }} ");
                }
                _ => selection += &format!("{field} "),
            }
        }
        selection
    })
}

/// Reads everything that 108 and each object of any other kind hold or lead to.
pub async fn read_every_reference(server: &Server) {
    let all = everything(server, "VirtualExtension", 3).await;
    server.data(&format!("{{ tenant {{ virtualExtension(by: {{number: \"108\"}}) {{ {all} }} }} }}"), json!({})).await;
    for (kind, ..) in details() {
        read_all(server, kind).await;
    }
}

/// Everything that the tenant's objects of a kind hold, and what they lead to, with that of its own.
async fn read_all(server: &Server, kind: Kind) -> Vec<Value> {
    let tenant = server.app.tenants().await.unwrap().remove(0).id;
    let rows =
        server.app.snapshot().read(tenant, move |query| vext::store::objects_of_kind(query, kind)).await.unwrap();
    let ids: Vec<_> = rows.into_iter().map(|row| row.id.opaque()).collect();
    let type_name = camel(&format!("_{}", kind.word().to_lowercase()));
    let all = everything(server, &type_name, 2).await;
    let query = format!("query($ids: [ID!]!) {{ nodes(ids: $ids) {{ __typename ... on {type_name} {{ {all} }} }} }}");
    let nodes = server.data(&query, json!({ "ids": ids })).await["nodes"].as_array().unwrap().clone();
    assert_eq!(nodes.len(), ids.len());
    for (node, id) in nodes.iter().zip(&ids) {
        assert_eq!((node["__typename"].as_str(), node["id"].as_str()), (Some(&*type_name), Some(&**id)));
    }
    nodes
}

/// The fields with ids in an answer, `members.extensionId`, whose objects stand beside them and are those of the ids.
fn compare_references(answer: &Value, path: &str, compared: &mut BTreeSet<String>) {
    match answer {
        Value::Array(list) => list.iter().for_each(|entry| compare_references(entry, path, compared)),
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = format!("{path}.{name}");
                if let (Some(stem), Some(ids)) = (name.strip_suffix("Ids"), value.as_array()) {
                    // The plural of media is media.
                    let objects = fields.get(stem).or_else(|| fields.get(&format!("{stem}s")));
                    let Some(objects) = objects.and_then(Value::as_array) else { continue };
                    assert_eq!(
                        objects.iter().map(|object| &object["id"]).collect::<Vec<_>>(),
                        ids.iter().collect::<Vec<_>>()
                    );
                    if !ids.is_empty() {
                        compared.insert(path);
                    }
                } else if let (Some(object), true) =
                    (name.strip_suffix("Id").and_then(|stem| fields.get(stem)), value.is_string())
                {
                    assert_eq!(&object["id"], value, "{path}");
                    compared.insert(path);
                } else {
                    compare_references(value, &path, compared);
                }
            }
        }
        _ => {}
    }
}

/// Objects of every kind answer with all that they hold and lead to; each reference leads to the object of its id.
async fn every_kind_answers_with_what_it_leads_to(engine: Engine) {
    let server = Server::generous(engine);
    let (mut compared, mut unseen) = (BTreeSet::new(), BTreeSet::new());
    for (kind, table, fields) in details() {
        for object in read_all(&server, kind).await {
            compare_references(&object, table, &mut compared);
        }
        for field in
            fields.iter().filter(|field| field.pointers.iter().any(|p| matches!(p.by, vext::form::ReferenceBy::Id(_))))
        {
            let path = format!("{table}.{}", camel(field.name));
            if !compared.iter().any(|found| found == &path || found.starts_with(&format!("{path}."))) {
                unseen.insert(path);
            }
        }
    }
    // Slots that lead elsewhere than to objects in the demo data.
    let without = ["ivr.key7", "voicemail_box.followDestinations"];
    assert_eq!(unseen.iter().collect::<Vec<_>>(), without);
}

/// The number of statements for a page does not depend on its length: all sections, all references, and theirs.
async fn a_long_page_costs_as_many_statements_as_a_short_one(engine: Engine) {
    let server = Server::generous(engine);
    // A hundred copies of the full form, so that every page holds every kind of reference.
    let (id, _) = server.extension("108").await;
    let members = server
        .data(
            &format!(
                "{{ node(id: \"{id}\") {{ ...on VirtualExtension {{
        information {{ memberIds callGroupIds pickupGroupIds spyGroupIds voicemailMwiMailboxId }}
        callSettings {{ musicOnHoldId recordedNameMediaId parkingLotId }}
        security {{ workingHoursConditionId }}
        outboundCalls {{ callerIdRuleSetId doNotCallListIds onlyAllowCallListIds routingProfileId }}
        followMe {{ conditionId confirmMediaId holdMediaId }} }} }} }}"
            ),
            json!({}),
        )
        .await["node"]
        .clone();
    for number in 2000..2100 {
        let mut input = members.clone();
        input["information"]["number"] = json!(number.to_string());
        input["information"]["name"] = json!(format!("Copy {number}"));
        let payload = server.mutate("virtualExtensionCreate", input).await;
        assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
    }
    let inner = everything(&server, "VirtualExtension", 3).await;
    assert!(inner.matches('{').count() > 60, "the selection reaches the references: {inner}");
    let query = format!("query($first: Int!) {{ tenant {{ virtualExtensions(first: $first, after: $after) {{ nodes {{ {inner} }} }} }} }}")
        .replace("$after)", "\"CURSOR\")")
        .replace("CURSOR", &cursor_before_2000(&server).await);
    let mut counts = Vec::new();
    for first in [2, 100] {
        let before = server.app.statements();
        let data = server.data(&query, json!({ "first": first })).await;
        counts.push(server.app.statements() - before);
        assert_eq!(data["tenant"]["virtualExtensions"]["nodes"].as_array().unwrap().len(), first);
    }
    assert_eq!(counts[0], counts[1], "statements for a page of 2 and of 100");
    println!("statements for a page with all sections and references: {}", counts[0]);
}

/// The same of every list: with details, references, and what these lead to.
async fn a_long_page_of_any_kind_costs_as_many_statements_as_a_short_one(engine: Engine) {
    let server = Server::generous(engine);
    for (list, of) in crate::finding::lists(&server).await {
        let inner = everything(&server, &of, 2).await;
        let query = format!(
            "query($first: Int!) {{ tenant {{ {list}(first: $first) {{ totalCount nodes {{ {inner} }} }} }} }}"
        );
        let total = server.data(&query, json!({ "first": 1 })).await["tenant"][&list]["totalCount"].as_u64().unwrap();
        let mut shortest = total.min(2);
        if list == "conditions" {
            // Only all of the demo's together lead to every kind that conditions lead to.
            shortest = total;
            let parts = json!([server.named("condition", "Open").await, server.named("condition", "Closed").await]);
            for i in 0..60 {
                let more = json!({ "name": format!("Zz {i}"), "conditionType": "ANY_OF", "partIds": parts,
                    "trueDestinations": [{ "objectId": server.object("101").await }] });
                server.save(TOKEN, "conditionCreate", more).await;
            }
        }
        let mut counts = Vec::new();
        for first in [shortest, 100] {
            let mut least = u64::MAX;
            // Who asks is looked up only where they are not remembered. Each text is another one, whose answer is not kept, and
            // which has been seen before.
            for time in 0..3 {
                let text = format!("# {time}\n{query}");
                server.data(&text, json!({ "first": 1 + first % 99 })).await;
                let before = server.app.statements();
                server.data(&text, json!({ "first": first })).await;
                least = least.min(server.app.statements() - before);
            }
            counts.push(least);
        }
        assert_eq!(counts[0], counts[1], "{list}: a page of {shortest} and of 100");
    }
}

async fn cursor_before_2000(server: &Server) -> String {
    let data = server
        .data("{ tenant { virtualExtensions(first: 100) { edges { cursor node { number } } } } }", json!({}))
        .await;
    let edges = data["tenant"]["virtualExtensions"]["edges"].as_array().unwrap().clone();
    let before = edges.iter().rfind(|edge| edge["node"]["number"].as_str().unwrap() < "2000").unwrap();
    before["cursor"].as_str().unwrap().to_owned()
}

/// What is not selected is not loaded: one statement reads what is, of all sections.
async fn a_section_is_loaded_only_when_it_is_selected(engine: Engine) {
    let server = Server::start(engine);
    let mut counts = Vec::new();
    let mut known: BTreeSet<_> = server.app.statement_texts().into_iter().collect();
    let tables = [" note s", " security s", " follow_me s"];
    for (sections, read) in [
        ("", vec![]),
        ("note { branch }", vec![" note s"]),
        ("note { branch } security { locked }", vec![" note s", " security s"]),
    ] {
        let before = server.app.statements();
        server
            .data(
                &format!("{{ tenant {{ virtualExtension(by: {{number: \"108\"}}) {{ name {sections} }} }} }}"),
                json!({}),
            )
            .await;
        counts.push(server.app.statements() - before);
        let texts: BTreeSet<_> = server.app.statement_texts().into_iter().collect();
        let new: Vec<_> = texts.difference(&known).filter(|text| text.contains("FROM note")).collect();
        assert_eq!(new.len(), usize::from(!read.is_empty()), "{sections}: {new:?}");
        let named: Vec<_> = tables.into_iter().filter(|table| new.iter().any(|text| text.contains(table))).collect();
        assert_eq!(named, read, "{sections}: {new:?}");
        known = texts;
    }
    assert_eq!([counts[1] - counts[0], counts[2] - counts[1]], [1, 0]);
}

async fn pages_join_without_gap_or_repetition(engine: Engine) {
    let server = Server::start(engine);
    let query = "query($after: String) { tenant { virtualExtensions(first: 5, after: $after) {
        totalCount nodes { number } pageInfo { hasNextPage hasPreviousPage endCursor } } } }";
    let (mut numbers, mut after, mut pages) = (Vec::new(), Value::Null, 0);
    let total = loop {
        let page = server.data(query, json!({ "after": after })).await["tenant"]["virtualExtensions"].clone();
        assert_eq!(page["pageInfo"]["hasPreviousPage"], json!(pages > 0));
        numbers.extend(page["nodes"].as_array().unwrap().iter().map(|n| n["number"].as_str().unwrap().to_owned()));
        pages += 1;
        if page["pageInfo"]["hasNextPage"] == json!(false) {
            break page["totalCount"].as_i64().unwrap();
        }
        after = page["pageInfo"]["endCursor"].clone();
    };
    assert!(pages > 1);
    assert_eq!(numbers.len() as i64, total);
    assert!(numbers.is_sorted() && numbers.windows(2).all(|w| w[0] != w[1]), "{numbers:?}");
}

async fn bad_paging_arguments_are_named(engine: Engine) {
    let server = Server::start(engine);
    for (arguments, word) in
        [("first: 0", "first"), ("first: 101", "first"), ("after: \"x\"", "after"), ("after: \"LTE\"", "after")]
    {
        let answer = server
            .answer(TOKEN, &format!("{{ tenant {{ virtualExtensions({arguments}) {{ totalCount }} }} }}"), json!({}))
            .await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
        assert!(answer["errors"][0]["message"].as_str().unwrap().starts_with(word), "{answer}");
    }
}

/// Another tenant's id, an id that never was, and text that is none: one answer.
async fn another_tenants_objects_do_not_exist(engine: Engine) {
    let server = Server::start(engine);
    let (ivy, _) = server.extension("108").await;
    let unknown = "MS45OTk5OTk"; // 1.999999
    let mut answers = Vec::new();
    for id in [ivy.as_str(), "Mi45OTk5OTk", "not an id", ""] {
        let answer = server
            .answer(
                MOLLOY,
                "query($id: ID!) { node(id: $id) { id } nodes(ids: [$id, $id]) { id }
                  tenant { virtualExtension(by: {id: $id}) { id } } }",
                json!({ "id": id }),
            )
            .await;
        let refused =
            server.mutate_as(MOLLOY, "virtualExtensionUpdate", json!({ "id": id, "note": { "branch": "x" } })).await;
        let member = json!({ "information": { "number": "160", "name": "x", "memberIds": [id] }, "dryRun": true });
        let created = server.mutate_as(MOLLOY, "virtualExtensionCreate", member).await;
        // They differ in what was sent, and in nothing else.
        let without_id = |payload: &Value| {
            let text = payload.to_string().replace(&format!("\"{id}\""), "\"ID\"");
            text.replace(&format!("\\\"{id}\\\""), "ID")
        };
        let (refused, hidden) = (without_id(&refused), without_id(&created["userErrors"]));
        answers.push((answer, refused, hidden));
    }
    for answer in &answers {
        assert_eq!(answer, &answers[0]);
    }
    assert!(answers[0].2.contains("NOT_FOUND"), "{}", answers[0].2);
    assert_eq!(
        server.answer(TOKEN, "query($id: ID!) { node(id: $id) { id } }", json!({ "id": unknown })).await["data"]["node"],
        Value::Null
    );
    // Nor does what never was for a token that opens every tenant: 99.1, and text that is no id.
    for id in ["OTkuMQ", "nothing"] {
        for dry in [true, false] {
            let input = json!({ "id": id, "dryRun": dry, "note": { "branch": "x" } });
            let refused = server.mutate_as(ALL, "virtualExtensionUpdate", input).await;
            assert_eq!(crate::harness::problems(&refused["userErrors"]), ["id NOT_FOUND"], "{id}");
        }
    }
    let mine =
        server.answer(MOLLOY, r#"{ tenant { code virtualExtension(by: {number: "108"}) { name } } }"#, json!({})).await;
    assert_eq!(mine["data"]["tenant"]["code"], "MOLLOY");
    assert_ne!(mine["data"]["tenant"]["virtualExtension"]["name"], "Ivy Morgan");
}

async fn nodes_answer_in_order_with_their_types(engine: Engine) {
    let server = Server::start(engine);
    let data = server
        .data("{ tenant { id virtualExtension(by: {number: \"108\"}) { id information { memberIds } } } }", json!({}))
        .await;
    let (tenant, ivy) = (&data["tenant"]["id"], &data["tenant"]["virtualExtension"]["id"]);
    let member = &data["tenant"]["virtualExtension"]["information"]["memberIds"][0];
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on PbxObject { kind name } } }";
    let nodes = server.data(query, json!({ "ids": [member, "nothing", tenant, ivy] })).await["nodes"].clone();
    let types: Vec<_> = nodes.as_array().unwrap().iter().map(|node| node["__typename"].as_str()).collect();
    assert_eq!(types, [Some("Extension"), None, Some("Tenant"), Some("VirtualExtension")]);
    let many = server.answer(TOKEN, query, json!({ "ids": vec!["x"; 101] })).await;
    assert!(many["errors"][0]["message"].as_str().unwrap().contains("at most 100"), "{many}");
}

async fn the_tenant_is_named_selected_or_the_tokens(engine: Engine) {
    let server = Server::start(engine);
    let code = |answer: &Value| answer["data"]["tenant"]["code"].as_str().map(str::to_owned);
    let ask = async |token: &str, header: Option<&str>, argument: &str| {
        let authorization = format!("Bearer {token}");
        let mut headers = vec![("authorization", authorization.as_str())];
        headers.extend(header.map(|code| ("x-tenant", code)));
        server.post(&headers, &json!({ "query": format!("{{ tenant{argument} {{ code }} }}") })).await.1
    };
    assert_eq!(code(&ask(TOKEN, None, "").await).as_deref(), Some("CANISTRACCI"));
    assert_eq!(code(&ask(ALL, Some("MOLLOY"), "").await).as_deref(), Some("MOLLOY"));
    assert_eq!(code(&ask(ALL, Some("MOLLOY"), "(code: \"CANISTRACCI\")").await).as_deref(), Some("CANISTRACCI"));
    let undecided = ask(ALL, None, "").await;
    assert_eq!(undecided["errors"][0]["extensions"]["code"], "TENANT_REQUIRED", "{undecided}");
    // A foreign tenant and one that does not exist.
    let foreign = ask(READ, None, "(code: \"MOLLOY\")").await;
    assert_eq!(foreign, ask(READ, None, "(code: \"NOBODY\")").await);
    assert_eq!(foreign["data"]["tenant"], Value::Null);
    assert_eq!(ask(READ, Some("MOLLOY"), "").await, foreign);
}

/// An error nulls its own field where that may be null, and nothing beside it.
async fn an_error_stays_at_its_field(engine: Engine) {
    let query = r#"{
        tenant { code nextFreeNumber(from: "100", to: "9") extensions { totalCount } }
        tenantLint(first: 0) { edges { cursor } }
        whole: tenant { extensions(first: 0) { totalCount } }
    }"#;
    let answer = Server::start(engine).answer(TOKEN, query, json!({})).await;
    let tenant = &answer["data"]["tenant"];
    assert_eq!((&tenant["code"], &tenant["nextFreeNumber"]), (&json!("CANISTRACCI"), &Value::Null), "{answer}");
    assert!(tenant["extensions"]["totalCount"].as_i64() > Some(0), "{answer}");
    // The list cannot be null, so what holds it is.
    assert_eq!((&answer["data"]["tenantLint"], &answer["data"]["whole"]), (&Value::Null, &Value::Null), "{answer}");
    let mut paths: Vec<_> = answer["errors"].as_array().unwrap().iter().map(|e| e["path"].to_string()).collect();
    paths.sort();
    assert_eq!(paths, [r#"["tenant","nextFreeNumber"]"#, r#"["tenantLint"]"#, r#"["whole","extensions"]"#]);
}

on_each_engine!(
    ivy_morgan_answers,
    every_kind_answers_with_what_it_leads_to,
    a_long_page_costs_as_many_statements_as_a_short_one,
    a_long_page_of_any_kind_costs_as_many_statements_as_a_short_one,
    a_section_is_loaded_only_when_it_is_selected,
    pages_join_without_gap_or_repetition,
    bad_paging_arguments_are_named,
    another_tenants_objects_do_not_exist,
    nodes_answer_in_order_with_their_types,
    the_tenant_is_named_selected_or_the_tokens,
    an_error_stays_at_its_field,
);
