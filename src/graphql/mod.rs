//! The GraphQL schema: what clients see of the service. The only layer that knows `async_graphql::Context`.

mod answer;
mod batch;
mod cost;
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
mod prices;
mod query;
mod references;
mod referrers;
mod removal;
mod renumber;
mod scope;
mod tenants;

use std::sync::{Arc, LazyLock};

use async_graphql::{EmptySubscription, MergedObject, Request, Response, Schema, ServerError, ValidationMode};

pub use answer::{Cost, to_json};
use batch::Batches;
use cost::Peak;
use documents::Documents;
pub use documents::{Document, was_executed};
use edit::ObjectMutation;
pub use limits::{Exceeded, Limit, Limits};
use lint::LintQuery;
use mutation::FormMutation;
use prices::Prices;
use query::RootQuery;
use removal::{DeleteMutation, DeletePlanQuery};
pub use scope::Asking;
use scope::Scope;
use tenants::TenantMutation;

use crate::form::Budget;
use crate::service::App;
use crate::store::Snapshot;

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
    limits: Arc<Limits>,
}

fn schema(mode: ValidationMode, limits: &Limits) -> TheSchema {
    // Selections are bounded before, see `Api::cost`. This bounds what stands in them without being one, fragments in
    // fragments, also those that spread themselves: one for each level.
    let nesting = 2 * limits.max_depth.max(limits.max_introspection_depth);
    let schema = Schema::build(Query::default(), Mutation::default(), EmptySubscription)
        .validation_mode(mode)
        .limit_recursive_depth(nesting);
    objects::describe(schema).finish()
}

/// What the fields of the schema cost.
static PRICES: LazyLock<Prices> = LazyLock::new(|| match Prices::read(&sdl()) {
    Ok(prices) => prices,
    Err(error) => unreachable!("the schema can be read: {error}"),
});

/// The schema in the schema definition language, as `schema.graphql` keeps it.
pub fn sdl() -> String {
    schema(ValidationMode::Strict, &Limits::default()).sdl()
}

impl Api {
    /// The API of an open application.
    pub fn new(app: App, limits: Limits) -> Self {
        let (strict, fast) = (schema(ValidationMode::Strict, &limits), schema(ValidationMode::Fast, &limits));
        LazyLock::force(&PRICES);
        Self { app, strict, fast, documents: Arc::default(), limits: Arc::new(limits) }
    }

    /// The application behind the API.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// A view of the database for a request that begins now, and that ends when its time is over.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::new(self.app.snapshot().until(self.limits.request_timeout))
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

    /// What a request would cost. An operation that does not exist costs nothing: execution says so.
    ///
    /// # Errors
    /// The limit that it passes: of depth, of introspection or of cost.
    pub fn cost(&self, document: &Document, request: &Request) -> Result<u64, Exceeded> {
        let Limits { max_depth, max_introspection_depth, max_introspection_lists, max_cost, .. } = *self.limits;
        let parsed = document.parsed();
        if let Document::New(..) = document {
            let all = PRICES.document(parsed);
            all.levels.within(Limit::Depth, max_depth as u64)?;
            all.introspection_levels.within(Limit::IntrospectionDepth, max_introspection_depth as u64)?;
            all.introspection_lists.within(Limit::IntrospectionLists, max_introspection_lists as u64)?;
        }
        let operation = documents::operation(parsed, request.operation_name.as_deref());
        let Some(operation) = operation else { return Ok(0) };
        let measure = PRICES.operation(parsed, operation, &request.variables);
        Peak { value: measure.cost, ..measure.dearest }.within(Limit::Cost, max_cost)?;
        Ok(measure.cost)
    }

    /// Executes a request for its document, whatever its text says, and says what it has cost: at first `requested`,
    /// as [`Api::cost`] answered, which also stands in the answer. A document that has been answered before is not
    /// completely validated again.
    pub async fn execute(
        &self,
        document: Document,
        request: Request,
        asking: Asking,
        requested: u64,
    ) -> (Response, Cost) {
        let (name, variables) = (request.operation_name.clone(), request.variables.clone());
        let parsed = Arc::clone(document.shared());
        let mut response = self.validate_and_run(document, request, asking).await;
        let actual = match documents::operation(&parsed, name.as_deref()) {
            Some(operation) if was_executed(&response) && response.errors.is_empty() => {
                PRICES.answer(&parsed, operation, &variables, &response.data)
            }
            // Where something failed, it is not known how much was done until then.
            Some(_) if was_executed(&response) => requested,
            _ => 0,
        };
        let cost = Cost { requested, actual };
        if was_executed(&response) {
            response.extensions.insert("cost".into(), cost.value());
        }
        answer::shorten_errors(&mut response, &self.limits);
        (response, cost)
    }

    async fn validate_and_run(&self, document: Document, mut request: Request, asking: Asking) -> Response {
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
        let refuse = |allowed, actual| Exceeded { limit: Limit::Cost, allowed, actual, at: None }.of_field();
        let budget = Budget::new(self.limits.max_cost, refuse);
        let scope = Scope::new(self.app.clone(), asking, batches.clone(), budget.clone());
        batches.drive(snapshot, schema.execute(request.data(scope).data(budget))).await
    }
}
