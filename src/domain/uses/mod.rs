//! Single uses of a person's data by the city's services, as they are reported, and how long one may be withheld.

pub(crate) mod hiding;
pub(crate) mod logbook;
pub mod objection;
pub(crate) mod report;
pub mod tracker;

use serde::{Deserialize, Serialize};

use super::catalogue::{LegalReference, Text};
use super::clock::Timestamp;
use super::ids::ReportedUseId;

/// What residents read about a use. It is kept as it was when the use was reported: a record of processing changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct UseDescription {
    /// The service that used the data.
    pub(crate) service: Text,
    /// The role of whoever used it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) role: Option<Text>,
    /// The purpose in one sentence.
    pub(crate) purpose: Text,
    /// The legal basis, a DPV term; empty where another system's log does not name it.
    pub(crate) legal_basis: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) law: Option<LegalReference>,
    /// Title of the dataset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) dataset: Option<Text>,
    /// Labels of the fields or groups of data.
    #[serde(default)]
    pub(crate) fields: Vec<Text>,
}

/// From when until when data was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UsagePeriod {
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

/// Why a use was shown later than others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delay {
    /// The reason, by its name in the configuration.
    pub(crate) reason: String,
    /// Until when it was withheld.
    pub(crate) until: Timestamp,
}

/// A use as its person may read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownUse {
    pub(crate) id: ReportedUseId,
    /// Its number, in the order of the reports.
    pub(crate) seq: i64,
    /// The activity in the record of processing; empty for another system's log.
    pub(crate) activity: String,
    pub(crate) description: UseDescription,
    pub(crate) period: UsagePeriod,
    pub(crate) delay: Option<Delay>,
}
