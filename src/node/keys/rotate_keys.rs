//! Rotation of signing keys: a new key is published for its lead time, a federation key also until the superiors'
//! statements contain it, and then signs; the previous one still verifies. Any process of the node may take the next
//! step; the others notice within a second.

mod superiors;

use std::time::Duration;

use super::key_ring::{KeyPolicy, KeyPurpose, KeyRing};
use crate::domain::clock::Timestamp;
use crate::domain::ids::KeyId;
use crate::domain::jose::{JoseError, LoginKey, RevokeReason, SigningKey};
use crate::ports::{Clock, StopSignal};
use crate::store::keys::signing_keys;
use crate::store::keys::signing_keys::{KeyRecord, KeyState, StoredKeyPair};
use crate::store::{Store, StoreError};

pub(crate) use superiors::{EntitySuperiors, activate_when_vouched};

/// Interval between two rounds.
const ROUND: Duration = Duration::from_millis(500);

/// Interval between two requests to the superiors about a pending key.
const QUESTION: Duration = Duration::from_secs(2);

/// Number of requests between two warnings that a key is still pending.
const PATIENCE: u32 = 150;

/// Number of rounds between two deletions of private parts.
const SWEEP: u32 = 120;

/// The result of starting a rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// The key is published and signs after the lead time.
    Begun(KeyId),
    /// A rotation was in progress already; this key is the next.
    UnderWay(KeyId),
    /// The key signs now.
    Done(KeyId),
}

/// Why a key was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RotateError {
    /// The store is unavailable, or a key could not be created.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Superiors follow a federation key only from a configuration that the previous one signed.
    #[error(
        "a federation key cannot skip its lead time: superiors follow a new one only when the old one has signed for it"
    )]
    FederationNeedsLead,
    /// There is no such key, or it is revoked already.
    #[error("no key of this identifier that could be revoked")]
    NoSuchKey,
    /// `since` is in the future.
    #[error("the time of the compromise lies ahead")]
    SinceAhead,
}

async fn fresh_key(purpose: KeyPurpose) -> Result<Box<dyn StoredKeyPair + Send + Sync>, StoreError> {
    match purpose.login_kind() {
        None => Ok(Box::new(SigningKey::generate()?)),
        // Finding the primes of an RSA key takes up to seconds.
        Some(kind) => {
            let made = tokio::task::spawn_blocking(move || LoginKey::generate(kind)).await;
            Ok(Box::new(made.unwrap_or(Err(JoseError::Crypto))?))
        }
    }
}

/// Begins a rotation: creates the next key of a purpose, to be published.
///
/// # Errors
/// [`RotateError::Store`].
pub(crate) async fn rotate(
    store: &Store,
    purpose: KeyPurpose,
    now: Timestamp,
) -> Result<Rotation, RotateError> {
    let next = fresh_key(purpose).await?;
    Ok(store
        .write("rotate_key", move |tx| {
            if let Some(waiting) = signing_keys::pending(tx, purpose)? {
                return Ok::<_, StoreError>(Rotation::UnderWay(waiting.kid));
            }
            signing_keys::add_pending(tx, purpose, &*next, now)?;
            Ok(Rotation::Begun(next.kid().clone()))
        })
        .await?)
}

/// Rotates without lead time: the next key signs at once. Peers that meet an unknown key fetch the key set again.
///
/// # Errors
/// [`RotateError::FederationNeedsLead`], or an error of the store.
pub(crate) async fn rotate_now(
    store: &Store,
    purpose: KeyPurpose,
    now: Timestamp,
) -> Result<Rotation, RotateError> {
    if purpose == KeyPurpose::Federation {
        return Err(RotateError::FederationNeedsLead);
    }
    let next = fresh_key(purpose).await?;
    let kid =
        store.write("replace_key", move |tx| signing_keys::replace_active(tx, purpose, &*next, now)).await?;
    Ok(Rotation::Done(kid))
}

/// Revokes a key. If it was active, the next one of its purpose signs at once; returns both identifiers.
///
/// `since` is the earliest moment at which somebody else may have had a compromised key; now by default.
///
/// # Errors
/// [`RotateError`].
pub(crate) async fn revoke(
    store: &Store,
    kid: KeyId,
    reason: RevokeReason,
    since: Option<Timestamp>,
    now: Timestamp,
) -> Result<(KeyPurpose, Option<KeyId>), RotateError> {
    if since.is_some_and(|since| since > now) {
        return Err(RotateError::SinceAhead);
    }
    let of_kid = kid.clone();
    let found = store.read("find_key", move |reader| signing_keys::find(reader, &of_kid)).await;
    let purpose = match found {
        Err(StoreError::NotFound) => return Err(RotateError::NoSuchKey),
        found => found?.purpose,
    };
    let next = fresh_key(purpose).await?;
    store
        .write("revoke_key", move |tx| {
            let key = signing_keys::find(tx, &kid)?;
            signing_keys::revoke(tx, &kid, reason, since, now)?;
            if key.state != KeyState::Active {
                return Ok::<_, StoreError>((key.purpose, None));
            }
            let next = signing_keys::replace_active(tx, purpose, &*next, now)?;
            Ok((key.purpose, Some(next)))
        })
        .await
        .map_err(|error| match error {
            StoreError::NotFound => RotateError::NoSuchKey,
            other => other.into(),
        })
}

/// Background task that rotates keys by schedule.
pub(crate) async fn run(
    store: &Store,
    ring: &KeyRing,
    clock: &dyn Clock,
    above: &EntitySuperiors<'_>,
    stop: &StopSignal,
) {
    if let Err(error) = restart_lead(store, ring, clock.now()).await {
        tracing::warn!(event = "keys_failed", %error, "the lead time of pending keys could not be started anew");
    }
    tokio::join!(keep(store, ring, clock, above, stop), wait_for_superiors(store, ring, clock, above, stop));
}

async fn keep(
    store: &Store,
    ring: &KeyRing,
    clock: &dyn Clock,
    above: &EntitySuperiors<'_>,
    stop: &StopSignal,
) {
    for round in 0_u32.. {
        let now = clock.now();
        if let Err(error) = run_rotation(store, ring, above.anyone(), now).await {
            tracing::warn!(event = "keys_failed", %error, "a round of key rotation failed; the next does the rest");
        }
        if round % SWEEP == 0 {
            let before = now.plus_secs(-ring.policy().overlap_secs);
            let swept = store
                .write("forget_old_keys", move |tx| signing_keys::forget_private_parts(tx, before))
                .await;
            if let Err(error) = swept {
                tracing::warn!(event = "keys_failed", %error, "the private parts of former keys could not be deleted");
            }
        }
        if !stop.pause(ROUND).await {
            return;
        }
    }
}

/// Separate, since a superior may answer slowly, and other keys must not wait for that.
async fn wait_for_superiors(
    store: &Store,
    ring: &KeyRing,
    clock: &dyn Clock,
    above: &EntitySuperiors<'_>,
    stop: &StopSignal,
) {
    let mut asked = 0_u32;
    loop {
        let pause = match activate_when_vouched(store, ring, above, clock.now()).await {
            Ok(false) => {
                asked = 0;
                ROUND
            }
            Ok(true) => {
                if asked.is_multiple_of(PATIENCE) {
                    tracing::warn!(
                        event = "federation_key_waits",
                        "the next federation key waits until the superiors vouch for it"
                    );
                }
                asked = asked.wrapping_add(1);
                QUESTION
            }
            Err(error) => {
                tracing::warn!(event = "keys_failed", %error, "the superiors could not be asked about the next federation key");
                QUESTION
            }
        };
        if !stop.pause(pause).await {
            return;
        }
    }
}

/// One round: reloads changed keys, publishes pending ones, activates those whose lead time is over, and creates the
/// next by schedule. A federation key below superiors waits for [`activate_when_vouched`].
///
/// # Errors
/// [`StoreError`] when the store is unavailable; the next round continues.
pub(crate) async fn run_rotation(
    store: &Store,
    ring: &KeyRing,
    has_superiors: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    ring.refresh_if_changed(store, now).await?;
    ring.age(now)?;
    let steps: Vec<Step> = KeyPurpose::ALL
        .iter()
        .filter_map(|purpose| {
            let step = step(&ring.records(), *purpose, ring.policy(), now)?;
            let waits = has_superiors && *purpose == KeyPurpose::Federation;
            (!waits || !matches!(step, Step::Activate(_))).then_some(step)
        })
        .collect();
    if steps.is_empty() {
        return Ok(());
    }
    for step in steps {
        take(store, step, ring.policy().lead_secs, now).await?;
    }
    ring.refresh(store, now).await
}

/// The next step in the rotation of a purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// A new key is due by schedule.
    Make(KeyPurpose),
    /// This process publishes the pending key: its lead time begins.
    Announce(KeyId),
    /// The lead time is over.
    Activate(KeyId),
}

fn step(records: &[KeyRecord], purpose: KeyPurpose, policy: &KeyPolicy, now: Timestamp) -> Option<Step> {
    let of = |state| records.iter().find(|key| key.purpose == purpose && key.state == state);
    match of(KeyState::Pending) {
        Some(waiting) => match waiting.activates_at {
            None => Some(Step::Announce(waiting.kid.clone())),
            Some(at) if at <= now => Some(Step::Activate(waiting.kid.clone())),
            Some(_) => None,
        },
        None => {
            let signing = of(KeyState::Active)?;
            let ends = policy.rotates_at(purpose, signing.activated_at.unwrap_or(signing.created_at))?;
            // The new key is to sign when the active one's time is over.
            (ends.plus_secs(-policy.lead_secs) <= now).then_some(Step::Make(purpose))
        }
    }
}

async fn take(store: &Store, step: Step, lead_secs: i64, now: Timestamp) -> Result<(), StoreError> {
    let taken = match step {
        Step::Make(purpose) => {
            let next = fresh_key(purpose).await?;
            tracing::info!(
                event = "key_created",
                purpose = purpose.as_str(),
                "a key is due for rotation: its successor is created"
            );
            store
                .write("add_pending_key", move |tx| signing_keys::add_pending(tx, purpose, &*next, now))
                .await
        }
        Step::Announce(kid) => {
            store
                .write("announce_key", move |tx| {
                    // Another process may have been first; its step counts.
                    if signing_keys::find(tx, &kid)?.activates_at.is_some() {
                        return Ok(());
                    }
                    signing_keys::announce(tx, &kid, now.plus_secs(lead_secs))
                })
                .await
        }
        Step::Activate(kid) => {
            tracing::info!(event = "key_activated", kid = kid.as_str(), "a key begins to sign");
            store
                .write("activate_key", move |tx| {
                    // A process that starts meanwhile may have restarted the lead time.
                    match signing_keys::find(tx, &kid)?.activates_at {
                        Some(at) if at <= now => signing_keys::activate(tx, &kid, now),
                        _ => Ok(()),
                    }
                })
                .await
        }
    };
    match taken {
        // Another process took the step, or the operator revoked the key.
        Err(StoreError::NotFound) => Ok(()),
        other => other,
    }
}

/// While no process ran, nobody could fetch the pending keys: their lead time restarts at a start, as far as regular
/// fetches need it. A long lead time for nodes that are offline does not restart each time.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn restart_lead(store: &Store, ring: &KeyRing, now: Timestamp) -> Result<(), StoreError> {
    let seen_again = now.plus_secs(ring.policy().lead_secs.min(KeyPolicy::default().lead_secs));
    for key in ring.records().into_iter().filter(|key| key.state == KeyState::Pending) {
        let activates_at = key
            .activates_at
            .map_or_else(|| now.plus_secs(ring.policy().lead_secs), |planned| planned.max(seen_again));
        match store
            .write("announce_key_again", move |tx| signing_keys::announce(tx, &key.kid, activates_at))
            .await
        {
            Ok(()) | Err(StoreError::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
