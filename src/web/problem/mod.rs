//! Problems as HTTP (RFC 9457), mapped only here.

mod topic;

use actix_web::error::PayloadError;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

use super::trace;
use crate::node::{Problem, ProblemKind};
pub(crate) use topic::{FailingSide, ProblemTopic};

/// Default `Retry-After` in seconds.
pub(crate) const RETRY_AFTER_SECS: &str = "5";

/// The HTTP status of a kind of problem.
#[must_use]
pub(crate) fn status(kind: ProblemKind) -> StatusCode {
    match kind {
        ProblemKind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        other => StatusCode::from_u16(ProblemTopic::of(other).status())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ItemError>,
}

/// One faulty item of a list.
#[derive(Debug, Serialize)]
struct ItemError {
    /// Its place, from 0.
    index: usize,
    detail: &'static str,
}

/// A `problem+json` response; `?` converts a use case's problem.
#[derive(Debug)]
pub(crate) struct HttpProblem(pub(crate) Problem);

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

impl HttpProblem {
    /// The problem of a body that could not be read.
    #[must_use]
    pub(crate) fn of_body(error: &actix_web::Error) -> Self {
        match error.as_error::<PayloadError>() {
            Some(PayloadError::Overflow) => Self::from(ProblemKind::TooLarge),
            Some(_) => {
                let detail = "the body did not arrive whole and in time";
                Self(Problem::with_detail(ProblemKind::BadRequest, detail))
            }
            None => Self(Problem::because(ProblemKind::BadRequest, error)),
        }
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
        let errors = self.0.items.iter().map(|(index, detail)| ItemError { index: *index, detail }).collect();
        let mut response = answer(self.0.kind, self.0.detail.as_deref(), errors);
        if let Some(secs) = self.0.retry_secs {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(secs.max(1)));
        }
        response
    }
}

/// Writes a problem to the log, with its cause and trace.
pub(crate) fn log(problem: &Problem) {
    let status = status(problem.kind);
    let (kind, cause, trace) = (problem.kind.slug(), problem.cause.as_deref(), trace::current());
    if status.is_server_error() {
        tracing::warn!(event = "request_failed", kind, cause, trace, "the request could not be answered");
    } else {
        tracing::info!(event = "request_refused", kind, cause, trace, "the request was refused");
    }
}

/// The `problem+json` answer of a kind. The `type` is relative to the node, which serves it as a page.
#[must_use]
fn answer(kind: ProblemKind, detail: Option<&str>, errors: Vec<ItemError>) -> HttpResponse {
    let (status, topic) = (status(kind), ProblemTopic::of(kind));
    let body = Body {
        kind: format!("/problems/{}", topic.slug()),
        title: topic.title(),
        status: status.as_u16(),
        detail,
        side: topic.side().as_str(),
        next: topic.next_step(),
        trace: trace::current(),
        errors,
    };
    let mut response = HttpResponse::build(status);
    response.insert_header((header::CONTENT_TYPE, "application/problem+json"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.insert_header((header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECS)));
    }
    if status == StatusCode::UNAUTHORIZED {
        response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
    }
    response.body(serde_json::to_string(&body).unwrap_or_default())
}
