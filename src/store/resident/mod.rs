//! Residents, their sessions and passkeys.

pub(crate) mod passkeys;
pub mod persons;
pub(crate) mod sessions;
