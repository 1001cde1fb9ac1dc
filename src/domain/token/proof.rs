//! DPoP proofs (RFC 9449 §4): made by a recipient for each request, checked by a holder for each request.

use serde::{Deserialize, Serialize};

use super::refusal::{Refusal, RefusalCode};
use super::refusal_reason::RefusalReason;
use crate::domain::clock::Timestamp;
use crate::domain::ids::{Jti, Thumbprint};
use crate::domain::jose::{Claims, JoseError, KeySource, Profile, SigningKey, UnverifiedJws, b64url, sha256};

/// How far ahead of our clock a proof's `iat` may be, in seconds.
pub const PROOF_AHEAD_SECS: i64 = 10;

/// Form of a DPoP proof.
pub const DPOP_PROOF: Profile = Profile {
    typ: "dpop+jwt",
    max_bytes: 4 * 1024,
    key_source: KeySource::EmbeddedJwk,
    required: &["htm", "htu", "iat", "jti"],
    optional: Claims::Any,
    extra_headers: &[],
};

/// The claims of a proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofClaims {
    /// HTTP method.
    pub htm: String,
    /// HTTP address without query and fragment.
    pub htu: String,
    /// Seconds since 1970.
    pub iat: i64,
    /// This proof.
    pub jti: Jti,
    /// Hash of the access token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ath: Option<String>,
    /// The nonce that the other side demands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
}

/// `ath`: base64url SHA-256 of the access token (RFC 9449 §4.2).
#[must_use]
pub fn token_hash(token: &str) -> String {
    b64url(&sha256(token.as_bytes()))
}

/// Signs a proof.
///
/// # Errors
/// [`JoseError`] when the key cannot sign.
pub fn sign(key: &SigningKey, claims: &ProofClaims) -> Result<String, JoseError> {
    key.sign_with_jwk(DPOP_PROOF.typ, claims)
}

/// What a proof is held against.
#[derive(Debug, Clone, Copy)]
pub struct ProofExpectation<'a> {
    /// The request's method.
    pub method: &'a str,
    /// The request's address, made from the configured base URL.
    pub url: &'a str,
    /// The access token that comes with it, when one does.
    pub token: Option<&'a str>,
    /// The key that must have signed, when it is known.
    pub jkt: Option<&'a Thumbprint>,
    /// The nonces that are accepted; none when no nonce is demanded.
    pub nonces: Option<&'a [String]>,
    /// How old it may be, in seconds.
    pub max_age_secs: i64,
    /// Now.
    pub now: Timestamp,
}

/// A proof that fits its request. Its (`jkt`, `jti`) still has to be used up, once, in the deciding transaction.
#[derive(Debug, Clone)]
pub struct VerifiedProof {
    jkt: Thumbprint,
    jti: Jti,
    digest: String,
    expires_at: Timestamp,
}

impl VerifiedProof {
    /// Checks a proof against its request (RFC 9449 §4.3).
    ///
    /// # Errors
    /// [`Refusal`] `invalid_dpop_proof`; `use_dpop_nonce` where all but the nonce holds.
    pub fn check(text: &str, expected: &ProofExpectation<'_>) -> Result<Self, Refusal> {
        let refuse = |error: JoseError| Refusal::proof(error.into());
        let unverified = UnverifiedJws::parse(text, &DPOP_PROOF).map_err(refuse)?;
        let key = unverified.embedded_key().cloned().ok_or(Refusal::proof(RefusalReason::JwkMissing))?;
        let verified = unverified.verify::<ProofClaims>(&key).map_err(refuse)?;
        let claims = verified.claims();
        if claims.htm != expected.method {
            return Err(Refusal::proof(RefusalReason::HtmOther));
        }
        if claims.htu != expected.url {
            return Err(Refusal::proof(RefusalReason::HtuOther));
        }
        if claims.iat < expected.now.plus_secs(-expected.max_age_secs).secs() {
            return Err(Refusal::proof(RefusalReason::IatOld));
        }
        if claims.iat > expected.now.plus_secs(PROOF_AHEAD_SECS).secs() {
            return Err(Refusal::proof(RefusalReason::IatAhead));
        }
        if claims.ath != expected.token.map(token_hash) {
            return Err(Refusal::proof(RefusalReason::AthOther));
        }
        if expected.jkt.is_some_and(|jkt| jkt != verified.key_thumbprint()) {
            return Err(Refusal::proof(RefusalReason::KeyOther));
        }
        if let Some(accepted) = expected.nonces
            && !claims.nonce.as_ref().is_some_and(|nonce| accepted.contains(nonce))
        {
            return Err(Refusal::new(RefusalCode::UseDpopNonce, RefusalReason::NonceMissingOrStale));
        }
        Ok(Self {
            jkt: verified.key_thumbprint().clone(),
            jti: claims.jti.clone(),
            digest: verified.digest().to_owned(),
            // Kept longer than it could be accepted, so that a slow clock elsewhere opens no second chance.
            expires_at: Timestamp::from_secs(claims.iat)
                .plus_secs(2 * expected.max_age_secs + PROOF_AHEAD_SECS),
        })
    }

    /// Thumbprint of the key that signed.
    #[must_use]
    pub const fn jkt(&self) -> &Thumbprint {
        &self.jkt
    }

    /// The proof's identifier.
    #[must_use]
    pub const fn jti(&self) -> &Jti {
        &self.jti
    }

    /// Base64url SHA-256 of the compact proof, for the receipt.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Until when its identifier must be remembered.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}
