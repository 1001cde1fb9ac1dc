//! A recipient confirms that it deleted the fetched data; the holder stores its signature for the resident.

use crate::domain::clock::Timestamp;
use crate::domain::consent::Consent;
use crate::domain::exchange::event::DataDeleted;
use crate::domain::ids::{EntityId, Jti};
use crate::store::holder::consents;
use crate::store::holder::deletion_confirmations::{self as confirmations, Confirmation};
use crate::store::{StoreError, Tx};

/// A recipient's signed confirmation that it deleted the fetched data.
pub(crate) struct DeletionNotice<'a> {
    pub(crate) sender: &'a EntityId,
    pub(crate) event: &'a DataDeleted,
    pub(crate) jti: &'a Jti,
    /// The event as it came, compact.
    pub(crate) text: &'a str,
}

/// Stores a recipient's confirmation. Confirmations of another recipient, or of a consent without released data, are
/// ignored.
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
    // Each confirms a deletion of something fetched: more confirmations than exchanges say nothing new, and are
    // dropped.
    if confirmations::count(tx, consent.id)? >= i64::from(consent.exchanges) {
        return Ok(());
    }
    // A confirmation cannot cover fetches in the future.
    let deleted_at = Timestamp::from_secs(event.deleted_at).min(now);
    let confirmation = Confirmation { deleted_at, received_at: now, event: text.to_owned() };
    confirmations::insert(tx, consent.id, jti, &confirmation)
}

/// The consent of a grant whose fetches a confirmation covers: the grant may have passed on since, and the recipient
/// may not say which consent it means. Nothing is fetched under a consent before its decision.
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
