//! Checks of an exchange beyond token and proof: the assurance of the decision, the declared use, the frequency.

use crate::domain::catalogue::{AssuranceRequirement, Dataset};
use crate::domain::clock::Timestamp;
use crate::domain::consent::{Consent, ShownUse};
use crate::domain::exchange::ReleaseScope;
use crate::domain::federation::TrustError;
use crate::domain::token::{Refusal, RefusalReason, VerifiedConsent};
use crate::node::Node;
use crate::store::holder::{consents, exchanges};
use crate::store::{Reader, StoreError};

/// The decision must have the assurance that the dataset requires now (RFC 9470), which may have become stricter. And
/// the resident's identifier must be unchanged: when a login provider states another national identifier for the same
/// login, the consent would be about somebody else's records.
pub(super) fn check_assurance(
    node: &Node,
    verified: &VerifiedConsent,
    dataset: &Dataset,
    basis: consents::DecisionBasis,
) -> Result<(), Refusal> {
    let consent = verified.consent();
    if basis.identifier_changed {
        tracing::warn!(event = "identifier_changed", consent = %consent.id, "the login provider has changed this resident's identifier");
        return Err(Refusal::authentication(RefusalReason::IdentifierChanged));
    }
    let (levels, demand) = (&node.settings.levels, AssuranceRequirement::of(dataset));
    if !demand.is_met(levels, consent.acr.as_deref(), consent.auth_time, consent.decided_at) {
        return Err(Refusal::authentication(RefusalReason::AssuranceTooLow));
    }
    if dataset.required_passkey && !basis.passkey {
        return Err(Refusal::authentication(RefusalReason::PasskeyMissing));
    }
    Ok(())
}

/// The declared use must still cover what the resident was shown, in every member: a recipient that withdrew, narrowed
/// or changed it may no longer fetch.
pub(super) async fn check_declared_use(
    node: &Node,
    verified: &VerifiedConsent,
    shown: &ShownUse,
    scope: &ReleaseScope,
) -> Result<(), Refusal> {
    let consent = verified.consent();
    let terms = &consent.terms;
    let published =
        node.member_documents.declared_use(&terms.declared_use).await.map_err(|error| match error {
            TrustError::NotTrusted(fault) if fault.is_of_declared_use() => {
                Refusal::scope(RefusalReason::DeclaredUseWithdrawn)
            }
            TrustError::NotTrusted(_) => Refusal::token(RefusalReason::RecipientNotTrusted),
            TrustError::Unavailable(_) => Refusal::unavailable(RefusalReason::DeclaredUseUndecided),
        })?;
    match shown.change_in(&published, terms, scope.fields()) {
        None => Ok(()),
        Some(change) => {
            tracing::info!(
                event = "declared_use_changed", consent = %consent.id, declared_use = %terms.declared_use, %change,
                "a declared use no longer covers what a resident was shown"
            );
            Err(Refusal::scope(RefusalReason::DeclaredUseNarrowed))
        }
    }
}

/// The latest exchanges under a consent, as many as its frequency allows; none without a frequency per period. The
/// period continues across replaced consents: the limit is how often the resident's data may be fetched.
pub(super) fn recent(
    store: &mut Reader<'_>,
    consent: &Consent,
    now: Timestamp,
) -> Result<Vec<Timestamp>, StoreError> {
    let Some(per) = &consent.terms.per else { return Ok(Vec::new()) };
    let line = consents::succession(store, consent, now.plus_secs(-per.secs()))?;
    exchanges::latest(store, &line, consent.terms.max_exchanges)
}

pub(super) fn check_frequency(
    consent: &Consent,
    recent: &[Timestamp],
    now: Timestamp,
) -> Result<(), Refusal> {
    match consent.terms.next_at(recent, now) {
        Some(next) => Err(Refusal::too_often(next.secs().saturating_sub(now.secs()).max(1))),
        None => Ok(()),
    }
}
