//! Literals, and the variables in them.

use async_graphql::parser::types::{BaseType, Type};
use async_graphql::{Name, Pos};
use async_graphql_value::Value;

use super::plain::PlainKind;
use super::suggest::did_you_mean;
use super::types::{Input, KnownType};
use super::value::{OUT_OF_RANGE, Use, ValuePlace, kind};
use super::walk::ValidationWalk;

impl PlainKind {
    /// Whether a scalar accepts a literal.
    fn takes(self, value: &Value) -> bool {
        match (self, value) {
            (PlainKind::String | PlainKind::Id, Value::String(_)) => true,
            (PlainKind::Boolean, Value::Boolean(_)) => true,
            (PlainKind::Id, Value::Number(number)) => !number.is_f64(),
            (PlainKind::Int, Value::Number(number)) => {
                number.as_i64().is_some_and(|number| i32::try_from(number).is_ok())
            }
            (PlainKind::WholeNumber, Value::Number(number)) => number.is_i64(),
            (PlainKind::Float, Value::Number(_)) => true,
            _ => false,
        }
    }
}

impl<'a> ValidationWalk<'a> {
    /// Checks a literal. `input` is the argument or input field that it is given for, unless that is unknown.
    pub(super) fn literal(&mut self, value: &'a Value, input: Option<&'a Input>, place: &ValuePlace<'_>, at: Pos) {
        match input {
            Some(input) => self.value(value, &input.ty, input.has_default, place, at),
            None => self.unknown(value, at),
        }
    }

    /// Collects the variables in a value that is given for something unknown.
    fn unknown(&mut self, value: &'a Value, at: Pos) {
        match value {
            Value::Variable(name) => {
                self.reached.uses.push(Use { name, at, wanted: None, has_default: false, one_of: None });
            }
            Value::List(items) => items.iter().for_each(|value| self.unknown(value, at)),
            Value::Object(fields) => fields.values().for_each(|value| self.unknown(value, at)),
            _ => {}
        }
    }

    pub(super) fn value(&mut self, value: &'a Value, ty: &'a Type, has_default: bool, place: &ValuePlace<'_>, at: Pos) {
        if let Value::Variable(name) = value {
            return self.reached.uses.push(Use { name, at, wanted: Some(ty), has_default, one_of: None });
        }
        match (&ty.base, value) {
            (_, Value::Null) if ty.nullable => {}
            (_, Value::Null) => self.report(place.must(ty, "not be null"), at),
            (BaseType::List(of), Value::List(items)) => {
                for (i, item) in items.iter().enumerate() {
                    self.value(item, of, false, &ValuePlace::Entry(place, i), at);
                }
            }
            // A single value stands for a list with one entry.
            (BaseType::List(of), value) => self.value(value, of, false, place, at),
            (BaseType::Named(name), value) => self.named(value, name, ty, place, at),
        }
    }

    fn named(&mut self, value: &'a Value, name: &'a str, ty: &Type, place: &ValuePlace<'_>, at: Pos) {
        let must = |rule: String| place.must(ty, &rule);
        match (self.types.get(name), value) {
            (Some(KnownType::Scalar(plain)), value) => {
                if !plain.takes(value) {
                    let is = match (plain, value) {
                        (PlainKind::Int | PlainKind::WholeNumber, Value::Number(number)) if !number.is_f64() => {
                            OUT_OF_RANGE
                        }
                        (_, value) => kind(value),
                    };
                    self.report(must(format!("be {}; it is {is}", plain.wanted())), at);
                }
            }
            (Some(KnownType::Enum(values)), Value::Enum(word)) => {
                if !values.iter().any(|known| word == known.as_str()) {
                    let like = did_you_mean(self.suggests, word, values.iter().map(String::as_str));
                    self.report(must(format!("be one of the enum's values; \"{word}\" is not")) + &like, at);
                }
            }
            (Some(KnownType::Enum(_)), value) => {
                self.report(must(format!("be a value of the enum, without quotes; it is {}", kind(value))), at);
            }
            (Some(KnownType::Input { fields, one_of }), Value::Object(given)) => {
                let before = self.reached.uses.len();
                for (key, value) in given {
                    let input = fields.iter().find(|field| key == field.name.as_str());
                    if input.is_none() {
                        let like = did_you_mean(self.suggests, key, fields.iter().map(|field| field.name.as_str()));
                        self.report(format!("Field \"{key}\" is not defined by type \"{name}\".{like}"), at);
                    }
                    self.literal(value, input, &ValuePlace::Field(place, key), at);
                }
                for Input { name: field, ty, .. } in fields.iter().filter(|field| field.is_required()) {
                    if !given.contains_key(field.as_str()) {
                        let sentence = format!("of required type \"{ty}\" was not provided");
                        self.report(format!("Field \"{name}.{field}\" {sentence} in {}.", lower(place)), at);
                    }
                }
                if *one_of {
                    let keys: Vec<&str> = given.keys().map(Name::as_str).collect();
                    match keys.as_slice() {
                        [one] if given.values().any(|value| *value == Value::Null) => {
                            self.report(ValuePlace::Field(place, one).must(&name, "not be null"), at);
                        }
                        [_] if given.values().any(|value| matches!(value, Value::Variable(_))) => {
                            if let Some(used) = self.reached.uses.get_mut(before) {
                                used.one_of = Some(name);
                            }
                        }
                        [_] => {}
                        keys => self.report(place.one_of(name, fields, keys), at),
                    }
                }
            }
            (Some(KnownType::Input { .. }), value) => {
                self.report(must(format!("be an object; it is {}", kind(value))), at);
            }
            // Not an input type, which is already reported for the variable's definition.
            (Some(KnownType::Composite(_)) | None, value) => self.unknown(value, at),
        }
    }
}

/// The place for the middle of a sentence.
fn lower(place: &ValuePlace<'_>) -> String {
    let shown = place.to_string();
    let mut characters = shown.chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}
