//! What is refused before the parser sees it. The parser and the validation behind it go stack frames deeper with every
//! bracket and visit a fragment again at every spread, so that a few kilobytes could end the process or keep it busy
//! for seconds. One pass over the text, which neither recurs nor goes back, counts what they would meet; why it is our
//! own: `docs/decisions/0015-admission.md`.

mod expand;
mod lexer;
#[cfg(test)]
mod properties;
mod scan;
#[cfg(test)]
mod tests;

use async_graphql::{Pos, ServerError, Value, Variables};

use super::refusal::Refusal;
use crate::graphql::{Exceeded, Limit, Limits};

/// Why a text does not reach the parser.
#[derive(Debug)]
pub enum Refused {
    /// It passes a limit.
    Limit(Exceeded),
    /// No GraphQL document reads like this, or it would be read differently by different parsers.
    Grammar(ServerError),
}

impl Refused {
    /// The error that the client gets.
    pub fn error(self) -> ServerError {
        match self {
            Refused::Limit(exceeded) => exceeded.error(),
            Refused::Grammar(error) => error,
        }
    }
}

impl From<Exceeded> for Refused {
    fn from(exceeded: Exceeded) -> Self {
        Refused::Limit(exceeded)
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        Refusal::of_document(vec![refused.error()])
    }
}

/// Checks a query's text. What passes can be parsed and validated in bounded time and stack.
///
/// # Errors
/// The first limit that it passes, or what no document has.
pub fn admit(text: &str, limits: &Limits) -> Result<(), Refused> {
    if text.len() > limits.max_query {
        return Err(exceeded(Limit::Query, limits.max_query, text.len(), None).into());
    }
    expand::check(&scan::scan(text, limits)?, text, limits)
}

/// Checks the variables of a request: how many values they hold, how deep, and how long.
pub(super) fn admit_variables(variables: &Variables, limits: &Limits) -> Result<(), Refused> {
    let mut rest: Vec<(&Value, usize)> = variables.values().map(|value| (value, 1)).collect();
    let mut count = rest.len();
    while let Some((value, depth)) = rest.pop() {
        let before = rest.len();
        match value {
            Value::List(values) => rest.extend(values.iter().map(|value| (value, depth + 1))),
            Value::Object(values) => rest.extend(values.values().map(|value| (value, depth + 1))),
            Value::String(text) if text.len() > limits.max_text => {
                return Err(exceeded(Limit::Text, limits.max_text, text.len(), None).into());
            }
            _ => continue,
        }
        if depth > limits.max_value_depth {
            return Err(exceeded(Limit::ValueDepth, limits.max_value_depth, depth, None).into());
        }
        count += rest.len() - before;
    }
    match count > limits.max_values {
        true => Err(exceeded(Limit::Values, limits.max_values, count, None).into()),
        false => Ok(()),
    }
}

fn exceeded(limit: Limit, allowed: usize, actual: usize, at: Option<Pos>) -> Exceeded {
    Exceeded { limit, allowed: allowed as u64, actual: actual as u64, at }
}

/// Where a byte of a text is, as the parser counts lines and columns.
fn place(text: &str, at: usize) -> Pos {
    let before = text.get(..at).unwrap_or(text);
    let line = 1 + before.matches('\n').count();
    let column = 1 + before.rsplit(['\n', '\r']).next().unwrap_or_default().chars().count();
    Pos { line, column }
}
