//! A resolver's response about an entity (OpenID Federation 1.0 §8.3).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::statement::{TrustMarkEntry, refused};
use super::{TrustError, TrustFault};
use crate::domain::clock::Timestamp;
use crate::domain::ids::EntityId;
use crate::domain::jose::{
    Claims, JoseError, KeySource, Profile, PublicKeys, SigningKey, UnverifiedJws, check_times,
};

/// The `typ` of a resolve response; its media type with the prefix `application/`.
pub const RESOLVE_RESPONSE_TYP: &str = "resolve-response+jwt";

static RESOLVE_RESPONSE: Profile = Profile {
    typ: RESOLVE_RESPONSE_TYP,
    max_bytes: 1024 * 1024,
    key_source: KeySource::Kid,
    required: &["iss", "sub", "iat", "exp", "metadata", "trust_chain"],
    optional: Claims::Any,
    forbidden_headers: &[],
};

/// The claims of a resolve response (§8.3.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResolveResponse {
    /// Who resolved.
    pub iss: EntityId,
    /// Who was resolved.
    pub sub: EntityId,
    /// When, in seconds since 1970.
    pub iat: i64,
    /// Expiry of the chain, in seconds since 1970.
    pub exp: i64,
    /// The subject's metadata after every superior's metadata and policy.
    pub metadata: Map<String, Value>,
    /// The chain, from the subject's configuration to the anchor's.
    pub trust_chain: Vec<String>,
    /// The subject's valid trust marks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_marks: Option<Vec<TrustMarkEntry>>,
}

impl ResolveResponse {
    /// Signs it as a compact JWS.
    ///
    /// # Errors
    /// [`JoseError::Crypto`] from OpenSSL.
    pub fn sign(&self, key: &SigningKey) -> Result<String, JoseError> {
        key.sign(RESOLVE_RESPONSE_TYP, self)
    }

    /// Verifies the response of a trusted resolver as of now. The chain in it is verified by
    /// [`super::verify_statements`] like any other.
    ///
    /// # Errors
    /// [`TrustError::NotTrusted`] with the first check that fails.
    pub fn verify(
        text: &str,
        resolver: &EntityId,
        keys: &PublicKeys,
        now: Timestamp,
    ) -> Result<Self, TrustError> {
        let jws = UnverifiedJws::parse(text, &RESOLVE_RESPONSE).map_err(refused)?;
        let answer = jws.verify_with::<Self>(keys).map_err(refused)?.into_claims();
        check_times(now, Some(answer.iat), None, Some(answer.exp)).map_err(refused)?;
        if answer.iss != *resolver {
            return Err(TrustError::NotTrusted(TrustFault::ResolverIssuer));
        }
        Ok(answer)
    }
}
