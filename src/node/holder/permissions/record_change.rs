//! The one place through which every change of a consent goes: kept with its actor and reason, logged, signed for the
//! resident, and told to the recipient, all in the transaction that makes it.

use super::write_receipt;
use crate::domain::clock::Timestamp;
use crate::domain::consent::{Actor, Consent, ConsentState, End, Transition};
use crate::domain::exchange::Event;
use crate::domain::exchange::event::ConsentEvent;
use crate::domain::ids::ConsentId;
use crate::domain::log::Entry;
use crate::domain::login::Resident;
use crate::node::messaging::outbox_message;
use crate::node::{Node, Problem};
use crate::store::holder::consents;
use crate::store::{StoreError, Tx};

/// Changes a resident's own consent, in one transaction, and rings for the outbox. Says whether something was changed.
///
/// # Errors
/// [`Problem`]: unknown and another resident's look alike.
pub(crate) async fn change_own(
    node: &Node,
    resident: &Resident,
    id: ConsentId,
    change: impl Fn(&mut Tx<'_>, Consent, Timestamp) -> Result<bool, StoreError> + Send + 'static,
) -> Result<bool, Problem> {
    let (person, now) = (resident.person, node.now());
    let changed = node
        .store
        .write_log("change_own_consent", move |tx| {
            let consent = consents::lock(tx, id)?;
            if consent.person == person { change(tx, consent, now) } else { Err(StoreError::NotFound) }
        })
        .await?;
    node.outbox_bell.notify_one();
    Ok(changed)
}

/// Records a change: the consent as it is after it, and the transition that led there.
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
    if let Some(event) = news(consent, change, logged.index) {
        outbox_message::event(tx, &consent.terms.recipient, consent.id, &event, logged.index, change.at)?;
    }
    Ok(())
}

/// What the recipient is told; nothing of what it did itself.
fn news(consent: &Consent, change: &Transition, sequence: u64) -> Option<Event> {
    let news = ConsentEvent {
        grant_id: consent.grant_id.clone(),
        at: change.at.secs(),
        reason: change.reason.into(),
        sequence,
        commitment: consent.commitment.clone(),
    };
    match change.to {
        _ if change.actor == Actor::Recipient => None,
        ConsentState::Active => Some(Event::ConsentResumed(news)),
        ConsentState::Suspended => Some(Event::ConsentSuspended(news)),
        ConsentState::Ended { how, .. } => Some(match how {
            End::Revoked(_) => Event::ConsentRevoked(news),
            End::Expired | End::Exhausted => Event::ConsentExpired(news),
            End::Replaced => Event::ConsentChanged(news),
        }),
    }
}
