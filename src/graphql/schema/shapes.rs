//! The plain values of `domain` as types of the schema.

use crate::domain::{ChoiceType, ScalarType, Shape, about};
use crate::graphql::layer::{Enum, PlainType, SchemaScalar, SchemaType, enumeration, scalar};

/// The enum type of a choice.
pub fn choice_type(ty: &'static ChoiceType) -> Enum {
    enumeration(ty.name, about(ty.doc), ty.words.iter().map(|(word, doc)| (*word, about(doc))))
}

/// The scalar type of a scalar with a name of its own.
pub fn own_scalar(ty: &'static ScalarType) -> SchemaScalar {
    let plain = match ty.plain {
        Shape::Int => PlainType::Int,
        Shape::Boolean => PlainType::Boolean,
        Shape::Id => PlainType::Id,
        Shape::String | Shape::Scalar(_) | Shape::Choice(_) | Shape::List(_) => PlainType::String,
    };
    scalar(ty.name, about(ty.doc), ty.url, plain)
}

/// A shape's type as SDL writes it, without the last exclamation mark.
pub fn type_text(shape: Shape) -> String {
    match shape {
        Shape::String => "String".into(),
        Shape::Int => "Int".into(),
        Shape::Boolean => "Boolean".into(),
        Shape::Id => "ID".into(),
        Shape::Scalar(scalar) => scalar.name.into(),
        Shape::Choice(choice) => choice.name.into(),
        Shape::List(entry) => format!("[{}!]", type_text(*entry)),
    }
}

/// The type definition that a shape needs; `None` for GraphQL's own types.
pub fn definition(shape: Shape) -> Option<SchemaType> {
    match shape {
        Shape::String | Shape::Int | Shape::Boolean | Shape::Id => None,
        Shape::Scalar(scalar) => Some(own_scalar(scalar).into()),
        Shape::Choice(words) => Some(choice_type(words).into()),
        Shape::List(entry) => definition(*entry),
    }
}
