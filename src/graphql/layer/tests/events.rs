//! Subscriptions.

use super::*;

async fn responses(text: &str) -> Vec<Json> {
    schema().execute_stream(request(text, json!({}))).map(|response| json_of(&response)).collect().await
}

#[tokio::test]
async fn every_event_has_its_own_errors() {
    let found = responses("subscription { w: written { number size around { name } } }").await;
    let event = |n: i64, size: Json, name: &str| json!({ "data": { "w": { "number": n, "size": size, "around": { "name": name } } } });
    let mut second = event(2, json!(null), "Dune");
    let at = json!([{ "line": 1, "column": 36 }]);
    second["errors"] = json!([{ "locations": at, "path": ["w", "size"], "code": "TORN" }]);
    let over = json!({ "locations": [{ "line": 1, "column": 16 }], "path": ["w"], "code": "OVER" });
    let last = json!({ "data": null, "errors": [over] });
    assert_eq!(found, [event(1, json!(100), "Emma"), second, event(3, json!(300), "Ulysses"), last]);
}

#[tokio::test]
async fn an_event_without_data_is_not_the_last() {
    let found = responses("subscription { written { pages } }").await;
    let paths: Vec<_> = found.iter().map(|response| response["errors"][0]["path"].clone()).collect();
    assert_eq!(paths, [json!(null), json!(["written", "pages"]), json!(null), json!(["written"])]);
    assert_eq!(found[1]["data"], json!(null));
    assert_eq!(found[2]["data"], json!({ "written": { "pages": 300 } }));
}

#[tokio::test]
async fn a_subscription_that_cannot_start_reports_one_error() {
    let found = responses("subscription { written(of: \"nobody\") { number } }").await;
    let error = json!({ "locations": [{ "line": 1, "column": 16 }], "path": ["written"], "code": "NOT_FOUND" });
    assert_eq!(found, [json!({ "data": null, "errors": [error] })]);
}
