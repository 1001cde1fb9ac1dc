//! What the use cases need from outside, as traits. `app.rs` chooses the implementations.

use async_trait::async_trait;
use std::sync::Arc;

use crate::domain::catalogue::{DeclaredUse, DeclaredUses, Record};
use crate::domain::clock::Timestamp;
use crate::domain::consent::PasskeyEvidence;
use crate::domain::federation::{ChainHint, FormerKeys, PeerReport, TrustError, TrustMark, TrustedPeer};
use crate::domain::ids::{DatasetId, EntityId, NationalIdentifier, PersonId, UseId};
use crate::domain::jose::PublicKeys;
use crate::domain::login::{AuthenticatedPerson, LoginError, LoginStart, Passkey, PendingLogin};

/// The time, as seen by this process.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// Unpredictable bytes from the operating system.
pub trait Entropy: Send + Sync {
    /// Fills the buffer. Never returns predictable bytes; a system that has none ends the process.
    fn fill(&self, buffer: &mut [u8]);
}

/// N random bytes.
pub fn random<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}

/// The other members of the federation.
#[async_trait]
pub trait Peers: Send + Sync {
    /// The member behind an entity identifier, trusted through a chain to a configured anchor that is valid now.
    ///
    /// # Errors
    /// [`TrustError`]: not a member, chain broken, or not decidable now.
    async fn resolve(&self, id: &EntityId) -> Result<Arc<TrustedPeer>, TrustError>;

    /// As [`Self::resolve`], with a chain that the member handed in as a hint whom to ask first. What is trusted is the
    /// same without it.
    ///
    /// # Errors
    /// As [`Peers::resolve`].
    async fn resolve_along(&self, id: &EntityId, hint: &ChainHint) -> Result<Arc<TrustedPeer>, TrustError>;

    /// The same member, asked again just now, because a message names a key of it that is not known: it may have
    /// rotated its keys. `has` tells whether the key is there now. A member is asked again once per second at most,
    /// however many ask for it, and more rarely the more often that was in vain.
    ///
    /// # Errors
    /// As [`Peers::resolve`].
    async fn refreshed(&self, id: &EntityId, has: HasKey<'_>) -> Result<Arc<TrustedPeer>, TrustError>;

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

    /// Looks at one entity step by step and afresh, to tell people what is wrong with it. Many who ask within seconds get
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
pub trait AnchorKeys: Send + Sync {
    /// The keys to which an anchor was followed from these, which the operator configured; none when it was followed from
    /// others, or not at all.
    ///
    /// # Errors
    /// [`TrustError::Unavailable`] when that cannot be told now.
    async fn remembered(
        &self,
        anchor: &EntityId,
        configured: &PublicKeys,
    ) -> Result<Option<PublicKeys>, TrustError>;

    /// Keeps these in place of those before.
    ///
    /// # Errors
    /// [`TrustError::Unavailable`] when they cannot be kept now.
    async fn remember(
        &self,
        anchor: &EntityId,
        configured: &PublicKeys,
        keys: &PublicKeys,
        now: Timestamp,
    ) -> Result<(), TrustError>;
}

/// Why a register gave no records. Says nothing about the person or the register's inside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// Cannot be reached or did not answer in time.
    #[error("the register does not answer")]
    Unavailable,
    /// Answered with something that is not what the dataset promises.
    #[error("the register's answer does not fit the dataset: {0}")]
    Unfit(&'static str),
    /// More records or bytes than the configured bound.
    #[error("the register's answer is larger than the bound")]
    TooLarge,
}

/// The city's existing systems, where the data lives.
#[async_trait]
pub trait Registers: Send + Sync {
    /// Reads the records of one person in one dataset, in a stable order, with the dataset's own fields only.
    /// A record of anyone else is passed on as it is, with its subject: the release decision refuses it.
    ///
    /// # Errors
    /// [`RegisterError`]; nothing is ever read in part.
    async fn read(
        &self,
        dataset: &DatasetId,
        subject: &NationalIdentifier,
    ) -> Result<Vec<Record>, RegisterError>;
}

/// The city's OpenID provider.
#[async_trait]
pub trait IdentityProvider: Send + Sync {
    /// Begins a login: where to send the browser, and what to remember until it comes back.
    ///
    /// # Errors
    /// [`LoginError::ProviderUnavailable`] when the provider's metadata cannot be had.
    async fn begin(&self, start: LoginStart) -> Result<(url::Url, PendingLogin), LoginError>;

    /// Completes a login from the query of the redirect back (`code`, `state`, `iss`, `error`).
    ///
    /// # Errors
    /// [`LoginError`]: state, issuer, code, ID token or nonce do not fit, the person cancelled, or the provider is away.
    async fn complete(
        &self,
        pending: &PendingLogin,
        callback: &crate::domain::login::Callback,
        now: Timestamp,
    ) -> Result<AuthenticatedPerson, LoginError>;

    /// Where to send the browser to end the session at the provider too, where the provider offers that.
    async fn logout_url(&self, id_token_hint: &str, back_to: &url::Url) -> Option<url::Url>;
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

/// The body of a request to another member.
#[derive(Debug, Clone)]
pub enum OutboundBody {
    /// GET.
    None,
    /// DELETE without a body.
    Delete,
    /// POST of a form.
    Form(Vec<(String, String)>),
    /// POST of bytes.
    Bytes {
        /// `Content-Type`.
        content_type: &'static str,
        /// The bytes.
        bytes: Vec<u8>,
    },
}

/// A request to another member of the federation.
#[derive(Clone)]
pub struct OutboundRequest {
    /// Where to; an address from the member's own verified metadata.
    pub url: url::Url,
    /// Method and body.
    pub body: OutboundBody,
    /// Headers beside those that the body needs, in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// Most bytes of the answer's body.
    pub max_bytes: usize,
}

impl std::fmt::Debug for OutboundRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutboundRequest").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

/// The answer, as it came; nothing in it is trusted.
#[derive(Clone)]
pub struct OutboundAnswer {
    /// HTTP status.
    pub status: u16,
    /// Headers by lower-case name; repeated ones are left out.
    pub headers: std::collections::HashMap<String, String>,
    /// The body, whole.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for OutboundAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OutboundAnswer({}, {} bytes)", self.status, self.body.len())
    }
}

/// Why a request to another member gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    /// The guard refused the address; the word names the rule.
    #[error("the address is refused: {0}")]
    Refused(&'static str),
    /// No connection, or no answer in time.
    #[error("no answer: {0}")]
    Unreachable(&'static str),
    /// The answer broke a bound of the guard (size, encoding).
    #[error("the answer is refused: {0}")]
    Unfit(&'static str),
}

/// Requests to other members, through the one guarded client.
#[async_trait]
pub trait Outbound: Send + Sync {
    /// Sends a request to a member's address and reads its answer, within the guard's bounds.
    ///
    /// # Errors
    /// [`OutboundError`].
    async fn send(&self, request: OutboundRequest) -> Result<OutboundAnswer, OutboundError>;
}

/// What a browser is asked to do with a passkey, and what must be remembered until it has.
pub struct Ceremony {
    /// The options for the browser, JSON as Web Authentication writes it.
    pub options: String,
    /// For the session alone.
    pub state: String,
}

/// A passkey's signature that was checked.
pub struct PasskeySignature {
    /// The passkey, with its counter moved on.
    pub passkey: Passkey,
    /// What is kept as evidence.
    pub evidence: PasskeyEvidence,
}

/// Why a passkey was not registered or its signature not taken. The word names the step; the answer itself, which a
/// stranger may have made, goes nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("passkey: {0}")]
pub struct PasskeyFault(pub &'static str);

/// Passkeys (Web Authentication), with this node as the relying party. The owner must prove to the device to be there.
pub trait Passkeys: Send + Sync {
    /// Begins to register a new passkey beside those that are known.
    ///
    /// # Errors
    /// [`PasskeyFault`] when this node's address bears no passkeys.
    fn begin_registration(
        &self,
        person: PersonId,
        name: &str,
        known: &[Passkey],
    ) -> Result<Ceremony, PasskeyFault>;

    /// Completes a registration from the browser's answer.
    ///
    /// # Errors
    /// [`PasskeyFault`] when the answer does not fit what was asked.
    fn finish_registration(&self, state: &str, answer: &str, label: &str) -> Result<Passkey, PasskeyFault>;

    /// The options with which one of these passkeys signs a challenge, JSON.
    ///
    /// # Errors
    /// [`PasskeyFault`] when there is none that could.
    fn begin_signing(&self, known: &[Passkey], challenge: &str) -> Result<String, PasskeyFault>;

    /// Checks the browser's answer: one of these passkeys has signed this challenge, here, with its owner present.
    ///
    /// # Errors
    /// [`PasskeyFault`] when it has not.
    fn finish_signing(
        &self,
        known: &[Passkey],
        challenge: &str,
        answer: &str,
    ) -> Result<PasskeySignature, PasskeyFault>;
}
