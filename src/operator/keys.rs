//! Operator's commands on signing keys. Each command is one more process over the store; serving processes notice the
//! change.

use crate::app::{StartError, SystemClock, key_policy, open_checked_store};
use crate::config;
use crate::domain::clock::Timestamp;
use crate::domain::ids::KeyId;
use crate::domain::jose::{PublicKeys, RevokeReason};
use crate::node::KeyRing;
use crate::node::keys::rotate_keys;
use crate::ports::Clock;
use crate::store::Store;
use crate::store::keys::signing_keys;

pub use crate::node::keys::rotate_keys::{RotateError, Rotation};
pub use crate::node::{KeyPolicy, KeyPurpose};
pub(crate) use crate::store::keys::signing_keys::{KeyRecord, KeyState};

/// Why keys were not changed.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The store cannot be used.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The change is refused.
    #[error(transparent)]
    Rotate(#[from] RotateError),
}

/// The store of a node or anchor that was started before, for a command.
async fn existing(store: &config::Store, keys: &config::Keys) -> Result<Store, StartError> {
    let store = open_checked_store(store, keys, None).await?.store;
    store.check_owner().await?;
    Ok(store)
}

/// The signing keys of a node or anchor, with their rotation policy. Creates none.
///
/// # Errors
/// [`StartError`] when the store cannot be used.
pub async fn list(
    store: &config::Store,
    keys: &config::Keys,
) -> Result<(Vec<KeyRecord>, KeyPolicy), StartError> {
    let records = existing(store, keys).await?.read("list_signing_keys", signing_keys::list).await?;
    Ok((records, key_policy(keys)))
}

/// The public federation keys of a node or anchor; creates the first key when there is none, so that keys can be
/// exchanged before either runs.
///
/// # Errors
/// [`StartError`] when the store cannot be used.
pub async fn federation_keys(store: &config::Store, keys: &config::Keys) -> Result<PublicKeys, StartError> {
    let store = open_checked_store(store, keys, None).await?.store;
    store.migrate().await?;
    let ring = KeyRing::open_with(&store, key_policy(keys), SystemClock.now()).await?;
    Ok(ring.published_for(KeyPurpose::Federation))
}

/// The purposes that have a key in use: without encrypted logins a node has none for decryption.
///
/// # Errors
/// [`StartError`] when the store cannot be used.
pub(crate) async fn purposes_in_use(
    store: &config::Store,
    keys: &config::Keys,
) -> Result<Vec<KeyPurpose>, StartError> {
    let (records, _) = list(store, keys).await?;
    let in_use = |purpose: &KeyPurpose| {
        records.iter().any(|key| key.purpose == *purpose && key.state == KeyState::Active)
    };
    Ok(KeyPurpose::ALL.into_iter().filter(in_use).collect())
}

/// Begins rotations; with `at_once` the new keys sign now. A federation key keeps its lead time in any case.
///
/// # Errors
/// [`KeysError`] when the store cannot be used, or a purpose has no key yet.
pub async fn rotate(
    store: &config::Store,
    keys: &config::Keys,
    purposes: &[KeyPurpose],
    at_once: bool,
) -> Result<Vec<(KeyPurpose, Rotation)>, KeysError> {
    let store = existing(store, keys).await?;
    let mut begun = Vec::new();
    for purpose in purposes.iter().copied() {
        let now = SystemClock.now();
        let rotation = if at_once && purpose != KeyPurpose::Federation {
            rotate_keys::rotate_now(&store, purpose, now).await?
        } else {
            rotate_keys::rotate(&store, purpose, now).await?
        };
        begun.push((purpose, rotation));
    }
    Ok(begun)
}

/// The policy that a configuration sets.
#[must_use]
pub(crate) fn policy(keys: &config::Keys) -> KeyPolicy {
    key_policy(keys)
}

/// Revokes a key. Returns its purpose and, if it was active, the key that signs in its place.
///
/// # Errors
/// [`KeysError`] when the store cannot be used, there is no such key, or `since` is in the future.
pub async fn revoke(
    store: &config::Store,
    keys: &config::Keys,
    kid: KeyId,
    reason: RevokeReason,
    since: Option<Timestamp>,
) -> Result<(KeyPurpose, Option<KeyId>), KeysError> {
    let store = existing(store, keys).await?;
    Ok(rotate_keys::revoke(&store, kid, reason, since, SystemClock.now()).await?)
}
