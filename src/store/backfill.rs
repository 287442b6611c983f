//! Fills in columns and tables that a migration adds and that SQL alone cannot compute.

use super::error::Result;
use super::search;
use super::session::{Session, Tx, column};
use super::transfer::objects_after;
use crate::domain::{TenantId, Value, sort_key};
use crate::objects;

const TENANTS: &str = "SELECT tenant_id FROM tenant ORDER BY tenant_id";
const FOLD: &str = "UPDATE pbx_object SET name_folded = $3 WHERE tenant_id = $1 AND object_id = $2";

/// How many rows one statement reads.
const CHUNK: i64 = 500;

/// Fills in the folded name and the search words of every object, after the migration that adds them.
pub(super) fn fill_search_words(session: &mut dyn Session) -> Result<()> {
    for row in session.rows(TENANTS, &[])? {
        let tx = &mut Tx::for_migration(session, TenantId(column!(row, 0, int)?));
        let mut after = 0;
        loop {
            let rows = objects_after(tx, after, CHUNK)?;
            let Some(last) = rows.last() else { break };
            after = last.id.local;
            for row in &rows {
                tx.execute_later(FOLD, &[row.id.local.into(), sort_key(&row.name).into()])?;
                search::insert_object_words(
                    tx,
                    row.id.local,
                    &search::object_words(row.number.as_deref(), &row.name, &row.description),
                )?;
            }
        }
        fill_section_words(tx)?;
    }
    Ok(())
}

/// The tables with searchable fields, each with the statement that reads these fields.
fn tables() -> Vec<(&'static str, String)> {
    let found = objects::infos().filter(|info| !info.searched.is_empty()).map(|info| (info.table, info.searched));
    let statement = |(table, searched): (&'static str, &[&str])| {
        let columns = searched.join(", ");
        let sql = format!(
            "SELECT object_id, {columns} FROM {table} WHERE tenant_id = $1 AND object_id > $2 ORDER BY object_id LIMIT $3"
        );
        (table, sql)
    };
    found.map(statement).collect()
}

fn fill_section_words(tx: &mut Tx<'_>) -> Result<()> {
    for (table, sql) in tables() {
        let sql: &'static str = Box::leak(sql.into_boxed_str());
        let mut after = 0;
        loop {
            let rows = tx.rows(sql, &[after.into(), CHUNK.into()])?;
            let Some(last) = rows.last() else { break };
            after = column!(last, 0, int)?;
            for row in &rows {
                let words = search::text_words(&mut row.iter().skip(1).filter_map(Value::text));
                search::save_words(tx, column!(row, 0, int)?, table, &search::Words::new(), &words)?;
            }
        }
    }
    Ok(())
}
