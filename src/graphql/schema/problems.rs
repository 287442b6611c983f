//! Problems and changes as clients see them.

use std::sync::Arc;

use serde_json::Value as Json;

use super::nodes::object_node;
use crate::domain::{Code, ObjectId, Problem, about};
use crate::form::Change;
use crate::graphql::layer::{
    Enum, Node, PlainType, Resolver, SchemaField, SchemaType, Text, enumeration, object, scalar,
};
use crate::store::ObjectRow;

/// A field whose value changes.
#[derive(Clone, Debug)]
pub struct ChangedField {
    /// The path from the section or field inwards.
    pub path: Vec<String>,
    /// The value before the change.
    pub before: Json,
    /// The value after the change.
    pub after: Json,
}

impl ChangedField {
    /// A change from a path in its stored form, `section.field`.
    pub fn new(path: &str, before: Json, after: Json) -> Self {
        Self { path: path.split('.').map(str::to_owned).collect(), before, after }
    }
}

impl From<Change> for ChangedField {
    fn from(change: Change) -> Self {
        Self::new(&change.path, change.before, change.after)
    }
}

/// A field of a type whose values contain a `P`.
fn nested_field<T: Send + Sync + 'static, P: 'static>(
    (name, ty, about): (&'static str, &str, &'static str),
    inside: fn(&T) -> &P,
    get: fn(&P) -> Node,
) -> SchemaField {
    SchemaField::new(name, ty, about, Resolver::now(move |thing, _| Ok(get(inside(thing.get()?)))))
}

/// The fields of an error or a warning, for types whose values contain a problem. `codes` are the fields for its code.
fn problem_fields<T: Send + Sync + 'static>(of: fn(&T) -> &Problem, codes: Vec<SchemaField>) -> Vec<SchemaField> {
    let path = "The path in the input: names of input fields from the outermost inwards, and indexes in lists.";
    let path = nested_field(("path", "[String!]!", path), of, |problem| problem.path.as_slice().into());
    let rest = [
        nested_field(("message", "String!", "Field, rule and value in words."), of, |problem| problem.message().into()),
        nested_field(
            ("value", "String", "The offending value; null for secrets and if there is none."),
            of,
            |problem| problem.value.as_deref().into(),
        ),
        nested_field(
            ("suggestion", "String", "A value that would be accepted instead, if one is known."),
            of,
            |problem| problem.suggestion.as_deref().into(),
        ),
        nested_field(
            ("relatedId", "ID", "The id of the other object that causes the problem, if there is one."),
            of,
            |problem| problem.related.map(ObjectId::opaque).into(),
        ),
    ];
    [path].into_iter().chain(codes).chain(rest).collect()
}

/// The fields of an error, for types whose values contain one.
pub fn error_fields<T: Send + Sync + 'static>(of: fn(&T) -> &Problem) -> Vec<SchemaField> {
    let code = ("code", "ErrorCode!", "The rule that is broken.");
    problem_fields(of, vec![nested_field(code, of, |problem| problem.code.word().into())])
}

/// The fields of a warning, for types whose values contain one.
pub fn warning_fields<T: Send + Sync + 'static>(of: fn(&T) -> &Problem) -> Vec<SchemaField> {
    let code = ("code", "WarningCode!", "What looks wrong.");
    let broken = ("brokenRule", "ErrorCode", "The broken rule, with the code BROKEN_RULE only; otherwise null.");
    let codes = vec![
        nested_field(code, of, |problem| {
            if problem.code.is_warning() { problem.code.word() } else { BROKEN_RULE.0 }.into()
        }),
        nested_field(broken, of, |problem| (!problem.code.is_warning()).then(|| problem.code.word()).into()),
    ];
    problem_fields(of, codes)
}

/// The fields of a finding, for types whose values contain a problem.
pub fn finding_fields<T: Send + Sync + 'static>(of: fn(&T) -> &Problem) -> Vec<SchemaField> {
    let code = ("code", "FindingCode!", "The rule that is broken, or what looks wrong.");
    problem_fields(of, vec![nested_field(code, of, |problem| problem.code.word().into())])
}

/// The fields of a change, for types whose values contain one.
pub fn change_fields<T: Send + Sync + 'static>(of: fn(&T) -> &ChangedField) -> [SchemaField; 3] {
    let path = "The path of the field: for forms the section and the field, for other objects the field.";
    [
        nested_field(("path", "[String!]!", path), of, |change| change.path.as_slice().into()),
        nested_field(
            ("before", "JSON", "The value before the change. For a secret, whether it was set."),
            of,
            |change| change.before.clone().into(),
        ),
        nested_field(("after", "JSON", "The value after the change. For a secret, whether it is set."), of, |change| {
            change.after.clone().into()
        }),
    ]
}

/// The code of an error among warnings, with its description.
const BROKEN_RULE: (&str, &str) = (
    "BROKEN_RULE",
    "A rule is broken in a part that was not sent, or by what a delete leaves behind. It prevents nothing;\n\
     `brokenRule` names the rule.",
);

/// The types of the codes: of errors, of warnings, and of both.
fn codes() -> [Enum; 3] {
    let words = |warnings: bool| {
        let of = move |word: &str| Code::from_word(word).is_some_and(|code| code.is_warning() == warnings);
        let words = Code::TYPE.words.iter().filter(move |(word, _)| of(word));
        words.map(|(word, doc)| (*word, Text::from(about(doc))))
    };
    let errors = "Why an input was refused. Clients may branch on the code; messages are for people.";
    let warnings = "What looks wrong. Clients may branch on the code; messages are for people.";
    let broken = [(BROKEN_RULE.0, Text::from(BROKEN_RULE.1))];
    [
        enumeration("ErrorCode", errors, words(false)),
        enumeration("WarningCode", warnings, words(true).chain(broken)),
        enumeration("FindingCode", "What is wrong or looks wrong.", words(false).chain(words(true))),
    ]
}

/// The types that the payloads of all mutations share.
pub fn definitions() -> Vec<SchemaType> {
    let error = object::<Problem>("UserError", "Something that is wrong with an input.");
    let warning = object::<Problem>("Warning", "Something that looks wrong, but prevents nothing.");
    let change = object::<ChangedField>("FieldChange", "A field whose value changes.");
    let json = scalar("JSON", "Any JSON value.", Some("https://www.rfc-editor.org/rfc/rfc8259"), PlainType::Any);
    let types: [SchemaType; 4] = [
        error.fields(error_fields(|problem: &Problem| problem)).into(),
        warning.fields(warning_fields(|problem: &Problem| problem)).into(),
        change.fields(change_fields(|change: &ChangedField| change)).into(),
        json.into(),
    ];
    types.into_iter().chain(codes().map(SchemaType::from)).collect()
}

/// The nodes of errors.
pub fn user_errors(problems: &[Problem]) -> Node {
    Node::objects("UserError", problems.iter().cloned())
}

/// The nodes of warnings.
pub fn warnings(problems: &[Problem]) -> Node {
    Node::objects("Warning", problems.iter().cloned())
}

/// The nodes of changes.
pub fn changes(changes: &[Change]) -> Node {
    Node::objects("FieldChange", changes.iter().cloned().map(ChangedField::from))
}

/// Restores the value that the client sent in the problem of an id that was not found: the save only knows the object
/// it decodes to, which does not exist.
pub fn restore_sent_value(problems: &mut [Problem], field: &str, sent: &str) {
    let unknown = problems.iter_mut().filter(|problem| problem.code == Code::NotFound && problem.path == [field]);
    unknown.for_each(|problem| problem.value = Some(sent.to_owned()));
}

/// The node of an object in a problem or a change.
pub fn shared_object_node(row: &Arc<ObjectRow>) -> Node {
    object_node(Arc::clone(row))
}
