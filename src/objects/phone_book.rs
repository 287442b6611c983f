//! Phone books.

use super::{Detail, Named};
use crate::domain::{Code, DialNumber, DisplayName, Email, Kind, Problem};
use crate::form::{Entries, section};

section! {
    "phone_book", "PhoneBookInput";
    /// A phone book: phones show it, and the names of callers are looked up in it.
    pub struct PhoneBook {
        /// Whether it also lists the tenant's extensions, except those with `includeInPhoneBooks` off. Off by default.
        pub include_extensions: bool,
        /// Whether it also lists the tenant's short numbers. Off by default.
        pub include_short_numbers: bool,
        /// The entries in order, at most 1000.
        pub entries: Entries<PhoneBookEntry>,
    }
}

section! {
    "phone_book_entry", "PhoneBookEntryInput";
    /// One entry of a phone book.
    pub struct PhoneBookEntry {
        /// The name of the person or company: 1 to 80 characters without `"`, `<` and `>`. Required.
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
    type Common = Named;

    fn check(&self, report: &mut dyn FnMut(Problem)) {
        for (i, _) in self.entries.0.iter().enumerate().filter(|(_, entry)| entry.name.is_empty()) {
            report(Problem::new(Code::Required, "is required").under("name").under(i).under("entries"));
        }
    }
}
