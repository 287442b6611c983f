//! The walk over an operation: the values of arguments, and their influence on the cost of fields.

use std::cell::Cell;
use std::collections::HashMap;
use std::convert::Infallible;

use async_graphql::parser::types::{ExecutableDocument, Field, FragmentDefinition, OperationDefinition, TypeCondition};
use async_graphql::{Name, Positioned, Value, Variables};

use super::measure::SelectionMeasure;
use crate::graphql::prices::{FieldPrice, HASH, Prices, SCAN, SCANNING, SecretPaths, TypeId};
use crate::graphql::schema::{DEFAULT_PAGE, MAX_PAGE};

/// A walk over an operation.
pub(super) struct CostWalk<'a> {
    pub(super) prices: &'a Prices,
    pub(super) fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    operation: &'a OperationDefinition,
    variables: &'a Variables,
    /// The measures of fragments, by name and the page length at the spread. Zero while a fragment is being measured,
    /// so that a fragment that spreads itself ends.
    pub(super) measured: HashMap<(&'a str, u64), SelectionMeasure>,
    /// Whether the value of a variable was needed.
    pub(super) varies: Cell<bool>,
}

impl<'a> CostWalk<'a> {
    pub(super) fn new(
        prices: &'a Prices,
        document: &'a ExecutableDocument,
        operation: &'a OperationDefinition,
        variables: &'a Variables,
    ) -> Self {
        let measured = HashMap::new();
        Self { prices, fragments: &document.fragments, operation, variables, measured, varies: Cell::new(false) }
    }

    /// The type of a fragment. Without a condition, it is the type around the fragment.
    pub(super) fn condition(&self, on: Option<&Positioned<TypeCondition>>, ty: Option<TypeId>) -> Option<TypeId> {
        on.map_or(ty, |condition| self.prices.type_id(&condition.node.on.node))
    }

    /// The value of an argument; `None` when it is left out or null.
    pub(super) fn argument(&self, field: &Field, name: &str) -> Option<Value> {
        let literal = field.get_argument(name)?.node.clone();
        let known = |variable: Name| Ok::<_, Infallible>(self.variable(&variable).unwrap_or_default());
        literal.into_const_with(known).ok().filter(|value| *value != Value::Null)
    }

    fn variable(&self, name: &Name) -> Option<Value> {
        self.varies.set(true);
        let default = || {
            let mut definitions = self.operation.variable_definitions.iter();
            let definition = definitions.find(|definition| definition.node.name.node == *name)?;
            Some(definition.node.default_value.as_ref()?.node.clone())
        };
        self.variables.get(name).cloned().or_else(default)
    }

    /// The page length that a field requests. A length that is out of range is refused later.
    pub(super) fn page(&self, field: &Field) -> u64 {
        let first = match self.argument(field, "first") {
            Some(Value::Number(first)) => first.as_i64().unwrap_or(MAX_PAGE),
            _ => DEFAULT_PAGE,
        };
        first.clamp(1, MAX_PAGE).unsigned_abs()
    }

    /// Whether a field has an argument that can make it scan.
    pub(super) fn is_made_to_scan(&self, known: &FieldPrice, field: &Field) -> bool {
        known.paged && SCANNING.iter().any(|name| self.argument(field, name).is_some())
    }

    /// How many secrets to be hashed a field sends, and how many of them it pays for: none on a dry run.
    pub(super) fn secrets(&self, known: &FieldPrice, field: &Field) -> (u64, u64) {
        let of = |SecretPaths { argument, paths }: &SecretPaths| {
            let Some(input) = self.argument(field, argument) else { return (0, 0) };
            let sent: u64 = paths.iter().map(|path| count(&input, path)).sum();
            let is_tried = matches!(&input, Value::Object(input) if input.get("dryRun") == Some(&Value::Boolean(true)));
            (sent, if is_tried { 0 } else { sent })
        };
        known.secrets.iter().map(of).fold((0, 0), |(all, all_paid), (sent, paid)| (all + sent, all_paid + paid))
    }

    /// The cost of a field besides its objects.
    pub(super) fn surcharges(&self, known: &FieldPrice, field: &Field) -> u64 {
        let scan = if self.is_made_to_scan(known, field) { SCAN } else { 0 };
        known.surcharge.saturating_add(scan).saturating_add(HASH.saturating_mul(self.secrets(known, field).1))
    }
}

/// How many values there are at a path within a value.
fn count(value: &Value, path: &[String]) -> u64 {
    match (value, path) {
        (Value::List(list), _) => list.iter().map(|entry| count(entry, path)).sum(),
        (Value::Null, _) => 0,
        (_, []) => 1,
        (Value::Object(fields), [first, rest @ ..]) => fields.get(first.as_str()).map_or(0, |inner| count(inner, rest)),
        _ => 0,
    }
}
