//! `/partners/use?id=…`: one declared use, with the way to start a permission (`POST /partners/use`, `csrf` and `id`).

use crate::domain::catalogue::{DeclaredUse, Text};
use crate::domain::ids::DatasetId;

/// The data here that the use asks for.
#[derive(Debug, Clone)]
pub struct UseDataset {
    /// Which one.
    pub id: DatasetId,
    /// What people call it.
    pub title: Text,
    /// What people call the required fields.
    pub required: Vec<Text>,
    /// What people call the optional fields.
    pub optional: Vec<Text>,
}

/// One declared use.
#[derive(Debug, Clone)]
pub struct UseView {
    /// As its city publishes it.
    pub declared: DeclaredUse,
    /// What people call the city.
    pub city: Text,
    /// The data here that it asks for; none when this city holds no such data, and nothing can be started.
    pub dataset: Option<UseDataset>,
}

page!(UseView, "use.html", Some(Section::Partners));
