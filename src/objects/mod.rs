//! The details of each kind of object: the fields that it adds to its row in `pbx_object`. Each kind has one struct,
//! declared with the same macro as a section of the form, and a table of the same structure.
//!
//! To add a kind, add its line in `domain/kinds.rs`, its file here and its table in `migrations`. Its mutations, list,
//! filters, option lists, references, deletes, export and import follow from that. The tests ask for the rest: an
//! object of the kind in the demo data, and the required fields of a new one in `tests/it/referring.rs`.

use std::sync::LazyLock;

mod common_fields;
mod condition_span;
mod detail;
mod kind_info;
mod number_reference;
mod problems;
mod ruled_text;
mod tenant;
#[cfg(test)]
mod testing;
mod with_default;

pub use common_fields::*;
pub use condition_span::ConditionSpan;
pub use detail::{AnyDetail, Detail};
pub use kind_info::KindInfo;
pub use number_reference::NumberReference;
pub use tenant::*;
pub use with_default::WithDefault;

use crate::domain::{Kind, each_kind};
use crate::form::{Form, SectionInfo};

macro_rules! details {
    (
        form: $(#[doc = $form_doc:literal])+ $Form:ident = $form_word:literal, $form_label:literal, $form_field:ident, $form_list:ident;
        details: $(#[doc = $doc:literal] $Kind:ident = $word:literal, $label:literal, $field:ident, $list:ident;)+
        template: #[doc = $last_doc:literal] $Last:ident = $last_word:literal, $last_label:literal, $last_field:ident, $last_list:ident;
    ) => {
        $(mod $field;)+
        $(pub use $field::*;)+

        impl KindInfo {
            /// All kinds with a detail, in order.
            pub fn all() -> &'static [Self] {
                static ALL: LazyLock<Vec<KindInfo>> = LazyLock::new(|| vec![$(KindInfo::new::<$Kind>()),+]);
                &ALL
            }
        }
    };
}
each_kind!(details);

impl KindInfo {
    /// Describes a kind; `None` for virtual extensions and the defaults, which have the form instead.
    pub fn for_kind(kind: Kind) -> Option<&'static Self> {
        Self::all().iter().find(|info| info.kind == kind)
    }
}

/// Describes every section of the form and the detail of every other kind.
pub fn infos() -> impl Iterator<Item = &'static SectionInfo> {
    Form::infos().iter().copied().chain(KindInfo::all().iter().map(|kind| kind.detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Code, Id, ObjectId, Patch, Problem, TenantId, Value};
    use crate::form::{self, Cell, Place, Section, Typed};
    use serde_json::json;
    use std::collections::BTreeMap;

    const SQL: &str = concat!(
        include_str!("../../migrations/sqlite/0003_objects.sql"),
        include_str!("../../migrations/sqlite/0005_referrers.sql"),
        include_str!("../../migrations/sqlite/0008_plural_lists.sql")
    );

    /// A column: its name and the rest of its definition.
    type Column = (&'static str, &'static str);

    fn not_null(column: Column) -> bool {
        column.1.contains(" NOT NULL")
    }

    /// The columns of every table of the migrations, in order.
    fn tables() -> BTreeMap<&'static str, Vec<Column>> {
        let table = |text: &'static str| {
            let (name, rest) = text.split_once(" (\n").unwrap();
            let body = rest.split_once("\n)").unwrap().0;
            let columns = body.lines().map(str::trim).filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()));
            (name, columns.map(|line| line.split_once(' ').unwrap()).collect())
        };
        let mut tables: BTreeMap<_, Vec<Column>> = SQL.split("CREATE TABLE ").skip(1).map(table).collect();
        for added in SQL.lines().filter_map(|line| line.strip_prefix("ALTER TABLE ")) {
            if let Some((name, column)) = added.split_once(" ADD COLUMN ") {
                tables.get_mut(name).unwrap().push(column.split_once(' ').unwrap());
            } else if let Some((name, columns)) = added.split_once(" RENAME COLUMN ") {
                let (old, new) = columns.trim_end_matches(';').split_once(" TO ").unwrap();
                // The columns of the form are compared with the live database in another test.
                if let Some(table) = tables.get_mut(name) {
                    table.iter_mut().filter(|column| column.0 == old).for_each(|column| column.0 = new);
                }
            }
        }
        tables
    }

    fn names(columns: &[Column]) -> Vec<&'static str> {
        columns.iter().map(|(name, _)| *name).collect()
    }

    #[test]
    fn every_field_has_its_column_and_every_table_its_struct() {
        let mut left = tables();
        for info in KindInfo::all().iter().map(|kind| kind.detail) {
            let mut take = |name: &str| left.remove(name).unwrap_or_else(|| panic!("there is no table {name}"));
            let mut expected = vec!["tenant_id", "object_id"];
            for field in &info.fields {
                match field.place {
                    Place::Column => expected.push(field.name),
                    Place::Rows(rows) if rows.slotted => assert!(["link", "destination"].contains(&rows.table)),
                    Place::Rows(rows) => {
                        let expected = [&["tenant_id", "owner_id", "position"], rows.columns].concat();
                        assert_eq!(names(&take(rows.table)), expected, "{}", rows.table);
                    }
                }
            }
            assert_eq!(names(&take(info.table)), expected, "{}", info.table);
        }
        assert_eq!(left.into_keys().collect::<Vec<_>>(), Vec::<&str>::new());
    }

    #[test]
    fn every_kind_has_a_detail_under_its_own_name() {
        for info in KindInfo::all() {
            assert_eq!(info.kind.name(), info.detail.name);
            assert_eq!(info.kind.fields().0, info.detail.table);
        }
        let without = Kind::ALL.iter().filter(|kind| KindInfo::for_kind(**kind).is_none());
        assert_eq!(without.copied().collect::<Vec<_>>(), [Kind::VirtualExtension, Kind::FormDefaults]);
    }

    #[test]
    fn every_reference_has_its_foreign_key_and_index() {
        for (table, columns) in tables() {
            let keyed = |name: &str| ["object_id", "owner_id"].contains(&name);
            // A boolean column such as `say_caller_id` is not a reference.
            let refers =
                |name: &str, rest: &str| name.ends_with("_id") && name != "tenant_id" && !rest.contains("CHECK");
            for (column, _) in columns.iter().filter(|(name, rest)| refers(name, rest)) {
                let key = format!("FOREIGN KEY (tenant_id, {column}) REFERENCES pbx_object (tenant_id, object_id)");
                let text = SQL.split_once(&format!("CREATE TABLE {table} (\n")).unwrap().1.split_once("\n)").unwrap().0;
                assert!(text.contains(&key), "{table}.{column}");
                let index = format!("CREATE INDEX {table}_{column} ON {table} (tenant_id, {column});");
                assert!(keyed(column) || SQL.contains(&index), "{table}.{column}");
            }
        }
    }

    /// A blank field of a struct corresponds to a nullable column of its table.
    #[test]
    fn only_fields_without_a_default_are_required() {
        let (mut wanted, tables) = (Vec::new(), tables());
        for info in KindInfo::all().iter().map(|kind| kind.detail) {
            let mut report = |p: Problem| {
                assert_eq!(p.code, Code::Required);
                wanted.push(format!("{}.{}", info.table, p.path.join(".")));
            };
            let Some(detail) = info.build(&Patch::default(), &mut report) else { continue };
            let stored = detail.store();
            assert!(info.load(stored.clone(), TenantId(1)).unwrap().equals(&*detail), "{}", info.table);
            let cells =
                stored.into_iter().filter_map(|cell| if let Cell::Value(value) = cell { Some(value) } else { None });
            for (value, column) in cells.zip(&tables[info.table][2..]) {
                assert_eq!(value != Value::Null, not_null(*column), "{}.{}", info.table, column.0);
            }
        }
        assert_eq!(
            wanted,
            [
                "spy_group.engineName",
                "parking_lot.firstSlot",
                "parking_lot.lastSlot",
                "ldap_server.host",
                "did.phoneNumber",
                "short_number.destination",
            ]
        );
    }

    #[test]
    fn references_have_paths() {
        let provider = Id::new(ObjectId { tenant: TenantId(1), local: 7 });
        let sent = json!({ "routes": [{ "pattern": "^0", "providerId": provider.object().opaque() }] });
        let sent = RoutingProfile::section_info().read(&sent).unwrap();
        let profile: RoutingProfile = form::build(&sent, &mut |p| panic!("{p:?}")).unwrap();
        assert_eq!(profile.routes.0[0].provider_id, Some(provider));
        let mut paths = Vec::new();
        (&profile as &dyn Section).references(&mut |r| paths.push((r.path.join("."), r.kinds)));
        assert_eq!(paths, [("routes.0.providerId".to_owned(), &[Kind::Provider][..])]);
    }
}
