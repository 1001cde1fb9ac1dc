//! Whom a register's record is about and which one it is, beside its values.

use std::collections::HashSet;

use super::failure::Failure;
use super::json::Json;
use crate::domain::catalogue::register::NameColumns;
use crate::domain::catalogue::{Record, RecordNames};
use crate::domain::ids::NationalIdentifier;
use crate::domain::outside_text;
use crate::ports::RegisterError;

/// Maximum length of a display name or a record's key, in bytes.
const MAX_NAME_BYTES: usize = 200;

const NOBODY: &str = "a record does not say whom it is about";
const NO_KEY: &str = "a record has no key";

/// A column that names whom a record is about, or the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameColumn {
    Person,
    PersonName,
    Record,
}

impl NameColumn {
    /// The columns of a source.
    pub(crate) fn of(columns: &NameColumns) -> impl Iterator<Item = (Self, &str)> {
        let all = [
            (Self::Person, &columns.person),
            (Self::PersonName, &columns.person_name),
            (Self::Record, &columns.record),
        ];
        all.into_iter().filter_map(|(kind, column)| Some((kind, column.as_deref()?)))
    }
}

/// Whom a record is about and which one it is. `take` gives the text of a column. A record that does not name the person
/// or has no key could not be told from those that a permission leaves out.
pub(crate) fn read(
    columns: &NameColumns,
    mut take: impl FnMut(NameColumn, &str) -> Option<String>,
) -> Result<RecordNames, Failure> {
    let mut names = RecordNames::default();
    for (kind, column) in NameColumn::of(columns) {
        let text = take(kind, column).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let short = |text: &String| text.len() <= MAX_NAME_BYTES;
        let unfit = |reason| Failure::new(RegisterError::Unfit(reason), format!("column {column}: {reason}"));
        match kind {
            NameColumn::Person => {
                let person = text.and_then(|text| NationalIdentifier::new(&text).ok());
                names.person = Some(person.ok_or_else(|| unfit(NOBODY))?);
            }
            NameColumn::PersonName => {
                names.person_name = text.filter(short).map(|name| outside_text::clean(&name));
            }
            NameColumn::Record => {
                names.record = Some(text.filter(short).ok_or_else(|| unfit(NO_KEY))?);
            }
        }
    }
    Ok(names)
}

/// Whether each record names what its source's columns name, and no two have one key: whichever connector read them, a
/// permission for one record must not cover another.
pub(crate) fn check(columns: &NameColumns, records: &[Record]) -> Result<(), Failure> {
    let unfit = |reason, column: &str| {
        Failure::new(RegisterError::Unfit(reason), format!("column {column}: {reason}"))
    };
    if let Some(column) = &columns.person
        && records.iter().any(|record| record.names.person.is_none())
    {
        return Err(unfit(NOBODY, column));
    }
    let Some(column) = &columns.record else { return Ok(()) };
    let mut keys = HashSet::new();
    for record in records {
        let key = record.names.record.as_deref().ok_or_else(|| unfit(NO_KEY, column))?;
        if !keys.insert(key) {
            return Err(unfit("two records have the same key", column));
        }
    }
    Ok(())
}

/// A name's or key's text in JSON.
pub(crate) fn text(found: &Json) -> Option<String> {
    match found {
        Json::String(text) | Json::Number(text) => Some(text.clone()),
        _ => None,
    }
}
