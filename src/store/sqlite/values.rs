//! Converts values to SQLite and back.

use std::rc::Rc;

use rusqlite::types::{ToSqlOutput, Value as Sql, ValueRef as Stored};
use rusqlite::{CachedStatement, ToSql};

use super::errors::store_error;
use crate::domain::{Value, ValueRef};
use crate::store::error::{Result, StoreError};
use crate::store::session::Columns;

/// How a statement compares a column with a list.
pub(super) const ANY: &str = "= ANY(";

/// Whether a parameter is a list of any length but one.
pub(super) fn is_list(param: &Value) -> bool {
    match param {
        Value::Ids(ids) => ids.len() != 1,
        Value::Texts(texts) => texts.len() != 1,
        _ => false,
    }
}

/// Binds by the number in the placeholder's name. SQLite treats `$2` as a name and numbers the names in order of
/// appearance.
pub(super) fn bind(statement: &mut CachedStatement<'_>, params: &[Value], lists_of_one: bool) -> Result<()> {
    for place in 1..=statement.parameter_count() {
        let name = statement.parameter_name(place).unwrap_or_default();
        let param =
            name.strip_prefix('$').and_then(|n| n.parse::<usize>().ok()).and_then(|n| params.get(n.checked_sub(1)?));
        let Some(param) = param else { return Err(StoreError::Bug(format!("nothing to bind to {name}"))) };
        let bound = match param {
            Value::Ids(ids) if lists_of_one => statement.raw_bind_parameter(place, ids.first()),
            Value::Texts(texts) if lists_of_one => statement.raw_bind_parameter(place, texts.first()),
            param => statement.raw_bind_parameter(place, Bound(param)),
        };
        bound.map_err(store_error)?;
    }
    Ok(())
}

struct Bound<'a>(&'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Value::Null => ToSqlOutput::Borrowed(Stored::Null),
            Value::Bool(b) => ToSqlOutput::Owned(Sql::Integer((*b).into())),
            Value::Int(n) => ToSqlOutput::Owned(Sql::Integer(*n)),
            Value::Text(s) => ToSqlOutput::Borrowed(Stored::Text(s.as_bytes())),
            Value::Bytes(b) => ToSqlOutput::Borrowed(Stored::Blob(b)),
            Value::Ids(ids) => {
                let ids: Rc<Vec<Sql>> = Rc::new(ids.iter().copied().map(Sql::Integer).collect());
                ToSqlOutput::from_rc(ids, c"rarray")
            }
            Value::Texts(texts) => {
                let texts: Rc<Vec<Sql>> = Rc::new(texts.iter().cloned().map(Sql::Text).collect());
                ToSqlOutput::from_rc(texts, c"rarray")
            }
        })
    }
}

/// The current row of a statement.
pub(super) struct SqliteRow<'a, 's> {
    pub(super) row: &'a rusqlite::Row<'s>,
    pub(super) count: usize,
}

impl Columns for SqliteRow<'_, '_> {
    fn count(&self) -> usize {
        self.count
    }

    fn get(&self, at: usize) -> Result<ValueRef<'_>> {
        Ok(match self.row.get_ref(at).map_err(store_error)? {
            Stored::Null => ValueRef::Null,
            Stored::Integer(n) => ValueRef::Int(n),
            Stored::Text(text) => {
                let text = std::str::from_utf8(text);
                ValueRef::Text(text.map_err(|_| StoreError::Corrupt(format!("column {at} is not UTF-8")))?)
            }
            Stored::Blob(bytes) => ValueRef::Bytes(bytes),
            Stored::Real(_) => return Err(StoreError::Corrupt(format!("column {at} is a float"))),
        })
    }
}
