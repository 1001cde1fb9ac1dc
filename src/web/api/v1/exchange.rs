//! `/api/v1/consents/{id}/fetch`: a service fetches data under a consent.

use actix_web::HttpResponse;
use actix_web::http::header;
use serde_json::{Value, json};

use crate::domain::ids::HeldConsentId;
use crate::node::Problem;
use crate::node::recipient::fetch_exchange;
use crate::node::recipient::fetch_exchange::{Fetched, Later};
use crate::web::api::service_caller::ServiceCaller;
use crate::web::extract::Id;
use crate::web::problem::HttpProblem;

/// `POST /api/v1/consents/{id}/fetch`.
pub(super) async fn fetch(
    caller: ServiceCaller,
    Id(id): Id<HeldConsentId>,
) -> Result<HttpResponse, HttpProblem> {
    let node = &caller.app.node;
    let fetched = match fetch_exchange::fetch_exchange(node, &caller.service, id).await? {
        Fetched::Data(fetched) => *fetched,
        Fetched::Later(Later { available_from, receipt_jws }) => {
            let secs = available_from.secs().saturating_sub(node.now().secs()).max(1);
            return Ok(HttpResponse::Accepted()
                .insert_header((header::RETRY_AFTER, secs.to_string()))
                .json(json!({"availableFrom": available_from.rfc3339(), "receiptJws": receipt_jws})));
        }
    };
    let receipt: Value = serde_json::to_value(&fetched.receipt).map_err(Problem::from)?;
    let mut answer = json!({
        "data": fetched.records,
        "receipt": receipt,
        "receiptJws": fetched.receipt_jws,
    });
    if let Some(members) = answer.as_object_mut().filter(|_| !fetched.about.is_empty()) {
        members.insert("about".to_owned(), json!(fetched.about));
    }
    Ok(HttpResponse::Ok().json(answer))
}
