use super::*;
use crate::graphql::described::DESCRIBED;
use crate::graphql::limits::Limits;

/// The errors of a document with their positions.
fn wrong(text: &str) -> Vec<(String, usize, usize)> {
    let document = crate::graphql::syntax::parse(text, &Limits::default()).unwrap();
    let types = &DESCRIBED.types;
    let errors = validate(&document, types, true).err().unwrap_or_default();
    let place = |error: ServerError| (error.message, error.locations[0].line, error.locations[0].column);
    errors.into_iter().map(place).collect()
}

#[test]
fn all_errors_are_reported_in_the_order_of_the_text() {
    let text = "query Q($a: Int, $b: Nope) { tenant(cod: 1) { nmae ...F @skip } __typename @nope }
        fragment F on Tenannt { id } fragment G on Tenant { id(x: $c) { y } }";
    let sentences: Vec<_> = wrong(text).into_iter().map(|(sentence, ..)| sentence).collect();
    assert_eq!(
        sentences,
        [
            "Variable \"$a\" is never used in operation \"Q\".",
            "Variable \"$b\" is never used in operation \"Q\".",
            "Unknown type \"Nope\". Did you mean \"Node\" or \"Note\"?",
            "Unknown argument \"cod\" on field \"Query.tenant\". Did you mean \"code\"?",
            "Cannot query field \"nmae\" on type \"Tenant\". Did you mean \"name\"?",
            "Argument \"if\" of type \"Boolean!\" is required on directive \"@skip\", but it was not provided.",
            "Unknown directive \"@nope\".",
            "Unknown type \"Tenannt\". Did you mean \"Tenant\"?",
            "Fragment \"G\" is never used.",
            "Unknown argument \"x\" on field \"Tenant.id\".",
            "Field \"id\" must not have a selection since type \"ID!\" has no subfields.",
        ]
    );
}

#[test]
fn a_secret_in_a_literal_is_not_repeated() {
    let text = "mutation { virtualExtensionSecurityUpdate(input: {id: 7305, security: {lockPin: 7305}}) { changes { path } } }";
    let errors = wrong(text);
    assert!(errors.len() == 1 && !errors[0].0.contains("7305"), "{errors:?}");
    assert!(errors[0].0.contains("input.security.lockPin"), "{errors:?}");
}

#[test]
fn a_subscription_has_one_field() {
    for (text, problem) in [
        ("subscription { objectChanged { cursor } }", None),
        ("subscription { ...F ...F } fragment F on Subscription { objectChanged { cursor } }", None),
        ("subscription { objectChanged { cursor } a: objectChanged { cursor } }", Some("only one")),
        (
            "subscription { objectChanged { cursor } ...F } fragment F on Subscription { b: objectChanged { cursor } }",
            Some("only one"),
        ),
        ("subscription { __typename }", Some("introspection")),
        ("subscription($a: Boolean!) { objectChanged @skip(if: $a) { cursor } }", Some("@skip")),
        (
            "query A { tenant { id } } subscription B { ... @include(if: true) { objectChanged { cursor } } }",
            Some("@skip"),
        ),
    ] {
        let errors = wrong(text);
        match problem {
            None => assert_eq!(errors, [], "{text}"),
            Some(problem) => assert!(errors.len() == 1 && errors[0].0.contains(problem), "{text}: {errors:?}"),
        }
    }
}

#[test]
fn a_whole_number_out_of_range_is_reported() {
    let text = "{ tenant { virtualExtensions(first: 99999999999) { totalCount } } }";
    let range = "must be a whole number from -2147483648 to 2147483647; it is out of that range.";
    assert_eq!(wrong(text), [(format!("Argument \"first\" of type \"Int\" {range}"), 1, 37)]);
}
