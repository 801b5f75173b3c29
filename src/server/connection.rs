//! One connection and its time-outs.
//!
//! actix-web bounds the first request head and the pause between requests; a later head that never ends and a client
//! that stops reading an answer would hold their connection for ever. So the stream itself keeps the time: it knows what
//! it is waiting for, since the request log tells it when an answer begins and ends, and closes when that takes too long.
//! Bounds progress, not totals: a slow client may take hours for a large zip as long as it goes on reading.
//! Knows nothing of HTTP but the one answer to a head that came too slowly.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::places::Place;

/// How long a connection may make no progress.
#[derive(Debug, Clone, Copy)]
pub struct TimeOuts {
    /// From accepting a TLS connection to the end of its handshake.
    pub handshake: Duration,
    /// Waiting for a request: longer than the 60 s after which common proxies give their side up.
    pub idle: Duration,
    /// From the first byte of a request head to its last.
    pub head: Duration,
    /// No byte of a request's body that is being read: longer than a disk or a share takes to wake up.
    pub body: Duration,
    /// No byte of an answer taken by the client.
    pub write: Duration,
    /// From being asked to stop to cutting what is still being answered.
    pub stop: Duration,
}

impl Default for TimeOuts {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(15),
            idle: Duration::from_secs(75),
            head: Duration::from_secs(15),
            body: Duration::from_secs(120),
            write: Duration::from_secs(60),
            stop: Duration::from_secs(30),
        }
    }
}

/// When the server was asked to stop, if it was.
#[derive(Debug, Clone, Default)]
pub struct Stopping(Arc<OnceLock<Instant>>);

impl Stopping {
    /// Marks now as the time. Connections look when they are woken next.
    pub fn begin(&self) {
        let _ = self.0.set(Instant::now());
    }

    /// Returns since when the server is stopping.
    pub fn since(&self) -> Option<Instant> {
        self.0.get().copied()
    }
}

/// A connection that never had an answer may hold a request that is on its way when the server is asked to stop.
pub const FIRST_REQUEST_GRACE: Duration = Duration::from_secs(1);

const REQUEST_TIMEOUT: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

#[derive(Debug, Clone, Copy, PartialEq)]
enum Awaited {
    Request,
    Head,
    Answer,
}

/// What a connection is waiting for; shared by its stream and the requests on it.
#[derive(Debug)]
pub struct Connection {
    awaited: Cell<Awaited>,
    since: Cell<Instant>,
    was_used: Cell<bool>,
    place: Rc<Place>,
    stopping: Stopping,
}

impl Connection {
    /// Notes that a request head has come and is being answered, until the returned value is dropped.
    pub fn answering(self: &Rc<Self>) -> Answering {
        self.wait(Awaited::Answer);
        Answering(Rc::clone(self))
    }

    /// Tells whether the answer of now is to be the last.
    pub fn is_ending(&self) -> bool {
        self.stopping.since().is_some()
    }

    fn wait(&self, awaited: Awaited) {
        self.awaited.set(awaited);
        self.since.set(Instant::now());
        match awaited {
            Awaited::Request => self.place.wait(),
            // A head that does not end keeps its turn: its bytes buy no time.
            Awaited::Head => {}
            Awaited::Answer => self.place.stop_waiting(),
        }
    }

    /// Notes whether bytes of an answer are left that the client does not take.
    fn is_sending(&self, is_sending: bool) {
        if is_sending {
            self.place.stop_waiting();
        } else if self.awaited.get() != Awaited::Answer {
            self.place.wait();
        }
    }

    /// Returns when to give up reading, `None` while an answer is made and sent.
    fn read_deadline(&self, time_outs: &TimeOuts) -> Option<Instant> {
        let since = self.since.get();
        match (self.awaited.get(), self.stopping.since()) {
            (Awaited::Answer, _) => None,
            (Awaited::Head, _) => Some(since + time_outs.head),
            (Awaited::Request, None) => Some(since + time_outs.idle),
            (Awaited::Request, Some(stop)) if self.was_used.get() => Some(stop),
            (Awaited::Request, Some(stop)) => Some(stop + FIRST_REQUEST_GRACE),
        }
    }
}

/// An answer under way.
#[derive(Debug)]
pub struct Answering(Rc<Connection>);

impl Answering {
    /// Tells whether this is one of many answers, so that none should hold much.
    pub fn is_in_a_crowd(&self) -> bool {
        self.0.place.is_in_a_crowd()
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.was_used.set(true);
        self.0.wait(Awaited::Request);
    }
}

/// A stream that keeps its connection's time-outs.
#[derive(Debug)]
pub struct TimedStream<T> {
    io: T,
    connection: Rc<Connection>,
    time_outs: TimeOuts,
    unwritten_since: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl<T> TimedStream<T> {
    /// Returns `io` with its time-outs, at `place`; it is waiting for a request from now on.
    pub fn new(io: T, time_outs: TimeOuts, place: Rc<Place>, stopping: Stopping) -> Self {
        Self {
            io,
            connection: Rc::new(Connection {
                awaited: Cell::new(Awaited::Request),
                since: Cell::new(Instant::now()),
                was_used: Cell::new(false),
                place,
                stopping,
            }),
            time_outs,
            unwritten_since: None,
            timer: None,
        }
    }

    /// Returns what the requests on this stream share with it.
    pub fn connection(&self) -> Rc<Connection> {
        Rc::clone(&self.connection)
    }

    /// Returns the stream itself.
    pub fn get_ref(&self) -> &T {
        &self.io
    }

    /// Has the task woken at `deadline`, or earlier.
    fn wake_at(&mut self, deadline: Instant, cx: &mut Context<'_>) {
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        // Deadlines move with every request. A timer that fires early is set again; moving it each time costs more.
        if timer.deadline() > deadline || timer.is_elapsed() {
            timer.as_mut().reset(deadline);
        }
        if timer.as_mut().poll(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
    }

    /// Returns what came of writing, or that the client has taken nothing for too long.
    fn in_time<R>(
        &mut self,
        written: Poll<io::Result<R>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<R>> {
        if written.is_ready() {
            if self.unwritten_since.take().is_some() {
                self.connection.is_sending(false);
            }
            return written;
        }
        let now = Instant::now();
        if self.unwritten_since.is_none() {
            self.connection.is_sending(true);
        }
        let deadline = *self.unwritten_since.get_or_insert(now) + self.time_outs.write;
        if now >= deadline {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        self.wake_at(deadline, cx);
        Poll::Pending
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for TimedStream<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        if let Poll::Ready(result) = Pin::new(&mut this.io).poll_read(cx, buffer) {
            let has_come = buffer.filled().len() > before;
            if has_come && this.connection.awaited.get() == Awaited::Request {
                this.connection.wait(Awaited::Head);
            }
            return Poll::Ready(result);
        }
        if this.unwritten_since.is_none() && this.connection.awaited.get() != Awaited::Answer {
            this.connection.place.go_on_waiting();
        }
        let now = Instant::now();
        let deadline = this.connection.read_deadline(&this.time_outs);
        if deadline.is_none_or(|deadline| now < deadline) {
            // An answer ends without a read, so the end of the pause after it has to be looked for from here.
            let next_pause_ends = now + this.time_outs.idle;
            this.wake_at(deadline.unwrap_or(next_pause_ends).min(next_pause_ends), cx);
            return Poll::Pending;
        }
        if this.connection.awaited.get() == Awaited::Head {
            // A kindness: whether it can be written or not, the connection ends.
            let _ = Pin::new(&mut this.io).poll_write(cx, REQUEST_TIMEOUT);
        }
        // To the reader this is the client closing: whatever is unsent is flushed first.
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for TimedStream<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let polled = Pin::new(&mut this.io).poll_write(cx, bytes);
        this.in_time(polled, cx)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // TLS takes the end of an answer before the client does.
        let this = &mut *self;
        let polled = Pin::new(&mut this.io).poll_flush(cx);
        this.in_time(polled, cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
