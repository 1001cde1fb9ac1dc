//! Errors as a resident meets them: what happened, that nothing was sent, what to do.

/// What went wrong, from the resident's point of view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageError {
    /// The page does not exist.
    NotFound,
    /// No such request, or it is not this resident's: both look alike.
    RequestUnknown,
    /// The request lapsed before it was decided.
    RequestExpired,
    /// The request was decided before.
    AlreadyDecided,
    /// What was shown and what holds now differ; nothing was decided.
    ChangedMeanwhile,
    /// The permission has ended already; nothing can be stopped.
    PermissionEnded,
    /// The register has nothing about this resident.
    NoData,
    /// The resident turned back at the login provider.
    LoginCancelled,
    /// The login provider's answer does not fit.
    LoginFailed,
    /// The login is not strong or fresh enough for the data.
    LoginTooWeak,
    /// The login provider does not tell who the person is in the registers.
    LoginNoIdentifier,
    /// The data asks for a passkey, and there is none.
    PasskeyNeeded,
    /// The passkey did not confirm what was asked.
    PasskeyRefused,
    /// The login provider does not answer.
    ProviderUnavailable,
    /// The register does not answer.
    RegisterUnavailable,
    /// The other city does not answer.
    PartnerUnavailable,
    /// The one who asks is no verified member of the network.
    PartnerNotTrusted,
    /// The session has ended.
    SessionEnded,
    /// The form does not come from this portal's own page (CSRF).
    FormRefused,
    /// Too many requests in a short time.
    TooManyTries,
    /// The request cannot be understood.
    BadRequest,
    /// This city cannot be sure just now, so nothing is done.
    Unavailable,
    /// A fault of this service.
    Internal,
}

impl PageError {
    /// Every kind.
    pub const ALL: [Self; 23] = [
        Self::NotFound,
        Self::RequestUnknown,
        Self::RequestExpired,
        Self::AlreadyDecided,
        Self::ChangedMeanwhile,
        Self::PermissionEnded,
        Self::NoData,
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
    ];

    /// The HTTP status of a page that says this (RFC 9110 §15).
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::LoginFailed | Self::BadRequest | Self::PasskeyRefused => 400,
            Self::SessionEnded => 401,
            Self::LoginCancelled
            | Self::LoginTooWeak
            | Self::LoginNoIdentifier
            | Self::PasskeyNeeded
            | Self::PartnerNotTrusted
            | Self::FormRefused => 403,
            Self::NotFound | Self::RequestUnknown | Self::NoData => 404,
            Self::AlreadyDecided | Self::ChangedMeanwhile | Self::PermissionEnded => 409,
            Self::RequestExpired => 410,
            Self::TooManyTries => 429,
            Self::Internal => 500,
            Self::ProviderUnavailable
            | Self::RegisterUnavailable
            | Self::PartnerUnavailable
            | Self::Unavailable => 503,
        }
    }
}

/// The error page.
#[derive(Debug, Clone)]
pub struct ErrorView {
    /// What went wrong.
    pub trouble: PageError,
    /// A path of this portal at which the resident can try again, when trying again makes sense.
    pub retry: Option<String>,
    /// The way to add a passkey and come back, where one is missing.
    pub add_passkey: Option<String>,
    /// The number under which the operator finds this event; says nothing about the resident.
    pub trace_id: Option<String>,
}

/// The words for one kind of trouble.
pub(in crate::web::portal) struct Words {
    pub(in crate::web::portal) title: String,
    pub(in crate::web::portal) happened: String,
    pub(in crate::web::portal) next: String,
}

impl crate::web::portal::Frame<'_> {
    pub(in crate::web::portal) fn words(&self, trouble: &PageError) -> Words {
        let t = &self.t;
        let (title, happened, next) = match trouble {
            PageError::NotFound => {
                (t.trouble_not_found_title(), t.trouble_not_found_happened(), t.trouble_not_found_next())
            }
            PageError::RequestUnknown => (
                t.trouble_request_unknown_title(),
                t.trouble_request_unknown_happened(),
                t.trouble_request_unknown_next(),
            ),
            PageError::RequestExpired => (
                t.trouble_request_expired_title(),
                t.trouble_request_expired_happened(),
                t.trouble_request_expired_next(),
            ),
            PageError::AlreadyDecided => (
                t.trouble_already_decided_title(),
                t.trouble_already_decided_happened(),
                t.trouble_already_decided_next(),
            ),
            PageError::ChangedMeanwhile => {
                (t.trouble_changed_title(), t.trouble_changed_happened(), t.trouble_changed_next())
            }
            PageError::PermissionEnded => (
                t.trouble_permission_ended_title(),
                t.trouble_permission_ended_happened(),
                t.trouble_permission_ended_next(),
            ),
            PageError::NoData => {
                (t.trouble_no_data_title(), t.trouble_no_data_happened(), t.trouble_no_data_next())
            }
            PageError::LoginCancelled => (
                t.trouble_login_cancelled_title(),
                t.trouble_login_cancelled_happened(),
                t.trouble_login_cancelled_next(),
            ),
            PageError::LoginFailed => (
                t.trouble_login_failed_title(),
                t.trouble_login_failed_happened(),
                t.trouble_login_failed_next(),
            ),
            PageError::LoginTooWeak => (
                t.trouble_login_too_weak_title(),
                t.trouble_login_too_weak_happened(),
                t.trouble_login_too_weak_next(),
            ),
            PageError::LoginNoIdentifier => (
                t.trouble_login_no_identifier_title(),
                t.trouble_login_no_identifier_happened(),
                t.trouble_login_no_identifier_next(),
            ),
            PageError::PasskeyNeeded => (
                t.trouble_passkey_needed_title(),
                t.trouble_passkey_needed_happened(),
                t.trouble_passkey_needed_next(),
            ),
            PageError::PasskeyRefused => (
                t.trouble_passkey_refused_title(),
                t.trouble_passkey_refused_happened(),
                t.trouble_passkey_refused_next(),
            ),
            PageError::ProviderUnavailable => (
                t.trouble_provider_unavailable_title(),
                t.trouble_provider_unavailable_happened(),
                t.trouble_provider_unavailable_next(),
            ),
            PageError::RegisterUnavailable => (
                t.trouble_register_unavailable_title(),
                t.trouble_register_unavailable_happened(),
                t.trouble_register_unavailable_next(),
            ),
            PageError::PartnerUnavailable => (
                t.trouble_partner_unavailable_title(),
                t.trouble_partner_unavailable_happened(),
                t.trouble_partner_unavailable_next(),
            ),
            PageError::PartnerNotTrusted => (
                t.trouble_partner_not_trusted_title(),
                t.trouble_partner_not_trusted_happened(),
                t.trouble_partner_not_trusted_next(),
            ),
            PageError::SessionEnded => (
                t.trouble_session_ended_title(),
                t.trouble_session_ended_happened(),
                t.trouble_session_ended_next(),
            ),
            PageError::FormRefused => (
                t.trouble_form_refused_title(),
                t.trouble_form_refused_happened(),
                t.trouble_form_refused_next(),
            ),
            PageError::TooManyTries => {
                (t.trouble_too_many_title(), t.trouble_too_many_happened(), t.trouble_too_many_next())
            }
            PageError::BadRequest => (
                t.trouble_bad_request_title(),
                t.trouble_bad_request_happened(),
                t.trouble_bad_request_next(),
            ),
            PageError::Unavailable => (
                t.trouble_unavailable_title(),
                t.trouble_unavailable_happened(),
                t.trouble_unavailable_next(),
            ),
            PageError::Internal => {
                (t.trouble_internal_title(), t.trouble_internal_happened(), t.trouble_internal_next())
            }
        };
        Words { title: title.to_string(), happened: happened.to_string(), next: next.to_string() }
    }
}

page!(ErrorView, "error.html", None);
