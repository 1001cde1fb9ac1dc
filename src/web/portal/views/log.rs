//! `/me/log`: every request for the resident's data.

use super::parts::{LogEntry, Reporting};

/// Every exchange, refused ones too.
#[derive(Debug, Clone)]
pub struct LogView {
    /// One page of them, newest first.
    pub entries: Vec<LogEntry>,
    /// How many registers report.
    pub registers: Reporting,
    /// The way to newer entries, when there are any.
    pub newer: Option<String>,
    /// The way to older entries, when there are any.
    pub older: Option<String>,
}

page!(LogView, "log.html", Some(Section::Log));
