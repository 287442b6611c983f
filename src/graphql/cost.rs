//! What a query costs and how deep it goes, told from its document before it is executed; and what it has cost, told
//! from its answer.
//!
//! An object of the answer costs 1, and 1 more for every 10 of its plain fields; an entry of a list of plain values costs
//! 1 too. Before, each field is counted as often as it is asked for; after, as often as it stands in the answer: once
//! under a key. Some fields cost more, see [`super::prices`]. A fragment is measured
//! once, not at every spread. What is not in the schema is measured as a plain field: validation, which comes after,
//! refuses it.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::convert::Infallible;

use async_graphql::parser::types::{
    ExecutableDocument, Field, FragmentDefinition, OperationDefinition, Selection, SelectionSet, TypeCondition,
};
use async_graphql::{Name, Pos, Positioned, Value, Variables};
use indexmap::IndexMap;

use super::limits::{Exceeded, Limit};
use super::prices::{HASH, INTROSPECTION, Known, LEAVES, LIST, Many, Prices, Secrets, TypeId, WALK, WALKING};
use super::schema::{MOST, PAGE};
use super::validation::root;

/// The largest of some numbers, and where it is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Peak {
    pub(super) value: u64,
    pub(super) at: Pos,
}

impl Peak {
    /// Checks it against a limit.
    pub(super) fn within(self, limit: Limit, allowed: u64) -> Result<(), Exceeded> {
        let Self { value: actual, at } = self;
        let at = Some(at).filter(|at| at.line > 0);
        if actual > allowed { Err(Exceeded { limit, allowed, actual, at }) } else { Ok(()) }
    }

    fn max(self, other: Self) -> Self {
        if other.value > self.value { other } else { self }
    }

    fn up(self, field: Pos) -> Self {
        Self { value: self.value + 1, at: if self.value == 0 { field } else { self.at } }
    }
}

/// What a selection asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Measure {
    /// What it costs, and where most of that comes from.
    pub(super) cost: u64,
    pub(super) dearest: Peak,
    /// The plain fields of the object that is selected from.
    leaves: u64,
    /// Levels of fields. Introspection counts as one level here and has its own.
    pub(super) levels: Peak,
    pub(super) introspection_levels: Peak,
    /// Lists in lists.
    lists: Peak,
    pub(super) introspection_lists: Peak,
    /// Whether it may take a look at all of a tenant, or of a kind.
    pub(super) walks: bool,
    /// Whether it sends secrets that are hashed, if only to see what that would do.
    pub(super) secret: bool,
}

impl Measure {
    fn and(self, other: Self) -> Self {
        Self {
            cost: self.cost.saturating_add(other.cost),
            dearest: self.dearest.max(other.dearest),
            leaves: self.leaves.saturating_add(other.leaves),
            levels: self.levels.max(other.levels),
            introspection_levels: self.introspection_levels.max(other.introspection_levels),
            lists: self.lists.max(other.lists),
            introspection_lists: self.introspection_lists.max(other.introspection_lists),
            walks: self.walks || other.walks,
            secret: self.secret || other.secret,
        }
    }

    /// What the object costs that is selected from, with all that hangs below it.
    fn whole(self) -> u64 {
        self.cost.saturating_add(self.leaves / LEAVES)
    }
}

/// What a part of an answer has cost.
#[derive(Default)]
struct Spent {
    cost: u64,
    /// The plain fields of the object.
    leaves: u64,
}

impl Spent {
    /// See [`Measure::whole`].
    fn whole(self) -> u64 {
        self.cost + self.leaves / LEAVES
    }
}

impl Prices {
    /// Measures an operation, for these variables, and says whether it measures the same for others.
    pub(super) fn operation(
        &self,
        document: &ExecutableDocument,
        operation: &OperationDefinition,
        variables: &Variables,
    ) -> (Measure, bool) {
        let mut walk = Walk::new(self, document, operation, variables);
        let measure = walk.selection(&operation.selection_set.node, self.of(root(operation.ty)), LIST);
        (Measure { cost: measure.whole(), ..measure }, !walk.varies.get())
    }

    /// Measures every operation of a document, whichever is run: all of them are validated.
    pub(super) fn document(&self, document: &ExecutableDocument) -> Measure {
        let variables = Variables::default();
        let mut all = Measure::default();
        for (_, operation) in document.operations.iter() {
            let mut walk = Walk::new(self, document, &operation.node, &variables);
            all = all.and(walk.selection(&operation.node.selection_set.node, self.of(root(operation.node.ty)), 0));
        }
        all
    }

    /// What an operation has cost, told from its answer. Introspection costs what it was measured at.
    pub(super) fn answer(
        &self,
        document: &ExecutableDocument,
        operation: &OperationDefinition,
        variables: &Variables,
        data: &Value,
    ) -> u64 {
        let mut walk = Walk::new(self, document, operation, variables);
        let asked = walk.merged(std::iter::once((&operation.selection_set.node, self.of(root(operation.ty)))));
        walk.answer(&asked, data).whole()
    }
}

/// How many values there are at a place of another.
fn count(value: &Value, path: &[String]) -> u64 {
    match (value, path) {
        (Value::List(list), _) => list.iter().map(|entry| count(entry, path)).sum(),
        (Value::Null, _) => 0,
        (_, []) => 1,
        (Value::Object(fields), [first, rest @ ..]) => fields.get(first.as_str()).map_or(0, |inner| count(inner, rest)),
        _ => 0,
    }
}

/// A walk over an operation.
struct Walk<'a> {
    prices: &'a Prices,
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    operation: &'a OperationDefinition,
    variables: &'a Variables,
    /// What fragments measure, by the length of the page that they are spread in; nothing while one is being measured,
    /// so that a fragment that spreads itself ends.
    measured: HashMap<(&'a str, u64), Measure>,
    /// Whether the value of a variable was asked for.
    varies: Cell<bool>,
}

impl<'a> Walk<'a> {
    fn new(
        prices: &'a Prices,
        document: &'a ExecutableDocument,
        operation: &'a OperationDefinition,
        variables: &'a Variables,
    ) -> Self {
        let measured = HashMap::new();
        Self { prices, fragments: &document.fragments, operation, variables, measured, varies: Cell::new(false) }
    }

    /// The type of a fragment, which without a condition is that of what it stands in.
    fn condition(&self, on: Option<&Positioned<TypeCondition>>, ty: Option<TypeId>) -> Option<TypeId> {
        on.map_or(ty, |condition| self.prices.of(&condition.node.on.node))
    }

    /// The value of an argument; `None` when it is left out or null.
    fn argument(&self, field: &Field, name: &str) -> Option<Value> {
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

    /// The length of the page that a field asks for. One that is too short or too long is refused later.
    fn page(&self, field: &Field) -> u64 {
        let first = match self.argument(field, "first") {
            Some(Value::Number(first)) => first.as_i64().unwrap_or(MOST),
            _ => PAGE,
        };
        first.clamp(1, MOST).unsigned_abs()
    }

    /// Whether a field has an argument that can make it walk.
    fn is_made_to_walk(&self, known: &Known, field: &Field) -> bool {
        known.paged && WALKING.iter().any(|name| self.argument(field, name).is_some())
    }

    /// How many secrets that are hashed a field sends, and how many of them it pays for: none on a dry run.
    fn secrets(&self, known: &Known, field: &Field) -> (u64, u64) {
        let of = |Secrets { argument, paths }: &Secrets| {
            let Some(input) = self.argument(field, argument) else { return (0, 0) };
            let sent: u64 = paths.iter().map(|path| count(&input, path)).sum();
            let is_tried = matches!(&input, Value::Object(input) if input.get("dryRun") == Some(&Value::Boolean(true)));
            (sent, if is_tried { 0 } else { sent })
        };
        known.secrets.iter().map(of).fold((0, 0), |(all, all_paid), (sent, paid)| (all + sent, all_paid + paid))
    }

    /// What a field costs before any object of it.
    fn beforehand(&self, known: &Known, field: &Field) -> u64 {
        let walk = if self.is_made_to_walk(known, field) { WALK } else { 0 };
        known.surcharge.saturating_add(walk).saturating_add(HASH.saturating_mul(self.secrets(known, field).1))
    }

    fn selection(&mut self, set: &'a SelectionSet, ty: Option<TypeId>, page: u64) -> Measure {
        set.items.iter().fold(Measure::default(), |sum, item| {
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

    fn fragment(&mut self, name: &str, page: u64) -> Measure {
        let Some((name, fragment)) = self.fragments.get_key_value(name) else { return Measure::default() };
        if let Some(measure) = self.measured.get(&(name.as_str(), page)) {
            return *measure;
        }
        self.measured.insert((name, page), Measure::default());
        let of = self.condition(Some(&fragment.node.type_condition), None);
        let measure = self.selection(&fragment.node.selection_set.node, of, page);
        self.measured.insert((name, page), measure);
        measure
    }

    fn field(&mut self, field: &'a Positioned<Field>, ty: Option<TypeId>, page: u64) -> Measure {
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
            _ if is_leaf => Measure::default(),
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
            let of_introspection = Measure { introspection_levels, introspection_lists, ..Measure::default() };
            return Measure { cost, dearest, leaves, levels, lists, walks, ..of_introspection };
        }
        let dearest = if chosen || inner.dearest.value == 0 { Peak { value: cost, at } } else { inner.dearest };
        let secret = inner.secret || known.is_some_and(|known| self.secrets(known, field).0 > 0);
        Measure { cost, dearest, leaves, levels, lists, walks, secret, ..inner }
    }

    /// Collects what is asked under each key, in whatever fragment: an answer says by its keys what applied.
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

    fn merged(&self, sets: impl Iterator<Item = (&'a SelectionSet, Option<TypeId>)>) -> Merged<'a> {
        let mut found = Merged::default();
        sets.for_each(|(set, ty)| self.merge(set, ty, &mut found));
        found
    }

    fn answer(&mut self, asked: &Merged<'a>, data: &Value) -> Spent {
        let Value::Object(fields) = data else { return Spent::default() };
        let mut spent = Spent::default();
        for (key, asked) in &asked.keys {
            // What is not there was skipped, or is of a fragment on another type.
            let Some(answered) = fields.get(*key) else { continue };
            let more = self.field_answer(asked, answered);
            spent.cost += more.cost;
            spent.leaves += more.leaves;
        }
        spent
    }

    fn field_answer(&mut self, asked: &[Asked<'a>], answered: &Value) -> Spent {
        let of = |(field, ty): &Asked<'a>| self.prices.field(*ty, &field.node.name.node);
        let Some((first, known)) = asked.first().and_then(|first| Some((first.0, of(first)?))) else {
            return Spent { cost: 0, leaves: 1 };
        };
        if known.introspects {
            return asked.iter().fold(Spent::default(), |sum, (field, ty)| {
                let Measure { cost, leaves, .. } = self.field(field, *ty, LIST);
                Spent { cost: sum.cost + cost, leaves: sum.leaves + leaves }
            });
        }
        let set = |asked: &Asked<'a>| (&asked.0.node.selection_set.node, of(asked).and_then(|known| known.of));
        let inner = self.merged(asked.iter().map(set));
        let mut object = |of: &Value| 1 + self.answer(&inner, of).whole();
        let (objects, leaves) = match answered {
            Value::List(list) => (list.iter().map(&mut object).sum(), 0),
            _ if inner.keys.is_empty() => (0, 1),
            Value::Null => (0, 0),
            one => (object(one), 0),
        };
        Spent { cost: objects + self.beforehand(known, &first.node), leaves }
    }
}

/// A field of a document, and the type that it is a field of.
type Asked<'a> = (&'a Positioned<Field>, Option<TypeId>);

/// What is asked of something, by the keys of the answer.
#[derive(Default)]
struct Merged<'a> {
    keys: IndexMap<&'a Name, Vec<Asked<'a>>>,
    spread: HashSet<&'a Name>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure(text: &str) -> Measure {
        let prices = &crate::graphql::DESCRIBED.prices;
        let document = async_graphql::parser::parse_query(text).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        let measure = prices.operation(&document, &operation.node, &Variables::default()).0;
        assert_eq!(prices.document(&document).levels, measure.levels);
        measure
    }

    #[test]
    fn a_fragment_is_measured_once_and_one_that_spreads_itself_ends() {
        let doubled = |i: usize| format!("fragment F{i} on Tenant {{ ...F{} ...F{} }} ", i + 1, i + 1);
        let fragments: String = (0..100).map(doubled).collect();
        let list = "fragment F100 on Tenant { virtualExtensions(first: 7) { nodes { id } } }";
        let measured = measure(&format!("{{ tenant {{ ...F0 }} }} {fragments} {list}"));
        assert_eq!((measured.cost, measured.levels.value), (u64::MAX, 4));
        let cyclic = measure("{ tenant { ...A } } fragment A on Tenant { id ...B } fragment B on Tenant { code ...A }");
        assert_eq!((cyclic.cost, cyclic.levels.value), (1, 2));
    }

    /// Before it is not known what is merged; the answer stands there once.
    #[test]
    fn many_plain_fields_cost_something_whether_they_are_repeated_or_not() {
        let page = |fields: &str| format!("{{ tenant {{ extensions(first: 10) {{ nodes {{ {fields} }} }} }} }}");
        for (times, cost) in [(1, 12), (9, 12), (10, 22), (390, 402)] {
            let text = page(&"id ".repeat(times));
            assert_eq!(measure(&text).cost, cost, "{times}");
            let (document, nodes) =
                (async_graphql::parser::parse_query(text).unwrap(), vec![async_graphql::value!({ "id": "x" }); 10]);
            let data = async_graphql::value!({ "tenant": { "extensions": { "nodes": nodes } } });
            let (_, operation) = document.operations.iter().next().unwrap();
            let prices = &crate::graphql::DESCRIBED.prices;
            assert_eq!(prices.answer(&document, &operation.node, &Variables::default(), &data), 12, "{times}");
        }
        assert_eq!(measure(&format!("{{ {} }}", "__typename ".repeat(60))).cost, 6);
        let twice = page("...F ...F") + &format!("fragment F on Extension {{ {} }}", "id ".repeat(10));
        assert_eq!(measure(&twice).cost, 32);
    }

    /// Where to look: at the list that costs most, not at what it hangs under.
    #[test]
    fn the_dearest_list_is_named() {
        let measured =
            measure("{ tenant { extensions(first: 3) { nodes { id } }\nqueues(first: 4) { nodes { id } } } }");
        assert_eq!((measured.cost, measured.dearest), (10, Peak { value: 5, at: Pos { line: 2, column: 1 } }));
    }

    #[test]
    fn what_may_read_a_whole_tenant_is_known_however_little_it_shows() {
        for text in [
            "{ tenant { virtualExtensions(first: 1, filter: {name: {contains: \"x\"}}) { totalCount } } }",
            "{ tenant { ...F } } fragment F on Tenant { queues(search: \"x\") { nodes { id } } }",
            "{ tenantLint(first: 1) { nodes { code } } }",
        ] {
            assert!(measure(text).walks, "{text}");
        }
        let page = "{ tenant { virtualExtensions(first: 100, search: null) { totalCount nodes { id } } } }";
        assert!(!measure(page).walks);
    }

    /// In literals and in variables, whole inputs and single values.
    #[test]
    fn a_secret_that_is_hashed_costs_as_much_as_is_executed_apart() {
        let measure = |text: &str, variables: serde_json::Value| {
            let document = async_graphql::parser::parse_query(text).unwrap();
            let (_, operation) = document.operations.iter().next().unwrap();
            let variables = Variables::from_json(variables);
            let measure = crate::graphql::DESCRIBED.prices.operation(&document, &operation.node, &variables).0;
            (measure.cost, measure.secret)
        };
        let save = |input: &str| {
            format!(
                "mutation($i: VirtualExtensionCreateInput, $p: String, $d: Boolean = true) {{
                   virtualExtensionCreate(input: {input}) {{ userErrors {{ code }} }} }}"
            )
        };
        let two = "information: {securityPin: \"7305\"}, security: {lockPin: $p}";
        let plain = measure(&save("{note: {branch: \"x\"}}"), serde_json::json!({}));
        assert!(plain.0 < 30 && !plain.1, "{plain:?}");
        let more = |pins: u64, apart: bool| (plain.0 + 200 * pins, apart);
        for (input, variables, pins, apart) in [
            (format!("{{{two}}}"), serde_json::json!({ "p": "4711" }), 2, true),
            (format!("{{{two}}}"), serde_json::json!({}), 1, true),
            (format!("{{{two}, dryRun: false}}"), serde_json::json!({ "p": "4711" }), 2, true),
            (format!("{{{two}, dryRun: true}}"), serde_json::json!({ "p": "4711" }), 0, true),
            (format!("{{{two}, dryRun: $d}}"), serde_json::json!({ "p": "4711" }), 0, true),
            (format!("{{{two}, dryRun: $d}}"), serde_json::json!({ "p": "4711", "d": false }), 2, true),
            ("$i".to_owned(), serde_json::json!({ "i": { "webUserPanel": { "webPassword": "x" } } }), 1, true),
            ("$i".to_owned(), serde_json::json!({ "i": { "webUserPanel": { "webPassword": null } } }), 0, false),
            ("$i".to_owned(), serde_json::json!({ "i": { "webUserPanel": { "twoFactorSecret": "x" } } }), 0, false),
        ] {
            assert_eq!(measure(&save(&input), variables.clone()), more(pins, apart), "{input} {variables}");
        }
    }

    #[test]
    fn what_is_not_in_the_schema_is_a_plain_field() {
        assert_eq!(measure("{ nothing { is { here } } tenant { nor(here: 1) } }").cost, 3);
    }
}
