//! After a decision that the resident started here: what was decided. (A service's own request returns to the service.)

use super::parts::Party;
use crate::domain::catalogue::Text;
use crate::domain::clock::Day;
use crate::domain::ids::ConsentId;

/// What was decided.
#[derive(Debug, Clone)]
pub enum Decision {
    /// The permission was given.
    Allowed {
        /// The permission.
        permission: ConsentId,
        /// The last day on which it holds.
        until: Day,
        /// How many times the data may be fetched.
        times: u32,
        /// In which stretch of time, ISO 8601 duration; in all when none.
        per: Option<String>,
    },
    /// The permission was not given.
    Declined,
}

/// The page after the decision.
#[derive(Debug, Clone)]
pub struct DecidedView {
    /// What was decided.
    pub decision: Decision,
    /// Who may fetch, or would have.
    pub asker: Party,
    /// What people call the data.
    pub dataset: Text,
    /// What "no" means, and the equivalent other way.
    pub otherwise: Text,
}

page!(DecidedView, "decided.html", None);
