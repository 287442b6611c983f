//! Values, and the types of variables.

use async_graphql::parser::types::{BaseType, Type};
use async_graphql::{Name, Positioned, Value as Constant};
use async_graphql_value::Value;
use serde_json::Number;

use super::lexer::{Kind, Token};
use super::parser::{Parser, count, unexpected};
use super::refused::RefusedDocument;
use super::strings;
use crate::graphql::limits::Limit;

impl<'a> Parser<'a, '_> {
    /// A value with `depth` lists and objects around it.
    pub(super) fn value(&mut self, depth: usize) -> Result<Positioned<Value>, RefusedDocument> {
        let token = self.take()?;
        let value = match token.kind {
            Kind::Punctuator(b'$') => Value::Variable(self.name("the name of a variable")?.node),
            Kind::Punctuator(b'[') => {
                let depth = count(Limit::ValueDepth, depth, self.limits.max_value_depth, token.pos)?;
                let mut items = Vec::new();
                self.bracketed(token, b']', |parser| {
                    items.push(parser.value(depth)?.node);
                    Ok(())
                })?;
                Value::List(items)
            }
            Kind::Punctuator(b'{') => {
                let depth = count(Limit::ValueDepth, depth, self.limits.max_value_depth, token.pos)?;
                self.object(token, depth)?
            }
            Kind::Int | Kind::Float => Value::Number(number(token)?),
            Kind::String | Kind::BlockString => Value::String(text(token)?),
            Kind::Name => match token.text {
                "true" => Value::Boolean(true),
                "false" => Value::Boolean(false),
                "null" => Value::Null,
                name => Value::Enum(Name::new(name)),
            },
            _ => return Err(unexpected("a value", token)),
        };
        Ok(Positioned::new(value, token.pos))
    }

    fn object(&mut self, open: Token<'a>, depth: usize) -> Result<Value, RefusedDocument> {
        let mut fields = Vec::new();
        self.bracketed(open, b'}', |parser| {
            let name = parser.name("the name of an input field")?;
            parser.expect(b':')?;
            let value = parser.value(depth)?.node;
            fields.push((name, value));
            Ok(())
        })?;
        let mut seen = std::collections::HashSet::with_capacity(fields.len());
        for (name, _) in &fields {
            self.check_unique("input field", name, seen.insert(name.node.clone()));
        }
        Ok(Value::Object(fields.into_iter().map(|(name, value)| (name.node, value)).collect()))
    }

    /// A value without variables.
    pub(super) fn constant(&mut self) -> Result<Positioned<Constant>, RefusedDocument> {
        let Positioned { pos, node } = self.value(0)?;
        match node.into_const() {
            Some(constant) => Ok(Positioned::new(constant, pos)),
            None => Err(RefusedDocument::syntax(
                "Syntax error: the default of a variable must not contain a variable.",
                pos,
            )),
        }
    }

    /// A type with `depth` lists around it.
    pub(super) fn ty(&mut self, depth: usize) -> Result<Positioned<Type>, RefusedDocument> {
        let token = self.peek()?;
        let base = match token.is(b'[') {
            true => {
                let depth = count(Limit::TypeDepth, depth, self.limits.max_value_depth, token.pos)?;
                self.take()?;
                let mut of = None;
                self.bracketed(token, b']', |parser| match of {
                    None => {
                        of = Some(parser.ty(depth)?.node);
                        Ok(())
                    }
                    Some(_) => Err(unexpected("\"]\"", parser.take()?)),
                })?;
                let Some(of) = of else {
                    return Err(RefusedDocument::syntax(
                        "Syntax error: these brackets are empty; a type is missing.",
                        token.pos,
                    ));
                };
                BaseType::List(Box::new(of))
            }
            false => BaseType::Named(self.name("the name of a type")?.node),
        };
        let nullable = self.take_if(b'!')?.is_none();
        Ok(Positioned::new(Type { base, nullable }, token.pos))
    }
}

/// A whole number beyond 64 bits becomes the nearest float, which no type for whole numbers accepts.
fn number(token: Token<'_>) -> Result<Number, RefusedDocument> {
    let whole = || {
        let signed = token.text.parse::<i64>().map(Number::from);
        signed.or_else(|_| token.text.parse::<u64>().map(Number::from)).ok()
    };
    let found = if token.kind == Kind::Int { whole() } else { None };
    let found = found.or_else(|| token.text.parse().ok().and_then(Number::from_f64));
    found.ok_or_else(|| RefusedDocument::syntax("This number is too large.", token.pos))
}

/// The value of a string token.
pub(super) fn text(token: Token<'_>) -> Result<String, RefusedDocument> {
    let between = |quotes: usize| token.text.get(quotes..token.text.len() - quotes).unwrap_or_default();
    if token.kind == Kind::BlockString {
        return Ok(strings::block(between(3)));
    }
    let wrong =
        |escape| RefusedDocument::syntax(format!("Syntax error: {escape} is not a valid escape sequence."), token.pos);
    strings::string(between(1)).map_err(wrong)
}
