//! How this node is registered at the login provider.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use url::Url;

use super::ProviderNetwork;
use crate::domain::jose::SigningKey;

/// How this node is registered at the login provider.
pub struct OpenIdSettings {
    /// The provider's issuer, character by character as in its metadata.
    pub issuer: String,
    /// `client_id`.
    pub client_id: String,
    /// How the node proves itself at the token endpoint.
    pub authentication: ClientAuthentication,
    /// The claim with the national identifier, in the ID token or at UserInfo.
    pub identifier_claim: String,
    /// Scopes to ask for beside `openid`.
    pub scopes: Vec<String>,
    /// `redirect_uri`: `<base URL>/login/callback`.
    pub redirect_url: Url,
    /// Where the provider may stand.
    pub network: ProviderNetwork,
}

/// How the node proves itself at the provider's token endpoint (OpenID Connect Core 1.0 §9).
pub enum ClientAuthentication {
    /// `client_secret_basic`.
    SecretBasic(SecretString),
    /// `client_secret_post`.
    SecretPost(SecretString),
    /// `private_key_jwt`, signed with the key that is active at that moment.
    PrivateKeyJwt(Arc<dyn ClientKeySource>),
}

/// Where the key for `private_key_jwt` comes from; asked at every login, so that a rotation needs no restart.
#[async_trait]
pub trait ClientKeySource: Send + Sync {
    /// The active client key; none when it cannot be had now.
    async fn active_client_key(&self) -> Option<SigningKey>;
}

#[async_trait]
impl ClientKeySource for SigningKey {
    async fn active_client_key(&self) -> Option<SigningKey> {
        Some(self.clone())
    }
}

/// Why the settings do not make a login provider.
#[derive(Debug, thiserror::Error)]
pub enum OpenIdSettingsError {
    /// The issuer is no URL.
    #[error("the login provider's issuer is not a URL")]
    Issuer,
    /// The issuer needs https.
    #[error("the login provider's issuer needs https (plain http only in the demo, on this machine)")]
    InsecureIssuer,
    /// No HTTP client can be made.
    #[error("no HTTP client can be made")]
    Http(#[source] crate::http::GuardError),
}
