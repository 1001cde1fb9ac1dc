//! What an operator asks about the other members. Each command looks afresh, as one more process of the node over its store.

use std::sync::Arc;

use super::{StartError, SystemClock, anchor_source, key_policy, open_store, reach};
use crate::config::{Config, KnownEntity};
use crate::domain::clock::Timestamp;
use crate::domain::federation::{EndWarning, Ending, EndingKind, PeerReport, TrustError, warnings};
use crate::domain::ids::EntityId;
use crate::domain::jose::parse_strict_json;
use crate::node::warn_of_ends;
use crate::outbound::peers::PeerSettings;
use crate::outbound::{FederationPeers, GuardedClient};
use crate::ports::{Clock, Peers};
use crate::store::{Store, signing_keys};

/// The federation as this node sees it.
pub struct Lookout {
    own: EntityId,
    guard: GuardedClient,
    peers: FederationPeers,
    store: Store,
    keys: crate::config::Keys,
    anchor_keys: Vec<Ending>,
}

impl Lookout {
    /// Opens a node's view.
    ///
    /// # Errors
    /// [`StartError`] when the configuration or the store cannot be used.
    pub async fn open(config: &Config) -> Result<Self, StartError> {
        let store = open_store(&config.store, &config.keys)?.store;
        store.check_keys().await?;
        let guard = GuardedClient::from_address(reach(config.node.profile), config.node.outbound_address)?;
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
            anchor_keys: anchor_key_endings(&config.trust_anchors)?,
        })
    }

    /// Examines every member that is listed, this node included.
    ///
    /// # Errors
    /// [`TrustError`] when nobody can tell who the members are.
    pub async fn members(&self) -> Result<Vec<PeerReport>, TrustError> {
        let mut reports = Vec::new();
        for (id, _) in self.peers.survey().await? {
            reports.push(PeerReport::clone(&*self.peers.examine(&id).await));
        }
        Ok(reports)
    }

    /// Examines one entity, member or not.
    pub async fn test(&self, id: &EntityId) -> PeerReport {
        // The operator names it, so it may be asked; addresses inward stay closed.
        if let Ok(url) = url::Url::parse(id.as_str()) {
            self.guard.allow(&url);
        }
        PeerReport::clone(&*self.peers.examine(id).await)
    }

    /// What this node's own membership rests on and ends soon.
    ///
    /// # Errors
    /// [`StartError`] when the store cannot be used.
    pub async fn warnings(&self) -> Result<Vec<EndWarning>, StartError> {
        let now = SystemClock.now();
        let peer = self.peers.resolve(&self.own).await.ok();
        let mut endings = warn_of_ends::own_endings(&self.store, peer.as_deref(), now).await?;
        let records = self.store.read(signing_keys::list).await?;
        endings.extend(warn_of_ends::key_endings(&records, &key_policy(&self.keys)));
        endings.extend(self.anchor_keys.iter().cloned());
        Ok(warnings(&endings, now))
    }
}

/// The configured keys of anchors that have an end: a JWK with `exp`, as histories of keys have it.
pub(super) fn anchor_key_endings(anchors: &[KnownEntity]) -> Result<Vec<Ending>, StartError> {
    let mut endings = Vec::new();
    for anchor in anchors {
        let Some(path) = &anchor.jwks_file else { continue };
        let jwks = parse_strict_json(&std::fs::read(path)?)
            .map_err(|_| StartError::Jwks(path.display().to_string()))?;
        for jwk in jwks.get("keys").and_then(serde_json::Value::as_array).into_iter().flatten() {
            let time =
                |name: &str| jwk.get(name).and_then(serde_json::Value::as_i64).map(Timestamp::from_secs);
            let Some(ends_at) = time("exp") else { continue };
            let kid = jwk.get("kid").and_then(serde_json::Value::as_str).unwrap_or("without kid");
            endings.push(Ending {
                kind: EndingKind::AnchorKey,
                name: format!("{kid} of {}", anchor.entity_id),
                // Without a beginning it is taken for old: then every threshold counts.
                since: time("iat").unwrap_or(Timestamp::from_secs(0)),
                ends_at,
            });
        }
    }
    Ok(endings)
}
