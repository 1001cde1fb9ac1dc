//! The token endpoint of the profiles: client credentials (RFC 6749 §4.4) of one client.

use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, HeaderMap, WWW_AUTHENTICATE};
use actix_web::{HttpRequest, HttpResponse, web};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use super::{AccessToken, CitySystems};
use crate::demo::basic::basic_credentials;

/// How long a token is valid, in seconds.
const TOKEN_SECS: i64 = 300;

/// The form of a token request.
#[derive(Deserialize)]
pub(super) struct TokenForm {
    grant_type: Option<String>,
    scope: Option<String>,
}

/// Why no token is given (RFC 6749 §5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TokenError {
    InvalidRequest,
    InvalidClient,
    UnsupportedGrantType,
    InvalidScope,
}

/// `POST /token`.
pub(super) async fn token(
    systems: web::Data<CitySystems>,
    request: HttpRequest,
    form: Result<web::Form<TokenForm>, actix_web::Error>,
) -> HttpResponse {
    match answer(&systems, request.headers(), form.ok().map(web::Form::into_inner)) {
        Ok(body) => HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(body),
        Err(error) => error.response(),
    }
}

fn answer(systems: &CitySystems, headers: &HeaderMap, form: Option<TokenForm>) -> Result<Value, TokenError> {
    let client = &systems.0.client;
    let (id, secret) = headers
        .get(AUTHORIZATION)
        .and_then(|header| header.to_str().ok())
        .and_then(basic_credentials)
        .ok_or(TokenError::InvalidClient)?;
    let known = systems.0.client_secret.expose_secret().as_bytes();
    if id != client.client_id || !bool::from(known.ct_eq(secret.as_bytes())) {
        return Err(TokenError::InvalidClient);
    }
    let form = form.ok_or(TokenError::InvalidRequest)?;
    match form.grant_type.as_deref() {
        Some("client_credentials") => {}
        Some(_) => return Err(TokenError::UnsupportedGrantType),
        None => return Err(TokenError::InvalidRequest),
    }
    // Without a scope the token is valid, and may read nothing.
    if form.scope.is_some() && form.scope != client.scope {
        return Err(TokenError::InvalidScope);
    }
    let token = systems.0.server.secret::<24>();
    let (now, granted) = (systems.now(), AccessToken { may_query: form.scope.is_some() });
    systems.tokens().insert(now, token.clone(), now.plus_secs(TOKEN_SECS), granted);
    Ok(json!({
        "access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECS, "scope": form.scope.unwrap_or_default(),
    }))
}

impl TokenError {
    fn response(self) -> HttpResponse {
        let (status, error) = match self {
            Self::InvalidRequest => (StatusCode::BAD_REQUEST, "invalid_request"),
            Self::InvalidClient => (StatusCode::UNAUTHORIZED, "invalid_client"),
            Self::UnsupportedGrantType => (StatusCode::BAD_REQUEST, "unsupported_grant_type"),
            Self::InvalidScope => (StatusCode::BAD_REQUEST, "invalid_scope"),
        };
        let mut response = HttpResponse::build(status);
        response.insert_header((CACHE_CONTROL, "no-store"));
        if status == StatusCode::UNAUTHORIZED {
            response.insert_header((WWW_AUTHENTICATE, "Basic realm=\"city systems of the demo\""));
        }
        response.json(json!({"error": error}))
    }
}
