//! What this node says about itself, from its settings and its keys as they are now.

use async_trait::async_trait;

use super::{FederationError, FederationKeys, FederationStatements, MemberPins};
use crate::domain::clock::Timestamp;
use crate::domain::federation::NodeDescription;
use crate::domain::ids::EntityId;
use crate::domain::jose::{PublicKeys, SigningKey};
use crate::node::issue_token::PRE_AUTHORIZED;
use crate::node::{KeyPurpose, KeyRing, Node};
use crate::store::anchor_pins::{self, PinState};
use crate::store::{Store, StoreError};

/// How long a node's entity configuration holds, in seconds: how long its peers trust it while they cannot reach it.
const CONFIGURATION_SECS: i64 = 6 * 3600;

/// What the node says about itself: the source of its entity configuration and of its RFC 8414 and RFC 9728 metadata.
#[must_use]
pub fn describe(node: &Node) -> NodeDescription {
    let settings = &node.settings;
    NodeDescription {
        id: settings.id.clone(),
        name: settings.name.clone(),
        organization_uri: Some(settings.id.to_string()),
        contacts: vec![settings.data_protection_officer.email.clone()],
        authority_hints: settings.authority_hints.clone(),
        grant_types: ["authorization_code", "refresh_token", PRE_AUTHORIZED].map(str::to_owned).to_vec(),
        federation_keys: node.keys.verifying(KeyPurpose::Federation),
        token_keys: node.keys.verifying(KeyPurpose::Token),
        receipt_keys: node.keys.verifying(KeyPurpose::Receipt),
        client_keys: node.keys.verifying(KeyPurpose::Client),
    }
}

#[async_trait]
impl FederationStatements for Node {
    async fn publish_entity_configuration(&self) -> Result<String, FederationError> {
        let statement = describe(self).entity_configuration(self.now(), CONFIGURATION_SECS);
        Ok(statement.sign(&self.keys.signing()?)?)
    }

    async fn fetch_subordinate(&self, _subject: &EntityId) -> Result<String, FederationError> {
        Err(FederationError::NotFound)
    }

    async fn list_subordinates(&self) -> Result<Vec<EntityId>, FederationError> {
        Ok(Vec::new())
    }
}

impl FederationKeys for KeyRing {
    fn signing(&self) -> Result<SigningKey, FederationError> {
        Ok(self.active(KeyPurpose::Federation)?)
    }

    fn published(&self) -> PublicKeys {
        self.verifying(KeyPurpose::Federation)
    }
}

#[async_trait]
impl MemberPins for Store {
    async fn find(&self, member: &EntityId) -> Result<Option<PublicKeys>, FederationError> {
        let member = member.clone();
        match self.read(move |reader| anchor_pins::find(reader, &member)).await {
            Ok(pin) if pin.state == PinState::Pinned => Ok(Some(pin.keys)),
            // Taken out by the operator, whatever the configuration still says.
            Ok(_) => Err(FederationError::NotFound),
            Err(StoreError::NotFound) => Ok(None),
            Err(_) => Err(FederationError::Unavailable("the store")),
        }
    }

    async fn pin(
        &self,
        member: &EntityId,
        keys: &PublicKeys,
        now: Timestamp,
    ) -> Result<PublicKeys, FederationError> {
        let (member, keys) = (member.clone(), keys.clone());
        match self.write(move |tx| anchor_pins::pin_first(tx, &member, &keys, now)).await {
            Ok(pin) if pin.state == PinState::Pinned => Ok(pin.keys),
            Ok(_) => Err(FederationError::NotFound),
            Err(_) => Err(FederationError::Unavailable("the store")),
        }
    }
}
