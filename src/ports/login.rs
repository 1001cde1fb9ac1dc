//! The city's OpenID provider, and residents' passkeys.

use async_trait::async_trait;

use crate::domain::clock::Timestamp;
use crate::domain::consent::PasskeyEvidence;
use crate::domain::ids::PersonId;
use crate::domain::login::{AuthenticatedPerson, LoginError, LoginStart, Passkey, PendingLogin};

/// The city's OpenID provider.
#[async_trait]
pub trait IdentityProvider: Send + Sync {
    /// Begins a login: the address for the browser, and the state to keep until the callback.
    ///
    /// # Errors
    /// [`LoginError::ProviderUnavailable`] when the provider's metadata cannot be fetched.
    async fn begin(&self, start: LoginStart) -> Result<(url::Url, PendingLogin), LoginError>;

    /// Completes a login from the query of the redirect back (`code`, `state`, `iss`, `error`).
    ///
    /// # Errors
    /// [`LoginError`]: state, issuer, code, ID token or nonce do not match, the person cancelled, or the provider is
    /// unavailable.
    async fn complete(
        &self,
        pending: &PendingLogin,
        callback: &crate::domain::login::Callback,
        now: Timestamp,
    ) -> Result<AuthenticatedPerson, LoginError>;

    /// The address that ends the session at the provider too, where the provider offers one.
    async fn logout_url(&self, id_token_hint: &str, back_to: &url::Url) -> Option<url::Url>;
}

/// The options for the browser's passkey call, and the state to keep until its answer.
pub struct Ceremony {
    /// Options for the browser (Web Authentication, JSON).
    pub options: String,
    /// State to keep in the session; never sent to the browser.
    pub state: String,
}

/// A passkey's signature that was verified.
pub struct PasskeySignature {
    /// The passkey with its updated signature counter.
    pub passkey: Passkey,
    /// The evidence to store.
    pub evidence: PasskeyEvidence,
}

/// Why a passkey was not registered or its signature was refused. The text names the failed step; nothing of the
/// browser's answer is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("passkey: {0}")]
pub struct PasskeyFault(pub(crate) &'static str);

/// Passkeys (Web Authentication), with this node as the relying party. User verification is required.
pub trait Passkeys: Send + Sync {
    /// Begins to register a new passkey in addition to the known ones.
    ///
    /// # Errors
    /// [`PasskeyFault`] when this node's address cannot be a relying party identifier.
    fn begin_registration(
        &self,
        person: PersonId,
        name: &str,
        known: &[Passkey],
    ) -> Result<Ceremony, PasskeyFault>;

    /// Completes a registration from the browser's answer.
    ///
    /// # Errors
    /// [`PasskeyFault`] when the answer does not match the options.
    fn finish_registration(&self, state: &str, answer: &str, label: &str) -> Result<Passkey, PasskeyFault>;

    /// The options with which one of these passkeys signs a challenge, JSON.
    ///
    /// # Errors
    /// [`PasskeyFault`] when no passkey can.
    fn begin_signing(&self, known: &[Passkey], challenge: &str) -> Result<String, PasskeyFault>;

    /// Verifies the browser's answer: one of these passkeys signed this challenge for this origin, with user
    /// verification.
    ///
    /// # Errors
    /// [`PasskeyFault`] when it does not verify.
    fn finish_signing(
        &self,
        known: &[Passkey],
        challenge: &str,
        answer: &str,
    ) -> Result<PasskeySignature, PasskeyFault>;
}
