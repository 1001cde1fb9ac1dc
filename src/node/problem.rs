//! Errors of the use cases as a vocabulary. `web/problem.rs` maps it to HTTP, once.
//!
//! A problem has a public part (kind, detail, retry) and an internal cause that is only logged.

use std::fmt;

use crate::domain::consent::IllegalTransition;
use crate::domain::federation::TrustError;
use crate::domain::login::LoginError;
use crate::ports::RegisterError;
use crate::store::StoreError;

/// The public kind of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProblemKind {
    /// The request is malformed; the detail says how.
    BadRequest,
    /// Missing or invalid credentials.
    Unauthenticated,
    /// The form was not sent by this node's own page.
    ForeignForm,
    /// Not found, or not the caller's.
    NotFound,
    /// The method is not supported here.
    MethodNotAllowed,
    /// The object of the decision has changed since it was shown.
    Changed,
    /// The consent does not allow fetching now.
    ConsentNotInForce,
    /// The consent is suspended.
    ConsentSuspended,
    /// The consent's frequency is used up until its period has passed.
    TooOften,
    /// The resident has not decided yet.
    ConsentPending,
    /// The resident declined.
    ConsentDeclined,
    /// The resident must confirm again, because the holder now requires a stronger login.
    ConfirmationNeeded,
    /// The request goes beyond the declared use or the dataset.
    BeyondDeclaredUse,
    /// The other node is not a trusted member of the federation.
    PeerNotTrusted,
    /// The other node is unreachable, or trust cannot be decided now.
    PeerUnavailable,
    /// The holder refused; the consent may have been withdrawn.
    HolderRefused,
    /// The other node's response does not match its signature or the consent; nothing of it was used.
    AnswerNotTrusted,
    /// The register does not answer.
    RegisterUnavailable,
    /// The login provider does not answer.
    ProviderUnavailable,
    /// The login did not succeed.
    LoginFailed,
    /// The person cancelled at the login provider.
    LoginCancelled,
    /// The login lacks the required assurance.
    LoginTooWeak,
    /// The login provider does not state the person's national identifier.
    LoginNoIdentifier,
    /// The dataset requires a passkey, and the resident has none.
    PasskeyNeeded,
    /// The passkey's answer does not match the options.
    PasskeyRefused,
    /// The session has ended.
    SessionEnded,
    /// Another person logged in than the one that the service expects.
    WrongPerson,
    /// The body is too large.
    TooLarge,
    /// The node is unavailable now.
    Unavailable,
    /// The database did not answer a commit: the change may have taken effect.
    OutcomeUnknown,
    /// A mistake of this node's.
    Internal,
}

impl ProblemKind {
    /// A stable code for records and logs.
    #[must_use]
    pub(crate) const fn slug(self) -> &'static str {
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

/// A use case's error.
#[derive(Clone)]
pub struct Problem {
    /// The public kind.
    pub kind: ProblemKind,
    /// An additional public sentence, without personal data.
    pub detail: Option<String>,
    /// The internal cause, for the log.
    pub(crate) cause: Option<String>,
    /// Seconds after which a retry is useful, if known.
    pub(crate) retry_secs: Option<i64>,
    /// The faulty items of a list, each with its place and what is wrong with it.
    pub(crate) items: Vec<(usize, &'static str)>,
}

impl Problem {
    /// A problem of a kind.
    #[must_use]
    pub const fn new(kind: ProblemKind) -> Self {
        Self { kind, detail: None, cause: None, retry_secs: None, items: Vec::new() }
    }

    /// Adds a public sentence.
    #[must_use]
    pub(crate) fn with_detail(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: Some(detail.into()), cause: None, retry_secs: None, items: Vec::new() }
    }

    /// Adds a cause for the log.
    #[must_use]
    pub(crate) fn because(kind: ProblemKind, cause: impl fmt::Display) -> Self {
        Self { kind, detail: None, cause: Some(cause.to_string()), retry_secs: None, items: Vec::new() }
    }

    /// Sets the seconds after which a retry is useful.
    #[must_use]
    pub(crate) const fn try_later(kind: ProblemKind, retry_secs: i64) -> Self {
        Self { kind, detail: None, cause: None, retry_secs: Some(retry_secs), items: Vec::new() }
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
            StoreError::Conflict
            | StoreError::Unavailable(_)
            | StoreError::Corrupt(_)
            | StoreError::Rule(_) => ProblemKind::Unavailable,
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
