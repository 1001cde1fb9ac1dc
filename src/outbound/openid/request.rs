//! The authorization request (OpenID Connect Core 1.0 §3.1.2.1) as openidconnect builds it, plain or as a signed request
//! object (RFC 9101).

use openidconnect::core::{CoreAuthPrompt, CoreAuthenticationFlow};
use openidconnect::{
    AuthenticationContextClass, CsrfToken, LanguageTag, Nonce, PkceCodeChallenge, PkceCodeVerifier, Scope,
};
use serde_json::{Map, Value, json};
use url::Url;

use super::client::FlowClient;
use super::settings::{AssuranceRequest, OpenIdSettings};
use crate::domain::clock::Timestamp;
use crate::domain::login::LoginStart;

/// How long a request object is valid, in seconds: the redirect takes a moment.
const REQUEST_OBJECT_SECS: i64 = 300;

/// Media type of a request object in its `typ` (RFC 9101 §4).
pub(crate) const REQUEST_OBJECT_TYPE: &str = "oauth-authz-req+jwt";

/// Parameters that are repeated beside a request object, as OpenID Connect requires (Core 1.0 §6.1).
const BESIDE_REQUEST_OBJECT: [&str; 3] = ["response_type", "client_id", "scope"];

/// The address with all parameters of the request.
pub(crate) fn address(
    client: &FlowClient,
    settings: &OpenIdSettings,
    takes_claims: bool,
    start: &LoginStart,
) -> Url {
    let (state, nonce) = (start.state.clone(), start.nonce.clone());
    let verifier = PkceCodeVerifier::new(start.code_verifier.clone());
    let mut request = client
        .authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            move || CsrfToken::new(state),
            move || Nonce::new(nonce),
        )
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
        .add_scopes(settings.scopes.iter().map(|scope| Scope::new(scope.clone())))
        .add_ui_locale(LanguageTag::new(start.language.tag().to_owned()));
    let levels: Vec<&str> = start.acr.iter().flat_map(|values| values.split(' ')).collect();
    let by_claim = takes_claims && settings.assurance_request == AssuranceRequest::EssentialClaim;
    // `acr_values` is a preference that a live session need not fulfil. A requirement is an essential claim (OpenID
    // Connect Core 1.0 §5.5.1.1), never combined with `acr_values`, because the standard leaves the combination
    // undefined. If it cannot be required, a login is requested even in a live session.
    if by_claim && !levels.is_empty() {
        let claims = json!({"id_token": {"acr": {"essential": true, "values": levels}}});
        request = request.add_extra_param("claims", claims.to_string());
    } else {
        for level in levels {
            request = request.add_auth_context_value(AuthenticationContextClass::new(level.to_owned()));
        }
        if start.step_up {
            request = request.add_prompt(CoreAuthPrompt::Login);
        }
    }
    if let Some(max_age) = start.max_age {
        request = request.set_max_age(std::time::Duration::from_secs(u64::from(max_age)));
    }
    request.url().0
}

/// Audience and issuer of a request object.
pub(crate) struct RequestObject<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) client_id: &'a str,
    /// Names this one object.
    pub(crate) id: &'a str,
    pub(crate) now: Timestamp,
}

impl RequestObject<'_> {
    /// The claims of the request object with the content of the plain address: all its parameters, audience, issuer and
    /// expiry (RFC 9101 §4).
    pub(crate) fn claims(&self, endpoint: &Url, plain: &Url) -> Value {
        let mut claims = Map::new();
        for (name, value) in parameters(endpoint, plain) {
            // In a request object these are JSON, not text (OpenID Connect Core 1.0 §6.1).
            let value = match name.as_str() {
                "max_age" | "claims" => serde_json::from_str(&value).unwrap_or_else(|_| json!(value)),
                _ => json!(value),
            };
            claims.insert(name, value);
        }
        for (name, value) in [
            ("iss", json!(self.client_id)),
            ("aud", json!(self.issuer)),
            ("iat", json!(self.now.secs())),
            ("nbf", json!(self.now.secs())),
            ("exp", json!(self.now.plus_secs(REQUEST_OBJECT_SECS).secs())),
            ("jti", json!(self.id)),
        ] {
            claims.insert(name.to_owned(), value);
        }
        Value::Object(claims)
    }
}

/// The redirect address with the signed request object.
pub(crate) fn signed_address(endpoint: &Url, plain: &Url, object: &str) -> Url {
    let mut address = endpoint.clone();
    {
        let mut query = address.query_pairs_mut();
        for (name, value) in parameters(endpoint, plain) {
            if BESIDE_REQUEST_OBJECT.contains(&name.as_str()) {
                query.append_pair(&name, &value);
            }
        }
        query.append_pair("request", object);
    }
    address
}

/// The parameters of the request, without those in the provider's endpoint URL.
fn parameters(endpoint: &Url, plain: &Url) -> Vec<(String, String)> {
    plain.query_pairs().into_owned().skip(endpoint.query_pairs().count()).collect()
}
