//! A trusted member, and the roles that its trust marks open.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{HeldMark, Role, TrustError, TrustFault, VerifiedChain};
use crate::domain::catalogue::Text;
use crate::domain::clock::Timestamp;
use crate::domain::ids::EntityId;
use crate::domain::jose::PublicKeys;

/// An entity with a valid chain and the marks of it that hold: a peer where its metadata is what a node needs. Other kinds
/// of members (login providers, clients that publish `jwks_uri`) have a chain all the same.
#[derive(Debug, Clone)]
pub struct ResolvedEntity {
    /// Its chain.
    pub chain: VerifiedChain,
    /// The marks that were checked and hold.
    pub marks: Vec<HeldMark>,
    /// The entity as a peer, or why it cannot be one.
    pub peer: Result<Arc<TrustedPeer>, TrustError>,
}

impl ResolvedEntity {
    /// The subject of a checked chain, with the marks of it that hold.
    #[must_use]
    pub fn new(chain: VerifiedChain, marks: Vec<HeldMark>) -> Self {
        let peer = TrustedPeer::from_chain(&chain, marks.clone()).map(Arc::new);
        Self { chain, marks, peer }
    }

    /// When it stops to be what it is: the chain's end, or that of a mark.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.peer.as_ref().map_or_else(|_| self.chain.expires_at(), |peer| peer.expires_at)
    }
}

/// A member of the federation, trusted through a verified chain. Only [`TrustedPeer::from_chain`] makes one.
///
/// What it offers in a role is reached through the role alone: [`Self::recipient`], [`Self::holder`] and
/// [`Self::consent_issuer`] refuse whom has not the trust mark.
#[derive(Debug, Clone)]
pub struct TrustedPeer {
    /// Its entity identifier.
    pub id: EntityId,
    /// What it calls itself (`federation_entity.organization_name`, by language where it says so, §5.2.2).
    pub name: Text,
    /// When the chain or a trust mark stops to hold, whichever is first.
    pub expires_at: Timestamp,
    /// When its immediate superior vouched for it.
    pub issued_at: Timestamp,
    /// The anchor that the chain ends at.
    pub anchor: EntityId,
    /// Who vouches: from its immediate superior to the anchor.
    pub superiors: Vec<EntityId>,
    /// Its federation keys, as its superior vouches for them.
    pub federation_keys: PublicKeys,
    /// The chain's statements, in the standard's order, to be kept as evidence.
    pub statements: Vec<String>,
    pub(super) marks: Vec<HeldMark>,
    pub(super) roles: BTreeSet<Role>,
    pub(super) authorization_server: Option<AuthorizationServer>,
    pub(super) resource: Option<Resource>,
    pub(super) client: Option<Client>,
}

/// A member that may ask for data and fetch it.
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

/// A member that may let residents decide and issue consent tokens.
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

    /// Where its data is.
    #[must_use]
    pub const fn resource(&self) -> &'a Resource {
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
    /// Its trust marks that were checked and hold.
    #[must_use]
    pub fn marks(&self) -> &[HeldMark] {
        &self.marks
    }

    /// Whether it may play a role.
    #[must_use]
    pub fn holds(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// The roles that it may play and has the metadata for.
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
    /// [`TrustError::NotTrusted`] when it has not the trust mark, or is no OAuth client.
    pub fn recipient(&self) -> Result<Recipient<'_>, TrustError> {
        self.demand(Role::DataRecipient)?;
        let client = self.client.as_ref().ok_or(TrustError::NotTrusted(TrustFault::NoClient))?;
        Ok(Recipient { peer: self, client })
    }

    /// The member as holder.
    ///
    /// # Errors
    /// [`TrustError::NotTrusted`] when it has not the trust mark, or is no resource server.
    pub fn holder(&self) -> Result<Holder<'_>, TrustError> {
        self.demand(Role::DataHolder)?;
        let resource = self.resource.as_ref().ok_or(TrustError::NotTrusted(TrustFault::NoResource))?;
        Ok(Holder { peer: self, resource })
    }

    /// The member as issuer of consents.
    ///
    /// # Errors
    /// [`TrustError::NotTrusted`] when it has not the trust mark, or is no authorization server.
    pub fn consent_issuer(&self) -> Result<ConsentIssuer<'_>, TrustError> {
        self.demand(Role::ConsentIssuer)?;
        let server = self
            .authorization_server
            .as_ref()
            .ok_or(TrustError::NotTrusted(TrustFault::NoAuthorizationServer))?;
        Ok(ConsentIssuer { peer: self, server })
    }

    /// The keys that sign its receipts as holder. Needs no role: what it signed while it had one stays signed.
    #[must_use]
    pub fn holder_receipt_keys(&self) -> Option<&PublicKeys> {
        self.resource.as_ref().map(|resource| &resource.receipt_keys)
    }

    /// Where it tells the keys with which it signed tokens and receipts before. Needs no role, for the same reason.
    #[must_use]
    pub fn former_keys_endpoint(&self) -> Option<&url::Url> {
        self.resource.as_ref()?.former_keys_endpoint.as_ref()
    }

    /// Where it wants to hear, as a client, what became of a consent. Needs no role: whoever lost the right to fetch must
    /// all the more be told to stop.
    #[must_use]
    pub fn client_events_endpoint(&self) -> Option<&url::Url> {
        self.client.as_ref()?.events_endpoint.as_ref()
    }

    /// Where it wants to hear, as a resource server, what became of an exchange. Needs no role: an acknowledgement is
    /// owed for what was released.
    #[must_use]
    pub fn resource_events_endpoint(&self) -> Option<&url::Url> {
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
    pub authorization_endpoint: url::Url,
    /// `pushed_authorization_request_endpoint`.
    pub pushed_authorization_request_endpoint: url::Url,
    /// `token_endpoint`.
    pub token_endpoint: url::Url,
    /// `revocation_endpoint`.
    pub revocation_endpoint: Option<url::Url>,
    /// `grant_management_endpoint`.
    pub grant_management_endpoint: Option<url::Url>,
    /// Keys that sign consent tokens.
    pub token_keys: PublicKeys,
}

/// `oauth_resource` metadata (RFC 9728), as far as a node uses it.
#[derive(Debug, Clone)]
pub struct Resource {
    /// `resource`: the audience of consent tokens and the base of `/exchange/datasets/{id}`; equals the entity identifier.
    pub resource: String,
    /// Keys that sign receipts and events.
    pub receipt_keys: PublicKeys,
    /// `omadata_events_endpoint`: where signed events (RFC 8935) are pushed to.
    pub events_endpoint: Option<url::Url>,
    /// `omadata_former_keys_endpoint`: where the keys are told with which it signed tokens and receipts before.
    pub former_keys_endpoint: Option<url::Url>,
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
    pub events_endpoint: Option<url::Url>,
}
