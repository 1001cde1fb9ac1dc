//! The state to verify when the resident's browser returns from the holder.

use diesel::prelude::*;

use super::Row;
use crate::domain::clock::Timestamp;
use crate::domain::consent::held::AWAY_SECS;
use crate::domain::consent::{HeldConsent, HeldStatus, PendingAuthorization};
use crate::domain::ids::{HeldConsentId, KeyId};
use crate::store::engine::error::exactly_one;
use crate::store::engine::schema::held_consents;
use crate::store::engine::sealed::{KeyedHash, column};
use crate::store::{StoreError, Tx};

const STATE_KIND: &str = "authorization-state";
const BINDING_KIND: &str = "browser-binding";

/// Stores, hashed or sealed, the state to verify when the browser returns from the holder. A second start replaces the
/// first.
///
/// # Errors
/// [`StoreError::NotFound`] when the consent does not wait for a decision.
pub(crate) fn set_pending(
    tx: &mut Tx<'_>,
    id: HeldConsentId,
    pending: &PendingAuthorization,
    now: Timestamp,
) -> Result<(), StoreError> {
    let verifier = tx.keys.sealer.seal(
        column!(held_consents.code_verifier),
        id.as_bytes(),
        pending.code_verifier.as_bytes(),
    )?;
    let changed = diesel::update(
        held_consents::table.find(id).filter(held_consents::state.eq(HeldStatus::Requested.as_str())),
    )
    .set((
        held_consents::oauth_state_hash.eq(tx.keys.lookup.secret(STATE_KIND, &pending.state)),
        held_consents::code_verifier.eq(verifier),
        held_consents::browser_binding_hash.eq(tx.keys.lookup.secret(BINDING_KIND, &pending.browser_binding)),
        held_consents::authorization_expires_at.eq(now.plus_secs(AWAY_SECS)),
        held_consents::authorization_dpop_kid.eq(pending.dpop_kid.as_ref()),
        held_consents::updated_at.eq(now),
    ))
    .execute(tx.db)?;
    exactly_one(changed, StoreError::NotFound)
}

/// A consent whose browser has returned, with its stored state.
pub(crate) struct Returned {
    pub(crate) held: HeldConsent,
    pub(crate) code_verifier: String,
    /// The DPoP key that the code is bound to.
    pub(crate) dpop_kid: Option<KeyId>,
}

/// Takes the stored state, once. Another browser can neither use nor delete it.
///
/// # Errors
/// [`StoreError::NotFound`] when state or browser do not match, or it has expired.
pub(crate) fn take_pending(
    tx: &mut Tx<'_>,
    state: &str,
    browser_binding: &str,
    now: Timestamp,
) -> Result<Returned, StoreError> {
    let state = tx.keys.lookup.secret(STATE_KIND, state);
    let binding = tx.keys.lookup.secret(BINDING_KIND, browser_binding);
    let (row, sealed, dpop_kid): (Row, Option<Vec<u8>>, Option<KeyId>) = held_consents::table
        .filter(held_consents::oauth_state_hash.eq(state))
        .filter(held_consents::browser_binding_hash.eq(binding))
        .filter(held_consents::authorization_expires_at.gt(now))
        .filter(held_consents::state.eq(HeldStatus::Requested.as_str()))
        .select((Row::as_select(), held_consents::code_verifier, held_consents::authorization_dpop_kid))
        .first(tx.db)?;
    let id = row.id;
    let verifier = tx.keys.sealer.open_text(
        column!(held_consents.code_verifier),
        id.as_bytes(),
        &sealed.ok_or(StoreError::NotFound)?,
    )?;
    diesel::update(held_consents::table.find(id))
        .set((
            held_consents::oauth_state_hash.eq(None::<KeyedHash>),
            held_consents::code_verifier.eq(None::<Vec<u8>>),
            held_consents::browser_binding_hash.eq(None::<KeyedHash>),
            held_consents::authorization_expires_at.eq(None::<Timestamp>),
        ))
        .execute(tx.db)?;
    Ok(Returned { held: row.into_held(tx)?, code_verifier: verifier.to_string(), dpop_kid })
}

/// As [`take_pending`], for any of the browser's bindings; also returns the matching binding.
///
/// # Errors
/// [`StoreError::NotFound`] when state or browser do not match, or it has expired.
pub(crate) fn take_pending_of_any(
    tx: &mut Tx<'_>,
    state: &str,
    browser_bindings: &[String],
    now: Timestamp,
) -> Result<(Returned, String), StoreError> {
    for binding in browser_bindings {
        match take_pending(tx, state, binding, now) {
            Err(StoreError::NotFound) => {}
            found => return found.map(|returned| (returned, binding.clone())),
        }
    }
    Err(StoreError::NotFound)
}
