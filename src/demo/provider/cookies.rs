//! The cookies of the demo's login provider.

use actix_web::cookie::{Cookie, SameSite};

/// The cookie of a live login.
pub(super) const SESSION_COOKIE: &str = "omadata_demo_login";
/// The cookie that binds a choice of residents to its browser.
pub(super) const BROWSER_COOKIE: &str = "omadata_demo_browser";

/// A cookie of this provider. `Lax`, because browsers arrive by links and redirects from the cities' hosts. Not
/// `Secure`, because the demo uses plain http on loopback.
pub(super) fn cookie(name: &'static str, value: String) -> Cookie<'static> {
    Cookie::build(name, value).path("/").http_only(true).same_site(SameSite::Lax).finish()
}
