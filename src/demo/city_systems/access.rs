//! Bearer tokens (RFC 6750) and their refusals.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, HeaderMap, WWW_AUTHENTICATE};
use serde_json::json;

/// The bearer token of a request; `None` without exactly one.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut found = headers.get_all(AUTHORIZATION);
    let (Some(header), None) = (found.next(), found.next()) else { return None };
    let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// Why a request is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No token, or none that this system knows.
    InvalidToken,
    /// A token that may not read this.
    InsufficientScope,
    /// Not a request of the expected form.
    BadRequest(&'static str),
    /// A page after the last one.
    NoSuchPage,
}

impl Refusal {
    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::InvalidToken => StatusCode::UNAUTHORIZED,
            Self::InsufficientScope => StatusCode::FORBIDDEN,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::NoSuchPage => StatusCode::NOT_FOUND,
        }
    }

    /// As the `error` of RFC 6750 §3.1.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::BadRequest(_) => "invalid_request",
            Self::NoSuchPage => "no_such_page",
        }
    }

    pub(super) const fn message(self) -> &'static str {
        match self {
            Self::InvalidToken => "the request has no token, or one that is unknown or has ended",
            Self::InsufficientScope => "the token may not read this",
            Self::BadRequest(why) => why,
            Self::NoSuchPage => "there are fewer pages",
        }
    }

    /// A response with this body.
    pub(super) fn with(self, body: serde_json::Value) -> HttpResponse {
        let mut response = HttpResponse::build(self.status());
        response.insert_header((CACHE_CONTROL, "no-store"));
        if matches!(self, Self::InvalidToken | Self::InsufficientScope) {
            let challenge = format!("Bearer realm=\"city systems of the demo\", error=\"{}\"", self.code());
            response.insert_header((WWW_AUTHENTICATE, challenge));
        }
        response.json(body)
    }

    /// In the youth services' form.
    pub(super) fn response(self) -> HttpResponse {
        self.with(json!({"error": self.code(), "message": self.message()}))
    }
}
