//! `private_key_jwt` client authentication (RFC 7523, as narrowed by the FAPI 2.0 Security Profile §5.3.2.1).

use serde::{Deserialize, Serialize};

use crate::domain::clock::Timestamp;
use crate::domain::ids::{EntityId, Jti};
use crate::domain::jose::{
    Claims, JoseError, KeySource, PLAIN_JWT, Profile, PublicKeys, SigningKey, UnverifiedJws, check_times,
};

/// `client_assertion_type`.
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Maximum lifetime of an assertion, in seconds.
const MAX_LIFETIME_SECS: i64 = 300;

/// Maximum size of an assertion without a trust chain, in bytes.
const MAX_BYTES_ALONE: usize = 4 * 1024;

/// Profile of an assertion. Existing clients send `typ: JWT` or none. It may contain a trust chain (OpenID Federation
/// 1.0 §4.3), which proves nothing: this node resolves the chain itself, from the anchors down.
pub(crate) const CLIENT_ASSERTION: Profile = Profile {
    typ: PLAIN_JWT,
    max_bytes: 40 * 1024,
    key_source: KeySource::Kid,
    required: &["iss", "sub", "aud", "exp", "jti"],
    optional: Claims::Any,
    forbidden_headers: &[],
};

/// The claims of an assertion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AssertionClaims {
    pub(crate) iss: EntityId,
    pub(crate) sub: EntityId,
    /// The authorization server's issuer identifier, alone.
    pub(crate) aud: String,
    /// Seconds since 1970.
    pub(crate) exp: i64,
    /// Seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) iat: Option<i64>,
    /// Seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) nbf: Option<i64>,
    pub(crate) jti: Jti,
}

/// An authenticated client. Its (`client`, `jti`) still has to be used up once.
#[derive(Debug, Clone)]
pub(crate) struct AuthenticClient {
    pub(crate) client: EntityId,
    pub(crate) jti: Jti,
    /// How long the assertion must be remembered.
    pub(crate) expires_at: Timestamp,
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

/// The claimed issuer of an assertion, for finding the keys; nothing is verified yet.
///
/// # Errors
/// [`JoseError`] when it is not an assertion.
pub(crate) fn open(text: &str) -> Result<(EntityId, UnverifiedJws), JoseError> {
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

/// The failed check of an assertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AssertionError {
    /// Format, key or signature: the issuer is not authenticated.
    #[error("not signed by the client: {0}")]
    Unsigned(JoseError),
    /// `iss` and `sub` differ (RFC 7523 §3).
    #[error("iss and sub differ")]
    Subject,
    /// `aud` is not the issuer identifier alone (FAPI 2.0 Security Profile §5.3.2.1).
    #[error("aud is another one")]
    Audience,
    /// Past `exp`, before `nbf`, or `iat` ahead.
    #[error("not valid now: {0}")]
    Times(JoseError),
    /// `exp` is too far ahead.
    #[error("exp is too far ahead")]
    Lifetime,
}

impl AssertionError {
    /// The error description: the failed check if the key verified, because then the caller is the client; else only
    /// that the assertion does not verify.
    #[must_use]
    pub(crate) const fn description(self) -> &'static str {
        match self {
            Self::Unsigned(_) => "the client assertion does not verify",
            Self::Subject => "iss and sub of the client assertion must both be the client",
            Self::Audience => "aud of the client assertion must be this issuer's identifier, alone",
            Self::Times(_) => "the client assertion is not valid now: check exp, nbf, iat and the clock",
            Self::Lifetime => "exp of the client assertion is more than five minutes ahead",
        }
    }
}

/// Verifies an assertion with the client's own keys.
///
/// # Errors
/// [`AssertionError`] names the check; those after the signature concern an authenticated client.
pub(crate) fn verify(
    unverified: UnverifiedJws,
    keys: &PublicKeys,
    audience: &EntityId,
    now: Timestamp,
) -> Result<AuthenticClient, AssertionError> {
    let claims =
        unverified.verify_with::<AssertionClaims>(keys).map_err(AssertionError::Unsigned)?.into_claims();
    if claims.iss != claims.sub {
        return Err(AssertionError::Subject);
    }
    if claims.aud != audience.as_str() {
        return Err(AssertionError::Audience);
    }
    check_times(now, claims.iat, claims.nbf, Some(claims.exp)).map_err(AssertionError::Times)?;
    if claims.exp > now.plus_secs(MAX_LIFETIME_SECS + 60).secs() {
        return Err(AssertionError::Lifetime);
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

    /// An assertion with a further header member.
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
        assert!(
            open(&assertion("x5t", &json!("a"))).is_ok(),
            "a header member that is not critical is ignored"
        );
        assert_eq!(open(&assertion("crit", &json!(["x5t"]))).unwrap_err(), JoseError::CriticalHeader);
        assert_eq!(open(&assertion("x5c", &json!(["a"]))).unwrap_err(), JoseError::ForbiddenHeader);
    }

    #[test]
    fn the_failed_check_is_named_to_whoever_has_shown_the_clients_key() {
        let (client, here) = (
            EntityId::new("https://espoo.example").unwrap(),
            EntityId::new("https://turku.example").unwrap(),
        );
        let (key, stranger) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let keys = PublicKeys::single(key.public().clone());
        let now = Timestamp::from_secs(1_000);
        let claims = AssertionClaims {
            iss: client.clone(),
            sub: client.clone(),
            aud: here.to_string(),
            exp: 1_060,
            iat: Some(1_000),
            nbf: None,
            jti: Jti::new("a").unwrap(),
        };
        let judged = |key: &SigningKey, claims: &AssertionClaims| {
            let (_, unverified) = open(&key.sign(PLAIN_JWT, claims).unwrap()).unwrap();
            verify(unverified, &keys, &here, now).map(|_| ()).map_err(AssertionError::description)
        };
        let with = |edit: fn(&mut AssertionClaims)| {
            let mut claims = claims.clone();
            edit(&mut claims);
            claims
        };
        assert_eq!(judged(&key, &claims), Ok(()));
        for (named, claims) in [
            ("aud", with(|it| it.aud = "https://turku.example/oauth/token".to_owned())),
            ("iss and sub", with(|it| it.sub = EntityId::new("https://oulu.example").unwrap())),
            ("not valid now", with(|it| it.exp = 500)),
            ("not valid now", with(|it| it.iat = Some(2_000))),
            ("five minutes", with(|it| it.exp = 9_000)),
        ] {
            let told = judged(&key, &claims).unwrap_err();
            assert!(told.contains(named), "{named}: {told}");
            // A caller that has not proved possession of the key learns nothing about the content.
            assert_eq!(judged(&stranger, &claims), Err("the client assertion does not verify"), "{named}");
        }
    }
}
