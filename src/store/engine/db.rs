//! One connection, over either database.

// The derive generates an `establish` that tries every backend in turn. It is unused: `Db::open` chooses by the URL's scheme.
#![allow(missing_docs, reason = "the derive generates items without documentation")]

use diesel::connection::{AnsiTransactionManager, CacheSize, SimpleConnection, TransactionManager};
use diesel::migration::{Migration, MigrationSource};
use diesel::{Connection, MultiConnection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::error::OpenError;
use super::location::Location;
use crate::domain::catalogue::register::explain_connection_failure;

pub(crate) const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");
pub(crate) const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// An arbitrary number, unique to this program: one process migrates while others wait.
const MIGRATION_LOCK: &str = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '120s'; \
                              SELECT pg_advisory_xact_lock(7270410201)";

/// Settings of a PostgreSQL connection, or of one transaction.
macro_rules! settings {
    ($scope:literal) => {
        // synchronous_commit: what is acknowledged survives a power loss, whatever the server's default.
        concat!(
            "SET",
            $scope,
            " TIME ZONE 'UTC'; SET",
            $scope,
            " statement_timeout = '15s'; SET",
            $scope,
            " lock_timeout = '5s'; SET",
            $scope,
            " idle_in_transaction_session_timeout = '30s'; SET",
            $scope,
            " synchronous_commit = on"
        )
    };
}

/// A connection to SQLite or PostgreSQL; diesel statements run on it directly.
#[derive(MultiConnection)]
pub(crate) enum Db {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

impl Db {
    /// Connects to the database of the URL's scheme and configures the connection; through a pooler of transactions, each
    /// transaction is configured when it begins, and no statement stays prepared.
    ///
    /// # Errors
    /// [`OpenError::Connect`] or [`OpenError::File`].
    pub(crate) fn open(location: &Location, transaction_pooling: bool) -> Result<Self, OpenError> {
        match location {
            Location::Postgres(url) => {
                let mut connection = PgConnection::establish(url).map_err(|error| {
                    OpenError::Connect(explain_connection_failure(error.to_string().trim()))
                })?;
                if transaction_pooling {
                    connection.set_prepared_statement_cache_size(CacheSize::Disabled);
                    return Ok(Self::Postgres(connection));
                }
                connection
                    .batch_execute(settings!(""))
                    .map_err(|_| OpenError::Connect("the session settings were refused".to_owned()))?;
                Ok(Self::Postgres(connection))
            }
            Location::Sqlite(path) => {
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

    /// Runs every missing migration, all or none; processes that start together wait for the first. Returns how many
    /// ran. Only reads when none is missing.
    pub(crate) fn migrate(&mut self) -> Result<usize, OpenError> {
        self.in_migration(|db| {
            if !db.lacks_migration()? {
                return Ok(0);
            }
            match db {
                Self::Postgres(c) => c.run_pending_migrations(POSTGRES).map(|ran| ran.len()),
                Self::Sqlite(c) => c.run_pending_migrations(SQLITE).map(|ran| ran.len()),
            }
        })
    }

    /// Whether a migration is missing.
    pub(crate) fn migrations_pending(&mut self) -> Result<bool, OpenError> {
        self.in_migration(Self::lacks_migration)
    }

    /// Diesel's own query would first create its table, which the user of a running node has no privilege for.
    fn lacks_migration(&mut self) -> diesel::migration::Result<bool> {
        let known: Vec<String> = match self {
            Self::Postgres(_) => versions(MigrationSource::<diesel::pg::Pg>::migrations(&POSTGRES)?),
            Self::Sqlite(_) => versions(MigrationSource::<diesel::sqlite::Sqlite>::migrations(&SQLITE)?),
        };
        let there = match self {
            Self::Postgres(_) => {
                "SELECT CASE WHEN to_regclass('__diesel_schema_migrations') IS NULL THEN 0 ELSE 1 END::bigint AS n"
            }
            Self::Sqlite(_) => {
                "SELECT COUNT(*) AS n FROM sqlite_master WHERE name = '__diesel_schema_migrations'"
            }
        };
        if diesel::sql_query(there).get_result::<Count>(self)?.n == 0 {
            return Ok(true);
        }
        let applied: Vec<Version> =
            diesel::sql_query("SELECT version FROM __diesel_schema_migrations").load(self)?;
        if let Some(foreign) = applied.iter().find(|applied| !known.contains(&applied.version)) {
            let version = &foreign.version;
            return Err(format!(
                "it was made by another version of this program (migration {version}): use that version, or start with an \
                 empty database"
            )
            .into());
        }
        Ok(known.iter().any(|version| !applied.iter().any(|applied| applied.version == *version)))
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

    /// Begins a write transaction: serialised with all other writers.
    pub(crate) fn begin_write(&mut self, in_queue: bool, pooling: bool) -> diesel::QueryResult<()> {
        match self {
            Self::Postgres(c) => {
                let begin = if pooling {
                    concat!("BEGIN ISOLATION LEVEL SERIALIZABLE;", settings!(" LOCAL"))
                } else {
                    "BEGIN ISOLATION LEVEL SERIALIZABLE"
                };
                AnsiTransactionManager::begin_transaction_sql(c, begin)?;
                if in_queue {
                    // LOCK TABLE takes no snapshot: what follows sees everything that the previous writer committed,
                    // and does not fail because of it.
                    c.batch_execute("LOCK TABLE log_head IN EXCLUSIVE MODE")?;
                }
                Ok(())
            }
            Self::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE"),
        }
    }

    /// Begins a read transaction: one consistent snapshot.
    pub(crate) fn begin_read(&mut self, pooling: bool) -> diesel::QueryResult<()> {
        match self {
            Self::Postgres(c) => {
                let begin = if pooling {
                    concat!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;", settings!(" LOCAL"))
                } else {
                    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
                };
                AnsiTransactionManager::begin_transaction_sql(c, begin)
            }
            Self::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN DEFERRED"),
        }
    }

    pub(crate) fn commit(&mut self) -> diesel::QueryResult<()> {
        <Self as Connection>::TransactionManager::commit_transaction(self)
    }

    /// Rolls the transaction back; the pool drops a connection on which that fails.
    pub(crate) fn roll_back(&mut self) {
        let status = <Self as Connection>::TransactionManager::transaction_manager_status_mut(self);
        if status.transaction_depth().is_ok_and(|depth| depth.is_some())
            && <Self as Connection>::TransactionManager::rollback_transaction(self).is_err()
        {
            tracing::warn!(
                event = "transaction_not_rolled_back",
                "a transaction could not be rolled back; its connection is dropped"
            );
        }
    }
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    n: i64,
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = diesel::sql_types::Text)]
    version: String,
}

fn versions<DB: diesel::backend::Backend>(migrations: Vec<Box<dyn Migration<DB>>>) -> Vec<String> {
    migrations.iter().map(|migration| migration.name().version().to_string()).collect()
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
