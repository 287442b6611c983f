//! The GraphQL schema: what clients see of the service. The only layer that knows `async_graphql::Context`.

mod batch;
mod documents;
mod edit;
mod filter;
mod find;
mod form;
mod introspection;
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
mod subscription;
mod tenants;
mod variables;

use std::sync::Arc;

use async_graphql::{MergedObject, Request, Response, SDLExportOptions, Schema, ServerError, ValidationMode};
use futures_util::FutureExt as _;
use futures_util::stream::{self, BoxStream, StreamExt as _};

use batch::Batches;
use documents::Documents;
pub use documents::{Document, DocumentHash, was_executed};
use edit::ObjectMutation;
pub use limits::{Exceeded, Limit, Limits, defaults};
use lint::LintQuery;
use mutation::FormMutation;
use query::RootQuery;
use removal::{DeleteMutation, DeletePlanQuery};
pub use scope::Asking;
use scope::Scope;
use subscription::Subscriptions;
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

type TheSchema = Schema<Query, Mutation, Subscriptions>;

/// The schema with all that execution needs. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    app: App,
    /// Checks a document completely: for a text that is seen for the first time.
    strict: TheSchema,
    /// Checks what variables can change: for a text that has been checked completely before.
    fast: TheSchema,
    documents: Arc<Documents>,
    /// Whether everybody may see the schema.
    explorable: bool,
}

fn schema(mode: ValidationMode, explorable: bool) -> TheSchema {
    let schema =
        Schema::build(Query::default(), Mutation::default(), Subscriptions).validation_mode(mode).limit_depth(DEPTH);
    let schema = if explorable { schema } else { schema.disable_suggestions() };
    objects::describe(schema).finish()
}

/// The schema in the schema definition language, as `schema.graphql` keeps it.
pub fn sdl() -> String {
    schema(ValidationMode::Strict, true).sdl_with_options(SDLExportOptions::new().include_specified_by())
}

impl Api {
    /// The API of an open application. Where it is not `explorable`, the schema is for viewers with the scope `explore`,
    /// and errors suggest no names.
    pub fn new(app: App, limits: &Limits, explorable: bool) -> Self {
        let (strict, fast) = (schema(ValidationMode::Strict, explorable), schema(ValidationMode::Fast, explorable));
        Self { app, strict, fast, documents: Arc::new(Documents::new(limits.document_cache)), explorable }
    }

    /// The application behind the API.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// The document whose text has this hash, if it has been answered before.
    pub fn remembered(&self, hash: &DocumentHash) -> Option<Document> {
        self.documents.get(hash)
    }

    /// The document of a text that is new here.
    ///
    /// # Errors
    /// Where the text breaks the grammar, or declares a variable of a type that is none.
    pub fn parse(&self, text: &str) -> Result<Document, ServerError> {
        Document::parse(text)
    }

    /// What is wrong with a document, whatever its variables: nothing of it is executed.
    pub fn check(&self, document: &Document) -> Vec<ServerError> {
        // Complete validation comes before the operation is looked up, and this one does not exist: no name is empty.
        let mut request = Request::new("").operation_name("");
        request.set_parsed_query((**document.parsed()).clone());
        let response = self.strict.execute(request).now_or_never();
        let mut errors = response.map(|response| response.errors).unwrap_or_default();
        errors.retain(|error| !error.message.starts_with("Unknown operation named"));
        errors
    }

    /// Executes a request for its document, whatever its text says. A document that has been answered before is not
    /// completely validated again.
    pub async fn execute(&self, document: Document, mut request: Request, asking: Asking) -> Response {
        let errors = self.refusals(&document, &request, &asking);
        if !errors.is_empty() {
            return Response::from_errors(errors);
        }
        request.set_parsed_query((**document.parsed()).clone());
        match document {
            Document::Checked(_, document) if documents::only_reads(&document) => {
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
            Document::Checked(..) => self.run(&self.strict, request, asking).await,
            Document::New(hash, length, document) => {
                let response = self.run(&self.strict, request, asking).await;
                if was_executed(&response) {
                    self.documents.put(hash, length, document);
                }
                response
            }
        }
    }

    /// Why a request is not executed for who asks, as far as its document has been validated.
    fn refusals(&self, document: &Document, request: &Request, asking: &Asking) -> Vec<ServerError> {
        let forbidden = match self.explorable {
            true => None,
            false => introspection::refusal(document.parsed(), asking.viewer.as_ref()),
        };
        let name = request.operation_name.as_deref();
        forbidden.map_or_else(|| variables::check(document.parsed(), name, &request.variables), |error| vec![error])
    }

    /// The responses to a subscription, one for each event. A response without data is the last.
    ///
    /// Each event is resolved with a view of the database of its own, which is given back before the next is waited for.
    pub fn subscribe(&self, document: &Document, mut request: Request, asking: Asking) -> BoxStream<'static, Response> {
        let mut errors = self.refusals(document, &request, &asking);
        errors.extend(subscription::check(document.parsed(), request.operation_name.as_deref()).err());
        if !errors.is_empty() {
            return stream::once(async { Response::from_errors(errors) }).boxed();
        }
        request.set_parsed_query((**document.parsed()).clone());
        let (batches, snapshot) = (Batches::default(), Arc::clone(&asking.snapshot));
        let scope = Scope::new(&self.app, asking, batches.clone());
        let explorable = self.explorable;
        let next = move |responses: Option<BoxStream<'static, Response>>| {
            let (batches, snapshot) = (batches.clone(), Arc::clone(&snapshot));
            async move {
                let mut responses = responses?;
                let mut response = batches.drive(Arc::clone(&snapshot), responses.next()).await?;
                if !explorable {
                    introspection::keep_from_suggesting(&mut response.errors);
                }
                snapshot.renew().await;
                let goes_on = response.data != async_graphql::Value::Null;
                Some((response, goes_on.then_some(responses)))
            }
        };
        stream::unfold(Some(self.strict.execute_stream(request.data(scope))), next).boxed()
    }

    async fn run(&self, schema: &TheSchema, request: Request, asking: Asking) -> Response {
        let batches = Batches::default();
        let snapshot = Arc::clone(&asking.snapshot);
        let scope = Scope::new(&self.app, asking, batches.clone());
        let mut response = batches.drive(snapshot, schema.execute(request.data(scope))).await;
        if !self.explorable {
            introspection::keep_from_suggesting(&mut response.errors);
        }
        response
    }
}
