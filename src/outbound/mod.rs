//! Everything that this node asks of others over the network, through one guarded client.

pub mod federation;
pub mod openid;
mod passkeys;
mod send;

pub use crate::outbound::federation::anchor::MemberContact;
pub use crate::outbound::federation::directory::{
    AnchorSource, CHAIN_AGE_SECS, FederationPeers, PeerSettings,
};
pub use crate::outbound::federation::superior_client::SuperiorContact;
pub use passkeys::WebAuthn;
