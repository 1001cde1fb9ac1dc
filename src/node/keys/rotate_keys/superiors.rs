//! A federation key signs only when the superiors' statements contain it: otherwise this entity's chain would not
//! verify.

use crate::domain::clock::Timestamp;
use crate::domain::ids::{EntityId, KeyId};
use crate::node::KeyRing;
use crate::node::keys::key_ring::KeyPurpose;
use crate::ports::Superiors;
use crate::store::keys::signing_keys::KeyState;
use crate::store::{Store, StoreError};

use super::{Step, take};

/// The superiors of an entity.
pub(crate) struct EntitySuperiors<'a> {
    pub(crate) superiors: &'a dyn Superiors,
    pub(crate) own: &'a EntityId,
    /// The current superiors; none of a trust anchor.
    pub(crate) named: &'a (dyn Fn() -> Vec<EntityId> + Send + Sync),
}

impl EntitySuperiors<'_> {
    /// Whether there is any superior.
    #[must_use]
    pub(crate) fn anyone(&self) -> bool {
        !(self.named)().is_empty()
    }

    /// Whether the statements of all superiors that have this entity as a member contain a key, and there is at least
    /// one. A superior that does not answer counts as not containing it.
    async fn confirm_published(&self, kid: &KeyId) -> bool {
        let mut vouched = false;
        for superior in (self.named)() {
            match self.superiors.vouched_keys(&superior, self.own).await {
                Ok(Some(keys)) if keys.find(kid).is_some() => vouched = true,
                Ok(None) => {}
                Ok(Some(_)) => {
                    tracing::debug!(event = "superior_not_vouching", %superior, "a superior does not vouch for the next federation key yet");
                    return false;
                }
                Err(error) => {
                    tracing::debug!(event = "superior_unreachable", %superior, %error, "a superior cannot be asked for the next federation key");
                    return false;
                }
            }
        }
        vouched
    }
}

/// Activates the next federation key whose lead time is over and that the superiors' statements contain. `true` when
/// one still waits for them.
///
/// # Errors
/// [`StoreError`] when the store is unavailable.
pub(crate) async fn activate_when_vouched(
    store: &Store,
    ring: &KeyRing,
    above: &EntitySuperiors<'_>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let due = ring.records().into_iter().find(|key| {
        key.purpose == KeyPurpose::Federation
            && key.state == KeyState::Pending
            && key.activates_at.is_some_and(|at| at <= now)
    });
    let Some(due) = due else { return Ok(false) };
    if !above.confirm_published(&due.kid).await {
        return Ok(true);
    }
    take(store, Step::Activate(due.kid), ring.policy().lead_secs, now).await?;
    ring.refresh(store, now).await?;
    Ok(false)
}
