//! Quotas of what others may write into the store; beyond them they are asked to retry later.

use crate::node::{Problem, ProblemKind};
use crate::store::StoreError;

/// Seconds after which a retry is useful.
const RETRY_SECS: i64 = 60;

/// Why something is not stored.
#[derive(Debug)]
pub(crate) enum QuotaError {
    /// The quota is exhausted.
    Full,
    /// The store is unavailable, or refuses it.
    Store(StoreError),
}

impl From<StoreError> for QuotaError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<QuotaError> for Problem {
    fn from(error: QuotaError) -> Self {
        match error {
            QuotaError::Full => Self::try_later(ProblemKind::TooOften, RETRY_SECS),
            QuotaError::Store(error) => error.into(),
        }
    }
}

/// Checks that the quota has room for one more. `whose` and `what` are logged and never name a person.
///
/// # Errors
/// [`QuotaError::Full`].
pub(crate) fn demand_room(
    used: u64,
    most: u32,
    what: &'static str,
    whose: &impl std::fmt::Display,
) -> Result<(), QuotaError> {
    if used < u64::from(most) {
        return Ok(());
    }
    tracing::warn!(event = "quota_full", what, %whose, most, "a quota is used up, and what comes beyond it is refused");
    Err(QuotaError::Full)
}
