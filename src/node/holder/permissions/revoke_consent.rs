//! Withdrawal of a permission. The change is committed before it is confirmed to anyone; the recipient is notified
//! through the outbox.

use super::record_change::{apply_transition, change_own};
use crate::domain::consent::{Actor, Reason};
use crate::domain::ids::ConsentId;
use crate::domain::login::Resident;
use crate::node::resident::acting::Acting;
use crate::node::{Node, Problem};
use crate::store::StoreError;
use crate::store::holder::consents;

/// Withdraws a permission on the resident's behalf. `true` when it had not ended before; idempotent.
///
/// # Errors
/// [`Problem`] when it is unknown or another resident's.
pub async fn revoke(node: &Node, resident: &Resident, id: ConsentId) -> Result<bool, Problem> {
    let acting = Acting::for_self(resident);
    change_own(node, acting, id, |consent, now| consent.revoke(Actor::Resident, Reason::TakenBack, now)).await
}

/// Ends a consent because the recipient gives it back.
///
/// # Errors
/// [`StoreError`] when the store is unavailable.
pub(crate) async fn give_back(node: &Node, id: ConsentId) -> Result<(), StoreError> {
    let now = node.now();
    node.store
        .write("take_back_consent", move |tx| {
            let consent = consents::lock(tx, id)?;
            apply_transition(tx, consent, |it| it.revoke(Actor::Recipient, Reason::GivenBack, now))
                .map(|_| ())
        })
        .await
}
