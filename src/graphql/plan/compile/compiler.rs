//! Compiling selections: the fields under each key of an object, after applying conditions and fragments.

use std::collections::HashSet;

use async_graphql::parser::types::{Directive, ExecutableDocument, Field, Selection, SelectionSet};
use async_graphql::{Name, Pos, Positioned, Value, Variables};
use async_graphql_value::Value as Written;
use indexmap::IndexMap;

use crate::domain::json;
use crate::graphql::layer::{Layer, Object, RowColumn, SchemaField};
use crate::graphql::plan::shape::{Entry, PlannedField, SelectedFields};
use crate::graphql::plan::unplanned::{PlanResult, Unplanned};
use crate::graphql::prices::Prices;

/// The maximum number of selections that are compiled. A selection in a fragment counts at every spread.
const MAX_SELECTIONS: usize = 20_000;

/// The state while an operation is compiled.
pub(super) struct Compiler<'a> {
    pub(super) layer: &'static Layer,
    prices: &'static Prices,
    pub(super) document: &'a ExecutableDocument,
    variables: &'a Variables,
    pub(super) conditions: HashSet<Name>,
    pub(super) left: usize,
    pub(super) reads: usize,
    pub(super) found: usize,
    pub(super) columns: Vec<RowColumn>,
    pub(super) only_rows: bool,
}

/// The keys of a selection while they are collected.
struct Collected<'a> {
    object: &'static Object,
    /// The selected fields by key, in the order of the answer.
    keys: IndexMap<&'a Name, Vec<&'a Positioned<Field>>>,
    spread: HashSet<&'a Name>,
}

impl<'a> Compiler<'a> {
    pub(super) fn new(
        layer: &'static Layer,
        prices: &'static Prices,
        document: &'a ExecutableDocument,
        variables: &'a Variables,
    ) -> Self {
        Self {
            layer,
            prices,
            document,
            variables,
            conditions: HashSet::new(),
            left: MAX_SELECTIONS,
            reads: 0,
            found: 0,
            columns: Vec::new(),
            only_rows: true,
        }
    }

    pub(super) fn note_conditions(&mut self, set: &SelectionSet) {
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

    /// Whether the conditions of a selection include it.
    fn is_included(&self, item: &Selection) -> bool {
        item.directives().iter().filter(|directive| is_condition(directive)).all(|directive| {
            let value = match directive.node.get_argument("if").map(|value| &value.node) {
                Some(Written::Variable(name)) => self.variables.get(name) == Some(&Value::Boolean(true)),
                Some(Written::Boolean(value)) => *value,
                _ => false,
            };
            value == (directive.node.name.node == "include")
        })
    }

    /// Collects the keys of a selection.
    fn collect(&mut self, set: &'a SelectionSet, found: &mut Collected<'a>) -> PlanResult<()> {
        for item in &set.items {
            self.left = self.left.checked_sub(1).ok_or(Unplanned::Long)?;
            if !self.is_included(&item.node) {
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

    /// Compiles the selection for an object. `compile_key` compiles each key.
    pub(super) fn fields<W>(
        &mut self,
        object: &'static Object,
        sets: &[&'a SelectionSet],
        mut compile_key: impl FnMut(&mut Self, SelectedKey<'a>) -> PlanResult<W>,
    ) -> PlanResult<SelectedFields<W>> {
        let mut found = Collected { object, keys: IndexMap::new(), spread: HashSet::new() };
        for set in sets {
            self.collect(set, &mut found)?;
        }
        let ty = self.prices.type_id(&object.name);
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
            let content = compile_key(self, SelectedKey { field, first, sets, at })?;
            entries.push(Entry { key: key.into(), price, content });
        }
        Ok(SelectedFields(entries))
    }

    pub(super) fn object(&self, name: &str) -> PlanResult<&'static Object> {
        self.layer.objects.get(name).ok_or(Unplanned::Field)
    }

    pub(super) fn next(count: &mut usize) -> usize {
        *count += 1;
        *count - 1
    }
}

/// A key of an object, with the first of its fields, which represents all of them.
pub(super) struct SelectedKey<'a> {
    /// `None` for `__typename`.
    pub(super) field: Option<&'static SchemaField>,
    pub(super) first: &'a Field,
    /// The selections below its fields, to be merged.
    sets: Vec<&'a SelectionSet>,
    /// The position in the document.
    pub(super) at: Pos,
}

impl<'a> SelectedKey<'a> {
    pub(super) fn sets(&self) -> &[&'a SelectionSet] {
        &self.sets
    }

    pub(super) fn planned(&self, field: &'static SchemaField) -> PlannedField {
        PlannedField { field, arguments: self.first.arguments.clone() }
    }
}

fn is_condition(directive: &Positioned<Directive>) -> bool {
    ["skip", "include"].contains(&directive.node.name.node.as_str())
}
