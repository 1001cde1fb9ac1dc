//! OAuth errors as HTTP (RFC 6749 §5.2).

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use serde_json::json;

use crate::node::{OAuthCode, OAuthError};
use crate::web::problem::RETRY_AFTER_SECS;

/// An OAuth error response, with the nonce that the client is to use next.
#[derive(Debug)]
pub(super) struct HttpOAuthError {
    error: OAuthError,
    nonce: Option<String>,
}

impl HttpOAuthError {
    pub(super) fn with_nonce(error: OAuthError, nonce: String) -> Self {
        Self { error, nonce: Some(nonce) }
    }
}

impl From<OAuthError> for HttpOAuthError {
    fn from(error: OAuthError) -> Self {
        Self { error, nonce: None }
    }
}

impl std::fmt::Display for HttpOAuthError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.error.fmt(f)
    }
}

impl ResponseError for HttpOAuthError {
    fn status_code(&self) -> StatusCode {
        match self.error.code {
            OAuthCode::InvalidClient => StatusCode::UNAUTHORIZED,
            OAuthCode::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            OAuthCode::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            OAuthCode::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
            OAuthCode::InvalidRequest
            | OAuthCode::InvalidGrant
            | OAuthCode::UnsupportedGrantType
            | OAuthCode::UnsupportedResponseType
            | OAuthCode::InvalidAuthorizationDetails
            | OAuthCode::InvalidScope
            | OAuthCode::InvalidTarget
            | OAuthCode::InvalidGrantId
            | OAuthCode::InvalidDpopProof
            | OAuthCode::UseDpopNonce
            | OAuthCode::UnmetAuthenticationRequirements => StatusCode::BAD_REQUEST,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        let mut response = HttpResponse::build(status);
        if let Some(nonce) = &self.nonce {
            response.insert_header(("DPoP-Nonce", nonce.as_str()));
        }
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            response.insert_header((header::RETRY_AFTER, RETRY_AFTER_SECS));
        }
        response.json(json!({"error": self.error.code.as_str(), "error_description": self.error.description}))
    }
}
