//! A consent in the service API.

use serde::Serialize;

use crate::domain::clock::{Day, Timestamp};
use crate::domain::consent::held::WAIT_SECS;
use crate::domain::consent::{GrantAction, HeldConsent, HeldStatus, Period, Persons, REMINDER_SECS};
use crate::domain::ids::{HeldConsentId, UseId};
use crate::node::recipient::confirm_deletion::Deletion;
use crate::web::App;

/// A consent in the service API.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConsentView {
    id: HeldConsentId,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    origin: &'static str,
    holder: String,
    dataset: String,
    #[serde(rename = "use")]
    declared_use: UseId,
    fields: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    persons: Option<Persons>,
    times: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    per: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    period: Option<Period>,
    retention: String,
    until: Day,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaces: Option<HeldConsentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extends: Option<HeldConsentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    case_reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_url: Option<String>,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    /// The last day is near, and the consent is not renewed automatically.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    ends_soon: bool,
    /// The deletion duty for the fetched data.
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion: Option<DeletionView>,
}

/// The deletion state of the fetched data.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeletionView {
    state: &'static str,
    fetched_at: String,
    due_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed_at: Option<String>,
}

impl DeletionView {
    pub(super) fn new(deletion: Deletion, now: Timestamp) -> Self {
        let state = match deletion.confirmed_at {
            Some(_) => "confirmed",
            None if deletion.due_at <= now => "overdue",
            None => "due",
        };
        Self {
            state,
            fetched_at: deletion.fetched_at.rfc3339(),
            due_at: deletion.due_at.rfc3339(),
            deleted_at: deletion.deleted_at.map(Timestamp::rfc3339),
            confirmed_at: deletion.confirmed_at.map(Timestamp::rfc3339),
        }
    }
}

impl ConsentView {
    pub(super) fn new(app: &App, held: HeldConsent, deletion: Option<Deletion>) -> Self {
        let waits = held.status() == HeldStatus::Requested;
        let now = app.node.now();
        let detail = held.life.detail().clone();
        let in_force = held.life.grant_held().is_some();
        let about = held.replaces;
        let of = |how| about.filter(|(known, _)| *known == how).map(|(_, id)| id);
        Self {
            ends_soon: in_force && detail.until.end() <= now.plus_secs(REMINDER_SECS),
            deletion: deletion.map(|deletion| DeletionView::new(deletion, now)),
            start_url: waits.then(|| app.node.settings.url(&format!("/requests/{}", held.id))),
            expires_at: waits.then(|| held.created_at.plus_secs(WAIT_SECS).rfc3339()),
            id: held.id,
            state: held.status().as_str(),
            reason: held.life.reason().map(|reason| reason.as_str().to_owned()),
            origin: held.origin.as_str(),
            holder: held.holder.to_string(),
            dataset: detail.identifier.to_string(),
            declared_use: detail.declared_use,
            fields: detail.datatypes.iter().map(ToString::to_string).collect(),
            persons: detail.persons,
            times: detail.frequency.max,
            per: detail.frequency.per.map(String::from),
            period: detail.period,
            retention: detail.retention.to_string(),
            until: detail.until,
            replaces: of(GrantAction::Replace),
            extends: of(GrantAction::Merge),
            case_reference: held.case_reference,
            created_at: held.created_at.rfc3339(),
            updated_at: held.life.updated_at().rfc3339(),
        }
    }
}
