//! Requests for every place of the live schema where a client names an object or a tenant, valid in all but that name.
//!
//! They are made of the demo's data: what it says once at a place fits there. A place for which nothing fits is reported,
//! so that a new field is either in the demo's data or fails.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use vext::domain::{Kind, ObjectId, TenantId};
use vext::operations::demo;
use vext::store;

use crate::engines::{Content, Engine, Live};
use crate::harness::{Server, TOKEN};
use crate::places::Place;
use crate::script::{Data, key};
use crate::transfer::copy_tenant;
use crate::types::{Types, base, camel, list, name, required, written};

/// The tenant that is like CANISTRACCI, object by object.
pub const TWIN: &str = "TWIN";

/// A request, and where in its variables the name stands that is swept.
pub struct Probe {
    pub place: Place,
    pub text: String,
    variables: Value,
    pointer: String,
    /// The name that fits there.
    pub own: String,
}

impl Probe {
    /// The variables that make it more than a dry run.
    pub fn earnest(&self) -> Value {
        let mut variables = self.variables.clone();
        variables["input"].as_object_mut().unwrap().remove("dryRun");
        variables
    }

    /// The variables with another name in place.
    pub fn naming(&self, other: &str) -> Value {
        let mut variables = self.variables.clone();
        *variables.pointer_mut(&self.pointer).unwrap() = json!(other);
        variables
    }
}

/// What the demo's data says of an object.
struct Sample {
    kind: Kind,
    id: String,
    /// What is sent to make it, with ids.
    sent: Value,
}

/// The demo's tenant with one object of each kind more, which nothing refers to, and its twin.
pub struct World {
    pub server: Server,
    pub types: Types,
    samples: Vec<Sample>,
    spares: HashMap<Kind, String>,
    /// The tokens of the plans to delete each kind's first object.
    plans: HashMap<Kind, String>,
}

/// The id of the selected tenant.
fn own_tenant() -> TenantId {
    TenantId(1)
}

/// Puts ids where the data has `@number` or `@name`.
fn resolve(value: &mut Value, ids: &HashMap<String, String>) {
    match value {
        Value::String(text) => {
            if let Some(key) = text.strip_prefix('@') {
                *text = ids[key].clone();
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|one| resolve(one, ids)),
        Value::Object(fields) => fields.values_mut().for_each(|one| resolve(one, ids)),
        _ => {}
    }
}

/// What only one object of a tenant can have, as nobody has it yet.
fn fresh(field: &str, nth: usize) -> Option<Value> {
    Some(match field {
        "number" | "mailbox" => json!(format!("8{nth:02}")),
        "groupNumber" => json!(20 + nth),
        "engineName" => json!(format!("sweep-{nth}")),
        "firstSlot" => json!(format!("9{nth:02}0")),
        "lastSlot" => json!(format!("9{nth:02}9")),
        "phoneNumber" => json!(format!("+3905501999{nth:02}")),
        "macAddress" => json!(format!("00:04:13:99:99:{nth:02}")),
        "isDefault" => json!(false),
        _ => return None,
    })
}

/// Where in a value there is something at a path.
fn find(value: &Value, path: &[(String, bool)]) -> Option<String> {
    let Some(((step, listed), rest)) = path.split_first() else { return Some(String::new()) };
    let inner = value.get(step)?;
    if !listed {
        return find(inner, rest).map(|pointer| format!("/{step}{pointer}"));
    }
    let entry = |(position, entry)| find(entry, rest).map(|rest| format!("/{step}/{position}{rest}"));
    list(inner).iter().enumerate().find_map(entry)
}

/// Only what leads to a path, with whole lists.
fn pruned(value: &Value, path: &[(String, bool)]) -> Value {
    match path.split_first() {
        Some(((step, listed), rest)) if !rest.is_empty() && !listed => json!({ step: pruned(&value[step], rest) }),
        Some(((step, _), _)) => json!({ step: value[step] }),
        None => json!({}),
    }
}

impl World {
    /// Makes it.
    pub async fn new(engine: Engine) -> Self {
        let server = Server::over(Live::new(engine, Content::Demo));
        let types = Types::of(&server).await;
        let mut ids = HashMap::new();
        for kind in Kind::ALL {
            let rows =
                server.app.snapshot().read(own_tenant(), |query| store::objects_of_kind(query, *kind)).await.unwrap();
            let named = |row: &store::ObjectRow| match kind {
                Kind::FormDefaults => kind.word().to_owned(),
                _ => row.number.clone().unwrap_or(row.name.clone()),
            };
            ids.extend(rows.into_iter().map(|row| (named(&row), row.id.opaque())));
        }
        let sample = |(kind, object): (Kind, &Value)| {
            let (id, mut sent) = (ids[&key(kind, object)].clone(), object.clone());
            resolve(&mut sent, &ids);
            Sample { kind, id, sent }
        };
        let samples = Data::canistracci().objects().map(sample).collect();
        let mut world = Self { server, types, samples, spares: HashMap::new(), plans: HashMap::new() };
        for (kind, nth) in Self::made_kinds().zip(1..) {
            let id = world.made(kind, nth).await;
            world.spares.insert(kind, id);
        }
        for kind in Self::made_kinds() {
            let plan = format!("{{ plan: objectDeletePlan(id: \"{}\") {{ token }} }}", world.sample(kind).id);
            let token = world.server.data(&plan, json!({})).await["plan"]["token"].as_str().unwrap().to_owned();
            world.plans.insert(kind, token);
        }
        copy_tenant(&world.server.app, demo::CANISTRACCI, TWIN).await;
        world
    }

    /// The kinds of which objects are made and deleted.
    pub fn made_kinds() -> impl Iterator<Item = Kind> {
        Kind::ALL.iter().copied().filter(|kind| *kind != Kind::FormDefaults)
    }

    /// The id of one more object of a kind.
    async fn made(&self, kind: Kind, nth: usize) -> String {
        let create = camel(kind.word()) + "Create";
        let mut input = Self::created(self.sample(kind), nth);
        input.remove("dryRun");
        let answer = self.server.answer(TOKEN, &self.text("Mutation", &create), json!({ "input": input })).await;
        let made = answer["data"][&create].as_object().unwrap().values().find_map(|made| made["id"].as_str());
        made.unwrap_or_else(|| panic!("no {} like {input:?}: {answer:#}", kind.label())).to_owned()
    }

    /// The object of a kind that nothing refers to.
    pub fn spare(&self, kind: Kind) -> &str {
        &self.spares[&kind]
    }

    fn sample(&self, kind: Kind) -> &Sample {
        self.samples.iter().find(|sample| sample.kind == kind).unwrap()
    }

    /// A document with one field and all that it answers; every argument is a variable of its name.
    pub fn text(&self, object: &str, field: &str) -> String {
        let known = self.types.field(object, field).unwrap();
        let arguments = list(&known["args"]).iter();
        let declared: Vec<_> = arguments.clone().map(|a| format!("${}: {}", name(a), written(&a["type"]))).collect();
        let given: Vec<_> = arguments.map(|a| format!("{0}: ${0}", name(a))).collect();
        let depth = if object == "Tenant" { 3 } else { 2 };
        let selection = self.types.selection(base(&known["type"]), depth);
        let selected = format!("{field}({}) {selection}", given.join(", "));
        match object {
            "Mutation" => format!("mutation({}) {{ {selected} }}", declared.join(", ")),
            "Subscription" => format!("subscription({}) {{ {selected} }}", declared.join(", ")),
            "Tenant" => format!("query({}) {{ tenant {{ {selected} }} }}", declared.join(", ")),
            _ => format!("query({}) {{ {selected} }}", declared.join(", ")),
        }
    }

    /// A sample whose list of destinations leads to a phone, where it only dials numbers and hangs up.
    fn leading(&self, sample: &Sample, path: &[(String, bool)]) -> Option<Value> {
        let (last, outer) = path.split_last().filter(|(last, _)| last.0 == "objectId")?;
        let mut sent = sample.sent.clone();
        *sent.pointer_mut(&find(&sent, outer)?)? = json!({ &last.0: self.sample(Kind::Extension).id });
        Some(sent)
    }

    /// The input that makes an object like a sample.
    fn created(sample: &Sample, nth: usize) -> Map<String, Value> {
        let mut input = Map::from_iter([("dryRun".to_owned(), json!(true))]);
        if sample.kind == Kind::VirtualExtension {
            input.insert("information".into(), json!({ "number": fresh("number", nth), "name": "Sweep" }));
        } else {
            let sent = sample.sent.as_object().unwrap();
            input.extend(
                sent.iter().map(|(field, value)| (field.clone(), fresh(field, nth).unwrap_or_else(|| value.clone()))),
            );
        }
        input
    }

    /// The kind that a field is about, by its name: `queueCreate` is about queues.
    fn kind(field: &str) -> Option<Kind> {
        let about = |kind: &&Kind| field.starts_with(&camel(kind.word()));
        Kind::ALL.iter().copied().filter(|kind| about(&kind)).max_by_key(|kind| kind.word().len())
    }

    /// The kinds that a field is about: one that is about objects of any kind is probed with each of them.
    fn kinds(field: &str) -> Vec<Option<Kind>> {
        match field {
            "objectDelete" | "objectDeletePlan" => Self::made_kinds().map(Some).collect(),
            field => vec![Self::kind(field)],
        }
    }

    /// The probes for a place.
    ///
    /// # Errors
    /// The name of the place, and why there is none.
    pub fn probes(&self, types: &Types, place: &Place) -> Result<Vec<Probe>, String> {
        Self::kinds(&place.field).into_iter().map(|kind| self.probe(types, place, kind)).collect()
    }

    fn probe(&self, types: &Types, place: &Place, kind: Option<Kind>) -> Result<Probe, String> {
        let told = |why: &str| format!("{}: {why}", place.name());
        let (variables, pointer) = match place.object.as_str() {
            "Query" => self.query(place, kind),
            "Tenant" => self.of_tenant(place, kind),
            "Mutation" => self.mutation(types, place, kind),
            "Subscription" => self.subscription(place),
            _ => Err("only fields of Query, Tenant, Mutation and Subscription are swept"),
        }
        .map_err(told)?;
        let own = variables.pointer(&pointer).and_then(Value::as_str).ok_or_else(|| told("nothing stands there"))?;
        let (text, own) = (self.text(&place.object, &place.field), own.to_owned());
        Ok(Probe { place: place.clone(), text, variables, pointer, own })
    }

    /// A plan to delete an object of a kind.
    fn plan(&self, argument: &str, kind: Kind) -> (Value, String) {
        let mut variables = json!({ "id": self.sample(kind).id });
        if argument == "replacement" {
            variables["replacement"] = json!(self.spare(kind));
        }
        (variables, format!("/{argument}"))
    }

    fn query(&self, place: &Place, kind: Option<Kind>) -> Result<(Value, String), &'static str> {
        let ivy = demo::IVY_MORGAN_ID;
        Ok(match (place.field.as_str(), place.steps().as_slice()) {
            ("tenant" | "tenantLint", ["code"]) => (json!({ "code": demo::CANISTRACCI }), "/code".into()),
            ("node", ["id"]) => (json!({ "id": ivy }), "/id".into()),
            ("nodes", ["ids"]) => (json!({ "ids": [ivy, ivy] }), "/ids/1".into()),
            ("objectDeletePlan", [argument @ ("id" | "replacement")]) => {
                self.plan(argument, kind.ok_or("no kind is tried")?)
            }
            _ => return Err("no rule for it"),
        })
    }

    /// From the beginning of the history. The last id is of an object that was made after the first: once the stream
    /// has come to it, it has said what it says of the first.
    fn subscription(&self, place: &Place) -> Result<(Value, String), &'static str> {
        let ids = [self.spare(Kind::VirtualExtension), self.spare(Kind::Flow)];
        Ok(match (place.field.as_str(), place.steps().as_slice()) {
            ("objectChanged", ["tenant"]) => (json!({ "since": 0, "tenant": demo::CANISTRACCI }), "/tenant".into()),
            ("objectChanged", ["ids"]) => (json!({ "since": 0, "ids": ids }), "/ids/0".into()),
            _ => return Err("no rule for it"),
        })
    }

    fn of_tenant(&self, place: &Place, kind: Option<Kind>) -> Result<(Value, String), &'static str> {
        if (place.field.as_str(), place.steps().as_slice()) == ("options", &["of"]) {
            return Ok((json!({ "for": ["information", "memberIds"], "of": demo::IVY_MORGAN_ID }), "/of".into()));
        }
        let kind = kind.ok_or("no kind of this name is known")?;
        let (steps, last) = (place.steps(), place.path.last().unwrap());
        if let ("objectDeletePlan", [argument @ ("id" | "replacement")]) = (place.field.as_str(), steps.as_slice()) {
            return Ok(self.plan(argument, kind));
        }
        let id = match steps.as_slice() {
            ["by", "id"] => self.sample(kind).id.clone(),
            ["filter", .., wanted] => {
                // What the form of a virtual extension has under that name.
                let places = [
                    ("member", "/information/memberIds/0"),
                    ("condition", "/security/workingHoursConditionId"),
                    ("routingProfile", "/outboundCalls/routingProfileId"),
                ];
                let pointer = places.iter().find(|(name, _)| name == wanted).ok_or("no rule for it")?.1;
                let has = |sample: &Sample| sample.sent.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
                let ivy = self.samples.iter().find(|sample| sample.id == demo::IVY_MORGAN_ID).unwrap();
                has(ivy).ok_or("Ivy Morgan has none")?
            }
            _ => return Err("no rule for it"),
        };
        assert!(!last.1, "a list of ids");
        // Built from the inside out.
        let wrapped = place.path.iter().rev().fold((json!(id), String::new()), |(value, pointer), (step, listed)| {
            let (value, pointer) = if *listed { (json!([value]), format!("/0{pointer}")) } else { (value, pointer) };
            (json!({ step: value }), format!("/{step}{pointer}"))
        });
        Ok(wrapped)
    }

    fn mutation(&self, types: &Types, place: &Place, kind: Option<Kind>) -> Result<(Value, String), &'static str> {
        let field = types.field("Mutation", &place.field).unwrap();
        let [("input", false), path @ ..] = &place.path.iter().map(|(n, l)| (n.as_str(), *l)).collect::<Vec<_>>()[..]
        else {
            return Err("an argument besides `input`");
        };
        let path: Vec<_> = path.iter().map(|(name, listed)| ((*name).to_owned(), *listed)).collect();
        let named = base(&field["args"][0]["type"]);
        if place.field == "tenantUpdate" {
            // It has no dry run; a tenant without a name is refused.
            return Ok((json!({ "input": { "id": own_tenant().opaque(), "name": "" } }), "/input/id".into()));
        }
        types.input(named, "dryRun").ok_or("it has no dryRun")?;
        let kind = kind.ok_or("no kind of this name is known")?;
        let (input, pointer) = self.input(types, (&place.field, kind), named, &path)?;
        Ok((json!({ "input": input }), format!("/input{pointer}")))
    }

    fn input<'a>(
        &'a self,
        types: &Types,
        (field, kind): (&str, Kind),
        named: &str,
        path: &[(String, bool)],
    ) -> Result<(Map<String, Value>, String), &'static str> {
        let first = path[0].0.as_str();
        let mut pointer = format!("/{first}");
        let mut sample = self.sample(kind);
        let mut data = json!({});
        if !["id", "tenant", "replacement"].contains(&first) {
            let of_kind = || self.samples.iter().filter(|sample| sample.kind == kind);
            let says = |sample: &'a Sample| Some((sample, find(&sample.sent, path)?, sample.sent.clone()));
            let could = |sample: &'a Sample| {
                self.leading(sample, path).and_then(|sent| Some((sample, find(&sent, path)?, sent)))
            };
            let fitting = of_kind().find_map(says).or_else(|| of_kind().find_map(could));
            let sent;
            (sample, pointer, sent) = fitting.ok_or("no object of the demo's data has something there")?;
            data = pruned(&sent, path);
        }
        let mut input = match field.strip_suffix("Create") {
            Some(_) => Self::created(sample, 0),
            None => Map::from_iter([("dryRun".to_owned(), json!(true))]),
        };
        for (section, sent) in data.as_object().unwrap() {
            match (input.get_mut(section), sent) {
                (Some(Value::Object(fields)), Value::Object(sent)) => fields.extend(sent.clone()),
                _ => drop(input.insert(section.clone(), sent.clone())),
            }
        }
        if first == "tenant" {
            input.insert("tenant".into(), json!(demo::CANISTRACCI));
        }
        if field == "objectDelete" {
            input.insert("planToken".into(), json!(self.plans[&kind]));
            input.insert("onReferences".into(), json!(if first == "id" { "DETACH" } else { "REPLACE_WITH" }));
        }
        if first == "replacement" {
            input.insert("replacement".into(), json!(self.spare(kind)));
        }
        for wanted in types.inputs(named).iter().filter(|input| required(&input["type"])) {
            let value = match name(wanted) {
                "id" => json!(sample.id),
                "name" => json!("Sweep"),
                _ if types.kind(base(&wanted["type"])) == "INPUT_OBJECT" => json!({}),
                other => fresh(other, 0).ok_or("a required field has no value")?,
            };
            input.entry(name(wanted)).or_insert(value);
        }
        Ok((input, pointer))
    }

    /// Names for what an id or a code could lead to elsewhere, or nowhere: the twin's, one that the tenant never had, and
    /// one of a tenant that never was.
    pub async fn others(&self, own: &str) -> [String; 3] {
        let twin = self.server.app.tenants().await.unwrap().into_iter().find(|t| t.settings.code.as_str() == TWIN);
        let (twin, nobody) = (twin.unwrap().id, TenantId(999));
        if let Some(ObjectId { tenant, local }) = ObjectId::from_opaque(own) {
            let id = |tenant, local| ObjectId { tenant, local }.opaque();
            return [id(twin, local), id(tenant, 999_999), id(nobody, local)];
        }
        match TenantId::from_opaque(own) {
            Some(_) => [twin.opaque(), TenantId(998).opaque(), nobody.opaque()],
            None => [TWIN, "NOBODY", "NOWHERE"].map(str::to_owned),
        }
    }
}
