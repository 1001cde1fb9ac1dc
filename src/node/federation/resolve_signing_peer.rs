//! A member, with the key that its message names: one that is not known yet may be new, and the member is asked again.

use std::sync::Arc;

use crate::domain::federation::{ChainHint, TrustError, TrustedPeer};
use crate::domain::ids::{EntityId, KeyId};
use crate::node::Node;

/// The member behind an identifier; asked again where `has` does not find the named key with it. The key may be missing
/// all the same: verification decides.
pub(crate) async fn peer(
    node: &Node,
    id: &EntityId,
    kid: Option<&KeyId>,
    has: impl Fn(&TrustedPeer, &KeyId) -> bool + Send + Sync,
) -> Result<Arc<TrustedPeer>, TrustError> {
    peer_along(node, id, &ChainHint::default(), kid, has).await
}

/// The same, with the chain that the member handed in as a hint.
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
