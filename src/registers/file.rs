//! Registers that are folders of files: JSON arrays and CSV tables, written by another system, read anew each time.
//!
//! A file that cannot be understood as a whole is an error, with its place, for everybody whose records could be in it: a
//! record that does not say whose it is might be anyone's.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::csv::{Cell, Rows};
use super::failure::Failure;
use super::json::{Json, Member, Parser, Place};
use super::values::{self, Collected};
use super::{Bounds, Reader};
use crate::domain::catalogue::register::HeldDataset;
use crate::domain::catalogue::{Dataset, Record};
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
        let name = self.name.display();
        let unavailable =
            |error: std::io::Error| Failure::new(RegisterError::Unavailable, format!("{name}: {error}"));
        let folder = self.folder.canonicalize().map_err(unavailable)?;
        let path = folder.join(&self.name).canonicalize().map_err(unavailable)?;
        if !path.starts_with(&folder) {
            return Err(Failure::new(
                RegisterError::Unavailable,
                format!("{name} lies outside the register's folder"),
            ));
        }
        let file = File::open(path).map_err(unavailable)?;
        let metadata = file.metadata().map_err(unavailable)?;
        if !metadata.is_file() {
            return Err(Failure::new(RegisterError::Unavailable, format!("{name} is not a file")));
        }
        if metadata.len() > MAX_FILE_BYTES {
            return Err(Failure::new(RegisterError::TooLarge, format!("{name} is larger than 256 MiB")));
        }
        Ok(file.take(MAX_FILE_BYTES))
    }

    /// The subject that a record names; `None` when it names nobody, or somebody else than the one who is asked for.
    fn is_of(&self, subject: &NationalIdentifier, at: Place, named: Option<&str>) -> Result<bool, Failure> {
        let column = &self.subject_column;
        match named.map(str::trim) {
            None | Some("") => Ok(false),
            Some(text) => match NationalIdentifier::new(text) {
                Ok(named) => Ok(named == *subject),
                Err(_) => Err(unclear(format!("{at}: {column} is not an identifier"))),
            },
        }
    }

    /// Puts the file's name before the cause.
    fn named(&self, failure: Failure) -> Failure {
        Failure { cause: format!("{}, {}", self.name.display(), failure.cause), ..failure }
    }
}

/// A record does not say whose it is, so that nobody can tell which records there are.
fn unclear(cause: String) -> Failure {
    Failure::new(RegisterError::Unfit("a record does not say whose it is"), cause)
}

/// A JSON file: one array of objects.
pub(crate) struct JsonFile(pub(crate) Location);

impl Reader for JsonFile {
    fn read(&self, subject: &NationalIdentifier) -> Result<Vec<Record>, Failure> {
        let input = BufReader::new(self.0.open()?);
        let mut collected = Collected::new(self.0.bounds);
        let read = Parser::new(input)
            .map_err(Failure::from)
            .and_then(|parser| parser.objects(|at, members| self.take(subject, at, members, &mut collected)));
        read.map_err(|failure| self.0.named(failure))?;
        Ok(collected.into_records())
    }
}

impl JsonFile {
    fn take(
        &self,
        subject: &NationalIdentifier,
        at: Place,
        members: Vec<Member>,
        collected: &mut Collected,
    ) -> Result<(), Failure> {
        let column = &self.0.subject_column;
        let whose = members.iter().find(|member| member.name == *column);
        let (at, named) = match whose {
            None => return Err(unclear(format!("{at}: the record has no member {column}"))),
            Some(Member { at, value: Json::String(text), .. }) => (*at, Some(text.as_str())),
            Some(Member { at, value: Json::Null, .. }) => (*at, None),
            Some(Member { at, .. }) => return Err(unclear(format!("{at}: {column} is not a text"))),
        };
        if !self.0.is_of(subject, at, named)? {
            return Ok(());
        }
        let mut values: HashMap<String, (Place, Json)> =
            members.into_iter().map(|member| (member.name, (member.at, member.value))).collect();
        let record = values::record(&self.0.dataset, subject.clone(), |field| {
            values.remove(field.as_str()).map_or((None, Json::Null), |(at, value)| (Some(at), value))
        })?;
        Ok(collected.push(record)?)
    }
}

/// A CSV file whose first line names the columns.
pub(crate) struct CsvFile(pub(crate) Location);

impl Reader for CsvFile {
    fn read(&self, subject: &NationalIdentifier) -> Result<Vec<Record>, Failure> {
        self.collect(subject, BufReader::new(self.0.open()?)).map_err(|failure| self.0.named(failure))
    }
}

impl CsvFile {
    fn collect(&self, subject: &NationalIdentifier, input: impl BufRead) -> Result<Vec<Record>, Failure> {
        let location = &self.0;
        let mut rows = Rows::new(input)?;
        let headers = rows.row()?.unwrap_or_default();
        let subject_at = column(&headers, &location.subject_column)?;
        let mut fields = HashMap::new();
        for field in &location.dataset.fields {
            fields.insert(field.name.clone(), (column(&headers, field.name.as_str())?, field.kind));
        }
        let mut collected = Collected::new(location.bounds);
        while let Some(row) = rows.row()? {
            let (Some(first), Some(whose)) = (row.first(), row.get(subject_at)) else {
                return Err(ragged(&row, &headers));
            };
            if row.len() != headers.len() {
                return Err(ragged(&row, &headers));
            }
            if !location.is_of(
                subject,
                if whose.text.is_empty() { first.at } else { whose.at },
                Some(&whose.text),
            )? {
                continue;
            }
            collected.push(values::record(&location.dataset, subject.clone(), |field| {
                let found = fields.get(field).and_then(|(at, kind)| Some((row.get(*at)?, *kind)));
                found.map_or((None, Json::Null), |(cell, kind)| {
                    (Some(cell.at), values::from_text(kind, &cell.text))
                })
            })?)?;
        }
        Ok(collected.into_records())
    }
}

/// Where a column is that is needed: it must be there once.
fn column(headers: &[Cell], name: &str) -> Result<usize, Failure> {
    let mut found = headers.iter().enumerate().filter(|(_, header)| header.text.trim() == name);
    let unfit = |cause| Failure::new(RegisterError::Unfit("a column is missing or doubled"), cause);
    match (found.next(), found.next()) {
        (Some((at, _)), None) => Ok(at),
        (Some(_), Some((_, second))) => Err(unfit(format!("{}: the column {name} occurs twice", second.at))),
        (None, _) if headers.iter().any(|header| header.text.contains(';')) => Err(unfit(format!(
            "the first line has no column {name}: columns are separated by commas, not semicolons"
        ))),
        (None, _) => Err(unfit(format!("the first line has no column {name}"))),
    }
}

fn ragged(row: &[Cell], headers: &[Cell]) -> Failure {
    let place = row.first().map_or_else(String::new, |cell| format!("{}: ", cell.at));
    let cause = format!("{place}the row has {} cells, the first line {}", row.len(), headers.len());
    Failure::new(RegisterError::Unfit("the file is not a CSV table"), cause)
}
