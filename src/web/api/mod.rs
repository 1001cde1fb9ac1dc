//! The API with which a city's services call their own node. JSON; problems as RFC 9457.

use actix_web::http::header;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;
use serde_json::{Value, json};

use super::App;
use super::extract::{CallingService, FormParameters, query, single_header};
use super::problem::HttpProblem;
use crate::domain::clock::Day;
use crate::domain::consent::held::WAIT_SECS;
use crate::domain::consent::{HeldConsent, HeldState};
use crate::domain::ids::{HeldConsentId, UseId};
use crate::node::{OAuthCode, Problem, ProblemKind};
use crate::node::{authenticate_service, fetch_exchange, give_back, request_consent};

/// Registers the endpoints.
pub fn configure(config: &mut ServiceConfig) {
    config
        .route("/api/v1/token", web::post().to(token))
        .route("/api/v1/consent-requests", web::post().to(create))
        .route("/api/v1/consents", web::get().to(list))
        .route("/api/v1/consents/{id}", web::get().to(show))
        .route("/api/v1/consents/{id}", web::delete().to(give_back))
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
    until: Day,
    #[serde(skip_serializing_if = "Option::is_none")]
    case_reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_url: Option<String>,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
}

impl ConsentView {
    fn new(app: &App, held: HeldConsent) -> Self {
        let waits = held.state == HeldState::Requested;
        Self {
            start_url: waits.then(|| app.node.settings.url(&format!("/requests/{}", held.id))),
            expires_at: waits.then(|| held.created_at.plus_secs(WAIT_SECS).rfc3339()),
            id: held.id,
            state: held.state.as_str(),
            reason: held.reason,
            origin: held.origin.as_str(),
            holder: held.holder.to_string(),
            dataset: held.detail.identifier.to_string(),
            declared_use: held.detail.declared_use,
            fields: held.detail.datatypes.iter().map(ToString::to_string).collect(),
            times: held.detail.frequency.max,
            until: held.detail.until,
            case_reference: held.case_reference,
            created_at: held.created_at.rfc3339(),
            updated_at: held.updated_at.rfc3339(),
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
            _ => HttpResponse::BadRequest(),
        };
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
    match authenticate_service::issue(&app.node, &service, &secret) {
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
        .json(ConsentView::new(&app, held)))
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
            HeldState::from_word(&word).ok_or(Problem::with_detail(
                ProblemKind::BadRequest,
                "state is not one of the documented words",
            ))
        })
        .transpose()?;
    let found = request_consent::list(&app.node, &service, state).await?;
    let consents: Vec<_> = found.into_iter().map(|held| ConsentView::new(&app, held)).collect();
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
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(ConsentView::new(&app, held)))
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
