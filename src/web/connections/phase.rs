//! What a connection is doing, shared by its stream, its requests and the table of all connections.

use std::sync::Mutex;
use std::time::Duration;

use futures_util::task::AtomicWaker;
use tokio::time::Instant;

use crate::domain::sync;

/// How long a peer may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadlines {
    /// For a request's head, from its first byte; for the first head, from the connection on.
    pub(crate) head: Duration,
    /// Between an answer and the first byte of the next head.
    pub(crate) idle: Duration,
    /// For a request's body, from its head on.
    pub(crate) body: Duration,
    /// Without taking any byte of an answer.
    pub(crate) stall: Duration,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Nothing has come since the last answer.
    Idle { since: Instant },
    /// A head is coming, or the first one is awaited.
    Head { since: Instant },
    /// A request is being read or answered; it has deadlines of its own.
    Serving,
    /// Its place was needed.
    Closed,
}

/// What one connection is doing.
pub(crate) struct Phase {
    deadlines: Deadlines,
    /// The state, and since when the peer has kept the connection waiting.
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

    /// The task to wake when the connection is closed from outside.
    pub(crate) fn register(&self, waker: &std::task::Waker) {
        self.waker.register(waker);
    }

    /// Until when the peer may keep the connection waiting: `Err` when its place was needed, none while it is served.
    pub(crate) fn deadline(&self) -> Result<Option<Instant>, Closed> {
        match self.with(|state| state.0) {
            State::Idle { since } => Ok(since.checked_add(self.deadlines.idle)),
            State::Head { since } => Ok(since.checked_add(self.deadlines.head)),
            State::Serving => Ok(None),
            State::Closed => Err(Closed),
        }
    }

    /// Bytes came: after an idle time they begin a head.
    pub(crate) fn bytes_came(&self, now: Instant) {
        self.with(|state| {
            if matches!(state.0, State::Idle { .. }) {
                state.0 = State::Head { since: now };
            }
        });
    }

    /// Bytes of an answer were taken: a slow reader is not idle, but still keeps the connection waiting.
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

    /// The answer is complete.
    pub(crate) fn finish(&self, now: Instant) {
        self.with(|state| {
            if matches!(state.0, State::Serving) {
                *state = (State::Idle { since: now }, now);
            }
        });
        // The stream's task looks at the new deadline.
        self.waker.wake();
    }

    /// Since when the peer has kept the connection waiting; none while it is served.
    pub(crate) fn waiting_since(&self) -> Option<Instant> {
        self.with(|state| match state.0 {
            State::Idle { .. } | State::Head { .. } => Some(state.1),
            State::Serving | State::Closed => None,
        })
    }

    /// Ends a connection that keeps its place without need.
    pub(crate) fn close(&self) {
        self.with(|state| state.0 = State::Closed);
        self.waker.wake();
    }

    fn with<T>(&self, act: impl FnOnce(&mut (State, Instant)) -> T) -> T {
        act(&mut sync::lock(&self.state))
    }
}

/// A connection whose place was needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Closed;
