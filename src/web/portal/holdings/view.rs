//! The page in parts: its frame at once, then each dataset as its register answers.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::domain::catalogue::{Corrections, Dataset, Field, FieldTree, Record, Text};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{DatasetId, FieldName};
use crate::node::resident::holdings::Holding;
use crate::web::html::page;
use crate::web::portal::party::{field_label, record_title};

/// Where the parts go. No text of a page can contain it: a text is escaped.
pub(crate) const PARTS: &str = "<!--parts-->";

/// The frame of the page.
#[derive(Debug, Clone)]
pub(crate) struct HoldingsView {
    /// The datasets shown, for the list at the top.
    pub(crate) datasets: Vec<(DatasetId, Text)>,
    /// Whether these are all that the city offers.
    pub(crate) all: bool,
}

/// One dataset: why the city has it. What it has follows.
#[derive(Debug, Clone)]
pub(crate) struct HoldingHead {
    pub(crate) dataset: Dataset,
    /// Where a correction is asked for.
    pub(crate) corrections: Corrections,
}

/// One record.
#[derive(Clone)]
pub(crate) struct HoldingRecord {
    /// The child's first name, if it is not about the resident.
    pub(crate) title: Option<String>,
    values: BTreeMap<FieldName, Value>,
}

impl std::fmt::Debug for HoldingRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HoldingRecord([{} values redacted])", self.values.len())
    }
}

impl HoldingRecord {
    pub(super) fn of_values(values: BTreeMap<FieldName, Value>) -> Self {
        Self { title: record_title(None, &values), values }
    }

    fn of(record: Record) -> Self {
        Self {
            title: record_title(record.names.person_name.as_deref(), &record.values),
            values: record.values,
        }
    }

    pub(crate) fn value(&self, name: &FieldName) -> &Value {
        self.values.get(name).unwrap_or(&Value::Null)
    }
}

/// What the register has.
#[derive(Debug, Clone)]
pub(crate) enum HoldingState {
    Records(Vec<HoldingRecord>),
    Later(Timestamp),
    /// The login lacks the assurance that the dataset requires.
    LoginTooWeak,
    Unavailable,
}

/// What a register has in one dataset.
#[derive(Debug, Clone)]
pub(crate) struct HoldingValues {
    pub(crate) dataset: Dataset,
    /// Everything that the dataset has, at every level.
    pub(crate) tree: FieldTree,
    pub(crate) state: HoldingState,
    /// The fields that a non-disclosure order keeps back.
    pub(crate) withheld: Vec<Text>,
}

impl HoldingValues {
    /// What is within one of its fields.
    pub(crate) fn within(&self, field: &Field) -> &FieldTree {
        self.tree.get(field.name.as_str()).unwrap_or(&self.tree)
    }

    pub(crate) fn new(dataset: Dataset, holding: Holding) -> Self {
        let (state, withheld) = match holding {
            Holding::Records { records, withheld } => {
                let labels = withheld.iter().map(|name| field_label(Some(&dataset), name)).collect();
                (HoldingState::Records(records.into_iter().map(HoldingRecord::of).collect()), labels)
            }
            Holding::Later(from) => (HoldingState::Later(from), Vec::new()),
            Holding::Unavailable => (HoldingState::Unavailable, Vec::new()),
        };
        Self { tree: FieldTree::of(&dataset.paths()), dataset, state, withheld }
    }

    pub(crate) fn login_too_weak(dataset: Dataset) -> Self {
        let tree = FieldTree::of(&dataset.paths());
        Self { tree, dataset, state: HoldingState::LoginTooWeak, withheld: Vec::new() }
    }
}

/// A part of the page: the end of one dataset, and the beginning of the next.
#[derive(Debug, Clone)]
pub(crate) struct HoldingPart {
    pub(crate) values: Option<HoldingValues>,
    pub(crate) next: Option<HoldingHead>,
}

page!(HoldingsView, "holdings.html", Data);
page!(HoldingPart, "holding_part.html", Data);
