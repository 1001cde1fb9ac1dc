//! The end of an exchange: its receipt is signed, then it is counted, its proof used up and logged, together or not at all.

use super::commit_queue::Draft;
use crate::domain::clock::Timestamp;
use crate::domain::exchange::Release;
use crate::domain::exchange::receipt::{EXCHANGE_RECEIPT, Receipt, digest};
use crate::domain::ids::{EntityId, ExchangeId, Jti};
use crate::domain::log::Entry;
use crate::domain::token::{Refusal, RefusalReason, VerifiedConsent};
use crate::node::{KeyPurpose, Node};
use crate::ports::random;
use crate::store::holder::exchanges::Exchange;

pub(crate) struct Released {
    pub(crate) body: Vec<u8>,
    /// The receipt, compact JWS.
    pub(crate) receipt: String,
}

/// Counts, logs and signs an exchange, then returns its response.
///
/// # Errors
/// [`Refusal`]: revoked, used up or replayed since the checks, or the store is unavailable; nothing is released then.
pub(super) async fn commit_exchange(
    node: &Node,
    verified: VerifiedConsent,
    recipient: &EntityId,
    release: Release,
    now: Timestamp,
) -> Result<Released, Refusal> {
    let draft = draft(node, verified, recipient, &release, now)?;
    let receipt = draft.record.receipt.clone();
    node.exchange_commits.commit(&node.store, draft).await?;
    Ok(Released { body: release.into_body(), receipt })
}

/// The record of the exchange with its signed receipt, and its log entry.
fn draft(
    node: &Node,
    verified: VerifiedConsent,
    recipient: &EntityId,
    release: &Release,
    now: Timestamp,
) -> Result<Draft, Refusal> {
    let consent = verified.consent();
    let exchange = ExchangeId::from_bytes(random(&*node.entropy));
    let (dataset, fields) = (&consent.terms.dataset, release.fields());
    let (proof_digest, body_digest) = (verified.proof().digest().to_owned(), digest(release.body()));
    let entry = Entry::Exchange {
        consent: consent.id,
        recipient: recipient.clone(),
        dataset: dataset.clone(),
        fields: fields.to_vec(),
        persons: release.persons().to_vec(),
        proof_digest: proof_digest.clone(),
        body_digest: body_digest.clone(),
        at: now.secs(),
    };
    let leaf = entry.leaf().map_err(|_| Refusal::unavailable(RefusalReason::Internal))?;
    let receipt = Receipt {
        iss: node.settings.id.clone(),
        aud: recipient.clone(),
        iat: now.secs(),
        jti: Jti::new(exchange.to_string()).map_err(|_| Refusal::unavailable(RefusalReason::Internal))?,
        grant_id: consent.grant_id.clone(),
        dataset: dataset.clone(),
        fields: fields.to_vec(),
        records: release.records(),
        persons: release.persons().to_vec(),
        proof_digest: proof_digest.clone(),
        body_digest: body_digest.clone(),
        log_entry: leaf.hash.clone(),
    };
    let signed =
        node.keys.active(KeyPurpose::Receipt).and_then(|key| key.sign(EXCHANGE_RECEIPT.typ, &receipt));
    let record = Exchange {
        id: exchange,
        consent: consent.id,
        recipient: recipient.clone(),
        dataset: dataset.clone(),
        fields: fields.to_vec(),
        at: now,
        proof_digest,
        body_digest,
        receipt: signed.map_err(|_| Refusal::unavailable(RefusalReason::Signing))?,
        log_index: 0,
        acknowledged_at: None,
    };
    Ok(Draft { verified, record, leaf, now })
}
