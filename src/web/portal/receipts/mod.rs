//! Receipts: the resident's own, and the public verification.

pub(crate) mod own;
#[cfg(test)]
pub(crate) mod samples;
pub(crate) mod verify;
