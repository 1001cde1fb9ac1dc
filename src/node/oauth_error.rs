//! Errors of the OAuth endpoints, by their standards' codes.

use crate::domain::federation::TrustError;
use crate::domain::jose::JoseError;
use crate::domain::token::{Refusal, RefusalCode, RefusalReason};
use crate::store::StoreError;

/// An error code of RFC 6749 §5.2, RFC 9126 §2.3, RFC 9396 §5, RFC 9449 §5, RFC 7009 §2.2.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OAuthCode {
    /// 400.
    InvalidRequest,
    /// 401.
    InvalidClient,
    /// 400.
    InvalidGrant,
    /// 400.
    UnsupportedGrantType,
    /// 400.
    UnsupportedResponseType,
    /// 400 (RFC 9396 §5).
    InvalidAuthorizationDetails,
    /// 400.
    InvalidScope,
    /// 400 (RFC 8707 §2).
    InvalidTarget,
    /// 400 (Grant Management for OAuth 2.0 §5.4).
    InvalidGrantId,
    /// 400 (RFC 9449 §5).
    InvalidDpopProof,
    /// 400 with `DPoP-Nonce` (RFC 9449 §8).
    UseDpopNonce,
    /// 400 (RFC 9470 §5, OpenID Connect Core Unmet Authentication Requirements 1.0).
    UnmetAuthenticationRequirements,
    /// 429 with `Retry-After` (RFC 9126 §2.3).
    TooManyRequests,
    /// 503 with `Retry-After`.
    TemporarilyUnavailable,
    /// 500.
    ServerError,
}

impl OAuthCode {
    /// The code on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidAuthorizationDetails => "invalid_authorization_details",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::InvalidGrantId => "invalid_grant_id",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::UseDpopNonce => "use_dpop_nonce",
            Self::UnmetAuthenticationRequirements => "unmet_authentication_requirements",
            // No standard has a code of its own for it; the status says it.
            Self::TooManyRequests | Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::ServerError => "server_error",
        }
    }
}

/// An OAuth error; the description is public and constant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {description}", code.as_str())]
pub struct OAuthError {
    /// The standard's code.
    pub code: OAuthCode,
    /// What is wrong, for the client's developer.
    pub description: &'static str,
}

impl OAuthError {
    /// An error of that code.
    #[must_use]
    pub const fn new(code: OAuthCode, description: &'static str) -> Self {
        Self { code, description }
    }

    /// 400 `invalid_request`.
    #[must_use]
    pub const fn request(description: &'static str) -> Self {
        Self::new(OAuthCode::InvalidRequest, description)
    }

    /// 401 `invalid_client`.
    #[must_use]
    pub const fn client(description: &'static str) -> Self {
        Self::new(OAuthCode::InvalidClient, description)
    }

    /// 400 `invalid_dpop_proof`: used before.
    #[must_use]
    pub(crate) const fn proof_replayed() -> Self {
        Self::new(OAuthCode::InvalidDpopProof, "the DPoP proof was used before")
    }

    /// 400 `invalid_grant`.
    #[must_use]
    pub(crate) const fn grant(description: &'static str) -> Self {
        Self::new(OAuthCode::InvalidGrant, description)
    }
}

impl From<StoreError> for OAuthError {
    fn from(error: StoreError) -> Self {
        tracing::warn!(event = "store_unavailable", %error, "an OAuth request could not be decided");
        Self::new(OAuthCode::TemporarilyUnavailable, "try again later")
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::warn!(event = "store_failed", %error, "the store could not decide a request");
        Self::unavailable(RefusalReason::Store)
    }
}

impl From<TrustError> for OAuthError {
    fn from(error: TrustError) -> Self {
        tracing::info!(event = "client_not_trusted", %error, "a client is not trusted");
        match error {
            TrustError::NotTrusted(_) => Self::client("the client is not a trusted member of the federation"),
            TrustError::Unavailable(_) => {
                Self::new(OAuthCode::TemporarilyUnavailable, "the client's membership cannot be checked now")
            }
        }
    }
}

impl From<JoseError> for OAuthError {
    fn from(error: JoseError) -> Self {
        tracing::error!(event = "signing_failed", %error, "an answer could not be signed");
        Self::new(OAuthCode::ServerError, "the server could not complete the request")
    }
}

impl From<Refusal> for OAuthError {
    fn from(refusal: Refusal) -> Self {
        match refusal.code {
            RefusalCode::UseDpopNonce => Self::new(OAuthCode::UseDpopNonce, "use the nonce in DPoP-Nonce"),
            RefusalCode::Unavailable => Self::new(OAuthCode::TemporarilyUnavailable, "try again later"),
            RefusalCode::InvalidRequest
            | RefusalCode::InvalidToken
            | RefusalCode::InvalidDpopProof
            | RefusalCode::InsufficientUserAuthentication
            | RefusalCode::InsufficientScope
            | RefusalCode::UnknownDataset
            | RefusalCode::UnknownGrant
            | RefusalCode::TooOften
            | RefusalCode::TooLarge => {
                Self::new(OAuthCode::InvalidDpopProof, "the DPoP proof does not fit this request")
            }
        }
    }
}
