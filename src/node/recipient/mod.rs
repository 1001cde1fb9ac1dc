//! This node as the recipient: it requests a resident's consent, redeems it, fetches data, gives consents back and
//! confirms deletions.

pub mod accept_authorization;
pub mod confirm_deletion;
pub mod fetch_exchange;
pub mod give_back;
pub mod holder_catalogue;
pub(crate) mod holder_client;
mod proof_request;
pub mod redeem_code;
pub mod request_consent;
mod service_request;
pub mod start_request;
