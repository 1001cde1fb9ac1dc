//! Deletes expired data that concerns no consent.

use crate::domain::clock::Timestamp;
use crate::store::holder::{authorization_codes, refusals, standing_denials};
use crate::store::messaging::received_events;
use crate::store::recipient::pending_events;
use crate::store::resident::{reported_uses, sessions};
use crate::store::{StoreError, Tx, used_once};

/// How long an event's identifier and a used code are kept, in seconds: longer than any sender retries.
const EVENTS_SECS: i64 = 30 * 86_400;

/// How long a pending event is kept, in seconds: much longer than it takes to fetch tokens.
const EARLY_SECS: i64 = 86_400;

/// Maximum number of rows of each kind in one run, which limits how long writers wait.
const AT_ONCE: u32 = 5000;

/// Deletes one-time values, ended sessions, codes, events' identifiers, counted refusals, expired denials, and reported uses
/// after their retention. `true`
/// when there is more.
pub(crate) fn purge(tx: &mut Tx<'_>, now: Timestamp) -> Result<bool, StoreError> {
    let long_ago = now.plus_secs(-EVENTS_SECS);
    let purged = [
        sessions::delete_expired(tx, now, AT_ONCE)?,
        used_once::purge(tx, now, AT_ONCE)?,
        refusals::purge_counts(tx, long_ago, AT_ONCE)?,
        authorization_codes::purge(tx, long_ago, AT_ONCE)?,
        received_events::purge(tx, long_ago, AT_ONCE)?,
        standing_denials::purge(tx, now, AT_ONCE)?,
        reported_uses::purge(tx, now, AT_ONCE)?,
        pending_events::purge(tx, now.plus_secs(-EARLY_SECS), AT_ONCE)?,
    ];
    let full = |rows: usize| u32::try_from(rows).is_ok_and(|rows| rows >= AT_ONCE);
    Ok(purged.into_iter().any(full))
}
