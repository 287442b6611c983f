//! Executing requests: by a plan, or else by the executor.

use std::sync::Arc;

use async_graphql::{Request, Response, ServerError, Value};

use super::answer::{Cost, Reply};
use super::api::Api;
use super::batch::Batches;
use super::described::DESCRIBED;
use super::documents::ParsedDocument;
use super::introspection::refusal;
use super::layer::{CompletedFields, StartedKeys};
use super::planned::GaveUp;
use super::scope::{RequestContext, Scope};
use super::validation::NotNull;
use super::variables::{coerce, leave_out_absent};

impl Api {
    /// Executes the document of a request, whatever the request's text says, and returns the reply with its cost.
    /// `requested` is the cost from [`Api::estimate`]. A document that is already validated is not validated again.
    pub async fn execute(
        &self,
        document: ParsedDocument,
        request: Request,
        context: RequestContext,
        requested: u64,
    ) -> (Reply, Cost) {
        let shows = shows_cost(&request);
        let (reply, actual) = match self.prepare_request(document, request, &context) {
            // The execution's future is large: boxing it keeps it off the caller's stack.
            Ok((document, request)) => Box::pin(self.execute_prepared(document, request, context, requested)).await,
            Err(errors) => (Reply::refused(errors), 0),
        };
        self.complete(reply, Cost { requested, actual }, shows)
    }

    /// Adds the cost to a reply if the request asked for it, and shortens its errors.
    pub(super) fn complete(&self, mut reply: Reply, cost: Cost, shows: bool) -> (Reply, Cost) {
        if shows && reply.was_executed() {
            reply.extend("cost", cost.value());
        }
        reply.shorten_errors(&self.limits);
        (reply, cost)
    }

    /// Executes a prepared request by a plan or else by the executor, and returns the reply with its cost.
    async fn execute_prepared(
        &self,
        document: ParsedDocument,
        request: Request,
        context: RequestContext,
        requested: u64,
    ) -> (Reply, u64) {
        match self.answer_by_plan(&document, &request, &context, requested).await {
            Ok(reply) => reply,
            Err(gave_up) => self.execute_by_executor(document, request, context, requested, gave_up).await,
        }
    }

    async fn execute_by_executor(
        &self,
        document: ParsedDocument,
        request: Request,
        context: RequestContext,
        requested: u64,
        gave_up: Option<GaveUp>,
    ) -> (Reply, u64) {
        let variables = request.variables.clone();
        let selected = document.selected(request.operation_name.as_deref());
        let (unplanned, completed) =
            gave_up.map_or((None, Vec::new()), |GaveUp { why, completed }| (Some(why), completed));
        let mut request = with_document(request, &document);
        if !completed.is_empty() {
            request = request.data(CompletedFields::new(completed));
        }
        let mut reply = Reply::from(self.run(request, context).await);
        reply.unplanned = unplanned;
        let actual = match selected {
            Some((_, operation)) if reply.was_executed() && reply.errors().is_empty() => {
                DESCRIBED.prices.answer(document.parsed(), operation, &variables, reply.data())
            }
            // After an error it is unknown how much was done.
            Some(_) if reply.was_executed() => requested,
            _ => 0,
        };
        (reply, actual)
    }

    /// Executes a request whose plan has given up, see [`Api::execute`].
    pub async fn execute_unplanned(
        &self,
        gave_up: GaveUp,
        (document, request): (ParsedDocument, Request),
        context: RequestContext,
        requested: u64,
    ) -> (Reply, Cost) {
        let shows = shows_cost(&request);
        let (reply, actual) = match self.prepare_request(document, request, &context) {
            Ok((document, request)) => {
                let executed = self.execute_by_executor(document, request, context, requested, Some(gave_up));
                Box::pin(executed).await
            }
            Err(errors) => (Reply::refused(errors), 0),
        };
        self.complete(reply, Cost { requested, actual }, shows)
    }

    /// Prepares a request for execution: its document is valid, its operation exists, and each variable has a value of
    /// its type or none.
    ///
    /// # Errors
    /// Everything that prevents its execution for this viewer.
    pub(super) fn prepare_request(
        &self,
        document: ParsedDocument,
        mut request: Request,
        context: &RequestContext,
    ) -> Result<(ParsedDocument, Request), Vec<ServerError>> {
        if !self.explorable
            && let Some(refusal) = refusal(document.parsed(), context.viewer.as_ref())
        {
            return Err(vec![refusal]);
        }
        let document = self.validate(document)?;
        let selected = document.required_operation(request.operation_name.as_deref()).map_err(|error| vec![error])?;
        let nothing = NotNull::default();
        let not_null = document.not_null().unwrap_or(&nothing);
        request.variables = coerce(selected, not_null, &DESCRIBED.types, std::mem::take(&mut request.variables))?;
        Ok((document, request))
    }

    async fn run(&self, request: Request, context: RequestContext) -> Response {
        let batches = Batches::default();
        let snapshot = Arc::clone(&context.snapshot);
        let budget = self.budget();
        let scope = Scope::new(&self.app, context, batches.clone(), budget.clone());
        let execution = Box::pin(self.schema.execute(request.data(scope).data(budget).data(StartedKeys::default())));
        batches.drive(snapshot, execution).await
    }
}

/// Whether the reply should report the cost: `"extensions": {"cost": true}`.
pub(super) fn shows_cost(request: &Request) -> bool {
    request.extensions.get("cost") == Some(&Value::Boolean(true))
}

/// A request with its document in the form that the executor takes.
pub(super) fn with_document(mut request: Request, document: &ParsedDocument) -> Request {
    let mut parsed = (**document.parsed()).clone();
    let selected = document.selected(request.operation_name.as_deref());
    if selected.is_some_and(|(_, operation)| operation.variable_definitions.len() > request.variables.len()) {
        leave_out_absent(&mut parsed, &request.variables);
    }
    request.set_parsed_query(parsed);
    request
}
