//! Settings of the resolution of peers.

use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::clock::Timestamp;
use crate::domain::federation::TrustError;
use crate::domain::ids::EntityId;
use crate::domain::jose::PublicKeys;
use crate::ports::AnchorKeyStore;

/// Default maximum age of a chain, in seconds: the time within which a removed membership, a lost role or a new key
/// takes effect while the superiors can be reached.
pub const CHAIN_AGE_SECS: i64 = 60;

/// A configured anchor.
#[derive(Debug, Clone)]
pub struct AnchorSource {
    /// Its entity identifier.
    pub id: EntityId,
    /// Its keys. Without them, those of its configuration at first contact are accepted, which only the demo profile
    /// allows.
    pub keys: Option<PublicKeys>,
}

/// Settings of the resolution of peers.
pub struct PeerSettings {
    /// The anchors.
    pub anchors: Vec<AnchorSource>,
    /// Maximum age of a chain, in seconds.
    pub chain_age_secs: i64,
    /// Store of the anchors' followed keys.
    pub memory: Arc<dyn AnchorKeyStore>,
}

impl PeerSettings {
    /// These anchors, with the default chain age, without a store.
    #[must_use]
    pub fn in_memory(anchors: Vec<AnchorSource>) -> Self {
        Self { anchors, chain_age_secs: CHAIN_AGE_SECS, memory: Arc::new(NoStore) }
    }
}

/// Stores nothing: for anchors accepted for the lifetime of a process.
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
