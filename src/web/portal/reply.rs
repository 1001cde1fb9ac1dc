//! HTML as an HTTP response: the page's frame, its headers and its Content-Security-Policy.

use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};

use super::language::language_cookie;
use crate::domain::catalogue::Language;
use crate::node::Problem;
use crate::web::App;
use crate::web::html::chrome::{Chrome, Notice, SignedIn};
use crate::web::representation::Representation;
use crate::web::session::Visitor;

/// Options of a page.
#[derive(Clone, Copy)]
pub(super) struct Look {
    /// Message about the last action.
    pub(super) notice: Option<Notice>,
    /// Whether its form may lead out of this portal: to the login provider, and after a decision through the recipient
    /// to its service. Browsers check every redirect against the form's policy.
    pub(super) form_leads_out: bool,
    /// Whether it includes the one script of this portal.
    pub(super) script: bool,
    /// The path of the page, if it is not the request's own.
    pub(super) path: Option<&'static str>,
    pub(super) status: StatusCode,
}

impl Default for Look {
    fn default() -> Self {
        Self { notice: None, form_leads_out: false, script: false, path: None, status: StatusCode::OK }
    }
}

/// A page as a response.
pub(super) fn html(app: &App, language: Language, html: String, look: &Look) -> HttpResponse {
    begin(app, language, look).body(html)
}

/// A page that is the same for everybody who has not logged in. The browser keeps it and asks whether it still is what it was: who
/// logs in must see their own.
pub(super) fn public(
    app: &App,
    request: &HttpRequest,
    language: Language,
    page: &Representation,
) -> HttpResponse {
    let mut response = begin(app, language, &Look::default());
    response.insert_header((header::CACHE_CONTROL, "private, no-cache"));
    page.respond(request, &mut response)
}

/// The media type of pages.
pub(super) const HTML: &str = "text/html; charset=utf-8";

/// A page's response without its body.
pub(super) fn begin(app: &App, language: Language, look: &Look) -> HttpResponseBuilder {
    let targets = match (look.form_leads_out, app.cookies.secure) {
        (false, _) => "",
        (true, true) => " https:",
        (true, false) => " http://*.localhost:*",
    };
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self' data:{}; form-action 'self'{targets}; base-uri 'none'; \
         frame-ancestors 'none'",
        if look.script { "; script-src 'self'" } else { "" },
    );
    let mut response = HttpResponse::build(look.status);
    response
        .insert_header((header::CONTENT_TYPE, HTML))
        .insert_header((header::CONTENT_LANGUAGE, language.tag()))
        .insert_header((header::CONTENT_SECURITY_POLICY, policy))
        // The form's `Origin` header must be sent, to tell it from another page's form. Other origins learn no address
        // of ours.
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .insert_header((header::VARY, "accept, accept-language, cookie"))
        .cookie(language_cookie(language, app.cookies.secure));
    response
}

/// Redirects the browser with GET.
pub(super) fn see_other(address: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, address)).finish()
}

/// Path and query of a page; of one that answers a form only the path, where it can be opened again.
pub(super) fn path(request: &HttpRequest) -> String {
    let path = request.path();
    match request.query_string() {
        query if !query.is_empty() && is_safe(request.method()) => format!("{path}?{query}"),
        _ => path.to_owned(),
    }
}

/// Whether a request method is safe (RFC 9110 §9.2.1).
pub(super) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// The page's frame for the session.
pub(super) fn chrome(app: &App, visitor: &Visitor, path: String) -> Result<Chrome, Problem> {
    let resident = visitor.resident();
    // A CSRF token needs a session; without a login there is no form and no token.
    let csrf = match &resident {
        Some(_) => visitor.csrf()?,
        None => String::new(),
    };
    let signed_in = resident.map(|resident| SignedIn { name: resident.display_name });
    Ok(Chrome { signed_in, csrf, ..bare_chrome(app, path) })
}

/// The page's frame without a session.
pub(super) fn bare_chrome(app: &App, path: String) -> Chrome {
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
