//! Compiling selections of objects: their own rows, their sections and details, and the objects that they refer to.

use std::collections::HashSet;

use async_graphql::parser::types::{Selection, SelectionSet};

use super::compiler::{Compiler, SelectedKey};
use super::draft::{Draft, described};
use crate::domain::Kind;
use crate::form::{FieldShape, Place};
use crate::graphql::layer::{DestinationSource, FieldSource, Object, RowColumn};
use crate::graphql::plan::planned_read::ListEntries;
use crate::graphql::plan::shape::{DestinationField, ObjectField, ObjectSelection, ObjectShape, PlannedValue};
use crate::graphql::plan::unplanned::{PlanResult, Unplanned};
use crate::store::ChosenField;

impl<'a> Compiler<'a> {
    /// The selection for objects of a type or an interface.
    pub(super) fn objects(&mut self, ty: &str, sets: &[&'a SelectionSet]) -> PlanResult<ObjectSelection> {
        let of_type: Option<&'static Object> = self.layer.objects.get(ty);
        let shapes = match of_type {
            Some(object) => vec![self.shape(object, sets)?],
            None => {
                // The types that no fragment names have the same selection, so one shape covers all of them.
                let mut named = HashSet::new();
                for set in sets {
                    self.named(set, &mut named)?;
                }
                let possible = self.layer.objects.values().filter(|object| object.is(ty) && object.name != "Tenant");
                let (own, others): (Vec<_>, Vec<_>) = possible.partition(|object| named.contains(&*object.name));
                let own = own.into_iter().map(|object| self.shape(object, sets)).collect::<PlanResult<Vec<_>>>()?;
                let others = others.first().map(|object| self.shape(object, sets)).transpose()?;
                own.into_iter().chain(others.map(|shape| ObjectShape { kind: None, ..shape })).collect()
            }
        };
        let has_row = |shape: &ObjectShape| {
            let needs_row = |field: &ObjectField| match field {
                ObjectField::Row(RowColumn::Id) => false,
                ObjectField::Row(RowColumn::Kind) => shape.kind.is_none(),
                ObjectField::Row(_) => true,
                ObjectField::Typename(_)
                | ObjectField::Section(_)
                | ObjectField::Detail(_)
                | ObjectField::Computed(..) => false,
            };
            shape.fields.0.iter().any(|entry| needs_row(&entry.content))
        };
        let needs_rows = of_type.is_none() || shapes.iter().any(has_row);
        Ok(ObjectSelection { shapes, needs_rows })
    }

    /// Collects the types that fragments name in a selection.
    fn named(&mut self, set: &'a SelectionSet, names: &mut HashSet<&'a str>) -> PlanResult<()> {
        for item in &set.items {
            self.left = self.left.checked_sub(1).ok_or(Unplanned::Long)?;
            match &item.node {
                Selection::Field(_) => {}
                Selection::InlineFragment(fragment) => {
                    names
                        .extend(fragment.node.type_condition.as_ref().map(|condition| condition.node.on.node.as_str()));
                    self.named(&fragment.node.selection_set.node, names)?;
                }
                Selection::FragmentSpread(spread) => {
                    let Some(fragment) = self.document.fragments.get(&spread.node.fragment_name.node) else { continue };
                    names.insert(fragment.node.type_condition.node.on.node.as_str());
                    self.named(&fragment.node.selection_set.node, names)?;
                }
            }
        }
        Ok(())
    }

    fn shape(&mut self, object: &'static Object, sets: &[&'a SelectionSet]) -> PlanResult<ObjectShape> {
        let mut draft = Draft::default();
        let fields =
            self.fields(object, sets, |this, selected| {
                let Some(field) = selected.field else { return Ok(ObjectField::Typename(&object.name)) };
                Ok(match field.source {
                    FieldSource::Row(of) => {
                        if ![RowColumn::Id, RowColumn::Kind].contains(&of) {
                            this.columns.push(of);
                        }
                        ObjectField::Row(of)
                    }
                    FieldSource::Section(info) => {
                        let section = this.object(info.name)?;
                        ObjectField::Section(this.fields(section, selected.sets(), |this, selected| {
                            this.value(section, selected, &mut draft)
                        })?)
                    }
                    FieldSource::Value(..) | FieldSource::Reference(..) => {
                        ObjectField::Detail(this.value(object, selected, &mut draft)?)
                    }
                    _ => ObjectField::Computed(Self::next(&mut this.found), this.computed_field(field, &selected)?),
                })
            })?;
        let kind = Kind::ALL.iter().copied().find(|kind| kind.name() == object.name);
        let kind = if object.name == "NewVirtualExtension" { Some(Kind::FormDefaults) } else { kind };
        let read = (!draft.is_empty()).then(|| draft.into_read(Self::next(&mut self.reads))).transpose()?;
        Ok(ObjectShape { kind, fields, read })
    }

    /// A value of a section, a detail or an entry.
    fn value(
        &mut self,
        object: &'static Object,
        selected: SelectedKey<'a>,
        draft: &mut Draft,
    ) -> PlanResult<PlannedValue> {
        let Some(field) = selected.field else { return Ok(PlannedValue::Typename(&object.name)) };
        match field.source {
            FieldSource::Value(info, at) => {
                let chosen = ChosenField { info, at };
                let own = described(&chosen)?;
                let is_list = field.ty.inner().is_some();
                Ok(match (own.place, own.shape) {
                    (Place::Column, FieldShape::Value { .. }) if is_list => PlannedValue::ListCell(draft.cell(chosen)),
                    (Place::Column, FieldShape::Value { .. }) => PlannedValue::Cell(draft.cell(chosen)),
                    (Place::Rows(rows), FieldShape::Value { .. }) if rows.columns == ["target_id"] => {
                        PlannedValue::Ids(draft.list(chosen, ListEntries::Ids))
                    }
                    (Place::Rows(_), FieldShape::Entries(entry)) => {
                        let (entry, mut inner) = (self.object(entry().name)?, Draft::default());
                        let values = self
                            .fields(entry, selected.sets(), |this, selected| this.value(entry, selected, &mut inner))?;
                        let list = draft.list(chosen, inner.entries()?);
                        PlannedValue::Entries(list, values)
                    }
                    (Place::Rows(_), FieldShape::Destinations) => {
                        let step = self.object(field.ty.name())?;
                        let fields = self.fields(step, selected.sets(), |this, selected| {
                            Ok(match selected.field.map(|field| (field.source, field)) {
                                None => DestinationField::Typename(&step.name),
                                Some((FieldSource::Destination(DestinationSource::Object), field)) => {
                                    DestinationField::Object(this.objects(field.ty.name(), selected.sets())?)
                                }
                                Some((FieldSource::Destination(of), _)) => DestinationField::Is(of),
                                Some(_) => return Err(Unplanned::Field),
                            })
                        })?;
                        PlannedValue::Destinations(draft.list(chosen, ListEntries::Destinations), fields)
                    }
                    _ => return Err(Unplanned::Field),
                })
            }
            FieldSource::Reference(info, at) => {
                let chosen = ChosenField { info, at };
                let objects = self.objects(field.ty.name(), selected.sets())?;
                Ok(match described(&chosen)?.place {
                    Place::Column => PlannedValue::Reference(draft.reference(chosen), objects),
                    Place::Rows(_) => PlannedValue::References(draft.list(chosen, ListEntries::Ids), objects),
                })
            }
            _ => Err(Unplanned::Field),
        }
    }
}
