//! A trust anchor or intermediate: its members, and its statements about them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::{self, StreamExt};

use super::historical_keys::historical_keys;
use super::member_names::free_name;
use super::terms::Terms;
use super::{FederationError, FederationStatements, ListFilter};
use crate::domain::catalogue::Text;
use crate::domain::clock::Timestamp;
use crate::domain::federation::{
    AnchorDescription, Constraints, EntityIds, EntityStatement, Member, Outage, Presented, Role, TrustError,
    TrustFault, first_contact, follow_keys, subordinate_statement,
};
use crate::domain::ids::EntityId;
use crate::domain::jose::{PublicKeys, SigningKey};
use crate::domain::sync::{lock, read, write};
use crate::ports::{Clock, MemberConfigurations, StopSignal, TrustResolver};
use crate::store::federation::members::MadeChange;
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
    asked: Mutex<HashMap<EntityId, (Timestamp, bool)>>,
    pub(crate) resolving: tokio::sync::Semaphore,
}

/// Maximum number of concurrent resolutions for others.
const RESOLVING: usize = 8;

/// How long a request about a member waits for the member's configuration.
const MEMBER_WAIT: Duration = Duration::from_secs(2);

/// Time before a member is fetched again because somebody asks about it, in seconds; limits the fetches that
/// unauthenticated requests cause.
const COOL_DOWN_SECS: i64 = 2;

/// The same after a failed fetch.
const COOL_DOWN_AWAY_SECS: i64 = 30;

/// Maximum number of members fetched at a time.
const AT_ONCE: usize = 4;

/// Maximum number of new members that a request for a list waits for.
const MAX_MET: usize = 16;

/// Maximum number of members whose last fetch is remembered.
const MAX_ASKED: usize = 10_000;

/// How long marks are kept after they expired, in seconds.
const MARKS_SECS: i64 = 30 * 86_400;

/// How many ended marks one round forgets at most: writers wait for no longer than that takes.
const MARKS_AT_ONCE: u32 = 5000;

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

    /// Background task: fetches every member that was not fetched within the refresh interval, and deletes marks that
    /// expired long ago.
    pub(crate) async fn keep_members(&self, stop: &StopSignal) {
        let pause = || {
            let terms = self.terms();
            Duration::from_secs(u64::try_from(terms.refresh_secs.clamp(1, 86_400)).unwrap_or(60))
        };
        while stop.pause(pause()).await {
            if let Err(error) = self.refresh_members().await {
                tracing::warn!(event = "members_not_refreshed", %error, "the members' keys could not be refreshed");
            }
        }
    }

    /// One iteration of [`Self::keep_members`].
    ///
    /// # Errors
    /// [`StoreError`] when the store is unavailable.
    pub(crate) async fn refresh_members(&self) -> Result<(), StoreError> {
        let now = self.parts.clock.now();
        self.parts
            .store
            .write("purge_trust_marks", move |tx| {
                trust_marks::purge(tx, now.plus_secs(-MARKS_SECS), MARKS_AT_ONCE)
            })
            .await?;
        let members = self.parts.store.read("list_members", members::list).await?;
        let active: Vec<Member> = members.into_iter().filter(Member::is_active).collect();
        stream::iter(active)
            .for_each_concurrent(AT_ONCE, |member| async move {
                if let Err(error) = self.refresh_member(&member).await {
                    tracing::warn!(event = "member_not_refreshed", member = %member.id, %error, "could not refresh a member's keys");
                }
            })
            .await;
        Ok(())
    }

    /// Fetches members whose configuration was never fetched: their types are unknown before, and a new intermediate
    /// would be missing from the list until the next iteration.
    async fn meet_new_members(&self) -> Result<(), StoreError> {
        let members = self.parts.store.read("list_new_members", members::list).await?;
        let new = members
            .into_iter()
            .filter(|member| member.is_active() && member.seen_at.is_none() && self.may_ask(&member.id));
        stream::iter(new.take(MAX_MET))
            .for_each_concurrent(AT_ONCE, |member| async move {
                let outcome = tokio::time::timeout(MEMBER_WAIT, self.refresh_member(&member)).await;
                if !matches!(outcome, Ok(Ok(_))) {
                    self.mark_asked(&member.id, true);
                }
            })
            .await;
        Ok(())
    }

    /// Fetches a member's configuration and follows its keys. Returns the keys for statements about it.
    async fn refresh_member(&self, member: &Member) -> Result<Option<PublicKeys>, TrustError> {
        self.mark_asked(&member.id, false);
        let text = match self.parts.contact.fetch(&member.id).await {
            Ok(text) => text,
            Err(error) => {
                self.mark_asked(&member.id, true);
                return Err(error);
            }
        };
        // The interval counts from the response: a slow member is not fetched again at once.
        self.mark_asked(&member.id, false);
        let now = self.parts.clock.now();
        let met = self.terms().first_contact;
        let (id, own_name) = (member.id.clone(), self.parts.name.clone());
        let (keys, followed) = self
            .parts
            .store
            .write("record_member_lookup", move |tx| {
                let mut member = members::lock(tx, &id).map_err(away)?;
                if !member.is_active() {
                    return Err(RefreshError(TrustError::NotTrusted(TrustFault::NoLongerMember)));
                }
                let presented = match &member.keys {
                    Some(known) => follow_keys(&id, known, member.seen_at, &text, now)?,
                    None if met => first_contact(&id, &text, now)?,
                    None => return Err(RefreshError(TrustError::NotTrusted(TrustFault::NoConfiguredKeys))),
                };
                let name = presented.name.clone();
                let change = update(&mut member, presented, now);
                if member.rules.name.is_none() {
                    // The name in its own configuration becomes its name, unless it is confusable with another
                    // member's.
                    member.rules.name = free_name(tx, &id, name, &own_name)?;
                }
                members::save(tx, &member)?;
                if let Some(change) = change {
                    members::record(
                        tx,
                        &id,
                        &MadeChange { change, actor: "the member itself", reason: None },
                        now,
                    )?;
                }
                Ok((member.keys, change))
            })
            .await
            .map_err(|RefreshError(error)| error)?;
        if let Some(change) = followed {
            tracing::info!(event = "member_keys_changed", member = %member.id, change, "a member's keys changed");
        }
        Ok(keys)
    }

    /// The federation keys for statements about the member, fetched again unless that happened just now.
    async fn member_keys(&self, member: &Member) -> Result<PublicKeys, FederationError> {
        let newest = if self.may_ask(&member.id) {
            match tokio::time::timeout(MEMBER_WAIT, self.refresh_member(member)).await {
                Ok(Ok(keys)) => keys,
                // A member that is unreachable, or whose new keys cannot be followed, keeps its known keys.
                Ok(Err(_)) => None,
                Err(_) => {
                    self.mark_asked(&member.id, true);
                    None
                }
            }
        } else {
            None
        };
        match newest {
            Some(keys) => Ok(keys),
            None => {
                let member = self.member(&member.id).await?;
                member.keys.ok_or(FederationError::Unavailable(Outage::MemberKeysUnknown))
            }
        }
    }

    fn may_ask(&self, id: &EntityId) -> bool {
        let now = self.parts.clock.now();
        let asked = lock(&self.asked);
        asked.get(id).is_none_or(|(at, away)| {
            let pause = if *away { COOL_DOWN_AWAY_SECS } else { COOL_DOWN_SECS };
            !(0..pause).contains(&now.secs().saturating_sub(at.secs()))
        })
    }

    fn mark_asked(&self, id: &EntityId, away: bool) {
        let mut asked = lock(&self.asked);
        if asked.len() >= MAX_ASKED && !asked.contains_key(id) {
            let oldest = asked.iter().min_by_key(|(_, (at, _))| *at).map(|(id, _)| id.clone());
            oldest.map(|id| asked.remove(&id));
        }
        asked.insert(id.clone(), (self.parts.clock.now(), away));
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

/// Why fetching a member changed nothing; for the transaction.
struct RefreshError(TrustError);

impl From<TrustError> for RefreshError {
    fn from(error: TrustError) -> Self {
        Self(error)
    }
}

impl From<StoreError> for RefreshError {
    fn from(error: StoreError) -> Self {
        away(error)
    }
}

/// Constraints by which only the members that the operator allows may have members of their own.
fn narrowed(constraints: Option<Constraints>, may_vouch: bool) -> Option<Constraints> {
    if may_vouch {
        return constraints;
    }
    Some(Constraints { max_path_length: Some(0), ..constraints.unwrap_or_default() })
}

fn away(_: StoreError) -> RefreshError {
    RefreshError(TrustError::Unavailable(Outage::Store))
}

/// Takes over a member's configuration; returns the text for the history when its keys changed.
fn update(member: &mut Member, presented: Presented, now: Timestamp) -> Option<&'static str> {
    let change = match &member.keys {
        None => Some("keys met"),
        Some(keys) if *keys != presented.keys => Some("keys followed"),
        Some(_) => None,
    };
    if change.is_some() {
        member.changed_at = now;
    }
    member.keys = Some(presented.keys);
    member.seen_at = Some(presented.issued_at);
    member.entity_types = presented.entity_types;
    member.intermediate = presented.intermediate;
    change
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
