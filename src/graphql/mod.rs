//! The GraphQL schema: what clients see of the service. The only layer that knows `async_graphql::Context`.

mod batch;
mod documents;
mod form;
mod mutation;
mod objects;
mod query;
mod references;
mod scope;

use std::sync::Arc;

use async_graphql::{EmptySubscription, Request, Response, Schema, ValidationMode};

use batch::Batches;
use documents::Documents;
use mutation::Mutation;
use query::Query;
pub use scope::Asking;
use scope::Scope;

use crate::service::App;

/// The deepest selection: what the standard introspection query needs.
const DEPTH: usize = 16;

type TheSchema = Schema<Query, Mutation, EmptySubscription>;

/// The schema with all that execution needs. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    app: App,
    /// Checks a document completely: for a text that is seen for the first time.
    strict: TheSchema,
    /// Checks what variables can change: for a text that has been checked completely before.
    fast: TheSchema,
    documents: Arc<Documents>,
}

fn schema(mode: ValidationMode) -> TheSchema {
    let schema = Schema::build(Query, Mutation, EmptySubscription).validation_mode(mode).limit_depth(DEPTH);
    objects::describe(schema).finish()
}

/// The schema in the schema definition language, as `schema.graphql` keeps it.
pub fn sdl() -> String {
    schema(ValidationMode::Strict).sdl()
}

impl Api {
    /// The API of an open application.
    pub fn new(app: App) -> Self {
        let (strict, fast) = (schema(ValidationMode::Strict), schema(ValidationMode::Fast));
        Self { app, strict, fast, documents: Arc::default() }
    }

    /// The application behind the API.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Executes a request.
    pub async fn execute(&self, mut request: Request, asking: Asking) -> Response {
        let batches = Batches::default();
        let snapshot = Arc::clone(&asking.snapshot);
        let scope = Scope::new(self.app.clone(), asking, batches.clone());
        let known = self.documents.get(&request.query);
        let checked = known.is_some();
        let text = if checked { String::new() } else { request.query.clone() };
        match known {
            Some(document) => request.set_parsed_query((*document).clone()),
            None => match request.parsed_query() {
                Ok(_) => {}
                Err(error) => return Response::from_errors(vec![error]),
            },
        }
        let fresh = if checked { None } else { request.parsed_query().ok().cloned() };
        let schema = if checked { &self.fast } else { &self.strict };
        let response = batches.drive(snapshot, schema.execute(request.data(scope))).await;
        if let (Some(document), true) = (fresh, documents::passed(&response)) {
            self.documents.put(text, document);
        }
        response
    }
}
