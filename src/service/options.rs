//! The options of a form's select fields: the objects that a field can refer to.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use super::checkable::Lookups;
use super::document::Document;
use super::find::{Cursor, Find};
use super::tenant_facts;
use crate::domain::{Kind, ObjectId};
use crate::form::{Place, ReferenceBy, ReferencedObject, SectionInfo, camel};
use crate::objects::{KindInfo, infos};
use crate::store::{self, ObjectRow, Query, Result};

/// How many more objects are read at once if some of a kind may not be allowed.
const CHUNK: usize = 100;

/// The fields that refer to objects, each with its allowed kinds.
pub type Fields = BTreeMap<String, Vec<Kind>>;

/// A request for the options of a field.
#[derive(Clone, Debug)]
pub struct Options {
    /// The field: `information.memberIds`, `queue.members.extensionId`.
    pub field: String,
    /// The object with the field: its current choices are marked, and it is not offered itself.
    pub of: Option<ObjectId>,
    /// Prefixes of words that the objects must have.
    pub search: String,
    /// The maximum number of options.
    pub first: usize,
    /// The cursor after which the page begins.
    pub after: Option<String>,
}

/// A page of options.
#[derive(Debug, Default)]
pub struct OptionPage {
    /// The objects, each with whether it is already chosen, and its cursor.
    pub rows: Vec<(Arc<ObjectRow>, bool, String)>,
    /// Whether there are more options.
    pub more: bool,
}

fn collect(info: &SectionInfo, found: &mut Fields) {
    for field in &info.fields {
        for pointer in &field.pointers {
            let ReferenceBy::Id(kinds) = pointer.by else { continue };
            let mut path = format!("{}.{}", info.client_name, field.client_name);
            if let Place::Rows(rows) = field.place
                && !rows.slotted
            {
                path = format!("{path}.{}", camel(pointer.column));
            }
            found.insert(path, kinds.to_vec());
        }
    }
}

/// Every reference in an object: the name of its field, as in [`fields`], and the object that it refers to.
fn references_of(query: &mut Query<'_>, row: &ObjectRow) -> Result<Vec<(String, ObjectId)>> {
    let start = KindInfo::for_kind(row.kind).map(|kind| kind.detail.client_name.clone());
    let Some(document) = Document::load_one(query, row)? else { return Ok(Vec::new()) };
    let mut references = Vec::new();
    document.references(&mut |reference| {
        let steps = reference.path.into_iter().filter(|step| step.parse::<u32>().is_err());
        let path: Vec<_> = start.iter().cloned().chain(steps).collect();
        // The object of a destination is a choice of the list.
        references.push((path.join(".").trim_end_matches(".objectId").to_owned(), reference.object));
    });
    Ok(references)
}

/// The fields that refer to objects, named by section and field for a form, and by kind and field for other objects.
pub fn fields() -> &'static Fields {
    static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
        let mut found = Fields::new();
        infos().for_each(|info| collect(info, &mut found));
        found
    });
    &FIELDS
}

/// Whether an object can be chosen for a field. Some fields require more than a certain kind.
fn is_allowed(field: &str, known: Option<&ReferencedObject>) -> bool {
    match field {
        "security.workingHoursConditionId" => known.is_some_and(|known| known.time_only),
        "webUserPanel.userProfileId" => known.is_some_and(|known| known.for_panel),
        _ => true,
    }
}

impl Options {
    /// The allowed kinds, and where the page begins in them.
    ///
    /// # Errors
    /// One sentence: the field does not exist, the search has too many words, or the cursor is not valid.
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
        let wrong = || "after must be a cursor from this field.".to_owned();
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

    /// Checks the request.
    ///
    /// # Errors
    /// One sentence that says what is wrong.
    pub fn check(&self) -> std::result::Result<(), String> {
        self.lists().map(drop)
    }

    /// The page: kind by kind, each in the order of its list. Every kind is queried, even if the page is full, so that
    /// the number of statements does not depend on its length.
    ///
    /// # Errors
    /// Errors of the store.
    pub fn page(&self, query: &mut Query<'_>, now: i64) -> Result<OptionPage> {
        let chosen = self.chosen(query)?;
        // The page, the object itself, and one more to see whether there are more. If objects of a kind may not be
        // allowed, many more.
        let length = if is_allowed(&self.field, None) { self.first + 2 } else { self.first + CHUNK };
        let mut offered = OptionPage::default();
        for (kind, find, mut after) in self.lists().unwrap_or_default() {
            loop {
                let page = find.page(query, length, after.as_ref())?;
                after = page.rows.last().and_then(|(_, cursor)| find.place(cursor));
                let known = self.properties(query, &page.rows, now)?;
                for (row, cursor) in page.rows {
                    if Some(row.id) == self.of || !is_allowed(&self.field, known.get(&row.id)) {
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

    /// The objects that `of` has chosen in the field.
    fn chosen(&self, query: &mut Query<'_>) -> Result<HashSet<ObjectId>> {
        let Some(of) = self.of.filter(|of| of.tenant == query.tenant()) else { return Ok(HashSet::new()) };
        let Some(row) = store::load_objects(query, &[of.local])?.remove(&of.local) else { return Ok(HashSet::new()) };
        let references = references_of(query, &row)?;
        Ok(references.into_iter().filter(|(field, _)| *field == self.field).map(|(_, object)| object).collect())
    }

    /// Loads what decides whether the offered objects are allowed.
    fn properties(
        &self,
        query: &mut Query<'_>,
        rows: &[(Arc<ObjectRow>, String)],
        now: i64,
    ) -> Result<HashMap<ObjectId, ReferencedObject>> {
        // Most fields only require certain kinds.
        if is_allowed(&self.field, None) {
            return Ok(HashMap::new());
        }
        let objects = rows.iter().map(|(row, _)| row.id).collect();
        let tenant = store::current_tenant(query)?;
        Ok(tenant_facts::load(query, &tenant, Lookups { objects, conditions: true, ..Lookups::default() }, now)?
            .referenced)
    }
}
