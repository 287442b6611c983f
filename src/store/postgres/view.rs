//! A read-only view of a server's database, in one transaction.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::connection::Connection as _;
use super::super::error::Result;
use super::super::session::Session;
use super::super::view::DatabaseView;
use super::{PostgresConnection, PostgresServer};
use crate::domain::Value;

const NAMES: &str = "SELECT table_name FROM information_schema.tables
  WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY table_name";
const NOW: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// Connects and begins the transaction.
///
/// # Errors
/// Why the database cannot be read.
pub(in crate::store) fn open_view(server: &PostgresServer) -> Result<PostgresConnection> {
    let mut connection = PostgresConnection::open(server, Arc::default())?;
    connection.begin_read()?;
    // Reading a whole table may take longer than the limit for requests, and a reader blocks nobody.
    if !server.sets("statement_timeout") {
        connection.batch("SET LOCAL statement_timeout = '10min'")?;
    }
    Ok(connection)
}

impl DatabaseView for PostgresConnection {
    fn session(&mut self) -> &mut dyn Session {
        self
    }

    fn damage(&mut self) -> Vec<String> {
        Vec::new()
    }

    fn tables(&mut self) -> std::result::Result<BTreeMap<String, u64>, String> {
        let names = DatabaseView::session(self).rows(NAMES, &[]).map_err(|error| error.to_string())?;
        let mut tables = BTreeMap::new();
        for name in names.iter().filter_map(|row| row.first()?.text()) {
            let sql = format!("SELECT count(*) FROM \"{name}\"");
            let count = self.client.block_on(async |client| client.query_one(&sql, &[]).await);
            let count: i64 = self.track_failure(count).map_err(|error| format!("{name}: {error}"))?.get(0);
            tables.insert(name.to_owned(), count.unsigned_abs());
        }
        Ok(tables)
    }

    fn now(&mut self) -> std::result::Result<Option<i64>, String> {
        let row = DatabaseView::session(self).first(NOW, &[]).map_err(|error| error.to_string())?;
        Ok(row.and_then(|row| row.first().and_then(Value::int)))
    }

    fn is_disturbed(&self) -> bool {
        false
    }
}
