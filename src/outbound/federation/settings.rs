//! How peers are resolved, as the configuration says.

use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::clock::Timestamp;
use crate::domain::federation::TrustError;
use crate::domain::ids::EntityId;
use crate::domain::jose::PublicKeys;
use crate::ports::AnchorKeyStore;

/// How long a chain is used at most, in seconds, when the configuration does not say: the time in which a withdrawn
/// membership, a lost role or a new key is noticed while the superiors can be reached.
pub const CHAIN_AGE_SECS: i64 = 60;

/// An anchor as configured.
#[derive(Debug, Clone)]
pub struct AnchorSource {
    /// Its entity identifier.
    pub id: EntityId,
    /// Its keys. Without them the keys that it shows at first contact are taken, which only the demo profile allows.
    pub keys: Option<PublicKeys>,
}

/// How peers are resolved.
pub struct PeerSettings {
    /// The anchors.
    pub anchors: Vec<AnchorSource>,
    /// How long a chain is used at most, in seconds.
    pub chain_age_secs: i64,
    /// Where the keys are stored to which an anchor was followed.
    pub memory: Arc<dyn AnchorKeyStore>,
}

impl PeerSettings {
    /// These anchors, with the default age of chains, for the length of a process.
    #[must_use]
    pub fn in_memory(anchors: Vec<AnchorSource>) -> Self {
        Self { anchors, chain_age_secs: CHAIN_AGE_SECS, memory: Arc::new(NoStore) }
    }
}

/// Stores nothing: for whoever meets anchors for the length of a process.
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
