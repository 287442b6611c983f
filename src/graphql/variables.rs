//! The variables of a document and the values that a request has for them.

use std::collections::HashSet;
use std::sync::LazyLock;

use async_graphql::parser::types::{BaseType, ExecutableDocument, OperationDefinition, Type};
use async_graphql::{Pos, ServerError, Value, Variables};

/// The names of the types that a variable can have.
static INPUTS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let built_in = ["Boolean", "Float", "ID", "Int", "String"].map(str::to_owned);
    let sdl = super::sdl();
    let name = |line: &str| {
        let (kind, rest) = line.split_once(' ')?;
        matches!(kind, "enum" | "input" | "scalar").then(|| rest.split(' ').next().map(str::to_owned))?
    };
    sdl.lines().filter_map(name).chain(built_in).collect()
});

/// Checks that every variable of a document is of an input type. This comes before async-graphql's validation, which
/// panics over the default value of a variable whose type is a list of something unknown (`$x: [Nope] = [1]`,
/// 8.0.0-rc.5).
pub(super) fn check_types(document: &ExecutableDocument) -> Result<(), ServerError> {
    let operations = document.operations.iter();
    for variable in operations.flat_map(|(_, operation)| &operation.node.variable_definitions) {
        let mut base = &variable.node.var_type.node.base;
        while let BaseType::List(inner) = base {
            base = &inner.base;
        }
        let BaseType::Named(name) = base else { continue };
        let (name, of) = (name.as_str(), variable.node.name.node.as_str());
        if !INPUTS.contains(name) {
            let sentence = format!("The type {name:?} of the variable {of:?} is no input type.");
            return Err(ServerError::new(sentence, Some(variable.pos)));
        }
    }
    Ok(())
}

/// What is wrong with the values for the operation that a request runs, before anything is executed (GraphQL
/// specification, section 6.1.2): the executor itself looks at a variable only where it is used. Nothing, when there is
/// no such operation.
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

    #[test]
    fn a_variable_has_an_input_type_of_the_schema() {
        let outcome = |types: &str| {
            check_types(&async_graphql::parser::parse_query(format!("query({types}) {{ a }}")).unwrap())
                .map_err(|e| e.message)
        };
        assert_eq!(outcome("$a: Int $b: [[ObjectBy!]]! $c: Kind = QUEUE $d: PhoneNumber $e: ID"), Ok(()));
        for name in ["Nope", "Tenant", "Node", "code"] {
            let sentence = format!("The type {name:?} of the variable \"b\" is no input type.");
            assert_eq!(outcome(&format!("$a: Int $b: [[{name}!]!] = [[1]]")), Err(sentence));
        }
    }
}
