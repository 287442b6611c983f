//! What refers to an object: every column of the database that can lead to one, found once, in one place.
//!
//! The list comes from what the sections and details say of their fields ([`Pointer`]); a test compares it with the
//! foreign keys of the live database. A reference is hard when it is a foreign key, soft when it is a text that equals
//! the object's number.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::Result;
use super::objects::{self as rows, ObjectRow};
use super::session::{Query, column};
use crate::domain::{Kind, Scalar as _, Value};
use crate::form::{self, Described, Leads, Place, Pointer, Section, camel, each_section};
use crate::objects::{self, each_detail};

/// A column that leads to objects.
#[derive(Debug)]
pub struct Source {
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
    sections: HashMap<&'static str, &'static str>,
    statements: Statements,
}

/// What is asked of a column.
#[derive(Debug)]
struct Statements {
    /// The first rows that lead to one target: read from the index until there are enough.
    one: &'static str,
    /// The first rows for each of several targets.
    page: &'static str,
    /// How many there are, by the kind of what refers.
    count: &'static str,
}

/// One reference to an object.
#[derive(Clone, Debug)]
pub struct ReferenceRow {
    /// The object that refers.
    pub owner: Arc<ObjectRow>,
    /// Where it does, as clients write it: `additionalDestinations`, `onBusy`, `0`, `objectId`.
    pub path: Vec<String>,
    /// Whether it is a foreign key, and not a text that equals the number.
    pub hard: bool,
    /// Where it stands among all references to the object.
    pub position: ReferencePlace,
}

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
        URL_SAFE_NO_PAD.encode(format!("{owner}.{source}.{position}.{slot}"))
    }

    /// The position behind a cursor; `None` for what no server has answered.
    pub fn of(cursor: &str) -> Option<Self> {
        let plain = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let mut parts = plain.splitn(4, '.');
        let mut next = || parts.next();
        let (owner, source, position) = (next()?.parse().ok()?, next()?.parse().ok()?, next()?.parse().ok()?);
        // PostgreSQL cannot keep a NUL.
        let slot = next().filter(|slot| !slot.contains('\0'))?.to_owned();
        Some(Self { owner, source, slot, position }).filter(|p| p.owner > 0 && p.source < sources().len())
    }
}

/// What is asked of the references to some objects.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Asked {
    /// Only those of objects of these kinds; `None` is all.
    pub kinds: Option<Vec<Kind>>,
    /// Only those behind this one.
    pub after: Option<ReferencePlace>,
    /// At most so many.
    pub limit: i64,
}

/// How many objects' fields refer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReferenceCount {
    /// What refers.
    pub kind: Kind,
    /// Whether by foreign keys, and not by texts that equal the number.
    pub hard: bool,
    /// How many do.
    pub count: i64,
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

fn collect<S: Section>(section: Option<&'static str>, found: &mut Vec<Source>) {
    for Described { name, place, pointers, .. } in S::describe() {
        for Pointer { column, leads } in pointers {
            let (table, listed, slotted) = match place {
                Place::Column => (S::TABLE, false, false),
                Place::Rows(rows) => (rows.table, true, rows.slotted),
            };
            let kinds = match leads {
                Leads::ById(kinds) => Some(kinds.to_vec()),
                Leads::ByNumber => None,
            };
            let known = found.iter().position(|source| (source.table, source.column) == (table, column));
            let known = known.unwrap_or_else(|| {
                let statements = statements(table, column, kinds.is_some(), listed, slotted);
                let (kinds, sections) = (kinds.as_ref().map(|_| Vec::new()), HashMap::new());
                let field = (!slotted).then_some(name);
                found.push(Source { table, column, kinds, listed, field, sections, statements });
                found.len() - 1
            });
            let source = &mut found[known];
            source.sections.extend(section.map(|section| (name, section)));
            if let (Some(all), Some(more)) = (&mut source.kinds, kinds) {
                all.extend(more);
            }
        }
    }
}

macro_rules! of_form {
    ($($name:ident: $Section:ident / $Patch:ident / $Update:ident / $update:ident,)+) => {
        fn of_form(found: &mut Vec<Source>) {
            $(collect::<form::$Section>(Some(stringify!($name)), found);)+
        }
    };
}
each_section!(of_form);

macro_rules! of_details {
    ($($Kind:ident / $field:ident $(/ $name:ident)*,)+) => {
        fn of_details(found: &mut Vec<Source>) {
            $(collect::<objects::$Kind>(None, found);)+
        }
    };
}
each_detail!(of_details);

/// Every column that leads to objects.
pub fn sources() -> &'static [Source] {
    static SOURCES: OnceLock<Vec<Source>> = OnceLock::new();
    SOURCES.get_or_init(|| {
        let mut found = Vec::new();
        of_form(&mut found);
        of_details(&mut found);
        found
    })
}

impl Source {
    /// The field of a row, as clients write it.
    fn path(&self, owner: &ObjectRow, slot: &str, position: i64) -> Vec<String> {
        let field = self.field.unwrap_or(slot);
        let form = matches!(owner.kind, Kind::VirtualExtension | Kind::FormDefaults);
        let section = self.sections.get(field).filter(|_| form).map(|section| camel(section));
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
    fn behind(&self, source: usize, after: Option<&ReferencePlace>) -> Vec<Value> {
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
    fn values(&self, targets: &[Arc<ObjectRow>]) -> HashMap<Value, i64> {
        let fits = |target: &&Arc<ObjectRow>| self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&target.kind));
        let value = |target: &Arc<ObjectRow>| match &self.kinds {
            Some(_) => Some((Value::Int(target.id.local), target.id.local)),
            None => target.number.as_deref().map(|number| (number.into(), target.id.local)),
        };
        targets.iter().filter(fits).filter_map(value).collect()
    }
}

fn words(kinds: Option<&[Kind]>) -> Value {
    kinds.unwrap_or(Kind::ALL).iter().map(|kind| kind.word().to_owned()).collect()
}

/// What is bound to `= ANY($2)`.
fn any(values: &HashMap<Value, i64>, by_key: bool) -> Value {
    if by_key {
        values.values().copied().collect()
    } else {
        values.keys().filter_map(|value| value.text().map(str::to_owned)).collect()
    }
}

/// The first references to each of some objects, in order. The number of statements does not depend on how many.
///
/// # Errors
/// What the engine answers.
pub fn references(
    query: &mut Query<'_>,
    targets: &[Arc<ObjectRow>],
    asked: &Asked,
) -> Result<HashMap<i64, Vec<ReferenceRow>>> {
    let mut found: Vec<(i64, ReferencePlace)> = Vec::new();
    for (i, source) in sources().iter().enumerate() {
        let values = source.values(targets);
        if values.is_empty() {
            continue;
        }
        let (sql, which) = match (targets, values.keys().next()) {
            ([_], Some(one)) => (source.statements.one, one.clone()),
            _ => (source.statements.page, any(&values, source.kinds.is_some())),
        };
        let head = [which, words(asked.kinds.as_deref()), asked.limit.into()];
        let params = [head.to_vec(), source.behind(i, asked.after.as_ref())].concat();
        query.each(sql, &params, &mut |row| {
            let Some(target) = row.first().and_then(|value| values.get(value)) else { return Ok(()) };
            let slot = column!(row, 2, text)?.to_owned();
            let (owner, position) = (column!(row, 1, int)?, column!(row, 3, int)?);
            found.push((*target, ReferencePlace { owner, source: i, slot, position }));
            Ok(())
        })?;
    }
    let owners: HashSet<i64> = found.iter().map(|(_, position)| position.owner).collect();
    let owners = rows::load(query, &owners.into_iter().collect::<Vec<_>>())?;
    let owners: HashMap<i64, Arc<ObjectRow>> = owners.into_iter().map(|(id, row)| (id, Arc::new(row))).collect();
    found.sort_by(|a, b| a.1.cmp(&b.1));
    let mut lists: HashMap<i64, Vec<ReferenceRow>> = HashMap::new();
    for (target, position) in found {
        let Some(owner) = owners.get(&position.owner) else { continue };
        let list = lists.entry(target).or_default();
        if (list.len() as i64) < asked.limit {
            let source = &sources()[position.source];
            let path = source.path(owner, &position.slot, position.position);
            list.push(ReferenceRow { owner: Arc::clone(owner), path, hard: source.kinds.is_some(), position });
        }
    }
    Ok(lists)
}

/// How many references there are to each of some objects: hard and soft ones by the kind of what refers.
///
/// # Errors
/// What the engine answers.
pub fn count_references(
    query: &mut Query<'_>,
    targets: &[Arc<ObjectRow>],
    kinds: Option<&[Kind]>,
) -> Result<HashMap<i64, Vec<ReferenceCount>>> {
    let mut counts: HashMap<i64, BTreeMap<(&'static str, bool), i64>> = HashMap::new();
    for source in sources() {
        let (values, hard) = (source.values(targets), source.kinds.is_some());
        if values.is_empty() {
            continue;
        }
        query.each(source.statements.count, &[any(&values, hard), words(kinds)], &mut |row| {
            let kind = Kind::from_value(row.get(1).cloned().unwrap_or(Value::Null))?;
            if let Some(target) = row.first().and_then(|value| values.get(value)) {
                *counts.entry(*target).or_default().entry((kind.word(), hard)).or_default() += column!(row, 2, int)?;
            }
            Ok(())
        })?;
    }
    let count =
        |((word, hard), count): ((&str, bool), i64)| Kind::of(word).map(|kind| ReferenceCount { kind, hard, count });
    Ok(counts.into_iter().map(|(id, counts)| (id, counts.into_iter().filter_map(count).collect())).collect())
}
