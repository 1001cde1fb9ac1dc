//! The problem types of this node's APIs (RFC 9457 §3.1.1), each with a page at `/problems/{slug}`.

use crate::node::ProblemKind;

/// The party that is responsible for a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailingSide {
    Caller,
    /// The resident's decision, or its absence.
    Resident,
    Recipient,
    Holder,
    /// A register of the holder city.
    Register,
    Provider,
    Node,
}

/// A problem type that has a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProblemTopic {
    /// The request is malformed.
    InvalidRequest,
    /// The caller is not authenticated.
    NotAuthenticated,
    /// The caller is not authorized.
    NotAllowed,
    /// Not found, or not this caller's.
    NotFound,
    /// The request conflicts with the present state.
    Conflict,
    /// The request is too large.
    TooLarge,
    /// Too many requests in a short time.
    TooManyRequests,
    /// The resident has not decided yet.
    PermissionWaiting,
    PermissionDeclined,
    /// The permission is suspended.
    PermissionSuspended,
    /// The permission has ended.
    PermissionEnded,
    /// The resident must confirm again.
    ConfirmationNeeded,
    /// The request goes beyond the declared use.
    UseNotDeclared,
    /// The other node is no verified member of the network.
    NotMember,
    /// The holder city refused the exchange.
    ExchangeRefused,
    /// The holder city's response does not verify.
    AnswerRefused,
    /// The holder city does not answer.
    HolderUnavailable,
    /// The register does not answer.
    RegisterUnavailable,
    /// The login provider does not answer.
    ProviderUnavailable,
    /// This node cannot decide now.
    Unavailable,
    /// This node does not know whether a change took effect.
    OutcomeUnknown,
    /// A fault of this node.
    Internal,
}

impl ProblemTopic {
    /// Every type.
    pub(crate) const ALL: [Self; 22] = [
        Self::InvalidRequest,
        Self::NotAuthenticated,
        Self::NotAllowed,
        Self::NotFound,
        Self::Conflict,
        Self::TooLarge,
        Self::TooManyRequests,
        Self::PermissionWaiting,
        Self::PermissionDeclined,
        Self::PermissionSuspended,
        Self::PermissionEnded,
        Self::ConfirmationNeeded,
        Self::UseNotDeclared,
        Self::NotMember,
        Self::ExchangeRefused,
        Self::AnswerRefused,
        Self::HolderUnavailable,
        Self::RegisterUnavailable,
        Self::ProviderUnavailable,
        Self::Unavailable,
        Self::OutcomeUnknown,
        Self::Internal,
    ];

    /// The last path segment of the page's URL, and of the problem's `type`.
    #[must_use]
    pub(crate) const fn slug(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid-request",
            Self::NotAuthenticated => "not-authenticated",
            Self::NotAllowed => "not-allowed",
            Self::NotFound => "not-found",
            Self::Conflict => "conflict",
            Self::TooLarge => "too-large",
            Self::TooManyRequests => "too-many-requests",
            Self::PermissionWaiting => "permission-waiting",
            Self::PermissionDeclined => "permission-declined",
            Self::PermissionSuspended => "permission-suspended",
            Self::PermissionEnded => "permission-ended",
            Self::ConfirmationNeeded => "confirmation-needed",
            Self::UseNotDeclared => "use-not-declared",
            Self::NotMember => "not-a-member",
            Self::ExchangeRefused => "exchange-refused",
            Self::AnswerRefused => "answer-refused",
            Self::HolderUnavailable => "holder-unavailable",
            Self::RegisterUnavailable => "register-unavailable",
            Self::ProviderUnavailable => "provider-unavailable",
            Self::Unavailable => "unavailable",
            Self::OutcomeUnknown => "outcome-unknown",
            Self::Internal => "internal",
        }
    }

    /// The type behind a page's URL.
    #[must_use]
    pub(crate) fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.slug() == slug)
    }

    #[must_use]
    pub(crate) const fn status(self) -> u16 {
        match self {
            Self::InvalidRequest => 400,
            Self::NotAuthenticated => 401,
            Self::NotAllowed | Self::UseNotDeclared | Self::NotMember => 403,
            Self::NotFound => 404,
            Self::Conflict
            | Self::PermissionWaiting
            | Self::PermissionDeclined
            | Self::PermissionSuspended
            | Self::PermissionEnded
            | Self::ConfirmationNeeded => 409,
            Self::TooLarge => 413,
            Self::TooManyRequests => 429,
            Self::Internal => 500,
            Self::ExchangeRefused | Self::AnswerRefused => 502,
            Self::HolderUnavailable
            | Self::RegisterUnavailable
            | Self::ProviderUnavailable
            | Self::Unavailable
            | Self::OutcomeUnknown => 503,
        }
    }

    #[must_use]
    pub(crate) const fn side(self) -> FailingSide {
        match self {
            Self::InvalidRequest
            | Self::NotAuthenticated
            | Self::NotAllowed
            | Self::NotFound
            | Self::Conflict
            | Self::TooLarge
            | Self::TooManyRequests => FailingSide::Caller,
            Self::PermissionWaiting
            | Self::PermissionDeclined
            | Self::PermissionSuspended
            | Self::PermissionEnded
            | Self::ConfirmationNeeded => FailingSide::Resident,
            Self::UseNotDeclared | Self::NotMember => FailingSide::Recipient,
            Self::ExchangeRefused | Self::AnswerRefused | Self::HolderUnavailable => FailingSide::Holder,
            Self::RegisterUnavailable => FailingSide::Register,
            Self::ProviderUnavailable => FailingSide::Provider,
            Self::Unavailable | Self::OutcomeUnknown | Self::Internal => FailingSide::Node,
        }
    }
}

impl ProblemTopic {
    /// The public type of a kind of problem, with a page at `/problems/{slug}`.
    #[must_use]
    pub(crate) const fn of(kind: ProblemKind) -> Self {
        match kind {
            ProblemKind::BadRequest | ProblemKind::MethodNotAllowed => Self::InvalidRequest,
            ProblemKind::Unauthenticated
            | ProblemKind::SessionEnded
            | ProblemKind::LoginFailed
            | ProblemKind::LoginCancelled
            | ProblemKind::LoginTooWeak
            | ProblemKind::LoginNoIdentifier
            | ProblemKind::PasskeyNeeded
            | ProblemKind::PasskeyRefused => Self::NotAuthenticated,
            ProblemKind::ForeignForm | ProblemKind::WrongPerson => Self::NotAllowed,
            ProblemKind::NotFound => Self::NotFound,
            ProblemKind::Changed => Self::Conflict,
            ProblemKind::ConsentNotInForce => Self::PermissionEnded,
            ProblemKind::ConsentSuspended => Self::PermissionSuspended,
            ProblemKind::TooOften => Self::TooManyRequests,
            ProblemKind::ConsentPending => Self::PermissionWaiting,
            ProblemKind::ConsentDeclined => Self::PermissionDeclined,
            ProblemKind::ConfirmationNeeded => Self::ConfirmationNeeded,
            ProblemKind::BeyondDeclaredUse => Self::UseNotDeclared,
            ProblemKind::PeerNotTrusted => Self::NotMember,
            ProblemKind::PeerUnavailable => Self::HolderUnavailable,
            ProblemKind::HolderRefused => Self::ExchangeRefused,
            ProblemKind::AnswerNotTrusted => Self::AnswerRefused,
            ProblemKind::RegisterUnavailable => Self::RegisterUnavailable,
            ProblemKind::ProviderUnavailable => Self::ProviderUnavailable,
            ProblemKind::TooLarge => Self::TooLarge,
            ProblemKind::Unavailable => Self::Unavailable,
            ProblemKind::OutcomeUnknown => Self::OutcomeUnknown,
            ProblemKind::Internal => Self::Internal,
        }
    }

    /// The short title of a problem type, in English, for developers.
    #[must_use]
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::InvalidRequest => "The request is malformed",
            Self::NotAuthenticated => "No valid credentials",
            Self::NotAllowed => "Not allowed",
            Self::NotFound => "Not found",
            Self::Conflict => "It has changed since it was shown",
            Self::TooLarge => "The request is too large",
            Self::TooManyRequests => "Too many requests",
            Self::PermissionWaiting => "The resident has not decided yet",
            Self::PermissionDeclined => "The resident did not give the permission",
            Self::PermissionSuspended => "The permission is paused",
            Self::PermissionEnded => "The permission has ended",
            Self::ConfirmationNeeded => "The resident must confirm again",
            Self::UseNotDeclared => "Beyond the declared use",
            Self::NotMember => "The other node is not a trusted member",
            Self::ExchangeRefused => "The holder refused",
            Self::AnswerRefused => "The other node's answer does not hold",
            Self::HolderUnavailable => "The other node does not answer",
            Self::RegisterUnavailable => "The register does not answer",
            Self::ProviderUnavailable => "The login provider does not answer",
            Self::Unavailable => "Service unavailable",
            Self::OutcomeUnknown => "It is not known whether this took effect",
            Self::Internal => "Internal error",
        }
    }

    /// What the caller should do, in English.
    #[must_use]
    pub(crate) const fn next_step(self) -> &'static str {
        match self {
            Self::InvalidRequest | Self::UseNotDeclared => "Correct the request as the detail says.",
            Self::NotAuthenticated => "Get a token with client credentials and send it as Bearer.",
            Self::NotAllowed => "Send only what was allowed, from where it was allowed.",
            Self::NotFound => "Check the address and whether it is yours.",
            Self::Conflict => "Read it again and decide on what it says now.",
            Self::TooLarge => "Send less.",
            Self::TooManyRequests => "Wait as long as Retry-After says.",
            Self::PermissionWaiting => "Wait for the resident, or send them to the start address.",
            Self::PermissionSuspended => "Wait until it goes on; its state says so. Nothing was sent.",
            Self::PermissionDeclined | Self::PermissionEnded | Self::ExchangeRefused => {
                "Stop using the permission. Ask the resident anew if the service still needs the data."
            }
            Self::ConfirmationNeeded => {
                "Ask the resident anew: the city that holds the data demands a stronger or fresher confirmation."
            }
            Self::NotMember => "Check the entity identifier; ask the federation's operator.",
            Self::AnswerRefused => "Nothing of the answer was used. Tell both cities' operators the trace.",
            Self::HolderUnavailable
            | Self::RegisterUnavailable
            | Self::ProviderUnavailable
            | Self::Unavailable => "Try again after Retry-After. Nothing was sent.",
            Self::OutcomeUnknown => {
                "Read it again before you repeat the request: the change may have been made."
            }
            Self::Internal => "Tell the operator the trace.",
        }
    }
}

impl FailingSide {
    /// The value in a `problem+json` body.
    #[must_use]
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Resident => "resident",
            Self::Recipient => "recipient",
            Self::Holder => "holder",
            Self::Register => "register",
            Self::Provider => "provider",
            Self::Node => "node",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_lead_back_to_their_types() {
        for topic in ProblemTopic::ALL {
            assert_eq!(ProblemTopic::from_slug(topic.slug()), Some(topic));
        }
        assert_eq!(ProblemTopic::from_slug("nothing"), None);
    }
}
