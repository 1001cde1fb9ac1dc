//! The cookies of the demo's login provider.

use actix_web::cookie::{Cookie, SameSite};

/// The cookie of a live login.
pub(super) const SESSION_COOKIE: &str = "omadata_demo_login";
/// The cookie that binds a choice of residents to the browser that it was shown to.
pub(super) const BROWSER_COOKIE: &str = "omadata_demo_browser";

/// A cookie of this provider. `Lax`, because people come here by links and redirects from the cities' hosts. Not
/// `Secure`, because the demo speaks plain http on loopback.
pub(super) fn cookie(name: &'static str, value: String) -> Cookie<'static> {
    Cookie::build(name, value).path("/").http_only(true).same_site(SameSite::Lax).finish()
}
