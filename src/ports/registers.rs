//! The city's registers.

use async_trait::async_trait;

use crate::domain::catalogue::Record;
use crate::domain::ids::{DatasetId, NationalIdentifier};

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
}

/// The city's registers.
#[async_trait]
pub trait Registers: Send + Sync {
    /// Reads the records of one person in one dataset, in a stable order, with the dataset's fields only. A record of
    /// another person is returned with its subject; the release decision refuses it.
    ///
    /// # Errors
    /// [`RegisterError`]; a read is complete or fails.
    async fn read(
        &self,
        dataset: &DatasetId,
        subject: &NationalIdentifier,
    ) -> Result<Vec<Record>, RegisterError>;
}
