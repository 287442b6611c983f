//! The actual cost of an operation, from its answer.

use std::collections::HashSet;

use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::{Name, Positioned, Value};
use indexmap::IndexMap;

use super::measure::SelectionMeasure;
use super::walk::CostWalk;
use crate::graphql::prices::{LEAVES, LIST, TypeId};

/// The actual cost of a part of an answer.
#[derive(Default)]
pub(super) struct AnswerCost {
    cost: u64,
    /// The number of plain fields of the object.
    leaves: u64,
}

impl AnswerCost {
    /// See [`SelectionMeasure::total`].
    pub(super) fn total(self) -> u64 {
        self.cost + self.leaves / LEAVES
    }
}

/// A field of a document, and the type that it belongs to.
type TypedField<'a> = (&'a Positioned<Field>, Option<TypeId>);

/// The fields selected of one value, by response key.
#[derive(Default)]
pub(super) struct Merged<'a> {
    keys: IndexMap<&'a Name, Vec<TypedField<'a>>>,
    spread: HashSet<&'a Name>,
}

impl<'a> CostWalk<'a> {
    /// Collects the fields under each key, in whatever fragment: the keys of the answer show which ones applied.
    fn merge(&self, set: &'a SelectionSet, ty: Option<TypeId>, found: &mut Merged<'a>) {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => {
                    found.keys.entry(&field.node.response_key().node).or_default().push((field, ty));
                }
                Selection::InlineFragment(fragment) => {
                    let of = self.condition(fragment.node.type_condition.as_ref(), ty);
                    self.merge(&fragment.node.selection_set.node, of, found);
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if let Some(fragment) = self.fragments.get(name)
                        && found.spread.insert(name)
                    {
                        let of = self.condition(Some(&fragment.node.type_condition), None);
                        self.merge(&fragment.node.selection_set.node, of, found);
                    }
                }
            }
        }
    }

    pub(super) fn merged(&self, sets: impl Iterator<Item = (&'a SelectionSet, Option<TypeId>)>) -> Merged<'a> {
        let mut found = Merged::default();
        sets.for_each(|(set, ty)| self.merge(set, ty, &mut found));
        found
    }

    pub(super) fn answer(&mut self, asked: &Merged<'a>, data: &Value) -> AnswerCost {
        let Value::Object(fields) = data else { return AnswerCost::default() };
        let mut spent = AnswerCost::default();
        for (key, asked) in &asked.keys {
            // A key that is not in the answer was skipped, or belongs to a fragment on another type.
            let Some(answered) = fields.get(*key) else { continue };
            let more = self.field_answer(asked, answered);
            spent.cost += more.cost;
            spent.leaves += more.leaves;
        }
        spent
    }

    fn field_answer(&mut self, asked: &[TypedField<'a>], answered: &Value) -> AnswerCost {
        let of = |(field, ty): &TypedField<'a>| self.prices.field(*ty, &field.node.name.node);
        let Some((first, known)) = asked.first().and_then(|first| Some((first.0, of(first)?))) else {
            return AnswerCost { cost: 0, leaves: 1 };
        };
        if known.introspects {
            return asked.iter().fold(AnswerCost::default(), |sum, (field, ty)| {
                let SelectionMeasure { cost, leaves, .. } = self.field(field, *ty, LIST);
                AnswerCost { cost: sum.cost + cost, leaves: sum.leaves + leaves }
            });
        }
        let set = |asked: &TypedField<'a>| (&asked.0.node.selection_set.node, of(asked).and_then(|known| known.of));
        let inner = self.merged(asked.iter().map(set));
        let mut object = |of: &Value| 1 + self.answer(&inner, of).total();
        let (objects, leaves) = match answered {
            Value::List(list) => (list.iter().map(&mut object).sum(), 0),
            _ if inner.keys.is_empty() => (0, 1),
            Value::Null => (0, 0),
            one => (object(one), 0),
        };
        AnswerCost { cost: objects + self.surcharges(known, &first.node), leaves }
    }
}
