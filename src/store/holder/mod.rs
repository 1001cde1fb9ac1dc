//! What the node keeps as a holder.

pub mod authorization_codes;
pub mod consent_receipts;
pub mod consent_requests;
pub mod consents;
pub mod deletion_confirmations;
pub mod exchanges;
pub mod refusals;
pub mod standing_denials;
pub mod status_lists;
pub mod tokens;
