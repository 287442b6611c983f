//! The GraphQL schema: what clients see of the service. The only layer that knows `async_graphql::Context`.

mod batch;
mod documents;
mod edit;
mod filter;
mod find;
mod form;
mod limits;
mod lint;
mod mutation;
mod numbers;
mod objects;
mod options;
mod query;
mod references;
mod referrers;
mod removal;
mod renumber;
mod scope;
mod tenants;

use std::sync::Arc;

use async_graphql::{EmptySubscription, MergedObject, Request, Response, Schema, ServerError, ValidationMode};

use batch::Batches;
use documents::Documents;
pub use documents::{Document, was_executed};
use edit::ObjectMutation;
pub use limits::{Exceeded, Limit, Limits};
use lint::LintQuery;
use mutation::FormMutation;
use query::RootQuery;
use removal::{DeleteMutation, DeletePlanQuery};
pub use scope::Asking;
use scope::Scope;
use tenants::TenantMutation;

use crate::service::App;

/// The deepest selection: what the standard introspection query needs.
const DEPTH: usize = 16;

/// What can be changed.
#[derive(Default, MergedObject)]
struct Mutation(FormMutation, ObjectMutation, DeleteMutation, TenantMutation);

/// What can be asked.
#[derive(Default, MergedObject)]
struct Query(RootQuery, DeletePlanQuery, LintQuery);

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
    let schema = Schema::build(Query::default(), Mutation::default(), EmptySubscription)
        .validation_mode(mode)
        .limit_depth(DEPTH);
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

    /// The document of a text that has been answered before.
    pub fn remembered(&self, text: &str) -> Option<Document> {
        self.documents.get(text).map(Document::Checked)
    }

    /// The document of a text that is new here.
    ///
    /// # Errors
    /// Where the text breaks the grammar.
    pub fn parse(&self, text: &str) -> Result<Document, ServerError> {
        let document = async_graphql::parser::parse_query(text)?;
        Ok(Document::New(text.to_owned(), Arc::new(document)))
    }

    /// Executes a request for its document, whatever its text says. A document that has been answered before is not
    /// completely validated again.
    pub async fn execute(&self, document: Document, mut request: Request, asking: Asking) -> Response {
        request.set_parsed_query(document.parsed().clone());
        match document {
            Document::Checked(document) if documents::only_reads(&document) => {
                let mut repeated = Request::new("").variables(request.variables.clone());
                repeated.operation_name.clone_from(&request.operation_name);
                let response = self.run(&self.fast, request, asking.clone()).await;
                if !response.errors.iter().any(documents::is_about_input) {
                    return response;
                }
                // What is wrong with a variable is only told in full by complete validation; a read may be repeated.
                repeated.set_parsed_query((*document).clone());
                self.run(&self.strict, repeated, asking).await
            }
            // All variables of a mutation are checked before its first field is executed.
            Document::Checked(_) => self.run(&self.strict, request, asking).await,
            Document::New(text, document) => {
                let response = self.run(&self.strict, request, asking).await;
                if was_executed(&response) {
                    self.documents.put(text, document);
                }
                response
            }
        }
    }

    async fn run(&self, schema: &TheSchema, request: Request, asking: Asking) -> Response {
        let batches = Batches::default();
        let snapshot = Arc::clone(&asking.snapshot);
        let scope = Scope::new(&self.app, asking, batches.clone());
        batches.drive(snapshot, schema.execute(request.data(scope))).await
    }
}
