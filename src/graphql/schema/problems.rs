//! Problems and changes as clients are told of them.

use std::sync::Arc;

use serde_json::Value as Json;

use super::nodes::node_of;
use crate::domain::{Code, ObjectId, Problem, about};
use crate::form::Change;
use crate::graphql::layer::{
    Enum, Node, PlainType, Resolver, SchemaField, SchemaType, Text, enumeration, object, scalar,
};
use crate::store::ObjectRow;

/// A field whose value changes, as it is told.
#[derive(Clone, Debug)]
pub struct ChangedField {
    /// From the section or field inwards.
    pub path: Vec<String>,
    /// The value before.
    pub before: Json,
    /// The value after.
    pub after: Json,
}

impl ChangedField {
    /// Of a path as it is kept: `section.field`.
    pub fn new(path: &str, before: Json, after: Json) -> Self {
        Self { path: path.split('.').map(str::to_owned).collect(), before, after }
    }
}

impl From<Change> for ChangedField {
    fn from(change: Change) -> Self {
        Self::new(&change.path, change.before, change.after)
    }
}

/// A field of a thing that has a `P` in it.
fn inside<T: Send + Sync + 'static, P: 'static>(
    (name, ty, about): (&'static str, &str, &'static str),
    inside: fn(&T) -> &P,
    get: fn(&P) -> Node,
) -> SchemaField {
    SchemaField::new(name, ty, about, Resolver::now(move |thing, _| Ok(get(inside(thing.get()?)))))
}

/// The fields of a problem that is an error or a warning, of things that have one in them. `codes` are those of its
/// code.
fn told_fields<T: Send + Sync + 'static>(of: fn(&T) -> &Problem, codes: Vec<SchemaField>) -> Vec<SchemaField> {
    let path = "Where in the input: names of input fields from the outermost inwards, positions in lists included.";
    let path = inside(("path", "[String!]!", path), of, |problem| problem.path.as_slice().into());
    let rest = [
        inside(("message", "String!", "Field, rule and value in words."), of, |problem| problem.message().into()),
        inside(("value", "String", "The offending value; never that of a secret."), of, |problem| {
            problem.value.as_deref().into()
        }),
        inside(("suggestion", "String", "What would be accepted instead, when that can be said."), of, |problem| {
            problem.suggestion.as_deref().into()
        }),
        inside(("relatedId", "ID", "The other object that is the cause, when there is one."), of, |problem| {
            problem.related.map(ObjectId::opaque).into()
        }),
    ];
    [path].into_iter().chain(codes).chain(rest).collect()
}

/// The fields of an error, of things that have one in them.
pub fn error_fields<T: Send + Sync + 'static>(of: fn(&T) -> &Problem) -> Vec<SchemaField> {
    let code = ("code", "ErrorCode!", "The rule that was broken.");
    told_fields(of, vec![inside(code, of, |problem| problem.code.word().into())])
}

/// The fields of a warning, of things that have one in them.
pub fn warning_fields<T: Send + Sync + 'static>(of: fn(&T) -> &Problem) -> Vec<SchemaField> {
    let code = ("code", "WarningCode!", "What looks wrong.");
    let broken = ("brokenRule", "ErrorCode", "With BROKEN_RULE, the rule.");
    let codes = vec![
        inside(code, of, |problem| if problem.code.is_warning() { problem.code.word() } else { BROKEN_RULE.0 }.into()),
        inside(broken, of, |problem| (!problem.code.is_warning()).then(|| problem.code.word()).into()),
    ];
    told_fields(of, codes)
}

/// The fields of what is found in a tenant, of things that have a problem in them.
pub fn finding_fields<T: Send + Sync + 'static>(of: fn(&T) -> &Problem) -> Vec<SchemaField> {
    let code = ("code", "FindingCode!", "The rule that is broken, or what looks wrong.");
    told_fields(of, vec![inside(code, of, |problem| problem.code.word().into())])
}

/// The fields of a change, of things that have one in them.
pub fn change_fields<T: Send + Sync + 'static>(of: fn(&T) -> &ChangedField) -> [SchemaField; 3] {
    let path =
        "Names of input fields from the outermost inwards: section and field of a form, a field of other objects.";
    [
        inside(("path", "[String!]!", path), of, |change| change.path.as_slice().into()),
        inside(("before", "JSON", "The value before; secrets show whether they were set."), of, |change| {
            change.before.clone().into()
        }),
        inside(("after", "JSON", "The value after; secrets show whether they are set."), of, |change| {
            change.after.clone().into()
        }),
    ]
}

/// The word for an error among warnings, and what it means.
const BROKEN_RULE: (&str, &str) = (
    "BROKEN_RULE",
    "A rule is broken in what was not sent, or by what a delete leaves: it keeps nothing from being done, and `brokenRule`\nsays which.",
);

/// The codes of errors, of warnings, and of both.
fn codes() -> [Enum; 3] {
    let words = |warnings: bool| {
        let of = move |word: &str| Code::from_word(word).is_some_and(|code| code.is_warning() == warnings);
        let words = Code::TYPE.words.iter().filter(move |(word, _)| of(word));
        words.map(|(word, doc)| (*word, Text::from(about(doc))))
    };
    let errors = "Why an input was refused. Clients may branch on it; messages are for people.";
    let warnings = "What looks wrong. Clients may branch on it; messages are for people.";
    let broken = [(BROKEN_RULE.0, Text::from(BROKEN_RULE.1))];
    [
        enumeration("ErrorCode", errors, words(false)),
        enumeration("WarningCode", warnings, words(true).chain(broken)),
        enumeration("FindingCode", "What is wrong, or looks wrong.", words(false).chain(words(true))),
    ]
}

/// The types of what every mutation says.
pub fn definitions() -> Vec<SchemaType> {
    let error = object::<Problem>("UserError", "Something that is wrong with an input.");
    let warning = object::<Problem>("Warning", "Something that looks wrong, but keeps nothing from being done.");
    let change = object::<ChangedField>("FieldChange", "A field whose value a save changes.");
    let json = scalar("JSON", "Any JSON value.", Some("https://www.rfc-editor.org/rfc/rfc8259"), PlainType::Any);
    let types: [SchemaType; 4] = [
        error.fields(error_fields(|problem: &Problem| problem)).into(),
        warning.fields(warning_fields(|problem: &Problem| problem)).into(),
        change.fields(change_fields(|change: &ChangedField| change)).into(),
        json.into(),
    ];
    types.into_iter().chain(codes().map(SchemaType::from)).collect()
}

/// Problems as they are told.
pub fn user_errors(problems: &[Problem]) -> Node {
    Node::objects("UserError", problems.iter().cloned())
}

/// Warnings as they are told.
pub fn warnings(problems: &[Problem]) -> Node {
    Node::objects("Warning", problems.iter().cloned())
}

/// Changes as they are told.
pub fn changes(changes: &[Change]) -> Node {
    Node::objects("FieldChange", changes.iter().cloned().map(ChangedField::from))
}

/// Tells a name that was not found as it was sent: what saves knows only what it leads to, which is nothing.
pub fn tell_as_sent(problems: &mut [Problem], field: &str, sent: &str) {
    let unknown = problems.iter_mut().filter(|problem| problem.code == Code::NotFound && problem.path == [field]);
    unknown.for_each(|problem| problem.value = Some(sent.to_owned()));
}

/// The object of a problem or a change as it is told, for other types to have.
pub fn object_of(row: &Arc<ObjectRow>) -> Node {
    node_of(Arc::clone(row))
}
