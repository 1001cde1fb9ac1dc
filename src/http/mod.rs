//! The guarded HTTP client, its address policy, and the route of outgoing requests.

mod address;
mod error;
pub mod guard;
mod refusal;
mod route;
pub(crate) mod special;
#[cfg(test)]
pub(crate) mod testing;

pub use address::AddressPolicy;
pub use error::GuardError;
pub use guard::{Expected, GuardedClient, Reply};
pub(crate) use refusal::{AddressRefused, Failures};
pub(crate) use route::{Proxy, Route};
