//! Where errors end, and their contents.

use super::*;

fn torn(path: Json, line: usize, column: usize) -> Json {
    json!({ "locations": [{ "line": line, "column": column }], "path": path, "code": "TORN" })
}

#[tokio::test]
async fn an_error_propagates_to_the_nearest_nullable_place() {
    let pages = |n| json!({ "pages": n });
    let some = json!([pages(100), null, pages(300)]);
    for (list, expected) in [
        ("all", json!(null)),
        ("some", json!({ "some": some })),
        ("whole", json!({ "whole": null })),
        ("any", json!({ "any": some })),
    ] {
        let response = execute(&format!("{{ maybe {{ {list} {{ pages }} }} }}")).await;
        let error = torn(json!(["maybe", list, 1, "pages"]), 1, 14 + list.len());
        assert_eq!(json_of(&response), json!({ "data": { "maybe": expected }, "errors": [error] }), "{list}");
    }
    let response = execute("{ shelf { all { pages } } endless }").await;
    let error = torn(json!(["shelf", "all", 1, "pages"]), 1, 17);
    assert_eq!(json_of(&response), json!({ "data": null, "errors": [error] }));
}

#[tokio::test]
async fn errors_of_nullable_places_are_in_the_order_of_the_places() {
    let text = "{\n  maybe {\n    some { around { ... on Book { b: size } } a: size }\n    more: any { size }\n  }\n}";
    let size = |n| json!({ "size": n });
    let both = |n| json!({ "around": { "b": n }, "a": n });
    let maybe = json!({
        "some": [both(json!(100)), both(json!(null)), both(json!(300))],
        "more": [size(json!(100)), size(json!(null)), size(json!(300))],
    });
    let errors = json!([
        torn(json!(["maybe", "some", 1, "around", "b"]), 3, 35),
        torn(json!(["maybe", "some", 1, "a"]), 3, 47),
        torn(json!(["maybe", "more", 1, "size"]), 4, 17),
    ]);
    assert_eq!(json_of(&execute(text).await), json!({ "data": { "maybe": maybe }, "errors": errors }));
}

#[tokio::test]
async fn an_error_of_a_field_that_waits_has_a_path() {
    let text = "{ shelf { any { number around(tell: true) { x: name } } } }";
    let error = |i| {
        json!({
            "locations": [{ "line": 1, "column": 24 }], "path": ["shelf", "any", i, "around"], "code": "TOLD"
        })
    };
    let expected =
        json!({ "data": { "shelf": { "any": [null, null, null] } }, "errors": [error(0), error(1), error(2)] });
    assert_eq!(json_of(&execute(text).await), expected);
}

#[tokio::test]
async fn an_answer_of_another_type_is_an_internal_error() {
    for (field, column) in [("lies", 19), ("heavy", 19)] {
        let response = execute(&format!("{{ maybe {{ whole {{ {field} }} }} }}")).await;
        let error = &json_of(&response)["errors"][0];
        assert_eq!(error["code"], "INTERNAL");
        assert_eq!(error["path"], json!(["maybe", "whole", 0, field]));
        assert_eq!(error["locations"], json!([{ "line": 1, "column": column }]));
        assert_eq!(response.errors[0].message, "Something went wrong in the server.");
    }
    let response = execute("{ maybe { whole { lies } name } }").await;
    assert_eq!(json_of(&response)["data"], json!({ "maybe": { "whole": null, "name": "Novels" } }));
}

#[tokio::test]
async fn entries_of_lists_without_pages_are_counted() {
    let refuse = |most, actual| coded("TOO_MUCH", format!("{actual} of {most}"));
    for (most, expected) in [(20, None), (19, Some("20 of 19"))] {
        let budget = crate::graphql::budget::Budget::new(most, refuse);
        let response = schema().execute(request("{ endless again: endless }", json!({})).data(budget)).await;
        assert_eq!(response.errors.first().map(|error| error.message.as_str()), expected);
    }
    assert_eq!(json_of(&execute("{ endless }").await)["data"]["endless"].as_array().unwrap().len(), 10);
}
