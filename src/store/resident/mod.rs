//! Residents, their sessions and passkeys, the reported uses of their data and their objections.

pub(crate) mod passkeys;
pub mod persons;
pub(crate) mod reported_uses;
pub(crate) mod sessions;
pub(crate) mod use_hidings;
pub(crate) mod use_objections;
