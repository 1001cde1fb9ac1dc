//! Problems as HTTP (RFC 9457), mapped here and nowhere else.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

use super::portal::views::{FailingSide, ProblemTopic};
use super::trace;
use crate::node::{Problem, ProblemKind};

/// Seconds after which a caller may try again what cannot be done now.
pub const RETRY_AFTER_SECS: &str = "5";

/// The public type of a kind of problem: each has a page at `/problems/{slug}`.
#[must_use]
pub const fn topic(kind: ProblemKind) -> ProblemTopic {
    match kind {
        ProblemKind::BadRequest | ProblemKind::MethodNotAllowed => ProblemTopic::InvalidRequest,
        ProblemKind::Unauthenticated
        | ProblemKind::SessionEnded
        | ProblemKind::LoginFailed
        | ProblemKind::LoginCancelled
        | ProblemKind::LoginTooWeak
        | ProblemKind::LoginNoIdentifier
        | ProblemKind::PasskeyNeeded
        | ProblemKind::PasskeyRefused => ProblemTopic::NotAuthenticated,
        ProblemKind::ForeignForm | ProblemKind::WrongPerson => ProblemTopic::NotAllowed,
        ProblemKind::NotFound => ProblemTopic::NotFound,
        ProblemKind::Changed => ProblemTopic::Conflict,
        ProblemKind::ConsentNotInForce => ProblemTopic::PermissionEnded,
        ProblemKind::ConsentSuspended => ProblemTopic::PermissionSuspended,
        ProblemKind::TooOften => ProblemTopic::TooManyRequests,
        ProblemKind::ConsentPending => ProblemTopic::PermissionWaiting,
        ProblemKind::ConsentDeclined => ProblemTopic::PermissionDeclined,
        ProblemKind::ConfirmationNeeded => ProblemTopic::ConfirmationNeeded,
        ProblemKind::BeyondDeclaredUse => ProblemTopic::UseNotDeclared,
        ProblemKind::PeerNotTrusted => ProblemTopic::NotMember,
        ProblemKind::PeerUnavailable => ProblemTopic::HolderUnavailable,
        ProblemKind::HolderRefused => ProblemTopic::ExchangeRefused,
        ProblemKind::AnswerNotTrusted => ProblemTopic::AnswerRefused,
        ProblemKind::RegisterUnavailable => ProblemTopic::RegisterUnavailable,
        ProblemKind::ProviderUnavailable => ProblemTopic::ProviderUnavailable,
        ProblemKind::TooLarge => ProblemTopic::TooLarge,
        ProblemKind::Unavailable => ProblemTopic::Unavailable,
        ProblemKind::Internal => ProblemTopic::Internal,
    }
}

/// The HTTP status of a kind of problem.
#[must_use]
pub fn status(kind: ProblemKind) -> StatusCode {
    match kind {
        ProblemKind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        other => StatusCode::from_u16(topic(other).status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// The word for the side that failed.
#[must_use]
pub const fn side(topic: ProblemTopic) -> &'static str {
    match topic.side() {
        FailingSide::Caller => "caller",
        FailingSide::Resident => "resident",
        FailingSide::Recipient => "recipient",
        FailingSide::Holder => "holder",
        FailingSide::Register => "register",
        FailingSide::Provider => "provider",
        FailingSide::Node => "node",
    }
}

/// The short title of a type of problem, in English: for developers. Residents get pages.
#[must_use]
pub const fn title(topic: ProblemTopic) -> &'static str {
    match topic {
        ProblemTopic::InvalidRequest => "The request is malformed",
        ProblemTopic::NotAuthenticated => "No valid credentials",
        ProblemTopic::NotAllowed => "Not allowed",
        ProblemTopic::NotFound => "No such thing here, or not yours",
        ProblemTopic::Conflict => "It has changed since it was shown",
        ProblemTopic::TooLarge => "The request is too large",
        ProblemTopic::TooManyRequests => "Too many requests",
        ProblemTopic::PermissionWaiting => "The resident has not decided yet",
        ProblemTopic::PermissionDeclined => "The resident did not give the permission",
        ProblemTopic::PermissionSuspended => "The permission is paused",
        ProblemTopic::PermissionEnded => "The permission has ended",
        ProblemTopic::ConfirmationNeeded => "The resident must confirm again",
        ProblemTopic::UseNotDeclared => "Beyond the declared use",
        ProblemTopic::NotMember => "The other node is not a trusted member",
        ProblemTopic::ExchangeRefused => "The holder refused",
        ProblemTopic::AnswerRefused => "The other node's answer does not hold",
        ProblemTopic::HolderUnavailable => "The other node does not answer",
        ProblemTopic::RegisterUnavailable => "The register does not answer",
        ProblemTopic::ProviderUnavailable => "The login provider does not answer",
        ProblemTopic::Unavailable => "Not possible now",
        ProblemTopic::Internal => "A mistake of this node's",
    }
}

/// What the caller does next, in English.
#[must_use]
pub const fn next_step(topic: ProblemTopic) -> &'static str {
    match topic {
        ProblemTopic::InvalidRequest | ProblemTopic::UseNotDeclared => {
            "Correct the request as the detail says."
        }
        ProblemTopic::NotAuthenticated => "Get a token with client credentials and send it as Bearer.",
        ProblemTopic::NotAllowed => "Send only what was allowed, from where it was allowed.",
        ProblemTopic::NotFound => "Check the address and whether it is yours.",
        ProblemTopic::Conflict => "Read it again and decide on what it says now.",
        ProblemTopic::TooLarge => "Send less.",
        ProblemTopic::TooManyRequests => "Wait as long as Retry-After says.",
        ProblemTopic::PermissionWaiting => "Wait for the resident, or send them to the start address.",
        ProblemTopic::PermissionSuspended => "Wait until it goes on; its state says so. Nothing was sent.",
        ProblemTopic::PermissionDeclined | ProblemTopic::PermissionEnded | ProblemTopic::ExchangeRefused => {
            "Stop using the permission. Ask the resident anew if the service still needs the data."
        }
        ProblemTopic::ConfirmationNeeded => {
            "Ask the resident anew: the city that holds the data demands a stronger or fresher confirmation."
        }
        ProblemTopic::NotMember => "Check the entity identifier; ask the federation's operator.",
        ProblemTopic::AnswerRefused => {
            "Nothing of the answer was used. Tell both cities' operators the trace."
        }
        ProblemTopic::HolderUnavailable
        | ProblemTopic::RegisterUnavailable
        | ProblemTopic::ProviderUnavailable
        | ProblemTopic::Unavailable => "Try again after Retry-After. Nothing was sent.",
        ProblemTopic::Internal => "Tell the operator the trace.",
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
        let mut response = respond(self.0.kind, self.0.detail.as_deref());
        if let Some(secs) = self.0.retry_secs {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(secs.max(1)));
        }
        response
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
    let (status, topic) = (status(kind), topic(kind));
    let body = Body {
        kind: format!("/problems/{}", topic.slug()),
        title: title(topic),
        status: status.as_u16(),
        detail,
        side: side(topic),
        next: next_step(topic),
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
