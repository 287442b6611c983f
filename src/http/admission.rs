//! What is refused before the parser sees it: the parser goes one stack frame deeper with every bracket, so that a few
//! kilobytes of them would end the process.

use crate::graphql::{Exceeded, Limit, Limits};

/// The most brackets that may be open at the same time.
const NESTING: usize = 64;

/// Checks a query's text.
pub(super) fn admit(text: &str, limits: &Limits) -> Result<(), Exceeded> {
    if text.len() > limits.max_query {
        let (allowed, actual) = (limits.max_query as u64, text.len() as u64);
        return Err(Exceeded { limit: Limit::Query, allowed, actual, at: None });
    }
    match nesting(text) {
        depth if depth > NESTING => {
            Err(Exceeded { limit: Limit::ValueDepth, allowed: NESTING as u64, actual: depth as u64, at: None })
        }
        _ => Ok(()),
    }
}

/// How many brackets are open at the same time. Strings and comments are skipped: a closing bracket in them would hide
/// an open one.
fn nesting(text: &str) -> usize {
    let (mut open, mut deepest) = (0_usize, 0);
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = match byte {
            b'{' | b'[' | b'(' => {
                open += 1;
                deepest = deepest.max(open);
                after
            }
            b'}' | b']' | b')' => {
                open = open.saturating_sub(1);
                after
            }
            b'#' => after.iter().position(|b| matches!(b, b'\n' | b'\r')).map_or(&[], |end| &after[end..]),
            b'"' => match after.strip_prefix(b"\"\"") {
                Some(block) => behind(block, b"\"\"\""),
                None => behind(after, b"\""),
            },
            _ => after,
        };
    }
    deepest
}

/// What stands behind the end of a string; a backslash takes the meaning of the next byte.
fn behind<'a>(mut text: &'a [u8], end: &[u8]) -> &'a [u8] {
    while let [byte, after @ ..] = text {
        if let Some(rest) = text.strip_prefix(end) {
            return rest;
        }
        text = if *byte == b'\\' { after.get(1..).unwrap_or_default() } else { after };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_comments_do_not_hide_brackets() {
        for hiding in [r#"["]""#, r#"["\"]""#, r#"[""""]""""#, "[#]\n", r#"["""\"""]""""#, "[#]\r"] {
            assert_eq!(nesting(&hiding.repeat(100)), 100, "{hiding}");
        }
    }

    #[test]
    fn brackets_in_strings_are_text() {
        assert_eq!(nesting(r#"{ a(x: "[[[[", y: """((((""") # {{{{"#), 2);
    }
}
