//! The estimated cost of an operation and its depth, before it is executed.

use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::{Positioned, Value};

use super::measure::{Peak, SelectionMeasure};
use super::walk::CostWalk;
use crate::graphql::prices::{INTROSPECTION, LIST, Multiplicity, TypeId};

impl<'a> CostWalk<'a> {
    pub(super) fn selection(&mut self, set: &'a SelectionSet, ty: Option<TypeId>, page: u64) -> SelectionMeasure {
        set.items.iter().fold(SelectionMeasure::default(), |sum, item| {
            sum.plus(match &item.node {
                Selection::Field(field) => self.field(field, ty, page),
                Selection::InlineFragment(fragment) => {
                    let of = self.condition(fragment.node.type_condition.as_ref(), ty);
                    self.selection(&fragment.node.selection_set.node, of, page)
                }
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node, page),
            })
        })
    }

    fn fragment(&mut self, name: &str, page: u64) -> SelectionMeasure {
        let Some((name, fragment)) = self.fragments.get_key_value(name) else { return SelectionMeasure::default() };
        if let Some(measure) = self.measured.get(&(name.as_str(), page)) {
            return *measure;
        }
        self.measured.insert((name, page), SelectionMeasure::default());
        let of = self.condition(Some(&fragment.node.type_condition), None);
        let measure = self.selection(&fragment.node.selection_set.node, of, page);
        self.measured.insert((name, page), measure);
        measure
    }

    pub(super) fn field(&mut self, field: &'a Positioned<Field>, ty: Option<TypeId>, page: u64) -> SelectionMeasure {
        let Positioned { pos: at, node: field } = field;
        let (known, at) = (self.prices.field(ty, &field.name.node), *at);
        let surcharges = known.map_or(0, |known| self.surcharges(known, field));
        let multiplicity = known.map_or(Multiplicity::One, |known| known.multiplicity);
        let times = match multiplicity {
            Multiplicity::One => 1,
            Multiplicity::Page => page,
            Multiplicity::Usually(usually) => usually,
            Multiplicity::Argument(name) => match self.argument(field, name) {
                Some(Value::List(list)) => list.len() as u64,
                _ => 1,
            },
        };
        let is_leaf = field.selection_set.node.items.is_empty();
        let inner = match known {
            _ if is_leaf => SelectionMeasure::default(),
            Some(known) if known.paged => self.selection(&field.selection_set.node, known.of, self.page(field)),
            _ => self.selection(&field.selection_set.node, known.and_then(|known| known.of), LIST),
        };
        let each = match is_leaf {
            true => u64::from(multiplicity != Multiplicity::One),
            false => inner.total().saturating_add(1),
        };
        let leaves = u64::from(is_leaf && multiplicity == Multiplicity::One);
        let cost = each.saturating_mul(times).saturating_add(surcharges);
        let chosen = multiplicity != Multiplicity::One || surcharges > 0 || known.is_some_and(|known| known.paged);
        let lists = if multiplicity == Multiplicity::One { inner.lists } else { inner.lists.one_more(at) };
        let levels = inner.levels.one_more(at);
        let scans = inner.scans || known.is_some_and(|known| known.scans || self.is_made_to_scan(known, field));
        if known.is_some_and(|known| known.introspects) {
            let cost = cost.div_ceil(INTROSPECTION);
            let (costliest, introspection_levels, introspection_lists) = (Peak { value: cost, at }, levels, lists);
            let (levels, lists) = (Peak::default().one_more(at), Peak::default());
            let of_introspection =
                SelectionMeasure { introspection_levels, introspection_lists, ..SelectionMeasure::default() };
            return SelectionMeasure { cost, costliest, leaves, levels, lists, scans, ..of_introspection };
        }
        let costliest = if chosen || inner.costliest.value == 0 { Peak { value: cost, at } } else { inner.costliest };
        let secret = inner.secret || known.is_some_and(|known| self.secrets(known, field).0 > 0);
        SelectionMeasure { cost, costliest, leaves, levels, lists, scans, secret, ..inner }
    }
}
