//! Removing a whole tenant, whether it is imported to its end or only half.

use std::sync::OnceLock;

use super::error::Result;
use super::session::{Session, column};
use crate::domain::TenantId;
use crate::form::{self, Place, Section, each_section};
use crate::objects::{self, each_detail};

const FIND: &str = "SELECT tenant_id FROM tenant WHERE code = $1";
const FORGET: &str = "UPDATE token SET selected_id = NULL WHERE selected_id = $1";
/// What stands behind the tables of sections and details: what refers comes before what is referred to.
const SHARED: [&str; 9] =
    ["link", "destination", "search_word", "change_field", "change", "pbx_object", "import", "token_tenant", "tenant"];

fn collect<S: Section>(tables: &mut Vec<&'static str>) {
    let lists = S::PLACES.iter().filter_map(|place| match place {
        Place::Rows(rows) if !rows.slotted => Some(rows.table),
        _ => None,
    });
    tables.extend(lists.chain([S::TABLE]));
}

macro_rules! of_form {
    ($($name:ident: $Section:ident / $Patch:ident / $Update:ident / $update:ident,)+) => {
        fn of_form(tables: &mut Vec<&'static str>) {
            $(collect::<form::$Section>(tables);)+
        }
    };
}
each_section!(of_form);

macro_rules! of_details {
    ($($Kind:ident / $field:ident $(/ $name:ident)*,)+) => {
        fn of_details(tables: &mut Vec<&'static str>) {
            $(collect::<objects::$Kind>(tables);)+
        }
    };
}
each_detail!(of_details);

fn statements() -> &'static [&'static str] {
    static KNOWN: OnceLock<Vec<&'static str>> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let mut tables = Vec::new();
        of_form(&mut tables);
        of_details(&mut tables);
        tables.extend(SHARED);
        let delete = |table: &str| &*format!("DELETE FROM {table} WHERE tenant_id = $1").leak();
        tables.into_iter().map(delete).collect()
    })
}

/// The key of the tenant with this code, even of one that is only half imported.
///
/// # Errors
/// What the engine answers.
pub fn find(session: &mut dyn Session, code: &str) -> Result<Option<TenantId>> {
    session.first(FIND, &[code.into()])?.map(|row| column!(row, 0, int).map(TenantId)).transpose()
}

/// Removes every row of a tenant. Tokens for other tenants too stay good for those.
///
/// # Errors
/// What the engine answers.
pub fn tenant(session: &mut dyn Session, id: TenantId) -> Result<()> {
    session.execute(FORGET, &[id.0.into()])?;
    statements().iter().try_for_each(|sql| session.execute(sql, &[id.0.into()]).map(drop))
}
