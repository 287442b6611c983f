//! A client's stream that does not wait for ever to be read from: whoever asks for answers and does not take them
//! holds their bytes in memory. It also tells when nothing goes over it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context as Cx, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_io_timeout::TimeoutWriter;

/// Who is told when a stream begins to rest, and when it ends to.
pub(super) trait Attendant {
    fn rests(&self, rests: bool);
}

/// A stream whose writes fail when the client takes nothing for a time. It keeps its attendant as long as it is open, also
/// after a WebSocket has taken it over.
pub(super) struct ClientStream<S, A> {
    stream: Pin<Box<TimeoutWriter<S>>>,
    attendant: A,
    /// Whether all that came has been read, and all that was written has gone: the stream rests when both are so.
    drained: bool,
    flushed: bool,
}

impl<S: AsyncWrite, A: Attendant> ClientStream<S, A> {
    pub(super) fn new(stream: S, patience: Duration, attendant: A) -> Self {
        let mut stream = TimeoutWriter::new(stream);
        stream.set_timeout(Some(patience));
        Self { stream: Box::pin(stream), attendant, drained: false, flushed: true }
    }

    fn tell(&mut self, drained: bool, flushed: bool) {
        let (rested, rests) = (self.drained && self.flushed, drained && flushed);
        (self.drained, self.flushed) = (drained, flushed);
        if rested != rests {
            self.attendant.rests(rests);
        }
    }

    fn begin_to_write(&mut self) {
        let drained = self.drained;
        self.tell(drained, false);
    }
}

impl<S: AsyncRead + AsyncWrite, A: Attendant + Unpin> AsyncRead for ClientStream<S, A> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Cx<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = self.stream.as_mut().poll_read(cx, buf);
        let flushed = self.flushed;
        self.tell(read.is_pending(), flushed);
        read
    }
}

impl<S: AsyncWrite, A: Attendant + Unpin> AsyncWrite for ClientStream<S, A> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Cx<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.begin_to_write();
        self.stream.as_mut().poll_write(cx, buf)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Cx<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.begin_to_write();
        self.stream.as_mut().poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Cx<'_>) -> Poll<io::Result<()>> {
        let flushed = self.stream.as_mut().poll_flush(cx);
        if matches!(flushed, Poll::Ready(Ok(()))) {
            let drained = self.drained;
            self.tell(drained, true);
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

    /// Remembers what it was told.
    #[derive(Clone, Default)]
    struct Told(Arc<Mutex<Vec<bool>>>);

    impl Attendant for Told {
        fn rests(&self, rests: bool) {
            self.0.lock().unwrap().push(rests);
        }
    }

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_given_up() {
        let (server, mut client) = duplex(8);
        let mut stream = ClientStream::new(server, Duration::from_millis(50), Told::default());
        stream.write_all(b"8 bytes.").await.unwrap();
        let error = stream.write_all(b"more").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        // Who takes something, however little, gets the whole time again.
        client.read_u8().await.unwrap();
        stream.write_all(b"m").await.unwrap();
    }

    #[tokio::test]
    async fn a_stream_rests_when_all_is_read_and_written() {
        let (server, mut client) = duplex(64);
        let told = Told::default();
        let mut stream = ClientStream::new(server, Duration::from_secs(1), told.clone());
        let said = || std::mem::take(&mut *told.0.lock().unwrap());
        assert!(futures_util::poll!(Box::pin(stream.read_u8())).is_pending());
        assert_eq!(said(), [true]);
        client.write_all(b"ab").await.unwrap();
        stream.read_exact(&mut [0; 2]).await.unwrap();
        assert_eq!(said(), [false], "more may have come");
        stream.write_all(b"c").await.unwrap();
        assert!(futures_util::poll!(Box::pin(stream.read_u8())).is_pending());
        assert_eq!(said(), [] as [bool; 0], "not all has gone");
        stream.flush().await.unwrap();
        assert_eq!(said(), [true]);
    }

    #[tokio::test]
    async fn an_attendant_is_kept_until_the_stream_is_closed() {
        let told = Told::default();
        let stream = ClientStream::new(duplex(8).0, Duration::from_secs(1), told.clone());
        assert_eq!(Arc::strong_count(&told.0), 2);
        drop(stream);
        assert_eq!(Arc::strong_count(&told.0), 1);
    }
}
