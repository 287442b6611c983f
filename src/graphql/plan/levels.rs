//! Reading objects level by level, with one statement for each shape of objects, however many there are.

use super::found::{FoundData, FoundRow, LoadedList};
use super::planned_read::{List, PlannedRead};
use super::reader::{PlanReader, by_tenant};
use super::shape::{DestinationField, ObjectField, ObjectSelection, ObjectShape, PlannedValue};
use super::unplanned::{PlanResult, Unplanned};
use crate::domain::{ObjectId, TenantId};
use crate::graphql::layer::RowColumn;
use crate::store::{self, ChosenRead, Query, StoreError};

impl<'p> PlanReader<'p, '_> {
    /// Reads the objects that the root fields refer to, level by level.
    pub(super) fn levels(&mut self) -> PlanResult<()> {
        while !self.level.is_empty() {
            let level = std::mem::take(&mut self.level);
            self.objects(level)?;
        }
        Ok(())
    }

    /// Reads one level of objects, and collects the next.
    fn objects(&mut self, level: Vec<(&'p ObjectSelection, Vec<ObjectId>)>) -> PlanResult<()> {
        let mut wanted: Vec<ObjectId> = Vec::new();
        for (objects, ids) in &level {
            if objects.needs_rows {
                wanted.extend(ids.iter().filter(|id| !self.found.rows.contains_key(id)));
            }
        }
        wanted.sort_unstable();
        wanted.dedup();
        if !wanted.is_empty() {
            self.batches.push(("object", wanted.len()));
            for (tenant, ids) in by_tenant(&wanted) {
                own_rows(&mut Query::new(self.session, tenant), self.columns, &ids, &mut self.found)?;
            }
        }
        let mut shapes: Vec<(&'p ObjectShape, Vec<ObjectId>)> = Vec::new();
        for (objects, mut ids) in level {
            ids.sort_unstable();
            ids.dedup();
            if let [only] = objects.shapes.as_slice() {
                // For an object by its id, only the row shows whether it exists and of which kind it is.
                if objects.needs_rows {
                    let fits = |id: &ObjectId| {
                        self.found.rows.get(id).is_some_and(|row| only.kind.is_none_or(|kind| kind == row.kind()))
                    };
                    ids.retain(fits);
                }
                shapes.push((only, ids));
                continue;
            }
            for shape in &objects.shapes {
                let has_it = |id: &&ObjectId| {
                    let kind = self.found.rows.get(id).map(FoundRow::kind);
                    kind.and_then(|kind| objects.shape(Some(kind))).is_some_and(|own| std::ptr::eq(own, shape))
                };
                shapes.push((shape, ids.iter().filter(has_it).copied().collect()));
            }
        }
        shapes.retain(|(_, ids)| !ids.is_empty());
        for (shape, ids) in &shapes {
            for entry in &shape.fields.0 {
                if let ObjectField::Computed(at, computed) = &entry.content {
                    self.compute_all(*at, computed, ids)?;
                }
            }
        }
        self.load(&shapes)?;
        shapes.iter().try_for_each(|(shape, ids)| self.shape(shape, ids))
    }

    /// Reads the sections or details of objects, in one go per tenant.
    fn load(&mut self, shapes: &[(&'p ObjectShape, Vec<ObjectId>)]) -> PlanResult<()> {
        let mut of_tenants: Vec<(TenantId, Vec<&'p PlannedRead>, Vec<ChosenRead<'p>>)> = Vec::new();
        for (shape, ids) in shapes {
            let Some(read) = &shape.read else { continue };
            self.batches.extend(read.chosen.infos.iter().map(|info| (info.table, ids.len())));
            for (tenant, ids) in by_tenant(ids) {
                let wanted = ChosenRead { chosen: &read.chosen, ids: ids.into_iter().collect() };
                match of_tenants.iter_mut().find(|(known, ..)| *known == tenant) {
                    Some((_, reads, all)) => {
                        reads.push(read);
                        all.push(wanted);
                    }
                    None => of_tenants.push((tenant, vec![read], vec![wanted])),
                }
            }
        }
        let Self { session, found, .. } = self;
        for (tenant, reads, wanted) in of_tenants {
            for read in &reads {
                let loaded = found.loaded.get_mut(read.id).ok_or(Unplanned::Error)?;
                loaded.lists.resize_with(read.lists.len(), LoadedList::default);
            }
            store::read_chosen(&mut Query::new(*session, tenant), &wanted, &mut |at, list, columns| {
                let read = reads.get(at).copied();
                let loaded = read.and_then(|read| found.loaded.get_mut(read.id));
                let missing = || StoreError::Bug("a row of an unknown read".into());
                let (read, loaded) = read.zip(loaded).ok_or_else(missing)?;
                loaded.put(read, (tenant, list), columns)
            })?;
        }
        Ok(())
    }

    /// Collects the objects that these objects refer to.
    fn shape(&mut self, shape: &'p ObjectShape, ids: &[ObjectId]) -> PlanResult<()> {
        let Some(read) = &shape.read else { return Ok(()) };
        for entry in &shape.fields.0 {
            match &entry.content {
                ObjectField::Typename(_) | ObjectField::Row(_) | ObjectField::Computed(..) => {}
                ObjectField::Section(values) => {
                    for entry in &values.0 {
                        self.value(read, &entry.content, ids)?;
                    }
                }
                ObjectField::Detail(value) => self.value(read, value, ids)?,
            }
        }
        Ok(())
    }

    /// Collects the objects that a value of these objects refers to.
    fn value(&mut self, read: &PlannedRead, value: &'p PlannedValue, ids: &[ObjectId]) -> PlanResult<()> {
        let loaded = self.found.loaded.get(read.id).ok_or(Unplanned::Error)?;
        let (mut spent, mut next) = (0, Vec::new());
        let list = |at: usize| loaded.lists.get(at).ok_or(Unplanned::Error);
        match value {
            PlannedValue::Typename(_) | PlannedValue::Cell(_) | PlannedValue::ListCell(_) => {}
            PlannedValue::Ids(at) => {
                let list = list(*at)?;
                spent += ids.iter().map(|id| list.rows(*id).len()).sum::<usize>();
            }
            PlannedValue::Reference(at, objects) => {
                let width = read.references.len();
                let reference = |id: &ObjectId| {
                    let local = loaded.table.reference(loaded.index.get(id)? * width + at)?;
                    Some(ObjectId { tenant: id.tenant, local })
                };
                let referenced: Vec<_> = ids.iter().filter_map(reference).collect();
                spent += referenced.len();
                next.push((objects, referenced));
            }
            PlannedValue::References(at, objects) => {
                let list = list(*at)?;
                let referenced: Vec<_> = ids.iter().flat_map(|id| list.ids(*id)).collect();
                spent += referenced.len();
                next.push((objects, referenced));
            }
            PlannedValue::Destinations(at, fields) => {
                let list = list(*at)?;
                spent += ids.iter().map(|id| list.rows(*id).len()).sum::<usize>();
                for entry in &fields.0 {
                    if let DestinationField::Object(objects) = &entry.content {
                        let referenced: Vec<_> = ids.iter().flat_map(|id| list.ids(*id)).collect();
                        spent += referenced.len();
                        next.push((objects, referenced));
                    }
                }
            }
            PlannedValue::Entries(at, fields) => {
                let (list, width) = (list(*at)?, read.lists.get(*at).map_or(0, List::references));
                spent += ids.iter().map(|id| list.rows(*id).len()).sum::<usize>();
                for entry in &fields.0 {
                    let PlannedValue::Reference(reference, objects) = &entry.content else { continue };
                    let mut referenced = Vec::new();
                    for id in ids {
                        let locals = list.rows(*id).filter_map(|row| list.table.reference(row * width + reference));
                        referenced.extend(locals.map(|local| ObjectId { tenant: id.tenant, local }));
                    }
                    spent += referenced.len();
                    next.push((objects, referenced));
                }
            }
        }
        self.level.extend(next);
        self.spend(spent)
    }
}

/// Reads the own rows of objects of one tenant.
fn own_rows(query: &mut Query<'_>, columns: &[RowColumn], ids: &[i64], found: &mut FoundData) -> store::Result<()> {
    let (tenant, ids) = (query.tenant(), ids.iter().copied().collect());
    let names: Vec<_> = columns.iter().map(|column| column.name()).collect();
    store::visit_objects(query, &ids, &names, &mut |row| found.put_own(tenant, columns, row))
}
