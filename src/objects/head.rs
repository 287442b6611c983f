//! What an object that is not a form has besides its detail: it stands in its row of `pbx_object`.

use crate::domain::{DisplayName, ExtensionNumber, Problem, TenantId, Text, Value};
use crate::form::{Cell, Section, section};

use super::Preset;

section! {
    "pbx_object", NamedInput;
    /// What every object has.
    pub struct Named {
        /// The object's name: 1 to 80 characters without `"`, `<` and `>`.
        pub name: DisplayName<80>,
        /// A note for administrators, at most 255 characters.
        pub description: Text<255>,
        /// Whether the object is in use; on when left out.
        pub enabled: Preset<bool, 1>,
    }
}

section! {
    "pbx_object", NumberedInput;
    /// What every object that can be dialled has.
    pub struct Numbered {
        /// The number that reaches the object: 2 to 10 digits, unique in the tenant.
        pub number: Option<ExtensionNumber>,
        /// The object's name: 1 to 80 characters without `"`, `<` and `>`.
        pub name: DisplayName<80>,
        /// A note for administrators, at most 255 characters.
        pub description: Text<255>,
        /// Whether the object is in use; on when left out.
        pub enabled: Preset<bool, 1>,
    }
}

/// What an object has besides its detail: [`Named`], or [`Numbered`] for what can be dialled.
pub trait Head: Section {
    /// Back from the object's row.
    ///
    /// # Errors
    /// The rule that a stored value breaks.
    fn of_row(number: Option<&str>, name: &str, description: &str, enabled: bool) -> Result<Self, Problem>;
    /// The number that reaches the object, if it has one.
    fn number(&self) -> Option<&ExtensionNumber>;
    /// The object's name.
    fn name(&self) -> &str;
    /// A note for administrators.
    fn description(&self) -> &str;
    /// Whether the object is in use.
    fn enabled(&self) -> bool;
}

fn load<H: Section>(values: impl IntoIterator<Item = Value>) -> Result<H, Problem> {
    // No field here holds an id, so the tenant is not asked for.
    H::load(values.into_iter().map(Cell::Value).collect(), TenantId(0))
}

impl Head for Named {
    fn of_row(_: Option<&str>, name: &str, description: &str, enabled: bool) -> Result<Self, Problem> {
        load([name.into(), description.into(), enabled.into()])
    }

    fn number(&self) -> Option<&ExtensionNumber> {
        None
    }

    fn name(&self) -> &str {
        self.name.as_str()
    }

    fn description(&self) -> &str {
        self.description.as_str()
    }

    fn enabled(&self) -> bool {
        self.enabled.value()
    }
}

impl Head for Numbered {
    fn of_row(number: Option<&str>, name: &str, description: &str, enabled: bool) -> Result<Self, Problem> {
        load([number.into(), name.into(), description.into(), enabled.into()])
    }

    fn number(&self) -> Option<&ExtensionNumber> {
        self.number.as_ref()
    }

    fn name(&self) -> &str {
        self.name.as_str()
    }

    fn description(&self) -> &str {
        self.description.as_str()
    }

    fn enabled(&self) -> bool {
        self.enabled.value()
    }
}
