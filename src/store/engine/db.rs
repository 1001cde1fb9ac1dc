//! One connection, over either database.

// The derive writes items without documentation and an `establish` that tries every backend in turn, which
// nothing here calls: `Db::open` chooses by the URL's scheme.
#![allow(missing_docs)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use diesel::connection::{
    AnsiTransactionManager, InstrumentationEvent, SimpleConnection, TransactionManager,
};
use diesel::{Connection, MultiConnection, PgConnection, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use zeroize::Zeroizing;

use super::error::{OpenError, StoreError, is_contention};

pub(crate) const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");
pub(crate) const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// Any number that no other program takes on the same database: it lets one process migrate while others wait.
const MIGRATION_LOCK: &str = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '120s'; \
                              SELECT pg_advisory_xact_lock(7270410201)";

/// A connection to SQLite or PostgreSQL; diesel statements run on it directly.
#[derive(MultiConnection)]
pub(crate) enum Db {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

/// Where the database is, by scheme, ready to be connected to.
#[derive(Clone)]
pub(crate) enum Location {
    /// A libpq URI, with the password in it.
    Postgres(Zeroizing<String>),
    /// A file.
    Sqlite(PathBuf),
}

impl Location {
    /// Understands `postgres://…`, `postgresql://…` and `sqlite:PATH` (or `sqlite://PATH`).
    ///
    /// # Errors
    /// [`OpenError::Url`] for anything else, [`OpenError::PasswordFile`] when that file cannot be read.
    pub(crate) fn parse(url: &str, password_file: Option<&Path>) -> Result<Self, OpenError> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if password_file.is_some() {
                return Err(OpenError::Url("sqlite: takes no password file"));
            }
            // SQLite would read these as an address or as a database in memory, of which each connection has its own.
            if path.is_empty()
                || path.starts_with("file:")
                || path.contains(['?', '\0'])
                || path.starts_with(':')
            {
                return Err(OpenError::Url("sqlite: must be followed by the path of a file"));
            }
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
            return Err(OpenError::Url("it must start with sqlite: or postgres://"));
        }
        let mut parsed = url::Url::parse(url).map_err(|_| OpenError::Url("it is not a well-formed URL"))?;
        if let Some(path) = password_file {
            let failed = |cause| OpenError::PasswordFile { path: path.display().to_string(), cause };
            let password = Zeroizing::new(std::fs::read_to_string(path).map_err(failed)?);
            parsed
                .set_password(Some(password.trim_end_matches(['\r', '\n'])))
                .map_err(|()| OpenError::Url("a password needs a host in the URL"))?;
        }
        let present: Vec<String> = parsed.query_pairs().map(|(name, _)| name.into_owned()).collect();
        // A peer that vanished without a word must not hold a request for the minutes that TCP would wait.
        for (name, value) in
            [("connect_timeout", "5"), ("tcp_user_timeout", "15000"), ("application_name", "omadata")]
        {
            if !present.iter().any(|known| known == name) {
                parsed.query_pairs_mut().append_pair(name, value);
            }
        }
        Ok(Self::Postgres(Zeroizing::new(parsed.into())))
    }
}

impl Db {
    /// Connects, by scheme and never by trial, and sets what every connection must have.
    ///
    /// # Errors
    /// [`OpenError::Connect`] or [`OpenError::File`].
    pub(crate) fn open(location: &Location) -> Result<Self, OpenError> {
        match location {
            Location::Postgres(url) => {
                let mut connection =
                    PgConnection::establish(url).map_err(|error| OpenError::Connect(error.to_string()))?;
                // synchronous_commit: what is acknowledged survives a power loss, whatever the server's default.
                connection
                    .batch_execute(
                        "SET TIME ZONE 'UTC'; SET statement_timeout = '15s'; SET lock_timeout = '5s'; \
                         SET idle_in_transaction_session_timeout = '30s'; SET synchronous_commit = on",
                    )
                    .map_err(|_| OpenError::Connect("the session settings were refused".to_owned()))?;
                Ok(Self::Postgres(connection))
            }
            Location::Sqlite(path) => {
                private_file(path)
                    .map_err(|cause| OpenError::File { path: path.display().to_string(), cause })?;
                let mut connection = SqliteConnection::establish(&path.to_string_lossy())
                    .map_err(|error| OpenError::Connect(error.to_string()))?;
                connection
                    .batch_execute(
                        "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                         PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY",
                    )
                    .map_err(|error| OpenError::Connect(error.to_string()))?;
                Ok(Self::Sqlite(connection))
            }
        }
    }

    /// Runs every migration that is missing, all or none; processes that start together wait for the first.
    /// Returns how many ran.
    pub(crate) fn migrate(&mut self) -> Result<usize, OpenError> {
        self.in_migration(|db| match db {
            Self::Postgres(c) => c.run_pending_migrations(POSTGRES).map(|ran| ran.len()),
            Self::Sqlite(c) => c.run_pending_migrations(SQLITE).map(|ran| ran.len()),
        })
    }

    /// Whether a migration is missing.
    pub(crate) fn migrations_pending(&mut self) -> Result<bool, OpenError> {
        self.in_migration(|db| match db {
            Self::Postgres(c) => c.has_pending_migration(POSTGRES),
            Self::Sqlite(c) => c.has_pending_migration(SQLITE),
        })
    }

    pub(crate) fn in_migration<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> diesel::migration::Result<T>,
    ) -> Result<T, OpenError> {
        let failed = |error: diesel::result::Error| OpenError::Migration(error.to_string());
        match self {
            Self::Postgres(c) => {
                AnsiTransactionManager::begin_transaction_sql(c, "BEGIN").map_err(failed)?;
                c.batch_execute(MIGRATION_LOCK).map_err(failed)?;
            }
            Self::Sqlite(c) => {
                AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE").map_err(failed)?;
            }
        }
        match work(self) {
            Ok(value) => {
                <Self as Connection>::TransactionManager::commit_transaction(self).map_err(failed)?;
                Ok(value)
            }
            Err(error) => {
                self.roll_back();
                Err(OpenError::Migration(error.to_string()))
            }
        }
    }

    /// Begins the transaction of a write: nothing that another writer does can be seen in part or overwritten unseen.
    pub(crate) fn begin_write(&mut self, in_queue: bool) -> diesel::QueryResult<()> {
        match self {
            Self::Postgres(c) => {
                AnsiTransactionManager::begin_transaction_sql(c, "BEGIN ISOLATION LEVEL SERIALIZABLE")?;
                if in_queue {
                    // LOCK TABLE takes no snapshot: what follows sees everything that the writer before us committed,
                    // and does not fail because of it.
                    c.batch_execute("LOCK TABLE log_head IN EXCLUSIVE MODE")?;
                }
                Ok(())
            }
            Self::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE"),
        }
    }

    /// Begins the transaction of a read: one consistent picture.
    pub(crate) fn begin_read(&mut self) -> diesel::QueryResult<()> {
        match self {
            Self::Postgres(c) => AnsiTransactionManager::begin_transaction_sql(
                c,
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            ),
            Self::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN DEFERRED"),
        }
    }

    /// Makes the transaction durable.
    pub(crate) fn commit(&mut self) -> diesel::QueryResult<()> {
        <Self as Connection>::TransactionManager::commit_transaction(self)
    }

    /// Ends the transaction without effect; a connection on which that fails is thrown away by the pool.
    pub(crate) fn roll_back(&mut self) {
        let status = <Self as Connection>::TransactionManager::transaction_manager_status_mut(self);
        if status.transaction_depth().is_ok_and(|depth| depth.is_some())
            && <Self as Connection>::TransactionManager::rollback_transaction(self).is_err()
        {
            tracing::warn!("a transaction could not be rolled back; its connection is dropped");
        }
    }
}

/// Makes the file when it is missing, readable by its owner alone, and takes others' access away when it exists.
/// SQLite gives its journal and shared-memory files the same mode.
#[cfg(unix)]
fn private_file(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let file = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    let mut permissions = file.metadata()?.permissions();
    if permissions.mode() & 0o077 != 0 {
        permissions.set_mode(0o600);
        file.set_permissions(permissions)?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn private_file(path: &Path) -> std::io::Result<()> {
    std::fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map(|_| ())
}

/// What happened to the statements of the running transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TxFailure {
    /// All succeeded.
    None,
    /// One failed. PostgreSQL would answer COMMIT with a silent rollback.
    Failed,
    /// One failed because of another writer: the transaction is to be repeated.
    Contended,
}

/// A pooled connection that watches its own statements.
pub(crate) struct Pooled {
    pub(crate) db: Db,
    failed: Arc<AtomicBool>,
    contended: Arc<AtomicBool>,
}

impl Pooled {
    fn new(mut db: Db) -> Self {
        let (failed, contended) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (failed_flag, contended_flag) = (Arc::clone(&failed), Arc::clone(&contended));
        // Seen here and not in the closure's error: a use case may map store errors to its own as it likes, and the
        // transaction is still repeated, or not committed.
        db.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::FinishQuery { error: Some(error), .. } = event {
                failed_flag.store(true, Ordering::Relaxed);
                if is_contention(error) {
                    contended_flag.store(true, Ordering::Relaxed);
                }
            }
        });
        Self { db, failed, contended }
    }

    /// Forgets what happened before: a transaction begins.
    pub(crate) fn clear_failure(&self) {
        self.failed.store(false, Ordering::Relaxed);
        self.contended.store(false, Ordering::Relaxed);
    }

    /// What happened since then.
    pub(crate) fn failure(&self) -> TxFailure {
        match (self.contended.load(Ordering::Relaxed), self.failed.load(Ordering::Relaxed)) {
            (true, _) => TxFailure::Contended,
            (false, true) => TxFailure::Failed,
            (false, false) => TxFailure::None,
        }
    }
}

/// Makes and checks connections for the pool.
pub(crate) struct Manager(pub(crate) Location);

impl r2d2::ManageConnection for Manager {
    type Connection = Pooled;
    type Error = OpenError;

    fn connect(&self) -> Result<Pooled, OpenError> {
        Db::open(&self.0).map(Pooled::new)
    }

    fn is_valid(&self, connection: &mut Pooled) -> Result<(), OpenError> {
        diesel::r2d2::R2D2Connection::ping(&mut connection.db).map_err(|error| StoreError::from(error).into())
    }

    fn has_broken(&self, connection: &mut Pooled) -> bool {
        // A panic may have left a transaction open: such a connection is closed, which rolls it back.
        std::thread::panicking() || diesel::r2d2::R2D2Connection::is_broken(&mut connection.db)
    }
}

/// Tells the log that connecting fails, and why; the pool keeps trying.
#[derive(Debug)]
pub(crate) struct TellLog;

impl r2d2::HandleError<OpenError> for TellLog {
    fn handle_error(&self, error: OpenError) {
        tracing::warn!(%error, "the database cannot be reached");
    }
}

/// The pool over one database.
pub(crate) type Pool = r2d2::Pool<Manager>;

/// A pool of at most `size` connections. Waits a bounded time for a connection when all are busy.
pub(crate) fn pool(location: Location, size: u32) -> Result<Pool, OpenError> {
    // A first connection by hand: its error says what is wrong, where the pool's would only be a timeout.
    drop(Db::open(&location)?);
    r2d2::Pool::builder()
        .max_size(size.max(1))
        .min_idle(Some(1))
        .connection_timeout(Duration::from_secs(5))
        .error_handler(Box::new(TellLog))
        .build(Manager(location))
        .map_err(|_| OpenError::Store(StoreError::Unavailable("no connection in time")))
}

/// Runs one diesel expression on whichever database is open, for statements that diesel does not offer over both
/// (`ON CONFLICT`).
macro_rules! on_backend {
    ($db:expr, |$connection:ident| $statement:expr) => {
        match &mut *$db {
            $crate::store::engine::db::Db::Postgres($connection) => $statement,
            $crate::store::engine::db::Db::Sqlite($connection) => $statement,
        }
    };
}
pub(crate) use on_backend;
