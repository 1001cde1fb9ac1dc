//! Environment variables that override values of the file: `OMADATA_<SECTION>__<KEY>`.

use std::cell::Cell;

/// Variables that override a configuration. They name sections that are one table, not lists of tables.
#[derive(Debug, Default)]
pub struct Overlay {
    entries: Vec<Entry>,
    /// Variables that lack the second underscore between section and key.
    misspelt: Vec<Entry>,
}

/// The sections that variables can name.
const SECTIONS: [&str; 16] = [
    "anchor",
    "contact",
    "data_protection_officer",
    "federation",
    "hidden_uses",
    "keys",
    "limits",
    "login",
    "node",
    "node_brand",
    "outbound",
    "record_of_processing",
    "retention",
    "store",
    "subordinates",
    "trust_marks",
];

/// A value with its section and key, in lower case.
#[derive(Debug)]
pub(super) struct Entry {
    /// Name of the variable, or of the caller's override.
    pub(super) name: String,
    /// Path of the section (`node`, `brand`).
    pub(super) section: Vec<String>,
    pub(super) key: String,
    /// The value as text.
    pub(super) value: String,
    used: Cell<bool>,
}

impl Overlay {
    /// Without any value.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Every `OMADATA_<SECTION>__<KEY>` of the process. A variable without two consecutive underscores is a fault when
    /// it begins with the name of a section; otherwise it is ignored.
    #[must_use]
    pub(crate) fn from_environment() -> Self {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self::from_variables(variables)
    }

    /// The same from any list of variables.
    #[must_use]
    pub(crate) fn from_variables(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut overlay = Self::none();
        for (name, value) in variables {
            let Some(path) = name.strip_prefix("OMADATA_") else { continue };
            if !path.contains("__") {
                overlay.misspelt.extend(misspelt(&name, path));
                continue;
            }
            let mut section: Vec<String> = path.split("__").map(str::to_ascii_lowercase).collect();
            let Some(key) = section.pop() else { continue };
            overlay.entries.push(Entry { name, section, key, value, used: Cell::new(false) });
        }
        overlay.entries.sort_by(|a, b| a.name.cmp(&b.name));
        overlay.misspelt.sort_by(|a, b| a.name.cmp(&b.name));
        overlay
    }

    /// Adds one value set by the program itself.
    #[must_use]
    pub(crate) fn with(mut self, section: &str, key: &str, value: impl Into<String>) -> Self {
        self.entries.retain(|entry| !(entry.section == [section] && entry.key == key));
        self.entries.push(Entry {
            name: format!("OMADATA_{}__{}", section.to_uppercase(), key.to_uppercase()),
            section: vec![section.to_owned()],
            key: key.to_owned(),
            value: value.into(),
            used: Cell::new(false),
        });
        self
    }

    /// Returns the values for one section and marks them as used.
    pub(super) fn of<'o>(&'o self, section: &'o [String]) -> impl Iterator<Item = &'o Entry> {
        self.entries
            .iter()
            .filter(move |entry| entry.section == section)
            .inspect(|entry| entry.used.set(true))
    }

    /// Whether there is any value for a section or one inside it.
    pub(super) fn touches(&self, section: &[String]) -> bool {
        self.entries.iter().any(|entry| entry.section.starts_with(section))
    }

    /// Marks every value as used.
    pub(super) fn use_all(&self) {
        self.entries.iter().for_each(|entry| entry.used.set(true));
    }

    /// The variables that lack an underscore.
    pub(super) fn misspelt(&self) -> impl Iterator<Item = &Entry> {
        self.misspelt.iter()
    }

    /// The values that no section used.
    pub(super) fn unused(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| !entry.used.get())
    }
}

/// `NODE_LISTEN`: a section and a key with one underscore in between.
fn misspelt(name: &str, path: &str) -> Option<Entry> {
    let path = path.to_ascii_lowercase();
    let section = SECTIONS.into_iter().filter(|section| {
        path.strip_prefix(section).is_some_and(|rest| rest.starts_with('_') && rest.len() > 1)
    });
    let section = section.max_by_key(|section| section.len())?;
    let key = path.get(section.len().checked_add(1)?..)?.to_owned();
    Some(Entry {
        name: name.to_owned(),
        section: vec![section.replace("node_brand", "node__brand")],
        key,
        value: String::new(),
        used: Cell::new(false),
    })
}
