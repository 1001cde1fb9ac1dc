//! Membership: entity statements, trust chains and what they say about a peer (OpenID Federation 1.0).
//!
//! [`verify_chain`] is the one way from statements to a [`TrustedPeer`]. Statements that set rules which this version
//! does not know how to apply (`crit`, `metadata_policy`) are refused, never ignored.

mod chain;
#[cfg(test)]
mod chain_tests;
mod constraints;
mod describe;
mod metadata;
mod statement;

pub use chain::{
    MAX_CHAIN_LENGTH, TrustAnchor, VerifiedChain, verify_anchor, verify_chain, verify_statements,
};
pub use describe::{AnchorDescription, NodeDescription, subordinate_statement};
pub use statement::{
    Constraints, ENTITY_STATEMENT, ENTITY_STATEMENT_TYP, EntityStatement, NamingConstraints,
    claimed_statement, verify_self_signed,
};

use super::catalogue::Text;
use super::clock::Timestamp;
use super::ids::EntityId;
use super::jose::PublicKeys;

/// A member of the federation, trusted through a verified chain. Only chain verification makes one.
#[derive(Debug, Clone)]
pub struct TrustedPeer {
    /// Its entity identifier.
    pub id: EntityId,
    /// What it calls itself (`federation_entity.organization_name`, by language where it says so, §5.2.2).
    pub name: Text,
    /// When the chain stops to hold: the earliest `exp` in it.
    pub expires_at: Timestamp,
    /// The anchor that the chain ends at.
    pub anchor: EntityId,
    /// As holder: authorization server, when it is one.
    pub authorization_server: Option<AuthorizationServer>,
    /// As holder: the data's server, when it is one.
    pub resource: Option<Resource>,
    /// As recipient: OAuth client, when it is one.
    pub client: Option<Client>,
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
}

/// `oauth_client` metadata (RFC 7591), as far as a node uses it.
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

/// Why an entity is not trusted. The words are for operators; outsiders get the standard's error code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// No chain to a configured anchor exists, or a link in it does not verify. Deciding again gives the same answer.
    #[error("not a trusted member: {0}")]
    NotTrusted(&'static str),
    /// Not decidable now: a member or anchor cannot be reached and what was known has expired.
    #[error("trust cannot be decided now: {0}")]
    Unavailable(&'static str),
}
