//! Note: classification and free text.

use super::rules::Rules;
use super::section::section;
use crate::domain::{LongText, ReferenceId, Text};

section! {
    "note", "NoteInput", searched: branch, department, reference_id;
    /// Branch, department, the key in another system and free notes.
    pub struct Note {
        /// The branch that the extension belongs to: text of at most 80 characters, found by `search` and by filters.
        pub branch: Text<80>,
        /// The department that the extension belongs to: text of at most 80 characters, found by `search` and by
        /// filters.
        pub department: Text<80>,
        /// The extension's key in another system such as a CRM: at most 64 characters, found by `search` and by
        /// filters. Clones start without one.
        pub reference_id: ReferenceId,
        /// Free notes of at most 4000 characters; line breaks are allowed.
        pub additional_info: LongText<4000>,
    }
}

impl Rules for Note {
    fn copied(self) -> Self {
        Self { reference_id: ReferenceId::default(), ..self }
    }
}
