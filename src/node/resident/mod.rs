//! The resident at the portal: login, passkeys, own data.

pub mod acting;
pub mod check_receipt;
pub mod list_mine;
pub mod list_receipts;
pub mod log_in;
pub mod register_passkey;
