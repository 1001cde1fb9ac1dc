//! The language of a page.

use actix_web::HttpRequest;
use actix_web::cookie::{Cookie, SameSite, time::Duration};
use actix_web::http::header;

use crate::domain::catalogue::Language;
use crate::web::negotiate::preferred_language;

/// The cookie with the chosen language.
const LANGUAGE_COOKIE: &str = "omadata-language";

/// The language of the address, else of the cookie, else of the browser, else Finnish.
pub(super) fn language(request: &HttpRequest) -> Language {
    let asked = url::form_urlencoded::parse(request.query_string().as_bytes())
        .find(|(name, _)| name == "lang")
        .and_then(|(_, tag)| Language::from_tag(&tag));
    let remembered = || request.cookie(LANGUAGE_COOKIE).and_then(|cookie| Language::from_tag(cookie.value()));
    let browser = || {
        let header = request.headers().get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
        let offered = Language::ALL.map(Language::tag);
        preferred_language(header, &offered).and_then(Language::from_tag)
    };
    asked.or_else(remembered).or_else(browser).unwrap_or(Language::Fi)
}

/// Sets the language cookie for a year.
pub(super) fn language_cookie(language: Language, secure: bool) -> Cookie<'static> {
    Cookie::build(LANGUAGE_COOKIE, language.tag())
        .path("/")
        .same_site(SameSite::Lax)
        .secure(secure)
        .http_only(true)
        .max_age(Duration::days(365))
        .finish()
}
