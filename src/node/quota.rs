//! Bounds on what others may have written into the store: who has used one up is told to come again later.

use crate::node::{Problem, ProblemKind};
use crate::store::StoreError;

/// After how many seconds it is worth trying again.
const RETRY_SECS: i64 = 60;

/// Why something is not written.
#[derive(Debug)]
pub(crate) enum QuotaError {
    /// As much is there as may be.
    Full,
    /// The store is away, or refuses it.
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

/// Demands that there is room for one more. `whose` and `what` go to the log, which never names a person.
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
