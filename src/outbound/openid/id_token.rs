//! What an ID token must be before anyone counts as logged in (OpenID Connect Core 1.0 §3.1.3.7).

use std::time::{Duration, SystemTime};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use openidconnect::core::{CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKey, CoreJwsSigningAlgorithm};
use openidconnect::{ClaimsVerificationError, ClientId, IssuerUrl, JsonWebKeySet, Nonce};
use serde_json::{Map, Value};

use crate::domain::clock::Timestamp;
use crate::domain::jose;
use crate::domain::login::{LoginError, PendingLogin};

/// How far the provider's clock may be off, in seconds.
const SKEW_SECS: i64 = 60;

/// Least RSA modulus, in bytes (2048 bits).
const MIN_RSA_BYTES: usize = 256;

/// Members of a public key worth keeping as evidence.
const PUBLIC_MEMBERS: [&str; 9] = ["kty", "crv", "x", "y", "n", "e", "kid", "use", "alg"];

/// Against what a token is held.
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a IssuerUrl,
    pub(crate) client_id: &'a ClientId,
    pub(crate) pending: &'a PendingLogin,
    pub(crate) now: Timestamp,
}

/// A token that passed every check.
pub(crate) struct CheckedIdToken {
    /// The compact form.
    pub(crate) text: String,
    pub(crate) subject: String,
    pub(crate) acr: Option<String>,
    pub(crate) auth_time: Option<Timestamp>,
    /// All claims.
    pub(crate) claims: Map<String, Value>,
    /// The public key that verified it.
    pub(crate) key: Value,
}

/// Why no key was found.
pub(crate) enum NoKey {
    /// The provider has no such key, as far as known: newer keys may help.
    Unknown,
    /// No keys will help.
    Refused(LoginError),
}

/// The one published key that can have signed this token, by its `kid` and algorithm.
pub(crate) fn find_key(token: &CoreIdToken, keys: &[Value]) -> Result<Value, NoKey> {
    let refuse = |what| NoKey::Refused(LoginError::Invalid(what));
    let algorithm = token.signing_alg().map_err(|_| refuse("alg"))?;
    let (name, kty, crv) = match algorithm {
        CoreJwsSigningAlgorithm::EcdsaP256Sha256 => ("ES256", "EC", Some("P-256")),
        CoreJwsSigningAlgorithm::EdDsa => ("EdDSA", "OKP", Some("Ed25519")),
        CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256 => ("RS256", "RSA", None),
        CoreJwsSigningAlgorithm::RsaSsaPssSha256 => ("PS256", "RSA", None),
        _ => return Err(refuse("alg")),
    };
    let text = token.to_string();
    let header = text.split('.').next().and_then(decoded).ok_or_else(|| refuse("id_token"))?;
    let kid = header.get("kid");
    let fits = |key: &&Value| {
        let has = |member: &str, value: &str| key.get(member).and_then(Value::as_str) == Some(value);
        let may_have = |member: &str, value: &str| key.get(member).is_none() || has(member, value);
        has("kty", kty)
            && crv.is_none_or(|crv| has("crv", crv))
            && may_have("use", "sig")
            && may_have("alg", name)
            && (kid.is_none() || key.get("kid") == kid)
    };
    let mut fitting = keys.iter().filter(fits);
    let key = fitting.next().ok_or(NoKey::Unknown)?;
    if fitting.next().is_some() {
        return Err(refuse("kid"));
    }
    let modulus = key.get("n").and_then(Value::as_str).and_then(|n| URL_SAFE_NO_PAD.decode(n).ok());
    if kty == "RSA" && modulus.is_none_or(|modulus| modulus.len() < MIN_RSA_BYTES) {
        return Err(refuse("provider key"));
    }
    let public =
        key.as_object().into_iter().flatten().filter(|(name, _)| PUBLIC_MEMBERS.contains(&name.as_str()));
    Ok(Value::Object(public.map(|(name, value)| (name.clone(), value.clone())).collect()))
}

/// Checks signature, issuer, audience, times, nonce, and the assurance that was asked for.
pub(crate) fn check(
    token: &CoreIdToken,
    key: Value,
    expected: &Expected<'_>,
) -> Result<CheckedIdToken, LoginError> {
    let parsed: CoreJsonWebKey =
        serde_json::from_value(key.clone()).map_err(|_| LoginError::Invalid("provider key"))?;
    let nonce = Nonce::new(expected.pending.nonce.clone());
    let claims = token.claims(&verifier(parsed, expected), &nonce).map_err(|error| refusal(&error))?;
    // openidconnect leaves `azp` to its user.
    if claims.authorized_party().is_some_and(|party| party != expected.client_id) {
        return Err(LoginError::Invalid("azp"));
    }
    let subject = claims.subject().as_str().to_owned();
    let text = token.to_string();
    let all = text.split('.').nth(1).and_then(decoded).ok_or(LoginError::Invalid("id_token"))?;
    // A claim that stands twice reads differently here and elsewhere.
    if subject.is_empty() || all.get("sub").and_then(Value::as_str) != Some(subject.as_str()) {
        return Err(LoginError::Invalid("sub"));
    }
    Ok(CheckedIdToken {
        subject,
        acr: claims.auth_context_ref().map(|acr| acr.as_str().to_owned()),
        auth_time: claims.auth_time().map(|moment| Timestamp::from_secs(moment.timestamp())),
        claims: all,
        key,
        text,
    })
}

/// A verifier with one key and with every check set that openidconnect leaves open.
fn verifier<'a>(key: CoreJsonWebKey, expected: &Expected<'a>) -> CoreIdTokenVerifier<'a> {
    let now = expected.now;
    let pending = expected.pending;
    CoreIdTokenVerifier::new_public_client(
        expected.client_id.clone(),
        expected.issuer.clone(),
        JsonWebKeySet::new(vec![key]),
    )
    .set_allowed_algs([
        CoreJwsSigningAlgorithm::EcdsaP256Sha256,
        CoreJwsSigningAlgorithm::EdDsa,
        CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
        CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    ])
    .set_time_fn(move || {
        let secs = u64::try_from(now.secs()).unwrap_or_default();
        (SystemTime::UNIX_EPOCH + Duration::from_secs(secs)).into()
    })
    .set_issue_time_verifier_fn(move |iat| {
        let off = now.secs().saturating_sub(iat.timestamp()).saturating_abs();
        if off <= SKEW_SECS { Ok(()) } else { Err("iat".to_owned()) }
    })
    .set_auth_context_verifier_fn(move |acr| match (&pending.acr, acr) {
        (None, _) => Ok(()),
        (Some(asked), Some(acr)) if asked.split(' ').any(|one| one == acr.as_str()) => Ok(()),
        _ => Err("acr".to_owned()),
    })
    .set_auth_time_verifier_fn(move |auth_time| {
        let auth_time = auth_time.map(|moment| moment.timestamp());
        if auth_time.is_some_and(|moment| moment > now.plus_secs(SKEW_SECS).secs()) {
            return Err("future".to_owned());
        }
        let Some(max_age) = pending.max_age else { return Ok(()) };
        let oldest = now.plus_secs(-i64::from(max_age) - SKEW_SECS).secs();
        if auth_time.is_some_and(|moment| moment >= oldest) { Ok(()) } else { Err("auth_time".to_owned()) }
    })
}

/// Which check failed. The library's own words may hold parts of the token and go nowhere.
fn refusal(error: &ClaimsVerificationError) -> LoginError {
    match error {
        ClaimsVerificationError::Expired(what) if what == "iat" => LoginError::Invalid("iat"),
        ClaimsVerificationError::Expired(_) => LoginError::Invalid("exp"),
        ClaimsVerificationError::InvalidAudience(_) => LoginError::Invalid("aud"),
        ClaimsVerificationError::InvalidAuthContext(_) => LoginError::AssuranceTooLow,
        ClaimsVerificationError::InvalidAuthTime(what) if what == "future" => {
            LoginError::Invalid("auth_time")
        }
        ClaimsVerificationError::InvalidAuthTime(_) => LoginError::AssuranceTooLow,
        ClaimsVerificationError::InvalidIssuer(_) => LoginError::Invalid("iss"),
        ClaimsVerificationError::InvalidNonce(_) => LoginError::Invalid("nonce"),
        ClaimsVerificationError::InvalidSubject(_) => LoginError::Invalid("sub"),
        ClaimsVerificationError::SignatureVerification(_) => LoginError::Invalid("signature"),
        _ => LoginError::Invalid("id_token"),
    }
}

/// The JSON object in one part of a compact JWS; none when it has a member twice.
pub(crate) fn decoded(part: &str) -> Option<Map<String, Value>> {
    match jose::parse_strict_json(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()? {
        Value::Object(members) => Some(members),
        _ => None,
    }
}
