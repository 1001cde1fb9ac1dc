//! `/me/log`: every request for the resident's data, every use that a system reported, and what data trackers answer.

use crate::domain::uses::tracker::Tracker;
use crate::node::resident::list_log::{self, Position};
use crate::web::App;
use crate::web::extract::query;
use crate::web::html::page;
use crate::web::portal::page::{PageResult, ResidentPage};
use crate::web::portal::permissions::log_entry::{
    LogEntry, LogOutcome, Reporting, SystemReport, log_line, reporting, systems,
};
use crate::web::portal::permissions::tracked::{self, PARTS};

/// Lines of a page of the log.
const PAGE_LINES: usize = 50;

/// Exchanges and uses, also refused ones.
#[derive(Debug, Clone)]
pub(crate) struct LogView {
    /// One page of them, newest first.
    pub(crate) entries: Vec<LogEntry>,
    /// Number of systems that report.
    pub(crate) registers: Reporting,
    /// The systems one by one.
    pub(crate) systems: Vec<SystemReport>,
    /// Whether this is a later page.
    pub(crate) behind: bool,
    /// The link to older entries, if there are any.
    pub(crate) older: Option<String>,
    /// The data trackers whose answers follow.
    pub(crate) trackers: Vec<Tracker>,
}

/// `GET /me/log?behind=`.
pub(crate) async fn show(page: ResidentPage) -> PageResult {
    let behind: Option<Position> =
        query(&page.request)?.take("behind").and_then(|position| position.parse().ok());
    let app: &App = &page.app;
    let shown = list_log::page(&app.node, page.resident.person, behind, PAGE_LINES).await?;
    let last = list_log::last_reports(&app.node).await?;
    // Older pages have older entries of this node alone: each tracker's uses have pages of their own.
    let trackers = if behind.is_none() { app.node.settings.trackers.clone() } else { Vec::new() };
    let view = LogView {
        entries: shown.lines.iter().map(|line| log_line(app, line)).collect(),
        registers: reporting(app),
        systems: systems(app, &last),
        behind: behind.is_some(),
        older: shown.older.map(|position| format!("/me/log?behind={position}")),
        trackers: trackers.clone(),
    };
    if trackers.is_empty() {
        return page.show(&view);
    }
    let answers = tracked::answers(&page, trackers, 0).await?;
    page.show_in_parts(&view, PARTS, answers)
}

page!(LogView, "log.html", Log);
