//! A node's and an anchor's federation statements: their own entity configuration, and a superior's statements about
//! its members.

mod anchor;
mod followed_keys;
mod historical_keys;
pub(crate) mod list_peers;
mod member_names;
pub mod members;
pub(crate) mod obtain_marks;
mod own;
mod refresh_members;
mod resolve;
pub(crate) mod resolve_signing_peer;
mod terms;
mod trust_marks;

pub use anchor::{AnchorParts, AnchorStatements, FederationKeys};
pub(crate) use own::{DocumentsWithOwnUses, describe};
pub use terms::Terms;

use async_trait::async_trait;

use crate::domain::federation::Outage;
use crate::domain::ids::EntityId;
use crate::domain::jose::JoseError;

/// Why a federation request has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FederationError {
    /// The subject is the issuer itself, about which there is no subordinate statement.
    #[error("the subject is the issuer itself")]
    OwnSubject,
    /// Not found.
    #[error("not known here")]
    NotFound,
    /// Chains to the requested trust anchor are not resolved here.
    #[error("not a trust anchor that is resolved here")]
    UnknownAnchor,
    /// There is no valid chain from the subject to a requested trust anchor.
    #[error("no valid trust chain")]
    NoChain,
    /// The chain is valid, and the subject's metadata is malformed or conflicts with a superior's policy.
    #[error("the metadata is invalid or conflicts with a metadata policy")]
    InvalidMetadata,
    /// The keys, the store or the member are not available now.
    #[error("not available now: {0}")]
    Unavailable(Outage),
    /// The answer could not be signed.
    #[error("the answer could not be signed")]
    Internal,
}

impl From<JoseError> for FederationError {
    fn from(_: JoseError) -> Self {
        Self::Internal
    }
}

/// Filter of a list of subordinates (OpenID Federation 1.0 §8.2.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListFilter {
    /// Those that have one of these entity types; all when empty.
    pub(crate) entity_types: Vec<String>,
    /// Only those with a valid trust mark.
    pub(crate) trust_marked: bool,
    /// Only those with a valid trust mark of this type.
    pub trust_mark_type: Option<String>,
    /// Only intermediates.
    pub intermediate: bool,
}

/// The federation endpoints of this process. Those of superiors answer "not found" elsewhere.
#[async_trait]
pub trait FederationStatements: Send + Sync {
    /// The signed entity configuration.
    ///
    /// # Errors
    /// [`FederationError`] when the keys are not available.
    async fn publish_entity_configuration(&self) -> Result<String, FederationError>;

    /// The signed statement about a member.
    ///
    /// # Errors
    /// [`FederationError::NotFound`] when there is no such member; others when that cannot be decided now.
    async fn fetch_subordinate(&self, _subject: &EntityId) -> Result<String, FederationError> {
        Err(FederationError::NotFound)
    }

    /// The members that pass the filter, in order.
    ///
    /// # Errors
    /// [`FederationError::Unavailable`] when the members are not available now.
    async fn list_subordinates(&self, _filter: &ListFilter) -> Result<Vec<EntityId>, FederationError> {
        Ok(Vec::new())
    }

    /// The signed resolve response about an entity under one of these trust anchors: its metadata, of these types only
    /// if any are given, its chain and its trust marks.
    ///
    /// # Errors
    /// [`FederationError::UnknownAnchor`], [`FederationError::NoChain`], or it cannot be decided now.
    async fn resolve(
        &self,
        _subject: &EntityId,
        _anchors: &[EntityId],
        _types: &[String],
    ) -> Result<String, FederationError> {
        Err(FederationError::NotFound)
    }

    /// The signed history of the federation keys.
    ///
    /// # Errors
    /// [`FederationError::Unavailable`] when the keys are not available now.
    async fn historical_keys(&self) -> Result<String, FederationError> {
        Err(FederationError::NotFound)
    }

    /// The signed list of the former keys of consent tokens and receipts.
    ///
    /// # Errors
    /// [`FederationError::Unavailable`] when the keys are not available now.
    async fn former_keys(&self) -> Result<String, FederationError> {
        Err(FederationError::NotFound)
    }

    /// The trust mark of a type of a member.
    ///
    /// # Errors
    /// [`FederationError::NotFound`] when it has none; others when that cannot be decided now.
    async fn trust_mark(&self, _mark_type: &str, _subject: &EntityId) -> Result<String, FederationError> {
        Err(FederationError::NotFound)
    }

    /// The signed status of a trust mark that was issued here.
    ///
    /// # Errors
    /// [`FederationError::NotFound`] when it was not issued here.
    async fn trust_mark_status(&self, _mark: &str) -> Result<String, FederationError> {
        Err(FederationError::NotFound)
    }

    /// The entities with a valid trust mark of a type that was issued here; only the subject if one is given.
    ///
    /// # Errors
    /// [`FederationError::Unavailable`] when that cannot be decided now.
    async fn list_trust_marked(
        &self,
        _mark_type: &str,
        _subject: Option<&EntityId>,
    ) -> Result<Vec<EntityId>, FederationError> {
        Err(FederationError::NotFound)
    }
}
