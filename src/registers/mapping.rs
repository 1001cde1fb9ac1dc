//! Which column of a source holds which field, and records built from them.

use std::collections::BTreeMap;

use serde_json::Map;

use super::failure::Failure;
use super::json::{Json, Place};
use super::values::typed;
use crate::domain::catalogue::register::HeldDataset;
use crate::domain::catalogue::tree::object;
use crate::domain::catalogue::{Field, FieldTree, Marks, Record, RecordNames};
use crate::domain::ids::{FieldPath, NationalIdentifier};
use crate::ports::RegisterError;

/// A source's value for a column, with its position if the source has positions.
pub(crate) type FoundValue = (Option<Place>, Json);

/// A column or member of the source, with the field that it holds: a plain value, or an object or list as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Column<'a> {
    pub(crate) name: &'a str,
    pub(crate) field: &'a Field,
}

/// Where a dataset's fields are.
#[derive(Debug, Clone)]
pub(crate) struct Mapping {
    fields: Vec<Field>,
    /// What a non-disclosure order keeps in the register.
    protected: Vec<FieldPath>,
    /// Named otherwise than the field, or holding a part of an object.
    columns: BTreeMap<FieldPath, String>,
}

impl Mapping {
    pub(crate) fn of(held: &HeldDataset) -> Self {
        Self {
            fields: held.dataset.fields.clone(),
            protected: held.dataset.protected_fields.clone(),
            columns: held.source.columns.clone(),
        }
    }

    /// All columns of the dataset.
    pub(crate) fn all_columns(&self) -> Vec<Column<'_>> {
        let mut columns = Vec::new();
        for field in &self.fields {
            self.columns_of(&FieldPath::from(&field.name), field, None, &mut columns);
        }
        columns
    }

    /// The columns that hold these fields.
    pub(crate) fn columns(&self, wanted: &[FieldPath]) -> Vec<Column<'_>> {
        let wanted = FieldTree::of(wanted);
        let mut columns = Vec::new();
        for field in &self.fields {
            if let Some(within) = wanted.get(field.name.as_str()) {
                self.columns_of(&FieldPath::from(&field.name), field, Some(within), &mut columns);
            }
        }
        columns
    }

    /// Of all fields within when nothing is `wanted` in particular.
    fn columns_of<'a>(
        &'a self,
        path: &FieldPath,
        field: &'a Field,
        wanted: Option<&FieldTree>,
        columns: &mut Vec<Column<'a>>,
    ) {
        if !self.is_split(path) {
            columns.push(self.column(path, field));
            return;
        }
        for inner in &field.fields {
            let within = wanted.map(|wanted| wanted.get(inner.name.as_str()));
            if let (Some(path), true) = (path.child(&inner.name), within != Some(None)) {
                self.columns_of(&path, inner, within.flatten(), columns);
            }
        }
    }

    /// Whether the fields of an object have columns of their own.
    fn is_split(&self, path: &FieldPath) -> bool {
        self.columns.keys().any(|other| other != path && other.is_within(path))
    }

    fn column<'a>(&'a self, path: &FieldPath, field: &'a Field) -> Column<'a> {
        Column { name: self.columns.get(path).map_or_else(|| field.name.as_str(), String::as_str), field }
    }

    /// Builds one record: the wanted fields and no others, at every level and each of its type, absent ones `null`. What a
    /// non-disclosure order protects is absent.
    pub(crate) fn record(
        &self,
        wanted: &[FieldPath],
        (subject, marks): (NationalIdentifier, Marks),
        mut take: impl FnMut(Column<'_>) -> FoundValue,
    ) -> Result<Record, Failure> {
        let is_order = marks.non_disclosure == Some(true);
        let is_open =
            |path: &&FieldPath| !is_order || !self.protected.iter().any(|wider| path.is_within(wider));
        let (wanted, open) = (FieldTree::of(wanted), FieldTree::of(wanted.iter().filter(is_open)));
        let mut values = BTreeMap::new();
        for field in &self.fields {
            let name = field.name.as_str();
            if wanted.get(name).is_none() {
                continue;
            }
            let value = match open.get(name) {
                Some(within) => self.value(&FieldPath::from(&field.name), field, within, &mut take)?,
                None => serde_json::Value::Null,
            };
            values.insert(field.name.clone(), value);
        }
        Ok(Record { subject, values, marks, names: RecordNames::default() })
    }

    fn value(
        &self,
        path: &FieldPath,
        field: &Field,
        wanted: &FieldTree,
        take: &mut impl FnMut(Column<'_>) -> FoundValue,
    ) -> Result<serde_json::Value, Failure> {
        if self.is_split(path) {
            let mut members = Map::new();
            for inner in &field.fields {
                if let (Some(path), Some(within)) = (path.child(&inner.name), wanted.get(inner.name.as_str()))
                {
                    members.insert(inner.name.to_string(), self.value(&path, inner, within, take)?);
                }
            }
            return Ok(object(members));
        }
        let (at, found) = take(self.column(path, field));
        typed(field, wanted, found).map_err(|broken| {
            let place = at.map(|at| format!("{at}, ")).unwrap_or_default();
            let names = [path.as_str()].into_iter().chain(broken.within.iter().map(String::as_str));
            Failure::new(
                RegisterError::Unfit("a field is not of its type"),
                format!("{place}field {}: {}", names.collect::<Vec<_>>().join("."), broken.rule),
            )
        })
    }
}
