use super::*;

/// Limit, allowed, actual, line and column.
type Passed = (Limit, u64, u64, Option<(usize, usize)>);

/// The limit that a text exceeds.
fn refused(text: &str, limits: &Limits) -> Option<Passed> {
    match parse(text, limits) {
        Ok(_) => None,
        Err(RefusedDocument::Limit(e)) => Some((e.limit, e.allowed, e.actual, e.at.map(|at| (at.line, at.column)))),
        Err(RefusedDocument::Document(errors)) => panic!("{text:.200}: {errors:?}"),
    }
}

/// The first error of a text: its message, position and code.
fn wrong(text: &str) -> (String, usize, usize, String) {
    match parse(text, &Limits::default()) {
        Err(RefusedDocument::Document(errors)) => {
            let at = errors[0].locations[0];
            let code = errors[0].extensions.as_ref().and_then(|all| all.get("code")).unwrap().to_string();
            (errors[0].message.clone(), at.line, at.column, code.trim_matches('"').to_owned())
        }
        other => panic!("{text:.200}: {other:?}"),
    }
}

/// `least` is the lowest value of a limit with which the text passes. One less refuses it at this position.
fn needs(text: &str, limit: Limit, least: usize, at: Option<(usize, usize)>, set: fn(&mut Limits) -> &mut usize) {
    let mut limits = Limits::default();
    *set(&mut limits) = least;
    assert_eq!(refused(text, &limits), None, "{text}");
    *set(&mut limits) = least - 1;
    assert_eq!(refused(text, &limits), Some((limit, least as u64 - 1, least as u64, at)), "{text}");
}

#[test]
fn every_limit_is_enforced_exactly() {
    needs("{ a }", Limit::Query, 5, None, |l| &mut l.max_query);
    needs("{ a, b(c: \"}\")\n # d\n}", Limit::Tokens, 9, Some((3, 1)), |l| &mut l.max_tokens);
    needs("{ a\n ...F bcd }\nfragment F on T { a }", Limit::Name, 8, Some((3, 1)), |l| &mut l.max_name);
    needs("{ a(b: [{c: [1]}]) { d } }", Limit::Nesting, 5, Some((1, 13)), |l| &mut l.max_nesting);
    needs("{ a { b: c { d } e } f }", Limit::Depth, 3, Some((1, 14)), |l| &mut l.max_depth);
    needs("{ a ... on T { b ... @c { d { e } } } }", Limit::Depth, 2, Some((1, 31)), |l| &mut l.max_depth);
    needs("{ a(b: {c: [[1]]}) }", Limit::ValueDepth, 3, Some((1, 13)), |l| &mut l.max_value_depth);
    needs("query($a: [T] = [[[1]]]) { a }", Limit::ValueDepth, 3, Some((1, 19)), |l| &mut l.max_value_depth);
    needs("query @b(c: [{d: 1}]) { a }", Limit::ValueDepth, 2, Some((1, 14)), |l| &mut l.max_value_depth);
    needs("{ a @b(c: [[1], [1]]) }", Limit::ValueDepth, 2, Some((1, 12)), |l| &mut l.max_value_depth);
    needs("query($a: [T!]! $b: [[[T]!]!]!) { a }", Limit::TypeDepth, 3, Some((1, 23)), |l| &mut l.max_value_depth);
    needs("query($a: [T] = [1] $b: [[T]]) { a }", Limit::TypeDepth, 2, Some((1, 26)), |l| &mut l.max_value_depth);
    needs("{ a: b ... { c :d(e: {f: 1}) } }", Limit::Aliases, 2, Some((1, 14)), |l| &mut l.max_aliases);
    needs("query @b @c { a @d ...F @e }", Limit::Directives, 4, Some((1, 25)), |l| &mut l.max_directives);
    needs("query A { a } mutation B { b }", Limit::Operations, 2, Some((1, 15)), |l| &mut l.max_operations);
    needs("{ a } fragment A on T { a }\nfragment B on T { b }", Limit::Fragments, 2, Some((2, 1)), |l| {
        &mut l.max_fragments
    });
}

#[test]
fn fragments_count_where_they_are_spread() {
    let text = "query { a { ...A } ...A }\nfragment B on T { b ... { d } }\nfragment A on T { e { ...B ...B } }";
    // Two spreads of A in the operation, each with e and two spreads of B, each with b, d and the inline fragment
    // around d.
    needs(text, Limit::Fields, 1 + 2 + 2 * (1 + 2 + 2 * 3), Some((1, 1)), |l| &mut l.max_fields);
    needs(text, Limit::Depth, 3, Some((1, 13)), |l| &mut l.max_depth);
    // A fragment that no operation spreads is validated anyway.
    let text = "{ a }\nfragment A on T { b ...B }\nfragment B on T { c }";
    needs(text, Limit::Fields, 4, Some((2, 1)), |l| &mut l.max_fields);
}

#[test]
fn introspection_has_a_depth_of_its_own() {
    let text = "{ a s: __schema { b { c { d } ...F } } } fragment F on T { e { f } }";
    needs(text, Limit::Depth, 1, Some((1, 3)), |l| &mut l.max_depth);
    needs("{ __type(name: \"T\") { b } a { b { __typename } } }", Limit::Depth, 3, Some((1, 35)), |l| &mut l.max_depth);
}

#[test]
fn a_thousand_billion_fields_cost_nothing_and_are_refused() {
    let mut text = "{ ...F0 }".to_owned();
    for i in 0..40 {
        text += &format!("fragment F{i} on T {{ ...F{0} ...F{0} }}", i + 1);
    }
    text += "fragment F40 on T { a }";
    let (limit, allowed, actual, at) = refused(&text, &Limits::default()).unwrap();
    assert_eq!((limit, allowed, at), (Limit::Fields, 2000, Some((1, 1))));
    assert_eq!(actual, 1 + (0..40).map(|i| 2 << i).sum::<u64>() + (1 << 40));
    // More than can be counted.
    let limits = Limits { max_fragments: 200, ..Limits::default() };
    let mut text = "{ ...F0 }".to_owned();
    for i in 0..100 {
        text += &format!("fragment F{i} on T {{ ...F{0} ...F{0} ...F{0} }}", i + 1);
    }
    let (limit, _, actual, _) = refused(&(text + "fragment F100 on T { a }"), &limits).unwrap();
    assert_eq!((limit, actual), (Limit::Fields, u64::MAX));
}

#[test]
fn circles_are_refused_where_they_close() {
    for (text, name, column) in [
        ("{ ...A } fragment A on T { a { ...A } }", "A", 32),
        ("{ ...A } fragment A on T { ...B ...B } fragment B on T { ...A ...A }", "A", 58),
        ("{ a } fragment A on T { b ...B } fragment B on T { c ...B }", "B", 54),
    ] {
        let code = "GRAPHQL_VALIDATION_FAILED".to_owned();
        assert_eq!(wrong(text), (format!("The fragment {name:?} spreads itself."), 1, column, code), "{text}");
    }
}

#[test]
fn grammar_errors_report_their_position() {
    for (text, sentence, column) in [
        ("", "Syntax error: expected query, mutation, subscription, fragment or \"{\", found the end of the text.", 1),
        ("{ a } fragment on on T { a }", "Syntax error: expected the name of a fragment, found \"on\".", 16),
        (
            "queryx { a }",
            "Syntax error: expected query, mutation, subscription, fragment or \"{\", found \"queryx\".",
            1,
        ),
        (
            "{ a } type T { a: b }",
            "Syntax error: expected query, mutation, subscription, fragment or \"{\", found \"type\".",
            7,
        ),
        ("{ a(b: [\"\"\"c\" \"]) }", "This block string is not terminated.", 9),
        ("{ a(b: \"c", "This string is not terminated on its line.", 8),
        ("{ a(b: [}]) }", "Syntax error: expected a value, found \"}\".", 9),
        ("{ a(b: (1)) }", "Syntax error: expected a value, found \"(\".", 8),
        ("{ a ] }", "Syntax error: expected a field, found \"]\".", 5),
        ("{ a { b ", "Syntax error: expected a field, found the end of the text.", 9),
        ("query = { a }", "Syntax error: expected \"{\", found \"=\".", 7),
        ("query() { a }", "Syntax error: these parentheses are empty.", 6),
        ("{ a() }", "Syntax error: these parentheses are empty.", 4),
        ("{ a {} }", "Syntax error: these braces are empty; a field is missing.", 5),
        ("query($a: T = $b) { a }", "Syntax error: the default of a variable must not contain a variable.", 15),
        ("query($a: [] = 1) { a }", "Syntax error: these brackets are empty; a type is missing.", 11),
        ("query($a: [T T]) { a }", "Syntax error: expected \"]\", found \"T\".", 14),
        ("{ a(b: \"\\x\") }", "Syntax error: \\x is not a valid escape sequence.", 8),
        ("{ a(b: 01) }", "Syntax error: this is not a valid number.", 8),
        ("{ a(b: 1e400) }", "This number is too large.", 8),
        ("{ a } ? ", "Syntax error: unexpected character '?'.", 7),
        ("{ a } }", "Syntax error: expected query, mutation, subscription, fragment or \"{\", found \"}\".", 7),
        ("\"told\" { a }", "Syntax error: expected a keyword after the description, found \"{\".", 8),
    ] {
        let code = "GRAPHQL_PARSE_FAILED".to_owned();
        assert_eq!(wrong(text), (sentence.to_owned(), 1, column, code), "{text}");
    }
    // An unexpected text may be a secret.
    assert!(!wrong("{ a(b: {\"7305\": 1}) }").0.contains("7305"));
}

#[test]
fn all_duplicate_names_are_reported_at_once() {
    let text =
        "query A { a(b: {c: 1, d: {c: 2}, c: 3}) } query A { a } { a } fragment F on T { a } fragment F on T { a }";
    let Err(RefusedDocument::Document(errors)) = parse(text, &Limits::default()) else { panic!("{text}") };
    let sentences: Vec<_> = errors.iter().map(|error| error.message.as_str()).collect();
    assert_eq!(
        sentences,
        [
            "There can be only one input field named \"c\".",
            "There can be only one operation named \"A\".",
            "There can be only one fragment named \"F\".",
            "This anonymous operation must be the only operation of the document.",
        ]
    );
}

/// Features of the specification of September 2025 that older parsers do not have.
#[test]
fn descriptions_and_all_escapes_are_read() {
    let text =
        "\"\"\"What it does.\"\"\" query Q(\"An id.\" $a: Boolean ! = true @b) { a(b: \"\\uD83D\\uDE00\\u{1F600}\") }
        \"And this.\" fragment F on # comment
        T { a }";
    let document = parse(text, &Limits::default()).unwrap();
    assert!(serde_json::to_string(&document).unwrap().contains("😀😀"));
}

#[test]
fn a_place_is_counted_in_characters_and_lines() {
    let limits = Limits { max_aliases: 0, ..Limits::default() };
    let text = "# é\r\n{ a(b: \"éé\u{feff}\") c: d }";
    assert_eq!(refused(text, &limits), Some((Limit::Aliases, 0, 1, Some((2, 15)))));
}

#[test]
fn sixty_four_kilobytes_of_brackets_are_refused() {
    for (before, bracket, limit) in [
        ("", "{a", Limit::Nesting),
        ("", "{...", Limit::Nesting),
        ("{a(b:", "[", Limit::ValueDepth),
        ("{a(b:", "{c:", Limit::ValueDepth),
        ("{a @b(c:", "[{d:", Limit::ValueDepth),
        ("query($a:", "[", Limit::TypeDepth),
        ("query($a:T=", "[", Limit::ValueDepth),
        ("query@b(c:", "{c:", Limit::ValueDepth),
    ] {
        let count = ((1 << 16) - before.len()) / bracket.len();
        let text = before.to_owned() + &bracket.repeat(count);
        assert_eq!(refused(&text, &Limits::default()).unwrap().0, limit, "{before}{bracket}");
    }
    for bracket in ["{", "(", "[", ")", "]", "}", "{a("] {
        wrong(&bracket.repeat((1 << 16) / bracket.len()));
    }
}
