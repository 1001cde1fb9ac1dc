//! What the node keeps as a holder.

pub(crate) mod authorization_codes;
pub mod consent_receipts;
pub mod consent_requests;
pub mod consents;
pub mod deferrals;
pub mod deletion_confirmations;
pub mod exchanges;
pub mod refusals;
pub(crate) mod standing_denials;
pub(crate) mod status_lists;
pub(crate) mod tokens;
