//! A federation key signs only when those above vouch for it: whoever resolves this entity's chain could otherwise not
//! verify what it says about itself.

use crate::domain::clock::Timestamp;
use crate::domain::ids::{EntityId, KeyId};
use crate::node::KeyRing;
use crate::node::keys::key_ring::KeyPurpose;
use crate::ports::Superiors;
use crate::store::keys::signing_keys::KeyState;
use crate::store::{Store, StoreError};

use super::{Step, take};

/// Those above an entity.
pub struct EntitySuperiors<'a> {
    /// How they are asked.
    pub superiors: &'a dyn Superiors,
    /// The entity.
    pub own: &'a EntityId,
    /// Who they are now; nobody above a trust anchor.
    pub named: &'a (dyn Fn() -> Vec<EntityId> + Send + Sync),
}

impl EntitySuperiors<'_> {
    /// Whether there is anybody.
    #[must_use]
    pub fn anyone(&self) -> bool {
        !(self.named)().is_empty()
    }

    /// Whether every superior that has this entity as a member vouches for a key, and one has. One that cannot be asked
    /// might not.
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

/// Lets the next federation key sign whose lead is over and for which the superiors vouch. Says whether one still waits
/// for them.
///
/// # Errors
/// [`StoreError`] when the store is away.
pub async fn activate_when_vouched(
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
