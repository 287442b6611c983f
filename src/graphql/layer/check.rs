//! Checks whether the types of a layer fit together.

use indexmap::IndexMap;

use super::collection::Layer;
use super::objects::{Object, Resolver, SchemaField};
use super::types::{InputValue, Text};

/// The scalars that GraphQL itself defines.
const BUILT_IN: [&str; 5] = ["Boolean", "Float", "ID", "Int", "String"];

impl Layer {
    /// Whether there is a type of this name.
    pub fn defines(&self, name: &str) -> bool {
        self.is_input_type(name) || self.objects.contains_key(name) || self.interfaces.contains_key(name)
    }

    /// Whether an argument can have this type.
    fn is_input_type(&self, name: &str) -> bool {
        self.inputs.contains_key(name) || self.is_leaf(name)
    }

    /// Whether it is a scalar or an enum.
    pub fn is_leaf(&self, name: &str) -> bool {
        BUILT_IN.contains(&name) || self.enums.contains_key(name) || self.scalars.contains_key(name)
    }

    /// What is wrong with the types, one sentence each. A test checks that there are none.
    pub fn problems(&self) -> Vec<String> {
        let mut found: Vec<_> = self.duplicates.iter().map(|name| format!("{name} is defined twice.")).collect();
        for root in [&self.query, &self.mutation, &self.subscription] {
            if !root.is_empty() && !self.objects.contains_key(root) {
                found.push(format!("The root object {root} is not defined."));
            }
        }
        for object in self.objects.values() {
            self.check_fields(&object.name, &object.fields, &mut found);
            self.check_object(object, &mut found);
        }
        for interface in self.interfaces.values() {
            self.check_fields(&interface.name, &interface.fields, &mut found);
        }
        for object in self.inputs.values() {
            self.check_inputs(&object.name, &object.fields, &mut found);
        }
        found
    }

    fn check_fields(&self, of: &str, fields: &IndexMap<Text, SchemaField>, found: &mut Vec<String>) {
        for field in fields.values() {
            let (place, ty) = (format!("{of}.{}", field.name), field.ty.name());
            if !self.is_leaf(ty) && !self.objects.contains_key(ty) && !self.interfaces.contains_key(ty) {
                found.push(format!("{place} answers {ty}, which is not an output type."));
            }
            self.check_inputs(&place, &field.args, found);
        }
    }

    fn check_inputs(&self, of: &str, inputs: &[InputValue], found: &mut Vec<String>) {
        for input in inputs {
            let ty = input.ty.name();
            if !self.is_input_type(ty) {
                found.push(format!("{of}.{} takes {ty}, which is not an input type.", input.name));
            }
        }
    }

    fn check_object(&self, object: &Object, found: &mut Vec<String>) {
        let name = &object.name;
        for field in object.fields.values() {
            let streams = matches!(field.answer, Resolver::Stream(_));
            if matches!(field.answer, Resolver::Elsewhere) || streams != (*name == self.subscription) {
                found.push(format!("{name}.{} cannot be answered there.", field.name));
            }
            if field.prepared && object.prepare.is_none() {
                found.push(format!("{name}.{} is answered from a thing that nothing makes.", field.name));
            }
        }
        for interface in &object.implements {
            let Some(interface) = self.interfaces.get(interface) else {
                found.push(format!("{name} implements {interface}, which is not an interface."));
                continue;
            };
            for field in interface.fields.values() {
                let own = object.fields.get(&field.name);
                if own.is_none_or(|own| own.ty != field.ty || own.args.len() != field.args.len()) {
                    found.push(format!("{name}.{} is not as {} has it.", field.name, interface.name));
                }
            }
        }
    }
}
