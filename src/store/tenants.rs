//! Rows of `tenant`.

use super::error::{Result, StoreError};
use super::session::{Query, Session, Tx, column};
use crate::domain::{DigitCount, Digits, Pattern, Row, Scalar, TenantCode, TenantId, TimeZone, Value};

/// A tenant.
#[derive(Clone, Debug, PartialEq)]
pub struct TenantRow {
    /// Its key.
    pub id: TenantId,
    /// How people and configuration name it.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The time zone of its conditions.
    pub timezone: TimeZone,
    /// Whether recordings can be transcribed.
    pub transcription: bool,
    /// Whether transcripts can be summarised and assessed.
    pub ai: bool,
    /// The digits put in front of short dialled numbers.
    pub area_code: Digits<8>,
    /// The least length of a number that gets the area code.
    pub area_code_min_digits: DigitCount,
    /// The greatest length of a number that gets the area code.
    pub area_code_max_digits: DigitCount,
    /// The expression that a number must match to get the area code.
    pub area_code_regex: Option<Pattern>,
    /// The template of new virtual extensions.
    pub defaults: i64,
    /// Counts the changes of the tenant.
    pub revision: i64,
}

/// A tenant that is to be made.
#[derive(Clone, Debug)]
pub struct NewTenant {
    /// How people and configuration name it.
    pub code: TenantCode,
    /// Its name.
    pub name: String,
    /// The time zone of its conditions.
    pub timezone: TimeZone,
    /// Whether recordings can be transcribed.
    pub transcription: bool,
    /// Whether transcripts can be summarised and assessed.
    pub ai: bool,
    /// The digits put in front of short dialled numbers.
    pub area_code: Digits<8>,
    /// The least length of a number that gets the area code.
    pub area_code_min_digits: DigitCount,
    /// The greatest length of a number that gets the area code.
    pub area_code_max_digits: DigitCount,
    /// The expression that a number must match to get the area code.
    pub area_code_regex: Option<Pattern>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT tenant_id, code, name, timezone, transcription, ai, area_code, area_code_min_digits, area_code_max_digits, area_code_regex, defaults_id, revision FROM tenant ",
            $rest
        )
    };
}

const ALL: &str = select!("ORDER BY code");
const BY_CODE: &str = select!("WHERE code = $1");
const BY_ID: &str = select!("WHERE tenant_id = $1");
const LAST: &str = "SELECT coalesce(max(tenant_id), 0) FROM tenant";
const INSERT: &str = "INSERT INTO tenant (tenant_id, code, name, timezone, transcription, ai, area_code, area_code_min_digits,
  area_code_max_digits, area_code_regex, next_object, revision, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, 0, $11)";
const SET_DEFAULTS: &str = "UPDATE tenant SET defaults_id = $2 WHERE tenant_id = $1";

fn parse(row: &Row) -> Result<TenantRow> {
    let value = |i: usize| row.get(i).cloned().unwrap_or(Value::Null);
    Ok(TenantRow {
        id: TenantId(column!(row, 0, int)?),
        code: column!(row, 1, text)?.to_owned(),
        name: column!(row, 2, text)?.to_owned(),
        timezone: TimeZone::from_value(value(3))?,
        transcription: column!(row, 4, bool)?,
        ai: column!(row, 5, bool)?,
        area_code: Digits::from_value(value(6))?,
        area_code_min_digits: DigitCount::from_value(value(7))?,
        area_code_max_digits: DigitCount::from_value(value(8))?,
        area_code_regex: column_or_null(value(9))?,
        defaults: column!(row, 10, int)?,
        revision: column!(row, 11, int)?,
    })
}

fn column_or_null<T: Scalar>(value: Value) -> Result<Option<T>> {
    if value == Value::Null { Ok(None) } else { T::from_value(value).map(Some).map_err(StoreError::from) }
}

fn one(session: &mut dyn Session, sql: &'static str, param: Value) -> Result<Option<TenantRow>> {
    session.first(sql, &[param])?.as_ref().map(parse).transpose()
}

/// All tenants by code.
///
/// # Errors
/// What the engine answers.
pub fn tenants(session: &mut dyn Session) -> Result<Vec<TenantRow>> {
    session.rows(ALL, &[])?.iter().map(parse).collect()
}

/// The tenant with this code.
///
/// # Errors
/// What the engine answers.
pub fn tenant_by_code(session: &mut dyn Session, code: &str) -> Result<Option<TenantRow>> {
    one(session, BY_CODE, code.into())
}

/// The tenant with this key.
///
/// # Errors
/// What the engine answers.
pub fn tenant_by_id(session: &mut dyn Session, id: TenantId) -> Result<Option<TenantRow>> {
    one(session, BY_ID, id.0.into())
}

/// The tenant that a query sees.
///
/// # Errors
/// What the engine answers.
pub fn own_tenant(query: &mut Query<'_>) -> Result<TenantRow> {
    let row = query.first(BY_ID, &[])?;
    row.as_ref().map(parse).transpose()?.ok_or_else(|| StoreError::Bug("the tenant is gone".into()))
}

/// Makes a tenant, still without its template.
///
/// # Errors
/// What the engine answers; CONFLICT when the code is taken.
pub fn create(session: &mut dyn Session, new: &NewTenant, now: i64) -> Result<TenantId> {
    let last = column!(session.first(LAST, &[])?.unwrap_or_default(), 0, int)?;
    let id = last + 1;
    let regex = new.area_code_regex.as_ref().map_or(Value::Null, Scalar::to_value);
    let row = [
        id.into(),
        new.code.to_value(),
        new.name.as_str().into(),
        new.timezone.to_value(),
        new.transcription.into(),
        new.ai.into(),
        new.area_code.to_value(),
        new.area_code_min_digits.to_value(),
        new.area_code_max_digits.to_value(),
        regex,
        now.into(),
    ];
    session.execute(INSERT, &row)?;
    Ok(TenantId(id))
}

/// Says which object is the tenant's template.
///
/// # Errors
/// What the engine answers.
pub fn set_defaults(tx: &mut Tx<'_>, template: i64) -> Result<()> {
    tx.execute(SET_DEFAULTS, &[template.into()]).map(drop)
}
