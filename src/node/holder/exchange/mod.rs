//! The exchange at the holder.

mod checks;
pub mod commit_exchange;
pub(crate) mod record_refusal;
pub mod serve_exchange;
