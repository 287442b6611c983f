//! The documents in `playground/build-demo` build the demo's Canistracci Oil from nothing through the API alone. They are
//! written by a test from the demo's own data, and another one runs them.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use vext::domain::Kind;
use vext::operations::demo;
use vext::operations::transfer::Secrets;
use vext::service::{App, NewToken};

use crate::engines::{Content, Engine, Live, on_each_engine};
use crate::harness::{ALL, Server};
use crate::playground::missing;
use crate::process::{Process, output, vext};
use crate::types::{Types, base, camel, capital, list, name};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/playground/build-demo");
/// The most objects that a document makes, and its longest line.
const OBJECTS: usize = 20;
const WIDTH: usize = 110;

/// The demo's data of a tenant, as `operations/demo.rs` reads it.
#[derive(Deserialize)]
pub struct Data {
    pub tenant: Value,
    pub make: Vec<Batch>,
}

/// Some objects of one kind.
#[derive(Deserialize)]
pub struct Batch {
    pub kind: String,
    pub objects: Vec<Value>,
}

impl Data {
    pub fn canistracci() -> Self {
        toml::from_str(include_str!("../../src/operations/demo/canistracci.toml")).unwrap()
    }

    /// Every object with its kind, in order.
    pub fn objects(&self) -> impl Iterator<Item = (Kind, &Value)> {
        let of = |batch: &Batch| Kind::from_word(&batch.kind).unwrap();
        self.make.iter().flat_map(move |batch| batch.objects.iter().map(move |object| (of(batch), object)))
    }
}

/// What `@` refers to an object by: its number, or else its name.
pub fn key(kind: Kind, object: &Value) -> String {
    let key = ["/number", "/information/number", "/name"].iter().find_map(|path| object.pointer(path)?.as_str());
    key.unwrap_or(kind.word()).to_owned()
}

/// The mutation that makes objects of a kind.
fn mutation(kind: Kind) -> String {
    match kind {
        Kind::FormDefaults => "virtualExtensionDefaultsUpdate".to_owned(),
        kind => camel(kind.word()) + "Create",
    }
}

/// `Ivy's mailbox` is `ivysMailbox`.
fn camel_name(text: &str) -> String {
    let plain: String = text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == ' ').collect();
    camel(&plain.split_whitespace().collect::<Vec<_>>().join("_"))
}

/// The names by which documents call what they make.
#[derive(Default)]
struct Aliases {
    by_key: HashMap<String, String>,
    given: HashSet<String>,
}

impl Aliases {
    fn give(&mut self, kind: Kind, object: &Value) -> String {
        let (key, kind) = (key(kind, object), camel(kind.word()));
        let plain = match key.parse::<u64>() {
            Ok(_) => format!("{kind}{key}"),
            Err(_) => camel_name(&key),
        };
        let alias = if self.given.contains(&plain) { kind + &capital(&plain) } else { plain };
        assert!(self.given.insert(alias.clone()), "two objects would be called {alias}");
        self.by_key.insert(key, alias.clone());
        alias
    }
}

/// Writes values as GraphQL does, and notes the variables in them.
struct Writer<'a> {
    types: &'a Types,
    aliases: &'a Aliases,
    variables: BTreeSet<String>,
}

impl Writer<'_> {
    /// A value of a type: on the line that has begun with so many characters when it fits, else with a line for each
    /// entry.
    fn literal(&mut self, named: &str, value: &Value, indent: usize, begun: usize) -> String {
        let (entries, [open, close], between) = match value {
            Value::Array(list) => {
                let entries: Vec<_> = list.iter().map(|one| self.literal(named, one, indent + 2, indent + 2)).collect();
                (entries, ["[", "]"], "")
            }
            Value::Object(fields) => {
                let types = self.types;
                let known = |input: &&Value| fields.contains_key(name(input));
                let inputs: Vec<_> = types.inputs(named).iter().filter(known).collect();
                assert_eq!(inputs.len(), fields.len(), "{named} does not have all of {fields:?}");
                let entry = |input: &&Value| {
                    let (field, begun) = (name(input), indent + 4 + name(input).len());
                    format!("{field}: {}", self.literal(base(&input["type"]), &fields[field], indent + 2, begun))
                };
                (inputs.iter().map(entry).collect(), ["{", "}"], " ")
            }
            Value::String(text) => return self.text(named, text, indent),
            other => return other.to_string(),
        };
        let short = format!("{open}{between}{}{between}{close}", entries.join(", "));
        if begun + short.len() <= WIDTH && !short.contains('\n') {
            return short;
        }
        let lines: Vec<_> = entries.into_iter().map(|entry| format!("{:1$}{entry}\n", "", indent + 2)).collect();
        format!("{open}\n{}{:indent$}{close}", lines.concat(), "")
    }

    fn text(&mut self, named: &str, text: &str, indent: usize) -> String {
        match text.strip_prefix('@') {
            Some(key) if named == "ID" => {
                let alias = self.aliases.by_key.get(key).unwrap_or_else(|| panic!("{key} has not been made yet"));
                self.variables.insert(alias.clone());
                format!("${alias}")
            }
            _ if self.types.kind(named) == "ENUM" => text.to_owned(),
            _ if text.contains('\n') => {
                let lines = text.lines().map(|line| format!("{:indent$}{line}\n", ""));
                format!("\"\"\"\n{}{:indent$}\"\"\"", lines.collect::<String>(), "")
            }
            _ => json!(text).to_string(),
        }
    }

    /// A mutation under an alias, with the id of what it makes and all that is wrong.
    fn step(&mut self, alias: &str, mutation: &str, input: &Value) -> String {
        let field = self.types.field("Mutation", mutation).unwrap_or_else(|| panic!("there is no {mutation}"));
        let head = format!("  {alias}: {mutation}(input: ");
        let input = self.literal(base(&field["args"][0]["type"]), input, 2, head.len() + 3);
        let payload = self.types.fields(base(&field["type"]));
        let made = self.types.field(base(&payload[0]["type"]), "id").map_or("version", name);
        let also = if mutation == "tenantCreate" { " code" } else { "" };
        let warnings =
            if payload.iter().any(|field| name(field) == "warnings") { " warnings { path message }" } else { "" };
        let answer = format!("{} {{ {made}{also} }} userErrors {{ path message }}{warnings}", name(&payload[0]));
        format!("{head}{input}) {{\n    {answer}\n  }}\n")
    }
}

/// A document while it is put together.
struct Draft {
    about: String,
    /// What it makes, in several words with hyphens.
    title: String,
    steps: Vec<(String, String)>,
    variables: BTreeSet<String>,
}

impl Draft {
    fn close(self, position: usize) -> (String, String) {
        let variables: Vec<_> = self.variables.iter().map(|alias| format!("${alias}: ID!")).collect();
        let operation = "Build".to_owned() + &capital(&camel(&self.title.replace('-', "_")));
        let head = match variables.join(", ") {
            none if none.is_empty() => operation,
            short if short.len() + operation.len() < WIDTH - 12 => format!("{operation}({short})"),
            _ => format!("{operation}(\n  {}\n)", variables.join("\n  ")),
        };
        let steps: String = self.steps.into_iter().map(|(_, text)| text).collect();
        (format!("{position:02}-{}.graphql", self.title), format!("# {}\nmutation {head} {{\n{steps}}}\n", self.about))
    }
}

/// What a tenant calls its objects of a kind, with hyphens: `music-on-hold-classes`.
fn title(types: &Types, kind: Kind) -> String {
    if kind == Kind::FormDefaults {
        return "defaults".to_owned();
    }
    let connection = capital(&camel(kind.word())) + "Connection";
    let field = types.fields("Tenant").iter().find(|field| base(&field["type"]) == connection).unwrap();
    name(field).chars().fold(String::new(), |text, c| match c {
        'A'..='Z' => format!("{text}-{}", c.to_ascii_lowercase()),
        c => format!("{text}{c}"),
    })
}

/// The documents by file name, in order.
fn documents(types: &Types) -> Vec<(String, String)> {
    let (data, mut aliases) = (Data::canistracci(), Aliases::default());
    let draft = |about: &str, title: String| Draft {
        about: about.to_owned(),
        title,
        steps: vec![],
        variables: BTreeSet::new(),
    };
    let write = |aliases: &Aliases, alias: &str, mutation: &str, input: &Value| {
        let mut writer = Writer { types, aliases, variables: BTreeSet::new() };
        (writer.step(alias, mutation, input), writer.variables)
    };
    let mut first = draft("The tenant. All that follows goes to it, by the header `X-Tenant`.", "tenant".to_owned());
    let alias = camel_name(data.tenant["name"].as_str().unwrap());
    first.steps.push((alias.clone(), write(&aliases, &alias, "tenantCreate", &data.tenant).0));
    let mut drafts = vec![first];
    for (kind, object) in data.objects() {
        // What it refers to has been made, and has its alias, but the object itself has none yet.
        let (_, refers) = write(&aliases, "", &mutation(kind), object);
        let alias = aliases.give(kind, object);
        let (step, _) = write(&aliases, &alias, &mutation(kind), object);
        let (title, last) = (title(types, kind), drafts.last_mut().unwrap());
        let fits = last.title == title
            && last.steps.len() < OBJECTS
            && !last.steps.iter().any(|(made, _)| refers.contains(made));
        if !fits {
            drafts.push(draft(kind.about(), title));
        }
        let last = drafts.last_mut().unwrap();
        last.steps.push((alias, step));
        last.variables.extend(refers);
    }
    let mut last =
        draft("Ivy Morgan's form is saved once more, against the version that was seen.", "second-save".into());
    let again = json!({ "id": format!("@{}", demo::IVY_MORGAN), "expectedVersion": 1,
        "note": { "department": "Export sales" } });
    let (step, variables) = write(&aliases, "secondSave", "virtualExtensionNoteUpdate", &again);
    last.steps.push(("secondSave".into(), step));
    last.variables.extend(variables);
    drafts.push(last);
    drafts.into_iter().zip(1..).map(|(draft, position)| draft.close(position)).collect()
}

/// The documents of the folder by file name, in order.
fn in_folder() -> Vec<(String, String)> {
    let mut files: Vec<PathBuf> = fs::read_dir(FOLDER).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "graphql"));
    files.sort();
    let read =
        |path: &PathBuf| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap());
    files.iter().map(read).collect()
}

/// Rewrites the documents when they drift, and fails then.
#[tokio::test]
async fn the_documents_are_those_of_the_demo_data() {
    let documents = documents(&Types::of(&Server::start(Engine::Sqlite)).await);
    let committed = in_folder();
    if committed != documents {
        for (file, _) in committed {
            fs::remove_file(Path::new(FOLDER).join(file)).unwrap();
        }
        for (file, text) in &documents {
            fs::write(Path::new(FOLDER).join(file), text).unwrap();
        }
        panic!("{FOLDER} was not up to date; it has been rewritten: look at the difference and commit it");
    }
}

/// The variables that a document declares.
fn variables(text: &str) -> impl Iterator<Item = &str> {
    let name = |rest: &str| rest.find(": ID!").filter(|end| rest[..*end].chars().all(|c| c.is_ascii_alphanumeric()));
    text.split('$').skip(1).filter_map(move |rest| name(rest).map(|end| &rest[..end]))
}

/// Runs the documents of the folder in order, as its README says.
async fn build(server: &Server) {
    let mut ids: Map<String, Value> = Map::new();
    let mut tenant: Option<String> = None;
    let authorization = format!("Bearer {ALL}");
    for (file, text) in in_folder() {
        let given: Map<_, _> = variables(&text).map(|alias| (alias.to_owned(), ids[alias].clone())).collect();
        let mut headers = vec![("authorization", authorization.as_str())];
        headers.extend(tenant.as_deref().map(|code| ("x-tenant", code)));
        let (status, answer) = server.post(&headers, &json!({ "query": text, "variables": given })).await;
        assert!(status.is_success() && answer.get("errors").is_none(), "{file}: {answer:#}");
        for (alias, payload) in answer["data"].as_object().unwrap() {
            let said = [&payload["userErrors"], &payload["warnings"]].map(list).concat();
            assert!(said.is_empty(), "{file}, {alias}: {said:#?}");
            let made = payload.as_object().unwrap().values().next().unwrap();
            if let Some(id) = made.get("id") {
                ids.insert(alias.clone(), id.clone());
            }
            tenant = tenant.or_else(|| made["code"].as_str().map(str::to_owned));
        }
    }
}

/// A tenant's export without what may differ: moments, who did it, and the digest over them.
async fn exported(app: &App, code: &str) -> Vec<Value> {
    let mut bytes = Vec::new();
    app.export(code, Secrets::None, &mut bytes, &mut |_, _| {}).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let line = |line: &str| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        for (pointer, member) in [
            ("", "createdAt"),
            ("/object", "createdAt"),
            ("/object", "changedAt"),
            ("/change", "at"),
            ("/change", "actor"),
            ("/end", "sha256"),
        ] {
            if let Some(fields) = line.pointer_mut(pointer).and_then(Value::as_object_mut) {
                fields.remove(member);
            }
        }
        line
    };
    text.lines().map(line).collect()
}

/// Whether the tenant is the one of the demo, object by object, field by field, save by save.
async fn assert_is_the_demo(app: &App, engine: Engine) {
    let live = Live::new(engine, Content::Demo);
    let demo = App::open(&live.options()).unwrap();
    let (built, filled) = (exported(app, demo::CANISTRACCI).await, exported(&demo, demo::CANISTRACCI).await);
    assert!(filled.len() > 300, "the export has {} lines", filled.len());
    for (line, (built, filled)) in built.iter().zip(&filled).enumerate() {
        assert_eq!(built, filled, "line {}", line + 1);
    }
    assert_eq!(built.len(), filled.len());
}

/// A token for all tenants that may make what it likes.
fn all_tenants(name: &str) -> NewToken {
    NewToken { name: name.into(), tenants: vec![], all_tenants: true, write: true, delete: false, explore: false }
}

async fn the_documents_build_the_demo_tenant(engine: Engine) {
    let server = Server::over(Live::new(engine, Content::Schema));
    server.app.create_token(all_tenants("builder"), Some(ALL.into())).await.unwrap().unwrap();
    build(&server).await;
    assert_is_the_demo(&server.app, engine).await;
}

/// The runner does the same over the network, and stops at what is refused.
#[test]
fn the_runner_builds_the_demo_tenant_and_stops_at_what_is_wrong() {
    if !Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return missing("node");
    }
    let live = Live::new(Engine::Sqlite, Content::Schema);
    let (url, key) = (live.url(), live.folder.path().join("vext.key"));
    let place = ["--database", &url, "--key-file", key.to_str().unwrap()];
    let mut create = vext(&["token", "create", "--name", "builder", "--all-tenants", "--scope", "write"]);
    let token = String::from_utf8(output(create.args(place)).stdout).unwrap().trim().to_owned();
    let mut process = Process::start(&[&["serve"][..], &place].concat());
    let server = format!("http://{}", process.address);
    let run = |token: &str| {
        let mut node = Command::new("node");
        output(node.current_dir(FOLDER).args(["run.mjs", &server]).env("VEXT_TOKEN", token))
    };
    let wrong = run("nonsense");
    assert!(
        !wrong.status.success()
            && String::from_utf8_lossy(&wrong.stderr).contains("01-tenant.graphql: The bearer token")
    );
    let first = run(&token);
    assert!(first.status.success(), "{first:?}");
    let said = String::from_utf8(first.stdout).unwrap();
    assert_eq!(said.lines().count(), in_folder().len(), "{said}");
    let again = run(&token);
    let error = String::from_utf8(again.stderr).unwrap();
    assert_eq!((again.status.code(), again.stdout.as_slice()), (Some(1), &[][..]));
    assert!(error.starts_with("01-tenant.graphql: canistracciOil: code is in use by another tenant"), "{error}");
    process.signal("-TERM");
    assert!(process.ended().success());
    let app = App::open(&live.options()).unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(assert_is_the_demo(&app, Engine::Sqlite));
}

on_each_engine!(the_documents_build_the_demo_tenant);
