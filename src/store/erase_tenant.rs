//! Deletes a whole tenant, even one that is not completely imported.

use std::sync::OnceLock;

use super::error::Result;
use super::session::{Session, column};
use crate::domain::TenantId;
use crate::form::{Place, SectionInfo};
use crate::objects;

const FIND: &str = "SELECT tenant_id FROM tenant WHERE code = $1";
const FORGET: &str = "UPDATE token SET selected_id = NULL WHERE selected_id = $1";
/// The tables to clear after those of sections and details. A table comes before the tables that it refers to.
const SHARED: [&str; 9] =
    ["link", "destination", "search_word", "change_field", "change", "pbx_object", "import", "token_tenant", "tenant"];

/// The tables of a section or detail. Lists come before the table of their owner.
fn tables(info: &'static SectionInfo) -> impl Iterator<Item = &'static str> {
    let lists = info.fields.iter().filter_map(|field| match field.place {
        Place::Rows(rows) if !rows.slotted => Some(rows.table),
        _ => None,
    });
    lists.chain([info.table])
}

fn statements() -> &'static [&'static str] {
    static CACHE: OnceLock<Vec<&'static str>> = OnceLock::new();
    CACHE.get_or_init(|| {
        let delete = |table: &str| &*format!("DELETE FROM {table} WHERE tenant_id = $1").leak();
        objects::infos().flat_map(tables).chain(SHARED).map(delete).collect()
    })
}

/// The id of the tenant with this code, even if it is not completely imported.
///
/// # Errors
/// An engine error.
pub fn tenant_id_by_code(session: &mut dyn Session, code: &str) -> Result<Option<TenantId>> {
    session.first(FIND, &[code.into()])?.map(|row| column!(row, 0, int).map(TenantId)).transpose()
}

/// Deletes every row of a tenant. Tokens that also open other tenants stay valid for those.
///
/// # Errors
/// An engine error.
pub fn erase_tenant(session: &mut dyn Session, id: TenantId) -> Result<()> {
    session.execute(FORGET, &[id.0.into()])?;
    statements().iter().try_for_each(|sql| session.execute(sql, &[id.0.into()]).map(drop))
}
