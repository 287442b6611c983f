//! A client that blocks, and that can send several statements without waiting for the answer to the first.
//!
//! The protocol lets a client send on before it has an answer; tokio-postgres does so with futures that are polled beside
//! each other. Here they are driven on the thread that has the connection, and the connection with them.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::task::{Context as Task, Poll};

use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{AsyncMessage, CancelToken, Client, Config, Error};
use tokio_postgres_rustls::MakeRustlsConnect;

/// What comes next over the connection; `None` when it is over.
type Next = dyn FnMut(&mut Task<'_>) -> Poll<Option<Result<AsyncMessage, Error>>> + Send;

/// A connection to a server. It must neither be used nor dropped in an async task.
pub struct Blocking {
    runtime: Runtime,
    connection: Box<Next>,
    /// Taken out when it is dropped.
    client: Option<Client>,
}

impl Blocking {
    /// Connects to the first host that fits.
    ///
    /// # Errors
    /// Why there is no connection.
    pub fn connect(runtime: Runtime, config: &Config, tls: MakeRustlsConnect) -> Result<Self, Error> {
        let (client, mut connection) = runtime.block_on(config.connect(tls))?;
        let connection = Box::new(move |cx: &mut Task<'_>| connection.poll_message(cx));
        Ok(Self { runtime, connection, client: Some(client) })
    }

    /// Carries out what `ask` wants of the client.
    ///
    /// # Errors
    /// What that answers, or why the connection is over.
    pub fn block_on<T>(&mut self, ask: impl AsyncFnOnce(&Client) -> Result<T, Error>) -> Result<T, Error> {
        let Self { runtime, connection, client } = self;
        let Some(client) = client.as_ref() else { unreachable!("the client is there until it is dropped") };
        let mut answer = pin!(ask(client));
        runtime.block_on(poll_fn(|cx| match drive(connection, cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) | Poll::Pending => answer.as_mut().poll(cx),
        }))
    }

    /// Whether the connection is known to be over.
    pub fn is_closed(&self) -> bool {
        self.client.as_ref().is_none_or(Client::is_closed)
    }

    /// What cancels the statement that runs.
    pub fn cancel_token(&self) -> Option<CancelToken> {
        self.client.as_ref().map(Client::cancel_token)
    }
}

/// Lets the connection send and receive until it has to wait; ready when it is over.
fn drive(connection: &mut Next, cx: &mut Task<'_>) -> Poll<Result<(), Error>> {
    loop {
        match connection(cx) {
            Poll::Ready(Some(Ok(AsyncMessage::Notice(notice)))) => tracing::debug!(%notice, "the database says"),
            Poll::Ready(Some(Ok(_))) => {}
            Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
            Poll::Ready(None) => return Poll::Ready(Ok(())),
            Poll::Pending => return Poll::Pending,
        }
    }
}

/// Cancels a statement, over a connection of its own.
///
/// # Errors
/// Why it could not be asked for.
pub fn cancel(token: &CancelToken, tls: MakeRustlsConnect) -> std::io::Result<Result<(), Error>> {
    Ok(runtime()?.block_on(token.cancel_query(tls)))
}

/// What a connection is driven by.
///
/// # Errors
/// The system has no room for one.
pub fn runtime() -> std::io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

impl Drop for Blocking {
    /// Says goodbye, so that the server does not note a client that was lost.
    fn drop(&mut self) {
        drop(self.client.take());
        let connection = &mut self.connection;
        let _ = self.runtime.block_on(poll_fn(|cx| drive(connection, cx)));
    }
}
