//! `/me/sharing/{id}`: one permission.

use crate::domain::catalogue::{Contact, Text};
use crate::domain::clock::Timestamp;
use crate::domain::consent::document::ShownPerson;
use crate::domain::consent::{DeletionState, Origin as RequestOrigin};
use crate::domain::ids::{ConsentId, FieldPath};
use crate::node::resident::list_mine;
use crate::node::resident::list_mine::{EndNotice, Permission, PermissionDetail};
use crate::node::resident::own_records;
use crate::web::App;
use crate::web::extract::{Id, query};
use crate::web::html::chrome::Notice;
use crate::web::html::page;
use crate::web::portal::page::{PageResult, ResidentPage};
use crate::web::portal::party::field_label;
use crate::web::portal::permissions::card::{PermissionCard, card};
use crate::web::portal::permissions::change::{Change, ChangeEntry, HeldBack, change, held_back};
use crate::web::portal::permissions::log_entry::{LogEntry, LogOutcome, log_entry};
use crate::web::portal::reach::{HistoryReach, reach};

/// How the permission came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A service requested it.
    ServiceAsked,
    /// The resident started it in this portal.
    ResidentStarted,
}

/// Whether the recipient knows that the permission was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopConfirmation {
    Confirmed {
        at: Timestamp,
    },
    /// It was or is being notified; it has not confirmed yet.
    Waiting,
    /// It could not be notified, and delivery was given up.
    GivenUp,
}

#[derive(Debug, Clone)]
pub(crate) struct PermissionView {
    /// Its entry in the lists.
    pub(crate) card: PermissionCard,
    /// How it came about.
    pub(crate) origin: Origin,
    /// Display name of the register.
    pub(crate) register: Text,
    /// The fields that may be fetched.
    pub(crate) fields: Vec<Text>,
    /// The persons whose records it covers; empty for everybody's.
    pub(crate) persons: Vec<ShownPerson>,
    /// The optional fields that the resident did not allow.
    pub(crate) left_out: Vec<Text>,
    /// The fields that a non-disclosure order keeps back all the same.
    pub(crate) withheld: Vec<Text>,
    /// How far back the data goes.
    pub(crate) reach: HistoryReach,
    /// The recipient's retention, ISO 8601 duration.
    pub(crate) retention: String,
    /// Legal basis, a DPV term.
    pub(crate) legal_basis: String,
    /// The controller at the recipient.
    pub(crate) controller: Contact,
    /// Its data protection officer.
    pub(crate) data_protection_officer: Contact,
    /// Whether the login provider's signature on the decision is stored as evidence.
    pub(crate) signed: bool,
    /// Whether one of the resident's passkeys signed it too.
    pub(crate) signed_with_passkey: bool,
    /// Delivery to the recipient; set when it was stopped.
    pub(crate) stop_confirmation: Option<StopConfirmation>,
    /// The deletion state of the fetched data; `None` when nothing was fetched.
    pub(crate) deletion: Option<DeletionState>,
    /// Why it is suspended; set while it is.
    pub(crate) held_back: Option<HeldBack>,
    /// Every change, oldest first.
    pub(crate) history: Vec<ChangeEntry>,
    /// Every request under it, newest first.
    pub(crate) exchanges: Vec<LogEntry>,
}

/// `GET /me/sharing/{id}`.
pub(crate) async fn show(page: ResidentPage, Id(id): Id<ConsentId>) -> PageResult {
    let notice = match query(&page.request)?.take("notice").as_deref() {
        Some("stopped") => Some(Notice::PermissionStopped),
        Some("had-ended") => Some(Notice::PermissionHadEnded),
        Some("paused") => Some(Notice::PermissionPaused),
        Some("resumed") => Some(Notice::PermissionResumed),
        Some("not-resumed") => Some(Notice::PermissionNotResumed),
        _ => None,
    };
    let detail = list_mine::permission(&page.app.node, &page.resident, id).await?;
    let terms = &detail.permission.consent.terms;
    let dataset = page.app.node.settings.dataset(&terms.dataset);
    let withheld = match dataset {
        Some(dataset) => own_records::withheld(&page.app.node, &page.resident, dataset, &terms.fields).await,
        None => Vec::new(),
    };
    let withheld = withheld.iter().map(|name| field_label(dataset, name)).collect();
    page.show_with_notice(&PermissionView { withheld, ..view_of(&page.app, &detail) }, notice)
}

/// Fills the page of one permission.
fn view_of(app: &App, detail: &PermissionDetail) -> PermissionView {
    let Permission { consent, declared_use, .. } = &detail.permission;
    let dataset = app.node.settings.dataset(&consent.terms.dataset);
    let label = |name: &FieldPath| field_label(dataset, name);
    let mut history: Vec<ChangeEntry> =
        detail.events.iter().map(|event| ChangeEntry { at: event.at, change: change(event) }).collect();
    if let Some(EndNotice::Confirmed(at)) = detail.end_notice {
        history.push(ChangeEntry { at, change: Change::StopConfirmed });
    }
    PermissionView {
        card: card(app, &detail.permission),
        origin: match consent.origin {
            RequestOrigin::Pushed => Origin::ServiceAsked,
            RequestOrigin::Portal => Origin::ResidentStarted,
        },
        register: dataset.map_or_else(|| Text::same("–"), |dataset| dataset.register.clone()),
        fields: consent.terms.fields.iter().map(label).collect(),
        persons: detail.permission.persons.clone(),
        left_out: detail
            .permission
            .asked
            .iter()
            .filter(|name| !consent.terms.fields.contains(name))
            .map(label)
            .collect(),
        withheld: Vec::new(),
        reach: reach(&consent.terms),
        retention: consent.terms.retention.to_string(),
        legal_basis: declared_use.legal_basis.clone(),
        controller: declared_use.controller.clone(),
        data_protection_officer: declared_use.data_protection_officer.clone(),
        // Every consent here has the login provider's signature; it is erased after its retention.
        signed: detail.evidence_kept,
        signed_with_passkey: detail.passkey,
        deletion: detail.deletion,
        stop_confirmation: detail.end_notice.map(|notice| match notice {
            EndNotice::Confirmed(at) => StopConfirmation::Confirmed { at },
            EndNotice::Sending => StopConfirmation::Waiting,
            EndNotice::GivenUp => StopConfirmation::GivenUp,
        }),
        held_back: held_back(consent.state, consent.reason),
        history,
        exchanges: detail.log.iter().map(|line| log_entry(app, line)).collect(),
    }
}

page!(PermissionView, "permission.html", Sharing);
