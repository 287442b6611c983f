//! Filters: trees of conditions on objects. They are evaluated on the rows of objects, and on facts that are loaded
//! only if they are needed.

use std::collections::{BTreeSet, HashMap};

use crate::domain::{DateTime, Kind, LAST_CHARACTER, ObjectId, Value, fold, sort_key, word};
use crate::store::{self, Fact, ObjectRow, OrderField, Probe, Query, Result, SortKey, SortRange};

/// A filter for objects.
#[derive(Clone, Debug)]
pub enum Filter {
    /// All of these must match.
    And(Vec<Filter>),
    /// At least one of these must match.
    Or(Vec<Filter>),
    /// This must not match.
    Not(Box<Filter>),
    /// This condition must match.
    Is(Leaf),
}

/// One condition.
#[derive(Clone, Debug)]
pub enum Leaf {
    /// A test of the number.
    Number(TextTest),
    /// A test of the name.
    Name(TextTest),
    /// A test of the description.
    Description(TextTest),
    /// Whether the object is enabled.
    Enabled(bool),
    /// Created at this time or later.
    CreatedFrom(DateTime),
    /// Created before this time.
    CreatedBefore(DateTime),
    /// Last saved at this time or later.
    ChangedFrom(DateTime),
    /// Last saved before this time.
    ChangedBefore(DateTime),
    /// A test of a text in the form.
    Text(Fact, TextTest),
    /// One of these references leads to this object, which must be of this kind.
    Object(&'static [Fact], Kind, ObjectId),
    /// A boolean has this value.
    Switch(Fact, bool),
}

/// A test of a text. Both texts are folded before they are compared.
#[derive(Clone, Debug)]
pub enum TextTest {
    /// It equals this.
    Eq(String),
    /// It equals one of these.
    In(Vec<String>),
    /// It begins with this.
    StartsWith(String),
    /// It contains this.
    Contains(String),
    /// It equals this or sorts after it.
    Gte(String),
    /// It equals this or sorts before it.
    Lte(String),
}

/// The values of loaded facts, by object.
pub(super) type FactValues = HashMap<Fact, HashMap<i64, Vec<Value>>>;

impl Filter {
    /// A filter that nothing matches.
    pub fn nothing() -> Self {
        Self::Or(Vec::new())
    }

    /// Whether nothing matches, whatever the objects are.
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Self::Or(any) if any.is_empty())
    }

    /// Looks up the objects in the filter. A condition matches nothing if its object does not exist, has another kind,
    /// or belongs to another tenant.
    pub(super) fn resolved(&self, query: &mut Query<'_>) -> Result<Self> {
        let mut ids = Vec::new();
        self.each_object(&mut |object| ids.push(object.local));
        if ids.is_empty() {
            return Ok(self.clone());
        }
        let rows = store::load_objects(query, &ids)?;
        Ok(self.with_objects(&|kind, object| {
            object.tenant == query.tenant() && rows.get(&object.local).is_some_and(|row| row.kind == kind)
        }))
    }

    fn each_object(&self, visit: &mut dyn FnMut(ObjectId)) {
        match self {
            Filter::And(list) | Filter::Or(list) => list.iter().for_each(|filter| filter.each_object(visit)),
            Filter::Not(filter) => filter.each_object(visit),
            Filter::Is(Leaf::Object(.., object)) => visit(*object),
            Filter::Is(_) => {}
        }
    }

    fn with_objects(&self, exists: &dyn Fn(Kind, ObjectId) -> bool) -> Self {
        let all = |list: &[Filter]| list.iter().map(|filter| filter.with_objects(exists)).collect();
        match self {
            Filter::And(list) => Filter::And(all(list)),
            Filter::Or(list) => Filter::Or(all(list)),
            Filter::Not(filter) => Filter::Not(Box::new(filter.with_objects(exists))),
            Filter::Is(Leaf::Object(_, kind, object)) if !exists(*kind, *object) => Filter::nothing(),
            Filter::Is(leaf) => Filter::Is(leaf.clone()),
        }
    }

    /// Whether an object matches; `None` if this depends on facts that are not loaded.
    pub(super) fn evaluate(&self, row: &ObjectRow, facts: &FactValues) -> Option<bool> {
        match self {
            // If one of them decides, the others do not have to be known.
            Filter::And(all) => evaluate_all(all, row, facts, false),
            Filter::Or(any) => evaluate_all(any, row, facts, true),
            Filter::Not(filter) => filter.evaluate(row, facts).map(|fits| !fits),
            Filter::Is(leaf) => leaf.evaluate(row, facts),
        }
    }

    /// The conditions that every matching object must satisfy.
    pub(super) fn leaves(&self) -> Vec<&Leaf> {
        match self {
            Filter::And(all) => all.iter().flat_map(Filter::leaves).collect(),
            Filter::Is(leaf) => vec![leaf],
            Filter::Or(_) | Filter::Not(_) => Vec::new(),
        }
    }

    /// The facts that the filter depends on.
    pub(super) fn facts(&self) -> BTreeSet<Fact> {
        match self {
            Filter::And(list) | Filter::Or(list) => list.iter().flat_map(Filter::facts).collect(),
            Filter::Not(filter) => filter.facts(),
            Filter::Is(Leaf::Text(fact, _) | Leaf::Switch(fact, _)) => [*fact].into(),
            Filter::Is(Leaf::Object(facts, ..)) => facts.iter().copied().collect(),
            Filter::Is(_) => BTreeSet::new(),
        }
    }
}

/// `decisive` if one of the filters evaluates to it; otherwise `None` if one of them is unknown; otherwise the
/// opposite.
fn evaluate_all(filters: &[Filter], row: &ObjectRow, facts: &FactValues, decisive: bool) -> Option<bool> {
    let mut known = true;
    for filter in filters {
        match filter.evaluate(row, facts) {
            Some(fits) if fits == decisive => return Some(decisive),
            Some(_) => {}
            None => known = false,
        }
    }
    known.then_some(!decisive)
}

impl Leaf {
    fn evaluate(&self, row: &ObjectRow, facts: &FactValues) -> Option<bool> {
        let id = row.id.local;
        let any = |fact: &Fact, fits: &dyn Fn(&Value) -> bool| {
            facts.get(fact).map(|known| known.get(&id).is_some_and(|values| values.iter().any(fits)))
        };
        Some(match self {
            Leaf::Number(test) => row.number.as_deref().is_some_and(|number| test.fits(number)),
            Leaf::Name(test) => test.fits(&fold(&row.name)),
            Leaf::Description(test) => test.fits(&fold(&row.description)),
            Leaf::Enabled(enabled) => row.enabled == *enabled,
            Leaf::CreatedFrom(from) => row.created_at >= *from,
            Leaf::CreatedBefore(before) => row.created_at < *before,
            Leaf::ChangedFrom(from) => row.changed_at >= *from,
            Leaf::ChangedBefore(before) => row.changed_at < *before,
            Leaf::Text(fact, test) => any(fact, &|value| value.text().is_some_and(|text| test.fits(text)))?,
            Leaf::Switch(fact, on) => any(fact, &|value| value.bool() == Some(*on))?,
            Leaf::Object(of, _, object) => {
                let found = of.iter().map(|fact| any(fact, &|value| value.int() == Some(object.local)));
                found.collect::<Option<Vec<_>>>()?.contains(&true)
            }
        })
    }

    /// The part of a sorted list that contains everything that matches; `None` if the condition does not depend on the
    /// order.
    pub(super) fn span(&self, field: OrderField) -> Option<SortRange> {
        match (self, field) {
            (Leaf::Number(test), OrderField::Number) | (Leaf::Name(test), OrderField::Name) => test.span(field),
            (Leaf::CreatedFrom(from), OrderField::CreatedAt) | (Leaf::ChangedFrom(from), OrderField::ChangedAt) => {
                Some(SortRange::between_keys(SortKey::Time(from.0), field.full_range().to.key))
            }
            (Leaf::CreatedBefore(to), OrderField::CreatedAt) | (Leaf::ChangedBefore(to), OrderField::ChangedAt) => {
                Some(SortRange::between_keys(field.full_range().from.key, SortKey::Time(to.0)))
            }
            _ => None,
        }
    }

    /// Whether the condition matches exactly the objects in its span.
    pub(super) fn is_exact_span(&self, field: OrderField) -> bool {
        match (self, field) {
            // A long name is sorted by its beginning, and an object without a number by an empty one.
            (Leaf::Name(TextTest::StartsWith(prefix)), OrderField::Name) => {
                sort_key(prefix) == *prefix && prefix.chars().count() < MAX_SORTED_PREFIX
            }
            (Leaf::CreatedFrom(_) | Leaf::CreatedBefore(_), OrderField::CreatedAt)
            | (Leaf::ChangedFrom(_) | Leaf::ChangedBefore(_), OrderField::ChangedAt) => true,
            _ => false,
        }
    }

    /// Index lookups whose results together contain everything that matches.
    pub(super) fn probes(&self) -> Option<Vec<Probe>> {
        let keys = |field: OrderField| self.span(field).map(|span| vec![Probe::Keys(field, span)]);
        match self {
            Leaf::Number(TextTest::In(list)) => {
                Some(list.iter().map(|text| exactly(OrderField::Number, text)).collect())
            }
            Leaf::Name(TextTest::In(list)) => Some(list.iter().map(|text| exactly(OrderField::Name, text)).collect()),
            Leaf::Number(_) => keys(OrderField::Number),
            Leaf::Name(_) => keys(OrderField::Name),
            Leaf::CreatedFrom(_) | Leaf::CreatedBefore(_) => keys(OrderField::CreatedAt),
            Leaf::ChangedFrom(_) | Leaf::ChangedBefore(_) => keys(OrderField::ChangedAt),
            Leaf::Text(_, test) => test.words(),
            Leaf::Object(facts, _, object) => {
                Some(facts.iter().map(|fact| Probe::Having(*fact, Value::Int(object.local))).collect())
            }
            Leaf::Switch(fact, on) => Some(vec![Probe::Having(*fact, Value::Bool(*on))]),
            Leaf::Description(_) | Leaf::Enabled(_) => None,
        }
    }
}

/// A lookup of one text in a sorted list.
fn exactly(field: OrderField, text: &str) -> Probe {
    let key = sort_key(text);
    Probe::Keys(field, SortRange::between_texts(&key, &key))
}

impl TextTest {
    /// The number of texts that it compares with.
    pub fn choices(&self) -> usize {
        if let TextTest::In(list) = self { list.len() } else { 1 }
    }

    /// Whether a folded text passes the test.
    fn fits(&self, text: &str) -> bool {
        match self {
            TextTest::Eq(one) => text == one,
            TextTest::In(list) => list.iter().any(|one| text == one),
            TextTest::StartsWith(prefix) => text.starts_with(prefix.as_str()),
            TextTest::Contains(part) => text.contains(part.as_str()),
            TextTest::Gte(least) => text >= least.as_str(),
            TextTest::Lte(most) => text <= most.as_str(),
        }
    }

    fn span(&self, field: OrderField) -> Option<SortRange> {
        match self {
            TextTest::Eq(text) => Some(SortRange::between_texts(&sort_key(text), &sort_key(text))),
            TextTest::StartsWith(prefix) => Some(SortRange::with_prefix(&sort_key(prefix))),
            TextTest::Gte(least) => {
                Some(SortRange::between_keys(SortKey::Text(sort_key(least)), field.full_range().to.key))
            }
            TextTest::Lte(most) => Some(SortRange::between_texts("", &sort_key(most))),
            TextTest::In(_) | TextTest::Contains(_) => None,
        }
    }

    /// Lookups in the index of words, in which each text of the form is a single word. Empty texts have no word.
    fn words(&self) -> Option<Vec<Probe>> {
        let one = |text: &String, end: char| {
            let word = word(text);
            (!word.is_empty()).then(|| Probe::Words(word.clone(), format!("{word}{end}")))
        };
        match self {
            TextTest::Eq(text) => one(text, NEXT).map(|probe| vec![probe]),
            TextTest::In(list) => list.iter().map(|text| one(text, NEXT)).collect(),
            TextTest::StartsWith(prefix) => one(prefix, LAST_CHARACTER).map(|probe| vec![probe]),
            TextTest::Contains(_) | TextTest::Gte(_) | TextTest::Lte(_) => None,
        }
    }
}

/// A shorter prefix can be found by the sort key of names, see [`sort_key`].
const MAX_SORTED_PREFIX: usize = 100;

/// No text contains a control character, so `text + NEXT` sorts directly after `text`.
const NEXT: char = '\u{1}';
