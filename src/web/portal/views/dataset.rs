//! `/catalogue/datasets/{id}`: one dataset.

use super::catalogue::DatasetUse;
use crate::domain::catalogue::Dataset;

/// A way to the same description for programs.
#[derive(Debug, Clone)]
pub struct FormatLink {
    /// The format's own name (`JSON-LD`).
    pub name: &'static str,
    /// Where it is.
    pub href: String,
}

/// One dataset.
#[derive(Debug, Clone)]
pub struct DatasetView {
    /// As published.
    pub dataset: Dataset,
    /// Who else may ask for it.
    pub uses: Vec<DatasetUse>,
    /// The same description for programs.
    pub formats: Vec<FormatLink>,
}

impl crate::web::portal::Frame<'_> {
    pub(in crate::web::portal) fn is_sensitive(&self, field: &crate::domain::catalogue::Field) -> bool {
        field.sensitivity == crate::domain::catalogue::Sensitivity::Sensitive
    }
}

page!(DatasetView, "dataset.html", Some(Section::Catalogue));
