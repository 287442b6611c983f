//! The fields that objects of all kinds have in common. They are stored in the object's row in `pbx_object`.

use crate::domain::{DisplayName, ExtensionNumber, Text};
use crate::form::{Section, section};

use super::WithDefault;

section! {
    "pbx_object", "NamedInput";
    /// The fields that every object has.
    pub struct Named {
        /// The name that people see in lists and messages: 1 to 80 characters without `"`, `<` and `>`. Required.
        pub name: DisplayName<80>,
        /// A note for administrators, at most 255 characters.
        pub description: Text<255>,
        /// Whether the object is in use. On by default; references to an object that is off cause a warning.
        pub enabled: WithDefault<bool, 1>,
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
        pub enabled: WithDefault<bool, 1>,
    }
}

/// The common fields of an object: [`Named`], or [`Numbered`] for objects that can be dialled.
pub trait CommonFields: Section {
    /// The number that reaches the object, if it has one.
    fn number(&self) -> Option<&ExtensionNumber>;
    /// The object's name.
    fn name(&self) -> &str;
    /// A note for administrators.
    fn description(&self) -> &str;
    /// Whether the object is in use.
    fn enabled(&self) -> bool;
    /// A boxed copy.
    fn copy(&self) -> Box<dyn CommonFields>;
}

impl CommonFields for Named {
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

    fn copy(&self) -> Box<dyn CommonFields> {
        Box::new(self.clone())
    }
}

impl CommonFields for Numbered {
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

    fn copy(&self) -> Box<dyn CommonFields> {
        Box::new(self.clone())
    }
}
