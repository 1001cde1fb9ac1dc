//! Errors of the portal's handlers, and the one place where they become pages.

use std::sync::Arc;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest, HttpResponse, ResponseError, web};

use super::language::language;
use super::page_error::{ErrorView, PageError};
use super::reply::{self, Look, see_other};
use crate::node::Problem;
use crate::web::extract::is_own_path;
use crate::web::html::chrome::{login_href, passkey_href};
use crate::web::html::frame::render;
use crate::web::problem::{self, HttpProblem};
use crate::web::session::Visitor;
use crate::web::{App, trace};

/// Why a handler returns no page. [`middleware`] writes the error page.
#[derive(Debug)]
pub(crate) enum PageFailure {
    /// A use case's problem: its cause is logged, the resident reads what happened and what to do.
    Problem(Problem),
    /// A specific error page, if the problem's kind says too little.
    Page(PageError),
    /// The session has ended, and what was chosen in a decision is kept until the login.
    ChoicesKept,
    /// Nobody has logged in: the address of the login.
    LogIn(String),
}

impl From<Problem> for PageFailure {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<HttpProblem> for PageFailure {
    fn from(problem: HttpProblem) -> Self {
        Self::Problem(problem.0)
    }
}

impl From<PageError> for PageFailure {
    fn from(error: PageError) -> Self {
        Self::Page(error)
    }
}

impl std::fmt::Display for PageFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl PageFailure {
    fn error(&self) -> Option<PageError> {
        match self {
            Self::Problem(problem) => Some(PageError::from(problem.kind)),
            Self::Page(error) => Some(*error),
            Self::ChoicesKept => Some(PageError::SessionEnded),
            Self::LogIn(_) => None,
        }
    }
}

impl ResponseError for PageFailure {
    fn status_code(&self) -> StatusCode {
        self.error().map_or(StatusCode::SEE_OTHER, status)
    }

    /// Without a body: [`middleware`], which knows the session, writes it.
    fn error_response(&self) -> HttpResponse {
        match self {
            Self::LogIn(address) => see_other(address),
            Self::Problem(problem) => {
                problem::log(problem);
                HttpResponse::build(self.status_code()).finish()
            }
            Self::Page(_) | Self::ChoicesKept => HttpResponse::build(self.status_code()).finish(),
        }
    }
}

fn status(error: PageError) -> StatusCode {
    StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Writes the page for an error of a handler or an extractor.
///
/// # Errors
/// The inner service's result.
pub(crate) async fn middleware<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let response = next.call(request).await?;
    let page = response.response().error().and_then(|error| {
        let kept = matches!(error.as_error(), Some(PageFailure::ChoicesKept));
        let told = error.as_error::<PageFailure>().map(PageFailure::error);
        let told = told.or_else(|| {
            let problem = error.as_error::<HttpProblem>()?;
            Some(Some(PageError::from(problem.0.kind)))
        })?;
        let mut page = error_page(response.request(), told?, kept)?;
        // A problem's own status and headers are more specific than the page's.
        let told = response.response();
        page.head_mut().status = told.status();
        if let Some(methods) = told.headers().get(header::ALLOW) {
            page.headers_mut().insert(header::ALLOW, methods.clone());
        }
        Some(page)
    });
    Ok(match page {
        Some(page) => response.into_response(page).map_into_right_body(),
        None => response.map_into_left_body(),
    })
}

fn error_page(request: &HttpRequest, error: PageError, choices_kept: bool) -> Option<HttpResponse> {
    let app = request.app_data::<web::Data<App>>()?;
    let decision = request.path().strip_suffix("/passkey").unwrap_or(request.path());
    let ended = matches!(error, PageError::SessionEnded);
    // The language links of an error page lead to the front page: this address may have effects when opened again.
    let path = if ended { page_of_form(app, request, choices_kept) } else { "/".to_owned() };
    let view = ErrorView {
        error,
        retry: retry(request, error),
        log_in: ended.then(|| login_href(&path)),
        choices_kept,
        permission: permission_page(request.path()).filter(|_| is_about_permission(error)),
        add_passkey: (error == PageError::PasskeyNeeded).then(|| passkey_href(decision)),
        trace_id: Some(trace::current()).filter(|id| !id.is_empty()),
    };
    let visitor = Visitor::of(request, Arc::clone(&app.node));
    let chrome = reply::chrome(app, &visitor, path.clone()).unwrap_or_else(|_| reply::bare_chrome(app, path));
    let language = language(request);
    let text = render(&view, language, &chrome).ok()?;
    let status = status(error);
    let mut response = reply::html(app, language, text, &Look { status, ..Look::default() });
    if status == StatusCode::SERVICE_UNAVAILABLE {
        let secs = header::HeaderValue::from_static(problem::RETRY_AFTER_SECS);
        response.headers_mut().insert(header::RETRY_AFTER, secs);
    }
    Some(response)
}

/// Whether the permission's own page says more.
const fn is_about_permission(error: PageError) -> bool {
    matches!(error, PageError::StopUnknown | PageError::OutcomeUnknown | PageError::PermissionEnded)
}

/// The page of the permission that is stopped, paused or resumed at a path.
fn permission_page(path: &str) -> Option<String> {
    let permission = ["/stop", "/pause", "/resume"].into_iter().find_map(|end| path.strip_suffix(end))?;
    permission.starts_with("/me/sharing/").then(|| permission.to_owned())
}

/// The page of the form that was sent, if the browser reports it (our pages allow that by their Referrer-Policy); of a
/// page that was opened, itself.
fn page_of_form(app: &App, request: &HttpRequest, is_decision: bool) -> String {
    // The decision's form posts to its page's own address.
    if is_decision || reply::is_safe(request.method()) {
        return reply::path(request);
    }
    let referrer = request.headers().get(header::REFERER).and_then(|value| value.to_str().ok());
    referrer
        .and_then(|address| address.strip_prefix(app.node.settings.id.as_str()))
        .filter(|path| is_own_path(path))
        .map_or_else(|| "/me".to_owned(), str::to_owned)
}

/// The address for a retry, if a retry makes sense.
fn retry(request: &HttpRequest, error: PageError) -> Option<String> {
    match error {
        PageError::ProviderUnavailable
        | PageError::RegisterUnavailable
        | PageError::PartnerUnavailable
        | PageError::Unavailable
        | PageError::Internal => reply::is_safe(request.method()).then(|| reply::path(request)),
        // Back to the page that asks for the passkey: the decision's, or the one that adds another.
        PageError::PasskeyRefused if request.path() == "/me/passkeys" => Some("/me/passkeys/new".to_owned()),
        PageError::PasskeyRefused => Some(request.path().to_owned()),
        _ => None,
    }
}
