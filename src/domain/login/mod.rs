//! A login at the OpenID provider: its request and its result.

mod passkey;
mod resident;

pub(crate) use passkey::Passkey;
pub use resident::Resident;

use serde::{Deserialize, Serialize};

use super::clock::Timestamp;
use super::ids::NationalIdentifier;
use super::jose::id_token::ProviderDocuments;

/// The request of a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginStart {
    /// `nonce`: the consent commitment when a decision is being signed, random otherwise.
    pub nonce: String,
    /// The `state` to use, random.
    pub state: String,
    /// PKCE code verifier, random.
    pub code_verifier: String,
    /// The acceptable levels of assurance, space-separated, if one is requested.
    pub acr: Option<String>,
    /// `max_age` in seconds, if a fresh login is requested.
    pub max_age: Option<u32>,
    /// Whether the person has logged in already without the required assurance.
    pub step_up: bool,
    /// `ui_locales`.
    pub language: super::catalogue::Language,
}

/// State between the redirect to the provider and its response. Stored sealed in the session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingLogin {
    /// As in [`LoginStart`].
    pub nonce: String,
    /// As in [`LoginStart`].
    pub state: String,
    /// As in [`LoginStart`].
    pub code_verifier: String,
    /// As in [`LoginStart`].
    pub acr: Option<String>,
    /// As in [`LoginStart`].
    pub max_age: Option<u32>,
    /// When the login began.
    pub(crate) started_at: Timestamp,
}

/// The query of the provider's response.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// The authorization code.
    pub code: Option<String>,
    /// Must equal the pending login's.
    pub state: Option<String>,
    /// RFC 9207; must equal the provider's issuer if its metadata says that it is sent.
    pub iss: Option<String>,
    /// RFC 6749 §4.1.2.1.
    pub error: Option<String>,
}

/// The person who logged in, from a verified ID token.
#[derive(Clone)]
pub struct AuthenticatedPerson {
    /// `iss` of the ID token.
    pub issuer: String,
    /// `sub` of the ID token.
    pub subject: String,
    /// The configured claim with the national identifier.
    pub identifier: NationalIdentifier,
    /// Name to greet with, if the provider states it. Shown on pages, never stored outside the session.
    pub display_name: Option<String>,
    /// `acr`, if the provider states it.
    pub acr: Option<String>,
    /// `auth_time`, if the provider states it.
    pub auth_time: Option<Timestamp>,
    /// The compact ID token, as evidence and as logout hint.
    pub id_token: String,
    /// The provider's public key (JWK) that verified it.
    pub provider_key: serde_json::Value,
    /// What the provider published at the verification.
    pub provider_documents: ProviderDocuments,
}

impl std::fmt::Debug for AuthenticatedPerson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthenticatedPerson").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// Why a login did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// The provider is unavailable, or its response is not OpenID Connect.
    #[error("the login provider does not answer")]
    ProviderUnavailable,
    /// The person cancelled at the provider (`access_denied` and the like).
    #[error("the login was cancelled")]
    Cancelled,
    /// `state`, `iss`, nonce, signature or a claim does not match; the text names the check.
    #[error("the login answer does not fit: {0}")]
    Invalid(&'static str),
    /// The ID token lacks the configured identifier claim.
    #[error("the login provider does not tell the person's identifier")]
    NoIdentifier,
    /// The assurance level or the age of the login is not as requested.
    #[error("the login is not strong or fresh enough")]
    AssuranceTooLow,
}
