//! The consent token: a JWT access token (RFC 9068), sender-constrained by DPoP (RFC 9449 §6), with the consent's terms
//! (RFC 9396 §9.1), its index in a status list and the commitment to what the resident saw. No personal data.

use serde::{Deserialize, Serialize};

use super::refusal::{Refusal, RefusalCode};
use super::refusal_reason::RefusalReason;
use super::status_list::StatusReference;
use crate::domain::clock::Timestamp;
use crate::domain::consent::{AuthorizationDetail, Consent};
use crate::domain::ids::{EntityId, GrantId, Jti, KeyId, PairwiseSubject, Thumbprint};
use crate::domain::jose::{
    Claims, JoseError, KeySource, KeyStanding, Profile, PublicKey, PublicKeys, UnverifiedJws, check_times,
};

/// Maximum size of an accepted consent token in bytes; larger ones are answered 431.
pub(crate) const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// Profile of a consent token.
pub const CONSENT_TOKEN: Profile = Profile {
    typ: "at+jwt",
    max_bytes: MAX_TOKEN_BYTES,
    key_source: KeySource::Kid,
    required: &[
        "iss",
        "sub",
        "aud",
        "client_id",
        "iat",
        "nbf",
        "exp",
        "jti",
        "grant_id",
        "cnf",
        "authorization_details",
        "status",
        "consent_commitment",
    ],
    optional: Claims::Any,
    forbidden_headers: &[],
};

/// RFC 7800 confirmation: the key whose possession must be proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Confirmation {
    /// Thumbprint of the DPoP key.
    pub jkt: Thumbprint,
}

/// Token Status List reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The list and the index in it.
    pub status_list: StatusReference,
}

/// The used claims; others are ignored (RFC 9068 §2.2, RFC 7519 §4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentTokenClaims {
    /// The holder.
    pub iss: String,
    /// The resident's subject for this recipient.
    pub sub: PairwiseSubject,
    /// The holder, exactly one.
    pub aud: String,
    /// The recipient.
    pub client_id: EntityId,
    /// Seconds since 1970.
    pub iat: i64,
    /// Seconds since 1970.
    pub(crate) nbf: i64,
    /// Seconds since 1970.
    pub exp: i64,
    /// This token.
    pub jti: Jti,
    /// The consent.
    pub grant_id: GrantId,
    pub(crate) cnf: Confirmation,
    /// The terms, exactly one entry.
    pub(crate) authorization_details: Vec<AuthorizationDetail>,
    /// Assurance level of the decision (`acr`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// `auth_time` of the decision, seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// The consent's status list entry.
    pub status: Status,
    /// The commitment that the login provider signed.
    pub(crate) consent_commitment: String,
}

/// Content and requirements of this holder's tokens.
#[derive(Debug, Clone)]
pub struct TokenPolicy {
    /// This node: `iss` and `aud`.
    pub holder: EntityId,
    /// Maximum lifetime of one token, in seconds.
    pub max_lifetime_secs: i64,
}

impl TokenPolicy {
    /// The claims of a token for a consent, bound to a key. It expires with the consent or after the maximum lifetime,
    /// whichever is first.
    #[must_use]
    pub fn claims(&self, consent: &Consent, jkt: Thumbprint, jti: Jti, now: Timestamp) -> ConsentTokenClaims {
        let ends = consent.terms.until.end().min(now.plus_secs(self.max_lifetime_secs));
        ConsentTokenClaims {
            iss: self.holder.to_string(),
            sub: consent.subject.clone(),
            aud: self.holder.to_string(),
            client_id: consent.terms.recipient.clone(),
            iat: now.secs(),
            nbf: now.secs(),
            exp: ends.secs(),
            jti,
            grant_id: consent.grant_id.clone(),
            cnf: Confirmation { jkt },
            authorization_details: vec![consent.terms.to_detail()],
            acr: consent.acr.clone(),
            auth_time: consent.auth_time.map(Timestamp::secs),
            status: Status { status_list: super::status_list::reference(&self.holder, consent.status_index) },
            consent_commitment: consent.commitment.as_str().to_owned(),
        }
    }
}

/// A well-formed consent token with its issuer. Nothing else in it is trusted.
#[derive(Clone)]
pub struct UnverifiedToken(UnverifiedJws);

impl UnverifiedToken {
    /// Checks format and issuer (step 1 of an exchange and the cheap half of step 2).
    ///
    /// # Errors
    /// [`Refusal`] `invalid_token`, or 431 for a token larger than [`MAX_TOKEN_BYTES`].
    pub fn parse(text: &str, policy: &TokenPolicy) -> Result<Self, Refusal> {
        if text.len() > MAX_TOKEN_BYTES {
            return Err(Refusal::new(RefusalCode::TooLarge, RefusalReason::TokenTooLarge));
        }
        let unverified =
            UnverifiedJws::parse(text, &CONSENT_TOKEN).map_err(|error| Refusal::token(error.into()))?;
        if unverified.claimed_issuer() != Some(policy.holder.as_str()) {
            return Err(Refusal::token(RefusalReason::IssuerUnknown));
        }
        Ok(Self(unverified))
    }

    /// The identifier of its signing key.
    #[must_use]
    pub const fn kid(&self) -> Option<&KeyId> {
        self.0.kid()
    }

    /// Checks signature and claims. `keys` are the holder's token keys that were not revoked.
    ///
    /// # Errors
    /// [`Refusal`] `invalid_token`.
    pub fn verify(
        self,
        policy: &TokenPolicy,
        keys: &PublicKeys,
        now: Timestamp,
    ) -> Result<AuthenticToken, Refusal> {
        let refuse = |error: JoseError| Refusal::token(error.into());
        let claims = self.0.verify_with::<ConsentTokenClaims>(keys).map_err(refuse)?.into_claims();
        if claims.aud != policy.holder.as_str() {
            return Err(Refusal::token(RefusalReason::AudienceOther));
        }
        check_times(now, Some(claims.iat), Some(claims.nbf), Some(claims.exp)).map_err(refuse)?;
        if claims.exp.saturating_sub(claims.iat) > policy.max_lifetime_secs {
            return Err(Refusal::token(RefusalReason::LifetimeOverPolicy));
        }
        let [detail] = claims.authorization_details.as_slice() else {
            return Err(Refusal::token(RefusalReason::AuthorizationDetailsNotOne));
        };
        let detail = detail.clone();
        Ok(AuthenticToken { claims, detail })
    }

    /// As [`Self::verify`], with a revoked key: the result still has to be upheld by a record.
    ///
    /// # Errors
    /// [`Refusal`] `invalid_token`.
    pub(crate) fn verify_with_revoked(
        self,
        policy: &TokenPolicy,
        key: PublicKey,
        standing: KeyStanding,
        now: Timestamp,
    ) -> Result<SuspectToken, Refusal> {
        let token = self.verify(policy, &PublicKeys::single(key), now)?;
        Ok(SuspectToken { token, standing })
    }
}

/// A holder's record of an issued token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueRecord {
    /// The token.
    pub jti: Jti,
    /// The consent.
    pub grant_id: GrantId,
    /// The recipient's key.
    pub jkt: Thumbprint,
    /// When it was issued, by the holder's clock.
    pub iat: Timestamp,
    /// Its expiry.
    pub exp: Timestamp,
}

/// A token with a valid signature by a revoked key: the holder's own or a forgery.
#[derive(Debug, Clone)]
pub struct SuspectToken {
    token: AuthenticToken,
    standing: KeyStanding,
}

impl SuspectToken {
    /// Its unverified `jti`, to look the record up by.
    #[must_use]
    pub const fn claims(&self) -> &ConsentTokenClaims {
        &self.token.claims
    }

    /// Accepts it as the holder's own if the holder's record of issuing it matches. A record of another token under the
    /// same `jti` does not match.
    ///
    /// # Errors
    /// [`Refusal`] `invalid_token`.
    pub(crate) fn uphold(self, record: Option<&IssueRecord>) -> Result<AuthenticToken, Refusal> {
        let claims = &self.token.claims;
        let recorded_at = record
            .filter(|record| {
                record.jti == claims.jti
                    && record.grant_id == claims.grant_id
                    && record.jkt == claims.cnf.jkt
                    && record.iat.secs() == claims.iat
                    && record.exp.secs() == claims.exp
            })
            .map(|record| record.iat);
        self.standing
            .upholds(Timestamp::from_secs(claims.iat), recorded_at)
            .map_err(|given_up| Refusal::token(given_up.into()))?;
        Ok(self.token)
    }
}

/// A token with valid format, signature, issuer, audience and times. Says nothing yet about its consent.
#[derive(Debug, Clone)]
pub struct AuthenticToken {
    claims: ConsentTokenClaims,
    detail: AuthorizationDetail,
}

impl AuthenticToken {
    /// Checks format, issuer, signature and claims, in that order (steps 1 to 3 of an exchange).
    ///
    /// `keys` are the holder's own token keys that were not revoked.
    ///
    /// # Errors
    /// [`Refusal`] `invalid_token`, or 431 for a token larger than [`MAX_TOKEN_BYTES`].
    pub fn open(
        text: &str,
        policy: &TokenPolicy,
        keys: &PublicKeys,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        UnverifiedToken::parse(text, policy)?.verify(policy, keys, now)
    }

    /// The verified claims.
    #[must_use]
    pub const fn claims(&self) -> &ConsentTokenClaims {
        &self.claims
    }

    /// The one entry of `authorization_details`.
    #[must_use]
    pub const fn detail(&self) -> &AuthorizationDetail {
        &self.detail
    }
}
