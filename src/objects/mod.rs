//! What each kind of object adds to its row in `pbx_object`: one struct per kind, made by the same macro as a section
//! of the form, with a table of the same shape.
//!
//! How to add a kind: its line in `domain/kinds.rs`, its file here, its line in `each_detail!`, its table in
//! `migrations`, and for each reference its resolver line in `graphql/references.rs`. Its mutations, list, filters,
//! option lists, references, deletes, export and import follow from that. The tests ask for the rest: an object of it
//! in the demo data, and what a new one needs in `tests/it/referring.rs`.

mod call_group;
mod call_list;
mod caller_id_rule_set;
mod condition;
mod conference;
mod did;
mod extension;
mod flow;
mod head;
mod hunt_list;
mod ivr;
mod ldap_server;
mod media_file;
mod music_on_hold;
mod paging_group;
mod parking_lot;
mod phone;
mod phone_book;
mod pickup_group;
mod preset;
mod provider;
mod queue;
mod routing_profile;
mod ruled_text;
mod short_number;
mod soft;
mod spy_group;
mod tenant;
#[cfg(test)]
mod testing;
mod user_profile;
mod voicemail_box;

pub use call_group::*;
pub use call_list::*;
pub use caller_id_rule_set::*;
pub use condition::*;
pub use conference::*;
pub use did::*;
pub use extension::*;
pub use flow::*;
pub use head::*;
pub use hunt_list::*;
pub use ivr::*;
pub use ldap_server::*;
pub use media_file::*;
pub use music_on_hold::*;
pub use paging_group::*;
pub use parking_lot::*;
pub use phone::*;
pub use phone_book::*;
pub use pickup_group::*;
pub use preset::Preset;
pub use provider::*;
pub use queue::*;
pub use routing_profile::*;
pub use short_number::*;
pub use soft::Soft;
pub use spy_group::*;
pub use tenant::*;
pub use user_profile::*;
pub use voicemail_box::*;

use crate::domain::{Code, ExtensionNumber, Kind, ObjectId, Problem};
use crate::form::{AreaCode, Checked, Expression, Facts, Section, Surroundings};

/// What a kind of object adds to its row in `pbx_object`.
pub trait Detail: Section {
    /// The kind whose detail this is.
    const KIND: Kind;
    /// What its objects have besides: [`Numbered`] when they can be dialled, else [`Named`].
    type Head: Head;
    /// Whether its objects must have a number.
    const NEEDS_NUMBER: bool = false;
    /// The columns that two objects of a tenant cannot have alike. What is off, empty or null in the first of them is
    /// never alike.
    const UNIQUE: &'static [&'static [&'static str]] = &[];
    /// The lists of destinations whose entries ring beside each other, so that none of them ends the list.
    const BESIDE: &'static [&'static str] = &[];
    /// Whether a list of destinations may lead back to the object and nowhere else.
    const REPEATS: bool = false;

    /// Reports the rules that one field alone cannot answer; paths start with the field.
    fn check(&self, _report: &mut dyn FnMut(Problem)) {}

    /// Checks what depends on the tenant around the object; paths start with the field. References and lists of
    /// destinations are checked before, for all kinds alike.
    fn check_around(&self, _facts: &Facts, _checked: &mut Checked) {}

    /// Where a call, or a question, that comes to the object surely goes on.
    fn surely(&self, _around: &Surroundings) -> Vec<ObjectId> {
        Vec::new()
    }

    /// The first and the last of numbers that no object may have because of this one.
    fn reserves(&self) -> Option<(&ExtensionNumber, &ExtensionNumber)> {
        None
    }

    /// Reports what looks wrong but can be saved; paths start with the field.
    fn doubts(&self, _report: &mut dyn FnMut(Problem)) {}

    /// Hands out the expressions that can be tried on the tenant's numbers, which a save does not know, always in the
    /// same order; `area` is the tenant's. Paths start with the field.
    fn expressions<'a>(&'a self, _area: &AreaCode, _visit: &mut dyn FnMut(Expression<'a>)) {}
}

/// Every kind with a detail, once: calls `$macro!` with
/// `Kind / field / its list / the mutations that create, update and delete it / the plan of a delete` per kind, where
/// `Kind` is the variant, the marker and the struct, and `field` the module. Virtual extensions and form defaults have
/// the form instead.
macro_rules! each_detail {
    ($macro:ident) => {
        $macro! {
            Extension / extension / extensions / extension_create / extension_update / extension_delete / extension_delete_plan,
            CallGroup / call_group / call_groups / call_group_create / call_group_update / call_group_delete / call_group_delete_plan,
            PickupGroup / pickup_group / pickup_groups / pickup_group_create / pickup_group_update / pickup_group_delete / pickup_group_delete_plan,
            SpyGroup / spy_group / spy_groups / spy_group_create / spy_group_update / spy_group_delete / spy_group_delete_plan,
            VoicemailBox / voicemail_box / voicemail_boxes / voicemail_box_create / voicemail_box_update / voicemail_box_delete / voicemail_box_delete_plan,
            MusicOnHold / music_on_hold / music_on_hold_classes / music_on_hold_create / music_on_hold_update / music_on_hold_delete / music_on_hold_delete_plan,
            PhoneBook / phone_book / phone_books / phone_book_create / phone_book_update / phone_book_delete / phone_book_delete_plan,
            ParkingLot / parking_lot / parking_lots / parking_lot_create / parking_lot_update / parking_lot_delete / parking_lot_delete_plan,
            MediaFile / media_file / media_files / media_file_create / media_file_update / media_file_delete / media_file_delete_plan,
            Condition / condition / conditions / condition_create / condition_update / condition_delete / condition_delete_plan,
            CallList / call_list / call_lists / call_list_create / call_list_update / call_list_delete / call_list_delete_plan,
            RoutingProfile / routing_profile / routing_profiles / routing_profile_create / routing_profile_update / routing_profile_delete / routing_profile_delete_plan,
            Provider / provider / providers / provider_create / provider_update / provider_delete / provider_delete_plan,
            CallerIdRuleSet / caller_id_rule_set / caller_id_rule_sets / caller_id_rule_set_create / caller_id_rule_set_update / caller_id_rule_set_delete / caller_id_rule_set_delete_plan,
            UserProfile / user_profile / user_profiles / user_profile_create / user_profile_update / user_profile_delete / user_profile_delete_plan,
            LdapServer / ldap_server / ldap_servers / ldap_server_create / ldap_server_update / ldap_server_delete / ldap_server_delete_plan,
            Did / did / dids / did_create / did_update / did_delete / did_delete_plan,
            Queue / queue / queues / queue_create / queue_update / queue_delete / queue_delete_plan,
            Ivr / ivr / ivrs / ivr_create / ivr_update / ivr_delete / ivr_delete_plan,
            HuntList / hunt_list / hunt_lists / hunt_list_create / hunt_list_update / hunt_list_delete / hunt_list_delete_plan,
            Phone / phone / phones / phone_create / phone_update / phone_delete / phone_delete_plan,
            Conference / conference / conferences / conference_create / conference_update / conference_delete / conference_delete_plan,
            PagingGroup / paging_group / paging_groups / paging_group_create / paging_group_update / paging_group_delete / paging_group_delete_plan,
            ShortNumber / short_number / short_numbers / short_number_create / short_number_update / short_number_delete / short_number_delete_plan,
            Flow / flow / flows / flow_create / flow_update / flow_delete / flow_delete_plan,
        }
    };
}
pub(crate) use each_detail;

/// The problem of a value that another field asks for.
fn required_when(why: &str) -> Problem {
    Problem::new(Code::RequiredWhen, format!("is required when {why}"))
}

/// Hands out the positions of entries whose key stands in the list before, each with its problem.
fn duplicates<K: PartialEq>(keys: &[K], report: &mut dyn FnMut(usize, Problem)) {
    for i in (0..keys.len()).filter(|&i| keys[..i].contains(&keys[i])) {
        report(i, Problem::new(Code::Duplicate, "stands in the list twice"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Id, ObjectId, Target, TenantId, Value, kind};
    use crate::form::{Cell, Place};
    use std::collections::{BTreeMap, BTreeSet};

    const SQL: &str = concat!(
        include_str!("../../migrations/sqlite/0003_objects.sql"),
        include_str!("../../migrations/sqlite/0005_referrers.sql")
    );

    /// A column: its name, and what stands behind it.
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
            let (name, column) = added.split_once(" ADD COLUMN ").unwrap();
            tables.get_mut(name).unwrap().push(column.split_once(' ').unwrap());
        }
        tables
    }

    fn names(columns: &[Column]) -> Vec<&'static str> {
        columns.iter().map(|(name, _)| *name).collect()
    }

    /// Takes the tables of one detail out of `tables`.
    fn compare<D: Detail>(tables: &mut BTreeMap<&'static str, Vec<Column>>) {
        let mut take = |name: &str| tables.remove(name).unwrap_or_else(|| panic!("there is no table {name}"));
        let mut expected = vec!["tenant_id", "object_id"];
        for (field, place) in D::COLUMNS.iter().zip(D::PLACES) {
            match place {
                Place::Column => expected.push(field),
                Place::Rows(rows) if rows.slotted => assert!(["link", "destination"].contains(&rows.table)),
                Place::Rows(rows) => {
                    let expected = [&["tenant_id", "owner_id", "position"], rows.columns].concat();
                    assert_eq!(names(&take(rows.table)), expected, "{}", rows.table);
                }
            }
        }
        assert_eq!(names(&take(D::TABLE)), expected, "{}", D::TABLE);
    }

    #[test]
    fn every_field_has_its_column_and_every_table_its_struct() {
        let mut left = tables();
        macro_rules! compare_all {
            ($($Kind:ident / $field:ident $(/ $name:ident)*,)+) => { $(compare::<$Kind>(&mut left);)+ };
        }
        each_detail!(compare_all);
        assert_eq!(left.into_keys().collect::<Vec<_>>(), Vec::<&str>::new());
    }

    #[test]
    fn every_kind_is_there_under_its_own_name() {
        let mut kinds = BTreeSet::new();
        macro_rules! collect {
            ($($Kind:ident / $field:ident $(/ $name:ident)*,)+) => {
                $(
                    assert_eq!(<$Kind as Detail>::KIND, Kind::$Kind);
                    assert_eq!(<kind::$Kind as Target>::KINDS, [Kind::$Kind]);
                    assert_eq!($Kind::TABLE, stringify!($field));
                    kinds.insert(Kind::$Kind.word());
                )+
            };
        }
        each_detail!(collect);
        let others = [Kind::VirtualExtension, Kind::FormDefaults].map(Kind::word);
        let all = Kind::ALL.iter().map(|k| k.word()).filter(|word| !others.contains(word));
        assert_eq!(kinds, all.collect());
    }

    #[test]
    fn every_reference_has_its_foreign_key_and_index() {
        for (table, columns) in tables() {
            let keyed = |name: &str| ["object_id", "owner_id"].contains(&name);
            // What is a switch, such as `say_caller_id`, refers to nothing.
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

    /// What is blank in a struct is what may be NULL in its table.
    #[test]
    fn a_new_object_needs_only_what_nobody_can_guess() {
        fn missing<D: Detail>(wanted: &mut Vec<String>) {
            let mut report = |p: Problem| {
                assert_eq!(p.code, Code::Required);
                wanted.push(format!("{}.{}", D::TABLE, p.path.join(".")));
            };
            let Some(detail) = D::build(&D::Patch::default(), &mut report) else { return };
            let stored = detail.store();
            assert!(D::load(stored.clone(), TenantId(1)).unwrap() == detail, "{}", D::TABLE);
            let cells =
                stored.into_iter().filter_map(|cell| if let Cell::Value(value) = cell { Some(value) } else { None });
            let tables = tables();
            for (value, column) in cells.zip(&tables[D::TABLE][2..]) {
                assert_eq!(value != Value::Null, not_null(*column), "{}.{}", D::TABLE, column.0);
            }
        }
        let mut wanted = Vec::new();
        macro_rules! missing_all {
            ($($Kind:ident / $field:ident $(/ $name:ident)*,)+) => { $(missing::<$Kind>(&mut wanted);)+ };
        }
        each_detail!(missing_all);
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
    fn references_are_named_by_their_path() {
        let provider = Id::new(ObjectId { tenant: TenantId(1), local: 7 });
        let route = RouteInput {
            pattern: async_graphql::MaybeUndefined::Value(crate::domain::PatternSent("^0".into())),
            provider_id: async_graphql::MaybeUndefined::Value(provider.object().opaque()),
            ..RouteInput::default()
        };
        let sent = RoutingProfileInput {
            routes: async_graphql::MaybeUndefined::Value(vec![route]),
            ..RoutingProfileInput::default()
        };
        let profile = RoutingProfile::build(&sent, &mut |p| panic!("{p:?}")).unwrap();
        assert_eq!(profile.routes.0[0].provider_id, Some(provider));
        let mut paths = Vec::new();
        profile.references(&mut |r| paths.push((r.path.join("."), r.kinds)));
        assert_eq!(paths, [("routes.0.providerId".to_owned(), &[Kind::Provider][..])]);
    }
}
