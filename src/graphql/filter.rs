//! What a list can be filtered and sorted by, as clients write it.

use async_graphql::{ID, InputObject, InputType};

use crate::domain::{DateTime, DateTimeSent, Kind, ObjectId, Scalar as _, fold};
use crate::service::find::{Filter, Leaf, Measure, TextTest};
use crate::store::{Fact, OrderDirection, OrderField};

/// The order of a list.
#[derive(Clone, Copy, Debug, InputObject)]
pub struct ObjectOrder {
    /// What it is sorted by.
    pub field: OrderField,
    /// Which end comes first.
    #[graphql(default_with = "OrderDirection::Asc")]
    pub direction: OrderDirection,
}

/// What is asked of a number; all that is given must fit. Numbers are compared digit by digit from left to right.
#[derive(Clone, Debug, Default, InputObject)]
pub struct NumberFilter {
    /// It is this.
    eq: Option<String>,
    /// It is one of these, at most 100.
    #[graphql(name = "in")]
    one_of: Option<Vec<String>>,
    /// It begins so.
    starts_with: Option<String>,
    /// It is this or stands behind it.
    gte: Option<String>,
    /// It is this or stands before it.
    lte: Option<String>,
}

/// What is asked of a text; all that is given must fit. Capitals and accents make no difference.
#[derive(Clone, Debug, Default, InputObject)]
pub struct TextFilter {
    /// It is this.
    eq: Option<String>,
    /// It is one of these, at most 100.
    #[graphql(name = "in")]
    one_of: Option<Vec<String>>,
    /// It begins so.
    starts_with: Option<String>,
    /// It has this in it.
    contains: Option<String>,
}

/// What is asked of a moment; all that is given must fit.
#[derive(Clone, Debug, Default, InputObject)]
pub struct DateTimeFilter {
    /// It is this or later.
    gte: Option<DateTimeSent>,
    /// It is earlier.
    lt: Option<DateTimeSent>,
}

/// A filter's conditions, before they are measured.
pub(super) trait Conditions: InputType {
    /// Puts the conditions into the list.
    fn conditions(self, into: &mut Building<'_>);
}

/// A filter while it is put together.
pub(super) struct Building<'a> {
    parts: Vec<Filter>,
    measure: &'a mut Measure,
    within: usize,
    wrong: &'a mut Option<String>,
}

/// The filter that a client has sent.
///
/// # Errors
/// One sentence when it is too large or when a moment is none.
pub(super) fn filter<F: Conditions>(sent: F) -> Result<Filter, String> {
    let (mut measure, mut wrong) = (Measure::default(), None);
    let filter = nested(sent, 0, &mut measure, &mut wrong);
    measure.check()?;
    wrong.map_or(Ok(filter), Err)
}

fn nested<F: Conditions>(sent: F, within: usize, measure: &mut Measure, wrong: &mut Option<String>) -> Filter {
    measure.filter(within);
    let mut building = Building { parts: Vec::new(), measure, within, wrong };
    sent.conditions(&mut building);
    Filter::And(building.parts)
}

impl Building<'_> {
    fn leaf(&mut self, leaf: Option<Leaf>) {
        self.part(leaf.map(Filter::Is), 1);
    }

    fn part(&mut self, part: Option<Filter>, choices: usize) {
        if let Some(part) = part {
            self.measure.leaf(choices);
            self.parts.push(part);
        }
    }

    fn tests(&mut self, tests: impl IntoIterator<Item = Option<TextTest>>, leaf: impl Fn(TextTest) -> Leaf) {
        for test in tests.into_iter().flatten() {
            let choices = test.choices();
            self.part(Some(Filter::Is(leaf(test))), choices);
        }
    }

    fn number(&mut self, sent: Option<NumberFilter>, leaf: impl Fn(TextTest) -> Leaf) {
        let NumberFilter { eq, one_of, starts_with, gte, lte } = sent.unwrap_or_default();
        let text = |text: String| fold(&text);
        let tests = [
            eq.map(text).map(TextTest::Eq),
            one_of.map(|list| TextTest::In(list.into_iter().map(text).collect())),
            starts_with.map(text).map(TextTest::StartsWith),
            gte.map(text).map(TextTest::Gte),
            lte.map(text).map(TextTest::Lte),
        ];
        self.tests(tests, leaf);
    }

    fn text(&mut self, sent: Option<TextFilter>, leaf: impl Fn(TextTest) -> Leaf) {
        let TextFilter { eq, one_of, starts_with, contains } = sent.unwrap_or_default();
        let text = |text: String| fold(&text);
        let tests = [
            eq.map(text).map(TextTest::Eq),
            one_of.map(|list| TextTest::In(list.into_iter().map(text).collect())),
            starts_with.map(text).map(TextTest::StartsWith),
            contains.map(text).map(TextTest::Contains),
        ];
        self.tests(tests, leaf);
    }

    fn moments(
        &mut self,
        name: &str,
        sent: Option<DateTimeFilter>,
        from: fn(DateTime) -> Leaf,
        before: fn(DateTime) -> Leaf,
    ) {
        let DateTimeFilter { gte, lt } = sent.unwrap_or_default();
        for (field, sent, leaf) in [("gte", gte, from), ("lt", lt, before)] {
            match sent.as_ref().map(DateTime::parse) {
                None => {}
                Some(Ok(moment)) => self.leaf(Some(leaf(moment))),
                Some(Err(problem)) => {
                    self.wrong.get_or_insert(problem.under(format!("{name}.{field}")).message());
                }
            }
        }
    }

    fn object(&mut self, sent: Option<ID>, facts: &'static [Fact], kind: Kind) {
        let of = |object| Filter::Is(Leaf::Object(facts, kind, object));
        self.part(sent.map(|id| ObjectId::of_opaque(&id).map_or_else(Filter::nothing, of)), 1);
    }

    fn inner<F: Conditions>(&mut self, sent: F) -> Filter {
        nested(sent, self.within + 1, self.measure, self.wrong)
    }

    fn list<F: Conditions>(&mut self, sent: Option<Vec<F>>, of: fn(Vec<Filter>) -> Filter) {
        if let Some(list) = sent {
            let list = list.into_iter().map(|sent| self.inner(sent)).collect();
            self.parts.push(of(list));
        }
    }

    fn not<F: Conditions>(&mut self, sent: Option<F>) {
        if let Some(sent) = sent {
            let inner = self.inner(sent);
            self.parts.push(Filter::Not(Box::new(inner)));
        }
    }
}

macro_rules! filters {
    (
        $($(#[doc = $about:literal])+ $Filter:ident { $($(#[doc = $doc:literal])+ $field:ident: $Type:ty => |$into:ident| $put:expr;)* })+
    ) => {
        $(
            $(#[doc = $about])+
            #[derive(Clone, Debug, InputObject)]
            pub struct $Filter {
                /// All of these must fit.
                and: Option<Vec<$Filter>>,
                /// At least one of these must fit.
                or: Option<Vec<$Filter>>,
                /// This must not fit.
                not: Option<Box<$Filter>>,
                /// About the number; what has none never fits.
                number: Option<NumberFilter>,
                /// About the name.
                name: Option<TextFilter>,
                /// About the note for administrators.
                description: Option<TextFilter>,
                /// Whether the object is in use.
                enabled: Option<bool>,
                /// About when the object was made.
                created_at: Option<DateTimeFilter>,
                /// About when the object was last saved.
                changed_at: Option<DateTimeFilter>,
                $($(#[doc = $doc])+ $field: Option<$Type>,)*
            }

            impl Conditions for $Filter {
                fn conditions(self, into: &mut Building<'_>) {
                    into.number(self.number, Leaf::Number);
                    into.text(self.name, Leaf::Name);
                    into.text(self.description, Leaf::Description);
                    into.leaf(self.enabled.map(Leaf::Enabled));
                    into.moments("createdAt", self.created_at, Leaf::CreatedFrom, Leaf::CreatedBefore);
                    into.moments("changedAt", self.changed_at, Leaf::ChangedFrom, Leaf::ChangedBefore);
                    $({ let ($into, $field) = (&mut *into, self.$field); $put; })*
                    into.list(self.and, Filter::And);
                    into.list(self.or, Filter::Or);
                    into.not(self.not.map(|filter| *filter));
                }
            }
        )+
    };
}

/// Every place of the form where a condition can stand.
const CONDITIONS: &[Fact] = &[Fact::WorkingHours, Fact::FollowMeCondition, Fact::OnCondition, Fact::Destination];

filters! {
    /// What is asked of an object: all that is given must fit. At most 32 conditions, filters at most 5 levels deep.
    ObjectFilter {}

    /// What is asked of a virtual extension: all that is given must fit. At most 32 conditions, filters at most 5 levels
    /// deep.
    VirtualExtensionFilter {
        /// About `note.branch`.
        branch: TextFilter => |into| into.text(branch, |test| Leaf::Text(Fact::Branch, test));
        /// About `note.department`.
        department: TextFilter => |into| into.text(department, |test| Leaf::Text(Fact::Department, test));
        /// About `note.referenceId`.
        reference_id: TextFilter => |into| into.text(reference_id, |test| Leaf::Text(Fact::ReferenceId, test));
        /// The real extension with this id is a member.
        member: ID => |into| into.object(member, &[Fact::Member], Kind::Extension);
        /// The condition with this id is used anywhere in the form.
        condition: ID => |into| into.object(condition, CONDITIONS, Kind::Condition);
        /// Outside calls are carried by the routing profile with this id.
        routing_profile: ID => |into| into.object(routing_profile, &[Fact::RoutingProfile], Kind::RoutingProfile);
        /// Whether it is locked.
        locked: bool => |into| into.leaf(locked.map(|on| Leaf::Switch(Fact::Locked, on)));
        /// Whether it does not want to be disturbed.
        dnd: bool => |into| into.leaf(dnd.map(|on| Leaf::Switch(Fact::Dnd, on)));
        /// Whether its user panel is enabled.
        user_panel_enabled: bool => |into| into.leaf(user_panel_enabled.map(|on| Leaf::Switch(Fact::UserPanel, on)));
    }
}
