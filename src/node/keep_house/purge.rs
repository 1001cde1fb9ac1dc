//! What nobody needs to know any longer, and that concerns no consent.

use crate::domain::clock::Timestamp;
use crate::store::{StoreError, Tx, authorization_codes, received_events, refusals, sessions, used_once};

/// How long an event's identifier and a used code are remembered, in seconds: longer than any sender retries.
const EVENTS_SECS: i64 = 30 * 86_400;

/// Forgets one-time values, ended sessions, codes, events' identifiers and strangers' refusals.
pub(super) fn purge(tx: &mut Tx<'_>, now: Timestamp) -> Result<bool, StoreError> {
    let long_ago = now.plus_secs(-EVENTS_SECS);
    sessions::delete_expired(tx, now)?;
    used_once::purge(tx, now)?;
    refusals::purge_strangers(tx, long_ago)?;
    authorization_codes::purge(tx, long_ago)?;
    received_events::purge(tx, long_ago)?;
    Ok(false)
}
