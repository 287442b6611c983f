//! Reading root fields and selections of tenants: single objects, and pages.

use std::sync::Arc;

use super::found::{FoundNode, FoundPage, FoundRoot, FoundRow, tenant_key};
use super::reader::{PlanReader, price};
use super::shape::{EdgeField, ObjectSelection, PageField, PlannedPage, Root, SelectedFields, SingleObject, Tenant};
use super::unplanned::{PlanResult, Unplanned};
use crate::domain::{ExtensionNumber, ObjectId, TenantId};
use crate::graphql::layer::{ArgValues as _, Thing};
use crate::graphql::schema::{MAX_PAGE, find_from_args, page_length};
use crate::service::find::{Cursor, Find};
use crate::store::{self, Query, TenantRow};

impl<'p> PlanReader<'p, '_> {
    pub(super) fn root(&mut self, root: &'p Root) -> PlanResult<FoundRoot> {
        Ok(match root {
            Root::Typename(_) | Root::Change(_) => FoundRoot::Nothing,
            Root::Computed(computed) => FoundRoot::Computed(self.compute(computed, &Thing::new(()))?),
            Root::Tenant(planned, fields) => {
                let args = self.args(planned)?;
                let row = self.reader(&[]).tenant(args.text("code")?)?;
                let rows: Vec<_> = row.into_iter().collect();
                self.tenants(&rows, fields)?;
                FoundRoot::Tenants(rows)
            }
            Root::Tenants(fields) => {
                let mut rows = store::list_tenants(self.session)?;
                rows.retain(|tenant| self.request.viewer.sees(tenant.id));
                self.spend(rows.len())?;
                self.tenants(&rows, fields)?;
                FoundRoot::Tenants(rows)
            }
            Root::Node(planned, any) => {
                let args = self.args(planned)?;
                let node = self.node(args.required_text("id")?)?;
                self.nodes(vec![node], &any.tenant, &any.objects)?
            }
            Root::Nodes(planned, any) => {
                let args = self.args(planned)?;
                let ids = args.texts("ids")?.unwrap_or_default();
                if ids.len() as i64 > MAX_PAGE {
                    return Err(Unplanned::Error);
                }
                let nodes = ids.into_iter().map(|id| self.node(id)).collect::<PlanResult<_>>()?;
                self.nodes(nodes, &any.tenant, &any.objects)?
            }
        })
    }

    fn node(&mut self, id: &str) -> PlanResult<FoundNode> {
        let viewer = self.request.viewer;
        if let Some(tenant) = TenantId::from_opaque(id) {
            let row = store::tenant_by_id(self.session, tenant)?.filter(|tenant| viewer.sees(tenant.id));
            return Ok(row.map_or(FoundNode::Nothing, FoundNode::Tenant));
        }
        match ObjectId::from_opaque(id).filter(|id| viewer.sees(id.tenant)) {
            Some(id) => {
                self.spend(1)?;
                Ok(FoundNode::Object(id))
            }
            None => Ok(FoundNode::Nothing),
        }
    }

    fn nodes(
        &mut self,
        nodes: Vec<FoundNode>,
        tenant: &'p SelectedFields<Tenant>,
        objects: &'p ObjectSelection,
    ) -> PlanResult<FoundRoot> {
        let mut ids = Vec::new();
        for node in &nodes {
            match node {
                FoundNode::Nothing => {}
                FoundNode::Tenant(row) => self.tenants(std::slice::from_ref(row), tenant)?,
                FoundNode::Object(id) => ids.push(*id),
            }
        }
        self.level.push((objects, ids));
        Ok(FoundRoot::Nodes(nodes))
    }

    pub(super) fn tenants(&mut self, rows: &[TenantRow], fields: &'p SelectedFields<Tenant>) -> PlanResult<()> {
        for row in rows {
            for entry in &fields.0 {
                match &entry.content {
                    Tenant::Typename(_) | Tenant::Id | Tenant::Revision | Tenant::Setting(_) => {}
                    Tenant::Defaults(objects) => {
                        self.spend(1)?;
                        self.level.push((objects, vec![ObjectId { tenant: row.id, local: row.defaults }]));
                    }
                    Tenant::One(single) => self.single(row, single)?,
                    Tenant::Page(page) => self.page(row, page)?,
                    Tenant::Computed(at, computed) => {
                        let found = self.compute(computed, &Thing::new(row.clone()))?;
                        self.found.computed.insert((*at, tenant_key(row)), found);
                    }
                }
            }
        }
        Ok(())
    }

    fn single(&mut self, tenant: &TenantRow, single: &'p SingleObject) -> PlanResult<()> {
        let args = self.args(&single.planned)?;
        let by = args.required_object("by")?;
        let query = &mut Query::new(self.session, tenant.id);
        let row = if let Some(id) = by.text("id")? {
            if let Some(id) = ObjectId::from_opaque(id).filter(|id| id.tenant == tenant.id) {
                self.spend(1)?;
                // Its row is read with the others of the level.
                self.found.singles.insert((single.id, tenant.id), id);
                self.level.push((&single.objects, vec![id]));
            }
            return Ok(());
        } else if let Some(number) = by.text("number")? {
            match ExtensionNumber::read(number) {
                Ok(number) => store::object_by_number(query, number.as_str())?,
                Err(_) => None,
            }
        } else {
            store::object_by_name(query, single.kind, by.required_text("name")?)?
        };
        if let Some(row) = row.filter(|row| row.kind == single.kind) {
            self.found.singles.insert((single.id, tenant.id), row.id);
            self.level.push((&single.objects, vec![row.id]));
            self.found.rows.insert(row.id, FoundRow::Whole(Arc::new(row)));
        }
        Ok(())
    }

    fn page(&mut self, tenant: &TenantRow, page: &'p PlannedPage) -> PlanResult<()> {
        let args = self.args(&page.planned)?;
        let find: Find = find_from_args(page.kind, &args)?;
        let first = page_length(args.int("first")?)?.unsigned_abs() as usize;
        let after: Option<Cursor> = match args.text("after")? {
            Some(cursor) => Some(find.place(cursor).ok_or(Unplanned::Error)?),
            None => None,
        };
        let query = &mut Query::new(self.session, tenant.id);
        let found = find.page(query, first, after.as_ref())?;
        let total = if page.total { find.count(query)? } else { 0 };
        self.spend(found.rows.len())?;
        let mut rows = Vec::with_capacity(found.rows.len());
        for (row, cursor) in found.rows {
            rows.push((row.id, cursor));
            self.found.rows.insert(row.id, FoundRow::Whole(row));
        }
        let ids = || rows.iter().map(|(id, _)| *id).collect::<Vec<_>>();
        for entry in &page.fields.0 {
            match &entry.content {
                PageField::Nodes(objects) => self.level.push((objects, ids())),
                PageField::Edges(edges) => {
                    for entry in &edges.0 {
                        if let EdgeField::Node(objects) = &entry.content {
                            self.level.push((objects, ids()));
                        }
                    }
                }
                PageField::Typename(_) | PageField::Info(_) | PageField::Total => {}
            }
        }
        let (has_next, has_previous, price) = (found.more, after.is_some(), price(&args));
        self.found.pages.insert((page.id, tenant.id), FoundPage { rows, has_next, has_previous, total, price });
        Ok(())
    }
}
