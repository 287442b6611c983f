//! From a document to a plan.

use std::collections::HashSet;

use async_graphql::parser::types::{
    Directive, ExecutableDocument, Field as Asking, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Name, Pos, Positioned, Variables};
use async_graphql_value::Value as Written;
use indexmap::IndexMap;

use super::reading::{Entries, List, Reading};
use super::shape::{
    Any, Asked, Change, Entry, Fields, Info, Objects, OfEdge, OfObject, OfPage, OfThing, Page, Plan, Root, Shape,
    Single, Step, Tenant, Value, What, Worked,
};
use super::unplanned::{Result, Unplanned};
use crate::domain::{Kind, json};
use crate::form::{self, Place, Seen};
use crate::graphql::layer::{
    self, Answer, Field, Layer, Object, OfEdge as ReadEdge, OfPage as ReadPage, OfRoot, OfStep, OfTenant, Read, Text,
};
use crate::graphql::prices::Prices;
use crate::store::{Chosen, ChosenField, ENTRY};

/// More selections than these are not compiled, each counted as often as fragments bring it.
const MOST: usize = 20_000;

/// The plan of an operation, and the variables that its conditions look at, for whose values alone it is good.
pub fn compile(
    layer: &'static Layer,
    prices: &'static Prices,
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
) -> (Result<Plan>, Vec<Name>) {
    let mut compiler = Compiler {
        layer,
        prices,
        document,
        variables,
        conditions: HashSet::new(),
        left: MOST,
        readings: 0,
        found: 0,
        columns: Vec::new(),
        only_rows: true,
    };
    // Whatever is left out of the plan of these values, others may ask for.
    compiler.note_conditions(&operation.selection_set.node);
    document.fragments.values().for_each(|fragment| compiler.note_conditions(&fragment.node.selection_set.node));
    let root = match operation.ty {
        OperationType::Mutation => compiler.mutation(&[&operation.selection_set.node]),
        _ => compiler.root(&[&operation.selection_set.node]),
    };
    let Compiler { readings, mut columns, conditions, only_rows, .. } = compiler;
    columns.sort_unstable();
    columns.dedup();
    (root.map(|root| Plan { root, columns, readings, only_rows }), conditions.into_iter().collect())
}

struct Compiler<'a> {
    layer: &'static Layer,
    prices: &'static Prices,
    document: &'a ExecutableDocument,
    variables: &'a Variables,
    conditions: HashSet<Name>,
    left: usize,
    readings: usize,
    found: usize,
    columns: Vec<layer::OfRow>,
    only_rows: bool,
}

/// What is found of a selection while its keys are collected.
struct Collected<'a> {
    object: &'static Object,
    /// The fields that are selected under each key, in the order of the answer.
    keys: IndexMap<&'a Name, Vec<&'a Positioned<Asking>>>,
    spread: HashSet<&'a Name>,
}

impl<'a> Compiler<'a> {
    fn note_conditions(&mut self, set: &SelectionSet) {
        for item in &set.items {
            for directive in item.node.directives() {
                let argument = directive.node.get_argument("if").map(|value| &value.node);
                if let (Some(Written::Variable(name)), true) = (argument, is_condition(directive)) {
                    self.conditions.insert(name.clone());
                }
            }
            match &item.node {
                Selection::Field(field) => self.note_conditions(&field.node.selection_set.node),
                Selection::InlineFragment(fragment) => self.note_conditions(&fragment.node.selection_set.node),
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    /// Whether a selection stands, as its conditions say.
    fn stands(&self, item: &Selection) -> bool {
        item.directives().iter().filter(|directive| is_condition(directive)).all(|directive| {
            let value = match directive.node.get_argument("if").map(|value| &value.node) {
                Some(Written::Variable(name)) => self.variables.get(name) == Some(&async_graphql::Value::Boolean(true)),
                Some(Written::Boolean(value)) => *value,
                _ => false,
            };
            value == (directive.node.name.node == "include")
        })
    }

    /// Collects the keys of a selection.
    fn collect(&mut self, set: &'a SelectionSet, found: &mut Collected<'a>) -> Result<()> {
        for item in &set.items {
            self.left = self.left.checked_sub(1).ok_or(Unplanned::Long)?;
            if !self.stands(&item.node) {
                continue;
            }
            match &item.node {
                Selection::Field(field) => {
                    found.keys.entry(&field.node.response_key().node).or_default().push(field);
                }
                Selection::InlineFragment(fragment) => {
                    let on = fragment.node.type_condition.as_ref().map(|condition| &condition.node.on.node);
                    if on.is_none_or(|on| found.object.is(on)) {
                        self.collect(&fragment.node.selection_set.node, found)?;
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    let Some(fragment) = self.document.fragments.get(name) else { continue };
                    let on = &fragment.node.type_condition.node.on.node;
                    if found.spread.insert(name) && found.object.is(on) {
                        self.collect(&fragment.node.selection_set.node, found)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// What is selected of an object; `what` compiles each key.
    fn fields<W>(
        &mut self,
        object: &'static Object,
        sets: &[&'a SelectionSet],
        mut what: impl FnMut(&mut Self, Selected<'a>) -> Result<W>,
    ) -> Result<Fields<W>> {
        let mut found = Collected { object, keys: IndexMap::new(), spread: HashSet::new() };
        for set in sets {
            self.collect(set, &mut found)?;
        }
        let ty = self.prices.of(&object.name);
        let mut entries = Vec::with_capacity(found.keys.len());
        for (name, fields) in found.keys {
            let Some(first) = fields.first().map(|field| &field.node) else { continue };
            let mut key = Vec::new();
            json::write(name.as_str(), &mut key);
            key.push(b':');
            let known = self.prices.field(ty, &first.name.node);
            let price = known.map_or(0, |known| known.surcharge);
            let field = match first.name.node.as_str() {
                "__typename" => None,
                "__schema" | "__type" => return Err(Unplanned::Introspection),
                field => Some(object.fields.get(field).ok_or(Unplanned::Field)?),
            };
            let at = fields.first().map(|field| field.pos).unwrap_or_default();
            let sets = fields.iter().map(|field| &field.node.selection_set.node).collect();
            let what = what(self, Selected { field, asked: first, sets, at })?;
            entries.push(Entry { key: key.into(), price, what });
        }
        Ok(Fields(entries))
    }

    fn object(&self, name: &str) -> Result<&'static Object> {
        self.layer.objects.get(name).ok_or(Unplanned::Field)
    }

    fn next(count: &mut usize) -> usize {
        *count += 1;
        *count - 1
    }

    fn root(&mut self, sets: &[&'a SelectionSet]) -> Result<Fields<Root>> {
        let object = self.object(&self.layer.query)?;
        self.fields(object, sets, |this, selected| {
            let (field, sets) = match selected.field {
                None => return Ok(Root::Typename(&object.name)),
                Some(field) => (field, selected.sets()),
            };
            Ok(match field.read {
                Read::Root(OfRoot::Tenant) => Root::Tenant(selected.asked(field), this.tenant(sets)?),
                Read::Root(OfRoot::Tenants) => Root::Tenants(this.tenant(sets)?),
                Read::Root(OfRoot::Node) => Root::Node(selected.asked(field), this.any(sets)?),
                Read::Root(OfRoot::Nodes) => Root::Nodes(selected.asked(field), this.any(sets)?),
                _ => Root::Worked(this.worked(field, &selected)?),
            })
        })
    }

    fn mutation(&mut self, sets: &[&'a SelectionSet]) -> Result<Fields<Root>> {
        let object = self.object(&self.layer.mutation)?;
        self.fields(object, sets, |this, selected| {
            let Some(field) = selected.field else { return Ok(Root::Typename(&object.name)) };
            // An error of the field has to be one of the whole mutation.
            if field.ty.is_nullable() {
                return Err(Unplanned::Field);
            }
            let save = if let Read::Save(save) = field.read { Some(save) } else { None };
            let what = this.what(field, selected.sets())?;
            let worked = Worked { asked: selected.asked(field), selected: what.selected(), what };
            Ok(Root::Change(Change { worked, save, at: (selected.asked.response_key().node.clone(), selected.at) }))
        })
    }

    /// A field that works out what it answers.
    fn worked(&mut self, field: &'static Field, selected: &Selected<'a>) -> Result<Worked> {
        match &field.answer {
            Answer::Now(_) => {}
            Answer::Read(reads) => self.only_rows &= reads.is_of_a_tenant(),
            Answer::Later(_) | Answer::Stream(_) | Answer::Elsewhere => return Err(Unplanned::Field),
        }
        let what = self.what(field, selected.sets())?;
        Ok(Worked { asked: selected.asked(field), selected: what.selected(), what })
    }

    /// What is selected of what a field works out.
    fn what(&mut self, field: &'static Field, sets: &[&'a SelectionSet]) -> Result<What> {
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

    fn any(&mut self, sets: &[&'a SelectionSet]) -> Result<Any> {
        let (tenant, mut objects) = (self.tenant(sets)?, self.objects("PbxObject", sets)?);
        // Whether they are there is found out by their rows.
        objects.needs_rows = true;
        Ok(Any { tenant, objects })
    }

    fn tenant(&mut self, sets: &[&'a SelectionSet]) -> Result<Fields<Tenant>> {
        let object = self.object("Tenant")?;
        self.fields(object, sets, |this, selected| {
            let Some(field) = selected.field else { return Ok(Tenant::Typename(&object.name)) };
            let sets = selected.sets();
            Ok(match field.read {
                Read::Tenant(OfTenant::Id) => Tenant::Id,
                Read::Tenant(OfTenant::Revision) => Tenant::Revision,
                Read::Value(_, at) => Tenant::Setting(at),
                Read::Tenant(OfTenant::Defaults) => Tenant::Defaults(this.objects(field.ty.name(), sets)?),
                Read::Tenant(OfTenant::One(kind)) => {
                    let mut objects = this.objects(field.ty.name(), sets)?;
                    // Whether it is there, and of the kind, is found out by its row.
                    objects.needs_rows = true;
                    let id = Self::next(&mut this.found);
                    Tenant::One(Single { id, asked: selected.asked(field), kind, objects })
                }
                Read::Tenant(OfTenant::Page(kind)) => {
                    let fields = this.page(field, sets)?;
                    let total = fields.0.iter().any(|entry| matches!(entry.what, OfPage::Total));
                    let id = Self::next(&mut this.found);
                    Tenant::Page(Page { id, asked: selected.asked(field), kind, fields, total })
                }
                _ => Tenant::Worked(Self::next(&mut this.found), this.worked(field, &selected)?),
            })
        })
    }

    fn page(&mut self, page: &'static Field, sets: &[&'a SelectionSet]) -> Result<Fields<OfPage>> {
        let object = self.object(page.ty.name())?;
        self.fields(object, sets, |this, selected| {
            let Some(field) = selected.field else { return Ok(OfPage::Typename(&object.name)) };
            let (ty, sets) = (field.ty.name(), selected.sets());
            Ok(match field.read {
                Read::Page(ReadPage::Edges) => {
                    let edge = this.object(ty)?;
                    OfPage::Edges(this.fields(edge, sets, |this, selected| {
                        let Some(field) = selected.field else { return Ok(OfEdge::Typename(&edge.name)) };
                        Ok(match field.read {
                            Read::Edge(ReadEdge::Node) => OfEdge::Node(this.objects(field.ty.name(), selected.sets())?),
                            Read::Edge(ReadEdge::Cursor) => OfEdge::Cursor,
                            _ => return Err(Unplanned::Field),
                        })
                    })?)
                }
                Read::Page(ReadPage::Nodes) => OfPage::Nodes(this.objects(ty, sets)?),
                Read::Page(ReadPage::Info) => {
                    let info = this.object(ty)?;
                    OfPage::Info(this.fields(info, sets, |_, selected| match selected.field {
                        None => Ok(Info::Typename(&info.name)),
                        Some(Field { read: Read::PageInfo(is), .. }) => Ok(Info::Is(*is)),
                        Some(_) => Err(Unplanned::Field),
                    })?)
                }
                Read::Page(ReadPage::Total) => OfPage::Total,
                _ => return Err(Unplanned::Field),
            })
        })
    }

    /// What is selected of objects of a type, or of those that have an interface in common.
    fn objects(&mut self, ty: &str, sets: &[&'a SelectionSet]) -> Result<Objects> {
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
                let own = own.into_iter().map(|object| self.shape(object, sets)).collect::<Result<Vec<_>>>()?;
                let others = others.first().map(|object| self.shape(object, sets)).transpose()?;
                own.into_iter().chain(others.map(|shape| Shape { kind: None, ..shape })).collect()
            }
        };
        let has_row = |shape: &Shape| {
            let of_row = |what: &OfObject| match what {
                OfObject::Row(layer::OfRow::Id) => false,
                OfObject::Row(layer::OfRow::Kind) => shape.kind.is_none(),
                OfObject::Row(_) => true,
                OfObject::Typename(_) | OfObject::Section(_) | OfObject::Detail(_) | OfObject::Worked(..) => false,
            };
            shape.fields.0.iter().any(|entry| of_row(&entry.what))
        };
        let needs_rows = of_type.is_none() || shapes.iter().any(has_row);
        Ok(Objects { shapes, needs_rows })
    }

    /// The types that fragments name in a selection.
    fn named(&mut self, set: &'a SelectionSet, names: &mut HashSet<&'a str>) -> Result<()> {
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

    fn shape(&mut self, object: &'static Object, sets: &[&'a SelectionSet]) -> Result<Shape> {
        let mut draft = Draft::default();
        let fields =
            self.fields(object, sets, |this, selected| {
                let Some(field) = selected.field else { return Ok(OfObject::Typename(&object.name)) };
                Ok(match field.read {
                    Read::Row(of) => {
                        if ![layer::OfRow::Id, layer::OfRow::Kind].contains(&of) {
                            this.columns.push(of);
                        }
                        OfObject::Row(of)
                    }
                    Read::Section(info) => {
                        let section = this.object(info.name)?;
                        OfObject::Section(this.fields(section, selected.sets(), |this, selected| {
                            this.value(section, selected, &mut draft)
                        })?)
                    }
                    Read::Value(..) | Read::Lead(..) => OfObject::Detail(this.value(object, selected, &mut draft)?),
                    _ => OfObject::Worked(Self::next(&mut this.found), this.worked(field, &selected)?),
                })
            })?;
        let kind = Kind::ALL.iter().copied().find(|kind| kind.name() == object.name);
        let kind = if object.name == "NewVirtualExtension" { Some(Kind::FormDefaults) } else { kind };
        let reading = (!draft.is_empty()).then(|| draft.reading(Self::next(&mut self.readings))).transpose()?;
        Ok(Shape { kind, fields, reading })
    }

    /// A value of a section, a detail or an entry.
    fn value(&mut self, object: &'static Object, selected: Selected<'a>, draft: &mut Draft) -> Result<Value> {
        let Some(field) = selected.field else { return Ok(Value::Typename(&object.name)) };
        match field.read {
            Read::Value(info, at) => {
                let chosen = ChosenField { info, at };
                let own = described(&chosen)?;
                let is_list = field.ty.inner().is_some();
                Ok(match (own.place, own.seen) {
                    (Place::Column, Seen::Value { .. }) if is_list => Value::Many(draft.cell(chosen)),
                    (Place::Column, Seen::Value { .. }) => Value::Cell(draft.cell(chosen)),
                    (Place::Rows(rows), Seen::Value { .. }) if rows.columns == ["target_id"] => {
                        Value::Ids(draft.list(chosen, Entries::Ids))
                    }
                    (Place::Rows(_), Seen::Entries(entry)) => {
                        let (entry, mut inner) = (self.object(entry().name)?, Draft::default());
                        let values = self
                            .fields(entry, selected.sets(), |this, selected| this.value(entry, selected, &mut inner))?;
                        let list = draft.list(chosen, inner.entries()?);
                        Value::Entries(list, values)
                    }
                    (Place::Rows(_), Seen::Destinations) => {
                        let step = self.object(field.ty.name())?;
                        let fields = self.fields(step, selected.sets(), |this, selected| {
                            Ok(match selected.field.map(|field| (field.read, field)) {
                                None => Step::Typename(&step.name),
                                Some((Read::Step(OfStep::Object), field)) => {
                                    Step::Object(this.objects(field.ty.name(), selected.sets())?)
                                }
                                Some((Read::Step(of), _)) => Step::Is(of),
                                Some(_) => return Err(Unplanned::Field),
                            })
                        })?;
                        Value::Steps(draft.list(chosen, Entries::Steps), fields)
                    }
                    _ => return Err(Unplanned::Field),
                })
            }
            Read::Lead(info, at) => {
                let chosen = ChosenField { info, at };
                let objects = self.objects(field.ty.name(), selected.sets())?;
                Ok(match described(&chosen)?.place {
                    Place::Column => Value::One(draft.lead(chosen), objects),
                    Place::Rows(_) => Value::All(draft.list(chosen, Entries::Ids), objects),
                })
            }
            _ => Err(Unplanned::Field),
        }
    }
}

/// A key of an object, with the first of its fields, which stands for all of them.
struct Selected<'a> {
    /// `None` for the name of the type.
    field: Option<&'static Field>,
    asked: &'a Asking,
    /// What is selected below each of them, which is merged.
    sets: Vec<&'a SelectionSet>,
    /// Where in the document.
    at: Pos,
}

impl<'a> Selected<'a> {
    fn sets(&self) -> &[&'a SelectionSet] {
        &self.sets
    }

    fn asked(&self, field: &'static Field) -> Asked {
        Asked { field, arguments: self.asked.arguments.clone() }
    }
}

impl What {
    /// The names of the fields that are selected.
    fn selected(&self) -> Vec<Text> {
        let Self::Thing(fields) = self else { return Vec::new() };
        let name = |entry: &Entry<OfThing>| match &entry.what {
            OfThing::Field(worked) => Some(worked.asked.field.name.clone()),
            OfThing::Typename(_) => None,
        };
        fields.0.iter().filter_map(name).collect()
    }
}

fn is_condition(directive: &Positioned<Directive>) -> bool {
    ["skip", "include"].contains(&directive.node.name.node.as_str())
}

/// What is read of sections, of a detail or of entries, while it is found out.
#[derive(Default)]
struct Draft {
    cells: Vec<ChosenField>,
    leads: Vec<ChosenField>,
    lists: Vec<(ChosenField, Entries)>,
}

fn described(field: &ChosenField) -> Result<&'static form::Described> {
    field.described().ok_or(Unplanned::Field)
}

impl Draft {
    fn is_empty(&self) -> bool {
        self.cells.is_empty() && self.leads.is_empty() && self.lists.is_empty()
    }

    fn place(list: &mut Vec<ChosenField>, field: ChosenField) -> usize {
        list.iter().position(|own| *own == field).unwrap_or_else(|| {
            list.push(field);
            list.len() - 1
        })
    }

    fn cell(&mut self, field: ChosenField) -> usize {
        Self::place(&mut self.cells, field)
    }

    fn lead(&mut self, field: ChosenField) -> usize {
        Self::place(&mut self.leads, field)
    }

    /// Lists of ids and of destinations are kept alike wherever they are shown; those of objects are kept for each.
    fn list(&mut self, field: ChosenField, entries: Entries) -> usize {
        let is_shared = !matches!(entries, Entries::Objects { .. });
        let known = self.lists.iter().position(|(own, _)| *own == field && is_shared);
        known.unwrap_or_else(|| {
            self.lists.push((field, entries));
            self.lists.len() - 1
        })
    }

    fn reading(self, id: usize) -> Result<Reading> {
        let Self { cells, leads, lists } = self;
        let fields = cells.iter().chain(&leads).chain(lists.iter().map(|(field, _)| field));
        let chosen = Chosen::of(fields.copied().collect());
        let column = |field: &ChosenField| chosen.column(field).ok_or(Unplanned::Field);
        let cells = cells.iter().map(|field| Ok((described(field)?, column(field)?))).collect::<Result<_>>()?;
        let leads = leads.iter().map(column).collect::<Result<_>>()?;
        let list = |(field, entries): (ChosenField, Entries)| match described(&field)? {
            form::Described { name: slot, place: Place::Rows(rows), .. } => {
                Ok(List { table: rows.table, slot, entries })
            }
            _ => Err(Unplanned::Field),
        };
        let lists = lists.into_iter().map(list).collect::<Result<_>>()?;
        Ok(Reading { id, chosen, cells, leads, lists })
    }

    /// As what is kept of the entries of a list. An entry's columns stand in the order of its fields.
    fn entries(self) -> Result<Entries> {
        let Self { cells, leads, lists } = self;
        if !lists.is_empty() {
            return Err(Unplanned::Field);
        }
        let cell = |field: ChosenField| Ok((described(&field)?, field.at + ENTRY));
        let cells = cells.into_iter().map(cell).collect::<Result<_>>()?;
        Ok(Entries::Objects { cells, leads: leads.into_iter().map(|field| field.at + ENTRY).collect() })
    }
}
