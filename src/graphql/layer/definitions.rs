//! The types of a layer in the form in which a parser would read them from its SDL, without printing and parsing it.

use async_graphql::parser::types::{
    ConstDirective, EnumType, EnumValueDefinition, FieldDefinition, InputObjectType, InputValueDefinition,
    InterfaceType, ObjectType, Type, TypeDefinition, TypeKind, TypeSystemDefinition,
};
use async_graphql::{Name, Pos, Positioned};
use indexmap::IndexMap;

use super::collection::Layer;
use super::objects::SchemaField;
use super::types::{InputValue, Text, TypeRef};

/// A node without a position: there is no text.
fn positioned<T>(node: T) -> Positioned<T> {
    Positioned::new(node, Pos::default())
}

fn name(text: &str) -> Positioned<Name> {
    positioned(Name::new(text))
}

/// The type in the parser's form. `None` for a malformed type, which [`Layer::problems`] reports.
fn ty(ty: &TypeRef) -> Option<Positioned<Type>> {
    Type::new(&ty.to_string()).map(positioned)
}

fn inputs(inputs: &[InputValue]) -> Vec<Positioned<InputValueDefinition>> {
    let input = |input: &InputValue| {
        let default_value = input.default.clone().map(positioned);
        let (description, directives) = (None, Vec::new());
        Some(positioned(InputValueDefinition {
            description,
            name: name(&input.name),
            ty: ty(&input.ty)?,
            default_value,
            directives,
        }))
    };
    inputs.iter().filter_map(input).collect()
}

fn fields(fields: &IndexMap<Text, SchemaField>) -> Vec<Positioned<FieldDefinition>> {
    let field = |field: &SchemaField| {
        let (description, directives) = (None, Vec::new());
        let (name, arguments) = (name(&field.name), inputs(&field.args));
        Some(positioned(FieldDefinition { description, name, arguments, ty: ty(&field.ty)?, directives }))
    };
    fields.values().filter_map(field).collect()
}

impl Layer {
    /// The definitions of all types, without their descriptions.
    pub fn definitions(&self) -> Vec<TypeSystemDefinition> {
        let objects = self.objects.values().map(|object| {
            let implements = object.implements.iter().map(|interface| name(interface)).collect();
            (&object.name, TypeKind::Object(ObjectType { implements, fields: fields(&object.fields) }), false)
        });
        let interfaces = self.interfaces.values().map(|interface| {
            let kind = InterfaceType { implements: Vec::new(), fields: fields(&interface.fields) };
            (&interface.name, TypeKind::Interface(kind), false)
        });
        let given = self.inputs.values().map(|object| {
            let kind = InputObjectType { fields: inputs(&object.fields) };
            (&object.name, TypeKind::InputObject(kind), object.one_of)
        });
        let enums = self.enums.values().map(|words| {
            let value = |(word, _): &(Text, Text)| {
                positioned(EnumValueDefinition { description: None, value: name(word), directives: Vec::new() })
            };
            (&words.name, TypeKind::Enum(EnumType { values: words.values.iter().map(value).collect() }), false)
        });
        let scalars = self.scalars.values().map(|scalar| (&scalar.name, TypeKind::Scalar, false));
        let all = objects.chain(interfaces).chain(given).chain(enums).chain(scalars);
        let definition = |(own, kind, one_of): (&Text, TypeKind, bool)| {
            let one_of = one_of.then(|| positioned(ConstDirective { name: name("oneOf"), arguments: Vec::new() }));
            let directives = one_of.into_iter().collect();
            let (extend, description) = (false, None);
            TypeSystemDefinition::Type(positioned(TypeDefinition {
                extend,
                description,
                name: name(own),
                directives,
                kind,
            }))
        };
        all.map(definition).collect()
    }
}
