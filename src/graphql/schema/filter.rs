//! What a list can be filtered and sorted by, as clients write it.

use async_graphql::{Name, Result, Value};

use super::shapes::choice;
use crate::domain::{DateTime, Kind, ObjectId, Patch, Scalar as _, fold};
use crate::graphql::errors::{coded, misfit};
use crate::graphql::layer::{Given as _, InputObject, InputValue, SchemaType, input};
use crate::service::find::{Filter, FilterSize, Leaf, TextTest};
use crate::store::{Fact, OrderDirection, OrderField};

/// Every place of the form where a condition can stand.
const CONDITIONS: &[Fact] = &[Fact::WorkingHours, Fact::FollowMeCondition, Fact::OnCondition, Fact::Destination];

/// What a field of a filter asks of the form.
enum Test {
    Text(Fact),
    Object(&'static [Fact], Kind),
    Switch(Fact),
}

impl Test {
    fn ty(&self) -> &'static str {
        match self {
            Test::Text(_) => "TextFilter",
            Test::Object(..) => "ID",
            Test::Switch(_) => "Boolean",
        }
    }
}

/// What can be asked of virtual extensions alone.
const OF_FORM: [(&str, &str, Test); 9] = [
    ("branch", "About `note.branch`.", Test::Text(Fact::Branch)),
    ("department", "About `note.department`.", Test::Text(Fact::Department)),
    ("referenceId", "About `note.referenceId`.", Test::Text(Fact::ReferenceId)),
    ("member", "The real extension with this id is a member.", Test::Object(&[Fact::Member], Kind::Extension)),
    (
        "condition",
        "The condition with this id is used anywhere in the form.",
        Test::Object(CONDITIONS, Kind::Condition),
    ),
    (
        "routingProfile",
        "Outside calls are carried by the routing profile with this id.",
        Test::Object(&[Fact::RoutingProfile], Kind::RoutingProfile),
    ),
    ("locked", "Whether it is locked.", Test::Switch(Fact::Locked)),
    ("dnd", "Whether it does not want to be disturbed.", Test::Switch(Fact::Dnd)),
    ("userPanelEnabled", "Whether its user panel is enabled.", Test::Switch(Fact::UserPanel)),
];

/// The name of the filter of a kind's lists.
pub fn filter_type(kind: Kind) -> &'static str {
    if kind == Kind::VirtualExtension { "VirtualExtensionFilter" } else { "ObjectFilter" }
}

fn conditions(name: &'static str, about: &'static str) -> InputObject {
    let enabled = InputValue::new("enabled", "Boolean", "Whether the object is in use.");
    input(name, about)
        .field("and", &format!("[{name}!]"), "All of these must fit.")
        .field("or", &format!("[{name}!]"), "At least one of these must fit.")
        .field("not", name, "This must not fit.")
        .field("number", "NumberFilter", "About the number; what has none never fits.")
        .field("name", "TextFilter", "About the name.")
        .field("description", "TextFilter", "About the note for administrators.")
        // A virtual extension always is.
        .fields((name == "ObjectFilter").then_some(enabled))
        .field("createdAt", "DateTimeFilter", "About when the object was made.")
        .field("changedAt", "DateTimeFilter", "About when the object was last saved.")
}

/// The types of filters and orders.
pub fn definitions() -> Vec<SchemaType> {
    let order = input("ObjectOrder", "The order of a list.")
        .field("field", "OrderField!", "What it is sorted by.")
        .field("direction", "OrderDirection!", "Which end comes first.")
        .default(Value::Enum(Name::new(OrderDirection::Asc.word())));
    let number = input(
        "NumberFilter",
        "What is asked of a number; all that is given must fit. Numbers are compared digit by digit from left to right.",
    )
    .field("eq", "String", "It is this.")
    .field("in", "[String!]", "It is one of these, at most 100.")
    .field("startsWith", "String", "It begins so.")
    .field("gte", "String", "It is this or stands behind it.")
    .field("lte", "String", "It is this or stands before it.");
    let text = input(
        "TextFilter",
        "What is asked of a text; all that is given must fit. Capitals and accents make no difference.",
    )
    .field("eq", "String", "It is this.")
    .field("in", "[String!]", "It is one of these, at most 100.")
    .field("startsWith", "String", "It begins so.")
    .field("contains", "String", "It has this in it.");
    let moment = input("DateTimeFilter", "What is asked of a moment; all that is given must fit.")
        .field("gte", "DateTime", "It is this or later.")
        .field("lt", "DateTime", "It is earlier.");
    let objects = conditions(
        "ObjectFilter",
        "What is asked of an object: all that is given must fit. At most 32 conditions, filters at most 5 levels deep.",
    );
    let forms = conditions(
        "VirtualExtensionFilter",
        "What is asked of a virtual extension: all that is given must fit. At most 32 conditions, filters at most 5 levels\n\
         deep.",
    )
    .fields(OF_FORM.iter().map(|(name, about, test)| InputValue::new(*name, test.ty(), *about)));
    let words = [OrderField::TYPE, OrderDirection::TYPE].map(|ty| choice(ty).into());
    let inputs = [order, number, text, moment, objects, forms].map(SchemaType::from);
    words.into_iter().chain(inputs).collect()
}

/// A filter while it is put together.
struct Building<'a> {
    parts: Vec<Filter>,
    measure: &'a mut FilterSize,
    within: usize,
    wrong: &'a mut Option<String>,
}

/// The filter that a client has sent.
///
/// # Errors
/// It is too large, or a moment is none.
pub fn filter(sent: &Patch) -> Result<Filter> {
    let (mut measure, mut wrong) = (FilterSize::default(), None);
    let filter = nested(sent, 0, &mut measure, &mut wrong)?;
    let refused = |sentence| coded("BAD_USER_INPUT", sentence);
    measure.check().map_err(refused)?;
    wrong.map_or(Ok(filter), |sentence| Err(refused(sentence)))
}

fn nested(sent: &Patch, within: usize, measure: &mut FilterSize, wrong: &mut Option<String>) -> Result<Filter> {
    measure.filter(within);
    let mut building = Building { parts: Vec::new(), measure, within, wrong };
    building.conditions(sent)?;
    Ok(Filter::And(building.parts))
}

impl Building<'_> {
    fn conditions(&mut self, sent: &Patch) -> Result<()> {
        self.text(sent, "number", Leaf::Number)?;
        self.text(sent, "name", Leaf::Name)?;
        self.text(sent, "description", Leaf::Description)?;
        self.part(sent.bool("enabled")?.map(|on| Filter::Is(Leaf::Enabled(on))), 1);
        self.moments(sent, "createdAt", Leaf::CreatedFrom, Leaf::CreatedBefore)?;
        self.moments(sent, "changedAt", Leaf::ChangedFrom, Leaf::ChangedBefore)?;
        for (name, _, test) in &OF_FORM {
            match *test {
                Test::Text(fact) => self.text(sent, name, |test| Leaf::Text(fact, test))?,
                Test::Switch(fact) => self.part(sent.bool(name)?.map(|on| Filter::Is(Leaf::Switch(fact, on))), 1),
                Test::Object(facts, kind) => {
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

    /// What is asked of a text or of a number. Only those tests are there that the filter's type has.
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
                Some(Err(problem)) => {
                    self.wrong.get_or_insert(problem.under(format!("{name}.{field}")).message());
                }
            }
        }
        Ok(())
    }

    fn several(&mut self, sent: &Patch, name: &str) -> Result<Option<Vec<Filter>>> {
        let Some(list) = sent.list(name)? else { return Ok(None) };
        let inner = list.iter().map(|sent| self.inner(sent.object().map_err(|_| misfit())?));
        inner.collect::<Result<_>>().map(Some)
    }

    fn inner(&mut self, sent: &Patch) -> Result<Filter> {
        nested(sent, self.within + 1, self.measure, self.wrong)
    }
}
