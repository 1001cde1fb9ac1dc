//! One change in a permission's history.

use crate::domain::clock::Timestamp;
use crate::domain::consent::{Actor, ConsentState, End, Reason};
use crate::node::resident::list_mine::KeptChange;
use crate::web::html::frame::Frame;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// The resident gave the permission.
    Given,
    /// The resident did not give it.
    Declined,
    /// The resident stopped it.
    Stopped,
    /// The recipient gave it back.
    GivenBack,
    /// The recipient did not redeem it in time.
    NotTaken,
    /// The city ended it, because its code seemed to be stolen.
    Withdrawn,
    /// The resident paused it.
    Suspended,
    /// Suspended, because the service no longer declares a use that covers it.
    HeldBack,
    /// Suspended, because the recipient could not be verified as trusted.
    HeldBackUntrusted,
    Resumed,
    /// Its last day passed.
    Expired,
    /// The last allowed fetch was made.
    UsedUp,
    /// A newer permission replaced it.
    Replaced,
    /// The recipient confirmed that it fetches no more.
    StopConfirmed,
}

/// One line of the permission's history.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChangeEntry {
    pub(crate) at: Timestamp,
    pub(crate) change: Change,
}

/// Why a permission is suspended by the city and not by the resident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeldBack {
    /// The service no longer declares a use that covers it.
    Use,
    /// The recipient cannot be verified as trusted.
    RecipientNotTrusted,
}

/// Why the node suspends a consent, if it does.
pub(crate) const fn held_back(state: ConsentState, reason: Reason) -> Option<HeldBack> {
    match state {
        ConsentState::Active | ConsentState::Ended { .. } => None,
        ConsentState::Suspended => match reason {
            Reason::RecipientNotTrusted => Some(HeldBack::RecipientNotTrusted),
            Reason::UseChanged | Reason::UseWithdrawn => Some(HeldBack::Use),
            Reason::Decided
            | Reason::Paused
            | Reason::Continued
            | Reason::UseFits
            | Reason::TakenBack
            | Reason::GivenBack
            | Reason::CodeReplayed
            | Reason::Unredeemed
            | Reason::LastDay
            | Reason::UsedUp
            | Reason::Replaced
            | Reason::LostByHolder => None,
        },
    }
}

/// Converts a stored change.
pub(crate) const fn change(kept: &KeptChange) -> Change {
    match kept.to {
        ConsentState::Active if kept.from.is_none() => Change::Given,
        ConsentState::Active => Change::Resumed,
        ConsentState::Suspended => match held_back(kept.to, kept.reason) {
            Some(HeldBack::RecipientNotTrusted) => Change::HeldBackUntrusted,
            Some(HeldBack::Use) => Change::HeldBack,
            None => Change::Suspended,
        },
        ConsentState::Ended { how, .. } => match how {
            End::Revoked(Actor::Recipient) => Change::GivenBack,
            End::Revoked(Actor::Resident) => Change::Stopped,
            End::Revoked(Actor::Node) if matches!(kept.reason, Reason::Unredeemed) => Change::NotTaken,
            End::Revoked(Actor::Node) => Change::Withdrawn,
            End::Expired => Change::Expired,
            End::Exhausted => Change::UsedUp,
            End::Replaced => Change::Replaced,
        },
    }
}

impl Frame<'_> {
    pub(crate) fn change(&self, change: &Change) -> String {
        let t = &self.t;
        match change {
            Change::Given => t.change_given(),
            Change::Declined => t.change_declined(),
            Change::Stopped => t.change_stopped(),
            Change::NotTaken => t.change_not_taken(),
            Change::Withdrawn => t.change_withdrawn(),
            Change::GivenBack => t.change_given_back(),
            Change::Suspended => t.change_suspended(),
            Change::HeldBack => t.change_held_back(),
            Change::HeldBackUntrusted => t.change_held_back_untrusted(),
            Change::Resumed => t.change_resumed(),
            Change::Expired => t.change_expired(),
            Change::UsedUp => t.change_used_up(),
            Change::Replaced => t.change_replaced(),
            Change::StopConfirmed => t.change_stop_confirmed(),
        }
        .to_string()
    }

    pub(crate) fn held_back(&self, why: &HeldBack, asker: &str) -> String {
        match why {
            HeldBack::Use => self.t.pause_by_use(asker),
            HeldBack::RecipientNotTrusted => self.t.pause_by_trust(asker),
        }
        .to_string()
    }
}
