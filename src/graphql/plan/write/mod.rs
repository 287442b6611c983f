//! Writing the answer: everything that it contains has been read.

mod objects;
mod writer;

use bytes::Bytes;

use self::writer::{AnswerWriter, Spent};
use super::found::{ComputedValue, FoundData, FoundNode, FoundPage, FoundRoot, FoundRow, FoundValue, tenant_key};
use super::shape::{
    ComputedField, EdgeField, ObjectSelection, PageField, PageInfoField, PlannedMutation, QueryPlan, Root,
    SelectedFields, Tenant, ThingField, ValueSelection,
};
use super::unplanned::{PlanResult, Unplanned};
use crate::domain::{Kind, ObjectId};
use crate::form::Section;
use crate::graphql::layer::PageInfoSource;
use crate::store::TenantRow;

/// The answer's `data` and its cost. An object costs 1, and 1 more for every so many plain fields; see `graphql/cost`.
pub fn write(plan: &QueryPlan, found: &FoundData, max_bytes: usize) -> PlanResult<(Bytes, u64)> {
    let mut writer = AnswerWriter::new(plan, found, max_bytes);
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
    max_bytes: usize,
) -> PlanResult<AnswerPart> {
    let mut writer = AnswerWriter::new(plan, found, max_bytes);
    let spent = writer.root(root, of)?;
    Ok(AnswerPart { json: writer.json, spent })
}

/// The answer composed of these parts, and its cost.
pub fn join(plan: &QueryPlan, parts: &[AnswerPart], max_bytes: usize) -> PlanResult<(Bytes, u64)> {
    let found = FoundData::default();
    let (mut writer, mut parts) = (AnswerWriter::new(plan, &found, max_bytes), parts.iter());
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
            (Root::Computed(computed) | Root::Change(PlannedMutation { computed, .. }), FoundRoot::Computed(found)) => {
                self.computed(computed, found)?
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
        objects: &ObjectSelection,
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
        self.fields(fields, |writer, content| {
            Ok(match content {
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
                Tenant::Computed(at, computed) => {
                    let found = writer.found.computed.get(&(*at, tenant_key(row))).ok_or(Unplanned::Error)?;
                    writer.computed(computed, found)?
                }
                Tenant::Page(page) => {
                    let found = writer.found.pages.get(&(page.id, row.id)).ok_or(Unplanned::Error)?;
                    Spent::of(1 + found.price + writer.page(&page.fields, found)?)
                }
            })
        })
    }

    fn page(&mut self, fields: &SelectedFields<PageField>, page: &FoundPage) -> PlanResult<u64> {
        self.fields(fields, |writer, content| {
            Ok(match content {
                PageField::Typename(name) => writer.leaf(name),
                PageField::Total => writer.leaf(&page.total),
                PageField::Nodes(objects) => {
                    writer.list(page.rows.iter(), |writer, (id, _)| writer.object(objects, *id))?
                }
                PageField::Edges(edge) => writer.list(page.rows.iter(), |writer, (id, cursor)| {
                    writer.fields(edge, |writer, content| {
                        Ok(match content {
                            EdgeField::Typename(name) => writer.leaf(name),
                            EdgeField::Cursor => writer.leaf(cursor),
                            EdgeField::Node(objects) => Spent::of(1 + writer.object(objects, *id)?),
                        })
                    })
                })?,
                PageField::Info(info) => {
                    let cursor = |row: Option<&(ObjectId, String)>| row.map(|(_, cursor)| cursor.clone());
                    let spent = writer.fields(info, |writer, content| {
                        Ok(match content {
                            PageInfoField::Typename(name) => writer.leaf(name),
                            PageInfoField::Is(PageInfoSource::HasNext) => writer.leaf(&page.has_next),
                            PageInfoField::Is(PageInfoSource::HasPrevious) => writer.leaf(&page.has_previous),
                            PageInfoField::Is(PageInfoSource::Start) => writer.leaf(&cursor(page.rows.first())),
                            PageInfoField::Is(PageInfoSource::End) => writer.leaf(&cursor(page.rows.last())),
                        })
                    })?;
                    Spent::of(1 + spent)
                }
            })
        })
    }

    /// Writes the value of a computed field.
    fn computed(&mut self, computed: &ComputedField, found: &ComputedValue) -> PlanResult<Spent> {
        let spent = match (&computed.selection, &found.value) {
            (ValueSelection::Plain, FoundValue::Null) => {
                self.null();
                Spent::LEAF
            }
            (_, FoundValue::Null) => self.null(),
            (ValueSelection::Plain, FoundValue::Json(json, entries)) => {
                self.json.extend_from_slice(json);
                entries.map_or(Spent::LEAF, |entries| Spent::of(entries as u64))
            }
            (selection, FoundValue::List(list)) => {
                self.list(list.iter(), |writer, value| writer.write_value(selection, value))?
            }
            (selection, value) => Spent::of(1 + self.write_value(selection, value)?),
        };
        Ok(Spent { cost: spent.cost + found.price, ..spent })
    }

    /// Writes one value of a computed field, and returns its cost without the value itself.
    fn write_value(&mut self, selection: &ValueSelection, value: &FoundValue) -> PlanResult<u64> {
        match (selection, value) {
            (_, FoundValue::Null) => {
                self.null();
                Ok(0)
            }
            (ValueSelection::Plain, FoundValue::Json(json, _)) => {
                self.json.extend_from_slice(json);
                Ok(0)
            }
            (ValueSelection::Object(objects), FoundValue::Object(id)) => self.object(objects, *id),
            (ValueSelection::Tenant(fields), FoundValue::Tenant(row)) => self.tenant(fields, row),
            (ValueSelection::Thing(fields), FoundValue::Thing(found)) => {
                let mut found = found.iter();
                self.fields(fields, |writer, field| match (field, found.next()) {
                    (ThingField::Typename(name), _) => Ok(writer.leaf(name)),
                    (ThingField::Field(computed), Some(found)) => writer.computed(computed, found),
                    (ThingField::Field(_), None) => Err(Unplanned::Error),
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
