//! Client authentication at the OAuth endpoints: `private_key_jwt` (RFC 7523), keys from the client's trust chain
//! alone.

use std::sync::Arc;

use crate::domain::federation::{ChainHint, Client, TrustError, TrustedPeer};
use crate::domain::ids::EntityId;
use crate::domain::jose::UnverifiedJws;
use crate::domain::token::client_assertion::{self, ASSERTION_TYPE};
use crate::node::federation::resolve_signing_peer;
use crate::node::{Node, OAuthError};
use crate::store::used_once;

/// The client authentication parameters of a form.
#[derive(Debug, Clone, Default)]
pub(crate) struct ClientCredentials {
    /// `client_id`, optional with an assertion; must match it.
    pub(crate) client_id: Option<String>,
    /// `client_assertion_type`.
    pub(crate) assertion_type: Option<String>,
    /// `client_assertion`.
    pub(crate) assertion: Option<String>,
}

/// An authenticated client that is a member now.
pub(crate) struct KnownClient {
    peer: Arc<TrustedPeer>,
    client: Client,
}

impl KnownClient {
    #[must_use]
    pub(crate) fn peer(&self) -> &TrustedPeer {
        &self.peer
    }

    #[must_use]
    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }
}

/// The error for a member without the role, so that its operator can correct it.
fn not_a_recipient(error: TrustError) -> OAuthError {
    tracing::info!(event = "client_not_recipient", %error, "a client has no recipient's role");
    OAuthError::client("the client is not a recipient: it lacks the trust mark or client metadata")
}

/// The trust chain in a client's assertion, if it is usable as a hint; ignored otherwise.
fn hint(node: &Node, client: &EntityId, assertion: &UnverifiedJws) -> ChainHint {
    let Some(chain) = assertion.handed_in_chain() else { return ChainHint::default() };
    ChainHint::read(chain, client, &node.settings.trust_anchors, node.now()).unwrap_or_else(|error| {
        tracing::debug!(event = "handed_in_chain_unfit", %client, %error, "a trust chain that was handed in is no hint");
        ChainHint::default()
    })
}

/// Authenticates the client of an OAuth request and uses its assertion up.
///
/// # Errors
/// [`OAuthError`] `invalid_client`; 503 when membership or the replay table is not available.
pub(crate) async fn authenticate_client(
    node: &Node,
    credentials: &ClientCredentials,
) -> Result<KnownClient, OAuthError> {
    let now = node.now();
    if credentials.assertion_type.as_deref() != Some(ASSERTION_TYPE) {
        return Err(OAuthError::client("client authentication must be private_key_jwt"));
    }
    let assertion =
        credentials.assertion.as_deref().ok_or(OAuthError::client("client_assertion is missing"))?;
    let (claimed, unverified) = client_assertion::open(assertion).map_err(|error| {
        tracing::info!(event = "client_assertion_refused", %error, "a client assertion is malformed");
        OAuthError::client("the client assertion does not verify")
    })?;
    if credentials.client_id.as_deref().is_some_and(|client_id| client_id != claimed.as_str()) {
        return Err(OAuthError::client("client_id differs from the client assertion"));
    }
    let kid = unverified.kid().cloned();
    let hint = hint(node, &claimed, &unverified);
    let peer = resolve_signing_peer::peer_along(node, &claimed, &hint, kid.as_ref(), |peer, kid| {
        peer.recipient().is_ok_and(|recipient| recipient.client().client_keys.find(kid).is_some())
    })
    .await?;
    let client = peer.recipient().map_err(not_a_recipient)?.client().clone();
    let authentic = client_assertion::verify(unverified, &client.client_keys, &node.settings.id, now)
        .map_err(|error| {
            // The identifier is a trusted member's; that the member sent this is known only if the key verified.
            tracing::info!(
                event = "client_assertion_refused", client = %claimed, check = %error,
                "a client assertion is refused"
            );
            OAuthError::client(error.description())
        })?;
    node.store
        .write("use_client_assertion", move |tx| {
            let replayed = OAuthError::client("the client assertion was used before");
            used_once::consume_assertion(
                tx,
                &authentic.client,
                &authentic.jti,
                authentic.expires_at,
                replayed,
            )
        })
        .await?;
    Ok(KnownClient { peer, client })
}
