//! This node's requests over the network, through one guarded client.

pub mod federation;
pub mod openid;
mod passkeys;
mod send;

pub use federation::{
    AnchorSource, CHAIN_AGE_SECS, FederationPeers, MemberContact, PeerSettings, SuperiorContact,
};
pub(crate) use passkeys::WebAuthn;
