//! A blocking client that can send several statements without waiting for the first answer.
//!
//! The protocol allows a client to send more statements before it has an answer. tokio-postgres does this for futures
//! that are polled together. Here, the thread that has the connection polls these futures and the connection itself.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::task::{Context as Task, Poll};

use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{AsyncMessage, CancelToken, Client, Config, Error};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Polls the connection for its next message; `None` when the connection has ended.
type PollMessage = dyn FnMut(&mut Task<'_>) -> Poll<Option<Result<AsyncMessage, Error>>> + Send;

/// A connection to a server. It must neither be used nor dropped in an async task.
pub struct BlockingClient {
    runtime: Runtime,
    connection: Box<PollMessage>,
    /// `None` only while the client is being dropped.
    client: Option<Client>,
}

impl BlockingClient {
    /// Connects to the first suitable host.
    ///
    /// # Errors
    /// Why there is no connection.
    pub fn connect(runtime: Runtime, config: &Config, tls: MakeRustlsConnect) -> Result<Self, Error> {
        let (client, mut connection) = runtime.block_on(config.connect(tls))?;
        let connection = Box::new(move |cx: &mut Task<'_>| connection.poll_message(cx));
        Ok(Self { runtime, connection, client: Some(client) })
    }

    /// Runs `request` with the client.
    ///
    /// # Errors
    /// The error of the request, or why the connection has ended.
    pub fn block_on<T>(&mut self, request: impl AsyncFnOnce(&Client) -> Result<T, Error>) -> Result<T, Error> {
        let Self { runtime, connection, client } = self;
        let Some(client) = client.as_ref() else { unreachable!("the client is there until it is dropped") };
        let mut answer = pin!(request(client));
        runtime.block_on(poll_fn(|cx| match drive(connection, cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) | Poll::Pending => answer.as_mut().poll(cx),
        }))
    }

    /// Whether the connection is known to have ended.
    pub fn is_closed(&self) -> bool {
        self.client.as_ref().is_none_or(Client::is_closed)
    }

    /// A token that cancels the running statement.
    pub fn cancel_token(&self) -> Option<CancelToken> {
        self.client.as_ref().map(Client::cancel_token)
    }
}

/// Lets the connection send and receive until it has to wait. Ready when the connection has ended.
fn drive(connection: &mut PollMessage, cx: &mut Task<'_>) -> Poll<Result<(), Error>> {
    loop {
        match connection(cx) {
            Poll::Ready(Some(Ok(AsyncMessage::Notice(notice)))) => tracing::debug!(%notice, "notice from the database"),
            Poll::Ready(Some(Ok(_))) => {}
            Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
            Poll::Ready(None) => return Poll::Ready(Ok(())),
            Poll::Pending => return Poll::Pending,
        }
    }
}

/// Cancels a statement over a separate connection.
///
/// # Errors
/// The outer error if no runtime can be created, the inner one if the cancellation cannot be sent.
pub fn cancel(token: &CancelToken, tls: MakeRustlsConnect) -> std::io::Result<Result<(), Error>> {
    Ok(runtime()?.block_on(token.cancel_query(tls)))
}

/// A runtime for one connection.
///
/// # Errors
/// The system lacks resources.
pub fn runtime() -> std::io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

impl Drop for BlockingClient {
    /// Ends the connection properly, so that the server does not log a lost client.
    fn drop(&mut self) {
        drop(self.client.take());
        let connection = &mut self.connection;
        let _ = self.runtime.block_on(poll_fn(|cx| drive(connection, cx)));
    }
}
