//! This node's own metadata, from its settings and its current keys, and its own declared uses among the others'.

use std::sync::Arc;

use async_trait::async_trait;

use super::historical_keys::{former_keys, historical_keys};
use super::{FederationError, FederationKeys, FederationStatements};
use crate::domain::catalogue::{DeclaredUse, DeclaredUses};
use crate::domain::federation::{
    EntityStatement, FormerKeys, NodeDescription, Outage, TrustError, TrustFault, TrustMarkEntry,
};
use crate::domain::ids::{EntityId, UseId};
use crate::domain::jose::{PublicKeys, SigningKey};
use crate::domain::token::PRE_AUTHORIZED;
use crate::node::{KeyPurpose, KeyRing, Node};
use crate::ports::MemberDocuments;
use crate::store::federation::trust_marks;

/// The node's description: the source of its entity configuration and of its RFC 8414 and RFC 9728 metadata.
#[must_use]
pub(crate) fn describe(node: &Node) -> NodeDescription {
    let settings = &node.settings;
    NodeDescription {
        id: settings.id.clone(),
        name: settings.name.clone(),
        organization_uri: Some(settings.id.to_string()),
        contacts: vec![settings.data_protection_officer.email.clone()],
        authority_hints: settings.authority_hints.clone(),
        trust_anchors: settings.trust_anchors.clone(),
        grant_types: ["authorization_code", "refresh_token", PRE_AUTHORIZED, "client_credentials"]
            .map(str::to_owned)
            .to_vec(),
        acr_values: settings.levels.all().to_vec(),
        federation_keys: node.keys.published_for(KeyPurpose::Federation),
        token_keys: node.keys.published_for(KeyPurpose::Token),
        receipt_keys: node.keys.published_for(KeyPurpose::Receipt),
        client_keys: node.keys.published_for(KeyPurpose::Client),
    }
}

#[async_trait]
impl FederationStatements for Node {
    async fn publish_entity_configuration(&self) -> Result<String, FederationError> {
        let now = self.now();
        let marks = self
            .store
            .read("list_own_trust_marks", move |reader| trust_marks::list_own(reader, now))
            .await
            .map_err(|_| FederationError::Unavailable(Outage::Store))?;
        let marks: Vec<TrustMarkEntry> = marks
            .into_iter()
            .map(|own| TrustMarkEntry { trust_mark_type: own.mark_type, trust_mark: own.mark })
            .chain(self.settings.trust_marks.iter().cloned())
            .collect();
        let statement = EntityStatement {
            trust_marks: Some(marks).filter(|marks| !marks.is_empty()),
            ..describe(self).entity_configuration(now, self.settings.limits.entity_configuration_secs)
        };
        Ok(statement.sign(&self.keys.signing()?)?)
    }

    async fn historical_keys(&self) -> Result<String, FederationError> {
        historical_keys(&self.store, &self.settings.id, &self.keys.signing()?, self.now()).await
    }

    async fn former_keys(&self) -> Result<String, FederationError> {
        former_keys(&self.store, &self.settings.id, &self.keys.signing()?, self.now()).await
    }
}

impl FederationKeys for KeyRing {
    fn signing(&self) -> Result<SigningKey, FederationError> {
        Ok(self.active(KeyPurpose::Federation)?)
    }

    fn published(&self) -> PublicKeys {
        self.published_for(KeyPurpose::Federation)
    }
}

/// The documents of all members, with the declared uses of this node as it has them itself.
pub(crate) struct DocumentsWithOwnUses {
    own: Arc<DeclaredUses>,
    others: Arc<dyn MemberDocuments>,
}

impl DocumentsWithOwnUses {
    pub(crate) fn new(own: DeclaredUses, others: Arc<dyn MemberDocuments>) -> Self {
        Self { own: Arc::new(own), others }
    }
}

#[async_trait]
impl MemberDocuments for DocumentsWithOwnUses {
    async fn former_keys(&self, id: &EntityId) -> Result<Arc<FormerKeys>, TrustError> {
        self.others.former_keys(id).await
    }

    async fn declared_use(&self, id: &UseId) -> Result<Arc<DeclaredUse>, TrustError> {
        if id.recipient() != self.own.recipient.as_str() {
            return self.others.declared_use(id).await;
        }
        let found = self.own.uses.iter().find(|declared| declared.id == *id);
        found.cloned().map(Arc::new).ok_or(TrustError::NotTrusted(TrustFault::UnknownUse))
    }

    async fn declared_uses(&self, recipient: &EntityId) -> Result<Arc<DeclaredUses>, TrustError> {
        if *recipient == self.own.recipient {
            Ok(Arc::clone(&self.own))
        } else {
            self.others.declared_uses(recipient).await
        }
    }
}
