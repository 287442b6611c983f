//! Tests of the layer with an invented schema: a library.

mod asking;
mod errors;
mod events;
mod selecting;
mod waiting;

use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql::{Error, Name, Request, Response, SDLExportOptions, Schema, Value, Variables};
use futures_util::stream::{self, StreamExt as _};
use serde_json::{Value as Json, json};
use tokio::sync::Barrier;

use super::args::Args;
use super::*;
use crate::graphql::errors::coded;

struct Ours;

static LAYER: LazyLock<Layer> = LazyLock::new(layer);

impl LayerSource for Ours {
    fn layer() -> &'static Layer {
        &LAYER
    }
}

#[derive(Clone)]
struct Book {
    number: i64,
    title: &'static str,
}

/// What a look-up adds to a book.
struct Loan {
    reader: String,
}

struct Shelf {
    name: &'static str,
    books: Vec<Book>,
}

/// Counts calls.
#[derive(Default)]
struct Counted(AtomicUsize);

impl Counted {
    fn one_more(&self) -> i64 {
        self.0.fetch_add(1, Ordering::Relaxed) as i64 + 1
    }
}

fn books() -> Vec<Book> {
    [(1, "Emma"), (2, "Dune"), (3, "Ulysses")].map(|(number, title)| Book { number, title }).into()
}

fn shelf() -> Shelf {
    Shelf { name: "Novels", books: books() }
}

/// Fails for the second book.
fn pages(book: &Book) -> Result<i64, Error> {
    if book.number == 2 { Err(coded("TORN", "The pages are torn.")) } else { Ok(100 * book.number) }
}

fn loan(book: &Book, call: Call<'_>) -> Result<Thing, Error> {
    let times = call.data::<Counted>()?.one_more();
    if book.number == 3 {
        return Err(coded("LOST", "The card is lost."));
    }
    Ok(Thing::new(Loan { reader: format!("Reader {} of look-up {times}", book.number) }))
}

fn book_list(shelf: &Shelf) -> Node {
    Node::objects("Book", shelf.books.clone())
}

fn named() -> Interface {
    let name = SchemaField::new("name", "String!", "What it is called.", Resolver::Elsewhere);
    interface("Named", "Whatever has a name.", [name])
}

fn book() -> ObjectBuilder<Loan> {
    object::<Book>("Book", "A book.")
        .implements("Named")
        .now("name", "String!", "What it is called.", |book| book.title.into())
        .now("number", "Int!", "Its number.", |book| book.number.into())
        .field(asking("pages", "Int!", "How many pages it has.", |book: &Book, _| Ok(pages(book)?.into())))
        .field(asking("size", "Int", "The same, but nobody minds.", |book: &Book, _| Ok(pages(book)?.into())))
        .now("lies", "Int!", "Answers null, which its type does not allow.", |_| Node::Null)
        .now("twin", "Book", "Itself.", |book| Node::object("Book", book.clone()))
        .now("heavy", "Float", "Where a list stands instead.", |_| Node::List(Vec::new()))
        .later("late", "Int!", "Comes when all 100 are asked for.", |book, call| {
            Box::pin(async move {
                call.data::<Barrier>()?.wait().await;
                Ok(book.number.into())
            })
        })
        .now("sees", "[String!]!", "Its title, and that it stands alone.", |book| vec![book.title, "alone"].into())
        .later("around", "Named!", "Itself, later.", |book, call| {
            Box::pin(async move {
                let seen: Vec<_> = ["name", "pages", "reader"].into_iter().filter(|name| call.selects(name)).collect();
                if call.args.bool("tell")?.unwrap_or_default() {
                    return Err(coded("TOLD", seen.join(", ")));
                }
                Ok(Node::object("Book", book.clone()))
            })
        })
        .arg("tell", "Boolean", "Whether to tell what is selected of it.")
        .prepare::<Loan>(|book, call| Box::pin(async move { loan(book, call) }))
        .now("reader", "String!", "Who reads it.", |loan| loan.reader.as_str().into())
        .now("returned", "Boolean", "Whether it is back.", |_| false.into())
}

/// A field that is answered at once, from its arguments.
fn asking<T: Send + Sync + 'static>(
    name: &'static str,
    ty: &str,
    about: &'static str,
    get: fn(&T, &Args) -> Result<Node, Error>,
) -> SchemaField {
    SchemaField::new(name, ty, about, Resolver::now(move |thing, args| get(thing.get()?, args)))
}

fn times() -> SchemaField {
    let answer = Resolver::later(|_, call| Box::pin(async move { Ok(call.data::<Counted>()?.one_more().into()) }));
    SchemaField::new("times", "Int!", "How often this was run.", answer)
}

fn asked() -> InputObject {
    input("Asked", "All sorts of input.")
        .field("word", "Sort", "A choice.")
        .default(Value::Enum(Name::new("BOOK")))
        .field("ids", "[ID!]", "Ids.")
        .fields([InputValue { secret: true, ..InputValue::new("pin", "String", "A secret.") }])
        .field("within", "Asked", "The same again.")
        .field("day", "Day", "A day.")
}

fn layer() -> Layer {
    let query = object::<()>("Query", "What can be asked.")
        .now("shelf", "Shelf!", "The shelf.", |()| Node::object("Shelf", shelf()))
        .now("maybe", "Shelf", "The shelf, or not.", |()| Node::object("Shelf", shelf()))
        .now("named", "[Named!]!", "All that has a name.", |()| {
            let books = books().into_iter().map(|book| Node::object("Book", book));
            books.chain([Node::object("Shelf", shelf())]).collect()
        })
        .now("many", "[Book!]!", "A hundred books.", |()| {
            Node::objects("Book", (1..=100).map(|number| Book { number, title: "One of many" }))
        })
        .now("endless", "[Int!]!", "Counted numbers.", |()| Node::Counted((1..=10_i64).map(Node::from).collect()))
        .field(asking("echo", "String!", "What arrives.", |(): &(), args| Ok(format!("{:?}", args.0).into())))
        .args([InputValue { default: Some(7.into()), ..InputValue::new("count", "Int!", "A number.") }])
        .arg("input", "Asked", "An object.")
        .arg("exact", "OneOf", "One of several.")
        .field(SchemaField { deprecated: Some("Ask `echo`.".into()), ..times() });
    let mutation = object::<()>("Mutation", "What can be changed.").later("write", "Book!", "Writes.", |(), call| {
        Box::pin(async move {
            let number = call.data::<Counted>()?.one_more();
            Ok(Node::object("Book", Book { number, title: "New" }))
        })
    });
    let written = Resolver::Stream(|call| {
        Box::pin(async move {
            if call.args.text("of")? == Some("nobody") {
                return Err(coded("NOT_FOUND", "There is nobody."));
            }
            let last = stream::once(async { Err(coded("OVER", "That is all.")) });
            Ok(stream::iter(books()).map(|book| Ok(Node::object("Book", book))).chain(last).boxed())
        })
    });
    let written = SchemaField::new("written", "Book!", "Books as they are written.", written);
    let written = written.arg(InputValue::new("of", "String", "By whom."));
    let shelf = object::<Shelf>("Shelf", "A shelf.")
        .implements("Named")
        .now("name", "String!", "What it is called.", |shelf| shelf.name.into())
        .now("all", "[Book!]!", "Its books.", book_list)
        .now("some", "[Book]!", "Its books, or some of them.", book_list)
        .now("whole", "[Book!]", "Its books, or none of them.", book_list)
        .now("any", "[Book]", "Its books, if you like.", book_list);
    Layer::new("Query", "Mutation", "Subscription")
        .with(query)
        .with(mutation)
        .with(object::<()>("Subscription", "What can be followed.").field(written))
        .with(shelf)
        .with(book())
        .with(named())
        .with(asked())
        .with(input("OneOf", "One of two.").one_of().field("a", "Int", "One.").field("b", "String", "The other."))
        .with(enumeration("Sort", "What there is.", [("BOOK", "A book."), ("SHELF", "A shelf.")]))
        .with(scalar("Day", "A day.", Some("https://example.org/day"), PlainType::String))
}

type TheSchema = Schema<Query<Ours>, Mutation<Ours>, Subscription<Ours>>;

fn schema() -> TheSchema {
    Schema::new(Query::default(), Mutation::default(), Subscription::default())
}

fn request(text: &str, variables: Json) -> Request {
    let request = Request::new(text).variables(Variables::from_json(variables));
    request.data(Counted::default()).data(StartedKeys::default()).data(Barrier::new(100))
}

async fn execute(text: &str) -> Response {
    schema().execute(request(text, json!({}))).await
}

fn json_of(response: &Response) -> Json {
    let mut json = json!({ "data": response.data });
    if !response.errors.is_empty() {
        let mut errors = serde_json::to_value(&response.errors).unwrap();
        for error in errors.as_array_mut().unwrap() {
            error["code"] = error["extensions"]["code"].take();
            error.as_object_mut().unwrap().retain(|key, _| ["path", "locations", "code"].contains(&key.as_str()));
        }
        json["errors"] = errors;
    }
    json
}

/// The answer to a text, as text: the order of the keys matters.
async fn answer(text: &str) -> String {
    json_of(&execute(text).await).to_string()
}

#[test]
fn the_types_fit_together_and_problems_are_reported() {
    assert_eq!(LAYER.problems(), Vec::<String>::new());
    let wrong = Layer::new("Query", "", "Missing")
        .with(object::<()>("Query", "").now("a", "[Nothing!", "", |()| Node::Null).arg("b", "Query", ""))
        .with(object::<()>("Query", ""))
        .with_all([scalar("Day", "A day.", None, PlainType::String), scalar("Day", "A day.", None, PlainType::String)])
        .with(scalar("Day", "A number.", None, PlainType::Int))
        .with(object::<()>("Other", "").implements("Named").implements("Sort"))
        .with(named());
    let problems = [
        "Query is defined twice.",
        "Day is defined twice.",
        "The root object Missing is not defined.",
        "Query.a answers [Nothing, which is not an output type.",
        "Query.a.b takes Query, which is not an input type.",
        "Other.name is not as Named has it.",
        "Other implements Sort, which is not an interface.",
    ];
    assert_eq!(wrong.problems(), problems);
}

#[test]
fn the_schema_is_printed_with_all_that_describes_it() {
    let sdl = schema().sdl_with_options(SDLExportOptions::new().include_specified_by());
    let parts = [
        "\"\"\"\nA book.\n\"\"\"\ntype Book implements Named {\n\t\"\"\"\n\tWhat it is called.\n\t\"\"\"\n\tname: String!\n",
        "\taround(\n\t\t\"\"\"\n\t\tWhether to tell what is selected of it.\n\t\t\"\"\"\n\t\ttell: Boolean\n\t): Named!\n",
        "\"\"\"\nWhatever has a name.\n\"\"\"\ninterface Named {\n",
        "\tword: Sort = BOOK\n",
        "\t\tcount: Int! = 7,\n",
        "\ttimes: Int! @deprecated(reason: \"Ask `echo`.\")\n",
        "input OneOf @oneOf {\n",
        "enum Sort {\n\t\"\"\"\n\tA book.\n\t\"\"\"\n\tBOOK\n",
        "scalar Day @specifiedBy(url: \"https://example.org/day\")\n",
        "schema {\n\tquery: Query\n\tmutation: Mutation\n\tsubscription: Subscription\n}\n",
    ];
    for part in parts {
        assert!(sdl.contains(part), "{part} is not in\n{sdl}");
    }
}

#[tokio::test]
async fn the_schema_answers_introspection() {
    let text = "{ __type(name: \"Named\") { kind possibleTypes { name } } }";
    let types = r#"[{"name":"Shelf"},{"name":"Book"}]"#;
    let expected = format!(r#"{{"data":{{"__type":{{"kind":"INTERFACE","possibleTypes":{types}}}}}}}"#);
    assert_eq!(answer(text).await, expected);
}
