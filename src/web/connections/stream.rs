//! A connection's stream, which ends when its client exceeds a time limit or its place is needed.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::phase::Phase;
use super::table::Place;

pub(crate) struct GuardedStream {
    io: TcpStream,
    place: Place,
    timer: Pin<Box<Sleep>>,
    /// Runs while the client takes nothing of what is written.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl GuardedStream {
    pub(crate) fn new(io: TcpStream, place: Place) -> Self {
        Self { io, place, timer: Box::pin(sleep_until(Instant::now())), stalled: None }
    }

    pub(crate) const fn phase(&self) -> &Arc<Phase> {
        self.place.phase()
    }

    /// Ends the connection when its time is over, or schedules a wake-up for then.
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let phase = self.place.phase();
        phase.register(cx.waker());
        let deadline = phase.deadline().map_err(|_| io::Error::from(io::ErrorKind::ConnectionAborted))?;
        let Some(deadline) = deadline else { return Ok(()) };
        if self.timer.deadline() != deadline {
            self.timer.as_mut().reset(deadline);
        }
        match self.timer.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::Error::from(io::ErrorKind::TimedOut)),
            Poll::Pending => Ok(()),
        }
    }

    /// The result of a write: a client that takes nothing of a response is timed out.
    fn after_write<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            self.phase().bytes_went(Instant::now());
            return written;
        }
        let end = Instant::now().checked_add(self.phase().deadlines().stall);
        let Some(end) = end else { return written };
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep_until(end)));
        match stalled.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::Error::from(io::ErrorKind::TimedOut))),
            Poll::Pending => written,
        }
    }
}

impl AsyncRead for GuardedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(cx)?;
        let before = buf.filled().len();
        let read = Pin::new(&mut self.io).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.phase().bytes_came(Instant::now());
        }
        read
    }
}

impl AsyncWrite for GuardedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, buf);
        self.after_write(cx, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.after_write(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}
