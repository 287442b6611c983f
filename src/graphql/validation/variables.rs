//! The variables of an operation: their definitions, and whether they fit where they are used.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{BaseType, OperationDefinition, Type, VariableDefinition};
use async_graphql::{Name, Positioned, Value};

use super::suggest::did_you_mean;
use super::types::{KnownType, named};
use super::value::{Use, ValuePlace};
use super::walk::{DefinitionUses, ValidationWalk};
use crate::graphql::errors::{self, Code};

/// By operation: the variables that may be left out, because there is a default, but must not be null.
#[derive(Clone, Debug, Default)]
pub(in crate::graphql) struct NotNull(HashMap<Option<String>, Vec<Name>>);

impl NotNull {
    pub(super) fn insert(&mut self, operation: Option<&str>, variables: Vec<Name>) {
        if !variables.is_empty() {
            self.0.insert(operation.map(str::to_owned), variables);
        }
    }

    /// Whether a variable of an operation must not be null although its type is nullable.
    pub(in crate::graphql) fn contains(&self, operation: Option<&str>, variable: &Name) -> bool {
        !self.0.is_empty() && self.0.get(&operation.map(str::to_owned)).is_some_and(|names| names.contains(variable))
    }
}

impl<'a> ValidationWalk<'a> {
    /// Checks the definitions by themselves.
    pub(super) fn variable_definitions(&mut self, definitions: &'a [Positioned<VariableDefinition>]) {
        let mut seen = HashSet::new();
        for Positioned { pos: at, node: definition } in definitions {
            let VariableDefinition { name, var_type: ty, directives, default_value } = definition;
            self.directives(directives, "VARIABLE_DEFINITION");
            if !seen.insert(&name.node) {
                self.report(format!("There can be only one variable named \"${}\".", name.node), *at);
            }
            match self.types.get(named(&ty.node)) {
                None => {
                    let wrong = named(&ty.node);
                    let like = did_you_mean(self.suggests, wrong, self.types.names().0);
                    self.report(format!("Unknown type \"{wrong}\".{like}"), ty.pos);
                }
                Some(KnownType::Composite(_)) => {
                    self.report(
                        format!("Variable \"${}\" cannot be of the output type \"{}\".", name.node, ty.node),
                        ty.pos,
                    );
                }
                Some(_) => {
                    if let Some(default) = default_value {
                        self.default(&default.node, &ty.node, &name.node, default.pos);
                    }
                }
            }
        }
    }

    /// A default must be a literal of the variable's type. It contains no variables, so the uses it finds are dropped.
    fn default(&mut self, default: &Value, ty: &Type, name: &Name, at: async_graphql::Pos) {
        let value = default.clone().into_value();
        let mut alone = ValidationWalk::new(self.document, self.types, self.suggests);
        alone.value(&value, ty, false, &ValuePlace::Root("The default of", &format!("${name}")), at);
        let ValidationWalk { errors, .. } = alone;
        self.errors.extend(errors);
    }

    /// Checks how an operation and the fragments that it spreads use its variables. Adds these fragments to `spread`,
    /// and returns the variables that must not be null although their type is nullable.
    pub(super) fn variables(
        &mut self,
        name: Option<&Name>,
        operation: &'a OperationDefinition,
        own: &DefinitionUses<'a>,
        spread: &mut HashSet<&'a str>,
    ) -> Vec<Name> {
        let (mut uses, mut rest, mut seen) = (own.uses.clone(), own.spreads.clone(), HashSet::new());
        while let Some(fragment) = rest.pop() {
            if seen.insert(fragment)
                && let Some(reached) = self.fragments.get(fragment)
            {
                uses.extend(&reached.uses);
                rest.extend(&reached.spreads);
            }
        }
        spread.extend(seen);
        uses.sort_unstable_by_key(|used| used.at);
        let by = name.map(|name| format!(" by operation \"{name}\"")).unwrap_or_default();
        let within = name.map(|name| format!(" in operation \"{name}\"")).unwrap_or_default();
        let definitions = &operation.variable_definitions;
        let (mut used_names, mut not_null) = (HashSet::new(), Vec::new());
        for used in &uses {
            used_names.insert(used.name);
            match definitions.iter().find(|definition| definition.node.name.node == *used.name) {
                None => self.report(format!("Variable \"${}\" is not defined{by}.", used.name), used.at),
                Some(definition) => {
                    self.position(&definition.node, used);
                    let may_be_null = definition.node.var_type.node.nullable;
                    if may_be_null && used.wanted.is_some_and(|wanted| !wanted.nullable) {
                        not_null.push(used.name.clone());
                    }
                }
            }
        }
        for definition in definitions.iter().filter(|definition| !used_names.contains(&definition.node.name.node)) {
            self.report(format!("Variable \"${}\" is never used{within}.", definition.node.name.node), definition.pos);
        }
        not_null
    }

    /// Checks whether a variable may be used at a place (section 5.8.5).
    fn position(&mut self, definition: &VariableDefinition, used: &Use<'_>) {
        let (Some(wanted), ty) = (used.wanted, &definition.var_type.node) else { return };
        if !matches!(
            self.types.get(named(ty)),
            Some(KnownType::Scalar(_) | KnownType::Enum(_) | KnownType::Input { .. })
        ) {
            return;
        }
        let has_default = definition.default_value.as_ref().is_some_and(|default| default.node != Value::Null);
        let fits = match !wanted.nullable && ty.nullable {
            true => (has_default || used.has_default) && fits_base(&ty.base, &wanted.base),
            false => fits(ty, wanted),
        };
        if !fits {
            let sentence = format!("of type \"{ty}\" used in position expecting type \"{wanted}\"");
            self.report(format!("Variable \"${}\" {sentence}.", used.name), used.at);
        } else if let Some(object) = used.one_of.filter(|_| ty.nullable) {
            let sentence = format!("is of type \"{ty}\" but must be non-nullable to be used for OneOf Input Object");
            self.errors.push(errors::error(
                Code::Validation,
                format!("Variable \"${}\" {sentence} \"{object}\".", used.name),
                Some(used.at),
            ));
        }
    }
}

/// Whether every value of a type is also one of the other.
fn fits(ty: &Type, wanted: &Type) -> bool {
    (wanted.nullable || !ty.nullable) && fits_base(&ty.base, &wanted.base)
}

fn fits_base(base: &BaseType, wanted: &BaseType) -> bool {
    match (base, wanted) {
        (BaseType::List(of), BaseType::List(wanted)) => fits(of, wanted),
        (BaseType::Named(name), BaseType::Named(wanted)) => name == wanted,
        _ => false,
    }
}
