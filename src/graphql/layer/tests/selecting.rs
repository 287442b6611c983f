//! Which fields are answered, and in which order.

use super::*;

#[tokio::test]
async fn keys_are_in_the_order_of_the_selection() {
    let text = "{ b: shelf { z: name any { number __typename } a: name } __typename }";
    let any = r#"[{"number":1,"__typename":"Book"},{"number":2,"__typename":"Book"},{"number":3,"__typename":"Book"}]"#;
    let shelf = format!(r#"{{"z":"Novels","any":{any},"a":"Novels"}}"#);
    assert_eq!(answer(text).await, format!(r#"{{"data":{{"b":{shelf},"__typename":"Query"}}}}"#));
}

#[tokio::test]
async fn fragments_apply_by_type_and_by_interface() {
    let text = "
        { named { kind: __typename ... on Book { number } ...N ... on Shelf { all { ...N } } ... { last: name } } }
        fragment N on Named { name }";
    let book = |n: i64, name: &str| format!(r#"{{"kind":"Book","number":{n},"name":"{name}","last":"{name}"}}"#);
    let books = [book(1, "Emma"), book(2, "Dune"), book(3, "Ulysses")].join(",");
    let all = r#"[{"name":"Emma"},{"name":"Dune"},{"name":"Ulysses"}]"#;
    let shelf = format!(r#"{{"kind":"Shelf","name":"Novels","all":{all},"last":"Novels"}}"#);
    assert_eq!(answer(text).await, format!(r#"{{"data":{{"named":[{books},{shelf}]}}}}"#));
}

#[tokio::test]
async fn repeated_selections_are_merged() {
    let text = "
        {
            named {
                ... on Book { twin { number } }
                ... on Shelf { twin: name }
                ...T
                ... on Named { ... on Book { twin { twin { number } } } }
            }
        }
        fragment T on Book { twin { name twin { name } } }";
    let book = |n: i64, name: &str| {
        format!(r#"{{"twin":{{"number":{n},"name":"{name}","twin":{{"name":"{name}","number":{n}}}}}}}"#)
    };
    let books = [book(1, "Emma"), book(2, "Dune"), book(3, "Ulysses")].join(",");
    assert_eq!(answer(text).await, format!(r#"{{"data":{{"named":[{books},{{"twin":"Novels"}}]}}}}"#));
}

#[tokio::test]
async fn a_root_field_runs_once_however_often_it_is_selected() {
    let text = "
        mutation { write { number } ...W write { late: name } other: write { number } ...W }
        fragment W on Mutation { write { name } }";
    let write = r#"{"number":1,"name":"New","late":"New"}"#;
    assert_eq!(answer(text).await, format!(r#"{{"data":{{"write":{write},"other":{{"number":2}}}}}}"#));
    assert_eq!(answer("{ times ... { times } times }").await, r#"{"data":{"times":1}}"#);
}

#[tokio::test]
async fn a_field_knows_what_is_selected_below_it() {
    let text = "
        { many { around(tell: true) { name ... on Book { twin { pages } } ...R } } }
        fragment R on Named { ... on Book { reader } }";
    let response = execute(text).await;
    assert_eq!(response.errors[0].message, "name, reader");
    let text = "{ shelf { all { sees } } }";
    let sees = |title| json!({ "sees": [title, "alone"] });
    let all = json!([sees("Emma"), sees("Dune"), sees("Ulysses")]);
    assert_eq!(json_of(&execute(text).await), json!({ "data": { "shelf": { "all": all } } }));
}
