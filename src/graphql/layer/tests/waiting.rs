//! What waits, and what waits concurrently.

use std::time::Duration;

use super::*;

#[tokio::test]
async fn fields_of_all_entries_start_before_one_finishes() {
    // Each waits until a hundred of them do.
    let waiting = execute("{ many { late } }");
    let response = tokio::time::timeout(Duration::from_secs(10), waiting).await.unwrap();
    let expected: Vec<_> = (1..=100).map(|n| json!({ "late": n })).collect();
    assert_eq!(json_of(&response), json!({ "data": { "many": expected } }));
}

#[tokio::test]
async fn fields_below_fields_that_wait_run_concurrently() {
    let waiting = execute("{ many { around { ... on Book { twin { late } } } } }");
    let response = tokio::time::timeout(Duration::from_secs(10), waiting).await.unwrap();
    let expected: Vec<_> = (1..=100).map(|n| json!({ "around": { "twin": { "late": n } } })).collect();
    assert_eq!(json_of(&response), json!({ "data": { "many": expected } }));
}

#[tokio::test]
async fn a_prepared_thing_is_loaded_once_per_object_and_only_if_needed() {
    let text = "{ named { ... on Book { number reader name returned again: reader } } times }";
    let book = |n: i64, name: &str| {
        let reader = format!("Reader {n} of look-up {n}");
        format!(r#"{{"number":{n},"reader":"{reader}","name":"{name}","returned":false,"again":"{reader}"}}"#)
    };
    let response = execute(text).await;
    // The third prepared thing cannot be loaded: the error nulls its first non-nullable field and the parents of that.
    assert_eq!(json_of(&response)["errors"][0]["path"], json!(["named", 2, "reader"]));
    assert_eq!(json_of(&response)["errors"][0]["code"], "LOST");
    assert_eq!(response.data, Value::Null);

    let text = "mutation { a: write { number reader name returned again: reader } b: write { number } }";
    let write = book(1, "New").replace("look-up 1", "look-up 2");
    assert_eq!(answer(text).await, format!(r#"{{"data":{{"a":{write},"b":{{"number":3}}}}}}"#));

    let text = "{ shelf { some { name returned } } times }";
    let response = execute(text).await;
    let book = |name, returned| json!({ "name": name, "returned": returned });
    let some = json!([book("Emma", json!(false)), book("Dune", json!(false)), book("Ulysses", json!(null))]);
    assert_eq!(json_of(&response)["data"]["shelf"]["some"], some);
    assert_eq!(json_of(&response)["errors"][0]["path"], json!(["shelf", "some", 2, "returned"]));
}

#[tokio::test]
async fn fields_of_the_original_thing_do_not_wait_for_the_prepared_one() {
    // The barrier opens only if all hundred `late` run, whatever happens to the prepared things.
    let waiting = execute("{ many { late returned } }");
    let response = tokio::time::timeout(Duration::from_secs(10), waiting).await.unwrap();
    assert_eq!(response.errors.len(), 1);
    let many = json_of(&response)["data"]["many"].take();
    assert_eq!(many[99], json!({ "late": 100, "returned": false }));
    assert_eq!(many[2], json!({ "late": 3, "returned": null }));
}
