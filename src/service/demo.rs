//! Demo data: two tenants with everything that a form can point at.
//!
//! What there is stands in `demo/*.toml`, written as clients will send it; here it is only read, checked and stored.
//! Virtual extensions are saved like anybody's, with all checks. In the data, `"@101"` or `"@Office hours"` stands for
//! the id of what was made before under that number, or without a number under that name.

use std::collections::HashMap;

use async_graphql::MaybeUndefined::Value as Set;
use async_graphql::{InputType, Pos, Value};
use serde::Deserialize;
use serde_json::Value as Json;

use super::{App, PlainPatch, Save, SaveTarget, Saved, Viewer};
use crate::domain::{Kind, ObjectId, Problem, TenantId};
use crate::form::NoteInput;
use crate::objects::*;
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
    let object = ObjectId::of_opaque(IVY_MORGAN_ID).ok_or_else(|| StoreError::Bug("108's id is none".into()))?;
    let note = NoteInput { department: Set("Export sales".into()), ..NoteInput::default() };
    let target = SaveTarget::Existing(object);
    let save = Save { target, patch: note.into(), expected_version: Some(1), dry_run: false };
    let saved = app.save(&app.snapshot(), &Viewer::system("demo data"), save).await?;
    if saved.errors.is_empty() { Ok(()) } else { Err(mistake(IVY_MORGAN, &saved.errors)) }
}

async fn make_tenant(app: &App, data: &str) -> Result<()> {
    let Data { tenant, make } = toml::from_str(data).map_err(|e| StoreError::Bug(e.to_string()))?;
    let request: TenantInput = read("tenant", tenant)?;
    let tenant = app.create_tenant(&request).await?.map_err(|problems| mistake("tenant", &problems))?.id;
    let mut maker = Maker { app, viewer: Viewer::system("demo data"), tenant, made: HashMap::new() };
    for Batch { kind, objects } in make {
        let kind = Kind::of(&kind).ok_or_else(|| StoreError::Bug(format!("the demo data has no kind {kind}")))?;
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

macro_rules! any_kind {
    ($($Kind:ident / $field:ident $(/ $name:ident)*,)+) => {
        async fn make_any(&self, kind: Kind, object: Json) -> Result<ObjectId> {
            match kind {
                $(Kind::$Kind => self.insert::<$Kind>(object).await,)+
                Kind::VirtualExtension => self.save(SaveTarget::New(self.tenant), object).await,
                Kind::FormDefaults => self.save(SaveTarget::Defaults(self.tenant), object).await,
            }
        }
    };
}

impl Maker<'_> {
    each_detail!(any_kind);

    async fn make(&mut self, kind: Kind, mut object: Json) -> Result<()> {
        let key = ["/number", "/information/number", "/name"].iter().find_map(|path| object.pointer(path)?.as_str());
        let key = key.unwrap_or(kind.word()).to_owned();
        self.resolve(&mut object)?;
        let id = self.make_any(kind, object).await?;
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
                    *text = id.opaque().0;
                }
                Ok(())
            }
            Json::Array(list) => list.iter_mut().try_for_each(|entry| self.resolve(entry)),
            Json::Object(fields) => fields.values_mut().try_for_each(|value| self.resolve(value)),
            _ => Ok(()),
        }
    }

    /// Saves an object without a form as anybody would.
    async fn insert<D: Detail>(&self, object: Json) -> Result<ObjectId> {
        let Json::Object(mut detail) = object else { return Err(StoreError::Bug("an object is none".into())) };
        let head = ["number", "name", "description", "enabled"].map(|field| detail.remove_entry(field));
        let head: serde_json::Map<_, _> = head.into_iter().flatten().collect();
        let what = head.get("name").and_then(Json::as_str).unwrap_or(D::KIND.label()).to_owned();
        let patch = PlainPatch::<D> { head: read(&what, head.into())?, detail: read(&what, detail.into())? };
        let save = Save { target: SaveTarget::New(self.tenant), patch, expected_version: None, dry_run: false };
        saved(&what, self.app.save_object(&self.app.snapshot(), &self.viewer, save).await?)
    }

    /// Saves a form as anybody would.
    async fn save(&self, target: SaveTarget, form: Json) -> Result<ObjectId> {
        let what = form.pointer("/information/name").and_then(Json::as_str).unwrap_or("defaults").to_owned();
        let save = Save { target, patch: read(&what, form)?, expected_version: None, dry_run: false };
        saved(&what, self.app.save(&self.app.snapshot(), &self.viewer, save).await?)
    }
}

fn saved(what: &str, saved: Saved) -> Result<ObjectId> {
    match (saved.object, [saved.errors, saved.warnings].concat()) {
        (Some(object), problems) if problems.is_empty() => Ok(object),
        (_, problems) => Err(mistake(what, &problems)),
    }
}

/// Demo data that breaks a rule.
fn mistake(what: &str, problems: &[Problem]) -> StoreError {
    let said = |p: &Problem| format!("{} {}", p.path.join("."), p.rule);
    StoreError::Bug(format!("the demo's {what}: {}", problems.iter().map(said).collect::<Vec<_>>().join("; ")))
}

/// Reads an input as if a client had sent it. A field that it does not have is not passed over.
fn read<P: InputType>(what: &str, json: Json) -> Result<P> {
    let bug = |why: String| StoreError::Bug(format!("the demo's {what}: {why}"));
    let sent = Value::from_json(json).map_err(|e| bug(e.to_string()))?;
    let input = P::parse(Some(sent.clone())).map_err(|e| bug(e.into_server_error(Pos::default()).message))?;
    match unread(&sent, &input.to_value()) {
        Some(field) => Err(bug(format!("there is no field {field}"))),
        None => Ok(input),
    }
}

/// The first field of `sent` that `read` does not have.
fn unread(sent: &Value, read: &Value) -> Option<String> {
    match (sent, read) {
        (Value::Object(sent), Value::Object(read)) => sent.iter().find_map(|(name, value)| match read.get(name) {
            Some(read) => unread(value, read),
            None => Some(name.to_string()),
        }),
        (Value::List(sent), Value::List(read)) => sent.iter().zip(read).find_map(|(sent, read)| unread(sent, read)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::Environment;
    use crate::form::{self, Form, FormPatch, Section, camel, each_section};
    use crate::service::{Database, OpenOptions};
    use crate::store::Query;

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
        macro_rules! same {
            ($($name:ident: $Section:ident / $Patch:ident / $Update:ident / $update:ident,)+) => {{
                let initial = Form::initial();
                let same = move |query: &mut Query<'_>| {
                    let ivy = store::plain_row(query, IVY_MORGAN)?.unwrap().id.local;
                    let mut same = Vec::new();
                    $(
                        let section: form::$Section = store::load_section(query, ivy)?;
                        let cells = section.store().into_iter().zip(initial.$name.store());
                        let fields = form::$Section::COLUMNS.iter().zip(cells).filter(|(_, (ivy, new))| ivy == new);
                        same.extend(fields.map(|(field, _)| format!("{}.{}", camel(stringify!($name)), camel(field))));
                    )+
                    Ok(same)
                };
                let (_folder, app) = filled().await;
                let tenant = app.tenants().await.unwrap().remove(0).id;
                app.snapshot().read(tenant, same).await.unwrap()
            }};
        }
        assert_eq!(each_section!(same), AS_NEW);
    }

    #[test]
    fn a_misspelt_field_is_not_passed_over() {
        let typo = |json| read::<FormPatch>("form", json).unwrap_err().to_string();
        assert!(typo(json!({ "note": { "brunch": "" } })).ends_with("the demo's form: there is no field brunch"));
        assert!(typo(json!({ "notes": {} })).ends_with("there is no field notes"));
        assert!(typo(json!({ "note": { "branch": 7 } })).contains("the demo's form: "));
    }
}
