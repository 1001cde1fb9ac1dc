//! Taking a permission back. The change is committed before anyone is told that it is done; the recipient hears of it
//! through the outbox.

use super::record_change::{apply_transition, change_own};
use crate::domain::consent::{Actor, Reason};
use crate::domain::ids::ConsentId;
use crate::domain::login::Resident;
use crate::node::resident::acting::Acting;
use crate::node::{Node, Problem};
use crate::store::StoreError;
use crate::store::holder::consents;

/// The resident takes a permission back. Says whether it was in force until now: taking it back twice is no error.
///
/// # Errors
/// [`Problem`]: unknown and another resident's look alike.
pub async fn revoke(node: &Node, resident: &Resident, id: ConsentId) -> Result<bool, Problem> {
    let acting = Acting::for_self(resident);
    change_own(node, acting, id, |consent, now| consent.revoke(Actor::Resident, Reason::TakenBack, now)).await
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
            apply_transition(tx, consent, |it| it.revoke(Actor::Recipient, Reason::GivenBack, now))
                .map(|_| ())
        })
        .await
}
