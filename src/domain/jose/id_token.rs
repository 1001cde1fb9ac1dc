//! The signature of an ID token (OpenID Connect Core §2), judged from the token and the provider's key alone: what
//! remains of a login when its evidence is checked years later. The login itself is checked by openidconnect.

use josekit::jwk::Jwk;
use josekit::jws::{JwsVerifier, PS256, RS256};
use serde::Deserialize;
use serde_json::Value;

use super::json::parse_object;
use super::{Claims, JoseError, KeySource, PLAIN_JWT, Profile, PublicKey, UnverifiedJws, from_b64url};

/// Form of an ID token that a node understands as evidence.
const ID_TOKEN: Profile = Profile {
    typ: PLAIN_JWT,
    max_bytes: 16 * 1024,
    key_source: KeySource::Kid,
    required: &["iss", "sub", "aud", "exp", "iat"],
    optional: Claims::Any,
    extra_headers: &[],
};

/// Least RSA modulus, in bytes (2048 bits).
const MIN_RSA_BYTES: usize = 256;

/// The claims that evidence rests on.
#[derive(Debug, Clone, Deserialize)]
pub struct IdTokenClaims {
    /// The login provider.
    pub iss: String,
    /// The person at the provider.
    pub sub: String,
    /// When it was signed, seconds since 1970.
    pub iat: i64,
    /// What the relying party asked to be signed.
    pub nonce: Option<String>,
}

/// Checks an ID token's signature with the provider's key: ES256 or EdDSA, and for the providers that still use RSA,
/// RS256 or PS256 with 2048 bits or more.
///
/// # Errors
/// The [`JoseError`] of the first check that fails.
pub fn verify(text: &str, provider_key: &Value) -> Result<IdTokenClaims, JoseError> {
    if provider_key.get("kty").and_then(Value::as_str) != Some("RSA") {
        let key = PublicKey::from_jwk(provider_key)?;
        return Ok(UnverifiedJws::parse(text, &ID_TOKEN)?.verify::<IdTokenClaims>(&key)?.into_claims());
    }
    verify_rsa(text, provider_key)
}

fn verify_rsa(text: &str, provider_key: &Value) -> Result<IdTokenClaims, JoseError> {
    if text.len() > ID_TOKEN.max_bytes {
        return Err(JoseError::TooLarge);
    }
    let (signing_input, signature) = text.rsplit_once('.').ok_or(JoseError::NotCompact)?;
    let (header, payload) = signing_input.split_once('.').ok_or(JoseError::NotCompact)?;
    let header = parse_object(&from_b64url(header)?)?;
    if header.keys().any(|name| !matches!(name.as_str(), "alg" | "typ" | "kid")) {
        return Err(JoseError::UnknownHeader);
    }
    let payload = parse_object(&from_b64url(payload)?)?;
    let verifier = rsa_verifier(header.get("alg").and_then(Value::as_str), provider_key)?;
    verifier.verify(signing_input.as_bytes(), &from_b64url(signature)?).map_err(|_| JoseError::Signature)?;
    serde_json::from_value(Value::Object(payload)).map_err(|_| JoseError::MalformedClaims)
}

fn rsa_verifier(alg: Option<&str>, key: &Value) -> Result<Box<dyn JwsVerifier>, JoseError> {
    let members = key.as_object().ok_or(JoseError::MalformedKey)?;
    if super::key::has_private_part(members) {
        return Err(JoseError::PrivateKey);
    }
    let modulus = members.get("n").and_then(Value::as_str).ok_or(JoseError::MalformedKey)?;
    if from_b64url(modulus)?.len() < MIN_RSA_BYTES {
        return Err(JoseError::MalformedKey);
    }
    let jwk = Jwk::from_map(members.clone()).map_err(|_| JoseError::MalformedKey)?;
    let malformed = |_| JoseError::MalformedKey;
    match alg {
        Some("RS256") => Ok(Box::new(RS256.verifier_from_jwk(&jwk).map_err(malformed)?)),
        Some("PS256") => Ok(Box::new(PS256.verifier_from_jwk(&jwk).map_err(malformed)?)),
        _ => Err(JoseError::AlgorithmNotAllowed),
    }
}
