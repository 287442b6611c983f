//! The GraphQL schema: what clients see of the service. The only layer that knows `async_graphql::Context`.

mod answer;
mod batch;
mod cost;
mod documents;
mod edit;
mod filter;
mod find;
mod form;
mod hashed;
mod introspection;
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
mod subscription;
mod tenants;
mod variables;

use std::sync::{Arc, LazyLock};

use async_graphql::{MergedObject, Request, Response, SDLExportOptions, Schema, ServerError, ValidationMode};
use futures_util::FutureExt as _;
use futures_util::stream::{self, BoxStream, StreamExt as _};

pub use answer::{Cost, Estimate, to_json};
use batch::Batches;
use cost::Peak;
use documents::Documents;
pub use documents::{Document, DocumentHash, was_executed};
use edit::ObjectMutation;
pub use limits::{Exceeded, Limit, Limits, defaults};
use lint::LintQuery;
use mutation::{FormMutation, SectionMutation};
use prices::Prices;
use query::RootQuery;
use removal::{DeleteMutation, DeletePlanQuery};
pub use scope::Asking;
use scope::Scope;
use subscription::Subscriptions;
use tenants::TenantMutation;

use crate::form::Budget;
use crate::service::App;
use crate::store::{Snapshot, Tally};

/// What can be changed.
#[derive(Default, MergedObject)]
struct Mutation(FormMutation, SectionMutation, ObjectMutation, DeleteMutation, TenantMutation);

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
    limits: Arc<Limits>,
    /// Whether everybody may see the schema.
    explorable: bool,
}

fn schema(mode: ValidationMode, limits: &Limits, explorable: bool) -> TheSchema {
    // Selections are bounded before, see `Api::estimate`. This bounds what stands in them without being one, fragments in
    // fragments, also those that spread themselves: one for each level.
    let nesting = 2 * limits.max_depth.max(limits.max_introspection_depth);
    let schema = Schema::build(Query::default(), Mutation::default(), Subscriptions)
        .validation_mode(mode)
        .limit_recursive_depth(nesting);
    let schema = if explorable { schema } else { schema.disable_suggestions() };
    objects::describe(schema).finish()
}

/// The bytes of text from which it may take long to find out that it is not valid: some 10 ms for 10 KB of wrong names.
const LONG: usize = 2048;

/// What the fields of the schema cost.
static PRICES: LazyLock<Prices> = LazyLock::new(|| match Prices::read(&sdl()) {
    Ok(prices) => prices,
    Err(error) => unreachable!("the schema can be read: {error}"),
});

/// The schema in the schema definition language, as `schema.graphql` keeps it.
pub fn sdl() -> String {
    let schema = schema(ValidationMode::Strict, &Limits::default(), true);
    schema.sdl_with_options(SDLExportOptions::new().include_specified_by())
}

/// Says of a document whether it is valid; needs no application.
pub struct Validator(TheSchema);

impl Validator {
    /// By the schema and its limits, as [`Api::new`] takes them.
    pub fn new(limits: &Limits, explorable: bool) -> Self {
        Self(schema(ValidationMode::Strict, limits, explorable))
    }

    /// The document of a text, of which no variables are known.
    ///
    /// # Errors
    /// What is wrong with it, as far as that is seen without executing anything.
    pub fn document(&self, text: &str) -> Result<Document, ServerError> {
        let document = Document::parse(text)?;
        self.errors(&document).into_iter().next().map_or_else(|| Ok(document.checked()), Err)
    }

    /// What is wrong with a document, whatever its variables: nothing of it is executed.
    fn errors(&self, document: &Document) -> Vec<ServerError> {
        // Complete validation comes before the operation is looked up, and this one does not exist: no name is empty.
        let mut request = Request::new("").operation_name("");
        request.set_parsed_query((**document.parsed()).clone());
        let response = self.0.execute(request).now_or_never();
        let mut errors = response.map(|response| response.errors).unwrap_or_default();
        errors.retain(|error| !error.message.starts_with("Unknown operation named"));
        errors
    }
}

impl Api {
    /// The API of an open application. Where it is not `explorable`, the schema is for viewers with the scope `explore`,
    /// and errors suggest no names.
    pub fn new(app: App, limits: Limits, explorable: bool) -> Self {
        let schema = |mode| schema(mode, &limits, explorable);
        let (strict, fast) = (schema(ValidationMode::Strict), schema(ValidationMode::Fast));
        LazyLock::force(&PRICES);
        let documents = Arc::new(Documents::new(limits.document_cache));
        Self { app, strict, fast, documents, limits: Arc::new(limits), explorable }
    }

    /// The application behind the API.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// A view of the database for a request that begins now, and that ends when its time is over. Its statements are
    /// counted; one that is expensive reads apart from the others.
    pub fn snapshot(&self, tally: &Arc<Tally>, expensive: bool) -> Arc<Snapshot> {
        Arc::new(self.app.snapshot_for(Arc::clone(tally), expensive).until(self.limits.request_timeout))
    }

    /// The document whose text has this hash, if it has been answered before.
    pub fn remembered(&self, hash: &DocumentHash) -> Option<Document> {
        self.documents.get(hash)
    }

    /// What says of a document whether it is valid.
    pub fn validator(&self) -> Validator {
        Validator(self.strict.clone())
    }

    /// The document of a text that is new here.
    ///
    /// # Errors
    /// Where the text breaks the grammar, or declares a variable of a type that is none.
    pub fn parse(&self, text: &str) -> Result<Document, ServerError> {
        Document::parse(text)
    }

    /// A document that has passed complete validation; from now on it is remembered.
    ///
    /// # Errors
    /// What is wrong with it, whatever its variables.
    pub fn checked(&self, document: Document) -> Result<Document, Vec<ServerError>> {
        let Document::New(hash, length, parsed) = &document else { return Ok(document) };
        let mut errors = self.validator().errors(&document);
        if errors.is_empty() {
            self.documents.put(*hash, *length, Arc::clone(parsed));
            return Ok(document.checked());
        }
        if !self.explorable {
            introspection::keep_from_suggesting(&mut errors);
        }
        Err(errors)
    }

    /// What a request would take. An operation that does not exist takes nothing: execution says so.
    ///
    /// # Errors
    /// The limit that it passes: of depth, of introspection or of cost.
    pub fn estimate(&self, document: &Document, request: &Request) -> Result<Estimate, Exceeded> {
        let Limits { max_depth, max_introspection_depth, max_introspection_lists, max_cost, .. } = *self.limits;
        let parsed = document.parsed();
        if let Document::New(..) = document {
            let all = PRICES.document(parsed);
            all.levels.within(Limit::Depth, max_depth as u64)?;
            all.introspection_levels.within(Limit::IntrospectionDepth, max_introspection_depth as u64)?;
            all.introspection_lists.within(Limit::IntrospectionLists, max_introspection_lists as u64)?;
        }
        let operation = document.selected(request.operation_name.as_deref());
        let Some((_, operation)) = operation else { return Ok(Estimate::default()) };
        let measure = PRICES.operation(parsed, operation, &request.variables);
        Peak { value: measure.cost, ..measure.dearest }.within(Limit::Cost, max_cost)?;
        let is_long = matches!(document, Document::New(_, length, _) if *length > LONG);
        Ok(Estimate { cost: measure.cost, may_take_long: measure.walks || measure.secret || is_long })
    }

    /// Executes a request for its document, whatever its text says, and says what it has cost: at first `requested`,
    /// as [`Api::estimate`] answered, which also stands in the answer. A document that has been answered before is not
    /// completely validated again.
    pub async fn execute(
        &self,
        document: Document,
        request: Request,
        asking: Asking,
        requested: u64,
    ) -> (Response, Cost) {
        let errors = self.refusals(&document, &request, &asking);
        let (name, variables, checked) = (request.operation_name.clone(), request.variables.clone(), document.clone());
        let mut response = match errors.is_empty() {
            // The state of an execution is large: it stays off the stack of who polls it.
            true => Box::pin(self.validate_and_run(document, request, asking)).await,
            false => Response::from_errors(errors),
        };
        let actual = match checked.selected(name.as_deref()) {
            Some((_, operation)) if was_executed(&response) && response.errors.is_empty() => {
                PRICES.answer(checked.parsed(), operation, &variables, &response.data)
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
        let (budget, limits) = (self.budget(), Arc::clone(&self.limits));
        let scope = Scope::new(&self.app, asking, batches.clone(), budget.clone());
        let data = request.data(scope).data(budget.clone());
        let explorable = self.explorable;
        let next = move |responses: Option<BoxStream<'static, Response>>| {
            let (batches, snapshot) = (batches.clone(), Arc::clone(&snapshot));
            let (budget, limits) = (budget.clone(), Arc::clone(&limits));
            async move {
                let mut responses = responses?;
                budget.renew();
                let mut response = batches.drive(Arc::clone(&snapshot), responses.next()).await?;
                if !explorable {
                    introspection::keep_from_suggesting(&mut response.errors);
                }
                answer::shorten_errors(&mut response, &limits);
                snapshot.renew().await;
                let goes_on = response.data != async_graphql::Value::Null;
                Some((response, goes_on.then_some(responses)))
            }
        };
        stream::unfold(Some(self.strict.execute_stream(data)), next).boxed()
    }

    async fn run(&self, schema: &TheSchema, request: Request, asking: Asking) -> Response {
        let batches = Batches::default();
        let snapshot = Arc::clone(&asking.snapshot);
        let budget = self.budget();
        let scope = Scope::new(&self.app, asking, batches.clone(), budget.clone());
        let execution = Box::pin(schema.execute(request.data(scope).data(budget)));
        let mut response = batches.drive(snapshot, execution).await;
        if !self.explorable {
            introspection::keep_from_suggesting(&mut response.errors);
        }
        response
    }

    /// What may be answered to one request.
    fn budget(&self) -> Budget {
        let refuse = |allowed, actual| Exceeded { limit: Limit::Cost, allowed, actual, at: None }.of_field();
        Budget::new(self.limits.max_cost, refuse)
    }
}
