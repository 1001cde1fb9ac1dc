//! Access by consent tokens: the token and its DPoP proof in a request, and refusals as HTTP (RFC 6750 §3, RFC 9449 §7,
//! RFC 9470 §3). Shared by the exchange and the grant management endpoint.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::App;
use super::extract::{Ambiguous, single_header};
use super::problem::{ProblemTopic, RETRY_AFTER_SECS};
use super::trace;
use crate::domain::catalogue::AssuranceRequirement;
use crate::domain::ids::DatasetId;
use crate::domain::token::{Refusal, RefusalCode, RefusalReason};

static DPOP: HeaderName = HeaderName::from_static("dpop");

/// The token and its proof, each exactly once.
pub(super) fn credentials(
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

/// A dataset's assurance requirement as parameters of a challenge (RFC 9470 §3).
fn step_up_parameters(app: &App, dataset: Option<&DatasetId>) -> String {
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

/// Status and topic of a refusal.
const fn answer_of(code: RefusalCode) -> (StatusCode, ProblemTopic) {
    match code {
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
    }
}

/// A refusal as HTTP: the standard's code, without the reason.
pub(super) fn refuse(app: &App, refusal: Refusal, nonce: &str, dataset: Option<&DatasetId>) -> HttpResponse {
    let (status, topic) = answer_of(refusal.code);
    let code = refusal.code.as_str();
    let mut response = HttpResponse::build(status);
    response
        .insert_header((header::CONTENT_TYPE, "application/problem+json"))
        .insert_header(("DPoP-Nonce", nonce));
    if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        let metadata = app.node.settings.url("/.well-known/oauth-protected-resource");
        let mut challenge =
            format!("DPoP error=\"{code}\", algs=\"ES256 EdDSA\", resource_metadata=\"{metadata}\"");
        if refusal.code == RefusalCode::InsufficientUserAuthentication {
            challenge.push_str(&step_up_parameters(app, dataset));
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
        "title": topic.title(),
        "status": status.as_u16(),
        "code": code,
        "side": topic.side().as_str(),
        "next": match topic {
            ProblemTopic::NotAuthenticated => "Send the consent token by the DPoP scheme with a fresh proof for this request.",
            other => other.next_step(),
        },
        "trace": trace::current(),
    });
    response.body(body.to_string())
}
