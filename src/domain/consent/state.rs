//! The consent's life. Nothing leaves an end state; every transition names its actor and moment.

use serde::{Deserialize, Serialize};

use super::document::Commitment;
use super::request::Origin;
use super::terms::Terms;
use crate::domain::clock::Timestamp;
use crate::domain::ids::{ConsentId, GrantId, PairwiseSubject, PersonId};

/// Who caused a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The resident.
    Resident,
    /// The recipient, giving the consent back.
    Recipient,
    /// The holder node itself, by rule (end date, use count, code replay).
    Node,
}

impl Actor {
    /// The stored word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resident => "resident",
            Self::Recipient => "recipient",
            Self::Node => "node",
        }
    }

    /// From the stored word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Resident, Self::Recipient, Self::Node].into_iter().find(|actor| actor.as_str() == word)
    }
}

/// How a consent ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Taken back by the resident, given back by the recipient, or withdrawn by the node (a replayed code).
    Revoked(Actor),
    /// Its last day passed.
    Expired,
    /// Its last exchange was made.
    Exhausted,
    /// Another consent took its place.
    Replaced,
}

/// Where a consent stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsentState {
    /// In force.
    Active,
    /// Held back; may become active again.
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
    /// The stored word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Ended { how: End::Revoked(Actor::Resident), .. } => "revoked",
            Self::Ended { how: End::Revoked(Actor::Recipient), .. } => "returned",
            Self::Ended { how: End::Revoked(Actor::Node), .. } => "withdrawn",
            Self::Ended { how: End::Expired, .. } => "expired",
            Self::Ended { how: End::Exhausted, .. } => "exhausted",
            Self::Ended { how: End::Replaced, .. } => "replaced",
        }
    }

    /// From the stored word and end moment.
    #[must_use]
    pub fn from_stored(word: &str, ended_at: Option<Timestamp>) -> Option<Self> {
        let ended = |how| ended_at.map(|at| Self::Ended { at, how });
        match word {
            "active" => Some(Self::Active),
            "suspended" => Some(Self::Suspended),
            "revoked" => ended(End::Revoked(Actor::Resident)),
            "returned" => ended(End::Revoked(Actor::Recipient)),
            "withdrawn" => ended(End::Revoked(Actor::Node)),
            "expired" => ended(End::Expired),
            "exhausted" => ended(End::Exhausted),
            "replaced" => ended(End::Replaced),
            _ => None,
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

/// A consent at its holder.
#[derive(Debug, Clone)]
pub struct Consent {
    /// Its identifier here.
    pub id: ConsentId,
    /// Its identifier towards the recipient.
    pub grant_id: GrantId,
    /// Whose data.
    pub person: PersonId,
    /// Who that is towards the recipient.
    pub subject: PairwiseSubject,
    /// What it covers.
    pub terms: Terms,
    /// Who began it.
    pub origin: Origin,
    /// What the login provider signed.
    pub commitment: Commitment,
    /// Its place in the status list.
    pub status_index: u32,
    /// Where it stands.
    pub state: ConsentState,
    /// Exchanges made.
    pub exchanges: u32,
    /// When the last one was made.
    pub last_exchange_at: Option<Timestamp>,
    /// When the resident decided.
    pub decided_at: Timestamp,
    /// How strongly the resident was known when deciding (`acr`).
    pub acr: Option<String>,
    /// When the resident logged in.
    pub auth_time: Timestamp,
}

/// One change in a consent's life, as kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// State after it.
    pub to: ConsentState,
    /// Who caused it.
    pub actor: Actor,
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

/// Why a consent does not carry an exchange now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotInForce {
    /// Held back by the resident.
    Suspended,
    /// Ended, or its last day is over.
    Ended,
    /// No exchange is left.
    Exhausted,
}

impl Consent {
    /// Whether an exchange may be made under it now.
    ///
    /// # Errors
    /// [`NotInForce`] says why not.
    pub fn in_force(&self, now: Timestamp) -> Result<(), NotInForce> {
        match self.state {
            ConsentState::Suspended => Err(NotInForce::Suspended),
            ConsentState::Ended { how: End::Exhausted, .. } => Err(NotInForce::Exhausted),
            ConsentState::Ended { .. } => Err(NotInForce::Ended),
            ConsentState::Active if self.terms.until.end() <= now => Err(NotInForce::Ended),
            ConsentState::Active if self.exchanges >= self.terms.max_exchanges => Err(NotInForce::Exhausted),
            ConsentState::Active => Ok(()),
        }
    }

    /// Counts one exchange; the last one that the terms allow ends the consent.
    ///
    /// # Errors
    /// [`NotInForce`] as [`Consent::in_force`].
    pub fn count_exchange(&mut self, now: Timestamp) -> Result<Option<Transition>, NotInForce> {
        self.in_force(now)?;
        self.exchanges = self.exchanges.saturating_add(1);
        self.last_exchange_at = Some(now);
        if self.exchanges < self.terms.max_exchanges {
            return Ok(None);
        }
        self.state = ConsentState::Ended { at: now, how: End::Exhausted };
        Ok(Some(Transition { to: self.state, actor: Actor::Node, at: now }))
    }

    /// Takes the consent back.
    ///
    /// # Errors
    /// [`TransitionError`] when it has ended already.
    pub fn revoke(&mut self, actor: Actor, now: Timestamp) -> Result<Transition, TransitionError> {
        self.end(End::Revoked(actor), actor, now)
    }

    /// Ends the consent because its last day has passed.
    ///
    /// # Errors
    /// [`TransitionError`] when it has ended already.
    pub fn expire(&mut self, now: Timestamp) -> Result<Transition, TransitionError> {
        self.end(End::Expired, Actor::Node, now)
    }

    fn end(&mut self, how: End, actor: Actor, now: Timestamp) -> Result<Transition, TransitionError> {
        let to = ConsentState::Ended { at: now, how };
        match self.state {
            ConsentState::Active | ConsentState::Suspended => {
                self.state = to;
                Ok(Transition { to, actor, at: now })
            }
            ConsentState::Ended { .. } => Err(TransitionError { from: self.state.as_str(), to: to.as_str() }),
        }
    }
}
