//! The schema in the form that validation needs: types, fields and arguments by name.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, FieldDefinition, InputValueDefinition, OperationType, Type, TypeDefinition, TypeKind,
    TypeSystemDefinition,
};
use async_graphql::{Positioned, ServerError};

use super::plain::PlainKind;
use crate::graphql::layer::Layer;

/// Definitions that a schema does not contain itself, see the file.
const INTROSPECTION_SDL: &str = include_str!("introspection.graphql");

/// A type of the schema.
#[derive(Debug)]
pub(in crate::graphql) enum KnownType {
    Scalar(PlainKind),
    Enum(Vec<String>),
    Input { fields: Vec<Input>, one_of: bool },
    Composite(Composite),
}

/// An argument, or a field of an input object.
#[derive(Debug)]
pub(in crate::graphql) struct Input {
    pub(in crate::graphql) name: String,
    pub(in crate::graphql) ty: Type,
    pub(in crate::graphql) has_default: bool,
}

impl Input {
    pub(in crate::graphql) fn is_required(&self) -> bool {
        !self.ty.nullable && !self.has_default
    }
}

/// A type with fields to select.
#[derive(Debug, Default)]
pub(in crate::graphql) struct Composite {
    pub(in crate::graphql) fields: HashMap<String, KnownField>,
    pub(in crate::graphql) is_object: bool,
    /// The object types that a value of the type can have.
    pub(in crate::graphql) possible: HashSet<String>,
}

#[derive(Debug)]
pub(in crate::graphql) struct KnownField {
    pub(in crate::graphql) ty: Type,
    pub(in crate::graphql) arguments: Vec<Input>,
}

#[derive(Debug)]
pub(in crate::graphql) struct Directive {
    pub(in crate::graphql) arguments: Vec<Input>,
    pub(in crate::graphql) locations: HashSet<String>,
}

/// The types and directives of a schema.
#[derive(Debug, Default)]
pub(in crate::graphql) struct Types {
    types: HashMap<String, KnownType>,
    directives: HashMap<String, Directive>,
    typename: Option<KnownField>,
}

/// The name of the root type of an operation.
pub(in crate::graphql) fn root(ty: OperationType) -> &'static str {
    match ty {
        OperationType::Query => "Query",
        OperationType::Mutation => "Mutation",
        OperationType::Subscription => "Subscription",
    }
}

/// The name of a type without its lists.
pub(in crate::graphql) fn named(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(of) => named(of),
    }
}

fn inputs(definitions: Vec<Positioned<InputValueDefinition>>) -> Vec<Input> {
    let input = |definition: Positioned<InputValueDefinition>| {
        let InputValueDefinition { name, ty, default_value, .. } = definition.node;
        Input { name: name.node.to_string(), ty: ty.node, has_default: default_value.is_some() }
    };
    definitions.into_iter().map(input).collect()
}

fn fields(definitions: Vec<Positioned<FieldDefinition>>) -> HashMap<String, KnownField> {
    let field = |definition: Positioned<FieldDefinition>| {
        let FieldDefinition { name, arguments, ty, .. } = definition.node;
        (name.node.to_string(), KnownField { ty: ty.node, arguments: inputs(arguments) })
    };
    definitions.into_iter().map(field).collect()
}

/// The definitions of a schema, followed by those of introspection.
///
/// # Errors
/// The latter cannot be parsed.
pub(in crate::graphql) fn definitions(layer: &Layer) -> Result<Vec<TypeSystemDefinition>, ServerError> {
    let mut definitions = layer.definitions();
    definitions.extend(parse_schema(INTROSPECTION_SDL)?.definitions);
    Ok(definitions)
}

impl Types {
    /// Indexes the definitions of a schema.
    pub(in crate::graphql) fn read(definitions: Vec<TypeSystemDefinition>) -> Self {
        let mut types = Self {
            typename: Type::new("String!").map(|ty| KnownField { ty, arguments: Vec::new() }),
            ..Self::default()
        };
        let mut implements: Vec<(String, String)> = Vec::new();
        for definition in definitions {
            match definition {
                TypeSystemDefinition::Type(ty) => types.add(ty.node, &mut implements),
                TypeSystemDefinition::Directive(directive) => {
                    let directive = directive.node;
                    let locations = directive.locations.iter().map(|at| location(&format!("{:?}", at.node))).collect();
                    let arguments = inputs(directive.arguments);
                    types.directives.insert(directive.name.node.to_string(), Directive { arguments, locations });
                }
                TypeSystemDefinition::Schema(_) => {}
            }
        }
        for (object, interface) in implements {
            if let Some(KnownType::Composite(interface)) = types.types.get_mut(&interface) {
                interface.possible.insert(object);
            }
        }
        types
    }

    fn add(&mut self, ty: TypeDefinition, implements: &mut Vec<(String, String)>) {
        let (name, directives) = (ty.name.node.to_string(), ty.directives);
        let definition = match ty.kind {
            TypeKind::Scalar => KnownType::Scalar(PlainKind::for_scalar(&name)),
            TypeKind::Enum(of) => {
                KnownType::Enum(of.values.into_iter().map(|value| value.node.value.node.to_string()).collect())
            }
            TypeKind::InputObject(of) => {
                let one_of = directives.iter().any(|directive| directive.node.name.node == "oneOf");
                KnownType::Input { fields: inputs(of.fields), one_of }
            }
            TypeKind::Object(of) => {
                implements.extend(of.implements.iter().map(|of| (name.clone(), of.node.to_string())));
                let possible = HashSet::from([name.clone()]);
                KnownType::Composite(Composite { fields: fields(of.fields), is_object: true, possible })
            }
            TypeKind::Interface(of) => {
                let (fields, possible) = (fields(of.fields), HashSet::new());
                KnownType::Composite(Composite { fields, is_object: false, possible })
            }
            TypeKind::Union(of) => {
                let possible = of.members.iter().map(|member| member.node.to_string()).collect();
                KnownType::Composite(Composite { fields: HashMap::new(), is_object: false, possible })
            }
        };
        match (self.types.get_mut(&name), definition) {
            // `__schema` and `__type`.
            (Some(KnownType::Composite(known)), KnownType::Composite(more)) => known.fields.extend(more.fields),
            (_, definition) => drop(self.types.insert(name, definition)),
        }
    }

    /// A type by its name.
    pub(in crate::graphql) fn get(&self, name: &str) -> Option<&KnownType> {
        self.types.get(name)
    }

    /// A type with fields, by its name.
    pub(in crate::graphql) fn composite(&self, name: &str) -> Option<&Composite> {
        match self.get(name)? {
            KnownType::Composite(composite) => Some(composite),
            KnownType::Scalar(_) | KnownType::Enum(_) | KnownType::Input { .. } => None,
        }
    }

    /// A field of a type; every type has `__typename`.
    pub(in crate::graphql) fn field<'a>(&'a self, on: &'a Composite, name: &str) -> Option<&'a KnownField> {
        on.fields.get(name).or(self.typename.as_ref().filter(|_| name == "__typename"))
    }

    /// A directive by its name.
    pub(in crate::graphql) fn directive(&self, name: &str) -> Option<&Directive> {
        self.directives.get(name)
    }

    /// The names of all types, and of all directives.
    pub(in crate::graphql) fn names(&self) -> (impl Iterator<Item = &str>, impl Iterator<Item = &str>) {
        (self.types.keys().map(String::as_str), self.directives.keys().map(String::as_str))
    }
}

/// Converts `FieldDefinition` to the specification's form, `FIELD_DEFINITION`.
fn location(name: &str) -> String {
    let mut written = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !written.is_empty() {
            written.push('_');
        }
        written.extend(character.to_uppercase());
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graphql::described::{DESCRIBED, sdl};
    use crate::graphql::layer::LayerSource as _;
    use crate::graphql::schema::Vext;

    /// What validation knows of the schema, as sorted lines.
    fn summary(definitions: Vec<TypeSystemDefinition>) -> Vec<String> {
        let mut lines = Vec::new();
        let inputs = |list: &[Input]| {
            list.iter().map(|i| format!("{}: {}, {}", i.name, i.ty, i.has_default)).collect::<Vec<_>>()
        };
        for (name, definition) in Types::read(definitions).types {
            match definition {
                KnownType::Composite(of) => {
                    let mut possible: Vec<_> = of.possible.into_iter().collect();
                    possible.sort();
                    lines.push(format!("{name} {} {possible:?}", of.is_object));
                    let field = |(field, of): (&String, &KnownField)| {
                        format!("{name}.{field}{:?}: {}", inputs(&of.arguments), of.ty)
                    };
                    lines.extend(of.fields.iter().map(field));
                }
                KnownType::Input { fields, one_of } => lines.push(format!("{name} {one_of} {:?}", inputs(&fields))),
                other => lines.push(format!("{name} {other:?}")),
            }
        }
        lines.sort();
        lines
    }

    #[test]
    fn the_schema_equals_its_printed_text() {
        let own = Vext::layer().definitions();
        let sdl = sdl();
        let read = parse_schema(&sdl).unwrap().definitions;
        let (own, read) = (summary(own), summary(read));
        assert!(own.len() > 1000 && own == read, "{:?}", own.iter().zip(&read).find(|(own, read)| own != read));
        for line in sdl.lines().filter(|line| line.starts_with("directive ")) {
            assert!(INTROSPECTION_SDL.contains(line), "{line}");
        }
    }

    #[test]
    fn interfaces_know_their_objects_and_locations_have_the_form_of_documents() {
        let types = &DESCRIBED.types;
        let node = types.composite("Node").unwrap();
        assert!(!node.is_object && node.possible.contains("Queue") && node.possible.len() > 20);
        assert!(types.directive("skip").unwrap().locations.contains("FRAGMENT_SPREAD"));
        assert!(types.composite("Query").unwrap().fields.contains_key("__type"));
    }
}
