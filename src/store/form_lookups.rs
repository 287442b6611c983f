//! Lookups in the rest of the tenant for the rules of a form.

use std::collections::{HashMap, HashSet};

use super::error::Result;
use super::objects::{ObjectRow, load_rows, select};
use super::session::{Query, column};
use crate::domain::{Kind, ObjectId, Row, Scalar as _, Value};
use crate::form::Holder;

const BY_NUMBERS: &str = select!("number = ANY($2)");
const LOGINS: &str = "SELECT web_user, object_id FROM web_user_panel WHERE tenant_id = $1 AND web_user = ANY($2)";
const LDAP: &str = "SELECT 1 FROM pbx_object WHERE tenant_id = $1 AND kind = $2 AND enabled = $3 LIMIT 1";
const OWNED: &str = "SELECT phone_number FROM did WHERE tenant_id = $1 AND phone_number = ANY($2)";
const INSIDE: &str = select!("number >= $2 AND number <= $3 AND length(number) = $4 ORDER BY number LIMIT 1");

/// The objects that have these numbers.
///
/// # Errors
/// An engine error.
pub fn number_holders(query: &mut Query<'_>, numbers: HashSet<String>) -> Result<HashMap<String, Holder>> {
    let rows = load_rows(query, BY_NUMBERS, &[numbers.into_iter().collect()])?;
    Ok(rows.into_iter().filter_map(|mut row| Some((row.number.take()?, holder(row)))).collect())
}

fn holder(row: ObjectRow) -> Holder {
    Holder { object: row.id, kind: row.kind, name: row.name }
}

/// An object whose number is between two numbers of the same length, both included.
///
/// # Errors
/// An engine error.
pub fn number_in_range(query: &mut Query<'_>, first: &str, last: &str) -> Result<Option<(String, Holder)>> {
    let length = Value::Int(first.len() as i64);
    let found = load_rows(query, INSIDE, &[first.into(), last.into(), length])?.into_iter().next();
    Ok(found.and_then(|mut row| Some((row.number.take()?, holder(row)))))
}

/// The objects that have these login names.
///
/// # Errors
/// An engine error.
pub fn login_owners(query: &mut Query<'_>, logins: HashSet<String>) -> Result<HashMap<String, ObjectId>> {
    let tenant = query.tenant();
    let rows = query.rows(LOGINS, &[logins.into_iter().collect()])?;
    let login = |row: &Row| Ok((column!(row, 0, text)?.to_owned(), ObjectId { tenant, local: column!(row, 1, int)? }));
    rows.iter().map(login).collect()
}

/// Whether the tenant has an enabled LDAP server.
///
/// # Errors
/// An engine error.
pub fn has_enabled_ldap_server(query: &mut Query<'_>) -> Result<bool> {
    Ok(query.first(LDAP, &[Kind::LdapServer.to_value(), true.into()])?.is_some())
}

/// Which of these external numbers belong to the tenant. All numbers are without the plus sign.
///
/// # Errors
/// An engine error.
pub fn owned_numbers(query: &mut Query<'_>, numbers: HashSet<String>) -> Result<HashSet<String>> {
    let both = numbers.into_iter().flat_map(|number| [format!("+{number}"), number]);
    let rows = query.rows(OWNED, &[both.collect()])?;
    rows.iter().map(|row| Ok(column!(row, 0, text)?.trim_start_matches('+').to_owned())).collect()
}
