//! The places and kinds of values, and the variables in them.

use std::fmt;

use async_graphql::parser::types::Type;
use async_graphql::{Name, Pos};
use async_graphql_value::Value;

use super::types::Input;

/// The place of a value: the argument or variable that it belongs to, and the path from there.
#[derive(Clone, Copy)]
pub(in crate::graphql) enum ValuePlace<'a> {
    /// What it belongs to, such as `Argument`, and the name of that.
    Root(&'static str, &'a str),
    Field(&'a ValuePlace<'a>, &'a str),
    Entry(&'a ValuePlace<'a>, usize),
}

impl ValuePlace<'_> {
    /// What the value belongs to.
    fn root_kind(&self) -> &'static str {
        match self {
            ValuePlace::Root(kind, _) => kind,
            ValuePlace::Field(of, _) | ValuePlace::Entry(of, _) => of.root_kind(),
        }
    }

    fn write_path(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ValuePlace::Root(_, name) => f.write_str(name),
            ValuePlace::Field(of, name) => of.write_path(f).and_then(|()| write!(f, ".{name}")),
            ValuePlace::Entry(of, place) => of.write_path(f).and_then(|()| write!(f, "[{place}]")),
        }
    }

    /// The message about a value that breaks a rule of its type.
    pub(in crate::graphql) fn must(&self, ty: &impl fmt::Display, rule: &str) -> String {
        format!("{self} of type \"{ty}\" must {rule}.")
    }

    /// The message about an input object that must have exactly one field.
    pub(in crate::graphql) fn one_of(&self, ty: &str, fields: &[Input], given: &[&str]) -> String {
        let quoted = |names: &mut dyn Iterator<Item = &str>| {
            names.map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
        };
        let allowed = quoted(&mut fields.iter().map(|field| field.name.as_str()));
        let has = if given.is_empty() { "none".to_owned() } else { quoted(&mut given.iter().copied()) };
        self.must(&ty, &format!("have exactly one of the fields {allowed}; it has {has}"))
    }
}

/// `Argument "input.members[2].id"`, without the value, which may be a secret.
impl fmt::Display for ValuePlace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} \"", self.root_kind())?;
        self.write_path(f)?;
        f.write_str("\"")
    }
}

/// A use of a variable in a value.
#[derive(Clone, Copy)]
pub(super) struct Use<'a> {
    pub(super) name: &'a Name,
    pub(super) at: Pos,
    /// The expected type; `None` if it is unknown.
    pub(super) wanted: Option<&'a Type>,
    /// Whether a default applies if the variable has no value.
    pub(super) has_default: bool,
    /// The input object whose only field it is, if exactly one is allowed.
    pub(super) one_of: Option<&'a str>,
}

/// How messages describe a whole number that is too large or too small.
pub(in crate::graphql) const OUT_OF_RANGE: &str = "out of that range";

/// The kind of a value, for messages that must not show the value.
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
