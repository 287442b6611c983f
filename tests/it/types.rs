//! The live schema as introspection tells it, for tests that walk all of it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::{Server, TOKEN};

const INTROSPECTION: &str = "
query { __schema { types { kind name
  fields(includeDeprecated: true) { name args(includeDeprecated: true) { name type { ...Written } } type { ...Written } }
  inputFields(includeDeprecated: true) { name type { ...Written } } enumValues { name } } } }
fragment Written on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

/// The types of a schema by name.
pub struct Types(BTreeMap<String, Value>);

impl Types {
    /// Those that a server serves.
    pub async fn of(server: &Server) -> Self {
        Self::read(&server.answer(TOKEN, INTROSPECTION, json!({})).await["data"])
    }

    /// Those of the data of an introspection.
    pub fn read(data: &Value) -> Self {
        let types = data["__schema"]["types"].as_array().unwrap();
        Self(types.iter().map(|one| (name(one).to_owned(), one.clone())).collect())
    }

    /// A made-up schema: this one, with an input field more.
    pub fn with_input(&self, input: &str, field: Value) -> Self {
        self.with(input, "inputFields", field)
    }

    /// A made-up schema: this one, with a field more.
    pub fn with_field(&self, object: &str, field: Value) -> Self {
        self.with(object, "fields", field)
    }

    fn with(&self, named: &str, list: &str, field: Value) -> Self {
        let mut types = self.0.clone();
        types.get_mut(named).unwrap()[list].as_array_mut().unwrap().push(field);
        Self(types)
    }

    /// The names of the types of a kind, such as `OBJECT`, without the introspection's own.
    pub fn of_kind(&self, kind: &str) -> impl Iterator<Item = &str> {
        let fits = move |one: &&Value| one["kind"] == kind && !name(one).starts_with("__");
        self.0.values().filter(fits).map(name)
    }

    /// What a type is: `OBJECT`, `INPUT_OBJECT`, `ENUM`, …
    pub fn kind(&self, named: &str) -> &str {
        self.0[named]["kind"].as_str().unwrap()
    }

    /// The fields of an object or interface.
    pub fn fields(&self, named: &str) -> &[Value] {
        self.0[named]["fields"].as_array().map_or(&[], Vec::as_slice)
    }

    /// A field of an object.
    pub fn field(&self, object: &str, field: &str) -> Option<&Value> {
        self.fields(object).iter().find(|one| one["name"] == field)
    }

    /// The words of an enum.
    pub fn words(&self, named: &str) -> Vec<&str> {
        list(&self.0[named]["enumValues"]).iter().map(name).collect()
    }

    /// The fields of an input.
    pub fn inputs(&self, named: &str) -> &[Value] {
        self.0[named]["inputFields"].as_array().map_or(&[], Vec::as_slice)
    }

    /// A field of an input.
    pub fn input(&self, input: &str, field: &str) -> Option<&Value> {
        self.inputs(input).iter().find(|one| one["name"] == field)
    }

    /// A selection of everything that needs no arguments, down to a depth. What lies deeper shows its type.
    pub fn selection(&self, named: &str, depth: usize) -> String {
        let plain = self.fields(named).iter().filter(|field| list(&field["args"]).is_empty());
        let part = |field: &Value| match self.kind(base(&field["type"])) {
            "SCALAR" | "ENUM" => name(field).to_owned(),
            _ => format!("{} {}", name(field), self.selection(base(&field["type"]), depth.saturating_sub(1))),
        };
        let parts: Vec<_> = if depth == 0 { vec![] } else { plain.map(part).collect() };
        format!("{{ __typename {} }}", parts.join(" "))
    }
}

/// The name of something.
pub fn name(of: &Value) -> &str {
    of["name"].as_str().unwrap()
}

/// The entries of a list.
pub fn list(of: &Value) -> &[Value] {
    of.as_array().map_or(&[], Vec::as_slice)
}

/// The type without its brackets and exclamation marks.
pub fn base(written: &Value) -> &str {
    if written["ofType"].is_object() { base(&written["ofType"]) } else { name(written) }
}

/// Whether a value must be given.
pub fn required(written: &Value) -> bool {
    written["kind"] == "NON_NULL"
}

/// Whether it is a list.
pub fn listed(written: &Value) -> bool {
    written["kind"] == "LIST" || required(written) && listed(&written["ofType"])
}

/// The type as it is written: `[ID!]!`.
pub fn written(of: &Value) -> String {
    match of["kind"].as_str().unwrap() {
        "NON_NULL" => format!("{}!", written(&of["ofType"])),
        "LIST" => format!("[{}]", written(&of["ofType"])),
        _ => name(of).to_owned(),
    }
}

/// `queue_member` and `QUEUE_MEMBER` are `queueMember`.
pub fn camel(word: &str) -> String {
    vext::form::camel(&word.to_lowercase())
}

/// `Queue` is `queue`, and the other way round.
pub fn capital(word: &str) -> String {
    word[..1].to_uppercase() + &word[1..]
}
