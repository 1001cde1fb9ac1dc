//! This node's view of the federation: trust chains resolved from the anchors, members, trust marks, diagnosis (OpenID
//! Federation 1.0).

mod ancestors;
mod anchor_keys;
mod bounded_cache;
mod budget;
mod cache;
mod diagnose;
mod directory;
mod documents;
mod fetch;
mod level_walk;
mod resolver;
mod settings;
mod superior;
mod superior_client;
mod trust_marks;

pub use directory::FederationPeers;
pub use fetch::MemberContact;
pub use settings::{AnchorSource, CHAIN_AGE_SECS, PeerSettings};
pub use superior_client::SuperiorContact;
