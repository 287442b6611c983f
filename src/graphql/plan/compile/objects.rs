//! What is selected of objects: their own rows, their sections and details, and what these lead to.

use std::collections::HashSet;

use async_graphql::parser::types::{Selection, SelectionSet};

use super::compiler::{Compiler, SelectedKey};
use super::draft::{Draft, described};
use crate::domain::Kind;
use crate::form::{FieldShape, Place};
use crate::graphql::layer::{FieldSource, Object, OfRow, OfStep};
use crate::graphql::plan::reading::ListEntries;
use crate::graphql::plan::shape::{DestinationField, ObjectShape, Objects, OfObject, PlannedValue};
use crate::graphql::plan::unplanned::{PlanResult, Unplanned};
use crate::store::ChosenField;

impl<'a> Compiler<'a> {
    /// What is selected of objects of a type, or of those that have an interface in common.
    pub(super) fn objects(&mut self, ty: &str, sets: &[&'a SelectionSet]) -> PlanResult<Objects> {
        let of_type: Option<&'static Object> = self.layer.objects.get(ty);
        let shapes = match of_type {
            Some(object) => vec![self.shape(object, sets)?],
            None => {
                // What no fragment names has the fields that all have, and one of them stands for the others.
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
            let of_row = |what: &OfObject| match what {
                OfObject::Row(OfRow::Id) => false,
                OfObject::Row(OfRow::Kind) => shape.kind.is_none(),
                OfObject::Row(_) => true,
                OfObject::Typename(_) | OfObject::Section(_) | OfObject::Detail(_) | OfObject::Worked(..) => false,
            };
            shape.fields.0.iter().any(|entry| of_row(&entry.what))
        };
        let needs_rows = of_type.is_none() || shapes.iter().any(has_row);
        Ok(Objects { shapes, needs_rows })
    }

    /// The types that fragments name in a selection.
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
                let Some(field) = selected.field else { return Ok(OfObject::Typename(&object.name)) };
                Ok(match field.read {
                    FieldSource::Row(of) => {
                        if ![OfRow::Id, OfRow::Kind].contains(&of) {
                            this.columns.push(of);
                        }
                        OfObject::Row(of)
                    }
                    FieldSource::Section(info) => {
                        let section = this.object(info.name)?;
                        OfObject::Section(this.fields(section, selected.sets(), |this, selected| {
                            this.value(section, selected, &mut draft)
                        })?)
                    }
                    FieldSource::Value(..) | FieldSource::Lead(..) => {
                        OfObject::Detail(this.value(object, selected, &mut draft)?)
                    }
                    _ => OfObject::Worked(Self::next(&mut this.found), this.worked(field, &selected)?),
                })
            })?;
        let kind = Kind::ALL.iter().copied().find(|kind| kind.name() == object.name);
        let kind = if object.name == "NewVirtualExtension" { Some(Kind::FormDefaults) } else { kind };
        let reading = (!draft.is_empty()).then(|| draft.reading(Self::next(&mut self.readings))).transpose()?;
        Ok(ObjectShape { kind, fields, reading })
    }

    /// A value of a section, a detail or an entry.
    fn value(
        &mut self,
        object: &'static Object,
        selected: SelectedKey<'a>,
        draft: &mut Draft,
    ) -> PlanResult<PlannedValue> {
        let Some(field) = selected.field else { return Ok(PlannedValue::Typename(&object.name)) };
        match field.read {
            FieldSource::Value(info, at) => {
                let chosen = ChosenField { info, at };
                let own = described(&chosen)?;
                let is_list = field.ty.inner().is_some();
                Ok(match (own.place, own.shape) {
                    (Place::Column, FieldShape::Value { .. }) if is_list => PlannedValue::Many(draft.cell(chosen)),
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
                            Ok(match selected.field.map(|field| (field.read, field)) {
                                None => DestinationField::Typename(&step.name),
                                Some((FieldSource::Step(OfStep::Object), field)) => {
                                    DestinationField::Object(this.objects(field.ty.name(), selected.sets())?)
                                }
                                Some((FieldSource::Step(of), _)) => DestinationField::Is(of),
                                Some(_) => return Err(Unplanned::Field),
                            })
                        })?;
                        PlannedValue::Steps(draft.list(chosen, ListEntries::Steps), fields)
                    }
                    _ => return Err(Unplanned::Field),
                })
            }
            FieldSource::Lead(info, at) => {
                let chosen = ChosenField { info, at };
                let objects = self.objects(field.ty.name(), selected.sets())?;
                Ok(match described(&chosen)?.place {
                    Place::Column => PlannedValue::One(draft.lead(chosen), objects),
                    Place::Rows(_) => PlannedValue::All(draft.list(chosen, ListEntries::Ids), objects),
                })
            }
            _ => Err(Unplanned::Field),
        }
    }
}
