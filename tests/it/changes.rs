//! Mutations by plans: what they answer and what they leave is what the executor answers and leaves, byte for byte.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_graphql::{Request, Variables};
use serde_json::{Map, Value, json};
use vext::domain::{Clock, Environment};
use vext::graphql::{self, Api, Limits, RequestContext};
use vext::service::{App, OpenOptions};

use crate::engines::{Content, Engine, Live, on_each_engine};
use crate::harness::{ALL, READ, Server, TOKEN};
use crate::plans::{Draw, unlimited};
use crate::types::{self, Types, base, name};

/// 2026-11-23T09:00:00Z, always: two servers say the same of the time, however often they look at it.
struct Still;

impl Clock for Still {
    fn now(&self) -> i64 {
        1_795_424_400_000
    }
}

/// Two databases that are alike, one behind plans and one behind the executor.
struct Twins {
    planned: Api,
    executed: Api,
    limits: Limits,
    /// Their files.
    _lives: [Live; 2],
}

/// What was answered, and who has answered for the first.
struct Answered {
    text: String,
    by: &'static str,
}

impl Twins {
    fn of(engine: Engine, limits: Limits) -> Self {
        let lives = [Live::new(engine, Content::Demo), Live::new(engine, Content::Demo)];
        let [planned, executed] = [0, 1].map(|at: usize| {
            let options = lives[at].options();
            let environment = Environment { clock: Arc::new(Still), ..options.environment };
            let app = App::open(&OpenOptions { environment, ..options }).unwrap();
            Api::new(app, limits.clone(), true)
        });
        Self { planned, executed: executed.without_plans(), limits, _lives: lives }
    }

    async fn ask(&self, api: &Api, text: &str, variables: &Value, (token, tenant): (&str, Option<&str>)) -> Answered {
        let document =
            graphql::parse_and_validate(text, &self.limits, true).unwrap_or_else(|errors| panic!("{errors:?}: {text}"));
        let app = api.app();
        let viewer = app.authenticate(&app.snapshot(), token, tenant.map(str::to_owned)).await.unwrap().unwrap();
        let snapshot = Arc::new(app.snapshot().with_time_limit(self.limits.request_timeout));
        let asking = RequestContext { snapshot, viewer: Some(viewer), request_id: "0f".into() };
        let request = Request::new(text).variables(Variables::from_json(variables.clone()));
        let (reply, cost) = api.execute(document, request, asking, 7).await;
        let json = String::from_utf8(reply.to_json(&self.limits)).unwrap();
        Answered { text: format!("{json} {cost:?}"), by: reply.executed_by().unwrap_or("nothing") }
    }

    /// Compares all that they hold.
    async fn leave_the_same(&self, server: &Server, types: &Types) {
        let generous = Limits { max_response: usize::MAX, ..unlimited() };
        let apis = [&self.planned, &self.executed].map(|api| Api::new(api.app().clone(), generous.clone(), true));
        let lists = crate::finding::lists(server).await;
        let all = lists.into_iter().map(|(list, of)| {
            format!(
                "{{ tenants {{ code revision {list}(first: 100) {{ totalCount nodes {} }} }} }}",
                types.selection(&of, 3)
            )
        });
        for query in all {
            let [planned, executed] = [
                self.ask(&apis[0], &query, &json!({}), (ALL, None)).await,
                self.ask(&apis[1], &query, &json!({}), (ALL, None)).await,
            ];
            assert!(planned.text == executed.text, "{query}\n{}\n{}", planned.text, executed.text);
        }
    }

    /// Asks both for the same.
    async fn same(&self, text: &str, variables: &Value, viewer: (&str, Option<&str>)) -> Answered {
        let planned = self.ask(&self.planned, text, variables, viewer).await;
        let executed = self.ask(&self.executed, text, variables, viewer).await;
        assert!(
            planned.text == executed.text,
            "{text}\n{variables}\nby {}:\n{}\n{}",
            planned.by,
            planned.text,
            executed.text
        );
        planned
    }
}

/// What is drawn for mutations.
struct Inputs<'a> {
    draw: &'a mut Draw,
    types: &'a Types,
    /// Ids of objects by the names of their types.
    ids: &'a BTreeMap<String, Vec<String>>,
    /// The type of the object that is changed.
    object: String,
    made: usize,
}

impl Inputs<'_> {
    fn any_id(&mut self) -> Value {
        let kinds: Vec<_> = self.ids.values().collect();
        let of = kinds[self.draw.below(kinds.len())];
        json!(of[self.draw.below(of.len())])
    }

    fn own_id(&mut self) -> Value {
        match self.ids.get(&self.object) {
            Some(own) if self.draw.below(12) > 0 => json!(own[self.draw.below(own.len())]),
            _ => self.any_id(),
        }
    }

    /// A value of an input object: what it must have, and something of the rest.
    fn object(&mut self, ty: &str) -> Value {
        let fields = self.types.inputs(ty).to_vec();
        let one_in = if fields.len() > 8 { fields.len() / 2 } else { 3 };
        let mut object = Map::new();
        for field in &fields {
            let named = name(field);
            let is_section = named != "tenant" && fields.iter().any(|field| name(field) == "note");
            let is_wanted = types::required(&field["type"])
                || ["number", "name", "code"].contains(&named) && self.draw.below(2) == 0
                || self.draw.below(if is_section { 4 } else { one_in }) == 0;
            if is_wanted {
                let value = self.value(named, &field["type"]);
                object.insert(named.to_owned(), value);
            }
        }
        object.into()
    }

    fn value(&mut self, named: &str, ty: &Value) -> Value {
        if !types::required(ty) && self.draw.below(12) == 0 {
            return Value::Null;
        }
        if types::listed(ty) {
            let inner = if types::required(ty) { &ty["ofType"]["ofType"] } else { &ty["ofType"] };
            return (0..self.draw.below(3)).map(|_| self.value(named, inner)).collect();
        }
        let ty = base(ty);
        match self.types.kind(ty) {
            "INPUT_OBJECT" => self.object(ty),
            "ENUM" => {
                let words = self.types.words(ty);
                json!(words[self.draw.below(words.len())])
            }
            _ => self.plain(named, ty),
        }
    }

    fn plain(&mut self, named: &str, ty: &str) -> Value {
        self.made += 1;
        let texts = |draw: &mut Draw, of: &[&str]| json!(of[draw.below(of.len())]);
        match (named, ty) {
            ("id", _) => self.own_id(),
            ("tenant", _) => texts(self.draw, &["CANISTRACCI", "MOLLOY", "NOBODY"]),
            ("expectedVersion", _) => json!(1 + self.draw.below(3)),
            ("dryRun", _) => json!(self.draw.below(4) == 0),
            ("name" | "code", _) => json!(format!("Drawn {}", self.made)),
            (_, "ID") => self.any_id(),
            (_, "ExtensionNumber") => json!(format!("{}", 108 + self.draw.below(4) + 500 * self.draw.below(2))),
            (_, "Int" | "Seconds") => json!([0, 1, 5, 30, 3600][self.draw.below(5)]),
            (_, "Boolean") => json!(self.draw.below(2) == 0),
            (_, "EmailAddress") => texts(self.draw, &["a@example.com", "b@example.net"]),
            (_, "TimeOfDay") => texts(self.draw, &["08:00", "18:30"]),
            (_, "DateTime") => texts(self.draw, &["2026-12-24T00:00:00Z", "2027-01-06T00:00:00Z"]),
            (_, "MacAddress") => texts(self.draw, &["00:15:65:00:00:01", "00:15:65:00:00:02"]),
            (_, "KeypadKey") => texts(self.draw, &["1", "#"]),
            (_, "Pattern") => texts(self.draw, &["^(?!00)\\d+$", "^0", "("]),
            (_, "PhoneNumber" | "DialNumber" | "CallerIdNumber") => texts(self.draw, &["+390586010108", "501", "0586"]),
            _ => texts(self.draw, &["4711", "office", "", "a line\nanother"]),
        }
    }
}

/// What a mutation's payload is asked for: all that needs no arguments, and where the object is used.
fn payload(types: &Types, ty: &str, draw: &mut Draw) -> String {
    let all = types.selection(ty, 1 + draw.below(4));
    let warnings = "warnings { code }";
    match draw.below(4) {
        // Without warnings less is looked at.
        0 => "{ userErrors { path code message value } ...{ __typename } }".to_owned(),
        1 if types.field(ty, "warnings").is_some() => format!("{{ {warnings} userErrors {{ code }} }}"),
        2 if types.field(ty, "object").is_some() && ty != "TenantPayload" && !ty.contains("Defaults") => {
            "{ object { id references(first: 3) { totalCount nodes { label object { id name } } } } }".to_owned()
        }
        _ => all,
    }
}

/// `VEXT_CHANGES=SEED,COUNT` for others and for more.
async fn changes_are_the_executors(engine: Engine) {
    let asked = std::env::var("VEXT_CHANGES").unwrap_or_else(|_| "1,500".to_owned());
    let (seed, count) = asked.split_once(',').unwrap();
    let twins = Twins::of(engine, unlimited());
    let server = Server::generous(engine);
    let types = Types::of(&server).await;
    let mut ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (list, of) in crate::finding::lists(&server).await {
        let query = format!("{{ tenants {{ {list}(first: 5) {{ nodes {{ id }} }} }} }}");
        let answer = server.answer(ALL, &query, json!({})).await;
        for tenant in answer["data"]["tenants"].as_array().unwrap() {
            let nodes = tenant[&list]["nodes"].as_array().unwrap();
            ids.entry(of.clone()).or_default().extend(nodes.iter().map(|node| node["id"].as_str().unwrap().to_owned()));
        }
    }
    ids.retain(|_, ids| !ids.is_empty());
    let mutations = types.fields("Mutation").to_vec();
    let viewers =
        [(TOKEN, None), (TOKEN, None), (ALL, Some("CANISTRACCI")), (ALL, None), (READ, None), (ALL, Some("NOBODY"))];
    let mut draw = Draw(seed.parse().unwrap());
    let (mut by, mut saved, mut refused) = (BTreeMap::<&str, usize>::new(), 0, 0);
    for at in 0..count.parse().unwrap() {
        let mutation = &mutations[draw.below(mutations.len())];
        let (field, ty) = (name(mutation), base(&mutation["type"]));
        let input = &types::list(&mutation["args"])[0];
        let object = types.field(ty, "object").map_or("", |object| base(&object["type"])).to_owned();
        let mut inputs = Inputs { draw: &mut draw, types: &types, ids: &ids, object, made: 1000 * at };
        let value = inputs.object(base(&input["type"]));
        let selection = payload(&types, ty, &mut draw);
        let text = format!(
            "mutation($input: {}) {{ it: {field}(input: $input) {selection} }}",
            types::written(&input["type"])
        );
        let viewer = viewers[draw.below(viewers.len())];
        let answered = twins.same(&text, &json!({ "input": value }), viewer).await;
        *by.entry(answered.by).or_default() += 1;
        saved += usize::from(answered.text.contains("\"userErrors\":[]"));
        refused += usize::from(answered.text.contains("\"code\":"));
    }
    println!("{by:?}, {saved} saved, {refused} refused");
    assert!(by["plan"] * 2 > by.values().sum::<usize>(), "most are planned: {by:?}");
    assert!(saved > 20 && refused > 20, "{saved} saved, {refused} refused");

    // What they leave is the same too.
    twins.leave_the_same(&server, &types).await;
}

/// Where what came of a change cannot be told by a plan, it is told by the executor, and it has been made once.
async fn what_a_plan_cannot_tell_is_changed_once(engine: Engine) {
    let server = Server::start(engine);
    let types = Types::of(&server).await;
    let (id, other) = (server.object("108").await, server.object("110").await);
    let note = |branch: &str, id: &str| json!({ "id": id, "note": { "branch": branch } });
    let own = "mutation($a: VirtualExtensionNoteUpdateInput!, $b: VirtualExtensionRenumberInput!,
         $c: VirtualExtensionNoteUpdateInput!) {
       a: virtualExtensionNoteUpdate(input: $a) { object { version note { branch } information { members { name } } } }
       b: virtualExtensionRenumber(input: $b) { object { version number references { nodes { label } } } }
       c: virtualExtensionNoteUpdate(input: $c) { object { version note { branch } } changes { before after } } }";
    let all = json!({ "a": note("Pisa", &id), "b": { "id": other, "number": "188" }, "c": note("Lucca", &id) });
    let short = Limits { max_response: 250, ..unlimited() };
    let few = Limits { max_cost: 3, ..unlimited() };
    for (limits, code) in [(unlimited(), ""), (short, "RESPONSE_TOO_LARGE"), (few, "COST_TOO_HIGH")] {
        let twins = Twins::of(engine, limits);
        let answered = twins.same(own, &all, (TOKEN, None)).await;
        assert!(answered.text.contains(code), "{code}: {}", answered.text);
        assert_eq!(answered.by == "plan", code.is_empty(), "{}", answered.by);
        twins.leave_the_same(&server, &types).await;
    }
    // The second is refused, and what comes behind it is done all the same.
    let twins = Twins::of(engine, unlimited());
    let taken = json!({ "a": note("Pisa", &id), "b": { "id": other, "number": "108" }, "c": note("Lucca", &id) });
    let answered = twins.same(own, &taken, (TOKEN, None)).await;
    assert!(answered.text.contains("Lucca") && answered.by == "plan", "{}", answered.text);
    twins.leave_the_same(&server, &types).await;
}

on_each_engine!(changes_are_the_executors, what_a_plan_cannot_tell_is_changed_once,);
