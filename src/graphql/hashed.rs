//! Which input fields are secrets that a save hashes, as the sections describe them. A secret that is only sealed costs
//! next to nothing.

use std::collections::HashSet;

use async_graphql::InputType;

use super::edit::{ObjectCreateInput, ObjectUpdateInput};
use crate::domain::Kept;
use crate::form::{self, Section, camel, each_section};
use crate::objects::{self, Detail, each_detail};

/// Input types with the names of their fields that are hashed.
pub(super) type Hashed = HashSet<(String, String)>;

/// Adds those of a section, which stand in an input of this name.
fn add<S: Section>(hashed: &mut Hashed, input: &str) {
    let fields = S::describe().into_iter().filter(|field| field.secret == Some(Kept::Hashed));
    hashed.extend(fields.map(|field| (input.to_owned(), camel(field.name))));
}

macro_rules! sections {
    ($($name:ident: $Section:ident / $Patch:ident / $Update:ident / $update:ident,)+) => {
        fn of_sections(hashed: &mut Hashed) {
            $(add::<form::$Section>(hashed, &<form::$Patch as InputType>::type_name());)+
        }
    };
}
each_section!(sections);

macro_rules! details {
    ($($Kind:ident / $field:ident $(/ $name:ident)*,)+) => {
        fn of_details(hashed: &mut Hashed) {
            $(
                let create = <ObjectCreateInput<objects::$Kind> as InputType>::type_name();
                let update = <ObjectUpdateInput<objects::$Kind> as InputType>::type_name();
                for input in [create, update] {
                    add::<<objects::$Kind as Detail>::Head>(hashed, &input);
                    add::<objects::$Kind>(hashed, &input);
                }
            )+
        }
    };
}
each_detail!(details);

/// All of them.
pub(super) fn fields() -> Hashed {
    let mut hashed = Hashed::new();
    of_sections(&mut hashed);
    of_details(&mut hashed);
    hashed
}
