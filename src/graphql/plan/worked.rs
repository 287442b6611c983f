//! Computed fields: from their parent, or by reads of their own.

use std::sync::Arc;

use super::found::{FoundRow, FoundValue, FoundWorked};
use super::read::{PlanReader, by_tenant, price};
use super::shape::{Entry, OfThing, What, Worked};
use super::unplanned::{PlanResult, Unplanned};
use crate::domain::ObjectId;
use crate::graphql::layer::{Args, FieldReader, Node, Reads, Resolver, Text, Thing};
use crate::store::{self, ObjectRow, Query, TenantRow};

impl<'p> PlanReader<'p, '_> {
    /// A reader for a field; `selected` are the names of the fields selected below it.
    pub(super) fn reading<'a>(&'a mut self, selected: &'a [Text]) -> FieldReader<'a> {
        FieldReader::new(self.session, self.asks.viewer, (self.asks.now, self.asks.deadline), selected)
    }

    /// Computes a field of one thing.
    pub(super) fn work(&mut self, worked: &'p Worked, thing: &Thing) -> PlanResult<FoundWorked> {
        let args = self.args(&worked.asked)?;
        let node = match &worked.asked.field.answer {
            Resolver::Now(get) => get(thing, &args)?,
            Resolver::Read(reads) => {
                let mut nodes = self.read(reads, worked, std::slice::from_ref(thing), &args)?;
                nodes.pop().ok_or(Unplanned::Error)?
            }
            Resolver::Later(_) | Resolver::Stream(_) | Resolver::Elsewhere => return Err(Unplanned::Field),
        };
        self.told_of(worked, price(&args), node)
    }

    /// Computes a field for each of several objects: its reads are made once for all of them.
    pub(super) fn work_all(&mut self, at: usize, worked: &'p Worked, ids: &[ObjectId]) -> PlanResult<()> {
        let args = self.args(&worked.asked)?;
        let Resolver::Read(reads) = &worked.asked.field.answer else { return Err(Unplanned::Field) };
        self.batches.push((&worked.asked.field.name, ids.len()));
        for (tenant, locals) in by_tenant(ids) {
            let rows = self.whole_rows(&mut locals.iter().map(|local| ObjectId { tenant, local: *local }))?;
            let things: Vec<_> = rows.iter().map(|row| Thing::shared(Arc::clone(row))).collect();
            let nodes = self.read(reads, worked, &things, &args)?;
            for (row, node) in rows.iter().zip(nodes) {
                let found = self.told_of(worked, price(&args), node)?;
                self.found.worked.insert((at, row.id), found);
            }
        }
        Ok(())
    }

    /// The value of the node that a field has answered.
    pub(super) fn told_of(&mut self, worked: &'p Worked, price: u64, node: Node) -> PlanResult<FoundWorked> {
        match self.tell(&worked.what, node)? {
            // The executor finds the error and reports it.
            FoundValue::Null if !worked.asked.field.ty.is_nullable() => Err(Unplanned::Error),
            value => Ok(FoundWorked { price, value }),
        }
    }

    fn read(&mut self, reads: &Reads, worked: &Worked, things: &[Thing], args: &Args) -> PlanResult<Vec<Node>> {
        let mut reading = self.reading(&worked.selected);
        let nodes = reads.read(things, args, &mut reading)?;
        let spent = reading.spent;
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

    fn tell(&mut self, what: &'p What, node: Node) -> PlanResult<FoundValue> {
        Ok(match (what, node) {
            (_, Node::Null | Node::Leaf(async_graphql::Value::Null)) => FoundValue::Null,
            (What::Plain, Node::Leaf(value)) => {
                let entries = if let async_graphql::Value::List(list) = &value { Some(list.len()) } else { None };
                FoundValue::Json(serde_json::to_vec(&value).map_err(|_| Unplanned::Error)?, entries)
            }
            (what, Node::List(nodes)) => self.tell_all(what, nodes)?,
            (what, Node::Counted(nodes)) => {
                self.spend(nodes.len())?;
                self.tell_all(what, nodes)?
            }
            (What::Object(objects), Node::Object(_, thing)) => {
                let row = thing.share::<ObjectRow>()?;
                let id = row.id;
                self.found.rows.insert(id, FoundRow::Whole(row));
                self.next(objects, id);
                FoundValue::Object(id)
            }
            (What::Tenant(fields), Node::Object(_, thing)) => {
                let row = thing.get::<TenantRow>()?;
                self.tenants(std::slice::from_ref(row), fields)?;
                FoundValue::Tenant(Box::new(row.clone()))
            }
            (What::Thing(fields), Node::Object(_, thing)) => {
                let field = |entry: &'p Entry<OfThing>| match &entry.what {
                    OfThing::Typename(_) => Ok(FoundWorked { price: 0, value: FoundValue::Null }),
                    OfThing::Field(worked) => self.work(worked, &thing),
                };
                FoundValue::Thing(fields.0.iter().map(field).collect::<PlanResult<_>>()?)
            }
            (What::Plain, Node::Object(..)) | (What::Object(_) | What::Tenant(_) | What::Thing(_), Node::Leaf(_)) => {
                return Err(Unplanned::Error);
            }
        })
    }

    fn tell_all(&mut self, what: &'p What, nodes: Vec<Node>) -> PlanResult<FoundValue> {
        nodes.into_iter().map(|node| self.tell(what, node)).collect::<PlanResult<_>>().map(FoundValue::List)
    }
}
