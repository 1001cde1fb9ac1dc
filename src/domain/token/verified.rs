//! The proof value that a release of data requires.

use super::consent_token::AuthenticToken;
use super::proof::VerifiedProof;
use super::refusal::Refusal;
use super::refusal_reason::RefusalReason;
use crate::domain::clock::Timestamp;
use crate::domain::consent::Consent;
use crate::domain::federation::Recipient;

/// A consent that allows an exchange now: token, proof, recipient and stored record match each other and are in force.
/// Only [`VerifiedConsent::new`] creates one.
#[derive(Debug, Clone)]
pub(crate) struct VerifiedConsent {
    consent: Consent,
    proof: VerifiedProof,
}

impl VerifiedConsent {
    /// Combines what was verified separately (steps 5 and 6 of an exchange).
    ///
    /// # Errors
    /// [`Refusal`] `invalid_token` in every case: unknown, revoked and another recipient's are not distinguished.
    pub(crate) fn new(
        token: &AuthenticToken,
        proof: VerifiedProof,
        recipient: Recipient<'_>,
        consent: Consent,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let claims = token.claims();
        if proof.jkt() != &claims.cnf.jkt {
            return Err(Refusal::proof(RefusalReason::KeyOther));
        }
        // A former recipient may fetch nothing, whatever token it still has.
        if recipient.peer().id != claims.client_id || recipient.peer().expires_at <= now {
            return Err(Refusal::token(RefusalReason::RecipientNotTrusted));
        }
        if consent.grant_id != claims.grant_id
            || consent.subject != claims.sub
            || consent.terms.recipient != claims.client_id
            || consent.commitment.as_str() != claims.consent_commitment
            || &consent.terms.to_detail() != token.detail()
        {
            return Err(Refusal::token(RefusalReason::NotThisConsent));
        }
        consent.in_force(now).map_err(|why| Refusal::token(why.into()))?;
        Ok(Self { consent, proof })
    }

    /// The consent as read before the release; the deciding transaction reads it again.
    #[must_use]
    pub(crate) const fn consent(&self) -> &Consent {
        &self.consent
    }

    /// The proof, whose identifier is used up in the deciding transaction.
    #[must_use]
    pub(crate) const fn proof(&self) -> &VerifiedProof {
        &self.proof
    }
}
