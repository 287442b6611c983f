//! The estimated cost of an operation and its depth, before it is executed.

use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::{Positioned, Value};

use super::measure::{Peak, SelectionMeasure};
use super::walk::CostWalk;
use crate::graphql::prices::{INTROSPECTION, LIST, Many, TypeId};

impl<'a> CostWalk<'a> {
    pub(super) fn selection(&mut self, set: &'a SelectionSet, ty: Option<TypeId>, page: u64) -> SelectionMeasure {
        set.items.iter().fold(SelectionMeasure::default(), |sum, item| {
            sum.and(match &item.node {
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
        let beforehand = known.map_or(0, |known| self.beforehand(known, field));
        let many = known.map_or(Many::One, |known| known.many);
        let times = match many {
            Many::One => 1,
            Many::Page => page,
            Many::Usually(usually) => usually,
            Many::Argument(name) => match self.argument(field, name) {
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
            true => u64::from(many != Many::One),
            false => inner.whole().saturating_add(1),
        };
        let leaves = u64::from(is_leaf && many == Many::One);
        let cost = each.saturating_mul(times).saturating_add(beforehand);
        let chosen = many != Many::One || beforehand > 0 || known.is_some_and(|known| known.paged);
        let lists = if many == Many::One { inner.lists } else { inner.lists.up(at) };
        let levels = inner.levels.up(at);
        let walks = inner.walks || known.is_some_and(|known| known.walks || self.is_made_to_walk(known, field));
        if known.is_some_and(|known| known.introspects) {
            let cost = cost.div_ceil(INTROSPECTION);
            let (dearest, introspection_levels, introspection_lists) = (Peak { value: cost, at }, levels, lists);
            let (levels, lists) = (Peak::default().up(at), Peak::default());
            let of_introspection =
                SelectionMeasure { introspection_levels, introspection_lists, ..SelectionMeasure::default() };
            return SelectionMeasure { cost, dearest, leaves, levels, lists, walks, ..of_introspection };
        }
        let dearest = if chosen || inner.dearest.value == 0 { Peak { value: cost, at } } else { inner.dearest };
        let secret = inner.secret || known.is_some_and(|known| self.secrets(known, field).0 > 0);
        SelectionMeasure { cost, dearest, leaves, levels, lists, walks, secret, ..inner }
    }
}
