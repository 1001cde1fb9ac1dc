//! `/problems/{type}`: what a problem of the APIs (RFC 9457) means and what to do next.

/// Whose side a problem is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailingSide {
    /// The program that called.
    Caller,
    /// The resident's decision, or the lack of one.
    Resident,
    /// The city that asks for data.
    Recipient,
    /// The city that holds the data.
    Holder,
    /// A register of the city that holds the data.
    Register,
    /// A login provider.
    Provider,
    /// This node.
    Node,
}

/// A problem type that has a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemTopic {
    /// The request does not have the form that the API asks for.
    InvalidRequest,
    /// The caller did not prove who it is.
    NotAuthenticated,
    /// The caller may not do this.
    NotAllowed,
    /// No such thing, or not this caller's.
    NotFound,
    /// The request does not fit the present state.
    Conflict,
    /// The request is larger than the bound.
    TooLarge,
    /// Too many requests in a short time.
    TooManyRequests,
    /// The resident has not decided yet.
    PermissionWaiting,
    /// The resident did not give the permission.
    PermissionDeclined,
    /// The permission is held back for the time being.
    PermissionSuspended,
    /// The permission has ended.
    PermissionEnded,
    /// The resident must confirm again.
    ConfirmationNeeded,
    /// The request goes beyond the declared use.
    UseNotDeclared,
    /// The other side is no verified member of the network.
    NotMember,
    /// The city that holds the data refused the exchange.
    ExchangeRefused,
    /// The answer of the city that holds the data does not verify.
    AnswerRefused,
    /// The city that holds the data does not answer.
    HolderUnavailable,
    /// The register does not answer.
    RegisterUnavailable,
    /// The login provider does not answer.
    ProviderUnavailable,
    /// This node cannot be sure just now.
    Unavailable,
    /// A fault of this node.
    Internal,
}

impl ProblemTopic {
    /// Every type.
    pub const ALL: [Self; 21] = [
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
        Self::Internal,
    ];

    /// The last part of the page's URL, and of the problem's `type`.
    #[must_use]
    pub const fn slug(self) -> &'static str {
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
            Self::Internal => "internal",
        }
    }

    /// The type behind a page's URL.
    #[must_use]
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.slug() == slug)
    }

    /// The HTTP status that goes with it.
    #[must_use]
    pub const fn status(self) -> u16 {
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
            | Self::Unavailable => 503,
        }
    }

    /// Whose side it is on.
    #[must_use]
    pub const fn side(self) -> FailingSide {
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
            Self::Unavailable | Self::Internal => FailingSide::Node,
        }
    }
}

/// The page of one problem type.
#[derive(Debug, Clone, Copy)]
pub struct ProblemView {
    /// Which one.
    pub topic: ProblemTopic,
}

impl crate::web::portal::Frame<'_> {
    /// Title, meaning and next step.
    pub(in crate::web::portal) fn problem(
        &self,
        topic: &ProblemTopic,
    ) -> crate::web::portal::views::page_error::Words {
        let t = &self.t;
        let (title, happened, next) = match topic {
            ProblemTopic::InvalidRequest => (
                t.problem_invalid_request_title(),
                t.problem_invalid_request_meaning(),
                t.problem_invalid_request_next(),
            ),
            ProblemTopic::NotAuthenticated => (
                t.problem_not_authenticated_title(),
                t.problem_not_authenticated_meaning(),
                t.problem_not_authenticated_next(),
            ),
            ProblemTopic::NotAllowed => {
                (t.problem_not_allowed_title(), t.problem_not_allowed_meaning(), t.problem_not_allowed_next())
            }
            ProblemTopic::NotFound => {
                (t.problem_not_found_title(), t.problem_not_found_meaning(), t.problem_not_found_next())
            }
            ProblemTopic::Conflict => {
                (t.problem_conflict_title(), t.problem_conflict_meaning(), t.problem_conflict_next())
            }
            ProblemTopic::TooLarge => {
                (t.problem_too_large_title(), t.problem_too_large_meaning(), t.problem_too_large_next())
            }
            ProblemTopic::TooManyRequests => (
                t.problem_too_many_requests_title(),
                t.problem_too_many_requests_meaning(),
                t.problem_too_many_requests_next(),
            ),
            ProblemTopic::PermissionWaiting => (
                t.problem_permission_waiting_title(),
                t.problem_permission_waiting_meaning(),
                t.problem_permission_waiting_next(),
            ),
            ProblemTopic::PermissionDeclined => (
                t.problem_permission_declined_title(),
                t.problem_permission_declined_meaning(),
                t.problem_permission_declined_next(),
            ),
            ProblemTopic::PermissionSuspended => (
                t.problem_permission_suspended_title(),
                t.problem_permission_suspended_meaning(),
                t.problem_permission_suspended_next(),
            ),
            ProblemTopic::PermissionEnded => (
                t.problem_permission_ended_title(),
                t.problem_permission_ended_meaning(),
                t.problem_permission_ended_next(),
            ),
            ProblemTopic::ConfirmationNeeded => (
                t.problem_confirmation_needed_title(),
                t.problem_confirmation_needed_meaning(),
                t.problem_confirmation_needed_next(),
            ),
            ProblemTopic::UseNotDeclared => (
                t.problem_use_not_declared_title(),
                t.problem_use_not_declared_meaning(),
                t.problem_use_not_declared_next(),
            ),
            ProblemTopic::NotMember => (
                t.problem_not_a_member_title(),
                t.problem_not_a_member_meaning(),
                t.problem_not_a_member_next(),
            ),
            ProblemTopic::ExchangeRefused => (
                t.problem_exchange_refused_title(),
                t.problem_exchange_refused_meaning(),
                t.problem_exchange_refused_next(),
            ),
            ProblemTopic::AnswerRefused => (
                t.problem_answer_refused_title(),
                t.problem_answer_refused_meaning(),
                t.problem_answer_refused_next(),
            ),
            ProblemTopic::HolderUnavailable => (
                t.problem_holder_unavailable_title(),
                t.problem_holder_unavailable_meaning(),
                t.problem_holder_unavailable_next(),
            ),
            ProblemTopic::RegisterUnavailable => (
                t.problem_register_unavailable_title(),
                t.problem_register_unavailable_meaning(),
                t.problem_register_unavailable_next(),
            ),
            ProblemTopic::ProviderUnavailable => (
                t.problem_provider_unavailable_title(),
                t.problem_provider_unavailable_meaning(),
                t.problem_provider_unavailable_next(),
            ),
            ProblemTopic::Unavailable => {
                (t.problem_unavailable_title(), t.problem_unavailable_meaning(), t.problem_unavailable_next())
            }
            ProblemTopic::Internal => {
                (t.problem_internal_title(), t.problem_internal_meaning(), t.problem_internal_next())
            }
        };
        crate::web::portal::views::page_error::Words {
            title: title.to_string(),
            happened: happened.to_string(),
            next: next.to_string(),
        }
    }

    pub(in crate::web::portal) fn side(&self, topic: &ProblemTopic) -> String {
        let t = &self.t;
        match topic.side() {
            FailingSide::Caller => t.side_caller(),
            FailingSide::Resident => t.side_resident(),
            FailingSide::Recipient => t.side_recipient(),
            FailingSide::Holder => t.side_holder(),
            FailingSide::Register => t.side_register(),
            FailingSide::Provider => t.side_provider(),
            FailingSide::Node => t.side_node(),
        }
        .to_string()
    }
}

page!(ProblemView, "problem.html", None);

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
