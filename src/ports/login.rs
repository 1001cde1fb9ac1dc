//! The city's OpenID provider, and residents' passkeys.

use async_trait::async_trait;

use crate::domain::clock::Timestamp;
use crate::domain::consent::PasskeyEvidence;
use crate::domain::ids::PersonId;
use crate::domain::login::{AuthenticatedPerson, LoginError, LoginStart, Passkey, PendingLogin};

/// The city's OpenID provider.
#[async_trait]
pub trait IdentityProvider: Send + Sync {
    /// Begins a login: where to send the browser, and what to remember until it comes back.
    ///
    /// # Errors
    /// [`LoginError::ProviderUnavailable`] when the provider's metadata cannot be had.
    async fn begin(&self, start: LoginStart) -> Result<(url::Url, PendingLogin), LoginError>;

    /// Completes a login from the query of the redirect back (`code`, `state`, `iss`, `error`).
    ///
    /// # Errors
    /// [`LoginError`]: state, issuer, code, ID token or nonce do not fit, the person cancelled, or the provider is away.
    async fn complete(
        &self,
        pending: &PendingLogin,
        callback: &crate::domain::login::Callback,
        now: Timestamp,
    ) -> Result<AuthenticatedPerson, LoginError>;

    /// Where to send the browser to end the session at the provider too, where the provider offers that.
    async fn logout_url(&self, id_token_hint: &str, back_to: &url::Url) -> Option<url::Url>;
}

/// What a browser is asked to do with a passkey, and what must be remembered until it has.
pub struct Ceremony {
    /// The options for the browser, JSON as Web Authentication writes it.
    pub options: String,
    /// For the session alone.
    pub state: String,
}

/// A passkey's signature that was checked.
pub struct PasskeySignature {
    /// The passkey, with its counter moved on.
    pub passkey: Passkey,
    /// What is kept as evidence.
    pub evidence: PasskeyEvidence,
}

/// Why a passkey was not registered or its signature not taken. The word names the step; the answer itself, which a
/// stranger may have made, goes nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("passkey: {0}")]
pub struct PasskeyFault(pub &'static str);

/// Passkeys (Web Authentication), with this node as the relying party. The owner must prove to the device to be there.
pub trait Passkeys: Send + Sync {
    /// Begins to register a new passkey beside those that are known.
    ///
    /// # Errors
    /// [`PasskeyFault`] when this node's address bears no passkeys.
    fn begin_registration(
        &self,
        person: PersonId,
        name: &str,
        known: &[Passkey],
    ) -> Result<Ceremony, PasskeyFault>;

    /// Completes a registration from the browser's answer.
    ///
    /// # Errors
    /// [`PasskeyFault`] when the answer does not fit what was asked.
    fn finish_registration(&self, state: &str, answer: &str, label: &str) -> Result<Passkey, PasskeyFault>;

    /// The options with which one of these passkeys signs a challenge, JSON.
    ///
    /// # Errors
    /// [`PasskeyFault`] when there is none that could.
    fn begin_signing(&self, known: &[Passkey], challenge: &str) -> Result<String, PasskeyFault>;

    /// Checks the browser's answer: one of these passkeys has signed this challenge, here, with its owner present.
    ///
    /// # Errors
    /// [`PasskeyFault`] when it has not.
    fn finish_signing(
        &self,
        known: &[Passkey],
        challenge: &str,
        answer: &str,
    ) -> Result<PasskeySignature, PasskeyFault>;
}
