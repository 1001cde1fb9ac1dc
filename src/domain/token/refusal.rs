//! Why a token, proof or exchange is refused: the standard's code for the caller, a stable reason for the node's
//! record.

use super::refusal_reason::RefusalReason;
use crate::domain::word_enum::word_enum;

word_enum! {
    /// The standard's error code, and with it the HTTP status.
    pub enum RefusalCode {
        /// 400 `invalid_request` (RFC 6750 §3.1).
        InvalidRequest = "invalid_request",
        /// 401 `invalid_token` (RFC 6750 §3.1).
        InvalidToken = "invalid_token",
        /// 401 `invalid_dpop_proof` (RFC 9449 §7.1).
        InvalidDpopProof = "invalid_dpop_proof",
        /// 401 `use_dpop_nonce` (RFC 9449 §9).
        UseDpopNonce = "use_dpop_nonce",
        /// 401 `insufficient_user_authentication` (RFC 9470 §3).
        InsufficientUserAuthentication = "insufficient_user_authentication",
        /// 403 `insufficient_scope` (RFC 6750 §3.1).
        InsufficientScope = "insufficient_scope",
        /// 404: no such dataset.
        UnknownDataset = "unknown_dataset",
        /// 404: no such grant of this client, or it has ended.
        UnknownGrant = "unknown_grant",
        /// 429 with `Retry-After`: the consent's frequency is used up until its period has passed.
        TooOften = "frequency_exceeded",
        /// 431: the token is too large.
        TooLarge = "request_header_fields_too_large",
        /// 503 with `Retry-After`: the decision is not possible now.
        Unavailable = "temporarily_unavailable",
    }
}

/// A refusal. The reason is only for this node's record and log; the caller gets the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", code.as_str())]
pub struct Refusal {
    /// The code for the caller.
    pub code: RefusalCode,
    /// The failed check.
    pub reason: RefusalReason,
    /// Seconds after which a retry is useful, if known.
    pub(crate) retry_secs: Option<i64>,
}

impl Refusal {
    /// A refusal by a check.
    #[must_use]
    pub const fn new(code: RefusalCode, reason: RefusalReason) -> Self {
        Self { code, reason, retry_secs: None }
    }

    /// 429: the consent's frequency is used up until its period has passed.
    #[must_use]
    pub(crate) const fn too_often(retry_secs: i64) -> Self {
        Self {
            code: RefusalCode::TooOften,
            reason: RefusalReason::FrequencyFull,
            retry_secs: Some(retry_secs),
        }
    }

    /// 401 `invalid_token`.
    #[must_use]
    pub const fn token(reason: RefusalReason) -> Self {
        Self::new(RefusalCode::InvalidToken, reason)
    }

    /// 401 `invalid_dpop_proof`.
    #[must_use]
    pub const fn proof(reason: RefusalReason) -> Self {
        Self::new(RefusalCode::InvalidDpopProof, reason)
    }

    /// 401 `insufficient_user_authentication`: the resident must confirm again.
    #[must_use]
    pub(crate) const fn authentication(reason: RefusalReason) -> Self {
        Self::new(RefusalCode::InsufficientUserAuthentication, reason)
    }

    /// 403 `insufficient_scope`.
    #[must_use]
    pub(crate) const fn scope(reason: RefusalReason) -> Self {
        Self::new(RefusalCode::InsufficientScope, reason)
    }

    /// 503.
    #[must_use]
    pub(crate) const fn unavailable(reason: RefusalReason) -> Self {
        Self::new(RefusalCode::Unavailable, reason)
    }
}
