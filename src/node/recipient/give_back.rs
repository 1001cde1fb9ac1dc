//! A city's service gives a consent back: it is over here at once, and its holder is told until it has taken it.

use super::{redeem_code, request_consent};
use crate::domain::consent::{HeldConsent, HeldState};
use crate::domain::ids::HeldConsentId;
use crate::node::messaging::outbox_message;
use crate::node::{Node, Problem, Service};
use crate::store::StoreError;
use crate::store::recipient::held_consents;

/// Why it is over, as the service and its records see it.
const REASON: &str = "given_back";

/// Gives a consent back, or takes a request back that nobody has decided. Doing it twice is no error.
///
/// # Errors
/// [`Problem`]: unknown and another service's look alike.
pub async fn give_back(node: &Node, service: &Service, id: HeldConsentId) -> Result<HeldConsent, Problem> {
    request_consent::find(node, service, id).await?;
    let now = node.now();
    let held = node
        .store
        .write("give_back_consent", move |tx| {
            let mut held = held_consents::find(tx, id)?;
            if held.state.is_end() {
                return Ok(held);
            }
            let known_to_holder = held.state != HeldState::Requested;
            redeem_code::close(&mut held, REASON, now);
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
