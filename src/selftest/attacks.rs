//! Documents that take weak GraphQL servers down, in one table. The tests send them to the real binary in many sizes
//! (`tests/it/attacks.rs`), and `vext selftest` sends a few sizes to a running server.

use std::fmt::Write as _;

/// A kind of attack.
pub struct Attack {
    /// What there is too much of.
    pub name: &'static str,
    /// The accepted error codes. An empty code means that a size may be harmless and is then executed.
    pub codes: &'static [&'static str],
    /// The sizes for the tests, from just too much to megabytes.
    pub sizes: &'static [usize],
    /// The sizes for a server in use, ascending. The default limits refuse all of them, and any reasonable limits
    /// refuse the last.
    pub selftest_sizes: &'static [usize],
    /// The document of a size.
    pub text: fn(usize) -> String,
}

/// The code of a syntax error.
const SYNTAX: &str = "GRAPHQL_PARSE_FAILED";
/// The code of a validation error.
const VALIDATION: &str = "GRAPHQL_VALIDATION_FAILED";
const DEEP: &[usize] = &[65, 200, 1000, 4999, 30_000];
const MANY: &[usize] = &[60, 500, 3000];

/// The attacks of the project's design, and others.
pub const ATTACKS: &[Attack] = &[
    Attack {
        name: "lists in a value",
        codes: &["VALUE_TOO_DEEP", "NESTED_TOO_DEEP"],
        sizes: DEEP,
        selftest_sizes: &[65, 4999],
        text: |n| format!("{{a(x:{}", "[".repeat(n)),
    },
    Attack {
        name: "closed lists in a value",
        codes: &["VALUE_TOO_DEEP", "NESTED_TOO_DEEP", "TOO_MANY_TOKENS"],
        sizes: DEEP,
        selftest_sizes: &[65, 4999],
        text: |n| format!("{{a(x:{}{})}}", "[".repeat(n), "]".repeat(n)),
    },
    Attack {
        name: "objects in a value",
        codes: &["VALUE_TOO_DEEP", "NESTED_TOO_DEEP", "TOO_MANY_TOKENS", "QUERY_TOO_LARGE"],
        sizes: DEEP,
        selftest_sizes: &[65, 4999],
        text: |n| format!("{{a(x:{}", "{a:".repeat(n)),
    },
    Attack {
        name: "selections",
        codes: &["SELECTION_TOO_DEEP", "NESTED_TOO_DEEP", "TOO_MANY_TOKENS", "QUERY_TOO_LARGE"],
        sizes: DEEP,
        selftest_sizes: &[65, 4999],
        text: |n| "{a".repeat(n),
    },
    Attack {
        name: "list types",
        codes: &["TYPE_TOO_DEEP", "NESTED_TOO_DEEP", "TOO_MANY_TOKENS"],
        sizes: DEEP,
        selftest_sizes: &[65, 4999],
        text: |n| format!("query($a: {}Int{}) {{ __typename }}", "[".repeat(n), "]".repeat(n)),
    },
    Attack {
        name: "parentheses",
        codes: &["NESTED_TOO_DEEP", "TOO_MANY_TOKENS", SYNTAX],
        sizes: DEEP,
        selftest_sizes: &[65, 4999],
        text: |n| format!("{{a{}", "(".repeat(n)),
    },
    Attack {
        name: "fragments that double",
        codes: &["TOO_MANY_FIELDS", "TOO_MANY_FRAGMENTS"],
        sizes: &[12, 20, 40, 200],
        selftest_sizes: &[12, 40, 200],
        text: |n| {
            let one = |i: usize| format!("fragment F{i} on Query {{ ...F{} ...F{} }} ", i + 1, i + 1);
            let fragments: String = (0..n).map(one).collect();
            format!("{{ ...F0 }} {fragments} fragment F{n} on Query {{ __typename }}")
        },
    },
    Attack {
        name: "cyclic fragments",
        codes: &[VALIDATION, "TOO_MANY_FRAGMENTS", "SELECTION_TOO_DEEP", "TOO_MANY_FIELDS"],
        sizes: &[1, 2, 40],
        selftest_sizes: &[2, 40],
        text: |n| {
            let one = |i: usize| format!("fragment F{i} on Query {{ ...F{} }} ", (i + 1) % n);
            format!("{{ ...F0 }} {}", (0..n).map(one).collect::<String>())
        },
    },
    Attack {
        name: "aliases",
        codes: &["TOO_MANY_ALIASES", "TOO_MANY_TOKENS", "QUERY_TOO_LARGE"],
        sizes: MANY,
        selftest_sizes: &[60, 3000],
        text: |n| format!("{{ {} }}", numbered(n, |text, i| write!(text, "a{i}: __typename "))),
    },
    Attack {
        name: "directives",
        codes: &["TOO_MANY_DIRECTIVES", "TOO_MANY_TOKENS"],
        sizes: MANY,
        selftest_sizes: &[60, 3000],
        text: |n| format!("{{ __typename {} }}", "@skip(if: false) ".repeat(n)),
    },
    Attack {
        name: "operations",
        codes: &["TOO_MANY_OPERATIONS", "TOO_MANY_TOKENS"],
        sizes: MANY,
        selftest_sizes: &[60, 2000],
        text: |n| numbered(n, |text, i| write!(text, "query Q{i} {{ __typename }} ")),
    },
    Attack {
        name: "tokens",
        codes: &["TOO_MANY_TOKENS", "QUERY_TOO_LARGE"],
        sizes: &[2100, 20_000, 100_000],
        selftest_sizes: &[2100, 20_000],
        text: |n| format!("{{ {} }}", "a ".repeat(n)),
    },
    Attack {
        name: "commas and comments",
        codes: &["", "QUERY_TOO_LARGE"],
        sizes: &[1000, 60_000, 250_000],
        selftest_sizes: &[100_000],
        text: |n| format!("{{ __typename }} {}", ",#\n".repeat(n / 3)),
    },
    Attack {
        name: "an unterminated string",
        codes: &[SYNTAX, "QUERY_TOO_LARGE"],
        sizes: &[10, 60_000],
        selftest_sizes: &[10, 60_000],
        text: |n| format!("{{ a(x: \"{}", "x".repeat(n)),
    },
    Attack {
        name: "unknown fields",
        codes: &[VALIDATION, "TOO_MANY_ERRORS"],
        sizes: &[100, 1500],
        selftest_sizes: &[100, 1500],
        text: |n| format!("{{ {} }}", numbered(n, |text, i| write!(text, "f{i} "))),
    },
    Attack {
        name: "cyclic introspection",
        codes: &["INTROSPECTION_TOO_WIDE", "INTROSPECTION_TOO_DEEP", "SELECTION_TOO_DEEP"],
        sizes: &[3, 5],
        selftest_sizes: &[3, 5],
        text: |n| format!("{{ __schema {{ types {{ {} name {} }} }} }}", "fields { type { ".repeat(n), "} }".repeat(n)),
    },
    Attack {
        name: "pages of pages",
        codes: &["COST_TOO_HIGH"],
        sizes: &[50, 100],
        selftest_sizes: &[50, 100],
        text: |n| {
            format!(
                "{{ tenant {{ virtualExtensions(first: {n}) {{ nodes {{ id references(first: {n}) {{ nodes {{ path \
                 }} }} }} }} }} }}"
            )
        },
    },
    Attack {
        name: "one field many times",
        codes: &["COST_TOO_HIGH"],
        sizes: &[1600, 1900],
        selftest_sizes: &[1900],
        text: |n| format!("{{ tenant {{ virtualExtensions(first: 100) {{ nodes {{ {} }} }} }} }}", "name ".repeat(n)),
    },
];

/// Concatenates the `n` texts that `one` writes, each for its number.
fn numbered(n: usize, one: impl Fn(&mut String, usize) -> std::fmt::Result) -> String {
    (0..n).fold(String::new(), |mut text, i| {
        // Writing to a text cannot fail.
        let _ = one(&mut text, i);
        text
    })
}
