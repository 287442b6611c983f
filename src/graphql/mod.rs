//! The GraphQL schema: what clients see of the service. The only layer that knows `async_graphql::Context`.

mod answer;
mod batch;
mod budget;
mod cost;
mod documents;
mod errors;
mod hashed;
mod introspection;
mod layer;
mod limits;
mod plan;
mod planned;
mod prices;
mod schema;
mod scope;
mod syntax;
mod validation;
mod variables;

use std::sync::{Arc, LazyLock};

use async_graphql::parser::types::{OperationDefinition, OperationType};
use async_graphql::{Request, SDLExportOptions, Schema, ServerError, ValidationMode, Variables};
use futures_util::stream::{self, BoxStream, StreamExt as _};
use prometheus_client::registry::Registry;

pub use answer::{Cost, Estimate, Reply};
use batch::Batches;
use budget::Budget;
use cost::Peak;
use documents::Documents;
pub use documents::{Document, DocumentHash};
use layer::{Done, Mutation, Once, Query, Source as _, Subscription};
pub use limits::{Exceeded, Limit, Limits, defaults};
use plan::{Answers, Question};
pub use plan::{Outcome, Unplanned};
pub use planned::{Begun, GaveUp, Planned};
use prices::Prices;
use schema::Vext;
pub use scope::Asking;
use scope::Scope;
pub use syntax::{Refused, parse};
use validation::{NotNull, Types};
pub use variables::admit_variables;

use crate::service::{App, Viewer};
use crate::store::{Session, Snapshot, Tally};

type TheSchema = Schema<Query<Vext>, Mutation<Vext>, Subscription<Vext>>;

/// The schema with all that execution needs. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    app: App,
    schema: TheSchema,
    documents: Arc<Documents>,
    answers: Arc<Answers>,
    limits: Arc<Limits>,
    /// Whether everybody may see the schema.
    explorable: bool,
    /// Whether queries are answered by plans.
    plans: bool,
}

/// The schema. It executes documents that have been validated, so that async-graphql's own checks are set to the fewest.
fn schema(limits: &Limits) -> TheSchema {
    // Selections are bounded before, see `Api::estimate`. This bounds what stands in them without being one, fragments in
    // fragments: one for each level.
    let nesting = 2 * limits.max_depth.max(limits.max_introspection_depth);
    Schema::build(Query::default(), Mutation::default(), Subscription::default())
        .validation_mode(ValidationMode::Fast)
        .limit_recursive_depth(nesting)
        .finish()
}

/// The bytes of text from which it may take long to find out that it is not valid: some 10 ms for 10 KB of wrong names.
const LONG: usize = 2048;

/// What the schema says of itself.
struct Described {
    /// What its fields cost.
    prices: Prices,
    /// What documents are held against.
    types: Types,
}

/// Read once.
static DESCRIBED: LazyLock<Described> = LazyLock::new(|| match validation::definitions(Vext::layer()) {
    Ok(definitions) => Described { prices: Prices::read(&definitions), types: Types::read(definitions) },
    Err(error) => unreachable!("the schema can be read: {error}"),
});

/// Describes the schema, which takes some 10 ms, so that the first [`Api`] is made at once.
pub fn prepare() {
    LazyLock::force(&DESCRIBED);
}

/// The schema in the schema definition language, as `schema.graphql` keeps it.
pub fn sdl() -> String {
    schema(&Limits::default()).sdl_with_options(SDLExportOptions::new().include_specified_by())
}

/// A document that has passed complete validation; needs no application.
///
/// # Errors
/// All that is wrong with it, whatever its variables. Where the schema is `explorable`, names are suggested.
pub fn validated(document: Document, explorable: bool) -> Result<Document, Vec<ServerError>> {
    if document.new_length().is_none() {
        return Ok(document);
    }
    let found = validation::validate(document.parsed(), &DESCRIBED.types, explorable)?;
    Ok(document.checked(found))
}

/// The document of a text, validated.
///
/// # Errors
/// The limit that it passes, or all that is wrong with it.
pub fn document(text: &str, limits: &Limits, explorable: bool) -> Result<Document, Vec<ServerError>> {
    validated(Document::parse(text, limits).map_err(Refused::into_errors)?, explorable)
}

impl Api {
    /// The API of an open application. Where it is not `explorable`, the schema is for viewers with the scope `explore`,
    /// and errors suggest no names.
    pub fn new(app: App, limits: Limits, explorable: bool) -> Self {
        prepare();
        let schema = schema(&limits);
        let documents = Arc::new(Documents::new(limits.document_cache));
        let answers = Arc::new(Answers::new(limits.answer_cache));
        Self { app, schema, documents, answers, limits: Arc::new(limits), explorable, plans: true }
    }

    /// The same without plans: the executor answers everything, which tests compare.
    pub fn without_plans(self) -> Self {
        Self { plans: false, ..self }
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

    /// The document of a text that is new here. It has not been validated.
    ///
    /// # Errors
    /// The limit that it passes, or where it breaks the grammar.
    pub fn parse(&self, text: &str) -> Result<Document, Refused> {
        Document::parse(text, &self.limits)
    }

    /// A document that has passed complete validation; from now on it is remembered.
    ///
    /// # Errors
    /// What is wrong with it, whatever its variables.
    pub fn checked(&self, document: Document) -> Result<Document, Vec<ServerError>> {
        let is_new = document.new_length().is_some();
        let checked = validated(document, self.explorable)?;
        if is_new {
            self.documents.put(checked.clone());
        }
        Ok(checked)
    }

    /// What a request would take. An operation that does not exist takes nothing: execution says so.
    ///
    /// # Errors
    /// The limit that it passes: of depth, of introspection or of cost.
    pub fn estimate(&self, document: &Document, request: &Request) -> Result<Estimate, Exceeded> {
        let Limits { max_depth, max_introspection_depth, max_introspection_lists, max_cost, .. } = *self.limits;
        let parsed = document.parsed();
        if document.new_length().is_some() {
            let all = DESCRIBED.prices.document(parsed);
            all.levels.within(Limit::Depth, max_depth as u64)?;
            all.introspection_levels.within(Limit::IntrospectionDepth, max_introspection_depth as u64)?;
            all.introspection_lists.within(Limit::IntrospectionLists, max_introspection_lists as u64)?;
        }
        let operation = document.selected(request.operation_name.as_deref());
        let Some(operation) = operation else { return Ok(Estimate::default()) };
        let measure = document.measure(&DESCRIBED.prices, operation, &request.variables);
        Peak { value: measure.cost, ..measure.dearest }.within(Limit::Cost, max_cost)?;
        let is_long = document.new_length().is_some_and(|length| length > LONG);
        Ok(Estimate { cost: measure.cost, may_take_long: measure.walks || measure.secret || is_long })
    }

    /// Executes a request for its document, whatever its text says, and says what it has cost: at first `requested`,
    /// as [`Api::estimate`] answered. A document that has been answered before is not validated again.
    pub async fn execute(&self, document: Document, request: Request, asking: Asking, requested: u64) -> (Reply, Cost) {
        let shows = shows_cost(&request);
        let (reply, actual) = match self.prepared(document, request, &asking) {
            // The state of an execution is large: it stays off the stack of who polls it.
            Ok((document, request)) => Box::pin(self.answered(document, request, asking, requested)).await,
            Err(errors) => (Reply::refused(errors), 0),
        };
        self.complete(reply, Cost { requested, actual }, shows)
    }

    /// Says in an answer what it has cost, where that was asked for.
    fn complete(&self, mut reply: Reply, cost: Cost, shows: bool) -> (Reply, Cost) {
        if shows && reply.was_executed() {
            reply.extend("cost", cost.value());
        }
        reply.shorten_errors(&self.limits);
        (reply, cost)
    }

    /// Executes a request that can be executed, by a plan or else by the executor, and says what it has cost.
    async fn answered(&self, document: Document, request: Request, asking: Asking, requested: u64) -> (Reply, u64) {
        match self.planned(&document, &request, &asking, requested).await {
            Ok(answered) => answered,
            Err(gave_up) => self.answered_by_executor(document, request, asking, requested, gave_up).await,
        }
    }

    async fn answered_by_executor(
        &self,
        document: Document,
        request: Request,
        asking: Asking,
        requested: u64,
        gave_up: Option<GaveUp>,
    ) -> (Reply, u64) {
        let variables = request.variables.clone();
        let selected = document.selected(request.operation_name.as_deref());
        let (unplanned, done) = gave_up.map_or((None, Vec::new()), |GaveUp { why, done }| (Some(why), done));
        let mut request = with_document(request, &document);
        if !done.is_empty() {
            request = request.data(Done::of(done));
        }
        let mut reply = Reply::from(self.run(request, asking).await);
        reply.unplanned = unplanned;
        let actual = match selected {
            Some((_, operation)) if reply.was_executed() && reply.errors().is_empty() => {
                DESCRIBED.prices.answer(document.parsed(), operation, &variables, reply.data())
            }
            // Where something failed, it is not known how much was done until then.
            Some(_) if reply.was_executed() => requested,
            _ => 0,
        };
        (reply, actual)
    }

    /// What a plan answers to a request, and what that has cost.
    ///
    /// # Errors
    /// Why the executor has to; `None` when no plan was looked for.
    async fn planned(
        &self,
        document: &Document,
        request: &Request,
        asking: &Asking,
        requested: u64,
    ) -> Result<(Reply, u64), Option<GaveUp>> {
        let why = |why: Unplanned| Some(GaveUp::from(why));
        let planned = self.plan(document, request, request.variables.clone()).map_err(|e| e.and_then(why))?;
        let viewer = Arc::new(asking.viewer.clone().ok_or(why(Unplanned::Error))?);
        let (depends, deadline) = (planned.tenant(&viewer), asking.snapshot.deadline());
        let own = Arc::clone(&viewer);
        let work = move |session: &mut dyn Session| Ok(planned.begin(&own, session, deadline));
        // What is wrong with the database the executor meets too, and says.
        let begun = asking.snapshot.read_at_once(depends, work).await.map_err(|_| why(Unplanned::Error))?;
        let snapshot = Arc::clone(&asking.snapshot);
        let asking = (snapshot, viewer, Arc::clone(&asking.request_id));
        self.finished(begun.map_err(why)?, asking, requested).await.map_err(Some)
    }

    /// The plan of a request with these values of its variables.
    fn plan(&self, document: &Document, request: &Request, variables: Variables) -> Result<Planned, Option<Unplanned>> {
        let (Some(plans), true) = (document.plans(), self.plans) else { return Err(None) };
        let operation = document.selected(request.operation_name.as_deref());
        let has_plan = |operation: &OperationDefinition| operation.ty != OperationType::Subscription;
        let operation = operation.filter(|(_, operation)| has_plan(operation)).ok_or(None)?;
        let known = (Vext::layer(), &DESCRIBED.prices);
        let plan = plans.of(known, document.parsed(), operation, &variables).map_err(Some)?;
        let Limits { max_cost: most, max_response: longest, .. } = *self.limits;
        Ok(Planned { plan, variables: Arc::new(variables), most, longest, now: self.app.now(), kept: None })
    }

    /// The plan of a request that can be executed whoever asks; `None` where that is not so, or where there is no plan.
    /// Then [`Api::execute`] finds out who executes it.
    pub fn planned_for_all(&self, document: &Document, request: &Request) -> Option<Planned> {
        if !self.explorable && introspection::refusal(document.parsed(), None).is_some() {
            return None;
        }
        let selected = document.operation_of(request.operation_name.as_deref()).ok()?;
        let variables =
            variables::coerce(selected, document.not_null()?, &DESCRIBED.types, request.variables.clone()).ok()?;
        let mut planned = self.plan(document, request, variables).ok()?;
        if self.answers.keep_some() && planned.may_be_kept() {
            let variables = serde_json::to_string(&*planned.variables).ok()?;
            let (document, operation) = (document.hash(), request.operation_name.clone());
            planned.kept = Some((Arc::clone(&self.answers), Question { document, operation, variables }));
        }
        Some(planned)
    }

    /// Adds what is counted here and below to the metrics.
    pub fn register(&self, to: &mut Registry) {
        to.register("answer_cache_bytes", "What the answers that are kept take", self.answers.gauge());
        self.app.register(to);
    }

    /// What comes of what a plan has begun, see [`Api::execute`].
    ///
    /// # Errors
    /// Why the executor has to answer, and what was done until then.
    pub async fn finish(
        &self,
        begun: Begun,
        asking: (Arc<Snapshot>, Arc<Viewer>, Arc<str>),
        (request, requested): (&Request, u64),
    ) -> Result<(Reply, Cost), GaveUp> {
        let (reply, actual) = self.finished(begun, asking, requested).await?;
        Ok(self.complete(reply, Cost { requested, actual }, shows_cost(request)))
    }

    /// An answer that was kept, see [`Api::execute`].
    pub fn kept(&self, outcome: Outcome, (request, requested): (&Request, u64)) -> (Reply, Cost) {
        let (reply, actual) = planned::written(outcome, None);
        self.complete(reply, Cost { requested, actual }, shows_cost(request))
    }

    /// Executes a request as [`Api::execute`] does, whose plan has given up.
    pub async fn execute_unplanned(
        &self,
        gave_up: GaveUp,
        (document, request): (Document, Request),
        asking: Asking,
        requested: u64,
    ) -> (Reply, Cost) {
        let shows = shows_cost(&request);
        let (reply, actual) = match self.prepared(document, request, &asking) {
            Ok((document, request)) => {
                let executed = self.answered_by_executor(document, request, asking, requested, Some(gave_up));
                Box::pin(executed).await
            }
            Err(errors) => (Reply::refused(errors), 0),
        };
        self.complete(reply, Cost { requested, actual }, shows)
    }

    /// A request that can be executed: its document is valid, its operation is there, each variable has a value of its
    /// type or none.
    ///
    /// # Errors
    /// All that keeps it from being executed for who asks.
    fn prepared(
        &self,
        document: Document,
        mut request: Request,
        asking: &Asking,
    ) -> Result<(Document, Request), Vec<ServerError>> {
        if !self.explorable
            && let Some(refusal) = introspection::refusal(document.parsed(), asking.viewer.as_ref())
        {
            return Err(vec![refusal]);
        }
        let document = self.checked(document)?;
        let selected = document.operation_of(request.operation_name.as_deref()).map_err(|error| vec![error])?;
        let nothing = NotNull::default();
        let not_null = document.not_null().unwrap_or(&nothing);
        request.variables =
            variables::coerce(selected, not_null, &DESCRIBED.types, std::mem::take(&mut request.variables))?;
        Ok((document, request))
    }

    /// The responses to a subscription, one for each event. A response without data is the last.
    ///
    /// Each event is resolved with a view of the database of its own, which is given back before the next is waited for.
    pub fn subscribe(&self, document: Document, request: Request, asking: Asking) -> BoxStream<'static, Reply> {
        let prepared = self.prepared(document, request, &asking).and_then(|(document, request)| {
            let plain = schema::check_subscription(document.parsed(), request.operation_name.as_deref());
            plain.map(|()| with_document(request, &document)).map_err(|error| vec![error])
        });
        let request = match prepared {
            Ok(request) => request,
            Err(errors) => return stream::once(async { Reply::refused(errors) }).boxed(),
        };
        let (batches, snapshot) = (Batches::default(), Arc::clone(&asking.snapshot));
        let (budget, limits) = (self.budget(), Arc::clone(&self.limits));
        let scope = Scope::new(&self.app, asking, batches.clone(), budget.clone());
        let data = request.data(scope).data(budget.clone());
        let next = move |responses: Option<BoxStream<'static, async_graphql::Response>>| {
            let (batches, snapshot) = (batches.clone(), Arc::clone(&snapshot));
            let (budget, limits) = (budget.clone(), Arc::clone(&limits));
            async move {
                let mut responses = responses?;
                budget.renew();
                let mut response = batches.drive(Arc::clone(&snapshot), responses.next()).await?;
                answer::shorten_errors(&mut response, &limits);
                snapshot.renew().await;
                let goes_on = response.data != async_graphql::Value::Null;
                Some((Reply::from(response), goes_on.then_some(responses)))
            }
        };
        stream::unfold(Some(self.schema.execute_stream(data)), next).boxed()
    }

    async fn run(&self, request: Request, asking: Asking) -> async_graphql::Response {
        let batches = Batches::default();
        let snapshot = Arc::clone(&asking.snapshot);
        let budget = self.budget();
        let scope = Scope::new(&self.app, asking, batches.clone(), budget.clone());
        let execution = Box::pin(self.schema.execute(request.data(scope).data(budget).data(Once::default())));
        batches.drive(snapshot, execution).await
    }

    /// What may be answered to one request.
    fn budget(&self) -> Budget {
        let refuse = |allowed, actual| Exceeded { limit: Limit::Cost, allowed, actual, at: None }.of_field();
        Budget::new(self.limits.max_cost, refuse)
    }
}

/// Whether the answer to a request says what it has cost: `"extensions": {"cost": true}`.
fn shows_cost(request: &Request) -> bool {
    request.extensions.get("cost") == Some(&async_graphql::Value::Boolean(true))
}

/// A request with its document as the executor takes it.
fn with_document(mut request: Request, document: &Document) -> Request {
    let mut parsed = (**document.parsed()).clone();
    let selected = document.selected(request.operation_name.as_deref());
    if selected.is_some_and(|(_, operation)| operation.variable_definitions.len() > request.variables.len()) {
        variables::leave_out_absent(&mut parsed, &request.variables);
    }
    request.set_parsed_query(parsed);
    request
}
