//! Resolves chains from the anchors down: the superior nearest to an anchor that lists an entity and has a statement
//! about it counts.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::ancestors::Ancestors;
use super::fetch::fetch_configuration;
use crate::domain::clock::Timestamp;
use crate::domain::federation::{ChainHint, TrustError, TrustFault, VerifiedChain, verify_statements};
use crate::domain::ids::EntityId;
use crate::domain::jose::PublicKeys;
use crate::outbound::federation::budget::{Budget, ResolverContext};
use crate::outbound::federation::level_walk::{Below, LevelWalk, WalkQuery, next_level};
use crate::outbound::federation::superior::{Listing, Superior, superiors_named_in};

/// The entity searched, and what is known of it.
pub(crate) struct ChainQuery<'a> {
    pub(crate) id: &'a EntityId,
    /// The superiors of the previous chain, from its immediate one to the anchor. When one of them refuses, another
    /// that is unreachable does not make the result undecided.
    pub(crate) last: &'a [EntityId],
    /// The superiors to ask first.
    pub(crate) hint: &'a ChainHint,
    /// Maximum age of a list, in seconds.
    pub(crate) list_age: i64,
    pub(crate) budget: &'a Budget,
}

impl<'a> ChainQuery<'a> {
    const fn walk(&self) -> WalkQuery<'a> {
        WalkQuery { wanted: Some(self.id), hint: self.hint, list_age: self.list_age, budget: self.budget }
    }

    /// The entity immediately below a superior in the previous chain.
    fn below_before(&self, superior: &Superior) -> Option<&EntityId> {
        match self.last.iter().position(|id| *id == superior.id)?.checked_sub(1) {
            None => Some(self.id),
            Some(below) => self.last.get(below),
        }
    }

    /// Why a superior's list invalidates the previous chain, if it does: it no longer lists the entity below it in that
    /// chain.
    fn withdrawn(&self, superior: &Superior, listing: &Listing) -> Option<TrustError> {
        let below = self.below_before(superior)?;
        if below == self.id {
            return (!listing.members.contains(below))
                .then_some(TrustError::NotTrusted(TrustFault::NotListed));
        }
        (!listing.intermediates.contains(below))
            .then_some(TrustError::NotTrusted(TrustFault::SuperiorNotIntermediate))
    }
}

/// Answers of superiors without a resulting chain.
#[derive(Default)]
struct Refusals {
    /// A refusal by a superior of the previous chain: final even if others are unreachable.
    final_no: Option<TrustError>,
    open: Option<TrustError>,
    no: Option<TrustError>,
}

impl Refusals {
    /// `final_no` is whether a refusal by this superior invalidates the previous chain.
    fn take(&mut self, error: TrustError, final_no: bool) {
        match error {
            TrustError::Unavailable(_) => self.open = self.open.take().or(Some(error)),
            TrustError::NotTrusted(_) => {
                if final_no {
                    self.final_no = Some(error.clone());
                }
                self.no = Some(error);
            }
        }
    }

    fn into_error(self, incomplete: Option<TrustError>) -> TrustError {
        self.final_no
            .or(incomplete)
            .or(self.open)
            .or(self.no)
            .unwrap_or(TrustError::NotTrusted(TrustFault::NotListed))
    }
}

/// The entity's configuration with its authority hints; fetched once, when a superior is found.
type Leaf = Option<(String, Vec<EntityId>)>;

/// The entities that the superiors list, as far as they answered.
#[derive(Default)]
pub(crate) struct AllListed {
    pub(crate) members: BTreeSet<EntityId>,
    pub(crate) intermediates: BTreeSet<EntityId>,
    pub(crate) failed: Option<TrustError>,
}

/// Resolves chains to the configured anchors.
pub(crate) struct Resolver {
    pub(crate) ctx: ResolverContext,
    pub(crate) anchors: Vec<Arc<Superior>>,
    ancestors: Ancestors,
}

impl Resolver {
    pub(crate) fn new(ctx: ResolverContext, anchors: Vec<Arc<Superior>>) -> Self {
        let ancestors = Ancestors::new(anchors.iter().map(|anchor| anchor.id.clone()));
        Self { ctx, anchors, ancestors }
    }

    /// An unused resolver with the same anchors.
    pub(crate) fn without_cache(&self) -> Self {
        Self::new(self.ctx.clone(), self.anchors.iter().map(|anchor| anchor.without_cache()).collect())
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.ctx.clock.now()
    }

    /// A new budget for one resolution.
    pub(crate) fn budget(&self) -> Budget {
        Budget::new(self.ctx.ttls.deadline)
    }

    /// Replaces the configured keys of an anchor. Does not add anchors.
    pub(crate) fn configure_anchor_keys(&self, anchor: &EntityId, keys: PublicKeys) {
        if let Some(anchor) = self.anchors.iter().find(|known| known.id == *anchor) {
            anchor.configure_keys(keys);
        }
    }

    fn walk<'a>(&'a self, query: WalkQuery<'a>) -> LevelWalk<'a> {
        LevelWalk::new(&self.ctx, &self.anchors, &self.ancestors, query)
    }

    /// The superiors of the next level below, and why some were skipped, if any were.
    pub(crate) async fn next_level(
        &self,
        below: Vec<Below>,
        wanted: &EntityId,
        budget: &Budget,
    ) -> (Vec<Arc<Superior>>, Option<TrustError>) {
        next_level(below, Some(wanted), &self.ancestors, &self.ctx, budget).await
    }

    /// The chain of an entity through the nearest superior that lists it and has a statement about it.
    pub(crate) async fn chain(&self, query: &ChainQuery<'_>) -> Result<VerifiedChain, TrustError> {
        let (mut leaf, mut refusals) = (Leaf::None, Refusals::default());
        let mut walk = self.walk(query.walk());
        while let Some(answers) = walk.step().await {
            for (superior, listing) in answers {
                let before = query.below_before(&superior);
                let listing = match listing {
                    Ok(listing) => listing,
                    Err(error) => {
                        refusals.take(error, before.is_some() && !superior.is_anchor());
                        continue;
                    }
                };
                if let Some(error) = query.withdrawn(&superior, &listing) {
                    refusals.take(error, true);
                }
                if !listing.members.contains(query.id) {
                    continue;
                }
                match self.through(&superior, query, &mut leaf).await {
                    Ok(chain) => return Ok(chain),
                    Err(error) => refusals.take(error, before == Some(query.id)),
                }
            }
        }
        Err(refusals.into_error(walk.into_incomplete()))
    }

    /// The chain of an entity through one superior that lists it.
    async fn through(
        &self,
        superior: &Superior,
        query: &ChainQuery<'_>,
        leaf: &mut Leaf,
    ) -> Result<VerifiedChain, TrustError> {
        const UNNAMED: TrustError = TrustError::NotTrusted(TrustFault::ListingAnchorNotNamed);
        let ChainQuery { id, budget, .. } = query;
        let state = superior.state(&self.ctx, budget).await?;
        if leaf.as_ref().is_some_and(|(_, named)| !named.contains(&superior.id)) {
            return Err(UNNAMED);
        }
        // The superior first: an entity that it removed cannot delay that by not answering.
        let subordinate = superior.fetch_statement(&state, id, &self.ctx, budget).await?;
        let (text, named) = match leaf {
            Some(leaf) => leaf,
            None => {
                budget.spend()?;
                let text = fetch_configuration(&self.ctx.guard, id).await?;
                let named = superiors_named_in(&text)?;
                leaf.insert((text, named))
            }
        };
        if !named.contains(&superior.id) {
            return Err(UNNAMED);
        }
        let statements = state.chain(text, subordinate);
        let chain = verify_statements(&statements, std::slice::from_ref(&state.anchor), self.now())?;
        if chain.subject() == *id {
            Ok(chain)
        } else {
            Err(TrustError::NotTrusted(TrustFault::ConfigurationOfAnother))
        }
    }

    /// Whether any superior lists an entity now.
    pub(crate) async fn listed(&self, query: &ChainQuery<'_>) -> Result<(), TrustError> {
        let mut failed = None;
        let mut walk = self.walk(query.walk());
        while let Some(answers) = walk.step().await {
            for (_, listing) in answers {
                match listing {
                    Ok(listing) if listing.members.contains(query.id) => return Ok(()),
                    Ok(_) => {}
                    Err(error) => failed = Some(error),
                }
            }
        }
        let failed = failed.or(walk.into_incomplete());
        Err(failed.unwrap_or(TrustError::NotTrusted(TrustFault::NotListed)))
    }

    /// All entities that any superior lists.
    pub(crate) async fn all_listed(&self, list_age: i64, budget: &Budget) -> AllListed {
        let (mut all, hint) = (AllListed::default(), ChainHint::default());
        let mut walk = self.walk(WalkQuery { wanted: None, hint: &hint, list_age, budget });
        while let Some(answers) = walk.step().await {
            for (_, listing) in answers {
                match listing {
                    Ok(listing) => {
                        all.members.extend(listing.members.iter().cloned());
                        all.intermediates.extend(listing.intermediates.iter().cloned());
                    }
                    Err(error) => all.failed = Some(error),
                }
            }
        }
        all.failed = all.failed.or(walk.into_incomplete());
        all
    }
}
