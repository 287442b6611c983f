//! The tokens of a query's text, as the grammar of async-graphql's parser cuts them: what is counted here is what is
//! parsed there. After the GraphQL specification, October 2021, section 2.1.

/// A token: nothing of what the grammar ignores.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Token<'a> {
    pub kind: Kind,
    /// As it stands in the text.
    pub text: &'a str,
    /// The byte that it begins at.
    pub at: usize,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// One of `! $ & ( ) : = @ [ ] { | }`.
    Punctuator(u8),
    /// `...`
    Spread,
    Name,
    Number,
    String,
    /// `"""` with no end. async-graphql's parser takes it for `""` and a quote, for which it looks through the whole
    /// rest of the text each time; the specification has no such token.
    Unterminated,
}

impl Token<'_> {
    pub(super) fn is(&self, punctuator: u8) -> bool {
        self.kind == Kind::Punctuator(punctuator)
    }
}

/// Ends with the text, or where no token can begin, which is as far as any parser gets.
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// Passes over white space, line ends, commas, byte order marks and comments.
    fn ignore(&mut self) {
        loop {
            self.at += match self.rest() {
                [b' ' | b'\t' | b'\n' | b'\r' | b',', ..] => 1,
                [0xEF, 0xBB, 0xBF, ..] => 3,
                [b'#', comment @ ..] => 1 + prefix(comment, |byte| !matches!(byte, b'\n' | b'\r')),
                _ => return,
            };
        }
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.ignore();
        let rest = self.rest();
        let (kind, length) = match *rest {
            [byte @ (b'!' | b'$' | b'&' | b'(' | b')' | b':' | b'=' | b'@' | b'[' | b']' | b'{' | b'|' | b'}'), ..] => {
                (Kind::Punctuator(byte), 1)
            }
            [b'.', b'.', b'.', ..] => (Kind::Spread, 3),
            [b'a'..=b'z' | b'A'..=b'Z' | b'_', ..] => (Kind::Name, prefix(rest, is_name)),
            [b'-' | b'0'..=b'9', ..] => (Kind::Number, number(rest)?),
            [b'"', b'"', b'"', ..] => match block(rest) {
                Some(length) => (Kind::String, length),
                None => (Kind::Unterminated, 3),
            },
            [b'"', ..] => (Kind::String, string(rest)?),
            _ => return None,
        };
        let at = self.at;
        self.at += length;
        Some(Token { kind, text: self.text.get(at..self.at)?, at })
    }
}

/// How many bytes of a kind stand at the beginning.
fn prefix(text: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    text.iter().position(|&byte| !belongs(byte)).unwrap_or(text.len())
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The length of the number at the beginning: `-? (0 | [1-9][0-9]*) (\.[0-9]+)? ([eE][+-]?[0-9]+)?`
fn number(text: &[u8]) -> Option<usize> {
    let digits = |at: usize| prefix(text.get(at..).unwrap_or_default(), |byte| byte.is_ascii_digit());
    let mut end = usize::from(text.first() == Some(&b'-'));
    end += match text.get(end)? {
        b'0' => 1,
        b'1'..=b'9' => digits(end),
        _ => return None,
    };
    if text.get(end) == Some(&b'.') && digits(end + 1) > 0 {
        end += 1 + digits(end + 1);
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        end += if exponent > 0 { 1 + sign + exponent } else { 0 };
    }
    Some(end)
}

/// The length of the string at the beginning, with its quotes; none where its line ends before it does.
fn string(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += prefix(text.get(at..)?, |byte| !matches!(byte, b'"' | b'\\' | b'\n' | b'\r'));
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => return None,
        }
    }
}

/// The length of the block string at the beginning. Only `\"""` is an escape in it.
fn block(text: &[u8]) -> Option<usize> {
    let mut at = 3;
    loop {
        at += prefix(text.get(at..)?, |byte| !matches!(byte, b'"' | b'\\'));
        at += match text.get(at..)? {
            [b'"', b'"', b'"', ..] => return Some(at + 3),
            [b'\\', b'"', b'"', b'"', ..] => 4,
            [_, ..] => 1,
            [] => return None,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<&str> {
        Lexer::new(text).map(|token| token.text).collect()
    }

    #[test]
    fn what_the_grammar_ignores_is_passed_over() {
        let text = "\u{feff}{ a,b # } \"\"\" {\r c\u{feff}d\t,,\r\n}#";
        assert_eq!(tokens(text), ["{", "a", "b", "c", "d", "}"]);
        assert_eq!(tokens(""), [""; 0]);
        assert_eq!(tokens("# {"), [""; 0]);
    }

    #[test]
    fn numbers_end_where_the_parser_ends_them() {
        assert_eq!(tokens("[1-2 -0.5e+10 00 1e 3..."), ["[", "1", "-2", "-0.5e+10", "0", "0", "1", "e", "3", "..."]);
        assert_eq!(tokens("[1. 2"), ["[", "1"]);
        assert_eq!(tokens("- 1"), [""; 0]);
    }

    #[test]
    fn strings_and_comments_do_not_hide_what_follows() {
        for hiding in [
            r#""]""#,
            r#""\"]""#,
            r#""\\""#,
            r#""""#,
            r#""\u{5D}\uD83D\uDE00]""#,
            r#""""]""""#,
            r#""""\"""]""""#,
            r#""""\\"""]""""#,
            r#""""""]""""""#,
            "\"\"\"\r\n]\n\"\"\"",
            "\"é]\u{feff}\"",
            "#]\n",
            "#]\r",
        ] {
            let count = tokens(&format!("[{hiding}").repeat(100)).iter().filter(|token| **token == "[").count();
            assert_eq!(count, 100, "{hiding}");
        }
    }

    #[test]
    fn a_string_ends_with_its_line_and_a_block_with_its_quotes() {
        assert_eq!(tokens("[\"a\n]\""), ["["]);
        assert_eq!(tokens("[\"a\\"), ["["]);
        let ends: Vec<_> = Lexer::new("[\"\"\"a\\\"\"\"").map(|token| token.kind).collect();
        assert_eq!(ends[1], Kind::Unterminated);
    }

    #[test]
    fn no_token_begins_with_what_is_not_in_the_grammar() {
        for end in ["?", "é", "\u{0}", "\u{b}", "..", ".", "\u{2028}", "\\"] {
            assert_eq!(tokens(&format!("{{a {end} {{b")), ["{", "a"], "{end:?}");
        }
    }
}
