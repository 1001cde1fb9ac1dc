//! The life cycle of a consent. End states are final; every transition has an actor and a time.

use super::document::Commitment;
use super::request::Origin;
pub use super::status::{Actor, ConsentStatus, Reason};
use super::terms::Terms;
use crate::domain::clock::Timestamp;
use crate::domain::ids::{ConsentId, GrantId, PairwiseSubject, PersonId};

/// How a consent ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Withdrawn by the resident, given back by the recipient, or revoked by the node (a replayed code).
    Revoked(Actor),
    /// Its last day passed.
    Expired,
    /// The last allowed exchange was made.
    Exhausted,
    /// Another consent replaced it.
    Replaced,
}

/// Where a consent stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsentState {
    /// In force.
    Active,
    /// Suspended; can be resumed.
    Suspended,
    /// Over for good.
    Ended {
        /// When.
        at: Timestamp,
        /// How.
        how: End,
    },
}

impl ConsentState {
    /// Its status.
    #[must_use]
    pub const fn status(self) -> ConsentStatus {
        match self {
            Self::Active => ConsentStatus::Active,
            Self::Suspended => ConsentStatus::Suspended,
            Self::Ended { how: End::Revoked(Actor::Resident), .. } => ConsentStatus::Revoked,
            Self::Ended { how: End::Revoked(Actor::Recipient), .. } => ConsentStatus::Returned,
            Self::Ended { how: End::Revoked(Actor::Node), .. } => ConsentStatus::Withdrawn,
            Self::Ended { how: End::Expired, .. } => ConsentStatus::Expired,
            Self::Ended { how: End::Exhausted, .. } => ConsentStatus::Exhausted,
            Self::Ended { how: End::Replaced, .. } => ConsentStatus::Replaced,
        }
    }

    /// Its status as text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.status().as_str()
    }

    /// From the stored status and end.
    #[must_use]
    pub(crate) fn from_stored(word: &str, ended_at: Option<Timestamp>) -> Option<Self> {
        let ended = |how| ended_at.map(|at| Self::Ended { at, how });
        match word.parse().ok()? {
            ConsentStatus::Active => Some(Self::Active),
            ConsentStatus::Suspended => Some(Self::Suspended),
            ConsentStatus::Revoked => ended(End::Revoked(Actor::Resident)),
            ConsentStatus::Returned => ended(End::Revoked(Actor::Recipient)),
            ConsentStatus::Withdrawn => ended(End::Revoked(Actor::Node)),
            ConsentStatus::Expired => ended(End::Expired),
            ConsentStatus::Exhausted => ended(End::Exhausted),
            ConsentStatus::Replaced => ended(End::Replaced),
            ConsentStatus::Declined => None,
        }
    }

    /// When it ended, where it did.
    #[must_use]
    pub const fn ended_at(self) -> Option<Timestamp> {
        match self {
            Self::Ended { at, .. } => Some(at),
            Self::Active | Self::Suspended => None,
        }
    }
}

/// How long before its end a resident is reminded of a permission, in seconds.
pub(crate) const REMINDER_SECS: i64 = 14 * 86_400;

/// A consent at its holder.
#[derive(Debug, Clone)]
pub struct Consent {
    /// Its identifier here.
    pub id: ConsentId,
    /// Its identifier for the recipient.
    pub grant_id: GrantId,
    /// Whose data.
    pub person: PersonId,
    /// The person's subject for the recipient.
    pub subject: PairwiseSubject,
    /// What it covers.
    pub terms: Terms,
    /// Who began it.
    pub origin: Origin,
    /// The commitment that the login provider signed.
    pub commitment: Commitment,
    /// Its index in the status list.
    pub status_index: u32,
    /// Where it stands.
    pub state: ConsentState,
    /// The reason of its last change.
    pub reason: Reason,
    /// The consent that it replaced.
    pub replaces: Option<ConsentId>,
    /// The consent that replaced it.
    pub replaced_by: Option<ConsentId>,
    /// Exchanges made.
    pub exchanges: u32,
    /// When the last exchange was made.
    pub(crate) last_exchange_at: Option<Timestamp>,
    /// When the resident decided.
    pub(crate) decided_at: Timestamp,
    /// Assurance level of the login that decided (`acr`).
    pub acr: Option<String>,
    /// When the resident logged in, if the login provider stated it (`auth_time`).
    pub auth_time: Option<Timestamp>,
}

/// One change of a consent, to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// State after it.
    pub to: ConsentState,
    /// Who caused it.
    pub actor: Actor,
    /// Why.
    pub reason: Reason,
    /// When.
    pub at: Timestamp,
}

/// A change that the present state does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a consent that is {from} cannot become {to}")]
pub struct TransitionError {
    /// State before.
    pub from: &'static str,
    /// State wanted.
    pub to: &'static str,
}

/// Why a consent does not allow an exchange now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotInForce {
    /// Suspended.
    Suspended,
    /// Ended, or past its last day.
    Ended,
    /// No exchange is left.
    Exhausted,
}

impl Consent {
    /// When the resident is to be reminded of the end; `None` of a consent given for at most twice the time before it.
    #[must_use]
    pub(crate) fn reminder_at(&self) -> Option<Timestamp> {
        let end = self.terms.until.end();
        (self.decided_at < end.plus_secs(-2 * REMINDER_SECS)).then(|| end.plus_secs(-REMINDER_SECS))
    }

    /// Whether an exchange is allowed now.
    ///
    /// # Errors
    /// [`NotInForce`] says why not.
    pub fn in_force(&self, now: Timestamp) -> Result<(), NotInForce> {
        match self.state {
            ConsentState::Suspended => Err(NotInForce::Suspended),
            ConsentState::Ended { how: End::Exhausted, .. } => Err(NotInForce::Exhausted),
            ConsentState::Ended { .. } => Err(NotInForce::Ended),
            ConsentState::Active if self.terms.until.end() <= now => Err(NotInForce::Ended),
            ConsentState::Active if self.is_used_up() => Err(NotInForce::Exhausted),
            ConsentState::Active => Ok(()),
        }
    }

    /// Whether all exchanges that the terms allow were made.
    #[must_use]
    pub(crate) const fn is_used_up(&self) -> bool {
        self.terms.per.is_none() && self.exchanges >= self.terms.max_exchanges
    }

    /// Counts one exchange; the last allowed one ends the consent.
    ///
    /// # Errors
    /// [`NotInForce`] as [`Consent::in_force`].
    pub(crate) fn count_exchange(&mut self, now: Timestamp) -> Result<Option<Transition>, NotInForce> {
        self.in_force(now)?;
        self.exchanges = self.exchanges.saturating_add(1);
        // Exchanges that are recorded together may come in another order than they were made.
        self.last_exchange_at = self.last_exchange_at.max(Some(now));
        if !self.is_used_up() {
            return Ok(None);
        }
        let to = ConsentState::Ended { at: now, how: End::Exhausted };
        Ok(Some(self.transition_to(to, Actor::Node, Reason::UsedUp, now)))
    }

    /// Suspends the consent: by the resident, or by the node because its declared use no longer covers it.
    ///
    /// # Errors
    /// [`TransitionError`] unless it is active.
    pub fn suspend(
        &mut self,
        actor: Actor,
        reason: Reason,
        now: Timestamp,
    ) -> Result<Transition, TransitionError> {
        // A suspension by the resident outlasts one by the node, which is lifted when the use covers the consent again.
        let by_node = self.state == ConsentState::Suspended && self.reason.holds_back();
        if self.state == ConsentState::Active || (by_node && actor == Actor::Resident) {
            Ok(self.transition_to(ConsentState::Suspended, actor, reason, now))
        } else {
            Err(self.cannot_become(ConsentState::Suspended))
        }
    }

    /// Resumes a suspended consent. The caller must check that its declared use covers it.
    ///
    /// # Errors
    /// [`TransitionError`] unless it is suspended and its last day has not passed.
    pub fn resume(
        &mut self,
        actor: Actor,
        reason: Reason,
        now: Timestamp,
    ) -> Result<Transition, TransitionError> {
        if self.state == ConsentState::Suspended && now < self.terms.until.end() {
            Ok(self.transition_to(ConsentState::Active, actor, reason, now))
        } else {
            Err(self.cannot_become(ConsentState::Active))
        }
    }

    /// Withdraws the consent.
    ///
    /// # Errors
    /// [`TransitionError`] when it has ended already.
    pub fn revoke(
        &mut self,
        actor: Actor,
        reason: Reason,
        now: Timestamp,
    ) -> Result<Transition, TransitionError> {
        self.end(End::Revoked(actor), actor, reason, now)
    }

    /// Ends the consent because its last day has passed.
    ///
    /// # Errors
    /// [`TransitionError`] when it has ended already.
    pub fn expire(&mut self, now: Timestamp) -> Result<Transition, TransitionError> {
        self.end(End::Expired, Actor::Node, Reason::LastDay, now)
    }

    /// Ends the consent because all allowed exchanges turn out to have been made.
    ///
    /// # Errors
    /// [`TransitionError`] when it has ended already.
    pub(crate) fn exhaust(&mut self, now: Timestamp) -> Result<Transition, TransitionError> {
        self.end(End::Exhausted, Actor::Node, Reason::UsedUp, now)
    }

    /// Ends the consent because the resident gave another one in its place.
    ///
    /// # Errors
    /// [`TransitionError`] when it has ended already.
    pub fn replace(&mut self, by: ConsentId, now: Timestamp) -> Result<Transition, TransitionError> {
        let transition = self.end(End::Replaced, Actor::Resident, Reason::Replaced, now)?;
        self.replaced_by = Some(by);
        Ok(transition)
    }

    fn end(
        &mut self,
        how: End,
        actor: Actor,
        reason: Reason,
        now: Timestamp,
    ) -> Result<Transition, TransitionError> {
        let to = ConsentState::Ended { at: now, how };
        match self.state {
            ConsentState::Active | ConsentState::Suspended => Ok(self.transition_to(to, actor, reason, now)),
            ConsentState::Ended { .. } => Err(self.cannot_become(to)),
        }
    }

    const fn transition_to(
        &mut self,
        to: ConsentState,
        actor: Actor,
        reason: Reason,
        at: Timestamp,
    ) -> Transition {
        self.state = to;
        self.reason = reason;
        Transition { to, actor, reason, at }
    }

    const fn cannot_become(&self, to: ConsentState) -> TransitionError {
        TransitionError { from: self.state.as_str(), to: to.as_str() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::consent::Frequency;

    fn consent(max: u32, per: Option<&str>) -> Consent {
        let mut terms = serde_json::json!({
            "holder": "https://espoo.example", "recipient": "https://helsinki.example",
            "declaredUse": "https://helsinki.example/catalogue/uses/daycare", "dataset": "placements",
            "fields": ["unit"], "purpose": "https://w3id.org/dpv#ServiceProvision", "period": null,
            "maxExchanges": max, "retention": "P1Y", "until": "2026-12-31"
        });
        if let Some(per) = per {
            terms["per"] = per.into();
        }
        Consent {
            id: ConsentId::from_bytes([1; 16]),
            grant_id: GrantId::new("grant").unwrap(),
            person: PersonId::from_bytes([2; 16]),
            subject: PairwiseSubject::new("subject").unwrap(),
            terms: serde_json::from_value(terms).unwrap(),
            origin: Origin::Pushed,
            commitment: Commitment::from_text("commitment".to_owned()),
            status_index: 0,
            state: ConsentState::Active,
            reason: Reason::Decided,
            replaces: None,
            replaced_by: None,
            exchanges: 0,
            last_exchange_at: None,
            decided_at: Timestamp::from_secs(0),
            acr: None,
            auth_time: Some(Timestamp::from_secs(0)),
        }
    }

    #[test]
    fn every_reason_has_a_word_of_its_own() {
        for reason in Reason::ALL {
            assert_eq!(reason.as_str().parse(), Ok(reason));
            let json = serde_json::to_value(reason).unwrap();
            assert_eq!(json, reason.as_str(), "the same word everywhere");
        }
    }

    #[test]
    fn a_suspended_consent_does_not_outlive_its_last_day() {
        let mut held = consent(3, None);
        let end = held.terms.until.end();
        held.suspend(Actor::Resident, Reason::Paused, end.plus_secs(-9)).unwrap();
        assert_eq!(held.in_force(end.plus_secs(-8)), Err(NotInForce::Suspended));
        assert!(held.resume(Actor::Resident, Reason::Continued, end).is_err());
        held.expire(end).unwrap();
        assert!(held.suspend(Actor::Node, Reason::UseChanged, end).is_err());
        assert!(held.revoke(Actor::Resident, Reason::TakenBack, end).is_err());
    }

    proptest! {
        /// Exchanges at any moments are allowed only as often as the frequency permits in any period.
        #[test]
        fn no_stretch_of_time_holds_more_than_it_may(
            max in 1_u32..5,
            days in 1_i64..5,
            mut moments in proptest::collection::vec(0_i64..20 * 86_400, 1..60),
        ) {
            moments.sort_unstable();
            let mut held = consent(max, Some(&format!("P{days}D")));
            let mut made: Vec<Timestamp> = Vec::new();
            for moment in moments {
                let now = Timestamp::from_secs(moment);
                let recent: Vec<Timestamp> = made.iter().rev().take(usize::try_from(max).unwrap()).copied().collect();
                match held.terms.next_at(&recent, now) {
                    Some(next) => {
                        // The stated next time is exact: allowed then, and not a second earlier.
                        prop_assert!(next > now);
                        prop_assert_eq!(held.terms.next_at(&recent, next), None);
                        prop_assert!(held.terms.next_at(&recent, next.plus_secs(-1)).is_some());
                    }
                    None => {
                        prop_assert_eq!(held.count_exchange(now), Ok(None), "a stretch does not use it up");
                        made.push(now);
                    }
                }
            }
            for from in &made {
                let to = from.plus_secs(days * 86_400);
                let inside = made.iter().filter(|at| *at >= from && **at < to).count();
                prop_assert!(inside <= usize::try_from(max).unwrap(), "{inside} in one stretch");
            }
        }

        /// Narrowing is an order: reflexive and transitive.
        #[test]
        fn being_within_is_an_order(
            a in (1_u32..6, proptest::option::of(1_u32..9)),
            b in (1_u32..6, proptest::option::of(1_u32..9)),
            c in (1_u32..6, proptest::option::of(1_u32..9)),
        ) {
            let frequency = |(max, days): (u32, Option<u32>)| Frequency {
                max,
                per: days.map(|days| format!("P{days}D").try_into().unwrap()),
            };
            let (a, b, c) = (frequency(a), frequency(b), frequency(c));
            prop_assert!(a.is_within(&a));
            if a.is_within(&b) && b.is_within(&c) {
                prop_assert!(a.is_within(&c), "{a:?} {b:?} {c:?}");
            }
            if a.is_within(&b) && b.is_within(&a) {
                prop_assert_eq!(&a, &b);
            }
        }
    }
}
