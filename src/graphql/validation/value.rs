//! Where values stand, what kind they are, and the variables in them.

use std::fmt;

use async_graphql::parser::types::Type;
use async_graphql::{Name, Pos};
use async_graphql_value::Value;

use super::types::Input;

/// Where a value stands: what it belongs to, and the way from there.
#[derive(Clone, Copy)]
pub(in crate::graphql) enum ValuePlace<'a> {
    /// What it is, such as `Argument`, and its name.
    Root(&'static str, &'a str),
    Field(&'a ValuePlace<'a>, &'a str),
    Entry(&'a ValuePlace<'a>, usize),
}

impl ValuePlace<'_> {
    /// What the value belongs to.
    fn what(&self) -> &'static str {
        match self {
            ValuePlace::Root(what, _) => what,
            ValuePlace::Field(of, _) | ValuePlace::Entry(of, _) => of.what(),
        }
    }

    fn way(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ValuePlace::Root(_, name) => f.write_str(name),
            ValuePlace::Field(of, name) => of.way(f).and_then(|()| write!(f, ".{name}")),
            ValuePlace::Entry(of, place) => of.way(f).and_then(|()| write!(f, "[{place}]")),
        }
    }

    /// The sentence about a value of a type that does not do what it must.
    pub(in crate::graphql) fn must(&self, ty: &impl fmt::Display, what: &str) -> String {
        format!("{self} of type \"{ty}\" must {what}.")
    }

    /// What is wrong with an input object of which exactly one field may be given.
    pub(in crate::graphql) fn one_of(&self, ty: &str, fields: &[Input], given: &[&str]) -> String {
        let quoted = |names: &mut dyn Iterator<Item = &str>| {
            names.map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
        };
        let allowed = quoted(&mut fields.iter().map(|field| field.name.as_str()));
        let has = if given.is_empty() { "none".to_owned() } else { quoted(&mut given.iter().copied()) };
        self.must(&ty, &format!("have exactly one of the fields {allowed}; it has {has}"))
    }
}

/// `Argument "input.members[2].id"`, without the value: it may be a secret.
impl fmt::Display for ValuePlace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} \"", self.what())?;
        self.way(f)?;
        f.write_str("\"")
    }
}

/// A variable in a value.
#[derive(Clone, Copy)]
pub(super) struct Use<'a> {
    pub(super) name: &'a Name,
    pub(super) at: Pos,
    /// The type that is expected there; none where that is not known.
    pub(super) wanted: Option<&'a Type>,
    /// Whether there is a default for a variable without a value.
    pub(super) has_default: bool,
    /// The input object of which it is the one field.
    pub(super) one_of: Option<&'a str>,
}

/// What is said of a whole number that is too large or too small.
pub(in crate::graphql) const OUT_OF_RANGE: &str = "out of that range";

/// What kind of value it is, which may be told where the value may not.
pub(in crate::graphql) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Variable(_) => "a variable",
        Value::Null => "null",
        Value::Number(number) if number.is_f64() => "a number",
        Value::Number(_) => "a whole number",
        Value::String(_) | Value::Binary(_) => "a text",
        Value::Boolean(_) => "true or false",
        Value::Enum(_) => "a name",
        Value::List(_) => "a list",
        Value::Object(_) => "an object",
    }
}
