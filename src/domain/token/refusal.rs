//! Why a token, proof or exchange is refused: the standard's code for the caller, a stable word for our own record.

/// The standard's error code, and with it the HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefusalCode {
    /// 400 `invalid_request` (RFC 6750 §3.1).
    InvalidRequest,
    /// 401 `invalid_token` (RFC 6750 §3.1).
    InvalidToken,
    /// 401 `invalid_dpop_proof` (RFC 9449 §7.1).
    InvalidDpopProof,
    /// 401 `use_dpop_nonce` (RFC 9449 §9).
    UseDpopNonce,
    /// 401 `insufficient_user_authentication` (RFC 9470 §3).
    InsufficientUserAuthentication,
    /// 403 `insufficient_scope` (RFC 6750 §3.1).
    InsufficientScope,
    /// 404: no such dataset here.
    UnknownDataset,
    /// 404: no grant of that name that is this client's and not over.
    UnknownGrant,
    /// 429 with `Retry-After`: fetched as often as the consent allows for now.
    TooOften,
    /// 431: the token is larger than any that this node issues.
    TooLarge,
    /// 503 with `Retry-After`: something needed for the decision cannot be had now.
    Unavailable,
}

impl RefusalCode {
    /// The code as the caller and the record see it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidToken => "invalid_token",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::UseDpopNonce => "use_dpop_nonce",
            Self::InsufficientUserAuthentication => "insufficient_user_authentication",
            Self::InsufficientScope => "insufficient_scope",
            Self::UnknownDataset => "unknown_dataset",
            Self::UnknownGrant => "unknown_grant",
            Self::TooOften => "frequency_exceeded",
            Self::TooLarge => "request_header_fields_too_large",
            Self::Unavailable => "temporarily_unavailable",
        }
    }
}

/// A refusal. The reason is for this node's record and log only; the caller sees the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", code.as_str())]
pub struct Refusal {
    /// What the caller is told.
    pub code: RefusalCode,
    /// The check that refused, a stable word without any of the request's content.
    pub reason: &'static str,
    /// After how many seconds it is worth trying again, where that is known.
    pub retry_secs: Option<i64>,
}

impl Refusal {
    /// A refusal by a check.
    #[must_use]
    pub const fn new(code: RefusalCode, reason: &'static str) -> Self {
        Self { code, reason, retry_secs: None }
    }

    /// 429: as often as the consent allows for now.
    #[must_use]
    pub const fn too_often(retry_secs: i64) -> Self {
        Self { code: RefusalCode::TooOften, reason: "frequency_full", retry_secs: Some(retry_secs) }
    }

    /// 401 `invalid_token`.
    #[must_use]
    pub const fn token(reason: &'static str) -> Self {
        Self::new(RefusalCode::InvalidToken, reason)
    }

    /// 401 `invalid_dpop_proof`.
    #[must_use]
    pub const fn proof(reason: &'static str) -> Self {
        Self::new(RefusalCode::InvalidDpopProof, reason)
    }

    /// 401 `insufficient_user_authentication`: the resident must confirm again.
    #[must_use]
    pub const fn authentication(reason: &'static str) -> Self {
        Self::new(RefusalCode::InsufficientUserAuthentication, reason)
    }

    /// 403 `insufficient_scope`.
    #[must_use]
    pub const fn scope(reason: &'static str) -> Self {
        Self::new(RefusalCode::InsufficientScope, reason)
    }

    /// 503.
    #[must_use]
    pub const fn unavailable(reason: &'static str) -> Self {
        Self::new(RefusalCode::Unavailable, reason)
    }
}
