//! What plans answer: byte for byte what the executor answers, whatever is asked.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Variables};
use serde_json::{Value, json};
use vext::graphql::{self, Api, Limits, RequestContext};
use vext::service::Viewer;

use crate::engines::{Engine, on_each_engine};
use crate::harness::{ALL, Server, TOKEN};
use crate::types::{self, Types, base, list, name};

/// Both ways to answer, before one database.
struct Both {
    planned: Api,
    executed: Api,
    limits: Limits,
}

/// Limits that no document of a test passes.
pub fn unlimited() -> Limits {
    Limits {
        max_cost: u64::MAX,
        max_depth: 100,
        max_nesting: 1000,
        max_aliases: 100_000,
        max_directives: 100_000,
        max_fragments: 100_000,
        max_fields: 100_000,
        max_tokens: 100_000,
        max_query: 1 << 22,
        request_timeout: Duration::from_secs(300),
        ..Limits::default()
    }
}

impl Both {
    fn of(server: &Server) -> Self {
        let limits = unlimited();
        let planned = Api::new(server.app.clone(), limits.clone(), true);
        Self { executed: planned.clone().without_plans(), planned, limits }
    }

    async fn viewer(&self, token: &str, tenant: Option<&str>) -> Viewer {
        let app = self.planned.app();
        app.authenticate(&app.snapshot(), token, tenant.map(str::to_owned)).await.unwrap().unwrap()
    }

    /// Asks both, and says what they answer and who has answered for the first.
    async fn ask(
        &self,
        (text, document): (&str, &graphql::ParsedDocument),
        variables: &Value,
        viewer: &Viewer,
    ) -> ([String; 2], &'static str) {
        let mut answers = Vec::new();
        let mut by = "";
        for api in [&self.planned, &self.executed] {
            let snapshot = Arc::new(api.app().snapshot());
            let asking = RequestContext { snapshot, viewer: Some(viewer.clone()), request_id: "0f".into() };
            let request = Request::new(text).variables(Variables::from_json(variables.clone()));
            let (reply, cost) = api.execute(document.clone(), request, asking, 7).await;
            answers.push(format!("{} {cost:?}", String::from_utf8(reply.to_json(&self.limits)).unwrap()));
            by = if answers.len() == 1 { reply.executed_by().unwrap_or("nothing") } else { by };
        }
        let [planned, executed] = <[String; 2]>::try_from(answers).unwrap();
        ([planned, executed], by)
    }

    /// Asks both for the same, and says who has answered.
    async fn same(&self, text: &str, variables: &Value, viewer: &Viewer) -> &'static str {
        let document =
            graphql::parse_and_validate(text, &self.limits, true).unwrap_or_else(|errors| panic!("{errors:?}: {text}"));
        self.same_of((text, &document), variables, viewer).await
    }

    /// The same for a document that may have been asked for before.
    async fn same_of(
        &self,
        (text, document): (&str, &graphql::ParsedDocument),
        variables: &Value,
        viewer: &Viewer,
    ) -> &'static str {
        let ([planned, executed], by) = self.ask((text, document), variables, viewer).await;
        assert!(planned == executed, "{text}\n{variables}\nby {by}:\n{planned}\n{executed}");
        by
    }
}

/// Draws numbers, always the same for a seed (splitmix64).
pub struct Draw(pub u64);

impl Draw {
    pub fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % count as u64) as usize
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// A document while it is drawn.
struct Document<'a> {
    draw: &'a mut Draw,
    types: &'a Types,
    ids: &'a [String],
    fragments: Vec<String>,
    aliases: usize,
}

/// Fields that look at all of a tenant: they are drawn seldom.
const SLOW: [&str; 4] = ["tenantLint", "objectDeletePlan", "lint", "options"];

impl Document<'_> {
    fn set(&mut self, of: &str, depth: usize) -> String {
        let fields: Vec<Value> = self.types.fields(of).to_vec();
        let mut text = "{".to_owned();
        let many = 1 + self.draw.below(6);
        for _ in 0..many {
            let field = self.draw.of(&fields).clone();
            let is_leaf = ["SCALAR", "ENUM"].contains(&self.types.kind(base(&field["type"])));
            if SLOW.contains(&name(&field)) && !self.draw.one_in(4) || depth == 0 && !is_leaf {
                text += " __typename";
                continue;
            }
            match self.draw.below(12) {
                0 => write!(text, " ... on {of} {{ {} }}", self.field(&field, depth)).unwrap(),
                1 => write!(text, " ... {{ {} }}", self.field(&field, depth)).unwrap(),
                2 => {
                    let body = self.field(&field, depth);
                    let name = format!("F{}", self.fragments.len());
                    self.fragments.push(format!("fragment {name} on {of} {{ {body} }}"));
                    write!(text, " ...{name}").unwrap();
                    if self.draw.one_in(4) {
                        write!(text, " ...{name}").unwrap();
                    }
                }
                _ => write!(text, " {}", self.field(&field, depth)).unwrap(),
            }
        }
        let kinds = ["VirtualExtension", "Extension", "Queue", "Condition", "MediaFile", "Tenant", "RoutingProfile"];
        if self.types.kind(of) == "INTERFACE" && depth > 0 {
            for kind in kinds {
                let fits = of == "Node" || kind != "Tenant";
                if fits && self.draw.one_in(2) {
                    write!(text, " ... on {kind} {}", self.set(kind, depth - 1)).unwrap();
                }
            }
        }
        text + " }"
    }

    /// A field under a key of its own, so that what is drawn twice can be merged.
    fn field(&mut self, field: &Value, depth: usize) -> String {
        let answers = base(&field["type"]);
        let is_leaf = ["SCALAR", "ENUM"].contains(&self.types.kind(answers));
        let mut text = String::new();
        if !is_leaf || self.draw.one_in(6) || !list(&field["args"]).is_empty() {
            self.aliases += 1;
            write!(text, "a{}: ", self.aliases).unwrap();
        }
        text += name(field);
        let arguments: Vec<_> = list(&field["args"]).iter().filter_map(|arg| self.argument(arg)).collect();
        if !arguments.is_empty() {
            write!(text, "({})", arguments.join(", ")).unwrap();
        }
        let head = text.clone();
        match self.draw.below(20) {
            0 => text += " @include(if: $yes)",
            1 => text += " @skip(if: $yes)",
            2 => text += " @skip(if: $no) @include(if: true)",
            _ => {}
        }
        if !is_leaf {
            write!(text, " {}", self.set(answers, depth.saturating_sub(1))).unwrap();
            // The same again with another selection, as components of a page ask for it: both are merged.
            for _ in 0..2 {
                if self.draw.one_in(10) {
                    let more = self.set(answers, depth.saturating_sub(1));
                    text += &if self.draw.one_in(2) {
                        format!(" {head} {more}")
                    } else {
                        format!(" ... {{ {head} {more} }}")
                    };
                }
            }
        }
        text
    }

    fn argument(&mut self, arg: &Value) -> Option<String> {
        let must = types::required(&arg["type"]);
        if !must && self.draw.one_in(2) {
            return None;
        }
        let id = |draw: &mut Draw, ids: &[String]| format!("\"{}\"", draw.of(ids));
        let value = match name(arg) {
            "code" => (*self.draw.of(&["\"CANISTRACCI\"", "\"MOLLOY\"", "\"NOBODY\"", "$code", "$absent"])).to_owned(),
            "id" => {
                if self.draw.one_in(2) {
                    "$id".to_owned()
                } else {
                    id(self.draw, self.ids)
                }
            }
            "ids" => {
                let ids: Vec<_> = (0..self.draw.below(5)).map(|_| id(self.draw, self.ids)).collect();
                if self.draw.one_in(3) { "$ids".to_owned() } else { format!("[{}]", ids.join(", ")) }
            }
            "by" => match self.draw.below(4) {
                0 => format!("{{id: {}}}", id(self.draw, self.ids)),
                1 => format!("{{number: \"{}\"}}", self.draw.of(&["108", "110", "101", "999", "1"])),
                2 => format!("{{name: \"{}\"}}", self.draw.of(&["Ivy Morgan", "office hours", "Default", "nobody"])),
                _ => "$by".to_owned(),
            },
            "first" => (*self.draw.of(&["1", "2", "5", "20", "$first", "$absentFirst", "0", "101"])).to_owned(),
            "after" => (*self.draw.of(&["null", "null", "\"x\"", "$after"])).to_owned(),
            "search" => (*self.draw.of(&["\"mo\"", "\"i\"", "\"\"", "null", "\"nothing of it\""])).to_owned(),
            "orderBy" => {
                (*self.draw.of(&["{field: NAME}", "{field: CREATED_AT, direction: DESC}", "$order", "null"])).to_owned()
            }
            "filter" => (*self.draw.of(&[
                "{name: {startsWith: \"i\"}}",
                "{number: {gte: \"1\"}}",
                "{or: [{name: {contains: \"o\"}}, {number: {eq: \"108\"}}]}",
                "{not: {description: {eq: \"\"}}}",
                "{and: []}",
                "null",
            ]))
            .to_owned(),
            "kinds" => "[QUEUE, CONDITION]".to_owned(),
            "for" => (*self.draw.of(&[
                "[\"information\", \"memberIds\"]",
                "[\"queue\", \"members\", \"extensionId\"]",
                "[\"security\", \"workingHoursConditionId\"]",
                "[\"nothing\"]",
            ]))
            .to_owned(),
            "of" | "replacement" => id(self.draw, self.ids),
            "from" => "\"100\"".to_owned(),
            "to" => (*self.draw.of(&["\"199\"", "\"109\"", "\"9\""])).to_owned(),
            "number" => (*self.draw.of(&["\"108\"", "\"199\"", "\"701\""])).to_owned(),
            "severity" => "WARNING".to_owned(),
            "codes" => "[NO_EFFECT, CALLS_DROPPED]".to_owned(),
            _ if must => return Some(format!("{}: \"10\"", name(arg))),
            _ => return None,
        };
        Some(format!("{}: {value}", name(arg)))
    }
}

const VARIABLES: &str = "$yes: Boolean!, $no: Boolean! = false, $code: String, $absent: String, $id: ID!, $ids: [ID!]!, \
    $by: ObjectBy!, $first: Int, $absentFirst: Int, $after: String, $order: ObjectOrder";

/// Only the variables that a text uses may be defined.
fn used(text: &str) -> String {
    let named = |one: &&str| {
        text.contains(&format!("{},", one.split(':').next().unwrap()))
            || text.contains(&format!("{})", one.split(':').next().unwrap()))
    };
    let used: Vec<_> = VARIABLES.split(", ").filter(named).collect();
    if used.is_empty() { String::new() } else { format!("({})", used.join(", ")) }
}

/// Every id that a viewer of all tenants sees, and one that nobody has.
async fn ids(server: &Server) -> Vec<String> {
    let kinds: Vec<String> = crate::finding::lists(server).await.into_iter().map(|(list, _)| list).collect();
    let lists: Vec<_> = kinds.iter().map(|list| format!("{list}(first: 3) {{ nodes {{ id }} }}")).collect();
    let answer = server.answer(ALL, &format!("{{ tenants {{ id {} }} }}", lists.join(" ")), json!({})).await;
    let mut ids = vec!["bm9ib2R5".to_owned()];
    for tenant in answer["data"]["tenants"].as_array().unwrap() {
        ids.push(tenant["id"].as_str().unwrap().to_owned());
        for kind in &kinds {
            let nodes = tenant[kind]["nodes"].as_array().unwrap();
            ids.extend(nodes.iter().map(|node| node["id"].as_str().unwrap().to_owned()));
        }
    }
    assert!(ids.len() > 60, "{answer}");
    ids
}

/// `VEXT_PLANS=SEED,COUNT` for others and for more.
async fn answers_are_the_executors(engine: Engine) {
    let asked = std::env::var("VEXT_PLANS").unwrap_or_else(|_| "1,600".to_owned());
    let (seed, count) = asked.split_once(',').unwrap();
    let server = Server::generous(engine);
    let (both, types, ids) = (Both::of(&server), Types::of(&server).await, ids(&server).await);
    let viewers = [
        both.viewer(TOKEN, None).await,
        both.viewer(ALL, None).await,
        both.viewer(ALL, Some("MOLLOY")).await,
        both.viewer(TOKEN, Some("MOLLOY")).await,
    ];
    let cursor = server.data("{ tenant { queues(first: 1) { pageInfo { endCursor } } } }", json!({})).await;
    let cursor = &cursor["tenant"]["queues"]["pageInfo"]["endCursor"];
    let mut draw = Draw(seed.parse().unwrap());
    let mut by: BTreeMap<&str, usize> = BTreeMap::new();
    for _ in 0..count.parse().unwrap() {
        let depth = 2 + draw.below(6);
        let mut document = Document { draw: &mut draw, types: &types, ids: &ids, fragments: Vec::new(), aliases: 0 };
        let set = document.set("Query", depth);
        let text = format!("{set} {}", document.fragments.join(" "));
        let text = format!("query {}{text}", used(&text));
        let variables = json!({
            "yes": draw.one_in(2), "no": draw.one_in(4), "code": draw.of(&["MOLLOY", "CANISTRACCI"]),
            "id": draw.of(&ids), "ids": [draw.of(&ids), draw.of(&ids)], "by": { "id": draw.of(&ids) },
            "first": 3, "after": cursor, "order": { "field": "NUMBER" },
        });
        if !is_valid(&text, &both.limits) {
            *by.entry("not valid").or_default() += 1;
            continue;
        }
        let viewer = draw.of(&viewers);
        *by.entry(both.same(&text, &variables, viewer).await).or_default() += 1;
    }
    println!("{by:?}");
    let all: usize = by.values().sum();
    assert!(by["plan"] * 2 > all, "most are planned: {by:?}");
}

/// Keys that are drawn twice with different arguments or conditions do not fit together.
fn is_valid(text: &str, limits: &Limits) -> bool {
    match graphql::parse_and_validate(text, limits, true) {
        Ok(_) => true,
        Err(errors) => {
            let known = |message: &str| message.contains("conflict") || message.contains("is not used");
            assert!(errors.iter().all(|error| known(&error.message)), "{errors:?}: {text}");
            false
        }
    }
}

/// Nothing that is shown goes the long way: neither the playground's examples nor the README's queries.
async fn all_that_is_shown_has_a_plan(engine: Engine) {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let blocks = readme.split("```graphql\n").skip(1).filter_map(|block| block.split_once("```\n"));
    let blocks = blocks.map(|(text, _)| ("README.md".to_owned(), text.to_owned(), json!({})));
    let mut asked = 0;
    for (file, text, variables) in crate::playground::examples().into_iter().chain(blocks) {
        let parsed = async_graphql::parser::parse_query(&text).unwrap();
        for (name, operation) in parsed.operations.iter() {
            if operation.node.ty == OperationType::Subscription {
                continue;
            }
            let server = Server::start(engine);
            let both = Both::of(&server);
            let document = graphql::parse_and_validate(&text, &both.limits, true).unwrap();
            let snapshot = Arc::new(server.app.snapshot());
            let asking =
                RequestContext { snapshot, viewer: Some(both.viewer(TOKEN, None).await), request_id: "0f".into() };
            let mut request = Request::new(&text).variables(Variables::from_json(variables.clone()));
            request.operation_name = name.map(ToString::to_string);
            let (reply, _) = both.planned.execute(document, request, asking, 7).await;
            assert_eq!(reply.executed_by(), Some("plan"), "{file} {name:?} {:?}", reply.errors());
            asked += 1;
        }
    }
    assert!(asked > 25, "{asked} operations");
}

/// The first time a text comes it is answered otherwise than later, when its plan makes one trip.
async fn a_plan_that_gives_up_leaves_all_of_it_to_the_executor(engine: Engine) {
    let server = Server::start(engine);
    let query = "{ tenant { wrong: queues(after: \"x\") { nodes { id } }
        virtualExtensions(first: 60) { nodes { number information { members { name } callGroups { name } } } } } }";
    let first = server.answer(TOKEN, query, json!({})).await;
    assert_eq!(first["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{first}");
    assert_eq!(first["errors"][0]["path"], json!(["tenant", "wrong"]), "{first}");
    let cost = first["extensions"]["cost"]["requested"].as_u64().unwrap();
    assert!((700..3500).contains(&cost), "{cost} is expensive for the executor, and not for a plan");
    for _ in 0..2 {
        assert_eq!(server.answer(TOKEN, query, json!({})).await, first);
    }
    let good = query.replace("(after: \"x\")", "");
    let first = server.answer(TOKEN, &good, json!({})).await;
    assert!(first["data"]["tenant"]["virtualExtensions"]["nodes"][0]["number"].is_string(), "{first}");
    for _ in 0..2 {
        assert_eq!(server.answer(TOKEN, &good, json!({})).await, first);
    }
    for query in [query, &good] {
        let refused = server.answer("no token", query, json!({})).await;
        assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{refused}");
        assert!(refused.get("data").is_none(), "{refused}");
    }
}

/// A document has so many plans, of so many selections, and clients make so many statements, and no more; what is
/// beyond is answered as well.
async fn plans_are_bounded(engine: Engine) {
    let server = Server::generous(engine);
    let both = Both::of(&server);
    let viewer = both.viewer(TOKEN, None).await;

    let text = "query($a: Boolean!, $b: Boolean!, $c: Boolean!, $d: Boolean!) { tenant { code @include(if: $a)
      name @include(if: $b) timezone @skip(if: $c) id @skip(if: $d) revision } }";
    let document = graphql::parse_and_validate(text, &both.limits, true).unwrap();
    let mut by = Vec::new();
    for values in 0..16 {
        let is = |bit: u32| values & (1 << bit) != 0;
        let variables = json!({ "a": is(0), "b": is(1), "c": is(2), "d": is(3) });
        by.push(both.same_of((text, &document), &variables, &viewer).await);
    }
    assert_eq!((&by[..8], &by[8..]), (&["plan"; 8][..], &["conditions"; 8][..]));

    let codes: String = (0..700).map(|i| format!("c{i}: code ")).collect();
    let many = |times: usize| {
        let tenants: String = (0..times).map(|i| format!("t{i}: tenant {{ ...T }} ")).collect();
        format!("{{ {tenants} }} fragment T on Tenant {{ {codes} }}")
    };
    assert_eq!(both.same(&many(28), &json!({}), &viewer).await, "plan");
    assert_ne!(both.same(&many(29), &json!({}), &viewer).await, "plan");

    let fields: Vec<(String, String)> = crate::cost::form_fields()
        .into_iter()
        .flat_map(|(section, fields)| {
            let plain = fields.iter().filter(|field| field.place == vext::form::Place::Column);
            plain.map(move |field| (section.clone(), field.answer_name.clone()))
        })
        .filter(|(_, answered)| !answered.contains('{'))
        .collect();
    let pairs = fields.iter().enumerate().flat_map(|(i, one)| fields[i + 1..].iter().map(move |other| (one, other)));
    let pairs: Vec<_> = pairs.filter(|(one, other)| one.0 != other.0).step_by(3).take(700).collect();
    assert_eq!(pairs.len(), 700);
    for ((section, field), (other_section, other)) in pairs {
        let text = format!(
            "{{ tenant {{ virtualExtension(by: {{number: \"108\"}}) {{
               {section} {{ {field} }} {other_section} {{ {other} }} }} }} }}"
        );
        assert_eq!(both.same(&text, &json!({}), &viewer).await, "plan", "{text}");
    }
    let chosen = server.app.statement_texts().iter().filter(|sql| sql.starts_with("SELECT s0.object_id, ")).count();
    // Where there are 500, by whichever tests, what is read is all of the two sections, of which there are 36 pairs.
    assert!((20..=500 + 36).contains(&chosen), "{chosen}");
}

on_each_engine!(
    answers_are_the_executors,
    all_that_is_shown_has_a_plan,
    a_plan_that_gives_up_leaves_all_of_it_to_the_executor,
    plans_are_bounded,
);
