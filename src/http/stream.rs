//! A client's stream that does not wait for ever to be read from: whoever asks for answers and does not take them
//! holds their bytes in memory.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context as Cx, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// A stream whose writes fail when the client takes nothing for as long as `patience`. It keeps `held` as long as it is
/// open, also after a WebSocket has taken it over.
pub(super) struct ClientStream<S, T> {
    stream: S,
    patience: Duration,
    /// Runs from the first write that had to wait until one goes through.
    stalled: Option<Pin<Box<Sleep>>>,
    _held: T,
}

impl<S, T> ClientStream<S, T> {
    pub(super) fn new(stream: S, patience: Duration, held: T) -> Self {
        Self { stream, patience, stalled: None, _held: held }
    }

    /// Passes on how a write went, unless it has waited too long.
    fn judge<R>(&mut self, cx: &mut Cx<'_>, written: Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + patience)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not take its answer")))
    }
}

impl<S: AsyncRead + Unpin, T: Unpin> AsyncRead for ClientStream<S, T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Cx<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin, T: Unpin> AsyncWrite for ClientStream<S, T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Cx<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.judge(cx, written)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Cx<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.judge(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Cx<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.judge(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Cx<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.judge(cx, shut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_given_up() {
        let (server, mut client) = duplex(8);
        let mut stream = ClientStream::new(server, Duration::from_millis(50), ());
        stream.write_all(b"8 bytes.").await.unwrap();
        let error = stream.write_all(b"more").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        // Who takes something, however little, gets the whole time again.
        client.read_u8().await.unwrap();
        stream.write_all(b"m").await.unwrap();
    }

    #[tokio::test]
    async fn what_is_held_is_held_until_the_stream_is_closed() {
        let held = std::sync::Arc::new(());
        let stream = ClientStream::new(duplex(8).0, Duration::from_secs(1), std::sync::Arc::clone(&held));
        assert_eq!(std::sync::Arc::strong_count(&held), 2);
        drop(stream);
        assert_eq!(std::sync::Arc::strong_count(&held), 1);
    }
}
