//! Everything that this node asks of others over the network, through one guarded client.

mod address;
mod anchor;
mod cache;
mod examine;
pub mod guard;
mod kept;
mod marks;
pub mod openid;
mod passkeys;
pub mod peers;
mod search;
mod send;
mod superiors;
mod vouching;

pub use anchor::MemberContact;
pub use guard::{Expected, GuardError, GuardedClient, Reach, Reply};
pub use passkeys::WebAuthn;
pub use peers::{AnchorSource, CHAIN_AGE_SECS, FederationPeers, PeerSettings};
pub use superiors::SuperiorContact;
