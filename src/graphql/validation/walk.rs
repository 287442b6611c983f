//! The walk over a document: which fields are selected of which types, with which arguments and directives.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{
    Directive, ExecutableDocument, Field, FragmentDefinition, OperationDefinition, OperationType, Selection,
    SelectionSet, TypeCondition,
};
use async_graphql::{Name, Pos, Positioned, ServerError};
use async_graphql_value::Value;

use super::suggest::did_you_mean;
use super::types::{Composite, Input, KnownType, Types, named, root};
use super::value::{Use, ValuePlace};
use crate::graphql::errors::{self, Code};

/// The variables and fragments that a definition uses directly.
#[derive(Default)]
pub(super) struct DefinitionUses<'a> {
    pub(super) uses: Vec<Use<'a>>,
    pub(super) spreads: Vec<&'a str>,
}

/// A type with fields, and its name; `None` if it is unknown, which has been reported.
type ParentType<'a> = Option<(&'a str, &'a Composite)>;

/// The state of the walk.
pub(super) struct ValidationWalk<'a> {
    pub(super) document: &'a ExecutableDocument,
    pub(super) types: &'a Types,
    pub(super) suggests: bool,
    pub(super) errors: Vec<ServerError>,
    /// The uses in the current definition.
    pub(super) reached: DefinitionUses<'a>,
    /// The uses in each fragment.
    pub(super) fragments: HashMap<&'a str, DefinitionUses<'a>>,
}

impl<'a> ValidationWalk<'a> {
    pub(super) fn new(document: &'a ExecutableDocument, types: &'a Types, suggests: bool) -> Self {
        let (reached, fragments) = (DefinitionUses::default(), HashMap::new());
        Self { document, types, suggests, errors: Vec::new(), reached, fragments }
    }

    pub(super) fn report(&mut self, sentence: String, at: Pos) {
        self.errors.push(errors::error(Code::Validation, sentence, Some(at)));
    }

    fn on(&self, name: &'a str) -> ParentType<'a> {
        Some((name, self.types.composite(name)?))
    }

    pub(super) fn operation(
        &mut self,
        name: Option<&'a Name>,
        operation: &'a Positioned<OperationDefinition>,
    ) -> DefinitionUses<'a> {
        let definition = &operation.node;
        self.variable_definitions(&definition.variable_definitions);
        let location = match definition.ty {
            OperationType::Query => "QUERY",
            OperationType::Mutation => "MUTATION",
            OperationType::Subscription => "SUBSCRIPTION",
        };
        self.directives(&definition.directives, location);
        self.selection(&definition.selection_set.node, self.on(root(definition.ty)));
        if definition.ty == OperationType::Subscription {
            self.subscription(name, operation);
        }
        std::mem::take(&mut self.reached)
    }

    /// A subscription has exactly one field, which no variable can remove.
    fn subscription(&mut self, name: Option<&Name>, operation: &'a Positioned<OperationDefinition>) {
        let which = name.map_or("Anonymous subscription".to_owned(), |name| format!("Subscription \"{name}\""));
        let (mut rest, mut seen) = (vec![&operation.node.selection_set.node], HashSet::new());
        let mut keys = HashSet::new();
        while let Some(set) = rest.pop() {
            for item in &set.items {
                if item.node.directives().iter().any(|one| matches!(one.node.name.node.as_str(), "skip" | "include")) {
                    self.report(format!("{which} must not use @skip or @include at its top level."), item.pos);
                }
                match &item.node {
                    Selection::Field(field) => {
                        keys.insert(field.node.response_key().node.as_str());
                        if field.node.name.node.starts_with("__") {
                            self.report(format!("{which} must not select an introspection field."), item.pos);
                        }
                    }
                    Selection::InlineFragment(fragment) => rest.push(&fragment.node.selection_set.node),
                    Selection::FragmentSpread(spread) => {
                        let name = &spread.node.fragment_name.node;
                        if seen.insert(name)
                            && let Some(fragment) = self.document.fragments.get(name)
                        {
                            rest.push(&fragment.node.selection_set.node);
                        }
                    }
                }
            }
        }
        if keys.len() > 1 {
            self.report(format!("{which} must select only one top level field."), operation.pos);
        }
    }

    pub(super) fn fragment(&mut self, name: &'a Name, fragment: &'a FragmentDefinition) {
        self.directives(&fragment.directives, "FRAGMENT_DEFINITION");
        let on = self.condition(&fragment.type_condition, Some(name));
        self.selection(&fragment.selection_set.node, on);
        self.fragments.insert(name, std::mem::take(&mut self.reached));
    }

    /// Checks the type condition of a fragment.
    fn condition(&mut self, condition: &'a Positioned<TypeCondition>, fragment: Option<&Name>) -> ParentType<'a> {
        let name = condition.node.on.node.as_str();
        match self.types.get(name) {
            None => {
                let like = did_you_mean(self.suggests, name, self.types.names().0);
                self.report(format!("Unknown type \"{name}\".{like}"), condition.pos);
            }
            Some(KnownType::Composite(_)) => {}
            Some(_) => {
                let which = fragment.map_or("Fragment".to_owned(), |fragment| format!("Fragment \"{fragment}\""));
                self.report(format!("{which} cannot condition on non composite type \"{name}\"."), condition.pos);
            }
        }
        self.on(name)
    }

    fn selection(&mut self, set: &'a SelectionSet, on: ParentType<'a>) {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => self.field(&field.node, item.pos, on),
                Selection::FragmentSpread(spread) => {
                    let name = spread.node.fragment_name.node.as_str();
                    self.directives(&spread.node.directives, "FRAGMENT_SPREAD");
                    self.reached.spreads.push(name);
                    match self.document.fragments.get(name) {
                        Some(fragment) => {
                            let inner = self.on(&fragment.node.type_condition.node.on.node);
                            self.possible(on, inner, &format!("Fragment \"{name}\""), item.pos);
                        }
                        None => {
                            let names = self.document.fragments.keys().map(Name::as_str);
                            let like = did_you_mean(true, name, names);
                            self.report(format!("Unknown fragment \"{name}\".{like}"), item.pos);
                        }
                    }
                }
                Selection::InlineFragment(fragment) => {
                    self.directives(&fragment.node.directives, "INLINE_FRAGMENT");
                    let inner = match &fragment.node.type_condition {
                        Some(condition) => self.condition(condition, None),
                        None => on,
                    };
                    self.possible(on, inner, "Fragment", item.pos);
                    self.selection(&fragment.node.selection_set.node, inner);
                }
            }
        }
    }

    /// A fragment must be on a type that a value at this place can have.
    fn possible(&mut self, on: ParentType<'_>, inner: ParentType<'_>, which: &str, at: Pos) {
        let (Some((on, outer)), Some((of, inner))) = (on, inner) else { return };
        if outer.possible.is_disjoint(&inner.possible) {
            let never = format!("as objects of type \"{on}\" can never be of type \"{of}\"");
            self.report(format!("{which} cannot be spread here {never}."), at);
        }
    }

    fn field(&mut self, field: &'a Field, at: Pos, on: ParentType<'a>) {
        self.directives(&field.directives, "FIELD");
        let name = field.name.node.as_str();
        let known = on.and_then(|(_, composite)| self.types.field(composite, name));
        let owner = on.map(|(on, _)| format!("on field \"{on}.{name}\"")).unwrap_or_default();
        self.arguments(&field.arguments, known.map(|known| known.arguments.as_slice()), &owner, at);
        let inner = &field.selection_set.node;
        let Some(known) = known else {
            if let Some((on, composite)) = on {
                let like = did_you_mean(self.suggests, name, composite.fields.keys().map(String::as_str));
                self.report(format!("Cannot query field \"{name}\" on type \"{on}\".{like}"), at);
            }
            return self.selection(inner, None);
        };
        let of = self.on(named(&known.ty));
        match (of.is_some(), inner.items.is_empty()) {
            (true, true) => {
                let sentence = format!(
                    "Field \"{name}\" of type \"{}\" must have a selection of subfields, such as \"{name} {{ … }}\".",
                    known.ty
                );
                self.report(sentence, at);
            }
            (false, false) => {
                let none = format!("since type \"{}\" has no subfields", known.ty);
                self.report(format!("Field \"{name}\" must not have a selection {none}."), field.selection_set.pos);
            }
            _ => {}
        }
        self.selection(inner, of);
    }

    pub(super) fn directives(&mut self, directives: &'a [Positioned<Directive>], location: &str) {
        let mut seen = HashSet::new();
        for Positioned { pos: at, node: directive } in directives {
            let name = directive.name.node.as_str();
            let known = self.types.directive(name);
            let arguments = known.map(|known| known.arguments.as_slice());
            self.arguments(&directive.arguments, arguments, &format!("on directive \"@{name}\""), *at);
            let Some(known) = known else {
                let like = did_you_mean(self.suggests, name, self.types.names().1);
                self.report(format!("Unknown directive \"@{name}\".{like}"), *at);
                continue;
            };
            if !known.locations.contains(location) {
                self.report(format!("Directive \"@{name}\" may not be used on {location}."), *at);
            }
            if !seen.insert(name) {
                self.report(format!("The directive \"@{name}\" can only be used once at this location."), *at);
            }
        }
    }

    /// Checks the arguments of a field or a directive. `known` are its arguments in the schema; `None` if it is unknown
    /// itself.
    fn arguments(
        &mut self,
        given: &'a [(Positioned<Name>, Positioned<Value>)],
        known: Option<&'a [Input]>,
        owner: &str,
        at: Pos,
    ) {
        let mut seen = HashSet::new();
        for (name, value) in given {
            let (text, pos) = (name.node.as_str(), name.pos);
            if !seen.insert(text) {
                self.report(format!("There can be only one argument named \"{text}\"."), pos);
            }
            let input = known.and_then(|known| known.iter().find(|input| input.name == text));
            if let (None, Some(known)) = (input, known) {
                let like = did_you_mean(self.suggests, text, known.iter().map(|input| input.name.as_str()));
                self.report(format!("Unknown argument \"{text}\" {owner}.{like}"), pos);
            }
            self.literal(&value.node, input, &ValuePlace::Root("Argument", text), value.pos);
        }
        for missing in known.unwrap_or_default().iter().filter(|input| input.is_required()) {
            let Input { name, ty, .. } = missing;
            if !seen.contains(name.as_str()) {
                self.report(
                    format!("Argument \"{name}\" of type \"{ty}\" is required {owner}, but it was not provided."),
                    at,
                );
            }
        }
    }
}
