//! Compiling a document to a plan.

mod compiler;
mod draft;
mod objects;

use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType, SelectionSet};
use async_graphql::{Name, Variables};

use self::compiler::{Compiler, SelectedKey};
use super::shape::{
    Any, EdgeField, OfThing, PageField, PageInfoField, PlannedMutation, PlannedPage, QueryPlan, Root, SelectedFields,
    Single, Tenant, What, Worked,
};
use super::unplanned::{PlanResult, Unplanned};
use crate::graphql::layer::{FieldSource, Layer, Object, OfEdge, OfPage, OfRoot, OfTenant, Resolver, SchemaField};
use crate::graphql::prices::Prices;

/// The plan of an operation, and the variables in its conditions. The plan is valid only for these values of those
/// variables.
pub fn compile(
    layer: &'static Layer,
    prices: &'static Prices,
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
) -> (PlanResult<QueryPlan>, Vec<Name>) {
    let mut compiler = Compiler::new(layer, prices, document, variables);
    // Parts of the document that these values leave out may be selected with other values.
    compiler.note_conditions(&operation.selection_set.node);
    document.fragments.values().for_each(|fragment| compiler.note_conditions(&fragment.node.selection_set.node));
    let root = match operation.ty {
        OperationType::Mutation => compiler.mutation(&[&operation.selection_set.node]),
        _ => compiler.root(&[&operation.selection_set.node]),
    };
    let Compiler { readings, mut columns, conditions, only_rows, .. } = compiler;
    columns.sort_unstable();
    columns.dedup();
    (root.map(|root| QueryPlan { root, columns, readings, only_rows }), conditions.into_iter().collect())
}

impl<'a> Compiler<'a> {
    fn root(&mut self, sets: &[&'a SelectionSet]) -> PlanResult<SelectedFields<Root>> {
        let object = self.object(&self.layer.query)?;
        self.fields(object, sets, |this, selected| {
            let (field, sets) = match selected.field {
                None => return Ok(Root::Typename(&object.name)),
                Some(field) => (field, selected.sets()),
            };
            Ok(match field.read {
                FieldSource::Root(OfRoot::Tenant) => Root::Tenant(selected.asked(field), this.tenant(sets)?),
                FieldSource::Root(OfRoot::Tenants) => Root::Tenants(this.tenant(sets)?),
                FieldSource::Root(OfRoot::Node) => Root::Node(selected.asked(field), this.any(sets)?),
                FieldSource::Root(OfRoot::Nodes) => Root::Nodes(selected.asked(field), this.any(sets)?),
                _ => Root::Worked(this.worked(field, &selected)?),
            })
        })
    }

    fn mutation(&mut self, sets: &[&'a SelectionSet]) -> PlanResult<SelectedFields<Root>> {
        let object = self.object(&self.layer.mutation)?;
        self.fields(object, sets, |this, selected| {
            let Some(field) = selected.field else { return Ok(Root::Typename(&object.name)) };
            // An error of the field has to fail the whole mutation.
            if field.ty.is_nullable() {
                return Err(Unplanned::Field);
            }
            let save = if let FieldSource::Save(save) = field.read { Some(save) } else { None };
            let what = this.what(field, selected.sets())?;
            let worked = Worked { asked: selected.asked(field), selected: what.selected(), what };
            Ok(Root::Change(PlannedMutation {
                worked,
                save,
                at: (selected.asked.response_key().node.clone(), selected.at),
            }))
        })
    }

    /// A computed field.
    fn worked(&mut self, field: &'static SchemaField, selected: &SelectedKey<'a>) -> PlanResult<Worked> {
        match &field.answer {
            Resolver::Now(_) => {}
            Resolver::Read(reads) => self.only_rows &= reads.is_of_a_tenant(),
            Resolver::Later(_) | Resolver::Stream(_) | Resolver::Elsewhere => return Err(Unplanned::Field),
        }
        let what = self.what(field, selected.sets())?;
        Ok(Worked { asked: selected.asked(field), selected: what.selected(), what })
    }

    /// The selection below a computed field.
    fn what(&mut self, field: &'static SchemaField, sets: &[&'a SelectionSet]) -> PlanResult<What> {
        let ty = field.ty.name();
        if self.layer.is_leaf(ty) {
            return Ok(What::Plain);
        }
        if ty == "Tenant" {
            return Ok(What::Tenant(self.tenant(sets)?));
        }
        let has_row = |object: &Object| object.is("PbxObject") || object.name == "NewVirtualExtension";
        match self.layer.objects.get(ty) {
            Some(object) if !has_row(object) => Ok(What::Thing(self.fields(object, sets, |this, selected| {
                let Some(field) = selected.field else { return Ok(OfThing::Typename(&object.name)) };
                Ok(OfThing::Field(this.worked(field, &selected)?))
            })?)),
            None if ty != "PbxObject" => Err(Unplanned::Field),
            _ => Ok(What::Object(self.objects(ty, sets)?)),
        }
    }

    fn any(&mut self, sets: &[&'a SelectionSet]) -> PlanResult<Any> {
        let (tenant, mut objects) = (self.tenant(sets)?, self.objects("PbxObject", sets)?);
        // Only the rows show whether the objects exist.
        objects.needs_rows = true;
        Ok(Any { tenant, objects })
    }

    fn tenant(&mut self, sets: &[&'a SelectionSet]) -> PlanResult<SelectedFields<Tenant>> {
        let object = self.object("Tenant")?;
        self.fields(object, sets, |this, selected| {
            let Some(field) = selected.field else { return Ok(Tenant::Typename(&object.name)) };
            let sets = selected.sets();
            Ok(match field.read {
                FieldSource::Tenant(OfTenant::Id) => Tenant::Id,
                FieldSource::Tenant(OfTenant::Revision) => Tenant::Revision,
                FieldSource::Value(_, at) => Tenant::Setting(at),
                FieldSource::Tenant(OfTenant::Defaults) => Tenant::Defaults(this.objects(field.ty.name(), sets)?),
                FieldSource::Tenant(OfTenant::One(kind)) => {
                    let mut objects = this.objects(field.ty.name(), sets)?;
                    // Only the row shows whether the object exists and is of this kind.
                    objects.needs_rows = true;
                    let id = Self::next(&mut this.found);
                    Tenant::One(Single { id, asked: selected.asked(field), kind, objects })
                }
                FieldSource::Tenant(OfTenant::Page(kind)) => {
                    let fields = this.page(field, sets)?;
                    let total = fields.0.iter().any(|entry| matches!(entry.what, PageField::Total));
                    let id = Self::next(&mut this.found);
                    Tenant::Page(PlannedPage { id, asked: selected.asked(field), kind, fields, total })
                }
                _ => Tenant::Worked(Self::next(&mut this.found), this.worked(field, &selected)?),
            })
        })
    }

    fn page(&mut self, page: &'static SchemaField, sets: &[&'a SelectionSet]) -> PlanResult<SelectedFields<PageField>> {
        let object = self.object(page.ty.name())?;
        self.fields(object, sets, |this, selected| {
            let Some(field) = selected.field else { return Ok(PageField::Typename(&object.name)) };
            let (ty, sets) = (field.ty.name(), selected.sets());
            Ok(match field.read {
                FieldSource::Page(OfPage::Edges) => {
                    let edge = this.object(ty)?;
                    PageField::Edges(this.fields(edge, sets, |this, selected| {
                        let Some(field) = selected.field else { return Ok(EdgeField::Typename(&edge.name)) };
                        Ok(match field.read {
                            FieldSource::Edge(OfEdge::Node) => {
                                EdgeField::Node(this.objects(field.ty.name(), selected.sets())?)
                            }
                            FieldSource::Edge(OfEdge::Cursor) => EdgeField::Cursor,
                            _ => return Err(Unplanned::Field),
                        })
                    })?)
                }
                FieldSource::Page(OfPage::Nodes) => PageField::Nodes(this.objects(ty, sets)?),
                FieldSource::Page(OfPage::Info) => {
                    let info = this.object(ty)?;
                    PageField::Info(this.fields(info, sets, |_, selected| match selected.field {
                        None => Ok(PageInfoField::Typename(&info.name)),
                        Some(SchemaField { read: FieldSource::PageInfo(is), .. }) => Ok(PageInfoField::Is(*is)),
                        Some(_) => Err(Unplanned::Field),
                    })?)
                }
                FieldSource::Page(OfPage::Total) => PageField::Total,
                _ => return Err(Unplanned::Field),
            })
        })
    }
}
