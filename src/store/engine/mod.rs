//! The engine: connections, transactions, schema, columns, sealing, errors.

pub(crate) mod columns;
pub(crate) mod db;
pub mod error;
pub(crate) mod schema;
pub mod sealed;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
pub(crate) mod tests;
