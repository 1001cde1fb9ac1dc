//! `/catalogue` and `/catalogue/datasets/{id}`: this city's datasets, their recipients and purposes. HTML for people,
//! DCAT-AP 3 and JSON Schema for programs.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};

use crate::domain::catalogue::rdf::{self, Format, Publisher};
use crate::domain::catalogue::schema::record_schema;
use crate::domain::catalogue::{Dataset, Field, Language, Leaf, Processing, Text};
use crate::domain::ids::DatasetId;
use crate::node::{Problem, ProblemKind};
use crate::web::App;
use crate::web::extract::{Id, query};
use crate::web::html::format::LegalBasis;
use crate::web::html::frame::Frame;
use crate::web::html::page;
use crate::web::made_once::MadeOf;
use crate::web::negotiate::preferred_media_type;
use crate::web::portal::page::{Page, PageResult};
use crate::web::portal::public::uses::{DatasetUse, all_uses};
use crate::web::public_document::share_for;
use crate::web::representation::Representation;

/// One dataset in the list.
#[derive(Debug, Clone)]
pub(crate) struct CatalogueEntry {
    pub(crate) id: DatasetId,
    pub(crate) title: Text,
    /// Description in one or two sentences.
    pub(crate) description: Text,
    /// Display name of the register.
    pub(crate) register: Text,
    /// Display names of its fields.
    pub(crate) fields: Vec<Text>,
    /// Whether some fields are sensitive.
    pub(crate) sensitive: bool,
    /// Legal bases of the city's own use, DPV terms.
    pub(crate) legal_bases: Vec<String>,
    /// The city's own uses.
    pub(crate) own: Vec<Processing>,
    /// Declared uses of other cities.
    pub(crate) uses: Vec<DatasetUse>,
}

impl CatalogueEntry {
    /// Fills the entry of a dataset.
    pub(crate) fn new(dataset: &Dataset, own: Vec<Processing>, uses: Vec<DatasetUse>) -> Self {
        Self {
            id: dataset.id.clone(),
            title: dataset.title.clone(),
            description: dataset.description.clone(),
            register: dataset.register.clone(),
            fields: dataset.leaves().iter().map(Leaf::label).collect(),
            sensitive: dataset.leaves().iter().any(Leaf::is_sensitive),
            legal_bases: dataset.legal_bases.clone(),
            own,
            uses,
        }
    }

    /// Whether every word of a search occurs in the entry's texts, ignoring case. An empty search matches everything.
    pub(crate) fn matches(&self, query: &str, language: Language) -> bool {
        let own = [&self.title, &self.description, &self.register];
        let uses = self.uses.iter().flat_map(|used| [&used.city, &used.service, &used.purpose]);
        let law = self.own.iter().flat_map(|one| [&one.title, &one.purpose_text, &one.law.name]);
        let mut all = String::new();
        for text in own.into_iter().chain(&self.fields).chain(law).chain(uses) {
            all.push_str(&text.get(language).to_lowercase());
            all.push('\n');
        }
        query.to_lowercase().split_whitespace().all(|word| all.contains(word))
    }
}

/// The list of datasets.
#[derive(Debug, Clone)]
pub(crate) struct CatalogueView {
    /// The search text as entered; may be empty.
    pub(crate) query: String,
    /// The datasets that match.
    pub(crate) entries: Vec<CatalogueEntry>,
    /// Cities whose declared uses could not be fetched now.
    pub(crate) unreachable: Vec<Text>,
}

/// A link to the same description for programs.
#[derive(Debug, Clone)]
pub(crate) struct FormatLink {
    /// The format's own name (`JSON-LD`).
    pub(crate) name: &'static str,
    pub(crate) href: String,
}

#[derive(Debug, Clone)]
pub(crate) struct DatasetView {
    pub(crate) dataset: Dataset,
    /// The city's own uses.
    pub(crate) own: Vec<Processing>,
    /// Declared uses of other cities.
    pub(crate) uses: Vec<DatasetUse>,
    /// The same description for programs.
    pub(crate) formats: Vec<FormatLink>,
}

/// `GET /catalogue`.
pub(crate) async fn list(page: Page) -> PageResult {
    let app = &page.app;
    if let Some(format) = requested_format(&page.request) {
        // No dataset can have this identifier.
        return graph(&page, "*", format, move |app| {
            let settings = &app.node.settings;
            let all: Vec<&Dataset> = settings.datasets.iter().collect();
            rdf::catalogue(&publisher(app), &all, &settings.processing, format)
        })
        .await;
    }
    let search = query(&page.request)?.take("q").unwrap_or_default();
    let uses = all_uses(app).await;
    let (app, language) = (app.clone(), page.language);
    page.show_kept(uses.digest()?, move || {
        let datasets = app.node.settings.datasets.iter();
        let entries = datasets
            .map(|dataset| CatalogueEntry::new(dataset, own_uses(&app, dataset), uses.of(dataset)))
            .filter(|entry| entry.matches(&search, language))
            .collect();
        CatalogueView { query: search, entries, unreachable: uses.unreachable }
    })
    .await
}

/// `GET /catalogue/datasets/{id}`.
pub(crate) async fn one(page: Page, Id(id): Id<DatasetId>) -> PageResult {
    let dataset = find(&page.app, &id)?;
    if let Some(format) = requested_format(&page.request) {
        return graph(&page, id.as_str(), format, move |app| {
            rdf::dataset(&publisher(app), &dataset, &app.node.settings.processing, format)
        })
        .await;
    }
    let href = |name: &str| format!("/catalogue/datasets/{}?format={name}", dataset.id);
    let mut formats: Vec<FormatLink> = [("JSON-LD", "jsonld"), ("Turtle", "ttl"), ("RDF/XML", "rdf")]
        .map(|(name, word)| FormatLink { name, href: href(word) })
        .into();
    formats
        .push(FormatLink { name: "JSON Schema", href: format!("/catalogue/datasets/{}/schema", dataset.id) });
    let (app, uses) = (page.app.clone(), all_uses(&page.app).await);
    page.show_kept(uses.digest()?, move || {
        let (own, uses) = (own_uses(&app, &dataset), uses.of(&dataset));
        DatasetView { dataset, own, uses, formats }
    })
    .await
}

/// `GET /catalogue/datasets/{id}/schema`: the JSON Schema of a record.
pub(crate) async fn schema(page: Page, Id(id): Id<DatasetId>) -> PageResult {
    let dataset = find(&page.app, &id)?;
    let make =
        move || Ok(Representation::new("application/schema+json", record_schema(&dataset).to_string()));
    let document = page.app.catalogue.get(&format!("schema of {id}"), MadeOf::default(), make).await?;
    Ok(document.respond(&page.request, share_for(&mut HttpResponse::Ok(), 60)))
}

/// The city's own uses of a dataset.
fn own_uses(app: &App, dataset: &Dataset) -> Vec<Processing> {
    let all = app.node.settings.processing.iter();
    all.filter(|one| one.datasets.contains(&dataset.id)).cloned().collect()
}

fn find(app: &App, id: &DatasetId) -> Result<Dataset, Problem> {
    app.node.settings.dataset(id).cloned().ok_or(Problem::new(ProblemKind::NotFound))
}

/// The requested RDF form, by the address or by `Accept`; `None` for HTML, or an unknown form.
fn requested_format(request: &HttpRequest) -> Option<Format> {
    let by_name = url::form_urlencoded::parse(request.query_string().as_bytes())
        .find(|(name, _)| name == "format")
        .and_then(|(_, word)| match &*word {
            "jsonld" => Some(Format::JsonLd),
            "ttl" => Some(Format::Turtle),
            "rdf" => Some(Format::RdfXml),
            _ => None,
        });
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    by_name.or_else(|| format_of(accept))
}

fn format_of(accept: &str) -> Option<Format> {
    let mut offered = vec!["text/html", "application/xhtml+xml"];
    offered.extend(Format::ALL.map(Format::media_type));
    offered.push("application/json");
    match preferred_media_type(accept, &offered)? {
        "application/json" => Some(Format::JsonLd),
        chosen => Format::ALL.into_iter().find(|format| format.media_type() == chosen),
    }
}

fn publisher(app: &App) -> Publisher {
    Publisher {
        node: app.node.settings.id.clone(),
        name: app.node.settings.name.clone(),
        contact: app.brand.contact.clone(),
    }
}

/// A description for programs. It is made of the configuration alone.
async fn graph(
    page: &Page,
    what: &str,
    format: Format,
    write: impl FnOnce(&App) -> Result<Vec<u8>, rdf::RdfError> + Send + 'static,
) -> PageResult {
    let (app, media_type) = (web::Data::clone(&page.app), format.media_type());
    let make = move || {
        let document = write(&app).map_err(|error| Problem::because(ProblemKind::Internal, error))?;
        Ok(Representation::new(media_type, document))
    };
    let name = format!("{media_type} of {what}");
    let document = page.app.catalogue.get(&name, MadeOf::default(), make).await?;
    let mut response = HttpResponse::Ok();
    share_for(&mut response, 60).insert_header((header::VARY, "accept"));
    Ok(document.respond(&page.request, &mut response))
}

impl Frame<'_> {
    pub(crate) fn is_sensitive(&self, field: &Field) -> bool {
        field.is_sensitive()
    }

    pub(crate) fn has_sensitive(&self, dataset: &Dataset) -> bool {
        dataset.leaves().iter().any(Leaf::is_sensitive)
    }

    /// Whether the city holds and uses the data by law alone: not by contract, not by permission.
    pub(crate) fn rests_on_law(&self, terms: &[String], own: &[Processing]) -> bool {
        let on_law = |term: &String| {
            matches!(LegalBasis::from_term(term), LegalBasis::LegalObligation | LegalBasis::PublicTask)
        };
        !terms.is_empty() && terms.iter().chain(own.iter().map(|one| &one.legal_basis)).all(on_law)
    }
}

page!(CatalogueView, "catalogue.html", Catalogue);

page!(DatasetView, "dataset.html", Catalogue);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::portal::public::samples;

    #[test]
    fn programs_get_the_form_that_they_weigh_most() {
        for (accept, format) in [
            ("", None),
            ("*/*", None),
            ("text/html,application/xhtml+xml,*/*;q=0.8", None),
            ("text/turtle", Some(Format::Turtle)),
            ("Text/Turtle;q=0.5, application/rdf+xml;q=0.9", Some(Format::RdfXml)),
            ("application/ld+json, text/turtle;q=0", Some(Format::JsonLd)),
            ("application/json", Some(Format::JsonLd)),
            ("text/turtle;q=0.2, text/html", None),
        ] {
            assert_eq!(format_of(accept), format, "{accept:?}");
        }
    }

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
