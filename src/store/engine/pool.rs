//! The connection pool; each connection observes its own statements.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use diesel::Connection;
use diesel::connection::InstrumentationEvent;

use super::db::Db;
use super::error::{OpenError, StoreError, is_contention, is_outage};
use super::location::{Location, make_private};

/// The outcome of the running transaction's statements so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TxFailure {
    None,
    /// One failed. PostgreSQL would answer COMMIT with a silent rollback.
    Failed,
    /// One failed because of another writer: the transaction must be repeated.
    Contended,
}

/// A pooled connection that observes its own statements.
pub(crate) struct Pooled {
    pub(crate) db: Db,
    failed: Arc<AtomicBool>,
    contended: Arc<AtomicBool>,
    outage: Arc<AtomicBool>,
}

impl Pooled {
    fn new(mut db: Db) -> Self {
        let flag = || Arc::new(AtomicBool::new(false));
        let (failed, contended, outage) = (flag(), flag(), flag());
        let (failed_flag, contended_flag) = (Arc::clone(&failed), Arc::clone(&contended));
        let outage_flag = Arc::clone(&outage);
        // Observed here and not in the closure's error: a use case may map store errors to its own, and the transaction
        // is still repeated, or not committed.
        #[cfg(test)]
        let kind = super::plans::kind(&db);
        db.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            #[cfg(test)]
            if let InstrumentationEvent::StartQuery { query, .. } = &event {
                super::plans::check(kind, &query.to_string());
            }
            if let InstrumentationEvent::FinishQuery { error: Some(error), .. } = event {
                failed_flag.store(true, Ordering::Relaxed);
                if is_contention(error) {
                    contended_flag.store(true, Ordering::Relaxed);
                }
                if is_outage(error) {
                    outage_flag.store(true, Ordering::Relaxed);
                }
            }
        });
        Self { db, failed, contended, outage }
    }

    /// Resets the outcome: a transaction begins.
    pub(crate) fn clear_failure(&self) {
        self.failed.store(false, Ordering::Relaxed);
        self.contended.store(false, Ordering::Relaxed);
        self.outage.store(false, Ordering::Relaxed);
    }

    /// Whether a statement has failed since then because the database is unavailable.
    pub(crate) fn outage(&self) -> bool {
        self.outage.load(Ordering::Relaxed)
    }

    /// Commits the transaction.
    ///
    /// # Errors
    /// [`StoreError::OutcomeUnknown`] when PostgreSQL did not answer: it may have committed. SQLite always knows.
    pub(crate) fn commit(&mut self) -> Result<(), StoreError> {
        self.db.commit().map_err(|error| {
            let outage = is_outage(&error);
            if outage {
                self.outage.store(true, Ordering::Relaxed);
            }
            if outage && matches!(self.db, Db::Postgres(_)) {
                StoreError::OutcomeUnknown
            } else {
                StoreError::from(error)
            }
        })
    }

    /// The outcome since then.
    pub(crate) fn failure(&self) -> TxFailure {
        match (self.contended.load(Ordering::Relaxed), self.failed.load(Ordering::Relaxed)) {
            (true, _) => TxFailure::Contended,
            (false, true) => TxFailure::Failed,
            (false, false) => TxFailure::None,
        }
    }
}

/// Creates and checks connections for the pool.
pub(crate) struct Manager {
    location: Location,
    transaction_pooling: bool,
}

impl r2d2::ManageConnection for Manager {
    type Connection = Pooled;
    type Error = OpenError;

    fn connect(&self) -> Result<Pooled, OpenError> {
        Db::open(&self.location, self.transaction_pooling).map(Pooled::new)
    }

    fn is_valid(&self, connection: &mut Pooled) -> Result<(), OpenError> {
        diesel::r2d2::R2D2Connection::ping(&mut connection.db).map_err(|error| StoreError::from(error).into())
    }

    fn has_broken(&self, connection: &mut Pooled) -> bool {
        // A panic may have left a transaction open: such a connection is closed, which rolls it back.
        std::thread::panicking() || diesel::r2d2::R2D2Connection::is_broken(&mut connection.db)
    }
}

/// Logs that connecting fails, and why; the pool keeps trying.
#[derive(Debug)]
pub(crate) struct LogErrors;

impl r2d2::HandleError<OpenError> for LogErrors {
    fn handle_error(&self, error: OpenError) {
        tracing::warn!(event = "database_unreachable", %error, "the database cannot be reached");
    }
}

/// The pool over one database.
pub(crate) type Pool = r2d2::Pool<Manager>;

/// A pool of at most `size` connections. Waits a limited time for a connection when all are busy.
pub(crate) fn pool(location: Location, size: u32, transaction_pooling: bool) -> Result<Pool, OpenError> {
    if let Location::Sqlite(path) = &location {
        make_private(path).map_err(|cause| OpenError::File { path: path.display().to_string(), cause })?;
    }
    // The first connection is opened directly: its error gives the cause, where the pool's would only be a timeout.
    drop(Db::open(&location, transaction_pooling)?);
    r2d2::Pool::builder()
        .max_size(size.max(1))
        .min_idle(Some(1))
        // Every transaction begins with a statement: one that fails replaces the connection.
        .test_on_check_out(false)
        .connection_timeout(Duration::from_secs(5))
        .error_handler(Box::new(LogErrors))
        .build(Manager { location, transaction_pooling })
        .map_err(|_| OpenError::Store(StoreError::Unavailable("no connection in time")))
}
