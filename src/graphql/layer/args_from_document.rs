//! Building [`Args`] from a document and its variables.

use async_graphql::parser::types::Field;
use async_graphql::{Context, Name, Result, Value};
use async_graphql_value::Value as Written;

use super::args::{Args, Argument, Variables, wrong_type};
use super::collection::Layer;
use super::types::{InputValue, PlainType, TypeRef};
use crate::domain::{Patch, SecretText, Sent};

impl Args {
    /// The arguments of a field of the document.
    ///
    /// # Errors
    /// A value does not fit its type although validation has passed: a bug.
    pub(super) fn from_field(
        layer: &Layer,
        inputs: &[InputValue],
        asked: &Field,
        context: &Context<'_>,
    ) -> Result<Self> {
        Self::from_document(layer, inputs, &asked.arguments, &|name| variable(name, context))
    }

    /// The arguments in a document, with the values of `variables` filled in.
    ///
    /// # Errors
    /// As [`Args::from_field`].
    pub fn from_document(
        layer: &Layer,
        inputs: &[InputValue],
        arguments: &[Argument],
        variables: &Variables<'_>,
    ) -> Result<Self> {
        let mut read = Vec::new();
        for input in inputs {
            let argument = arguments.iter().find(|(name, _)| name.node == *input.name);
            let value = argument.and_then(|(_, value)| with_variables(&value.node, variables));
            if let Some(value) = value.or_else(|| input.default.clone()) {
                read.push((input.name.clone().into_owned(), sent(layer, &input.ty, input.secret, value)?));
            }
        }
        Ok(Self(Patch(read)))
    }
}

/// A value with its variables filled in; `None` for a variable without a value.
fn with_variables(value: &Written, variables: &Variables<'_>) -> Option<Value> {
    Some(match value {
        Written::Variable(name) => return variables(name),
        Written::Null => Value::Null,
        Written::Number(number) => Value::Number(number.clone()),
        Written::String(text) => Value::String(text.clone()),
        Written::Boolean(b) => Value::Boolean(*b),
        Written::Binary(bytes) => Value::Binary(bytes.clone()),
        Written::Enum(word) => Value::Enum(word.clone()),
        // A list entry cannot be left out.
        Written::List(list) => list.iter().map(|entry| with_variables(entry, variables).unwrap_or_default()).collect(),
        Written::Object(fields) => {
            let field = |(name, value): (&Name, &Written)| Some((name.clone(), with_variables(value, variables)?));
            Value::Object(fields.iter().filter_map(field).collect())
        }
    })
}

fn variable(name: &Name, context: &Context<'_>) -> Option<Value> {
    let given = context.query_env.variables.get(name);
    given.cloned().or_else(|| {
        let mut defined = context.query_env.operation.node.variable_definitions.iter();
        let default = defined.find(|definition| definition.node.name.node == *name)?.node.default_value.as_ref();
        default.map(|value| value.node.clone())
    })
}

/// Converts a value of a type to plain data.
fn sent(layer: &Layer, ty: &TypeRef, secret: bool, value: Value) -> Result<Sent> {
    match (ty.inner(), value) {
        (_, Value::Null) => Ok(Sent::Null),
        (Some(entry), Value::List(list)) => {
            list.into_iter().map(|value| sent(layer, entry, secret, value)).collect::<Result<_>>().map(Sent::List)
        }
        // A single value stands for a list with one entry.
        (Some(entry), value) => Ok(Sent::List(vec![sent(layer, entry, secret, value)?])),
        (None, value) => named(layer, ty.name(), secret, value),
    }
}

fn named(layer: &Layer, name: &str, secret: bool, value: Value) -> Result<Sent> {
    if let Some(object) = layer.inputs.get(name) {
        let Value::Object(mut given) = value else { return Err(wrong_type(name)) };
        let mut fields = Vec::new();
        for input in &object.fields {
            if let Some(value) = given.swap_remove(&*input.name).or_else(|| input.default.clone()) {
                fields.push((input.name.clone().into_owned(), sent(layer, &input.ty, input.secret, value)?));
            }
        }
        return Ok(Sent::Object(Patch(fields)));
    }
    let plain = match name {
        _ if layer.enums.contains_key(name) => PlainType::String,
        "ID" => PlainType::Id,
        "String" => PlainType::String,
        "Int" => PlainType::Int,
        "Boolean" => PlainType::Boolean,
        _ => layer.scalars.get(name).ok_or_else(|| wrong_type(name))?.plain,
    };
    any(value).filter(|sent| fits(plain, sent)).map(|sent| take(plain, secret, sent)).ok_or_else(|| wrong_type(name))
}

/// Converts a value of any type to plain data.
fn any(value: Value) -> Option<Sent> {
    Some(match value {
        Value::Null => Sent::Null,
        Value::Boolean(b) => Sent::Bool(b),
        Value::Number(number) => Sent::Int(number.as_i64()?),
        Value::String(text) => Sent::Text(text),
        Value::Enum(word) => Sent::Text(word.as_str().to_owned()),
        Value::List(list) => Sent::List(list.into_iter().map(any).collect::<Option<_>>()?),
        Value::Object(fields) => {
            let field = |(name, value): (Name, Value)| Some((name.as_str().to_owned(), any(value)?));
            Sent::Object(Patch(fields.into_iter().map(field).collect::<Option<_>>()?))
        }
        Value::Binary(_) => return None,
    })
}

fn fits(plain: PlainType, sent: &Sent) -> bool {
    match plain {
        PlainType::String => matches!(sent, Sent::Text(_)),
        PlainType::Int => matches!(sent, Sent::Int(_)),
        PlainType::Id => matches!(sent, Sent::Text(_) | Sent::Int(_)),
        PlainType::Boolean => matches!(sent, Sent::Bool(_)),
        PlainType::Any => true,
    }
}

fn take(plain: PlainType, secret: bool, sent: Sent) -> Sent {
    match sent {
        Sent::Int(n) if plain == PlainType::Id => Sent::Text(n.to_string()),
        Sent::Text(text) if secret => Sent::Secret(SecretText::new(text)),
        sent => sent,
    }
}
