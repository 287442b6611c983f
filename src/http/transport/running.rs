//! Operations that run on tasks of their own and whose responses are sent as they arrive, over event streams and
//! WebSockets.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use futures_util::stream::StreamExt as _;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tracing::Instrument as _;

use super::prepared::{Account, PreparedRequest};
use super::response::WrittenResponse;
use super::subscribe::OpenSubscription;
use crate::http::shared::Shared;

/// An operation that runs on a task of its own, so that it does not hold on to the database while its client is not
/// reading. Dropping this value stops the task.
pub(super) struct RunningOperation {
    pub(super) subscribes: bool,
    responses: mpsc::Receiver<Option<WrittenResponse>>,
    task: AbortHandle,
}

/// The next thing that happens to an operation.
pub(super) enum OperationEvent {
    Response(WrittenResponse),
    /// All responses have been sent.
    Complete,
    /// The operation was aborted: its client did not read for too long, or its task panicked.
    Lost,
}

/// Sends the responses of an operation to its connection. Waits only a limited time for the client to read.
struct ResponseSender {
    sender: mpsc::Sender<Option<WrittenResponse>>,
    shared: Arc<Shared>,
}

impl ResponseSender {
    /// Sends a response, or `None` for the end. `false` if the client does not read it in time or is gone.
    async fn send(&self, response: Option<WrittenResponse>) -> bool {
        self.sender.send_timeout(response, self.shared.streaming.stream_patience).await.is_ok()
    }

    /// Sends all responses of a subscription, and then the end.
    async fn follow(&self, subscription: OpenSubscription) {
        let (mut replies, _open) = subscription.responses();
        while let Some(reply) = replies.next().await {
            if !self.send(Some(WrittenResponse::from_reply(&reply, &self.shared.limits))).await {
                return;
            }
        }
        drop(replies);
        self.send(None).await;
    }
}

impl RunningOperation {
    /// Starts an operation that has not signed in yet: the sign-in, too, runs on its own task.
    pub(super) fn start(prepared: PreparedRequest, account: Account) -> Self {
        let subscribes = prepared.subscribes();
        let span = account.record.span.clone();
        Self::spawn(subscribes, Arc::clone(&prepared.shared), async move |responses| {
            let result = if subscribes {
                let (subscription, account) = prepared.subscribe(false, account).instrument(span).await;
                match subscription {
                    Ok(subscription) => {
                        drop(account);
                        return responses.follow(subscription).await;
                    }
                    Err(refusal) => (Err(refusal), account),
                }
            } else {
                prepared.respond(account).instrument(span).await
            };
            let (response, mut account) = result;
            let response = response.unwrap_or_else(|refusal| {
                account.record.record_refusal(refusal.errors());
                WrittenResponse::refused(refusal.into_errors())
            });
            drop(account);
            if responses.send(Some(response)).await {
                responses.send(None).await;
            }
        })
    }

    /// Starts a subscription that has already been accepted.
    pub(super) fn follow(subscription: OpenSubscription) -> Self {
        let shared = Arc::clone(&subscription.shared);
        Self::spawn(true, shared, async move |responses| responses.follow(subscription).await)
    }

    fn spawn<F>(subscribes: bool, shared: Arc<Shared>, work: impl FnOnce(ResponseSender) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (sender, responses) = mpsc::channel(1);
        let task = tokio::spawn(work(ResponseSender { sender, shared })).abort_handle();
        Self { subscribes, responses, task }
    }

    pub(super) async fn next(&mut self) -> OperationEvent {
        OperationEvent::from(self.responses.recv().await)
    }
}

impl From<Option<Option<WrittenResponse>>> for OperationEvent {
    fn from(received: Option<Option<WrittenResponse>>) -> Self {
        match received {
            Some(Some(response)) => OperationEvent::Response(response),
            Some(None) => OperationEvent::Complete,
            None => OperationEvent::Lost,
        }
    }
}

/// The next event of any of these operations, with the operation's id; waits for ever if there are no operations. The
/// operation whose event is returned moves to the end of the queue.
pub(super) async fn next_event(operations: &mut VecDeque<(String, RunningOperation)>) -> (String, OperationEvent) {
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
