//! The input fields that are secrets which a save hashes, from the descriptions of the sections. A secret that is only
//! encrypted costs next to nothing.

use std::collections::HashSet;

use crate::domain::SecretStorage;
use crate::form::{Form, SectionInfo};
use crate::objects::KindInfo;

/// Input types with the names of their hashed fields.
pub(super) type HashedFields = HashSet<(String, String)>;

/// The hashed fields of a section, whose input type has this name.
fn hashed_fields(info: &'static SectionInfo, input: String) -> impl Iterator<Item = (String, String)> {
    let fields = info.fields.iter().filter(|field| field.secret == Some(SecretStorage::Hashed));
    fields.map(move |field| (input.clone(), field.client_name.clone()))
}

/// The hashed fields of all input types.
pub(super) fn hashed_input_fields() -> HashedFields {
    let sections = Form::infos().iter().flat_map(|info| hashed_fields(info, info.input.to_owned()));
    let details = KindInfo::all().iter().flat_map(|kind| {
        let inputs = ["Create", "Update"].map(|does| format!("{}{does}Input", kind.kind.name()));
        inputs
            .into_iter()
            .flat_map(|input| hashed_fields(kind.common, input.clone()).chain(hashed_fields(kind.detail, input)))
    });
    sections.chain(details).collect()
}
