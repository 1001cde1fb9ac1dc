//! The files of a copy, before they are packed.

use serde::Serialize;
use serde_json::{Value, json};

use super::error::ExportError;
use super::table::table;
use super::{Coverage, DatasetCoverage, Purpose, RecordValues, TrackerCoverage};
use crate::domain::catalogue::{Dataset, Language, LegalReference, Record, Text};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{EntityId, FieldPath, RegisterId};

/// A dataset as it was read for the copy.
#[derive(Clone)]
pub(crate) struct ExportedDataset {
    pub(crate) dataset: Dataset,
    pub(crate) coverage: Coverage,
    pub(crate) available_from: Option<Timestamp>,
    pub(crate) records: Vec<RecordValues>,
    /// The fields that a non-disclosure order keeps back.
    pub(crate) withheld: Vec<FieldPath>,
}

impl ExportedDataset {
    pub(crate) const fn without_records(dataset: Dataset, coverage: Coverage) -> Self {
        Self { dataset, coverage, available_from: None, records: Vec::new(), withheld: Vec::new() }
    }

    pub(crate) fn later(dataset: Dataset, from: Timestamp) -> Self {
        Self { available_from: Some(from), ..Self::without_records(dataset, Coverage::Later) }
    }

    pub(crate) fn complete(dataset: Dataset, records: Vec<Record>, withheld: Vec<FieldPath>) -> Self {
        let records = records.into_iter().map(|record| record.values).collect();
        Self { records, withheld, ..Self::without_records(dataset, Coverage::Complete) }
    }

    pub(crate) fn coverage(&self) -> DatasetCoverage {
        DatasetCoverage {
            id: self.dataset.id.clone(),
            coverage: self.coverage,
            available_from: self.available_from.map(Timestamp::rfc3339),
            records: self.records.len(),
        }
    }

    /// The name of its table in the archive.
    pub(crate) fn table_name(&self) -> Option<String> {
        (!self.records.is_empty()).then(|| format!("{}.csv", self.dataset.id))
    }
}

impl std::fmt::Debug for ExportedDataset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ExportedDataset({}, {} records redacted)", self.dataset.id, self.records.len())
    }
}

/// A permission in an answer under article 15.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExportedPermission {
    pub(crate) id: String,
    /// Who may fetch, and their address.
    pub(crate) recipient: Text,
    pub(crate) recipient_id: EntityId,
    pub(crate) service: Text,
    pub(crate) purpose: Text,
    pub(crate) legal_basis: String,
    pub(crate) dataset: String,
    pub(crate) dataset_title: Text,
    pub(crate) fields: Vec<FieldPath>,
    pub(crate) given_at: String,
    pub(crate) until: String,
    pub(crate) retention: String,
    /// The state, a stable word.
    pub(crate) state: String,
}

/// One request for the person's data.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExportedRequest {
    pub(crate) at: String,
    /// Who asked.
    pub(crate) recipient: Text,
    pub(crate) service: Text,
    pub(crate) purpose: Text,
    pub(crate) dataset: String,
    pub(crate) dataset_title: Text,
    /// What came of it: `released`, `deferred`, `refused` or `declined`.
    pub(crate) outcome: &'static str,
    /// The fields that were given.
    pub(crate) fields: Vec<FieldPath>,
}

/// A use of the person's data that a system of the city reported.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExportedUse {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) service: Text,
    /// The role of whoever used it.
    pub(crate) role: Option<Text>,
    pub(crate) purpose: Text,
    /// Empty where another system's log does not name it.
    pub(crate) legal_basis: String,
    pub(crate) law: Option<LegalReference>,
    pub(crate) dataset_title: Option<Text>,
    /// Labels of the fields or groups of data.
    pub(crate) fields: Vec<Text>,
}

/// A use of the person's data that a data tracker answered.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExportedTrackedUse {
    pub(crate) at: String,
    /// What was done.
    pub(crate) action: String,
    /// The register code of whoever received or processed the data.
    pub(crate) receiver_code: String,
    pub(crate) receiver_name: Option<String>,
    pub(crate) receiver_system: String,
}

/// What a data tracker answered.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExportedTracker {
    pub(crate) id: RegisterId,
    pub(crate) title: Text,
    pub(crate) coverage: TrackerCoverage,
    /// From when on it keeps uses, if it said so.
    pub(crate) kept_from: Option<String>,
    /// Until when, if not to the present.
    pub(crate) kept_until: Option<String>,
    /// Latest first.
    pub(crate) uses: Vec<ExportedTrackedUse>,
}

/// An objection to a use, with the city's answer.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExportedObjection {
    /// The activity in the record of processing.
    pub(crate) activity: String,
    pub(crate) statement: Option<String>,
    pub(crate) made_at: String,
    pub(crate) answer: Option<&'static str>,
    pub(crate) answered_at: Option<String>,
}

/// Who may fetch, who did, and who in the city used the data.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Recipients {
    pub(crate) permissions: Vec<ExportedPermission>,
    pub(crate) requests: Vec<ExportedRequest>,
    pub(crate) uses: Vec<ExportedUse>,
    pub(crate) objections: Vec<ExportedObjection>,
    pub(crate) data_trackers: Vec<ExportedTracker>,
}

/// Everything that goes into one copy.
#[derive(Debug, Clone)]
pub(crate) struct ExportContent {
    pub(crate) holder: EntityId,
    pub(crate) city: Text,
    pub(crate) at: Timestamp,
    pub(crate) purpose: Purpose,
    pub(crate) datasets: Vec<ExportedDataset>,
    /// In an answer under article 15.
    pub(crate) recipients: Option<Recipients>,
}

impl ExportContent {
    /// The files, without the page to read.
    ///
    /// # Errors
    /// [`ExportError`], never for values in memory.
    pub(crate) fn files(&self, language: Language) -> Result<Vec<(String, Vec<u8>)>, ExportError> {
        let datasets: Vec<Value> = self.datasets.iter().map(dataset_json).collect();
        let data = json!({
            "format": "omadata-export/1",
            "holder": self.holder,
            "city": self.city,
            "exportedAt": self.at.rfc3339(),
            "purpose": self.purpose,
            "datasets": datasets,
        });
        let mut files = vec![("data.json".to_owned(), serde_json::to_vec_pretty(&data)?)];
        for exported in &self.datasets {
            if let Some(name) = exported.table_name() {
                files.push((name, table(&exported.dataset, &exported.records, language)?));
            }
        }
        if let Some(recipients) = &self.recipients {
            files.push(("recipients.json".to_owned(), serde_json::to_vec_pretty(recipients)?));
        }
        Ok(files)
    }
}

fn dataset_json(exported: &ExportedDataset) -> Value {
    let dataset = &exported.dataset;
    json!({
        "id": dataset.id,
        "type": dataset.kind,
        "title": dataset.title,
        "description": dataset.description,
        "register": dataset.register,
        "legalBases": dataset.legal_bases,
        "legislation": dataset.legislation,
        "retention": dataset.retention.as_str(),
        "fields": dataset.fields,
        "coverage": exported.coverage,
        "availableFrom": exported.available_from.map(Timestamp::rfc3339),
        "withheld": exported.withheld,
        "records": exported.records,
    })
}
