//! The tokens of a document (GraphQL specification of September 2025, section 2.1).

use async_graphql::Pos;

/// A token. What the grammar ignores produces no token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    /// Its text in the document.
    pub(super) text: &'a str,
    pub(super) pos: Pos,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// One of `! $ & ( ) : = @ [ ] { | }`.
    Punctuator(u8),
    /// `...`
    Spread,
    Name,
    Int,
    Float,
    String,
    BlockString,
    /// The end of the text.
    End,
}

impl Token<'_> {
    pub(super) fn is(&self, punctuator: u8) -> bool {
        self.kind == Kind::Punctuator(punctuator)
    }

    /// The token as error messages show it.
    pub(super) fn describe(&self) -> String {
        match self.kind {
            Kind::End => "the end of the text".to_owned(),
            // A text may be a secret.
            Kind::String | Kind::BlockString => "a text".to_owned(),
            _ => format!("{:?}", self.text),
        }
    }
}

/// Why no token can be read, and where.
pub(super) type LexError = (String, Pos);

pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// The position of the byte at index `placed`. Positions are requested in ascending order.
    place: Pos,
    placed: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, place: Pos { line: 1, column: 1 }, placed: 0 }
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// Skips white space, line ends, commas, byte order marks and comments.
    fn ignore(&mut self) {
        loop {
            self.at += match self.rest() {
                [b' ' | b'\t' | b'\n' | b'\r' | b',', ..] => 1,
                [0xEF, 0xBB, 0xBF, ..] => 3,
                [b'#', comment @ ..] => 1 + count_while(comment, |byte| !matches!(byte, b'\n' | b'\r')),
                _ => return,
            };
        }
    }

    /// The position of the next byte. Lines end with `
    /// `, `\r` or both; columns count characters.
    fn place(&mut self) -> Pos {
        let bytes = self.text.as_bytes();
        for at in self.placed..self.at {
            match bytes.get(at) {
                Some(b'\r') if bytes.get(at + 1) == Some(&b'\n') => {}
                Some(b'\n' | b'\r') => self.place = Pos { line: self.place.line + 1, column: 1 },
                // The first byte of a character.
                Some(byte) if byte & 0xC0 != 0x80 => self.place.column += 1,
                _ => {}
            }
        }
        self.placed = self.at;
        self.place
    }

    /// The next token. At the end of the text, every call returns the end.
    pub(super) fn next(&mut self) -> Result<Token<'a>, LexError> {
        self.ignore();
        let (rest, pos) = (self.rest(), self.place());
        let (kind, length) = match *rest {
            [] => (Kind::End, 0),
            [byte @ (b'!' | b'$' | b'&' | b'(' | b')' | b':' | b'=' | b'@' | b'[' | b']' | b'{' | b'|' | b'}'), ..] => {
                (Kind::Punctuator(byte), 1)
            }
            [b'.', b'.', b'.', ..] => (Kind::Spread, 3),
            [first, ..] if is_name_start(first) => (Kind::Name, count_while(rest, is_name)),
            [b'-' | b'0'..=b'9', ..] => number(rest).map_err(|sentence| (sentence.to_owned(), pos))?,
            [b'"', b'"', b'"', ..] => match block(rest) {
                Some(length) => (Kind::BlockString, length),
                None => return Err(("This block string is not terminated.".to_owned(), pos)),
            },
            [b'"', ..] => match string(rest) {
                Some(length) => (Kind::String, length),
                None => return Err(("This string is not terminated on its line.".to_owned(), pos)),
            },
            _ => {
                let character = self.text.get(self.at..).and_then(|rest| rest.chars().next()).unwrap_or_default();
                return Err((format!("Syntax error: unexpected character {character:?}."), pos));
            }
        };
        let at = self.at;
        self.at += length;
        Ok(Token { kind, text: self.text.get(at..self.at).unwrap_or_default(), pos })
    }
}

/// How many bytes at the beginning belong together.
fn count_while(text: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    text.iter().position(|&byte| !belongs(byte)).unwrap_or(text.len())
}

fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The number at the beginning: `-? (0 | [1-9][0-9]*) (\.[0-9]+)? ([eE][+-]?[0-9]+)?`, which must not be followed
/// directly by a digit, a point or a name.
fn number(text: &[u8]) -> Result<(Kind, usize), &'static str> {
    const WRONG: &str = "Syntax error: this is not a valid number.";
    let digits = |at: usize| count_while(text.get(at..).unwrap_or_default(), |byte| byte.is_ascii_digit());
    let (mut end, mut kind) = (usize::from(text.first() == Some(&b'-')), Kind::Int);
    end += match text.get(end) {
        Some(b'0') => 1,
        Some(b'1'..=b'9') => digits(end),
        _ => return Err(WRONG),
    };
    if text.get(end) == Some(&b'.') {
        let fraction = digits(end + 1);
        if fraction == 0 {
            return Err(WRONG);
        }
        (end, kind) = (end + 1 + fraction, Kind::Float);
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        if exponent == 0 {
            return Err(WRONG);
        }
        (end, kind) = (end + 1 + sign + exponent, Kind::Float);
    }
    match text.get(end) {
        Some(&next) if next == b'.' || is_name(next) => Err(WRONG),
        _ => Ok((kind, end)),
    }
}

/// The length of the string at the beginning, including its quotes; `None` if its line ends first.
fn string(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += count_while(text.get(at..)?, |byte| !matches!(byte, b'"' | b'\\' | b'\n' | b'\r'));
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' if !matches!(text.get(at + 1)?, b'\n' | b'\r') => at += 2,
            _ => return None,
        }
    }
}

/// The length of the block string at the beginning. `\"""` is its only escape.
fn block(text: &[u8]) -> Option<usize> {
    let mut at = 3;
    loop {
        at += count_while(text.get(at..)?, |byte| !matches!(byte, b'"' | b'\\'));
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

    fn tokens(text: &str) -> Result<Vec<&str>, String> {
        let mut lexer = Lexer::new(text);
        let mut found = Vec::new();
        loop {
            match lexer.next() {
                Ok(Token { kind: Kind::End, .. }) => return Ok(found),
                Ok(token) => found.push(token.text),
                Err((sentence, _)) => return Err(sentence),
            }
        }
    }

    #[test]
    fn ignored_characters_are_skipped() {
        let text = "\u{feff}{ a,b # } \"\"\" {\r c\u{feff}d\t,,\r\n}#";
        assert_eq!(tokens(text).unwrap(), ["{", "a", "b", "c", "d", "}"]);
        assert_eq!(tokens("").unwrap(), [""; 0]);
        assert_eq!(tokens("# {").unwrap(), [""; 0]);
    }

    #[test]
    fn a_number_must_not_be_followed_directly_by_a_name() {
        assert_eq!(tokens("[1 -2 -0.5e+10 0,0 3 ...").unwrap(), ["[", "1", "-2", "-0.5e+10", "0", "0", "3", "..."]);
        for wrong in ["1.", "- 1", "00", "-01", "1e", "1.5e+", "1a", "1_", "1.2.3", "1...", "0x1", ".5", "1-2a"] {
            assert!(tokens(wrong).is_err(), "{wrong}");
        }
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
            let text = format!("[{hiding}").repeat(100);
            let found = tokens(&text);
            assert_eq!(found.unwrap().iter().filter(|token| **token == "[").count(), 100, "{hiding}");
        }
    }

    #[test]
    fn unknown_characters_start_no_token() {
        for wrong in [
            "?",
            "é",
            "\u{0}",
            "\u{b}",
            "..",
            ".",
            "\u{2028}",
            "\\",
            "\"a\n\"",
            "\"a\\",
            "\"a\\\n\"",
            "\"\"\"a\\\"\"\"",
        ] {
            assert!(tokens(&format!("{{a {wrong} {{b")).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn places_count_lines_and_characters() {
        let mut lexer = Lexer::new("é # é\r\n\ra\u{feff}b\n\n c");
        let mut places = Vec::new();
        for _ in 0..4 {
            places.push(
                lexer.next().map(|token| (token.pos.line, token.pos.column)).map_err(|(_, pos)| (pos.line, pos.column)),
            );
            if places.len() == 1 {
                lexer.at = 2;
            }
        }
        assert_eq!(places, [Err((1, 1)), Ok((3, 1)), Ok((3, 3)), Ok((5, 2))]);
    }
}
