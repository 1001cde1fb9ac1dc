//! What can go wrong in a use case, as a vocabulary. `web/problem.rs` maps it to HTTP, once.
//!
//! A problem has a public half (kind, side, what to do) and an inside cause that goes to the log alone.

use std::fmt;

use crate::domain::consent::IllegalTransition;
use crate::domain::federation::TrustError;
use crate::domain::login::LoginError;
use crate::ports::RegisterError;
use crate::store::StoreError;

/// What went wrong, as the other side sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProblemKind {
    /// The request is malformed; the detail says how.
    BadRequest,
    /// No, or no valid, credentials.
    Unauthenticated,
    /// The form did not come from this node's own page.
    ForeignForm,
    /// There is no such thing, or it is not the caller's.
    NotFound,
    /// The method is not offered here.
    MethodNotAllowed,
    /// What is to be decided has changed since it was shown.
    Changed,
    /// The consent is not one under which data may be fetched now.
    ConsentNotInForce,
    /// The consent is held back for the time being.
    ConsentSuspended,
    /// The data was fetched as often as the consent allows for now.
    TooOften,
    /// The resident has not decided yet.
    ConsentPending,
    /// The resident said no.
    ConsentDeclined,
    /// The resident must confirm again, because the holder has come to demand more of the login.
    ConfirmationNeeded,
    /// What is asked goes beyond the declared use or the dataset.
    BeyondDeclaredUse,
    /// The other node is not a trusted member of the federation.
    PeerNotTrusted,
    /// The other node cannot be reached, or trust cannot be decided now.
    PeerUnavailable,
    /// The holder refused; the consent may have been taken back.
    HolderRefused,
    /// The other node's answer does not hold against its signature or the consent; nothing of it was used.
    AnswerNotTrusted,
    /// The register does not answer.
    RegisterUnavailable,
    /// The login provider does not answer.
    ProviderUnavailable,
    /// The login did not succeed.
    LoginFailed,
    /// The person turned back at the login provider.
    LoginCancelled,
    /// The login is not strong or fresh enough for what it was for.
    LoginTooWeak,
    /// The login provider does not tell who the person is in the registers.
    LoginNoIdentifier,
    /// The dataset demands a passkey, and the resident has none.
    PasskeyNeeded,
    /// The passkey's answer does not fit what was asked.
    PasskeyRefused,
    /// The session has ended.
    SessionEnded,
    /// Another person logged in than the one whom the service expects.
    WrongPerson,
    /// The body is too large.
    TooLarge,
    /// The node cannot do its work now.
    Unavailable,
    /// The database did not answer when a change was to be kept: it may have taken effect.
    OutcomeUnknown,
    /// A mistake of this node's.
    Internal,
}

impl ProblemKind {
    /// A stable word for records and logs.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::BadRequest => "bad-request",
            Self::Unauthenticated => "unauthenticated",
            Self::ForeignForm => "foreign-form",
            Self::NotFound => "not-found",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::Changed => "changed",
            Self::ConsentNotInForce => "consent-not-in-force",
            Self::ConsentSuspended => "consent-suspended",
            Self::TooOften => "too-often",
            Self::ConsentPending => "consent-pending",
            Self::ConsentDeclined => "consent-declined",
            Self::ConfirmationNeeded => "confirmation-needed",
            Self::BeyondDeclaredUse => "beyond-declared-use",
            Self::PeerNotTrusted => "peer-not-trusted",
            Self::PeerUnavailable => "peer-unavailable",
            Self::HolderRefused => "holder-refused",
            Self::AnswerNotTrusted => "answer-not-trusted",
            Self::RegisterUnavailable => "register-unavailable",
            Self::ProviderUnavailable => "provider-unavailable",
            Self::LoginFailed => "login-failed",
            Self::LoginCancelled => "login-cancelled",
            Self::LoginTooWeak => "login-too-weak",
            Self::LoginNoIdentifier => "login-no-identifier",
            Self::PasskeyNeeded => "passkey-needed",
            Self::PasskeyRefused => "passkey-refused",
            Self::SessionEnded => "session-ended",
            Self::WrongPerson => "wrong-person",
            Self::TooLarge => "too-large",
            Self::Unavailable => "unavailable",
            Self::OutcomeUnknown => "outcome-unknown",
            Self::Internal => "internal",
        }
    }
}

/// A problem on its way to the caller.
#[derive(Clone)]
pub struct Problem {
    /// What the caller is told.
    pub kind: ProblemKind,
    /// One sentence more, without anybody's data; public.
    pub detail: Option<String>,
    /// Why, for the log.
    pub cause: Option<String>,
    /// After how many seconds it is worth trying again, where that is known.
    pub retry_secs: Option<i64>,
}

impl Problem {
    /// A problem of a kind.
    #[must_use]
    pub const fn new(kind: ProblemKind) -> Self {
        Self { kind, detail: None, cause: None, retry_secs: None }
    }

    /// With a public sentence.
    #[must_use]
    pub fn with_detail(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: Some(detail.into()), cause: None, retry_secs: None }
    }

    /// With a cause for the log.
    #[must_use]
    pub fn because(kind: ProblemKind, cause: impl fmt::Display) -> Self {
        Self { kind, detail: None, cause: Some(cause.to_string()), retry_secs: None }
    }

    /// Not now, but after so many seconds.
    #[must_use]
    pub const fn try_later(kind: ProblemKind, retry_secs: i64) -> Self {
        Self { kind, detail: None, cause: None, retry_secs: Some(retry_secs) }
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind.slug())?;
        self.cause.as_ref().map_or(Ok(()), |cause| write!(f, " ({cause})"))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.slug())
    }
}

impl std::error::Error for Problem {}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let kind = match error {
            StoreError::NotFound => ProblemKind::NotFound,
            StoreError::OutcomeUnknown => ProblemKind::OutcomeUnknown,
            _ => ProblemKind::Unavailable,
        };
        Self::because(kind, error)
    }
}

impl From<IllegalTransition> for Problem {
    fn from(error: IllegalTransition) -> Self {
        Self::because(ProblemKind::ConsentNotInForce, error)
    }
}

impl From<TrustError> for Problem {
    fn from(error: TrustError) -> Self {
        let kind = match error {
            TrustError::NotTrusted(_) => ProblemKind::PeerNotTrusted,
            TrustError::Unavailable(_) => ProblemKind::PeerUnavailable,
        };
        Self::because(kind, error)
    }
}

impl From<RegisterError> for Problem {
    fn from(error: RegisterError) -> Self {
        Self::because(ProblemKind::RegisterUnavailable, error)
    }
}

impl From<LoginError> for Problem {
    fn from(error: LoginError) -> Self {
        let kind = match error {
            LoginError::ProviderUnavailable => ProblemKind::ProviderUnavailable,
            LoginError::Cancelled => ProblemKind::LoginCancelled,
            LoginError::AssuranceTooLow => ProblemKind::LoginTooWeak,
            LoginError::NoIdentifier => ProblemKind::LoginNoIdentifier,
            LoginError::Invalid(_) => ProblemKind::LoginFailed,
        };
        Self::because(kind, error)
    }
}

impl From<crate::domain::jose::JoseError> for Problem {
    fn from(error: crate::domain::jose::JoseError) -> Self {
        Self::because(ProblemKind::Internal, error)
    }
}

impl From<serde_json::Error> for Problem {
    fn from(error: serde_json::Error) -> Self {
        // serde's message can quote the input; only its class is kept.
        Self::because(ProblemKind::Internal, format!("json {:?}", error.classify()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_that_was_not_answered_is_no_plain_outage() {
        assert_eq!(Problem::from(StoreError::OutcomeUnknown).kind, ProblemKind::OutcomeUnknown);
        assert_eq!(Problem::from(StoreError::Unavailable("away")).kind, ProblemKind::Unavailable);
    }
}
