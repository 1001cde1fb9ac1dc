//! The keys to which this node followed its anchors, kept in its store.

use async_trait::async_trait;

use crate::domain::clock::Timestamp;
use crate::domain::federation::TrustError;
use crate::domain::ids::EntityId;
use crate::domain::jose::PublicKeys;
use crate::ports::AnchorKeys;
use crate::store::{Store, StoreError, anchor_pins};

#[async_trait]
impl AnchorKeys for Store {
    async fn remembered(&self, anchor: &EntityId) -> Result<Option<PublicKeys>, TrustError> {
        let anchor = anchor.clone();
        match self.read(move |reader| anchor_pins::find(reader, &anchor)).await {
            Ok(pin) => Ok(Some(pin.keys)),
            Err(StoreError::NotFound) => Ok(None),
            Err(_) => Err(TrustError::Unavailable("the store")),
        }
    }

    async fn remember(&self, anchor: &EntityId, keys: &PublicKeys, now: Timestamp) -> Result<(), TrustError> {
        let (anchor, keys) = (anchor.clone(), keys.clone());
        self.write(move |tx| {
            anchor_pins::pin_first(tx, &anchor, &keys, now)?;
            anchor_pins::replace_keys(tx, &anchor, &keys, now)
        })
        .await
        .map_err(|_| TrustError::Unavailable("the store"))
    }
}
