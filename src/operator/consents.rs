//! Operator's commands on consents: verify the evidence, export a bundle.

use crate::app::{StartError, assemble, open_checked_store};
use crate::config::Config;
use crate::domain::clock::Timestamp;
use crate::domain::consent::receipt::CONSENT_RECEIPT;
use crate::domain::consent::{Commitment, ConsentReceipt, EvidenceError, VerifiedEvidence};
use crate::domain::ids::ConsentId;
use crate::domain::jose::UnverifiedJws;
use crate::node::holder::permissions::export_consent;
use crate::node::{Problem, ProblemKind};
use crate::store::StoreError;
use crate::store::holder::{consent_receipts, consents};

/// Why the evidence of a stored consent does not verify.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The store cannot be used.
    #[error(transparent)]
    Start(#[from] StartError),
    /// There is no such consent.
    #[error("no such consent in this node's store")]
    Unknown,
    /// The evidence is about another consent than the stored one.
    #[error("the stored consent is not what the resident signed")]
    Record,
    /// The evidence does not verify.
    #[error("the evidence does not hold: {0} ({reason})", reason = .0.reason())]
    Evidence(#[from] EvidenceError),
}

/// A stored consent whose evidence verifies.
#[derive(Debug)]
pub struct VerifiedConsent {
    /// What the login provider signed.
    pub(crate) commitment: Commitment,
    /// The verified evidence.
    pub evidence: VerifiedEvidence,
    /// Each state with the moment it began, oldest first.
    pub(crate) history: Vec<(Timestamp, &'static str)>,
}

impl VerifiedConsent {
    /// The state at a moment; `None` before the decision.
    #[must_use]
    pub(crate) fn state_at(&self, at: Timestamp) -> Option<&'static str> {
        let known = self.history.iter().rev().find(|(since, _)| *since <= at).map(|(_, state)| *state)?;
        let over = self.evidence.document.until.end() <= at && matches!(known, "active" | "suspended");
        Some(if over { "expired" } else { known })
    }
}

/// Verifies the evidence of a stored consent, with the receipt of its decision if there is one.
///
/// # Errors
/// [`VerifyError`] names the check that fails.
pub async fn verify_consent(config: &Config, id: ConsentId) -> Result<VerifiedConsent, VerifyError> {
    let store = open_checked_store(&config.store, &config.keys, Some(&config.node.base_url)).await?.store;
    store.check_owner().await.map_err(StartError::from)?;
    let found = store
        .read("verify_consent", move |reader| {
            let consent = consents::find(reader, id)?;
            let evidence = consents::evidence(reader, id)?;
            let receipts = consent_receipts::of_consent(reader, id)?;
            Ok::<_, StoreError>((consent, evidence, receipts, consents::history(reader, id)?))
        })
        .await;
    let (consent, evidence, receipts, history) = match found {
        Ok(found) => found,
        Err(StoreError::NotFound) => return Err(VerifyError::Unknown),
        Err(error) => return Err(StartError::from(error).into()),
    };
    // Read from this node's own sealed column, so the signature is not verified again.
    let decision = receipts.first().and_then(|receipt| {
        UnverifiedJws::parse(&receipt.text, &CONSENT_RECEIPT).ok()?.claimed::<ConsentReceipt>().ok()
    });
    let committed = decision.and_then(|receipt| receipt.evidence);
    let verified = evidence.verify(&consent.commitment, committed.as_ref())?;
    let document = &verified.document;
    if document.consent != id || document.subject != consent.subject || document.terms != consent.terms {
        return Err(VerifyError::Record);
    }
    Ok(VerifiedConsent {
        commitment: consent.commitment,
        evidence: verified,
        history: history.iter().map(|change| (change.at, change.to.as_str())).collect(),
    })
}

/// Why a consent was not exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The node cannot be assembled.
    #[error(transparent)]
    Start(#[from] StartError),
    /// There is no such consent.
    #[error("no such consent in this node's store")]
    Unknown,
    /// A part of the bundle is not available now.
    #[error("the bundle cannot be written now: {0:?}")]
    Unavailable(Problem),
}

/// The sealed bundle of one consent.
///
/// # Errors
/// [`ExportError`] when there is no such consent, or a part of the bundle is not available now.
pub async fn export_consent(config: &Config, id: ConsentId) -> Result<String, ExportError> {
    let node = assemble(config).await?.node;
    export_consent::any(&node, id).await.map_err(|problem| match problem.kind {
        ProblemKind::NotFound => ExportError::Unknown,
        _ => ExportError::Unavailable(problem),
    })
}
