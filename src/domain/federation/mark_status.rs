//! Status of a trust mark, from its issuer (OpenID Federation 1.0 §8.4).

use serde::{Deserialize, Serialize};

use super::statement::refused;
use super::{HeldMark, TrustError, TrustFault};
use crate::domain::clock::Timestamp;
use crate::domain::ids::EntityId;
use crate::domain::jose::{
    Claims, JoseError, KeySource, Profile, PublicKeys, SigningKey, UnverifiedJws, check_times,
};

/// The `typ` of a status response; its media type with the prefix `application/`.
pub const MARK_STATUS_TYP: &str = "trust-mark-status-response+jwt";

/// Maximum age of a response, in seconds: the allowed clock difference.
const MAX_AGE_SECS: i64 = 60;

static MARK_STATUS: Profile = Profile {
    typ: MARK_STATUS_TYP,
    max_bytes: 32 * 1024,
    key_source: KeySource::Kid,
    required: &["iss", "iat", "trust_mark", "status"],
    optional: Claims::Any,
    forbidden_headers: &[],
};

/// An issuer's status of its own trust mark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MarkStatus {
    /// Valid.
    Active,
    /// Expired.
    Expired,
    /// Revoked.
    Revoked,
    /// Not issued by the issuer, or changed.
    Invalid,
    /// A status outside of the standard; only `active` means valid.
    #[serde(untagged)]
    Other(String),
}

/// The claims of a status response (§8.4.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkStatusResponse {
    /// The mark's issuer.
    pub iss: EntityId,
    /// When, in seconds since 1970.
    pub iat: i64,
    /// The mark in question.
    pub trust_mark: String,
    /// Its status.
    pub status: MarkStatus,
}

impl MarkStatusResponse {
    /// Signs it as a compact JWS.
    ///
    /// # Errors
    /// [`JoseError::Crypto`] from OpenSSL.
    pub fn sign(&self, key: &SigningKey) -> Result<String, JoseError> {
        key.sign(MARK_STATUS_TYP, self)
    }

    /// Verifies the issuer's response about a mark, requested just now.
    ///
    /// # Errors
    /// [`TrustError::NotTrusted`] when it is no valid response of the mark's issuer about this mark, or an old one.
    pub fn verify(
        text: &str,
        mark: &HeldMark,
        keys: &PublicKeys,
        now: Timestamp,
    ) -> Result<MarkStatus, TrustError> {
        let jws = UnverifiedJws::parse(text, &MARK_STATUS).map_err(refused)?;
        let answer = jws.verify_with::<Self>(keys).map_err(refused)?.into_claims();
        check_times(now, Some(answer.iat), None, Some(answer.iat.saturating_add(MAX_AGE_SECS)))
            .map_err(refused)?;
        if answer.iss != mark.mark().iss || answer.trust_mark != mark.text() {
            return Err(TrustError::NotTrusted(TrustFault::MarkStatusOfAnother));
        }
        Ok(answer.status)
    }
}
