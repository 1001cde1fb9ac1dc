//! The record of refusals: recipient, time and check. Never a value or an identifier of a person.

use crate::domain::ids::{ConsentId, DatasetId, EntityId};
use crate::domain::token::Refusal;
use crate::node::Node;
use crate::store::holder::refusals;
use crate::store::holder::refusals::NewRefusal;

/// What was verified before a request was refused, for the record. Never a value or an identifier of a person.
#[derive(Default)]
pub(crate) struct RefusalContext {
    pub(crate) client: Option<EntityId>,
    pub(crate) consent: Option<ConsentId>,
    pub(crate) dataset: Option<DatasetId>,
}

/// Stores one record of a refusal.
pub(crate) async fn record(node: &Node, refusal: Refusal, known: RefusalContext) {
    let now = node.now();
    tracing::info!(code = refusal.code.as_str(), reason = %refusal.reason, event = "exchange_refused", "a request is refused");
    let written = node
        .store
        .write("record_refusal", move |tx| {
            refusals::insert(
                tx,
                &NewRefusal {
                    at: now,
                    refusal,
                    client: known.client.clone(),
                    consent: known.consent,
                    dataset: known.dataset.clone(),
                },
            )
        })
        .await;
    if let Err(error) = written {
        // The refusal is returned even if it could not be recorded.
        tracing::warn!(event = "refusal_not_recorded", %error, "a refusal could not be recorded");
    }
}
