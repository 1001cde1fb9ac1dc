//! `/me/uses`: what the resident's data is used for: what they decide, by contract, by law.

pub(crate) mod object;
#[cfg(test)]
pub(crate) mod samples;

use crate::domain::catalogue::processing::Ground;
use crate::domain::catalogue::{Processing, Text};
use crate::domain::clock::Timestamp;
use crate::domain::uses::objection::{Objection, ObjectionAnswer};
use crate::node::resident::list_mine;
use crate::node::resident::list_uses::{self, OwnUse};
use crate::web::App;
use crate::web::extract::query;
use crate::web::html::chrome::Notice;
use crate::web::html::page;
use crate::web::portal::page::{PageResult, ResidentPage};
use crate::web::portal::party::dataset_title;
use crate::web::portal::permissions::card::{PermissionCard, card};

/// One use by contract or law.
#[derive(Debug, Clone)]
pub(crate) struct UseEntry {
    pub(crate) processing: Processing,
    /// Titles of the datasets.
    pub(crate) datasets: Vec<Text>,
    /// How often it was reported for the resident, and when last.
    pub(crate) reported: Option<(i64, Timestamp)>,
    pub(crate) objection: Option<Objection>,
}

impl UseEntry {
    fn new(app: &App, own: OwnUse) -> Self {
        Self {
            datasets: own.processing.datasets.iter().map(|id| dataset_title(app, id)).collect(),
            processing: own.processing,
            reported: own.reported,
            objection: own.objection,
        }
    }

    /// Whether the resident may object now: not while an objection waits for its answer.
    pub(crate) fn may_object(&self) -> bool {
        let waits = self.objection.as_ref().is_some_and(|objection| objection.answer.is_none());
        self.processing.may_object && !waits
    }
}

/// What the resident's data is used for.
#[derive(Debug, Clone)]
pub(crate) struct UsesView {
    /// Permissions in force.
    pub(crate) permissions: Vec<PermissionCard>,
    pub(crate) contract: Vec<UseEntry>,
    pub(crate) law: Vec<UseEntry>,
}

/// `GET /me/uses`.
pub(crate) async fn show(page: ResidentPage) -> PageResult {
    let notice = match query(&page.request)?.take("notice").as_deref() {
        Some("objected") => Some(Notice::ObjectionMade),
        Some("objected-before") => Some(Notice::ObjectionStands),
        _ => None,
    };
    let app = &page.app;
    let mine = list_mine::overview(&app.node, &page.resident).await?;
    let (contract, law): (Vec<OwnUse>, Vec<OwnUse>) = list_uses::list(&app.node, &page.resident)
        .await?
        .into_iter()
        .partition(|own| Ground::of(&own.processing.legal_basis) == Ground::Contract);
    let entries = |own: Vec<OwnUse>| own.into_iter().map(|own| UseEntry::new(app, own)).collect();
    let view = UsesView {
        permissions: mine.in_force.iter().map(|permission| card(app, permission)).collect(),
        contract: entries(contract),
        law: entries(law),
    };
    page.show_with_notice(&view, notice)
}

page!(UsesView, "uses.html", Uses);
