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

/// Decides whom this node trusts.
#[async_trait]
pub trait TrustResolver: Send + Sync {
    /// The member behind an entity identifier, trusted through a chain to a configured anchor that is valid now.
    ///
    /// # Errors
    /// [`TrustError`]: not a member, chain broken, or not decidable now.
    async fn resolve(&self, id: &EntityId) -> Result<Arc<TrustedPeer>, TrustError>;

    /// As [`Self::resolve`], with a chain that the member handed in as a hint whom to ask first. What is trusted is the
    /// same without it.
    ///
    /// # Errors
    /// As [`Self::resolve`].
    async fn resolve_along(&self, id: &EntityId, hint: &ChainHint) -> Result<Arc<TrustedPeer>, TrustError>;

    /// The same member, asked again just now, because a message names a key of it that is not known: it may have
    /// rotated its keys. `has` tells whether the key is there now. A member is asked again once per second at most,
    /// however many ask for it, and more rarely the more often that was in vain.
    ///
    /// # Errors
    /// As [`Self::resolve`].
    async fn refreshed(&self, id: &EntityId, has: HasKey<'_>) -> Result<Arc<TrustedPeer>, TrustError>;

    /// An entity of any kind with its chain to a configured anchor; whether it can be a peer is another question.
    ///
    /// # Errors
    /// As [`Self::resolve`], but for metadata that is not what a node needs.
    async fn resolve_entity(&self, id: &EntityId) -> Result<Arc<ResolvedEntity>, TrustError>;
}

/// What trusted members publish beside their entity configuration.
#[async_trait]
pub trait MemberDocuments: Send + Sync {
    /// The keys with which a trusted member signed tokens and receipts before, as it tells them now.
    ///
    /// # Errors
    /// [`TrustError`] when it is not trusted, cannot be reached or does not tell them.
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

/// Who is a member.
#[async_trait]
pub trait MemberDirectory: Send + Sync {
    /// Every member that the configured anchors list now, this node included; broken ones are left out.
    ///
    /// # Errors
    /// [`TrustError`] when no anchor can be reached and nothing is known from before.
    async fn members(&self) -> Result<Vec<Arc<TrustedPeer>>, TrustError>;

    /// Every entity that the anchors, and the intermediates below them, list now, in order: who it is, or why it is not
    /// trusted. Intermediates themselves are left out.
    ///
    /// # Errors
    /// As [`Self::members`].
    async fn survey(&self) -> Result<Survey, TrustError>;

    /// Examines one entity step by step and without caches, to tell people what is wrong with it. Many who ask within seconds get
    /// one answer. Meant for entities that a survey names, or that the operator does.
    async fn examine(&self, id: &EntityId) -> Arc<PeerReport>;
}

/// Whether a member has the key that a message names.
pub type HasKey<'a> = &'a (dyn Fn(&TrustedPeer) -> bool + Send + Sync);

/// What became of each entity that is listed.
pub type Survey = Vec<(EntityId, Result<Arc<TrustedPeer>, TrustError>)>;

/// Where a node keeps the keys to which it followed an anchor: an anchor's configuration, signed with a key that is
/// known, names the keys of from then on.
#[async_trait]
pub trait AnchorKeyStore: Send + Sync {
    /// The keys to which an anchor was followed from these, which the operator configured; none when it was followed from
    /// others, or not at all.
    ///
    /// # Errors
    /// [`TrustError::Unavailable`] when that cannot be told now.
    async fn load(
        &self,
        anchor: &EntityId,
        configured: &PublicKeys,
    ) -> Result<Option<PublicKeys>, TrustError>;

    /// Keeps these in place of those before.
    ///
    /// # Errors
    /// [`TrustError::Unavailable`] when they cannot be kept now.
    async fn save(
        &self,
        anchor: &EntityId,
        configured: &PublicKeys,
        keys: &PublicKeys,
        now: Timestamp,
    ) -> Result<(), TrustError>;
}

/// Fetches what members say about themselves, for an anchor that has yet to learn their keys.
#[async_trait]
pub trait MemberConfigurations: Send + Sync {
    /// The entity configuration that is served at the identifier, as signed; nothing is verified.
    ///
    /// # Errors
    /// [`TrustError`] when it cannot be had.
    async fn fetch(&self, id: &EntityId) -> Result<String, TrustError>;
}

/// What this node asks of those who vouch for it.
#[async_trait]
pub trait Superiors: Send + Sync {
    /// The trust mark of a type that a superior gives an entity, and as signed; none when the superior gives none. It is
    /// what the superior says, and not checked further.
    ///
    /// # Errors
    /// [`TrustError`] when the superior gives no proper answer.
    async fn trust_mark(
        &self,
        superior: &EntityId,
        mark_type: &str,
        subject: &EntityId,
    ) -> Result<Option<(TrustMark, String)>, TrustError>;

    /// The federation keys that a superior vouches for an entity with now; none when it says nothing about it. As
    /// unchecked as a mark.
    ///
    /// # Errors
    /// [`TrustError`] when the superior gives no proper answer.
    async fn vouched_keys(
        &self,
        superior: &EntityId,
        subject: &EntityId,
    ) -> Result<Option<PublicKeys>, TrustError>;
}
