//! The resident's decision about a request.

mod begin_allow;
mod complete_allow;
pub mod decide_consent;
mod decline_request;
pub mod deny_requests;
mod destination;
mod offer;
mod request;
pub mod sign_with_passkey;
pub mod start_consent;
pub mod view_consent_request;
