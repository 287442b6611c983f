//! Property tests: the grammar with generated texts, and compared with the parser of async-graphql.
#![expect(clippy::disallowed_methods, reason = "latency is measured")]

use std::time::{Duration, Instant};

use async_graphql::parser::parse_query;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::lexer::{Kind, Lexer};
use super::*;
use crate::graphql::limits::Exceeded;

/// Pieces of texts, and pieces that could mislead a careless parser.
const SOUP: &[&str] = &[
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "{a",
    "a(b:",
    "[[",
    "{c:",
    "...",
    "...on T",
    "...F",
    "fragment F on T{",
    "query",
    "$v",
    "query($v:",
    "=",
    ":",
    "!",
    "@d",
    "@d(e:",
    "\"",
    "\"\"\"",
    "\\",
    "\\\"\"\"",
    "\"s\"",
    "#",
    "\n",
    "\r",
    ",",
    " ",
    "a",
    "on",
    "true",
    "null",
    "1",
    "-",
    "0.5e1",
    ".",
    "\u{feff}",
    "é",
    "&",
    "|",
    "__schema",
    "b:a",
];

fn soup() -> impl Strategy<Value = String> {
    vec(select(SOUP), 0..120).prop_map(|parts| parts.concat())
}

/// The loosest limits that the parser's stack allows.
fn generous() -> Limits {
    Limits {
        max_tokens: usize::MAX,
        max_depth: 64,
        max_value_depth: 64,
        max_aliases: usize::MAX,
        max_directives: usize::MAX,
        ..Limits::default()
    }
}

/// Runs a function with as little stack as a thread of the server has.
fn on_a_small_stack<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap().join().unwrap()
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(bytes in vec(any::<u8>(), 0..300), text in any::<String>(), soup in soup()) {
        for text in [String::from_utf8_lossy(&bytes).into_owned(), text, soup] {
            let _ = parse(&text, &Limits::default());
        }
    }

    /// Any 64 kilobytes are parsed in negligible time: it does not grow with the square of the length.
    #[test]
    fn time_grows_with_the_text_only(parts in vec(select(SOUP), 1..6)) {
        let piece = parts.concat();
        let text = piece.repeat((1 << 16) / piece.len());
        let begun = Instant::now();
        let _ = parse(&text, &generous());
        prop_assert!(begun.elapsed() < Duration::from_secs(1), "{piece:?} took {:?}", begun.elapsed());
    }

    /// If both parsers accept a text, they read the same document.
    #[test]
    fn it_reads_what_another_parser_reads(soup in soup()) {
        if let (Ok(ours), Ok(theirs)) = (parse(&soup, &generous()), on_a_large_stack(&soup)) {
            prop_assert_eq!(shape(&ours), shape(&theirs));
        }
    }

    /// A valid document is split into the tokens that it was made of, and means the same to the other parser.
    #[test]
    fn it_counts_what_it_reads(tokens in document(), gaps in vec(select(GAPS), 1..20)) {
        let mut text = String::new();
        for (token, gap) in tokens.iter().zip(gaps.iter().cycle()) {
            text += token;
            // The other parser requires white space after this word; for the specification a comment is enough.
            text += if token == "on" { " " } else { gap };
        }
        let mut lexer = Lexer::new(&text);
        let mut read = Vec::new();
        while let Some(token) = lexer.next().ok().filter(|token| token.kind != Kind::End) {
            read.push(token.text);
        }
        // A type is one token for the other parser, and several for the specification.
        let pieces = |token: &String| match token.starts_with('[') && token.contains('T') {
            true => token.chars().map(String::from).collect(),
            false => vec![token.clone()],
        };
        let tokens: Vec<_> = tokens.iter().flat_map(pieces).collect();
        prop_assert_eq!(&read, &tokens);
        let ours = parse(&text, &generous());
        prop_assert!(ours.is_ok(), "{:?}", ours);
        let theirs = parse_query(&text);
        prop_assert!(theirs.is_ok(), "{:?}", theirs);
        prop_assert_eq!(shape(&ours.unwrap()), shape(&theirs.unwrap()));
        let limits = Limits { max_tokens: tokens.len() - 1, ..generous() };
        let too_many = parse(&text, &limits);
        prop_assert!(matches!(&too_many, Err(RefusedDocument::Limit(Exceeded { limit: Limit::Tokens, .. }))), "{too_many:?}");
    }
}

/// A document without its positions, which the two parsers count differently after a lone carriage return.
fn shape(document: &ExecutableDocument) -> serde_json::Value {
    fn without_places(value: &mut serde_json::Value) {
        match value {
            serde_json::Value::Object(fields) => {
                if fields.contains_key("pos") && fields.contains_key("node") {
                    fields.remove("pos");
                }
                fields.values_mut().for_each(without_places);
            }
            serde_json::Value::Array(items) => items.iter_mut().for_each(without_places),
            // The other parser does not replace the escape in block strings (8.0.0-rc.5).
            serde_json::Value::String(text) => {
                while text.contains("\\\"\"\"") {
                    *text = text.replace("\\\"\"\"", "\"\"\"");
                }
            }
            _ => {}
        }
    }
    let mut shape = serde_json::to_value(document).unwrap();
    without_places(&mut shape);
    shape
}

/// The result of async-graphql's parser, which uses many stack frames for each bracket.
fn on_a_large_stack(text: &str) -> Result<ExecutableDocument, ()> {
    if text.matches(['[', '{', '(']).count() > 60 {
        return Err(());
    }
    let text = text.to_owned();
    let thread = std::thread::Builder::new().stack_size(64 << 20);
    thread.spawn(move || parse_query(text).map_err(drop)).unwrap().join().unwrap()
}

const GAPS: &[&str] = &[" ", "\n", "\r\n", "\t", ", ", "\u{feff}", "#\n", "# } ] \"\"\"\r", " # {\n ,"];

/// The tokens of a part of a text.
type Tokens = Vec<String>;

fn words(text: &str) -> Tokens {
    text.split(' ').map(str::to_owned).collect()
}

fn value() -> impl Strategy<Value = Tokens> {
    let one = prop_oneof![
        // Beyond that, the two parsers round differently, and -0 is a fraction for the other.
        "(0|-?[1-9][0-9]{0,4})(\\.[0-9]{1,3})?([eE][+-]?[0-9])?",
        "[A-Z_][A-Za-z0-9_]{0,8}",
        select(&["true", "false", "null"][..]).prop_map(str::to_owned),
        "\"([ !#-\\[\\]-~é]|\\\\[\"\\\\/bfnrt]|\\\\u[0-9a-c][0-9a-f]{3}){0,12}\"",
        "\"\"\"([ !#-~é\n]|\\\\\"\"\"){0,12} \"\"\"",
    ];
    let one = prop_oneof![one.prop_map(|token| vec![token]), Just(words("$ v"))];
    one.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|items| [words("["), items.concat(), words("]")].concat()),
            vec(inner, 0..4).prop_map(|values| {
                let fields =
                    values.into_iter().enumerate().map(|(i, value)| [words(&format!("f{i} :")), value].concat());
                [words("{"), fields.collect::<Vec<_>>().concat(), words("}")].concat()
            }),
        ]
    })
}

fn arguments() -> impl Strategy<Value = Tokens> {
    vec(value(), 0..3).prop_map(|values| match values.as_slice() {
        [] => Vec::new(),
        values => {
            let each = values.iter().map(|value| [words("x :"), value.clone()].concat());
            [words("("), each.collect::<Vec<_>>().concat(), words(")")].concat()
        }
    })
}

fn directives() -> impl Strategy<Value = Tokens> {
    vec(arguments().prop_map(|arguments| [words("@ d"), arguments].concat()), 0..2).prop_map(|each| each.concat())
}

fn selection() -> impl Strategy<Value = Tokens> {
    let head = (select(&["a", "b : a", "on", "on : on", "fragment", "__type"][..]), arguments(), directives());
    let field = head.prop_map(|(name, arguments, directives)| [words(name), arguments, directives].concat()).boxed();
    let spread = directives().prop_map(|directives| [words("... G"), directives].concat());
    let braced = |fields: Vec<Tokens>| [words("{"), fields.concat(), words("}")].concat();
    prop_oneof![4 => field.clone(), 1 => spread].prop_recursive(4, 24, 4, move |inner| {
        let fields = vec(inner, 1..4).prop_map(braced);
        let condition = select(&["...", "... on T"][..]);
        prop_oneof![
            (field.clone(), fields.clone()).prop_map(|(field, fields)| [field, fields].concat()),
            (condition, directives(), fields)
                .prop_map(|(on, directives, fields)| [words(on), directives, fields].concat()),
        ]
    })
}

fn document() -> impl Strategy<Value = Tokens> {
    let variables = select(&["", "( $ v : T )", "( $ v : [T!]! $ w : [[T]] = [ { f : 1 } ] )"][..]);
    let variables = variables.prop_map(|text| words(text).into_iter().filter(|token| !token.is_empty()).collect());
    (variables, directives(), vec(selection(), 1..4), vec(selection(), 1..3)).prop_map(
        |(variables, directives, fields, others): (Tokens, _, _, _)| {
            let fields = [words("{"), fields.concat(), words("}")].concat();
            let fragment = [words("fragment F on T {"), others.concat(), words("}")].concat();
            [words("query Q"), variables, directives, fields, fragment].concat()
        },
    )
}

/// Every kind of nesting, to the last bracket that is allowed.
#[test]
fn the_deepest_texts_fit_the_stack() {
    for (before, open, middle, close) in [
        ("", "{a", "{a}", "}"),
        ("", "{...", "{a}", "}"),
        ("", "{...on T", "{a}", "}"),
        ("fragment F on T", "{a", "{a}", "}"),
        ("{a(b:", "[", "1", "]"),
        ("{a(b:", "{c:", "1", "}"),
        ("{a@b(c:", "[", "1", "]"),
        ("query($a:T=", "[", "1", "]"),
        ("query($a:T=", "{c:", "1", "}"),
        ("query($a:", "[", "T", "]"),
        ("query@b(c:", "{d:", "1", "}"),
    ] {
        let behind = match before {
            "{a(b:" | "{a@b(c:" => ")}",
            "query($a:T=" | "query($a:" | "query@b(c:" => "){a}",
            "fragment F on T" => "{...F}",
            _ => "",
        };
        let text = |times: usize| [before, &open.repeat(times), middle, &close.repeat(times), behind].concat();
        let deepest = (1..=generous().max_nesting).rev().map(text).find(|text| parse(text, &generous()).is_ok());
        let deepest = deepest.unwrap();
        assert!(deepest.matches(open).count() > 60, "{deepest}");
        let outcome =
            on_a_small_stack(move || parse(&deepest, &generous()).map(drop).map_err(RefusedDocument::into_errors));
        assert_eq!(outcome, Ok(()), "{before}{open}");
    }
}
