//! `GET /me/data/download`: everything as one signed archive; and its page, which the operator's answer has too.

use actix_web::HttpResponse;
use actix_web::http::header;

use super::view::HoldingRecord;
use crate::domain::catalogue::{Corrections, Dataset, Field, FieldTree, Language, Text};
use crate::domain::clock::Timestamp;
use crate::domain::export::content::{ExportContent, ExportedDataset, ExportedTracker, Recipients};
use crate::domain::export::{Coverage, Purpose, TrackerCoverage};
use crate::node::resident::{export_holdings, own_records};
use crate::node::{Node, Problem, ProblemKind};
use crate::web::html::chrome::Chrome;
use crate::web::html::frame::{Frame, render};
use crate::web::html::page;
use crate::web::portal::page::{PageResult, ResidentPage};
use crate::web::portal::party::field_label;

/// One dataset of a copy.
#[derive(Debug, Clone)]
pub(crate) struct ExportedHolding {
    pub(crate) dataset: Dataset,
    /// Everything that the dataset has, at every level.
    pub(crate) tree: FieldTree,
    pub(crate) coverage: Coverage,
    pub(crate) available_from: Option<Timestamp>,
    pub(crate) records: Vec<HoldingRecord>,
    /// The fields that a non-disclosure order keeps back.
    pub(crate) withheld: Vec<Text>,
    /// The name of its table in the archive.
    pub(crate) table: Option<String>,
    /// Where a correction is asked for.
    pub(crate) corrections: Corrections,
}

impl ExportedHolding {
    /// What is within one of its fields.
    pub(crate) fn within(&self, field: &Field) -> &FieldTree {
        self.tree.get(field.name.as_str()).unwrap_or(&self.tree)
    }
}

/// The page in the archive. It stands alone: no style sheet, no link into the portal.
#[derive(Debug, Clone)]
pub(crate) struct ExportView {
    pub(crate) at: Timestamp,
    pub(crate) purpose: Purpose,
    pub(crate) datasets: Vec<ExportedHolding>,
    pub(crate) recipients: Option<Recipients>,
}

impl ExportView {
    pub(crate) const fn is_article_15(&self) -> bool {
        matches!(self.purpose, Purpose::Article15)
    }
}

impl Frame<'_> {
    /// A moment that was written for programs.
    pub(crate) fn written_moment(&self, text: &str) -> String {
        text.parse().map_or_else(|_| text.to_owned(), |at: Timestamp| self.moment(&at))
    }

    /// How far back a data tracker's record goes, as far as it answered.
    pub(crate) fn exported_period(&self, tracker: &ExportedTracker) -> String {
        match (tracker.coverage, &tracker.kept_from, &tracker.kept_until) {
            (TrackerCoverage::Unavailable, ..) => return String::new(),
            (_, None, _) => self.t.tracker_kept_unknown(),
            (_, Some(from), None) => self.t.tracker_kept_from(self.written_moment(from)),
            (_, Some(from), Some(to)) => {
                self.t.tracker_kept_between(self.written_moment(from), self.written_moment(to))
            }
        }
        .to_string()
    }

    /// What came of a request, as [`crate::domain::export::content::ExportedRequest::outcome`] names it.
    pub(crate) fn exported_outcome(&self, outcome: &str) -> String {
        match outcome {
            "released" => self.t.outcome_released(),
            "deferred" => self.t.outcome_deferred(),
            _ => self.t.outcome_refused(),
        }
        .to_string()
    }
}

/// `GET /me/data/download`.
pub(crate) async fn download(page: ResidentPage) -> PageResult {
    let node = &page.app.node;
    let subject = own_records::identifier(node, &page.resident).await?;
    let content = export_holdings::own_copy(node, &page.resident).await?;
    let html = index_page(node, &content, page.language)?;
    let archive = export_holdings::seal(node, &subject, &content, (page.language, html)).await?;
    let name = format!("omadata-{}.zip", content.at.rfc3339().get(..10).unwrap_or_default());
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/zip"))
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .body(archive))
}

/// The page to read, in one language.
///
/// # Errors
/// [`Problem`], never for values that can be written.
pub(crate) fn index_page(
    node: &Node,
    content: &ExportContent,
    language: Language,
) -> Result<String, Problem> {
    let settings = &node.settings;
    let chrome = Chrome {
        city: settings.name.clone(),
        brand: settings.name.clone(),
        logo: false,
        path: "/me/data".to_owned(),
        signed_in: None,
        csrf: String::new(),
        notices: Vec::new(),
        contact: Some(settings.contact.clone()),
        data_protection_officer: Some(settings.data_protection_officer.clone()),
        demo: false,
    };
    let view = ExportView {
        at: content.at,
        purpose: content.purpose,
        datasets: content.datasets.iter().map(|exported| holding(node, exported)).collect(),
        recipients: content.recipients.clone(),
    };
    render(&view, language, &chrome).map_err(|error| Problem::because(ProblemKind::Internal, error))
}

fn holding(node: &Node, exported: &ExportedDataset) -> ExportedHolding {
    let dataset = &exported.dataset;
    ExportedHolding {
        tree: FieldTree::of(&dataset.paths()),
        coverage: exported.coverage,
        available_from: exported.available_from,
        records: exported.records.iter().cloned().map(HoldingRecord::of_values).collect(),
        withheld: exported.withheld.iter().map(|name| field_label(Some(dataset), name)).collect(),
        table: exported.table_name(),
        corrections: super::show::corrections(node, dataset),
        dataset: dataset.clone(),
    }
}

page!(ExportView, "export.html");
