//! A trusted member, and its roles by trust marks.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{HeldMark, Role, TrustError, TrustFault, VerifiedChain};
use crate::domain::catalogue::Text;
use crate::domain::clock::Timestamp;
use crate::domain::ids::EntityId;
use crate::domain::jose::PublicKeys;

/// An entity with a valid chain and its valid marks: a peer if its metadata has what a node needs. Other kinds of
/// members (login providers, clients that publish `jwks_uri`) have a chain too.
#[derive(Debug, Clone)]
pub struct ResolvedEntity {
    /// Its chain.
    pub chain: VerifiedChain,
    /// The valid marks.
    pub marks: Vec<HeldMark>,
    /// The entity as a peer, or why it cannot be one.
    pub peer: Result<Arc<TrustedPeer>, TrustError>,
}

impl ResolvedEntity {
    /// The subject of a verified chain, with its valid marks.
    #[must_use]
    pub fn new(chain: VerifiedChain, marks: Vec<HeldMark>) -> Self {
        let peer = TrustedPeer::from_chain(&chain, marks.clone()).map(Arc::new);
        Self { chain, marks, peer }
    }

    /// Expiry of the chain or of a mark, whichever is first.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.peer.as_ref().map_or_else(|_| self.chain.expires_at(), |peer| peer.expires_at)
    }
}

/// A member of the federation, trusted through a verified chain. Only [`TrustedPeer::from_chain`] creates one.
///
/// Its metadata for a role is available through the role only: [`Self::recipient`], [`Self::holder`] and
/// [`Self::consent_issuer`] refuse a member without the trust mark.
#[derive(Debug, Clone)]
pub struct TrustedPeer {
    /// Its entity identifier.
    pub id: EntityId,
    /// Its display name by language (`federation_entity.organization_name`, §5.2.2).
    pub name: Text,
    /// Expiry of the chain or of a trust mark, whichever is first.
    pub expires_at: Timestamp,
    /// When its immediate superior issued the statement about it.
    pub issued_at: Timestamp,
    /// The anchor that the chain ends at.
    pub anchor: EntityId,
    /// Its superiors, from the immediate one to the anchor.
    pub superiors: Vec<EntityId>,
    /// Its federation keys, from its superior's statement.
    pub federation_keys: PublicKeys,
    /// The chain's statements, in the standard's order, to be stored as evidence.
    pub statements: Vec<String>,
    pub(super) marks: Vec<HeldMark>,
    pub(super) roles: BTreeSet<Role>,
    pub(super) authorization_server: Option<AuthorizationServer>,
    pub(super) resource: Option<Resource>,
    pub(super) client: Option<Client>,
}

/// A member that may request and fetch data.
#[derive(Debug, Clone, Copy)]
pub struct Recipient<'a> {
    peer: &'a TrustedPeer,
    client: &'a Client,
}

/// A member that may release data.
#[derive(Debug, Clone, Copy)]
pub struct Holder<'a> {
    peer: &'a TrustedPeer,
    resource: &'a Resource,
}

/// A member that may offer decisions to residents and issue consent tokens.
#[derive(Debug, Clone, Copy)]
pub struct ConsentIssuer<'a> {
    peer: &'a TrustedPeer,
    server: &'a AuthorizationServer,
}

impl<'a> Recipient<'a> {
    /// The member.
    #[must_use]
    pub const fn peer(&self) -> &'a TrustedPeer {
        self.peer
    }

    /// Its client metadata.
    #[must_use]
    pub const fn client(&self) -> &'a Client {
        self.client
    }
}

impl<'a> Holder<'a> {
    /// The member.
    #[must_use]
    pub const fn peer(&self) -> &'a TrustedPeer {
        self.peer
    }

    #[must_use]
    pub(crate) const fn resource(&self) -> &'a Resource {
        self.resource
    }
}

impl<'a> ConsentIssuer<'a> {
    /// The member.
    #[must_use]
    pub const fn peer(&self) -> &'a TrustedPeer {
        self.peer
    }

    /// Its authorization server.
    #[must_use]
    pub const fn authorization_server(&self) -> &'a AuthorizationServer {
        self.server
    }
}

impl TrustedPeer {
    /// Its valid trust marks.
    #[must_use]
    pub fn marks(&self) -> &[HeldMark] {
        &self.marks
    }

    /// Whether it may play a role.
    #[must_use]
    pub fn holds(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Its roles for which it also has the metadata.
    #[must_use]
    pub fn roles(&self) -> Vec<Role> {
        let open = |role: &Role| match role {
            Role::ConsentIssuer => self.consent_issuer().is_ok(),
            Role::DataHolder => self.holder().is_ok(),
            Role::DataRecipient => self.recipient().is_ok(),
        };
        Role::ALL.into_iter().filter(open).collect()
    }

    /// The member as recipient.
    ///
    /// # Errors
    /// [`TrustError::NotTrusted`] when it lacks the trust mark, or is no OAuth client.
    pub fn recipient(&self) -> Result<Recipient<'_>, TrustError> {
        self.demand(Role::DataRecipient)?;
        let client = self.client.as_ref().ok_or(TrustError::NotTrusted(TrustFault::NoClient))?;
        Ok(Recipient { peer: self, client })
    }

    /// The member as holder.
    ///
    /// # Errors
    /// [`TrustError::NotTrusted`] when it lacks the trust mark, or is no resource server.
    pub fn holder(&self) -> Result<Holder<'_>, TrustError> {
        self.demand(Role::DataHolder)?;
        let resource = self.resource.as_ref().ok_or(TrustError::NotTrusted(TrustFault::NoResource))?;
        Ok(Holder { peer: self, resource })
    }

    /// The member as consent issuer.
    ///
    /// # Errors
    /// [`TrustError::NotTrusted`] when it lacks the trust mark, or is no authorization server.
    pub fn consent_issuer(&self) -> Result<ConsentIssuer<'_>, TrustError> {
        self.demand(Role::ConsentIssuer)?;
        let server = self
            .authorization_server
            .as_ref()
            .ok_or(TrustError::NotTrusted(TrustFault::NoAuthorizationServer))?;
        Ok(ConsentIssuer { peer: self, server })
    }

    /// The keys that sign its receipts as holder. Requires no role: signatures made during a role stay valid.
    #[must_use]
    pub(crate) fn holder_receipt_keys(&self) -> Option<&PublicKeys> {
        self.resource.as_ref().map(|resource| &resource.receipt_keys)
    }

    /// The endpoint of its former keys of tokens and receipts. Requires no role, for the same reason.
    #[must_use]
    pub(crate) fn former_keys_endpoint(&self) -> Option<&url::Url> {
        self.resource.as_ref()?.former_keys_endpoint.as_ref()
    }

    /// The endpoint of a client for events about consents. Requires no role: a recipient that lost its role must all
    /// the more be notified to stop.
    #[must_use]
    pub(crate) fn client_events_endpoint(&self) -> Option<&url::Url> {
        self.client.as_ref()?.events_endpoint.as_ref()
    }

    /// The endpoint of a resource server for events about exchanges. Requires no role: a released exchange must be
    /// acknowledged.
    #[must_use]
    pub(crate) fn resource_events_endpoint(&self) -> Option<&url::Url> {
        self.resource.as_ref()?.events_endpoint.as_ref()
    }

    fn demand(&self, role: Role) -> Result<(), TrustError> {
        if self.holds(role) {
            return Ok(());
        }
        Err(TrustError::NotTrusted(TrustFault::NoMark(role)))
    }
}

/// `oauth_authorization_server` metadata (RFC 8414), as far as a node uses it.
#[derive(Debug, Clone)]
pub struct AuthorizationServer {
    /// `authorization_endpoint`.
    pub(crate) authorization_endpoint: url::Url,
    /// `pushed_authorization_request_endpoint`.
    pub(crate) pushed_authorization_request_endpoint: url::Url,
    /// `token_endpoint`.
    pub(crate) token_endpoint: url::Url,
    /// `grant_management_endpoint`.
    pub(crate) grant_management_endpoint: Option<url::Url>,
    /// Keys that sign consent tokens.
    pub token_keys: PublicKeys,
}

/// `oauth_resource` metadata (RFC 9728), as far as a node uses it.
#[derive(Debug, Clone)]
pub struct Resource {
    /// `resource`: the audience of consent tokens and the base of `/exchange/datasets/{id}`; equals the entity identifier.
    pub(crate) resource: String,
    /// Keys that sign receipts and events.
    pub receipt_keys: PublicKeys,
    /// `omadata_events_endpoint`: where signed events (RFC 8935) are pushed to.
    pub(crate) events_endpoint: Option<url::Url>,
    /// `omadata_former_keys_endpoint`: the former keys of tokens and receipts.
    pub(crate) former_keys_endpoint: Option<url::Url>,
}

/// `oauth_client` or `openid_relying_party` metadata (RFC 7591), as far as a node uses it.
#[derive(Debug, Clone)]
pub struct Client {
    /// `redirect_uris`, compared exactly.
    pub redirect_uris: Vec<String>,
    /// Keys that sign client assertions.
    pub client_keys: PublicKeys,
    /// Keys that sign the recipient's acknowledgements (`omadata_receipt_jwks`; the client keys when absent).
    pub receipt_keys: PublicKeys,
    /// `omadata_events_endpoint`: where signed events (RFC 8935) are pushed to.
    pub(crate) events_endpoint: Option<url::Url>,
}
