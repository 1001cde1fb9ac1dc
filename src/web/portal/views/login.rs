//! Before and after a login. The login itself is the provider's page.

/// Why a login is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginReason {
    /// The page is personal.
    PersonalPage,
    /// A request waits for a decision.
    Decision,
    /// The session has ended.
    SessionEnded,
}

/// A page that needs a login.
#[derive(Debug, Clone)]
pub struct LoginNeededView {
    /// Why.
    pub reason: LoginReason,
    /// Where to come back to: a path of this portal.
    pub return_to: String,
}

impl LoginNeededView {
    pub(in crate::web::portal) fn href(&self) -> String {
        crate::web::portal::login_href(&self.return_to)
    }
}

/// After logging out.
#[derive(Debug, Clone)]
pub struct LoggedOutView {
    /// Where the session at the login provider ends too; the page leads there by itself.
    pub onward: Option<url::Url>,
}

page!(LoginNeededView, "login_needed.html", None);
page!(LoggedOutView, "logged_out.html", None);
