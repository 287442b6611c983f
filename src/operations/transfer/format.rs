//! The lines of the file. Fields are written in the order in which they are declared here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// The version of the format that this program writes and reads. Adding a field to a section does not change it,
/// because a field that is left out is blank. A new number means that an older program must not read the file.
pub(super) const FORMAT: u64 = 1;

/// What an export does with secrets.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Secrets {
    /// Seals them with the key of the exported database.
    Sealed,
    /// Leaves them out.
    None,
}

/// The place of a secret in the file, which it is sealed for: see
/// [`Sealer::seal_for`](crate::domain::Sealer::seal_for).
pub(super) fn secret_place(code: &str, object: i64, section: &str, field: &str) -> String {
    format!("{code}/{object}/{section}.{field}")
}

/// Values by the names of their fields, in alphabetical order.
pub(super) type JsonFields = BTreeMap<String, Json>;

/// The first line: the format and the tenant's own row.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Header {
    pub format: u64,
    pub tenant: JsonFields,
    pub created_at: i64,
    pub next_object: i64,
    pub revision: i64,
    pub defaults: i64,
    pub secrets: Secrets,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
}

/// Every other line.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum FileLine {
    Object(ObjectLine),
    Section(SectionLine),
    Change(ChangeLine),
    End(End),
}

/// An object's own row.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ObjectLine {
    pub id: i64,
    pub kind: String,
    pub number: Option<String>,
    pub name: String,
    pub description: String,
    pub enabled: bool,
    pub version: i64,
    pub created_at: i64,
    pub changed_at: i64,
}

/// A section of an object's form, or the detail that its kind adds.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SectionLine {
    pub object: i64,
    pub name: String,
    pub fields: JsonFields,
}

/// A change of an object.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeLine {
    pub object: i64,
    pub version: i64,
    pub revision: i64,
    pub at: i64,
    pub actor: String,
    pub fields: Vec<FieldChange>,
}

/// What changed in one field.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FieldChange {
    pub path: String,
    pub before: Json,
    pub after: Json,
}

/// The last line: proves that no line is missing or altered.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End {
    pub objects: u64,
    pub sections: u64,
    pub changes: u64,
    /// How many secrets the tenant has, whether they are in the file or not.
    pub secrets: u64,
    /// The SHA-256 of all lines before it, each with its line feed.
    pub sha256: String,
}
