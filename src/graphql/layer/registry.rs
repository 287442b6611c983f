//! The types of a layer in async-graphql's registry, which answers introspection and prints the SDL.

use async_graphql::registry::{
    Deprecation, EnumBuilder, InputObjectBuilder, MetaEnumValue, MetaField, MetaInputValue, MetaType, ObjectBuilder,
    Registry,
};
use indexmap::IndexMap;

use super::collection::Layer;
use super::objects::SchemaField;
use super::types::{InputValue, Text};

/// Adds all types of a layer to a registry, unless they are there.
pub fn describe(layer: &Layer, registry: &mut Registry) {
    if registry.types.contains_key(&*layer.query) {
        return;
    }
    for object in layer.objects.values() {
        for interface in &object.implements {
            registry.add_implements(&object.name, interface);
        }
        let builder = ObjectBuilder::new(&*object.name, fields(&object.fields))
            .description(about(&object.about))
            .is_subscription(object.name == layer.subscription);
        registry.types.insert(object.name.to_string(), builder.build());
    }
    for interface in layer.interfaces.values() {
        let ty = MetaType::Interface {
            name: interface.name.to_string(),
            description: about(&interface.about),
            fields: fields(&interface.fields),
            possible_types: layer.possible(&interface.name).map(|object| object.name.to_string()).collect(),
            extends: false,
            inaccessible: false,
            tags: Vec::new(),
            keys: None,
            visible: None,
            rust_typename: None,
            directive_invocations: Vec::new(),
            requires_scopes: Vec::new(),
        };
        registry.types.insert(interface.name.to_string(), ty);
    }
    for object in layer.inputs.values() {
        let builder = InputObjectBuilder::new(&*object.name, inputs(&object.fields))
            .description(about(&object.about))
            .oneof(object.one_of);
        registry.types.insert(object.name.to_string(), builder.build());
    }
    for words in layer.enums.values() {
        let value = |(word, text): &(Text, Text)| {
            (word.to_string(), MetaEnumValue { description: about(text), ..MetaEnumValue::new(&**word) })
        };
        let builder = EnumBuilder::new(&*words.name, words.values.iter().map(value).collect());
        registry.types.insert(words.name.to_string(), builder.description(about(&words.about)).build());
    }
    for scalar in layer.scalars.values() {
        let ty = MetaType::Scalar {
            name: scalar.name.to_string(),
            description: about(&scalar.about),
            is_valid: None,
            visible: None,
            inaccessible: false,
            tags: Vec::new(),
            specified_by_url: scalar.url.as_deref().map(str::to_owned),
            directive_invocations: Vec::new(),
            requires_scopes: Vec::new(),
        };
        registry.types.insert(scalar.name.to_string(), ty);
    }
}

fn about(text: &Text) -> Option<String> {
    (!text.is_empty()).then(|| text.to_string())
}

fn fields(fields: &IndexMap<Text, SchemaField>) -> IndexMap<String, MetaField> {
    let described = |field: &SchemaField| {
        let deprecation = match &field.deprecated {
            None => Deprecation::NoDeprecated,
            Some(why) => Deprecation::Deprecated { reason: Some(why.to_string()) },
        };
        let (description, args) = (about(&field.about), inputs(&field.args));
        let field = MetaField { description, args, deprecation, ..MetaField::new(&*field.name, field.ty.to_string()) };
        (field.name.clone(), field)
    };
    fields.values().map(described).collect()
}

fn inputs(inputs: &[InputValue]) -> IndexMap<String, MetaInputValue> {
    let described = |input: &InputValue| {
        let default_value = input.default.as_ref().map(ToString::to_string);
        let (description, is_secret) = (about(&input.about), input.secret);
        let plain = MetaInputValue::new(&*input.name, input.ty.to_string());
        (plain.name.clone(), MetaInputValue { description, default_value, is_secret, ..plain })
    };
    inputs.iter().map(described).collect()
}
