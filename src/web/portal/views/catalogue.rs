//! `/catalogue`: what data this city holds, who uses it and why.

use crate::domain::catalogue::{Dataset, Language, Sensitivity, Text};
use crate::domain::ids::{DatasetId, UseId};

/// A declared use of a dataset by a service of some city.
#[derive(Debug, Clone)]
pub struct DatasetUse {
    /// The use; the link leads to `/partners/use?id=…`.
    pub id: UseId,
    /// The city that uses it.
    pub city: Text,
    /// The service that uses it.
    pub service: Text,
    /// What for, in one sentence.
    pub purpose: Text,
    /// On which basis, a DPV term.
    pub legal_basis: String,
}

/// One dataset in the list.
#[derive(Debug, Clone)]
pub struct CatalogueEntry {
    /// Which one.
    pub id: DatasetId,
    /// What people call it.
    pub title: Text,
    /// One or two sentences about it.
    pub description: Text,
    /// What people call the register.
    pub register: Text,
    /// What people call its fields.
    pub fields: Vec<Text>,
    /// Whether some of it is sensitive.
    pub sensitive: bool,
    /// On which basis the city itself uses it, DPV terms.
    pub legal_bases: Vec<String>,
    /// Who else may ask for it.
    pub uses: Vec<DatasetUse>,
}

impl CatalogueEntry {
    /// The entry of a dataset.
    #[must_use]
    pub fn new(dataset: &Dataset, uses: Vec<DatasetUse>) -> Self {
        Self {
            id: dataset.id.clone(),
            title: dataset.title.clone(),
            description: dataset.description.clone(),
            register: dataset.register.clone(),
            fields: dataset.fields.iter().map(|field| field.label.clone()).collect(),
            sensitive: dataset.fields.iter().any(|field| field.sensitivity == Sensitivity::Sensitive),
            legal_bases: dataset.legal_bases.clone(),
            uses,
        }
    }

    /// Whether every word of a search occurs in the entry's texts, whatever the case. No words match everything.
    #[must_use]
    pub fn matches(&self, query: &str, language: Language) -> bool {
        let own = [&self.title, &self.description, &self.register];
        let uses = self.uses.iter().flat_map(|used| [&used.city, &used.service, &used.purpose]);
        let mut all = String::new();
        for text in own.into_iter().chain(&self.fields).chain(uses) {
            all.push_str(&text.get(language).to_lowercase());
            all.push('\n');
        }
        query.to_lowercase().split_whitespace().all(|word| all.contains(word))
    }
}

/// The list of datasets.
#[derive(Debug, Clone)]
pub struct CatalogueView {
    /// What was searched for, as written; empty when nothing was.
    pub query: String,
    /// The datasets that match.
    pub entries: Vec<CatalogueEntry>,
    /// Cities whose uses could not be read just now.
    pub unreachable: Vec<Text>,
}

page!(CatalogueView, "catalogue.html", Some(Section::Catalogue));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::portal::samples;

    #[test]
    fn a_search_finds_titles_fields_and_uses_in_the_language_of_the_page() {
        let entry = &samples::catalogue().entries[0];
        assert!(entry.matches("", Language::Fi));
        assert!(entry.matches("PLACEMENT", Language::En));
        assert!(entry.matches("placement helsinki", Language::En));
        assert!(!entry.matches("placement parking", Language::En));
        assert!(!entry.matches("placement", Language::Fi));
    }
}
