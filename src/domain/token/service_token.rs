//! The token with which a city's service calls its own node: short-lived, for this node alone.

use serde::{Deserialize, Serialize};

use crate::domain::clock::Timestamp;
use crate::domain::ids::{EntityId, ServiceId};
use crate::domain::jose::{
    Claims, JoseError, KeySource, Profile, PublicKeys, SigningKey, UnverifiedJws, check_times,
};

/// Form of a service token. Its `typ` keeps it apart from consent tokens, though the same key signs both.
pub const SERVICE_TOKEN: Profile = Profile {
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

/// Signs a token for a service that has shown its secret.
///
/// # Errors
/// [`JoseError`] when the key cannot sign.
pub fn sign(
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

/// The service behind a token.
///
/// # Errors
/// [`JoseError`]: form, signature, issuer, audience or times do not fit.
pub fn verify(
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
