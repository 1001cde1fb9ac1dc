//! The guarded HTTP client and the addresses that it may reach.

pub(crate) mod address;
pub mod guard;

pub use address::AddressPolicy;
pub use guard::{Expected, GuardError, GuardedClient, Reply};
