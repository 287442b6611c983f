//! Converts values to PostgreSQL and back.

use bytes::BytesMut;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type};

use super::errors::UnfitParameter;
use crate::domain::{Value, ValueRef};
use crate::store::error::{Result, StoreError};
use crate::store::session::Columns;

/// The parameters in the form that the client expects.
pub(super) fn parameters(params: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    params.iter().map(|param| param as &(dyn ToSql + Sync)).collect()
}

/// A row of a result.
pub(super) struct PostgresRow<'a>(pub(super) &'a Row);

impl Columns for PostgresRow<'_> {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn get(&self, at: usize) -> Result<ValueRef<'_>> {
        let value = self.0.try_get::<_, Option<ValueRef<'_>>>(at);
        Ok(value.map_err(|error| StoreError::Corrupt(error.to_string()))?.unwrap_or(ValueRef::Null))
    }
}

type Conversion<T> = std::result::Result<T, Box<dyn std::error::Error + Sync + Send>>;

impl ToSql for Value {
    fn to_sql(&self, of: &Type, out: &mut BytesMut) -> Conversion<IsNull> {
        match (self, of) {
            (Value::Null, _) => Ok(IsNull::Yes),
            (Value::Bool(b), &Type::BOOL) => b.to_sql(of, out),
            (Value::Int(n), &Type::INT8) => n.to_sql(of, out),
            (Value::Int(n), &Type::INT4) => i32::try_from(*n)?.to_sql(of, out),
            (Value::Text(text), _) if <&str as ToSql>::accepts(of) => text.to_sql(of, out),
            (Value::Bytes(bytes), &Type::BYTEA) => bytes.to_sql(of, out),
            (Value::Ids(ids), &Type::INT8_ARRAY) => (&**ids).to_sql(of, out),
            (Value::Texts(texts), &Type::TEXT_ARRAY) => (&**texts).to_sql(of, out),
            _ => Err(UnfitParameter(of.clone()).into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    tokio_postgres::types::to_sql_checked!();
}

impl<'a> FromSql<'a> for ValueRef<'a> {
    fn from_sql(of: &Type, raw: &'a [u8]) -> Conversion<Self> {
        Ok(match *of {
            Type::BOOL => ValueRef::Bool(bool::from_sql(of, raw)?),
            Type::INT8 => ValueRef::Int(i64::from_sql(of, raw)?),
            Type::INT4 => ValueRef::Int(i32::from_sql(of, raw)?.into()),
            Type::BYTEA => ValueRef::Bytes(<&[u8]>::from_sql(of, raw)?),
            _ => ValueRef::Text(<&str>::from_sql(of, raw)?),
        })
    }

    fn accepts(of: &Type) -> bool {
        matches!(*of, Type::BOOL | Type::INT8 | Type::INT4 | Type::BYTEA) || <&str as FromSql>::accepts(of)
    }
}
