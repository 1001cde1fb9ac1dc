//! The token of a city's service for its own node: short-lived, with this node as its only audience.

use serde::{Deserialize, Serialize};

use crate::domain::clock::Timestamp;
use crate::domain::ids::{EntityId, ServiceId};
use crate::domain::jose::{
    Claims, JoseError, KeySource, Profile, PublicKeys, SigningKey, UnverifiedJws, check_times,
};

/// Profile of a service token. Its `typ` distinguishes it from consent tokens, which the same key signs.
pub(crate) const SERVICE_TOKEN: Profile = Profile {
    typ: "omadata-service+jwt",
    max_bytes: 2 * 1024,
    key_source: KeySource::Kid,
    required: &["iss", "sub", "aud", "iat", "exp"],
    optional: Claims::Any,
    forbidden_headers: &[],
};

#[derive(Serialize, Deserialize)]
struct ServiceTokenClaims {
    iss: String,
    sub: ServiceId,
    aud: String,
    iat: i64,
    exp: i64,
}

/// Signs a token for an authenticated service.
///
/// # Errors
/// [`JoseError`] when the key cannot sign.
pub(crate) fn sign(
    key: &SigningKey,
    node: &EntityId,
    service: &ServiceId,
    now: Timestamp,
    lifetime_secs: i64,
) -> Result<String, JoseError> {
    key.sign(
        SERVICE_TOKEN.typ,
        &ServiceTokenClaims {
            iss: node.to_string(),
            sub: service.clone(),
            aud: format!("{node}/api/v1"),
            iat: now.secs(),
            exp: now.plus_secs(lifetime_secs).secs(),
        },
    )
}

/// The service of a token.
///
/// # Errors
/// [`JoseError`]: format, signature, issuer, audience or times are invalid.
pub(crate) fn verify(
    text: &str,
    keys: &PublicKeys,
    node: &EntityId,
    now: Timestamp,
) -> Result<ServiceId, JoseError> {
    let claims =
        UnverifiedJws::parse(text, &SERVICE_TOKEN)?.verify_with::<ServiceTokenClaims>(keys)?.into_claims();
    check_times(now, Some(claims.iat), None, Some(claims.exp))?;
    if claims.iss != node.as_str() || claims.aud != format!("{node}/api/v1") {
        return Err(JoseError::MalformedClaims);
    }
    Ok(claims.sub)
}
