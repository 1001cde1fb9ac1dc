//! `/me/sharing/{id}`: everything about one permission.

use super::consent::HistoryReach;
use super::parts::{LogEntry, PermissionCard};
use crate::domain::catalogue::{Contact, Text};
use crate::domain::clock::Timestamp;
use crate::domain::consent::DeletionState;

/// How the permission came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A service asked.
    ServiceAsked,
    /// The resident started it in this portal.
    ResidentStarted,
}

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The request arrived.
    Asked,
    /// The resident gave the permission.
    Given,
    /// The resident did not give it.
    Declined,
    /// The resident stopped it.
    Stopped,
    /// The one who asked gave it back.
    GivenBack,
    /// Nobody came for it in time.
    NotTaken,
    /// The city ended it, because what opens it seemed to be stolen.
    Withdrawn,
    /// The resident paused it.
    Suspended,
    /// It was held back, because the service no longer declares a use that covers it.
    HeldBack,
    /// It came back in force.
    Resumed,
    /// Its last day passed.
    Expired,
    /// The last allowed fetch was made.
    UsedUp,
    /// A newer permission took its place.
    Replaced,
    /// The one who asked confirmed that it fetches no more.
    StopConfirmed,
}

/// One line of the permission's history.
#[derive(Debug, Clone, Copy)]
pub struct ChangeEntry {
    /// When.
    pub at: Timestamp,
    /// What.
    pub change: Change,
}

/// Whether the one who asked knows that the permission was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopConfirmation {
    /// It has confirmed.
    Confirmed {
        /// When.
        at: Timestamp,
    },
    /// It has been told or is being told; it has not confirmed yet.
    Waiting,
    /// It could not be told for so long that nobody tries any longer.
    GivenUp,
}

/// Everything about one permission.
#[derive(Debug, Clone)]
pub struct PermissionView {
    /// What the lists show of it.
    pub card: PermissionCard,
    /// How it came about.
    pub origin: Origin,
    /// What people call the register that the data comes from.
    pub register: Text,
    /// The fields that may be fetched.
    pub fields: Vec<Text>,
    /// The optional fields that the resident left out.
    pub left_out: Vec<Text>,
    /// How far back the data goes.
    pub reach: HistoryReach,
    /// How long the one who asked keeps the data, ISO 8601 duration.
    pub retention: String,
    /// On which basis it is fetched, a DPV term.
    pub legal_basis: String,
    /// Who is responsible for the data at the one who asked.
    pub controller: Contact,
    /// Its data protection officer.
    pub data_protection_officer: Contact,
    /// Whether the login provider's signature over the decision is kept as evidence.
    pub signed: bool,
    /// Whether a passkey of the resident's signed it too.
    pub signed_with_passkey: bool,
    /// Set when it was stopped.
    pub stop_confirmation: Option<StopConfirmation>,
    /// How it stands with the deletion of what was fetched; none when nothing was.
    pub deletion: Option<DeletionState>,
    /// Whether it is held back because the service no longer declares a use that covers it; set while it is paused.
    pub held_back_by_use: bool,
    /// Every change, oldest first.
    pub history: Vec<ChangeEntry>,
    /// Every request that rested on it, newest first.
    pub exchanges: Vec<LogEntry>,
}

impl crate::web::portal::Frame<'_> {
    pub(in crate::web::portal) fn change(&self, change: &Change) -> String {
        let t = &self.t;
        match change {
            Change::Asked => t.change_asked(),
            Change::Given => t.change_given(),
            Change::Declined => t.change_declined(),
            Change::Stopped => t.change_stopped(),
            Change::NotTaken => t.change_not_taken(),
            Change::Withdrawn => t.change_withdrawn(),
            Change::GivenBack => t.change_given_back(),
            Change::Suspended => t.change_suspended(),
            Change::HeldBack => t.change_held_back(),
            Change::Resumed => t.change_resumed(),
            Change::Expired => t.change_expired(),
            Change::UsedUp => t.change_used_up(),
            Change::Replaced => t.change_replaced(),
            Change::StopConfirmed => t.change_stop_confirmed(),
        }
        .to_string()
    }
}

page!(PermissionView, "permission.html", Some(Section::Sharing));
