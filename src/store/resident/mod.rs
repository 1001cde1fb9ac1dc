//! Residents, their sessions and passkeys.

pub mod passkeys;
pub mod persons;
pub mod sessions;
