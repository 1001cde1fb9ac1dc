//! The committing transaction of a deferred answer: its proof is used up and it stands in the resident's log. It does not
//! count, and nothing is released.

use crate::domain::clock::Timestamp;
use crate::domain::exchange::deferral::{Deferral, DeferredBody, EXCHANGE_DEFERRAL};
use crate::domain::exchange::receipt::digest;
use crate::domain::ids::{EntityId, ExchangeId, Jti};
use crate::domain::token::{Refusal, RefusalReason, VerifiedConsent};
use crate::node::{KeyPurpose, Node};
use crate::ports::random;
use crate::store::holder::deferrals::RecordedDeferral;
use crate::store::holder::{consents, deferrals};
use crate::store::used_once;

pub(crate) struct Deferred {
    pub(crate) body: Vec<u8>,
    /// The holder's statement, compact JWS.
    pub(crate) receipt: String,
    /// Seconds until the data is available.
    pub(crate) retry_secs: i64,
}

/// Records and signs a deferred answer.
///
/// # Errors
/// [`Refusal`]: revoked or replayed since the checks, or the store is unavailable.
pub(super) async fn commit_deferral(
    node: &Node,
    verified: VerifiedConsent,
    recipient: &EntityId,
    available_from: Timestamp,
    now: Timestamp,
) -> Result<Deferred, Refusal> {
    let internal = |_| Refusal::unavailable(RefusalReason::Internal);
    let consent = verified.consent().id;
    let dataset = verified.consent().terms.dataset.clone();
    let body = DeferredBody { dataset: dataset.clone(), available_from: available_from.rfc3339() };
    let body = serde_json::to_vec(&body).map_err(|_| Refusal::unavailable(RefusalReason::Internal))?;
    let deferral = Deferral {
        iss: node.settings.id.clone(),
        aud: recipient.clone(),
        iat: now.secs(),
        jti: Jti::new(ExchangeId::from_bytes(random(&*node.entropy)).to_string()).map_err(internal)?,
        grant_id: verified.consent().grant_id.clone(),
        dataset,
        available_from: available_from.secs(),
        proof_digest: verified.proof().digest().to_owned(),
        body_digest: digest(&body),
    };
    let receipt = node
        .keys
        .active(KeyPurpose::Receipt)
        .and_then(|key| key.sign(EXCHANGE_DEFERRAL.typ, &deferral))
        .map_err(|_| Refusal::unavailable(RefusalReason::Signing))?;
    node.store
        .write("commit_deferral", move |tx| {
            consents::lock(tx, consent)?.in_force(now).map_err(|why| Refusal::token(why.into()))?;
            used_once::consume_proof(tx, verified.proof(), Refusal::proof(RefusalReason::ProofReplayed))?;
            deferrals::insert(tx, consent, RecordedDeferral { at: now, available_from })?;
            Ok::<_, Refusal>(())
        })
        .await?;
    Ok(Deferred { body, receipt, retry_secs: available_from.secs().saturating_sub(now.secs()).max(1) })
}
