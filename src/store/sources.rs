//! The columns that can lead to an object: found once, from what the sections and details say of their fields
//! ([`Pointer`]). A test compares them with the foreign keys of the live database.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use super::objects::ObjectRow;
use crate::domain::{Kind, Value, opaque};
use crate::form::{Form, Place, Pointer, ReferenceBy, SectionInfo, camel};
use crate::objects::KindInfo;

/// Where a reference stands among all references to an object: they come by owner, then by column.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ReferencePlace {
    /// The object that refers.
    pub owner: i64,
    /// The number of the column in [`sources`].
    pub source: usize,
    /// The field, where several share the column.
    pub slot: String,
    /// The position in the field's list.
    pub position: i64,
}

impl ReferencePlace {
    /// The position in the opaque form that clients see.
    pub fn cursor(&self) -> String {
        let Self { owner, source, slot, position } = self;
        opaque::write(format!("{owner}.{source}.{position}.{slot}"))
    }

    /// The position behind a cursor; `None` for what no server has answered.
    pub fn of(cursor: &str) -> Option<Self> {
        let plain = opaque::read(cursor)?;
        let mut parts = plain.splitn(4, '.');
        let mut next = || parts.next();
        let (owner, source, position) = (next()?.parse().ok()?, next()?.parse().ok()?, next()?.parse().ok()?);
        // PostgreSQL cannot keep a NUL.
        let slot = next().filter(|slot| !slot.contains('\0'))?.to_owned();
        Some(Self { owner, source, slot, position }).filter(|p| p.owner > 0 && p.source < sources().len())
    }
}

/// A column that leads to objects.
#[derive(Debug)]
pub struct ReferenceColumn {
    /// The table.
    pub table: &'static str,
    /// The column in it.
    pub column: &'static str,
    /// The kinds that it leads to by their keys; `None` when it leads to whatever has the number.
    pub kinds: Option<Vec<Kind>>,
    /// Whether several rows of the table belong to one owner.
    listed: bool,
    /// The field, unless several share the column: then the rows name it.
    field: Option<&'static str>,
    /// The sections of the fields of forms.
    sections: HashMap<&'static str, &'static SectionInfo>,
    pub(super) statements: Statements,
}

/// What is asked of a column.
#[derive(Debug)]
pub(super) struct Statements {
    /// The first rows that lead to one target: read from the index until there are enough.
    pub(super) one: &'static str,
    /// The first rows for each of several targets.
    pub(super) page: &'static str,
    /// How many there are, by the kind of what refers.
    pub(super) count: &'static str,
}

fn statements(table: &str, column: &str, by_key: bool, listed: bool, slotted: bool) -> Statements {
    let owner = if listed { "owner_id" } else { "object_id" };
    // What an object says of itself does not count.
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
    Statements { one, page, count }
}

fn collect(info: &'static SectionInfo, is_of_form: bool, found: &mut Vec<ReferenceColumn>) {
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
            let known = found.iter().position(|source| (source.table, source.column) == (table, column));
            let known = known.unwrap_or_else(|| {
                let statements = statements(table, column, kinds.is_some(), listed, slotted);
                let (kinds, sections) = (kinds.as_ref().map(|_| Vec::new()), HashMap::new());
                let field = (!slotted).then_some(name);
                found.push(ReferenceColumn { table, column, kinds, listed, field, sections, statements });
                found.len() - 1
            });
            let source = &mut found[known];
            source.sections.extend(is_of_form.then_some((name, info)));
            if let (Some(all), Some(more)) = (&mut source.kinds, kinds) {
                all.extend(more);
            }
        }
    }
}

/// Every column that leads to objects.
pub fn sources() -> &'static [ReferenceColumn] {
    static SOURCES: OnceLock<Vec<ReferenceColumn>> = OnceLock::new();
    SOURCES.get_or_init(|| {
        let mut found = Vec::new();
        Form::infos().iter().for_each(|info| collect(info, true, &mut found));
        KindInfo::all().iter().for_each(|kind| collect(kind.detail, false, &mut found));
        found
    })
}

impl ReferenceColumn {
    /// The field of a row, as clients write it.
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

    /// The last three parameters of the page: what lies behind a position among all references.
    pub(super) fn behind(&self, source: usize, after: Option<&ReferencePlace>) -> Vec<Value> {
        const LAST: &str = "\u{10FFFF}";
        let Some(after) = after else { return self.cut([0.into(), "".into(), 0.into()]) };
        self.cut(match source.cmp(&after.source) {
            Ordering::Less => [after.owner.into(), LAST.into(), i64::MAX.into()],
            Ordering::Equal => [after.owner.into(), after.slot.as_str().into(), after.position.into()],
            Ordering::Greater => [(after.owner - 1).into(), LAST.into(), i64::MAX.into()],
        })
    }

    /// What of a key the page's statement has.
    fn cut(&self, [owner, slot, position]: [Value; 3]) -> Vec<Value> {
        match (self.listed, self.field) {
            (false, _) => vec![owner],
            (true, Some(_)) => vec![owner, position],
            (true, None) => vec![owner, slot, position],
        }
    }

    /// The values of the column that lead to `targets`, if any can: each with the target's key.
    pub(super) fn values(&self, targets: &[Arc<ObjectRow>]) -> HashMap<Value, i64> {
        let fits = |target: &&Arc<ObjectRow>| self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&target.kind));
        let value = |target: &Arc<ObjectRow>| match &self.kinds {
            Some(_) => Some((Value::Int(target.id.local), target.id.local)),
            None => target.number.as_deref().map(|number| (number.into(), target.id.local)),
        };
        targets.iter().filter(fits).filter_map(value).collect()
    }
}
