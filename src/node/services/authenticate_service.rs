//! Authentication of a city's own service: client credentials (RFC 6749 §4.4) for a short-lived token, and the token on
//! every call.

use subtle::{Choice, ConstantTimeEq};

use super::guess_limit::Wrong;
use crate::domain::jose::sha256;
use crate::domain::token::service_token;
use crate::node::{KeyPurpose, Node, OAuthCode, OAuthError, Problem, ProblemKind, Service};

/// Issues a token to a service that presents one of its secrets. `address` is the client's address.
///
/// # Errors
/// [`OAuthError`] `invalid_client`: an unknown service and a wrong secret are not distinguished, by timing either.
/// After too many wrong secrets from one address, a correct one is refused from there for a while.
pub(crate) fn issue(
    node: &Node,
    service: &str,
    secret: &str,
    address: &str,
) -> Result<(String, i64), OAuthError> {
    let now = node.now();
    if node.service_guesses.wait_secs(service, address, now).is_some() {
        return Err(OAuthError::new(OAuthCode::TooManyRequests, "too many wrong secrets: wait a minute"));
    }
    let known = service.parse().ok().and_then(|id| node.settings.service(&id));
    let given = sha256(secret.as_bytes());
    // Every hash is compared, so that the timing does not reveal which one matches.
    let expected = known.map_or(UNKNOWN.as_slice(), |service| service.secret_hashes.as_slice());
    let equal = expected.iter().fold(Choice::from(0), |any, hash| any | given.ct_eq(hash));
    let (Some(known), true) = (known, bool::from(equal)) else {
        if node.service_guesses.count(service, address, now) == Wrong::LimitReached {
            tracing::warn!(
                event = "service_secret_guessed", service = %named(known), address,
                "too many wrong secrets for a service from one address: it has to wait"
            );
        }
        return Err(OAuthError::client("unknown service or wrong secret"));
    };
    node.service_guesses.forget(service, address);
    let key = node.keys.active(KeyPurpose::Token)?;
    let secs = node.settings.limits.service_token_secs;
    let token = service_token::sign(&key, &node.settings.id, &known.id, now, secs)?;
    Ok((token, secs))
}

/// The hashes for an unknown service: as many as of a service with two secrets.
const UNKNOWN: [[u8; 32]; 2] = [[0; 32]; 2];

/// A service's name for the log; an unknown one is not logged.
fn named(known: Option<&Service>) -> &str {
    known.map_or("unknown", |service| service.id.as_str())
}

/// The service of a token.
///
/// # Errors
/// [`Problem`] `unauthenticated`.
pub(crate) fn verify<'a>(node: &'a Node, token: &str) -> Result<&'a Service, Problem> {
    let keys = node.keys.verifying(KeyPurpose::Token);
    let id = service_token::verify(token, &keys, &node.settings.id, node.now())
        .map_err(|error| Problem::because(ProblemKind::Unauthenticated, error))?;
    node.settings.service(&id).ok_or(Problem::new(ProblemKind::Unauthenticated))
}
