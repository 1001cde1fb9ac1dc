//! What a node and an anchor say to the federation: their own entity configuration, and an anchor's word for its members.

mod anchor;
mod followed_keys;
mod own;

pub use anchor::{AnchorParts, AnchorStatements, FederationKeys, MemberKeys, MemberPins};
pub use own::describe;

use async_trait::async_trait;

use crate::domain::ids::EntityId;
use crate::domain::jose::JoseError;

/// Why there is no statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FederationError {
    /// The subject is the issuer itself, about whom there is no subordinate statement.
    #[error("the subject is the issuer itself")]
    OwnSubject,
    /// Nobody of that name is a member here.
    #[error("not a member")]
    NotFound,
    /// The keys, the store or the member cannot be reached now.
    #[error("not available now: {0}")]
    Unavailable(&'static str),
    /// The statement could not be signed.
    #[error("the statement could not be signed")]
    Internal,
}

impl From<JoseError> for FederationError {
    fn from(_: JoseError) -> Self {
        Self::Internal
    }
}

/// What the federation may ask of this process.
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
    async fn fetch_subordinate(&self, subject: &EntityId) -> Result<String, FederationError>;

    /// Every member, in order.
    ///
    /// # Errors
    /// [`FederationError::Unavailable`] when the members are not known now.
    async fn list_subordinates(&self) -> Result<Vec<EntityId>, FederationError>;
}
