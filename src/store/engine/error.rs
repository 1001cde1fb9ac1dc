//! Errors of the store. No message contains a stored value, a bound parameter or a connection string.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::domain::ids::{EntityId, IdError};
use crate::domain::jose::JoseError;

/// Why a read or a write of the store failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no such row, or not in the state that the change starts from.
    #[error("no such entry in the store")]
    NotFound,
    /// The row exists already, or another process changed it.
    #[error("the entry exists already or was changed by someone else")]
    Conflict,
    /// The database does not answer, or not in time. Nothing was changed; a retry may succeed.
    #[error("the database is not available: {0}")]
    Unavailable(&'static str),
    /// The connection was lost during the commit: the change may have taken effect. Read before retrying.
    #[error("the outcome is not known: the connection was lost while the change was being committed")]
    OutcomeUnknown,
    /// A stored value cannot be parsed or unsealed. Names table and column only.
    #[error("the store holds something unreadable in {0}")]
    Corrupt(&'static str),
    /// The database refused the change because it breaks a constraint of the schema: a defect of this program.
    #[error("the change breaks a rule of the schema: {0}")]
    Rule(&'static str),
}

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::NotFound => Self::NotFound,
            DieselError::DatabaseError(kind, _) => match kind {
                DatabaseErrorKind::UniqueViolation => Self::Conflict,
                DatabaseErrorKind::ForeignKeyViolation | DatabaseErrorKind::RestrictViolation => {
                    Self::Rule("a referenced entry is missing")
                }
                DatabaseErrorKind::NotNullViolation => Self::Rule("a value is missing"),
                DatabaseErrorKind::CheckViolation | DatabaseErrorKind::ExclusionViolation => {
                    Self::Rule("a value is outside its range")
                }
                DatabaseErrorKind::ReadOnlyTransaction => Self::Rule("a read tried to write"),
                DatabaseErrorKind::SerializationFailure => Self::Unavailable("too much contention"),
                DatabaseErrorKind::ClosedConnection => Self::Unavailable("the connection was lost"),
                _ => Self::Unavailable("the statement failed"),
            },
            DieselError::DeserializationError(_) => Self::Corrupt("a column"),
            DieselError::SerializationError(_) | DieselError::QueryBuilderError(_) => {
                Self::Rule("a value cannot be stored")
            }
            _ => Self::Unavailable("the transaction failed"),
        }
    }
}

impl From<IdError> for StoreError {
    fn from(_: IdError) -> Self {
        Self::Rule("an identifier cannot be stored")
    }
}

impl From<JoseError> for StoreError {
    fn from(_: JoseError) -> Self {
        Self::Unavailable("a key cannot be made, read or used")
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(_: serde_json::Error) -> Self {
        Self::Rule("a value cannot be written as JSON")
    }
}

/// Checks that a statement changed exactly one row.
///
/// # Errors
/// `otherwise` when it changed none.
pub(crate) fn exactly_one(changed: usize, otherwise: StoreError) -> Result<(), StoreError> {
    if changed == 1 { Ok(()) } else { Err(otherwise) }
}

/// Whether the transaction should be run again: a serialisation failure or a deadlock (PostgreSQL), a lock held by
/// another process (SQLite). Diesel has no kind for the latter two, so their fixed texts decide.
pub(crate) fn is_contention(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => true,
        DieselError::DatabaseError(DatabaseErrorKind::Unknown, information) => {
            let message = information.message();
            message.contains("deadlock detected") || message.contains("database is locked")
        }
        _ => false,
    }
}

/// Whether the database is unavailable: no connection, disk full, or locked by another program.
pub(crate) fn is_outage(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::ReadOnlyTransaction,
            _,
        ) => true,
        DieselError::DatabaseError(DatabaseErrorKind::Unknown, information) => {
            !information.message().contains("deadlock detected")
        }
        DieselError::BrokenTransactionManager => true,
        _ => false,
    }
}

/// Why the store could not be opened or migrated. For the operator at start; names files and hosts, never a password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database URL has an unknown form.
    #[error("the database URL is not usable: {0}")]
    Url(&'static str),
    /// The SQLite file or its directory cannot be used.
    #[error("the database file {path} cannot be used: {cause}")]
    File {
        /// Its path.
        path: String,
        /// The operating system's error.
        cause: std::io::Error,
    },
    /// Another process serves from the same SQLite file.
    #[error(
        "another process serves from the database {path}: a SQLite file takes one; stop the other, give this one a database \
         of its own, or use PostgreSQL"
    )]
    InUse {
        /// Its path.
        path: String,
    },
    /// The database belongs to another entity.
    #[error(
        "the database belongs to {owner}, and this configuration is of {asked}: put the entity's identifier back, or give \
         it a database of its own"
    )]
    WrongOwner {
        /// The owner.
        owner: EntityId,
        /// The entity that asked.
        asked: EntityId,
    },
    /// The database cannot be reached; the text is the database library's.
    #[error("the database cannot be opened: {0}")]
    Connect(String),
    /// A migration failed; nothing of the whole run was kept.
    #[error("the database cannot be migrated: {0}")]
    Migration(String),
    /// The root keys are not the ones with which this database was first used.
    #[error(
        "{0} is not the key that this database was made with: put the original file back from your backup"
    )]
    WrongKey(&'static str),
    /// Another error of the store while opening.
    #[error(transparent)]
    Store(#[from] StoreError),
}
