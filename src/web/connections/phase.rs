//! The state of a connection, shared by its stream, its requests and the table of all connections.

use std::sync::Mutex;
use std::time::Duration;

use futures_util::task::AtomicWaker;
use tokio::time::Instant;

use crate::domain::sync;

/// How long a peer may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadlines {
    /// For a request head, from its first byte; for the first head, from the connection on.
    pub(crate) head: Duration,
    /// Between a response and the first byte of the next head.
    pub(crate) idle: Duration,
    /// For a request's body, from its head on.
    pub(crate) body: Duration,
    /// Without taking any byte of a response.
    pub(crate) stall: Duration,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Idle since the last response.
    Idle { since: Instant },
    /// A head is arriving, or the first one is awaited.
    Head { since: Instant },
    /// A request is being read or answered, with deadlines of its own.
    Serving,
    /// Closed because its place was needed.
    Closed,
}

/// The state of one connection.
pub(crate) struct Phase {
    deadlines: Deadlines,
    /// The state, and since when the connection waits for its client.
    state: Mutex<(State, Instant)>,
    waker: AtomicWaker,
}

impl Phase {
    pub(crate) fn new(deadlines: Deadlines, now: Instant) -> Self {
        let state = Mutex::new((State::Head { since: now }, now));
        Self { deadlines, state, waker: AtomicWaker::new() }
    }

    pub(crate) const fn deadlines(&self) -> &Deadlines {
        &self.deadlines
    }

    /// The task to wake when the connection is closed by the table.
    pub(crate) fn register(&self, waker: &std::task::Waker) {
        self.waker.register(waker);
    }

    /// Until when the connection may wait for its client: `Err` when its place was needed, `None` while it is served.
    pub(crate) fn deadline(&self) -> Result<Option<Instant>, Closed> {
        match self.with(|state| state.0) {
            State::Idle { since } => Ok(since.checked_add(self.deadlines.idle)),
            State::Head { since } => Ok(since.checked_add(self.deadlines.head)),
            State::Serving => Ok(None),
            State::Closed => Err(Closed),
        }
    }

    /// Bytes arrived: after an idle time they begin a head.
    pub(crate) fn bytes_came(&self, now: Instant) {
        self.with(|state| {
            if matches!(state.0, State::Idle { .. }) {
                state.0 = State::Head { since: now };
            }
        });
    }

    /// Bytes of a response were taken: the connection still waits for a slow reader, but is not idle.
    pub(crate) fn bytes_went(&self, now: Instant) {
        self.with(|state| {
            if matches!(state.0, State::Idle { .. }) {
                state.0 = State::Idle { since: now };
            }
        });
    }

    /// A head is complete.
    pub(crate) fn serve(&self) {
        self.with(|state| {
            if !matches!(state.0, State::Closed) {
                state.0 = State::Serving;
            }
        });
    }

    /// The response is complete.
    pub(crate) fn finish(&self, now: Instant) {
        self.with(|state| {
            if matches!(state.0, State::Serving) {
                *state = (State::Idle { since: now }, now);
            }
        });
        // The stream's task reads the new deadline.
        self.waker.wake();
    }

    /// Since when the connection waits for its client; `None` while it is served.
    pub(crate) fn waiting_since(&self) -> Option<Instant> {
        self.with(|state| match state.0 {
            State::Idle { .. } | State::Head { .. } => Some(state.1),
            State::Serving | State::Closed => None,
        })
    }

    /// Closes a connection that waits for its client.
    pub(crate) fn close(&self) {
        self.with(|state| state.0 = State::Closed);
        self.waker.wake();
    }

    fn with<T>(&self, act: impl FnOnce(&mut (State, Instant)) -> T) -> T {
        act(&mut sync::lock(&self.state))
    }
}

/// A connection that was closed because its place was needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Closed;
