//! The limits of what is executed: cost, depth, introspection, errors and the answer's size; each at the limit and one
//! beyond it.

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use vext::graphql::Limits;

use crate::engines::{Content, Engine, Live, on_each_engine};
use crate::harness::{Server, TOKEN};

fn server(engine: Engine, limits: Limits) -> Server {
    Server::limited(Live::new(engine, Content::Demo), limits)
}

/// Code, limit and actual value of the first error, and its place.
fn refusal(answer: &Value) -> (String, u64, u64, (u64, u64)) {
    let error = &answer["errors"][0];
    let (extensions, place) = (&error["extensions"], &error["locations"][0]);
    let number = |value: &Value| value.as_u64().unwrap_or_default();
    let code = extensions["code"].as_str().unwrap_or_else(|| panic!("{answer:#}")).to_owned();
    let place = (number(&place["line"]), number(&place["column"]));
    (code, number(&extensions["limit"]), number(&extensions["actual"]), place)
}

fn cost(answer: &Value) -> (u64, u64) {
    assert!(answer.get("errors").is_none(), "{answer:#}");
    let cost = &answer["extensions"]["cost"];
    (cost["requested"].as_u64().unwrap(), cost["actual"].as_u64().unwrap())
}

async fn a_query_costs_what_it_can_answer(engine: Engine) {
    let server = server(engine, Limits::default());
    let ask = async |query: &str, variables: Value| cost(&server.answer(TOKEN, query, variables).await);
    let list = |arguments: &str, inner: &str| format!("{{ tenant {{ virtualExtensions{arguments} {{ {inner} }} }} }}");
    // The tenant, the list, and each object with the objects below it.
    assert_eq!(ask(&list("(first: 3)", "nodes { number }"), json!({})).await, (5, 5));
    assert_eq!(ask(&list("(first: 3)", "edges { node { number } } pageInfo { hasNextPage }"), json!({})).await, (9, 9));
    assert_eq!(ask(&list("(first: 3)", "nodes { information { dnd } note { branch } }"), json!({})).await, (11, 11));
    // Without a length, and for a page that is not full.
    assert_eq!(ask(&list("", "nodes { number }"), json!({})).await.0, 22);
    let all = ask(&list("(first: 100)", "nodes { number } totalCount"), json!({})).await;
    assert!(all.0 == 112 && (20..60).contains(&all.1), "{all:?}");
    // As a variable, by its default, in a fragment, with an alias, twice.
    let query = "query($first: Int = 3) { tenant { virtualExtensions(first: $first) { ...F } } }
        fragment F on VirtualExtensionConnection { list: nodes { number } }";
    assert_eq!(ask(query, json!({})).await, (5, 5));
    assert_eq!(ask(query, json!({ "first": 2 })).await, (4, 4));
    assert_eq!(ask(query, json!({ "first": null })).await.0, 22);
    assert_eq!(ask("{ a: tenant { id } b: tenant { id } }", json!({})).await, (2, 2));
    // What walks, counts or saves costs more.
    let found = list("(first: 1, search: \"ivy\")", "nodes { number }");
    assert_eq!(ask(&found, json!({})).await, (23, 23));
    let query = "query($filter: VirtualExtensionFilter) { tenant { virtualExtensions(first: 1, filter: $filter) { nodes { id } } } }";
    assert_eq!(ask(query, json!({ "filter": { "branch": { "eq": "nowhere" } } })).await, (23, 22));
    assert_eq!(ask(query, json!({ "filter": null })).await, (3, 3));
    let ivy = server.object("108").await;
    assert_eq!(ask(&format!("{{ nodes(ids: [\"{ivy}\", \"{ivy}\", \"x\"]) {{ id }} }}"), json!({})).await, (3, 3));
    let plan = format!("{{ objectDeletePlan(id: \"{ivy}\") {{ token }} }}");
    assert_eq!(ask(&plan, json!({})).await, (101, 101));
    let update = format!(
        "mutation {{ virtualExtensionNoteUpdate(input: {{ id: \"{ivy}\", note: {{ branch: \"x\" }} }}) {{ userErrors {{ code }} }} }}"
    );
    assert_eq!(ask(&update, json!({})).await, (16, 11));
    // A document that was not executed has no cost.
    assert!(server.answer(TOKEN, "{ nothing }", json!({})).await.get("extensions").is_none());
}

async fn a_query_that_costs_too_much_is_refused(engine: Engine) {
    let server = server(engine, Limits { max_cost: 12, ..Limits::default() });
    let query = "query($first: Int) {\n tenant {\n  id virtualExtensions(first: $first) { nodes { number } } } }";
    // First when the text is new, then when it is known.
    for first in [10, 10] {
        assert_eq!(cost(&server.answer(TOKEN, query, json!({ "first": first })).await), (12, 12));
        let refused = server.answer(TOKEN, query, json!({ "first": first + 1 })).await;
        assert_eq!(refusal(&refused), ("COST_TOO_HIGH".into(), 12, 13, (3, 6)), "{refused}");
        assert!(refused.get("data").is_none(), "{refused}");
    }
    // A fragment that spreads itself is left to validation.
    let cyclic = "{ tenant { ...F } } fragment F on Tenant { id ...F }";
    let answer = server.answer(TOKEN, cyclic, json!({})).await;
    assert!(answer["errors"].is_array() && answer["errors"][0]["extensions"]["code"] != "COST_TOO_HIGH", "{answer}");
}

/// A list that no page bounds turns out to be longer than it was taken to be.
async fn what_costs_more_than_it_was_taken_to_ends(engine: Engine) {
    let live = Live::new(engine, Content::Demo);
    let list = "SELECT CAST(max(o.object_id) AS TEXT) FROM pbx_object o WHERE o.tenant_id = 1 AND o.kind = 'CALL_LIST'";
    let list = live.texts(list).remove(0);
    live.execute(&format!("DELETE FROM call_list_entry WHERE tenant_id = 1 AND owner_id = {list}"));
    live.execute(&format!(
        "INSERT INTO call_list_entry (tenant_id, owner_id, position, number, prefix, remark)
         WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 39)
         SELECT 1, {list}, i, CAST(700000 + i AS TEXT), i < 0, '' FROM n"
    ));
    let id = vext::domain::ObjectId { tenant: vext::domain::TenantId(1), local: list.parse().unwrap() }.opaque();
    let query = format!("{{ node(id: \"{id}\") {{ ... on CallList {{ entries {{ number }} }} }} }}");
    let mut server = Server::limited(live, Limits::default());
    // The object and its entries.
    assert_eq!(cost(&server.answer(TOKEN, &query, json!({})).await), (6, 41));
    for (max_cost, fits) in [(41, true), (40, false)] {
        server = Server::limited(server.live, Limits { max_cost, ..Limits::default() });
        let answer = server.answer(TOKEN, &query, json!({})).await;
        if fits {
            assert_eq!(cost(&answer), (6, 41));
        } else {
            let (code, limit, actual, _) = refusal(&answer);
            assert_eq!((code.as_str(), limit, actual), ("COST_TOO_HIGH", 40, 41), "{answer}");
            assert_eq!(answer["errors"][0]["path"], json!(["node", "entries"]), "{answer}");
        }
    }
}

async fn depth_is_limited(engine: Engine) {
    let server = server(engine, Limits::default());
    let deep = |inner: &str| {
        format!(
            "{{ tenant {{ virtualExtension(by: {{number: \"108\"}}) {{ ...R }} }} }}
             fragment R on VirtualExtension {{ references(first: 1) {{ nodes {{ object {{ references(first: 1) {{ nodes {{ object {{
               references(first: 1) {{ nodes {{\n{inner} }} }} }} }} }} }} }} }} }}"
        )
    };
    cost(&server.answer(TOKEN, &deep("kind path object { name }"), json!({})).await);
    let refused = server.answer(TOKEN, &deep("object { references(first: 1) { totalCount } }"), json!({})).await;
    assert_eq!(refusal(&refused), ("SELECTION_TOO_DEEP".into(), 12, 13, (1, 52)), "{refused}");
    // Also in an operation that is not run.
    let two = "query A { tenant { id } } query B { tenant { a: id } }";
    let narrow = Server::limited(server.live, Limits { max_depth: 1, ..Limits::default() });
    let body = json!({ "query": two, "operationName": "A" });
    let authorization = format!("Bearer {TOKEN}");
    let (status, answer) = narrow.post(&[("authorization", &authorization)], &body).await;
    assert_eq!((status, refusal(&answer).0.as_str()), (StatusCode::OK, "SELECTION_TOO_DEEP"));
}

/// As graphql-js 16 writes it, with everything that it can ask of a schema of that time.
const STANDARD: &str = "query IntrospectionQuery { __schema { description queryType { name } mutationType { name }
  subscriptionType { name } types { ...FullType } directives { name description isRepeatable locations
  args(includeDeprecated: true) { ...InputValue } } } }
  fragment FullType on __Type { kind name description specifiedByURL isOneOf
    fields(includeDeprecated: true) { name description args(includeDeprecated: true) { ...InputValue }
      type { ...TypeRef } isDeprecated deprecationReason }
    inputFields(includeDeprecated: true) { ...InputValue } interfaces { ...TypeRef }
    enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
    possibleTypes { ...TypeRef } }
  fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated deprecationReason }
  fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
    ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }";

async fn introspection_has_limits_of_its_own(engine: Engine) {
    let server = server(engine, Limits { max_fields: 10_000, ..Limits::default() });
    let ask = async |query: &str| server.answer(TOKEN, query, json!({})).await;
    let (requested, actual) = cost(&ask(STANDARD).await);
    assert!(requested == actual && (100..2000).contains(&requested), "{requested}");
    let nested = |levels: usize| {
        format!("{{ __type(name: \"Tenant\") {{ {} name {} }} }}", "ofType { ".repeat(levels), "}".repeat(levels))
    };
    cost(&ask(&nested(14)).await);
    let (code, limit, actual, _) = refusal(&ask(&nested(15)).await);
    assert_eq!((code.as_str(), limit, actual), ("INTROSPECTION_TOO_DEEP", 16, 17));
    cost(&ask("{ __type(name: \"Note\") { fields { type { fields { args { name } } } } } }").await);
    let wide = "{ __schema { types { fields { type { fields { args { name } } } } } } }";
    assert_eq!(refusal(&ask(wide).await), ("INTROSPECTION_TOO_WIDE".into(), 3, 4, (1, 47)));
    // Many times over.
    let many: String = (0..12).map(|i| format!("a{i}: __schema {{ types {{ ...FullType }} }} ")).collect();
    let (_, fragments) = STANDARD.split_once("fragment").unwrap();
    let many = ask(&format!("{{ {many} }} fragment {fragments}")).await;
    assert_eq!(refusal(&many).0, "COST_TOO_HIGH", "{many}");
}

async fn errors_are_counted_and_not_all_shown(engine: Engine) {
    let server = server(engine, Limits::default());
    let wrong = |count: usize| format!("{{ {} }}", (0..count).map(|i| format!("f{i} ")).collect::<String>());
    let errors = async |query: &str| server.answer(TOKEN, query, json!({})).await["errors"].as_array().unwrap().clone();
    let twenty = errors(&wrong(20)).await;
    let code = json!({ "code": "GRAPHQL_VALIDATION_FAILED" });
    assert!(twenty.len() == 20 && twenty.iter().all(|error| error["extensions"] == code), "{twenty:?}");
    for many in [21, 900] {
        let errors = errors(&wrong(many)).await;
        assert_eq!(errors.len(), 21);
        assert_eq!(errors[20]["extensions"], json!({ "code": "TOO_MANY_ERRORS", "limit": 20, "actual": many }));
    }
    // Errors of resolvers too: each field has its own.
    let bad: String = (0..25).map(|i| format!("a{i}: tenant {{ nextFreeNumber(from: \"9\", to: \"1\") }} ")).collect();
    let answer = server.answer(TOKEN, &format!("{{ {bad} b: tenant {{ id }} }}"), json!({})).await;
    assert_eq!(answer["errors"].as_array().unwrap().len(), 21, "{answer}");
    assert!(answer["errors"][0]["path"].is_array() && answer["data"]["b"].is_object(), "{answer}");
}

async fn an_answer_is_whole_or_not_there(engine: Engine) {
    let query = "{ tenant { virtualExtensions { nodes { number name } } } }";
    let query = json!({ "query": query, "extensions": { "cost": true } }).to_string();
    let bytes = async |server: &Server| {
        let request = Request::post("/graphql")
            .header("content-type", "application/json")
            .header("accept", "application/graphql-response+json")
            .header("authorization", format!("Bearer {TOKEN}"));
        let answer = server.send(request.body(Body::from(query.clone())).unwrap()).await;
        (answer.status(), to_bytes(answer.into_body(), usize::MAX).await.unwrap())
    };
    let whole = bytes(&server(engine, Limits::default())).await.1;
    let max_response = whole.len();
    assert_eq!(bytes(&server(engine, Limits { max_response, ..Limits::default() })).await, (StatusCode::OK, whole));
    let limits = Limits { max_response: max_response - 1, ..Limits::default() };
    let (status, refused) = bytes(&server(engine, limits)).await;
    let refused: Value = serde_json::from_slice(&refused).unwrap();
    let at = max_response as u64;
    assert_eq!((status, refusal(&refused)), (StatusCode::OK, ("RESPONSE_TOO_LARGE".into(), at - 1, at, (0, 0))));
    assert_eq!(refused["data"], Value::Null);
    assert!(refused["extensions"]["cost"].is_object(), "{refused}");
}

/// The page of full forms that a client pages through fits; the largest page of what a list shows fits too.
async fn what_clients_do_fits(engine: Engine) {
    let server = server(engine, Limits::default());
    let form =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/playground/examples/15-whole-form.graphql"));
    let form =
        form.unwrap().replace("virtualExtension(by: { number: \"108\" }) {", "virtualExtensions(first: 20) { nodes {");
    let (operation, fragments) = form.split_once("fragment ").unwrap();
    let page = format!("{operation} }} fragment {fragments}");
    let (requested, actual) = cost(&server.answer(TOKEN, &page, json!({})).await);
    println!("a page of 20 whole forms: {requested}, {actual} when answered");
    let rows = "{ tenant { virtualExtensions(first: 100) { totalCount pageInfo { endCursor } edges { cursor node {
        number name description note { branch department } information { members { number name } } } } } } }";
    let (requested, actual) = cost(&server.answer(TOKEN, rows, json!({})).await);
    println!("a page of 100 rows with members: {requested}, {actual} when answered");
}

on_each_engine!(
    a_query_costs_what_it_can_answer,
    a_query_that_costs_too_much_is_refused,
    what_costs_more_than_it_was_taken_to_ends,
    depth_is_limited,
    introspection_has_limits_of_its_own,
    errors_are_counted_and_not_all_shown,
    an_answer_is_whole_or_not_there,
    what_clients_do_fits,
);
