//! The types of variables, checked before async-graphql's validation: that one panics over the default value of a
//! variable whose type is a list of something unknown (`$x: [Nope] = [1]`, 8.0.0-rc.5).

use std::collections::HashSet;
use std::sync::LazyLock;

use async_graphql::ServerError;
use async_graphql::parser::types::{BaseType, ExecutableDocument};

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

/// Checks that every variable of a document is of an input type.
pub(super) fn check(document: &ExecutableDocument) -> Result<(), ServerError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_has_an_input_type_of_the_schema() {
        let outcome = |types: &str| {
            check(&async_graphql::parser::parse_query(format!("query({types}) {{ a }}")).unwrap())
                .map_err(|e| e.message)
        };
        assert_eq!(outcome("$a: Int $b: [[ObjectBy!]]! $c: Kind = QUEUE $d: PhoneNumber $e: ID"), Ok(()));
        for name in ["Nope", "Tenant", "Node", "code"] {
            let sentence = format!("The type {name:?} of the variable \"b\" is no input type.");
            assert_eq!(outcome(&format!("$a: Int $b: [[{name}!]!] = [[1]]")), Err(sentence));
        }
    }
}
