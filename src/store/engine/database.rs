//! The database as transactions begin on it: connections, keys, and whether writing works.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::db::Db;
use super::error::StoreError;
use super::pool::{Manager, Pool, Pooled, TxFailure};
use super::transaction::Keys;

/// How often a write tries to begin while another process holds the lock of a SQLite file, five seconds each. The error
/// then arrives before the request's deadline, so that nothing takes effect after its caller got an error.
const BEGINNINGS: u32 = 2;

/// Cheap to clone; all clones share one pool.
#[derive(Clone)]
pub(super) struct Database {
    pub(super) pool: Pool,
    pub(super) keys: Arc<Keys>,
    /// Whether the last write failed because the database was unavailable.
    pub(super) writes_fail: Arc<AtomicBool>,
    /// As in [`super::store::Options`].
    pub(super) transaction_pooling: bool,
}

impl Database {
    pub(super) fn connection(&self) -> Result<r2d2::PooledConnection<Manager>, StoreError> {
        self.pool.get().map_err(|_| StoreError::Unavailable("no connection in time"))
    }

    /// A connection with a write transaction that has begun.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; writing is then known to fail.
    pub(super) fn begin_write(&self, in_queue: bool) -> Result<r2d2::PooledConnection<Manager>, StoreError> {
        self.begin(|db| db.begin_write(in_queue, self.transaction_pooling))
            .inspect_err(|_| self.writes_fail.store(true, Ordering::Relaxed))
    }

    /// A connection with a transaction that has begun. One that was cut while it was idle is replaced.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub(super) fn begin(
        &self,
        begin: impl Fn(&mut Db) -> diesel::QueryResult<()>,
    ) -> Result<r2d2::PooledConnection<Manager>, StoreError> {
        let (mut cut, mut not_begun) = (0_u32, 0_u32);
        loop {
            let mut connection = self.connection()?;
            connection.clear_failure();
            let Err(error) = begin(&mut connection.db) else { return Ok(connection) };
            let contended = connection.failure() == TxFailure::Contended;
            connection.db.roll_back();
            if contended {
                not_begun = not_begun.saturating_add(1);
            } else {
                cut = cut.saturating_add(1);
            }
            if not_begun >= BEGINNINGS || cut > self.pool.max_size() {
                return Err(error.into());
            }
        }
    }

    pub(super) fn note_outage(&self, connection: &Pooled) {
        if connection.outage() {
            self.writes_fail.store(true, Ordering::Relaxed);
        }
    }

    /// A random delay between half and all of 2, 4, 8 … 256 ms, so that conflicting writers separate.
    pub(super) fn pause(&self, attempt: u32) -> Duration {
        let mut byte = [0; 1];
        (self.keys.random)(&mut byte);
        let micros = 2000_u64.saturating_mul(1 << attempt.saturating_sub(1).min(7));
        let [part] = byte;
        Duration::from_micros(micros / 2 + micros / 2 * u64::from(part) / 255)
    }
}
