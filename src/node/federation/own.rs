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
        let statement =
            describe(self).entity_configuration(self.now(), self.settings.limits.entity_configuration_secs);
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
        self.published_for(KeyPurpose::Federation)
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::domain::catalogue::Text;
    use crate::domain::federation::{
        EntityStatement, TrustAnchor, TrustError, subordinate_statement, verify_anchor,
    };
    use crate::domain::jose::UnverifiedJws;
    use crate::node::federation::{AnchorParts, AnchorStatements, MemberKeys};
    use crate::ports::{Clock, MemberConfigurations};
    use crate::store::testing::{Kind, TestStore, at};

    struct Now;

    impl Clock for Now {
        fn now(&self) -> Timestamp {
            at(0)
        }
    }

    /// A member that signs its own configuration, as met first.
    struct Espoo(SigningKey);

    #[async_trait]
    impl MemberConfigurations for Espoo {
        async fn fetch(&self, id: &EntityId) -> Result<String, TrustError> {
            let keys = PublicKeys::single(self.0.public().clone());
            let own = subordinate_statement(id, id, &keys, at(0), 60);
            own.sign(&self.0).map_err(|_| TrustError::Unavailable("signing"))
        }
    }

    fn id(text: &str) -> EntityId {
        EntityId::new(text).unwrap()
    }

    #[tokio::test]
    async fn an_anchor_over_the_store_pins_whom_it_meets_until_the_operator_takes_them_out() {
        let fixture = TestStore::new(Kind::Sqlite).await.unwrap();
        let keys = KeyRing::open(&fixture.store, at(0)).await.unwrap();
        let espoo = id("http://espoo.localhost:8402");
        let anchor = |key: &SigningKey| {
            AnchorStatements::new(AnchorParts {
                id: id("http://anchor.localhost:8400"),
                name: Text { fi: "Federaatio".into(), sv: "Federation".into(), en: "Federation".into() },
                contacts: vec![],
                members: BTreeMap::from([(espoo.clone(), MemberKeys::FirstContact)]),
                statement_secs: 60,
                keys: Arc::new(keys.clone()),
                pins: Arc::new(fixture.store.clone()),
                contact: Arc::new(Espoo(key.clone())),
                clock: Arc::new(Now),
            })
        };
        let (first, second) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        for met in [&first, &second] {
            let text = anchor(met).fetch_subordinate(&espoo).await.unwrap();
            let jws = UnverifiedJws::parse(&text, &crate::domain::federation::ENTITY_STATEMENT).unwrap();
            let statement = jws.verify_with::<EntityStatement>(&keys.published()).unwrap().into_claims();
            assert_eq!(statement.keys().unwrap(), PublicKeys::single(first.public().clone()));
        }
        let text = anchor(&first).publish_entity_configuration().await.unwrap();
        let trusted = TrustAnchor { id: id("http://anchor.localhost:8400"), keys: keys.published() };
        assert!(verify_anchor(&text, &trusted, at(0)).is_ok());

        let out = espoo.clone();
        let withdraw =
            move |tx: &mut crate::store::Tx<'_>| anchor_pins::set_state(tx, &out, PinState::Withdrawn, at(1));
        fixture.store.write(withdraw).await.unwrap();
        assert_eq!(anchor(&first).fetch_subordinate(&espoo).await, Err(FederationError::NotFound));
    }
}
