//! How much the variables of a request may contain.

use async_graphql::{Value, Variables};

use super::limits::{Exceeded, Limit, Limits};

/// Checks the variables of a request before they are used: how many values they contain, how deeply nested and how
/// long.
///
/// # Errors
/// The first limit that they exceed.
pub fn admit_variables(variables: &Variables, limits: &Limits) -> Result<(), Exceeded> {
    let exceeded = |limit, allowed: usize, actual: usize| {
        Err(Exceeded { limit, allowed: allowed as u64, actual: actual as u64, at: None })
    };
    let mut rest: Vec<(&Value, usize)> = variables.values().map(|value| (value, 1)).collect();
    let mut count = rest.len();
    while let Some((value, depth)) = rest.pop() {
        let before = rest.len();
        match value {
            Value::List(values) => rest.extend(values.iter().map(|value| (value, depth + 1))),
            Value::Object(values) => rest.extend(values.values().map(|value| (value, depth + 1))),
            Value::String(text) if text.len() > limits.max_text => {
                return exceeded(Limit::Text, limits.max_text, text.len());
            }
            _ => continue,
        }
        if depth > limits.max_value_depth {
            return exceeded(Limit::ValueDepth, limits.max_value_depth, depth);
        }
        count += rest.len() - before;
    }
    if count > limits.max_values { exceeded(Limit::Values, limits.max_values, count) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn variables_are_counted_and_measured() {
        let variables = Variables::from_json(json!({ "a": 1, "b": [[], { "c": "dé", "e": [null] }] }));
        let outcome = |max_values, max_value_depth, max_text| {
            let limits = Limits { max_values, max_value_depth, max_text, ..Limits::default() };
            admit_variables(&variables, &limits).err().map(|e| (e.limit, e.allowed, e.actual, e.at))
        };
        assert_eq!(outcome(7, 3, 3), None);
        assert_eq!(outcome(6, 3, 3), Some((Limit::Values, 6, 7, None)));
        assert_eq!(outcome(7, 2, 3), Some((Limit::ValueDepth, 2, 3, None)));
        assert_eq!(outcome(7, 3, 2), Some((Limit::Text, 2, 3, None)));
    }
}
