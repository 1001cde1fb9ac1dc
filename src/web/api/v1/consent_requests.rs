//! `/api/v1/consent-requests`: a service requests a resident's consent.

use actix_web::HttpResponse;
use actix_web::http::header;

use super::view::ConsentView;
use crate::node::recipient::request_consent;
use crate::node::{Problem, ProblemKind};
use crate::web::api::service_caller::ServiceCaller;
use crate::web::extract::Body;
use crate::web::problem::HttpProblem;

/// `POST /api/v1/consent-requests`.
pub(super) async fn create(caller: ServiceCaller, Body(body): Body) -> Result<HttpResponse, HttpProblem> {
    // serde's message quotes the input, which may contain a person's identifier; only the path is reported.
    let asked = serde_json::from_slice(&body).map_err(|error| {
        let detail = format!("the body does not fit at line {}, column {}", error.line(), error.column());
        Problem::with_detail(ProblemKind::BadRequest, detail)
    })?;
    let ServiceCaller { app, service } = caller;
    let held = request_consent::request_consent(&app.node, &service, asked).await?;
    let location = app.node.settings.url(&format!("/api/v1/consents/{}", held.id));
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, location))
        .json(ConsentView::new(&app, held, None)))
}
