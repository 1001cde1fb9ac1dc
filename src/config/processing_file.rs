//! The record of processing as a CSV file: each row becomes a `[[processing]]` section, so that both are read and checked
//! alike. The first line has the headings: a key of the section, `_fi`, `_sv` or `_en` behind it for a text, and
//! `law_name_fi`, `law_address`, `controller_name_fi`, `controller_email` for what is nested. `datasets` are separated by
//! spaces, several `recipients` by `|`. UTF-8; separated by semicolons when the first line has one, else by commas.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::overlay::Overlay;
use super::processing::{self, Surroundings};
use super::reader::{Document, Found};
use crate::config::error::ConfigError;
use crate::domain::catalogue::Processing;

/// Maximum size of the file in bytes.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// The remedy for a heading that is none.
const HEADINGS: &str = "write a key of [[processing]], with _fi, _sv or _en behind the name of a text";

/// Reads the file behind the sections of the configuration; its faults become those of the configuration.
pub(super) fn read(
    document: &Document<'_>,
    found: &Found<PathBuf>,
    around: &Surroundings<'_>,
    before: Vec<Processing>,
) -> Vec<Processing> {
    const REMEDY: &str = "name a readable CSV file of 4 MiB at most";
    let small = std::fs::metadata(&found.value).is_ok_and(|metadata| metadata.len() <= MAX_BYTES);
    let Some(text) = small.then(|| std::fs::read_to_string(&found.value).ok()).flatten() else {
        document.problem(&found.at, "the file cannot be read as UTF-8 text", REMEDY);
        return before;
    };
    match parse(&found.value.display().to_string(), &text, around, before.clone()) {
        Ok(activities) => activities,
        Err(error) => {
            document.absorb(error);
            before
        }
    }
}

/// The same from text. `file` is its name in messages.
pub(super) fn parse(
    file: &str,
    text: &str,
    around: &Surroundings<'_>,
    before: Vec<Processing>,
) -> Result<Vec<Processing>, ConfigError> {
    let overlay = Overlay::none();
    // As Excel begins its UTF-8: no part of the first line.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let document = Document::of_rows(file, text, &overlay);
    let rows = tables(&document, text);
    let sections =
        rows.into_iter().map(|(offset, table)| document.row("processing", offset, table)).collect();
    let activities = processing::read(sections, around, before);
    document.finish(Some(activities)).map(|(activities, _)| activities)
}

/// A cell with its place in the file.
struct Cell {
    text: String,
    offset: usize,
}

impl Cell {
    fn value(&self, value: DeValue<'static>) -> Spanned<DeValue<'static>> {
        Spanned::new(self.offset..self.offset, value)
    }

    fn string(&self, text: &str) -> Spanned<DeValue<'static>> {
        self.value(DeValue::String(Cow::Owned(text.to_owned())))
    }
}

/// The rows as tables. Rows that are no CSV, and headings that no key has, are reported at their line.
fn tables(document: &Document<'_>, text: &str) -> Vec<(usize, DeTable<'static>)> {
    let semicolons = text.lines().next().is_some_and(|line| line.contains(';'));
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(if semicolons { b';' } else { b',' })
        .from_reader(text.as_bytes());
    let Ok(headings) = reader.headers().cloned() else {
        document.problem_at(0, "", "not CSV", "write the headings into the first line");
        return Vec::new();
    };
    for (position, heading) in headings.iter().enumerate() {
        let twice = headings.iter().take(position).any(|other| other == heading);
        if twice || !is_heading(heading) {
            let complaint = if twice { "the heading is there twice" } else { "no such heading" };
            document.problem_at(0, heading, complaint, HEADINGS);
        }
    }
    let mut tables = Vec::new();
    for record in reader.records() {
        match record {
            Ok(record) => {
                let offset = start(text, record.position());
                tables.push((offset, table(&headings, &record, offset)));
            }
            Err(error) => {
                let offset = start(text, error.position());
                document.problem_at(
                    offset,
                    "",
                    "the row has another number of columns than the first line, or is not UTF-8",
                    "write one cell for each heading",
                );
            }
        }
    }
    tables
}

/// Where a row begins; the reader's position may be within the line end before it.
fn start(text: &str, position: Option<&csv::Position>) -> usize {
    let at = position.and_then(|at| usize::try_from(at.byte()).ok()).unwrap_or(0);
    let ends = text.bytes().skip(at).take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    at.saturating_add(ends)
}

const TEXTS: [&str; 5] = ["service_name", "title", "purpose_text", "law_name", "controller_name"];
const PLAIN: [&str; 8] =
    ["id", "service", "purpose", "legal_basis", "law_address", "retention", "controller_email", "correction"];
const FLAGS: [&str; 2] = ["may_object", "reports"];

/// A heading of a text without its language.
fn of_text(heading: &str) -> Option<(&str, &str)> {
    let (key, language) = heading.rsplit_once('_')?;
    matches!(language, "fi" | "sv" | "en").then_some((key, language))
}

fn is_heading(heading: &str) -> bool {
    PLAIN.contains(&heading)
        || FLAGS.contains(&heading)
        || heading == "datasets"
        || of_text(heading).is_some_and(|(key, _)| TEXTS.contains(&key) || key == "recipients")
}

fn table(headings: &csv::StringRecord, record: &csv::StringRecord, offset: usize) -> DeTable<'static> {
    let cells: BTreeMap<&str, Cell> = headings
        .iter()
        .zip(record)
        .filter(|(_, text)| !text.trim().is_empty())
        .map(|(heading, text)| (heading, Cell { text: text.trim().to_owned(), offset }))
        .collect();
    let mut flat: BTreeMap<String, Spanned<DeValue<'static>>> = BTreeMap::new();
    let mut texts: BTreeMap<&str, Vec<(&str, &Cell)>> = BTreeMap::new();
    for (heading, cell) in &cells {
        if let Some((key, language)) = of_text(heading) {
            texts.entry(key).or_default().push((language, cell));
        } else if *heading == "datasets" {
            let items = cell.text.split_whitespace().map(|id| cell.string(id));
            flat.insert((*heading).to_owned(), cell.value(list(items)));
        } else if let (true, Ok(flag)) = (FLAGS.contains(heading), cell.text.parse::<bool>()) {
            flat.insert((*heading).to_owned(), cell.value(DeValue::Boolean(flag)));
        } else {
            flat.insert((*heading).to_owned(), cell.string(&cell.text));
        }
    }
    // Without a column nobody has said whether there are recipients.
    if let Some(recipients) = texts.remove("recipients") {
        flat.insert(
            "recipients".to_owned(),
            Cell { text: String::new(), offset }.value(list_of_texts(&recipients, offset)),
        );
    }
    for (key, languages) in texts {
        let members =
            languages.iter().map(|(language, cell)| ((*language).to_owned(), cell.string(&cell.text)));
        flat.insert(key.to_owned(), nested(members, offset));
    }
    for (name, parts) in [
        ("law", [("law_name", "name"), ("law_address", "address")]),
        ("controller", [("controller_name", "name"), ("controller_email", "email")]),
    ] {
        let members: Vec<_> = parts
            .iter()
            .filter_map(|(column, member)| Some(((*member).to_owned(), flat.remove(*column)?)))
            .collect();
        if !members.is_empty() {
            flat.insert(name.to_owned(), nested(members.into_iter(), offset));
        }
    }
    spanned(flat.into_iter(), offset)
}

/// Several texts whose parts are separated by `|` in each language's column; a missing part stays missing.
fn list_of_texts(columns: &[(&str, &Cell)], offset: usize) -> DeValue<'static> {
    let count = columns.iter().map(|(_, cell)| cell.text.split('|').count()).max().unwrap_or(0);
    let items = (0..count).map(|number| {
        let members = columns.iter().filter_map(|(language, cell)| {
            let part = cell.text.split('|').nth(number)?.trim();
            Some(((*language).to_owned(), cell.string(part)))
        });
        nested(members, offset)
    });
    list(items)
}

fn list(items: impl Iterator<Item = Spanned<DeValue<'static>>>) -> DeValue<'static> {
    let mut array = DeArray::new();
    items.for_each(|item| array.push(item));
    DeValue::Array(array)
}

fn nested(
    members: impl Iterator<Item = (String, Spanned<DeValue<'static>>)>,
    offset: usize,
) -> Spanned<DeValue<'static>> {
    Spanned::new(offset..offset, DeValue::Table(spanned(members, offset)))
}

fn spanned(
    members: impl Iterator<Item = (String, Spanned<DeValue<'static>>)>,
    offset: usize,
) -> DeTable<'static> {
    members.map(|(key, value)| (Spanned::new(offset..offset, Cow::Owned(key)), value)).collect()
}
