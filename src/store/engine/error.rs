//! What can go wrong in the store. No message carries a stored value, a bound parameter or a connection string.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::domain::ids::{EntityId, IdError};
use crate::domain::jose::JoseError;

/// Why a read or a write of the store did not give its result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no such row, or it is not in the state that the change starts from.
    #[error("no such entry in the store")]
    NotFound,
    /// The row exists already, or another process changed it in between.
    #[error("the entry exists already or was changed by someone else")]
    Conflict,
    /// The database does not answer, or not in time. Nothing was changed; trying again later may succeed.
    #[error("the database is not available: {0}")]
    Unavailable(&'static str),
    /// The connection was lost while the change was being committed: it may have taken effect. Whoever asks again must look
    /// first.
    #[error("the outcome is not known: the connection was lost while the change was being committed")]
    OutcomeUnknown,
    /// What is stored cannot be read as what it must be, or not be unsealed. Names the table and column only.
    #[error("the store holds something unreadable in {0}")]
    Corrupt(&'static str),
    /// The database refused the change because it breaks a rule of the schema: a fault of this program.
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

/// That a statement changed the one row that it was meant to.
///
/// # Errors
/// `otherwise` when it found none.
pub(crate) fn exactly_one(changed: usize, otherwise: StoreError) -> Result<(), StoreError> {
    if changed == 1 { Ok(()) } else { Err(otherwise) }
}

/// Whether the engine asks for the transaction to be run again: a serialisation failure or a deadlock (PostgreSQL),
/// a lock held by another process (SQLite). Diesel knows no kind for the latter two, so their fixed texts decide.
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

/// Whether the database does not do its work: it is away, its disk is full, or somebody else holds its lock.
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

/// Why the store could not be opened or brought up to date. For the operator at start; names files and hosts,
/// never a password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database URL is not one that this program understands.
    #[error("the database URL is not usable: {0}")]
    Url(&'static str),
    /// The SQLite file or its directory cannot be used.
    #[error("the database file {path} cannot be used: {cause}")]
    File {
        /// Its path.
        path: String,
        /// What the system says.
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
    /// The database is another entity's.
    #[error(
        "the database belongs to {owner}, and this configuration is of {asked}: put the entity's identifier back, or give \
         it a database of its own"
    )]
    WrongOwner {
        /// Whose it is.
        owner: EntityId,
        /// Who asked.
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
