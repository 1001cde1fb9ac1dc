//! Checks of an ID token at a login (OpenID Connect Core 1.0 §3.1.3.7).

use serde_json::{Map, Value};
use subtle::ConstantTimeEq;

use crate::domain::clock::Timestamp;
use crate::domain::jose::JoseError;
use crate::domain::jose::id_token::IdTokenClaims;
use crate::domain::login::{LoginError, PendingLogin};

/// Allowed difference of the provider's clock, in seconds.
const SKEW_SECS: i64 = 60;

/// Claims of an ID token that do not identify a person beyond the provider's own `sub`.
const IMPERSONAL_CLAIMS: [&str; 15] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "nbf",
    "jti",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "azp",
    "at_hash",
    "c_hash",
    "sid",
];

/// The expected values of a token.
pub(crate) struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub pending: &'a PendingLogin,
    pub now: Timestamp,
}

/// Checks issuer, audience, times, nonce, and the requested assurance.
pub(crate) fn check(claims: &IdTokenClaims, expected: &Expected<'_>) -> Result<(), LoginError> {
    let party = claims.all.get("azp");
    let nonce = claims.nonce.as_deref().unwrap_or_default();
    let same_nonce = bool::from(nonce.as_bytes().ct_eq(expected.pending.nonce.as_bytes()));
    for (holds, what) in [
        (claims.iss == expected.issuer, "iss"),
        (claims.is_for(expected.client_id), "aud"),
        (party.is_none_or(|party| party == expected.client_id), "azp"),
        (!claims.sub.is_empty(), "sub"),
        (same_nonce && !nonce.is_empty(), "nonce"),
    ] {
        if !holds {
            return Err(LoginError::Invalid(what));
        }
    }
    check_times(claims, expected.now)?;
    check_assurance(claims, expected)
}

fn check_times(claims: &IdTokenClaims, now: Timestamp) -> Result<(), LoginError> {
    let exp = claims.exp.ok_or(LoginError::Invalid("id_token"))?;
    let ahead = now.plus_secs(SKEW_SECS).secs();
    for (holds, what) in [
        (now < Timestamp::from_secs(exp), "exp"),
        (claims.nbf.is_none_or(|nbf| nbf <= ahead), "nbf"),
        (claims.iat.abs_diff(now.secs()) <= SKEW_SECS.unsigned_abs(), "iat"),
        (claims.auth_time.is_none_or(|auth_time| auth_time <= ahead), "auth_time"),
    ] {
        if !holds {
            return Err(LoginError::Invalid(what));
        }
    }
    Ok(())
}

fn check_assurance(claims: &IdTokenClaims, expected: &Expected<'_>) -> Result<(), LoginError> {
    let pending = expected.pending;
    let strong = pending.acr.as_ref().is_none_or(|enough| {
        claims.acr.as_ref().is_some_and(|reached| enough.split(' ').any(|level| level == reached))
    });
    let fresh = pending.max_age.is_none_or(|max_age| {
        let oldest = expected.now.plus_secs(-i64::from(max_age) - SKEW_SECS).secs();
        claims.auth_time.is_some_and(|auth_time| auth_time >= oldest)
    });
    if strong && fresh { Ok(()) } else { Err(LoginError::AssuranceTooLow) }
}

/// Name of the failed check of a signed message.
pub(crate) const fn form_error(error: JoseError) -> LoginError {
    LoginError::Invalid(match error {
        JoseError::AlgorithmNotAllowed | JoseError::AlgorithmMismatch => "alg",
        JoseError::Signature => "signature",
        JoseError::MalformedKey | JoseError::PrivateKey => "provider key",
        JoseError::Decryption => "decryption",
        _ => "id_token",
    })
}

/// Whether an ID token may be part of a URL: only if nothing in it identifies the person.
pub(crate) fn is_impersonal(claims: &Map<String, Value>) -> bool {
    claims.keys().all(|name| IMPERSONAL_CLAIMS.contains(&name.as_str()))
}
