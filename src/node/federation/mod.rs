//! What a node and an anchor say to the federation: their own entity configuration, and a superior's statements about its
//! members.

mod anchor;
mod followed_keys;
mod historical_keys;
pub mod list_peers;
mod member_names;
pub mod members;
pub mod obtain_marks;
mod own;
mod resolve;
pub(crate) mod resolve_signing_peer;
mod terms;
mod trust_marks;

pub use anchor::{AnchorParts, AnchorStatements, FederationKeys};
pub use own::describe;
pub use terms::Terms;

use async_trait::async_trait;

use crate::domain::federation::Outage;
use crate::domain::ids::EntityId;
use crate::domain::jose::JoseError;

/// Why there is no answer to a question of the federation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FederationError {
    /// The subject is the issuer itself, about whom there is no subordinate statement.
    #[error("the subject is the issuer itself")]
    OwnSubject,
    /// Nobody and nothing of that name is known here.
    #[error("not known here")]
    NotFound,
    /// Chains to the trust anchor that was named are not resolved here.
    #[error("not a trust anchor that is resolved here")]
    UnknownAnchor,
    /// There is no valid chain from the subject to a trust anchor that was named.
    #[error("no valid trust chain")]
    NoChain,
    /// The chain holds, and the subject's metadata is malformed or conflicts with a superior's policy.
    #[error("the metadata is invalid or conflicts with a metadata policy")]
    InvalidMetadata,
    /// The keys, the store or the member cannot be reached now.
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

/// Which subordinates a list is to name (OpenID Federation 1.0 §8.2.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListFilter {
    /// Those that have one of these entity types; everyone when empty.
    pub entity_types: Vec<String>,
    /// Only those with a trust mark that holds.
    pub trust_marked: bool,
    /// Only those with a trust mark of this type that holds.
    pub trust_mark_type: Option<String>,
    /// Only intermediates.
    pub intermediate: bool,
}

/// What the federation may ask of this process. What only a superior answers is not found elsewhere.
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
    /// [`FederationError::NotFound`] when there is no such member; others when it cannot be told now.
    async fn fetch_subordinate(&self, _subject: &EntityId) -> Result<String, FederationError> {
        Err(FederationError::NotFound)
    }

    /// The members that pass the filter, in order.
    ///
    /// # Errors
    /// [`FederationError::Unavailable`] when the members are not known now.
    async fn list_subordinates(&self, _filter: &ListFilter) -> Result<Vec<EntityId>, FederationError> {
        Ok(Vec::new())
    }

    /// The signed answer to who an entity is under one of these trust anchors: its metadata, of these types only when
    /// any are named, its chain and its trust marks.
    ///
    /// # Errors
    /// [`FederationError::UnknownAnchor`], [`FederationError::NoChain`], or it cannot be told now.
    async fn resolve(
        &self,
        _subject: &EntityId,
        _anchors: &[EntityId],
        _types: &[String],
    ) -> Result<String, FederationError> {
        Err(FederationError::NotFound)
    }

    /// The signed list of the keys that were in use before.
    ///
    /// # Errors
    /// [`FederationError::Unavailable`] when they cannot be told now.
    async fn historical_keys(&self) -> Result<String, FederationError> {
        Err(FederationError::NotFound)
    }

    /// The signed list of the keys with which consent tokens and receipts were signed before.
    ///
    /// # Errors
    /// [`FederationError::Unavailable`] when they cannot be told now.
    async fn former_keys(&self) -> Result<String, FederationError> {
        Err(FederationError::NotFound)
    }

    /// The trust mark of a type that a member has.
    ///
    /// # Errors
    /// [`FederationError::NotFound`] when it has none; others when it cannot be told now.
    async fn trust_mark(&self, _mark_type: &str, _subject: &EntityId) -> Result<String, FederationError> {
        Err(FederationError::NotFound)
    }

    /// The signed status of a trust mark that was given here.
    ///
    /// # Errors
    /// [`FederationError::NotFound`] when it was not given here.
    async fn trust_mark_status(&self, _mark: &str) -> Result<String, FederationError> {
        Err(FederationError::NotFound)
    }

    /// Who has a trust mark of a type that was given here and holds; only the subject when one is named.
    ///
    /// # Errors
    /// [`FederationError::Unavailable`] when it cannot be told now.
    async fn list_trust_marked(
        &self,
        _mark_type: &str,
        _subject: Option<&EntityId>,
    ) -> Result<Vec<EntityId>, FederationError> {
        Err(FederationError::NotFound)
    }
}
