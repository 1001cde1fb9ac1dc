//! The API with which a city's services call their own node. JSON; problems as RFC 9457.

use actix_web::http::header;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::domain::clock::{Day, Timestamp};
use crate::domain::consent::held::WAIT_SECS;
use crate::domain::consent::{GrantAction, HeldConsent, HeldStatus, Period};
use crate::domain::ids::{HeldConsentId, UseId};
use crate::node::maintenance::REMINDER_SECS;
use crate::node::recipient::confirm_deletion::Deletion;
use crate::node::recipient::{confirm_deletion, fetch_exchange, give_back, request_consent};
use crate::node::services::authenticate_service;
use crate::node::{OAuthCode, Problem, ProblemKind};
use crate::web::App;
use crate::web::extract::{CallingService, FormParameters, query, single_header};
use crate::web::problem::HttpProblem;

/// Registers the endpoints.
pub fn configure(config: &mut ServiceConfig) {
    config
        .route("/api/v1/token", web::post().to(token))
        .route("/api/v1/consent-requests", web::post().to(create))
        .route("/api/v1/consents", web::get().to(list))
        .route("/api/v1/consents/{id}", web::get().to(show))
        .route("/api/v1/consents/{id}", web::delete().to(give_back))
        .route("/api/v1/consents/{id}/deletion", web::post().to(deletion))
        .route("/api/v1/consents/{id}/fetch", web::post().to(fetch));
}

/// A consent as a service sees it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ConsentView {
    id: HeldConsentId,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    origin: &'static str,
    holder: String,
    dataset: String,
    #[serde(rename = "use")]
    declared_use: UseId,
    fields: Vec<String>,
    times: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    per: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    period: Option<Period>,
    retention: String,
    until: Day,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaces: Option<HeldConsentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extends: Option<HeldConsentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    case_reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_url: Option<String>,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    /// The last day is near, and nothing goes on by itself after it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    ends_soon: bool,
    /// What is to be deleted of what was fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion: Option<DeletionView>,
}

/// How it stands with the deletion of fetched data.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeletionView {
    state: &'static str,
    fetched_at: String,
    due_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed_at: Option<String>,
}

impl DeletionView {
    fn new(deletion: Deletion, now: Timestamp) -> Self {
        let state = match deletion.confirmed_at {
            Some(_) => "confirmed",
            None if deletion.due_at <= now => "overdue",
            None => "due",
        };
        Self {
            state,
            fetched_at: deletion.fetched_at.rfc3339(),
            due_at: deletion.due_at.rfc3339(),
            deleted_at: deletion.deleted_at.map(Timestamp::rfc3339),
            confirmed_at: deletion.confirmed_at.map(Timestamp::rfc3339),
        }
    }
}

impl ConsentView {
    fn new(app: &App, held: HeldConsent, deletion: Option<Deletion>) -> Self {
        let waits = held.status() == HeldStatus::Requested;
        let now = app.node.now();
        let detail = held.life.detail().clone();
        let in_force = held.life.grant_held().is_some();
        let about = held.replaces;
        let of = |how| about.filter(|(known, _)| *known == how).map(|(_, id)| id);
        Self {
            ends_soon: in_force && detail.until.end() <= now.plus_secs(REMINDER_SECS),
            deletion: deletion.map(|deletion| DeletionView::new(deletion, now)),
            start_url: waits.then(|| app.node.settings.url(&format!("/requests/{}", held.id))),
            expires_at: waits.then(|| held.created_at.plus_secs(WAIT_SECS).rfc3339()),
            id: held.id,
            state: held.status().as_str(),
            reason: held.life.reason().map(|reason| reason.as_str().to_owned()),
            origin: held.origin.as_str(),
            holder: held.holder.to_string(),
            dataset: detail.identifier.to_string(),
            declared_use: detail.declared_use,
            fields: detail.datatypes.iter().map(ToString::to_string).collect(),
            times: detail.frequency.max,
            per: detail.frequency.per.map(String::from),
            period: detail.period,
            retention: detail.retention.to_string(),
            until: detail.until,
            replaces: of(GrantAction::Replace),
            extends: of(GrantAction::Merge),
            case_reference: held.case_reference,
            created_at: held.created_at.rfc3339(),
            updated_at: held.life.updated_at().rfc3339(),
        }
    }
}

/// `POST /api/v1/token`: client credentials with HTTP Basic (RFC 6749 §4.4, §2.3.1).
async fn token(
    app: web::Data<App>,
    request: HttpRequest,
    FormParameters(mut form): FormParameters,
) -> HttpResponse {
    let refuse = |code: OAuthCode, description: &str| {
        let mut answer = match code {
            OAuthCode::InvalidClient => HttpResponse::Unauthorized(),
            OAuthCode::TooManyRequests => HttpResponse::TooManyRequests(),
            _ => HttpResponse::BadRequest(),
        };
        if code == OAuthCode::TooManyRequests {
            answer.insert_header((header::RETRY_AFTER, "60"));
        }
        if code == OAuthCode::InvalidClient {
            answer.insert_header((header::WWW_AUTHENTICATE, "Basic realm=\"omadata\""));
        }
        answer
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .json(json!({"error": code.as_str(), "error_description": description}))
    };
    if form.take("grant_type").as_deref() != Some("client_credentials") {
        return refuse(OAuthCode::UnsupportedGrantType, "grant_type must be client_credentials");
    }
    let Some((service, secret)) = basic(&request) else {
        return refuse(OAuthCode::InvalidClient, "send the service's name and secret with HTTP Basic");
    };
    let address = request.peer_addr().map(|address| address.ip().to_string()).unwrap_or_default();
    match authenticate_service::issue(&app.node, &service, &secret, &address) {
        Ok((token, expires_in)) => HttpResponse::Ok()
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .json(json!({"access_token": token, "token_type": "Bearer", "expires_in": expires_in})),
        Err(error) => refuse(error.code, error.description),
    }
}

/// Name and secret of HTTP Basic, each form-decoded (RFC 6749 §2.3.1).
fn basic(request: &HttpRequest) -> Option<(String, String)> {
    let header = single_header(request, &header::AUTHORIZATION).ok().flatten()?;
    let (scheme, value) = header.split_once(' ')?;
    let decoded = STANDARD.decode(value.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let text = String::from_utf8(decoded).ok()?;
    let (name, secret) = text.split_once(':')?;
    let decode = |part: &str| {
        url::form_urlencoded::parse(format!("v={part}").as_bytes())
            .next()
            .map(|(_, value)| value.into_owned())
    };
    Some((decode(name)?, decode(secret)?))
}

/// `POST /api/v1/consent-requests`.
async fn create(
    app: web::Data<App>,
    CallingService(service): CallingService,
    body: web::Bytes,
) -> Result<HttpResponse, HttpProblem> {
    // serde's message quotes the input, which may hold a person's identifier; only where it went wrong is said.
    let asked = serde_json::from_slice(&body).map_err(|error| {
        let detail = format!("the body does not fit at line {}, column {}", error.line(), error.column());
        Problem::with_detail(ProblemKind::BadRequest, detail)
    })?;
    let held = request_consent::request_consent(&app.node, &service, asked).await?;
    let location = app.node.settings.url(&format!("/api/v1/consents/{}", held.id));
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, location))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(ConsentView::new(&app, held, None)))
}

/// `GET /api/v1/consents?state=`.
async fn list(
    app: web::Data<App>,
    request: HttpRequest,
    CallingService(service): CallingService,
) -> Result<HttpResponse, HttpProblem> {
    let mut query = query(&request)?;
    let state = query
        .take("state")
        .map(|word| {
            word.parse::<HeldStatus>().map_err(|_| {
                Problem::with_detail(ProblemKind::BadRequest, "state is not one of the documented words")
            })
        })
        .transpose()?;
    let found = request_consent::list(&app.node, &service, state).await?;
    let mut deletions =
        confirm_deletion::of_all(&app.node, found.iter().map(|held| held.id).collect()).await?;
    let consents: Vec<_> = found
        .into_iter()
        .map(|held| {
            let deletion = deletions.remove(&held.id);
            ConsentView::new(&app, held, deletion)
        })
        .collect();
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(json!({"consents": consents})))
}

/// `GET /api/v1/consents/{id}`.
async fn show(
    app: web::Data<App>,
    CallingService(service): CallingService,
    id: web::Path<String>,
) -> Result<HttpResponse, HttpProblem> {
    let held = request_consent::find(&app.node, &service, parse(&id)?).await?;
    let deletion = confirm_deletion::of_held(&app.node, held.id).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(ConsentView::new(&app, held, deletion)))
}

/// The body of a confirmation.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Deleted {
    /// When the data was deleted; now when absent.
    #[serde(default)]
    deleted_at: Option<String>,
}

/// `POST /api/v1/consents/{id}/deletion`: the service deleted what it had fetched.
async fn deletion(
    app: web::Data<App>,
    CallingService(service): CallingService,
    id: web::Path<String>,
    body: web::Bytes,
) -> Result<HttpResponse, HttpProblem> {
    let unfit = || Problem::with_detail(ProblemKind::BadRequest, "deletedAt is a date and time (RFC 3339)");
    let said: Deleted = if body.is_empty() {
        Deleted::default()
    } else {
        serde_json::from_slice(&body).map_err(|_| unfit())?
    };
    let deleted_at = said.deleted_at.map(|text| text.parse().map_err(|_| unfit())).transpose()?;
    let done = confirm_deletion::confirm_deletion(&app.node, &service, parse(&id)?, deleted_at).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(DeletionView::new(done, app.node.now())))
}

/// `DELETE /api/v1/consents/{id}`: gives a consent back, or takes an undecided request back.
async fn give_back(
    app: web::Data<App>,
    CallingService(service): CallingService,
    id: web::Path<String>,
) -> Result<HttpResponse, HttpProblem> {
    give_back::give_back(&app.node, &service, parse(&id)?).await?;
    Ok(HttpResponse::NoContent().insert_header((header::CACHE_CONTROL, "no-store")).finish())
}

/// `POST /api/v1/consents/{id}/fetch`.
async fn fetch(
    app: web::Data<App>,
    CallingService(service): CallingService,
    id: web::Path<String>,
) -> Result<HttpResponse, HttpProblem> {
    let fetched = fetch_exchange::fetch_exchange(&app.node, &service, parse(&id)?).await?;
    let receipt: Value = serde_json::to_value(&fetched.receipt).map_err(Problem::from)?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(json!({
        "data": fetched.records,
        "receipt": receipt,
        "receiptJws": fetched.receipt_jws,
    })))
}

fn parse(id: &str) -> Result<HeldConsentId, HttpProblem> {
    id.parse().map_err(|_| HttpProblem::from(ProblemKind::NotFound))
}
