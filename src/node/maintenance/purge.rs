//! What nobody needs to know any longer, and that concerns no consent.

use crate::domain::clock::Timestamp;
use crate::store::holder::{authorization_codes, refusals, standing_denials};
use crate::store::messaging::received_events;
use crate::store::recipient::pending_events;
use crate::store::resident::sessions;
use crate::store::{StoreError, Tx, used_once};

/// How long an event's identifier and a used code are remembered, in seconds: longer than any sender retries.
const EVENTS_SECS: i64 = 30 * 86_400;

/// How long news waits for the consent that it is about, in seconds: much longer than tokens are on their way.
const EARLY_SECS: i64 = 86_400;

/// Forgets one-time values, ended sessions, codes, events' identifiers, strangers' refusals, and each no whose time is over.
pub(crate) fn purge(tx: &mut Tx<'_>, now: Timestamp) -> Result<bool, StoreError> {
    let long_ago = now.plus_secs(-EVENTS_SECS);
    sessions::delete_expired(tx, now)?;
    used_once::purge(tx, now)?;
    refusals::purge_strangers(tx, long_ago)?;
    authorization_codes::purge(tx, long_ago)?;
    received_events::purge(tx, long_ago)?;
    standing_denials::purge(tx, now)?;
    pending_events::purge(tx, now.plus_secs(-EARLY_SECS))?;
    Ok(false)
}
