//! Erasure of the data of ended consents, and of residents without any other.

use super::BATCH;
use super::ends::full;
use crate::domain::clock::Timestamp;
use crate::node::Retention;
use crate::store::holder::{consent_requests, consents, deferrals, refusals, tokens};
use crate::store::messaging::outbox;
use crate::store::recipient::held_consents;
use crate::store::resident::{persons, use_objections};
use crate::store::{StoreError, Tx};

/// Erases what is older than its retention. Terms, states and exchanges of a consent stay, without a person: the log
/// refers to them.
pub(crate) fn erase(tx: &mut Tx<'_>, retention: &Retention, now: Timestamp) -> Result<bool, StoreError> {
    let before = now.plus_secs(-retention.consents_secs);
    let ended = consents::due_for_erasure(tx, before, BATCH)?;
    for id in &ended {
        consents::erase(tx, *id, now)?;
        consent_requests::erase_person(tx, *id)?;
        tokens::forget(tx, *id)?;
        refusals::forget(tx, *id)?;
        deferrals::forget(tx, *id)?;
    }
    let requests = consent_requests::delete_ended(tx, now.plus_secs(-retention.requests_secs), BATCH)?;
    let held = held_consents::erase_ended(tx, before, now, BATCH)?;
    let settled = outbox::forget_settled(tx, before, BATCH)?;
    let objections = use_objections::purge(tx, before, BATCH)?;
    let (_, more) = persons::erase_idle(tx, before, BATCH)?;
    Ok(more || [ended.len(), requests, held, settled, objections].into_iter().any(full))
}
