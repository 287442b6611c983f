//! What mutations have in common: what they are told, what they answer, and the save of a form or an object.

use std::sync::Arc;

use async_graphql::Result;
use serde_json::Value as Json;

use super::nodes::node_of;
use crate::domain::{Code, Kind, ObjectId, Patch, Problem, Sent, TenantId, about};
use crate::form::Change;
use crate::graphql::layer::{
    Answer, Building, Call, Definition, Enum, Field, Given as _, Input, Node, OfSave, Plain, Read, ReadError, Reading,
    SaveWhat, Text, enumeration, object, scalar,
};
use crate::graphql::prices::HASH;
use crate::service::{self, Save, SaveTarget, Saved, Selected, WorkedOut};
use crate::store::ObjectRow;

/// A field whose value changes, as it is told.
#[derive(Clone, Debug)]
pub struct FieldChange {
    /// From the section or field inwards.
    pub path: Vec<String>,
    /// The value before.
    pub before: Json,
    /// The value after.
    pub after: Json,
}

impl FieldChange {
    /// Of a path as it is kept: `section.field`.
    pub fn new(path: &str, before: Json, after: Json) -> Self {
        Self { path: path.split('.').map(str::to_owned).collect(), before, after }
    }
}

impl From<Change> for FieldChange {
    fn from(change: Change) -> Self {
        Self::new(&change.path, change.before, change.after)
    }
}

/// A field of a thing that has a `P` in it.
fn inside<T: Send + Sync + 'static, P: 'static>(
    (name, ty, about): (&'static str, &str, &'static str),
    inside: fn(&T) -> &P,
    get: fn(&P) -> Node,
) -> Field {
    Field::new(name, ty, about, Answer::now(move |thing, _| Ok(get(inside(thing.get()?)))))
}

/// The fields of a problem that is an error or a warning, of things that have one in them. `codes` are those of its code.
fn told_fields<T: Send + Sync + 'static>(of: fn(&T) -> &Problem, codes: Vec<Field>) -> Vec<Field> {
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
pub fn error_fields<T: Send + Sync + 'static>(of: fn(&T) -> &Problem) -> Vec<Field> {
    let code = ("code", "ErrorCode!", "The rule that was broken.");
    told_fields(of, vec![inside(code, of, |problem| problem.code.word().into())])
}

/// The fields of a warning, of things that have one in them.
pub fn warning_fields<T: Send + Sync + 'static>(of: fn(&T) -> &Problem) -> Vec<Field> {
    let code = ("code", "WarningCode!", "What looks wrong.");
    let broken = ("brokenRule", "ErrorCode", "With BROKEN_RULE, the rule.");
    let codes = vec![
        inside(code, of, |problem| if problem.code.is_warning() { problem.code.word() } else { BROKEN_RULE.0 }.into()),
        inside(broken, of, |problem| (!problem.code.is_warning()).then(|| problem.code.word()).into()),
    ];
    told_fields(of, codes)
}

/// The fields of what is found in a tenant, of things that have a problem in them.
pub fn finding_fields<T: Send + Sync + 'static>(of: fn(&T) -> &Problem) -> Vec<Field> {
    let code = ("code", "FindingCode!", "The rule that is broken, or what looks wrong.");
    told_fields(of, vec![inside(code, of, |problem| problem.code.word().into())])
}

/// The fields of a change, of things that have one in them.
pub fn change_fields<T: Send + Sync + 'static>(of: fn(&T) -> &FieldChange) -> [Field; 3] {
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
        let of = move |word: &str| Code::of(word).is_some_and(|code| code.is_warning() == warnings);
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
pub fn definitions() -> Vec<Definition> {
    let error = object::<Problem>("UserError", "Something that is wrong with an input.");
    let warning = object::<Problem>("Warning", "Something that looks wrong, but keeps nothing from being done.");
    let change = object::<FieldChange>("FieldChange", "A field whose value a save changes.");
    let json = scalar("JSON", "Any JSON value.", Some("https://www.rfc-editor.org/rfc/rfc8259"), Plain::Any);
    let types: [Definition; 4] = [
        error.fields(error_fields(|problem: &Problem| problem)).into(),
        warning.fields(warning_fields(|problem: &Problem| problem)).into(),
        change.fields(change_fields(|change: &FieldChange| change)).into(),
        json.into(),
    ];
    types.into_iter().chain(codes().map(Definition::from)).collect()
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
    Node::objects("FieldChange", changes.iter().cloned().map(FieldChange::from))
}

/// The field of a payload that has the object, of the type `ty`.
pub fn object_field(ty: &'static str, about: impl Into<Text>) -> Field {
    let answer = Answer::now(move |thing, _| {
        let row = thing.get::<Saved>()?.object.clone();
        Ok(row.map_or(Node::Null, |row| Node::shared(ty, row)))
    });
    Field::new("object", ty, about, answer)
}

/// The fields of a payload that say what came of the save, which `saved` gets.
pub fn saved_fields<T: Send + Sync + 'static>(saved: fn(&T) -> &Saved) -> Vec<Field> {
    let why = "Why nothing was saved: everything that is wrong, at once. Empty when it was saved.";
    let looks_wrong = "What looks wrong, but did not keep it from being saved.";
    let changed = "The fields that were changed, or on a dry run would be.";
    let field = |name: &'static str, ty: &str, about: &'static str, tell: fn(&Saved) -> Node| {
        Field::new(name, ty, about, Answer::now(move |thing, _| Ok(tell(saved(thing.get()?)))))
    };
    vec![
        field("userErrors", "[UserError!]!", why, |saved| user_errors(&saved.errors)),
        field("warnings", "[Warning!]!", looks_wrong, |saved| warnings(&saved.warnings)),
        field("changes", "[FieldChange!]!", changed, |saved| changes(&saved.changes)),
    ]
}

/// The type of what came of saving an object of a kind that is no form.
pub fn payload_type(kind: Kind) -> Building<Saved> {
    let about = "The object as it is saved now; null when nothing is, as after errors on create or a dry run of one.";
    object::<Saved>(format!("{}Payload", kind.name()), "What came of saving an object.")
        .field(object_field(kind.name(), about))
        .fields(saved_fields(|saved: &Saved| saved))
}

/// The input field that names a tenant.
pub fn tenant_input() -> Input {
    Input::new("tenant", "String", "The code of the tenant; left out, the selected one.")
}

/// The input field that names what is there.
pub fn id_input(about: &'static str) -> Input {
    Input::new("id", "ID!", about)
}

/// The input field that names the version that the client saw.
pub fn expected_version_input() -> Input {
    let about = "The version that the client saw; if another one is saved, nothing is changed.";
    Input::new("expectedVersion", "Int", about)
}

/// The input field that asks for a dry run.
pub fn dry_run_input() -> Input {
    Input::new("dryRun", "Boolean", "Whether only to say what would happen.")
}

/// What an input says besides how to save it.
pub fn only_patch(input: &Patch) -> Patch {
    let about_saving = ["tenant", "id", "expectedVersion", "dryRun"];
    input.0.iter().filter(|(name, _)| !about_saving.contains(&name.as_str())).cloned().collect()
}

/// The tenant that an input names or the request selects, or the refusal when it does not exist for who asks.
fn tenant(input: &Patch, reading: &mut Reading<'_>) -> Result<Result<TenantId, Saved>, ReadError> {
    let code = input.text("tenant")?;
    if let Some(row) = reading.tenant(code)? {
        return Ok(Ok(row.id));
    }
    let value = match (code, &reading.viewer.selected) {
        (None, Selected::Unknown(code)) => code.clone(),
        (code, _) => code.map(str::to_owned),
    };
    let problem = Problem::new(Code::NotFound, "must be the code of a tenant that the token opens").under("tenant");
    Ok(Err(Saved { errors: vec![Problem { value, ..problem }], ..Saved::default() }))
}

/// Tells a name that was not found as it was sent: what saves knows only what it leads to, which is nothing.
pub fn tell_as_sent(problems: &mut [Problem], field: &str, sent: &str) {
    let unknown = problems.iter_mut().filter(|problem| problem.code == Code::NotFound && problem.path == [field]);
    unknown.for_each(|problem| problem.value = Some(sent.to_owned()));
}

/// The object behind an id. One that no server handed out answers like one that does not exist: there is no tenant 0.
pub fn object_id(id: &str) -> ObjectId {
    ObjectId::of_opaque(id).unwrap_or(ObjectId { tenant: TenantId(0), local: 0 })
}

/// Works out what a mutation saves, in the transaction that finds out who asks.
///
/// # Errors
/// What the store answers; the request has to say which tenant it means.
pub fn work_out(
    of: OfSave,
    input: &Patch,
    tells_warnings: bool,
    reading: &mut Reading<'_>,
) -> Result<WorkedOut, ReadError> {
    let (expected_version, dry_run) = (input.int("expectedVersion")?, input.bool("dryRun")?.unwrap_or_default());
    let target = match of.what {
        SaveWhat::New | SaveWhat::Defaults => match tenant(input, reading)? {
            Ok(tenant) if of.what == SaveWhat::New => SaveTarget::New(tenant),
            Ok(tenant) => SaveTarget::Defaults(tenant),
            Err(saved) => return Ok(WorkedOut::Settled(saved)),
        },
        SaveWhat::Changes => SaveTarget::Existing(object_id(input.the_text("id")?)),
        SaveWhat::Copy => SaveTarget::CopyOf(object_id(input.the_text("id")?)),
    };
    let patch = match of.what {
        SaveWhat::Copy => {
            let own = [("number", input.the_text("number")?), ("name", input.the_text("name")?)];
            Patch::from([("information", Sent::Object(own.into()))])
        }
        _ => only_patch(input),
    };
    let save = Save { kind: of.kind, target, patch, expected_version, dry_run, tells_warnings };
    let (viewer, now) = (reading.viewer, reading.now);
    Ok(WorkedOut::of(reading.session(), viewer, save, now)?)
}

/// What the secrets cost that a mutation sends and that are hashed and kept.
///
/// # Errors
/// The input is of another shape.
pub fn price(kind: Kind, input: &Patch) -> Result<u64> {
    let dry_run = input.bool("dryRun")?.unwrap_or_default();
    Ok(if dry_run { 0 } else { HASH.saturating_mul(service::hashed_secrets(kind, input)) })
}

/// What came of a save as it is told. What was not found is told as it was sent.
///
/// # Errors
/// The input is of another shape.
pub fn told(of: OfSave, input: &Patch, mut saved: Saved) -> Result<Node> {
    if let Some(id) = input.text("id")? {
        tell_as_sent(&mut saved.errors, "id", id);
    }
    Ok(Node::object(of.payload, saved))
}

async fn save(call: Call<'_>, of: OfSave) -> Result<Node> {
    let (scope, input, tells_warnings) = (call.scope()?, call.args.the_object("input")?, call.selects("warnings"));
    let own = input.clone();
    let saved = scope.read_all(move |reading| work_out(of, &own, tells_warnings, reading)).await?;
    let saved = match saved {
        WorkedOut::Settled(saved) => saved,
        WorkedOut::Open(open) => {
            let finished = scope.app.finish(&scope.snapshot, scope.viewer()?, open).await;
            finished.map_err(|error| scope.surprise(&error))?
        }
    };
    told(of, input, saved)
}

/// A mutation that saves a form or an object of a kind out of `input`.
pub fn save_field(
    (name, about): (impl Into<Text>, impl Into<Text>),
    (input, input_about): (&str, &'static str),
    of: OfSave,
) -> Field {
    let answer = Answer::later(move |_, call| Box::pin(async move { save(call, of).await }));
    let input = Input::new("input", &format!("{input}!"), input_about);
    Field::new(name, &format!("{}!", of.payload), about, answer).arg(input).read(Read::Save(of))
}

/// The object of a problem or a change as it is told, for other types to have.
pub fn object_of(row: &Arc<ObjectRow>) -> Node {
    node_of(Arc::clone(row))
}
