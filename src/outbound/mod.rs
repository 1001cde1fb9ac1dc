//! Everything that this node asks of others over the network, through one guarded client.

mod address;
pub mod anchor;
mod cache;
pub mod guard;
pub mod openid;
pub mod peers;

pub use guard::{Expected, GuardedClient, OutboundError, Reach, Reply};
pub use peers::{AnchorSource, FederationPeers};
