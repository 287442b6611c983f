//! Compiling a document to a plan.

mod compiler;
mod draft;
mod objects;

use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType, SelectionSet};
use async_graphql::{Name, Variables};

use self::compiler::{Compiler, SelectedKey};
use super::shape::{
    ComputedField, EdgeField, NodeSelection, PageField, PageInfoField, PlannedMutation, PlannedPage, QueryPlan, Root,
    SelectedFields, SingleObject, Tenant, ThingField, ValueSelection,
};
use super::unplanned::{PlanResult, Unplanned};
use crate::graphql::layer::{
    EdgeSource, FieldSource, Layer, Object, PageSource, Resolver, RootSource, SchemaField, TenantSource,
};
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
    let Compiler { reads, mut columns, conditions, only_rows, .. } = compiler;
    columns.sort_unstable();
    columns.dedup();
    (root.map(|root| QueryPlan { root, columns, reads, only_rows }), conditions.into_iter().collect())
}

impl<'a> Compiler<'a> {
    fn root(&mut self, sets: &[&'a SelectionSet]) -> PlanResult<SelectedFields<Root>> {
        let object = self.object(&self.layer.query)?;
        self.fields(object, sets, |this, selected| {
            let (field, sets) = match selected.field {
                None => return Ok(Root::Typename(&object.name)),
                Some(field) => (field, selected.sets()),
            };
            Ok(match field.source {
                FieldSource::Root(RootSource::Tenant) => Root::Tenant(selected.planned(field), this.tenant(sets)?),
                FieldSource::Root(RootSource::Tenants) => Root::Tenants(this.tenant(sets)?),
                FieldSource::Root(RootSource::Node) => Root::Node(selected.planned(field), this.node_selection(sets)?),
                FieldSource::Root(RootSource::Nodes) => {
                    Root::Nodes(selected.planned(field), this.node_selection(sets)?)
                }
                _ => Root::Computed(this.computed_field(field, &selected)?),
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
            let save = if let FieldSource::Save(save) = field.source { Some(save) } else { None };
            let selection = this.value_selection(field, selected.sets())?;
            let computed =
                ComputedField { planned: selected.planned(field), selected: selection.selected(), selection };
            Ok(Root::Change(PlannedMutation {
                computed,
                save,
                at: (selected.first.response_key().node.clone(), selected.at),
            }))
        })
    }

    /// A computed field.
    fn computed_field(&mut self, field: &'static SchemaField, selected: &SelectedKey<'a>) -> PlanResult<ComputedField> {
        match &field.answer {
            Resolver::Now(_) => {}
            Resolver::Read(reads) => self.only_rows &= reads.depends_only_on_tenant(),
            Resolver::Later(_) | Resolver::Stream(_) | Resolver::Elsewhere => return Err(Unplanned::Field),
        }
        let selection = self.value_selection(field, selected.sets())?;
        Ok(ComputedField { planned: selected.planned(field), selected: selection.selected(), selection })
    }

    /// The selection below a computed field.
    fn value_selection(
        &mut self,
        field: &'static SchemaField,
        sets: &[&'a SelectionSet],
    ) -> PlanResult<ValueSelection> {
        let ty = field.ty.name();
        if self.layer.is_leaf(ty) {
            return Ok(ValueSelection::Plain);
        }
        if ty == "Tenant" {
            return Ok(ValueSelection::Tenant(self.tenant(sets)?));
        }
        let has_row = |object: &Object| object.is("PbxObject") || object.name == "NewVirtualExtension";
        match self.layer.objects.get(ty) {
            Some(object) if !has_row(object) => {
                Ok(ValueSelection::Thing(self.fields(object, sets, |this, selected| {
                    let Some(field) = selected.field else { return Ok(ThingField::Typename(&object.name)) };
                    Ok(ThingField::Field(this.computed_field(field, &selected)?))
                })?))
            }
            None if ty != "PbxObject" => Err(Unplanned::Field),
            _ => Ok(ValueSelection::Object(self.objects(ty, sets)?)),
        }
    }

    fn node_selection(&mut self, sets: &[&'a SelectionSet]) -> PlanResult<NodeSelection> {
        let (tenant, mut objects) = (self.tenant(sets)?, self.objects("PbxObject", sets)?);
        // Only the rows show whether the objects exist.
        objects.needs_rows = true;
        Ok(NodeSelection { tenant, objects })
    }

    fn tenant(&mut self, sets: &[&'a SelectionSet]) -> PlanResult<SelectedFields<Tenant>> {
        let object = self.object("Tenant")?;
        self.fields(object, sets, |this, selected| {
            let Some(field) = selected.field else { return Ok(Tenant::Typename(&object.name)) };
            let sets = selected.sets();
            Ok(match field.source {
                FieldSource::Tenant(TenantSource::Id) => Tenant::Id,
                FieldSource::Tenant(TenantSource::Revision) => Tenant::Revision,
                FieldSource::Value(_, at) => Tenant::Setting(at),
                FieldSource::Tenant(TenantSource::Defaults) => Tenant::Defaults(this.objects(field.ty.name(), sets)?),
                FieldSource::Tenant(TenantSource::One(kind)) => {
                    let mut objects = this.objects(field.ty.name(), sets)?;
                    // Only the row shows whether the object exists and is of this kind.
                    objects.needs_rows = true;
                    let id = Self::next(&mut this.found);
                    Tenant::One(SingleObject { id, planned: selected.planned(field), kind, objects })
                }
                FieldSource::Tenant(TenantSource::Page(kind)) => {
                    let fields = this.page(field, sets)?;
                    let total = fields.0.iter().any(|entry| matches!(entry.content, PageField::Total));
                    let id = Self::next(&mut this.found);
                    Tenant::Page(PlannedPage { id, planned: selected.planned(field), kind, fields, total })
                }
                _ => Tenant::Computed(Self::next(&mut this.found), this.computed_field(field, &selected)?),
            })
        })
    }

    fn page(&mut self, page: &'static SchemaField, sets: &[&'a SelectionSet]) -> PlanResult<SelectedFields<PageField>> {
        let object = self.object(page.ty.name())?;
        self.fields(object, sets, |this, selected| {
            let Some(field) = selected.field else { return Ok(PageField::Typename(&object.name)) };
            let (ty, sets) = (field.ty.name(), selected.sets());
            Ok(match field.source {
                FieldSource::Page(PageSource::Edges) => {
                    let edge = this.object(ty)?;
                    PageField::Edges(this.fields(edge, sets, |this, selected| {
                        let Some(field) = selected.field else { return Ok(EdgeField::Typename(&edge.name)) };
                        Ok(match field.source {
                            FieldSource::Edge(EdgeSource::Node) => {
                                EdgeField::Node(this.objects(field.ty.name(), selected.sets())?)
                            }
                            FieldSource::Edge(EdgeSource::Cursor) => EdgeField::Cursor,
                            _ => return Err(Unplanned::Field),
                        })
                    })?)
                }
                FieldSource::Page(PageSource::Nodes) => PageField::Nodes(this.objects(ty, sets)?),
                FieldSource::Page(PageSource::Info) => {
                    let info = this.object(ty)?;
                    PageField::Info(this.fields(info, sets, |_, selected| match selected.field {
                        None => Ok(PageInfoField::Typename(&info.name)),
                        Some(SchemaField { source: FieldSource::PageInfo(is), .. }) => Ok(PageInfoField::Is(*is)),
                        Some(_) => Err(Unplanned::Field),
                    })?)
                }
                FieldSource::Page(PageSource::Total) => PageField::Total,
                _ => return Err(Unplanned::Field),
            })
        })
    }
}
