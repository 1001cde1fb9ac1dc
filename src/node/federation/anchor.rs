//! A trust anchor: whom it vouches for, and with which keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use super::{FederationError, FederationStatements};
use crate::domain::catalogue::Text;
use crate::domain::clock::Timestamp;
use crate::domain::federation::{AnchorDescription, TrustError, subordinate_statement, verify_self_signed};
use crate::domain::ids::EntityId;
use crate::domain::jose::{PublicKeys, SigningKey};
use crate::ports::{Clock, MemberConfigurations};

/// Where the keys of entity statements are kept; asked each time, so that rotation needs no restart.
pub trait FederationKeys: Send + Sync {
    /// The key that signs.
    ///
    /// # Errors
    /// [`FederationError`] when there is none.
    fn signing(&self) -> Result<SigningKey, FederationError>;

    /// The keys to publish.
    fn published(&self) -> PublicKeys;
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
    pub name: Text,
    /// E-mail addresses of those who run it.
    pub contacts: Vec<String>,
    /// Its members.
    pub members: BTreeMap<EntityId, MemberKeys>,
    /// Life of its statements, in seconds: how long the federation lives on while the anchor is away, and how long a
    /// member who was taken out may still be trusted by whom cannot reach the anchor.
    pub statement_secs: i64,
    /// Its own keys.
    pub keys: Arc<dyn FederationKeys>,
    /// Where keys of first contacts are kept.
    pub pins: Arc<dyn MemberPins>,
    /// How members are contacted first.
    pub contact: Arc<dyn MemberConfigurations>,
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
        let description = AnchorDescription {
            id: self.0.id.clone(),
            name: self.0.name.clone(),
            contacts: self.0.contacts.clone(),
            federation_keys: self.0.keys.published(),
        };
        let statement = description.entity_configuration(self.0.clock.now(), self.0.statement_secs);
        Ok(statement.sign(&self.0.keys.signing()?)?)
    }

    async fn fetch_subordinate(&self, subject: &EntityId) -> Result<String, FederationError> {
        if *subject == self.0.id {
            return Err(FederationError::OwnSubject);
        }
        let now = self.0.clock.now();
        let member_keys = self.member_keys(subject, now).await?;
        let statement = subordinate_statement(&self.0.id, subject, &member_keys, now, self.0.statement_secs);
        Ok(statement.sign(&self.0.keys.signing()?)?)
    }

    async fn list_subordinates(&self) -> Result<Vec<EntityId>, FederationError> {
        Ok(self.0.members.keys().cloned().collect())
    }
}
