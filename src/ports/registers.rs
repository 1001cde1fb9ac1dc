//! The city's registers.

use async_trait::async_trait;

use crate::domain::catalogue::Record;
use crate::domain::ids::{DatasetId, NationalIdentifier};

/// Why a register gave no records. Says nothing about the person or the register's inside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// Cannot be reached or did not answer in time.
    #[error("the register does not answer")]
    Unavailable,
    /// Answered with something that is not what the dataset promises.
    #[error("the register's answer does not fit the dataset: {0}")]
    Unfit(&'static str),
    /// More records or bytes than the configured bound.
    #[error("the register's answer is larger than the bound")]
    TooLarge,
}

/// The city's existing systems, where the data lives.
#[async_trait]
pub trait Registers: Send + Sync {
    /// Reads the records of one person in one dataset, in a stable order, with the dataset's own fields only.
    /// A record of anyone else is passed on as it is, with its subject: the release decision refuses it.
    ///
    /// # Errors
    /// [`RegisterError`]; nothing is ever read in part.
    async fn read(
        &self,
        dataset: &DatasetId,
        subject: &NationalIdentifier,
    ) -> Result<Vec<Record>, RegisterError>;
}
