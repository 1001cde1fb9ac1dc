//! One permission in a list.

use crate::domain::catalogue::Text;
use crate::domain::clock::{Day, Timestamp};
use crate::domain::consent::{Consent, ConsentState, End};
use crate::domain::ids::ConsentId;
use crate::node::resident::list_mine::Permission;
use crate::web::App;
use crate::web::html::frame::Frame;
use crate::web::portal::party::{Party, dataset_title};

/// The state of a permission. The last five are final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PermissionStatus {
    Active,
    Suspended,
    /// Stopped by the resident, or given back by the recipient.
    Stopped,
    /// Its last day has passed.
    Expired,
    /// The data was fetched as many times as was allowed.
    UsedUp,
    /// A newer permission replaced it.
    Replaced,
}

impl PermissionStatus {
    /// Whether the resident can stop it.
    pub(crate) const fn can_be_stopped(self) -> bool {
        matches!(self, Self::Active | Self::Suspended)
    }

    /// Whether it is suspended.
    pub(crate) const fn is_suspended(self) -> bool {
        matches!(self, Self::Suspended)
    }

    /// The style of its label; the text beside it says the same.
    pub(crate) const fn tone(self) -> &'static str {
        match self {
            Self::Active => "good",
            Self::Suspended => "wait",
            Self::Stopped | Self::Expired | Self::UsedUp | Self::Replaced => "off",
        }
    }
}

/// One permission in a list.
#[derive(Debug, Clone)]
pub(crate) struct PermissionCard {
    pub(crate) id: ConsentId,
    pub(crate) asker: Party,
    /// Display name of the data.
    pub(crate) dataset: Text,
    /// The purpose in one sentence.
    pub(crate) purpose: Text,
    pub(crate) status: PermissionStatus,
    /// When the resident decided.
    pub(crate) given_at: Timestamp,
    /// The last day on which it is valid.
    pub(crate) until: Day,
    /// Whether it ends soon and the resident was reminded.
    pub(crate) ends_soon: bool,
    /// When it ended, if it did.
    pub(crate) ended_at: Option<Timestamp>,
    /// How many times the data may be fetched in all.
    pub(crate) times_allowed: u32,
    /// Number of fetches so far.
    pub(crate) times_used: u32,
    /// The period of the allowed number, ISO 8601 duration; the whole life when `None`.
    pub(crate) per: Option<String>,
}

fn status(app: &App, consent: &Consent) -> PermissionStatus {
    match consent.state {
        ConsentState::Active if consent.terms.until.end() <= app.node.now() => PermissionStatus::Expired,
        ConsentState::Active => PermissionStatus::Active,
        ConsentState::Suspended => PermissionStatus::Suspended,
        ConsentState::Ended { how, .. } => match how {
            End::Revoked(_) => PermissionStatus::Stopped,
            End::Expired => PermissionStatus::Expired,
            End::Exhausted => PermissionStatus::UsedUp,
            End::Replaced => PermissionStatus::Replaced,
        },
    }
}

/// Fills a permission's entry in a list.
pub(crate) fn card(app: &App, permission: &Permission) -> PermissionCard {
    let consent = &permission.consent;
    PermissionCard {
        id: consent.id,
        asker: Party::new(
            &permission.recipient_name,
            &permission.declared_use.service_name,
            &permission.declared_use.id,
        ),
        dataset: dataset_title(app, &consent.terms.dataset),
        purpose: permission.declared_use.purpose_text.clone(),
        status: status(app, consent),
        given_at: consent.decided_at,
        until: consent.terms.until,
        ends_soon: permission.reminded_at.is_some() && consent.state.ended_at().is_none(),
        ended_at: consent.state.ended_at(),
        times_allowed: consent.terms.max_exchanges,
        times_used: consent.exchanges,
        per: consent.terms.per.clone().map(String::from),
    }
}

impl Frame<'_> {
    pub(crate) fn status(&self, status: &PermissionStatus) -> String {
        let t = &self.t;
        match status {
            PermissionStatus::Active => t.status_active(),
            PermissionStatus::Suspended => t.status_suspended(),
            PermissionStatus::Stopped => t.status_stopped(),
            PermissionStatus::Expired => t.status_expired(),
            PermissionStatus::UsedUp => t.status_used_up(),
            PermissionStatus::Replaced => t.status_replaced(),
        }
        .to_string()
    }
}
