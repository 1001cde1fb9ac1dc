//! Rotation of this node's signing keys, and warnings of expiries.

pub(crate) mod expiry_warnings;
pub mod key_ring;
pub mod rotate_keys;
