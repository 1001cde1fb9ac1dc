//! The exchange at the holder.

pub mod serve_exchange;
