//! `/me/denials`: what the resident has refused, for good or for a while. Its forms post to `/me/denials` and `/me/denials/{id}/remove`.

use crate::domain::catalogue::Text;
use crate::domain::clock::Timestamp;
use crate::domain::ids::DenialId;

/// What is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeniedWhat {
    /// All that one city asks.
    City,
    /// One use.
    Use,
    /// One dataset, whoever asks.
    Data,
}

/// One standing denial.
#[derive(Debug, Clone)]
pub struct DenialEntry {
    /// Which one.
    pub id: DenialId,
    /// What is refused.
    pub what: DeniedWhat,
    /// What people call it.
    pub name: Text,
    /// Since when.
    pub since: Timestamp,
    /// Until when; for good when absent.
    pub until: Option<Timestamp>,
}

/// One dataset of this city that can be refused to everybody.
#[derive(Debug, Clone)]
pub struct DeniableDataset {
    /// Its identifier.
    pub id: String,
    /// What people call it.
    pub title: Text,
}

/// All standing denials.
#[derive(Debug, Clone)]
pub struct DenialsView {
    /// The denials, latest first.
    pub denials: Vec<DenialEntry>,
    /// This city's datasets that are not refused yet.
    pub datasets: Vec<DeniableDataset>,
}

page!(DenialsView, "denials.html", Some(Section::Sharing));
