//! Whether a trust mark still holds, as its issuer says (OpenID Federation 1.0 §8.4).

use serde::{Deserialize, Serialize};

use super::statement::refused;
use super::{HeldMark, TrustError, TrustFault};
use crate::domain::clock::Timestamp;
use crate::domain::ids::EntityId;
use crate::domain::jose::{
    Claims, JoseError, KeySource, Profile, PublicKeys, SigningKey, UnverifiedJws, check_times,
};

/// The `typ` of a status response, and with `application/` in front its media type.
pub const MARK_STATUS_TYP: &str = "trust-mark-status-response+jwt";

/// How old an answer to a question asked just now may be, in seconds: the difference of clocks that is allowed anyway.
const MAX_AGE_SECS: i64 = 60;

static MARK_STATUS: Profile = Profile {
    typ: MARK_STATUS_TYP,
    max_bytes: 32 * 1024,
    key_source: KeySource::Kid,
    required: &["iss", "iat", "trust_mark", "status"],
    optional: Claims::Any,
    forbidden_headers: &[],
};

/// What an issuer says of a trust mark of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MarkStatus {
    /// It holds.
    Active,
    /// Its time is over.
    Expired,
    /// It was taken away.
    Revoked,
    /// It is not one of the issuer's, or it was changed.
    Invalid,
    /// A status that the standard does not have; anything but `active` means that the mark does not hold.
    #[serde(untagged)]
    Other(String),
}

/// The claims of a status response (§8.4.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkStatusResponse {
    /// Who answers: the mark's issuer.
    pub iss: EntityId,
    /// When, in seconds since 1970.
    pub iat: i64,
    /// The mark that was asked about.
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

    /// Checks the issuer's answer about a mark, asked for just now.
    ///
    /// # Errors
    /// [`TrustError::NotTrusted`] when it is no proper answer of the mark's issuer about this mark, or an old one.
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
