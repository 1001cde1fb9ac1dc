//! Stores the anchors' keys as this node followed them.

use async_trait::async_trait;

use crate::domain::clock::Timestamp;
use crate::domain::federation::{Outage, TrustError};
use crate::domain::ids::EntityId;
use crate::domain::jose::PublicKeys;
use crate::ports::AnchorKeyStore;
use crate::store::federation::anchor_pins;
use crate::store::{Store, StoreError};

#[async_trait]
impl AnchorKeyStore for Store {
    async fn load(
        &self,
        anchor: &EntityId,
        configured: &PublicKeys,
    ) -> Result<Option<PublicKeys>, TrustError> {
        let (anchor, configured) = (anchor.clone(), configured.clone());
        match self
            .read("find_anchor_pins", move |reader| anchor_pins::find(reader, &anchor, &configured))
            .await
        {
            Ok(keys) => Ok(Some(keys)),
            Err(StoreError::NotFound) => Ok(None),
            Err(_) => Err(TrustError::Unavailable(Outage::Store)),
        }
    }

    async fn save(
        &self,
        anchor: &EntityId,
        configured: &PublicKeys,
        keys: &PublicKeys,
        now: Timestamp,
    ) -> Result<(), TrustError> {
        let (anchor, configured, keys) = (anchor.clone(), configured.clone(), keys.clone());
        self.write("keep_anchor_pins", move |tx| anchor_pins::keep(tx, &anchor, &configured, &keys, now))
            .await
            .map_err(|_| TrustError::Unavailable(Outage::Store))
    }
}
