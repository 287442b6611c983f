//! Coercion of a request's variables: all values are converted to their types before anything is executed (GraphQL
//! specification, section 6.1.2). The executor itself checks a variable only where it is used, which may be after a
//! write.

use async_graphql::parser::types::{
    BaseType, ExecutableDocument, OperationDefinition, Selection, SelectionSet, Type, VariableDefinition,
};
use async_graphql::{Name, Pos, ServerError, Value, Variables};
use serde_json::Number;

use super::errors::{self, Code};
use super::validation::{self, Input, KnownType, NotNull, OUT_OF_RANGE, PlainKind, Types, ValuePlace};

/// The values of an operation's variables: the value sent, or else the default. An optional variable that is left out
/// has none. Values that belong to no variable are ignored.
///
/// # Errors
/// All that is wrong with them.
pub(super) fn coerce(
    (name, operation): (Option<&str>, &OperationDefinition),
    not_null: &NotNull,
    types: &Types,
    mut sent: Variables,
) -> Result<Variables, Vec<ServerError>> {
    let (mut values, mut coercion) = (Variables::default(), Coercion { types, errors: Vec::new(), at: Pos::default() });
    for definition in &operation.variable_definitions {
        let VariableDefinition { name: own, var_type: ty, default_value: default, .. } = &definition.node;
        let (own, ty, shown) = (&own.node, &ty.node, format!("${}", own.node));
        let place = ValuePlace::Root("Variable", &shown);
        coercion.at = definition.pos;
        let value = match (sent.remove(own), default) {
            (Some(value), _) => coercion.value(value, ty, &place),
            (None, Some(default)) => default.node.clone(),
            (None, None) if ty.nullable => continue,
            (None, None) => {
                coercion.report(format!("{place} of required type \"{ty}\" was not provided."));
                continue;
            }
        };
        if value == Value::Null && not_null.contains(name, own) {
            coercion.report(place.must(ty, "not be null where it is used"));
        }
        values.insert(own.clone(), value);
    }
    if coercion.errors.is_empty() { Ok(values) } else { Err(coercion.errors) }
}

struct Coercion<'a> {
    types: &'a Types,
    errors: Vec<ServerError>,
    /// The position of the variable's definition.
    at: Pos,
}

impl Coercion<'_> {
    fn report(&mut self, sentence: String) {
        self.errors.push(errors::error(Code::Input, sentence, Some(self.at)));
    }

    fn value(&mut self, value: Value, ty: &Type, place: &ValuePlace<'_>) -> Value {
        match (&ty.base, value) {
            (_, Value::Null) => {
                if !ty.nullable {
                    self.report(place.must(ty, "not be null"));
                }
                Value::Null
            }
            (BaseType::List(of), Value::List(items)) => {
                let item = |(i, item)| self.value(item, of, &ValuePlace::Entry(place, i));
                Value::List(items.into_iter().enumerate().map(item).collect())
            }
            // A single value stands for a list with one entry.
            (BaseType::List(of), value) => Value::List(vec![self.value(value, of, place)]),
            (BaseType::Named(name), value) => match self.types.get(name) {
                Some(KnownType::Scalar(plain)) => match scalar(*plain, value) {
                    Ok(value) => value,
                    Err(kind) => self.refused(place.must(ty, &format!("be {}; it is {kind}", plain.wanted()))),
                },
                Some(KnownType::Enum(values)) => match value {
                    Value::String(word) if values.contains(&word) => Value::Enum(Name::new(word)),
                    Value::String(word) => {
                        self.refused(place.must(ty, &format!("be one of the enum's values; {word:?} is not")))
                    }
                    value => self.refused(place.must(ty, &format!("be a value of the enum; it is {}", kind(value)))),
                },
                Some(KnownType::Input { fields, one_of }) => match value {
                    Value::Object(given) => self.object(given.into_iter(), name, (fields, *one_of), place),
                    value => self.refused(place.must(ty, &format!("be an object; it is {}", kind(value)))),
                },
                // Validation has refused the document.
                Some(KnownType::Composite(_)) | None => value,
            },
        }
    }

    fn refused(&mut self, sentence: String) -> Value {
        self.report(sentence);
        Value::Null
    }

    fn object(
        &mut self,
        given: impl Iterator<Item = (Name, Value)>,
        name: &str,
        (fields, one_of): (&[Input], bool),
        place: &ValuePlace<'_>,
    ) -> Value {
        let mut values = Vec::new();
        for (key, value) in given {
            let inner = ValuePlace::Field(place, &key);
            match fields.iter().find(|field| key == field.name.as_str()) {
                Some(field) => {
                    if one_of && value == Value::Null {
                        self.report(inner.must(&field.ty, "not be null"));
                    }
                    let value = self.value(value, &field.ty, &inner);
                    values.push((key, value));
                }
                None => {
                    self.report(format!("{inner} is not a field of type \"{name}\"."));
                    values.push((key, Value::Null));
                }
            }
        }
        for Input { name: field, ty, .. } in fields.iter().filter(|field| field.is_required()) {
            if !values.iter().any(|(key, _)| key == field.as_str()) {
                self.report(format!("{} of required type \"{ty}\" was not provided.", ValuePlace::Field(place, field)));
            }
        }
        if one_of && values.len() != 1 {
            let keys: Vec<&str> = values.iter().map(|(key, _)| key.as_str()).collect();
            self.report(place.one_of(name, fields, &keys));
        }
        Value::Object(values.into_iter().collect())
    }
}

/// The kind of value that was sent.
fn kind(value: Value) -> &'static str {
    validation::kind(&value.into_value())
}

/// A scalar's value, or else the kind of value that was sent. The value itself may be a secret.
fn scalar(plain: PlainKind, value: Value) -> Result<Value, &'static str> {
    match (plain, value) {
        (PlainKind::String | PlainKind::Id, value @ Value::String(_))
        | (PlainKind::Boolean, value @ Value::Boolean(_)) => Ok(value),
        (PlainKind::Float, value @ Value::Number(_)) => Ok(value),
        (PlainKind::Id, Value::Number(number)) if !number.is_f64() => Ok(Value::String(number.to_string())),
        (PlainKind::Int | PlainKind::WholeNumber, Value::Number(number)) => match whole(&number) {
            Some(whole) if plain == PlainKind::WholeNumber || i32::try_from(whole).is_ok() => Ok(Value::from(whole)),
            Some(_) => Err(OUT_OF_RANGE),
            None => Err("a number"),
        },
        (_, value) => Err(kind(value)),
    }
}

/// A number without a fraction, however it is written: JSON has only one kind of number.
fn whole(number: &Number) -> Option<i64> {
    // 2 to the 53rd: from here on, one float stands for several whole numbers.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let of_float = || number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < EXACT);
    #[expect(clippy::cast_possible_truncation, reason = "it is whole, and smaller than the largest")]
    number.as_i64().or_else(|| of_float().map(|float| float as i64))
}

/// Removes the arguments whose variable has no value, so that the default of the argument applies (section 6.4.1). The
/// executor would use null, even for an argument whose type is not nullable.
pub(super) fn leave_out_absent(document: &mut ExecutableDocument, values: &Variables) {
    fn within(set: &mut SelectionSet, values: &Variables) {
        for item in &mut set.items {
            let inner = match &mut item.node {
                Selection::Field(field) => {
                    let field = &mut field.node;
                    field.arguments.retain(|(_, value)| match &value.node {
                        async_graphql_value::Value::Variable(name) => values.contains_key(name),
                        _ => true,
                    });
                    &mut field.selection_set
                }
                Selection::InlineFragment(fragment) => &mut fragment.node.selection_set,
                Selection::FragmentSpread(_) => continue,
            };
            within(&mut inner.node, values);
        }
    }
    use async_graphql::parser::types::DocumentOperations::{Multiple, Single};
    match &mut document.operations {
        Single(operation) => within(&mut operation.node.selection_set.node, values),
        Multiple(all) => {
            all.values_mut().for_each(|operation| within(&mut operation.node.selection_set.node, values));
        }
    }
    document.fragments.values_mut().for_each(|fragment| within(&mut fragment.node.selection_set.node, values));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graphql::described::DESCRIBED;
    use crate::graphql::limits::Limits;
    use crate::graphql::syntax;
    use serde_json::{Value as Json, json};

    fn coerced(text: &str, sent: Json) -> Result<Json, Vec<String>> {
        let types = &DESCRIBED.types;
        let document = syntax::parse(text, &Limits::default()).unwrap();
        let not_null = validation::validate(&document, types, false).unwrap();
        let (name, operation) = document.operations.iter().next().unwrap();
        let selected = (name.map(Name::as_str), &operation.node);
        let values = coerce(selected, &not_null, types, Variables::from_json(sent));
        let messages = |errors: Vec<ServerError>| errors.into_iter().map(|error| error.message).collect();
        values.map(|values| serde_json::to_value(values).unwrap()).map_err(messages)
    }

    const TEXT: &str = "query B($id: ID!, $ids: [ID!]!, $n: Int = 1, $kinds: [Kind!], $b: Boolean = true, $by: ObjectBy) {
        node(id: $id) @skip(if: $b) { id } nodes(ids: $ids) { id } tenantLint(first: $n, kinds: $kinds) { nodes { code } }
        tenant { virtualExtension(by: {number: \"108\"}) { id } x: virtualExtensions(search: \"x\") { nodes { id } } } }";

    #[test]
    fn values_are_converted_to_their_types_and_defaults_apply() {
        let text = TEXT.replace(", $by: ObjectBy", "");
        let sent = json!({ "id": 7, "ids": "x", "kinds": "QUEUE", "n": 2.0, "more": 1 });
        let values = json!({ "id": "7", "ids": ["x"], "kinds": ["QUEUE"], "n": 2, "b": true });
        assert_eq!(coerced(&text, sent), Ok(values));
        let sent = json!({ "id": "7", "ids": ["x", 8], "kinds": null, "n": null, "b": false });
        let values = json!({ "id": "7", "ids": ["x", "8"], "kinds": null, "n": null, "b": false });
        assert_eq!(coerced(&text, sent), Ok(values));
    }

    #[test]
    fn every_variable_that_is_missing_or_of_another_type_is_named() {
        let text = TEXT.replace(", $by: ObjectBy", "");
        let missing = ["id\" of required type \"ID!", "ids\" of required type \"[ID!]!"];
        let missing = missing.map(|what| format!("Variable \"${what}\" was not provided."));
        assert_eq!(coerced(&text, json!({})), Err(missing.to_vec()));
        let wrong = json!({ "id": null, "ids": ["x", null, true, 1.5], "kinds": ["NOPE", 7], "n": 2_147_483_648_u64, "b": null });
        let sentences = [
            "Variable \"$id\" of type \"ID!\" must not be null.",
            "Variable \"$ids[1]\" of type \"ID!\" must not be null.",
            "Variable \"$ids[2]\" of type \"ID!\" must be a text or a whole number; it is true or false.",
            "Variable \"$ids[3]\" of type \"ID!\" must be a text or a whole number; it is a number.",
            "Variable \"$n\" of type \"Int\" must be a whole number from -2147483648 to 2147483647; it is out of that range.",
            "Variable \"$kinds[0]\" of type \"Kind!\" must be one of the enum's values; \"NOPE\" is not.",
            "Variable \"$kinds[1]\" of type \"Kind!\" must be a value of the enum; it is a whole number.",
            "Variable \"$b\" of type \"Boolean\" must not be null where it is used.",
        ];
        assert_eq!(coerced(&text, wrong), Err(sentences.map(str::to_owned).to_vec()));
    }

    #[test]
    fn input_objects_are_checked_in_depth() {
        let text = "query($by: ObjectBy!) { tenant { virtualExtension(by: $by) { id } } }";
        assert!(coerced(text, json!({ "by": { "number": "108" } })).is_ok());
        for (by, sentence) in [
            (json!({}), "it has none"),
            (json!({ "number": "108", "id": "x" }), "it has \"number\", \"id\""),
            (json!({ "number": null }), "\"$by.number\" of type"),
            (json!({ "numbr": "108" }), "\"$by.numbr\" is not a field of type \"ObjectBy\""),
            (
                json!({ "number": 108 }),
                "\"$by.number\" of type \"ExtensionNumber\" must be a text; it is a whole number",
            ),
            (json!([]), "must be an object; it is a list"),
        ] {
            let errors = coerced(text, json!({ "by": by })).unwrap_err();
            assert!(errors[0].contains(sentence), "{by}: {errors:?}");
        }
        // A secret is not repeated.
        let text = "mutation($i: VirtualExtensionSecurityUpdateInput!) { virtualExtensionSecurityUpdate(input: $i) { changes { path } } }";
        let errors = coerced(text, json!({ "i": { "id": "x", "security": { "lockPin": 7305 } } })).unwrap_err();
        assert_eq!(
            errors,
            ["Variable \"$i.security.lockPin\" of type \"String\" must be a text; it is a whole number."]
        );
    }
}
