//! A member with the key that its message names: for an unknown key the member is fetched again.

use std::sync::Arc;

use crate::domain::federation::{ChainHint, TrustError, TrustedPeer};
use crate::domain::ids::{EntityId, KeyId};
use crate::node::Node;

/// The member behind an identifier; fetched again when `has` does not find the named key. The key may still be missing:
/// verification decides.
pub(crate) async fn peer(
    node: &Node,
    id: &EntityId,
    kid: Option<&KeyId>,
    has: impl Fn(&TrustedPeer, &KeyId) -> bool + Send + Sync,
) -> Result<Arc<TrustedPeer>, TrustError> {
    peer_along(node, id, &ChainHint::default(), kid, has).await
}

/// The same, with a chain from the member's message as a hint.
pub(crate) async fn peer_along(
    node: &Node,
    id: &EntityId,
    hint: &ChainHint,
    kid: Option<&KeyId>,
    has: impl Fn(&TrustedPeer, &KeyId) -> bool + Send + Sync,
) -> Result<Arc<TrustedPeer>, TrustError> {
    let peer = node.peers.resolve_along(id, hint).await?;
    match kid {
        Some(kid) if !has(&peer, kid) => node.peers.refreshed(id, &|peer| has(peer, kid)).await,
        _ => Ok(peer),
    }
}
