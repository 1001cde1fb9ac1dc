//! The store: the node's persistent state, in SQLite or PostgreSQL.
//!
//! - [`Store::read`] gives one consistent snapshot, [`Store::write`] is ONE transaction: atomic, durable when it
//!   returns, and repeated when the engine requires it. A closure may therefore run more than once and must do nothing
//!   but change the store.
//! - One file per aggregate. Its functions take a [`Reader`] or a [`Tx`] first, so that a read cannot write and several
//!   aggregates can change in one transaction.
//! - Secrets that are read back are sealed (`engine::sealed`); those that are only compared are hashed. `schema` says
//!   which.
//! - Only this module knows that there are two databases.

pub mod engine;
pub(crate) mod federation;
pub mod holder;
pub mod jobs;
pub mod keys;
pub mod log;
pub mod messaging;
pub mod recipient;
pub mod resident;
pub(crate) mod used_once;

#[cfg(test)]
mod consent_tests;
#[cfg(test)]
mod growth_tests;

pub use crate::store::engine::Random;
pub(crate) use crate::store::engine::clock::agrees;
pub use crate::store::engine::error::{OpenError, StoreError};
pub(crate) use crate::store::engine::location::ServingLock;
pub use crate::store::engine::restore;
pub use crate::store::engine::root_keys::{RootKey, RootKeyError, RootKeys};
pub use crate::store::engine::store::{Options, Store};
pub use crate::store::engine::transaction::{Reader, Tx};
