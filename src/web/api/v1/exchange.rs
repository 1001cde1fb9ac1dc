//! `/api/v1/consents/{id}/fetch`: a service fetches data under a consent.

use actix_web::HttpResponse;
use serde_json::{Value, json};

use crate::domain::ids::HeldConsentId;
use crate::node::Problem;
use crate::node::recipient::fetch_exchange;
use crate::web::api::service_caller::ServiceCaller;
use crate::web::extract::Id;
use crate::web::problem::HttpProblem;

/// `POST /api/v1/consents/{id}/fetch`.
pub(super) async fn fetch(
    caller: ServiceCaller,
    Id(id): Id<HeldConsentId>,
) -> Result<HttpResponse, HttpProblem> {
    let fetched = fetch_exchange::fetch_exchange(&caller.app.node, &caller.service, id).await?;
    let receipt: Value = serde_json::to_value(&fetched.receipt).map_err(Problem::from)?;
    Ok(HttpResponse::Ok().json(json!({
        "data": fetched.records,
        "receipt": receipt,
        "receiptJws": fetched.receipt_jws,
    })))
}
