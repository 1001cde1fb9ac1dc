//! Shared by the demo's two page servers: security headers, stylesheet, same-origin check of forms.

use actix_web::http::header::{self, HeaderMap};
use actix_web::{HttpResponse, HttpResponseBuilder, http::StatusCode};
use url::Url;

/// The one stylesheet of the demo's pages.
const STYLESHEET: &str = include_str!("templates/demo.css");

/// A page cannot be rendered. The cause is a mistake in a template and goes to the log.
pub(super) fn page(
    status: StatusCode,
    form_targets: &str,
    rendered: Result<String, askama::Error>,
) -> HttpResponse {
    match rendered {
        Ok(html) => guarded(HttpResponse::build(status), form_targets)
            .content_type("text/html; charset=utf-8")
            .body(html),
        Err(error) => {
            tracing::error!(event = "demo_page_failed", %error, "a demo page cannot be rendered");
            HttpResponse::InternalServerError()
                .content_type("text/plain; charset=utf-8")
                .body("The page cannot be shown.")
        }
    }
}

/// Adds the security headers of a page that loads only its own stylesheet. `form_targets` are further origins that a
/// form may lead to: browsers check every redirect after a form against `form-action`.
fn guarded(mut response: HttpResponseBuilder, form_targets: &str) -> HttpResponseBuilder {
    response
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            format!(
                "default-src 'none'; style-src 'self'; form-action 'self' {form_targets}; base-uri 'none'; \
                 frame-ancestors 'none'"
            ),
        ))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        // Not `no-referrer`: with it, browsers send `Origin: null` with this page's own forms.
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .insert_header((header::CACHE_CONTROL, "no-store"));
    response
}

/// `GET /assets/demo.css`.
pub(super) async fn stylesheet() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "max-age=300"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(STYLESHEET)
}

/// Whether a form was sent by one of this server's own pages, as far as the browser's headers say. A program that sends
/// no such headers passes: it could send anything.
pub(super) fn is_own_form(headers: &HeaderMap, base: &Url) -> bool {
    let says = |name: &str, good: &[&str]| {
        headers.get(name).is_none_or(|value| value.to_str().is_ok_and(|value| good.contains(&value)))
    };
    says("sec-fetch-site", &["same-origin", "none"])
        && says("origin", &[base.origin().ascii_serialization().as_str()])
}

/// The redirect after a form, or to a registered client.
pub(super) fn see_other(location: &str) -> HttpResponseBuilder {
    let mut response = HttpResponse::SeeOther();
    response
        .insert_header((header::LOCATION, location))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::REFERRER_POLICY, "same-origin"));
    response
}
