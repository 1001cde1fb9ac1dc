//! The life cycle of a consent at its recipient. End states are final, and tokens exist only in the active and
//! suspended states.

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
    /// Its expiry.
    pub expires_at: Timestamp,
    /// The refresh token, if the consent outlasts the token.
    pub(crate) refresh_token: Option<String>,
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
    /// Its tokens.
    pub tokens: HeldTokens,
    /// The commitment in the token: distinguishes the consents of one grant.
    pub commitment: Commitment,
}

/// What is kept of a grant when the consent has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerGrant {
    /// The consent's identifier at its holder.
    pub grant_id: GrantId,
    /// As [`HeldGrant::commitment`]; `None` if the tokens never arrived.
    pub commitment: Option<Commitment>,
}

/// The state with its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeldState {
    /// Undecided.
    Requested {
        /// Why the last attempt led to no decision.
        reason: Option<HeldReason>,
    },
    /// Given in the holder's portal; the code is to be redeemed.
    Given {
        /// The consent's identifier at its holder.
        grant_id: GrantId,
        /// The holder's latest change of it.
        reason: Option<HeldReason>,
    },
    /// Data may be fetched.
    Active {
        /// The grant.
        grant: HeldGrant,
        /// A note for the service.
        reason: Option<HeldReason>,
    },
    /// Suspended; data may be fetched again when the holder resumes it.
    Suspended {
        /// The grant.
        grant: HeldGrant,
        /// Why, if the holder said so.
        reason: Option<HeldReason>,
    },
    /// The resident declined.
    Declined,
    /// Expired undecided.
    Lapsed {
        /// Why the last attempt led to no decision.
        reason: Option<HeldReason>,
    },
    /// Failed.
    Failed {
        /// Why.
        reason: HeldReason,
    },
    /// Ended.
    Ended {
        /// The former grant, if there was one.
        grant: Option<FormerGrant>,
        /// Why.
        reason: HeldReason,
    },
}

impl HeldState {
    /// Its status.
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

/// A holder's change of a consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HolderChange {
    /// Suspended.
    Suspended,
    /// Resumed.
    Resumed,
    /// Ended.
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

/// The mutable part of a consent at its recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldLife {
    state: HeldState,
    detail: AuthorizationDetail,
    sequence: u64,
    updated_at: Timestamp,
}

impl HeldLife {
    /// A request by a service.
    #[must_use]
    pub(crate) const fn requested(detail: AuthorizationDetail, now: Timestamp) -> Self {
        Self { state: HeldState::Requested { reason: None }, detail, sequence: 0, updated_at: now }
    }

    /// A consent given in the holder's portal.
    #[must_use]
    pub const fn given(grant_id: GrantId, detail: AuthorizationDetail, now: Timestamp) -> Self {
        Self { state: HeldState::Given { grant_id, reason: None }, detail, sequence: 0, updated_at: now }
    }

    /// From its stored parts.
    #[must_use]
    pub(crate) const fn restored(
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

    /// The requested terms; after the decision, the allowed ones.
    #[must_use]
    pub const fn detail(&self) -> &AuthorizationDetail {
        &self.detail
    }

    /// The sequence of the holder's last change; an event with a lower one has no effect.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// When it last changed.
    #[must_use]
    pub const fn updated_at(&self) -> Timestamp {
        self.updated_at
    }

    /// The tokens, while it is active or suspended.
    #[must_use]
    pub const fn grant_held(&self) -> Option<&HeldGrant> {
        match &self.state {
            HeldState::Active { grant, .. } | HeldState::Suspended { grant, .. } => Some(grant),
            HeldState::Requested { .. }
            | HeldState::Given { .. }
            | HeldState::Declined
            | HeldState::Lapsed { .. }
            | HeldState::Failed { .. }
            | HeldState::Ended { .. } => None,
        }
    }

    /// The consent's identifier at its holder, once there is one.
    #[must_use]
    pub const fn grant_id(&self) -> Option<&GrantId> {
        match &self.state {
            HeldState::Given { grant_id, .. } => Some(grant_id),
            HeldState::Active { grant, .. } | HeldState::Suspended { grant, .. } => Some(&grant.grant_id),
            HeldState::Ended { grant: Some(grant), .. } => Some(&grant.grant_id),
            HeldState::Requested { .. }
            | HeldState::Declined
            | HeldState::Lapsed { .. }
            | HeldState::Failed { .. }
            | HeldState::Ended { grant: None, .. } => None,
        }
    }

    /// The commitment in the token.
    #[must_use]
    pub const fn commitment(&self) -> Option<&Commitment> {
        match &self.state {
            HeldState::Active { grant, .. } | HeldState::Suspended { grant, .. } => Some(&grant.commitment),
            HeldState::Ended { grant: Some(grant), .. } => grant.commitment.as_ref(),
            HeldState::Requested { .. }
            | HeldState::Given { .. }
            | HeldState::Declined
            | HeldState::Lapsed { .. }
            | HeldState::Failed { .. }
            | HeldState::Ended { grant: None, .. } => None,
        }
    }

    /// The reason of its state.
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

    /// Sets the grant, for the first time or anew. A suspended consent stays suspended: the holder may have suspended
    /// it during the token request.
    ///
    /// # Errors
    /// [`IllegalTransition`] when it has ended, or has another identifier at its holder.
    pub(crate) fn grant(
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

    /// Suspends it, after a query of the holder.
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

    /// Resumes it.
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

    /// Records why an attempt led to no tokens, or clears that; a retry is possible.
    ///
    /// # Errors
    /// [`IllegalTransition`] when there are tokens, or it has ended.
    pub(crate) fn note_attempt(
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

    /// Records whether the resident must confirm again; `true` when that is new. The consent stays active, because the
    /// holder's requirement may be lowered again.
    ///
    /// # Errors
    /// [`IllegalTransition`] unless it is active.
    pub(crate) fn mark_confirmation(
        &mut self,
        needed: bool,
        now: Timestamp,
    ) -> Result<bool, IllegalTransition> {
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

    /// Declines it.
    ///
    /// # Errors
    /// [`IllegalTransition`] unless it is undecided.
    pub(crate) fn decline(&mut self, now: Timestamp) -> Result<(), IllegalTransition> {
        self.leave_requested(HeldState::Declined, now)
    }

    /// Expires it undecided.
    ///
    /// # Errors
    /// [`IllegalTransition`] unless it is undecided.
    #[cfg(test)]
    pub(crate) fn lapse(&mut self, now: Timestamp) -> Result<(), IllegalTransition> {
        self.leave_requested(HeldState::Lapsed { reason: self.reason().cloned() }, now)
    }

    /// Makes it fail.
    ///
    /// # Errors
    /// [`IllegalTransition`] unless it is undecided.
    pub(crate) fn fail(&mut self, cause: HeldCause, now: Timestamp) -> Result<(), IllegalTransition> {
        self.leave_requested(HeldState::Failed { reason: cause.into() }, now)
    }

    /// Ends it and deletes its tokens.
    ///
    /// # Errors
    /// [`IllegalTransition`] when it has ended already.
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

    /// Applies a holder's event. An event older than the last one, or after the end, has no effect; `true` when it had
    /// one.
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
            // No tokens yet: the service reads why.
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
