//! Problems as HTTP (RFC 9457), mapped here and nowhere else.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

use super::trace;
use crate::node::{Problem, ProblemKind};

/// Seconds after which a caller may try again what cannot be done now.
pub const RETRY_AFTER_SECS: &str = "5";

/// The HTTP status of a kind of problem.
#[must_use]
pub const fn status(kind: ProblemKind) -> StatusCode {
    match kind {
        ProblemKind::BadRequest => StatusCode::BAD_REQUEST,
        ProblemKind::Unauthenticated | ProblemKind::SessionEnded => StatusCode::UNAUTHORIZED,
        ProblemKind::ForeignForm | ProblemKind::WrongPerson => StatusCode::FORBIDDEN,
        ProblemKind::NotFound => StatusCode::NOT_FOUND,
        ProblemKind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ProblemKind::Changed | ProblemKind::ConsentNotInForce | ProblemKind::ConsentPending => {
            StatusCode::CONFLICT
        }
        ProblemKind::BeyondDeclaredUse => StatusCode::UNPROCESSABLE_ENTITY,
        ProblemKind::PeerNotTrusted | ProblemKind::HolderRefused | ProblemKind::AnswerNotTrusted => {
            StatusCode::BAD_GATEWAY
        }
        ProblemKind::LoginFailed => StatusCode::BAD_REQUEST,
        ProblemKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ProblemKind::PeerUnavailable
        | ProblemKind::RegisterUnavailable
        | ProblemKind::ProviderUnavailable
        | ProblemKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ProblemKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The short title of a kind of problem, in English: for developers. Residents get pages.
#[must_use]
pub const fn title(kind: ProblemKind) -> &'static str {
    match kind {
        ProblemKind::BadRequest => "The request is malformed",
        ProblemKind::Unauthenticated => "No valid credentials",
        ProblemKind::ForeignForm => "The form did not come from this site",
        ProblemKind::NotFound => "No such thing here",
        ProblemKind::MethodNotAllowed => "The method is not offered here",
        ProblemKind::Changed => "It has changed since it was shown",
        ProblemKind::ConsentNotInForce => "The permission is not in force",
        ProblemKind::ConsentPending => "The resident has not decided yet",
        ProblemKind::BeyondDeclaredUse => "Beyond the declared use",
        ProblemKind::PeerNotTrusted => "The other node is not a trusted member",
        ProblemKind::PeerUnavailable => "The other node does not answer",
        ProblemKind::HolderRefused => "The holder refused",
        ProblemKind::AnswerNotTrusted => "The other node's answer does not hold",
        ProblemKind::RegisterUnavailable => "The register does not answer",
        ProblemKind::ProviderUnavailable => "The login provider does not answer",
        ProblemKind::LoginFailed => "The login did not succeed",
        ProblemKind::SessionEnded => "The session has ended",
        ProblemKind::WrongPerson => "Another person is expected",
        ProblemKind::TooLarge => "The request is too large",
        ProblemKind::Unavailable => "Not possible now",
        ProblemKind::Internal => "A mistake of this node's",
    }
}

/// What the caller does next, in English.
#[must_use]
pub const fn next_step(kind: ProblemKind) -> &'static str {
    match kind {
        ProblemKind::BadRequest | ProblemKind::BeyondDeclaredUse => "Correct the request as the detail says.",
        ProblemKind::Unauthenticated => "Get a token with client credentials and send it as Bearer.",
        ProblemKind::ForeignForm => "Open the page again and send the form from there.",
        ProblemKind::NotFound => "Check the address and whether it is yours.",
        ProblemKind::MethodNotAllowed => "Use the documented method.",
        ProblemKind::Changed => "Open the page again and decide on what it shows now.",
        ProblemKind::ConsentNotInForce | ProblemKind::HolderRefused => {
            "Stop using the permission. Ask the resident anew if the service still needs the data."
        }
        ProblemKind::ConsentPending => "Wait for the resident, or send them to the start address.",
        ProblemKind::PeerNotTrusted => "Check the entity identifier; ask the federation's operator.",
        ProblemKind::PeerUnavailable
        | ProblemKind::RegisterUnavailable
        | ProblemKind::ProviderUnavailable
        | ProblemKind::Unavailable => "Try again after Retry-After. Nothing was sent.",
        ProblemKind::AnswerNotTrusted => "Nothing of the answer was used. Tell both cities' operators the trace.",
        ProblemKind::LoginFailed | ProblemKind::SessionEnded => "Log in again.",
        ProblemKind::WrongPerson => "Log out and log in as the person whom the service expects.",
        ProblemKind::TooLarge => "Send less.",
        ProblemKind::Internal => "Tell the operator the trace.",
    }
}

/// A `problem+json` body.
#[derive(Debug, Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    side: &'static str,
    next: &'static str,
    trace: String,
}

/// A problem on its way out as `problem+json`; `?` turns a use case's problem into it.
#[derive(Debug)]
pub struct HttpProblem(pub Problem);

impl From<Problem> for HttpProblem {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<ProblemKind> for HttpProblem {
    fn from(kind: ProblemKind) -> Self {
        Self(Problem::new(kind))
    }
}

impl std::fmt::Display for HttpProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl ResponseError for HttpProblem {
    fn status_code(&self) -> StatusCode {
        status(self.0.kind)
    }

    fn error_response(&self) -> HttpResponse {
        log(&self.0);
        respond(self.0.kind, self.0.detail.as_deref())
    }
}

/// Writes a problem to the log, with its cause and trace.
pub fn log(problem: &Problem) {
    let status = status(problem.kind);
    let (kind, cause, trace) = (problem.kind.slug(), problem.cause.as_deref(), trace::current());
    if status.is_server_error() {
        tracing::warn!(kind, cause, trace, "problem");
    } else {
        tracing::info!(kind, cause, trace, "problem");
    }
}

/// The `problem+json` answer of a kind. The `type` is relative to the node, which serves it as a page.
#[must_use]
pub fn respond(kind: ProblemKind, detail: Option<&str>) -> HttpResponse {
    let status = status(kind);
    let body = Body {
        kind: format!("/problems/{}", kind.slug()),
        title: title(kind),
        status: status.as_u16(),
        detail,
        side: kind.side().as_str(),
        next: next_step(kind),
        trace: trace::current(),
    };
    let mut response = HttpResponse::build(status);
    response
        .insert_header((header::CONTENT_TYPE, "application/problem+json"))
        .insert_header((header::CACHE_CONTROL, "no-store"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.insert_header((header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECS)));
    }
    if status == StatusCode::UNAUTHORIZED {
        response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
    }
    response.body(serde_json::to_string(&body).unwrap_or_default())
}
