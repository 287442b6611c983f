//! What mutations have in common: their inputs, their payloads, and saving a form or an object.

use async_graphql::Result;

use super::problems::{changes, restore_sent_value, user_errors, warnings};
use crate::domain::{Code, Kind, ObjectId, Patch, Problem, Sent, TenantId};
use crate::graphql::layer::{
    ArgValues as _, Call, FieldReader, FieldSource, InputValue, Node, ObjectBuilder, ReadError, Resolver, SaveKind,
    SaveMutation, SchemaField, Text, object,
};
use crate::graphql::prices::HASH;
use crate::service::{self, PreparedSave, Save, SaveTarget, Saved, Selected};

/// The payload field `object`, of the type `ty`.
pub fn object_field(ty: &'static str, about: impl Into<Text>) -> SchemaField {
    let answer = Resolver::now(move |thing, _| {
        let row = thing.get::<Saved>()?.object.clone();
        Ok(row.map_or(Node::Null, |row| Node::shared(ty, row)))
    });
    SchemaField::new("object", ty, about, answer)
}

/// The payload fields about the save. `saved` gets the save from the payload.
pub fn saved_fields<T: Send + Sync + 'static>(saved: fn(&T) -> &Saved) -> Vec<SchemaField> {
    let why = "Why nothing was saved: all errors at once. Empty if it was saved, or could be on a dry run.";
    let looks_wrong = "What looks wrong, but does not prevent saving.";
    let changed = "The fields that have changed, or would change on a dry run.";
    let field = |name: &'static str, ty: &str, about: &'static str, get: fn(&Saved) -> Node| {
        SchemaField::new(name, ty, about, Resolver::now(move |thing, _| Ok(get(saved(thing.get()?)))))
    };
    vec![
        field("userErrors", "[UserError!]!", why, |saved| user_errors(&saved.errors)),
        field("warnings", "[Warning!]!", looks_wrong, |saved| warnings(&saved.warnings)),
        field("changes", "[FieldChange!]!", changed, |saved| changes(&saved.changes)),
    ]
}

/// The payload type for a kind other than the form.
pub fn payload_type(kind: Kind) -> ObjectBuilder<Saved> {
    let about = "The object as it is saved now. Null if it is not saved, for example after errors or a dry run\n\
                 when creating it.";
    object::<Saved>(format!("{}Payload", kind.name()), "The result of saving an object.")
        .field(object_field(kind.name(), about))
        .fields(saved_fields(|saved: &Saved| saved))
}

/// The input field that names a tenant.
pub fn tenant_input() -> InputValue {
    InputValue::new("tenant", "String", "The code of the tenant; by default the selected tenant.")
}

/// The input field with the id of an existing object.
pub fn id_input(about: &'static str) -> InputValue {
    InputValue::new("id", "ID!", about)
}

/// The input field with the version that the client has read.
pub fn expected_version_input() -> InputValue {
    let about = "The version that the client has read. If the saved version differs, nothing is changed.";
    InputValue::new("expectedVersion", "Int", about)
}

/// The input field for a dry run.
pub fn dry_run_input() -> InputValue {
    InputValue::new("dryRun", "Boolean", "If true, the input is only checked and nothing is saved. False by default.")
}

/// The values of an input, without the fields about how to save them.
pub fn only_patch(input: &Patch) -> Patch {
    let about_saving = ["tenant", "id", "expectedVersion", "dryRun"];
    input.0.iter().filter(|(name, _)| !about_saving.contains(&name.as_str())).cloned().collect()
}

/// The tenant that an input names or the request selects, or the refusal if it does not exist for the viewer.
fn tenant(input: &Patch, reader: &mut FieldReader<'_>) -> Result<Result<TenantId, Saved>, ReadError> {
    let code = input.text("tenant")?;
    if let Some(row) = reader.tenant(code)? {
        return Ok(Ok(row.id));
    }
    let value = match (code, &reader.viewer.selected) {
        (None, Selected::Unknown(code)) => code.clone(),
        (code, _) => code.map(str::to_owned),
    };
    let problem = Problem::new(Code::NotFound, "must be the code of a tenant that the token opens").under("tenant");
    Ok(Err(Saved { errors: vec![Problem { value, ..problem }], ..Saved::default() }))
}

/// The object with an id. An id that no server has issued behaves like one that does not exist: there is no tenant 0.
pub fn object_id(id: &str) -> ObjectId {
    ObjectId::from_opaque(id).unwrap_or(ObjectId { tenant: TenantId(0), local: 0 })
}

/// Works out what a mutation saves, in the transaction that looks up the viewer.
///
/// # Errors
/// An error of the store, or the request has to name a tenant.
pub fn work_out(
    target: SaveMutation,
    input: &Patch,
    report_warnings: bool,
    reader: &mut FieldReader<'_>,
) -> Result<PreparedSave, ReadError> {
    let (expected_version, dry_run) = (input.int("expectedVersion")?, input.bool("dryRun")?.unwrap_or_default());
    let save_target = match target.operation {
        SaveKind::New | SaveKind::Defaults => match tenant(input, reader)? {
            Ok(tenant) if target.operation == SaveKind::New => SaveTarget::New(tenant),
            Ok(tenant) => SaveTarget::Defaults(tenant),
            Err(saved) => return Ok(PreparedSave::Settled(saved)),
        },
        SaveKind::Changes => SaveTarget::Existing(object_id(input.required_text("id")?)),
        SaveKind::Copy => SaveTarget::CopyOf(object_id(input.required_text("id")?)),
    };
    let patch = match target.operation {
        SaveKind::Copy => {
            let own = [("number", input.required_text("number")?), ("name", input.required_text("name")?)];
            Patch::from([("information", Sent::Object(own.into()))])
        }
        _ => only_patch(input),
    };
    let save = Save { kind: target.kind, target: save_target, patch, expected_version, dry_run, report_warnings };
    let (viewer, now) = (reader.viewer, reader.now);
    Ok(PreparedSave::prepare(reader.session(), viewer, save, now)?)
}

/// The cost of the secrets that a mutation sends to be hashed and saved.
///
/// # Errors
/// The input has another shape.
pub fn price(kind: Kind, input: &Patch) -> Result<u64> {
    let dry_run = input.bool("dryRun")?.unwrap_or_default();
    Ok(if dry_run { 0 } else { HASH.saturating_mul(service::hashed_secrets(kind, input)) })
}

/// The payload of a save. An id that was not found is reported as it was sent.
///
/// # Errors
/// The input has another shape.
pub fn payload_node(target: SaveMutation, input: &Patch, mut saved: Saved) -> Result<Node> {
    if let Some(id) = input.text("id")? {
        restore_sent_value(&mut saved.errors, "id", id);
    }
    Ok(Node::object(target.payload, saved))
}

async fn save(call: Call<'_>, target: SaveMutation) -> Result<Node> {
    let (scope, input, report_warnings) =
        (call.scope()?, call.args.required_object("input")?, call.selects("warnings"));
    let own = input.clone();
    let saved = scope.read_in_one_trip(move |reader| work_out(target, &own, report_warnings, reader)).await?;
    let saved = match saved {
        PreparedSave::Settled(saved) => saved,
        PreparedSave::Planned(open) => {
            let finished = scope.app.finish(&scope.snapshot, scope.viewer()?, open).await;
            finished.map_err(|error| scope.store_error(&error))?
        }
    };
    payload_node(target, input, saved)
}

/// A mutation that saves a form or an object of a kind from its `input`.
pub fn save_field(
    (name, about): (impl Into<Text>, impl Into<Text>),
    (input, input_about): (&str, &'static str),
    target: SaveMutation,
) -> SchemaField {
    let answer = Resolver::later(move |_, call| Box::pin(async move { save(call, target).await }));
    let input = InputValue::new("input", &format!("{input}!"), input_about);
    SchemaField::new(name, &format!("{}!", target.payload), about, answer).arg(input).source(FieldSource::Save(target))
}
