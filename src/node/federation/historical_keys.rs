//! Former keys with the reason of their end: federation keys in the standard's history (OpenID Federation 1.0 §8.7),
//! where readers take every key for one that could sign entity statements; keys of tokens and receipts in a list of
//! their own.

use super::FederationError;
use crate::domain::clock::Timestamp;
use crate::domain::federation::{
    FormerKeys, HistoricalKey, HistoricalKeys, Outage, Revocation, RevocationReason,
};
use crate::domain::ids::EntityId;
use crate::domain::jose::SigningKey;
use crate::node::KeyPurpose;
use crate::store::keys::signing_keys;
use crate::store::keys::signing_keys::{KeyRecord, KeyState, RevokeReason};
use crate::store::{Store, StoreError};

/// The signed history of an entity's federation keys.
pub(crate) async fn historical_keys(
    store: &Store,
    id: &EntityId,
    signing: &SigningKey,
    now: Timestamp,
) -> Result<String, FederationError> {
    let keys = ended(&records(store).await?, KeyPurpose::Federation);
    let history = HistoricalKeys { iss: id.clone(), iat: now.secs(), keys };
    Ok(history.sign(signing)?)
}

/// The signed list of the keys with which an entity signed tokens and receipts before.
pub(crate) async fn former_keys(
    store: &Store,
    id: &EntityId,
    signing: &SigningKey,
    now: Timestamp,
) -> Result<String, FederationError> {
    let records = records(store).await?;
    let former = FormerKeys {
        iss: id.clone(),
        iat: now.secs(),
        token: ended(&records, KeyPurpose::Token),
        receipt: ended(&records, KeyPurpose::Receipt),
    };
    Ok(former.sign(signing)?)
}

async fn records(store: &Store) -> Result<Vec<KeyRecord>, FederationError> {
    store
        .read("list_signing_keys", signing_keys::list)
        .await
        .map_err(|_: StoreError| FederationError::Unavailable(Outage::Store))
}

/// The former keys of a purpose.
fn ended(records: &[KeyRecord], purpose: KeyPurpose) -> Vec<HistoricalKey> {
    records.iter().filter(|record| record.purpose == purpose).filter_map(historical).collect()
}

/// A former key; `None` for a pending or active one.
fn historical(record: &KeyRecord) -> Option<HistoricalKey> {
    let ended = match record.state {
        KeyState::Pending | KeyState::Active => return None,
        KeyState::Retired => record.retired_at?,
        KeyState::Revoked => record.retired_at.or(record.revoked.as_ref().map(|(at, _)| *at))?,
    };
    // Its signatures count only before this moment, which is earlier than its revocation when it was compromised.
    let since = record.compromised_since;
    Some(HistoricalKey {
        iat: Some(record.activated_at.unwrap_or(record.created_at).secs()),
        exp: ended.secs(),
        revoked: record.revoked.as_ref().map(|(at, reason)| Revocation {
            revoked_at: since.unwrap_or(*at).secs(),
            reason: Some(match reason {
                RevokeReason::Compromised => RevocationReason::Compromised,
                RevokeReason::Superseded => RevocationReason::Superseded,
            }),
        }),
        key: record.public.verifying()?.clone(),
    })
}
