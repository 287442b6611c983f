//! Reads JSON as if a client had sent it, for sources other than GraphQL: demo data, the command line and tests.

use serde_json::Value as Json;

use super::{FieldShape, Form, SectionInfo};
use crate::domain::{Patch, SecretText, Sent};

impl SectionInfo {
    /// Reads the input for a section.
    ///
    /// # Errors
    /// The name of a field that the section does not have.
    pub fn read(&self, json: &Json) -> Result<Patch, String> {
        let Json::Object(fields) = json else { return Err(json.to_string()) };
        let field = |(name, json): (&String, &Json)| {
            let field = self.fields.iter().find(|field| field.client_name == *name).ok_or_else(|| name.clone())?;
            let sent = match (json, field.shape) {
                (Json::String(text), _) if field.secret.is_some() => SecretText::new(text.as_str()).into(),
                (Json::Array(list), FieldShape::Entries(info)) => {
                    let entry = |json| info().read(json).map(Sent::Object);
                    Sent::List(list.iter().map(entry).collect::<Result<_, _>>()?)
                }
                (json, _) => plain(json),
            };
            Ok((name.clone(), sent))
        };
        fields.iter().map(field).collect::<Result<_, _>>().map(Patch)
    }
}

impl Form {
    /// Reads the input for a form.
    ///
    /// # Errors
    /// The name of a section or field that does not exist.
    pub fn read(json: &Json) -> Result<Patch, String> {
        let Json::Object(sections) = json else { return Err(json.to_string()) };
        let section = |(name, json): (&String, &Json)| {
            let known = Self::infos().iter().find(|known| known.client_name == *name).ok_or_else(|| name.clone())?;
            Ok((name.clone(), Sent::Object(known.read(json)?)))
        };
        sections.iter().map(section).collect::<Result<_, _>>().map(Patch)
    }
}

fn plain(json: &Json) -> Sent {
    match json {
        Json::Null => Sent::Null,
        Json::Bool(b) => (*b).into(),
        // No field is a fraction, so a fraction is passed on as text and refused.
        Json::Number(n) => n.as_i64().map_or_else(|| n.to_string().into(), Sent::from),
        Json::String(text) => text.as_str().into(),
        Json::Array(list) => Sent::List(list.iter().map(plain).collect()),
        Json::Object(fields) => fields.iter().map(|(name, json)| (name.clone(), plain(json))).collect::<Patch>().into(),
    }
}
