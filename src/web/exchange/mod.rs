//! The exchange endpoint: `GET /exchange/datasets/{id}` (RFC 9449 §7, RFC 6750 §3).

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::App;
use super::extract::{Ambiguous, single_header};
use super::portal::views::ProblemTopic;
use super::problem::{self, RETRY_AFTER_SECS};
use super::trace;
use crate::domain::catalogue::AssuranceRequirement;
use crate::domain::exchange::receipt::content_digest;
use crate::domain::ids::DatasetId;
use crate::domain::token::{Refusal, RefusalCode, RefusalReason};
use crate::node::holder::exchange::serve_exchange::{ExchangeRequest, serve_exchange};

static DPOP: HeaderName = HeaderName::from_static("dpop");

/// Registers the endpoint, for every method: another one than GET is refused as any other widening is.
pub fn configure(config: &mut ServiceConfig) {
    config.route("/exchange/datasets/{dataset}", web::route().to(exchange));
}

async fn exchange(
    app: web::Data<App>,
    request: HttpRequest,
    dataset: web::Path<String>,
    body: web::Bytes,
) -> HttpResponse {
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(request.query_string().as_bytes()).into_owned().collect();
    let exchange = ExchangeRequest {
        method: request.method().as_str().to_owned(),
        dataset: dataset.into_inner(),
        credentials: credentials(&request, &query),
        query,
        has_body: !body.is_empty(),
    };
    let nonce = app.node.nonces.current(app.node.now());
    let asked = exchange.dataset.parse().ok();
    match serve_exchange(&app.node, exchange).await {
        Ok(released) => HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, "application/json"))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header(("Content-Digest", content_digest(&released.body)))
            .insert_header(("OmaData-Receipt", released.receipt))
            .insert_header(("DPoP-Nonce", nonce))
            .body(released.body),
        Err(refusal) => refuse(&app, refusal, &nonce, asked.as_ref()),
    }
}

/// The token and its proof, each exactly once.
pub(in crate::web) fn credentials(
    request: &HttpRequest,
    query: &[(String, String)],
) -> Result<(String, String), Refusal> {
    if query.iter().any(|(name, _)| name == "access_token") {
        return Err(Refusal::proof(RefusalReason::TokenInQuery));
    }
    let authorization = single_header(request, &header::AUTHORIZATION)
        .map_err(|Ambiguous| Refusal::proof(RefusalReason::AuthorizationTwice))?
        .ok_or(Refusal::token(RefusalReason::AuthorizationMissing))?;
    let token = authorization
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("dpop"))
        .map(|(_, token)| token)
        .ok_or(Refusal::proof(RefusalReason::SchemeNotDpop))?;
    let proof = single_header(request, &DPOP)
        .map_err(|Ambiguous| Refusal::proof(RefusalReason::ProofTwice))?
        .ok_or(Refusal::proof(RefusalReason::ProofMissing))?;
    Ok((token.to_owned(), proof.to_owned()))
}

/// What a dataset demands of the resident's login, as parameters of a challenge (RFC 9470 §3).
fn demanded(app: &App, dataset: Option<&DatasetId>) -> String {
    let settings = &app.node.settings;
    let demand =
        dataset.and_then(|id| settings.dataset(id)).map(AssuranceRequirement::of).unwrap_or_default();
    let mut parameters = ", error_description=\"the resident must confirm again\"".to_owned();
    if let Some(least) = demand.acr {
        parameters.push_str(&format!(", acr_values=\"{}\"", settings.levels.acr_values(&least)));
    }
    if let Some(max_age) = demand.max_age {
        parameters.push_str(&format!(", max_age=\"{max_age}\""));
    }
    parameters
}

/// A refusal as HTTP: the standard's code, never the reason.
pub(in crate::web) fn refuse(
    app: &App,
    refusal: Refusal,
    nonce: &str,
    dataset: Option<&DatasetId>,
) -> HttpResponse {
    let (status, topic) = match refusal.code {
        RefusalCode::InvalidRequest => (StatusCode::BAD_REQUEST, ProblemTopic::InvalidRequest),
        RefusalCode::InvalidToken | RefusalCode::InvalidDpopProof | RefusalCode::UseDpopNonce => {
            (StatusCode::UNAUTHORIZED, ProblemTopic::NotAuthenticated)
        }
        RefusalCode::InsufficientUserAuthentication => {
            (StatusCode::UNAUTHORIZED, ProblemTopic::ConfirmationNeeded)
        }
        RefusalCode::InsufficientScope => (StatusCode::FORBIDDEN, ProblemTopic::NotAllowed),
        RefusalCode::UnknownDataset | RefusalCode::UnknownGrant => {
            (StatusCode::NOT_FOUND, ProblemTopic::NotFound)
        }
        RefusalCode::TooOften => (StatusCode::TOO_MANY_REQUESTS, ProblemTopic::TooManyRequests),
        RefusalCode::TooLarge => (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, ProblemTopic::TooLarge),
        RefusalCode::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, ProblemTopic::Unavailable),
    };
    let code = refusal.code.as_str();
    let mut response = HttpResponse::build(status);
    response
        .insert_header((header::CONTENT_TYPE, "application/problem+json"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("DPoP-Nonce", nonce));
    if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        let metadata = app.node.settings.url("/.well-known/oauth-protected-resource");
        let mut challenge =
            format!("DPoP error=\"{code}\", algs=\"ES256 EdDSA\", resource_metadata=\"{metadata}\"");
        if refusal.code == RefusalCode::InsufficientUserAuthentication {
            challenge.push_str(&demanded(app, dataset));
        }
        response.insert_header((header::WWW_AUTHENTICATE, challenge));
    }
    if let Some(secs) = refusal.retry_secs {
        response.insert_header((header::RETRY_AFTER, secs.to_string()));
    } else if status == StatusCode::SERVICE_UNAVAILABLE {
        response.insert_header((header::RETRY_AFTER, RETRY_AFTER_SECS));
    }
    let body = json!({
        "type": format!("/problems/{}", topic.slug()),
        "title": problem::title(topic),
        "status": status.as_u16(),
        "code": code,
        "side": problem::side(topic),
        "next": match topic {
            ProblemTopic::NotAuthenticated => "Send the consent token by the DPoP scheme with a fresh proof for this request.",
            other => problem::next_step(other),
        },
        "trace": trace::current(),
    });
    response.body(body.to_string())
}
