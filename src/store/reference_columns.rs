//! The columns that can refer to an object, collected once from the [`Pointer`]s of all sections and details. A test
//! compares them with the foreign keys of a live database.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use super::objects::ObjectRow;
use crate::domain::{Kind, Value, opaque};
use crate::form::{Form, Place, Pointer, ReferenceBy, SectionInfo, camel};
use crate::objects::KindInfo;

/// The position of a reference among all references to an object, which are sorted by owner and then by column.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ReferencePlace {
    /// The object that refers.
    pub owner: i64,
    /// The index of the column in [`reference_columns`].
    pub source: usize,
    /// The field, if several fields share the column.
    pub slot: String,
    /// The index in the field's list.
    pub position: i64,
}

impl ReferencePlace {
    /// The opaque cursor that clients see.
    pub fn cursor(&self) -> String {
        let Self { owner, source, slot, position } = self;
        opaque::write(format!("{owner}.{source}.{position}.{slot}"))
    }

    /// Decodes a cursor; `None` if it is not one that a server has created.
    pub fn from_cursor(cursor: &str) -> Option<Self> {
        let plain = opaque::read(cursor)?;
        let mut parts = plain.splitn(4, '.');
        let mut next = || parts.next();
        let (owner, source, position) = (next()?.parse().ok()?, next()?.parse().ok()?, next()?.parse().ok()?);
        // PostgreSQL cannot store NUL.
        let slot = next().filter(|slot| !slot.contains('\0'))?.to_owned();
        Some(Self { owner, source, slot, position }).filter(|p| p.owner > 0 && p.source < reference_columns().len())
    }
}

/// A column that refers to objects.
#[derive(Debug)]
pub struct ReferenceColumn {
    /// The table.
    pub table: &'static str,
    /// The column in it.
    pub column: &'static str,
    /// The kinds that it refers to by id; `None` if it refers to any object by number.
    pub kinds: Option<Vec<Kind>>,
    /// Whether one owner can have several rows in the table.
    listed: bool,
    /// The field; `None` if several fields share the column, and each row names its own in `slot`.
    field: Option<&'static str>,
    /// The section of each field, for fields of forms.
    sections: HashMap<&'static str, &'static SectionInfo>,
    pub(super) statements: ReferenceStatements,
}

/// The statements for a column.
#[derive(Debug)]
pub(super) struct ReferenceStatements {
    /// The first references to one target, read from the index until there are enough.
    pub(super) one: &'static str,
    /// The first references to each of several targets.
    pub(super) page: &'static str,
    /// The number of references by the kind of their owner.
    pub(super) count: &'static str,
}

fn statements(table: &str, column: &str, by_key: bool, listed: bool, slotted: bool) -> ReferenceStatements {
    let owner = if listed { "owner_id" } else { "object_id" };
    // References of an object to itself do not count.
    let others =
        if by_key { format!("s.{owner} <> s.{column}") } else { format!("coalesce(o.number, '') <> s.{column}") };
    let from = |which: &str| {
        format!(
            "FROM {table} s JOIN pbx_object o ON o.tenant_id = s.tenant_id AND o.object_id = s.{owner} \
             WHERE s.tenant_id = $1 AND s.{column} = {which} AND o.kind = ANY($3) AND {others}"
        )
    };
    let (of_one, of_several) = (from("$2"), from("ANY($2)"));
    let (names, key, behind) = match (listed, slotted) {
        (true, true) => ("s.owner_id, s.slot, s.position", "s.owner_id, s.slot, s.position", "($5, $6, $7)"),
        (true, false) => ("s.owner_id, '' AS slot, s.position", "s.owner_id, s.position", "($5, $6)"),
        (false, _) => ("s.object_id AS owner_id, '' AS slot, 0 AS position", "s.object_id", "($5)"),
    };
    let page = format!(
        "SELECT target, owner_id, slot, position FROM (SELECT s.{column} AS target, {names}, \
         row_number() OVER (PARTITION BY s.{column} ORDER BY {key}) AS place {of_several} AND ({key}) > {behind}) r \
         WHERE place <= $4"
    );
    let one = format!("SELECT s.{column} AS target, {names} {of_one} AND ({key}) > {behind} ORDER BY {key} LIMIT $4");
    let count = format!("SELECT s.{column}, o.kind, count(*) {of_several} GROUP BY s.{column}, o.kind");
    let [one, page, count] = [one, page, count].map(|sql| &*Box::leak(sql.into_boxed_str()));
    ReferenceStatements { one, page, count }
}

fn collect_columns(info: &'static SectionInfo, is_of_form: bool, found: &mut Vec<ReferenceColumn>) {
    for field in &info.fields {
        let name = field.name;
        for &Pointer { column, by } in &field.pointers {
            let (table, listed, slotted) = match field.place {
                Place::Column => (info.table, false, false),
                Place::Rows(rows) => (rows.table, true, rows.slotted),
            };
            let kinds = match by {
                ReferenceBy::Id(kinds) => Some(kinds.to_vec()),
                ReferenceBy::Number => None,
            };
            let index = found.iter().position(|source| (source.table, source.column) == (table, column));
            let index = index.unwrap_or_else(|| {
                let statements = statements(table, column, kinds.is_some(), listed, slotted);
                let (kinds, sections) = (kinds.as_ref().map(|_| Vec::new()), HashMap::new());
                let field = (!slotted).then_some(name);
                found.push(ReferenceColumn { table, column, kinds, listed, field, sections, statements });
                found.len() - 1
            });
            let source = &mut found[index];
            source.sections.extend(is_of_form.then_some((name, info)));
            if let (Some(all), Some(more)) = (&mut source.kinds, kinds) {
                all.extend(more);
            }
        }
    }
}

/// All columns that refer to objects.
pub fn reference_columns() -> &'static [ReferenceColumn] {
    static COLUMNS: OnceLock<Vec<ReferenceColumn>> = OnceLock::new();
    COLUMNS.get_or_init(|| {
        let mut found = Vec::new();
        Form::infos().iter().for_each(|info| collect_columns(info, true, &mut found));
        KindInfo::all().iter().for_each(|kind| collect_columns(kind.detail, false, &mut found));
        found
    })
}

impl ReferenceColumn {
    /// The path of the field that a row belongs to, as clients write it.
    pub(super) fn path(&self, owner: &ObjectRow, slot: &str, position: i64) -> Vec<String> {
        let field = self.field.unwrap_or(slot);
        let form = matches!(owner.kind, Kind::VirtualExtension | Kind::FormDefaults);
        let section = self.sections.get(field).filter(|_| form).map(|section| section.client_name.clone());
        let mut path: Vec<_> = section.into_iter().chain([camel(field)]).collect();
        if self.listed {
            path.push(position.to_string());
            match (self.table, self.column) {
                ("link", _) => {}
                ("destination", "target_id") => path.push("objectId".into()),
                (_, column) => path.push(camel(column)),
            }
        }
        path
    }

    /// The last parameters of the page statement, which select the references after a position. `source` is the index
    /// of this column.
    pub(super) fn params_after(&self, source: usize, after: Option<&ReferencePlace>) -> Vec<Value> {
        const LAST: &str = "\u{10FFFF}";
        let Some(after) = after else { return self.key_columns([0.into(), "".into(), 0.into()]) };
        self.key_columns(match source.cmp(&after.source) {
            Ordering::Less => [after.owner.into(), LAST.into(), i64::MAX.into()],
            Ordering::Equal => [after.owner.into(), after.slot.as_str().into(), after.position.into()],
            Ordering::Greater => [(after.owner - 1).into(), LAST.into(), i64::MAX.into()],
        })
    }

    /// The parts of the sort key that the page statement uses.
    fn key_columns(&self, [owner, slot, position]: [Value; 3]) -> Vec<Value> {
        match (self.listed, self.field) {
            (false, _) => vec![owner],
            (true, Some(_)) => vec![owner, position],
            (true, None) => vec![owner, slot, position],
        }
    }

    /// The values of the column that refer to `targets`, each with the target's id. Targets that it cannot refer to are
    /// left out.
    pub(super) fn values(&self, targets: &[Arc<ObjectRow>]) -> HashMap<Value, i64> {
        let fits = |target: &&Arc<ObjectRow>| self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&target.kind));
        let value = |target: &Arc<ObjectRow>| match &self.kinds {
            Some(_) => Some((Value::Int(target.id.local), target.id.local)),
            None => target.number.as_deref().map(|number| (number.into(), target.id.local)),
        };
        targets.iter().filter(fits).filter_map(value).collect()
    }
}
