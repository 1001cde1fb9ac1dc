//! `/api/v1/consents`: the consents of a service.

use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::view::ConsentView;
use crate::domain::consent::HeldStatus;
use crate::domain::ids::HeldConsentId;
use crate::node::recipient::{confirm_deletion, give_back, request_consent};
use crate::node::{Problem, ProblemKind};
use crate::web::App;
use crate::web::api::service_caller::ServiceCaller;
use crate::web::extract::{Id, query};
use crate::web::problem::HttpProblem;

/// `GET /api/v1/consents?state=&after=`: at most [`request_consent::LIST_PAGE`], with the URL of the next page if there
/// is one.
pub(super) async fn list(caller: ServiceCaller, request: HttpRequest) -> Result<HttpResponse, HttpProblem> {
    let ServiceCaller { app, service } = caller;
    let mut query = query(&request)?;
    let state = query
        .take("state")
        .map(|word| {
            word.parse::<HeldStatus>().map_err(|_| {
                Problem::with_detail(ProblemKind::BadRequest, "state is not one of the documented words")
            })
        })
        .transpose()?;
    let after = query
        .take("after")
        .map(|id| {
            id.parse().map_err(|_| Problem::with_detail(ProblemKind::BadRequest, "after is not a consent"))
        })
        .transpose()?;
    let page = request_consent::list(&app.node, &service, state, after).await?;
    let next = page.consents.last().filter(|_| page.more).map(|last| next_page(&app, last.id, state));
    let ids = page.consents.iter().map(|held| held.id).collect();
    let mut deletions = confirm_deletion::of_all(&app.node, ids).await?;
    let consents: Vec<_> = page
        .consents
        .into_iter()
        .map(|held| {
            let deletion = deletions.remove(&held.id);
            ConsentView::new(&app, held, deletion)
        })
        .collect();
    let mut body = json!({"consents": consents});
    if let (Some(next), Some(members)) = (next, body.as_object_mut()) {
        members.insert("next".to_owned(), json!(next));
    }
    Ok(HttpResponse::Ok().json(body))
}

/// The URL of the page after a consent.
fn next_page(app: &App, last: HeldConsentId, state: Option<HeldStatus>) -> String {
    let state = state.map(|state| format!("&state={}", state.as_str())).unwrap_or_default();
    app.node.settings.url(&format!("/api/v1/consents?after={last}{state}"))
}

/// `GET /api/v1/consents/{id}`.
pub(super) async fn show(
    caller: ServiceCaller,
    Id(id): Id<HeldConsentId>,
) -> Result<HttpResponse, HttpProblem> {
    let ServiceCaller { app, service } = caller;
    let held = request_consent::find(&app.node, &service, id).await?;
    let deletion = confirm_deletion::of_held(&app.node, held.id).await?;
    Ok(HttpResponse::Ok().json(ConsentView::new(&app, held, deletion)))
}

/// `DELETE /api/v1/consents/{id}`: gives a consent back, or cancels an undecided request.
pub(super) async fn give_back(
    caller: ServiceCaller,
    Id(id): Id<HeldConsentId>,
) -> Result<HttpResponse, HttpProblem> {
    give_back::give_back(&caller.app.node, &caller.service, id).await?;
    Ok(HttpResponse::NoContent().finish())
}
