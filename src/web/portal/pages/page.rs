//! What every page's handler does: language, what stands around the page, headers, and pages for what goes wrong.

use std::sync::Arc;

use actix_web::cookie::{Cookie, SameSite, time::Duration};
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};

use crate::domain::catalogue::Language;
use crate::domain::login::Resident;
use crate::node::{Problem, ProblemKind};
use crate::web::portal::views::{ErrorView, PageError};
use crate::web::portal::{Chrome, Notice, SignedIn, View, passkey_href, render};
use crate::web::session::Visitor;
use crate::web::{App, problem, trace};

/// The cookie that remembers the language; it says nothing else.
const LANGUAGE_COOKIE: &str = "omadata-language";

/// A request for a page, with all that a handler needs.
pub(super) struct Page {
    pub(super) app: web::Data<App>,
    pub(super) request: HttpRequest,
    pub(super) visitor: Visitor,
    pub(super) language: Language,
}

impl Page {
    pub(super) fn new(app: &web::Data<App>, request: &HttpRequest) -> Self {
        Self {
            app: app.clone(),
            visitor: Visitor::of(request, Arc::clone(&app.node)),
            language: language(request),
            request: request.clone(),
        }
    }

    /// A problem on this page.
    pub(super) fn problem(&self, problem: Problem) -> PageProblem {
        PageProblem::new(&self.request, problem)
    }

    /// A problem as a resident reads it.
    pub(super) fn trouble(&self, trouble: PageError) -> PageProblem {
        PageProblem::Page { html: error_page(&self.request, trouble), trouble }
    }

    /// Who has logged in; whoever has not is sent to log in and comes back here.
    pub(super) fn resident(&self) -> Result<Resident, PageProblem> {
        let to_login = || PageProblem::LogIn(crate::web::portal::login_href(&self.path()));
        self.visitor.resident().ok_or_else(to_login)
    }

    /// Who sent a form of this portal's own, with the form's word.
    pub(super) fn sender(&self, word: Option<&str>) -> Result<Resident, PageProblem> {
        let resident = self.visitor.require_resident().map_err(|problem| self.problem(problem))?;
        self.check_form(word)?;
        Ok(resident)
    }

    /// Path and query of this page.
    pub(super) fn path(&self) -> String {
        path(&self.request)
    }

    /// Checks that a form was sent from this portal's own page (CSRF): the browser's own word first, then the session's.
    pub(super) fn check_form(&self, word: Option<&str>) -> Result<(), PageProblem> {
        let headers = self.request.headers();
        let site = headers.get("sec-fetch-site").map(|value| value.to_str().unwrap_or("unreadable"));
        let origin = headers.get(header::ORIGIN).map(|value| value.to_str().unwrap_or("unreadable"));
        let own = self.app.node.settings.id.as_str();
        if site.is_some_and(|site| site != "same-origin") || origin.is_some_and(|origin| origin != own) {
            return Err(self.problem(Problem::new(ProblemKind::ForeignForm)));
        }
        self.visitor.check_csrf(word).map_err(|problem| self.problem(problem))
    }

    /// A page that says this.
    pub(super) fn show(&self, view: &impl View) -> Result<HttpResponse, PageProblem> {
        self.show_with(view, Vec::new(), None)
    }

    /// A page with a notice, or with more targets for its forms.
    pub(super) fn show_with(
        &self,
        view: &impl View,
        notices: Vec<Notice>,
        form_targets: Option<&str>,
    ) -> Result<HttpResponse, PageProblem> {
        let chrome = self.chrome(notices)?;
        let html = render(view, self.language, &chrome)
            .map_err(|error| self.problem(Problem::because(ProblemKind::Internal, error)))?;
        Ok(respond(&self.request, StatusCode::OK, self.language, html, form_targets, false))
    }

    /// A page with the one script of this portal.
    pub(super) fn show_with_script(
        &self,
        view: &impl View,
        form_targets: Option<&str>,
    ) -> Result<HttpResponse, PageProblem> {
        let chrome = self.chrome(Vec::new())?;
        let html = render(view, self.language, &chrome)
            .map_err(|error| self.problem(Problem::because(ProblemKind::Internal, error)))?;
        Ok(respond(&self.request, StatusCode::OK, self.language, html, form_targets, true))
    }

    /// A page that is reached again at another path than that of the form which it answers.
    pub(super) fn show_at(&self, path: &str, view: &impl View) -> Result<HttpResponse, PageProblem> {
        let chrome = Chrome { path: path.to_owned(), ..self.chrome(Vec::new())? };
        let html = render(view, self.language, &chrome)
            .map_err(|error| self.problem(Problem::because(ProblemKind::Internal, error)))?;
        Ok(respond(&self.request, StatusCode::OK, self.language, html, None, false))
    }

    fn chrome(&self, notices: Vec<Notice>) -> Result<Chrome, PageProblem> {
        let chrome =
            chrome(&self.app, &self.visitor, self.path()).map_err(|problem| self.problem(problem))?;
        Ok(Chrome { notices, ..chrome })
    }

    /// Sends the browser to a path of this portal, with GET.
    pub(super) fn redirect(&self, path: &str) -> HttpResponse {
        see_other(path)
    }
}

/// Sends the browser somewhere, with GET.
pub(super) fn see_other(address: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, address))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}

fn path(request: &HttpRequest) -> String {
    let path = request.path();
    // A page that answers a form is reached again by its address alone.
    match request.query_string() {
        query if !query.is_empty() && request.method() == actix_web::http::Method::GET => {
            format!("{path}?{query}")
        }
        _ => path.to_owned(),
    }
}

/// What stands around a page that this visitor sees.
fn chrome(app: &App, visitor: &Visitor, path: String) -> Result<Chrome, Problem> {
    let resident = visitor.resident();
    // A form word needs a session; whoever has not logged in meets no form and gets none.
    let csrf = match &resident {
        Some(_) => visitor.csrf()?,
        None => String::new(),
    };
    let signed_in = resident.map(|resident| SignedIn { name: resident.display_name });
    Ok(Chrome { signed_in, csrf, ..bare_chrome(app, path) })
}

fn bare_chrome(app: &App, path: String) -> Chrome {
    Chrome {
        city: app.node.settings.name.clone(),
        brand: app.brand.name.clone(),
        logo: app.brand.logo.is_some(),
        path,
        signed_in: None,
        csrf: String::new(),
        notices: Vec::new(),
        contact: Some(app.brand.contact.clone()),
        data_protection_officer: Some(app.node.settings.data_protection_officer.clone()),
        demo: app.demo,
    }
}

/// The language asked for by the address, else remembered, else the browser's, else Finnish.
fn language(request: &HttpRequest) -> Language {
    let asked = url::form_urlencoded::parse(request.query_string().as_bytes())
        .find(|(name, _)| name == "lang")
        .and_then(|(_, tag)| Language::from_tag(&tag));
    let remembered = || request.cookie(LANGUAGE_COOKIE).and_then(|cookie| Language::from_tag(cookie.value()));
    let browser = || {
        let header = request.headers().get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
        header.split(',').find_map(|part| Language::from_tag(part.split(';').next()?.trim()))
    };
    asked.or_else(remembered).or_else(browser).unwrap_or(Language::Fi)
}

fn respond(
    request: &HttpRequest,
    status: StatusCode,
    language: Language,
    html: String,
    form_targets: Option<&str>,
    script: bool,
) -> HttpResponse {
    let secure = request.app_data::<web::Data<App>>().is_some_and(|app| app.cookies.secure);
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self' data:{}; form-action 'self'{}{}; base-uri 'none'; \
         frame-ancestors 'none'",
        if script { "; script-src 'self'" } else { "" },
        if form_targets.is_some() { " " } else { "" },
        form_targets.unwrap_or_default(),
    );
    HttpResponse::build(status)
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CONTENT_LANGUAGE, language.tag()))
        .insert_header((header::CONTENT_SECURITY_POLICY, policy))
        // Our own forms say where they come from; nobody else learns an address of ours.
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::VARY, "accept, accept-language, cookie"))
        .cookie(
            Cookie::build(LANGUAGE_COOKIE, language.tag())
                .path("/")
                .same_site(SameSite::Lax)
                .secure(secure)
                .http_only(true)
                .max_age(Duration::days(365))
                .finish(),
        )
        .body(html)
}

/// Why a page is not shown.
#[derive(Debug)]
pub enum PageProblem {
    /// A problem as a page. The use case's cause goes to the log, the resident reads what happened and what to do.
    Page {
        /// The page.
        html: String,
        /// What it tells.
        trouble: PageError,
    },
    /// Nobody has logged in: the address where to do that first.
    LogIn(String),
}

impl PageProblem {
    /// The page of a problem.
    #[must_use]
    pub fn new(request: &HttpRequest, problem: Problem) -> Self {
        problem::log(&problem);
        let trouble = match problem.kind {
            ProblemKind::BadRequest | ProblemKind::MethodNotAllowed | ProblemKind::BeyondDeclaredUse => {
                PageError::BadRequest
            }
            ProblemKind::Unauthenticated | ProblemKind::SessionEnded => PageError::SessionEnded,
            ProblemKind::ForeignForm => PageError::FormRefused,
            ProblemKind::NotFound => PageError::NotFound,
            ProblemKind::Changed => PageError::ChangedMeanwhile,
            ProblemKind::ConsentNotInForce
            | ProblemKind::HolderRefused
            | ProblemKind::ConsentSuspended
            | ProblemKind::ConfirmationNeeded => PageError::PermissionEnded,
            ProblemKind::TooOften => PageError::TooManyTries,
            ProblemKind::ConsentPending | ProblemKind::ConsentDeclined => PageError::AlreadyDecided,
            ProblemKind::PeerNotTrusted | ProblemKind::AnswerNotTrusted => PageError::PartnerNotTrusted,
            ProblemKind::PeerUnavailable => PageError::PartnerUnavailable,
            ProblemKind::RegisterUnavailable => PageError::RegisterUnavailable,
            ProblemKind::ProviderUnavailable => PageError::ProviderUnavailable,
            ProblemKind::LoginFailed | ProblemKind::WrongPerson => PageError::LoginFailed,
            ProblemKind::LoginCancelled => PageError::LoginCancelled,
            ProblemKind::LoginTooWeak => PageError::LoginTooWeak,
            ProblemKind::LoginNoIdentifier => PageError::LoginNoIdentifier,
            ProblemKind::PasskeyNeeded => PageError::PasskeyNeeded,
            ProblemKind::PasskeyRefused => PageError::PasskeyRefused,
            ProblemKind::TooLarge => PageError::BadRequest,
            ProblemKind::Unavailable => PageError::Unavailable,
            ProblemKind::Internal => PageError::Internal,
        };
        Self::Page { html: error_page(request, trouble), trouble }
    }
}

fn status(trouble: PageError) -> StatusCode {
    StatusCode::from_u16(trouble.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Rendered when the problem arises, while the request is at hand.
fn error_page(request: &HttpRequest, trouble: PageError) -> String {
    let Some(app) = request.app_data::<web::Data<App>>() else { return String::new() };
    let decision = request.path().strip_suffix("/passkey").unwrap_or(request.path());
    let view = ErrorView {
        trouble,
        retry: retry(request, trouble),
        add_passkey: (trouble == PageError::PasskeyNeeded).then(|| passkey_href(decision)),
        trace_id: Some(trace::current()).filter(|id| !id.is_empty()),
    };
    // The language links of an error page lead to the first page: this address may not bear being opened again.
    let visitor = Visitor::of(request, Arc::clone(&app.node));
    let chrome = chrome(app, &visitor, "/".to_owned()).unwrap_or_else(|_| bare_chrome(app, "/".to_owned()));
    render(&view, language(request), &chrome).unwrap_or_default()
}

/// Where the resident can try again, when trying again makes sense.
fn retry(request: &HttpRequest, trouble: PageError) -> Option<String> {
    match trouble {
        PageError::ProviderUnavailable
        | PageError::RegisterUnavailable
        | PageError::PartnerUnavailable
        | PageError::Unavailable
        | PageError::Internal => (request.method() == actix_web::http::Method::GET).then(|| path(request)),
        // Back to the page that asks for the passkey: the one of the decision, or the one that adds another.
        PageError::PasskeyRefused if request.path() == "/me/passkeys" => Some("/me/passkeys/new".to_owned()),
        PageError::PasskeyRefused => Some(request.path().to_owned()),
        _ => None,
    }
}

impl std::fmt::Display for PageProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Page { trouble, .. } => write!(f, "{trouble:?}"),
            Self::LogIn(_) => f.write_str("LogIn"),
        }
    }
}

impl ResponseError for PageProblem {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Page { trouble, .. } => status(*trouble),
            Self::LogIn(_) => StatusCode::SEE_OTHER,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let html = match self {
            Self::Page { html, .. } => html,
            Self::LogIn(address) => return see_other(address),
        };
        let status = self.status_code();
        let mut response = HttpResponse::build(status);
        response
            .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            // A form's origin goes with its request: without, it could not be told from another page's.
            .insert_header((header::REFERRER_POLICY, "same-origin"))
            .insert_header((
                header::CONTENT_SECURITY_POLICY,
                "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; \
                 frame-ancestors 'none'",
            ));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.insert_header((header::RETRY_AFTER, problem::RETRY_AFTER_SECS));
        }
        response.body(html.clone())
    }
}
