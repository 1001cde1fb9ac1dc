//! The city's registers.

use async_trait::async_trait;

use crate::domain::catalogue::Record;
use crate::domain::clock::Timestamp;
use crate::domain::ids::{DatasetId, FieldPath, NationalIdentifier};

/// What is asked of a register.
#[derive(Clone, PartialEq, Eq)]
pub struct Question {
    /// The dataset.
    pub dataset: DatasetId,
    /// The person.
    pub subject: NationalIdentifier,
    /// The fields to read. No other leaves the connector.
    pub fields: Vec<FieldPath>,
    /// Whether `subject` is a key of the register's own, in which letters of another case are other letters.
    pub(crate) by_key: bool,
}

impl Question {
    /// About a person by the identifier that the login told.
    #[must_use]
    pub fn new(dataset: DatasetId, subject: NationalIdentifier, fields: Vec<FieldPath>) -> Self {
        Self { dataset, subject, fields, by_key: false }
    }

    /// The same about the same person, by a key of the register's own.
    pub(crate) fn by(self, key: NationalIdentifier) -> Self {
        Self { subject: key, by_key: true, ..self }
    }
}

impl std::fmt::Debug for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Question").field("dataset", &self.dataset).field("fields", &self.fields).finish()
    }
}

/// Why a register returned no records. Names neither the person nor the register's content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// Cannot be reached or did not answer in time.
    #[error("the register does not answer")]
    Unavailable,
    /// Its answer does not match the dataset.
    #[error("the register's answer does not fit the dataset: {0}")]
    Unfit(&'static str),
    /// More records or bytes than the configured bound.
    #[error("the register's answer is larger than the bound")]
    TooLarge,
    /// The register needs time for the answer, and has it from then on.
    #[error("the register answers later")]
    AvailableFrom(Timestamp),
}

/// The city's registers.
#[async_trait]
pub trait Registers: Send + Sync {
    /// Reads the records of one person in one dataset, in a stable order, with the fields of the question only. A record
    /// of another person is returned with its subject; the release decision refuses it.
    ///
    /// # Errors
    /// [`RegisterError`]; a read is complete or fails.
    async fn read(&self, question: Question) -> Result<Vec<Record>, RegisterError>;
}
