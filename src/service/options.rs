//! What a form's selects offer: the objects that a field can refer to.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, LazyLock};

use super::checkable::Asks;
use super::document::Document;
use super::facts;
use super::find::{Cursor, Find};
use crate::domain::{Kind, ObjectId};
use crate::form::{Info, Known, Leads, Place, camel};
use crate::objects::{KindInfo, infos};
use crate::store::{self, ObjectRow, Query, Result};

/// How many objects are read at once where not all of them fit.
const MANY: usize = 100;

/// The fields that refer to objects, each with the kinds that fit.
pub type Fields = BTreeMap<String, Vec<Kind>>;

/// What is offered for a field.
#[derive(Clone, Debug)]
pub struct Options {
    /// The field: `information.memberIds`, `queue.members.extensionId`.
    pub field: String,
    /// The object that has the field, whose choices are marked, and which is not offered itself.
    pub of: Option<ObjectId>,
    /// The beginnings of words that must be found.
    pub search: String,
    /// How many are wanted.
    pub first: usize,
    /// Behind which cursor they begin.
    pub after: Option<String>,
}

/// A page of what is offered.
#[derive(Debug, Default)]
pub struct Offered {
    /// The objects, each with whether it is chosen already, and its cursor.
    pub rows: Vec<(Arc<ObjectRow>, bool, String)>,
    /// Whether there are more behind them.
    pub more: bool,
}

fn collect(info: &Info, found: &mut Fields) {
    for field in &info.fields {
        for pointer in &field.pointers {
            let Leads::ById(kinds) = pointer.leads else { continue };
            let mut path = format!("{}.{}", info.client, field.client);
            if let Place::Rows(rows) = field.place
                && !rows.slotted
            {
                path = format!("{path}.{}", camel(pointer.column));
            }
            found.insert(path, kinds.to_vec());
        }
    }
}

/// Every reference that an object holds: its field, as [`fields`] names it, and where it leads.
fn held(query: &mut Query<'_>, row: &ObjectRow) -> Result<Vec<(String, ObjectId)>> {
    let start = KindInfo::of(row.kind).map(|kind| kind.detail.client.clone());
    let Some(document) = Document::load_one(query, row)? else { return Ok(Vec::new()) };
    let mut held = Vec::new();
    document.references(&mut |reference| {
        let steps = reference.path.into_iter().filter(|step| step.parse::<u32>().is_err());
        let path: Vec<_> = start.iter().cloned().chain(steps).collect();
        // What a destination leads to is the list's own choice.
        held.push((path.join(".").trim_end_matches(".objectId").to_owned(), reference.object));
    });
    Ok(held)
}

/// The fields that refer to objects: sections and fields of the form, and kinds and fields of other objects.
pub fn fields() -> &'static Fields {
    static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
        let mut found = Fields::new();
        infos().for_each(|info| collect(info, &mut found));
        found
    });
    &FIELDS
}

/// Whether an object can be chosen for a field that asks for more than the kind.
fn fits(field: &str, known: Option<&Known>) -> bool {
    match field {
        "security.workingHoursConditionId" => known.is_some_and(|known| known.of_time),
        "webUserPanel.userProfileId" => known.is_some_and(|known| known.for_panel),
        _ => true,
    }
}

impl Options {
    /// The kinds that fit, and where in them the page begins.
    ///
    /// # Errors
    /// One sentence: there is no such field, the search has too many words, or the cursor is none.
    fn lists(&self) -> std::result::Result<Vec<(Kind, Find, Option<Cursor>)>, String> {
        let Self { field, search, after, .. } = self;
        let Some(kinds) = fields().get(field) else {
            let start = field.split_once('.').map_or("", |(start, _)| start);
            let near: Vec<_> =
                fields().keys().filter(|known| known.split('.').next() == Some(start)).map(String::as_str).collect();
            let near = if near.is_empty() { "information.memberIds".to_owned() } else { near.join(", ") };
            return Err(format!("for must name a field that refers to objects, such as {near}; it is {field:?}."));
        };
        let find = |kind: Kind| Find::all(kind).searched(search);
        let Some(after) = after else {
            return kinds.iter().map(|kind| Ok((*kind, find(*kind)?, None))).collect();
        };
        let wrong = || "after must be a cursor that this field has answered.".to_owned();
        let (kind, cursor) = after.split_once(':').ok_or_else(wrong)?;
        let from = kinds.iter().position(|known| known.word() == kind).ok_or_else(wrong)?;
        let list = |kind: &Kind| {
            let find = find(*kind)?;
            let cursor = match kind == &kinds[from] {
                true => Some(find.place(cursor).ok_or_else(wrong)?),
                false => None,
            };
            Ok((*kind, find, cursor))
        };
        kinds[from..].iter().map(list).collect()
    }

    /// Checks what is asked.
    ///
    /// # Errors
    /// One sentence on what is wrong.
    pub fn check(&self) -> std::result::Result<(), String> {
        self.lists().map(drop)
    }

    /// The page: kind by kind, each in the order of its list. Every kind is asked, even when the page is full, so that the
    /// number of statements does not depend on its length.
    ///
    /// # Errors
    /// What the store answers.
    pub fn page(&self, query: &mut Query<'_>, now: i64) -> Result<Offered> {
        let chosen = self.chosen(query)?;
        // Besides the page, the object itself and one that says that there are more; where not all of a kind fits, many.
        let length = if fits(&self.field, None) { self.first + 2 } else { self.first + MANY };
        let mut offered = Offered::default();
        for (kind, find, mut after) in self.lists().unwrap_or_default() {
            loop {
                let page = find.page(query, length, after.as_ref())?;
                after = page.rows.last().and_then(|(_, cursor)| find.place(cursor));
                let known = self.known(query, &page.rows, now)?;
                for (row, cursor) in page.rows {
                    if Some(row.id) == self.of || !fits(&self.field, known.get(&row.id)) {
                        continue;
                    }
                    if offered.rows.len() == self.first {
                        offered.more = true;
                        break;
                    }
                    let marked = chosen.contains(&row.id);
                    offered.rows.push((row, marked, format!("{}:{cursor}", kind.word())));
                }
                if !page.more || offered.more {
                    break;
                }
            }
        }
        Ok(offered)
    }

    /// What `of` has chosen in the field.
    fn chosen(&self, query: &mut Query<'_>) -> Result<HashSet<ObjectId>> {
        let Some(of) = self.of.filter(|of| of.tenant == query.tenant()) else { return Ok(HashSet::new()) };
        let Some(row) = store::load_objects(query, &[of.local])?.remove(&of.local) else { return Ok(HashSet::new()) };
        let held = held(query, &row)?;
        Ok(held.into_iter().filter(|(field, _)| *field == self.field).map(|(_, object)| object).collect())
    }

    /// What of the offered objects must be known to say whether they fit.
    fn known(
        &self,
        query: &mut Query<'_>,
        rows: &[(Arc<ObjectRow>, String)],
        now: i64,
    ) -> Result<std::collections::HashMap<ObjectId, Known>> {
        // Most fields ask for nothing but the kind.
        if fits(&self.field, None) {
            return Ok(std::collections::HashMap::new());
        }
        let objects = rows.iter().map(|(row, _)| row.id).collect();
        let tenant = store::current_tenant(query)?;
        Ok(facts::gather(query, &tenant, Asks { objects, conditions: true, ..Asks::default() }, now)?.known)
    }
}
