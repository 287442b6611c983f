//! Operations whose responses are sent as they come, over event streams and WebSockets.

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

/// An operation that runs on a task of its own, so that it holds on to nothing of the database while its client does not
/// read. Dropping this ends it.
pub(super) struct RunningOperation {
    pub(super) subscribes: bool,
    responses: mpsc::Receiver<Option<WrittenResponse>>,
    task: AbortHandle,
}

/// What comes of an operation next.
pub(super) enum OperationEvent {
    Response(WrittenResponse),
    /// All responses have been sent.
    Complete,
    /// It was given up: its client did not read for too long, or it panicked.
    Lost,
}

/// Where an operation puts its responses. It waits for the client for a limited time.
struct Responses {
    sender: mpsc::Sender<Option<WrittenResponse>>,
    shared: Arc<Shared>,
}

impl Responses {
    /// `false` when nobody takes it.
    async fn send(&self, response: Option<WrittenResponse>) -> bool {
        self.sender.send_timeout(response, self.shared.streaming.stream_patience).await.is_ok()
    }

    async fn follow(&self, subscription: OpenSubscription) {
        let (mut replies, _open) = subscription.responses();
        while let Some(reply) = replies.next().await {
            if !self.send(Some(WrittenResponse::of(&reply, &self.shared.limits))).await {
                return;
            }
        }
        drop(replies);
        self.send(None).await;
    }
}

impl RunningOperation {
    /// Starts an operation that has not been let in yet: all its waiting is done on its own task.
    pub(super) fn start(prepared: PreparedRequest, account: Account) -> Self {
        let subscribes = prepared.subscribes();
        let span = account.record.span.clone();
        Self::spawn(subscribes, Arc::clone(&prepared.shared), async move |responses| {
            let refused = if subscribes {
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
            let (response, mut account) = refused;
            let response = response.unwrap_or_else(|refusal| {
                account.record.refused(refusal.errors());
                WrittenResponse::refused(refusal.into_errors())
            });
            drop(account);
            if responses.send(Some(response)).await {
                responses.send(None).await;
            }
        })
    }

    /// Follows a subscription that has been let in.
    pub(super) fn follow(subscription: OpenSubscription) -> Self {
        let shared = Arc::clone(&subscription.shared);
        Self::spawn(true, shared, async move |responses| responses.follow(subscription).await)
    }

    fn spawn<F>(subscribes: bool, shared: Arc<Shared>, work: impl FnOnce(Responses) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (sender, responses) = mpsc::channel(1);
        let task = tokio::spawn(work(Responses { sender, shared })).abort_handle();
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

/// The next event of any of these operations, and its id; waits for ever when there is none. The operation that was
/// served moves to the end of the queue.
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
