//! Those who vouch for members, as seen from here: the anchors, and the intermediates below them.
//!
//! Each is asked for two things that age apart: its standing (why its word counts, and its keys), which is fetched anew
//! for nearly every chain, and its list of members, which says whom this node may ask anything at all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use tokio::time::Instant;
use url::Url;

use super::anchor::{UNUSABLE_STATUS, classify_reply, configuration, endpoint, statement};
use super::cache::RefreshCell;
use crate::domain::clock::Timestamp;
use crate::domain::federation::{
    EntityStatement, MAX_CHAIN_LENGTH, TrustAnchor, TrustError, claimed_statement, verify_anchor,
    verify_self_signed, verify_statements,
};
use crate::domain::ids::EntityId;
use crate::domain::jose::{PublicKeys, parse_strict_json};
use crate::http::guard::{Expected, GuardedClient};
use crate::ports::{AnchorKeyStore, Clock};

/// A list of entity identifiers.
const LIST: Expected = Expected { content_types: &["application/json"], max_bytes: 1024 * 1024 };

/// Most members of one list.
const MAX_MEMBERS: usize = 10_000;

/// Most intermediates that are followed below one superior.
const MAX_INTERMEDIATES: usize = 32;

/// Most authority hints of one entity that are looked at; who has more is refused.
const MAX_HINTS: usize = 16;

/// A leaf, a statement about it and the anchor's configuration stand in every chain; intermediates take what is left.
const MAX_DEPTH: usize = MAX_CHAIN_LENGTH - 3;

/// By how much a statement may be older than the last: several processes of one superior need not agree to the second.
pub(crate) const OLDER_SECS: i64 = 5;

/// How old what is known may be, in seconds. Everything a chain rests on is together never older than the chain's age:
/// the chain itself half of it, the one resolution that replaces it a sixth, and each superior's standing a twelfth, of
/// which two are above a member of most federations and six at most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CacheTtls {
    /// When a chain is fetched anew while the old one serves.
    pub(crate) renew: i64,
    /// How long a chain serves unasked.
    pub(crate) chain: i64,
    /// How long a superior's standing does.
    standing: i64,
    /// How long a list of members does.
    pub(crate) list: i64,
    /// How long a list does by which an unknown entity is judged; a stranger cannot make us ask more often.
    pub(crate) stranger: i64,
    /// Longest time for one resolution, every request of it together.
    pub(crate) deadline: Duration,
}

impl CacheTtls {
    pub(crate) fn of_chain(secs: i64) -> Self {
        Self {
            renew: secs / 4,
            chain: secs / 2,
            standing: secs / 12,
            list: secs / 2,
            stranger: secs.min(5),
            deadline: Duration::from_secs(u64::try_from(secs / 6).unwrap_or(0).clamp(5, 20)),
        }
    }
}

/// What every look outside needs.
#[derive(Clone)]
pub(crate) struct ResolverContext {
    pub(crate) guard: GuardedClient,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) memory: Arc<dyn AnchorKeyStore>,
    pub(crate) ages: CacheTtls,
}

/// How much one resolution may still ask for, and how long it may take, whatever it is made of. Clones share it.
#[derive(Clone)]
pub(crate) struct Budget {
    requests: Arc<AtomicU32>,
    until: Instant,
    /// Time after which those who did not answer are no longer waited for where another answer will do.
    patience: Instant,
}

/// Most requests of one resolution; each is bounded in bytes and time by itself.
const MAX_REQUESTS: u32 = 256;

impl Budget {
    pub(crate) fn new(longest: Duration) -> Self {
        let now = Instant::now();
        let requests = Arc::new(AtomicU32::new(MAX_REQUESTS));
        Self { requests, until: now + longest, patience: now + longest / 3 }
    }

    /// Until when an answer is waited for; less long where it can be done without.
    pub(crate) const fn until(&self, dispensable: bool) -> Instant {
        if dispensable { self.patience } else { self.until }
    }

    /// Pays for one request.
    pub(crate) fn spend(&self) -> Result<(), TrustError> {
        self.requests
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
            .map(|_| ())
            .map_err(|_| TrustError::Unavailable("the resolution asks for too much"))
    }

    /// A part of the resolution, as long as there is time.
    pub(crate) async fn in_time<T>(
        &self,
        part: impl Future<Output = Result<T, TrustError>>,
    ) -> Result<T, TrustError> {
        tokio::time::timeout_at(self.until, part)
            .await
            .unwrap_or(Err(TrustError::Unavailable("the resolution takes too long")))
    }
}

/// Why a superior's word counts, and where it is asked.
pub(crate) struct SuperiorState {
    /// The statements above its own: from the one about it to the anchor's configuration.
    above: Vec<String>,
    /// The anchor at the top with its keys of now.
    pub(crate) anchor: TrustAnchor,
    /// Its own keys.
    pub(crate) keys: PublicKeys,
    /// Where it tells whether a trust mark of its own still holds.
    pub(crate) status_endpoint: Result<Option<Url>, TrustError>,
    fetch_endpoint: Url,
    list_endpoint: Url,
    expires_at: Timestamp,
}

/// Where it tells of its marks; none when it does not say that it does.
fn status_endpoint(configuration: &EntityStatement) -> Result<Option<Url>, TrustError> {
    const NAME: &str = "federation_trust_mark_status_endpoint";
    let metadata = configuration.metadata.as_ref();
    match metadata.and_then(|metadata| metadata.get("federation_entity")?.get(NAME)) {
        None => Ok(None),
        Some(_) => endpoint(configuration, NAME).map(Some).map_err(|_| UNUSABLE_STATUS),
    }
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
            status_endpoint: status_endpoint(configuration),
            fetch_endpoint: endpoint(configuration, "federation_fetch_endpoint")?,
            list_endpoint: endpoint(configuration, "federation_list_endpoint")?,
            expires_at,
        })
    }

    /// Until when its word counts, if nothing is asked again.
    pub(crate) const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// The chain of a member, out of its own configuration and what is said about it here.
    pub(crate) fn chain(&self, leaf: &str, about: String) -> Vec<String> {
        let mut chain = vec![leaf.to_owned(), about];
        chain.extend_from_slice(&self.above);
        chain
    }
}

/// Whom a superior lists.
pub(crate) struct Listing {
    pub(crate) members: BTreeSet<EntityId>,
    /// Those of them that have members of their own.
    pub(crate) intermediates: BTreeSet<EntityId>,
}

/// An anchor, or an intermediate as reached on one path.
pub(crate) struct Superior {
    pub(crate) id: EntityId,
    /// The next above; none above an anchor.
    above: Option<Arc<Superior>>,
    depth: usize,
    /// An anchor's keys: as configured, and as followed from there.
    configured: Option<PublicKeys>,
    followed: RwLock<Option<PublicKeys>>,
    /// When the newest statement that its standing rests on was issued.
    newest: Mutex<Option<i64>>,
    standing: RefreshCell<SuperiorState>,
    listing: RefreshCell<Listing>,
    below: Mutex<BTreeMap<EntityId, Arc<Superior>>>,
}

impl Superior {
    pub(crate) fn anchor(id: EntityId, configured: Option<PublicKeys>) -> Arc<Self> {
        Arc::new(Self::new(id, None, configured))
    }

    /// The same anchor, with the keys that it is known by, before anything was asked of it.
    pub(crate) fn anew(&self) -> Arc<Self> {
        let followed = self.followed.read().unwrap_or_else(PoisonError::into_inner).clone();
        let fresh = Self::new(self.id.clone(), None, self.configured.clone());
        Arc::new(Self { followed: RwLock::new(followed), ..fresh })
    }

    /// Whether it is an anchor: nobody vouches for it.
    pub(crate) const fn is_anchor(&self) -> bool {
        self.above.is_none()
    }

    fn new(id: EntityId, above: Option<Arc<Self>>, configured: Option<PublicKeys>) -> Self {
        Self {
            id,
            depth: above.as_ref().map_or(0, |above| above.depth.saturating_add(1)),
            above,
            configured,
            followed: RwLock::default(),
            newest: Mutex::default(),
            standing: RefreshCell::default(),
            listing: RefreshCell::default(),
            below: Mutex::default(),
        }
    }

    /// Why its word counts now.
    pub(crate) fn standing<'a>(
        &'a self,
        around: &'a ResolverContext,
        budget: &'a Budget,
    ) -> BoxFuture<'a, Result<Arc<SuperiorState>, TrustError>> {
        self.standing.get(&*around.clock, around.ages.standing, self.look(around, budget)).boxed()
    }

    /// Whom it lists, as said not longer than `max_age_secs` ago.
    pub(crate) async fn listing(
        &self,
        around: &ResolverContext,
        max_age_secs: i64,
        budget: &Budget,
    ) -> Result<Arc<Listing>, TrustError> {
        self.listing.get(&*around.clock, max_age_secs, self.list(around, budget)).await
    }

    /// The same, where nobody needs to be asked.
    pub(crate) fn listing_at_hand(
        &self,
        around: &ResolverContext,
        max_age_secs: i64,
    ) -> Option<Arc<Listing>> {
        self.listing.fresh(around.clock.now(), max_age_secs)
    }

    /// The intermediates below it. Never one that stands above it.
    pub(crate) fn below(self: &Arc<Self>, listing: &Listing) -> Vec<Arc<Self>> {
        if self.depth >= MAX_DEPTH {
            return Vec::new();
        }
        let mut below = self.below.lock().unwrap_or_else(PoisonError::into_inner);
        let new = listing.intermediates.iter().filter(|id| !self.is_on_path(id)).take(MAX_INTERMEDIATES);
        new.map(|id| {
            let entry = below.entry(id.clone());
            Arc::clone(entry.or_insert_with(|| Arc::new(Self::new(id.clone(), Some(Arc::clone(self)), None))))
        })
        .collect()
    }

    fn is_on_path(&self, id: &EntityId) -> bool {
        self.id == *id || self.above.as_ref().is_some_and(|above| above.is_on_path(id))
    }

    /// What it says about a member.
    pub(crate) async fn about(
        &self,
        standing: &SuperiorState,
        member: &EntityId,
        around: &ResolverContext,
        budget: &Budget,
    ) -> Result<String, TrustError> {
        budget.spend()?;
        let mut url = standing.fetch_endpoint.clone();
        url.query_pairs_mut().append_pair("sub", member.as_str());
        statement(&around.guard, &url).await
    }

    async fn look(
        &self,
        around: &ResolverContext,
        budget: &Budget,
    ) -> Result<(SuperiorState, Timestamp), TrustError> {
        let standing = match &self.above {
            None => self.look_at_anchor(around, budget).await?,
            Some(above) => self.look_at_intermediate(above, around, budget).await?,
        };
        let expires_at = standing.expires_at;
        Ok((standing, expires_at))
    }

    /// An anchor's configuration must be signed with a key that was known before and that it still names. From then on
    /// the keys that it names are its keys: so it rotates them, and gives them up.
    async fn look_at_anchor(
        &self,
        around: &ResolverContext,
        budget: &Budget,
    ) -> Result<SuperiorState, TrustError> {
        budget.spend()?;
        let text = configuration(&around.guard, &self.id).await?;
        let now = around.clock.now();
        let statement = match self.known_keys(around).await? {
            Some(keys) => match verify_anchor(&text, &TrustAnchor { id: self.id.clone(), keys }, now) {
                Ok(statement) => statement,
                Err(error) => self.verify_with_memory(&text, around, now).await?.ok_or(error)?,
            },
            // Its own word, at first contact; only the demo profile has anchors without configured keys.
            None => verify_self_signed(&text, now)?,
        };
        let keys = statement.keys()?;
        let anchor = TrustAnchor { id: self.id.clone(), keys: keys.clone() };
        verify_anchor(&text, &anchor, now)?;
        self.not_older(statement.iat)?;
        self.follow(&keys, around, now).await?;
        let expires_at = Timestamp::from_secs(statement.exp);
        SuperiorState::new(&statement, vec![text], anchor, keys, expires_at)
    }

    async fn look_at_intermediate(
        &self,
        above: &Arc<Self>,
        around: &ResolverContext,
        budget: &Budget,
    ) -> Result<SuperiorState, TrustError> {
        let superior = above.standing(around, budget).await?;
        let about = above.about(&superior, &self.id, around, budget).await?;
        budget.spend()?;
        let own = configuration(&around.guard, &self.id).await?;
        let chain = verify_statements(
            &superior.chain(&own, about),
            std::slice::from_ref(&superior.anchor),
            around.clock.now(),
        )?;
        if *chain.subject() != self.id {
            return Err(TrustError::NotTrusted("the entity configuration is another's"));
        }
        self.not_older(chain.issued_at().secs())?;
        let keys = chain.keys_of(&self.id).cloned().unwrap_or_default();
        let above = chain.statements().iter().skip(1).cloned().collect();
        // The endpoints are the entity's own to say (§8.1): out of its configuration, not out of what others make of it.
        SuperiorState::new(
            &claimed_statement(&own)?,
            above,
            superior.anchor.clone(),
            keys,
            chain.expires_at(),
        )
    }

    /// Refuses a statement older than the last: it could bring back what was taken away since.
    fn not_older(&self, issued: i64) -> Result<(), TrustError> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.is_some_and(|newest| issued.saturating_add(OLDER_SECS) < newest) {
            return Err(TrustError::Unavailable("an older statement than the last was served"));
        }
        *newest = (*newest).max(Some(issued));
        Ok(())
    }

    /// The keys by which an anchor is known: those that it was followed to from the keys that the operator configured, and
    /// these alone. A key that the anchor gave up on the way counts no more, though it stands in the operator's file; and
    /// when the operator names other keys there, what was followed before is forgotten.
    async fn known_keys(&self, around: &ResolverContext) -> Result<Option<PublicKeys>, TrustError> {
        let followed = self.followed.read().unwrap_or_else(PoisonError::into_inner).clone();
        match (followed, &self.configured) {
            (Some(followed), _) => Ok(Some(followed)),
            (None, Some(configured)) => {
                let remembered = around.memory.load(&self.id, configured).await?;
                Ok(Some(remembered.unwrap_or_else(|| configured.clone())))
            }
            (None, None) => Ok(None),
        }
    }

    /// Judges an anchor's configuration by the keys that are kept: another process may have followed it further while
    /// this one asked for nothing.
    async fn verify_with_memory(
        &self,
        text: &str,
        around: &ResolverContext,
        now: Timestamp,
    ) -> Result<Option<EntityStatement>, TrustError> {
        let Some(configured) = &self.configured else { return Ok(None) };
        let Some(keys) = around.memory.load(&self.id, configured).await? else { return Ok(None) };
        verify_anchor(text, &TrustAnchor { id: self.id.clone(), keys }, now).map(Some)
    }

    async fn follow(
        &self,
        keys: &PublicKeys,
        around: &ResolverContext,
        now: Timestamp,
    ) -> Result<(), TrustError> {
        if self.followed.read().unwrap_or_else(PoisonError::into_inner).as_ref() == Some(keys) {
            return Ok(());
        }
        // What was met without configured keys is not kept beyond this process: nobody has said that it is the anchor.
        if let Some(configured) = &self.configured {
            around.memory.save(&self.id, configured, keys, now).await?;
        }
        *self.followed.write().unwrap_or_else(PoisonError::into_inner) = Some(keys.clone());
        Ok(())
    }

    async fn list(
        &self,
        around: &ResolverContext,
        budget: &Budget,
    ) -> Result<(Listing, Timestamp), TrustError> {
        let standing = self.standing(around, budget).await?;
        let members = fetch_list(&standing.list_endpoint, around, budget).await?;
        let mut filtered = standing.list_endpoint.clone();
        filtered.query_pairs_mut().append_pair("intermediate", "true");
        let intermediates = match fetch_list(&filtered, around, budget).await {
            Ok(found) => found.intersection(&members).cloned().collect(),
            // The filter is optional (§8.2.1); a superior without it has no intermediates that could be found.
            Err(TrustError::NotTrusted(_)) => BTreeSet::new(),
            Err(error) => return Err(error),
        };
        around.guard.set_members(&self.id, &members);
        self.forget_all_but(&intermediates, &around.guard);
        Ok((Listing { members, intermediates }, standing.expires_at))
    }

    /// Drops intermediates that are none any more, and takes back whom this node might ask because of them.
    fn forget_all_but(&self, intermediates: &BTreeSet<EntityId>, guard: &GuardedClient) {
        let mut below = self.below.lock().unwrap_or_else(PoisonError::into_inner);
        below.retain(|id, voucher| {
            let stays = intermediates.contains(id);
            if !stays {
                voucher.forget_all_but(&BTreeSet::new(), guard);
                guard.set_members(id, []);
            }
            stays
        });
    }
}

/// The superiors that an entity names, before anything that it says is believed.
pub(crate) fn hints(leaf: &str) -> Result<Vec<EntityId>, TrustError> {
    let hints = claimed_statement(leaf)?.authority_hints.unwrap_or_default();
    if hints.len() > MAX_HINTS {
        return Err(TrustError::NotTrusted("the entity names too many superiors"));
    }
    Ok(hints)
}

async fn fetch_list(
    url: &Url,
    around: &ResolverContext,
    budget: &Budget,
) -> Result<BTreeSet<EntityId>, TrustError> {
    budget.spend()?;
    let reply = classify_reply(around.guard.get(url, &[], LIST).await)?;
    let listed = parse_strict_json(&reply.body)
        .ok()
        .and_then(|list| list.as_array().cloned())
        .filter(|list| list.len() <= MAX_MEMBERS)
        .ok_or(TrustError::Unavailable("a superior's list is malformed"))?;
    // A name that is no proper identifier can be nobody's.
    Ok(listed.iter().filter_map(|id| EntityId::new(id.as_str()?).ok()).collect())
}
