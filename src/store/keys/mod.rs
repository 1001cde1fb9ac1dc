//! Root keys and signing keys.

pub mod root_keys;
pub mod signing_keys;
