//! The other members of the federation, found through the anchors and kept while their chains hold.
//!
//! A member is looked for from the anchors down, the nearest superior first, and only where a list names it: what a
//! stranger says about itself makes this node ask nobody. The chain that is found is checked as a whole, whatever it
//! was found by. It is used for a bounded time; before that is over it is fetched anew behind its users' backs, and
//! while it cannot be fetched the last one holds until it expires.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::stream::{self, StreamExt};
use url::Url;

use super::anchor::{UNUSABLE_STATUS, classify_reply};
use super::cache::RefreshCell;
use crate::domain::catalogue::{DeclaredUse, DeclaredUses};
use crate::domain::clock::Timestamp;
use crate::domain::federation::{ChainHint, FormerKeys, PeerReport, TrustError, TrustedPeer, VerifiedChain};
use crate::domain::ids::{EntityId, UseId};
use crate::domain::jose::{PublicKeys, parse_strict_json};
use crate::http::{AddressPolicy, Expected, GuardError, GuardedClient};
use crate::outbound::federation::bounded_cache::BoundedCache;
use crate::outbound::federation::diagnose::examine;
use crate::outbound::federation::resolver::ChainQuery;
use crate::outbound::federation::superior::{Budget, CacheTtls, OLDER_SECS, ResolverContext, Superior};
use crate::outbound::federation::trust_marks::Issuer;
use crate::ports::{AnchorKeyStore, Clock, HasKey, Peers, Survey};

/// How long a chain is used at most, in seconds, when the configuration does not say: the time in which a withdrawn
/// membership, a lost role or a new key is noticed while the superiors can be reached.
pub const CHAIN_AGE_SECS: i64 = 60;

/// How long a recipient's declared uses are used, in seconds.
const USES_AGE_SECS: i64 = 60;

/// How long a use that is not known yet is not asked for again, in seconds.
const UNKNOWN_USE_SECS: i64 = 5;

/// How long a report serves, in seconds: whoever looks again and again makes this node ask no more often.
const REPORT_AGE_SECS: i64 = 10;

/// The document of declared uses.
const USES: Expected = Expected { content_types: &["application/json"], max_bytes: 512 * 1024 };

/// The keys with which a member signed before.
const FORMER_KEYS: Expected =
    Expected { content_types: &["application/omadata-former-keys+jwt"], max_bytes: 1024 * 1024 };

/// How long a member's former keys are used, in seconds.
const FORMER_KEYS_AGE_SECS: i64 = 60;

/// The longest pause between two questions to a member for keys that it turned out not to have, in seconds: its true new
/// key is found within that time, whatever strangers pretend meanwhile.
const LONGEST_PAUSE_SECS: i64 = 30;

/// How many members are resolved at a time.
const AT_ONCE: usize = 8;

/// An anchor as configured.
#[derive(Debug, Clone)]
pub struct AnchorSource {
    /// Its entity identifier.
    pub id: EntityId,
    /// Its keys. Without them its own word is taken at first contact, which only the demo profile allows.
    pub keys: Option<PublicKeys>,
}

/// How peers are resolved.
pub struct PeerSettings {
    /// The anchors.
    pub anchors: Vec<AnchorSource>,
    /// How long a chain is used at most, in seconds.
    pub chain_age_secs: i64,
    /// Where the keys are kept to which an anchor was followed.
    pub memory: Arc<dyn AnchorKeyStore>,
}

impl PeerSettings {
    /// These anchors, with the default age of chains, met for the length of a process.
    #[must_use]
    pub fn in_memory(anchors: Vec<AnchorSource>) -> Self {
        Self { anchors, chain_age_secs: CHAIN_AGE_SECS, memory: Arc::new(NoStore) }
    }
}

/// Resolves members through trust chains to the configured anchors.
pub struct FederationPeers(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) around: ResolverContext,
    pub(crate) anchors: Vec<Arc<Superior>>,
    peers: BoundedCache<Entry>,
    uses: BoundedCache<RefreshCell<DeclaredUses>>,
    former: BoundedCache<RefreshCell<FormerKeys>>,
    /// By anchor: who may give marks under one says nothing under another.
    issuers: Vec<(EntityId, BoundedCache<RefreshCell<Issuer>>)>,
    reports: BoundedCache<RefreshCell<PeerReport>>,
}

/// One member.
#[derive(Default)]
struct Entry {
    cell: RefreshCell<TrustedPeer>,
    /// Who vouched for it last, and when: an older statement of the same superior must not replace it.
    newest: Mutex<Option<(Vec<EntityId>, Timestamp)>>,
    /// Whether it is being fetched anew ahead of time.
    renewing: AtomicBool,
    /// How often in a row it was asked for a key that it does not have, and when last.
    miss_count: Mutex<Option<(u32, Timestamp)>>,
}

impl Entry {
    /// The pause before it is asked again because of a key that is not known, in seconds: the longer, the more often that
    /// was in vain. A crowd of forgeries so makes few requests, and after a while without any it is forgotten.
    fn pause(&self, now: Timestamp) -> i64 {
        match *self.miss_count.lock().unwrap_or_else(PoisonError::into_inner) {
            Some((times, last)) if now.secs().saturating_sub(last.secs()) <= 2 * LONGEST_PAUSE_SECS => {
                1_i64.checked_shl(times).unwrap_or(LONGEST_PAUSE_SECS).clamp(1, LONGEST_PAUSE_SECS)
            }
            _ => 1,
        }
    }

    fn asked_for_key(&self, found: bool, now: Timestamp) {
        let mut miss_count = self.miss_count.lock().unwrap_or_else(PoisonError::into_inner);
        let times = miss_count.map_or(0, |(times, _)| times);
        *miss_count = (!found).then(|| (times.saturating_add(1).min(8), now));
    }
}

/// Keeps nothing: for whoever meets anchors for the length of a process.
struct NoStore;

#[async_trait]
impl AnchorKeyStore for NoStore {
    async fn load(
        &self,
        _anchor: &EntityId,
        _configured: &PublicKeys,
    ) -> Result<Option<PublicKeys>, TrustError> {
        Ok(None)
    }

    async fn save(
        &self,
        _anchor: &EntityId,
        _configured: &PublicKeys,
        _keys: &PublicKeys,
        _now: Timestamp,
    ) -> Result<(), TrustError> {
        Ok(())
    }
}

impl FederationPeers {
    /// Peers under these anchors, with the default age of chains, for the length of this process; see [`Self::open`].
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

    /// Peers under these anchors, whose origins the guarded client may ask from then on.
    ///
    /// # Errors
    /// [`GuardError::Forbidden`] when there is no anchor, or one without keys outside the demo profile.
    pub fn open(
        settings: PeerSettings,
        guard: GuardedClient,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, GuardError> {
        let PeerSettings { anchors, chain_age_secs, memory } = settings;
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
        let around = ResolverContext { guard, clock, memory, ages: CacheTtls::of_chain(chain_age_secs) };
        Ok(Self(Arc::new(Inner::new(around, anchors))))
    }
}

impl Inner {
    fn new(around: ResolverContext, anchors: Vec<Arc<Superior>>) -> Self {
        let issuers = anchors.iter().map(|voucher| (voucher.id.clone(), BoundedCache::default())).collect();
        Self {
            around,
            anchors,
            peers: BoundedCache::default(),
            uses: BoundedCache::default(),
            former: BoundedCache::default(),
            issuers,
            reports: BoundedCache::default(),
        }
    }

    /// The same anchors, as one who has met nobody yet sees them.
    fn anew(&self) -> Self {
        Self::new(self.around.clone(), self.anchors.iter().map(|anchor| anchor.anew()).collect())
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.around.clock.now()
    }

    /// What one resolution may cost, from now on.
    fn budget(&self) -> Budget {
        Budget::new(self.around.ages.deadline)
    }

    /// Fetches a member anew: its chain, and what becomes of the trust marks that it shows.
    async fn fetch(
        &self,
        id: &EntityId,
        entry: &Entry,
        hint: &ChainHint,
        budget: &Budget,
    ) -> Result<(TrustedPeer, Timestamp), TrustError> {
        let resolution = async {
            let before = entry.newest.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let last = before.as_ref().map_or(&[][..], |(superiors, _)| superiors.as_slice());
            let ages = self.around.ages;
            // Who is not trusted yet may have been listed just now.
            let list_age = if entry.cell.is_held() { ages.list } else { ages.stranger };
            let chain = self.chain(&ChainQuery { id, last, hint, list_age, budget }).await?;
            let vouched = (chain.superiors().to_vec(), chain.issued_at());
            if let Some((superiors, newest)) = &before
                && superiors.first() == vouched.0.first()
                && vouched.1.plus_secs(OLDER_SECS) < *newest
            {
                return Err(TrustError::Unavailable("an older statement than the last was served"));
            }
            let marks = self.marks(&chain, budget).await?;
            let peer = chain.into_peer(marks)?;
            *entry.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(vouched);
            let expires_at = peer.expires_at;
            Ok((peer, expires_at))
        };
        budget.in_time(resolution).await
    }

    /// Who gives trust marks: an anchor, or another entity that is trusted below the same anchor.
    pub(crate) async fn issuer(
        &self,
        id: &EntityId,
        anchor: &EntityId,
        budget: &Budget,
    ) -> Result<Arc<Issuer>, TrustError> {
        let of_anchor = self.issuers.iter().find(|(of, _)| of == anchor);
        let (_, issuers) = of_anchor.ok_or(TrustError::NotTrusted("the anchor is not configured"))?;
        let cell = issuers.get(id);
        let look = async {
            if let Some(own) = self.anchors.iter().find(|voucher| voucher.id == *id && id == anchor) {
                let standing = own.standing(&self.around, budget).await?;
                let status_endpoint = standing.status_endpoint.clone()?;
                return Ok((
                    Issuer { keys: standing.keys.clone(), status_endpoint },
                    self.now().plus_secs(1),
                ));
            }
            let (hint, list_age) = (&ChainHint::default(), self.around.ages.list);
            let chain = self.chain(&ChainQuery { id, last: &[], hint, list_age, budget }).await?;
            if chain.anchor() != anchor {
                return Err(TrustError::NotTrusted("a trust mark's issuer is below another anchor"));
            }
            let keys = chain.keys_of(id).cloned().unwrap_or_default();
            let issuer = Issuer { keys, status_endpoint: status_endpoint(&chain)? };
            Ok((issuer, chain.expires_at()))
        };
        cell.get(&*self.around.clock, self.around.ages.stranger, look).await
    }

    /// Fetches a member anew while the last chain still serves, when that is half-way through its time.
    fn renew_ahead(self: &Arc<Self>, id: &EntityId, entry: &Arc<Entry>) {
        let renew = self.around.ages.renew;
        if !entry.cell.is_older_than(self.now(), renew) || entry.renewing.swap(true, Ordering::AcqRel) {
            return;
        }
        let (inner, id, entry) = (Arc::clone(self), id.clone(), Arc::clone(entry));
        tokio::spawn(async move {
            let (hint, budget) = (ChainHint::default(), inner.budget());
            let fetch = inner.fetch(&id, &entry, &hint, &budget);
            if let Err(error) = entry.cell.get(&*inner.around.clock, renew, fetch).await {
                tracing::info!(member = %id, %error, "a chain could not be renewed");
            }
            entry.renewing.store(false, Ordering::Release);
        });
    }

    async fn resolve(
        self: &Arc<Self>,
        id: &EntityId,
        hint: &ChainHint,
    ) -> Result<Arc<TrustedPeer>, TrustError> {
        let budget = self.budget();
        let entry = match self.peers.known(id) {
            Some(entry) => entry,
            None => {
                // Room is made only for whom a superior lists: a stranger's name costs no memory.
                let ages = self.around.ages;
                let search = |list_age| ChainQuery { id, last: &[], hint, list_age, budget: &budget };
                if self.listed(&search(ages.list)).await.is_err() {
                    self.listed(&search(ages.stranger)).await?;
                }
                self.peers.get(id)
            }
        };
        self.renew_ahead(id, &entry);
        let fetch = self.fetch(id, &entry, hint, &budget);
        entry.cell.get(&*self.around.clock, self.around.ages.chain, fetch).await
    }

    /// The keys with which a trusted member signed before.
    async fn fetch_former_keys(&self, peer: &TrustedPeer) -> Result<(FormerKeys, Timestamp), TrustError> {
        let url = peer
            .former_keys_endpoint()
            .ok_or(TrustError::NotTrusted("the member does not tell its former keys"))?;
        let reply = classify_reply(self.around.guard.get(url, &[], FORMER_KEYS).await)?;
        let text = String::from_utf8(reply.body)
            .map_err(|_| TrustError::NotTrusted("a history of keys is malformed"))?;
        let now = self.now();
        let keys = FormerKeys::verify(&text, &peer.id, &peer.federation_keys, now)?;
        Ok((keys, now.plus_secs(FORMER_KEYS_AGE_SECS)))
    }

    /// The uses that a trusted recipient declares.
    async fn fetch_uses(&self, recipient: &EntityId) -> Result<(DeclaredUses, Timestamp), TrustError> {
        let url = Url::parse(&format!("{recipient}/catalogue/uses"))
            .map_err(|_| TrustError::NotTrusted("the identifier is not an address"))?;
        let reply = classify_reply(self.around.guard.get(&url, &[], USES).await)?;
        let malformed = TrustError::NotTrusted("the declared uses are malformed");
        let document = parse_strict_json(&reply.body).map_err(|_| malformed.clone())?;
        let document: DeclaredUses = serde_json::from_value(document).map_err(|_| malformed)?;
        let own = document.recipient == *recipient
            && document.uses.iter().all(|declared| declared.id.recipient() == recipient.as_str());
        if !own {
            return Err(TrustError::NotTrusted("a recipient declares another's uses"));
        }
        Ok((document, self.now().plus_secs(USES_AGE_SECS)))
    }
}

/// Where an issuer below an anchor tells whether its marks still hold, at its own origin.
fn status_endpoint(chain: &VerifiedChain) -> Result<Option<Url>, TrustError> {
    let entity = chain.metadata().get("federation_entity");
    let Some(named) = entity.and_then(|entity| entity.get("federation_trust_mark_status_endpoint")) else {
        return Ok(None);
    };
    let own = Url::parse(chain.subject().as_str()).ok();
    named
        .as_str()
        .and_then(|text| Url::parse(text).ok())
        .filter(|url| own.is_some_and(|own| own.origin() == url.origin()))
        .map(Some)
        .ok_or(UNUSABLE_STATUS)
}

#[async_trait]
impl Peers for FederationPeers {
    async fn resolve(&self, id: &EntityId) -> Result<Arc<TrustedPeer>, TrustError> {
        self.0.resolve(id, &ChainHint::default()).await
    }

    async fn resolve_along(&self, id: &EntityId, hint: &ChainHint) -> Result<Arc<TrustedPeer>, TrustError> {
        self.0.resolve(id, hint).await
    }

    async fn refreshed(&self, id: &EntityId, has: HasKey<'_>) -> Result<Arc<TrustedPeer>, TrustError> {
        let inner = &self.0;
        // Only a member that was resolved before: this way leads to nobody new.
        let entry = inner.peers.known(id).ok_or(TrustError::NotTrusted("no anchor lists it"))?;
        let (hint, budget, asked) = (ChainHint::default(), inner.budget(), AtomicBool::new(false));
        let fetch = || {
            asked.store(true, Ordering::Relaxed);
            inner.fetch(id, &entry, &hint, &budget)
        };
        let pause = entry.pause(inner.now());
        let peer = entry.cell.renewed(&*inner.around.clock, pause, fetch).await;
        if asked.load(Ordering::Relaxed) {
            entry.asked_for_key(peer.as_ref().is_ok_and(|peer| has(peer)), inner.now());
        }
        peer
    }

    async fn former_keys(&self, id: &EntityId) -> Result<Arc<FormerKeys>, TrustError> {
        let peer = self.0.resolve(id, &ChainHint::default()).await?;
        let fetch = self.0.fetch_former_keys(&peer);
        self.0.former.get(id).get(&*self.0.around.clock, FORMER_KEYS_AGE_SECS, fetch).await
    }

    async fn declared_use(&self, id: &UseId) -> Result<Arc<DeclaredUse>, TrustError> {
        let recipient = EntityId::new(id.recipient())
            .map_err(|_| TrustError::NotTrusted("the use names no proper recipient"))?;
        self.0.resolve(&recipient, &ChainHint::default()).await?.recipient()?;
        let cell = self.0.uses.get(&recipient);
        // A use that is not known yet may have been published just now.
        for max_age in [USES_AGE_SECS, UNKNOWN_USE_SECS] {
            let document = cell.get(&*self.0.around.clock, max_age, self.0.fetch_uses(&recipient)).await?;
            if let Some(declared) = document.uses.iter().find(|declared| declared.id == *id) {
                return Ok(Arc::new(declared.clone()));
            }
        }
        Err(TrustError::NotTrusted("the recipient declares no such use"))
    }

    async fn declared_uses(&self, recipient: &EntityId) -> Result<Arc<DeclaredUses>, TrustError> {
        self.0.resolve(recipient, &ChainHint::default()).await?.recipient()?;
        let fetch = self.0.fetch_uses(recipient);
        self.0.uses.get(recipient).get(&*self.0.around.clock, USES_AGE_SECS, fetch).await
    }

    async fn members(&self) -> Result<Vec<Arc<TrustedPeer>>, TrustError> {
        Ok(self.survey().await?.into_iter().filter_map(|(_, peer)| peer.ok()).collect())
    }

    async fn examine(&self, id: &EntityId) -> Arc<PeerReport> {
        let inner = &self.0;
        let look = async {
            let report = examine(&Arc::new(inner.anew()), id).await;
            let until = report.at.plus_secs(REPORT_AGE_SECS);
            Ok((report, until))
        };
        let report = inner.reports.get(id).get(&*inner.around.clock, REPORT_AGE_SECS, look).await;
        report.unwrap_or_else(|_| Arc::new(PeerReport::nothing_found(id, inner.now())))
    }

    async fn survey(&self) -> Result<Survey, TrustError> {
        let all = self.0.all_listed(self.0.around.ages.list, &self.0.budget()).await;
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
}
