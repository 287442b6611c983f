//! Regular expressions that administrators write.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use lru::LruCache;
use regex::RegexBuilder;
use regex_syntax::hir::{Capture, HirKind};

use super::scalar::corrupt;
use super::{Code, Problem, Scalar, Sent, Shape, Value, scalar};

/// A regular expression of at most 255 characters in the syntax of the `regex` crate. Like RE2, it matches in linear
/// time and has neither look-around nor back-references. Its compiled size is limited to 256 KiB.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Pattern(String);

impl Pattern {
    const MAX_LENGTH: usize = 255;
    const MAX_COMPILED: usize = 256 * 1024;

    /// The expression as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How many groups a replacement may refer to, and their names. The expression is only parsed, because compiling it
    /// takes much longer.
    pub fn groups(&self) -> (usize, Vec<String>) {
        let (mut count, mut names) = (0, Vec::new());
        let mut left: Vec<_> = regex_syntax::parse(&self.0).into_iter().collect();
        while let Some(part) = left.pop() {
            match part.into_kind() {
                HirKind::Capture(Capture { index, name, sub }) => {
                    count = count.max(index as usize);
                    names.extend(name.map(String::from));
                    left.push(*sub);
                }
                HirKind::Repetition(repetition) => left.push(*repetition.sub),
                HirKind::Concat(parts) | HirKind::Alternation(parts) => left.extend(parts),
                HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => {}
            }
        }
        (count, names)
    }

    /// Whether the expression matches somewhere in `text`.
    pub fn matches(&self, text: &str) -> bool {
        self.matcher()(text)
    }

    /// Like [`Pattern::matches`] for many texts: the expression is compiled once.
    pub fn matcher(&self) -> impl Fn(&str) -> bool {
        let regex = compile(&self.0);
        move |text| regex.as_ref().is_ok_and(|regex| regex.is_match(text))
    }

    fn read(text: &str) -> Result<Self, Problem> {
        let shown = || text.chars().take(Self::MAX_LENGTH).collect::<String>();
        let length = text.chars().count();
        if length == 0 || length > Self::MAX_LENGTH {
            let rule = format!("must have 1 to {} characters, not {length}", Self::MAX_LENGTH);
            return Err(Problem::new(Code::OutOfRange, rule));
        }
        if text.chars().any(char::is_control) {
            return Err(Problem::new(Code::InvalidFormat, "must not contain control characters").value(shown()));
        }
        if was_accepted(text) {
            return Ok(Self(text.to_owned()));
        }
        match compile(text) {
            Ok(_) => {
                remember_accepted(text);
                Ok(Self(text.to_owned()))
            }
            Err(regex::Error::CompiledTooBig(limit)) => {
                let rule = format!("would need more than {} KiB when compiled", limit / 1024);
                Err(Problem::new(Code::UnsafeRegex, rule).value(shown()).suggest("shorter repetitions"))
            }
            Err(error) => Err(Problem::new(Code::RegexSyntax, syntax(&error)).value(shown())),
        }
    }
}

/// Expressions that have compiled before: most sites send the same few again and again, and compiling one takes a
/// hundred times as long as parsing it.
static ACCEPTED: Mutex<Option<LruCache<String, ()>>> = Mutex::new(None);
const MAX_ACCEPTED: NonZeroUsize = NonZeroUsize::new(256).unwrap();

fn was_accepted(text: &str) -> bool {
    // A poisoned lock only means that another thread panicked; the cache is intact.
    let mut accepted = ACCEPTED.lock().unwrap_or_else(PoisonError::into_inner);
    accepted.as_mut().is_some_and(|accepted| accepted.get(text).is_some())
}

fn remember_accepted(text: &str) {
    let mut accepted = ACCEPTED.lock().unwrap_or_else(PoisonError::into_inner);
    accepted.get_or_insert_with(|| LruCache::new(MAX_ACCEPTED)).put(text.to_owned(), ());
}

fn compile(text: &str) -> Result<regex::Regex, regex::Error> {
    RegexBuilder::new(text).size_limit(Pattern::MAX_COMPILED).dfa_size_limit(Pattern::MAX_COMPILED).build()
}

impl Scalar for Pattern {
    const TAKES: Shape = scalar!(
        /// A regular expression of 1 to 255 characters in the syntax of RE2, which has no look-around and no
        /// back-references. It matches anywhere in the text unless it is anchored with `^` and `$`.
        "Pattern", String, "https://github.com/google/re2/wiki/Syntax"
    );

    fn parse(sent: &Sent) -> Result<Self, Problem> {
        Self::read(sent.text()?)
    }

    fn to_value(&self) -> Value {
        self.0.as_str().into()
    }

    /// A stored expression was compiled when it was saved. Compiling it again for each read would cost more than the
    /// read itself, so it is compiled only where it is used.
    fn from_value(value: Value) -> Result<Self, Problem> {
        match value {
            Value::Text(text) if !text.is_empty() && text.chars().count() <= Self::MAX_LENGTH => Ok(Self(text)),
            _ => Err(corrupt("a regular expression")),
        }
    }

    fn load_untrusted(value: Value) -> Result<Self, Problem> {
        match value {
            Value::Text(text) => Self::read(&text),
            _ => Err(corrupt("a regular expression")),
        }
    }
}

/// The regex crate draws a caret below the expression; clients need its column as a number.
fn syntax(error: &regex::Error) -> String {
    let text = error.to_string();
    let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
    // The error has three lines: a heading, the expression indented by four spaces, the caret. The expression itself
    // has no line breaks.
    match text.lines().nth(2).and_then(|line| line.find('^')) {
        Some(at) => format!("must be a regular expression: {reason} at character {}", at.saturating_sub(4) + 1),
        None => format!("must be a regular expression: {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<Pattern, Problem> {
        Pattern::parse(&text.into())
    }

    #[test]
    fn a_syntax_error_names_its_position() {
        let problem = parse("^(00").unwrap_err();
        assert_eq!(problem.code, Code::RegexSyntax);
        assert!(problem.rule.ends_with("unclosed group at character 2"), "{}", problem.rule);
    }

    #[test]
    fn back_references_and_blow_ups_are_refused() {
        assert_eq!(parse(r"(a)\1").unwrap_err().code, Code::RegexSyntax);
        assert_eq!(parse(r"((\d{0,200}){0,200}){0,200}").unwrap_err().code, Code::UnsafeRegex);
        assert_eq!(parse(&"0".repeat(256)).unwrap_err().code, Code::OutOfRange);
    }

    #[test]
    fn groups_are_those_of_the_compiled_expression() {
        for text in [
            "",
            "a",
            "(a)",
            "(?:a)(?<one>b)",
            "((a)|(?P<two>b(c)){2,3})*",
            "(a){0}(b)",
            "(a){0}",
            "(?i:(x))|(?<y>z){0,1}",
            r"[(a)]\((b)\)",
            "(?x) ( a # (b)\n )",
        ] {
            let regex = compile(text).unwrap();
            let mut names: Vec<_> = regex.capture_names().flatten().map(str::to_owned).collect();
            let (count, mut found) = Pattern(text.into()).groups();
            names.sort();
            found.sort();
            assert_eq!((count, found), (regex.captures_len() - 1, names), "{text}");
        }
    }

    #[test]
    fn matching_is_unanchored_as_written() {
        assert!(parse("^0[1-9]").unwrap().matches("055"));
        assert!(!parse("^0[1-9]").unwrap().matches("1055"));
    }

    proptest! {
        #[test]
        fn no_expression_panics_and_every_error_is_ours(text in ".{0,60}") {
            if let Err(problem) = parse(&text) {
                prop_assert!(matches!(problem.code, Code::RegexSyntax | Code::UnsafeRegex | Code::OutOfRange | Code::InvalidFormat));
            }
        }
    }
}
