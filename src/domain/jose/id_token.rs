//! The signature of an ID token (OpenID Connect Core §2), judged from the token and the provider's key alone: what
//! remains of a login when its evidence is checked years later. The login itself is checked by openidconnect.

use josekit::jwk::Jwk;
use josekit::jws::{JwsVerifier, PS256, RS256};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::json::parse_object;
use super::{JoseError, PublicKey, b64url, from_b64url, sha256};

/// Most bytes of an ID token that is looked at.
const MAX_BYTES: usize = 16 * 1024;

/// Least RSA modulus, in bytes (2048 bits).
const MIN_RSA_BYTES: usize = 256;

/// The claims that evidence rests on.
#[derive(Debug, Clone, Deserialize)]
pub struct IdTokenClaims {
    /// The login provider.
    pub iss: String,
    /// The person at the provider.
    pub sub: String,
    aud: Audience,
    /// When it was signed, seconds since 1970.
    pub iat: i64,
    /// What the relying party asked to be signed.
    pub nonce: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl IdTokenClaims {
    /// Whether it was made for this client and no other.
    #[must_use]
    pub fn is_for(&self, client_id: &str) -> bool {
        match &self.aud {
            Audience::One(audience) => audience == client_id,
            Audience::Many(audiences) => matches!(audiences.as_slice(), [only] if only == client_id),
        }
    }
}

/// What a login provider said about itself, as fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProviderDocuments {
    /// Its metadata (OpenID Connect Discovery 1.0 §4).
    pub metadata: Value,
    /// Its key set.
    pub jwks: Value,
    /// When the key set was fetched, RFC 3339.
    pub fetched_at: String,
}

impl ProviderDocuments {
    /// Whether the key set has this key.
    #[must_use]
    pub fn publish(&self, key: &Value) -> bool {
        let Ok(wanted) = thumbprint(key) else { return false };
        let keys = self.jwks.get("keys").and_then(Value::as_array);
        keys.into_iter().flatten().any(|known| thumbprint(known).as_ref() == Ok(&wanted))
    }
}

/// Checks an ID token's signature with the provider's key: ES256 or EdDSA, and for the providers that still use RSA,
/// RS256 or PS256 with 2048 bits or more.
///
/// The key is the caller's, so what else the header says about keys (`kid`, `x5t`) is not looked at.
///
/// # Errors
/// The [`JoseError`] of the first check that fails.
pub fn verify(text: &str, provider_key: &Value) -> Result<IdTokenClaims, JoseError> {
    if text.len() > MAX_BYTES {
        return Err(JoseError::TooLarge);
    }
    let (signing_input, signature) = text.rsplit_once('.').ok_or(JoseError::NotCompact)?;
    let (header, payload) = signing_input.split_once('.').ok_or(JoseError::NotCompact)?;
    let header = parse_object(&from_b64url(header)?)?;
    if ["crit", "b64", "zip", "enc"].iter().any(|name| header.contains_key(*name)) {
        return Err(JoseError::ForbiddenHeader);
    }
    let payload = parse_object(&from_b64url(payload)?)?;
    let signature = from_b64url(signature)?;
    let algorithm = header.get("alg").and_then(Value::as_str);
    if provider_key.get("kty").and_then(Value::as_str) == Some("RSA") {
        rsa_verifier(algorithm, provider_key)?
            .verify(signing_input.as_bytes(), &signature)
            .map_err(|_| JoseError::Signature)?;
    } else {
        let key = PublicKey::from_provider_jwk(provider_key)?;
        if algorithm != Some(key.algorithm().name()) {
            return Err(JoseError::AlgorithmMismatch);
        }
        key.check(signing_input.as_bytes(), &signature)?;
    }
    serde_json::from_value(Value::Object(payload)).map_err(|_| JoseError::MalformedClaims)
}

/// The RFC 7638 SHA-256 thumbprint of a provider's key, also of one that uses RSA.
///
/// # Errors
/// [`JoseError::MalformedKey`] when a required member is missing or no text of base64url.
pub fn thumbprint(provider_key: &Value) -> Result<String, JoseError> {
    let text = |name| provider_key.get(name).and_then(Value::as_str);
    let names: &[&str] = match text("kty") {
        Some("EC") => &["crv", "kty", "x", "y"],
        Some("OKP") => &["crv", "kty", "x"],
        Some("RSA") => &["e", "kty", "n"],
        _ => return Err(JoseError::MalformedKey),
    };
    let mut members = Vec::new();
    for name in names {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let value = text(name).filter(|value| value.chars().all(plain)).ok_or(JoseError::MalformedKey)?;
        members.push(format!(r#""{name}":"{value}""#));
    }
    Ok(b64url(&sha256(format!("{{{}}}", members.join(",")).as_bytes())))
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::jose::SigningKey;

    #[test]
    fn thumbprints_are_those_of_the_standard() {
        // RFC 7638 §3.1.
        let rsa = json!({"kty": "RSA", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29", "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"});
        assert_eq!(thumbprint(&rsa).unwrap(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        let key = SigningKey::generate().unwrap();
        assert_eq!(thumbprint(&key.public().to_jwk()).unwrap(), key.public().thumbprint().as_str());
        assert_eq!(thumbprint(&json!({"kty": "RSA", "e": "AQAB"})), Err(JoseError::MalformedKey));
        assert_eq!(thumbprint(&json!({"kty": "oct", "k": "AA"})), Err(JoseError::MalformedKey));
    }
}
