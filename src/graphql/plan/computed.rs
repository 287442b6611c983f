//! Computed fields: from their parent, or by reads of their own.

use std::sync::Arc;

use super::found::{ComputedValue, FoundRow, FoundValue};
use super::reader::{PlanReader, by_tenant, price};
use super::shape::{ComputedField, Entry, ThingField, ValueSelection};
use super::unplanned::{PlanResult, Unplanned};
use crate::domain::ObjectId;
use crate::graphql::layer::{Args, FieldReader, Node, ReadResolver, Resolver, Text, Thing};
use crate::store::{self, ObjectRow, Query, TenantRow};

impl<'p> PlanReader<'p, '_> {
    /// A reader for a field; `selected` are the names of the fields selected below it.
    pub(super) fn reader<'a>(&'a mut self, selected: &'a [Text]) -> FieldReader<'a> {
        FieldReader::new(self.session, self.request.viewer, (self.request.now, self.request.deadline), selected)
    }

    /// Computes a field of one thing.
    pub(super) fn compute(&mut self, computed: &'p ComputedField, thing: &Thing) -> PlanResult<ComputedValue> {
        let args = self.args(&computed.planned)?;
        let node = match &computed.planned.field.answer {
            Resolver::Now(get) => get(thing, &args)?,
            Resolver::Read(reads) => {
                let mut nodes = self.read(reads, computed, std::slice::from_ref(thing), &args)?;
                nodes.pop().ok_or(Unplanned::Error)?
            }
            Resolver::Later(_) | Resolver::Stream(_) | Resolver::Elsewhere => return Err(Unplanned::Field),
        };
        self.computed_value(computed, price(&args), node)
    }

    /// Computes a field for each of several objects: its reads are made once for all of them.
    pub(super) fn compute_all(&mut self, at: usize, computed: &'p ComputedField, ids: &[ObjectId]) -> PlanResult<()> {
        let args = self.args(&computed.planned)?;
        let Resolver::Read(reads) = &computed.planned.field.answer else { return Err(Unplanned::Field) };
        self.batches.push((&computed.planned.field.name, ids.len()));
        for (tenant, locals) in by_tenant(ids) {
            let rows = self.whole_rows(&mut locals.iter().map(|local| ObjectId { tenant, local: *local }))?;
            let things: Vec<_> = rows.iter().map(|row| Thing::shared(Arc::clone(row))).collect();
            let nodes = self.read(reads, computed, &things, &args)?;
            for (row, node) in rows.iter().zip(nodes) {
                let found = self.computed_value(computed, price(&args), node)?;
                self.found.computed.insert((at, row.id), found);
            }
        }
        Ok(())
    }

    /// The value of the node that a field has answered.
    pub(super) fn computed_value(
        &mut self,
        computed: &'p ComputedField,
        price: u64,
        node: Node,
    ) -> PlanResult<ComputedValue> {
        match self.found_value(&computed.selection, node)? {
            // The executor finds the error and reports it.
            FoundValue::Null if !computed.planned.field.ty.is_nullable() => Err(Unplanned::Error),
            value => Ok(ComputedValue { price, value }),
        }
    }

    fn read(
        &mut self,
        reads: &ReadResolver,
        computed: &ComputedField,
        things: &[Thing],
        args: &Args,
    ) -> PlanResult<Vec<Node>> {
        let mut reader = self.reader(&computed.selected);
        let nodes = reads.read(things, args, &mut reader)?;
        let spent = reader.spent;
        self.spend(spent)?;
        Ok(nodes)
    }

    /// The whole rows of objects of one tenant.
    fn whole_rows(&mut self, ids: &mut dyn Iterator<Item = ObjectId>) -> PlanResult<Vec<Arc<ObjectRow>>> {
        let ids: Vec<_> = ids.collect();
        let whole = |row: &FoundRow| if let FoundRow::Whole(row) = row { Some(Arc::clone(row)) } else { None };
        let Some(tenant) = ids.first().map(|id| id.tenant) else { return Ok(Vec::new()) };
        let is_missing = |id: &&ObjectId| self.found.rows.get(id).and_then(whole).is_none();
        let missing: Vec<_> = ids.iter().filter(is_missing).map(|id| id.local).collect();
        if !missing.is_empty() {
            for row in store::load_objects(&mut Query::new(self.session, tenant), &missing)?.into_values() {
                self.found.rows.insert(row.id, FoundRow::Whole(Arc::new(row)));
            }
        }
        ids.iter().map(|id| self.found.rows.get(id).and_then(whole).ok_or(Unplanned::Error)).collect()
    }

    fn found_value(&mut self, selection: &'p ValueSelection, node: Node) -> PlanResult<FoundValue> {
        Ok(match (selection, node) {
            (_, Node::Null | Node::Leaf(async_graphql::Value::Null)) => FoundValue::Null,
            (ValueSelection::Plain, Node::Leaf(value)) => {
                let entries = if let async_graphql::Value::List(list) = &value { Some(list.len()) } else { None };
                FoundValue::Json(serde_json::to_vec(&value).map_err(|_| Unplanned::Error)?, entries)
            }
            (selection, Node::List(nodes)) => self.found_list(selection, nodes)?,
            (selection, Node::Counted(nodes)) => {
                self.spend(nodes.len())?;
                self.found_list(selection, nodes)?
            }
            (ValueSelection::Object(objects), Node::Object(_, thing)) => {
                let row = thing.share::<ObjectRow>()?;
                let id = row.id;
                self.found.rows.insert(id, FoundRow::Whole(row));
                self.next(objects, id);
                FoundValue::Object(id)
            }
            (ValueSelection::Tenant(fields), Node::Object(_, thing)) => {
                let row = thing.get::<TenantRow>()?;
                self.tenants(std::slice::from_ref(row), fields)?;
                FoundValue::Tenant(Box::new(row.clone()))
            }
            (ValueSelection::Thing(fields), Node::Object(_, thing)) => {
                let field = |entry: &'p Entry<ThingField>| match &entry.content {
                    ThingField::Typename(_) => Ok(ComputedValue { price: 0, value: FoundValue::Null }),
                    ThingField::Field(computed) => self.compute(computed, &thing),
                };
                FoundValue::Thing(fields.0.iter().map(field).collect::<PlanResult<_>>()?)
            }
            (ValueSelection::Plain, Node::Object(..))
            | (ValueSelection::Object(_) | ValueSelection::Tenant(_) | ValueSelection::Thing(_), Node::Leaf(_)) => {
                return Err(Unplanned::Error);
            }
        })
    }

    fn found_list(&mut self, selection: &'p ValueSelection, nodes: Vec<Node>) -> PlanResult<FoundValue> {
        nodes.into_iter().map(|node| self.found_value(selection, node)).collect::<PlanResult<_>>().map(FoundValue::List)
    }
}
