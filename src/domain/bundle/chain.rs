//! The members of a bundle, from its trust chains.

use serde_json::Value;

use crate::domain::clock::Timestamp;
use crate::domain::federation::{
    TrustAnchor, TrustError, TrustFault, VerifiedChain, claimed_statement, verify_statements,
};
use crate::domain::ids::EntityId;
use crate::domain::jose::PublicKeys;

/// A member with a valid chain.
pub(super) struct Member {
    /// As holder: signs receipts.
    pub(super) receipt_keys: PublicKeys,
    /// As holder: signs tokens and status lists.
    pub(super) token_keys: PublicKeys,
    /// As recipient: signs acknowledgements.
    pub(super) acknowledging_keys: PublicKeys,
    /// The trust anchor of its chain.
    pub(super) anchor: EntityId,
    /// The anchor's keys: the given ones, or else those in the chain.
    pub(super) anchor_keys: PublicKeys,
}

/// Verifies a chain as of a moment. Without `anchor_keys`, the anchor's own key list is used, which the caller must not
/// report as proof.
pub(super) fn verify(
    statements: &[String],
    expected: &EntityId,
    at: Timestamp,
    anchor_keys: Option<&PublicKeys>,
) -> Result<Member, TrustError> {
    let top = statements.last().ok_or(TrustError::NotTrusted(TrustFault::EmptyChain))?;
    let claimed = claimed_statement(top)?;
    let keys = match anchor_keys {
        Some(keys) => keys.clone(),
        None if claimed.sub == claimed.iss => claimed.keys()?,
        None => return Err(TrustError::NotTrusted(TrustFault::NoAnchorConfiguration)),
    };
    let anchor = TrustAnchor { id: claimed.iss, keys };
    let chain = verify_statements(statements, std::slice::from_ref(&anchor), at)?;
    if chain.subject() != expected {
        return Err(TrustError::NotTrusted(TrustFault::ChainOfAnotherMember));
    }
    let client_keys = keys_of(&chain, &["openid_relying_party", "oauth_client"], "omadata_receipt_jwks");
    let plain = || keys_of(&chain, &["openid_relying_party", "oauth_client"], "jwks");
    Ok(Member {
        receipt_keys: keys_of(&chain, &["oauth_resource"], "jwks"),
        token_keys: keys_of(&chain, &["oauth_authorization_server"], "jwks"),
        acknowledging_keys: if client_keys.is_empty() { plain() } else { client_keys },
        anchor: anchor.id,
        anchor_keys: anchor.keys,
    })
}

/// A role's keys; `None` if the member does not have the role.
fn keys_of(chain: &VerifiedChain, kinds: &[&str], name: &str) -> PublicKeys {
    kinds
        .iter()
        .filter_map(|kind| chain.metadata().get(*kind).and_then(|role: &Value| role.get(name)))
        .find_map(|jwks| PublicKeys::from_jwks(jwks).ok())
        .unwrap_or_default()
}
