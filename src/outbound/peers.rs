//! The other members of the federation, found through the anchors and kept while their chains hold.
//!
//! A member is looked for from the anchors down, the nearest superior first, and only where a list names it: what a
//! stranger says about itself makes this node ask nobody. The chain that is found is checked as a whole, whatever it
//! was found by. It is used for a bounded time; before that is over it is fetched anew behind its users' backs, and
//! while it cannot be fetched the last one holds until it expires.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::stream::{self, StreamExt};
use url::Url;

use super::anchor::{UNUSABLE_STATUS, answered, configuration};
use super::cache::Cell;
use super::examine::examine;
use super::guard::{Expected, GuardError, GuardedClient, Reach};
use super::marks::Issuer;
use super::vouching::{Ages, Budget, OLDER_SECS, Surroundings, Voucher, hints};
use crate::domain::catalogue::{DeclaredUse, DeclaredUses};
use crate::domain::clock::Timestamp;
use crate::domain::federation::{PeerReport, TrustError, TrustedPeer, VerifiedChain, verify_statements};
use crate::domain::ids::{EntityId, UseId};
use crate::domain::jose::{PublicKeys, parse_strict_json};
use crate::ports::{AnchorKeys, Clock, Peers, Survey};

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

/// Most entities kept; far more than there are cities.
const MAX_KEPT: usize = 4096;

/// Most superiors that one search looks at.
const MAX_VOUCHERS: usize = 128;

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
    pub memory: Arc<dyn AnchorKeys>,
}

/// Resolves members through trust chains to the configured anchors.
pub struct FederationPeers(Arc<Inner>);

pub(super) struct Inner {
    pub(super) around: Surroundings,
    pub(super) anchors: Vec<Arc<Voucher>>,
    peers: Kept<Entry>,
    uses: Kept<Cell<DeclaredUses>>,
    /// By anchor: who may give marks under one says nothing under another.
    issuers: Vec<(EntityId, Kept<Cell<Issuer>>)>,
    reports: Kept<Cell<PeerReport>>,
}

/// One member.
#[derive(Default)]
struct Entry {
    cell: Cell<TrustedPeer>,
    /// Who vouched for it last, and when: an older statement of the same superior must not replace it.
    newest: Mutex<Option<(EntityId, Timestamp)>>,
    /// Whether it is being fetched anew ahead of time.
    renewing: AtomicBool,
}

/// What is kept, by entity.
type Kept<T> = Mutex<HashMap<EntityId, Arc<T>>>;

/// Keeps nothing: for whoever meets anchors for the length of a process.
struct NoMemory;

#[async_trait]
impl AnchorKeys for NoMemory {
    async fn remembered(&self, _anchor: &EntityId) -> Result<Option<PublicKeys>, TrustError> {
        Ok(None)
    }

    async fn remember(
        &self,
        _anchor: &EntityId,
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
        let memory = Arc::new(NoMemory);
        Self::open(PeerSettings { anchors, chain_age_secs: CHAIN_AGE_SECS, memory }, guard, clock)
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
        if guard.reach() != Reach::Demo && anchors.iter().any(|anchor| anchor.keys.is_none()) {
            return Err(GuardError::Forbidden("an anchor has no configured keys"));
        }
        for anchor in &anchors {
            guard.allow(&Url::parse(anchor.id.as_str()).map_err(|_| GuardError::Malformed)?);
        }
        let anchors = anchors.into_iter().map(|anchor| Voucher::anchor(anchor.id, anchor.keys)).collect();
        let around = Surroundings { guard, clock, memory, ages: Ages::of_chain(chain_age_secs) };
        Ok(Self(Arc::new(Inner::new(around, anchors))))
    }
}

impl Inner {
    fn new(around: Surroundings, anchors: Vec<Arc<Voucher>>) -> Self {
        let issuers = anchors.iter().map(|voucher| (voucher.id.clone(), Kept::default())).collect();
        Self {
            around,
            anchors,
            peers: Kept::default(),
            uses: Kept::default(),
            issuers,
            reports: Kept::default(),
        }
    }

    /// The same anchors, as one who has met nobody yet sees them.
    fn anew(&self) -> Self {
        Self::new(self.around.clone(), self.anchors.iter().map(|anchor| anchor.anew()).collect())
    }

    fn now(&self) -> Timestamp {
        self.around.clock.now()
    }

    /// The chain of an entity through the nearest superior that lists it and vouches for it.
    ///
    /// `last` is who vouched before: when that superior does so no more, one that cannot be reached does not leave the
    /// matter open.
    async fn chain(
        &self,
        id: &EntityId,
        list_age: i64,
        last: Option<&EntityId>,
        budget: &Budget,
    ) -> Result<VerifiedChain, TrustError> {
        let mut leaf = None;
        let mut no: Option<TrustError> = None;
        let mut open: Option<TrustError> = None;
        // The last superior's own no: whoever else cannot be reached does not leave the matter open.
        let mut refused: Option<TrustError> = None;
        let mut left = MAX_VOUCHERS;
        let mut level = self.anchors.clone();
        while !level.is_empty() {
            let mut next = Vec::new();
            for voucher in level {
                left = match left.checked_sub(1) {
                    Some(left) => left,
                    None => {
                        return Err(
                            refused.unwrap_or(TrustError::Unavailable("there are too many superiors"))
                        );
                    }
                };
                let listing = match voucher.listing(&self.around, list_age, budget).await {
                    Ok(listing) => listing,
                    Err(error @ TrustError::Unavailable(_)) => {
                        open.get_or_insert(error);
                        continue;
                    }
                    Err(error @ TrustError::NotTrusted(_)) => {
                        no.get_or_insert(error);
                        continue;
                    }
                };
                next.extend(voucher.below(&listing));
                if !listing.members.contains(id) {
                    if last == Some(&voucher.id) {
                        refused = Some(TrustError::NotTrusted("no anchor lists it"));
                    }
                    continue;
                }
                match self.through(&voucher, id, &mut leaf, budget).await {
                    Ok(chain) => return Ok(chain),
                    Err(error @ TrustError::Unavailable(_)) => open = open.or(Some(error)),
                    Err(error @ TrustError::NotTrusted(_)) => {
                        if last == Some(&voucher.id) {
                            refused = Some(error.clone());
                        }
                        no = Some(error);
                    }
                }
            }
            level = next;
        }
        Err(refused.or(open).or(no).unwrap_or(TrustError::NotTrusted("no anchor lists it")))
    }

    /// The chain of an entity through one superior that lists it.
    async fn through(
        &self,
        voucher: &Voucher,
        id: &EntityId,
        leaf: &mut Option<(String, Vec<EntityId>)>,
        budget: &Budget,
    ) -> Result<VerifiedChain, TrustError> {
        const UNNAMED: TrustError = TrustError::NotTrusted("the entity names no anchor that lists it");
        let standing = voucher.standing(&self.around, budget).await?;
        if leaf.as_ref().is_some_and(|(_, named)| !named.contains(&voucher.id)) {
            return Err(UNNAMED);
        }
        // The superior first: whom it gave up cannot put that off by not answering.
        let about = voucher.about(&standing, id, &self.around, budget).await?;
        let (text, named) = match leaf {
            Some(leaf) => leaf,
            None => {
                budget.spend()?;
                let text = configuration(&self.around.guard, id).await?;
                let named = hints(&text)?;
                leaf.insert((text, named))
            }
        };
        if !named.contains(&voucher.id) {
            return Err(UNNAMED);
        }
        let statements = standing.chain(text, about);
        let chain = verify_statements(&statements, std::slice::from_ref(&standing.anchor), self.now())?;
        if chain.subject() == id {
            Ok(chain)
        } else {
            Err(TrustError::NotTrusted("the entity configuration is another's"))
        }
    }

    /// Fetches a member anew: its chain, and what becomes of the trust marks that it shows.
    async fn fetch(&self, id: &EntityId, entry: &Entry) -> Result<(TrustedPeer, Timestamp), TrustError> {
        let resolution = async {
            let budget = Budget::new();
            let last = entry.newest.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let ages = self.around.ages;
            let superior = last.as_ref().map(|(superior, _)| superior);
            // Who is not trusted yet may have been listed just now.
            let list_age = if entry.cell.is_held() { ages.list } else { ages.stranger };
            let chain = self.chain(id, list_age, superior, &budget).await?;
            let vouched = (chain.superiors().first().cloned(), chain.issued_at());
            if let ((Some(by), at), Some((before, newest))) = (&vouched, &last)
                && by == before
                && at.plus_secs(OLDER_SECS) < *newest
            {
                return Err(TrustError::Unavailable("an older statement than the last was served"));
            }
            let marks = self.marks(&chain, &budget).await?;
            let peer = chain.into_peer(marks)?;
            if let (Some(by), at) = vouched {
                *entry.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some((by, at));
            }
            let expires_at = peer.expires_at;
            Ok((peer, expires_at))
        };
        tokio::time::timeout(self.around.ages.deadline, resolution)
            .await
            .unwrap_or(Err(TrustError::Unavailable("the resolution takes too long")))
    }

    /// Who gives trust marks: an anchor, or another entity that is trusted below the same anchor.
    pub(super) async fn issuer(
        &self,
        id: &EntityId,
        anchor: &EntityId,
        budget: &Budget,
    ) -> Result<Arc<Issuer>, TrustError> {
        let of_anchor = self.issuers.iter().find(|(of, _)| of == anchor);
        let (_, issuers) = of_anchor.ok_or(TrustError::NotTrusted("the anchor is not configured"))?;
        let cell = kept(issuers, id);
        let look = async {
            if let Some(own) = self.anchors.iter().find(|voucher| voucher.id == *id && id == anchor) {
                let standing = own.standing(&self.around, budget).await?;
                let status_endpoint = standing.status_endpoint.clone()?;
                return Ok((
                    Issuer { keys: standing.keys.clone(), status_endpoint },
                    self.now().plus_secs(1),
                ));
            }
            let chain = self.chain(id, self.around.ages.list, None, budget).await?;
            if chain.anchor() != anchor {
                return Err(TrustError::NotTrusted("a trust mark's issuer is below another anchor"));
            }
            let keys = chain.keys_of(id).cloned().unwrap_or_default();
            let issuer = Issuer { keys, status_endpoint: status_endpoint(&chain)? };
            Ok((issuer, chain.expires_at()))
        };
        cell.get(&*self.around.clock, self.around.ages.stranger, look).await
    }

    /// Whether any superior lists an entity now; `list_age` is how old the lists may be.
    async fn listed(&self, id: &EntityId, list_age: i64) -> Result<(), TrustError> {
        let all = self.all_listed(list_age).await;
        if all.members.contains(id) {
            return Ok(());
        }
        Err(all.failed.unwrap_or(TrustError::NotTrusted("no anchor lists it")))
    }

    /// Everyone whom any superior lists.
    async fn all_listed(&self, list_age: i64) -> AllListed {
        let budget = Budget::new();
        let mut all = AllListed::default();
        let mut level = self.anchors.clone();
        let mut left = MAX_VOUCHERS;
        while !level.is_empty() {
            let mut next = Vec::new();
            for voucher in level.into_iter().take(left) {
                left = left.saturating_sub(1);
                match voucher.listing(&self.around, list_age, &budget).await {
                    Ok(listing) => {
                        next.extend(voucher.below(&listing));
                        all.members.extend(listing.members.iter().cloned());
                        all.intermediates.extend(listing.intermediates.iter().cloned());
                    }
                    Err(error) => all.failed = Some(error),
                }
            }
            level = next;
        }
        all
    }

    /// Fetches a member anew while the last chain still serves, when that is half-way through its time.
    fn renew_ahead(self: &Arc<Self>, id: &EntityId, entry: &Arc<Entry>) {
        let renew = self.around.ages.renew;
        if !entry.cell.is_older_than(self.now(), renew) || entry.renewing.swap(true, Ordering::AcqRel) {
            return;
        }
        let (inner, id, entry) = (Arc::clone(self), id.clone(), Arc::clone(entry));
        tokio::spawn(async move {
            let fetch = inner.fetch(&id, &entry);
            if let Err(error) = entry.cell.get(&*inner.around.clock, renew, fetch).await {
                tracing::info!(member = %id, %error, "a chain could not be renewed");
            }
            entry.renewing.store(false, Ordering::Release);
        });
    }

    async fn resolve(self: &Arc<Self>, id: &EntityId) -> Result<Arc<TrustedPeer>, TrustError> {
        let entry = match known(&self.peers, id) {
            Some(entry) => entry,
            None => {
                // Room is made only for whom a superior lists: a stranger's name costs no memory.
                if self.listed(id, self.around.ages.list).await.is_err() {
                    self.listed(id, self.around.ages.stranger).await?;
                }
                kept(&self.peers, id)
            }
        };
        self.renew_ahead(id, &entry);
        entry.cell.get(&*self.around.clock, self.around.ages.chain, self.fetch(id, &entry)).await
    }

    /// The uses that a trusted recipient declares.
    async fn fetch_uses(&self, recipient: &EntityId) -> Result<(DeclaredUses, Timestamp), TrustError> {
        let url = Url::parse(&format!("{recipient}/catalogue/uses"))
            .map_err(|_| TrustError::NotTrusted("the identifier is not an address"))?;
        let reply = answered(self.around.guard.get(&url, &[], USES).await)?;
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

/// Whom the superiors list, as far as they could be asked.
#[derive(Default)]
struct AllListed {
    members: BTreeSet<EntityId>,
    intermediates: BTreeSet<EntityId>,
    failed: Option<TrustError>,
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
        self.0.resolve(id).await
    }

    async fn refreshed(&self, id: &EntityId) -> Result<Arc<TrustedPeer>, TrustError> {
        // Only a member that was resolved before: this way leads to nobody new.
        let entry = known(&self.0.peers, id).ok_or(TrustError::NotTrusted("no anchor lists it"))?;
        entry.cell.renewed(&*self.0.around.clock, || self.0.fetch(id, &entry)).await
    }

    async fn declared_use(&self, id: &UseId) -> Result<Arc<DeclaredUse>, TrustError> {
        let recipient = EntityId::new(id.recipient())
            .map_err(|_| TrustError::NotTrusted("the use names no proper recipient"))?;
        self.0.resolve(&recipient).await?.recipient()?;
        let cell = kept(&self.0.uses, &recipient);
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
        self.0.resolve(recipient).await?.recipient()?;
        let fetch = self.0.fetch_uses(recipient);
        kept(&self.0.uses, recipient).get(&*self.0.around.clock, USES_AGE_SECS, fetch).await
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
        let report = kept(&inner.reports, id).get(&*inner.around.clock, REPORT_AGE_SECS, look).await;
        report.unwrap_or_else(|_| Arc::new(PeerReport::nothing_found(id, inner.now())))
    }

    async fn survey(&self) -> Result<Survey, TrustError> {
        let all = self.0.all_listed(self.0.around.ages.list).await;
        if let (true, Some(error)) = (all.members.is_empty(), all.failed) {
            return Err(error);
        }
        let members: Vec<EntityId> =
            all.members.into_iter().filter(|id| !all.intermediates.contains(id)).collect();
        let mut survey: Vec<_> = stream::iter(members)
            .map(|id| async move {
                let peer = self.0.resolve(&id).await;
                (id, peer)
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        survey.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(survey)
    }
}

fn known<T>(all: &Kept<T>, id: &EntityId) -> Option<Arc<T>> {
    all.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
}

fn kept<T: Default>(all: &Kept<T>, id: &EntityId) -> Arc<T> {
    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
    if all.len() >= MAX_KEPT && !all.contains_key(id) {
        all.clear();
    }
    Arc::clone(all.entry(id.clone()).or_default())
}
