//! The store itself: opened, migrated, read and written.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use super::database::Database;
use super::error::{OpenError, StoreError};
use super::group::{Group, PASSED_OVER, end_span};
use super::location::Location;
use super::pool::{Manager, TxFailure, pool};
use super::restore::{self, Evidence, LogMark};
use super::root_keys::RootKeys;
use super::sealed::{LookupKey, Sealer};
use super::transaction::{Keys, Queue, Reader, Tx};
use super::{Random, identity, key_checks};
use crate::domain::clock::Timestamp;
use crate::domain::ids::EntityId;

/// The location and owner of the database.
#[derive(Debug, Clone)]
pub struct Options {
    /// `sqlite://PATH` or `postgres://USER@HOST:PORT/DATABASE`.
    pub url: String,
    /// Maximum number of connections.
    pub pool: u32,
    /// The expected owner; `None` checks nothing.
    pub owner: Option<EntityId>,
    /// Whether the address is one of a pooler that gives each transaction any of its connections (PgBouncer,
    /// `pool_mode = transaction`). Then nothing may be kept on a connection from one transaction to the next.
    pub transaction_pooling: bool,
}

/// The database of one node. Cheap to clone; all clones share one pool.
#[derive(Clone)]
pub struct Store {
    location: Arc<Location>,
    database: Database,
    owner: Option<EntityId>,
    /// Where the writes of this process wait that must be let in one by one: all of them on SQLite, those that append to the
    /// log on PostgreSQL.
    group: Arc<Group>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

impl Store {
    /// Opens the database; does not migrate it. Blocks: call it at start, before serving.
    ///
    /// # Errors
    /// [`OpenError`] when the URL, the file or the server cannot be used.
    pub fn open(options: &Options, root: &RootKeys, random: Random) -> Result<Self, OpenError> {
        let location = Location::parse(&options.url)?;
        let pool = pool(location.clone(), options.pool, options.transaction_pooling)?;
        let keys = Keys {
            sealer: root
                .further_sealing
                .iter()
                .fold(Sealer::new(&root.sealing, Arc::clone(&random)), |sealer, (id, key)| {
                    sealer.with_key(*id, key)
                }),
            lookup: LookupKey::new(&root.lookup),
            random,
            receipt_key: Mutex::new(None),
        };
        let owner = options.owner.clone();
        Ok(Self {
            location: Arc::new(location),
            database: Database {
                pool,
                keys: Arc::new(keys),
                writes_fail: Arc::default(),
                transaction_pooling: options.transaction_pooling,
            },
            owner,
            group: Arc::default(),
        })
    }

    /// The keyed hashes and pairwise identifiers of this node.
    #[must_use]
    pub(crate) fn lookup(&self) -> &LookupKey {
        &self.database.keys.lookup
    }

    /// Runs the missing migrations, all or none, then checks that root keys and owner are those of the first use.
    /// Returns how many migrations ran.
    ///
    /// # Errors
    /// [`OpenError::Migration`], [`OpenError::WrongKey`], [`OpenError::WrongOwner`], or the database is away.
    pub async fn migrate(&self) -> Result<usize, OpenError> {
        let ran = self.blocking(tracing::Span::none(), |store| store.connection()?.db.migrate()).await?;
        let owner = self.owner.clone();
        self.write("remember_owner", move |tx| {
            key_checks::remember(tx)?;
            identity::remember_owner(tx, owner.as_ref())
        })
        .await
        .map_err(|error: StoreError| OpenError::from(error))?;
        self.check_owner().await?;
        Ok(ran)
    }

    /// Whether the database lacks a migration of this program.
    ///
    /// # Errors
    /// [`OpenError`] when the database is unavailable.
    pub(crate) async fn migrations_pending(&self) -> Result<bool, OpenError> {
        self.blocking(tracing::Span::none(), |store| store.connection()?.db.migrations_pending()).await
    }

    /// Checks that root keys and owner are those of the first use: a lost key file is detected at the start and not
    /// when a resident's data cannot be read, and a changed address does not take over another node's data.
    ///
    /// # Errors
    /// [`OpenError::WrongKey`] names the file to restore, [`OpenError::WrongOwner`] the owner.
    pub(crate) async fn check_owner(&self) -> Result<(), OpenError> {
        let owner = self.owner.clone();
        self.read("check_owner", move |reader| {
            key_checks::check(reader)?;
            identity::check_owner(reader, owner.as_ref())
        })
        .await
    }

    /// The common time of the node's processes, where this one's clock says `now`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub(crate) async fn shared_time(&self, now: Timestamp) -> Result<Timestamp, StoreError> {
        self.read("shared_time", move |reader| reader.shared_time(now)).await
    }

    /// Compares the database with what this machine has seen of it, and begins a new epoch when it was restored or
    /// copied. Returns how that was detected.
    ///
    /// # Errors
    /// [`OpenError`] when the database or the file with the mark cannot be used.
    pub(crate) async fn detect_restore(
        &self,
        key_directory: &Path,
        now: Timestamp,
    ) -> Result<Option<Evidence>, OpenError> {
        let failed = |cause| OpenError::File { path: key_directory.display().to_string(), cause };
        let mark = LogMark::load(key_directory).map_err(failed)?;
        let file = match &*self.location {
            Location::Sqlite(path) => Some(path.clone()),
            Location::Postgres(_) => None,
        };
        let place = self.read("find_place", move |reader| restore::place(reader, file.as_deref())).await?;
        let found = self
            .write("detect_restore", move |tx| restore::detect(tx, &place, mark.as_ref(), now))
            .await
            .map_err(OpenError::Store)?;
        self.write_log_mark(key_directory).await?;
        Ok(found)
    }

    /// Records the end of the log in a file beside the root keys, by which an older database is detected.
    ///
    /// # Errors
    /// [`OpenError`] when the database or the file cannot be used.
    pub(crate) async fn write_log_mark(&self, key_directory: &Path) -> Result<(), OpenError> {
        let mark = self.read("read_log_mark", restore::log_mark).await.map_err(OpenError::Store)?;
        let failed = |cause| OpenError::File { path: key_directory.display().to_string(), cause };
        match mark {
            Some(mark) if LogMark::load(key_directory).map_err(failed)?.as_ref() != Some(&mark) => {
                mark.store(key_directory).map_err(failed)
            }
            _ => Ok(()),
        }
    }

    /// Whether the database answers now and took the last write: a full disk or a lock that somebody else holds lets
    /// everything be read still. Who serves tries to write every two seconds ([`Store::try_write`]), so that this is known
    /// soon in both directions.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        if self.database.writes_fail.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable("the last write failed"));
        }
        self.read("ping", |_| Ok(())).await
    }

    /// Finds out for [`Store::ping`] whether a write could be made, whatever else the process has to write. While none can,
    /// it really writes something: a full disk lets a transaction without changes pass.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn try_write(&self) -> Result<(), StoreError> {
        let failing = self.database.writes_fail.load(Ordering::Relaxed);
        self.write("try_write", move |tx| if failing { identity::touch(tx) } else { Ok(()) }).await?;
        if failing {
            self.database.writes_fail.store(false, Ordering::Relaxed);
        }
        Ok(())
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

    /// Reads by single statements, each with a picture of its own. On SQLite they are run at once where a connection is free:
    /// what they find by a key takes less time than the way to another thread.
    ///
    /// # Errors
    /// What the closure returns, or [`StoreError::Unavailable`].
    pub(crate) async fn look_up<T, E>(
        &self,
        name: &'static str,
        work: impl Fn(&mut Reader<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        if self.database.transaction_pooling {
            // A statement is prepared and run in two messages, which must reach one server.
            return self.read(name, move |reader| work(reader)).await;
        }
        let span = tracing::debug_span!("store_read", transaction = name);
        if matches!(*self.location, Location::Sqlite(_))
            && let Some(mut connection) = self.database.pool.try_get()
        {
            let mut reader = Reader { db: &mut connection.db, keys: &self.database.keys };
            return span.in_scope(|| work(&mut reader));
        }
        self.blocking(span, move |store| store.look_up_now(work)).await
    }

    /// As [`Self::look_up`], on this thread. Where the connection was cut or the database is away, once more in a transaction, which
    /// replaces connections that were cut.
    fn look_up_now<T, E: From<StoreError>>(
        &self,
        work: impl Fn(&mut Reader<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.connection()?;
        connection.clear_failure();
        let result = work(&mut Reader { db: &mut connection.db, keys: &self.database.keys });
        if !connection.outage() {
            return result;
        }
        drop(connection);
        self.read_now(work)
    }

    /// Changes the store in ONE transaction: committed when this returns `Ok`, rolled back when it returns an error.
    /// The closure runs again when another writer conflicts. `name` (`snake_case`, unique) is the name of the
    /// transaction's span.
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
        self.write_in_turn(name, false, work).await
    }

    /// As [`Store::write`], for a change that appends to the log, or of which many are made at the same time: it waits in
    /// the queue of writers from the start and shares a transaction with others there. Any other write that comes to append
    /// is restarted in the queue, so for that this only saves the first attempt.
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
        self.write_in_turn(name, true, work).await
    }

    async fn write_in_turn<T, E, W>(&self, name: &'static str, log: bool, work: W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        W: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let span = tracing::debug_span!("store_write", transaction = name, attempts = tracing::field::Empty);
        if log || matches!(*self.location, Location::Sqlite(_)) {
            return self.group.write(&self.database, span, work).await;
        }
        let inside = span.clone();
        let outcome = self.blocking(span, move |store| Ok(store.write_outside(work))).await;
        match outcome.map_err(|error: StoreError| E::from(error))? {
            Outside::Ended(result) => result,
            Outside::Queue(work) => self.group.write(&self.database, inside, work).await,
        }
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

    pub(super) fn connection(&self) -> Result<r2d2::PooledConnection<Manager>, StoreError> {
        self.database.connection()
    }

    fn read_now<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut Reader<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let pooling = self.database.transaction_pooling;
        let mut connection = self.database.begin(|db| db.begin_read(pooling))?;
        let db = &mut connection.db;
        let result = work(&mut Reader { db: &mut *db, keys: &self.database.keys });
        // Nothing was changed: a rollback is right on both, also when the closure failed.
        db.roll_back();
        result
    }

    /// A write beside those in the queue, until it has to append to the log or has twice lost against others.
    fn write_outside<T, E, W>(&self, mut work: W) -> Outside<T, E, W>
    where
        E: From<StoreError>,
        W: FnMut(&mut Tx<'_>) -> Result<T, E>,
    {
        let mut connection = match self.database.begin_write(false) {
            Ok(connection) => connection,
            Err(error) => return Outside::Ended(Err(error.into())),
        };
        for attempt in 1..=2 {
            if attempt > 1
                && let Err(error) = connection.db.begin_write(false, self.database.transaction_pooling)
            {
                self.database.note_outage(&connection);
                return Outside::Ended(Err(StoreError::from(error).into()));
            }
            connection.clear_failure();
            let mut tx =
                Tx::new(Reader { db: &mut connection.db, keys: &self.database.keys }, Queue::Outside);
            let result = work(&mut tx);
            let queue = tx.queue();
            let result = match connection.failure() {
                TxFailure::None if queue == Queue::Outside => result.and_then(|value| {
                    connection.commit()?;
                    Ok(value)
                }),
                TxFailure::Failed => result.and_then(|_| Err(PASSED_OVER.into())),
                TxFailure::None | TxFailure::Contended => result,
            };
            let contended = connection.failure() == TxFailure::Contended;
            if queue != Queue::Outside || contended {
                connection.db.roll_back();
                if queue == Queue::Outside && attempt == 1 {
                    // The first repetition often succeeds beside the others.
                    std::thread::sleep(self.database.pause(attempt));
                    continue;
                }
                break;
            }
            if result.is_err() {
                connection.db.roll_back();
                self.database.note_outage(&connection);
            }
            end_span(attempt, result.is_ok());
            return Outside::Ended(result);
        }
        Outside::Queue(work)
    }
}

/// What came of a write beside the queue.
enum Outside<T, E, W> {
    Ended(Result<T, E>),
    /// It must be made in the queue.
    Queue(W),
}
