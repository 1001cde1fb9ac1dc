//! Receipts: the resident's own, and the check that anyone may make.

pub(crate) mod own;
#[cfg(test)]
pub(crate) mod samples;
pub(crate) mod verify;
