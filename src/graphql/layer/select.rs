//! Selections: fields collected by response key (GraphQL specification, section 6.3.2), once for each object type that
//! occurs, however many objects there are.

use std::collections::HashSet;
use std::ptr;
use std::sync::OnceLock;

use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::{Context, Error, Name, Pos, Positioned};
use indexmap::IndexMap;

use super::args::Args;
use super::collection::Layer;
use super::objects::{Object, SchemaField};
use crate::graphql::errors::bug;

/// What everything in a request's execution needs.
#[derive(Clone, Copy)]
pub struct Exec<'a> {
    pub layer: &'static Layer,
    pub context: &'a Context<'a>,
}

/// A response key with everything that the document selects under it.
pub struct ResponseEntry<'a> {
    pub key: &'a Name,
    pub content: KeyContent,
    pub selected: MergedFields<'a>,
}

/// What is under a key.
pub enum KeyContent {
    /// The name of the object's type.
    Typename(&'static str),
    /// A field with its arguments.
    Field(&'static SchemaField, Args),
    /// A field that cannot be executed, which validation rules out.
    Invalid(Error),
}

impl<'a> ResponseEntry<'a> {
    /// The entry for an object's fields under one key. They all have the same name and arguments; otherwise validation
    /// would have refused to merge them.
    pub fn new(exec: Exec<'a>, object: &'static Object, key: &'a Name, fields: Vec<&'a Positioned<Field>>) -> Self {
        let content = match fields.first().map(|field| &field.node) {
            Some(field) if field.name.node == "__typename" => KeyContent::Typename(&object.name),
            Some(asked) => match object.fields.get(asked.name.node.as_str()) {
                Some(field) => match Args::from_field(exec.layer, &field.args, asked, exec.context) {
                    Ok(args) => KeyContent::Field(field, args),
                    Err(error) => KeyContent::Invalid(error),
                },
                None => KeyContent::Invalid(bug(format_args!("{} has no field {}", object.name, asked.name.node))),
            },
            None => KeyContent::Invalid(bug("a key without a field")),
        };
        Self { key, content, selected: MergedFields { fields, by_type: OnceLock::new() } }
    }

    /// Whether the field is answered from the object's prepared thing.
    pub fn is_prepared(&self) -> bool {
        matches!(&self.content, KeyContent::Field(field, _) if field.prepared)
    }

    /// Whether errors end here.
    pub fn is_nullable(&self) -> bool {
        matches!(&self.content, KeyContent::Field(field, _) if field.ty.is_nullable())
    }
}

/// The fields under a key, merged.
pub struct MergedFields<'a> {
    pub fields: Vec<&'a Positioned<Field>>,
    by_type: OnceLock<Box<TypeSelection<'a>>>,
}

/// The selection for objects of one type.
pub struct TypeSelection<'a> {
    object: &'static Object,
    pub entries: Vec<ResponseEntry<'a>>,
    /// The selection for the next type that occurs under the same key.
    next: OnceLock<Box<TypeSelection<'a>>>,
}

impl<'a> MergedFields<'a> {
    /// The position that errors report.
    pub fn position(&self) -> Pos {
        self.fields.first().map(|field| field.pos).unwrap_or_default()
    }

    /// Whether nothing is selected below.
    pub fn is_leaf(&self) -> bool {
        self.fields.iter().all(|field| field.node.selection_set.node.items.is_empty())
    }

    /// The selection for objects of a type. It is collected on first use.
    pub fn selection_for(&self, exec: Exec<'a>, object: &'static Object) -> &TypeSelection<'a> {
        let mut place = &self.by_type;
        loop {
            let known = place.get_or_init(|| Box::new(self.collect(exec, object)));
            if ptr::eq(known.object, object) {
                return known;
            }
            place = &known.next;
        }
    }

    fn collect(&self, exec: Exec<'a>, object: &'static Object) -> TypeSelection<'a> {
        let mut found = CollectedFields { exec, object, keys: IndexMap::new(), spread: HashSet::new() };
        for field in &self.fields {
            found.collect(&field.node.selection_set.node);
        }
        let entries =
            found.keys.into_iter().map(|(key, fields)| ResponseEntry::new(exec, object, key, fields)).collect();
        TypeSelection { object, entries, next: OnceLock::new() }
    }
}

struct CollectedFields<'a> {
    exec: Exec<'a>,
    object: &'static Object,
    keys: IndexMap<&'a Name, Vec<&'a Positioned<Field>>>,
    spread: HashSet<&'a Name>,
}

impl<'a> CollectedFields<'a> {
    fn collect(&mut self, set: &'a SelectionSet) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    self.keys.entry(&field.node.response_key().node).or_default().push(field);
                }
                Selection::InlineFragment(fragment) => {
                    let on = fragment.node.type_condition.as_ref().map(|condition| &condition.node.on.node);
                    if on.is_none_or(|on| self.object.is(on)) {
                        self.collect(&fragment.node.selection_set.node);
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    let Some(fragment) = self.exec.context.query_env.fragments.get(name) else { continue };
                    if self.spread.insert(name) && self.object.is(&fragment.node.type_condition.node.on.node) {
                        self.collect(&fragment.node.selection_set.node);
                    }
                }
            }
        }
    }
}

/// The fields of the root object under a key.
pub fn fields_under_root_key<'a>(exec: Exec<'a>, object: &'static Object, key: &Name) -> Vec<&'a Positioned<Field>> {
    let mut found = CollectedFields { exec, object, keys: IndexMap::new(), spread: HashSet::new() };
    found.collect(&exec.context.query_env.operation.node.selection_set.node);
    found.keys.swap_remove(key).unwrap_or_default()
}
