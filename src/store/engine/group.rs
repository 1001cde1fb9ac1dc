//! Group commit: the writes that wait are made in one transaction, each in a savepoint of its own, so that each fails or
//! succeeds alone. Their callers hear of it after the commit.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use diesel::Connection;
use diesel::connection::TransactionManager;
use tokio::sync::oneshot;

use super::database::Database;
use super::db::Db;
use super::error::StoreError;
use super::pool::{Pooled, TxFailure};
use super::transaction::{Queue, Reader, Tx};
use crate::domain::sync::lock;

/// How often a transaction is repeated because of other processes before it fails as unavailable.
const ATTEMPTS: u32 = 14;

/// Most writes that wait; more are refused at once.
const MOST_WAITING: usize = 1024;

/// Most writes in one transaction.
const MOST_AT_ONCE: usize = 128;

/// A use case went on after a statement had failed.
pub(super) const PASSED_OVER: StoreError = StoreError::Rule("a failed statement was passed over");

/// Records how a write ended, in its own span.
pub(super) fn end_span(attempts: u32, committed: bool) {
    tracing::Span::current().record("attempts", attempts);
    tracing::debug!(event = "store_write_ended", committed, "a write has ended");
}

/// How long a write waits for its turn.
const QUEUE_TIME: Duration = Duration::from_secs(10);

/// The writes that wait, first come first served.
#[derive(Default)]
pub(super) struct Group {
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    writes: VecDeque<Box<dyn Write>>,
    /// Whether a thread is making writes.
    led: bool,
}

impl Group {
    /// Makes a write together with those that wait.
    ///
    /// # Errors
    /// What `work` returns, or [`StoreError::Unavailable`]. A caller that goes away while it waits changes nothing.
    pub(super) async fn write<T, E>(
        self: &Arc<Self>,
        database: &Database,
        span: tracing::Span,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let turn = Turn(Arc::new(AtomicU8::new(WAITING)));
        let (answer, mut answered) = oneshot::channel();
        let write = Queued { span, work, result: None, answer, turn: Arc::clone(&turn.0) };
        if self.enter(Box::new(write))? {
            let leader = Leader { group: Arc::clone(self), database: database.clone(), done: false };
            tokio::task::spawn_blocking(move || leader.lead());
        }
        let lost = || StoreError::Unavailable("the work was interrupted");
        match tokio::time::timeout(QUEUE_TIME, &mut answered).await {
            Ok(result) => result.unwrap_or_else(|_| Err(lost().into())),
            Err(_) if turn.give_up() => Err(StoreError::Unavailable("the queue of writers").into()),
            // It is being made: it may take effect, so its outcome is awaited.
            Err(_) => answered.await.unwrap_or_else(|_| Err(lost().into())),
        }
    }

    /// Adds a write. Returns whether the caller must see to it that a thread makes it.
    fn enter(&self, write: Box<dyn Write>) -> Result<bool, StoreError> {
        let mut waiting = lock(&self.waiting);
        if waiting.writes.len() >= MOST_WAITING {
            return Err(StoreError::Unavailable("the queue of writers is full"));
        }
        waiting.writes.push_back(write);
        Ok(!std::mem::replace(&mut waiting.led, true))
    }

    /// The writes of the next transaction; `None` when none waits any more, and the next one is led by another thread.
    fn take(&self) -> Option<Vec<Box<dyn Write>>> {
        let mut waiting = lock(&self.waiting);
        let most = waiting.writes.len().min(MOST_AT_ONCE);
        if most == 0 {
            waiting.led = false;
            return None;
        }
        Some(waiting.writes.drain(..most).collect())
    }
}

/// The one thread that makes the writes. When it cannot go on, those that wait are refused, and the next one that comes is led
/// by another thread.
struct Leader {
    group: Arc<Group>,
    database: Database,
    done: bool,
}

impl Leader {
    /// Makes writes until none waits.
    fn lead(mut self) {
        while let Some(mut writes) = self.group.take() {
            writes.retain(|write| write.claim());
            self.make(writes);
        }
        self.done = true;
    }

    fn make(&self, mut writes: Vec<Box<dyn Write>>) {
        let ended = match writes.len() {
            0 => return,
            _ => commit(&self.database, &mut writes),
        };
        // After a commit without an answer nothing is made again: it may have taken effect.
        let again = matches!(&ended, Ended::Failed(error, _) if *error != StoreError::OutcomeUnknown);
        if writes.len() == 1 || !again {
            return writes.into_iter().for_each(|write| write.answer(&ended));
        }
        // One of them made the database refuse all. Alone it does so to no other.
        let mut away = None;
        for write in writes {
            let mut alone = [write];
            let ended = away.take().unwrap_or_else(|| commit(&self.database, &mut alone));
            let [write] = alone;
            write.answer(&ended);
            away = matches!(ended, Ended::NotBegun(_)).then_some(ended);
        }
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        if !self.done {
            let mut waiting = lock(&self.group.waiting);
            waiting.led = false;
            waiting.writes.clear();
        }
    }
}

/// How a transaction ended, with the number of attempts.
enum Ended {
    Committed(u32),
    /// A statement failed, or the commit.
    Failed(StoreError, u32),
    /// There was no connection, or another process has the lock.
    NotBegun(StoreError),
}

/// Makes all writes in one transaction.
fn commit(database: &Database, writes: &mut [Box<dyn Write>]) -> Ended {
    let mut attempt = 1;
    loop {
        let mut connection = match database.begin_write(true) {
            Ok(connection) => connection,
            Err(error) => return Ended::NotBegun(error),
        };
        let Err(error) = make(database, &mut connection, writes) else { return Ended::Committed(attempt) };
        connection.db.roll_back();
        if connection.failure() != TxFailure::Contended || attempt >= ATTEMPTS {
            database.note_outage(&connection);
            return Ended::Failed(error, attempt);
        }
        drop(connection);
        std::thread::sleep(database.pause(attempt));
        attempt += 1;
    }
}

/// Makes each write and commits. On an error nothing was changed, but for [`StoreError::OutcomeUnknown`].
fn make(
    database: &Database,
    connection: &mut Pooled,
    writes: &mut [Box<dyn Write>],
) -> Result<(), StoreError> {
    if let [write] = writes {
        connection.clear_failure();
        return match write.run(database, connection)? {
            true => connection.commit(),
            false => {
                connection.db.roll_back();
                Ok(())
            }
        };
    }
    for write in writes {
        connection.clear_failure();
        begin_savepoint(&mut connection.db)?;
        match write.run(database, connection)? {
            true => release_savepoint(&mut connection.db)?,
            false => roll_back_savepoint(&mut connection.db)?,
        }
    }
    connection.clear_failure();
    connection.commit()
}

type Manager = <Db as Connection>::TransactionManager;

fn begin_savepoint(db: &mut Db) -> Result<(), StoreError> {
    Ok(Manager::begin_transaction(db)?)
}

fn release_savepoint(db: &mut Db) -> Result<(), StoreError> {
    Ok(Manager::commit_transaction(db)?)
}

fn roll_back_savepoint(db: &mut Db) -> Result<(), StoreError> {
    Ok(Manager::rollback_transaction(db)?)
}

/// A write that waits.
trait Write: Send {
    /// Whether its caller waits still. From then on the caller awaits the outcome.
    fn claim(&self) -> bool;

    /// Makes the changes and keeps the result. Returns whether they are to be kept.
    ///
    /// # Errors
    /// The whole transaction is to be rolled back: it lost against another process, or the database is unavailable.
    fn run(&mut self, database: &Database, connection: &mut Pooled) -> Result<bool, StoreError>;

    /// Tells the caller how it ended.
    fn answer(self: Box<Self>, ended: &Ended);
}

struct Queued<T, E, W> {
    span: tracing::Span,
    work: W,
    result: Option<Result<T, E>>,
    answer: oneshot::Sender<Result<T, E>>,
    turn: Arc<AtomicU8>,
}

impl<T, E, W> Write for Queued<T, E, W>
where
    T: Send,
    E: From<StoreError> + Send,
    W: FnMut(&mut Tx<'_>) -> Result<T, E> + Send,
{
    fn claim(&self) -> bool {
        self.turn.compare_exchange(WAITING, MADE, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    fn run(&mut self, database: &Database, connection: &mut Pooled) -> Result<bool, StoreError> {
        let work = &mut self.work;
        let mut tx = Tx::new(Reader { db: &mut connection.db, keys: &database.keys }, Queue::Joined);
        let result = self.span.in_scope(|| catch_unwind(AssertUnwindSafe(|| work(&mut tx))));
        let result =
            result.unwrap_or_else(|_| Err(StoreError::Unavailable("the work was interrupted").into()));
        let result = match connection.failure() {
            TxFailure::Contended => return Err(StoreError::Unavailable("too much contention")),
            TxFailure::Failed if connection.outage() => {
                return Err(StoreError::Unavailable("the statement failed"));
            }
            TxFailure::Failed => result.and_then(|_| Err(PASSED_OVER.into())),
            TxFailure::None => result,
        };
        Ok(self.result.insert(result).is_ok())
    }

    fn answer(self: Box<Self>, ended: &Ended) {
        let interrupted = || Err(StoreError::Unavailable("the work was interrupted").into());
        let (result, attempts) = match ended {
            Ended::Committed(attempts) => (self.result.unwrap_or_else(interrupted), *attempts),
            Ended::Failed(error, attempts) => (Err(error.clone().into()), *attempts),
            Ended::NotBegun(error) => (Err(error.clone().into()), 0),
        };
        self.span.in_scope(|| end_span(attempts, result.is_ok()));
        // The caller may be gone, since it is cancelled with its request.
        drop(self.answer.send(result));
    }
}

const WAITING: u8 = 0;
const MADE: u8 = 1;
const GIVEN_UP: u8 = 2;

/// A caller's place in the queue; given up when the caller goes away.
struct Turn(Arc<AtomicU8>);

impl Turn {
    /// Whether it was in time: the write is not made.
    fn give_up(&self) -> bool {
        self.0.compare_exchange(WAITING, GIVEN_UP, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.give_up();
    }
}
