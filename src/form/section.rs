//! The `section!` macro: it turns one Rust struct into everything that a section of the form needs.
//!
//! The macro takes an ordinary struct. Each field is one documented line, and its type decides which values it may
//! have, see [`Field`](super::Field). The doc comment becomes the description in both the answer and the input.
//! `searched:` lists the fields that a search looks in. The macro only lists the fields: the code that works with them
//! is written once, on [`Section`], which knows them by position.
//!
//! To add a field, add its line here and its column in a new file of each `migrations` folder, then run `cargo test`
//! once (it rewrites `schema.graphql`).

use std::any::Any;

use super::destination::Destinations;
use super::info::{FieldInfo, FieldValue, Section, SectionInfo, Source};
use super::place::{Cell, Reference};
use crate::domain::{ObjectId, Patch, Problem, Sent, SentSecret, TenantId};

/// A difference in one field.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The path `section.field`, as clients write it.
    pub path: String,
    /// The value before, as JSON; secrets show only whether they are set.
    pub before: serde_json::Value,
    /// The value after.
    pub after: serde_json::Value,
}

/// A section with a concrete type.
pub trait Typed: Section + Clone + PartialEq {
    /// The table of the section.
    const TABLE: &'static str;
    /// The names of the fields in order, which are also the names of the columns.
    const COLUMNS: &'static [&'static str];

    /// Describes the section.
    fn section_info() -> &'static SectionInfo;
    /// See [`SectionInfo::make`].
    fn make(source: &mut Source<'_>) -> Option<Self>;
}

impl dyn Section {
    /// Each field with its value.
    pub fn fields(&self) -> impl Iterator<Item = (&'static FieldInfo, &dyn FieldValue)> {
        self.info().fields.iter().zip(self.values())
    }

    /// The section as the type `S`; `None` if it has another type.
    pub fn typed<S: Section>(&self) -> Option<&S> {
        (self as &dyn Any).downcast_ref()
    }

    /// Applies a patch. A value that breaks a rule is reported and leaves its field unchanged.
    pub fn apply(&mut self, patch: &Patch, report: &mut dyn FnMut(Problem)) {
        for (field, value) in self.info().fields.iter().zip(self.values_mut()) {
            if let Some(sent) = patch.get(&field.client_name) {
                value.apply(sent, &mut |problem| report(problem.under(&field.client_name)));
            }
        }
    }

    /// The stored form, in the order of the fields.
    pub fn store(&self) -> Vec<Cell> {
        self.values().into_iter().map(FieldValue::store).collect()
    }

    /// The fields whose values differ; their paths do not include the section.
    pub fn diff(&self, after: &dyn Section) -> Vec<Change> {
        let pairs = self.fields().zip(after.values()).filter(|((_, before), after)| !before.equals(*after));
        let change = |((field, before), after): ((&FieldInfo, &dyn FieldValue), &dyn FieldValue)| Change {
            path: field.client_name.clone(),
            before: before.show(),
            after: after.show(),
        };
        pairs.map(change).collect()
    }

    /// All values by name.
    pub fn show(&self) -> serde_json::Value {
        self.fields().map(|(field, value)| (field.client_name.clone(), value.show())).collect()
    }

    /// Visits every reference in the section.
    pub fn references(&self, visit: &mut dyn FnMut(Reference)) {
        for (field, value) in self.fields() {
            value.references(&mut |mut reference| {
                reference.path.insert(0, field.client_name.clone());
                visit(reference);
            });
        }
    }

    /// Replaces references to `from` by references to `to`, or removes them without `to`. Returns `false` if a field
    /// cannot exist without its reference.
    pub fn redirect(&mut self, from: ObjectId, to: Option<ObjectId>) -> bool {
        let mut remains = true;
        for value in self.values_mut() {
            remains &= value.redirect(from, to);
        }
        remains
    }

    /// Replaces the dialled number `from` by `to`.
    pub fn redial(&mut self, from: &str, to: &str) {
        self.values_mut().into_iter().for_each(|value| value.redial(from, to));
    }

    /// Visits every list of destinations in the section, with its field.
    pub fn destinations<'a>(&'a self, visit: &mut dyn FnMut(&'static FieldInfo, &'a Destinations)) {
        for (field, value) in self.fields() {
            if let Some(list) = (value as &dyn Any).downcast_ref() {
                visit(field, list);
            }
        }
    }

    /// Whether another section has the same type and the same values.
    pub fn equals(&self, other: &dyn Section) -> bool {
        std::ptr::eq(self.info(), other.info())
            && self.values().into_iter().zip(other.values()).all(|(own, other)| own.equals(other))
    }
}

impl std::fmt::Debug for dyn Section {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.info().name, self.show())
    }
}

impl SectionInfo {
    /// Builds a section from a client's input alone; fields that are left out are blank. Reports missing values and
    /// broken rules.
    pub fn build(&self, patch: &Patch, report: &mut dyn FnMut(Problem)) -> Option<Box<dyn Section>> {
        (self.make)(&mut Source::sent(self, patch, report))
    }

    /// Loads a section from its stored form.
    ///
    /// # Errors
    /// The rule that a stored value breaks.
    pub fn load(&self, cells: Vec<Cell>, tenant: TenantId) -> Result<Box<dyn Section>, Problem> {
        Source::stored(self, cells, tenant, |source| (self.make)(source))
    }

    /// Loads a section from a file that somebody may have edited by hand. Reports every broken rule.
    pub fn load_untrusted(
        &self,
        cells: Vec<Cell>,
        tenant: TenantId,
        report: &mut dyn FnMut(Problem),
    ) -> Option<Box<dyn Section>> {
        (self.make)(&mut Source::file(self, cells, tenant, report))
    }

    /// The secrets in a patch.
    pub fn secrets<'a>(&self, patch: &'a Patch) -> Vec<SentSecret<'a>> {
        let sent = |field: &FieldInfo| match (field.secret, patch.get(&field.client_name)) {
            (Some(kept), Some(Sent::Secret(secret))) => Some((kept, secret)),
            _ => None,
        };
        self.fields.iter().filter_map(sent).collect()
    }
}

/// Builds a section from a client's input alone, see [`SectionInfo::build`].
pub fn build<S: Typed>(patch: &Patch, report: &mut dyn FnMut(Problem)) -> Option<S> {
    S::make(&mut Source::sent(S::section_info(), patch, report))
}

/// Loads a section from its stored form, see [`SectionInfo::load`].
///
/// # Errors
/// The rule that a stored value breaks.
pub fn load<S: Typed>(cells: Vec<Cell>, tenant: TenantId) -> Result<S, Problem> {
    Source::stored(S::section_info(), cells, tenant, |source| S::make(source))
}

/// Loads a section from a file, see [`SectionInfo::load_untrusted`].
pub fn load_untrusted<S: Typed>(cells: Vec<Cell>, tenant: TenantId, report: &mut dyn FnMut(Problem)) -> Option<S> {
    S::make(&mut Source::file(S::section_info(), cells, tenant, report))
}

/// See the [module](self).
macro_rules! section {
    (
        $table:literal, $input:literal $(, searched: $($searched:ident),+)?;
        $(#[doc = $doc:literal])+
        pub struct $Section:ident {
            $(
                $(#[doc = $field_doc:literal])+
                pub $field:ident: $Type:ty,
            )+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq)]
        pub struct $Section {
            $(
                $(#[doc = $field_doc])+
                pub $field: $Type,
            )+
        }

        impl $crate::form::Section for $Section {
            fn info(&self) -> &'static $crate::form::SectionInfo {
                <Self as $crate::form::Typed>::section_info()
            }

            fn value(&self, index: usize) -> Option<&dyn $crate::form::FieldValue> {
                let values: [&dyn $crate::form::FieldValue; _] = [$(&self.$field),+];
                values.get(index).copied()
            }

            fn values(&self) -> Vec<&dyn $crate::form::FieldValue> {
                vec![$(&self.$field),+]
            }

            fn values_mut(&mut self) -> Vec<&mut dyn $crate::form::FieldValue> {
                vec![$(&mut self.$field),+]
            }

            fn boxed(&self) -> Box<dyn $crate::form::Section> {
                Box::new(self.clone())
            }
        }

        impl $crate::form::Typed for $Section {
            const TABLE: &'static str = $table;
            const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),+];

            fn section_info() -> &'static $crate::form::SectionInfo {
                static INFO: std::sync::LazyLock<$crate::form::SectionInfo> = std::sync::LazyLock::new(|| $crate::form::SectionInfo {
                    name: stringify!($Section),
                    input: $input,
                    doc: &[$($doc),+],
                    table: $table,
                    client_name: $crate::form::camel($table),
                    fields: vec![$($crate::form::FieldInfo::new::<$Type>(stringify!($field), &[$($field_doc),+])),+],
                    searched: &[$($(stringify!($searched)),+)?],
                    make: |source| {
                        <$Section as $crate::form::Typed>::make(source)
                            .map(|section| Box::new(section) as Box<dyn $crate::form::Section>)
                    },
                });
                &INFO
            }

            fn make(source: &mut $crate::form::Source<'_>) -> Option<Self> {
                $(let $field = source.field::<$Type>();)+
                Some(Self { $($field: $field?),+ })
            }
        }
    };
}
pub(crate) use section;
