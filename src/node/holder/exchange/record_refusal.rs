//! The record of refusals: who, when, by which check. Never a value, never an identifier.

use crate::domain::ids::{ConsentId, DatasetId, EntityId};
use crate::domain::token::Refusal;
use crate::node::Node;
use crate::store::holder::refusals;
use crate::store::holder::refusals::NewRefusal;

/// What was known when a request was refused, for the record. Never a value, never an identifier.
#[derive(Default)]
pub(crate) struct RefusalContext {
    pub(crate) client: Option<EntityId>,
    pub(crate) consent: Option<ConsentId>,
    pub(crate) dataset: Option<DatasetId>,
}

/// Keeps one record of a refusal.
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
        // The refusal stands whether or not it could be written down.
        tracing::warn!(event = "refusal_not_recorded", %error, "a refusal could not be recorded");
    }
}
