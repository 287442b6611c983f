//! Rows of `pbx_object`: everything that a tenant has.

use std::collections::HashMap;

use super::error::Result;
use super::session::{Query, Tx, column};
use super::{search, sections};
use crate::domain::{DateTime, Kind, ObjectId, Row, Scalar, Value, sort_key};
use crate::form::Holder;
use crate::objects::Detail;

/// An object's own row: what everything has, whatever its kind.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectRow {
    /// Its tenant and key.
    pub id: ObjectId,
    /// What it is.
    pub kind: Kind,
    /// The number that reaches it, if it has one.
    pub number: Option<String>,
    /// Its name.
    pub name: String,
    /// A note for administrators.
    pub description: String,
    /// Whether it is in use.
    pub enabled: bool,
    /// Counts its saves, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime,
    /// When it was last saved.
    pub changed_at: DateTime,
}

/// A new object's own row.
#[derive(Clone, Copy, Debug)]
pub struct NewObject<'a> {
    /// What it is.
    pub kind: Kind,
    /// The number that reaches it, if it has one.
    pub number: Option<&'a str>,
    /// Its name.
    pub name: &'a str,
    /// A note for administrators.
    pub description: &'a str,
    /// Whether it is in use.
    pub enabled: bool,
}

macro_rules! select {
    ($rest:expr) => {
        concat!(
            "SELECT object_id, kind, number, name, description, enabled, version, created_at, changed_at FROM pbx_object WHERE tenant_id = $1 AND ",
            $rest
        )
    };
}
pub(super) use select;

// The objects of a tenant that is being imported do not exist yet, whoever guesses their ids.
const BY_IDS: &str = select!("object_id = ANY($2) AND NOT EXISTS (SELECT 1 FROM import i WHERE i.tenant_id = $1)");
const OF_KIND: &str = select!("kind = $2 ORDER BY name_folded, object_id");
const NAMED: &str = select!("kind = $2 AND name_folded = $3 LIMIT 2");
const BY_NUMBER: &str = select!("number = $2");
const COUNT: &str = "SELECT count(*) FROM pbx_object WHERE tenant_id = $1 AND kind = $2";
const NEXT: &str = "UPDATE tenant SET next_object = next_object + 1 WHERE tenant_id = $1";
const HANDED: &str = "SELECT next_object - 1 FROM tenant WHERE tenant_id = $1";
const INSERT: &str = "INSERT INTO pbx_object (tenant_id, object_id, kind, number, name, description, enabled, version, created_at, changed_at, name_folded)
  VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $8, $9)";
const TOUCH: &str =
    "UPDATE pbx_object SET number = $3, name = $4, description = $5, version = version + 1, changed_at = $6, name_folded = $7
  WHERE tenant_id = $1 AND object_id = $2";
const LOGIN: &str = "SELECT object_id FROM web_user_panel WHERE tenant_id = $1 AND web_user = $2";
const LDAP: &str = "SELECT 1 FROM pbx_object WHERE tenant_id = $1 AND kind = $2 AND enabled = $3 LIMIT 1";
const OWNED: &str = "SELECT phone_number FROM did WHERE tenant_id = $1 AND phone_number IN ($2, $3)";

pub(super) fn parse(query: &Query<'_>, row: &Row) -> Result<ObjectRow> {
    let kind = Kind::from_value(row.get(1).cloned().unwrap_or(Value::Null)).map_err(|p| p.under("kind"))?;
    Ok(ObjectRow {
        id: ObjectId { tenant: query.tenant(), local: column!(row, 0, int)? },
        kind,
        number: row.get(2).and_then(Value::text).map(str::to_owned),
        name: column!(row, 3, text)?.to_owned(),
        description: column!(row, 4, text)?.to_owned(),
        enabled: column!(row, 5, bool)?,
        version: column!(row, 6, int)?,
        created_at: DateTime(column!(row, 7, int)?),
        changed_at: DateTime(column!(row, 8, int)?),
    })
}

pub(super) fn all(query: &mut Query<'_>, sql: &'static str, params: &[Value]) -> Result<Vec<ObjectRow>> {
    let rows = query.rows(sql, params)?;
    rows.iter().map(|row| parse(query, row)).collect()
}

/// The rows of many objects by local id; what does not exist is left out.
///
/// # Errors
/// What the engine answers.
pub fn load(query: &mut Query<'_>, ids: &[i64]) -> Result<HashMap<i64, ObjectRow>> {
    let rows = all(query, BY_IDS, &[ids.iter().copied().collect()])?;
    Ok(rows.into_iter().map(|row| (row.id.local, row)).collect())
}

/// All objects of a kind, by name.
///
/// # Errors
/// What the engine answers.
pub fn of_kind(query: &mut Query<'_>, kind: Kind) -> Result<Vec<ObjectRow>> {
    all(query, OF_KIND, &[kind.to_value()])
}

/// The only object of a kind with this name, whatever its capitals and accents; `None` when there are several.
///
/// # Errors
/// What the engine answers.
pub fn only_named(query: &mut Query<'_>, kind: Kind, name: &str) -> Result<Option<ObjectRow>> {
    let mut rows = all(query, NAMED, &[kind.to_value(), sort_key(name).into()])?;
    Ok(rows.pop().filter(|_| rows.is_empty()))
}

/// How many objects of a kind there are.
///
/// # Errors
/// What the engine answers.
pub fn count(query: &mut Query<'_>, kind: Kind) -> Result<i64> {
    let row = query.first(COUNT, &[kind.to_value()])?.unwrap_or_default();
    column!(row, 0, int)
}

/// The object with this number, of whatever kind.
///
/// # Errors
/// What the engine answers.
pub fn plain_row(query: &mut Query<'_>, number: &str) -> Result<Option<ObjectRow>> {
    Ok(all(query, BY_NUMBER, &[number.into()])?.into_iter().next())
}

/// Who holds a number.
///
/// # Errors
/// What the engine answers.
pub fn holder(query: &mut Query<'_>, number: &str) -> Result<Option<Holder>> {
    Ok(plain_row(query, number)?.map(|row| Holder { object: row.id, kind: row.kind, name: row.name }))
}

/// The extension that has a login name.
///
/// # Errors
/// What the engine answers.
pub fn login_holder(query: &mut Query<'_>, login: &str) -> Result<Option<i64>> {
    query.first(LOGIN, &[login.into()])?.map(|row| column!(row, 0, int)).transpose()
}

/// Whether the tenant has an LDAP server in use.
///
/// # Errors
/// What the engine answers.
pub fn ldap_exists(query: &mut Query<'_>) -> Result<bool> {
    Ok(query.first(LDAP, &[Kind::LdapServer.to_value(), true.into()])?.is_some())
}

/// Whether an outside number is one of the tenant's, with or without the plus sign.
///
/// # Errors
/// What the engine answers.
pub fn owns_number(query: &mut Query<'_>, number: &str) -> Result<bool> {
    let digits = number.trim_start_matches('+');
    Ok(query.first(OWNED, &[digits.into(), format!("+{digits}").into()])?.is_some())
}

/// Makes an object without a detail: its own row, under the next id of the tenant.
///
/// # Errors
/// What the engine answers; CONFLICT when the number is taken.
pub fn insert_plain(tx: &mut Tx<'_>, new: NewObject<'_>, now: i64) -> Result<ObjectId> {
    tx.execute(NEXT, &[])?;
    let local = column!(tx.first(HANDED, &[])?.unwrap_or_default(), 0, int)?;
    let NewObject { kind, number, name, description, enabled } = new;
    let row = [
        local.into(),
        kind.to_value(),
        number.into(),
        name.into(),
        description.into(),
        enabled.into(),
        now.into(),
        sort_key(name).into(),
    ];
    tx.execute(INSERT, &row)?;
    search::insert_own(tx, local, &search::own(number, name, description))?;
    Ok(ObjectId { tenant: tx.tenant(), local })
}

/// Makes an object and its detail.
///
/// # Errors
/// As [`insert_plain`]; REFERENCE when the detail refers to what does not exist.
pub fn insert<D: Detail>(tx: &mut Tx<'_>, new: NewObject<'_>, detail: &D, now: i64) -> Result<ObjectId> {
    debug_assert_eq!(new.kind, D::KIND);
    let id = insert_plain(tx, new, now)?;
    sections::save(tx, id.local, None, detail)?;
    Ok(id)
}

/// Counts a save of an object and writes what of it stands in its own row.
///
/// # Errors
/// What the engine answers; CONFLICT when the number is taken.
pub fn touch(tx: &mut Tx<'_>, id: i64, number: Option<&str>, name: &str, description: &str, now: i64) -> Result<()> {
    let row = [id.into(), number.into(), name.into(), description.into(), now.into(), sort_key(name).into()];
    tx.execute(TOUCH, &row)?;
    search::update_own(tx, id, &search::own(number, name, description))
}
