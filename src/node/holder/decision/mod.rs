//! The resident's decision about a request.

pub mod decide_consent;
pub mod deny_requests;
pub mod sign_with_passkey;
pub mod start_consent;
pub mod view_consent_request;
