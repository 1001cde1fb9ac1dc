//! The superiors above an entity, as it and its superiors claim (OpenID Federation 1.0 §10.1). Not trusted: they only
//! select which of many superiors to ask.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::bounded_cache::BoundedCache;
use super::budget::{Budget, ResolverContext};
use super::cache::RefreshCell;
use super::fetch::fetch_configuration;
use super::superior::{MAX_DEPTH, superiors_named_in};
use crate::domain::federation::{Outage, TrustError};
use crate::domain::ids::EntityId;

/// Maximum number of entity configurations fetched on the way up from one entity.
const MAX_FETCHED: usize = 24;

/// Maximum number of concurrent lookups: names in unauthenticated requests cause fetches.
const AT_ONCE: usize = 4;

/// How long a result is cached, in seconds; limits the fetches that unauthenticated requests cause.
const AGE_SECS: i64 = 30;

/// The entities above those that were looked up, cached.
pub(crate) struct Ancestors {
    known: BoundedCache<RefreshCell<BTreeSet<EntityId>>>,
    permits: Semaphore,
    anchors: BTreeSet<EntityId>,
}

impl Ancestors {
    pub(crate) fn new(anchors: impl IntoIterator<Item = EntityId>) -> Self {
        Self {
            known: BoundedCache::default(),
            permits: Semaphore::new(AT_ONCE),
            anchors: anchors.into_iter().collect(),
        }
    }

    /// The entities above this one.
    ///
    /// # Errors
    /// [`TrustError`] when its own configuration cannot be fetched.
    pub(crate) async fn of(
        &self,
        id: &EntityId,
        ctx: &ResolverContext,
        budget: &Budget,
    ) -> Result<Arc<BTreeSet<EntityId>>, TrustError> {
        let climb = async {
            let _permit = self.permits.try_acquire().map_err(|_| TrustError::Unavailable(Outage::Busy))?;
            let above = self.climb(id, ctx, budget).await?;
            Ok((above, ctx.clock.now().plus_secs(AGE_SECS)))
        };
        self.known.get(id).get(&*ctx.clock, AGE_SECS, climb).await
    }

    async fn climb(
        &self,
        id: &EntityId,
        ctx: &ResolverContext,
        budget: &Budget,
    ) -> Result<BTreeSet<EntityId>, TrustError> {
        let mut above: BTreeSet<EntityId> = self.named_by(id, ctx, budget).await?.into_iter().collect();
        let mut level: Vec<EntityId> = above.iter().cloned().collect();
        let mut left = MAX_FETCHED;
        for _ in 0..MAX_DEPTH {
            let mut next = Vec::new();
            for one in level.into_iter().filter(|one| !self.anchors.contains(one)) {
                left = left.saturating_sub(1);
                if left == 0 {
                    return Ok(above);
                }
                // A superior that does not answer is skipped; another one may.
                let named = self.named_by(&one, ctx, budget).await.unwrap_or_default();
                next.extend(named.into_iter().filter(|id| above.insert(id.clone())));
            }
            level = next;
        }
        Ok(above)
    }

    /// The superiors that an entity names in its own configuration.
    async fn named_by(
        &self,
        id: &EntityId,
        ctx: &ResolverContext,
        budget: &Budget,
    ) -> Result<Vec<EntityId>, TrustError> {
        budget.spend()?;
        let _visit = ctx.guard.allow_for_now(id);
        superiors_named_in(&fetch_configuration(&ctx.guard, id).await?)
    }
}
