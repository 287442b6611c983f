//! Checks whether a database is suitable.

use std::sync::Arc;

use super::PostgresConnection;
use super::server::PostgresServer;
use crate::domain::Value;
use crate::store::connection::{Connection as _, DatabaseState};

/// The command that creates a suitable database.
const CREATE: &str = "CREATE DATABASE vext TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'";

/// Whether text is sorted by bytes: capitals before small letters, no character ignored, and non-ASCII letters last.
const BYTE_ORDER: &str = "SELECT 'B' < 'a' AND 'a-c' < 'ab' AND 'z' < 'é' AND '+1' < '0'";
const SETTINGS: &str =
    "SELECT current_setting('server_encoding'), datcollate FROM pg_database WHERE datname = current_database()";
const TABLES: &str = "SELECT count(*), coalesce(sum(CASE WHEN table_name = 'migration' THEN 1 ELSE 0 END), 0)::bigint
  FROM information_schema.tables WHERE table_schema = current_schema()";

/// Checks whether a database can be reached and is suitable.
pub(in crate::store) fn inspect(server: &PostgresServer) -> Result<DatabaseState, String> {
    let mut connection =
        PostgresConnection::open(server, Arc::default()).map_err(|error| format!("{server}: {error}"))?;
    let session = connection.session();
    let mut one = |sql| session.first(sql, &[]).map(Option::unwrap_or_default).map_err(|e| format!("{server}: {e}"));
    let settings = one(SETTINGS)?;
    let text = |i: usize| settings.get(i).and_then(Value::text).unwrap_or("?").to_owned();
    if text(0) != "UTF8" {
        return Err(format!("{server} stores text as {}, not as UTF8; create it with: {CREATE}", text(0)));
    }
    if one(BYTE_ORDER)? != [Value::Bool(true)] {
        return Err(format!("{server} sorts text by the rules of {}, not by bytes; create it with: {CREATE}", text(1)));
    }
    match one(TABLES)?.as_slice() {
        [Value::Int(0), _] => Ok(DatabaseState::Empty),
        [_, Value::Int(1)] => Ok(DatabaseState::Ours),
        _ => Err(format!("{server} has tables, but not those of vext")),
    }
}
