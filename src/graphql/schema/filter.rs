//! Filters and orders of lists, as clients write them.

use async_graphql::{Name, Result, Value};

use super::shapes::choice_type;
use crate::domain::{DateTime, Kind, ObjectId, Patch, Scalar as _, fold};
use crate::graphql::errors::{coded, wrong_shape};
use crate::graphql::layer::{ArgValues as _, InputObject, InputValue, SchemaType, input};
use crate::service::find::{Filter, FilterSize, Leaf, TextTest};
use crate::store::{Fact, OrderDirection, OrderField};

/// Every field of the form that can refer to a condition.
const CONDITIONS: &[Fact] = &[Fact::WorkingHours, Fact::FollowMeCondition, Fact::OnCondition, Fact::Destination];

/// What a field of a filter tests in the form.
enum FormTest {
    Text(Fact),
    Object(&'static [Fact], Kind),
    Switch(Fact),
}

impl FormTest {
    fn ty(&self) -> &'static str {
        match self {
            FormTest::Text(_) => "TextFilter",
            FormTest::Object(..) => "ID",
            FormTest::Switch(_) => "Boolean",
        }
    }
}

/// The tests that only virtual extensions have.
const FORM_TESTS: [(&str, &str, FormTest); 9] = [
    ("branch", "Tests `note.branch`.", FormTest::Text(Fact::Branch)),
    ("department", "Tests `note.department`.", FormTest::Text(Fact::Department)),
    ("referenceId", "Tests `note.referenceId`.", FormTest::Text(Fact::ReferenceId)),
    (
        "member",
        "Matches if the real extension with this id is a member.",
        FormTest::Object(&[Fact::Member], Kind::Extension),
    ),
    (
        "condition",
        "Matches if the condition with this id is used anywhere in the form.",
        FormTest::Object(CONDITIONS, Kind::Condition),
    ),
    (
        "routingProfile",
        "Matches if outside calls use the routing profile with this id.",
        FormTest::Object(&[Fact::RoutingProfile], Kind::RoutingProfile),
    ),
    ("locked", "Matches locked extensions if true, and unlocked ones if false.", FormTest::Switch(Fact::Locked)),
    ("dnd", "Matches extensions with do-not-disturb on if true, or off if false.", FormTest::Switch(Fact::Dnd)),
    (
        "userPanelEnabled",
        "Matches extensions with the user panel enabled if true, or disabled if false.",
        FormTest::Switch(Fact::UserPanel),
    ),
];

/// The name of the filter type for lists of a kind.
pub fn filter_type(kind: Kind) -> &'static str {
    if kind == Kind::VirtualExtension { "VirtualExtensionFilter" } else { "ObjectFilter" }
}

fn conditions(name: &'static str, about: &'static str) -> InputObject {
    let enabled = InputValue::new("enabled", "Boolean", "Matches enabled objects if true, and disabled ones if false.");
    input(name, about)
        .field("and", &format!("[{name}!]"), "All of these filters must match.")
        .field("or", &format!("[{name}!]"), "At least one of these filters must match.")
        .field("not", name, "This filter must not match.")
        .field("number", "NumberFilter", "Tests the number. An object without a number never matches.")
        .field("name", "TextFilter", "Tests the name.")
        .field("description", "TextFilter", "Tests the description, which is a note for administrators.")
        // A virtual extension is always enabled.
        .fields((name == "ObjectFilter").then_some(enabled))
        .field("createdAt", "DateTimeFilter", "Tests when the object was created.")
        .field("changedAt", "DateTimeFilter", "Tests when the object was last saved.")
}

/// The types of filters and orders.
pub fn definitions() -> Vec<SchemaType> {
    let order = input("ObjectOrder", "The sort order of a list.")
        .field("field", "OrderField!", "The field to sort by.")
        .field("direction", "OrderDirection!", "The sort direction.")
        .default(Value::Enum(Name::new(OrderDirection::Asc.word())));
    let number = input(
        "NumberFilter",
        "Tests a number; all given fields must match. Numbers are compared digit by digit from left to right.",
    )
    .field("eq", "String", "The number equals this one.")
    .field("in", "[String!]", "The number is one of these, at most 100.")
    .field("startsWith", "String", "The number starts with these digits.")
    .field("gte", "String", "The number equals this one or sorts after it.")
    .field("lte", "String", "The number equals this one or sorts before it.");
    let text = input("TextFilter", "Tests a text; all given fields must match. Case and accents are ignored.")
        .field("eq", "String", "The text equals this one.")
        .field("in", "[String!]", "The text is one of these, at most 100.")
        .field("startsWith", "String", "The text starts with this one.")
        .field("contains", "String", "The text contains this one.");
    let moment = input("DateTimeFilter", "Tests a point in time; all given fields must match.")
        .field("gte", "DateTime", "This time or later.")
        .field("lt", "DateTime", "Before this time.");
    let objects = conditions(
        "ObjectFilter",
        "Filters objects: all given fields must match. At most 32 tests; filters nest at most 5 levels deep.",
    );
    let forms = conditions(
        "VirtualExtensionFilter",
        "Filters virtual extensions: all given fields must match. At most 32 tests; filters nest at most 5\n\
         levels deep.",
    )
    .fields(FORM_TESTS.iter().map(|(name, about, test)| InputValue::new(*name, test.ty(), *about)));
    let words = [OrderField::TYPE, OrderDirection::TYPE].map(|ty| choice_type(ty).into());
    let inputs = [order, number, text, moment, objects, forms].map(SchemaType::from);
    words.into_iter().chain(inputs).collect()
}

/// Builds a filter from its input.
struct FilterBuilder<'a> {
    parts: Vec<Filter>,
    measure: &'a mut FilterSize,
    within: usize,
    problem: &'a mut Option<String>,
}

/// Builds the filter that a client has sent.
///
/// # Errors
/// The filter is too large, or a time is malformed.
pub fn filter_from_input(sent: &Patch) -> Result<Filter> {
    let (mut measure, mut problem) = (FilterSize::default(), None);
    let filter = nested(sent, 0, &mut measure, &mut problem)?;
    let refused = |sentence| coded("BAD_USER_INPUT", sentence);
    measure.check().map_err(refused)?;
    problem.map_or(Ok(filter), |sentence| Err(refused(sentence)))
}

fn nested(sent: &Patch, within: usize, measure: &mut FilterSize, problem: &mut Option<String>) -> Result<Filter> {
    measure.filter(within);
    let mut builder = FilterBuilder { parts: Vec::new(), measure, within, problem };
    builder.conditions(sent)?;
    Ok(Filter::And(builder.parts))
}

impl FilterBuilder<'_> {
    fn conditions(&mut self, sent: &Patch) -> Result<()> {
        self.text(sent, "number", Leaf::Number)?;
        self.text(sent, "name", Leaf::Name)?;
        self.text(sent, "description", Leaf::Description)?;
        self.part(sent.bool("enabled")?.map(|on| Filter::Is(Leaf::Enabled(on))), 1);
        self.moments(sent, "createdAt", Leaf::CreatedFrom, Leaf::CreatedBefore)?;
        self.moments(sent, "changedAt", Leaf::ChangedFrom, Leaf::ChangedBefore)?;
        for (name, _, test) in &FORM_TESTS {
            match *test {
                FormTest::Text(fact) => self.text(sent, name, |test| Leaf::Text(fact, test))?,
                FormTest::Switch(fact) => self.part(sent.bool(name)?.map(|on| Filter::Is(Leaf::Switch(fact, on))), 1),
                FormTest::Object(facts, kind) => {
                    let of = |object| Filter::Is(Leaf::Object(facts, kind, object));
                    let object = |id| ObjectId::from_opaque(id).map_or_else(Filter::nothing, of);
                    self.part(sent.text(name)?.map(object), 1);
                }
            }
        }
        if let Some(all) = self.several(sent, "and")? {
            self.parts.push(Filter::And(all));
        }
        if let Some(any) = self.several(sent, "or")? {
            self.parts.push(Filter::Or(any));
        }
        if let Some(sent) = sent.object("not")? {
            let inner = self.inner(sent)?;
            self.parts.push(Filter::Not(Box::new(inner)));
        }
        Ok(())
    }

    fn part(&mut self, part: Option<Filter>, choices: usize) {
        if let Some(part) = part {
            self.measure.leaf(choices);
            self.parts.push(part);
        }
    }

    /// Adds the tests of a text or a number. Only those that the filter's type has can be present.
    fn text(&mut self, sent: &Patch, name: &str, leaf: impl Fn(TextTest) -> Leaf) -> Result<()> {
        let Some(sent) = sent.object(name)? else { return Ok(()) };
        let one = |name, of: fn(String) -> TextTest| Ok::<_, async_graphql::Error>(sent.text(name)?.map(fold).map(of));
        let one_of = sent.texts("in")?.map(|list| TextTest::In(list.into_iter().map(fold).collect()));
        let tests = [
            one("eq", TextTest::Eq)?,
            one_of,
            one("startsWith", TextTest::StartsWith)?,
            one("contains", TextTest::Contains)?,
            one("gte", TextTest::Gte)?,
            one("lte", TextTest::Lte)?,
        ];
        for test in tests.into_iter().flatten() {
            let choices = test.choices();
            self.part(Some(Filter::Is(leaf(test))), choices);
        }
        Ok(())
    }

    fn moments(
        &mut self,
        sent: &Patch,
        name: &str,
        from: fn(DateTime) -> Leaf,
        before: fn(DateTime) -> Leaf,
    ) -> Result<()> {
        let Some(sent) = sent.object(name)? else { return Ok(()) };
        for (field, leaf) in [("gte", from), ("lt", before)] {
            match sent.given(field).map(DateTime::parse) {
                None => {}
                Some(Ok(moment)) => self.part(Some(Filter::Is(leaf(moment))), 1),
                Some(Err(error)) => {
                    self.problem.get_or_insert(error.under(format!("{name}.{field}")).message());
                }
            }
        }
        Ok(())
    }

    fn several(&mut self, sent: &Patch, name: &str) -> Result<Option<Vec<Filter>>> {
        let Some(list) = sent.list(name)? else { return Ok(None) };
        let inner = list.iter().map(|sent| self.inner(sent.object().map_err(|_| wrong_shape())?));
        inner.collect::<Result<_>>().map(Some)
    }

    fn inner(&mut self, sent: &Patch) -> Result<Filter> {
        nested(sent, self.within + 1, self.measure, self.problem)
    }
}
