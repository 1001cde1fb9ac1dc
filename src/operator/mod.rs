//! Use cases behind the operator's commands.

pub mod consents;
pub(crate) mod draft_dataset;
pub mod keys;
pub mod peers;
pub(crate) mod registers;
pub mod residents;
pub(crate) mod restore;
pub mod uses;
