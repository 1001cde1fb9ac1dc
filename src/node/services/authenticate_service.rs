//! A city's own service: client credentials (RFC 6749 §4.4) for a short-lived token, and the token on every call.

use subtle::ConstantTimeEq;

use crate::domain::jose::sha256;
use crate::domain::token::service_token;
use crate::node::{KeyPurpose, Node, OAuthError, Problem, ProblemKind, Service};

/// Issues a token to a service that shows its secret.
///
/// # Errors
/// [`OAuthError`] `invalid_client`: an unknown service and a wrong secret look alike, in time too.
pub fn issue(node: &Node, service: &str, secret: &str) -> Result<(String, i64), OAuthError> {
    let known = service.parse().ok().and_then(|id| node.settings.service(&id));
    let expected = known.map_or([0; 32], |service| service.secret_hash);
    let equal = bool::from(sha256(secret.as_bytes()).ct_eq(&expected));
    let (Some(service), true) = (known, equal) else {
        return Err(OAuthError::client("unknown service or wrong secret"));
    };
    let key = node.keys.active(KeyPurpose::Token)?;
    let secs = node.settings.limits.service_token_secs;
    let token = service_token::sign(&key, &node.settings.id, &service.id, node.now(), secs)?;
    Ok((token, secs))
}

/// The service behind a token.
///
/// # Errors
/// [`Problem`] `unauthenticated`.
pub fn verify<'a>(node: &'a Node, token: &str) -> Result<&'a Service, Problem> {
    let keys = node.keys.verifying(KeyPurpose::Token);
    let id = service_token::verify(token, &keys, &node.settings.id, node.now())
        .map_err(|error| Problem::because(ProblemKind::Unauthenticated, error))?;
    node.settings.service(&id).ok_or(Problem::new(ProblemKind::Unauthenticated))
}
