//! This node as the recipient: it requests a resident's consent, redeems it, fetches data, gives consents back and
//! confirms deletions.

pub(crate) mod accept_authorization;
pub(crate) mod confirm_deletion;
pub(crate) mod fetch_exchange;
pub(crate) mod give_back;
pub(crate) mod holder_catalogue;
pub(crate) mod holder_client;
mod proof_request;
pub(crate) mod redeem_code;
pub(crate) mod request_consent;
mod service_request;
pub(crate) mod start_request;
