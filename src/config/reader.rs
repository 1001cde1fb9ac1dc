//! Reads a TOML document section by section with the place of every value, so that all faults are reported together,
//! each with file, line, key and remedy.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, IntoDeserializer};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::overlay::Overlay;
use crate::config::error::{ConfigError, ConfigProblem, Place};

/// A file being read.
pub(super) struct Document<'t> {
    file: String,
    /// Offsets of the line ends: every value has its line, so that they are not counted again for each.
    line_ends: Vec<usize>,
    overlay: &'t Overlay,
    problems: RefCell<Vec<ConfigProblem>>,
    /// The faults of files that this one names.
    elsewhere: RefCell<Vec<ConfigProblem>>,
    warnings: RefCell<Vec<ConfigProblem>>,
}

/// Place and name of a value, for faults that are found later.
#[derive(Debug, Clone)]
pub(super) struct Location {
    place: Place,
    key: String,
}

/// A value and its location.
#[derive(Debug, Clone)]
pub(super) struct Found<T> {
    pub(super) value: T,
    pub(super) at: Location,
}

struct Entry<'t> {
    place: Place,
    value: Spanned<DeValue<'t>>,
}

/// One table of the document.
pub(super) struct Section<'d, 't> {
    document: &'d Document<'t>,
    path: Vec<String>,
    /// Its name in messages: `[node]`, `[[uses]] placement`.
    name: String,
    place: Place,
    entries: BTreeMap<String, Entry<'t>>,
    known: Vec<&'static str>,
}

impl<'t> Document<'t> {
    /// Parses the text. All syntax errors are reported together; nothing else is checked then.
    pub(super) fn parse(
        file: &str,
        text: &'t str,
        overlay: &'t Overlay,
    ) -> Result<(Self, DeTable<'t>), ConfigError> {
        let document = Self {
            file: file.to_owned(),
            line_ends: line_ends(text),
            overlay,
            problems: RefCell::default(),
            elsewhere: RefCell::default(),
            warnings: RefCell::default(),
        };
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let place = error.span().map_or(Place::File, |span| document.line(span.start));
            let message = error.message().lines().next().unwrap_or("not TOML").to_owned();
            document.push(place, String::new(), message, "fix the TOML syntax of this line".to_owned());
        }
        match errors.is_empty() {
            true => Ok((document, table.into_inner())),
            false => Err(document.into_error()),
        }
    }

    /// A file of rows that are read as sections; no variable overrides its values.
    pub(super) fn of_rows(file: &str, text: &str, no_overlay: &'t Overlay) -> Self {
        Self {
            file: file.to_owned(),
            line_ends: line_ends(text),
            overlay: no_overlay,
            problems: RefCell::default(),
            elsewhere: RefCell::default(),
            warnings: RefCell::default(),
        }
    }

    /// A row that begins at an offset, as a section of a list.
    pub(super) fn row<'d>(&'d self, list: &str, offset: usize, table: DeTable<'t>) -> Section<'d, 't> {
        let place = self.line(offset);
        let name = match &place {
            Place::Line(line) => format!("[[{list}]] in line {line}"),
            Place::Environment(_) | Place::File => format!("[[{list}]]"),
        };
        Section::new(self, Vec::new(), name, place, Some(table))
    }

    /// Reports a fault at an offset of the text.
    pub(super) fn problem_at(&self, offset: usize, key: &str, message: &str, remedy: &str) {
        self.push(self.line(offset), key.to_owned(), message.to_owned(), remedy.to_owned());
    }

    /// Takes over the faults of another file, behind its own.
    pub(super) fn absorb(&self, error: ConfigError) {
        self.elsewhere.borrow_mut().extend(error.problems);
    }

    pub(super) fn root<'d>(&'d self, table: DeTable<'t>) -> Section<'d, 't> {
        Section::new(self, Vec::new(), String::new(), Place::File, Some(table))
    }

    /// Reports a fault of a value.
    pub(super) fn problem(&self, at: &Location, message: impl Into<String>, remedy: impl Into<String>) {
        self.push(at.place.clone(), at.key.clone(), message.into(), remedy.into());
    }

    /// Reports a warning about a value: allowed but unwise.
    pub(super) fn warning(&self, at: &Location, message: impl Into<String>, remedy: impl Into<String>) {
        self.warnings.borrow_mut().push(ConfigProblem {
            file: self.file.clone(),
            place: at.place.clone(),
            key: at.key.clone(),
            message: message.into(),
            remedy: remedy.into(),
        });
    }

    /// Ends the reading: the value and the warnings if there was no fault.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<(T, Vec<ConfigProblem>), ConfigError> {
        for entry in self.overlay.misspelt() {
            let (section, key) = (entry.section.join(".").to_uppercase(), entry.key.to_uppercase());
            self.push(
                Place::Environment(entry.name.clone()),
                String::new(),
                "one underscore between section and key".to_owned(),
                format!("write OMADATA_{section}__{key}, or unset the variable"),
            );
        }
        for entry in self.overlay.unused() {
            self.push(
                Place::Environment(entry.name.clone()),
                format!("[{}]", entry.section.join(".")),
                "no such section".to_owned(),
                "unset the variable, or fix its name (OMADATA_<SECTION>__<KEY>; lists such as [[uses]] stay in the file)"
                    .to_owned(),
            );
        }
        match value {
            Some(value) if self.problems.borrow().is_empty() && self.elsewhere.borrow().is_empty() => {
                Ok((value, self.warnings.into_inner()))
            }
            _ => Err(self.into_error()),
        }
    }

    fn into_error(self) -> ConfigError {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| match problem.place {
            Place::File => 0,
            Place::Line(line) => line,
            Place::Environment(_) => usize::MAX,
        });
        problems.extend(self.elsewhere.into_inner());
        if problems.is_empty() {
            return ConfigError::of_file(
                &self.file,
                "could not be read",
                "compare it with federation-config/",
            );
        }
        ConfigError { problems }
    }

    fn line(&self, offset: usize) -> Place {
        Place::Line(self.line_ends.partition_point(|end| *end < offset).saturating_add(1))
    }

    fn push(&self, place: Place, key: String, message: String, remedy: String) {
        self.problems.borrow_mut().push(ConfigProblem {
            file: self.file.clone(),
            place,
            key,
            message,
            remedy,
        });
    }
}

fn line_ends(text: &str) -> Vec<usize> {
    text.match_indices('\n').map(|(at, _)| at).collect()
}

impl<'d, 't> Section<'d, 't> {
    fn new(
        document: &'d Document<'t>,
        path: Vec<String>,
        name: String,
        place: Place,
        table: Option<DeTable<'t>>,
    ) -> Self {
        let mut entries = BTreeMap::new();
        for (key, value) in table.into_iter().flatten() {
            let place = document.line(key.span().start);
            entries.insert(key.into_inner().into_owned(), Entry { place, value });
        }
        // Variables cannot name values in lists: the path is empty.
        let overlay = (!path.is_empty()).then(|| document.overlay.of(&path));
        for entry in overlay.into_iter().flatten() {
            let value = Spanned::new(0..0, DeValue::String(entry.value.clone().into()));
            entries.insert(entry.key.clone(), Entry { place: Place::Environment(entry.name.clone()), value });
        }
        Self { document, path, name, place, entries, known: Vec::new() }
    }

    /// The document that it is part of.
    pub(super) fn document(&self) -> &'d Document<'t> {
        self.document
    }

    /// Names the section in messages, once its identifier is known.
    pub(super) fn call(&mut self, id: &str) {
        if let Some((list, _)) = self.name.split_once(' ') {
            self.name = format!("{list} {id}");
        }
    }

    pub(super) fn optional<T: DeserializeOwned>(
        &mut self,
        key: &'static str,
        remedy: &str,
    ) -> Option<Found<T>> {
        self.known.push(key);
        let entry = self.entries.remove(key)?;
        let mut at = self.at(key, &entry.place);
        match decode::<T>(entry.value, matches!(entry.place, Place::Environment(_))) {
            Ok(value) => Some(Found { value, at }),
            Err((message, offset)) => {
                if let (Some(offset), Place::Line(_)) = (offset, &entry.place) {
                    at.place = self.document.line(offset);
                }
                self.document.problem(&at, message, remedy);
                None
            }
        }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    pub(super) fn required<T: DeserializeOwned>(
        &mut self,
        key: &'static str,
        remedy: &str,
    ) -> Option<Found<T>> {
        if !self.entries.contains_key(key) {
            self.known.push(key);
            let at = self.at(key, &self.place);
            self.document.problem(&at, "missing", remedy);
            return None;
        }
        self.optional(key, remedy)
    }

    /// An optional inner table.
    pub(super) fn table(&mut self, key: &'static str) -> Option<Section<'d, 't>> {
        self.known.push(key);
        let path = self.path_of(key);
        let name = self.name_of(key);
        match self.entries.remove(key) {
            None if !path.is_empty() && self.document.overlay.touches(&path) => {
                Some(Section::new(self.document, path, name, Place::File, None))
            }
            None => None,
            Some(Entry { place, value }) => match value.into_inner() {
                DeValue::Table(table) => Some(Section::new(self.document, path, name, place, Some(table))),
                _ => {
                    let at = Location { place, key: name };
                    self.document.problem(
                        &at,
                        "not a section",
                        format!("write [{key}] on a line of its own"),
                    );
                    None
                }
            },
        }
    }

    /// A required inner table.
    pub(super) fn required_table(&mut self, key: &'static str, remedy: &str) -> Option<Section<'d, 't>> {
        let present = self.entries.contains_key(key);
        let section = self.table(key);
        if section.is_none() && !present {
            let at = Location { place: self.place.clone(), key: self.name_of(key) };
            self.document.problem(&at, "missing section", remedy);
        }
        section
    }

    /// A list of tables, empty when absent.
    pub(super) fn tables(&mut self, key: &'static str) -> Vec<Section<'d, 't>> {
        self.known.push(key);
        let Some(Entry { place, value }) = self.entries.remove(key) else { return Vec::new() };
        let mut sections = Vec::new();
        let items: Vec<_> = match value.into_inner() {
            DeValue::Array(items) => items.into_iter().collect(),
            other => vec![Spanned::new(0..0, other)],
        };
        let count = items.len();
        for (index, item) in items.into_iter().enumerate() {
            let name = format!("[[{key}]] number {}", index.saturating_add(1));
            // A table outside of lists has the place of its own header.
            let place = if count > 1 { self.document.line(item.span().start) } else { place.clone() };
            match item.into_inner() {
                DeValue::Table(table) => {
                    sections.push(Section::new(self.document, Vec::new(), name, place, Some(table)));
                }
                _ => {
                    let at = Location { place, key: name };
                    self.document.problem(
                        &at,
                        "not a section",
                        format!("write [[{key}]] above each of them"),
                    );
                }
            }
        }
        sections
    }

    /// Reports a fault of the whole section.
    pub(super) fn problem(&self, message: impl Into<String>, remedy: impl Into<String>) {
        let at = Location { place: self.place.clone(), key: self.name.clone() };
        self.document.problem(&at, message, remedy);
    }

    /// Ends the outermost section without checking for unknown keys or unused variables.
    pub(super) fn skip_rest(self) {
        self.document.overlay.use_all();
    }

    /// Ends the section: every key that was not read is a fault.
    pub(super) fn close(self) {
        for (key, entry) in &self.entries {
            let at = self.at(key, &entry.place);
            let known = self.known.join(", ");
            let what = if self.name.is_empty() { "unknown section" } else { "unknown key" };
            self.document.problem(&at, what, format!("write one of {known}, or take it out"));
        }
    }

    /// The path of an inner table, for variables; empty inside a list.
    fn path_of(&self, key: &str) -> Vec<String> {
        if self.name.starts_with("[[") {
            return Vec::new();
        }
        let mut path = self.path.clone();
        path.push(key.to_owned());
        path
    }

    /// The name of an inner table in messages.
    fn name_of(&self, key: &str) -> String {
        match self.path_of(key).as_slice() {
            [] => format!("{} {key}", self.name),
            path => format!("[{}]", path.join(".")),
        }
    }

    fn at(&self, key: &str, place: &Place) -> Location {
        let key = if self.name.is_empty() { format!("[{key}]") } else { format!("{} {key}", self.name) };
        Location { place: place.clone(), key }
    }
}

/// Deserialises one value; the error is the fault and, if known, its byte offset in the text. Text from the environment
/// may also spell a number, a boolean or a list as in TOML.
fn decode<T: DeserializeOwned>(
    value: Spanned<DeValue<'_>>,
    from_environment: bool,
) -> Result<T, (String, Option<usize>)> {
    let first = match T::deserialize(value.clone().into_deserializer()) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    if from_environment
        && let Some(text) = value.get_ref().as_str()
        && let Ok(parsed) = DeValue::parse(text)
        && !parsed.get_ref().is_str()
        && let Ok(value) = T::deserialize(parsed.into_deserializer())
    {
        return Ok(value);
    }
    let message = first.message().lines().next().unwrap_or("not understood").trim_end().to_owned();
    Err((message, first.span().map(|span| span.start).filter(|start| *start > 0)))
}
