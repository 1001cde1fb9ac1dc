//! A trust anchor as seen from a node: its keys, its endpoints and whom it lists.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use url::Url;

use super::cache::Cell;
use super::guard::{Expected, GuardError, GuardedClient, Reply};
use crate::domain::clock::Timestamp;
use crate::domain::federation::{
    EntityStatement, TrustAnchor, TrustError, verify_anchor, verify_self_signed,
};
use crate::domain::ids::EntityId;
use crate::domain::jose::{PublicKeys, parse_strict_json};
use crate::ports::{Clock, MemberConfigurations};

/// Where entity configurations are served (OpenID Federation 1.0 §9).
const CONFIGURATION_PATH: &str = "/.well-known/openid-federation";

/// An entity statement over HTTP.
const STATEMENT: Expected =
    Expected { content_types: &["application/entity-statement+jwt"], max_bytes: 64 * 1024 };

/// A list of entity identifiers.
const LIST: Expected = Expected { content_types: &["application/json"], max_bytes: 1024 * 1024 };

/// Most members of one list.
const MAX_MEMBERS: usize = 10_000;

/// An anchor at one moment.
pub(super) struct AnchorView {
    /// Its configuration, as signed, to stand at the top of chains.
    pub(super) text: String,
    /// Its identifier and keys.
    pub(super) anchor: TrustAnchor,
    /// Whom it lists.
    pub(super) members: BTreeSet<EntityId>,
    fetch_endpoint: Url,
}

/// Asks one anchor.
pub(super) struct AnchorClient {
    id: EntityId,
    guard: GuardedClient,
    clock: Arc<dyn Clock>,
    /// The configured keys, or those of the first contact once there was one.
    keys: RwLock<Option<PublicKeys>>,
    view: Cell<AnchorView>,
}

impl AnchorClient {
    pub(super) fn new(
        id: EntityId,
        keys: Option<PublicKeys>,
        guard: GuardedClient,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { id, guard, clock, keys: RwLock::new(keys), view: Cell::default() }
    }

    /// The anchor, as seen not longer than `max_age_secs` ago.
    pub(super) async fn view(&self, max_age_secs: i64) -> Result<Arc<AnchorView>, TrustError> {
        self.view.get(&*self.clock, max_age_secs, self.look()).await
    }

    /// What the anchor says about a member.
    pub(super) async fn subordinate(
        &self,
        view: &AnchorView,
        member: &EntityId,
    ) -> Result<String, TrustError> {
        let mut url = view.fetch_endpoint.clone();
        url.query_pairs_mut().append_pair("sub", member.as_str());
        statement(&self.guard, &url).await
    }

    async fn look(&self) -> Result<(AnchorView, Timestamp), TrustError> {
        let text = configuration(&self.guard, &self.id).await?;
        let now = self.clock.now();
        let known = self.keys.read().unwrap_or_else(PoisonError::into_inner).clone();
        let (keys, configuration) = match known {
            Some(keys) => {
                let anchor = TrustAnchor { id: self.id.clone(), keys };
                let configuration = verify_anchor(&text, &anchor, now)?;
                (anchor.keys, configuration)
            }
            None => self.first_contact(&text, now)?,
        };
        let fetch_endpoint = endpoint(&configuration, "federation_fetch_endpoint")?;
        let members = self.list(&endpoint(&configuration, "federation_list_endpoint")?).await?;
        self.guard.set_members(&self.id, &members);
        let anchor = TrustAnchor { id: self.id.clone(), keys };
        Ok((AnchorView { text, anchor, members, fetch_endpoint }, Timestamp::from_secs(configuration.exp)))
    }

    /// Takes the anchor's keys from its own word and keeps them from then on (demo profile only).
    fn first_contact(&self, text: &str, now: Timestamp) -> Result<(PublicKeys, EntityStatement), TrustError> {
        let configuration = verify_self_signed(text, now)?;
        if configuration.sub != self.id {
            return Err(TrustError::NotTrusted("the anchor's configuration is not its own"));
        }
        let keys = configuration.keys()?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Some(keys.clone());
        Ok((keys, configuration))
    }

    async fn list(&self, url: &Url) -> Result<BTreeSet<EntityId>, TrustError> {
        let reply = answered(self.guard.get(url, &[], LIST).await)?;
        let listed = parse_strict_json(&reply.body)
            .ok()
            .and_then(|list| list.as_array().cloned())
            .filter(|list| list.len() <= MAX_MEMBERS)
            .ok_or(TrustError::Unavailable("the anchor's list is malformed"))?;
        // A name that is no proper identifier can be nobody's.
        Ok(listed.iter().filter_map(|id| EntityId::new(id.as_str()?).ok()).collect())
    }
}

/// Fetches an entity's configuration from where it must be.
pub(super) async fn configuration(guard: &GuardedClient, id: &EntityId) -> Result<String, TrustError> {
    let url = Url::parse(&format!("{id}{CONFIGURATION_PATH}"))
        .map_err(|_| TrustError::NotTrusted("the identifier is not an address"))?;
    statement(guard, &url).await
}

/// Fetches members' configurations for an anchor.
#[derive(Debug, Clone)]
pub struct MemberContact(GuardedClient);

impl MemberContact {
    /// Contact through this client.
    #[must_use]
    pub const fn new(guard: GuardedClient) -> Self {
        Self(guard)
    }
}

#[async_trait]
impl MemberConfigurations for MemberContact {
    async fn fetch(&self, id: &EntityId) -> Result<String, TrustError> {
        // The caller vouches that it is a member: that opens its origin and no other.
        self.0.set_members(id, [id]);
        configuration(&self.0, id).await
    }
}

async fn statement(guard: &GuardedClient, url: &Url) -> Result<String, TrustError> {
    let reply = answered(guard.get(url, &[], STATEMENT).await)?;
    String::from_utf8(reply.body).map_err(|_| TrustError::NotTrusted("a statement is not text"))
}

/// An answer of success, or what its absence means for trust: a definite "no" is told from "not now".
pub(super) fn answered(reply: Result<Reply, GuardError>) -> Result<Reply, TrustError> {
    match reply {
        Ok(reply) if reply.status.is_success() => Ok(reply),
        Ok(reply) if reply.status == 404 => Err(TrustError::NotTrusted("not found")),
        Ok(reply) if reply.status.is_client_error() && reply.status != 408 && reply.status != 429 => {
            Err(TrustError::NotTrusted("refused"))
        }
        Ok(_) => Err(TrustError::Unavailable("the other side failed")),
        Err(GuardError::Forbidden(rule)) => Err(TrustError::NotTrusted(rule)),
        Err(GuardError::TooLarge) => Err(TrustError::NotTrusted("the answer is too large")),
        Err(GuardError::Unexpected(kind)) => Err(TrustError::NotTrusted(kind)),
        Err(GuardError::Malformed) => Err(TrustError::NotTrusted("the address is malformed")),
        Err(GuardError::Timeout) => Err(TrustError::Unavailable("no answer in time")),
        Err(GuardError::Unreachable) => Err(TrustError::Unavailable("cannot be reached")),
    }
}

/// One of the anchor's endpoints, at its own origin.
pub(super) fn endpoint(configuration: &EntityStatement, name: &str) -> Result<Url, TrustError> {
    let own = Url::parse(configuration.sub.as_str()).ok();
    configuration
        .metadata
        .as_ref()
        .and_then(|metadata| metadata.get("federation_entity")?.get(name)?.as_str())
        .and_then(|text| Url::parse(text).ok())
        .filter(|url| own.is_some_and(|own| own.origin() == url.origin()))
        .ok_or(TrustError::NotTrusted("the anchor lacks an endpoint at its own origin"))
}
