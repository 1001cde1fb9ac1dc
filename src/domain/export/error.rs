//! Why a copy cannot be made.

use super::zip::TooLarge;
use crate::domain::jose::JoseError;

/// Why a copy cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportError {
    /// A value is not JSON.
    #[error("json")]
    Json(#[from] serde_json::Error),
    /// A table cannot be written.
    #[error("csv")]
    Csv(#[from] csv::Error),
    /// The archive cannot be written.
    #[error(transparent)]
    Archive(#[from] TooLarge),
    /// The key cannot sign.
    #[error(transparent)]
    Sign(#[from] JoseError),
}
