//! A superior follows the keys of its members: in rounds, and when somebody asks about one.

use std::time::Duration;

use futures_util::stream::{self, StreamExt};

use super::FederationError;
use super::anchor::AnchorStatements;
use super::member_names::free_name;
use crate::domain::clock::Timestamp;
use crate::domain::federation::{
    Member, Outage, Presented, TrustError, TrustFault, first_contact, follow_keys,
};
use crate::domain::ids::EntityId;
use crate::domain::jose::PublicKeys;
use crate::domain::sync::lock;
use crate::ports::StopSignal;
use crate::store::StoreError;
use crate::store::federation::members::MadeChange;
use crate::store::federation::{members, trust_marks};

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
    pub(super) async fn meet_new_members(&self) -> Result<(), StoreError> {
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
    pub(super) async fn member_keys(&self, member: &Member) -> Result<PublicKeys, FederationError> {
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
