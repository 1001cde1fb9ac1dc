//! The federation keys that were in use before, with why they are no longer (OpenID Federation 1.0 §8.7). No others: a
//! reader takes every key here for one that could sign entity statements.

use super::FederationError;
use crate::domain::clock::Timestamp;
use crate::domain::federation::{HistoricalKey, HistoricalKeys, Revocation, RevocationReason};
use crate::domain::ids::EntityId;
use crate::domain::jose::SigningKey;
use crate::node::KeyPurpose;
use crate::store::signing_keys::{self, KeyRecord, KeyState, RevokeReason};
use crate::store::{Store, StoreError};

/// The signed history of an entity's federation keys.
pub(super) async fn historical_keys(
    store: &Store,
    id: &EntityId,
    signing: &SigningKey,
    now: Timestamp,
) -> Result<String, FederationError> {
    let records = store
        .read(signing_keys::list)
        .await
        .map_err(|_: StoreError| FederationError::Unavailable("the store"))?;
    let keys = records
        .into_iter()
        .filter(|record| record.purpose == KeyPurpose::Federation)
        .filter_map(historical)
        .collect();
    let history = HistoricalKeys { iss: id.clone(), iat: now.secs(), keys };
    Ok(history.sign(signing)?)
}

/// A key that signs no more; none for one that does, or will.
fn historical(record: KeyRecord) -> Option<HistoricalKey> {
    let ended = match record.state {
        KeyState::Pending | KeyState::Active => return None,
        KeyState::Retired => record.retired_at?,
        KeyState::Revoked => record.retired_at.or(record.revoked.as_ref().map(|(at, _)| *at))?,
    };
    // From then on nothing that it signed counts, which is before it was noticed where it was stolen.
    let since = record.compromised_since;
    Some(HistoricalKey {
        iat: Some(record.activated_at.unwrap_or(record.created_at).secs()),
        exp: ended.secs(),
        revoked: record.revoked.map(|(at, reason)| Revocation {
            revoked_at: since.unwrap_or(at).secs(),
            reason: Some(match reason {
                RevokeReason::Compromised => RevocationReason::Compromised,
                RevokeReason::Superseded => RevocationReason::Superseded,
            }),
        }),
        key: record.public,
    })
}
