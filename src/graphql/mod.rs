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
mod prices;
mod schema;
mod scope;
mod syntax;
mod validation;
mod variables;

use std::sync::{Arc, LazyLock};

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, SDLExportOptions, Schema, ServerError, ValidationMode, Variables};
use futures_util::stream::{self, BoxStream, StreamExt as _};
use prometheus_client::registry::Registry;

pub use answer::{Cost, Estimate, Reply};
use batch::Batches;
use budget::Budget;
use cost::Peak;
use documents::Documents;
pub use documents::{Document, DocumentHash};
use layer::{Begun, Mutation, Query, Source as _, Subscription};
pub use limits::{Exceeded, Limit, Limits, defaults};
use plan::{Answer, Answers, Plan, Question};
pub use plan::{Outcome, Unplanned};
use prices::Prices;
use schema::Vext;
pub use scope::Asking;
use scope::Scope;
pub use syntax::{Refused, parse};
use validation::{NotNull, Types};
pub use variables::admit_variables;

use crate::domain::TenantId;
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

/// How many times less a plan takes than the executor, for which costs are made (docs/decisions/0029-plans.md).
const BY_PLAN: u64 = 5;

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
        let unplanned = match self.planned(&document, &request, &asking).await {
            Ok(outcome) => return written(outcome, Some(&asking.snapshot)),
            Err(unplanned) => unplanned,
        };
        self.answered_by_executor(document, request, asking, requested, unplanned).await
    }

    async fn answered_by_executor(
        &self,
        document: Document,
        request: Request,
        asking: Asking,
        requested: u64,
        unplanned: Option<Unplanned>,
    ) -> (Reply, u64) {
        let variables = request.variables.clone();
        let selected = document.selected(request.operation_name.as_deref());
        let mut reply = Reply::from(self.run(with_document(request, &document), asking).await);
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

    /// What a plan answers to a request.
    ///
    /// # Errors
    /// Why there is no plan; `None` when none was looked for.
    async fn planned(
        &self,
        document: &Document,
        request: &Request,
        asking: &Asking,
    ) -> Result<Outcome, Option<Unplanned>> {
        let planned = self.plan(document, request, request.variables.clone())?;
        let viewer = asking.viewer.clone().ok_or(Some(Unplanned::Error))?;
        let depends = planned.plan.tenant(&viewer).map(|tenant| tenant.id);
        let work = move |session: &mut dyn Session| Ok(planned.run(&viewer, session));
        // What is wrong with the database the executor meets too, and says.
        let outcome = asking.snapshot.read_at_once(depends, work).await.map_err(|_| Some(Unplanned::Error))?;
        outcome.map_err(Some)
    }

    /// The plan of a request with these values of its variables.
    fn plan(&self, document: &Document, request: &Request, variables: Variables) -> Result<Planned, Option<Unplanned>> {
        let (Some(plans), true) = (document.plans(), self.plans) else { return Err(None) };
        let operation = document.selected(request.operation_name.as_deref());
        let operation = operation.filter(|(_, operation)| operation.ty == OperationType::Query).ok_or(None)?;
        let known = (Vext::layer(), &DESCRIBED.prices);
        let plan = plans.of(known, document.parsed(), operation, &variables).map_err(Some)?;
        let Limits { max_cost: most, max_response: longest, .. } = *self.limits;
        Ok(Planned { plan, variables, most, longest, kept: None })
    }

    /// The plan of a request that can be executed whoever asks; `None` where that is not so, or where there is no plan.
    /// Then [`Api::execute`] finds out who executes it.
    pub fn planned_for_all(&self, document: &Document, request: &Request) -> Option<Planned> {
        if !self.explorable && introspection::refusal(document.parsed(), None).is_some() {
            return None;
        }
        let selected = document.operation_of(request.operation_name.as_deref()).ok()?;
        if selected.1.ty != OperationType::Query {
            return None;
        }
        let variables =
            variables::coerce(selected, document.not_null()?, &DESCRIBED.types, request.variables.clone()).ok()?;
        let mut planned = self.plan(document, request, variables).ok()?;
        if self.answers.keep_some() {
            let variables = serde_json::to_string(&planned.variables).ok()?;
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

    /// The answer that a plan has written, see [`Api::execute`].
    pub fn written(
        &self,
        outcome: Outcome,
        snapshot: Option<&Snapshot>,
        request: &Request,
        requested: u64,
    ) -> (Reply, Cost) {
        let (reply, actual) = written(outcome, snapshot);
        self.complete(reply, Cost { requested, actual }, shows_cost(request))
    }

    /// Executes a request as [`Api::execute`] does, whose plan has given up.
    pub async fn execute_unplanned(
        &self,
        why: Unplanned,
        (document, request): (Document, Request),
        asking: Asking,
        requested: u64,
    ) -> (Reply, Cost) {
        let shows = shows_cost(&request);
        let (reply, actual) = match self.prepared(document, request, &asking) {
            Ok((document, request)) => {
                let executed = self.answered_by_executor(document, request, asking, requested, Some(why));
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
        let execution = Box::pin(self.schema.execute(request.data(scope).data(budget).data(Begun::default())));
        batches.drive(snapshot, execution).await
    }

    /// What may be answered to one request.
    fn budget(&self) -> Budget {
        let refuse = |allowed, actual| Exceeded { limit: Limit::Cost, allowed, actual, at: None }.of_field();
        Budget::new(self.limits.max_cost, refuse)
    }
}

/// A query that a plan answers.
pub struct Planned {
    plan: Arc<Plan>,
    variables: Variables,
    /// See [`Limits::max_cost`] and [`Limits::max_response`].
    most: u64,
    longest: usize,
    /// The answers that are kept, and which of them this asks for.
    kept: Option<(Arc<Answers>, Question)>,
}

impl Planned {
    /// What it takes, of a request that would take so much if the executor answered it.
    pub fn estimate(&self, executed: Estimate) -> Estimate {
        let may_take_long = plan::walks(&self.plan, Vext::layer(), &self.variables);
        Estimate { cost: executed.cost / BY_PLAN, may_take_long }
    }

    /// The tenant that alone the answer depends on, if there is one.
    pub fn tenant(&self, viewer: &Viewer) -> Option<TenantId> {
        self.plan.tenant(viewer).map(|tenant| tenant.id)
    }

    /// The answer to a viewer whose tenant is at its revision still, if it is kept from before.
    pub fn kept(&self, viewer: &Viewer) -> Option<Outcome> {
        let (answers, question) = self.kept.as_ref()?;
        let tenant = self.plan.tenant(viewer)?;
        let Answer { data, cost } = answers.get((tenant.id, tenant.revision), question)?;
        Some(Outcome { data, cost, batches: Vec::new(), was_kept: true })
    }

    /// Answers it, in the transaction in which the viewer was looked up.
    ///
    /// # Errors
    /// Why the executor has to.
    pub fn answer(mut self, viewer: &Viewer, session: &mut dyn Session) -> Result<Outcome, Unplanned> {
        if let Some(kept) = self.kept(viewer) {
            return Ok(kept);
        }
        let kept = self.kept.take();
        let at = self.plan.tenant(viewer).map(|tenant| (tenant.id, tenant.revision));
        let outcome = self.run(viewer, session)?;
        if let (Some((answers, question)), Some(at)) = (kept, at) {
            answers.put(at, question, Answer { data: outcome.data.clone(), cost: outcome.cost });
        }
        Ok(outcome)
    }

    /// Reads and writes the answer, in a transaction.
    fn run(self, viewer: &Viewer, session: &mut dyn Session) -> Result<Outcome, Unplanned> {
        let Self { plan, variables, most, longest, .. } = self;
        plan::run(&plan, Vext::layer(), &plan::Asks { viewer, variables: &variables, most, longest }, session)
    }
}

/// Whether the answer to a request says what it has cost: `"extensions": {"cost": true}`.
fn shows_cost(request: &Request) -> bool {
    request.extensions.get("cost") == Some(&async_graphql::Value::Boolean(true))
}

/// What a plan has written and what it has cost. Its look-ups in a snapshot are counted.
fn written(Outcome { data, cost, batches, was_kept }: Outcome, snapshot: Option<&Snapshot>) -> (Reply, u64) {
    if let Some(snapshot) = snapshot {
        batches.into_iter().for_each(|(of, keys)| snapshot.batch(of, keys));
    }
    (Reply::written(data, was_kept), cost)
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
