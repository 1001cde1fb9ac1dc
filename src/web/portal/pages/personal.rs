//! The resident's own pages.

use actix_web::{HttpRequest, HttpResponse, web};

use super::page::{Page, PageProblem};
use crate::domain::ids::ConsentId;
use crate::node::holder::permissions::revoke_consent;
use crate::node::holder::permissions::suspend_consent;
use crate::node::holder::permissions::suspend_consent::Resumed;
use crate::node::resident::list_mine;
use crate::node::{Problem, ProblemKind};
use crate::web::App;
use crate::web::extract::{FormParameters, query};
use crate::web::portal::Notice;
use crate::web::portal::pages::view_models;
use crate::web::portal::views::{LogView, MeView, PageError, SharingView, StopView};

/// Lines of the log on the first page.
const LATEST: usize = 5;

/// Lines of a page of the log.
const PAGE_LINES: usize = 50;

/// `GET /me`.
pub(super) async fn me(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let resident = page.resident()?;
    let mine = list_mine::overview(&app.node, &resident).await.map_err(|problem| page.problem(problem))?;
    page.show(&MeView {
        waiting: mine.waiting.iter().map(|request| view_models::waiting(&page, request)).collect(),
        permissions: mine.in_force.iter().map(|permission| view_models::card(&page, permission)).collect(),
        latest: mine.log.iter().take(LATEST).map(|line| view_models::log_entry(&page, line)).collect(),
        registers: view_models::reporting(&page),
    })
}

/// `GET /me/log?page=`.
pub(super) async fn log(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let resident = page.resident()?;
    let mut query = query(&request).map_err(|problem| page.problem(problem.0))?;
    let number: usize = query.take("page").and_then(|number| number.parse().ok()).unwrap_or(0).min(1000);
    let mine = list_mine::overview(&app.node, &resident).await.map_err(|problem| page.problem(problem))?;
    let from = number.saturating_mul(PAGE_LINES);
    let more = mine.log.len() > from.saturating_add(PAGE_LINES);
    let href = |number: usize| format!("/me/log?page={number}");
    page.show(&LogView {
        entries: mine
            .log
            .iter()
            .skip(from)
            .take(PAGE_LINES)
            .map(|line| view_models::log_entry(&page, line))
            .collect(),
        registers: view_models::reporting(&page),
        newer: (number > 0).then(|| href(number.saturating_sub(1))),
        older: more.then(|| href(number.saturating_add(1))),
    })
}

/// `GET /me/sharing`.
pub(super) async fn sharing(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let resident = page.resident()?;
    let mine = list_mine::overview(&app.node, &resident).await.map_err(|problem| page.problem(problem))?;
    page.show(&SharingView {
        in_force: mine.in_force.iter().map(|permission| view_models::card(&page, permission)).collect(),
        ended: mine.ended.iter().map(|permission| view_models::card(&page, permission)).collect(),
    })
}

/// `GET /me/sharing/{id}`.
pub(super) async fn permission(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let resident = page.resident()?;
    let mut query = query(&request).map_err(|problem| page.problem(problem.0))?;
    let notices = match query.take("notice").as_deref() {
        Some("stopped") => vec![Notice::PermissionStopped],
        Some("had-ended") => vec![Notice::PermissionHadEnded],
        Some("paused") => vec![Notice::PermissionPaused],
        Some("resumed") => vec![Notice::PermissionResumed],
        Some("not-resumed") => vec![Notice::PermissionNotResumed],
        _ => Vec::new(),
    };
    let id = parse(&page, &id)?;
    let detail =
        list_mine::permission(&app.node, &resident, id).await.map_err(|problem| page.problem(problem))?;
    page.show_with(&view_models::permission(&page, &detail), notices, None)
}

/// `GET /me/sharing/{id}/stop`: what stopping does and cannot undo. Changes nothing.
pub(super) async fn stop(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let resident = page.resident()?;
    let id = parse(&page, &id)?;
    let detail =
        list_mine::permission(&app.node, &resident, id).await.map_err(|problem| page.problem(problem))?;
    let card = view_models::card(&page, &detail.permission);
    if !card.status.can_be_stopped() {
        return Err(page.trouble(PageError::PermissionEnded));
    }
    page.show(&StopView { card, retention: detail.permission.consent.terms.retention.to_string() })
}

/// `POST /me/sharing/{id}/stop`: stops it. The answer leaves after the change is durable.
pub(super) async fn confirm_stop(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
    FormParameters(mut form): FormParameters,
) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let resident = page.sender(form.take("csrf").as_deref())?;
    let id = parse(&page, &id)?;
    let changed =
        revoke_consent::revoke(&app.node, &resident, id).await.map_err(|problem| page.problem(problem))?;
    let notice = if changed { "stopped" } else { "had-ended" };
    Ok(page.redirect(&format!("/me/sharing/{id}?notice={notice}")))
}

/// `POST /me/sharing/{id}/pause`: holds it back. The answer leaves after the change is durable.
pub(super) async fn pause(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
    FormParameters(mut form): FormParameters,
) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let resident = page.sender(form.take("csrf").as_deref())?;
    let id = parse(&page, &id)?;
    let changed =
        suspend_consent::pause(&app.node, &resident, id).await.map_err(|problem| page.problem(problem))?;
    let notice = if changed { "?notice=paused" } else { "" };
    Ok(page.redirect(&format!("/me/sharing/{id}{notice}")))
}

/// `POST /me/sharing/{id}/resume`: lets it go on.
pub(super) async fn resume(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
    FormParameters(mut form): FormParameters,
) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let resident = page.sender(form.take("csrf").as_deref())?;
    let id = parse(&page, &id)?;
    let resumed =
        suspend_consent::resume(&app.node, &resident, id).await.map_err(|problem| page.problem(problem))?;
    let notice = match resumed {
        Resumed::Yes => "?notice=resumed",
        Resumed::UseDoesNotFit => "?notice=not-resumed",
        Resumed::WasNotSuspended => "",
    };
    Ok(page.redirect(&format!("/me/sharing/{id}{notice}")))
}

fn parse(page: &Page, id: &str) -> Result<ConsentId, PageProblem> {
    id.parse().map_err(|_| page.problem(Problem::new(ProblemKind::NotFound)))
}
