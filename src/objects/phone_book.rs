//! Phone books.

use super::{Detail, Named};
use crate::domain::{Code, DialNumber, DisplayName, Email, Kind, Problem};
use crate::form::{Entries, section};

section! {
    "phone_book", "PhoneBookInput";
    /// A phone book as phones and callers' names use it.
    pub struct PhoneBook {
        /// Whether the tenant's extensions are listed too, those that want to be in phone books.
        pub include_extensions: bool,
        /// Whether the tenant's short numbers are listed too.
        pub include_short_numbers: bool,
        /// The entries in order, at most 1000.
        pub entries: Entries<PhoneBookEntry>,
    }
}

section! {
    "phone_book_entry", "PhoneBookEntryInput";
    /// One entry of a phone book.
    pub struct PhoneBookEntry {
        /// Who it is: 1 to 80 characters without `"`, `<` and `>`.
        pub name: DisplayName<80>,
        /// The first number, inside or outside: 2 to 32 digits, `*` or `#` with an optional + in front.
        pub phone1: Option<DialNumber>,
        /// The second number, inside or outside: 2 to 32 digits, `*` or `#` with an optional + in front.
        pub phone2: Option<DialNumber>,
        /// The e-mail address.
        pub email: Option<Email>,
    }
}

impl Detail for PhoneBook {
    const KIND: Kind = Kind::PhoneBook;
    type Head = Named;

    fn check(&self, report: &mut dyn FnMut(Problem)) {
        for (i, _) in self.entries.0.iter().enumerate().filter(|(_, entry)| entry.name.is_empty()) {
            report(Problem::new(Code::Required, "is required").under("name").under(i).under("entries"));
        }
    }
}
