//! Which input fields are secrets that a save hashes, as the sections describe them. A secret that is only sealed costs
//! next to nothing.

use std::collections::HashSet;

use crate::domain::SecretStorage;
use crate::form::{Form, SectionInfo};
use crate::objects::KindInfo;

/// Input types with the names of their fields that are hashed.
pub(super) type Hashed = HashSet<(String, String)>;

/// Those of a section, which stand in an input of this name.
fn of(info: &'static SectionInfo, input: String) -> impl Iterator<Item = (String, String)> {
    let fields = info.fields.iter().filter(|field| field.secret == Some(SecretStorage::Hashed));
    fields.map(move |field| (input.clone(), field.client_name.clone()))
}

/// All of them.
pub(super) fn fields() -> Hashed {
    let sections = Form::infos().iter().flat_map(|info| of(info, info.input.to_owned()));
    let details = KindInfo::all().iter().flat_map(|kind| {
        let inputs = ["Create", "Update"].map(|does| format!("{}{does}Input", kind.kind.name()));
        inputs.into_iter().flat_map(|input| of(kind.common, input.clone()).chain(of(kind.detail, input)))
    });
    sections.chain(details).collect()
}
