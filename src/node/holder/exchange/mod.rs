//! The exchange at the holder.

mod checks;
pub(crate) mod commit_deferral;
pub(crate) mod commit_exchange;
pub(crate) mod commit_queue;
pub(crate) mod record_refusal;
pub(crate) mod serve_exchange;
