//! The store: everything that a node must not forget, in SQLite or PostgreSQL.
//!
//! - [`Store::read`] gives one consistent picture, [`Store::write`] is ONE transaction: all of it or nothing, durable
//!   when it returns, repeated by itself where the engine asks for that. A closure may therefore run more than once
//!   and must do nothing but change the store.
//! - One file per aggregate. Its functions take a [`Reader`] or a [`Tx`] first, so that a read cannot write and several
//!   aggregates can change in one transaction.
//! - What is read back and secret is sealed ([`sealed`]); what is only compared is hashed. `schema` says which.
//! - Only this room knows that there are two databases.

pub mod engine;
pub mod federation;
pub mod holder;
pub mod jobs;
pub mod keys;
pub mod log;
pub mod messaging;
pub mod recipient;
pub mod resident;
pub mod used_once;

#[cfg(test)]
mod consent_tests;

use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use crate::store::engine::error::{OpenError, StoreError};
use crate::store::engine::sealed::{LookupKey, Sealer};
use crate::store::keys::root_keys::RootKeys;

/// Fills a buffer with unpredictable bytes; the application passes its `ports::Entropy` in.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// How often a write is repeated when others get in its way, before it is given up as unavailable.
const ATTEMPTS: u32 = 14;

/// Where the database is.
#[derive(Debug, Clone)]
pub struct Options {
    /// `sqlite://PATH` or `postgres://USER@HOST:PORT/DATABASE`.
    pub url: String,
    /// File whose content is the PostgreSQL password, where the URL has none.
    pub password_file: Option<PathBuf>,
    /// Most connections at a time.
    pub pool: u32,
}

/// What seals, hashes and makes random values for the store's rows.
pub(crate) struct Keys {
    pub(crate) sealer: Sealer,
    pub(crate) lookup: LookupKey,
    pub(crate) random: Random,
    /// The receipt key that signed last: most transactions that sign do so with the same.
    pub(crate) receipt_key: std::sync::Mutex<Option<crate::domain::jose::SigningKey>>,
}

/// The database of one node. Cheap to clone; all clones share one pool.
#[derive(Clone)]
pub struct Store {
    pool: crate::store::engine::db::Pool,
    keys: Arc<Keys>,
    /// SQLite has one writer: writers of this process queue here, first come first served, instead of polling the file
    /// lock.
    writer: Option<Arc<tokio::sync::Mutex<()>>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

/// One consistent picture of the store.
pub struct Reader<'a> {
    db: &'a mut crate::store::engine::db::Db,
    keys: &'a Keys,
}

/// The one transaction of a write. Everything that takes a [`Reader`] takes this too.
pub struct Tx<'a> {
    reader: Reader<'a>,
    queue: Queue,
}

/// Whether a transaction stands in the queue of writers that PostgreSQL lets in one by one. Those who append to the log
/// do from the start, those who met contention from then on: outside, a writer could lose against a stream of others for
/// ever, and a resident who takes a permission back must not wait for a recipient that fetches without pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Queue {
    /// From its beginning.
    Joined,
    /// Not; others may append beside it.
    Outside,
    /// Not, and it turned out to append: it must begin again, in the queue.
    Wanted,
}

impl<'a> Deref for Tx<'a> {
    type Target = Reader<'a>;
    fn deref(&self) -> &Reader<'a> {
        &self.reader
    }
}

impl<'a> DerefMut for Tx<'a> {
    fn deref_mut(&mut self) -> &mut Reader<'a> {
        &mut self.reader
    }
}

impl Tx<'_> {
    /// Demands that this transaction stands in the queue. One that took row locks before it came to the log would
    /// wait for those who came the other way round, and they for it.
    fn demand_queue(&mut self) -> Result<(), StoreError> {
        if self.queue == Queue::Joined {
            return Ok(());
        }
        self.queue = Queue::Wanted;
        Err(StoreError::Unavailable("the queue of writers"))
    }
}

impl Reader<'_> {
    /// The keyed hashes and pairwise subjects of this node.
    #[must_use]
    pub fn lookup(&self) -> &LookupKey {
        &self.keys.lookup
    }

    /// N unpredictable bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.keys.random)(&mut bytes);
        bytes
    }
}

impl Store {
    /// Opens the database; does not migrate it. Blocks: call it at start, before serving.
    ///
    /// # Errors
    /// [`OpenError`] when the URL, the file or the server cannot be used.
    pub fn open(options: &Options, root: &RootKeys, random: Random) -> Result<Self, OpenError> {
        let location =
            crate::store::engine::db::Location::parse(&options.url, options.password_file.as_deref())?;
        let writer = matches!(location, crate::store::engine::db::Location::Sqlite(_))
            .then(|| Arc::new(tokio::sync::Mutex::new(())));
        let pool = crate::store::engine::db::pool(location, options.pool)?;
        let keys = Keys {
            sealer: Sealer::new(&root.sealing, Arc::clone(&random)),
            lookup: LookupKey::new(&root.lookup),
            random,
            receipt_key: std::sync::Mutex::new(None),
        };
        Ok(Self { pool, keys: Arc::new(keys), writer })
    }

    /// Runs the migrations that are missing, all or none, then checks that the root keys are the ones this database
    /// was first used with. Returns how many migrations ran.
    ///
    /// # Errors
    /// [`OpenError::Migration`], [`OpenError::WrongKey`], or the database is away.
    pub async fn migrate(&self) -> Result<usize, OpenError> {
        let ran = self.blocking(tracing::Span::none(), |store| store.connection()?.db.migrate()).await?;
        self.write("remember_root_keys", |tx| {
            Ok::<_, OpenError>(crate::store::keys::root_keys::remember(tx)?)
        })
        .await?;
        self.check_keys().await?;
        Ok(ran)
    }

    /// Whether the database lacks a migration that this program has.
    ///
    /// # Errors
    /// [`OpenError`] when the database is away.
    pub async fn migrations_pending(&self) -> Result<bool, OpenError> {
        self.blocking(tracing::Span::none(), |store| store.connection()?.db.migrations_pending()).await
    }

    /// Checks that the root keys are the ones this database was first used with, so that a lost key file is noticed
    /// at start and not when a resident's data cannot be read.
    ///
    /// # Errors
    /// [`OpenError::WrongKey`] names the file that must be put back.
    pub async fn check_keys(&self) -> Result<(), OpenError> {
        self.read("check_root_keys", crate::store::keys::root_keys::check).await
    }

    /// Whether the database answers now.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.read("ping", |_| Ok(())).await
    }

    /// Reads one consistent picture. `name` (`snake_case`, one for each use) names the span of the transaction.
    ///
    /// # Errors
    /// What the closure returns, or [`StoreError::Unavailable`].
    pub async fn read<T, E>(
        &self,
        name: &'static str,
        work: impl FnOnce(&mut Reader<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let span = tracing::debug_span!("store_read", transaction = name);
        self.blocking(span, move |store| store.read_now(work)).await
    }

    /// Changes the store in ONE transaction: committed and durable when this returns `Ok`, without effect when it
    /// returns an error. The closure runs again when another writer got in the way. `name` (`snake_case`, one for each
    /// use) names the span of the transaction.
    ///
    /// # Errors
    /// What the closure returns, or [`StoreError::Unavailable`].
    pub async fn write<T, E>(
        &self,
        name: &'static str,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.blocking(write_span(name), move |store| store.write_now(false, work)).await
    }

    /// As [`Store::write`], for a change that is known to append to the log: it queues for the log from the start. Any
    /// other write that comes to append is begun again in the queue, so this only saves the first beginning.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn write_log<T, E>(
        &self,
        name: &'static str,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.blocking(write_span(name), move |store| store.write_now(true, work)).await
    }

    async fn blocking<T, E>(
        &self,
        span: tracing::Span,
        work: impl FnOnce(&Self) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let store = self.clone();
        tokio::task::spawn_blocking(move || span.in_scope(|| work(&store)))
            .await
            .unwrap_or_else(|_| Err(StoreError::Unavailable("the work was interrupted").into()))
    }

    fn connection(&self) -> Result<r2d2::PooledConnection<crate::store::engine::db::Manager>, StoreError> {
        self.pool.get().map_err(|_| StoreError::Unavailable("no connection in time"))
    }

    fn read_now<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut Reader<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.connection()?;
        let db = &mut connection.db;
        db.begin_read().map_err(StoreError::from)?;
        let result = work(&mut Reader { db: &mut *db, keys: &self.keys });
        // Nothing was changed: ending by rollback is right on both, and also when the closure failed.
        db.roll_back();
        result
    }

    fn write_now<T, E: From<StoreError>>(
        &self,
        log: bool,
        mut work: impl FnMut(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let _turn = self.writer.as_ref().map(|writer| writer.blocking_lock());
        let mut connection = self.connection()?;
        let mut queue = if log || self.writer.is_some() { Queue::Joined } else { Queue::Outside };
        let mut attempt = 1;
        loop {
            connection.clear_failure();
            let (result, left) = self.attempt(&mut connection, queue, &mut work);
            if result.is_err() {
                connection.db.roll_back();
                if left == Queue::Wanted {
                    queue = Queue::Joined;
                    continue;
                }
            }
            let contended = connection.failure() == crate::store::engine::db::TxFailure::Contended;
            if result.is_ok() || !contended || attempt >= ATTEMPTS {
                tracing::Span::current().record("attempts", attempt);
                tracing::debug!(event = "store_write_ended", committed = result.is_ok(), "a write has ended");
                return result;
            }
            // The first repetition often succeeds beside the others; after that, in turn.
            if attempt >= 2 {
                queue = Queue::Joined;
            }
            std::thread::sleep(self.pause(attempt));
            attempt += 1;
        }
    }

    fn attempt<T, E: From<StoreError>>(
        &self,
        connection: &mut crate::store::engine::db::Pooled,
        queue: Queue,
        work: &mut impl FnMut(&mut Tx<'_>) -> Result<T, E>,
    ) -> (Result<T, E>, Queue) {
        if let Err(error) = connection.db.begin_write(queue == Queue::Joined) {
            return (Err(StoreError::from(error).into()), queue);
        }
        let mut tx = Tx { reader: Reader { db: &mut connection.db, keys: &self.keys }, queue };
        let result = work(&mut tx);
        let queue = tx.queue;
        let result = result.and_then(|value| match (queue, connection.failure()) {
            (Queue::Joined | Queue::Outside, crate::store::engine::db::TxFailure::None) => {
                connection.db.commit().map_err(StoreError::from)?;
                Ok(value)
            }
            (Queue::Wanted, _) | (_, crate::store::engine::db::TxFailure::Contended) => {
                Err(StoreError::Unavailable("too much contention").into())
            }
            (_, crate::store::engine::db::TxFailure::Failed) => {
                Err(StoreError::Rule("a failed statement was passed over").into())
            }
        });
        (result, queue)
    }

    /// Between half and all of 2, 4, 8 … 256 ms: those who met once do not meet again.
    fn pause(&self, attempt: u32) -> Duration {
        let mut byte = [0; 1];
        (self.keys.random)(&mut byte);
        let micros = 2000_u64.saturating_mul(1 << attempt.saturating_sub(1).min(7));
        let [part] = byte;
        Duration::from_micros(micros / 2 + micros / 2 * u64::from(part) / 255)
    }
}

fn write_span(name: &'static str) -> tracing::Span {
    tracing::debug_span!("store_write", transaction = name, attempts = tracing::field::Empty)
}

/// Opens a file's directory and waits until its entries are on disk.
pub(crate) fn sync_directory(directory: &Path) -> std::io::Result<()> {
    std::fs::File::open(directory)?.sync_all()
}
