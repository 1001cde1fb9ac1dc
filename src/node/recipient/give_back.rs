//! A city's service gives a consent back: it ends here at once, and the revocation at its holder is retried until it
//! succeeds.

use super::request_consent;
use crate::domain::consent::{HeldCause, HeldConsent, HeldStatus};
use crate::domain::ids::HeldConsentId;
use crate::node::messaging::outbox_message;
use crate::node::{Node, Problem, Service};
use crate::store::StoreError;
use crate::store::recipient::held_consents;

/// Gives a consent back, or cancels an undecided request. Idempotent.
///
/// # Errors
/// [`Problem`] when it is unknown or another service's.
pub(crate) async fn give_back(
    node: &Node,
    service: &Service,
    id: HeldConsentId,
) -> Result<HeldConsent, Problem> {
    request_consent::find(node, service, id).await?;
    let now = node.now();
    let held = node
        .store
        .write("give_back_consent", move |tx| {
            let mut held = held_consents::find(tx, id)?;
            let known_to_holder = held.status() != HeldStatus::Requested;
            if held.life.end(HeldCause::GivenBack, now).is_err() {
                return Ok(held);
            }
            held_consents::save(tx, &held)?;
            if known_to_holder {
                outbox_message::return_of_grant(tx, &held, now)?;
            }
            Ok::<_, StoreError>(held)
        })
        .await?;
    node.outbox_bell.notify_one();
    Ok(held)
}
