//! The guarded HTTP client, the addresses that it may reach, and the way that requests take out of this machine.

mod address;
mod error;
pub(crate) mod guard;
mod refusal;
mod route;
pub(crate) mod special;

pub use address::AddressPolicy;
pub use error::GuardError;
pub use guard::{Expected, GuardedClient, Reply};
pub use refusal::AddressRefused;
pub(crate) use refusal::Failures;
pub use route::{Proxy, Route};
