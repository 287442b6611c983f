//! Whether fields under one response key can be merged (section 5.3.2 of the specification).
//!
//! Two fields are compared once, whatever leads to them. So there are at most as many comparisons as the square of the
//! number of fields, of which `--max-tokens` allows some two thousand.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{BaseType, ExecutableDocument, Field, Selection, SelectionSet, Type};
use async_graphql::{Positioned, ServerError};
use indexmap::IndexMap;

use super::types::{Composite, Types, named, root};
use crate::graphql::errors::{self, Code};

/// A field in a selection, with the type that it is selected from and its type in the schema.
#[derive(Clone, Copy)]
struct MergeCandidate<'a> {
    field: &'a Positioned<Field>,
    on: Option<&'a str>,
    /// Whether the parent type is an object: a value of it cannot have another type.
    is_object: bool,
    ty: Option<&'a Type>,
}

/// The fields of a selection by response key.
type ByKey<'a> = IndexMap<&'a str, Vec<MergeCandidate<'a>>>;

struct MergeCheck<'a> {
    document: &'a ExecutableDocument,
    types: &'a Types,
    /// By the address of the selection set and the name of its parent type, if that is known.
    sets: HashMap<(*const SelectionSet, Option<&'a str>), std::rc::Rc<ByKey<'a>>>,
    /// The compared pairs, by their addresses and whether they belong to different objects.
    compared: HashSet<(*const Field, *const Field, bool)>,
    /// The selection sets whose own fields have been compared.
    whole: HashSet<*const SelectionSet>,
    errors: Vec<ServerError>,
}

/// The conflicting fields of a document: the first pair for each key of a selection.
pub(super) fn conflicts(document: &ExecutableDocument, types: &Types) -> Vec<ServerError> {
    let mut merge = MergeCheck {
        document,
        types,
        sets: HashMap::new(),
        compared: HashSet::new(),
        whole: HashSet::new(),
        errors: Vec::new(),
    };
    for (_, operation) in document.operations.iter() {
        merge.check_selection(&operation.node.selection_set.node, Some(root(operation.node.ty)));
    }
    for fragment in document.fragments.values() {
        merge.check_selection(&fragment.node.selection_set.node, Some(&fragment.node.type_condition.node.on.node));
    }
    merge.errors
}

impl<'a> MergeCheck<'a> {
    /// The fields of a selection and of the fragments in it.
    fn fields(&mut self, set: &'a SelectionSet, on: Option<&'a str>) -> std::rc::Rc<ByKey<'a>> {
        if let Some(known) = self.sets.get(&(std::ptr::from_ref(set), on)) {
            return std::rc::Rc::clone(known);
        }
        let (mut by_key, mut spread) = (ByKey::new(), HashSet::new());
        self.collect(set, on, &mut by_key, &mut spread);
        let fields = std::rc::Rc::new(by_key);
        self.sets.insert((std::ptr::from_ref(set), on), std::rc::Rc::clone(&fields));
        fields
    }

    fn collect(
        &self,
        set: &'a SelectionSet,
        on: Option<&'a str>,
        by_key: &mut ByKey<'a>,
        spread: &mut HashSet<&'a str>,
    ) {
        let composite: Option<&'a Composite> = on.and_then(|on| self.types.composite(on));
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => {
                    let known = composite.and_then(|on| self.types.field(on, &field.node.name.node));
                    let (ty, is_object) = (known.map(|known| &known.ty), composite.is_some_and(|on| on.is_object));
                    let same = by_key.entry(field.node.response_key().node.as_str()).or_default();
                    let selected = MergeCandidate { field, on, is_object, ty };
                    // An identical field with nothing below it is listed once.
                    if !same.iter().any(|other| is_duplicate(other, &selected)) {
                        same.push(selected);
                    }
                }
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    let on = condition.map_or(on, |condition| Some(condition.node.on.node.as_str()));
                    self.collect(&fragment.node.selection_set.node, on, by_key, spread);
                }
                Selection::FragmentSpread(fragment) => {
                    let name = fragment.node.fragment_name.node.as_str();
                    if spread.insert(name)
                        && let Some(fragment) = self.document.fragments.get(name)
                    {
                        let on = fragment.node.type_condition.node.on.node.as_str();
                        self.collect(&fragment.node.selection_set.node, Some(on), by_key, spread);
                    }
                }
            }
        }
    }

    /// Compares the fields of a selection with each other, and those below them.
    fn check_selection(&mut self, set: &'a SelectionSet, on: Option<&'a str>) {
        if !self.whole.insert(std::ptr::from_ref(set)) {
            return;
        }
        let fields = self.fields(set, on);
        for (key, same) in &*fields {
            'pairs: for (i, one) in same.iter().enumerate() {
                for other in same.iter().take(i) {
                    if let Some(why) = self.compare(other, one, false) {
                        self.report(key, &why, one);
                        break 'pairs;
                    }
                }
            }
            for one in same {
                self.check_selection(&one.field.node.selection_set.node, one.ty.map(named));
            }
        }
    }

    fn report(&mut self, key: &str, why: &str, at: &MergeCandidate<'_>) {
        let sentence = format!(
            "Fields \"{key}\" conflict because {why}. Use different aliases on the fields to fetch both if this was \
             intentional."
        );
        self.errors.push(errors::error(Code::Validation, sentence, Some(at.field.pos)));
    }

    /// Why two fields of one key cannot be merged; `None` if the pair has already been compared. `disjoint` tells that
    /// they belong to objects of different types, so that only their shapes must agree.
    fn compare(&mut self, one: &MergeCandidate<'a>, other: &MergeCandidate<'a>, disjoint: bool) -> Option<String> {
        let disjoint = disjoint || (one.is_object && other.is_object && one.on != other.on);
        let pair = (std::ptr::from_ref(&one.field.node), std::ptr::from_ref(&other.field.node));
        if pair.0 == pair.1 || !self.compared.insert((pair.0.min(pair.1), pair.0.max(pair.1), disjoint)) {
            return None;
        }
        let (a, b) = (&one.field.node, &other.field.node);
        if !disjoint {
            if a.name.node != b.name.node {
                return Some(format!("\"{}\" and \"{}\" are different fields", a.name.node, b.name.node));
            }
            if !same_arguments(a, b) {
                return Some("they have differing arguments".to_owned());
            }
        }
        if let (Some(a), Some(b)) = (one.ty, other.ty)
            && !self.same_shape(a, b)
        {
            return Some(format!("they return conflicting types \"{a}\" and \"{b}\""));
        }
        let first = self.fields(&a.selection_set.node, one.ty.map(named));
        let second = self.fields(&b.selection_set.node, other.ty.map(named));
        for (key, mine) in &*first {
            for yours in second.get(key).into_iter().flatten() {
                for mine in mine {
                    if let Some(why) = self.compare(mine, yours, disjoint) {
                        return Some(format!("subfields \"{key}\" conflict because {why}"));
                    }
                }
            }
        }
        None
    }

    /// Whether values of two types have the same shape.
    fn same_shape(&self, one: &Type, other: &Type) -> bool {
        one.nullable == other.nullable
            && match (&one.base, &other.base) {
                (BaseType::List(one), BaseType::List(other)) => self.same_shape(one, other),
                (BaseType::Named(one), BaseType::Named(other)) => {
                    let composite = |name: &str| self.types.composite(name).is_some();
                    one == other || (composite(one) && composite(other))
                }
                _ => false,
            }
    }
}

/// Whether two fields are identical and have nothing below them.
fn is_duplicate(one: &MergeCandidate<'_>, other: &MergeCandidate<'_>) -> bool {
    let (a, b) = (&one.field.node, &other.field.node);
    one.on == other.on
        && a.name.node == b.name.node
        && a.selection_set.node.items.is_empty()
        && b.selection_set.node.items.is_empty()
        && same_arguments(a, b)
}

/// Whether the arguments are the same, in any order.
fn same_arguments(one: &Field, other: &Field) -> bool {
    let same = |(name, value): &(Positioned<async_graphql::Name>, Positioned<async_graphql_value::Value>)| {
        other.get_argument(&name.node).is_some_and(|theirs| theirs.node == value.node)
    };
    one.arguments.len() == other.arguments.len() && one.arguments.iter().all(same)
}
