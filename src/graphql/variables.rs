//! Whether a request has a value for every variable that needs one, before anything is executed (GraphQL
//! specification, section 6.1.2). The executor itself looks at a variable only where it is used.

use async_graphql::parser::types::{BaseType, ExecutableDocument, OperationDefinition, Type};
use async_graphql::{Pos, ServerError, Value, Variables};

/// What is wrong with the variables of the operation that a request runs. Nothing, when there is no such operation.
pub(super) fn check(document: &ExecutableDocument, name: Option<&str>, variables: &Variables) -> Vec<ServerError> {
    let mut operations = document.operations.iter();
    let operation = match name {
        Some(name) => operations.find(|(own, _)| own.is_some_and(|own| own == name)),
        None => operations.next(),
    };
    operation.map(|(_, operation)| of_operation(&operation.node, variables)).unwrap_or_default()
}

fn of_operation(operation: &OperationDefinition, variables: &Variables) -> Vec<ServerError> {
    let mut errors = Vec::new();
    for definition in &operation.variable_definitions {
        let (name, wanted, pos) = (&definition.node.name.node, &definition.node.var_type.node, definition.pos);
        match variables.get(name) {
            Some(value) => of_value(value, wanted, &format!("${name}"), pos, &mut errors),
            None if wanted.nullable || definition.node.default_value.is_some() => {}
            None => {
                let sentence = format!("Variable \"${name}\" of required type \"{wanted}\" was not provided.");
                errors.push(ServerError::new(sentence, Some(pos)));
            }
        }
    }
    errors
}

fn of_value(value: &Value, wanted: &Type, place: &str, pos: Pos, errors: &mut Vec<ServerError>) {
    let mut wrong = |what: &str| {
        errors.push(ServerError::new(format!("Variable \"{place}\" of type \"{wanted}\" must {what}."), Some(pos)));
    };
    match (value, &wanted.base) {
        (Value::Null, _) if wanted.nullable => {}
        (Value::Null, _) => wrong("not be null"),
        (Value::List(items), BaseType::List(item)) => {
            for (i, value) in items.iter().enumerate() {
                of_value(value, item, &format!("{place}[{i}]"), pos, errors);
            }
        }
        // A value alone stands for a list of one.
        (value, BaseType::List(item)) => of_value(value, item, place, pos, errors),
        (value, BaseType::Named(name)) => match (name.as_str(), value) {
            ("String", Value::String(_)) | ("Boolean", Value::Boolean(_)) | ("Float", Value::Number(_)) => {}
            ("ID", Value::String(_)) => {}
            ("ID" | "Int", Value::Number(number)) if number.is_i64() => {}
            ("String", _) => wrong("be a text"),
            ("Boolean", _) => wrong("be true or false"),
            ("Float", _) => wrong("be a number"),
            ("ID", _) => wrong("be a text"),
            ("Int", _) => wrong("be a whole number"),
            // The schema's own types are checked where they are used.
            _ => {}
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_variable_that_is_missing_or_of_another_type_is_named() {
        let text = "query A { a } query B($id: ID!, $ids: [ID!]!, $n: Int = 1, $s: String, $b: Boolean! = true, $own: Pin!) { b }";
        let document = async_graphql::parser::parse_query(text).unwrap();
        let said = |name, variables| {
            let errors = check(&document, name, &Variables::from_json(variables));
            errors.into_iter().map(|error| error.message).collect::<Vec<_>>()
        };
        let fine = json!({ "id": "x", "ids": ["x", 7], "n": null, "s": "", "own": 7, "more": 1 });
        assert_eq!(said(Some("B"), fine), [""; 0]);
        assert_eq!(said(Some("B"), json!({ "id": 7, "ids": "x", "b": false, "own": "" })), [""; 0]);
        assert_eq!(said(Some("A"), json!({})), [""; 0]);
        assert_eq!(said(Some("C"), json!({})), [""; 0]);
        assert_eq!(
            said(Some("B"), json!({})),
            ["id", "ids", "own"].map(|name| {
                let wanted = match name {
                    "id" => "ID!",
                    "ids" => "[ID!]!",
                    _ => "Pin!",
                };
                format!("Variable \"${name}\" of required type \"{wanted}\" was not provided.")
            })
        );
        let wrong = json!({ "id": null, "ids": ["x", null, true], "n": 1.5, "s": 7, "b": "no", "own": {} });
        assert_eq!(
            said(Some("B"), wrong),
            [
                "Variable \"$id\" of type \"ID!\" must not be null.",
                "Variable \"$ids[1]\" of type \"ID!\" must not be null.",
                "Variable \"$ids[2]\" of type \"ID!\" must be a text.",
                "Variable \"$n\" of type \"Int\" must be a whole number.",
                "Variable \"$s\" of type \"String\" must be a text.",
                "Variable \"$b\" of type \"Boolean!\" must be true or false.",
            ]
        );
    }
}
