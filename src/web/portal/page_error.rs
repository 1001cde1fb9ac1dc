//! Error pages for residents: what happened, whether nothing was sent, what to do.

use crate::node::ProblemKind;
use crate::web::html::frame::Frame;
use crate::web::html::{page, three_texts};

/// The kind of an error, from the resident's point of view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageError {
    /// The page does not exist.
    NotFound,
    /// The request is unknown, or another resident's.
    RequestUnknown,
    /// The request has expired.
    RequestExpired,
    /// The request was decided before.
    AlreadyDecided,
    /// The offer has changed since it was shown; nothing was decided.
    ChangedMeanwhile,
    /// The permission has ended already.
    PermissionEnded,
    /// The resident cancelled at the login provider.
    LoginCancelled,
    /// The login provider's response does not match.
    LoginFailed,
    /// The login lacks the assurance that the data requires.
    LoginTooWeak,
    /// The login provider does not state the person's national identifier.
    LoginNoIdentifier,
    /// The data requires a passkey, and there is none.
    PasskeyNeeded,
    /// The passkey's signature was refused.
    PasskeyRefused,
    /// The login provider does not answer.
    ProviderUnavailable,
    /// The register does not answer.
    RegisterUnavailable,
    /// The other city does not answer.
    PartnerUnavailable,
    /// The recipient is no verified member of the network.
    PartnerNotTrusted,
    /// The session has ended.
    SessionEnded,
    /// The form was not sent by this portal's own page (CSRF).
    FormRefused,
    /// Too many requests in a short time.
    TooManyTries,
    /// The request is malformed.
    BadRequest,
    /// This city cannot decide now, so nothing is done.
    Unavailable,
    Internal,
    /// Stopping or pausing a permission may or may not have taken effect.
    StopUnknown,
    /// Something else was to be changed, and it is not known whether that took effect.
    OutcomeUnknown,
}

impl PageError {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 24] = [
        Self::NotFound,
        Self::RequestUnknown,
        Self::RequestExpired,
        Self::AlreadyDecided,
        Self::ChangedMeanwhile,
        Self::PermissionEnded,
        Self::LoginCancelled,
        Self::LoginFailed,
        Self::LoginTooWeak,
        Self::LoginNoIdentifier,
        Self::PasskeyNeeded,
        Self::PasskeyRefused,
        Self::ProviderUnavailable,
        Self::RegisterUnavailable,
        Self::PartnerUnavailable,
        Self::PartnerNotTrusted,
        Self::SessionEnded,
        Self::FormRefused,
        Self::TooManyTries,
        Self::BadRequest,
        Self::Unavailable,
        Self::Internal,
        Self::StopUnknown,
        Self::OutcomeUnknown,
    ];

    /// The page's HTTP status (RFC 9110 §15).
    pub(crate) const fn status(self) -> u16 {
        match self {
            Self::LoginFailed | Self::BadRequest | Self::PasskeyRefused => 400,
            Self::SessionEnded => 401,
            Self::LoginCancelled
            | Self::LoginTooWeak
            | Self::LoginNoIdentifier
            | Self::PasskeyNeeded
            | Self::PartnerNotTrusted
            | Self::FormRefused => 403,
            Self::NotFound | Self::RequestUnknown => 404,
            Self::AlreadyDecided | Self::ChangedMeanwhile | Self::PermissionEnded => 409,
            Self::RequestExpired => 410,
            Self::TooManyTries => 429,
            Self::Internal => 500,
            Self::ProviderUnavailable
            | Self::RegisterUnavailable
            | Self::PartnerUnavailable
            | Self::Unavailable
            | Self::StopUnknown
            | Self::OutcomeUnknown => 503,
        }
    }

    /// Whether none of the resident's data can have been sent because of the request. After an earlier decision, or a
    /// concurrent action, that is not known.
    pub(crate) const fn says_nothing_was_sent(self) -> bool {
        match self {
            Self::AlreadyDecided
            | Self::PermissionEnded
            | Self::NotFound
            | Self::RequestUnknown
            | Self::TooManyTries
            | Self::StopUnknown
            | Self::OutcomeUnknown => false,
            Self::RequestExpired
            | Self::ChangedMeanwhile
            | Self::LoginCancelled
            | Self::LoginFailed
            | Self::LoginTooWeak
            | Self::LoginNoIdentifier
            | Self::PasskeyNeeded
            | Self::PasskeyRefused
            | Self::ProviderUnavailable
            | Self::RegisterUnavailable
            | Self::PartnerUnavailable
            | Self::PartnerNotTrusted
            | Self::SessionEnded
            | Self::FormRefused
            | Self::BadRequest
            | Self::Unavailable
            | Self::Internal => true,
        }
    }
}

impl From<ProblemKind> for PageError {
    fn from(kind: ProblemKind) -> Self {
        match kind {
            ProblemKind::BadRequest | ProblemKind::MethodNotAllowed | ProblemKind::BeyondDeclaredUse => {
                Self::BadRequest
            }
            ProblemKind::Unauthenticated | ProblemKind::SessionEnded => Self::SessionEnded,
            ProblemKind::ForeignForm => Self::FormRefused,
            ProblemKind::NotFound => Self::NotFound,
            ProblemKind::Changed => Self::ChangedMeanwhile,
            ProblemKind::ConsentNotInForce
            | ProblemKind::HolderRefused
            | ProblemKind::ConsentSuspended
            | ProblemKind::ConfirmationNeeded => Self::PermissionEnded,
            ProblemKind::TooOften => Self::TooManyTries,
            ProblemKind::ConsentPending | ProblemKind::ConsentDeclined => Self::AlreadyDecided,
            ProblemKind::PeerNotTrusted | ProblemKind::AnswerNotTrusted => Self::PartnerNotTrusted,
            ProblemKind::PeerUnavailable => Self::PartnerUnavailable,
            ProblemKind::RegisterUnavailable => Self::RegisterUnavailable,
            ProblemKind::ProviderUnavailable => Self::ProviderUnavailable,
            ProblemKind::LoginFailed | ProblemKind::WrongPerson => Self::LoginFailed,
            ProblemKind::LoginCancelled => Self::LoginCancelled,
            ProblemKind::LoginTooWeak => Self::LoginTooWeak,
            ProblemKind::LoginNoIdentifier => Self::LoginNoIdentifier,
            ProblemKind::PasskeyNeeded => Self::PasskeyNeeded,
            ProblemKind::PasskeyRefused => Self::PasskeyRefused,
            ProblemKind::TooLarge => Self::BadRequest,
            ProblemKind::Unavailable => Self::Unavailable,
            ProblemKind::OutcomeUnknown => Self::OutcomeUnknown,
            ProblemKind::Internal => Self::Internal,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct ErrorView {
    pub(crate) error: PageError,
    /// A path of this portal for a retry, if a retry makes sense.
    pub(crate) retry: Option<String>,
    /// The login link, when the session has ended.
    pub(crate) log_in: Option<String>,
    /// Whether the choices of a decision are kept until the login.
    pub(crate) choices_kept: bool,
    /// The page of the permission that this is about.
    pub(crate) permission: Option<String>,
    /// The link to add a passkey, when one is missing.
    pub(crate) add_passkey: Option<String>,
    /// The trace identifier, for the operator; says nothing about the resident.
    pub(crate) trace_id: Option<String>,
}

/// What a page of errors or problems says.
pub(crate) struct Explanation {
    pub(crate) title: String,
    pub(crate) happened: String,
    pub(crate) next: String,
}

impl Frame<'_> {
    /// Title, explanation and next step.
    pub(crate) fn explain_error(&self, error: &PageError) -> Explanation {
        let t = &self.t;
        let (title, happened, next) = three_texts!(t, match error => {
            PageError::NotFound => (trouble_not_found_title, trouble_not_found_happened, trouble_not_found_next),
            PageError::RequestUnknown => (trouble_request_unknown_title, trouble_request_unknown_happened, trouble_request_unknown_next),
            PageError::RequestExpired => (trouble_request_expired_title, trouble_request_expired_happened, trouble_request_expired_next),
            PageError::AlreadyDecided => (trouble_already_decided_title, trouble_already_decided_happened, trouble_already_decided_next),
            PageError::ChangedMeanwhile => (trouble_changed_title, trouble_changed_happened, trouble_changed_next),
            PageError::PermissionEnded => (trouble_permission_ended_title, trouble_permission_ended_happened, trouble_permission_ended_next),
            PageError::LoginCancelled => (trouble_login_cancelled_title, trouble_login_cancelled_happened, trouble_login_cancelled_next),
            PageError::LoginFailed => (trouble_login_failed_title, trouble_login_failed_happened, trouble_login_failed_next),
            PageError::LoginTooWeak => (trouble_login_too_weak_title, trouble_login_too_weak_happened, trouble_login_too_weak_next),
            PageError::LoginNoIdentifier => (trouble_login_no_identifier_title, trouble_login_no_identifier_happened, trouble_login_no_identifier_next),
            PageError::PasskeyNeeded => (trouble_passkey_needed_title, trouble_passkey_needed_happened, trouble_passkey_needed_next),
            PageError::PasskeyRefused => (trouble_passkey_refused_title, trouble_passkey_refused_happened, trouble_passkey_refused_next),
            PageError::ProviderUnavailable => (trouble_provider_unavailable_title, trouble_provider_unavailable_happened, trouble_provider_unavailable_next),
            PageError::RegisterUnavailable => (trouble_register_unavailable_title, trouble_register_unavailable_happened, trouble_register_unavailable_next),
            PageError::PartnerUnavailable => (trouble_partner_unavailable_title, trouble_partner_unavailable_happened, trouble_partner_unavailable_next),
            PageError::PartnerNotTrusted => (trouble_partner_not_trusted_title, trouble_partner_not_trusted_happened, trouble_partner_not_trusted_next),
            PageError::SessionEnded => (trouble_session_ended_title, trouble_session_ended_happened, trouble_session_ended_next),
            PageError::FormRefused => (trouble_form_refused_title, trouble_form_refused_happened, trouble_form_refused_next),
            PageError::TooManyTries => (trouble_too_many_title, trouble_too_many_happened, trouble_too_many_next),
            PageError::BadRequest => (trouble_bad_request_title, trouble_bad_request_happened, trouble_bad_request_next),
            PageError::Unavailable => (trouble_unavailable_title, trouble_unavailable_happened, trouble_unavailable_next),
            PageError::Internal => (trouble_internal_title, trouble_internal_happened, trouble_internal_next),
            PageError::StopUnknown => (trouble_stop_unknown_title, trouble_stop_unknown_happened, trouble_stop_unknown_next),
            PageError::OutcomeUnknown => (trouble_outcome_unknown_title, trouble_outcome_unknown_happened, trouble_outcome_unknown_next),
        });
        Explanation { title: title.to_string(), happened: happened.to_string(), next: next.to_string() }
    }
}

page!(ErrorView, "error.html");
