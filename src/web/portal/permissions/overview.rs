//! `/me`: pending requests, permissions in force, latest exchanges.

use crate::domain::catalogue::Text;
use crate::domain::clock::Timestamp;
use crate::domain::consent::ConsentRequest;
use crate::domain::ids::RequestId;
use crate::node::resident::{list_log, list_mine};
use crate::web::App;
use crate::web::html::page;
use crate::web::portal::page::{PageResult, ResidentPage};
use crate::web::portal::party::{Party, asker, dataset_title};
use crate::web::portal::permissions::card::{PermissionCard, card};
use crate::web::portal::permissions::log_entry::{LogEntry, LogOutcome, Reporting, log_line, reporting};

/// Number of log lines on the overview.
const LATEST: usize = 5;

/// A request that waits for the resident's decision.
#[derive(Debug, Clone)]
pub(crate) struct WaitingRequest {
    /// Which one; the link leads to `/consent/{request}`.
    pub(crate) id: RequestId,
    pub(crate) asker: Party,
    /// Display name of the data.
    pub(crate) dataset: Text,
    /// The purpose in one sentence.
    pub(crate) purpose: Text,
    pub(crate) expires_at: Timestamp,
}

/// The resident's own first page.
#[derive(Debug, Clone)]
pub(crate) struct MeView {
    /// Requests that wait for a decision, oldest first.
    pub(crate) waiting: Vec<WaitingRequest>,
    /// Permissions in force, newest first.
    pub(crate) permissions: Vec<PermissionCard>,
    /// The latest exchanges, newest first; up to five.
    pub(crate) latest: Vec<LogEntry>,
    /// Number of registers that report.
    pub(crate) registers: Reporting,
}

/// `GET /me`.
pub(crate) async fn show(page: ResidentPage) -> PageResult {
    let app = &page.app;
    let mine = list_mine::overview(&app.node, &page.resident).await?;
    let latest = list_log::page(&app.node, page.resident.person, None, LATEST).await?;
    page.show(&MeView {
        waiting: mine.waiting.iter().map(|request| waiting(app, request)).collect(),
        permissions: mine.in_force.iter().map(|permission| card(app, permission)).collect(),
        latest: latest.lines.iter().map(|line| log_line(app, line)).collect(),
        registers: reporting(app),
    })
}

/// Fills a pending request.
fn waiting(app: &App, request: &ConsentRequest) -> WaitingRequest {
    WaitingRequest {
        id: request.id,
        asker: asker(request),
        dataset: dataset_title(app, &request.terms.dataset),
        purpose: request.declared_use.purpose_text.clone(),
        expires_at: request.expires_at,
    }
}

page!(MeView, "me.html", Overview);
