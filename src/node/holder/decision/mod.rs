//! The resident's decision about a request.

mod begin_allow;
pub(crate) mod choose_persons;
mod complete_allow;
pub(crate) mod decide_consent;
mod decline_request;
pub(crate) mod deny_requests;
mod destination;
mod offer;
mod request;
pub(crate) mod sign_with_passkey;
pub(crate) mod start_consent;
pub(crate) mod view_consent_request;
