//! A login as this node understands it: what to ask of the OpenID provider, and what a good answer says.

mod passkey;
mod resident;

pub use passkey::Passkey;
pub use resident::Resident;

use serde::{Deserialize, Serialize};

use super::clock::Timestamp;
use super::ids::NationalIdentifier;
use super::jose::id_token::ProviderDocuments;

/// What a login must achieve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginStart {
    /// The `nonce` to use; the consent commitment when a decision is being signed, random otherwise.
    pub nonce: String,
    /// The `state` to use, random.
    pub state: String,
    /// PKCE code verifier, random.
    pub code_verifier: String,
    /// The levels of assurance that are enough, separated by spaces, when one is asked for.
    pub acr: Option<String>,
    /// `max_age` in seconds, when a fresh login is asked for.
    pub max_age: Option<u32>,
    /// Whether the person has logged in already, and not strongly or freshly enough.
    pub step_up: bool,
    /// `ui_locales`.
    pub language: super::catalogue::Language,
}

/// What must be remembered between leaving for the provider and coming back. Kept sealed in the session.
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
    pub started_at: Timestamp,
}

/// The query with which the provider sends the browser back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// The authorization code.
    pub code: Option<String>,
    /// Must equal the pending login's.
    pub state: Option<String>,
    /// RFC 9207; must equal the provider's issuer when the provider says it sends it.
    pub iss: Option<String>,
    /// RFC 6749 §4.1.2.1.
    pub error: Option<String>,
}

/// Who logged in, as stated by a verified ID token.
#[derive(Clone)]
pub struct AuthenticatedPerson {
    /// `iss` of the ID token.
    pub issuer: String,
    /// `sub` of the ID token.
    pub subject: String,
    /// The configured claim that holds the national identifier.
    pub identifier: NationalIdentifier,
    /// Name to greet with, where the provider tells it. Shown on pages, never stored outside the session.
    pub display_name: Option<String>,
    /// `acr`, where the provider tells it.
    pub acr: Option<String>,
    /// `auth_time`, where the provider tells it: nobody else knows when the person logged in.
    pub auth_time: Option<Timestamp>,
    /// The compact ID token, as evidence and as logout hint.
    pub id_token: String,
    /// The provider's public key (JWK) that verified it.
    pub provider_key: serde_json::Value,
    /// What the provider published when it was verified.
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
    /// The provider does not answer, or answers with something that is not OpenID Connect.
    #[error("the login provider does not answer")]
    ProviderUnavailable,
    /// The person turned back at the provider (`access_denied` and the like).
    #[error("the login was cancelled")]
    Cancelled,
    /// `state`, `iss`, nonce, signature or a claim does not fit; the word names the check.
    #[error("the login answer does not fit: {0}")]
    Invalid(&'static str),
    /// The provider's statement lacks the configured identifier claim.
    #[error("the login provider does not tell the person's identifier")]
    NoIdentifier,
    /// The assurance level or the age of the login is not what was asked for.
    #[error("the login is not strong or fresh enough")]
    AssuranceTooLow,
}
