//! Demo data: two tenants with every kind of object that a form can refer to.
//!
//! The data is in `demo/*.toml`, as clients would send it; this module reads, checks and stores it. Virtual extensions
//! are saved with all checks. In the data, `"@101"` or `"@Office hours"` stands for the id of an object created
//! earlier, by its number or, if it has none, by its name.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value as Json;

use crate::domain::{Kind, ObjectId, Patch, Problem, TenantId};
use crate::form::{Form, Typed as _};
use crate::objects::{KindInfo, TenantSettings};
use crate::service::{App, Save, SaveTarget, Saved, Viewer};
use crate::store::{self, Result, StoreError};

/// The code of the tenant that has an object of every kind: Canistracci Oil.
pub const CANISTRACCI: &str = "CANISTRACCI";
/// The code of the second tenant: Molloy Shipping, which has neither transcription nor LDAP.
pub const MOLLOY: &str = "MOLLOY";
/// The number of Ivy Morgan, whose form has all nine sections filled. The other tenant uses the same number.
pub const IVY_MORGAN: &str = "108";
/// The id of Ivy Morgan's extension, for saved examples: objects are always created in the same order.
pub const IVY_MORGAN_ID: &str = "MS43Mg";
/// The numbers of Canistracci Oil's virtual extensions.
pub const VIRTUAL: [&str; 13] =
    [IVY_MORGAN, "110", "111", "112", "113", "114", "115", "116", "117", "118", "119", "130", "131"];

/// Fills a new database with the demo's tenants. Does nothing if Canistracci Oil exists already.
///
/// # Errors
/// Errors of the store. Demo data that breaks a rule or causes a warning is a mistake in the program.
pub async fn fill(app: &App) -> Result<()> {
    if let Some(tenant) = app.tenants().await?.into_iter().find(|t| t.settings.code.as_str() == CANISTRACCI) {
        // The data takes many transactions; the last one saves 108 a second time.
        let ivy = app.snapshot().read(tenant.id, |query| store::object_by_number(query, IVY_MORGAN)).await?;
        let left = "its demo data was left incomplete by a demo that was stopped; delete the file";
        return ivy.filter(|row| row.version > 1).map(drop).ok_or_else(|| StoreError::Unavailable(left.into()));
    }
    create_tenant(app, include_str!("demo/canistracci.toml")).await?;
    create_tenant(app, include_str!("demo/molloy.toml")).await?;
    second_save(app).await
}

/// Saves 108 a second time, so that the example of a conflict, which expects the first version, has one.
async fn second_save(app: &App) -> Result<()> {
    let object =
        ObjectId::from_opaque(IVY_MORGAN_ID).ok_or_else(|| StoreError::Bug("the id of 108 is invalid".into()))?;
    let patch = [("note", Patch::from([("department", "Export sales")]))].into();
    let (kind, target) = (Kind::VirtualExtension, SaveTarget::Existing(object));
    let save = Save { kind, target, patch, expected_version: Some(1), dry_run: false, report_warnings: true };
    let saved = app.save(&app.snapshot(), &Viewer::system("demo data"), save).await?;
    if saved.errors.is_empty() { Ok(()) } else { Err(broken_rule(IVY_MORGAN, &saved.errors)) }
}

async fn create_tenant(app: &App, data: &str) -> Result<()> {
    let DemoFile { tenant, make } = toml::from_str(data).map_err(|e| StoreError::Bug(e.to_string()))?;
    let request = TenantSettings::section_info().read(&tenant).map_err(|field| unknown_field("tenant", &field))?;
    let tenant = app.create_tenant(&request).await?.map_err(|problems| broken_rule("tenant", &problems))?.id;
    let mut builder = DemoBuilder { app, viewer: Viewer::system("demo data"), tenant, created: HashMap::new() };
    for ObjectBatch { kind, objects } in make {
        let kind =
            Kind::from_word(&kind).ok_or_else(|| StoreError::Bug(format!("the demo data has no kind {kind}")))?;
        for object in objects {
            builder.make(kind, object).await?;
        }
    }
    Ok(())
}

/// A file of demo data: the tenant, and the objects to create in it, in order.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DemoFile {
    tenant: Json,
    make: Vec<ObjectBatch>,
}

/// Some objects of one kind. Virtual extensions and the defaults are forms; others have the fields of their kind and
/// the common fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ObjectBatch {
    kind: String,
    objects: Vec<Json>,
}

/// Creates the objects of one tenant.
struct DemoBuilder<'a> {
    app: &'a App,
    viewer: Viewer,
    tenant: TenantId,
    /// The ids of the objects created so far, by number, or by name if they have no number.
    created: HashMap<String, ObjectId>,
}

impl DemoBuilder<'_> {
    async fn make(&mut self, kind: Kind, mut object: Json) -> Result<()> {
        let key = ["/number", "/information/number", "/name"].iter().find_map(|path| object.pointer(path)?.as_str());
        let key = key.unwrap_or(kind.word()).to_owned();
        self.resolve(&mut object)?;
        let id = self.save(kind, &object).await?;
        match self.created.insert(key.clone(), id) {
            None => Ok(()),
            Some(_) => Err(StoreError::Bug(format!("the demo data creates {key} twice"))),
        }
    }

    /// Replaces `@number` and `@name` in the data by ids.
    fn resolve(&self, json: &mut Json) -> Result<()> {
        match json {
            Json::String(text) => {
                if let Some(key) = text.strip_prefix('@') {
                    let unknown = || StoreError::Bug(format!("the demo data has not created {key} yet"));
                    let id = self.created.get(key).ok_or_else(unknown)?;
                    *text = id.opaque();
                }
                Ok(())
            }
            Json::Array(list) => list.iter_mut().try_for_each(|entry| self.resolve(entry)),
            Json::Object(fields) => fields.values_mut().try_for_each(|value| self.resolve(value)),
            _ => Ok(()),
        }
    }

    /// Saves an object with all checks and returns its id.
    async fn save(&self, kind: Kind, object: &Json) -> Result<ObjectId> {
        let name = ["/information/name", "/name"].iter().find_map(|path| object.pointer(path)?.as_str());
        let what = name.unwrap_or(kind.label());
        let patch = read_patch(kind, object).map_err(|field| unknown_field(what, &field))?;
        let target = match kind {
            Kind::FormDefaults => SaveTarget::Defaults(self.tenant),
            _ => SaveTarget::New(self.tenant),
        };
        let save = Save { kind, target, patch, expected_version: None, dry_run: false, report_warnings: true };
        saved_id(what, self.app.save(&self.app.snapshot(), &self.viewer, save).await?)
    }
}

fn saved_id(what: &str, saved: Saved) -> Result<ObjectId> {
    match (saved.object, [saved.errors, saved.warnings].concat()) {
        (Some(object), problems) if problems.is_empty() => Ok(object.id),
        (_, problems) => Err(broken_rule(what, &problems)),
    }
}

/// The error for demo data that breaks a rule.
fn broken_rule(what: &str, problems: &[Problem]) -> StoreError {
    let describe = |p: &Problem| format!("{} {}", p.path.join("."), p.rule);
    StoreError::Bug(format!("the demo's {what}: {}", problems.iter().map(describe).collect::<Vec<_>>().join("; ")))
}

/// Reads an object as if a client had sent it. An unknown field is an error.
fn read_patch(kind: Kind, object: &Json) -> std::result::Result<Patch, String> {
    let Some(info) = KindInfo::for_kind(kind) else { return Form::read(object) };
    let Json::Object(mut detail) = object.clone() else { return Err(object.to_string()) };
    let head = info.common.fields.iter().filter_map(|field| detail.remove_entry(&field.client_name));
    let head: serde_json::Map<_, _> = head.collect();
    let (head, detail) = (info.common.read(&head.into())?, info.detail.read(&detail.into())?);
    Ok(Patch([head.0, detail.0].concat()))
}

/// The error for an unknown field in the demo data.
fn unknown_field(what: &str, field: &str) -> StoreError {
    StoreError::Bug(format!("the demo's {what}: there is no field {field}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::Environment;
    use crate::service::OpenOptions;
    use crate::store::{Database, Query};

    async fn filled() -> (tempfile::TempDir, App) {
        let folder = tempfile::tempdir().unwrap();
        let (database, key_file) = (Database::Sqlite(folder.path().join("vext.db")), folder.path().join("vext.key"));
        let environment = Environment::system();
        let app = App::open(&OpenOptions { database, key_file, readers: 1, environment }).unwrap();
        fill(&app).await.unwrap();
        (folder, app)
    }

    /// The fields of 108 that have the same value as in a new form, on purpose.
    const SAME_AS_NEW: [&str; 8] = [
        "information.dnd",
        "callSettings.includeInDialByName",
        "callSettings.includeInPhoneBooks",
        "security.locked",
        "webUserPanel.useLdap",
        "webUserPanel.neverExpire",
        "outboundCalls.blockCallerId",
        "additionalDestinations.unconditionalEnabled",
    ];

    #[tokio::test]
    async fn every_other_field_of_ivys_form_is_filled() {
        let same = |query: &mut Query<'_>| {
            let ivy = store::object_by_number(query, IVY_MORGAN)?.unwrap().id.local;
            let initial = Form::initial();
            let mut same = Vec::new();
            for new in initial.sections() {
                let section = store::load_dyn_sections(query, new.info(), &[ivy])?.remove(&ivy).unwrap();
                let fields = section.fields().zip(new.values()).filter(|((_, ivy), new)| ivy.equals(*new));
                same.extend(fields.map(|((field, _), _)| format!("{}.{}", new.info().client_name, field.client_name)));
            }
            Ok(same)
        };
        let (_folder, app) = filled().await;
        let tenant = app.tenants().await.unwrap().remove(0).id;
        assert_eq!(app.snapshot().read(tenant, same).await.unwrap(), SAME_AS_NEW);
    }

    #[test]
    fn a_misspelt_field_is_an_error() {
        let typo = |kind, json| read_patch(kind, &json).unwrap_err();
        assert_eq!(typo(Kind::VirtualExtension, json!({ "note": { "brunch": "" } })), "brunch");
        assert_eq!(typo(Kind::FormDefaults, json!({ "notes": {} })), "notes");
        assert_eq!(typo(Kind::RoutingProfile, json!({ "routes": [{ "patern": "^0" }] })), "patern");
    }
}
