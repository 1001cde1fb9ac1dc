//! The other members of the federation, resolved through the anchors and cached while their chains are valid.
//!
//! A member is searched from the anchors down, the nearest superior first, and only below superiors that list it. The
//! whole chain is verified, however it was found. It is used for a limited time and renewed in the background before
//! that is over; without a response the last one is used until it expires.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::stream::{self, StreamExt};
use url::Url;

use super::cache::RefreshCell;
use crate::domain::catalogue::{DeclaredUse, DeclaredUses};
use crate::domain::clock::Timestamp;
use crate::domain::federation::{
    ChainHint, FormerKeys, Outage, PeerReport, ResolvedEntity, TrustError, TrustFault, TrustedPeer,
};
use crate::domain::ids::{EntityId, UseId};
use crate::domain::jose::PublicKeys;
use crate::domain::sync::lock;
use crate::http::{AddressPolicy, GuardError, GuardedClient};
use crate::outbound::federation::bounded_cache::BoundedCache;
use crate::outbound::federation::budget::{Budget, CacheTtls, ResolverContext};
use crate::outbound::federation::diagnose::diagnose;
use crate::outbound::federation::documents::DocumentCache;
use crate::outbound::federation::resolver::{ChainQuery, Resolver};
use crate::outbound::federation::settings::{AnchorSource, PeerSettings};
use crate::outbound::federation::superior::{OLDER_SECS, Superior};
use crate::outbound::federation::trust_marks::TrustMarkChecker;
use crate::ports::{Clock, HasKey, MemberDirectory, MemberDocuments, Survey, TrustResolver};

/// How long a report is cached, in seconds; limits the requests that repeated reports cause.
const REPORT_AGE_SECS: i64 = 10;

/// Longest pause between two requests to a member for unknown keys, in seconds: its real new key is found within that
/// time, however many forged messages arrive.
const LONGEST_PAUSE_SECS: i64 = 30;

/// How long the refusal of a member with a valid chain and unusable metadata is cached, in seconds.
const UNUSABLE_AGE_SECS: i64 = 2;

/// Maximum number of members resolved at a time.
const AT_ONCE: usize = 8;

/// Resolves members through trust chains to the configured anchors.
pub struct FederationPeers(Arc<PeerDirectory>);

struct PeerDirectory {
    resolver: Arc<Resolver>,
    marks: TrustMarkChecker,
    documents: DocumentCache,
    entries: BoundedCache<Entry>,
    reports: BoundedCache<RefreshCell<PeerReport>>,
}

#[derive(Default)]
struct Entry {
    cell: RefreshCell<ResolvedEntity>,
    /// When its superior last issued its statement: an older one of the same superior must not replace it.
    newest: Mutex<Option<(Vec<EntityId>, Timestamp)>>,
    /// Whether it is being renewed in the background.
    renewing: AtomicBool,
    /// Number of consecutive requests for a key that it does not have, and the time of the last.
    miss_count: Mutex<Option<(u32, Timestamp)>>,
}

impl Entry {
    /// The pause before it is asked again because of an unknown key, in seconds; grows with consecutive failures, so
    /// that many forged messages cause few requests, and is reset after a while.
    fn pause(&self, now: Timestamp) -> i64 {
        match *lock(&self.miss_count) {
            Some((times, last)) if now.secs().saturating_sub(last.secs()) <= 2 * LONGEST_PAUSE_SECS => {
                1_i64.checked_shl(times).unwrap_or(LONGEST_PAUSE_SECS).clamp(1, LONGEST_PAUSE_SECS)
            }
            _ => 1,
        }
    }

    fn count_key_request(&self, found: bool, now: Timestamp) {
        let mut miss_count = lock(&self.miss_count);
        let times = miss_count.map_or(0, |(times, _)| times);
        *miss_count = (!found).then(|| (times.saturating_add(1).min(8), now));
    }
}

impl FederationPeers {
    /// Peers under these anchors, with the default chain age, without a store; see [`Self::open`].
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn new(
        anchors: Vec<AnchorSource>,
        guard: GuardedClient,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, GuardError> {
        Self::open(PeerSettings::in_memory(anchors), guard, clock)
    }

    /// Peers under these anchors, whose origins the client may then request.
    ///
    /// # Errors
    /// [`GuardError::Forbidden`] when there is no anchor, or one without keys outside the demo profile.
    pub fn open(
        settings: PeerSettings,
        guard: GuardedClient,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, GuardError> {
        let PeerSettings { anchors, chain_age_secs, memory: anchor_keys } = settings;
        if anchors.is_empty() {
            return Err(GuardError::Forbidden("no anchor is configured"));
        }
        if *guard.address_policy() != AddressPolicy::Demo
            && anchors.iter().any(|anchor| anchor.keys.is_none())
        {
            return Err(GuardError::Forbidden("an anchor has no configured keys"));
        }
        for anchor in &anchors {
            guard.allow(&Url::parse(anchor.id.as_str()).map_err(|_| GuardError::Malformed)?);
        }
        let anchors = anchors.into_iter().map(|anchor| Superior::anchor(anchor.id, anchor.keys)).collect();
        let ctx = ResolverContext { guard, clock, anchor_keys, ttls: CacheTtls::of_chain(chain_age_secs) };
        let resolver = Arc::new(Resolver::new(ctx, anchors));
        Ok(Self(Arc::new(PeerDirectory {
            marks: TrustMarkChecker::new(Arc::clone(&resolver)),
            documents: DocumentCache::new(resolver.ctx.clone()),
            entries: BoundedCache::default(),
            reports: BoundedCache::default(),
            resolver,
        })))
    }

    /// Replaces the configured keys of an anchor: its operator's file has changed. Keys followed from the previous ones
    /// no longer count.
    pub fn configure_anchor_keys(&self, anchor: &EntityId, keys: PublicKeys) {
        self.0.resolver.configure_anchor_keys(anchor, keys);
    }
}

impl PeerDirectory {
    fn clock(&self) -> &dyn Clock {
        &*self.resolver.ctx.clock
    }

    /// Fetches a member: its chain, and the status of its trust marks.
    async fn fetch(
        &self,
        id: &EntityId,
        entry: &Entry,
        hint: &ChainHint,
        budget: &Budget,
    ) -> Result<(ResolvedEntity, Timestamp), TrustError> {
        let resolution = async {
            let before = lock(&entry.newest).clone();
            let last = before.as_ref().map_or(&[][..], |(superiors, _)| superiors.as_slice());
            let ttls = self.resolver.ctx.ttls;
            // An entity that is not trusted yet may have been listed just now.
            let list_age = if entry.cell.is_held() { ttls.list } else { ttls.stranger };
            let chain = self.resolver.chain(&ChainQuery { id, last, hint, list_age, budget }).await?;
            let vouched = (chain.superiors().to_vec(), chain.issued_at());
            if let Some((superiors, newest)) = &before
                && superiors.first() == vouched.0.first()
                && vouched.1.plus_secs(OLDER_SECS) < *newest
            {
                return Err(TrustError::Unavailable(Outage::OlderStatement));
            }
            let marks = self.marks.marks(&chain, budget).await?;
            let resolved = ResolvedEntity::new(chain, marks);
            *lock(&entry.newest) = Some(vouched);
            let until = match &resolved.peer {
                Ok(_) => resolved.expires_at(),
                Err(_) => resolved.expires_at().min(self.resolver.now().plus_secs(UNUSABLE_AGE_SECS)),
            };
            Ok((resolved, until))
        };
        budget.in_time(resolution).await
    }

    /// Renews a member's chain in the background, when half of its time is over.
    fn renew_ahead(self: &Arc<Self>, id: &EntityId, entry: &Arc<Entry>) {
        let renew = self.resolver.ctx.ttls.renew;
        if !entry.cell.is_older_than(self.resolver.now(), renew)
            || entry.renewing.swap(true, Ordering::AcqRel)
        {
            return;
        }
        let (directory, id, entry) = (Arc::clone(self), id.clone(), Arc::clone(entry));
        tokio::spawn(async move {
            let (hint, budget) = (ChainHint::default(), directory.resolver.budget());
            let fetch = directory.fetch(&id, &entry, &hint, &budget);
            if let Err(error) = entry.cell.get(directory.clock(), renew, fetch).await {
                tracing::info!(
                    event = "chain_not_renewed",
                    member = %id,
                    reason = error.reason(),
                    "could not renew a member's chain ahead of time",
                );
            }
            entry.renewing.store(false, Ordering::Release);
        });
    }

    async fn resolve(
        self: &Arc<Self>,
        id: &EntityId,
        hint: &ChainHint,
    ) -> Result<Arc<ResolvedEntity>, TrustError> {
        let budget = self.resolver.budget();
        let entry = match self.entries.known(id) {
            Some(entry) => entry,
            None => {
                // Only a listed entity gets an entry: names in unauthenticated requests cost no memory.
                let ttls = self.resolver.ctx.ttls;
                let query = |list_age| ChainQuery { id, last: &[], hint, list_age, budget: &budget };
                if self.resolver.listed(&query(ttls.list)).await.is_err() {
                    self.resolver.listed(&query(ttls.stranger)).await?;
                }
                self.entries.get(id)
            }
        };
        self.renew_ahead(id, &entry);
        let fetch = self.fetch(id, &entry, hint, &budget);
        entry.cell.get(self.clock(), self.resolver.ctx.ttls.chain, fetch).await
    }

    async fn peer(self: &Arc<Self>, id: &EntityId, hint: &ChainHint) -> Result<Arc<TrustedPeer>, TrustError> {
        self.resolve(id, hint).await?.peer.clone()
    }
}

#[async_trait]
impl TrustResolver for FederationPeers {
    async fn resolve(&self, id: &EntityId) -> Result<Arc<TrustedPeer>, TrustError> {
        self.0.peer(id, &ChainHint::default()).await
    }

    async fn resolve_along(&self, id: &EntityId, hint: &ChainHint) -> Result<Arc<TrustedPeer>, TrustError> {
        self.0.peer(id, hint).await
    }

    async fn resolve_entity(&self, id: &EntityId) -> Result<Arc<ResolvedEntity>, TrustError> {
        self.0.resolve(id, &ChainHint::default()).await
    }

    async fn refreshed(&self, id: &EntityId, has: HasKey<'_>) -> Result<Arc<TrustedPeer>, TrustError> {
        let directory = &self.0;
        // Only a member that was resolved before: this request goes to no new origin.
        let entry = directory.entries.known(id).ok_or(TrustError::NotTrusted(TrustFault::NotListed))?;
        let (hint, budget) = (ChainHint::default(), directory.resolver.budget());
        let asked = AtomicBool::new(false);
        let fetch = || {
            asked.store(true, Ordering::Relaxed);
            directory.fetch(id, &entry, &hint, &budget)
        };
        let pause = entry.pause(directory.resolver.now());
        let resolved = entry.cell.renewed(directory.clock(), pause, fetch).await;
        let peer = resolved.and_then(|resolved| resolved.peer.clone());
        if asked.load(Ordering::Relaxed) {
            entry.count_key_request(peer.as_ref().is_ok_and(|peer| has(peer)), directory.resolver.now());
        }
        peer
    }
}

#[async_trait]
impl MemberDocuments for FederationPeers {
    async fn former_keys(&self, id: &EntityId) -> Result<Arc<FormerKeys>, TrustError> {
        let peer = self.resolve(id).await?;
        self.0.documents.former_keys(&peer).await
    }

    async fn declared_use(&self, id: &UseId) -> Result<Arc<DeclaredUse>, TrustError> {
        let recipient =
            EntityId::new(id.recipient()).map_err(|_| TrustError::NotTrusted(TrustFault::UseRecipient))?;
        self.resolve(&recipient).await?.recipient()?;
        self.0.documents.declared_use(&recipient, id).await
    }

    async fn declared_uses(&self, recipient: &EntityId) -> Result<Arc<DeclaredUses>, TrustError> {
        self.resolve(recipient).await?.recipient()?;
        self.0.documents.declared_uses(recipient).await
    }
}

#[async_trait]
impl MemberDirectory for FederationPeers {
    async fn members(&self) -> Result<Vec<Arc<TrustedPeer>>, TrustError> {
        Ok(self.survey().await?.into_iter().filter_map(|(_, peer)| peer.ok()).collect())
    }

    async fn survey(&self) -> Result<Survey, TrustError> {
        let resolver = &self.0.resolver;
        let all = resolver.all_listed(resolver.ctx.ttls.list, &resolver.budget()).await;
        if let (true, Some(error)) = (all.members.is_empty(), all.failed) {
            return Err(error);
        }
        let members: Vec<EntityId> =
            all.members.into_iter().filter(|id| !all.intermediates.contains(id)).collect();
        let mut survey: Vec<_> = stream::iter(members)
            .map(|id| async move {
                let peer = self.resolve(&id).await;
                (id, peer)
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        survey.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(survey)
    }

    async fn examine(&self, id: &EntityId) -> Arc<PeerReport> {
        let directory = &self.0;
        let fetch = async {
            // Cached results are not considered: the report is about the present state.
            let report = diagnose(directory.resolver.without_cache(), id).await;
            let until = report.at.plus_secs(REPORT_AGE_SECS);
            Ok((report, until))
        };
        let report = directory.reports.get(id).get(directory.clock(), REPORT_AGE_SECS, fetch).await;
        report.unwrap_or_else(|_| Arc::new(PeerReport::nothing_found(id, directory.resolver.now())))
    }
}
