//! What every page has besides its own content.

use crate::domain::catalogue::{Contact, Language, Text};

/// The sections of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    /// `/`
    Home,
    /// `/me`
    Overview,
    /// `/me/data`
    Data,
    /// `/me/sharing`
    Sharing,
    /// `/me/uses`
    Uses,
    /// `/me/log`
    Log,
    /// `/partners`
    Partners,
    /// `/catalogue`
    Catalogue,
}

/// A short message about the last action, shown once at the top of the next page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notice {
    /// The permission was stopped.
    PermissionStopped,
    /// The permission had ended before.
    PermissionHadEnded,
    /// The permission is paused.
    PermissionPaused,
    /// The permission is in force again.
    PermissionResumed,
    /// The permission stays paused, because the service no longer declares a use that covers it.
    PermissionNotResumed,
    /// A permanent denial was added.
    DenialAdded,
    /// A denial was removed.
    DenialRemoved,
    /// A passkey was added.
    PasskeyAdded,
    /// A passkey was removed.
    PasskeyRemoved,
    /// An objection was recorded.
    ObjectionMade,
    /// An objection to the same use waits for its answer.
    ObjectionStands,
}

/// The resident who is logged in.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SignedIn {
    /// Name to greet with, if the login provider states it.
    pub(crate) name: Option<String>,
}

impl std::fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignedIn([name redacted])")
    }
}

/// What every page has: the city, the language links, who is logged in.
#[derive(Debug, Clone)]
pub(crate) struct Chrome {
    /// Display name of the city (`[node] city`).
    pub(crate) city: Text,
    /// What the city calls its portal (`[node.brand] name`).
    pub(crate) brand: Text,
    /// Whether the city has a logo, served at `/assets/logo`.
    pub(crate) logo: bool,
    /// Path and query of a page that can be opened with GET, for the language links: this page, or another one when
    /// this page answers a POST. Starts with `/`.
    pub(crate) path: String,
    /// Who is logged in; `None` shows the login link.
    pub(crate) signed_in: Option<SignedIn>,
    /// The session's CSRF token, put into every form as `csrf`.
    pub(crate) csrf: String,
    /// Message about the last action.
    pub(crate) notices: Vec<Notice>,
    /// Contact for this service, in the footer of every page.
    pub(crate) contact: Option<Contact>,
    /// The city's data protection officer, in the footer of every page.
    pub(crate) data_protection_officer: Option<Contact>,
    /// Whether every page says that this is a demonstration with made-up people.
    pub(crate) demo: bool,
}

impl Chrome {
    /// This page in another language: [`Chrome::path`] with the parameter `lang` set.
    pub(crate) fn language_href(&self, language: Language) -> String {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let mut href = String::from(path);
        let mut separator = '?';
        for pair in query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("lang=")) {
            href.push(separator);
            href.push_str(pair);
            separator = '&';
        }
        href.push(separator);
        href.push_str("lang=");
        href.push_str(language.tag());
        href
    }

    /// The login page, returning to this page.
    pub(crate) fn login_href(&self) -> String {
        login_href(&self.path)
    }
}

/// The login page, returning to a page of this portal: `/login?return_to=…`.
pub(crate) fn login_href(return_to: &str) -> String {
    format!("/login?return_to={}", query_value(return_to))
}

/// The page for a new passkey, returning to a page of this portal.
pub(crate) fn passkey_href(return_to: &str) -> String {
    format!("/me/passkeys/new?return_to={}", query_value(return_to))
}

/// A text as the value of a query parameter.
pub(crate) fn query_value(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(path: &str) -> Chrome {
        let city = Text { fi: "Espoo".into(), sv: "Esbo".into(), en: "Espoo".into() };
        Chrome {
            brand: city.clone(),
            logo: false,
            city,
            path: path.into(),
            signed_in: None,
            csrf: String::new(),
            notices: Vec::new(),
            contact: None,
            data_protection_officer: None,
            demo: false,
        }
    }

    #[test]
    fn the_language_link_keeps_the_rest_of_the_query() {
        assert_eq!(at("/me").language_href(Language::Sv), "/me?lang=sv");
        assert_eq!(
            at("/catalogue?q=a%26b&lang=fi").language_href(Language::En),
            "/catalogue?q=a%26b&lang=en"
        );
        assert_eq!(at("/catalogue?lang=fi&q=x").language_href(Language::Sv), "/catalogue?q=x&lang=sv");
    }

    #[test]
    fn the_login_link_cannot_be_led_astray_by_the_path() {
        assert_eq!(at("/me?a=1&b=2").login_href(), "/login?return_to=%2Fme%3Fa%3D1%26b%3D2");
    }
}
