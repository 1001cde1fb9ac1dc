//! The resident at the portal: login, passkeys, own data.

pub(crate) mod acting;
pub mod check_receipt;
pub(crate) mod export_holdings;
pub(crate) mod holdings;
pub(crate) mod list_log;
pub(crate) mod list_mine;
pub(crate) mod list_receipts;
pub(crate) mod list_uses;
pub(crate) mod log_in;
pub(crate) mod object_to_use;
pub(crate) mod own_records;
pub(crate) mod register_passkey;
pub(crate) mod shown_persons;
pub(crate) mod tracked_uses;
