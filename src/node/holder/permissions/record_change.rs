//! The single code path for every change of a consent: stored with actor and reason, logged, signed as a receipt for
//! the resident, and sent to the recipient, in the transaction that makes it.

use super::write_receipt;
use crate::domain::clock::Timestamp;
use crate::domain::consent::{Actor, Consent, ConsentState, End, Transition, TransitionError};
use crate::domain::exchange::Event;
use crate::domain::exchange::event::ConsentEvent;
use crate::domain::ids::ConsentId;
use crate::domain::log::Entry;
use crate::node::messaging::outbox_message;
use crate::node::messaging::outbox_message::ConsentMessage;
use crate::node::resident::acting::Acting;
use crate::node::{Node, Problem};
use crate::store::holder::consents;
use crate::store::{StoreError, Tx, restore};

/// Changes a consent for its person, in one transaction, and wakes the delivery of the outbox. `true` when something
/// changed.
///
/// # Errors
/// [`Problem`] when it is unknown or another person's.
pub(crate) async fn change_own(
    node: &Node,
    acting: Acting,
    id: ConsentId,
    change: impl Fn(&mut Consent, Timestamp) -> Result<Transition, TransitionError> + Send + 'static,
) -> Result<bool, Problem> {
    let now = node.now();
    let changed = node.store.write_log("change_own_consent", move |tx| {
        let consent = consents::lock(tx, id)?;
        acting.demand(consent.person)?;
        Ok::<_, Problem>(apply_transition(tx, consent, |it| change(it, now))?)
    });
    let changed = changed.await?;
    node.outbox_bell.notify_one();
    Ok(changed)
}

/// Makes a transition if the consent's state allows it, and records it. `true` when it was made.
///
/// # Errors
/// [`StoreError`] when the store is unavailable.
pub(crate) fn apply_transition(
    tx: &mut Tx<'_>,
    mut consent: Consent,
    change: impl FnOnce(&mut Consent) -> Result<Transition, TransitionError>,
) -> Result<bool, StoreError> {
    let Ok(transition) = change(&mut consent) else { return Ok(false) };
    record_change(tx, &consent, &transition)?;
    Ok(true)
}

/// Records a change: the changed consent, and the transition.
///
/// # Errors
/// [`StoreError::Conflict`] when the stored consent has ended.
pub(crate) fn record_change(
    tx: &mut Tx<'_>,
    consent: &Consent,
    change: &Transition,
) -> Result<(), StoreError> {
    consents::save(tx, consent, Some(change))?;
    let entry = Entry::change(consent.id, change.to.status(), change.reason, change.at);
    let logged = outbox_message::log(tx, &entry, change.at)?;
    write_receipt::of_change(tx, consent, change, &logged)?;
    let sequence = restore::sequence(tx, logged.index)?;
    if let Some(event) = event_of(consent, change, sequence) {
        let message =
            ConsentMessage { to: &consent.terms.recipient, consent: consent.id, event: &event, sequence };
        outbox_message::event(tx, &message, change.at)?;
    }
    Ok(())
}

/// The event for the recipient; none for its own actions.
pub(crate) fn event_of(consent: &Consent, change: &Transition, sequence: u64) -> Option<Event> {
    let told = ConsentEvent {
        grant_id: consent.grant_id.clone(),
        at: change.at.secs(),
        reason: change.reason.into(),
        sequence,
        commitment: consent.commitment.clone(),
    };
    match change.to {
        _ if change.actor == Actor::Recipient => None,
        ConsentState::Active => Some(Event::ConsentResumed(told)),
        ConsentState::Suspended => Some(Event::ConsentSuspended(told)),
        ConsentState::Ended { how, .. } => Some(match how {
            End::Revoked(_) => Event::ConsentRevoked(told),
            End::Expired | End::Exhausted => Event::ConsentExpired(told),
            End::Replaced => Event::ConsentChanged(told),
        }),
    }
}
