//! What a form's selects offer.

use serde_json::{Value, json};

use crate::engines::{Engine, on_each_engine};
use crate::harness::{Server, TOKEN};

const OPTIONS: &str = "query($for: [String!]!, $of: ID, $search: String, $first: Int, $after: String) { tenant {
  options(for: $for, of: $of, search: $search, first: $first, after: $after) {
    nodes { chosen object { id kind name } } edges { cursor } pageInfo { hasNextPage hasPreviousPage endCursor } } } }";

async fn offered(server: &Server, arguments: Value) -> Value {
    server.data(OPTIONS, arguments).await["tenant"]["options"].take()
}

fn names(offered: &Value, chosen: bool) -> Vec<&str> {
    let nodes = offered["nodes"].as_array().unwrap().iter().filter(|node| node["chosen"] == chosen);
    nodes.map(|node| node["object"]["name"].as_str().unwrap()).collect()
}

/// Only what fits is offered, what begins so is found, and what is chosen is marked.
async fn a_select_offers_what_fits(engine: Engine) {
    let server = Server::start(engine);
    let (ivy, _) = server.extension("108").await;
    let members = "{ tenant { virtualExtension(by: {number: \"108\"}) { information { members { name } } } } }";
    let data = server.data(members, json!({})).await;
    let members = data["tenant"]["virtualExtension"]["information"]["members"].as_array().unwrap().clone();
    let mut members: Vec<_> = members.iter().map(|member| member["name"].as_str().unwrap()).collect();
    members.sort_unstable();
    let all = offered(&server, json!({ "for": ["information", "memberIds"], "of": ivy, "first": 100 })).await;
    assert_eq!(names(&all, true), members);
    assert!(all["nodes"].as_array().unwrap().iter().all(|node| node["object"]["kind"] == "EXTENSION"), "{all:#}");
    let some = offered(&server, json!({ "for": ["information", "memberIds"], "search": "iv", "first": 20 })).await;
    assert_eq!(names(&some, false), ["Ivy's desk", "Ivy's laptop"]);

    // Destinations are of many kinds, and an extension is not offered itself.
    let all = offered(&server, json!({ "for": ["additionalDestinations", "onBusy"], "of": ivy, "first": 100 })).await;
    let kinds: std::collections::BTreeSet<_> =
        all["nodes"].as_array().unwrap().iter().map(|node| node["object"]["kind"].as_str().unwrap()).collect();
    assert!(kinds.len() > 8 && kinds.contains("QUEUE") && kinds.contains("VIRTUAL_EXTENSION"), "{kinds:?}");
    assert!(all["nodes"].as_array().unwrap().iter().all(|node| node["object"]["id"] != ivy.as_str()));
    assert_eq!(names(&all, true).len(), 1, "{:?}", names(&all, true));

    // Working hours need a condition that asks the time, a login a profile for the panel.
    let hours =
        offered(&server, json!({ "for": ["security", "workingHoursConditionId"], "of": ivy, "first": 100 })).await;
    assert!(names(&hours, false).contains(&"Closed") && !names(&hours, false).contains(&"Livorno is reachable"));
    assert_eq!(names(&hours, true), ["Office hours"]);
    let any = offered(&server, json!({ "for": ["followMe", "conditionId"], "first": 100 })).await;
    assert!(names(&any, false).contains(&"Livorno is reachable"));
    let profiles = "{ tenant { userProfiles { nodes { name forPanel } } } }";
    let data = server.data(profiles, json!({})).await;
    let expected: Vec<_> = data["tenant"]["userProfiles"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|p| p["forPanel"] == true)
        .map(|p| p["name"].as_str().unwrap())
        .collect();
    let profiles = offered(&server, json!({ "for": ["webUserPanel", "userProfileId"], "first": 100 })).await;
    assert_eq!(names(&profiles, false), expected);

    // Entries of other objects have their selects too.
    let queue = server.object("401").await;
    let data = server
        .data("query($id: ID!) { node(id: $id) { ... on Queue { members { extensionId } } } }", json!({ "id": queue }))
        .await;
    let members: Vec<_> =
        data["node"]["members"].as_array().unwrap().iter().map(|member| &member["extensionId"]).collect();
    let all = offered(&server, json!({ "for": ["queue", "members", "extensionId"], "of": queue, "first": 100 })).await;
    let chosen: Vec<_> = all["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|node| node["chosen"] == true)
        .map(|node| &node["object"]["id"])
        .collect();
    assert_eq!(chosen.len(), members.len());
    assert!(members.iter().all(|member| chosen.contains(member)), "{members:?} {chosen:?}");
}

/// Every field that refers to objects has its list; pages of it are the whole.
async fn every_field_has_its_list_in_pages(engine: Engine) {
    let server = Server::start(engine);
    let data = server.data("{ tenant { optionFields { path kinds } } }", json!({})).await;
    let fields = data["tenant"]["optionFields"].as_array().unwrap();
    assert!(fields.len() > 70, "{}", fields.len());
    for field in fields {
        let path = &field["path"];
        let all = offered(&server, json!({ "for": path, "first": 100 })).await;
        let nodes = all["nodes"].as_array().unwrap();
        assert!(
            nodes.iter().all(|node| field["kinds"].as_array().unwrap().contains(&node["object"]["kind"])),
            "{path}"
        );
        assert_eq!(all["pageInfo"]["hasNextPage"], false, "{path}");
        assert!(!nodes.is_empty(), "{path}");
    }
    // A long page costs as many statements as a short one, over however many kinds.
    for field in fields {
        let mut counts = Vec::new();
        for first in [2, 100] {
            let before = server.app.statements();
            offered(&server, json!({ "for": field["path"], "first": first })).await;
            counts.push(server.app.statements() - before);
        }
        assert_eq!(counts[0], counts[1], "{field}");
    }
    for path in [json!(["additionalDestinations", "onNoAnswer"]), json!(["security", "workingHoursConditionId"])] {
        let all = offered(&server, json!({ "for": path, "first": 100 })).await;
        for first in [1, 7] {
            let (mut after, mut paged) = (Value::Null, Vec::new());
            loop {
                let page = offered(&server, json!({ "for": path, "first": first, "after": after })).await;
                paged.extend(page["nodes"].as_array().unwrap().iter().cloned());
                assert_eq!(page["pageInfo"]["hasPreviousPage"], !after.is_null());
                if page["pageInfo"]["hasNextPage"] == false {
                    break;
                }
                after = page["pageInfo"]["endCursor"].clone();
            }
            assert_eq!(json!(paged), all["nodes"], "{path} {first}");
        }
    }
}

/// What is wrong with the question is said.
async fn a_wrong_question_is_refused(engine: Engine) {
    let server = Server::start(engine);
    for (arguments, words) in [
        (json!({ "for": ["information", "nubmer"] }), "information.memberIds"),
        (json!({ "for": ["x"] }), "such as information.memberIds; it is \"x\""),
        (json!({ "for": ["information", "memberIds"], "first": 101 }), "first must be 1 to 100"),
        (json!({ "for": ["information", "memberIds"], "after": "eHg" }), "after must be a cursor"),
        (json!({ "for": ["information", "memberIds"], "search": "a b c d e f g h i" }), "at most 8 words"),
    ] {
        let answer = server.answer(TOKEN, OPTIONS, arguments.clone()).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{arguments}");
        assert!(answer["errors"][0]["message"].as_str().unwrap().contains(words), "{answer:#}");
    }
}

on_each_engine!(a_select_offers_what_fits, every_field_has_its_list_in_pages, a_wrong_question_is_refused);
