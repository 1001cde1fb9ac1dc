//! What several pages show.

use crate::domain::catalogue::Text;
use crate::domain::clock::{Day, Timestamp};
use crate::domain::ids::ConsentId;

/// A city and the service of it that asks.
#[derive(Debug, Clone)]
pub struct Party {
    /// What people call the city.
    pub city: Text,
    /// What people call the service.
    pub service: Text,
}

/// Where a permission stands. Nothing leaves the last five.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PermissionStatus {
    /// In force.
    Active,
    /// Not in force for the time being.
    Suspended,
    /// Stopped by the resident, or given back by the one who asked.
    Stopped,
    /// Its last day has passed.
    Expired,
    /// The data was fetched as many times as was allowed.
    UsedUp,
    /// A newer permission took its place.
    Replaced,
    /// The resident did not give it.
    Declined,
}

impl PermissionStatus {
    /// Whether the resident can stop it.
    #[must_use]
    pub const fn can_be_stopped(self) -> bool {
        matches!(self, Self::Active | Self::Suspended)
    }

    /// Whether it is held back for the time being.
    #[must_use]
    pub const fn is_suspended(self) -> bool {
        matches!(self, Self::Suspended)
    }

    pub(in crate::web::portal) const fn is_declined(self) -> bool {
        matches!(self, Self::Declined)
    }

    /// The look of its chip; the words beside it say the same.
    #[must_use]
    pub(in crate::web::portal) const fn tone(self) -> &'static str {
        match self {
            Self::Active => "good",
            Self::Suspended => "wait",
            Self::Stopped | Self::Expired | Self::UsedUp | Self::Replaced | Self::Declined => "off",
        }
    }
}

/// One permission in a list.
#[derive(Debug, Clone)]
pub struct PermissionCard {
    /// Which one.
    pub id: ConsentId,
    /// Who may fetch.
    pub asker: Party,
    /// What people call the data.
    pub dataset: Text,
    /// What for, in one sentence.
    pub purpose: Text,
    /// Where it stands.
    pub status: PermissionStatus,
    /// When the resident decided.
    pub given_at: Timestamp,
    /// The last day on which it holds.
    pub until: Day,
    /// Whether it ends soon, which the resident was reminded of.
    pub ends_soon: bool,
    /// When it ended, when it did.
    pub ended_at: Option<Timestamp>,
    /// How many times the data may be fetched in all.
    pub times_allowed: u32,
    /// How many times it has been fetched.
    pub times_used: u32,
    /// The stretch of time that the number allowed is about, ISO 8601 duration; all of it when none.
    pub per: Option<String>,
}

/// What came of one request for data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogOutcome {
    /// The data was given.
    Released {
        /// Whether the one who asked has confirmed that it arrived.
        confirmed: bool,
    },
    /// Nothing was given.
    Refused(RefusalReason),
}

impl LogOutcome {
    /// The look of its chip; the words beside it say the same.
    #[must_use]
    pub(in crate::web::portal) const fn tone(self) -> &'static str {
        match self {
            Self::Released { .. } => "good",
            Self::Refused(_) => "off",
        }
    }
}

/// Why nothing was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalReason {
    /// The resident had stopped the permission.
    Stopped,
    /// The permission was suspended.
    Suspended,
    /// The permission's last day had passed.
    Expired,
    /// The data had been fetched as many times as was allowed.
    UsedUp,
    /// The data had been fetched as often as was allowed for the time being.
    TooOften,
    /// The resident has refused it for good.
    StandingDenial,
    /// More was asked for than the permission covers.
    NotCovered,
    /// The city has come to ask for a stronger confirmation of the permission.
    Unconfirmed,
    /// The request could not be verified.
    NotVerified,
    /// The one who asked is no member of the cities' network.
    NotMember,
    /// The register did not answer, or not as it should.
    RegisterUnavailable,
    /// This city could not be sure that the data may be given.
    Unavailable,
}

/// One request for the resident's data, given or refused.
#[derive(Debug, Clone)]
pub struct LogEntry {
    /// When it was decided.
    pub at: Timestamp,
    /// Who asked.
    pub asker: Party,
    /// What people call the data.
    pub dataset: Text,
    /// Which of it was given, or asked for when nothing was given; may be empty.
    pub fields: Vec<Text>,
    /// What for, in one sentence.
    pub purpose: Text,
    /// On which basis it was given, a DPV term (`A6-1-a` for the resident's own permission).
    pub legal_basis: String,
    /// What came of it.
    pub outcome: LogOutcome,
    /// The permission it rests on, when it rests on one.
    pub permission: Option<ConsentId>,
}

/// How many of the city's registers report their events here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reporting {
    /// Registers whose events the resident sees.
    pub reporting: u32,
    /// Registers that are known not to report yet; 0 where it is not known how many there are.
    pub silent: u32,
}
