//! The life cycle of a consent at its recipient. Nothing leaves an end state, and tokens exist only while data may be
//! fetched or may be fetched again.

use super::reason::{HeldCause, HeldReason, ReasonWord};
use super::status::HeldStatus;
use crate::domain::clock::Timestamp;
use crate::domain::consent::document::Commitment;
use crate::domain::consent::terms::AuthorizationDetail;
use crate::domain::ids::{GrantId, KeyId};

/// The tokens of a consent. Stored sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct HeldTokens {
    /// The consent token.
    pub access_token: String,
    /// When it ends.
    pub expires_at: Timestamp,
    /// What gets the next one, where the consent outlasts the token.
    pub refresh_token: Option<String>,
    /// The DPoP key that it is bound to.
    pub dpop_kid: KeyId,
}

impl std::fmt::Debug for HeldTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HeldTokens([redacted])")
    }
}

/// What a holder granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldGrant {
    /// The consent's identifier at its holder.
    pub grant_id: GrantId,
    /// What fetches the data.
    pub tokens: HeldTokens,
    /// What the login provider signed, as the token says: tells the consents of one grant apart.
    pub commitment: Commitment,
}

/// What remains known of a grant when the consent is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerGrant {
    /// The consent's identifier at its holder.
    pub grant_id: GrantId,
    /// As [`HeldGrant::commitment`]; none where the tokens never came.
    pub commitment: Option<Commitment>,
}

/// The state with all that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeldState {
    /// The resident has not decided.
    Requested {
        /// Why the last attempt led to no decision.
        reason: Option<HeldReason>,
    },
    /// Given in the holder's portal; the code waits to be redeemed.
    Given {
        /// The consent's identifier at its holder.
        grant_id: GrantId,
        /// What the holder has said of it since.
        reason: Option<HeldReason>,
    },
    /// Data may be fetched.
    Active {
        /// The grant.
        grant: HeldGrant,
        /// What the service is to know about it.
        reason: Option<HeldReason>,
    },
    /// Held back; data may be fetched again when the holder says so.
    Suspended {
        /// The grant.
        grant: HeldGrant,
        /// Why, where the holder said it.
        reason: Option<HeldReason>,
    },
    /// The resident said no.
    Declined,
    /// Nobody decided in time.
    Lapsed {
        /// Why the last attempt led to no decision.
        reason: Option<HeldReason>,
    },
    /// It can come to nothing.
    Failed {
        /// Why.
        reason: HeldReason,
    },
    /// Over for good.
    Ended {
        /// What the grant was, where there was one.
        grant: Option<FormerGrant>,
        /// Why.
        reason: HeldReason,
    },
}

impl HeldState {
    /// Its word.
    #[must_use]
    pub const fn status(&self) -> HeldStatus {
        match self {
            Self::Requested { .. } => HeldStatus::Requested,
            Self::Given { .. } => HeldStatus::Given,
            Self::Active { .. } => HeldStatus::Active,
            Self::Suspended { .. } => HeldStatus::Suspended,
            Self::Declined => HeldStatus::Declined,
            Self::Lapsed { .. } => HeldStatus::Lapsed,
            Self::Failed { .. } => HeldStatus::Failed,
            Self::Ended { .. } => HeldStatus::Ended,
        }
    }
}

/// What a holder tells about a consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HolderChange {
    /// It is held back.
    Suspended,
    /// It is in force again.
    Resumed,
    /// It is over.
    Over,
}

/// A transition that the present state does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a consent that is {from} at its recipient cannot become {to}")]
pub struct IllegalTransition {
    /// The state before.
    pub from: HeldStatus,
    /// The state wanted.
    pub to: HeldStatus,
}

/// What changes in a consent's life at its recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldLife {
    state: HeldState,
    detail: AuthorizationDetail,
    sequence: u64,
    updated_at: Timestamp,
}

impl HeldLife {
    /// A service asks for a consent.
    #[must_use]
    pub const fn requested(detail: AuthorizationDetail, now: Timestamp) -> Self {
        Self { state: HeldState::Requested { reason: None }, detail, sequence: 0, updated_at: now }
    }

    /// A resident gave a consent in the holder's portal.
    #[must_use]
    pub const fn given(grant_id: GrantId, detail: AuthorizationDetail, now: Timestamp) -> Self {
        Self { state: HeldState::Given { grant_id, reason: None }, detail, sequence: 0, updated_at: now }
    }

    /// As it was stored.
    #[must_use]
    pub const fn restored(
        state: HeldState,
        detail: AuthorizationDetail,
        sequence: u64,
        updated_at: Timestamp,
    ) -> Self {
        Self { state, detail, sequence, updated_at }
    }

    /// The state.
    #[must_use]
    pub const fn state(&self) -> &HeldState {
        &self.state
    }

    /// What is asked, and after the decision what was allowed.
    #[must_use]
    pub const fn detail(&self) -> &AuthorizationDetail {
        &self.detail
    }

    /// The number of the last change that the holder told of; an event with an older one has no effect.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// When it last changed.
    #[must_use]
    pub const fn updated_at(&self) -> Timestamp {
        self.updated_at
    }

    /// What fetches the data, while it is active or suspended.
    #[must_use]
    pub const fn grant_held(&self) -> Option<&HeldGrant> {
        match &self.state {
            HeldState::Active { grant, .. } | HeldState::Suspended { grant, .. } => Some(grant),
            _ => None,
        }
    }

    /// The consent's identifier at its holder, once there is one.
    #[must_use]
    pub const fn grant_id(&self) -> Option<&GrantId> {
        match &self.state {
            HeldState::Given { grant_id, .. } => Some(grant_id),
            HeldState::Active { grant, .. } | HeldState::Suspended { grant, .. } => Some(&grant.grant_id),
            HeldState::Ended { grant: Some(grant), .. } => Some(&grant.grant_id),
            _ => None,
        }
    }

    /// What the login provider signed, as the token said.
    #[must_use]
    pub const fn commitment(&self) -> Option<&Commitment> {
        match &self.state {
            HeldState::Active { grant, .. } | HeldState::Suspended { grant, .. } => Some(&grant.commitment),
            HeldState::Ended { grant: Some(grant), .. } => grant.commitment.as_ref(),
            _ => None,
        }
    }

    /// Why it is in its state, where that says more than the state.
    #[must_use]
    pub const fn reason(&self) -> Option<&HeldReason> {
        match &self.state {
            HeldState::Requested { reason }
            | HeldState::Given { reason, .. }
            | HeldState::Active { reason, .. }
            | HeldState::Suspended { reason, .. }
            | HeldState::Lapsed { reason } => reason.as_ref(),
            HeldState::Failed { reason } | HeldState::Ended { reason, .. } => Some(reason),
            HeldState::Declined => None,
        }
    }

    /// Keeps what a holder granted, for the first time or anew. A consent that is held back stays so: the holder may have
    /// said it while it was asked for the tokens.
    ///
    /// # Errors
    /// [`IllegalTransition`] when it is over, or has another identifier at its holder.
    pub fn grant(
        &mut self,
        grant: HeldGrant,
        detail: AuthorizationDetail,
        now: Timestamp,
    ) -> Result<(), IllegalTransition> {
        let is_end = self.state.status().is_end();
        if is_end || self.grant_id().is_some_and(|known| known != &grant.grant_id) {
            return Err(self.cannot_become(HeldStatus::Active));
        }
        let to = match &self.state {
            HeldState::Suspended { reason, .. } => HeldState::Suspended { grant, reason: reason.clone() },
            _ => HeldState::Active { grant, reason: None },
        };
        self.detail = detail;
        self.become_state(to, now);
        Ok(())
    }

    /// Holds it back, because the holder said so when it was asked.
    ///
    /// # Errors
    /// [`IllegalTransition`] unless it is active.
    pub fn suspend(&mut self, now: Timestamp) -> Result<(), IllegalTransition> {
        match &self.state {
            HeldState::Active { grant, reason } => {
                let (grant, reason) = (grant.clone(), reason.clone());
                self.become_state(HeldState::Suspended { grant, reason }, now);
                Ok(())
            }
            _ => Err(self.cannot_become(HeldStatus::Suspended)),
        }
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// [`IllegalTransition`] unless it is suspended.
    pub fn resume(&mut self, now: Timestamp) -> Result<(), IllegalTransition> {
        match &self.state {
            HeldState::Suspended { grant, .. } => {
                let grant = grant.clone();
                self.become_state(HeldState::Active { grant, reason: None }, now);
                Ok(())
            }
            _ => Err(self.cannot_become(HeldStatus::Active)),
        }
    }

    /// Notes why an attempt led to no tokens, or that nothing is known any more; it may be tried again.
    ///
    /// # Errors
    /// [`IllegalTransition`] where there are tokens, or it is over.
    pub fn note_attempt(
        &mut self,
        cause: Option<HeldCause>,
        now: Timestamp,
    ) -> Result<(), IllegalTransition> {
        let reason = cause.map(HeldReason::from);
        let to = match &self.state {
            HeldState::Requested { .. } => HeldState::Requested { reason },
            HeldState::Given { grant_id, .. } => HeldState::Given { grant_id: grant_id.clone(), reason },
            _ => return Err(self.cannot_become(HeldStatus::Requested)),
        };
        self.become_state(to, now);
        Ok(())
    }

    /// Notes whether the resident must confirm again, and says whether that is new. The consent goes on, because the holder
    /// may come to demand less as well.
    ///
    /// # Errors
    /// [`IllegalTransition`] unless it is active.
    pub fn mark_confirmation(&mut self, needed: bool, now: Timestamp) -> Result<bool, IllegalTransition> {
        let HeldState::Active { grant, reason } = &self.state else {
            return Err(self.cannot_become(HeldStatus::Active));
        };
        let cause = HeldReason::from(HeldCause::ConfirmationNeeded);
        if (reason.as_ref() == Some(&cause)) == needed {
            return Ok(false);
        }
        let grant = grant.clone();
        self.become_state(HeldState::Active { grant, reason: needed.then_some(cause) }, now);
        Ok(true)
    }

    /// The resident said no.
    ///
    /// # Errors
    /// [`IllegalTransition`] unless the resident has yet to decide.
    pub fn decline(&mut self, now: Timestamp) -> Result<(), IllegalTransition> {
        self.leave_requested(HeldState::Declined, now)
    }

    /// Nobody decided in time.
    ///
    /// # Errors
    /// [`IllegalTransition`] unless the resident has yet to decide.
    pub fn lapse(&mut self, now: Timestamp) -> Result<(), IllegalTransition> {
        self.leave_requested(HeldState::Lapsed { reason: self.reason().cloned() }, now)
    }

    /// It can come to nothing.
    ///
    /// # Errors
    /// [`IllegalTransition`] unless the resident has yet to decide.
    pub fn fail(&mut self, cause: HeldCause, now: Timestamp) -> Result<(), IllegalTransition> {
        self.leave_requested(HeldState::Failed { reason: cause.into() }, now)
    }

    /// Ends it; its tokens are forgotten.
    ///
    /// # Errors
    /// [`IllegalTransition`] when it is over already.
    pub fn end(&mut self, reason: impl Into<HeldReason>, now: Timestamp) -> Result<(), IllegalTransition> {
        if self.state.status().is_end() {
            return Err(self.cannot_become(HeldStatus::Ended));
        }
        let grant = self
            .grant_id()
            .cloned()
            .map(|grant_id| FormerGrant { grant_id, commitment: self.commitment().cloned() });
        self.become_state(HeldState::Ended { grant, reason: reason.into() }, now);
        Ok(())
    }

    /// Takes what the holder tells. An event that is older than what is known, or comes after the end, has no effect; says
    /// whether it had one.
    pub fn apply_event(
        &mut self,
        change: HolderChange,
        reason: &ReasonWord,
        sequence: u64,
        now: Timestamp,
    ) -> bool {
        if sequence <= self.sequence || self.state.status().is_end() {
            return false;
        }
        self.sequence = sequence;
        let word = HeldReason::from(reason.clone());
        let to = match (change, self.state.clone()) {
            (
                HolderChange::Suspended,
                HeldState::Active { grant, .. } | HeldState::Suspended { grant, .. },
            ) => HeldState::Suspended { grant, reason: Some(word) },
            (HolderChange::Resumed, HeldState::Active { grant, .. } | HeldState::Suspended { grant, .. }) => {
                HeldState::Active { grant, reason: None }
            }
            // No tokens yet: the service reads why they do not come.
            (HolderChange::Suspended, HeldState::Given { grant_id, .. }) => {
                HeldState::Given { grant_id, reason: Some(word) }
            }
            (HolderChange::Resumed, HeldState::Given { grant_id, .. }) => {
                HeldState::Given { grant_id, reason: None }
            }
            (HolderChange::Over, _) => return self.end(word, now).is_ok(),
            (_, other) => other,
        };
        self.become_state(to, now);
        true
    }

    fn leave_requested(&mut self, to: HeldState, now: Timestamp) -> Result<(), IllegalTransition> {
        if matches!(self.state, HeldState::Requested { .. }) {
            self.become_state(to, now);
            Ok(())
        } else {
            Err(self.cannot_become(to.status()))
        }
    }

    fn become_state(&mut self, to: HeldState, now: Timestamp) {
        self.state = to;
        self.updated_at = now;
    }

    const fn cannot_become(&self, to: HeldStatus) -> IllegalTransition {
        IllegalTransition { from: self.state.status(), to }
    }
}

#[cfg(test)]
#[path = "life_tests.rs"]
mod tests;
