//! Operator's queries about other members. Each command resolves anew, as one more process over the node's store.

use std::sync::Arc;

use crate::app::{
    StartError, SystemClock, anchor_key_expiries, anchor_source, key_policy, node_client, open_checked_store,
};
use crate::config::Config;
use crate::domain::federation::{Expiry, ExpiryWarning, PeerReport, TrustError, warnings};
use crate::domain::ids::EntityId;
use crate::http::{AddressRefused, GuardedClient};
use crate::node::keys::expiry_warnings;
use crate::outbound::{FederationPeers, PeerSettings};
use crate::ports::{Clock, MemberDirectory, TrustResolver};
use crate::store::Store;
use crate::store::keys::signing_keys;

/// The federation as this node sees it.
pub struct FederationInspector {
    own: EntityId,
    guard: GuardedClient,
    peers: FederationPeers,
    store: Store,
    keys: crate::config::Keys,
    anchor_keys: Vec<Expiry>,
}

impl FederationInspector {
    /// Opens the federation as this node sees it.
    ///
    /// # Errors
    /// [`StartError`] when the configuration or the store cannot be used.
    pub async fn open(config: &Config) -> Result<Self, StartError> {
        let store = open_checked_store(&config.store, &config.keys, Some(&config.node.base_url)).await?.store;
        store.check_owner().await?;
        let guard = node_client(config)?;
        let anchors = config.trust_anchors.iter().map(anchor_source).collect::<Result<_, _>>()?;
        let settings = PeerSettings {
            anchors,
            chain_age_secs: config.federation.chain_age_seconds.into(),
            memory: Arc::new(store.clone()),
        };
        let peers = FederationPeers::open(settings, guard.clone(), Arc::new(SystemClock))?;
        Ok(Self {
            own: config.node.base_url.clone(),
            guard,
            peers,
            store,
            keys: config.keys.clone(),
            anchor_keys: anchor_key_expiries(&config.trust_anchors)?,
        })
    }

    /// Diagnoses every listed member, this node included.
    ///
    /// # Errors
    /// [`TrustError`] when the list of members is not available.
    pub async fn members(&self) -> Result<Vec<PeerReport>, TrustError> {
        let mut reports = Vec::new();
        for (id, _) in self.peers.survey().await? {
            reports.push(PeerReport::clone(&*self.peers.examine(&id).await));
        }
        Ok(reports)
    }

    /// Diagnoses one entity, member or not.
    pub async fn test(&self, id: &EntityId) -> PeerReport {
        // The operator names the entity, so its origin is allowed; private addresses stay refused.
        if let Ok(url) = url::Url::parse(id.as_str()) {
            self.guard.allow(&url);
        }
        PeerReport::clone(&*self.peers.examine(id).await)
    }

    /// Why the entity's host was refused; `None` when the address was not the reason.
    #[must_use]
    pub(crate) fn refused_address(&self, id: &EntityId) -> Option<AddressRefused> {
        let url = url::Url::parse(id.as_str()).ok()?;
        self.guard.refused_address(url.domain()?)
    }

    /// Why no connection to the host of an entity came about; `None` when one did, or none was tried.
    #[must_use]
    pub fn failed_connection(&self, id: &EntityId) -> Option<String> {
        let url = url::Url::parse(id.as_str()).ok()?;
        self.guard.failed_connection(url.domain()?)
    }

    /// What this node's own membership rests on and ends soon.
    ///
    /// # Errors
    /// [`StartError`] when the store cannot be used.
    pub(crate) async fn warnings(&self) -> Result<Vec<ExpiryWarning>, StartError> {
        let now = SystemClock.now();
        let peer = self.peers.resolve(&self.own).await.ok();
        let mut expiries = expiry_warnings::own_expiries(&self.store, peer.as_deref(), now).await?;
        let records = self.store.read("list_signing_keys", signing_keys::list).await?;
        expiries.extend(expiry_warnings::key_expiries(&records, &key_policy(&self.keys)));
        expiries.extend(self.anchor_keys.iter().cloned());
        Ok(warnings(&expiries, now))
    }
}
