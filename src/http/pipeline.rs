//! What every transport does with a request: `POST`, event streams and WebSockets.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Response};
use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::refusal::Refusal;
use super::{Shared, admission, identify};
use crate::graphql::{Api, Asking, Document, was_executed};

/// An operation that may be executed.
pub(super) struct Operation {
    pub(super) document: Document,
    pub(super) request: Request,
    pub(super) asking: Asking,
}

impl Operation {
    /// The type; `None` when the document has no such operation, which execution will say.
    pub(super) fn kind(&self) -> Option<OperationType> {
        self.document.operation(self.request.operation_name.as_deref())
    }
}

/// The document of a request, once it is admitted.
pub(super) fn document(shared: &Shared, request: &Request) -> Result<Document, Refusal> {
    let Shared { api, limits, .. } = shared;
    match api.remembered(&request.query) {
        Some(document) => Ok(document),
        None => {
            admission::admit(&request.query, limits)?;
            api.parse(&request.query).map_err(|error| Refusal::of_document(vec![error]))
        }
    }
}

/// Who asks on a connection that goes on: looked up again for each operation.
#[derive(Clone)]
pub(super) struct Claim {
    pub(super) token: String,
    pub(super) tenant: Option<String>,
}

/// A view of the database, and who asks.
pub(super) async fn asking(shared: &Shared, claim: &Claim) -> Result<Asking, Refusal> {
    let app = shared.api.app();
    let (snapshot, request_id) = (Arc::new(app.snapshot()), app.request_id());
    let viewer = identify::viewer(app, &snapshot, Some(&claim.token), claim.tenant.clone(), &request_id).await?;
    Ok(Asking { snapshot, viewer: Some(viewer), request_id })
}

/// An operation at work on a task of its own, so that it holds on to nothing of the database while its client does not
/// read. It is given up when this is dropped.
pub(super) struct Running {
    pub(super) subscribes: bool,
    responses: mpsc::Receiver<Option<Response>>,
    task: AbortHandle,
}

/// What comes of an operation next.
pub(super) enum Next {
    Response(Box<Response>),
    /// All responses have been there.
    Complete,
    /// It was given up: its client did not read for too long, or it panicked.
    Lost,
}

impl Running {
    /// Starts; ends by itself when a response is not taken within `patience`.
    pub(super) fn start(api: Api, operation: Operation, patience: Duration) -> Self {
        let subscribes = operation.kind() == Some(OperationType::Subscription);
        let Operation { document, request, asking } = operation;
        let (sender, responses) = mpsc::channel(1);
        let work = async move {
            let mut stream = api.stream(document, request, asking);
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

    pub(super) async fn next(&mut self) -> Next {
        Next::from(self.responses.recv().await)
    }
}

impl From<Option<Option<Response>>> for Next {
    fn from(received: Option<Option<Response>>) -> Self {
        match received {
            Some(Some(response)) => Next::Response(Box::new(response)),
            Some(None) => Next::Complete,
            None => Next::Lost,
        }
    }
}

/// The next that comes of any of these operations, and its id; waits for ever when there is none. Who has been served
/// moves to the end of the queue.
pub(super) async fn next_of(operations: &mut VecDeque<(String, Running)>) -> (String, Next) {
    poll_fn(|cx| {
        for i in 0..operations.len() {
            if let Poll::Ready(received) = operations[i].1.responses.poll_recv(cx) {
                let id = operations[i].0.clone();
                operations.rotate_left(i + 1);
                return Poll::Ready((id, Next::from(received)));
            }
        }
        Poll::Pending
    })
    .await
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A response as JSON; without `data` when it does not come from execution.
pub(super) fn result(response: &Response) -> String {
    let json = match was_executed(response) {
        true => serde_json::to_string(response),
        false => serde_json::to_string(&serde_json::json!({ "errors": response.errors })),
    };
    // Values have text keys and finite numbers.
    json.unwrap_or_default()
}
