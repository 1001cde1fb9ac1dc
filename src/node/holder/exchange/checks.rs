//! What an exchange is held against beyond token and proof: how the decision was made, the declared use, the frequency.

use crate::domain::catalogue::{AssuranceRequirement, Dataset};
use crate::domain::clock::Timestamp;
use crate::domain::consent::{Consent, ShownUse};
use crate::domain::exchange::ReleaseScope;
use crate::domain::federation::TrustError;
use crate::domain::token::{Refusal, RefusalReason, VerifiedConsent};
use crate::node::Node;
use crate::store::holder::{consents, exchanges};
use crate::store::{Reader, StoreError};

/// The resident must have been known, when deciding, as well as the dataset demands now (RFC 9470): the city may have
/// come to demand more since. And it must still be the same person in the registers: a login provider that states
/// another national identifier for the same login has made the consent one about somebody else's records.
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

/// The declared use must still cover what the resident was shown, in every member: a recipient that withdrew, narrowed or
/// changed it no longer may ask.
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

/// The latest exchanges under a consent, as many as its stretch of time allows; none where it has no such limit. The stretch
/// goes on where the consent came in the place of another: the limit is how often the resident's data may be fetched.
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
