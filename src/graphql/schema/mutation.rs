//! What mutations have in common: what they take, what they answer, and the save of a form or an object.

use async_graphql::Result;

use super::problems::{changes, tell_as_sent, user_errors, warnings};
use crate::domain::{Code, Kind, ObjectId, Patch, Problem, Sent, TenantId};
use crate::graphql::layer::{
    Call, FieldReader, FieldSource, Given as _, InputValue, Node, ObjectBuilder, OfSave, ReadError, Resolver, SaveWhat,
    SchemaField, Text, object,
};
use crate::graphql::prices::HASH;
use crate::service::{self, PreparedSave, Save, SaveTarget, Saved, Selected};

/// The field of a payload that has the object, of the type `ty`.
pub fn object_field(ty: &'static str, about: impl Into<Text>) -> SchemaField {
    let answer = Resolver::now(move |thing, _| {
        let row = thing.get::<Saved>()?.object.clone();
        Ok(row.map_or(Node::Null, |row| Node::shared(ty, row)))
    });
    SchemaField::new("object", ty, about, answer)
}

/// The fields of a payload that say what came of the save, which `saved` gets.
pub fn saved_fields<T: Send + Sync + 'static>(saved: fn(&T) -> &Saved) -> Vec<SchemaField> {
    let why = "Why nothing was saved: everything that is wrong, at once. Empty when it was saved.";
    let looks_wrong = "What looks wrong, but did not keep it from being saved.";
    let changed = "The fields that were changed, or on a dry run would be.";
    let field = |name: &'static str, ty: &str, about: &'static str, tell: fn(&Saved) -> Node| {
        SchemaField::new(name, ty, about, Resolver::now(move |thing, _| Ok(tell(saved(thing.get()?)))))
    };
    vec![
        field("userErrors", "[UserError!]!", why, |saved| user_errors(&saved.errors)),
        field("warnings", "[Warning!]!", looks_wrong, |saved| warnings(&saved.warnings)),
        field("changes", "[FieldChange!]!", changed, |saved| changes(&saved.changes)),
    ]
}

/// The type of what came of saving an object of a kind that is no form.
pub fn payload_type(kind: Kind) -> ObjectBuilder<Saved> {
    let about = "The object as it is saved now; null when nothing is, as after errors on create or a dry run of one.";
    object::<Saved>(format!("{}Payload", kind.name()), "What came of saving an object.")
        .field(object_field(kind.name(), about))
        .fields(saved_fields(|saved: &Saved| saved))
}

/// The input field that names a tenant.
pub fn tenant_input() -> InputValue {
    InputValue::new("tenant", "String", "The code of the tenant; left out, the selected one.")
}

/// The input field that names what is there.
pub fn id_input(about: &'static str) -> InputValue {
    InputValue::new("id", "ID!", about)
}

/// The input field that names the version that the client saw.
pub fn expected_version_input() -> InputValue {
    let about = "The version that the client saw; if another one is saved, nothing is changed.";
    InputValue::new("expectedVersion", "Int", about)
}

/// The input field that asks for a dry run.
pub fn dry_run_input() -> InputValue {
    InputValue::new("dryRun", "Boolean", "Whether only to say what would happen.")
}

/// What an input says besides how to save it.
pub fn only_patch(input: &Patch) -> Patch {
    let about_saving = ["tenant", "id", "expectedVersion", "dryRun"];
    input.0.iter().filter(|(name, _)| !about_saving.contains(&name.as_str())).cloned().collect()
}

/// The tenant that an input names or the request selects, or the refusal when it does not exist for who asks.
fn tenant(input: &Patch, reading: &mut FieldReader<'_>) -> Result<Result<TenantId, Saved>, ReadError> {
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

/// The object behind an id. One that no server handed out answers like one that does not exist: there is no tenant 0.
pub fn object_id(id: &str) -> ObjectId {
    ObjectId::from_opaque(id).unwrap_or(ObjectId { tenant: TenantId(0), local: 0 })
}

/// Works out what a mutation saves, in the transaction that finds out who asks.
///
/// # Errors
/// What the store answers; the request has to say which tenant it means.
pub fn work_out(
    of: OfSave,
    input: &Patch,
    report_warnings: bool,
    reading: &mut FieldReader<'_>,
) -> Result<PreparedSave, ReadError> {
    let (expected_version, dry_run) = (input.int("expectedVersion")?, input.bool("dryRun")?.unwrap_or_default());
    let target = match of.what {
        SaveWhat::New | SaveWhat::Defaults => match tenant(input, reading)? {
            Ok(tenant) if of.what == SaveWhat::New => SaveTarget::New(tenant),
            Ok(tenant) => SaveTarget::Defaults(tenant),
            Err(saved) => return Ok(PreparedSave::Settled(saved)),
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
    let save = Save { kind: of.kind, target, patch, expected_version, dry_run, report_warnings };
    let (viewer, now) = (reading.viewer, reading.now);
    Ok(PreparedSave::prepare(reading.session(), viewer, save, now)?)
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
    let (scope, input, report_warnings) = (call.scope()?, call.args.the_object("input")?, call.selects("warnings"));
    let own = input.clone();
    let saved = scope.read_all(move |reading| work_out(of, &own, report_warnings, reading)).await?;
    let saved = match saved {
        PreparedSave::Settled(saved) => saved,
        PreparedSave::Planned(open) => {
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
) -> SchemaField {
    let answer = Resolver::later(move |_, call| Box::pin(async move { save(call, of).await }));
    let input = InputValue::new("input", &format!("{input}!"), input_about);
    SchemaField::new(name, &format!("{}!", of.payload), about, answer).arg(input).read(FieldSource::Save(of))
}
