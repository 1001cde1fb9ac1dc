//! The engine: connections, transactions, schema, columns, sealing, errors.

pub(crate) mod clock;
pub(crate) mod columns;
mod database;
pub(crate) mod db;
pub mod error;
mod group;
pub(crate) mod identity;
mod key_checks;
pub(crate) mod location;
#[cfg(test)]
mod plans;
mod pool;
pub(crate) mod purge;
pub mod restore;
pub mod root_keys;
pub(crate) mod schema;
pub(crate) mod sealed;
#[cfg(test)]
mod sqlite_file_tests;
pub mod store;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
pub(crate) mod tests;
pub mod transaction;

use std::sync::Arc;

/// Fills a buffer with unpredictable bytes; the application passes its `ports::Entropy` in.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;
