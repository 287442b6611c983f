//! Writing the answer: all that it says has been read.

use bytes::Bytes;

use super::found::{
    Found, FoundNode, FoundPage, FoundRoot, FoundRow, FoundValue, FoundWorked, Loaded, LoadedList, of_tenant,
};
use super::reading::{List, Reading};
use super::shape::{
    Change, Entry, Fields, Info, Objects, OfEdge, OfObject, OfPage, OfThing, Plan, Root, Shape, Step, Tenant, Value,
    What, Worked,
};
use super::table::Table;
use super::unplanned::{Result, Unplanned};
use crate::domain::{ObjectId, Scalar as _, json};
use crate::form::Section;
use crate::graphql::layer::{OfPageInfo, OfRow, OfStep};
use crate::graphql::prices::LEAVES;
use crate::store::TenantRow;

/// The answer's `data`, and what it has cost: an object costs 1, and 1 more for every so many plain fields; see
/// `graphql/cost.rs`.
pub fn write(plan: &Plan, found: &Found, longest: usize) -> Result<(Bytes, u64)> {
    let mut writer = Writer::new(plan, found, longest);
    let mut roots = found.root.iter();
    let spent = writer.fields(&plan.root, |writer, root| {
        let found = roots.next().ok_or(Unplanned::Error)?;
        writer.root(root, found)
    })?;
    Ok((writer.json.into(), spent))
}

/// What is written of a root field: its value.
pub struct Part {
    json: Vec<u8>,
    spent: Spent,
}

/// What is written of one root field.
pub fn part(plan: &Plan, root: &Root, (found, of): (&Found, &FoundRoot), longest: usize) -> Result<Part> {
    let mut writer = Writer::new(plan, found, longest);
    let spent = writer.root(root, of)?;
    Ok(Part { json: writer.json, spent })
}

/// The answer that consists of these parts, and what it has cost.
pub fn join(plan: &Plan, parts: &[Part], longest: usize) -> Result<(Bytes, u64)> {
    let found = Found::default();
    let (mut writer, mut parts) = (Writer::new(plan, &found, longest), parts.iter());
    let spent = writer.fields(&plan.root, |writer, _| {
        let Part { json, spent } = parts.next().ok_or(Unplanned::Error)?;
        writer.json.extend_from_slice(json);
        Ok(*spent)
    })?;
    Ok((writer.json.into(), spent))
}

/// What a part of an answer has cost.
#[derive(Clone, Copy, Default)]
struct Spent {
    cost: u64,
    /// The plain fields.
    leaves: u64,
}

impl Spent {
    const LEAF: Self = Self { cost: 0, leaves: 1 };

    fn of(cost: u64) -> Self {
        Self { cost, leaves: 0 }
    }
}

struct Writer<'f> {
    found: &'f Found,
    columns: &'f [OfRow],
    json: Vec<u8>,
    longest: usize,
}

impl<'f> Writer<'f> {
    fn new(plan: &'f Plan, found: &'f Found, longest: usize) -> Self {
        Self { found, columns: &plan.columns, json: Vec::with_capacity(4096), longest }
    }

    /// Writes an object, and answers what it and all below it have cost, without the object itself.
    fn fields<W>(&mut self, fields: &Fields<W>, mut what: impl FnMut(&mut Self, &W) -> Result<Spent>) -> Result<u64> {
        let mut sum = Spent::default();
        self.json.push(b'{');
        for (at, Entry { key, price, what: field }) in fields.0.iter().enumerate() {
            if at > 0 {
                self.json.push(b',');
            }
            self.json.extend_from_slice(key);
            let Spent { cost, leaves } = what(self, field)?;
            sum.cost += cost + price;
            sum.leaves += leaves;
        }
        self.json.push(b'}');
        if self.json.len() > self.longest {
            return Err(Unplanned::Error);
        }
        Ok(sum.cost + sum.leaves / LEAVES)
    }

    /// Writes a list of objects. Each costs 1 besides what it answers.
    fn list<T>(
        &mut self,
        entries: impl Iterator<Item = T>,
        mut each: impl FnMut(&mut Self, T) -> Result<u64>,
    ) -> Result<Spent> {
        let mut cost = 0;
        self.json.push(b'[');
        for (at, entry) in entries.enumerate() {
            if at > 0 {
                self.json.push(b',');
            }
            cost += 1 + each(self, entry)?;
        }
        self.json.push(b']');
        Ok(Spent::of(cost))
    }

    fn leaf(&mut self, value: &(impl serde::Serialize + ?Sized)) -> Spent {
        json::write(value, &mut self.json);
        Spent::LEAF
    }

    fn null(&mut self) -> Spent {
        self.json.extend_from_slice(b"null");
        Spent::default()
    }

    fn root(&mut self, root: &Root, found: &FoundRoot) -> Result<Spent> {
        Ok(match (root, found) {
            (Root::Typename(name), _) => self.leaf(name),
            (Root::Tenant(_, fields), FoundRoot::Tenants(rows)) => match rows.first() {
                Some(row) => Spent::of(1 + self.tenant(fields, row)?),
                None => self.null(),
            },
            (Root::Tenants(fields), FoundRoot::Tenants(rows)) => {
                self.list(rows.iter(), |writer, row| writer.tenant(fields, row))?
            }
            (Root::Node(_, any), FoundRoot::Nodes(nodes)) => {
                let node = nodes.first().ok_or(Unplanned::Error)?;
                self.node(&any.tenant, &any.objects, node)?.map_or_else(Spent::default, |spent| Spent::of(1 + spent))
            }
            (Root::Worked(worked) | Root::Change(Change { worked, .. }), FoundRoot::Worked(found)) => {
                self.worked(worked, found)?
            }
            (Root::Nodes(_, any), FoundRoot::Nodes(nodes)) => self.list(nodes.iter(), |writer, node| {
                Ok(writer.node(&any.tenant, &any.objects, node)?.unwrap_or_default())
            })?,
            _ => return Err(Unplanned::Error),
        })
    }

    /// What a node has cost; `None` when there is none.
    fn node(&mut self, tenant: &Fields<Tenant>, objects: &Objects, node: &FoundNode) -> Result<Option<u64>> {
        match node {
            FoundNode::Tenant(row) => return self.tenant(tenant, row).map(Some),
            FoundNode::Object(id) if self.found.rows.get(id).is_some_and(shown) => {
                return self.object(objects, *id).map(Some);
            }
            FoundNode::Object(_) | FoundNode::Nothing => {}
        }
        self.null();
        Ok(None)
    }

    fn tenant(&mut self, fields: &Fields<Tenant>, row: &TenantRow) -> Result<u64> {
        self.fields(fields, |writer, what| {
            Ok(match what {
                Tenant::Typename(name) => writer.leaf(name),
                Tenant::Id => writer.leaf(&row.id.opaque()),
                Tenant::Revision => writer.leaf(&row.revision),
                Tenant::Setting(at) => {
                    let value = row.settings.value(*at).ok_or(Unplanned::Error)?.show();
                    match &value {
                        serde_json::Value::Array(list) => {
                            let cost = list.len() as u64;
                            writer.leaf(&value);
                            Spent::of(cost)
                        }
                        value => writer.leaf(value),
                    }
                }
                Tenant::Defaults(objects) => {
                    let id = ObjectId { tenant: row.id, local: row.defaults };
                    Spent::of(1 + writer.object(objects, id)?)
                }
                Tenant::One(single) => {
                    let id = writer.found.singles.get(&(single.id, row.id)).copied();
                    let is_of_kind =
                        |id: &ObjectId| writer.found.rows.get(id).is_some_and(|row| row.kind() == single.kind);
                    match id.filter(is_of_kind) {
                        Some(id) => Spent::of(1 + writer.object(&single.objects, id)?),
                        None => writer.null(),
                    }
                }
                Tenant::Worked(at, worked) => {
                    let found = writer.found.worked.get(&(*at, of_tenant(row))).ok_or(Unplanned::Error)?;
                    writer.worked(worked, found)?
                }
                Tenant::Page(page) => {
                    let found = writer.found.pages.get(&(page.id, row.id)).ok_or(Unplanned::Error)?;
                    Spent::of(1 + found.price + writer.page(&page.fields, found)?)
                }
            })
        })
    }

    fn page(&mut self, fields: &Fields<OfPage>, page: &FoundPage) -> Result<u64> {
        self.fields(fields, |writer, what| {
            Ok(match what {
                OfPage::Typename(name) => writer.leaf(name),
                OfPage::Total => writer.leaf(&page.total),
                OfPage::Nodes(objects) => {
                    writer.list(page.rows.iter(), |writer, (id, _)| writer.object(objects, *id))?
                }
                OfPage::Edges(edge) => writer.list(page.rows.iter(), |writer, (id, cursor)| {
                    writer.fields(edge, |writer, what| {
                        Ok(match what {
                            OfEdge::Typename(name) => writer.leaf(name),
                            OfEdge::Cursor => writer.leaf(cursor),
                            OfEdge::Node(objects) => Spent::of(1 + writer.object(objects, *id)?),
                        })
                    })
                })?,
                OfPage::Info(info) => {
                    let cursor = |row: Option<&(ObjectId, String)>| row.map(|(_, cursor)| cursor.clone());
                    let spent = writer.fields(info, |writer, what| {
                        Ok(match what {
                            Info::Typename(name) => writer.leaf(name),
                            Info::Is(OfPageInfo::HasNext) => writer.leaf(&page.more),
                            Info::Is(OfPageInfo::HasPrevious) => writer.leaf(&page.behind),
                            Info::Is(OfPageInfo::Start) => writer.leaf(&cursor(page.rows.first())),
                            Info::Is(OfPageInfo::End) => writer.leaf(&cursor(page.rows.last())),
                        })
                    })?;
                    Spent::of(1 + spent)
                }
            })
        })
    }

    /// What a field has worked out.
    fn worked(&mut self, worked: &Worked, found: &FoundWorked) -> Result<Spent> {
        let spent = match (&worked.what, &found.value) {
            (What::Plain, FoundValue::Null) => {
                self.null();
                Spent::LEAF
            }
            (_, FoundValue::Null) => self.null(),
            (What::Plain, FoundValue::Json(json, entries)) => {
                self.json.extend_from_slice(json);
                entries.map_or(Spent::LEAF, |entries| Spent::of(entries as u64))
            }
            (what, FoundValue::List(list)) => self.list(list.iter(), |writer, value| writer.told(what, value))?,
            (what, value) => Spent::of(1 + self.told(what, value)?),
        };
        Ok(Spent { cost: spent.cost + found.price, ..spent })
    }

    /// Writes one of what a field has worked out, and answers what it has cost, without itself.
    fn told(&mut self, what: &What, value: &FoundValue) -> Result<u64> {
        match (what, value) {
            (_, FoundValue::Null) => {
                self.null();
                Ok(0)
            }
            (What::Plain, FoundValue::Json(json, _)) => {
                self.json.extend_from_slice(json);
                Ok(0)
            }
            (What::Object(objects), FoundValue::Object(id)) => self.object(objects, *id),
            (What::Tenant(fields), FoundValue::Tenant(row)) => self.tenant(fields, row),
            (What::Thing(fields), FoundValue::Thing(found)) => {
                let mut found = found.iter();
                self.fields(fields, |writer, field| match (field, found.next()) {
                    (OfThing::Typename(name), _) => Ok(writer.leaf(name)),
                    (OfThing::Field(worked), Some(found)) => writer.worked(worked, found),
                    (OfThing::Field(_), None) => Err(Unplanned::Error),
                })
            }
            _ => Err(Unplanned::Error),
        }
    }

    /// An object that is there. What stands in a reference is: a foreign key says so.
    fn object(&mut self, objects: &Objects, id: ObjectId) -> Result<u64> {
        let found = self.found;
        let row = found.rows.get(&id);
        let kind = if objects.needs_rows { Some(row.ok_or(Unplanned::Error)?.kind()) } else { None };
        let shape = objects.shape(kind).ok_or(Unplanned::Error)?;
        let standing = match &shape.reading {
            Some(reading) => {
                let loaded = found.loaded.get(reading.id).ok_or(Unplanned::Error)?;
                let row = loaded.index.get(&id).copied();
                // Only lists are read of it, or else it is there.
                let row = if reading.cells.is_empty() && reading.leads.is_empty() { row.or(Some(0)) } else { row };
                Some(Standing { reading, loaded, row: row.ok_or(Unplanned::Error)?, id })
            }
            None => None,
        };
        self.fields(&shape.fields, |writer, what| {
            Ok(match what {
                OfObject::Typename(name) => match (shape.kind, kind) {
                    (None, Some(kind)) => writer.leaf(kind.name()),
                    _ => writer.leaf(name),
                },
                OfObject::Row(OfRow::Id) => {
                    id.write(&mut writer.json);
                    Spent::LEAF
                }
                OfObject::Row(of) => writer.row(*of, shape, row)?,
                OfObject::Section(values) => {
                    Spent::of(1 + writer.fields(values, |writer, what| writer.value(standing.as_ref(), what))?)
                }
                OfObject::Detail(value) => writer.value(standing.as_ref(), value)?,
                OfObject::Worked(at, worked) => {
                    let found = writer.found.worked.get(&(*at, id)).ok_or(Unplanned::Error)?;
                    writer.worked(worked, found)?
                }
            })
        })
    }

    fn row(&mut self, of: OfRow, shape: &Shape, row: Option<&FoundRow>) -> Result<Spent> {
        let kind = shape.kind.or_else(|| row.map(FoundRow::kind));
        if let (OfRow::Kind, Some(kind)) = (of, kind) {
            return Ok(self.leaf(kind.word()));
        }
        let row = match row.ok_or(Unplanned::Error)? {
            FoundRow::Whole(row) => row,
            FoundRow::Part(_, row) => {
                let at = self.columns.iter().position(|own| *own == of).ok_or(Unplanned::Error)?;
                let found = self.found;
                return self.cell(&found.own, row * self.columns.len() + at, false);
            }
        };
        Ok(match of {
            OfRow::Id => self.leaf(&row.id.opaque()),
            OfRow::Kind => self.leaf(row.kind.word()),
            OfRow::Number => self.leaf(&row.number),
            OfRow::Name => self.leaf(&row.name),
            OfRow::Description => self.leaf(&row.description),
            OfRow::Enabled => self.leaf(&row.enabled),
            OfRow::Version => self.leaf(&row.version),
            OfRow::CreatedAt => self.leaf(&row.created_at.answer()),
            OfRow::ChangedAt => self.leaf(&row.changed_at.answer()),
        })
    }

    fn cell(&mut self, table: &Table, at: usize, is_list: bool) -> Result<Spent> {
        let cell = table.cell(at);
        self.json.extend_from_slice(cell);
        if is_list && cell != b"null" {
            let entries: Vec<serde::de::IgnoredAny> = serde_json::from_slice(cell).map_err(|_| Unplanned::Error)?;
            return Ok(Spent::of(entries.len() as u64));
        }
        Ok(Spent::LEAF)
    }

    fn value(&mut self, standing: Option<&Standing<'_>>, value: &Value) -> Result<Spent> {
        let standing = match (value, standing) {
            (Value::Typename(name), _) => return Ok(self.leaf(name)),
            (_, standing) => standing.ok_or(Unplanned::Error)?,
        };
        let Standing { reading, loaded, row, id } = *standing;
        let list = |at: usize| {
            let list = reading.lists.get(at).zip(loaded.lists.get(at));
            list.ok_or(Unplanned::Error)
        };
        Ok(match value {
            Value::Typename(name) => self.leaf(name),
            Value::Cell(at) => self.cell(&loaded.table, row * reading.cells.len() + at, false)?,
            Value::Many(at) => self.cell(&loaded.table, row * reading.cells.len() + at, true)?,
            Value::One(at, objects) => self.one(objects, &loaded.table, row * reading.leads.len() + at, id)?,
            Value::Ids(at) => self.list(list(*at)?.1.ids(id), |writer, id| {
                id.write(&mut writer.json);
                Ok(0)
            })?,
            Value::All(at, objects) => self.list(list(*at)?.1.ids(id), |writer, id| writer.object(objects, id))?,
            Value::Entries(at, fields) => {
                let (list, loaded): (&List, &LoadedList) = list(*at)?;
                let (cells, leads) = (list.cells(), list.leads());
                self.list(loaded.rows(id), |writer, row| {
                    writer.fields(fields, |writer, what| match what {
                        Value::Typename(name) => Ok(writer.leaf(name)),
                        Value::Cell(at) => writer.cell(&loaded.table, row * cells + at, false),
                        Value::Many(at) => writer.cell(&loaded.table, row * cells + at, true),
                        Value::One(at, objects) => writer.one(objects, &loaded.table, row * leads + at, id),
                        Value::Ids(_) | Value::All(..) | Value::Entries(..) | Value::Steps(..) => Err(Unplanned::Error),
                    })
                })?
            }
            Value::Steps(at, fields) => {
                let (list, loaded): (&List, &LoadedList) = list(*at)?;
                let cells = list.cells();
                self.list(loaded.rows(id), |writer, row| {
                    writer.fields(fields, |writer, what| match what {
                        Step::Typename(name) => Ok(writer.leaf(name)),
                        Step::Is(OfStep::ObjectId) => writer.cell(&loaded.table, row * cells, false),
                        Step::Is(OfStep::Number) => writer.cell(&loaded.table, row * cells + 1, false),
                        Step::Is(OfStep::Hangup) => writer.cell(&loaded.table, row * cells + 2, false),
                        Step::Is(OfStep::Object) => Err(Unplanned::Error),
                        Step::Object(objects) => writer.one(objects, &loaded.table, row, id),
                    })
                })?
            }
        })
    }

    /// The object that a row of a table leads to, of the tenant of `id`.
    fn one(&mut self, objects: &Objects, table: &Table, at: usize, id: ObjectId) -> Result<Spent> {
        Ok(match table.lead(at) {
            Some(local) => Spent::of(1 + self.object(objects, ObjectId { tenant: id.tenant, local })?),
            None => self.null(),
        })
    }
}

/// What has been read of an object's sections or detail.
#[derive(Clone, Copy)]
struct Standing<'f> {
    reading: &'f Reading,
    loaded: &'f Loaded,
    row: usize,
    id: ObjectId,
}

/// Whether an object is answered as a node: a tenant's template is not.
fn shown(row: &FoundRow) -> bool {
    row.kind() != crate::domain::Kind::FormDefaults
}
