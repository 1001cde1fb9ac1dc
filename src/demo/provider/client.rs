//! Client authentication at the token endpoint (OpenID Connect Core 1.0 §9).

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use secrecy::ExposeSecret;
use serde::Deserialize;
use subtle::ConstantTimeEq;

use super::token_request::{TokenError, TokenForm};
use super::{ClientAuthentication, DemoProvider, RegisteredClient};
use crate::demo::basic::basic_credentials;
use crate::domain::jose::{self, Claims, KeySource, PLAIN_JWT, Profile, PublicKeys, UnverifiedJws};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A client assertion (RFC 7523 §3).
static CLIENT_ASSERTION: Profile = Profile {
    typ: PLAIN_JWT,
    max_bytes: 4 * 1024,
    key_source: KeySource::Kid,
    required: &["iss", "sub", "aud", "exp", "jti"],
    optional: Claims::Any,
    forbidden_headers: &[],
};

#[derive(Deserialize)]
struct Assertion {
    iss: String,
    sub: String,
    aud: Audience,
    exp: i64,
    iat: Option<i64>,
    nbf: Option<i64>,
    jti: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// The client, authenticated by exactly one of the methods.
pub(super) fn authenticate<'a>(
    provider: &'a DemoProvider,
    headers: &HeaderMap,
    form: &TokenForm,
) -> Result<&'a RegisteredClient, TokenError> {
    let basic = headers.get(AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
    match (basic, &form.client_secret, &form.client_assertion) {
        (Some(header), None, None) => {
            let (id, secret) = basic_credentials(header).ok_or(TokenError::InvalidClient)?;
            if form.client_id.as_ref().is_some_and(|named| *named != id) {
                return Err(TokenError::InvalidClient);
            }
            by_secret(provider, &id, &secret)
        }
        (None, Some(secret), None) => {
            by_secret(provider, form.client_id.as_deref().ok_or(TokenError::InvalidClient)?, secret)
        }
        (None, None, Some(assertion)) => by_assertion(provider, form, assertion),
        (None, None, None) => Err(TokenError::InvalidClient),
        _ => Err(TokenError::InvalidRequest("the client authenticates in more than one way")),
    }
}

fn by_secret<'a>(
    provider: &'a DemoProvider,
    id: &str,
    secret: &str,
) -> Result<&'a RegisteredClient, TokenError> {
    let client = provider.client(id).ok_or(TokenError::InvalidClient)?;
    match &client.authentication {
        ClientAuthentication::Secret(known)
            if bool::from(known.expose_secret().as_bytes().ct_eq(secret.as_bytes())) =>
        {
            Ok(client)
        }
        _ => Err(TokenError::InvalidClient),
    }
}

/// `private_key_jwt`.
fn by_assertion<'a>(
    provider: &'a DemoProvider,
    form: &TokenForm,
    assertion: &str,
) -> Result<&'a RegisteredClient, TokenError> {
    if form.client_assertion_type.as_deref() != Some(ASSERTION_TYPE) {
        return Err(TokenError::InvalidClient);
    }
    let unverified =
        UnverifiedJws::parse(assertion, &CLIENT_ASSERTION).map_err(|_| TokenError::InvalidClient)?;
    let client = unverified
        .claimed_issuer()
        .and_then(|issuer| provider.client(issuer))
        .filter(|client| form.client_id.as_ref().is_none_or(|named| *named == client.client_id))
        .ok_or(TokenError::InvalidClient)?;
    let ClientAuthentication::Keys(keys) = &client.authentication else {
        return Err(TokenError::InvalidClient);
    };
    let claims = verified_assertion(provider, unverified, keys).ok_or(TokenError::InvalidClient)?;
    if claims.iss != client.client_id || claims.sub != client.client_id {
        return Err(TokenError::InvalidClient);
    }
    // An assertion is used once.
    let now = provider.now();
    let until = crate::domain::clock::Timestamp::from_secs(claims.exp).plus_secs(120);
    let name = format!("{} {}", claims.iss, claims.jti);
    let mut memory = provider.memory();
    if memory.client_assertions.get(now, &name).is_some() {
        return Err(TokenError::InvalidClient);
    }
    memory.client_assertions.insert(now, name, until, ());
    Ok(client)
}

fn verified_assertion(
    provider: &DemoProvider,
    unverified: UnverifiedJws,
    keys: &PublicKeys,
) -> Option<Assertion> {
    let claims: Assertion = unverified.verify_with(keys).ok()?.into_claims();
    let ours = [provider.0.issuer.clone(), provider.endpoint("/token")];
    let for_us = match &claims.aud {
        Audience::One(one) => ours.contains(one),
        Audience::Many(many) => many.iter().any(|one| ours.contains(one)),
    };
    let now = provider.now();
    jose::check_times(now, claims.iat, claims.nbf, Some(claims.exp)).ok()?;
    // A long-lived assertion could be stored and used by someone else.
    (for_us && claims.exp <= now.plus_secs(600).secs()).then_some(claims)
}
