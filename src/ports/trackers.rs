//! Data trackers: services that answer what a person's data was used for.

use async_trait::async_trait;

use super::RegisterError;
use crate::domain::ids::{NationalIdentifier, RegisterId};
use crate::domain::uses::tracker::{Part, TrackedUses};

/// The data trackers that this node asks.
#[async_trait]
pub trait DataTrackers: Send + Sync {
    /// Asks a tracker for a part of its uses of a person's data, and which period it keeps.
    ///
    /// # Errors
    /// [`RegisterError`]; an answer is understood as a whole or refused.
    async fn part(
        &self,
        tracker: &RegisterId,
        subject: &NationalIdentifier,
        part: Part,
    ) -> Result<TrackedUses, RegisterError>;

    /// Asks for all of them, up to the configured number. `next` says whether there are more: because of that number, or
    /// because the tracker stopped answering.
    ///
    /// # Errors
    /// [`RegisterError`] when it answers nothing.
    async fn all(
        &self,
        tracker: &RegisterId,
        subject: &NationalIdentifier,
    ) -> Result<TrackedUses, RegisterError>;
}
