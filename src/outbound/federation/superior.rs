//! The superiors of members: the anchors, and the intermediates below them.
//!
//! Each is asked for two things that are cached separately: its state (the statements above it, and its keys), which is
//! fetched again for nearly every chain, and its list of members, which decides which origins this node may request.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use futures_util::future::{BoxFuture, FutureExt};
use url::Url;

use super::budget::{Budget, ResolverContext};
use super::cache::RefreshCell;
use super::fetch::{fetch_configuration, fetch_list, fetch_statement, superior_endpoint};
use crate::domain::clock::Timestamp;
use crate::domain::federation::{
    EntityStatement, MAX_CHAIN_LENGTH, Outage, TrustAnchor, TrustError, TrustFault, claimed_statement,
    verify_anchor, verify_statements,
};
use crate::domain::ids::EntityId;
use crate::domain::jose::PublicKeys;
use crate::domain::sync::lock;
use crate::http::guard::GuardedClient;
use crate::outbound::federation::anchor_keys::AnchorKeys;

/// Maximum number of authority hints of one entity; more are refused.
const MAX_HINTS: usize = 16;

/// Every chain has a leaf, a statement about it and the anchor's configuration; the rest is for intermediates.
pub(crate) const MAX_DEPTH: usize = MAX_CHAIN_LENGTH - 3;

/// How much older a statement may be than the last: the clocks of a superior's processes may differ by seconds.
pub(crate) const OLDER_SECS: i64 = 5;

/// The state of a superior.
pub(crate) struct SuperiorState {
    /// The statements above its own, from the one about it to the anchor's configuration.
    above: Vec<String>,
    /// The anchor at the top with its present keys.
    pub(crate) anchor: TrustAnchor,
    pub(crate) keys: PublicKeys,
    /// Its trust mark status endpoint.
    pub(crate) status_endpoint: Result<Option<Url>, TrustError>,
    fetch_endpoint: Url,
    list_endpoint: Url,
    expires_at: Timestamp,
}

impl SuperiorState {
    fn new(
        configuration: &EntityStatement,
        above: Vec<String>,
        anchor: TrustAnchor,
        keys: PublicKeys,
        expires_at: Timestamp,
    ) -> Result<Self, TrustError> {
        Ok(Self {
            above,
            anchor,
            keys,
            status_endpoint: configuration
                .same_origin_endpoint("federation_trust_mark_status_endpoint")
                .map_err(|_| TrustError::NotTrusted(TrustFault::MarkStatusEndpoint)),
            fetch_endpoint: superior_endpoint(configuration, "federation_fetch_endpoint")?,
            list_endpoint: superior_endpoint(configuration, "federation_list_endpoint")?,
            expires_at,
        })
    }

    /// Expiry of its statements, if nothing is fetched again.
    pub(crate) const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// The chain of a member, from its own configuration and the subordinate statement about it.
    pub(crate) fn chain(&self, leaf: &str, subordinate: String) -> Vec<String> {
        let mut chain = vec![leaf.to_owned(), subordinate];
        chain.extend_from_slice(&self.above);
        chain
    }
}

/// The entities that a superior lists.
pub(crate) struct Listing {
    pub(crate) members: BTreeSet<EntityId>,
    /// Those that are intermediates.
    pub(crate) intermediates: BTreeSet<EntityId>,
}

/// An anchor, or an intermediate on one path.
pub(crate) struct Superior {
    pub(crate) id: EntityId,
    /// The superior above; `None` for an anchor.
    above: Option<Arc<Superior>>,
    depth: usize,
    /// An anchor's known keys; an intermediate's keys are in the statement above it.
    anchor_keys: AnchorKeys,
    /// When the newest statement that its state depends on was issued.
    newest: Mutex<Option<i64>>,
    state: RefreshCell<SuperiorState>,
    listing: RefreshCell<Listing>,
    below: Mutex<BTreeMap<EntityId, Arc<Superior>>>,
}

impl Superior {
    pub(crate) fn anchor(id: EntityId, configured: Option<PublicKeys>) -> Arc<Self> {
        Arc::new(Self::new(id, None, AnchorKeys::configured(configured)))
    }

    /// The same anchor with its known keys, before any request.
    pub(crate) fn without_cache(&self) -> Arc<Self> {
        Arc::new(Self::new(self.id.clone(), None, self.anchor_keys.copy()))
    }

    /// Whether it is an anchor.
    pub(crate) const fn is_anchor(&self) -> bool {
        self.above.is_none()
    }

    fn new(id: EntityId, above: Option<Arc<Self>>, anchor_keys: AnchorKeys) -> Self {
        Self {
            id,
            depth: above.as_ref().map_or(0, |above| above.depth.saturating_add(1)),
            above,
            anchor_keys,
            newest: Mutex::default(),
            state: RefreshCell::default(),
            listing: RefreshCell::default(),
            below: Mutex::default(),
        }
    }

    /// Replaces the configured keys of an anchor.
    pub(crate) fn configure_keys(&self, keys: PublicKeys) {
        if self.anchor_keys.configure(keys) {
            // Decisions by the previous keys are made again.
            self.state.clear();
        }
    }

    pub(crate) fn state<'a>(
        &'a self,
        ctx: &'a ResolverContext,
        budget: &'a Budget,
    ) -> BoxFuture<'a, Result<Arc<SuperiorState>, TrustError>> {
        self.state.get(&*ctx.clock, ctx.ttls.superior, self.refresh(ctx, budget)).boxed()
    }

    /// Its list, not older than `max_age_secs`.
    pub(crate) async fn listing(
        &self,
        ctx: &ResolverContext,
        max_age_secs: i64,
        budget: &Budget,
    ) -> Result<Arc<Listing>, TrustError> {
        self.listing.get(&*ctx.clock, max_age_secs, self.fetch_listing(ctx, budget)).await
    }

    /// The same, if no request is necessary.
    pub(crate) fn cached_listing(&self, ctx: &ResolverContext, max_age_secs: i64) -> Option<Arc<Listing>> {
        self.listing.fresh(ctx.clock.now(), max_age_secs)
    }

    /// The intermediates below it that can be part of a chain: none that is above it.
    pub(crate) fn intermediates_of<'a>(&'a self, listing: &'a Listing) -> impl Iterator<Item = &'a EntityId> {
        let reachable = self.depth < MAX_DEPTH;
        listing.intermediates.iter().filter(move |id| reachable && !self.is_on_path(id))
    }

    /// One of the intermediates below it.
    pub(crate) fn intermediate(self: &Arc<Self>, id: &EntityId) -> Arc<Self> {
        let mut below = lock(&self.below);
        let entry = below.entry(id.clone());
        Arc::clone(entry.or_insert_with(|| {
            Arc::new(Self::new(id.clone(), Some(Arc::clone(self)), AnchorKeys::default()))
        }))
    }

    fn is_on_path(&self, id: &EntityId) -> bool {
        self.id == *id || self.above.as_ref().is_some_and(|above| above.is_on_path(id))
    }

    /// Its subordinate statement about a member.
    pub(crate) async fn fetch_statement(
        &self,
        state: &SuperiorState,
        member: &EntityId,
        ctx: &ResolverContext,
        budget: &Budget,
    ) -> Result<String, TrustError> {
        budget.spend()?;
        let mut url = state.fetch_endpoint.clone();
        url.query_pairs_mut().append_pair("sub", member.as_str());
        fetch_statement(&ctx.guard, &url).await
    }

    async fn refresh(
        &self,
        ctx: &ResolverContext,
        budget: &Budget,
    ) -> Result<(SuperiorState, Timestamp), TrustError> {
        let state = match &self.above {
            None => self.refresh_anchor(ctx, budget).await?,
            Some(above) => self.refresh_intermediate(above, ctx, budget).await?,
        };
        let expires_at = state.expires_at;
        Ok((state, expires_at))
    }

    async fn refresh_anchor(
        &self,
        ctx: &ResolverContext,
        budget: &Budget,
    ) -> Result<SuperiorState, TrustError> {
        budget.spend()?;
        let text = fetch_configuration(&ctx.guard, &self.id).await?;
        let statement = self.anchor_keys.verify(&self.id, &text, ctx).await?;
        let keys = statement.keys()?;
        let anchor = TrustAnchor { id: self.id.clone(), keys: keys.clone() };
        verify_anchor(&text, &anchor, ctx.clock.now())?;
        self.check_not_older(statement.iat)?;
        self.anchor_keys.follow(&self.id, &keys, ctx).await?;
        let expires_at = Timestamp::from_secs(statement.exp);
        SuperiorState::new(&statement, vec![text], anchor, keys, expires_at)
    }

    async fn refresh_intermediate(
        &self,
        above: &Arc<Self>,
        ctx: &ResolverContext,
        budget: &Budget,
    ) -> Result<SuperiorState, TrustError> {
        let superior = above.state(ctx, budget).await?;
        let subordinate = above.fetch_statement(&superior, &self.id, ctx, budget).await?;
        budget.spend()?;
        let own = fetch_configuration(&ctx.guard, &self.id).await?;
        let chain = verify_statements(
            &superior.chain(&own, subordinate),
            std::slice::from_ref(&superior.anchor),
            ctx.clock.now(),
        )?;
        if *chain.subject() != self.id {
            return Err(TrustError::NotTrusted(TrustFault::ConfigurationOfAnother));
        }
        self.check_not_older(chain.issued_at().secs())?;
        let keys = chain.keys_of(&self.id).cloned().unwrap_or_default();
        let above = chain.statements().iter().skip(1).cloned().collect();
        // The endpoints are taken from the entity's own configuration (OpenID Federation 1.0 §5.1.1), not from
        // statements about it.
        let own = claimed_statement(&own)?;
        SuperiorState::new(&own, above, superior.anchor.clone(), keys, chain.expires_at())
    }

    /// Refuses a statement older than the last: it could restore what was revoked since.
    fn check_not_older(&self, issued: i64) -> Result<(), TrustError> {
        let mut newest = lock(&self.newest);
        if newest.is_some_and(|newest| issued.saturating_add(OLDER_SECS) < newest) {
            return Err(TrustError::Unavailable(Outage::OlderStatement));
        }
        *newest = (*newest).max(Some(issued));
        Ok(())
    }

    async fn fetch_listing(
        &self,
        ctx: &ResolverContext,
        budget: &Budget,
    ) -> Result<(Listing, Timestamp), TrustError> {
        let state = self.state(ctx, budget).await?;
        budget.spend()?;
        let members = fetch_list(&ctx.guard, &state.list_endpoint).await?;
        let mut filtered = state.list_endpoint.clone();
        filtered.query_pairs_mut().append_pair("intermediate", "true");
        budget.spend()?;
        let intermediates = match fetch_list(&ctx.guard, &filtered).await {
            Ok(found) => found.intersection(&members).cloned().collect(),
            // The filter is optional (OpenID Federation 1.0 §8.2.1); without it no intermediate could be found.
            Err(TrustError::NotTrusted(_)) => BTreeSet::new(),
            Err(error) => return Err(error),
        };
        ctx.guard.set_members(&self.id, &members);
        self.forget_all_but(&intermediates, &ctx.guard);
        Ok((Listing { members, intermediates }, state.expires_at))
    }

    /// Drops former intermediates, and disallows the origins that were allowed because of them.
    fn forget_all_but(&self, intermediates: &BTreeSet<EntityId>, guard: &GuardedClient) {
        lock(&self.below).retain(|id, superior| {
            let stays = intermediates.contains(id);
            if !stays {
                superior.forget_all_but(&BTreeSet::new(), guard);
                guard.set_members(id, []);
            }
            stays
        });
    }
}

/// The superiors that an entity names, unverified.
pub(crate) fn superiors_named_in(configuration: &str) -> Result<Vec<EntityId>, TrustError> {
    let hints = claimed_statement(configuration)?.authority_hints.unwrap_or_default();
    if hints.len() > MAX_HINTS {
        return Err(TrustError::NotTrusted(TrustFault::TooManySuperiors));
    }
    Ok(hints.iter().collect())
}
