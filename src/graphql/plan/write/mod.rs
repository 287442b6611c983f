//! Writing the answer: everything that it contains has been read.

mod objects;
mod writer;

use bytes::Bytes;

use self::writer::{AnswerWriter, Spent};
use super::found::{FoundData, FoundNode, FoundPage, FoundRoot, FoundRow, FoundValue, FoundWorked, of_tenant};
use super::shape::{
    EdgeField, Objects, OfThing, PageField, PageInfoField, PlannedMutation, QueryPlan, Root, SelectedFields, Tenant,
    What, Worked,
};
use super::unplanned::{PlanResult, Unplanned};
use crate::domain::{Kind, ObjectId};
use crate::form::Section;
use crate::graphql::layer::OfPageInfo;
use crate::store::TenantRow;

/// The answer's `data` and its cost. An object costs 1, and 1 more for every so many plain fields; see `graphql/cost`.
pub fn write(plan: &QueryPlan, found: &FoundData, longest: usize) -> PlanResult<(Bytes, u64)> {
    let mut writer = AnswerWriter::new(plan, found, longest);
    let mut roots = found.root.iter();
    let spent = writer.fields(&plan.root, |writer, root| {
        let found = roots.next().ok_or(Unplanned::Error)?;
        writer.root(root, found)
    })?;
    Ok((writer.json.into(), spent))
}

/// The value of a root field as JSON.
pub struct AnswerPart {
    json: Vec<u8>,
    spent: Spent,
}

/// Writes the value of one root field.
pub fn part(
    plan: &QueryPlan,
    root: &Root,
    (found, of): (&FoundData, &FoundRoot),
    longest: usize,
) -> PlanResult<AnswerPart> {
    let mut writer = AnswerWriter::new(plan, found, longest);
    let spent = writer.root(root, of)?;
    Ok(AnswerPart { json: writer.json, spent })
}

/// The answer composed of these parts, and its cost.
pub fn join(plan: &QueryPlan, parts: &[AnswerPart], longest: usize) -> PlanResult<(Bytes, u64)> {
    let found = FoundData::default();
    let (mut writer, mut parts) = (AnswerWriter::new(plan, &found, longest), parts.iter());
    let spent = writer.fields(&plan.root, |writer, _| {
        let AnswerPart { json, spent } = parts.next().ok_or(Unplanned::Error)?;
        writer.json.extend_from_slice(json);
        Ok(*spent)
    })?;
    Ok((writer.json.into(), spent))
}

impl AnswerWriter<'_> {
    fn root(&mut self, root: &Root, found: &FoundRoot) -> PlanResult<Spent> {
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
            (Root::Worked(worked) | Root::Change(PlannedMutation { worked, .. }), FoundRoot::Worked(found)) => {
                self.worked(worked, found)?
            }
            (Root::Nodes(_, any), FoundRoot::Nodes(nodes)) => self.list(nodes.iter(), |writer, node| {
                Ok(writer.node(&any.tenant, &any.objects, node)?.unwrap_or_default())
            })?,
            _ => return Err(Unplanned::Error),
        })
    }

    /// The cost of a node; `None` when there is none.
    fn node(
        &mut self,
        tenant: &SelectedFields<Tenant>,
        objects: &Objects,
        node: &FoundNode,
    ) -> PlanResult<Option<u64>> {
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

    fn tenant(&mut self, fields: &SelectedFields<Tenant>, row: &TenantRow) -> PlanResult<u64> {
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

    fn page(&mut self, fields: &SelectedFields<PageField>, page: &FoundPage) -> PlanResult<u64> {
        self.fields(fields, |writer, what| {
            Ok(match what {
                PageField::Typename(name) => writer.leaf(name),
                PageField::Total => writer.leaf(&page.total),
                PageField::Nodes(objects) => {
                    writer.list(page.rows.iter(), |writer, (id, _)| writer.object(objects, *id))?
                }
                PageField::Edges(edge) => writer.list(page.rows.iter(), |writer, (id, cursor)| {
                    writer.fields(edge, |writer, what| {
                        Ok(match what {
                            EdgeField::Typename(name) => writer.leaf(name),
                            EdgeField::Cursor => writer.leaf(cursor),
                            EdgeField::Node(objects) => Spent::of(1 + writer.object(objects, *id)?),
                        })
                    })
                })?,
                PageField::Info(info) => {
                    let cursor = |row: Option<&(ObjectId, String)>| row.map(|(_, cursor)| cursor.clone());
                    let spent = writer.fields(info, |writer, what| {
                        Ok(match what {
                            PageInfoField::Typename(name) => writer.leaf(name),
                            PageInfoField::Is(OfPageInfo::HasNext) => writer.leaf(&page.more),
                            PageInfoField::Is(OfPageInfo::HasPrevious) => writer.leaf(&page.behind),
                            PageInfoField::Is(OfPageInfo::Start) => writer.leaf(&cursor(page.rows.first())),
                            PageInfoField::Is(OfPageInfo::End) => writer.leaf(&cursor(page.rows.last())),
                        })
                    })?;
                    Spent::of(1 + spent)
                }
            })
        })
    }

    /// Writes the value of a computed field.
    fn worked(&mut self, worked: &Worked, found: &FoundWorked) -> PlanResult<Spent> {
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

    /// Writes one value of a computed field, and returns its cost without the value itself.
    fn told(&mut self, what: &What, value: &FoundValue) -> PlanResult<u64> {
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
}

/// Whether an object can be answered as a node: a tenant's template cannot.
fn shown(row: &FoundRow) -> bool {
    row.kind() != Kind::FormDefaults
}
