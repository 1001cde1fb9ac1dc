//! This node's signing keys, cached in this process: parsed once, replaced as a whole when they change.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, RwLock};

use serde_json::{Value, json};

use crate::domain::clock::Timestamp;
use crate::domain::ids::KeyId;
use crate::domain::jose::{
    JoseError, KeyStanding, LoginKey, LoginKeyKind, PublicKey, PublicKeys, SigningKey,
};
use crate::domain::sync::{read, write};
use crate::store::keys::signing_keys;
use crate::store::keys::signing_keys::{KeyRecord, KeyState, Snapshot};
use crate::store::{Store, StoreError};

pub use crate::store::keys::signing_keys::Purpose as KeyPurpose;

/// Maximum number of published retired keys of a purpose, however long the overlap: others refuse a key set that is too
/// long.
const MAX_RETIRED_PUBLISHED: usize = 12;

/// The operator's policy for the rotation of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyPolicy {
    /// Lead time of a new key between publication and first use, in seconds: others fetch the key set again within it.
    pub(crate) lead_secs: i64,
    /// How long a retired key stays published, in seconds.
    pub(crate) overlap_secs: i64,
    /// Age at which a signing key is rotated, in days, in the order of [`KeyPurpose::ALL`]; 0 is never.
    pub(crate) rotate_days: [u16; KeyPurpose::ALL.len()],
    /// Further keys for the login provider.
    pub login: LoginKeyPolicy,
}

/// Further keys for the login provider, beside the client key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LoginKeyPolicy {
    /// An RSA key signs the requests to it, instead of the client key.
    pub(crate) rsa_signing: bool,
    /// It encrypts its responses to keys of this node.
    pub(crate) decryption: bool,
}

impl Default for KeyPolicy {
    fn default() -> Self {
        Self {
            lead_secs: 150,
            overlap_secs: 86_400,
            rotate_days: [0, 90, 90, 90, 90, 0, 0, 0],
            login: LoginKeyPolicy::default(),
        }
    }
}

impl KeyPolicy {
    /// When a key that signs since a moment is to be rotated; `None` without a schedule.
    #[must_use]
    pub(crate) fn rotates_at(&self, purpose: KeyPurpose, active_since: Timestamp) -> Option<Timestamp> {
        let days = KeyPurpose::ALL
            .iter()
            .zip(self.rotate_days)
            .find_map(|(one, days)| (*one == purpose).then_some(days))?;
        (days > 0).then(|| active_since.plus_secs(i64::from(days) * 86_400))
    }

    /// Whether a node with this policy has keys of a purpose.
    #[must_use]
    pub(crate) const fn needs(&self, purpose: KeyPurpose) -> bool {
        match purpose.login_kind() {
            None => true,
            Some(LoginKeyKind::RsaSigning) => self.login.rsa_signing,
            Some(LoginKeyKind::RsaDecryption | LoginKeyKind::EcDecryption) => self.login.decryption,
        }
    }

    /// Whether a key is in the published set.
    #[must_use]
    pub(crate) fn publishes(&self, key: &KeyRecord, now: Timestamp) -> bool {
        match key.state {
            KeyState::Pending | KeyState::Active => true,
            KeyState::Retired => key.retired_at.is_some_and(|at| now < at.plus_secs(self.overlap_secs)),
            KeyState::Revoked => false,
        }
    }
}

/// A revoked key, with the standing of its signatures.
#[derive(Debug, Clone)]
pub struct RevokedKey {
    /// The public part.
    pub key: PublicKey,
    pub(crate) standing: KeyStanding,
}

/// The keys of one purpose.
#[derive(Default)]
struct Keys {
    active: Option<SigningKey>,
    verifying: Arc<PublicKeys>,
    published: Arc<PublicKeys>,
    revoked: BTreeMap<KeyId, RevokedKey>,
}

/// The keys of all purposes at one moment.
#[derive(Default)]
struct Ring {
    version: i64,
    records: Vec<KeyRecord>,
    keys: HashMap<KeyPurpose, Keys>,
    login: Vec<LoginKey>,
}

/// The keys of all purposes. Cheap to clone; all clones see a reload.
#[derive(Clone)]
pub struct KeyRing {
    ring: Arc<RwLock<Ring>>,
    policy: KeyPolicy,
}

impl KeyRing {
    /// Loads the keys, creating the first of each purpose if there is none. Concurrent processes get the same keys.
    ///
    /// # Errors
    /// [`StoreError`] when the store is unavailable or a key in it cannot be unsealed.
    pub async fn open(store: &Store, now: Timestamp) -> Result<Self, StoreError> {
        Self::open_with(store, KeyPolicy::default(), now).await
    }

    /// As [`Self::open`], with the operator's policy.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(crate) async fn open_with(
        store: &Store,
        policy: KeyPolicy,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        // In one transaction: each would wait for the disk.
        store
            .write("ensure_signing_keys", move |tx| {
                for purpose in KeyPurpose::ALL.into_iter().filter(|purpose| policy.needs(*purpose)) {
                    match purpose.login_kind() {
                        None => {
                            signing_keys::ensure_active(tx, purpose, now, SigningKey::generate)?;
                        }
                        Some(kind) => {
                            signing_keys::ensure_login_key(tx, purpose, now, || LoginKey::generate(kind))?;
                        }
                    }
                }
                Ok::<(), StoreError>(())
            })
            .await?;
        let ring = Self { ring: Arc::default(), policy };
        ring.refresh(store, now).await?;
        Ok(ring)
    }

    /// The policy of these keys.
    #[must_use]
    pub(crate) const fn policy(&self) -> &KeyPolicy {
        &self.policy
    }

    /// Reloads the keys after a change by another process or the operator.
    ///
    /// # Errors
    /// [`StoreError`] when the store is unavailable; the keys stay as they were.
    pub(crate) async fn refresh(&self, store: &Store, now: Timestamp) -> Result<(), StoreError> {
        let known = read(&self.ring).login.clone();
        let snapshot =
            store.read("load_key_ring", move |reader| signing_keys::snapshot(reader, &known)).await?;
        let fresh = Ring::of(snapshot, &self.policy, now)?;
        let mut ring = write(&self.ring);
        // Of two concurrent reloads, the one that read first may finish last.
        if fresh.version >= ring.version {
            *ring = fresh;
        }
        Ok(())
    }

    /// Reloads the keys if their version changed; `true` when it did. One small read otherwise.
    ///
    /// # Errors
    /// As [`Self::refresh`].
    pub(crate) async fn refresh_if_changed(&self, store: &Store, now: Timestamp) -> Result<bool, StoreError> {
        let known = read(&self.ring).version;
        if store.read("read_key_version", signing_keys::version).await? == known {
            return Ok(false);
        }
        self.refresh(store, now).await?;
        Ok(true)
    }

    /// Removes retired keys from the published sets when their overlap is over.
    ///
    /// # Errors
    /// [`JoseError`] when the remaining keys are no valid set, which the store rules out.
    pub(crate) fn age(&self, now: Timestamp) -> Result<(), JoseError> {
        let mut ring = write(&self.ring);
        let Ring { records, keys, .. } = &mut *ring;
        for (purpose, keys) in keys.iter_mut() {
            keys.published = Arc::new(published(records, *purpose, &self.policy, now)?);
        }
        Ok(())
    }

    /// The active key of a purpose.
    ///
    /// # Errors
    /// [`JoseError::UnknownKey`] when there is none; [`KeyRing::open`] creates one for each purpose.
    pub(crate) fn active(&self, purpose: KeyPurpose) -> Result<SigningKey, JoseError> {
        let ring = read(&self.ring);
        ring.keys.get(&purpose).and_then(|keys| keys.active.clone()).ok_or(JoseError::UnknownKey)
    }

    /// The keys that verify for a purpose: pending, active and retired ones of any age; no revoked one.
    #[must_use]
    pub fn verifying(&self, purpose: KeyPurpose) -> Arc<PublicKeys> {
        let ring = read(&self.ring);
        ring.keys.get(&purpose).map(|keys| Arc::clone(&keys.verifying)).unwrap_or_default()
    }

    /// The published keys of a purpose: pending, active, and retired ones during the overlap.
    #[must_use]
    pub(crate) fn published_for(&self, purpose: KeyPurpose) -> PublicKeys {
        let ring = read(&self.ring);
        ring.keys.get(&purpose).map(|keys| PublicKeys::clone(&keys.published)).unwrap_or_default()
    }

    /// A revoked key of a purpose, by its identifier.
    #[must_use]
    pub fn revoked(&self, purpose: KeyPurpose, kid: &KeyId) -> Option<RevokedKey> {
        let ring = read(&self.ring);
        ring.keys.get(&purpose)?.revoked.get(kid).cloned()
    }

    /// The RSA key that signs requests to the login provider, if one is used.
    #[must_use]
    pub(crate) fn login_signing_key(&self) -> Option<LoginKey> {
        let ring = read(&self.ring);
        let active = ring
            .records
            .iter()
            .find(|record| record.purpose == KeyPurpose::LoginSigning && record.state == KeyState::Active)?;
        ring.login.iter().find(|key| key.kid() == &active.kid).cloned()
    }

    /// The keys that the login provider may have encrypted to: the published ones, and the previous ones during the
    /// overlap.
    #[must_use]
    pub(crate) fn decryption_keys(&self, now: Timestamp) -> Vec<LoginKey> {
        let ring = read(&self.ring);
        let usable = |key: &&LoginKey| {
            key.kind() != LoginKeyKind::RsaSigning
                && ring
                    .records
                    .iter()
                    .any(|record| &record.kid == key.kid() && self.policy.publishes(record, now))
        };
        ring.login.iter().filter(usable).cloned().collect()
    }

    /// The key set for the login provider: the keys that sign for this node there, and those to encrypt to. A retired
    /// encryption key leaves the set at once; a retired signing key stays for the overlap.
    #[must_use]
    pub(crate) fn login_jwks(&self, now: Timestamp) -> Value {
        let signing =
            if self.policy.login.rsa_signing { KeyPurpose::LoginSigning } else { KeyPurpose::Client };
        let in_use = |key: &KeyRecord| matches!(key.state, KeyState::Active | KeyState::Pending);
        let ring = read(&self.ring);
        let shown = ring.records.iter().filter(|key| match key.purpose.login_kind() {
            Some(LoginKeyKind::RsaDecryption | LoginKeyKind::EcDecryption) => {
                self.policy.login.decryption && in_use(key)
            }
            _ => key.purpose == signing && self.policy.publishes(key, now),
        });
        json!({"keys": shown.map(|key| key.public.to_jwk()).collect::<Vec<_>>()})
    }

    /// All keys as last loaded, by purpose and age.
    #[must_use]
    pub fn records(&self) -> Vec<KeyRecord> {
        read(&self.ring).records.clone()
    }
}

impl Ring {
    fn of(snapshot: Snapshot, policy: &KeyPolicy, now: Timestamp) -> Result<Self, StoreError> {
        let Snapshot { version, records, active, login } = snapshot;
        let mut keys = HashMap::new();
        for purpose in KeyPurpose::ALL {
            let mut of_purpose = Keys::default();
            let mut verifying = Vec::new();
            for record in records.iter().filter(|record| record.purpose == purpose) {
                let Some(key) = record.public.verifying().cloned() else { continue };
                match record.standing() {
                    KeyStanding::Sound => verifying.push(key),
                    standing => {
                        of_purpose.revoked.insert(record.kid.clone(), RevokedKey { key, standing });
                    }
                }
            }
            of_purpose.verifying = Arc::new(PublicKeys::from_keys(verifying)?);
            of_purpose.published = Arc::new(published(&records, purpose, policy, now)?);
            keys.insert(purpose, of_purpose);
        }
        for (purpose, key) in active {
            keys.entry(purpose).or_default().active = Some(key);
        }
        Ok(Self { version, records, keys, login })
    }
}

fn published(
    records: &[KeyRecord],
    purpose: KeyPurpose,
    policy: &KeyPolicy,
    now: Timestamp,
) -> Result<PublicKeys, JoseError> {
    let mut shown: Vec<_> =
        records.iter().filter(|record| record.purpose == purpose && policy.publishes(record, now)).collect();
    // Keys in use first, then the most recently retired.
    shown.sort_by_key(|record| (record.retired_at.is_some(), std::cmp::Reverse(record.retired_at)));
    let in_use = shown.iter().take_while(|record| record.retired_at.is_none()).count();
    shown.truncate(in_use + MAX_RETIRED_PUBLISHED);
    let keys = shown.into_iter().filter_map(|record| record.public.verifying().cloned());
    PublicKeys::from_keys(keys.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::engine::testing::{Kind, TestStore, at};

    #[tokio::test]
    async fn a_retired_key_verifies_for_ever_and_is_published_for_a_while() {
        let fixture = TestStore::new(Kind::Sqlite).await.unwrap();
        let store = &fixture.store;
        let policy = KeyPolicy { overlap_secs: 100, ..KeyPolicy::default() };
        let ring = KeyRing::open_with(store, policy, at(0)).await.unwrap();
        let other = KeyRing::open_with(store, policy, at(0)).await.unwrap();
        let old = ring.active(KeyPurpose::Token).unwrap();
        assert!(!other.refresh_if_changed(store, at(0)).await.unwrap());
        let spare = SigningKey::generate().unwrap();
        let next = store
            .write("test", move |tx| signing_keys::replace_active(tx, KeyPurpose::Token, &spare, at(10)))
            .await
            .unwrap();
        for ring in [&ring, &other] {
            assert!(ring.refresh_if_changed(store, at(10)).await.unwrap());
            assert_eq!(ring.active(KeyPurpose::Token).unwrap().kid(), &next);
            assert_eq!(ring.published_for(KeyPurpose::Token).len(), 2);
        }
        ring.age(at(109)).unwrap();
        assert!(ring.published_for(KeyPurpose::Token).find(old.kid()).is_some());
        ring.age(at(110)).unwrap();
        assert!(ring.published_for(KeyPurpose::Token).find(old.kid()).is_none());
        assert!(ring.verifying(KeyPurpose::Token).find(old.kid()).is_some());
        assert_eq!(ring.published_for(KeyPurpose::Receipt).len(), 1, "other purposes stay");
    }

    #[tokio::test]
    async fn however_often_keys_are_rotated_the_published_set_stays_short() {
        let fixture = TestStore::new(Kind::Sqlite).await.unwrap();
        let store = &fixture.store;
        let ring = KeyRing::open(store, at(0)).await.unwrap();
        for step in 1..=20 {
            let spare = SigningKey::generate().unwrap();
            store
                .write("test", move |tx| {
                    signing_keys::replace_active(tx, KeyPurpose::Client, &spare, at(step))
                })
                .await
                .unwrap();
        }
        ring.refresh(store, at(21)).await.unwrap();
        let published = ring.published_for(KeyPurpose::Client);
        assert_eq!(published.len(), 1 + MAX_RETIRED_PUBLISHED);
        assert!(published.find(ring.active(KeyPurpose::Client).unwrap().kid()).is_some());
        assert_eq!(ring.verifying(KeyPurpose::Client).len(), 21);
        let newest_retired = ring.records().into_iter().filter_map(|key| key.retired_at).max();
        let shown: Vec<_> =
            ring.records().into_iter().filter(|key| published.find(&key.kid).is_some()).collect();
        assert!(shown.iter().any(|key| key.retired_at == newest_retired));
    }
}
