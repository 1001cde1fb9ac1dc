//! Registers that are folders of files: JSON arrays and CSV tables, written by another system.
//!
//! A file that cannot be parsed as a whole is an error, with its place, for everybody whose records could be in it: a
//! record without a subject could be anyone's.

use std::cell;
use std::collections::HashMap;
use std::path::Path;

use super::csv::{Cell, Rows};
use super::failure::Failure;
use super::index::IndexedFile;
use super::json::{Json, Member, Parser, Place};
use super::lookup;
use super::mapping::Mapping;
use super::marks::MarkColumns;
use super::names::{self, NameColumn};
use super::values::{self, Collected};
use super::{BlockingReader, Bounds};
use crate::domain::catalogue::Record;
use crate::domain::catalogue::register::{CsvDelimiter, CsvDialect, HeldDataset, NameColumns};
use crate::domain::ids::NationalIdentifier;
use crate::ports::{Question, RegisterError};

/// What a dataset says about its file.
struct Layout {
    mapping: Mapping,
    subject_column: String,
    marks: MarkColumns,
    names: NameColumns,
    bounds: Bounds,
}

impl Layout {
    fn of(held: &HeldDataset, bounds: Bounds) -> Self {
        Self {
            mapping: Mapping::of(held),
            subject_column: held.source.subject_column.clone(),
            marks: MarkColumns::of(&held.source),
            names: held.source.names.clone(),
            bounds,
        }
    }

    /// The columns or members of the fields that may not be missing.
    fn required_columns(&self) -> Vec<&str> {
        let columns = self.mapping.all_columns();
        columns.iter().filter(|column| !column.field.may_be_missing).map(|column| column.name).collect()
    }

    /// Whose record it is; `None` when it says that it is nobody's.
    fn subject(&self, at: Place, named: Option<&str>) -> Result<Option<NationalIdentifier>, Failure> {
        match named.map(str::trim) {
            None | Some("") => Ok(None),
            Some(text) => NationalIdentifier::exact(text)
                .map(Some)
                .map_err(|_| unclear(format!("{at}: {} is not an identifier", self.subject_column))),
        }
    }
}

/// Whose records a file is read for.
struct Wanted<'q> {
    question: &'q Question,
    folded: NationalIdentifier,
    /// Whether the key stands in the file in letters of another case.
    in_other_letters: cell::Cell<bool>,
}

impl<'q> Wanted<'q> {
    fn new(question: &'q Question) -> Self {
        Self { question, folded: question.subject.folded(), in_other_letters: cell::Cell::new(false) }
    }

    /// Whether a record is one of them.
    fn is(&self, whose: &NationalIdentifier) -> bool {
        let is_folded = whose.folded() == self.folded;
        if !is_folded || !self.question.by_key || lookup::is_same(&self.question.subject, whose) {
            return is_folded;
        }
        self.in_other_letters.set(true);
        false
    }

    fn found(&self, records: Vec<Record>) -> Result<Vec<Record>, Failure> {
        match records.is_empty() && self.in_other_letters.get() {
            true => Err(lookup::other_letters()),
            false => Ok(records),
        }
    }
}

/// A record has no subject, so the person's records cannot be determined.
fn unclear(cause: String) -> Failure {
    Failure::new(RegisterError::Unfit("a record does not say whose it is"), cause)
}

/// A JSON file: one array of objects.
pub(crate) struct JsonFile {
    file: IndexedFile<()>,
    layout: Layout,
}

impl JsonFile {
    pub(crate) fn new(folder: &Path, name: &Path, held: &HeldDataset, bounds: Bounds) -> Self {
        Self { file: IndexedFile::new(folder, name), layout: Layout::of(held, bounds) }
    }

    /// Whose record an object is.
    fn subject(&self, at: Place, members: &[Member]) -> Result<Option<NationalIdentifier>, Failure> {
        let column = &self.layout.subject_column;
        match members.iter().find(|member| member.name == *column) {
            None => Err(unclear(format!("{at}: the record has no member {column}"))),
            Some(Member { at, value: Json::String(text), .. }) => self.layout.subject(*at, Some(text)),
            Some(Member { value: Json::Null, .. }) => Ok(None),
            Some(Member { at, .. }) => Err(unclear(format!("{at}: {column} is not a text"))),
        }
    }
}

impl BlockingReader for JsonFile {
    fn read(&self, question: &Question) -> Result<Vec<Record>, Failure> {
        let wanted = Wanted::new(question);
        let collected = self.file.records(
            &wanted.folded,
            |input, places| {
                let mut absent: Vec<&str> = self.layout.required_columns();
                let mut is_empty = true;
                Parser::new(input)?.objects(|at, members| {
                    is_empty = false;
                    absent.retain(|column| members.iter().all(|member| member.name != *column));
                    match self.subject(at, &members)? {
                        Some(whose) => places.push(&whose.folded(), at),
                        None => Ok(()),
                    }
                })?;
                // One record may leave out what is empty; what none has was renamed, or never there.
                match absent.first() {
                    Some(column) if !is_empty => Err(Failure::new(
                        RegisterError::Unfit("a column is missing or doubled"),
                        format!("no record has the member {column}; where it is empty, write it as null"),
                    )),
                    _ => Ok(()),
                }
            },
            || Collected::new(self.layout.bounds),
            |collected, (), input, place| {
                let members = Parser::resume(input, place)?.object_here()?;
                let Some(whose) = self.subject(place, &members)?.filter(|whose| wanted.is(whose)) else {
                    return Ok(());
                };
                let mut values: HashMap<String, (Place, Json)> =
                    members.into_iter().map(|member| (member.name, (member.at, member.value))).collect();
                let marks = self.layout.marks.read(|column| values.get(column).map(|found| found.1.clone()));
                let names = names::read(&self.layout.names, |_, column| {
                    values.get(column).and_then(|(_, found)| names::text(found))
                })
                .map_err(|failure| failure.at(place))?;
                let whose = (whose, marks.map_err(|failure| failure.at(place))?);
                let record = self.layout.mapping.record(&question.fields, whose, |column| {
                    values.remove(column.name).map_or((None, Json::Null), |(at, value)| (Some(at), value))
                })?;
                Ok(collected.push(Record { names, ..record })?)
            },
        )?;
        wanted.found(collected.into_records())
    }
}

/// A CSV file whose first line names the columns.
pub(crate) struct CsvFile {
    file: IndexedFile<Header>,
    layout: Layout,
    dialect: CsvDialect,
}

/// Which columns there are.
struct Header {
    columns: usize,
    subject: usize,
    marks: HashMap<String, usize>,
    /// Where each column of the dataset is.
    places: HashMap<String, usize>,
    names: Vec<(NameColumn, usize)>,
}

impl CsvFile {
    pub(crate) fn new(
        folder: &Path,
        name: &Path,
        dialect: CsvDialect,
        held: &HeldDataset,
        bounds: Bounds,
    ) -> Self {
        Self { file: IndexedFile::new(folder, name), layout: Layout::of(held, bounds), dialect }
    }

    fn header(&self, row: &[Cell]) -> Result<Header, Failure> {
        let delimiter = self.dialect.delimiter;
        let subject = column(row, &self.layout.subject_column, delimiter)?;
        let mut places = HashMap::new();
        for needed in self.layout.mapping.all_columns() {
            places.insert(needed.name.to_owned(), column(row, needed.name, delimiter)?);
        }
        let mut marks = HashMap::new();
        for name in self.layout.marks.names() {
            marks.insert(name.to_owned(), column(row, name, delimiter)?);
        }
        let names = NameColumn::of(&self.layout.names)
            .map(|(kind, name)| Ok((kind, column(row, name, delimiter)?)))
            .collect::<Result<_, Failure>>()?;
        Ok(Header { columns: row.len(), subject, marks, names, places })
    }

    /// Whose record a row is.
    fn subject(&self, header: &Header, row: &[Cell]) -> Result<Option<NationalIdentifier>, Failure> {
        match row.get(header.subject) {
            Some(cell) if row.len() == header.columns => self.layout.subject(cell.at, Some(&cell.text)),
            _ => Err(ragged(row, header.columns)),
        }
    }
}

impl BlockingReader for CsvFile {
    fn read(&self, question: &Question) -> Result<Vec<Record>, Failure> {
        let wanted = Wanted::new(question);
        let collected = self.file.records(
            &wanted.folded,
            |input, places| {
                let mut rows = Rows::new(input, &self.dialect)?;
                let header = self.header(&rows.row()?.unwrap_or_default())?;
                while let Some(row) = rows.row()? {
                    if let (Some(whose), Some(first)) = (self.subject(&header, &row)?, row.first()) {
                        places.push(&whose.folded(), first.at)?;
                    }
                }
                Ok(header)
            },
            || Collected::new(self.layout.bounds),
            |collected, header, input, place| {
                let row = Rows::resume(input, &self.dialect, place)?.row()?.unwrap_or_default();
                let Some(whose) = self.subject(header, &row)?.filter(|whose| wanted.is(whose)) else {
                    return Ok(());
                };
                let marks = self.layout.marks.read(|column| {
                    let cell = header.marks.get(column).and_then(|at| row.get(*at));
                    cell.map(|cell| Json::String(cell.text.clone()))
                });
                let whose = (whose, marks.map_err(|failure| failure.at(place))?);
                let record = self.layout.mapping.record(&question.fields, whose, |column| {
                    let found = header.places.get(column.name).and_then(|at| row.get(*at));
                    found.map_or((None, Json::Null), |cell| {
                        let value = values::from_text(column.field.kind, self.dialect.notation, &cell.text);
                        (Some(cell.at), value)
                    })
                })?;
                let names = names::read(&self.layout.names, |kind, _| {
                    let (_, at) = header.names.iter().find(|(name, _)| *name == kind)?;
                    row.get(*at).map(|cell| cell.text.clone())
                })
                .map_err(|failure| failure.at(place))?;
                Ok(collected.push(Record { names, ..record })?)
            },
        )?;
        wanted.found(collected.into_records())
    }
}

/// Where a column is that is needed: it must be there once.
fn column(header: &[Cell], name: &str, delimiter: CsvDelimiter) -> Result<usize, Failure> {
    let mut found = header.iter().enumerate().filter(|(_, cell)| cell.text.trim() == name);
    let unfit = |cause| Failure::new(RegisterError::Unfit("a column is missing or doubled"), cause);
    match (found.next(), found.next(), header) {
        (Some((at, _)), None, _) => Ok(at),
        (Some(_), Some((_, second)), _) => {
            Err(unfit(format!("{}: the column {name} occurs twice", second.at)))
        }
        (None, _, [only]) => {
            let other =
                CsvDelimiter::ALL.into_iter().find(|other| only.text.contains(char::from(other.byte())));
            let hint = other.map_or_else(String::new, |other| {
                format!(
                    ": it seems to separate columns by {:?}, not {:?}",
                    other.as_str(),
                    delimiter.as_str()
                )
            });
            Err(unfit(format!("the first line has no column {name}{hint}")))
        }
        (None, ..) => Err(unfit(format!("the first line has no column {name}"))),
    }
}

fn ragged(row: &[Cell], columns: usize) -> Failure {
    let place = row.first().map_or_else(String::new, |cell| format!("{}: ", cell.at));
    let cause = format!("{place}the row has {} cells, the first line {columns}", row.len());
    Failure::new(RegisterError::Unfit("a row has another number of cells than the first line"), cause)
}
