//! Taking a permission back. The change is committed before anyone is told that it is done; the recipient hears of it
//! through the outbox.

use super::record_change::{change_own, record_change};
use crate::domain::clock::Timestamp;
use crate::domain::consent::{Actor, Consent, Reason};
use crate::domain::ids::ConsentId;
use crate::domain::login::Resident;
use crate::node::{Node, Problem};
use crate::store::holder::consents;
use crate::store::{StoreError, Tx};

/// The resident takes a permission back. Says whether it was in force until now: taking it back twice is no error.
///
/// # Errors
/// [`Problem`]: unknown and another resident's look alike.
pub async fn revoke(node: &Node, resident: &Resident, id: ConsentId) -> Result<bool, Problem> {
    change_own(node, resident, id, |tx, consent, now| {
        end(tx, consent, Actor::Resident, Reason::TakenBack, now)
    })
    .await
}

/// The recipient gives a consent back.
///
/// # Errors
/// [`StoreError`] when the store is away.
pub(crate) async fn give_back(node: &Node, id: ConsentId) -> Result<(), StoreError> {
    let now = node.now();
    node.store
        .write("take_back_consent", move |tx| {
            let consent = consents::lock(tx, id)?;
            end(tx, consent, Actor::Recipient, Reason::GivenBack, now).map(|_| ())
        })
        .await
}

/// Ends a consent that has not ended: kept, logged, and the recipient told unless it ended it itself. Says whether it was
/// in force until now.
pub(crate) fn end(
    tx: &mut Tx<'_>,
    mut consent: Consent,
    actor: Actor,
    reason: Reason,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Ok(transition) = consent.revoke(actor, reason, now) else { return Ok(false) };
    record_change(tx, &consent, &transition)?;
    Ok(true)
}
