//! The pages that anyone may read: what this is, the catalogue, the partners, what problems mean.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};

use super::decision::form_targets;
use super::page::{Page, PageProblem};
use crate::domain::catalogue::rdf::{self, Format, Publisher};
use crate::domain::catalogue::schema::record_schema;
use crate::domain::catalogue::{Dataset, DeclaredUses};
use crate::domain::ids::{DatasetId, UseId};
use crate::node::{Problem, ProblemKind};
use crate::web::App;
use crate::web::extract::query;
use crate::web::html::assets::{ICON, PASSKEY_SCRIPT, STYLESHEET};
use crate::web::portal::pages::view_models;
use crate::web::portal::views::{
    CatalogueEntry, CatalogueView, DatasetView, FormatLink, HomeView, ProblemTopic, ProblemView,
};

/// `GET /`.
pub(super) async fn home(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let members = app.node.peers.members().await.unwrap_or_default();
    page.show(&HomeView { cities: view_models::cities(&page, &members) })
}

/// `GET /assets/omadata.css`.
pub(super) async fn stylesheet() -> HttpResponse {
    css(STYLESHEET.to_owned())
}

/// `GET /assets/city.css`.
pub(super) async fn city_stylesheet(app: web::Data<App>) -> HttpResponse {
    css(app.brand.css.clone())
}

/// `GET /assets/passkey.js`: the only script, on the pages that ask the browser for a passkey.
pub(super) async fn passkey_script() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/javascript; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .body(PASSKEY_SCRIPT)
}

/// `GET /assets/icon.svg`.
pub(super) async fn icon() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "image/svg+xml"))
        .insert_header((header::CACHE_CONTROL, "public, max-age=86400"))
        .body(ICON)
}

/// `GET /assets/logo`: the city's own.
pub(super) async fn logo(app: web::Data<App>) -> HttpResponse {
    match &app.brand.logo {
        Some((media_type, bytes)) => HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, *media_type))
            .insert_header((header::CACHE_CONTROL, "public, max-age=3600"))
            .body(bytes.clone()),
        None => HttpResponse::NotFound().finish(),
    }
}

fn css(text: String) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/css; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .body(text)
}

/// `GET /catalogue`: HTML for people, DCAT-AP 3 for programs.
pub(super) async fn catalogue(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    if let Some(format) = wanted(&request) {
        let datasets: Vec<&Dataset> = app.node.settings.datasets.iter().collect();
        let document = rdf::catalogue(&publisher(&app), &datasets, format);
        return graph(&page, document, format);
    }
    let mut parameters = query(&request).map_err(|problem| page.problem(problem.0))?;
    let search = parameters.take("q").unwrap_or_default();
    let uses = view_models::all_uses(&page).await;
    let entries = app
        .node
        .settings
        .datasets
        .iter()
        .map(|dataset| CatalogueEntry::new(dataset, uses.of(dataset)))
        .filter(|entry| entry.matches(&search, page.language))
        .collect();
    page.show(&CatalogueView { query: search, entries, unreachable: uses.unreachable })
}

/// `GET /catalogue/datasets/{id}`.
pub(super) async fn dataset(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let dataset = find(&page, &id)?;
    if let Some(format) = wanted(&request) {
        return graph(&page, rdf::dataset(&publisher(&app), &dataset, format), format);
    }
    let href = |name: &str| format!("/catalogue/datasets/{}?format={name}", dataset.id);
    let mut formats: Vec<FormatLink> = [("JSON-LD", "jsonld"), ("Turtle", "ttl"), ("RDF/XML", "rdf")]
        .map(|(name, word)| FormatLink { name, href: href(word) })
        .into();
    formats
        .push(FormatLink { name: "JSON Schema", href: format!("/catalogue/datasets/{}/schema", dataset.id) });
    let uses = view_models::all_uses(&page).await.of(&dataset);
    page.show(&DatasetView { dataset, uses, formats })
}

/// `GET /catalogue/datasets/{id}/schema`: the JSON Schema of a record.
pub(super) async fn schema(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let dataset = find(&page, &id)?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=60"))
        .content_type("application/schema+json")
        .body(record_schema(&dataset).to_string()))
}

fn find(page: &Page, id: &str) -> Result<Dataset, PageProblem> {
    let unknown = || page.problem(Problem::new(ProblemKind::NotFound));
    let id: DatasetId = id.parse().map_err(|_| unknown())?;
    page.app.node.settings.dataset(&id).cloned().ok_or_else(unknown)
}

/// The RDF form that a program asks for; none when HTML is wanted.
fn wanted(request: &HttpRequest) -> Option<Format> {
    let by_name = url::form_urlencoded::parse(request.query_string().as_bytes())
        .find(|(name, _)| name == "format")
        .and_then(|(_, word)| match &*word {
            "jsonld" => Some(Format::JsonLd),
            "ttl" => Some(Format::Turtle),
            "rdf" => Some(Format::RdfXml),
            _ => None,
        });
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    by_name.or_else(|| {
        accept.split(',').map(|part| part.split(';').next().unwrap_or_default().trim()).find_map(|part| {
            match part {
                "text/html" | "application/xhtml+xml" => Some(None),
                "application/json" => Some(Some(Format::JsonLd)),
                other => {
                    let format = Format::ALL.into_iter().find(|format| format.media_type() == other);
                    format.map(Some)
                }
            }
        })?
    })
}

fn publisher(app: &App) -> Publisher {
    Publisher {
        node: app.node.settings.id.clone(),
        name: app.node.settings.name.clone(),
        contact: app.brand.contact.clone(),
    }
}

fn graph(
    page: &Page,
    document: Result<Vec<u8>, rdf::RdfError>,
    format: Format,
) -> Result<HttpResponse, PageProblem> {
    let document = document.map_err(|error| page.problem(Problem::because(ProblemKind::Internal, error)))?;
    Ok(HttpResponse::Ok()
        .content_type(format.media_type())
        .insert_header((header::CACHE_CONTROL, "public, max-age=60"))
        .insert_header((header::VARY, "accept"))
        .body(document))
}

/// `GET /catalogue/uses`: this city's declared uses, for the other nodes.
pub(super) async fn uses(app: web::Data<App>) -> HttpResponse {
    let settings = &app.node.settings;
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "public, max-age=60")).json(DeclaredUses {
        recipient: settings.id.clone(),
        name: settings.name.clone(),
        uses: settings.uses.clone(),
    })
}

/// `GET /partners/use?id=`.
pub(super) async fn declared_use(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let fail = |problem| page.problem(problem);
    let mut query = query(&request).map_err(|problem| fail(problem.0))?;
    let unknown = || Problem::new(ProblemKind::NotFound);
    let id: UseId = query.take("id").and_then(|id| id.parse().ok()).ok_or_else(|| fail(unknown()))?;
    let declared = app.node.peers.declared_use(&id).await.map_err(|error| fail(error.into()))?;
    let recipient = id.recipient().parse().map_err(|_| fail(unknown()))?;
    let peer = app.node.peers.resolve(&recipient).await.map_err(|error| fail(error.into()))?;
    // Starting a permission leads to the decision, and where that asks for a stronger login on to the provider.
    let view = view_models::declared_use(&page, &declared, &peer);
    page.show_with(&view, Vec::new(), Some(form_targets(&page)))
}

/// `GET /problems/{slug}`.
pub(super) async fn problem(
    app: web::Data<App>,
    request: HttpRequest,
    slug: web::Path<String>,
) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let topic =
        ProblemTopic::from_slug(&slug).ok_or_else(|| page.problem(Problem::new(ProblemKind::NotFound)))?;
    page.show(&ProblemView { topic })
}

/// Everything else.
pub(super) async fn unknown(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, PageProblem> {
    Err(Page::new(&app, &request).problem(Problem::new(ProblemKind::NotFound)))
}
