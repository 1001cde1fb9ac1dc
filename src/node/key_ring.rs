//! This node's signing keys as this process knows them: parsed once, replaced as a whole when they change.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::domain::clock::Timestamp;
use crate::domain::jose::{JoseError, PublicKeys, SigningKey};
use crate::store::{Store, StoreError, signing_keys};

pub use crate::store::signing_keys::Purpose as KeyPurpose;

/// The keys of one purpose.
#[derive(Clone)]
struct Keys {
    active: SigningKey,
    verifying: PublicKeys,
}

/// The keys of all purposes. Cheap to clone; all clones see a refresh.
#[derive(Clone)]
pub struct KeyRing(Arc<RwLock<HashMap<KeyPurpose, Keys>>>);

impl KeyRing {
    /// Loads the keys, making the first of each purpose where there is none. Processes that start at once agree.
    ///
    /// # Errors
    /// [`StoreError`] when the store is away or a key in it cannot be unsealed.
    pub async fn open(store: &Store, now: Timestamp) -> Result<Self, StoreError> {
        let ring = Self(Arc::new(RwLock::new(HashMap::new())));
        for purpose in KeyPurpose::ALL {
            store
                .write(move |tx| signing_keys::ensure_active(tx, purpose, now, SigningKey::generate))
                .await?;
        }
        ring.refresh(store).await?;
        Ok(ring)
    }

    /// Loads the keys again, as another process or the operator may have changed them.
    ///
    /// # Errors
    /// [`StoreError`] when the store is away; the ring stays as it was.
    pub async fn refresh(&self, store: &Store) -> Result<(), StoreError> {
        let mut fresh = HashMap::new();
        for purpose in KeyPurpose::ALL {
            let (active, verifying) = store
                .read(move |reader| {
                    Ok::<_, StoreError>((
                        signing_keys::active(reader, purpose)?,
                        signing_keys::verifying(reader, purpose)?,
                    ))
                })
                .await?;
            fresh.insert(purpose, Keys { active, verifying });
        }
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// The key that signs for a purpose.
    ///
    /// # Errors
    /// [`JoseError::UnknownKey`] when there is none; [`KeyRing::open`] leaves no purpose without.
    pub fn active(&self, purpose: KeyPurpose) -> Result<SigningKey, JoseError> {
        let ring = self.0.read().unwrap_or_else(PoisonError::into_inner);
        ring.get(&purpose).map(|keys| keys.active.clone()).ok_or(JoseError::UnknownKey)
    }

    /// The keys that verify for a purpose: active and retired, not revoked.
    #[must_use]
    pub fn verifying(&self, purpose: KeyPurpose) -> PublicKeys {
        let ring = self.0.read().unwrap_or_else(PoisonError::into_inner);
        ring.get(&purpose).map(|keys| keys.verifying.clone()).unwrap_or_default()
    }
}
