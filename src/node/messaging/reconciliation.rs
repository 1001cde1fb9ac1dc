//! After the restore of a backup, the node and its peers compare their knowledge of the consents between them.
//!
//! A holder may have lost ends, suspensions and exchanges. It releases nothing under a consent until the recipient has
//! reported its knowledge, and takes over what is stricter. A recipient may have lost events: the holder sends them
//! again. Either starts with an event, through the outbox. Consents inside the city end: what their holder forgot, their
//! recipient forgot as well.

use std::path::Path;

use crate::domain::clock::Timestamp;
use crate::domain::consent::{Actor, Consent, ConsentState, HeldStatus, Reason, ReasonWord, Transition};
use crate::domain::exchange::Event;
use crate::domain::exchange::event::ConsentEvent;
use crate::domain::exchange::reconciliation::{
    KnownConsent, KnownState, MOST_IN_A_PART, ReconciliationAnswered, ReconciliationRequested, RestoredRole,
};
use crate::domain::ids::EntityId;
use crate::node::Node;
use crate::node::holder::permissions::record_change::{apply_transition, event_of};
use crate::node::messaging::outbox_message;
use crate::store::holder::consents;
use crate::store::recipient::{fetches, held_consents};
use crate::store::{OpenError, StoreError, Tx, restore};

/// Detects at the start that the database was restored or copied, and notifies every peer.
///
/// # Errors
/// [`OpenError`] when the store or the file beside the root keys cannot be used.
pub async fn begin_if_restored(node: &Node, key_directory: &Path) -> Result<(), OpenError> {
    let now = node.now();
    if let Some(evidence) = node.store.detect_restore(key_directory, now).await? {
        tracing::error!(
            event = "restored_backup",
            evidence = evidence.as_str(),
            remedy = "none while the peers answer; look after the peers that do not (`omadata peers list`)",
            "the database was restored from a backup or copied: consents are held back until their recipients have been \
             compared with"
        );
    }
    let own = node.settings.id.clone();
    node.store.write("request_reconciliation", move |tx| request(tx, &own, now)).await?;
    node.outbox_bell.notify_one();
    Ok(())
}

/// Notifies the peers that have not answered since the last restoration. An item is queued once.
fn request(tx: &mut Tx<'_>, own: &EntityId, now: Timestamp) -> Result<(), StoreError> {
    if restore::restored_at(tx)?.is_none() {
        return Ok(());
    }
    let epoch = restore::epoch(tx)?;
    for recipient in consents::recipients_held_back(tx)? {
        if recipient == *own {
            end_inside_city(tx, own, now)?;
        } else {
            ask(tx, &recipient, RestoredRole::Holder, epoch, now)?;
        }
    }
    for holder in held_consents::holders(tx)?.iter().filter(|holder| *holder != own) {
        ask(tx, holder, RestoredRole::Recipient, epoch, now)?;
    }
    restore::finish_if_complete(tx)?;
    Ok(())
}

/// Ends the consents whose holder and recipient share the restored memory: nobody could say which of them the resident
/// had stopped.
fn end_inside_city(tx: &mut Tx<'_>, own: &EntityId, now: Timestamp) -> Result<(), StoreError> {
    for consent in consents::of_recipient(tx, own)? {
        let consent = consents::lock(tx, consent.id)?;
        apply_transition(tx, consent, |consent| consent.revoke(Actor::Node, Reason::LostByHolder, now))?;
    }
    consents::mark_all_compared(tx, own)
}

fn ask(
    tx: &mut Tx<'_>,
    peer: &EntityId,
    role: RestoredRole,
    epoch: u64,
    now: Timestamp,
) -> Result<(), StoreError> {
    let event = Event::ReconciliationRequested(ReconciliationRequested { role, epoch });
    outbox_message::reconciliation(tx, peer, &event, &format!("{role}:{epoch}"), now)
}

/// The holder of some of this node's consents was restored: sends it what this node knows of them.
pub(crate) fn answer_holder(
    tx: &mut Tx<'_>,
    holder: &EntityId,
    epoch: u64,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut known = Vec::new();
    for held in held_consents::of_holder(tx, holder)? {
        let exchanges = fetches::received(tx, held.id)?;
        let (Some(grant_id), Some(commitment)) = (held.life.grant_id(), held.life.commitment()) else {
            continue;
        };
        let state = match held.status() {
            HeldStatus::Active => KnownState::Active,
            HeldStatus::Suspended => KnownState::Suspended,
            HeldStatus::Requested
            | HeldStatus::Given
            | HeldStatus::Declined
            | HeldStatus::Lapsed
            | HeldStatus::Failed
            | HeldStatus::Ended => KnownState::Ended,
        };
        known.push(KnownConsent {
            grant_id: grant_id.clone(),
            commitment: commitment.clone(),
            state,
            reason: held
                .life
                .reason()
                .and_then(|reason| ReasonWord::try_from(reason.as_str().to_owned()).ok()),
            exchanges,
        });
    }
    let mut parts: Vec<Vec<KnownConsent>> = known.chunks(MOST_IN_A_PART).map(<[_]>::to_vec).collect();
    if parts.is_empty() {
        parts.push(Vec::new());
    }
    let last = parts.len();
    for (number, consents) in (1..).zip(parts) {
        let answered = ReconciliationAnswered { epoch, consents, complete: number == last };
        let event = Event::ReconciliationAnswered(answered);
        outbox_message::reconciliation(tx, holder, &event, &format!("{epoch}:{number}"), now)?;
    }
    Ok(())
}

/// A recipient of this node's consents was restored: sends it the state of each again.
pub(crate) fn tell_again(
    tx: &mut Tx<'_>,
    recipient: &EntityId,
    epoch: u64,
    now: Timestamp,
) -> Result<(), StoreError> {
    for consent in consents::of_recipient(tx, recipient)? {
        tell(tx, &consent, &format!("again:{epoch}"), now)?;
    }
    Ok(())
}

/// Sends the recipient the present state of a consent, as the latest event.
fn tell(tx: &mut Tx<'_>, consent: &Consent, why: &str, now: Timestamp) -> Result<(), StoreError> {
    let at = consent.state.ended_at().unwrap_or(now);
    let change = Transition { to: consent.state, actor: Actor::Node, reason: consent.reason, at };
    let sequence = restore::latest_sequence(tx)?;
    let Some(event) = event_of(consent, &change, sequence) else { return Ok(()) };
    let recipient = &consent.terms.recipient;
    outbox_message::reconciliation(tx, recipient, &event, &format!("{why}:{}", consent.id), now)
}

/// A recipient has reported its knowledge: what is stricter than this node's is taken over, and the recipient is
/// notified of what it lacks. No report extends a recipient's rights.
pub(crate) fn compare(
    tx: &mut Tx<'_>,
    recipient: &EntityId,
    answered: &ReconciliationAnswered,
    now: Timestamp,
) -> Result<(), StoreError> {
    if answered.epoch != restore::epoch(tx)? {
        return Ok(());
    }
    for known in &answered.consents {
        match consents::find_by_commitment(tx, recipient, &known.commitment) {
            Ok(consent) => {
                let consent = consents::lock(tx, consent.id)?;
                let id = consent.id;
                compare_one(tx, consent, known, answered.epoch, now)?;
                consents::mark_compared(tx, id)?;
            }
            Err(StoreError::NotFound) => end_unknown(tx, recipient, known, now)?,
            Err(error) => return Err(error),
        }
    }
    if answered.complete {
        consents::mark_all_compared(tx, recipient)?;
        tracing::info!(event = "recipient_compared", %recipient, "a recipient has said what it knows of its consents");
        if restore::finish_if_complete(tx)? {
            tracing::info!(event = "restore_compared", "every recipient has been compared with");
        }
    }
    Ok(())
}

/// Who ended a consent and why, as its recipient reports: the reason that this node gave before it was restored. A reason
/// for which no consent ends is not taken over.
const fn reported_end(reason: Option<Reason>) -> (Actor, Reason) {
    match reason {
        Some(Reason::TakenBack) => (Actor::Resident, Reason::TakenBack),
        Some(
            reason @ (Reason::CodeReplayed
            | Reason::Unredeemed
            | Reason::LastDay
            | Reason::UsedUp
            | Reason::Replaced
            | Reason::LostByHolder),
        ) => (Actor::Node, reason),
        Some(
            Reason::Decided
            | Reason::Paused
            | Reason::Continued
            | Reason::UseChanged
            | Reason::UseWithdrawn
            | Reason::RecipientNotTrusted
            | Reason::UseFits
            | Reason::GivenBack,
        )
        | None => (Actor::Recipient, Reason::GivenBack),
    }
}

fn compare_one(
    tx: &mut Tx<'_>,
    mut consent: Consent,
    known: &KnownConsent,
    epoch: u64,
    now: Timestamp,
) -> Result<(), StoreError> {
    let reason = known.reason.as_ref().and_then(|word| word.as_str().parse::<Reason>().ok());
    match (consent.state, known.state) {
        (ConsentState::Ended { .. }, KnownState::Ended) => return Ok(()),
        // The recipient never received the end, or has lost it.
        (ConsentState::Ended { .. }, _) => return tell(tx, &consent, &format!("ended:{epoch}"), now),
        (_, KnownState::Ended) => {
            let (actor, reason) = reported_end(reason);
            apply_transition(tx, consent, |consent| consent.revoke(actor, reason, now))?;
            return Ok(());
        }
        (ConsentState::Active, KnownState::Suspended) => {
            let (actor, reason) = match reason {
                Some(reason) if reason.holds_back() => (Actor::Node, reason),
                _ => (Actor::Resident, Reason::Paused),
            };
            apply_transition(tx, consent.clone(), |consent| consent.suspend(actor, reason, now))?;
        }
        // A suspension that the recipient does not know of stays: the resident can resume the consent.
        (ConsentState::Suspended, _) => tell(tx, &consent, &format!("suspended:{epoch}"), now)?,
        (ConsentState::Active, KnownState::Active) => {}
    }
    // Exchanges that this node has lost count all the same.
    if known.exchanges > consent.exchanges {
        consent = consents::lock(tx, consent.id)?;
        consent.exchanges = known.exchanges;
        consents::save(tx, &consent, None)?;
        if consent.is_used_up() {
            apply_transition(tx, consent, |consent| consent.exhaust(now))?;
        }
    }
    Ok(())
}

/// A consent that this node no longer knows, since it was given after the backup: notifies the recipient that it has
/// ended.
fn end_unknown(
    tx: &mut Tx<'_>,
    recipient: &EntityId,
    known: &KnownConsent,
    now: Timestamp,
) -> Result<(), StoreError> {
    if known.state == KnownState::Ended {
        return Ok(());
    }
    let event = Event::ConsentRevoked(ConsentEvent {
        grant_id: known.grant_id.clone(),
        at: now.secs(),
        reason: ReasonWord::from(Reason::LostByHolder),
        sequence: restore::latest_sequence(tx)?,
        commitment: known.commitment.clone(),
    });
    let why = format!("lost:{}", known.commitment.as_str());
    outbox_message::reconciliation(tx, recipient, &event, &why, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipient_cannot_report_an_end_for_a_reason_that_ends_nothing() {
        for reason in Reason::ALL {
            let (actor, said) = reported_end(Some(reason));
            match reason {
                Reason::TakenBack => assert_eq!((actor, said), (Actor::Resident, reason)),
                Reason::CodeReplayed
                | Reason::Unredeemed
                | Reason::LastDay
                | Reason::UsedUp
                | Reason::Replaced
                | Reason::LostByHolder => assert_eq!((actor, said), (Actor::Node, reason)),
                _ => assert_eq!((actor, said), (Actor::Recipient, Reason::GivenBack), "{reason}"),
            }
        }
        assert_eq!(reported_end(None), (Actor::Recipient, Reason::GivenBack));
    }
}
