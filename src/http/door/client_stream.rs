//! A client's stream with a time limit for writes: a client that requests answers but does not read them would keep their
//! bytes in memory. The stream also reports when it is idle.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context as Cx, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_io_timeout::TimeoutWriter;

/// Learns whether a stream is idle.
pub(super) trait IdleObserver {
    /// The stream becomes idle, or stops being idle.
    fn set_idle(&self, idle: bool);
}

/// A stream whose writes fail if the client reads nothing for a time. It keeps its observer while it is open, even after a
/// WebSocket has taken it over.
pub(super) struct ClientStream<S, A> {
    stream: Pin<Box<TimeoutWriter<S>>>,
    observer: A,
    /// Whether everything received has been read.
    drained: bool,
    /// Whether everything written has been sent. The stream is idle if both are true.
    flushed: bool,
}

impl<S: AsyncWrite, A: IdleObserver> ClientStream<S, A> {
    pub(super) fn new(stream: S, patience: Duration, observer: A) -> Self {
        let mut stream = TimeoutWriter::new(stream);
        stream.set_timeout(Some(patience));
        Self { stream: Box::pin(stream), observer, drained: false, flushed: true }
    }

    fn update(&mut self, drained: bool, flushed: bool) {
        let (was_idle, idle) = (self.drained && self.flushed, drained && flushed);
        (self.drained, self.flushed) = (drained, flushed);
        if was_idle != idle {
            self.observer.set_idle(idle);
        }
    }

    fn start_write(&mut self) {
        let drained = self.drained;
        self.update(drained, false);
    }
}

impl<S: AsyncRead + AsyncWrite, A: IdleObserver + Unpin> AsyncRead for ClientStream<S, A> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Cx<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = self.stream.as_mut().poll_read(cx, buf);
        let flushed = self.flushed;
        self.update(read.is_pending(), flushed);
        read
    }
}

impl<S: AsyncWrite, A: IdleObserver + Unpin> AsyncWrite for ClientStream<S, A> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Cx<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.start_write();
        self.stream.as_mut().poll_write(cx, buf)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Cx<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.start_write();
        self.stream.as_mut().poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Cx<'_>) -> Poll<io::Result<()>> {
        let flushed = self.stream.as_mut().poll_flush(cx);
        if matches!(flushed, Poll::Ready(Ok(()))) {
            let drained = self.drained;
            self.update(drained, true);
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Cx<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    /// Remembers each change.
    #[derive(Clone, Default)]
    struct Recorded(Arc<Mutex<Vec<bool>>>);

    impl IdleObserver for Recorded {
        fn set_idle(&self, idle: bool) {
            self.0.lock().unwrap().push(idle);
        }
    }

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_given_up() {
        let (server, mut client) = duplex(8);
        let mut stream = ClientStream::new(server, Duration::from_millis(50), Recorded::default());
        stream.write_all(b"8 bytes.").await.unwrap();
        let error = stream.write_all(b"more").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        // Who takes something, however little, gets the whole time again.
        client.read_u8().await.unwrap();
        stream.write_all(b"m").await.unwrap();
    }

    #[tokio::test]
    async fn a_stream_is_idle_when_all_is_read_and_written() {
        let (server, mut client) = duplex(64);
        let recorded = Recorded::default();
        let mut stream = ClientStream::new(server, Duration::from_secs(1), recorded.clone());
        let taken = || std::mem::take(&mut *recorded.0.lock().unwrap());
        assert!(futures_util::poll!(Box::pin(stream.read_u8())).is_pending());
        assert_eq!(taken(), [true]);
        client.write_all(b"ab").await.unwrap();
        stream.read_exact(&mut [0; 2]).await.unwrap();
        assert_eq!(taken(), [false], "more may have come");
        stream.write_all(b"c").await.unwrap();
        assert!(futures_util::poll!(Box::pin(stream.read_u8())).is_pending());
        assert_eq!(taken(), [] as [bool; 0], "not all has gone");
        stream.flush().await.unwrap();
        assert_eq!(taken(), [true]);
    }

    #[tokio::test]
    async fn an_observer_is_kept_until_the_stream_is_closed() {
        let recorded = Recorded::default();
        let stream = ClientStream::new(duplex(8).0, Duration::from_secs(1), recorded.clone());
        assert_eq!(Arc::strong_count(&recorded.0), 2);
        drop(stream);
        assert_eq!(Arc::strong_count(&recorded.0), 1);
    }
}
