//! Registers that are folders of files: JSON arrays and CSV tables, written by another system, read anew each time.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use serde::de::{DeserializeSeed, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::values::{self, Collected};
use super::{Bounds, Failure, Reader};
use crate::domain::catalogue::register::HeldDataset;
use crate::domain::catalogue::{Dataset, FieldType, Record};
use crate::domain::ids::NationalIdentifier;
use crate::ports::RegisterError;

/// Largest file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;

/// One file in a register's folder.
pub(crate) struct Location {
    folder: PathBuf,
    name: PathBuf,
    dataset: Dataset,
    subject_column: String,
    bounds: Bounds,
}

impl Location {
    pub(crate) fn new(folder: &Path, name: &Path, held: &HeldDataset, bounds: Bounds) -> Self {
        Self {
            folder: folder.to_owned(),
            name: name.to_owned(),
            dataset: held.dataset.clone(),
            subject_column: held.source.subject_column.clone(),
            bounds,
        }
    }

    /// Opens the file. Links are followed first: what they lead to must lie in the folder too.
    fn open(&self) -> Result<impl Read, Failure> {
        let unavailable = |error| Failure::new(RegisterError::Unavailable, error);
        let folder = self.folder.canonicalize().map_err(unavailable)?;
        let path = folder.join(&self.name).canonicalize().map_err(unavailable)?;
        if !path.starts_with(&folder) {
            return Err(Failure::new(
                RegisterError::Unavailable,
                "the file lies outside the register's folder",
            ));
        }
        let file = File::open(path).map_err(unavailable)?;
        let metadata = file.metadata().map_err(unavailable)?;
        if !metadata.is_file() {
            return Err(Failure::new(RegisterError::Unavailable, "not a file"));
        }
        if metadata.len() > MAX_FILE_BYTES {
            return Err(Failure::new(RegisterError::TooLarge, "the file is larger than 256 MiB"));
        }
        Ok(file.take(MAX_FILE_BYTES))
    }
}

/// A JSON file: one array of objects.
pub(crate) struct Json(pub(crate) Location);

impl Reader for Json {
    fn read(&self, subject: &NationalIdentifier) -> Result<Vec<Record>, Failure> {
        let mut deserializer = serde_json::Deserializer::from_reader(BufReader::new(self.0.open()?));
        let mut failure = None;
        let mut collected = Collected::new(self.0.bounds);
        let own = Own { location: &self.0, subject, failure: &mut failure, collected: &mut collected };
        let parsed = own.deserialize(&mut deserializer).and_then(|()| deserializer.end());
        match (failure, parsed) {
            (Some(failure), _) => Err(failure),
            (None, Ok(())) => Ok(collected.into_records()),
            (None, Err(error)) if error.is_io() => Err(Failure::new(RegisterError::Unavailable, error)),
            // Where, but not what: the message of a syntax error may quote the file.
            (None, Err(error)) => Err(Failure::new(
                RegisterError::Unfit("the file is not a JSON array of objects"),
                format!("not a JSON array of objects, see line {}", error.line()),
            )),
        }
    }
}

/// Picks one person's records out of the array, one element in memory at a time.
struct Own<'a> {
    location: &'a Location,
    subject: &'a NationalIdentifier,
    failure: &'a mut Option<Failure>,
    collected: &'a mut Collected,
}

impl<'de> DeserializeSeed<'de> for Own<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Own<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(mut item) = items.next_element::<Map<String, Value>>()? {
            let whose = item.get(&self.location.subject_column).and_then(Value::as_str);
            if whose.and_then(|text| NationalIdentifier::new(text).ok()).as_ref() != Some(self.subject) {
                continue;
            }
            let record = values::record(&self.location.dataset, self.subject.clone(), |field| {
                item.remove(field.as_str()).unwrap_or(Value::Null)
            });
            if let Err(error) = record.and_then(|record| self.collected.push(record)) {
                *self.failure = Some(error.into());
                return Err(serde::de::Error::custom("unfit"));
            }
        }
        Ok(())
    }
}

/// A CSV file whose first line names the columns.
pub(crate) struct Csv(pub(crate) Location);

impl Reader for Csv {
    fn read(&self, subject: &NationalIdentifier) -> Result<Vec<Record>, Failure> {
        let location = &self.0;
        let mut reader = csv::ReaderBuilder::new().from_reader(BufReader::new(location.open()?));
        let headers = reader.headers().map_err(|error| unreadable(&error))?;
        let column = |name: &str| headers.iter().position(|header| header.trim() == name);
        let missing = |name: &str| {
            let detail = format!("the first line has no column {name}");
            Failure::new(RegisterError::Unfit("a column is missing"), detail)
        };
        let subject_at = column(&location.subject_column).ok_or_else(|| missing(&location.subject_column))?;
        let mut fields = std::collections::HashMap::new();
        for field in &location.dataset.fields {
            let at = column(field.name.as_str()).ok_or_else(|| missing(field.name.as_str()))?;
            fields.insert(field.name.clone(), (at, field.kind));
        }
        let mut collected = Collected::new(location.bounds);
        let mut row = csv::StringRecord::new();
        while reader.read_record(&mut row).map_err(|error| unreadable(&error))? {
            let whose = row.get(subject_at).and_then(|text| NationalIdentifier::new(text).ok());
            if whose.as_ref() != Some(subject) {
                continue;
            }
            collected.push(values::record(&location.dataset, subject.clone(), |field| {
                let (at, kind) = fields.get(field).copied().unwrap_or((usize::MAX, FieldType::String));
                row.get(at).map_or(Value::Null, |text| values::from_text(kind, text))
            })?)?;
        }
        Ok(collected.into_records())
    }
}

/// Where a CSV file is broken, but not what stands there.
fn unreadable(error: &csv::Error) -> Failure {
    if error.is_io_error() {
        return Failure::new(RegisterError::Unavailable, "the file cannot be read");
    }
    let line = error.position().map_or(1, csv::Position::line);
    let detail = format!("not a CSV table, see line {line}");
    Failure::new(RegisterError::Unfit("the file is not a CSV table"), detail)
}
