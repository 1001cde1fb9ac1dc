//! This node's signing keys and whatever else expires.

pub mod expiry_warnings;
pub mod key_ring;
pub mod rotate_keys;
