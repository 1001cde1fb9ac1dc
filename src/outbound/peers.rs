//! The other members of the federation, found through the anchors and kept while their chains hold.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::stream::{self, StreamExt};
use url::Url;

use super::anchor::{AnchorClient, AnchorView, answered, configuration};
use super::cache::Cell;
use super::guard::{Expected, GuardError, GuardedClient, Reach};
use crate::domain::catalogue::{DeclaredUse, DeclaredUses};
use crate::domain::clock::Timestamp;
use crate::domain::federation::{
    HeldMark, TrustError, TrustMark, TrustedPeer, VerifiedChain, claimed_statement, verify_statements,
};
use crate::domain::ids::{EntityId, UseId};
use crate::domain::jose::{PublicKeys, parse_strict_json};
use crate::ports::{Clock, Peers};

/// How long a chain is used before it is asked for again, in seconds: the time in which a withdrawn membership is
/// noticed while the anchor can be reached.
pub const CHAIN_AGE_SECS: i64 = 60;

/// How long the anchors' lists are used, in seconds.
const LIST_AGE_SECS: i64 = 60;

/// How old a list may be that an unknown entity is judged by, in seconds; a stranger cannot make us ask more often.
const STRANGER_LIST_AGE_SECS: i64 = 5;

/// How long a recipient's declared uses are used, in seconds.
const USES_AGE_SECS: i64 = 60;

/// The document of declared uses.
const USES: Expected = Expected { content_types: &["application/json"], max_bytes: 512 * 1024 };

/// Most entities kept; far more than there are cities.
const MAX_KEPT: usize = 4096;

/// How many members are resolved at a time.
const AT_ONCE: usize = 4;

/// An anchor as configured.
#[derive(Debug, Clone)]
pub struct AnchorSource {
    /// Its entity identifier.
    pub id: EntityId,
    /// Its keys. Without them its own word is taken at first contact, which only the demo profile allows.
    pub keys: Option<PublicKeys>,
}

/// Resolves members through trust chains to the configured anchors.
pub struct FederationPeers {
    guard: GuardedClient,
    clock: Arc<dyn Clock>,
    anchors: Vec<AnchorClient>,
    chains: Kept<Link>,
    uses: Kept<DeclaredUses>,
}

/// A verified chain with its leaf ready to hand out.
struct Link {
    peer: Arc<TrustedPeer>,
    issued_at: Timestamp,
}

/// Cached answers by entity.
type Kept<T> = Mutex<HashMap<EntityId, Arc<Cell<T>>>>;

impl FederationPeers {
    /// Peers under these anchors, whose origins the guarded client may ask from then on.
    ///
    /// # Errors
    /// [`GuardError::Forbidden`] when there is no anchor, or one without keys outside the demo profile.
    pub fn new(
        anchors: Vec<AnchorSource>,
        guard: GuardedClient,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, GuardError> {
        if anchors.is_empty() {
            return Err(GuardError::Forbidden("no anchor is configured"));
        }
        if guard.reach() != Reach::Demo && anchors.iter().any(|anchor| anchor.keys.is_none()) {
            return Err(GuardError::Forbidden("an anchor has no configured keys"));
        }
        for anchor in &anchors {
            guard.allow(&Url::parse(anchor.id.as_str()).map_err(|_| GuardError::Malformed)?);
        }
        let anchors = anchors
            .into_iter()
            .map(|anchor| AnchorClient::new(anchor.id, anchor.keys, guard.clone(), Arc::clone(&clock)))
            .collect();
        Ok(Self { guard, clock, anchors, chains: Kept::default(), uses: Kept::default() })
    }

    /// The anchors that list an entity now. A list may be `max_age_secs` old.
    async fn listing(
        &self,
        id: &EntityId,
        max_age_secs: i64,
    ) -> Result<Vec<(&AnchorClient, Arc<AnchorView>)>, TrustError> {
        let mut listing = Vec::new();
        let mut unknown = None;
        for anchor in &self.anchors {
            match anchor.view(max_age_secs).await {
                Ok(view) if view.members.contains(id) => listing.push((anchor, view)),
                Ok(_) => {}
                Err(error) => unknown = Some(error),
            }
        }
        match (listing.is_empty(), unknown) {
            (false, _) => Ok(listing),
            (true, Some(error)) => Err(error),
            (true, None) => Err(TrustError::NotTrusted("no anchor lists it")),
        }
    }

    /// Fetches and verifies the chain of an entity that an anchor lists.
    async fn chain(&self, id: &EntityId, last: Option<Arc<Link>>) -> Result<(Link, Timestamp), TrustError> {
        let listing = match self.listing(id, LIST_AGE_SECS).await {
            Err(TrustError::NotTrusted(_)) => self.listing(id, STRANGER_LIST_AGE_SECS).await?,
            found => found?,
        };
        let leaf = configuration(&self.guard, id).await?;
        let hints = claimed_statement(&leaf)?.authority_hints.unwrap_or_default();
        let mut outcome = Err(TrustError::NotTrusted("the entity names no anchor that lists it"));
        for (client, view) in listing.iter().filter(|(_, view)| hints.contains(&view.anchor.id)) {
            outcome = self.verified(client, view, id, &leaf).await;
            if outcome.is_ok() {
                break;
            }
        }
        let chain = outcome?;
        let issued_at = chain.issued_at();
        let marks = checked_marks(&chain, self.clock.now());
        let peer = chain.into_peer(marks)?;
        if last.is_some_and(|last| last.peer.anchor == peer.anchor && last.issued_at > issued_at) {
            return Err(TrustError::Unavailable("an older statement than the last was served"));
        }
        let expires_at = peer.expires_at;
        Ok((Link { peer: Arc::new(peer), issued_at }, expires_at))
    }

    async fn verified(
        &self,
        client: &AnchorClient,
        view: &AnchorView,
        id: &EntityId,
        leaf: &str,
    ) -> Result<VerifiedChain, TrustError> {
        let subordinate = client.subordinate(view, id).await?;
        let anchors = [view.anchor.clone()];
        let chain = verify_statements(&[leaf, &subordinate, &view.text], &anchors, self.clock.now())?;
        if chain.subject() == id {
            Ok(chain)
        } else {
            Err(TrustError::NotTrusted("the entity configuration is another's"))
        }
    }

    /// The uses that a trusted recipient declares.
    async fn fetch_uses(&self, recipient: &EntityId) -> Result<(DeclaredUses, Timestamp), TrustError> {
        let url = Url::parse(&format!("{recipient}/catalogue/uses"))
            .map_err(|_| TrustError::NotTrusted("the identifier is not an address"))?;
        let reply = answered(self.guard.get(&url, &[], USES).await)?;
        let malformed = TrustError::NotTrusted("the declared uses are malformed");
        let document = parse_strict_json(&reply.body).map_err(|_| malformed.clone())?;
        let document: DeclaredUses = serde_json::from_value(document).map_err(|_| malformed)?;
        let own = document.recipient == *recipient
            && document.uses.iter().all(|declared| declared.id.recipient() == recipient.as_str());
        if !own {
            return Err(TrustError::NotTrusted("a recipient declares another's uses"));
        }
        Ok((document, self.clock.now().plus_secs(USES_AGE_SECS)))
    }
}

#[async_trait]
impl Peers for FederationPeers {
    async fn resolve(&self, id: &EntityId) -> Result<Arc<TrustedPeer>, TrustError> {
        let cell = match known(&self.chains, id) {
            Some(cell) => cell,
            None => {
                // Room is made only for whom an anchor lists: a stranger's name costs no memory.
                if self.listing(id, LIST_AGE_SECS).await.is_err() {
                    self.listing(id, STRANGER_LIST_AGE_SECS).await?;
                }
                kept(&self.chains, id)
            }
        };
        let link = cell.get(&*self.clock, CHAIN_AGE_SECS, self.chain(id, cell.last())).await?;
        Ok(Arc::clone(&link.peer))
    }

    async fn refreshed(&self, id: &EntityId) -> Result<Arc<TrustedPeer>, TrustError> {
        // Only a member that was resolved before: this way leads to nobody new.
        let cell = known(&self.chains, id).ok_or(TrustError::NotTrusted("no anchor lists it"))?;
        let link = cell.renewed(&*self.clock, || self.chain(id, cell.last())).await?;
        Ok(Arc::clone(&link.peer))
    }

    async fn declared_use(&self, id: &UseId) -> Result<Arc<DeclaredUse>, TrustError> {
        let recipient = EntityId::new(id.recipient())
            .map_err(|_| TrustError::NotTrusted("the use names no proper recipient"))?;
        self.resolve(&recipient).await?;
        let cell = kept(&self.uses, &recipient);
        // A use that is not known yet may have been published just now.
        for max_age in [USES_AGE_SECS, STRANGER_LIST_AGE_SECS] {
            let document = cell.get(&*self.clock, max_age, self.fetch_uses(&recipient)).await?;
            if let Some(declared) = document.uses.iter().find(|declared| declared.id == *id) {
                return Ok(Arc::new(declared.clone()));
            }
        }
        Err(TrustError::NotTrusted("the recipient declares no such use"))
    }

    async fn declared_uses(&self, recipient: &EntityId) -> Result<Arc<DeclaredUses>, TrustError> {
        self.resolve(recipient).await?;
        kept(&self.uses, recipient).get(&*self.clock, USES_AGE_SECS, self.fetch_uses(recipient)).await
    }

    async fn members(&self) -> Result<Vec<Arc<TrustedPeer>>, TrustError> {
        let mut ids = std::collections::BTreeSet::new();
        let mut unknown = None;
        for anchor in &self.anchors {
            match anchor.view(LIST_AGE_SECS).await {
                Ok(view) => ids.extend(view.members.iter().cloned()),
                Err(error) => unknown = Some(error),
            }
        }
        if let (true, Some(error)) = (ids.is_empty(), unknown) {
            return Err(error);
        }
        let mut members: Vec<_> = stream::iter(ids)
            .map(|id| async move { self.resolve(&id).await })
            .buffer_unordered(AT_ONCE)
            .filter_map(|peer| async { peer.ok() })
            .collect()
            .await;
        members.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(members)
    }
}

/// The trust marks that a chain's subject shows and that hold; whoever gives them stands in the chain.
fn checked_marks(chain: &VerifiedChain, now: Timestamp) -> Vec<HeldMark> {
    let Some(rules) = chain.mark_rules() else { return Vec::new() };
    let checked = |text: &str| {
        let issuer = TrustMark::claimed(text).ok()?.iss;
        rules.verify(text, chain.subject(), chain.keys_of(&issuer)?, now).ok()
    };
    chain.shown_marks().iter().filter_map(|shown| checked(&shown.trust_mark)).collect()
}

fn known<T>(all: &Kept<T>, id: &EntityId) -> Option<Arc<Cell<T>>> {
    all.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
}

fn kept<T>(all: &Kept<T>, id: &EntityId) -> Arc<Cell<T>> {
    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
    if all.len() >= MAX_KEPT && !all.contains_key(id) {
        all.clear();
    }
    Arc::clone(all.entry(id.clone()).or_default())
}
