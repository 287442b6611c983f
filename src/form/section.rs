//! The `section!` macro: from one Rust struct to everything that a section of the form needs.
//!
//! Inside stands an ordinary struct. A field is one documented line; what it may be is said by its type, see
//! [`Field`](super::Field). The doc comment describes it in the answer and in the input alike. An attribute
//! `#[graphql(…)]` below the doc comment concerns the answer only, for example the name under which a secret says
//! whether it is set. Behind `searched:` stand the fields whose text a search reads. The order is: struct, patch (what a
//! client sends), and the plumbing between form and store.
//!
//! How to add a field: its line here, its column in a new file of each `migrations` folder, `cargo test` once (it
//! rewrites `schema.graphql`). A reference also needs its resolver line in `graphql/references.rs`.

use async_graphql::InputObjectType;

use super::{AreaCode, Cell, Checked, Described, Destinations, Expression, Facts, Form, Place, Reference};
use crate::domain::{ObjectId, Problem, SentSecret, TenantId};

/// A difference in one field.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// `section.field`, as clients write it.
    pub path: String,
    /// The value before, as JSON; secrets show only whether they are set.
    pub before: serde_json::Value,
    /// The value after.
    pub after: serde_json::Value,
}

/// A struct that `section!` made.
pub trait Section: Clone + PartialEq + Send + Sync + 'static {
    /// What a client sends for it.
    type Patch: InputObjectType + Clone + Default + Sync;
    /// The section's table.
    const TABLE: &'static str;
    /// The fields in order, which are also the columns' names.
    const COLUMNS: &'static [&'static str];
    /// Where each field is kept.
    const PLACES: &'static [Place];
    /// The fields whose text a search reads, besides the object's number, name and description.
    const SEARCHED: &'static [&'static str];

    /// A section made of a patch alone; what is left out is blank. Reports what is missing or breaks a rule.
    fn build(patch: &Self::Patch, report: &mut dyn FnMut(Problem)) -> Option<Self>;
    /// Applies a patch; what breaks a rule is reported and leaves its field as it was.
    fn apply(&mut self, patch: &Self::Patch, report: &mut dyn FnMut(Problem));
    /// The secrets that a patch sends.
    fn secrets(patch: &Self::Patch) -> Vec<SentSecret<'_>>;
    /// The stored form, in the order of the columns.
    fn store(&self) -> Vec<Cell>;
    /// Back from the stored form.
    ///
    /// # Errors
    /// The rule that a stored value breaks.
    fn load(cells: Vec<Cell>, tenant: TenantId) -> Result<Self, Problem>;
    /// What the rest of the program has to know of each field, in order.
    fn describe() -> Vec<Described>;
    /// Back from a file that somebody may have written by hand, in the order of the columns; reports every rule that a
    /// value breaks.
    fn admit(cells: Vec<Cell>, tenant: TenantId, report: &mut dyn FnMut(Problem)) -> Option<Self>;
    /// Whether a patch says something of the field with this name, as clients write it.
    fn sends(patch: &Self::Patch, field: &str) -> bool;
    /// The fields whose values differ; paths without the section.
    fn diff(&self, after: &Self) -> Vec<Change>;
    /// All values by name.
    fn show(&self) -> serde_json::Value;
    /// Every reference that the section holds.
    fn references(&self, visit: &mut dyn FnMut(Reference));
    /// Points at `to` where a field pointed at `from`; without `to`, at nothing. `false` when a field cannot be without.
    fn redirect(&mut self, from: ObjectId, to: Option<ObjectId>) -> bool;
    /// Dials `to` where a field dialled `from`.
    fn redial(&mut self, from: &str, to: &str);
    /// Every list of destinations that the section holds, with the field's name.
    fn destinations(&self, visit: &mut dyn FnMut(&'static str, &Destinations));
}

/// What the types of a section's fields cannot say.
pub trait Rules: Section {
    /// What the section holds in a tenant that has not chosen its own defaults: every field off, empty or at its
    /// least, unless the section's file says otherwise.
    fn initial() -> Self {
        Self::blank()
    }

    /// The section for a copy of the extension: without what belongs to this one alone, such as its secrets.
    fn copied(self) -> Self {
        self
    }

    /// Checks what depends on other fields and on what stands around the form. A dangling or ill-fitting reference is
    /// found before, for all sections alike.
    fn check(_form: &Form, _facts: &Facts, _checked: &mut Checked) {}

    /// Checks what is worth saying of a saved form only, see [`lint`](super::lint).
    fn lint(_form: &Form, _facts: &Facts, _checked: &mut Checked) {}

    /// Hands out the expressions that can be tried on numbers, always in the same order; `area` is the tenant's. What
    /// stands in front of them in their paths is the section.
    fn expressions<'a>(_form: &'a Form, _area: &AreaCode, _visit: &mut dyn FnMut(Expression<'a>)) {}

    /// Every field off, empty or at its least.
    #[expect(clippy::expect_used, reason = "a section with a field that cannot be blank fails in `form::tests`")]
    fn blank() -> Self {
        Self::build(&Self::Patch::default(), &mut |_| {}).expect("all fields of a section can be blank")
    }
}

/// The name of a field as clients write it: `inbound_timeout_seconds` is `inboundTimeoutSeconds`.
pub fn camel(field: &str) -> String {
    let mut words = field.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut name, word| {
        let mut letters = word.chars();
        name.extend(letters.next().map(|c| c.to_ascii_uppercase()));
        name + letters.as_str()
    })
}

/// See the [module](self).
macro_rules! section {
    (
        $table:literal, $Patch:ident $(, searched: $($searched:ident),+)?;
        $(#[doc = $about:literal])+
        $(#[graphql($($answer:tt)*)])?
        pub struct $Section:ident {
            $(
                $(#[doc = $doc:literal])+
                $(#[graphql($($field_answer:tt)*)])?
                pub $field:ident: $Type:ty,
            )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, PartialEq, async_graphql::SimpleObject)]
        $(#[graphql($($answer)*)])?
        pub struct $Section {
            $(
                $(#[doc = $doc])+
                $(#[graphql($($field_answer)*)])?
                pub $field: $Type,
            )+
        }

        $(#[doc = $about])+
        #[doc = "What is left out stays as it is, `null` clears."]
        #[derive(Clone, Debug, Default, async_graphql::InputObject)]
        pub struct $Patch {
            $(
                $(#[doc = $doc])+
                pub $field: async_graphql::MaybeUndefined<<$Type as $crate::form::Field>::Sent>,
            )+
        }

        impl $crate::form::Section for $Section {
            type Patch = $Patch;
            const TABLE: &'static str = $table;
            const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),+];
            const PLACES: &'static [$crate::form::Place] = &[$(<$Type as $crate::form::Field>::PLACE),+];
            const SEARCHED: &'static [&'static str] = &[$($(stringify!($searched)),+)?];

            fn build(patch: &$Patch, report: &mut dyn FnMut($crate::domain::Problem)) -> Option<Self> {
                $(let $field = $crate::form::plumbing::build(&patch.$field, stringify!($field), report);)+
                Some(Self { $($field: $field?),+ })
            }

            fn apply(&mut self, patch: &$Patch, report: &mut dyn FnMut($crate::domain::Problem)) {
                $($crate::form::plumbing::apply(&mut self.$field, &patch.$field, stringify!($field), report);)+
            }

            fn secrets(patch: &$Patch) -> Vec<$crate::domain::SentSecret<'_>> {
                [$($crate::form::plumbing::secret::<$Type>(&patch.$field)),+].into_iter().flatten().collect()
            }

            fn store(&self) -> Vec<$crate::form::Cell> {
                vec![$($crate::form::Field::store(&self.$field)),+]
            }

            fn load(
                cells: Vec<$crate::form::Cell>,
                tenant: $crate::domain::TenantId,
            ) -> Result<Self, $crate::domain::Problem> {
                let mut cells = cells.into_iter();
                Ok(Self { $($field: $crate::form::plumbing::load(&mut cells, tenant, stringify!($field))?),+ })
            }

            fn describe() -> Vec<$crate::form::Described> {
                vec![$($crate::form::plumbing::describe::<$Type>(stringify!($field))),+]
            }

            fn admit(
                cells: Vec<$crate::form::Cell>,
                tenant: $crate::domain::TenantId,
                report: &mut dyn FnMut($crate::domain::Problem),
            ) -> Option<Self> {
                let mut cells = cells.into_iter();
                $(let $field = $crate::form::plumbing::admit(&mut cells, tenant, stringify!($field), report);)+
                Some(Self { $($field: $field?),+ })
            }

            fn sends(patch: &$Patch, field: &str) -> bool {
                $((field == $crate::form::camel(stringify!($field)) && !patch.$field.is_undefined()))||+
            }

            fn diff(&self, after: &Self) -> Vec<$crate::form::Change> {
                let mut changes = Vec::new();
                $($crate::form::plumbing::diff(&self.$field, &after.$field, stringify!($field), &mut changes);)+
                changes
            }

            fn show(&self) -> serde_json::Value {
                [$(($crate::form::camel(stringify!($field)), $crate::form::Field::show(&self.$field))),+].into_iter().collect()
            }

            fn references(&self, visit: &mut dyn FnMut($crate::form::Reference)) {
                $($crate::form::plumbing::references(&self.$field, stringify!($field), visit);)+
            }

            fn redirect(&mut self, from: $crate::domain::ObjectId, to: Option<$crate::domain::ObjectId>) -> bool {
                let mut stays = true;
                $(stays &= $crate::form::Field::redirect(&mut self.$field, from, to);)+
                stays
            }

            fn redial(&mut self, from: &str, to: &str) {
                $($crate::form::Field::redial(&mut self.$field, from, to);)+
            }

            fn destinations(&self, visit: &mut dyn FnMut(&'static str, &$crate::form::Destinations)) {
                $($crate::form::Field::destinations(&self.$field, &mut |list| visit(stringify!($field), list));)+
            }
        }
    };
}
pub(crate) use section;
