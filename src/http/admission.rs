//! What is refused before the parser sees it: the parser goes one stack frame deeper with every bracket, so that a few
//! kilobytes of them would end the process.

use async_graphql::Request;

/// The most bytes of a query's text.
const TEXT: usize = 64 * 1024;
/// The most brackets that may be open at the same time.
const NESTING: usize = 64;

/// Says in one sentence why a request is refused.
pub(super) fn admit(request: &Request) -> Result<(), String> {
    let length = request.query.len();
    if length > TEXT {
        return Err(format!("The query has {length} bytes; at most {TEXT} are allowed."));
    }
    match nesting(&request.query) {
        depth if depth > NESTING => {
            Err(format!("The query opens {depth} brackets inside each other; at most {NESTING} are allowed."))
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
    fn brackets_and_bytes_are_bounded() {
        assert!(admit(&Request::new("{ tenant { code } }")).is_ok());
        assert!(admit(&Request::new(format!("{{a(x:{}", "[".repeat(4000)))).unwrap_err().contains("4002 brackets"));
        assert!(admit(&Request::new(" ".repeat(TEXT + 1))).unwrap_err().contains("65537 bytes"));
    }

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
