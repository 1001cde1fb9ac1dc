//! What a node and an anchor say to the federation: their own entity configuration, and an anchor's word for its members.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::catalogue::Text;
use crate::domain::clock::Timestamp;
use crate::domain::federation::{
    AnchorDescription, NodeDescription, TrustError, subordinate_statement, verify_self_signed,
};
use crate::domain::ids::EntityId;
use crate::domain::jose::{JoseError, PublicKeys, SigningKey};
use crate::ports::{Clock, MemberConfigurations};

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

/// The keys that a node publishes, and the one that it signs its configuration with.
#[derive(Debug, Clone)]
pub struct OwnKeys {
    /// Signs entity statements.
    pub signing: SigningKey,
    /// Federation keys, active and not yet expired from publication.
    pub federation: PublicKeys,
    /// Keys of consent tokens and status lists.
    pub token: PublicKeys,
    /// Keys of receipts and events.
    pub receipt: PublicKeys,
    /// Keys of client assertions.
    pub client: PublicKeys,
}

/// Where a node's keys are kept; asked each time, so that rotation needs no restart.
#[async_trait]
pub trait NodeKeys: Send + Sync {
    /// The keys as of now.
    ///
    /// # Errors
    /// [`FederationError::Unavailable`] when they cannot be read.
    async fn own_keys(&self) -> Result<OwnKeys, FederationError>;
}

/// Where an anchor remembers the keys that it met its members with.
#[async_trait]
pub trait MemberPins: Send + Sync {
    /// The keys remembered for a member.
    ///
    /// # Errors
    /// [`FederationError::Unavailable`] when that cannot be told now.
    async fn find(&self, member: &EntityId) -> Result<Option<PublicKeys>, FederationError>;

    /// Remembers a member's keys unless there are some already, and says which are remembered now: of two first contacts
    /// at once, one wins.
    ///
    /// # Errors
    /// [`FederationError::Unavailable`] when they cannot be kept.
    async fn pin(
        &self,
        member: &EntityId,
        keys: &PublicKeys,
        now: Timestamp,
    ) -> Result<PublicKeys, FederationError>;
}

/// What a node says about itself beside its keys.
#[derive(Debug, Clone)]
pub struct NodeProfile {
    /// Its entity identifier and base URL.
    pub id: EntityId,
    /// What people call the organisation.
    pub name: Text,
    /// Where the organisation presents itself.
    pub organization_uri: Option<String>,
    /// E-mail addresses of those who run it.
    pub contacts: Vec<String>,
    /// Its superiors.
    pub authority_hints: Vec<EntityId>,
    /// The OAuth grant types that it serves and uses.
    pub grant_types: Vec<String>,
    /// How long its entity configuration holds, in seconds.
    pub lifetime_secs: i64,
}

/// A node's own statements.
pub struct NodeStatements {
    profile: NodeProfile,
    keys: Arc<dyn NodeKeys>,
    clock: Arc<dyn Clock>,
}

impl NodeStatements {
    /// The statements of a node with these keys.
    #[must_use]
    pub fn new(profile: NodeProfile, keys: Arc<dyn NodeKeys>, clock: Arc<dyn Clock>) -> Self {
        Self { profile, keys, clock }
    }

    /// What the node says about itself now; also the source of its RFC 8414 and RFC 9728 metadata.
    ///
    /// # Errors
    /// [`FederationError::Unavailable`] when the keys cannot be read.
    pub async fn describe(&self) -> Result<NodeDescription, FederationError> {
        Ok(self.description(self.keys.own_keys().await?))
    }

    fn description(&self, keys: OwnKeys) -> NodeDescription {
        let profile = self.profile.clone();
        NodeDescription {
            id: profile.id,
            name: profile.name,
            organization_uri: profile.organization_uri,
            contacts: profile.contacts,
            authority_hints: profile.authority_hints,
            grant_types: profile.grant_types,
            federation_keys: keys.federation,
            token_keys: keys.token,
            receipt_keys: keys.receipt,
            client_keys: keys.client,
        }
    }
}

#[async_trait]
impl FederationStatements for NodeStatements {
    async fn publish_entity_configuration(&self) -> Result<String, FederationError> {
        let keys = self.keys.own_keys().await?;
        let signing = keys.signing.clone();
        let statement =
            self.description(keys).entity_configuration(self.clock.now(), self.profile.lifetime_secs);
        Ok(statement.sign(&signing)?)
    }

    async fn fetch_subordinate(&self, _subject: &EntityId) -> Result<String, FederationError> {
        Err(FederationError::NotFound)
    }

    async fn list_subordinates(&self) -> Result<Vec<EntityId>, FederationError> {
        Ok(Vec::new())
    }
}

/// How an anchor knows a member's keys.
#[derive(Debug, Clone)]
pub enum MemberKeys {
    /// They are configured.
    Configured(PublicKeys),
    /// From the member's own word at first contact, and pinned from then on (demo profile only).
    FirstContact,
}

/// What an anchor is made of.
pub struct AnchorParts {
    /// Its entity identifier and base URL.
    pub id: EntityId,
    /// What people call it.
    pub name: String,
    /// E-mail addresses of those who run it.
    pub contacts: Vec<String>,
    /// Its members.
    pub members: BTreeMap<EntityId, MemberKeys>,
    /// Its own keys; only the federation keys are used.
    pub keys: Arc<dyn NodeKeys>,
    /// Where keys of first contacts are kept.
    pub pins: Arc<dyn MemberPins>,
    /// How members are contacted first.
    pub contact: Arc<dyn MemberConfigurations>,
    /// How long its statements hold, in seconds: the time that the federation lives on while the anchor is away.
    pub lifetime_secs: i64,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// A trust anchor's statements.
pub struct AnchorStatements(AnchorParts);

impl AnchorStatements {
    /// The statements of an anchor.
    #[must_use]
    pub fn new(parts: AnchorParts) -> Self {
        Self(parts)
    }

    /// The federation keys that this anchor vouches for.
    async fn member_keys(&self, member: &EntityId, now: Timestamp) -> Result<PublicKeys, FederationError> {
        match self.0.members.get(member) {
            None => Err(FederationError::NotFound),
            Some(MemberKeys::Configured(keys)) => Ok(keys.clone()),
            Some(MemberKeys::FirstContact) => match self.0.pins.find(member).await? {
                Some(keys) => Ok(keys),
                None => {
                    let keys = self.meet(member, now).await?;
                    self.0.pins.pin(member, &keys, now).await
                }
            },
        }
    }

    /// First contact: the keys that the member's own configuration names and is signed with.
    async fn meet(&self, member: &EntityId, now: Timestamp) -> Result<PublicKeys, FederationError> {
        let away = |_: TrustError| FederationError::Unavailable("the member cannot be met");
        let text = self.0.contact.fetch(member).await.map_err(away)?;
        let statement = verify_self_signed(&text, now).map_err(away)?;
        if statement.sub != *member {
            return Err(FederationError::Unavailable("the member presents itself under another name"));
        }
        statement.keys().map_err(away)
    }
}

#[async_trait]
impl FederationStatements for AnchorStatements {
    async fn publish_entity_configuration(&self) -> Result<String, FederationError> {
        let keys = self.0.keys.own_keys().await?;
        let description = AnchorDescription {
            id: self.0.id.clone(),
            name: self.0.name.clone(),
            contacts: self.0.contacts.clone(),
            federation_keys: keys.federation,
        };
        let statement = description.entity_configuration(self.0.clock.now(), self.0.lifetime_secs);
        Ok(statement.sign(&keys.signing)?)
    }

    async fn fetch_subordinate(&self, subject: &EntityId) -> Result<String, FederationError> {
        if *subject == self.0.id {
            return Err(FederationError::OwnSubject);
        }
        let now = self.0.clock.now();
        let member_keys = self.member_keys(subject, now).await?;
        let signing = self.0.keys.own_keys().await?.signing;
        let statement =
            subordinate_statement(&self.0.id, subject, &member_keys, now, self.0.lifetime_secs);
        Ok(statement.sign(&signing)?)
    }

    async fn list_subordinates(&self) -> Result<Vec<EntityId>, FederationError> {
        Ok(self.0.members.keys().cloned().collect())
    }
}
