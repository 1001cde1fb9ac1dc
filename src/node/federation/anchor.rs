//! A trust anchor or intermediate: its members, and its statements about them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, RwLock};

use async_trait::async_trait;

use super::historical_keys::historical_keys;
use super::terms::Terms;
use super::{FederationError, FederationStatements, ListFilter};
use crate::domain::catalogue::Text;
use crate::domain::clock::Timestamp;
use crate::domain::federation::{
    AnchorDescription, Constraints, EntityIds, EntityStatement, Member, Outage, Role, subordinate_statement,
};
use crate::domain::ids::EntityId;
use crate::domain::jose::{PublicKeys, SigningKey};
use crate::domain::sync::{read, write};
use crate::ports::{Clock, MemberConfigurations, TrustResolver};
use crate::store::federation::{members, trust_marks};
use crate::store::{Store, StoreError};

/// The keys of entity statements; read for each statement, so that rotation needs no restart.
pub trait FederationKeys: Send + Sync {
    /// The key that signs.
    ///
    /// # Errors
    /// [`FederationError`] when there is none.
    fn signing(&self) -> Result<SigningKey, FederationError>;

    /// The keys to publish.
    fn published(&self) -> PublicKeys;
}

/// The parts of an anchor.
pub struct AnchorParts {
    /// Its entity identifier and base URL.
    pub id: EntityId,
    /// Its display name.
    pub name: Text,
    /// E-mail addresses of its operator.
    pub contacts: Vec<String>,
    /// Its members, and the trust marks that it issued.
    pub store: Store,
    /// Its own keys.
    pub keys: Arc<dyn FederationKeys>,
    /// Fetches members' configurations.
    pub contact: Arc<dyn MemberConfigurations>,
    /// Resolves chains for others, and the trust anchors that they may end at.
    pub resolver: Option<(Arc<dyn TrustResolver>, Vec<EntityId>)>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Statements of a superior.
pub struct AnchorStatements {
    pub(crate) parts: AnchorParts,
    terms: RwLock<Arc<Terms>>,
    /// When this process last fetched each member, and whether that failed.
    pub(super) asked: Mutex<HashMap<EntityId, (Timestamp, bool)>>,
    pub(crate) resolving: tokio::sync::Semaphore,
}

/// Maximum number of concurrent resolutions for others.
const RESOLVING: usize = 8;

impl AnchorStatements {
    /// The statements of an anchor.
    #[must_use]
    pub fn new(parts: AnchorParts, terms: Terms) -> Self {
        Self {
            parts,
            terms: RwLock::new(Arc::new(terms)),
            asked: Mutex::default(),
            resolving: tokio::sync::Semaphore::new(RESOLVING),
        }
    }

    /// The current terms.
    #[must_use]
    pub fn terms(&self) -> Arc<Terms> {
        Arc::clone(&read(&self.terms))
    }

    pub(crate) fn set_terms(&self, terms: Terms) {
        *write(&self.terms) = Arc::new(terms);
    }

    /// The active member with this identifier.
    pub(crate) async fn member(&self, id: &EntityId) -> Result<Member, FederationError> {
        let id = id.clone();
        match self.parts.store.read("find_member", move |reader| members::find(reader, &id)).await {
            Ok(member) if member.is_active() => Ok(member),
            Ok(_) | Err(StoreError::NotFound) => Err(FederationError::NotFound),
            Err(_) => Err(FederationError::Unavailable(Outage::Store)),
        }
    }

    /// Issuers of each trust mark type: this entity for the roles' marks, and those that the configuration names.
    fn mark_issuers(&self, terms: &Terms) -> BTreeMap<String, EntityIds> {
        let mut issuers = terms.mark_issuers.clone();
        for role in Role::ALL {
            let named = issuers.entry(role.mark_type(&self.parts.id)).or_default();
            if !named.contains(&self.parts.id) {
                named.insert(0, self.parts.id.clone());
            }
        }
        issuers.into_iter().map(|(kind, ids)| (kind, ids.into())).collect()
    }
}

/// Owners of trust mark types, as published.
fn mark_owners(terms: &Terms) -> BTreeMap<String, serde_json::Value> {
    terms
        .mark_owners
        .iter()
        .map(|(kind, owner)| (kind.clone(), serde_json::json!({ "sub": owner.sub, "jwks": owner.jwks })))
        .collect()
}

/// Constraints by which only the members that the operator allows may have members of their own.
fn narrowed(constraints: Option<Constraints>, may_vouch: bool) -> Option<Constraints> {
    if may_vouch {
        return constraints;
    }
    Some(Constraints { max_path_length: Some(0), ..constraints.unwrap_or_default() })
}

#[async_trait]
impl FederationStatements for AnchorStatements {
    async fn publish_entity_configuration(&self) -> Result<String, FederationError> {
        let terms = self.terms();
        let description = AnchorDescription {
            id: self.parts.id.clone(),
            name: self.parts.name.clone(),
            contacts: self.parts.contacts.clone(),
            federation_keys: self.parts.keys.published(),
        };
        let statement = description.entity_configuration(self.parts.clock.now(), terms.statement_secs);
        let statement = if terms.superiors.is_empty() {
            EntityStatement {
                trust_mark_issuers: Some(self.mark_issuers(&terms)),
                trust_mark_owners: Some(mark_owners(&terms)).filter(|owners| !owners.is_empty()),
                ..statement
            }
        } else {
            EntityStatement {
                authority_hints: Some(terms.superiors.clone().into()),
                trust_anchor_hints: Some(vec![terms.marks_of.clone()].into()),
                ..statement
            }
        };
        Ok(statement.sign(&self.parts.keys.signing()?)?)
    }

    async fn fetch_subordinate(&self, subject: &EntityId) -> Result<String, FederationError> {
        if *subject == self.parts.id {
            return Err(FederationError::OwnSubject);
        }
        let keys = self.member_keys(&self.member(subject).await?).await?;
        // Checked again: it may have been suspended during the fetch.
        let member = self.member(subject).await?;
        let terms = self.terms();
        let now = self.parts.clock.now();
        let may_vouch = member.may_vouch();
        let Member { rules, .. } = member;
        let all = &terms.subordinates;
        let statement = EntityStatement {
            metadata: rules.metadata_or(all.metadata.as_ref()),
            metadata_policy: rules.metadata_policy.or_else(|| all.metadata_policy.clone()),
            constraints: narrowed(rules.constraints.or_else(|| all.constraints.clone()), may_vouch),
            source_endpoint: Some(format!("{}/federation/fetch", self.parts.id)),
            ..subordinate_statement(&self.parts.id, subject, &keys, now, terms.statement_secs)
        };
        Ok(statement.sign(&self.parts.keys.signing()?)?)
    }

    async fn list_subordinates(&self, filter: &ListFilter) -> Result<Vec<EntityId>, FederationError> {
        if filter.intermediate || !filter.entity_types.is_empty() {
            self.meet_new_members().await.map_err(|_| FederationError::Unavailable(Outage::Store))?;
        }
        let by_mark = filter.trust_marked || filter.trust_mark_type.is_some();
        let (mark_type, now) = (filter.trust_mark_type.clone(), self.parts.clock.now());
        let (all, marked) = self
            .parts
            .store
            .read("list_subordinates", move |reader| {
                let marked =
                    by_mark.then(|| trust_marks::marked(reader, mark_type.as_deref(), now)).transpose()?;
                Ok((members::list(reader)?, marked))
            })
            .await
            .map_err(|_: StoreError| FederationError::Unavailable(Outage::Store))?;
        let fits = |member: &Member| {
            let types = &filter.entity_types;
            member.is_active()
                && (types.is_empty() || member.entity_types.iter().any(|one| types.contains(one)))
                && (!filter.intermediate || (member.intermediate && member.may_vouch()))
                && marked.as_ref().is_none_or(|marked| marked.contains(&member.id))
        };
        Ok(all.into_iter().filter(fits).map(|member| member.id).collect())
    }

    async fn resolve(
        &self,
        subject: &EntityId,
        anchors: &[EntityId],
        types: &[String],
    ) -> Result<String, FederationError> {
        self.resolve_for_others(subject, anchors, types).await
    }

    async fn historical_keys(&self) -> Result<String, FederationError> {
        let signing = self.parts.keys.signing()?;
        let now = self.parts.clock.now();
        historical_keys(&self.parts.store, &self.parts.id, &signing, now).await
    }

    async fn trust_mark(&self, mark_type: &str, subject: &EntityId) -> Result<String, FederationError> {
        self.give_mark(mark_type, subject).await
    }

    async fn trust_mark_status(&self, mark: &str) -> Result<String, FederationError> {
        self.tell_status(mark).await
    }

    async fn list_trust_marked(
        &self,
        mark_type: &str,
        subject: Option<&EntityId>,
    ) -> Result<Vec<EntityId>, FederationError> {
        let filter = ListFilter { trust_mark_type: Some(mark_type.to_owned()), ..ListFilter::default() };
        let marked = self.list_subordinates(&filter).await?;
        Ok(marked.into_iter().filter(|id| subject.is_none_or(|subject| subject == id)).collect())
    }
}
