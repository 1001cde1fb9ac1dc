//! The other members of the federation, the trust anchors and the superiors.

use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::catalogue::{DeclaredUse, DeclaredUses};
use crate::domain::clock::Timestamp;
use crate::domain::federation::{
    ChainHint, FormerKeys, PeerReport, ResolvedEntity, TrustError, TrustMark, TrustedPeer,
};
use crate::domain::ids::{EntityId, UseId};
use crate::domain::jose::PublicKeys;

/// Resolves trust chains.
#[async_trait]
pub trait TrustResolver: Send + Sync {
    /// The member behind an entity identifier, trusted through a chain to a configured anchor that is valid now.
    ///
    /// # Errors
    /// [`TrustError`]: not a member, chain broken, or not decidable now.
    async fn resolve(&self, id: &EntityId) -> Result<Arc<TrustedPeer>, TrustError>;

    /// As [`Self::resolve`], with a trust chain from the member's message as a hint which superiors to ask first. The
    /// result does not depend on it.
    ///
    /// # Errors
    /// As [`Self::resolve`].
    async fn resolve_along(&self, id: &EntityId, hint: &ChainHint) -> Result<Arc<TrustedPeer>, TrustError>;

    /// As [`Self::resolve`], fetched again because a message names a key of the member that is not known: the member
    /// may have rotated its keys. `has` is true when the key is known. A member is fetched at most once per second; the
    /// interval grows while fetching does not find the key.
    ///
    /// # Errors
    /// As [`Self::resolve`].
    async fn refreshed(&self, id: &EntityId, has: HasKey<'_>) -> Result<Arc<TrustedPeer>, TrustError>;

    /// The trust chain of an entity of any type to a configured anchor, whether or not the entity can be a peer.
    ///
    /// # Errors
    /// As [`Self::resolve`], but for metadata that is not what a node needs.
    async fn resolve_entity(&self, id: &EntityId) -> Result<Arc<ResolvedEntity>, TrustError>;
}

/// What trusted members publish beside their entity configuration.
#[async_trait]
pub trait MemberDocuments: Send + Sync {
    /// The keys with which a trusted member signed tokens and receipts before, as it publishes them now.
    ///
    /// # Errors
    /// [`TrustError`] when it is not trusted, cannot be reached or does not publish them.
    async fn former_keys(&self, id: &EntityId) -> Result<Arc<FormerKeys>, TrustError>;

    /// The declared use behind its URL, fetched from the recipient that the URL names (a trusted member).
    ///
    /// # Errors
    /// [`TrustError`] when the recipient is not trusted, cannot be reached or publishes no such use.
    async fn declared_use(&self, id: &UseId) -> Result<Arc<DeclaredUse>, TrustError>;

    /// All declared uses of a trusted recipient.
    ///
    /// # Errors
    /// [`TrustError`] when it is not trusted or cannot be reached.
    async fn declared_uses(&self, recipient: &EntityId) -> Result<Arc<DeclaredUses>, TrustError>;
}

/// The list of members.
#[async_trait]
pub trait MemberDirectory: Send + Sync {
    /// Every member that the configured anchors list now, this node included; broken ones are left out.
    ///
    /// # Errors
    /// [`TrustError`] when no anchor can be reached and no list is cached.
    async fn members(&self) -> Result<Vec<Arc<TrustedPeer>>, TrustError>;

    /// Every entity that the anchors, and the intermediates below them, list now, in order: the member, or why it is
    /// not trusted. Intermediates themselves are left out.
    ///
    /// # Errors
    /// As [`Self::members`].
    async fn survey(&self) -> Result<Survey, TrustError>;

    /// Checks one entity step by step and without caches, to report what is wrong with it. Callers within a few seconds
    /// share one report. For entities that a list of members or the operator names.
    async fn examine(&self, id: &EntityId) -> Arc<PeerReport>;
}

/// Whether a member has the key that a message names.
pub type HasKey<'a> = &'a (dyn Fn(&TrustedPeer) -> bool + Send + Sync);

/// The result for each listed entity.
pub type Survey = Vec<(EntityId, Result<Arc<TrustedPeer>, TrustError>)>;

/// Stores the federation keys of an anchor, followed from configuration to configuration: a configuration signed with a
/// known key names the next keys.
#[async_trait]
pub trait AnchorKeyStore: Send + Sync {
    /// The stored keys of an anchor, followed from these configured keys; `None` when there are none, or they were
    /// followed from other configured keys.
    ///
    /// # Errors
    /// [`TrustError::Unavailable`] when the store does not answer.
    async fn load(
        &self,
        anchor: &EntityId,
        configured: &PublicKeys,
    ) -> Result<Option<PublicKeys>, TrustError>;

    /// Replaces the stored keys.
    ///
    /// # Errors
    /// [`TrustError::Unavailable`] when the store does not answer.
    async fn save(
        &self,
        anchor: &EntityId,
        configured: &PublicKeys,
        keys: &PublicKeys,
        now: Timestamp,
    ) -> Result<(), TrustError>;
}

/// Fetches the members' entity configurations for an anchor that does not know their keys yet.
#[async_trait]
pub trait MemberConfigurations: Send + Sync {
    /// The entity configuration that is served at the identifier, as signed; nothing is verified.
    ///
    /// # Errors
    /// [`TrustError`] when it cannot be fetched.
    async fn fetch(&self, id: &EntityId) -> Result<String, TrustError>;
}

/// Requests to this node's superiors.
#[async_trait]
pub trait Superiors: Send + Sync {
    /// The trust mark of a type that a superior issues to an entity, and its compact form; `None` when the superior
    /// issues none. Not verified beyond being the superior's answer.
    ///
    /// # Errors
    /// [`TrustError`] when the superior's answer is malformed.
    async fn trust_mark(
        &self,
        superior: &EntityId,
        mark_type: &str,
        subject: &EntityId,
    ) -> Result<Option<(TrustMark, String)>, TrustError>;

    /// The federation keys in a superior's statement about an entity; `None` when it has no such statement. Not
    /// verified beyond being the superior's answer.
    ///
    /// # Errors
    /// [`TrustError`] when the superior's answer is malformed.
    async fn vouched_keys(
        &self,
        superior: &EntityId,
        subject: &EntityId,
    ) -> Result<Option<PublicKeys>, TrustError>;
}
