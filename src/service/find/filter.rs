//! Filters: a tree of what is asked of an object, judged on its row and on facts that are read when they are needed.

use std::collections::{BTreeSet, HashMap};

use crate::domain::{BEHIND_ALL, DateTime, Kind, ObjectId, Value, fold, sort_key, word};
use crate::store::{self, Fact, ObjectRow, OrderField, Probe, Query, Result, SortKey, SortRange};

/// What is asked of an object.
#[derive(Clone, Debug)]
pub enum Filter {
    /// All of these.
    And(Vec<Filter>),
    /// Any of these.
    Or(Vec<Filter>),
    /// Not this.
    Not(Box<Filter>),
    /// One condition.
    Is(Leaf),
}

/// One condition.
#[derive(Clone, Debug)]
pub enum Leaf {
    /// About the number.
    Number(TextTest),
    /// About the name.
    Name(TextTest),
    /// About the description.
    Description(TextTest),
    /// Whether it is in use.
    Enabled(bool),
    /// Made at this moment or later.
    CreatedFrom(DateTime),
    /// Made before this moment.
    CreatedBefore(DateTime),
    /// Last saved at this moment or later.
    ChangedFrom(DateTime),
    /// Last saved before this moment.
    ChangedBefore(DateTime),
    /// About a text of the form.
    Text(Fact, TextTest),
    /// Whether one of these is this object, which must be of this kind.
    Object(&'static [Fact], Kind, ObjectId),
    /// Whether a switch stands so.
    Switch(Fact, bool),
}

/// What is asked of a text; both texts are compared folded.
#[derive(Clone, Debug)]
pub enum TextTest {
    /// It is this.
    Eq(String),
    /// It is one of these.
    In(Vec<String>),
    /// It begins so.
    StartsWith(String),
    /// It has this in it.
    Contains(String),
    /// It is this or stands behind it.
    Gte(String),
    /// It is this or stands before it.
    Lte(String),
}

/// The values of facts that have been read, by object.
pub(super) type FactValues = HashMap<Fact, HashMap<i64, Vec<Value>>>;

impl Filter {
    /// What nothing fits.
    pub fn nothing() -> Self {
        Self::Or(Vec::new())
    }

    /// The same, knowing what the objects are: what is another tenant's, of another kind or nobody's fits nothing.
    pub(super) fn resolved(&self, query: &mut Query<'_>) -> Result<Self> {
        let mut asked = Vec::new();
        self.each_object(&mut |object| asked.push(object.local));
        if asked.is_empty() {
            return Ok(self.clone());
        }
        let rows = store::load_objects(query, &asked)?;
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

    /// Whether an object fits; `None` when that depends on facts that are not there.
    pub(super) fn judge(&self, row: &ObjectRow, facts: &FactValues) -> Option<bool> {
        match self {
            // What one of them decides need not be known of the others.
            Filter::And(all) => fold_until(all, row, facts, false),
            Filter::Or(any) => fold_until(any, row, facts, true),
            Filter::Not(filter) => filter.judge(row, facts).map(|fits| !fits),
            Filter::Is(leaf) => leaf.judge(row, facts),
        }
    }

    /// The conditions that everything must fit that fits the filter.
    pub(super) fn leaves(&self) -> Vec<&Leaf> {
        match self {
            Filter::And(all) => all.iter().flat_map(Filter::leaves).collect(),
            Filter::Is(leaf) => vec![leaf],
            Filter::Or(_) | Filter::Not(_) => Vec::new(),
        }
    }

    /// The facts that it asks for.
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

/// `decisive` if any of the filters is; `None` if one of the others is not known; otherwise the contrary.
fn fold_until(filters: &[Filter], row: &ObjectRow, facts: &FactValues, decisive: bool) -> Option<bool> {
    let mut known = true;
    for filter in filters {
        match filter.judge(row, facts) {
            Some(fits) if fits == decisive => return Some(decisive),
            Some(_) => {}
            None => known = false,
        }
    }
    known.then_some(!decisive)
}

impl Leaf {
    fn judge(&self, row: &ObjectRow, facts: &FactValues) -> Option<bool> {
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

    /// Where in a sorted list everything lies that fits; `None` when the order says nothing about it.
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

    /// Whether all that lies in the leaf's span fits, and nothing else.
    pub(super) fn is_span(&self, field: OrderField) -> bool {
        match (self, field) {
            // A name that is too long is sorted by its beginning; and what has no number is sorted by an empty one.
            (Leaf::Name(TextTest::StartsWith(prefix)), OrderField::Name) => {
                sort_key(prefix) == *prefix && prefix.chars().count() < PREFIX
            }
            (Leaf::CreatedFrom(_) | Leaf::CreatedBefore(_), OrderField::CreatedAt)
            | (Leaf::ChangedFrom(_) | Leaf::ChangedBefore(_), OrderField::ChangedAt) => true,
            _ => false,
        }
    }

    /// What indexes can be asked, so that any of the answers names everything that fits.
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

/// The one text of a sorted list.
fn exactly(field: OrderField, text: &str) -> Probe {
    let key = sort_key(text);
    Probe::Keys(field, SortRange::between_texts(&key, &key))
}

impl TextTest {
    /// How many texts it compares with.
    pub fn choices(&self) -> usize {
        if let TextTest::In(list) = self { list.len() } else { 1 }
    }

    /// Whether a folded text fits.
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

    /// The words of texts that fit: each text of the form is one word as a whole. Blank ones have none.
    fn words(&self) -> Option<Vec<Probe>> {
        let one = |text: &String, end: char| {
            let word = word(text);
            (!word.is_empty()).then(|| Probe::Words(word.clone(), format!("{word}{end}")))
        };
        match self {
            TextTest::Eq(text) => one(text, NEXT).map(|probe| vec![probe]),
            TextTest::In(list) => list.iter().map(|text| one(text, NEXT)).collect(),
            TextTest::StartsWith(prefix) => one(prefix, BEHIND_ALL).map(|probe| vec![probe]),
            TextTest::Contains(_) | TextTest::Gte(_) | TextTest::Lte(_) => None,
        }
    }
}

/// A prefix that is shorter is found by what names are sorted by, see [`sort_key`].
const PREFIX: usize = 100;

/// No text has a control character in it, so `text + NEXT` is what stands next behind `text`.
const NEXT: char = '\u{1}';
