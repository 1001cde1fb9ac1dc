//! `/api/v1/consents/{id}/deletion`: a service confirms the deletion of fetched data.

use actix_web::HttpResponse;
use serde::Deserialize;

use super::view::DeletionView;
use crate::domain::ids::HeldConsentId;
use crate::node::recipient::confirm_deletion;
use crate::node::{Problem, ProblemKind};
use crate::web::api::service_caller::ServiceCaller;
use crate::web::extract::{Body, Id};
use crate::web::problem::HttpProblem;

/// The body of a confirmation.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Deleted {
    /// When the data was deleted (RFC 3339); now when absent.
    #[serde(default)]
    deleted_at: Option<String>,
}

/// `POST /api/v1/consents/{id}/deletion`.
pub(super) async fn confirm(
    caller: ServiceCaller,
    Id(id): Id<HeldConsentId>,
    Body(body): Body,
) -> Result<HttpResponse, HttpProblem> {
    let ServiceCaller { app, service } = caller;
    let unfit = || Problem::with_detail(ProblemKind::BadRequest, "deletedAt is a date and time (RFC 3339)");
    let said: Deleted = if body.is_empty() {
        Deleted::default()
    } else {
        serde_json::from_slice(&body).map_err(|_| unfit())?
    };
    let deleted_at = said.deleted_at.map(|text| text.parse().map_err(|_| unfit())).transpose()?;
    let done = confirm_deletion::confirm_deletion(&app.node, &service, id, deleted_at).await?;
    Ok(HttpResponse::Ok().json(DeletionView::new(done, app.node.now())))
}
