//! Where in a schema clients name an object or a tenant.

use serde_json::Value;

use crate::types::{Types, base, list, listed, name};

/// An argument, or a field in it, that names an object or a tenant.
#[derive(Clone, Debug)]
pub struct Place {
    /// The type that has the field.
    pub object: String,
    pub field: String,
    /// The argument and the input fields in it, each with whether it is a list.
    pub path: Vec<(String, bool)>,
}

impl Place {
    /// `Mutation.queueCreate(input.members[].extensionId)`
    pub fn name(&self) -> String {
        let step = |(name, listed): &(String, bool)| format!("{name}{}", if *listed { "[]" } else { "" });
        let path: Vec<_> = self.path.iter().map(step).collect();
        format!("{}.{}({})", self.object, self.field, path.join("."))
    }

    /// The names of argument and input fields, outermost first.
    pub fn steps(&self) -> Vec<&str> {
        self.path.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// Whether the name is that of what is read or changed as a whole, and not of something that it refers to.
    pub fn is_subject(&self) -> bool {
        match self.object.as_str() {
            "Query" => ["id", "ids", "code"].contains(&self.steps()[0]),
            "Subscription" => self.steps() == ["tenant"],
            "Mutation" => [["input", "id"], ["input", "tenant"]].iter().any(|subject| self.steps() == subject),
            _ => false,
        }
    }
}

/// Every such place. In filters within filters the walk ends at the second.
pub fn places(types: &Types) -> Vec<Place> {
    fn walk(types: &Types, place: &Place, input: &Value, within: &[&str], found: &mut Vec<Place>) {
        let named = base(&input["type"]);
        let mut place = place.clone();
        place.path.push((name(input).to_owned(), listed(&input["type"])));
        let code = name(input) == "tenant" || place.object == "Query" && name(input) == "code";
        if named == "ID" || code && named == "String" {
            found.push(place);
        } else if within.iter().filter(|outer| **outer == named).count() < 2 {
            let within = [within, &[named]].concat();
            types.inputs(named).iter().for_each(|input| walk(types, &place, input, &within, found));
        }
    }
    let mut found = Vec::new();
    for object in types.of_kind("OBJECT") {
        for field in types.fields(object) {
            let place = Place { object: object.to_owned(), field: name(field).to_owned(), path: vec![] };
            list(&field["args"]).iter().for_each(|argument| walk(types, &place, argument, &[], &mut found));
        }
    }
    found
}
