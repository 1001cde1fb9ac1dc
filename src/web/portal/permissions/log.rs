//! `/me/log`: every request for the resident's data.

use crate::node::resident::list_mine;
use crate::web::extract::query;
use crate::web::html::page;
use crate::web::portal::page::{PageResult, ResidentPage};
use crate::web::portal::permissions::log_entry::{LogEntry, LogOutcome, Reporting, log_entry, reporting};

/// Lines of a page of the log.
const PAGE_LINES: usize = 50;

/// Every exchange, including refused ones.
#[derive(Debug, Clone)]
pub(crate) struct LogView {
    /// One page of them, newest first.
    pub(crate) entries: Vec<LogEntry>,
    /// Number of registers that report.
    pub(crate) registers: Reporting,
    /// The link to newer entries, if there are any.
    pub(crate) newer: Option<String>,
    /// The link to older entries, if there are any.
    pub(crate) older: Option<String>,
}

/// `GET /me/log?page=`.
pub(crate) async fn show(page: ResidentPage) -> PageResult {
    let number: usize =
        query(&page.request)?.take("page").and_then(|number| number.parse().ok()).unwrap_or(0).min(1000);
    let mine = list_mine::overview(&page.app.node, &page.resident).await?;
    let from = number.saturating_mul(PAGE_LINES);
    let more = mine.log.len() > from.saturating_add(PAGE_LINES);
    let href = |number: usize| format!("/me/log?page={number}");
    let entries = mine.log.iter().skip(from).take(PAGE_LINES);
    page.show(&LogView {
        entries: entries.map(|line| log_entry(&page.app, line)).collect(),
        registers: reporting(&page.app),
        newer: (number > 0).then(|| href(number.saturating_sub(1))),
        older: more.then(|| href(number.saturating_add(1))),
    })
}

page!(LogView, "log.html", Log);
