//! `/api/v1/uses`: a service reports uses of residents' data, and may withhold one for a time.

use actix_web::HttpResponse;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::clock::Timestamp;
use crate::domain::ids::HidingId;
use crate::node::services::hide_uses::{self, Hiding};
use crate::node::services::report_uses;
use crate::node::{Problem, ProblemKind};
use crate::web::api::service_caller::ServiceCaller;
use crate::web::extract::{Body, Id};
use crate::web::problem::HttpProblem;

/// `POST /api/v1/uses`.
pub(super) async fn report(caller: ServiceCaller, Body(body): Body) -> Result<HttpResponse, HttpProblem> {
    // serde's message quotes the input, which contains persons' identifiers; only the place is reported.
    let uses = serde_json::from_slice(&body).map_err(|error| {
        let detail = format!("the body does not fit at line {}, column {}", error.line(), error.column());
        Problem::with_detail(ProblemKind::BadRequest, detail)
    })?;
    let done = report_uses::report(&caller.app.node, &caller.service, uses).await?;
    let hidings: Vec<Value> =
        done.hidings.iter().map(|(index, id)| json!({"index": index, "id": id})).collect();
    let body = json!({"recorded": done.recorded, "known": done.known, "hidings": hidings});
    Ok(HttpResponse::Ok().json(body))
}

/// `GET /api/v1/uses/hidings`: the proposals that wait for a confirmation.
pub(super) async fn hidings(caller: ServiceCaller) -> Result<HttpResponse, HttpProblem> {
    let waiting = hide_uses::waiting(&caller.app.node, &caller.service).await?;
    let hidings: Vec<Value> = waiting
        .iter()
        .map(|(hiding, used)| {
            let mut view = view(hiding);
            if let Some(members) = view.as_object_mut() {
                members.insert("use".to_owned(), json!(used.activity));
                let period = json!({"from": used.used_from.rfc3339(), "to": used.used_to.rfc3339()});
                members.insert("usagePeriod".to_owned(), period);
            }
            view
        })
        .collect();
    Ok(HttpResponse::Ok().json(json!({"hidings": hidings})))
}

/// `POST /api/v1/uses/hidings/{id}/confirm`.
pub(super) async fn confirm(
    caller: ServiceCaller,
    Id(id): Id<HidingId>,
) -> Result<HttpResponse, HttpProblem> {
    let hiding = hide_uses::confirm(&caller.app.node, &caller.service, id).await?;
    Ok(HttpResponse::Ok().json(view(&hiding)))
}

/// The body of a later end.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Later {
    /// RFC 3339.
    hidden_until: String,
}

/// `POST /api/v1/uses/hidings/{id}/extend`.
pub(super) async fn extend(
    caller: ServiceCaller,
    Id(id): Id<HidingId>,
    Body(body): Body,
) -> Result<HttpResponse, HttpProblem> {
    let unfit = || Problem::with_detail(ProblemKind::BadRequest, "hiddenUntil is a date and time (RFC 3339)");
    let later: Later = serde_json::from_slice(&body).map_err(|_| unfit())?;
    let until: Timestamp = later.hidden_until.parse().map_err(|_| unfit())?;
    let hiding = hide_uses::extend(&caller.app.node, &caller.service, id, until).await?;
    Ok(HttpResponse::Created().json(view(&hiding)))
}

fn view(hiding: &Hiding) -> Value {
    json!({
        "id": hiding.id,
        "reason": hiding.reason,
        "hiddenUntil": hiding.until.rfc3339(),
        "proposedBy": hiding.proposed_by,
        "proposedAt": hiding.proposed_at.rfc3339(),
        "confirmedBy": hiding.confirmed.as_ref().map(|(by, _)| by),
        "confirmedAt": hiding.confirmed.as_ref().map(|(_, at)| at.rfc3339()),
    })
}
