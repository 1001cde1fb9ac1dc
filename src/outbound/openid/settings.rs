//! This node's registration at the login provider.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use serde::Serialize;
use url::Url;

use super::ProviderNetwork;
use crate::domain::jose::{JoseError, LoginKey, SigningKey};

/// This node's registration at the login provider.
pub struct OpenIdSettings {
    /// The provider's issuer, character by character as in its metadata.
    pub issuer: String,
    /// `client_id`.
    pub client_id: String,
    /// Authentication at the token endpoint.
    pub authentication: ClientAuthentication,
    /// The claim with the national identifier, in the ID token or at UserInfo.
    pub identifier_claim: String,
    /// Scopes to request besides `openid`.
    pub scopes: Vec<String>,
    /// `redirect_uri`: `<base URL>/login/callback`.
    pub redirect_url: Url,
    /// The allowed addresses of the provider.
    pub network: ProviderNetwork,
    /// How a level of assurance is requested.
    pub assurance_request: AssuranceRequest,
    /// Protection of messages beyond TLS.
    pub messages: MessageProtection,
}

/// How a level of assurance is requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AssuranceRequest {
    /// As an essential claim (OpenID Connect Core 1.0 §5.5.1.1) if the provider supports the parameter `claims`, else
    /// by `acr_values`.
    #[default]
    EssentialClaim,
    /// Always by `acr_values`: for providers that claim to support `claims` and ignore it.
    AcrValues,
}

/// Protection of the messages beyond TLS, as the Finnish Trust Network requires (Traficom recommendation 213/2023).
/// Both need [`ClientAuthentication::PrivateKeyJwt`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MessageProtection {
    /// Authorization requests are signed request objects (RFC 9101).
    pub(crate) signed_requests: bool,
    /// ID tokens and UserInfo responses are encrypted to a key of this node; others are refused.
    pub(crate) encrypted_responses: bool,
}

/// How the node authenticates at the provider's token endpoint (OpenID Connect Core 1.0 §9).
pub enum ClientAuthentication {
    /// `client_secret_basic`.
    SecretBasic(SecretString),
    /// `client_secret_post`.
    SecretPost(SecretString),
    /// `private_key_jwt`, signed with the key that is active at that moment.
    PrivateKeyJwt(Arc<dyn ClientKeySource>),
}

impl ClientAuthentication {
    /// The source of this node's keys for the provider, if there are any.
    pub fn keys(&self) -> Option<&dyn ClientKeySource> {
        match self {
            Self::PrivateKeyJwt(source) => Some(source.as_ref()),
            Self::SecretBasic(_) | Self::SecretPost(_) => None,
        }
    }
}

/// The key that signs requests to the provider.
#[derive(Debug, Clone)]
pub enum ClientKey {
    /// ES256 or EdDSA.
    Curve(SigningKey),
    /// RS256.
    Rsa(LoginKey),
}

impl ClientKey {
    /// Signs claims as a compact JWS with the header members `alg`, `kid` and `typ`.
    ///
    /// # Errors
    /// As [`SigningKey::sign`].
    pub fn sign<C: Serialize>(&self, typ: &str, claims: &C) -> Result<String, JoseError> {
        match self {
            Self::Curve(key) => key.sign(typ, claims),
            Self::Rsa(key) => key.sign(typ, claims),
        }
    }
}

/// The source of this node's keys for the provider; read at every login, so that a rotation needs no restart.
#[async_trait]
pub trait ClientKeySource: Send + Sync {
    /// The active key; `None` when it is not available.
    async fn active_client_key(&self) -> Option<ClientKey>;

    /// The keys that the provider may have encrypted to, including retired ones.
    async fn decryption_keys(&self) -> Vec<LoginKey> {
        Vec::new()
    }
}

#[async_trait]
impl ClientKeySource for SigningKey {
    async fn active_client_key(&self) -> Option<ClientKey> {
        Some(ClientKey::Curve(self.clone()))
    }
}

/// Why the settings are refused.
#[derive(Debug, thiserror::Error)]
pub enum OpenIdSettingsError {
    /// The issuer is no URL.
    #[error("the login provider's issuer is not a URL")]
    Issuer,
    /// The issuer needs https.
    #[error("the login provider's issuer needs https (plain http only in the demo, on this machine)")]
    InsecureIssuer,
    /// Signed requests or encrypted responses without keys.
    #[error("signed requests and encrypted responses need the authentication private_key_jwt")]
    NoClientKeys,
    /// The HTTP client cannot be created.
    #[error("no HTTP client can be made")]
    Http(#[source] crate::http::GuardError),
}
