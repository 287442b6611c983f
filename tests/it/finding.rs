//! Finding: lists of every kind, their filters, orders and searches, and free numbers.

use std::collections::BTreeSet;

use crate::engines::{Engine, on_each_engine};
use crate::harness::{ALL, MOLLOY, Server, TOKEN, problems};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// The lists of a tenant, as the schema names them: field, type of the objects.
pub async fn lists(server: &Server) -> Vec<(String, String)> {
    let query = "{ __type(name: \"Tenant\") { fields { name type { ofType { name } } } }
        objects: __type(name: \"PbxObject\") { possibleTypes { name } } }";
    let data = server.data(query, json!({})).await;
    let objects = data["objects"]["possibleTypes"].as_array().unwrap().clone();
    let fields = data["__type"]["fields"].as_array().unwrap().clone();
    let list = |field: &Value| {
        let of = field["type"]["ofType"]["name"].as_str()?.strip_suffix("Connection")?.to_owned();
        let listed = objects.iter().any(|object| object["name"] == of.as_str());
        listed.then(|| (field["name"].as_str().unwrap().to_owned(), of))
    };
    let found: Vec<_> = fields.iter().filter_map(list).collect();
    assert_eq!(found.len(), vext::domain::Kind::ALL.len() - 1, "a list of every kind: {found:?}");
    found
}

/// One page of virtual extensions: the whole connection.
async fn find(server: &Server, arguments: Value) -> Value {
    let query =
        "query($first: Int, $after: String, $filter: VirtualExtensionFilter, $order: ObjectOrder, $search: String) {
        tenant { virtualExtensions(first: $first, after: $after, filter: $filter, orderBy: $order, search: $search) {
        totalCount nodes { number } edges { cursor } pageInfo { hasNextPage endCursor } } } }";
    server.data(query, arguments).await["tenant"]["virtualExtensions"].take()
}

fn numbers(connection: &Value) -> Vec<String> {
    connection["nodes"].as_array().unwrap().iter().map(|n| n["number"].as_str().unwrap().to_owned()).collect()
}

/// All pages of a list, and the total that each of them must tell.
async fn walk(server: &Server, mut arguments: Value, first: usize) -> Vec<String> {
    arguments["first"] = json!(first);
    let mut found = Vec::new();
    loop {
        let page = find(server, arguments.clone()).await;
        found.extend(numbers(&page));
        if page["pageInfo"]["hasNextPage"] == json!(false) {
            assert_eq!(page["totalCount"], json!(found.len()), "{arguments}");
            return found;
        }
        assert_eq!(numbers(&page).len(), first);
        arguments["after"] = page["pageInfo"]["endCursor"].clone();
    }
}

async fn filtered(server: &Server, filter: Value) -> Vec<String> {
    let page = find(server, json!({ "first": 100, "filter": filter })).await;
    assert_eq!(page["totalCount"], json!(numbers(&page).len()));
    numbers(&page)
}

async fn searched(server: &Server, text: &str) -> Vec<String> {
    let page = find(server, json!({ "first": 100, "search": text })).await;
    assert_eq!(page["totalCount"], json!(numbers(&page).len()));
    numbers(&page)
}

/// Every virtual extension with its whole form.
async fn everything(server: &Server) -> Vec<Value> {
    let query =
        "{ tenant { virtualExtensions(first: 100) { nodes { id number name description createdAt changedAt } } } }";
    let mut objects = server.data(query, json!({})).await["tenant"]["virtualExtensions"]["nodes"].take();
    for object in objects.as_array_mut().unwrap() {
        let form = crate::cost::form(server, object["number"].as_str().unwrap()).await;
        object.as_object_mut().unwrap().extend(form);
    }
    objects.as_array().unwrap().clone()
}

/// Folds as far as the tests' own texts go.
fn fold(text: &str) -> String {
    text.to_lowercase().replace(['é', 'è'], "e").replace('ö', "o").replace('ü', "u")
}

/// The naive evaluation of a filter.
fn fits(filter: &Value, object: &Value, conditions: &[Value]) -> bool {
    let text = |value: &Value, tests: &Value| {
        let Some(text) = value.as_str().map(fold) else { return false };
        let one = |value: &Value| fold(value.as_str().unwrap());
        tests.as_object().unwrap().iter().all(|(operator, value)| match operator.as_str() {
            "eq" => text == one(value),
            "in" => value.as_array().unwrap().iter().any(|value| text == one(value)),
            "startsWith" => text.starts_with(&one(value)),
            "contains" => text.contains(&one(value)),
            "gte" => text >= one(value),
            "lte" => text <= one(value),
            "lt" => text < one(value),
            other => panic!("{other}"),
        })
    };
    // Anywhere in the form, and nothing that is no condition.
    let uses = |id: &Value| conditions.contains(id) && object.to_string().contains(&id.to_string());
    filter.as_object().unwrap().iter().all(|(field, asked)| match field.as_str() {
        "and" => asked.as_array().unwrap().iter().all(|filter| fits(filter, object, conditions)),
        "or" => asked.as_array().unwrap().iter().any(|filter| fits(filter, object, conditions)),
        "not" => !fits(asked, object, conditions),
        "number" | "name" | "description" | "createdAt" | "changedAt" => text(&object[field], asked),
        "branch" | "department" | "referenceId" => text(&object["note"][field], asked),
        "member" => object["information"]["memberIds"].as_array().unwrap().contains(asked),
        "condition" => uses(asked),
        "routingProfile" => object["outboundCalls"]["routingProfileId"] == *asked,
        "locked" => object["security"][field] == *asked,
        "dnd" => object["information"][field] == *asked,
        "userPanelEnabled" => object["webUserPanel"][field] == *asked,
        other => panic!("{other}"),
    })
}

/// Chance that repeats itself.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.roll(list.len())]
    }

    /// A part of a text, in capitals or not.
    fn part(&mut self, text: &str, from_start: bool) -> String {
        let letters: Vec<char> = text.chars().collect();
        let from = if from_start { 0 } else { self.roll(letters.len() + 1) };
        let to = from + self.roll(letters.len() - from + 1);
        let part: String = letters[from..to].iter().collect();
        if self.roll(2) == 0 { part.to_uppercase() } else { part }
    }

    fn text(&mut self, pool: &[Value], operators: &[&str]) -> Value {
        let text = self.pick(pool).as_str().unwrap_or_default().to_owned();
        let operator = *self.pick(operators);
        let value = match operator {
            "in" => json!([text, self.pick(pool).as_str().unwrap_or("nobody"), "nothing"]),
            "startsWith" => json!(self.part(&text, true)),
            "contains" => json!(self.part(&text, false)),
            _ => json!(text),
        };
        json!({ operator: value })
    }

    /// A filter with values that occur in some objects.
    fn filter(&mut self, objects: &[Value], ids: &[Value], depth: usize) -> Value {
        const TEXT: [&str; 4] = ["eq", "in", "startsWith", "contains"];
        let of = |path: &str| objects.iter().map(|o| o.pointer(path).unwrap().clone()).collect::<Vec<_>>();
        let mut filter = json!({});
        for _ in 0..=self.roll(2) {
            let (field, value) = match self.roll(if depth > 0 { 17 } else { 14 }) {
                0 => ("number", self.text(&of("/number"), &["eq", "in", "startsWith", "gte", "lte"])),
                1 => ("name", self.text(&of("/name"), &TEXT)),
                2 => ("description", self.text(&of("/description"), &TEXT)),
                3 => ("branch", self.text(&of("/note/branch"), &TEXT)),
                4 => ("department", self.text(&of("/note/department"), &TEXT)),
                5 => ("referenceId", self.text(&of("/note/referenceId"), &TEXT)),
                6 => ("createdAt", self.text(&of("/createdAt"), &["gte", "lt"])),
                7 => ("changedAt", self.text(&of("/changedAt"), &["gte", "lt"])),
                8 => ("member", self.pick(ids).clone()),
                9 => ("condition", self.pick(ids).clone()),
                10 => ("routingProfile", self.pick(ids).clone()),
                11 => ("locked", json!(self.roll(2) == 0)),
                12 => ("dnd", json!(self.roll(2) == 0)),
                13 => ("userPanelEnabled", json!(self.roll(2) == 0)),
                14 => ("not", self.filter(objects, ids, depth - 1)),
                n => {
                    let list: Vec<_> = (0..self.roll(4)).map(|_| self.filter(objects, ids, depth - 1)).collect();
                    (if n == 15 { "and" } else { "or" }, json!(list))
                }
            };
            filter[field] = value;
        }
        filter
    }
}

/// Gives some extensions what the demo data lacks: text with accents, switches that are on.
async fn season(server: &Server) {
    for (number, sections) in [
        ("111", json!({ "note": { "branch": "Köln", "department": "Export", "referenceId": "CRM-0042" } })),
        ("112", json!({ "information": { "dnd": true }, "note": { "branch": "Livorno", "referenceId": "CRM-0043" } })),
        ("113", json!({ "security": { "lockPin": "4827", "locked": true }, "note": { "branch": "KÖLN" } })),
        ("114", json!({ "information": { "name": "Mühle (José)" } })),
    ] {
        let mut input = sections;
        input["id"] = json!(server.extension(number).await.0);
        let payload = server.mutate("virtualExtensionUpdate", input).await;
        assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
    }
}

/// The ids of objects of a kind.
async fn ids(server: &Server, list: &str) -> Vec<Value> {
    let query = format!("{{ tenant {{ {list}(first: 100) {{ nodes {{ id }} }} }} }}");
    let data = server.data(&query, json!({})).await;
    data["tenant"][list]["nodes"].as_array().unwrap().iter().map(|node| node["id"].clone()).collect()
}

/// The ids of real extensions, conditions and routing profiles; the conditions' alone.
async fn pool(server: &Server) -> (Vec<Value>, Vec<Value>) {
    let conditions = ids(server, "conditions").await;
    ([conditions.clone(), ids(server, "extensions").await, ids(server, "routingProfiles").await].concat(), conditions)
}

/// Random filters let through what the naive evaluation lets through, in every order, page by page.
async fn filters_agree_with_a_naive_evaluation(engine: Engine) {
    let server = Server::start(engine);
    season(&server).await;
    let (objects, (ids, conditions)) = (everything(&server).await, pool(&server).await);
    let mut dice = Dice(0x2026_1125);
    let (mut some, mut tried) = (0, 0);
    while tried < 150 {
        let filter = dice.filter(&objects, &ids, 3);
        let order = *dice.pick(&["NUMBER", "NAME", "CREATED_AT", "CHANGED_AT"]);
        let arguments =
            json!({ "filter": filter, "order": { "field": order, "direction": dice.pick(&["ASC", "DESC"]) } });
        let mut found = walk(&server, arguments, 1 + dice.roll(7)).await;
        found.sort();
        let expected: Vec<_> = objects
            .iter()
            .filter(|object| fits(&filter, object, &conditions))
            .map(|o| o["number"].as_str().unwrap())
            .collect();
        assert_eq!(found, expected, "{filter:#}");
        tried += 1;
        some += usize::from(!expected.is_empty() && expected.len() < objects.len());
    }
    assert!(some > 40, "only {some} of {tried} filters let some through and others not");
}

/// Each operator, by examples that a reader can check.
async fn every_operator_does_what_it_says(engine: Engine) {
    let server = Server::start(engine);
    season(&server).await;
    for (filter, expected) in [
        (json!({ "number": { "eq": "112" } }), vec!["112"]),
        (json!({ "number": { "in": ["113", "111", "999"] } }), vec!["111", "113"]),
        (json!({ "number": { "startsWith": "11", "gte": "112", "lte": "114" } }), vec!["112", "113", "114"]),
        (json!({ "name": { "eq": "SALES italy" } }), vec!["111"]),
        (json!({ "name": { "in": ["Export", "muhle (jose)"] } }), vec!["112", "114"]),
        (json!({ "name": { "startsWith": "sales" } }), vec!["111"]),
        (json!({ "name": { "contains": "(JOSÉ" } }), vec!["114"]),
        (json!({ "description": { "contains": "bottles" } }), vec!["113"]),
        (json!({ "branch": { "eq": "koln" } }), vec!["111", "113"]),
        (json!({ "branch": { "startsWith": "Kö" }, "department": { "eq": "export" } }), vec!["111"]),
        (json!({ "referenceId": { "in": ["crm-0042", "CRM-0043"] } }), vec!["111", "112"]),
        (json!({ "referenceId": { "startsWith": "CRM-004" } }), vec!["111", "112"]),
        (json!({ "referenceId": { "contains": "0042" } }), vec!["111"]),
        (json!({ "dnd": true }), vec!["112"]),
        (json!({ "locked": true }), vec!["113"]),
        (json!({ "not": { "number": { "gte": "11" } } }), vec!["108"]),
        (json!({ "or": [{ "dnd": true }, { "locked": true }] }), vec!["112", "113"]),
        (json!({ "and": [{ "branch": { "eq": "Köln" } }, { "not": { "locked": true } }] }), vec!["111"]),
        (json!({ "or": [] }), vec![]),
        (json!({ "number": { "in": [] } }), vec![]),
        (json!({ "changedAt": { "lt": "2026-11-23T09:00:00Z" } }), vec![]),
    ] {
        assert_eq!(filtered(&server, filter.clone()).await, expected, "{filter}");
    }
    let all = everything(&server).await.len();
    for filter in
        [json!({}), json!({ "and": [] }), json!({ "createdAt": { "gte": "2026-11-23T10:00:00+01:00" } }), Value::Null]
    {
        assert_eq!(filtered(&server, filter).await.len(), all);
    }
}

/// Every reference that a filter asks for, and nothing for what is foreign or nobody's.
async fn references_are_found_and_foreign_ones_match_nothing(engine: Engine) {
    let server = Server::start(engine);
    let (objects, (ids, conditions)) = (everything(&server).await, pool(&server).await);
    let mut found = BTreeSet::new();
    for id in &ids {
        for field in ["member", "condition", "routingProfile"] {
            let filter = json!({ field: id });
            let fit = objects.iter().filter(|object| fits(&filter, object, &conditions));
            let expected: Vec<_> = fit.map(|o| o["number"].as_str().unwrap()).collect();
            assert_eq!(filtered(&server, filter).await, expected, "{field} {id}");
            found.extend((!expected.is_empty()).then_some(field));
        }
    }
    assert_eq!(found.len(), 3, "the demo data has each of them: {found:?}");
    // The same keys in the other tenant, what nobody has, what is of another kind, and what is no id at all.
    let local = |id: &Value| URL_SAFE_NO_PAD.decode(id.as_str().unwrap()).unwrap();
    let foreign =
        ids.iter().map(|id| URL_SAFE_NO_PAD.encode(String::from_utf8(local(id)).unwrap().replacen("1.", "2.", 1)));
    let ivy = server.extension("108").await.0;
    for id in foreign.chain(["", "nothing", "MS45OTk5OTk", &ivy].map(str::to_owned)) {
        for field in ["member", "condition", "routingProfile"] {
            assert_eq!(filtered(&server, json!({ field: id })).await, [] as [&str; 0], "{field} {id}");
            assert_eq!(filtered(&server, json!({ "not": { field: id } })).await.len(), objects.len());
        }
    }
}

/// In each order and direction the pages join to the whole list, sorted.
async fn pages_of_every_order_join(engine: Engine) {
    let server = Server::start(engine);
    season(&server).await;
    let objects = everything(&server).await;
    for (field, path) in
        [("NUMBER", "number"), ("NAME", "name"), ("CREATED_AT", "createdAt"), ("CHANGED_AT", "changedAt")]
    {
        let mut sorted = objects.clone();
        // Sorting keeps the order of equal ones, and numbers were made in order.
        sorted.sort_by_key(|object| fold(object[path].as_str().unwrap()));
        let mut sorted: Vec<_> = sorted.iter().map(|o| o["number"].as_str().unwrap()).collect();
        for direction in ["ASC", "DESC"] {
            for first in [1, 3, 100] {
                let order = json!({ "order": { "field": field, "direction": direction } });
                assert_eq!(walk(&server, order, first).await, sorted, "{field} {direction} {first}");
                // The same from an index of words.
                let order = json!({ "order": { "field": field, "direction": direction }, "search": "1" });
                assert_eq!(walk(&server, order, first).await, sorted, "{field} {direction} {first}");
            }
            sorted.reverse();
        }
    }
    // The direction may be left out, and so may all.
    assert_eq!(
        walk(&server, json!({ "order": { "field": "NAME" } }), 4).await,
        walk(&server, json!({ "order": { "field": "NAME", "direction": "ASC" } }), 5).await
    );
    assert_eq!(walk(&server, json!({}), 4).await, walk(&server, json!({ "order": { "field": "NUMBER" } }), 5).await);
}

/// A cursor keeps its place while objects are made before and behind it, and is no cursor of another order.
async fn cursors_keep_their_place(engine: Engine) {
    let server = Server::start(engine);
    let by_name = json!({ "field": "NAME" });
    let page = find(&server, json!({ "first": 3, "order": by_name })).await;
    let before = walk(&server, json!({ "order": by_name }), 100).await;
    let after = page["pageInfo"]["endCursor"].clone();
    for (number, name) in [("160", "aaa"), ("161", "zzz"), ("162", "\u{c9}a")] {
        let new = json!({ "information": { "number": number, "name": name } });
        assert_eq!(problems(&server.mutate("virtualExtensionCreate", new).await["userErrors"]), [] as [&str; 0]);
    }
    let rest = find(&server, json!({ "first": 100, "order": by_name, "after": after })).await;
    let rest: Vec<_> =
        numbers(&rest).into_iter().filter(|number| !["160", "161", "162"].contains(&number.as_str())).collect();
    assert_eq!(rest, before[3..]);
    let query = "query($after: String!, $order: ObjectOrder) { tenant { virtualExtensions(after: $after, orderBy: $order) { totalCount } } }";
    for order in [Value::Null, json!({ "field": "NAME", "direction": "DESC" }), json!({ "field": "CREATED_AT" })] {
        let answer = server.answer(TOKEN, query, json!({ "after": after, "order": order })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
        assert!(answer["errors"][0]["message"].as_str().unwrap().starts_with("after must be a cursor"), "{answer}");
    }
}

/// Beginnings of words, several of them, in any case, with or without accents, of every searched field.
async fn a_search_finds_beginnings_of_words(engine: Engine) {
    let server = Server::start(engine);
    season(&server).await;
    let all = everything(&server).await.len();
    for (text, expected) in [
        ("112", vec!["112"]),
        ("ita", vec!["111"]),
        ("ITALY sales", vec!["111"]),
        ("sales export italy", vec!["111"]),
        ("taly", vec![]),
        ("bott cork", vec!["113"]),
        ("crm-0042", vec!["111"]),
        ("0043", vec!["112"]),
        ("KOLN", vec!["111", "113"]),
        ("köln exp", vec!["111"]),
        ("jose muh", vec!["114"]),
        ("José's", vec![]),
        ("italy nothing", vec![]),
    ] {
        assert_eq!(searched(&server, text).await, expected, "{text}");
    }
    for blank in ["", "  "] {
        assert_eq!(searched(&server, blank).await.len(), all);
    }
    // What holds no word is found nowhere; it is no pattern either.
    for wordless in ["%", "_", "*", "-- !"] {
        let found = find(&server, json!({ "first": 100, "search": wordless })).await;
        assert_eq!((numbers(&found).len(), &found["totalCount"]), (0, &json!(0)), "{wordless}");
    }
    // Together with a filter.
    let both = json!({ "search": "koln", "filter": { "locked": false }, "first": 5 });
    assert_eq!(numbers(&find(&server, both).await), ["111"]);
    // A phone number is a word of its DID.
    let did = "{ tenant { dids(first: 1) { nodes { id phoneNumber } } } }";
    let did = server.data(did, json!({})).await["tenant"]["dids"]["nodes"][0].clone();
    let phone = did["phoneNumber"].as_str().unwrap();
    let query = "query($search: String) { tenant { dids(search: $search) { nodes { id } totalCount } } }";
    let found = server.data(query, json!({ "search": phone })).await["tenant"]["dids"].take();
    assert_eq!(found, json!({ "nodes": [{ "id": did["id"] }], "totalCount": 1 }), "{phone}");
}

/// Words follow every save; those of the note follow the note alone.
async fn words_follow_what_is_saved(engine: Engine) {
    let server = Server::start(engine);
    let (id, _) = server.extension("111").await;
    let save = async |input: Value| {
        let mut input = input;
        input["id"] = json!(id);
        assert_eq!(server.mutate("virtualExtensionUpdate", input).await["userErrors"], json!([]));
    };
    save(json!({ "information": { "name": "Zebra desk" }, "note": { "branch": "Zebra" } })).await;
    assert_eq!(searched(&server, "zebra").await, ["111"]);
    assert_eq!(searched(&server, "italy").await, [] as [&str; 0]);
    save(json!({ "information": { "name": "Lion" } })).await;
    assert_eq!(searched(&server, "zebra").await, ["111"], "the branch has it still");
    save(json!({ "note": { "branch": null } })).await;
    assert_eq!(searched(&server, "zebra").await, [] as [&str; 0]);
    save(json!({ "information": { "number": "161" } })).await;
    assert_eq!(searched(&server, "lion").await, ["161"]);
    assert_eq!((searched(&server, "111").await, searched(&server, "161").await), (vec![], vec!["161".to_owned()]));
    assert_eq!(filtered(&server, json!({ "name": { "eq": "lion" } })).await, ["161"]);
}

/// Nothing of another tenant is in any list, whatever is asked.
async fn lists_end_at_the_tenant(engine: Engine) {
    let server = Server::start(engine);
    for (list, _) in lists(&server).await {
        let query = format!(
            "query($search: String, $code: String) {{ tenant(code: $code) {{ {list}(first: 100, search: $search) {{ totalCount nodes {{ id number name }} }} }} }}"
        );
        let of = async |code: &str, search: Value| {
            server.answer(ALL, &query, json!({ "search": search, "code": code })).await["data"]["tenant"][&list].clone()
        };
        let (ours, theirs) = (of("CANISTRACCI", Value::Null).await, of("MOLLOY", Value::Null).await);
        let ids = |found: &Value| {
            found["nodes"].as_array().unwrap().iter().map(|n| n["id"].to_string()).collect::<BTreeSet<_>>()
        };
        assert!(ids(&ours).is_disjoint(&ids(&theirs)), "{list}");
        assert_eq!(ours["totalCount"], json!(ids(&ours).len()), "{list}");
        for node in theirs["nodes"].as_array().unwrap() {
            let found = of("CANISTRACCI", node["name"].clone()).await;
            assert!(ids(&found).is_subset(&ids(&ours)), "{list}");
        }
    }
    let mine = server
        .answer(MOLLOY, "{ tenant { virtualExtensions(search: \"Ivy Morgan\") { totalCount } } }", json!({}))
        .await;
    assert_eq!(mine["data"]["tenant"]["virtualExtensions"]["totalCount"], 0, "{mine}");
}

/// Each kind has its list, in the order of names, and each object is found by id, by number and by name.
async fn every_kind_has_its_list(engine: Engine) {
    let server = Server::start(engine);
    let (mut found, mut with_number) = (0, 0);
    for (list, of) in lists(&server).await {
        let field = of[..1].to_lowercase() + &of[1..];
        // A virtual extension is always in use.
        let is_form = of == "VirtualExtension";
        let enabled = if is_form { "" } else { "enabled" };
        let query = format!(
            "query($after: String) {{ tenant {{ {list}(first: 2, after: $after) {{ totalCount nodes {{ __typename id number name description {enabled} }} pageInfo {{ hasNextPage endCursor }} }} }} }}"
        );
        let (mut nodes, mut after) = (Vec::new(), Value::Null);
        loop {
            let page = server.data(&query, json!({ "after": after })).await["tenant"][&list].take();
            nodes.extend(page["nodes"].as_array().unwrap().clone());
            after = page["pageInfo"]["endCursor"].clone();
            if page["pageInfo"]["hasNextPage"] == json!(false) {
                assert_eq!(page["totalCount"], json!(nodes.len()), "{list}");
                break;
            }
        }
        let key = |node: &Value| fold(node[if is_form { "number" } else { "name" }].as_str().unwrap());
        assert!(nodes.is_sorted_by_key(key), "{list}");
        assert!(!nodes.is_empty(), "the demo data has {list}");
        found += nodes.len();
        for node in &nodes {
            assert_eq!(node["__typename"], json!(of));
            let query = format!("query($by: ObjectBy!) {{ tenant {{ {field}(by: $by) {{ id }} }} }}");
            let by = async |by: Value| server.data(&query, json!({ "by": by })).await["tenant"][&field].clone();
            let this = json!({ "id": node["id"] });
            assert_eq!(by(json!({ "id": node["id"] })).await, this);
            let name = node["name"].as_str().unwrap();
            let same = nodes.iter().filter(|other| fold(other["name"].as_str().unwrap()) == fold(name)).count();
            assert_eq!(
                by(json!({ "name": name.to_uppercase() })).await,
                if same == 1 { this.clone() } else { Value::Null }
            );
            if let Some(number) = node["number"].as_str() {
                assert_eq!(by(json!({ "number": number })).await, this);
                with_number += 1;
            }
        }
        // A filter of what all have.
        let query = format!(
            "query($filter: {}) {{ tenant {{ {list}(filter: $filter) {{ totalCount }} }} }}",
            if is_form { "VirtualExtensionFilter" } else { "ObjectFilter" }
        );
        let (first, texts) = (&nodes[0], ["name", "description"]);
        let mut filter = json!({ "name": { "eq": first["name"] }, "description": { "eq": first["description"] } });
        if !is_form {
            filter["enabled"] = first["enabled"].clone();
        }
        let same = |node: &&Value| {
            node["enabled"] == first["enabled"]
                && texts.iter().all(|text| fold(node[text].as_str().unwrap()) == fold(first[text].as_str().unwrap()))
        };
        let counted = server.data(&query, json!({ "filter": filter })).await["tenant"][&list]["totalCount"].clone();
        assert_eq!(counted, json!(nodes.iter().filter(same).count()), "{list}");
    }
    assert!(found > 60 && with_number > 15, "{found} {with_number}");
    // Two objects of one name are not told apart by it; what is of another kind is not found.
    for (number, name) in [("160", "Twin"), ("161", "TWIN")] {
        let new = json!({ "information": { "number": number, "name": name } });
        assert_eq!(server.mutate("virtualExtensionCreate", new).await["userErrors"], json!([]));
    }
    let query = "{ tenant { virtualExtension(by: {name: \"twin\"}) { id } extension(by: {number: \"108\"}) { id }
        voicemailBox(by: {name: \"Twin\"}) { id } } }";
    let nothing = json!({ "virtualExtension": null, "extension": null, "voicemailBox": null });
    assert_eq!(server.data(query, json!({})).await["tenant"], nothing);
}

/// What is too large is refused by name, with the limit and what was sent.
async fn limits_are_named(engine: Engine) {
    let server = Server::start(engine);
    let many: Vec<_> = (0..33).map(|i| json!({ "name": { "eq": i.to_string() } })).collect();
    let deep = (0..5).fold(json!({ "dnd": true }), |filter, _| json!({ "not": filter }));
    let choices: Vec<_> = (0..101).map(|i| i.to_string()).collect();
    let query = "query($filter: VirtualExtensionFilter, $search: String) { tenant { virtualExtensions(filter: $filter, search: $search) { totalCount } } }";
    for (variables, sentence) in [
        (json!({ "filter": { "or": many } }), "filter must have at most 32 conditions; it has 33."),
        (json!({ "filter": deep }), "filter must be at most 5 levels deep; it has 6."),
        (json!({ "filter": { "or": vec![json!({}); 64] } }), "filter must contain at most 64 filters; it has 65."),
        (json!({ "filter": { "description": { "in": choices } } }), "in must have at most 100 values; it has 101."),
        (json!({ "filter": { "number": { "in": choices } } }), "in must have at most 100 values; it has 101."),
        (json!({ "search": "a b c d e f g h i" }), "search must have at most 8 words; it has 9."),
        (
            json!({ "filter": { "createdAt": { "gte": "yesterday" } } }),
            "createdAt.gte must be a date and time such as 2026-11-23T09:00:00Z; it is \"yesterday\".",
        ),
    ] {
        let answer = server.answer(TOKEN, query, variables).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
        assert_eq!(answer["errors"][0]["message"], sentence);
    }
    // What just fits passes, with texts that no database would take as they are.
    let filter = json!({ "or": many[1..], "not": { "not": { "name": { "contains": "\u{0}\u{10FFFF}" } } } });
    let answer = server.answer(TOKEN, query, json!({ "filter": filter, "search": "a\u{0}b c d e f g h" })).await;
    assert!(answer["errors"][0]["message"].as_str().unwrap().contains("it has 33"), "{answer}");
    let filter = json!({ "name": { "in": ["\u{0}", "x".repeat(500), ""] }, "branch": { "startsWith": "\u{0}" } });
    let answer = server.answer(TOKEN, query, json!({ "filter": filter, "search": "a\u{0}b c d e f g h" })).await;
    assert_eq!(answer["data"]["tenant"]["virtualExtensions"]["totalCount"], 0, "{answer}");
}

/// More objects than an index may name: the list itself is walked, in chunks.
async fn crowds_are_walked(engine: Engine) {
    const CROWD: usize = 2600;
    let server = Server::start(engine);
    let n = format!("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {CROWD})");
    let insert = |table: &str, columns: &str, values: &str| {
        let sql =
            format!("INSERT INTO {table} (tenant_id, object_id, {columns}) {n} SELECT 1, 100000 + i, {values} FROM n");
        assert!(server.live.execute(&sql) > 0);
    };
    insert(
        "pbx_object",
        "kind, number, name, name_folded, description, enabled, version, created_at, changed_at",
        "'VIRTUAL_EXTENSION', CAST(500000 + i AS TEXT), 'Crowd', 'crowd', '', i = i, 1, i / 7, 0",
    );
    insert("search_word", "source, word", "'pbx_object', 'crowd'");
    insert("search_word", "source, word", "'pbx_object', CASE WHEN i % 100 = 0 THEN 'rare' ELSE 'frequent' END");
    insert(
        "note",
        "branch, department, reference_id, additional_info",
        "'Crowd', CASE WHEN i % 50 = 7 THEN 'Odd' ELSE 'Even' END, '', ''",
    );
    insert("search_word", "source, word", "'note', 'crowd'");
    let all: Vec<String> = (1..=CROWD).map(|i| (500_000 + i).to_string()).collect();
    assert_eq!(walk(&server, json!({ "search": "crowd" }), 100).await, all);
    assert_eq!(walk(&server, json!({ "filter": { "name": { "eq": "Crowd" } } }), 99).await, all);
    let down =
        json!({ "order": { "field": "CREATED_AT", "direction": "DESC" }, "filter": { "branch": { "eq": "crowd" } } });
    let mut reversed = all.clone();
    reversed.reverse();
    assert_eq!(walk(&server, down, 100).await, reversed);
    let odd: Vec<_> =
        all.iter().enumerate().filter(|(i, _)| (i + 1) % 50 == 7).map(|(_, number)| number.clone()).collect();
    for (field, first) in [("NUMBER", 10), ("CHANGED_AT", 7)] {
        let some = json!({ "order": { "field": field }, "filter": { "branch": { "eq": "crowd" }, "department": { "contains": "DD" } } });
        assert_eq!(walk(&server, some, first).await, odd);
    }
    let rare = walk(&server, json!({ "search": "crowd rare", "order": { "field": "NAME" } }), 20).await;
    assert_eq!(rare, all.iter().filter(|number| number.ends_with("00")).cloned().collect::<Vec<_>>());
    // A bounded list needs neither index nor much walking.
    let before = server.app.statements();
    let few = json!({ "first": 100, "filter": { "number": { "gte": "502590" } }, "search": "crowd" });
    assert_eq!(numbers(&find(&server, few).await), all[2589..]);
    assert!(server.app.statements() - before < 12, "{}", server.app.statements() - before);
}

/// The first number that nothing has, in a range.
async fn free_numbers_are_found(engine: Engine) {
    let server = Server::start(engine);
    let free = async |from: &str, to: &str| {
        let query =
            "query($from: ExtensionNumber!, $to: ExtensionNumber!) { tenant { nextFreeNumber(from: $from, to: $to) } }";
        server.answer(TOKEN, query, json!({ "from": from, "to": to })).await
    };
    let number = async |from: &str, to: &str| free(from, to).await["data"]["tenant"]["nextFreeNumber"].clone();
    let taken =
        server.live.texts("SELECT number FROM pbx_object WHERE tenant_id = 1 AND number IS NOT NULL ORDER BY number");
    let first = (100..=999)
        .map(|n| n.to_string())
        .find(|n| !taken.contains(n) && !(700..=719).contains(&n.parse::<u32>().unwrap()));
    assert_eq!(number("100", "999").await, json!(first));
    assert_eq!(number("108", "108").await, Value::Null);
    assert_eq!(number("105", "110").await, Value::Null, "all of these are taken: {taken:?}");
    assert_eq!(number("700", "719").await, Value::Null, "parking slots");
    assert_eq!(number("705", "799").await, "720");
    assert_eq!(number("0700", "0719").await, "0700", "a number of another length is no slot");
    for (from, to, word) in [
        ("100", "1000", "same length"),
        ("200", "100", "greater"),
        ("1", "2", "from must be"),
        ("10", "x", "to must be"),
    ] {
        let answer = free(from, to).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
        assert!(answer["errors"][0]["message"].as_str().unwrap().contains(word), "{answer}");
    }
    // A range that is full but for its last number, in few statements, with longer and shorter numbers between.
    let n = "WITH RECURSIVE n (i) AS (SELECT 30000 UNION ALL SELECT i + 1 FROM n WHERE i < 39998)";
    let object = "pbx_object (tenant_id, object_id, kind, number, name, name_folded, description, enabled, version, created_at, changed_at)";
    let row = "'DID', CAST(i AS TEXT), '', '', '', i = i, 1, 0, 0";
    server.live.execute(&format!("INSERT INTO {object} {n} SELECT 1, 100000 + i, {row} FROM n"));
    let longer = "'DID', CAST(i AS TEXT) || '0', '', '', '', i = i, 1, 0, 0";
    server.live.execute(&format!("INSERT INTO {object} {n} SELECT 1, 200000 + i, {longer} FROM n"));
    let before = server.app.statements();
    assert_eq!(number("30000", "39999").await, "39999");
    assert_eq!(number("39000", "39998").await, Value::Null);
    assert!(server.app.statements() - before < 40, "{}", server.app.statements() - before);
    assert_eq!(number("300", "399").await, "300", "thousands of longer ones begin like it");
    assert_eq!(number("399999", "399999").await, "399999");
    assert_eq!(number("399900", "399999").await, "399901");
    // The same suggestion as in the form.
    let taken = json!({ "dryRun": true, "information": { "number": "30000", "name": "x" } });
    let payload = server.mutate("virtualExtensionCreate", taken).await;
    assert_eq!(payload["userErrors"][0]["suggestion"], "39999", "{payload}");
}

/// Who has a number, or why nobody can have it.
async fn a_number_is_available_or_says_why_not(engine: Engine) {
    let server = Server::start(engine);
    let ask = async |number: &str| {
        let query = "query($number: ExtensionNumber!) { tenant { numberAvailability(number: $number) {
            available reason message suggestion holder { __typename number name } parkingLot { name firstSlot lastSlot } } } }";
        server.data(query, json!({ "number": number })).await["tenant"]["numberAvailability"].take()
    };
    assert_eq!(
        ask("199").await,
        json!({ "available": true, "reason": null, "message": null, "suggestion": null, "holder": null, "parkingLot": null })
    );
    let taken = ask("108").await;
    assert_eq!((&taken["available"], &taken["reason"]), (&json!(false), &json!("NUMBER_TAKEN")));
    assert_eq!(taken["message"], "number is taken by the virtual extension Ivy Morgan; it is 108.");
    assert_eq!(taken["holder"], json!({ "__typename": "VirtualExtension", "number": "108", "name": "Ivy Morgan" }));
    let suggested = taken["suggestion"].as_str().unwrap();
    assert_eq!(ask(suggested).await["available"], true);
    let parked = ask("712").await;
    assert_eq!((&parked["reason"], &parked["suggestion"]), (&json!("NUMBER_RESERVED"), &json!("720")));
    assert_eq!(parked["message"], "number is one of the slots 710 to 719 of the parking lot Livorno quay; it is 712.");
    assert_eq!(parked["parkingLot"], json!({ "name": "Livorno quay", "firstSlot": "710", "lastSlot": "719" }));
    let wrong = ask("10B").await;
    assert_eq!((&wrong["available"], &wrong["reason"]), (&json!(false), &json!("INVALID_FORMAT")));
    assert!(wrong["message"].as_str().unwrap().starts_with("number must be 2 to 10 digits"), "{wrong}");
    // Another tenant's holder is nobody here.
    let theirs = server
        .answer(MOLLOY, "{ tenant { numberAvailability(number: \"117\") { available holder { name } } } }", json!({}))
        .await;
    assert_eq!(
        theirs["data"]["tenant"]["numberAvailability"],
        json!({ "available": true, "holder": null }),
        "{theirs}"
    );
}

/// Runs every statement that finding has, for the test that looks at their plans.
pub async fn run_every_statement(server: &Server) {
    let (ids, _) = pool(server).await;
    let any = json!({ "or": [{ "branch": { "eq": "x" } }, { "department": { "eq": "x" } }, { "referenceId": { "eq": "x" } },
        { "member": ids[0] }, { "condition": ids[0] }, { "routingProfile": ids[0] }, { "locked": true }, { "dnd": true }, { "userPanelEnabled": true }] });
    let all = json!({ "branch": { "eq": "x" }, "member": ids[0], "condition": ids[0], "routingProfile": ids[0], "locked": false,
        "dnd": false, "userPanelEnabled": false, "number": { "eq": "108" }, "name": { "eq": "Ivy" },
        "createdAt": { "gte": "2026-11-23T09:00:00Z" }, "changedAt": { "lt": "2026-11-23T09:00:00Z" } });
    for field in ["NUMBER", "NAME", "CREATED_AT", "CHANGED_AT"] {
        for direction in ["ASC", "DESC"] {
            let order = json!({ "field": field, "direction": direction });
            for filter in [&any, &all] {
                find(server, json!({ "filter": filter, "order": order })).await;
            }
        }
    }
    find(server, json!({ "search": "ivy m" })).await;
    let query = "{ tenant { extension(by: {name: \"x\"}) { id } nextFreeNumber(from: \"100\", to: \"120\") numberAvailability(number: \"108\") { available } } }";
    server.data(query, json!({})).await;
}

on_each_engine!(
    filters_agree_with_a_naive_evaluation,
    every_operator_does_what_it_says,
    references_are_found_and_foreign_ones_match_nothing,
    pages_of_every_order_join,
    cursors_keep_their_place,
    a_search_finds_beginnings_of_words,
    words_follow_what_is_saved,
    lists_end_at_the_tenant,
    every_kind_has_its_list,
    limits_are_named,
    crowds_are_walked,
    free_numbers_are_found,
    a_number_is_available_or_says_why_not,
);
