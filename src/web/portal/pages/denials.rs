//! `/me/denials`: what the resident has refused, for good or for a while.

use actix_web::{HttpRequest, HttpResponse, web};

use super::page::{Page, PageProblem};
use crate::domain::consent::{DenialKind, StandingDenial};
use crate::domain::ids::DenialId;
use crate::node::holder::decision::deny_requests;
use crate::node::{Problem, ProblemKind};
use crate::web::App;
use crate::web::extract::{FormParameters, query};
use crate::web::portal::Notice;
use crate::web::portal::views::{DeniableDataset, DenialEntry, DenialsView, DeniedWhat};

/// `GET /me/denials`.
pub(super) async fn show(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let resident = page.resident()?;
    let mut query = query(&request).map_err(|problem| page.problem(problem.0))?;
    let notices = match query.take("notice").as_deref() {
        Some("added") => vec![Notice::DenialAdded],
        Some("removed") => vec![Notice::DenialRemoved],
        _ => Vec::new(),
    };
    let denials = deny_requests::list(&app.node, &resident).await.map_err(|problem| page.problem(problem))?;
    let refused =
        |id: &str| denials.iter().any(|denial| denial.kind == DenialKind::Dataset && denial.target == id);
    let view = DenialsView {
        datasets: app
            .node
            .settings
            .datasets
            .iter()
            .filter(|dataset| !refused(dataset.id.as_str()))
            .map(|dataset| DeniableDataset { id: dataset.id.to_string(), title: dataset.title.clone() })
            .collect(),
        denials: denials.iter().map(entry).collect(),
    };
    page.show_with(&view, notices, None)
}

fn entry(denial: &StandingDenial) -> DenialEntry {
    DenialEntry {
        id: denial.id,
        what: match denial.kind {
            DenialKind::Partner => DeniedWhat::City,
            DenialKind::Use => DeniedWhat::Use,
            DenialKind::Dataset => DeniedWhat::Data,
        },
        name: denial.name.clone(),
        since: denial.created_at,
        until: denial.until,
    }
}

/// `POST /me/denials`: refuses something for good.
pub(super) async fn add(
    app: web::Data<App>,
    request: HttpRequest,
    FormParameters(mut form): FormParameters,
) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let fail = |problem| page.problem(problem);
    let resident = page.sender(form.take("csrf").as_deref())?;
    let bad = || fail(Problem::new(ProblemKind::BadRequest));
    let kind = form.take("kind").and_then(|word| word.parse::<DenialKind>().ok()).ok_or_else(bad)?;
    let target = form.take("target").ok_or_else(bad)?;
    deny_requests::add(&app.node, &resident, kind, &target).await.map_err(fail)?;
    Ok(page.redirect("/me/denials?notice=added"))
}

/// `POST /me/denials/{id}/remove`: lets it be asked again.
pub(super) async fn remove(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
    FormParameters(mut form): FormParameters,
) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let fail = |problem| page.problem(problem);
    let resident = page.sender(form.take("csrf").as_deref())?;
    let id: DenialId = id.parse().map_err(|_| fail(Problem::new(ProblemKind::NotFound)))?;
    deny_requests::remove(&app.node, &resident, id).await.map_err(fail)?;
    Ok(page.redirect("/me/denials?notice=removed"))
}
