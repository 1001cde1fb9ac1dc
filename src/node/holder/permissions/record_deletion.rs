//! A recipient confirms that it deleted what it fetched; the holder keeps its signature for the resident.

use crate::domain::clock::Timestamp;
use crate::domain::consent::Consent;
use crate::domain::exchange::event::DataDeleted;
use crate::domain::ids::{EntityId, Jti};
use crate::store::holder::consents;
use crate::store::holder::deletion_confirmations::{self as confirmations, Confirmation};
use crate::store::{StoreError, Tx};

/// A recipient's signed word that it deleted what it had fetched.
pub(crate) struct DeletionNotice<'a> {
    /// The recipient.
    pub(crate) sender: &'a EntityId,
    /// What it says.
    pub(crate) event: &'a DataDeleted,
    /// The event's identifier.
    pub(crate) jti: &'a Jti,
    /// The event as it came, compact.
    pub(crate) text: &'a str,
}

/// A recipient's confirmation arrives at the holder. What is not its own, or was never released, is ignored.
pub(crate) fn record_deletion(
    tx: &mut Tx<'_>,
    notice: &DeletionNotice<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let DeletionNotice { sender, event, jti, text } = *notice;
    let found = match &event.commitment {
        Some(commitment) => consents::find_by_commitment(tx, sender, commitment),
        None => fetched_under(tx, event),
    };
    let consent = match found {
        Ok(consent) => consent,
        Err(StoreError::NotFound) => return Ok(()),
        Err(error) => return Err(error),
    };
    if &consent.terms.recipient != sender || consent.grant_id != event.grant_id || consent.exchanges == 0 {
        return Ok(());
    }
    // Each tells of something that was fetched: more of them than exchanges tell nothing, and are not kept.
    if confirmations::count(tx, consent.id)? >= i64::from(consent.exchanges) {
        return Ok(());
    }
    // Nobody has deleted in the future what may be fetched until then.
    let deleted_at = Timestamp::from_secs(event.deleted_at).min(now);
    let confirmation = Confirmation { deleted_at, received_at: now, event: text.to_owned() };
    confirmations::insert(tx, consent.id, jti, &confirmation)
}

/// The consent of a grant under which was fetched what a confirmation covers: the grant may have passed on since, and the
/// recipient does not say which consent it means. Nothing is fetched under a consent before it was decided.
fn fetched_under(tx: &mut Tx<'_>, event: &DataDeleted) -> Result<Consent, StoreError> {
    let mut consent = consents::find_by_grant(tx, &event.grant_id)?;
    while consent.decided_at.secs() > event.fetched_until {
        let Some(before) = consent.replaces else { break };
        let before = consents::find(tx, before)?;
        if before.grant_id != event.grant_id {
            break;
        }
        consent = before;
    }
    Ok(consent)
}
