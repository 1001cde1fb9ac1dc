//! `/me`: what waits, what is in force, what happened last.

use super::parts::{LogEntry, Party, PermissionCard, Reporting};
use crate::domain::catalogue::Text;
use crate::domain::clock::Timestamp;
use crate::domain::ids::RequestId;

/// A request that waits for the resident's decision.
#[derive(Debug, Clone)]
pub struct WaitingRequest {
    /// Which one; the link leads to `/consent/{request}`.
    pub id: RequestId,
    /// Who asks.
    pub asker: Party,
    /// What people call the data.
    pub dataset: Text,
    /// What for, in one sentence.
    pub purpose: Text,
    /// When it lapses by itself.
    pub expires_at: Timestamp,
}

/// The resident's own first page.
#[derive(Debug, Clone)]
pub struct MeView {
    /// Requests that wait for a decision, oldest first.
    pub waiting: Vec<WaitingRequest>,
    /// Permissions in force, newest first.
    pub permissions: Vec<PermissionCard>,
    /// The latest exchanges, newest first; five are enough.
    pub latest: Vec<LogEntry>,
    /// How many registers report.
    pub registers: Reporting,
}

page!(MeView, "me.html", Some(Section::Overview));
