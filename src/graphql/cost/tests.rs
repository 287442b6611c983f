use async_graphql::Pos;

use super::*;
use crate::graphql::described::DESCRIBED;

fn measure(text: &str) -> SelectionMeasure {
    let prices = &DESCRIBED.prices;
    let document = async_graphql::parser::parse_query(text).unwrap();
    let (_, operation) = document.operations.iter().next().unwrap();
    let measure = prices.operation(&document, &operation.node, &Variables::default()).0;
    assert_eq!(prices.document(&document).levels, measure.levels);
    measure
}

#[test]
fn a_fragment_is_measured_once_and_one_that_spreads_itself_ends() {
    let doubled = |i: usize| format!("fragment F{i} on Tenant {{ ...F{} ...F{} }} ", i + 1, i + 1);
    let fragments: String = (0..100).map(doubled).collect();
    let list = "fragment F100 on Tenant { virtualExtensions(first: 7) { nodes { id } } }";
    let measured = measure(&format!("{{ tenant {{ ...F0 }} }} {fragments} {list}"));
    assert_eq!((measured.cost, measured.levels.value), (u64::MAX, 4));
    let cyclic = measure("{ tenant { ...A } } fragment A on Tenant { id ...B } fragment B on Tenant { code ...A }");
    assert_eq!((cyclic.cost, cyclic.levels.value), (1, 2));
}

/// The estimate does not know which fields are merged; the answer has each only once.
#[test]
fn many_plain_fields_cost_something_whether_they_are_repeated_or_not() {
    let page = |fields: &str| format!("{{ tenant {{ extensions(first: 10) {{ nodes {{ {fields} }} }} }} }}");
    for (times, cost) in [(1, 12), (9, 12), (10, 22), (390, 402)] {
        let text = page(&"id ".repeat(times));
        assert_eq!(measure(&text).cost, cost, "{times}");
        let (document, nodes) =
            (async_graphql::parser::parse_query(text).unwrap(), vec![async_graphql::value!({ "id": "x" }); 10]);
        let data = async_graphql::value!({ "tenant": { "extensions": { "nodes": nodes } } });
        let (_, operation) = document.operations.iter().next().unwrap();
        let prices = &DESCRIBED.prices;
        assert_eq!(prices.answer(&document, &operation.node, &Variables::default(), &data), 12, "{times}");
    }
    assert_eq!(measure(&format!("{{ {} }}", "__typename ".repeat(60))).cost, 6);
    let twice = page("...F ...F") + &format!("fragment F on Extension {{ {} }}", "id ".repeat(10));
    assert_eq!(measure(&twice).cost, 32);
}

/// The error position is the list that costs most, not a field above it.
#[test]
fn the_costliest_list_is_reported() {
    let measured = measure("{ tenant { extensions(first: 3) { nodes { id } }\nqueues(first: 4) { nodes { id } } } }");
    assert_eq!((measured.cost, measured.costliest), (10, Peak { value: 5, at: Pos { line: 2, column: 1 } }));
}

#[test]
fn scans_are_recognised_however_little_they_return() {
    for text in [
        "{ tenant { virtualExtensions(first: 1, filter: {name: {contains: \"x\"}}) { totalCount } } }",
        "{ tenant { ...F } } fragment F on Tenant { queues(search: \"x\") { nodes { id } } }",
        "{ tenantLint(first: 1) { nodes { code } } }",
    ] {
        assert!(measure(text).scans, "{text}");
    }
    let page = "{ tenant { virtualExtensions(first: 100, search: null) { totalCount nodes { id } } } }";
    assert!(!measure(page).scans);
}

/// In literals and in variables, as whole inputs and single values.
#[test]
fn a_secret_that_is_hashed_is_expensive_but_costs_nothing_on_a_dry_run() {
    let measure = |text: &str, variables: serde_json::Value| {
        let document = async_graphql::parser::parse_query(text).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        let variables = Variables::from_json(variables);
        let measure = DESCRIBED.prices.operation(&document, &operation.node, &variables).0;
        (measure.cost, measure.secret)
    };
    let save = |input: &str| {
        format!(
            "mutation($i: VirtualExtensionCreateInput, $p: String, $d: Boolean = true) {{
               virtualExtensionCreate(input: {input}) {{ userErrors {{ code }} }} }}"
        )
    };
    let two = "information: {securityPin: \"7305\"}, security: {lockPin: $p}";
    let plain = measure(&save("{note: {branch: \"x\"}}"), serde_json::json!({}));
    assert!(plain.0 < 30 && !plain.1, "{plain:?}");
    let more = |pins: u64, expensive: bool| (plain.0 + 200 * pins, expensive);
    for (input, variables, pins, expensive) in [
        (format!("{{{two}}}"), serde_json::json!({ "p": "4711" }), 2, true),
        (format!("{{{two}}}"), serde_json::json!({}), 1, true),
        (format!("{{{two}, dryRun: false}}"), serde_json::json!({ "p": "4711" }), 2, true),
        (format!("{{{two}, dryRun: true}}"), serde_json::json!({ "p": "4711" }), 0, true),
        (format!("{{{two}, dryRun: $d}}"), serde_json::json!({ "p": "4711" }), 0, true),
        (format!("{{{two}, dryRun: $d}}"), serde_json::json!({ "p": "4711", "d": false }), 2, true),
        ("$i".to_owned(), serde_json::json!({ "i": { "webUserPanel": { "webPassword": "x" } } }), 1, true),
        ("$i".to_owned(), serde_json::json!({ "i": { "webUserPanel": { "webPassword": null } } }), 0, false),
        ("$i".to_owned(), serde_json::json!({ "i": { "webUserPanel": { "twoFactorSecret": "x" } } }), 0, false),
    ] {
        assert_eq!(measure(&save(&input), variables.clone()), more(pins, expensive), "{input} {variables}");
    }
}

#[test]
fn an_unknown_field_costs_as_much_as_a_plain_one() {
    assert_eq!(measure("{ nothing { is { here } } tenant { nor(here: 1) } }").cost, 3);
}
