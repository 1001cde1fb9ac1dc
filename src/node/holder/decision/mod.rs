//! The resident's decision about a request.

pub mod decide_consent;
pub mod sign_with_passkey;
pub mod standing_denials;
pub mod start_consent;
pub mod view_consent_request;
