//! Passkeys: which there are, a new one, and the page on which one signs a decision. The only pages with a script,
//! because browsers offer passkeys to scripts alone.

use actix_web::{HttpRequest, HttpResponse, web};

use super::decision;
use super::decision::{form_targets, parse};
use super::login::is_own_path;
use super::page::{Page, PageProblem};
use crate::domain::ids::PasskeyId;
use crate::node::holder::decision::sign_with_passkey;
use crate::node::resident::log_in;
use crate::node::resident::log_in::LoginRequirement;
use crate::node::resident::register_passkey;
use crate::node::{Problem, ProblemKind};
use crate::web::App;
use crate::web::extract::{FormParameters, query};
use crate::web::portal::Notice;
use crate::web::portal::pages::view_models;
use crate::web::portal::views::{ConfirmPasskeyView, NewPasskeyView, PasskeyItem, PasskeysView};
use crate::web::session::PostLogin;

/// `GET /me/passkeys`.
pub(super) async fn list(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let resident = page.resident()?;
    let mut query = query(&request).map_err(|problem| page.problem(problem.0))?;
    let notices = match query.take("notice").as_deref() {
        Some("added") => vec![Notice::PasskeyAdded],
        Some("removed") => vec![Notice::PasskeyRemoved],
        _ => Vec::new(),
    };
    let kept = register_passkey::list(&app.node, &resident).await.map_err(|problem| page.problem(problem))?;
    let passkeys = kept
        .into_iter()
        .map(|kept| PasskeyItem {
            id: kept.id,
            label: kept.passkey.label,
            created_at: kept.created_at,
            last_used_at: kept.last_used_at,
        })
        .collect();
    page.show_with(&PasskeysView { passkeys }, notices, None)
}

/// `GET /me/passkeys/new?return_to=`: first the login that registering needs, then the page that asks the browser.
pub(super) async fn new(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let fail = |problem| page.problem(problem);
    let resident = page.resident()?;
    if !register_passkey::may_register(&app.node, &resident) {
        let demand =
            LoginRequirement { nonce: None, known: register_passkey::demand(&app.node), step_up: true };
        let (location, pending) = log_in::begin(&app.node, demand, page.language).await.map_err(fail)?;
        page.visitor.save_pending_login(pending, PostLogin::Open(page.path())).map_err(fail)?;
        return Ok(page.redirect(location.as_str()));
    }
    let mut query = query(&request).map_err(|problem| fail(problem.0))?;
    let return_to = query.take("return_to").filter(|path| is_own_path(path));
    let (options, registering) = register_passkey::begin(&app.node, &resident).await.map_err(fail)?;
    page.visitor.register(&registering).map_err(fail)?;
    // Back to a decision, which may ask for a stronger login yet.
    let targets = return_to.is_some().then(|| form_targets(&page));
    page.show_with_script(&NewPasskeyView { options, return_to: return_to.unwrap_or_default() }, targets)
}

/// `POST /me/passkeys`: the browser's answer.
pub(super) async fn register(
    app: web::Data<App>,
    request: HttpRequest,
    FormParameters(mut form): FormParameters,
) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let fail = |problem| page.problem(problem);
    let resident = page.sender(form.take("csrf").as_deref())?;
    let registering = page.visitor.registered().map_err(fail)?;
    let (label, answer) = (form.take("label").unwrap_or_default(), form.take("answer").unwrap_or_default());
    register_passkey::finish(&app.node, &resident, &registering, &label, &answer).await.map_err(fail)?;
    let back = form.take("return_to").filter(|path| is_own_path(path));
    Ok(page.redirect(&back.unwrap_or_else(|| "/me/passkeys?notice=added".to_owned())))
}

/// `POST /me/passkeys/{id}/remove`.
pub(super) async fn remove(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
    FormParameters(mut form): FormParameters,
) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let fail = |problem| page.problem(problem);
    let resident = page.sender(form.take("csrf").as_deref())?;
    let id: PasskeyId = id.parse().map_err(|_| fail(Problem::new(ProblemKind::NotFound)))?;
    register_passkey::remove(&app.node, &resident, id).await.map_err(fail)?;
    Ok(page.redirect("/me/passkeys?notice=removed"))
}

/// `GET /consent/{request}/passkey`: a passkey signs the decision that was just made. Changes nothing.
pub(super) async fn confirm(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let resident = page.resident()?;
    let id = parse(&page, &id)?;
    let to_sign =
        sign_with_passkey::begin(&app.node, &resident, id).await.map_err(|problem| page.problem(problem))?;
    let view = ConfirmPasskeyView {
        request: id,
        asker: view_models::asker(&to_sign.request),
        dataset: view_models::dataset_title(&page, &to_sign.request.terms.dataset),
        options: to_sign.options,
    };
    page.show_with_script(&view, Some(form_targets(&page)))
}

/// `POST /consent/{request}/passkey`: the passkey's signature, and on to the login provider's.
pub(super) async fn confirmed(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
    FormParameters(mut form): FormParameters,
) -> Result<HttpResponse, PageProblem> {
    let page = Page::new(&app, &request);
    let fail = |problem| page.problem(problem);
    let resident = page.sender(form.take("csrf").as_deref())?;
    let id = decision::parse(&page, &id)?;
    let answer = form.take("answer").unwrap_or_default();
    let (location, pending) =
        sign_with_passkey::finish(&app.node, &resident, id, &answer, page.language).await.map_err(fail)?;
    page.visitor.save_pending_login(pending, PostLogin::Allow(id)).map_err(fail)?;
    Ok(page.redirect(location.as_str()))
}
