//! What every transport does with a request: `POST`, event streams and WebSockets.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use async_graphql::Request;
use async_graphql::parser::types::OperationType;
use axum::http::HeaderMap;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tracing::Instrument as _;

use super::persisted;
use super::request::Incoming;
use crate::graphql::{Estimate, Limits, ParsedDocument, Reply, RequestContext};
use crate::http::door::claim::BearerClaim;
use crate::http::door::fair::{Bill, Credentials, Network};
use crate::http::door::identify;
use crate::http::refusal::Refusal;
use crate::http::shared::Shared;
use crate::http::watch::{RequestRecord, Stage};

/// An operation that may be executed.
pub(super) struct ExecutableOperation {
    pub(super) document: ParsedDocument,
    pub(super) request: Request,
    pub(super) asking: RequestContext,
    /// What it would take.
    pub(super) estimate: Estimate,
}

impl ExecutableOperation {
    /// The type; `None` when the document has no such operation, which execution will say.
    pub(super) fn kind(&self) -> Option<OperationType> {
        self.document.operation(self.request.operation_name.as_deref())
    }
}

/// The document of a request, once it is admitted.
pub(super) fn document(shared: &Shared, incoming: &Incoming) -> Result<ParsedDocument, Refusal> {
    persisted::resolve(incoming, &shared.api, &shared.trusted, &shared.limits)
}

/// Who asks on a connection that goes on: looked up again for each operation.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) claim: BearerClaim,
    pub(super) tenant: Option<String>,
    pub(super) client: Option<Network>,
}

/// A view of the database, who asks, and how the sign-in went.
pub(super) async fn asking(shared: &Shared, caller: &Caller) -> Result<(RequestContext, Credentials), Refusal> {
    let app = shared.api.app();
    let (snapshot, request_id) = (Arc::new(app.snapshot()), app.request_id());
    let credentials = shared.fair.begin_sign_in(caller.client, &caller.claim).await?;
    let (claim, tenant) = ((&caller.claim, &credentials), caller.tenant.clone());
    let viewer = identify::viewer(app, &shared.fair, &snapshot, claim, tenant, &request_id).await?;
    Ok((RequestContext { snapshot, viewer: Some(viewer), request_id }, credentials))
}

/// The response to a query or a mutation that did not come alone: it waits for its place, pays and is watched like any
/// other.
async fn respond(shared: &Shared, operation: ExecutableOperation, credentials: Credentials, bill: Bill) -> Reply {
    let mut seen = begin(shared, &operation);
    let span = seen.span.clone();
    let answered = execute(shared, operation, credentials, bill, &mut seen).instrument(span).await;
    let reply = answered.unwrap_or_else(|refusal| Reply::refused(refusal.into_errors()));
    match reply.was_executed() {
        true => seen.executed(&reply),
        false => seen.refused(reply.errors()),
    }
    reply
}

async fn execute(
    shared: &Shared,
    mut operation: ExecutableOperation,
    credentials: Credentials,
    mut bill: Bill,
    seen: &mut RequestRecord,
) -> Result<Reply, Refusal> {
    let estimate = operation.estimate;
    let place = shared.fair.admit(&credentials, estimate).await?;
    bill.pay_for_execution(operation.asking.viewer.as_ref(), estimate.cost)?;
    // The view that the sign-in had may be old by now.
    operation.asking.snapshot = shared.api.snapshot(&seen.tally, place.is_expensive());
    seen.done(Stage::Identify);
    let (api, ExecutableOperation { document, request, asking, .. }) = (shared.api.clone(), operation);
    let work = async move { api.execute(document, request, asking, estimate.cost).await };
    let (reply, cost) = place.run(Box::pin(work)).await;
    seen.done(Stage::Execute);
    bill.settle(cost.actual);
    seen.cost = Some(cost);
    Ok(reply)
}

/// The responses to a subscription. It is validated in its place, which it then gives back, and pays once: what it
/// sends later is no more than one object at a time. What is seen of it is its beginning: how long it goes on says
/// nothing of the server.
async fn subscribe<'a>(
    shared: &Shared,
    mut operation: ExecutableOperation,
    credentials: Credentials,
    mut bill: Bill,
) -> BoxStream<'a, Reply> {
    let mut seen = begin(shared, &operation);
    let begun = async {
        let place = shared.fair.admit(&credentials, operation.estimate).await?;
        let (api, document) = (shared.api.clone(), operation.document.clone());
        let checked = place.run(async move { api.validate(document) }).await;
        operation.document = checked.map_err(Refusal::of_document)?;
        bill.pay_for_execution(operation.asking.viewer.as_ref(), operation.estimate.cost)
    };
    match begun.await {
        Ok(()) => {
            seen.executed(&Reply::default());
            shared.api.subscribe(operation.document, operation.request, operation.asking)
        }
        Err(refusal) => {
            seen.refused(refusal.errors());
            stream::once(async { Reply::refused(refusal.into_errors()) }).boxed()
        }
    }
}

/// Begins to watch an operation that did not come alone.
fn begin(shared: &Shared, operation: &ExecutableOperation) -> RequestRecord {
    let mut seen = shared.watch.begin(&operation.asking.request_id, &HeaderMap::new());
    seen.operation(&operation.document, operation.request.operation_name.as_deref());
    seen.identified = operation.asking.viewer.is_some();
    seen
}

/// An operation at work on a task of its own, so that it holds on to nothing of the database while its client does not
/// read. It is given up when this is dropped.
pub(super) struct RunningOperation {
    pub(super) subscribes: bool,
    responses: mpsc::Receiver<Option<Reply>>,
    task: AbortHandle,
}

/// What comes of an operation next.
pub(super) enum OperationEvent {
    Response(Box<Reply>),
    /// All responses have been there.
    Complete,
    /// It was given up: its client did not read for too long, or it panicked.
    Lost,
}

impl RunningOperation {
    /// Starts; ends by itself when a response is not taken within the time that clients have.
    pub(super) fn start(
        shared: &Arc<Shared>,
        operation: ExecutableOperation,
        credentials: Credentials,
        bill: Bill,
    ) -> Self {
        let subscribes = operation.kind() == Some(OperationType::Subscription);
        let (sender, responses) = mpsc::channel(1);
        let (shared, patience) = (Arc::clone(shared), shared.streaming.stream_patience);
        let work = async move {
            let mut stream = match subscribes {
                true => subscribe(&shared, operation, credentials, bill).await,
                false => stream::once(async { respond(&shared, operation, credentials, bill).await }).boxed(),
            };
            while let Some(response) = stream.next().await {
                if sender.send_timeout(Some(response), patience).await.is_err() {
                    return;
                }
            }
            drop(stream);
            let _ = sender.send_timeout(None, patience).await;
        };
        Self { subscribes, responses, task: tokio::spawn(work).abort_handle() }
    }

    pub(super) async fn next(&mut self) -> OperationEvent {
        OperationEvent::from(self.responses.recv().await)
    }
}

impl From<Option<Option<Reply>>> for OperationEvent {
    fn from(received: Option<Option<Reply>>) -> Self {
        match received {
            Some(Some(response)) => OperationEvent::Response(Box::new(response)),
            Some(None) => OperationEvent::Complete,
            None => OperationEvent::Lost,
        }
    }
}

/// The next that comes of any of these operations, and its id; waits for ever when there is none. Who has been served
/// moves to the end of the queue.
pub(super) async fn next_of(operations: &mut VecDeque<(String, RunningOperation)>) -> (String, OperationEvent) {
    poll_fn(|cx| {
        for i in 0..operations.len() {
            if let Poll::Ready(received) = operations[i].1.responses.poll_recv(cx) {
                let id = operations[i].0.clone();
                operations.rotate_left(i + 1);
                return Poll::Ready((id, OperationEvent::from(received)));
            }
        }
        Poll::Pending
    })
    .await
}

impl Drop for RunningOperation {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A response as JSON; without `data` when it does not come from execution.
pub(super) fn result(reply: &Reply, limits: &Limits) -> String {
    let json = match reply.was_executed() {
        true => reply.to_json(limits),
        false => serde_json::to_vec(&serde_json::json!({ "errors": reply.errors() })).unwrap_or_default(),
    };
    String::from_utf8(json).unwrap_or_default()
}
