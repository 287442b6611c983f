//! Demo data: two tenants with everything that a form can point at.
//!
//! What there is stands in `demo/*.toml`, written as clients will send it; here it is only read, checked and stored.
//! Virtual extensions are saved like anybody's, with all checks. In the data, `"@101"` or `"@Office hours"` stands for
//! the id of what was made before under that number, or without a number under that name.

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
/// The code of the tenant beside it: Molloy Shipping, which has neither transcription nor LDAP.
pub const MOLLOY: &str = "MOLLOY";
/// The number of Ivy Morgan, whose form has all nine sections filled. In the other tenant it is somebody else's.
pub const IVY_MORGAN: &str = "108";
/// The id of Ivy Morgan's extension, for saved examples: objects are made in the same order every time.
pub const IVY_MORGAN_ID: &str = "MS43Mg";
/// The numbers of Canistracci Oil's virtual extensions.
pub const VIRTUAL: [&str; 13] =
    [IVY_MORGAN, "110", "111", "112", "113", "114", "115", "116", "117", "118", "119", "130", "131"];

/// Fills a fresh database with the demo's tenants. Where there is a Canistracci Oil already, it does nothing.
///
/// # Errors
/// What the store answers. Demo data that breaks a rule, or gives reason for a warning, is a mistake in the program.
pub async fn fill(app: &App) -> Result<()> {
    if let Some(tenant) = app.tenants().await?.into_iter().find(|t| t.settings.code.as_str() == CANISTRACCI) {
        // Filling takes many transactions; the last of them saves 108 once more.
        let ivy = app.snapshot().read(tenant.id, |query| store::plain_row(query, IVY_MORGAN)).await?;
        let left = "its demo data was left unfinished by a demo that was stopped; delete the file";
        return ivy.filter(|row| row.version > 1).map(drop).ok_or_else(|| StoreError::Unavailable(left.into()));
    }
    make_tenant(app, include_str!("demo/canistracci.toml")).await?;
    make_tenant(app, include_str!("demo/molloy.toml")).await?;
    second_save(app).await
}

/// Saves 108 once more, as somebody did since the version that the example of a conflict has seen.
async fn second_save(app: &App) -> Result<()> {
    let object = ObjectId::from_opaque(IVY_MORGAN_ID).ok_or_else(|| StoreError::Bug("108's id is none".into()))?;
    let patch = [("note", Patch::from([("department", "Export sales")]))].into();
    let (kind, target) = (Kind::VirtualExtension, SaveTarget::Existing(object));
    let save = Save { kind, target, patch, expected_version: Some(1), dry_run: false, report_warnings: true };
    let saved = app.save(&app.snapshot(), &Viewer::system("demo data"), save).await?;
    if saved.errors.is_empty() { Ok(()) } else { Err(mistake(IVY_MORGAN, &saved.errors)) }
}

async fn make_tenant(app: &App, data: &str) -> Result<()> {
    let Data { tenant, make } = toml::from_str(data).map_err(|e| StoreError::Bug(e.to_string()))?;
    let request = TenantSettings::section_info().read(&tenant).map_err(|field| unread("tenant", &field))?;
    let tenant = app.create_tenant(&request).await?.map_err(|problems| mistake("tenant", &problems))?.id;
    let mut maker = Maker { app, viewer: Viewer::system("demo data"), tenant, made: HashMap::new() };
    for Batch { kind, objects } in make {
        let kind =
            Kind::from_word(&kind).ok_or_else(|| StoreError::Bug(format!("the demo data has no kind {kind}")))?;
        for object in objects {
            maker.make(kind, object).await?;
        }
    }
    Ok(())
}

/// A file of demo data: the tenant, and what is to be made in it, in order.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    tenant: Json,
    make: Vec<Batch>,
}

/// Some objects of one kind: forms for virtual extensions and the defaults, otherwise the fields of the kind and those that all have.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    kind: String,
    objects: Vec<Json>,
}

/// Makes the objects of one tenant.
struct Maker<'a> {
    app: &'a App,
    viewer: Viewer,
    tenant: TenantId,
    /// What has been made, by number, or by name where there is no number.
    made: HashMap<String, ObjectId>,
}

impl Maker<'_> {
    async fn make(&mut self, kind: Kind, mut object: Json) -> Result<()> {
        let key = ["/number", "/information/number", "/name"].iter().find_map(|path| object.pointer(path)?.as_str());
        let key = key.unwrap_or(kind.word()).to_owned();
        self.resolve(&mut object)?;
        let id = self.save(kind, &object).await?;
        match self.made.insert(key.clone(), id) {
            None => Ok(()),
            Some(_) => Err(StoreError::Bug(format!("the demo data makes {key} twice"))),
        }
    }

    /// Puts ids where the data has `@number` or `@name`.
    fn resolve(&self, json: &mut Json) -> Result<()> {
        match json {
            Json::String(text) => {
                if let Some(key) = text.strip_prefix('@') {
                    let unknown = || StoreError::Bug(format!("the demo data has not made {key} yet"));
                    let id = self.made.get(key).ok_or_else(unknown)?;
                    *text = id.opaque();
                }
                Ok(())
            }
            Json::Array(list) => list.iter_mut().try_for_each(|entry| self.resolve(entry)),
            Json::Object(fields) => fields.values_mut().try_for_each(|value| self.resolve(value)),
            _ => Ok(()),
        }
    }

    /// Saves an object as anybody would.
    async fn save(&self, kind: Kind, object: &Json) -> Result<ObjectId> {
        let name = ["/information/name", "/name"].iter().find_map(|path| object.pointer(path)?.as_str());
        let what = name.unwrap_or(kind.label());
        let patch = read(kind, object).map_err(|field| unread(what, &field))?;
        let target = match kind {
            Kind::FormDefaults => SaveTarget::Defaults(self.tenant),
            _ => SaveTarget::New(self.tenant),
        };
        let save = Save { kind, target, patch, expected_version: None, dry_run: false, report_warnings: true };
        saved(what, self.app.save(&self.app.snapshot(), &self.viewer, save).await?)
    }
}

fn saved(what: &str, saved: Saved) -> Result<ObjectId> {
    match (saved.object, [saved.errors, saved.warnings].concat()) {
        (Some(object), problems) if problems.is_empty() => Ok(object.id),
        (_, problems) => Err(mistake(what, &problems)),
    }
}

/// Demo data that breaks a rule.
fn mistake(what: &str, problems: &[Problem]) -> StoreError {
    let said = |p: &Problem| format!("{} {}", p.path.join("."), p.rule);
    StoreError::Bug(format!("the demo's {what}: {}", problems.iter().map(said).collect::<Vec<_>>().join("; ")))
}

/// Reads an object as if a client had sent it. A field that it does not have is not passed over.
fn read(kind: Kind, object: &Json) -> std::result::Result<Patch, String> {
    let Some(info) = KindInfo::for_kind(kind) else { return Form::read(object) };
    let Json::Object(mut detail) = object.clone() else { return Err(object.to_string()) };
    let common = info.common.fields.iter().filter_map(|field| detail.remove_entry(&field.client_name));
    let common: serde_json::Map<_, _> = common.collect();
    let (common, detail) = (info.common.read(&common.into())?, info.detail.read(&detail.into())?);
    Ok(Patch([common.0, detail.0].concat()))
}

/// The mistake of a field that there is not.
fn unread(what: &str, field: &str) -> StoreError {
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

    /// What of 108 is on purpose as it is in a new form.
    const AS_NEW: [&str; 8] = [
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
    async fn nothing_of_ivys_form_is_left_out() {
        let same = |query: &mut Query<'_>| {
            let ivy = store::plain_row(query, IVY_MORGAN)?.unwrap().id.local;
            let initial = Form::initial();
            let mut same = Vec::new();
            for new in initial.sections() {
                let section = store::load_any(query, new.info(), &[ivy])?.remove(&ivy).unwrap();
                let fields = section.fields().zip(new.values()).filter(|((_, ivy), new)| ivy.equals(*new));
                same.extend(fields.map(|((field, _), _)| format!("{}.{}", new.info().client_name, field.client_name)));
            }
            Ok(same)
        };
        let (_folder, app) = filled().await;
        let tenant = app.tenants().await.unwrap().remove(0).id;
        assert_eq!(app.snapshot().read(tenant, same).await.unwrap(), AS_NEW);
    }

    #[test]
    fn a_misspelt_field_is_not_passed_over() {
        let typo = |kind, json| read(kind, &json).unwrap_err();
        assert_eq!(typo(Kind::VirtualExtension, json!({ "note": { "brunch": "" } })), "brunch");
        assert_eq!(typo(Kind::FormDefaults, json!({ "notes": {} })), "notes");
        assert_eq!(typo(Kind::RoutingProfile, json!({ "routes": [{ "patern": "^0" }] })), "patern");
    }
}
