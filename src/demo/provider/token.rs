//! The token endpoint (OpenID Connect Core 1.0 §3.1.3) and the UserInfo endpoint (§5.3).

use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, WWW_AUTHENTICATE};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};
use subtle::ConstantTimeEq;

use super::token_request::{TokenError, TokenForm};
use super::{ACCESS_SECS, Code, DemoProvider, Grant, client};
use crate::domain::jose;

/// `POST /token`.
pub(super) async fn token(
    provider: web::Data<DemoProvider>,
    http: HttpRequest,
    form: Result<web::Form<TokenForm>, actix_web::Error>,
) -> HttpResponse {
    let Ok(form) = form else {
        return TokenError::InvalidRequest("the body is not the form of a token request").response();
    };
    let answer = client::authenticate(&provider, http.headers(), &form)
        .and_then(|client| redeem(&provider, &client.client_id, &form))
        .and_then(|grant| answer(&provider, grant));
    match answer {
        Ok(body) => HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(body),
        Err(error) => error.response(),
    }
}

/// Redeems a code, once.
fn redeem(provider: &DemoProvider, client_id: &str, form: &TokenForm) -> Result<Grant, TokenError> {
    if form.grant_type.as_deref() != Some("authorization_code") {
        return Err(TokenError::UnsupportedGrantType);
    }
    let code = form.code.as_deref().ok_or(TokenError::InvalidRequest("code is missing"))?;
    let verifier =
        form.code_verifier.as_deref().ok_or(TokenError::InvalidRequest("code_verifier is missing"))?;
    let now = provider.now();
    let mut memory = provider.memory();
    let Some(Code { grant, used }) = memory.codes.get_mut(now, code) else {
        return Err(TokenError::InvalidGrant("the code is unknown or has expired"));
    };
    if grant.request.client_id != client_id {
        return Err(TokenError::InvalidGrant("the code is unknown or has expired"));
    }
    let grant = grant.clone();
    if std::mem::replace(used, true) {
        // The code was seen by someone else: its access token is revoked (RFC 6749 §4.1.2).
        memory.access_tokens.retain(|other| other.id != grant.id);
        return Err(TokenError::InvalidGrant("the code has been used"));
    }
    if form.redirect_uri.as_deref() != Some(grant.request.redirect_uri.as_str()) {
        return Err(TokenError::InvalidGrant("redirect_uri is not the one of the authorization request"));
    }
    let challenge = jose::b64url(&jose::sha256(verifier.as_bytes()));
    let fits = bool::from(challenge.as_bytes().ct_eq(grant.request.code_challenge.as_bytes()));
    if !(43..=128).contains(&verifier.len()) || !fits {
        return Err(TokenError::InvalidGrant("code_verifier does not fit"));
    }
    Ok(grant)
}

fn answer(provider: &DemoProvider, grant: Grant) -> Result<Value, TokenError> {
    let now = provider.now();
    let mut claims = person_claims(provider, &grant).ok_or(TokenError::InvalidGrant("the person is gone"))?;
    let more = json!({
        "iss": provider.0.issuer,
        "aud": grant.request.client_id,
        "iat": now.secs(),
        "exp": now.plus_secs(ACCESS_SECS).secs(),
        "auth_time": grant.auth_time.secs(),
        "acr": grant.acr,
        "amr": ["user"],
    });
    if let Value::Object(more) = more {
        claims.extend(more);
    }
    if let Some(nonce) = &grant.request.nonce {
        claims.insert("nonce".to_owned(), json!(nonce));
    }
    let id_token = provider.0.key.sign(jose::PLAIN_JWT, &claims).map_err(|_| TokenError::ServerError)?;
    let access_token = provider.secret();
    provider.memory().access_tokens.insert(now, access_token.clone(), now.plus_secs(ACCESS_SECS), grant);
    Ok(json!({
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": ACCESS_SECS,
        "scope": "openid profile",
        "id_token": id_token,
    }))
}

/// The claims about the person, the same in the ID token and at UserInfo.
fn person_claims(provider: &DemoProvider, grant: &Grant) -> Option<Map<String, Value>> {
    let resident = provider.resident(&grant.username)?;
    let seed = format!("{} {}", provider.0.issuer, resident.username);
    let mut claims = Map::new();
    claims.insert("sub".to_owned(), json!(jose::b64url(&jose::sha256(seed.as_bytes()))));
    claims.insert("name".to_owned(), json!(resident.name));
    claims.insert(provider.0.config.identifier_claim.clone(), json!(resident.identifier.reveal()));
    Some(claims)
}

/// `GET` and `POST /userinfo`.
pub(super) async fn userinfo(provider: web::Data<DemoProvider>, http: HttpRequest) -> HttpResponse {
    let claims = http
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .and_then(|token| provider.memory().access_tokens.get(provider.now(), token).cloned())
        .and_then(|grant| person_claims(&provider, &grant));
    match claims {
        Some(claims) => HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(claims),
        None => HttpResponse::Unauthorized()
            .insert_header((WWW_AUTHENTICATE, "Bearer error=\"invalid_token\""))
            .insert_header((CACHE_CONTROL, "no-store"))
            .finish(),
    }
}
