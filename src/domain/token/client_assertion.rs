//! `private_key_jwt` client authentication (RFC 7523, as narrowed by the FAPI 2.0 Security Profile §5.3.2.1).

use serde::{Deserialize, Serialize};

use crate::domain::clock::Timestamp;
use crate::domain::ids::{EntityId, Jti};
use crate::domain::jose::{
    Claims, JoseError, KeySource, PLAIN_JWT, Profile, PublicKeys, SigningKey, UnverifiedJws, check_times,
};

/// `client_assertion_type`.
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Longest life of an assertion, in seconds.
const MAX_LIFETIME_SECS: i64 = 300;

/// Most bytes of an assertion that hands in no trust chain.
const MAX_BYTES_ALONE: usize = 4 * 1024;

/// Form of an assertion. Clients in the field send `typ: JWT` or none. One may hand in its trust chain (OpenID Federation
/// 1.0 §4.3); this node finds the chain itself, from the anchors down, and the one handed in proves nothing.
pub const CLIENT_ASSERTION: Profile = Profile {
    typ: PLAIN_JWT,
    max_bytes: 40 * 1024,
    key_source: KeySource::Kid,
    required: &["iss", "sub", "aud", "exp", "jti"],
    optional: Claims::Only(&["iat", "nbf"]),
    extra_headers: &["trust_chain", "peer_trust_chain"],
};

/// The claims of an assertion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssertionClaims {
    /// The client.
    pub iss: EntityId,
    /// The client.
    pub sub: EntityId,
    /// The authorization server's issuer identifier, alone.
    pub aud: String,
    /// Seconds since 1970.
    pub exp: i64,
    /// Seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
    /// Seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// This assertion.
    pub jti: Jti,
}

/// A client that has proved who it is. Its (`client`, `jti`) still has to be used up once.
#[derive(Debug, Clone)]
pub struct AuthenticClient {
    /// The client.
    pub client: EntityId,
    /// The assertion.
    pub jti: Jti,
    /// Until when the assertion must be remembered.
    pub expires_at: Timestamp,
}

/// Signs an assertion of `client` for the authorization server `audience`.
///
/// # Errors
/// [`JoseError`] when the key cannot sign.
pub fn sign(
    key: &SigningKey,
    client: &EntityId,
    audience: &str,
    jti: Jti,
    now: Timestamp,
) -> Result<String, JoseError> {
    let claims = AssertionClaims {
        iss: client.clone(),
        sub: client.clone(),
        aud: audience.to_owned(),
        exp: now.plus_secs(60).secs(),
        iat: Some(now.secs()),
        nbf: Some(now.secs()),
        jti,
    };
    key.sign(PLAIN_JWT, &claims)
}

/// Who an assertion claims to come from, for finding the keys; nothing is trusted yet.
///
/// # Errors
/// [`JoseError`] when it is not an assertion at all.
pub fn open(text: &str) -> Result<(EntityId, UnverifiedJws), JoseError> {
    let unverified = UnverifiedJws::parse(text, &CLIENT_ASSERTION)?;
    if unverified.handed_in_chain().is_none() && text.len() > MAX_BYTES_ALONE {
        return Err(JoseError::TooLarge);
    }
    let client = unverified
        .claimed_issuer()
        .and_then(|issuer| issuer.parse().ok())
        .ok_or(JoseError::MalformedClaims)?;
    Ok((client, unverified))
}

/// Verifies an assertion with the client's own keys.
///
/// # Errors
/// [`JoseError`]: signature, issuer, audience or times do not fit.
pub fn verify(
    unverified: UnverifiedJws,
    keys: &PublicKeys,
    audience: &EntityId,
    now: Timestamp,
) -> Result<AuthenticClient, JoseError> {
    let claims = unverified.verify_with::<AssertionClaims>(keys)?.into_claims();
    check_times(now, claims.iat, claims.nbf, Some(claims.exp))?;
    let lives_short = claims.exp <= now.plus_secs(MAX_LIFETIME_SECS + 60).secs();
    if claims.iss != claims.sub || claims.aud != audience.as_str() || !lives_short {
        return Err(JoseError::MalformedClaims);
    }
    Ok(AuthenticClient {
        client: claims.iss,
        jti: claims.jti,
        expires_at: Timestamp::from_secs(claims.exp).plus_secs(120),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::jose::b64url;

    /// An assertion with this header member beside those that every one has.
    fn assertion(name: &str, value: &Value) -> String {
        let client = EntityId::new("https://espoo.example").unwrap();
        let (key, jti) = (SigningKey::generate().unwrap(), Jti::new("a").unwrap());
        let signed = sign(&key, &client, "https://turku.example", jti, Timestamp::from_secs(0)).unwrap();
        let rest = signed.split_once('.').unwrap().1;
        let header = json!({"alg": "ES256", "kid": key.kid(), "typ": "JWT", name: value});
        format!("{}.{rest}", b64url(header.to_string().as_bytes()))
    }

    #[test]
    fn a_chain_may_be_handed_in_and_has_its_bounds() {
        let of = |bytes: usize| json!(["a".repeat(bytes)]);
        let (client, with) = open(&assertion("trust_chain", &of(20_000))).unwrap();
        assert_eq!((client.as_str(), with.handed_in_chain()), ("https://espoo.example", Some(&of(20_000))));
        assert_eq!(open(&assertion("trust_chain", &of(40_000))).unwrap_err(), JoseError::TooLarge);
        assert_eq!(open(&assertion("peer_trust_chain", &of(5_000))).unwrap_err(), JoseError::TooLarge);
        assert!(open(&assertion("peer_trust_chain", &of(100))).unwrap().1.handed_in_chain().is_none());
        assert_eq!(open(&assertion("x", &of(1))).unwrap_err(), JoseError::UnknownHeader);
    }
}
