//! Removing a whole tenant, whether it is imported to its end or only half.

use std::sync::OnceLock;

use super::error::Result;
use super::session::{Session, column};
use crate::domain::TenantId;
use crate::form::{Place, SectionInfo};
use crate::objects;

const FIND: &str = "SELECT tenant_id FROM tenant WHERE code = $1";
const FORGET: &str = "UPDATE token SET selected_id = NULL WHERE selected_id = $1";
/// What stands behind the tables of sections and details: what refers comes before what is referred to.
const SHARED: [&str; 9] =
    ["link", "destination", "search_word", "change_field", "change", "pbx_object", "import", "token_tenant", "tenant"];

/// The tables of a section or detail: lists before what they belong to.
fn tables(info: &'static SectionInfo) -> impl Iterator<Item = &'static str> {
    let lists = info.fields.iter().filter_map(|field| match field.place {
        Place::Rows(rows) if !rows.slotted => Some(rows.table),
        _ => None,
    });
    lists.chain([info.table])
}

fn statements() -> &'static [&'static str] {
    static KNOWN: OnceLock<Vec<&'static str>> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let delete = |table: &str| &*format!("DELETE FROM {table} WHERE tenant_id = $1").leak();
        objects::infos().flat_map(tables).chain(SHARED).map(delete).collect()
    })
}

/// The key of the tenant with this code, even of one that is only half imported.
///
/// # Errors
/// What the engine answers.
pub fn find_tenant(session: &mut dyn Session, code: &str) -> Result<Option<TenantId>> {
    session.first(FIND, &[code.into()])?.map(|row| column!(row, 0, int).map(TenantId)).transpose()
}

/// Removes every row of a tenant. Tokens for other tenants too stay good for those.
///
/// # Errors
/// What the engine answers.
pub fn erase_tenant(session: &mut dyn Session, id: TenantId) -> Result<()> {
    session.execute(FORGET, &[id.0.into()])?;
    statements().iter().try_for_each(|sql| session.execute(sql, &[id.0.into()]).map(drop))
}
