//! What an object that is not a form has besides its detail: it stands in its row of `pbx_object`.

use crate::domain::{DisplayName, ExtensionNumber, Text};
use crate::form::{Section, section};

use super::Preset;

section! {
    "pbx_object", "NamedInput";
    /// The fields that every object has.
    pub struct Named {
        /// The name that people see in lists and messages: 1 to 80 characters without `"`, `<` and `>`. Required.
        pub name: DisplayName<80>,
        /// A note for administrators, at most 255 characters.
        pub description: Text<255>,
        /// Whether the object is in use. On by default; references to an object that is off cause a warning.
        pub enabled: Preset<bool, 1>,
    }
}

section! {
    "pbx_object", "NumberedInput";
    /// The fields that every object with a number has.
    pub struct Numbered {
        /// The number that others dial to reach the object: 2 to 10 digits, unique in the tenant. Required, except for
        /// flows, voice menus and voicemail boxes.
        pub number: Option<ExtensionNumber>,
        /// The name that people see in lists and messages: 1 to 80 characters without `"`, `<` and `>`. Required.
        pub name: DisplayName<80>,
        /// A note for administrators, at most 255 characters.
        pub description: Text<255>,
        /// Whether the object is in use. On by default; references to an object that is off cause a warning.
        pub enabled: Preset<bool, 1>,
    }
}

/// What an object has besides its detail: [`Named`], or [`Numbered`] for what can be dialled.
pub trait Head: Section {
    /// The number that reaches the object, if it has one.
    fn number(&self) -> Option<&ExtensionNumber>;
    /// The object's name.
    fn name(&self) -> &str;
    /// A note for administrators.
    fn description(&self) -> &str;
    /// Whether the object is in use.
    fn enabled(&self) -> bool;
    /// A copy of it.
    fn copy(&self) -> Box<dyn Head>;
}

impl Head for Named {
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

    fn copy(&self) -> Box<dyn Head> {
        Box::new(self.clone())
    }
}

impl Head for Numbered {
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

    fn copy(&self) -> Box<dyn Head> {
        Box::new(self.clone())
    }
}
