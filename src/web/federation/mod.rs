//! Federation endpoints (OpenID Federation 1.0 §8 and §9). Handlers take an `Arc<dyn FederationStatements>` as app data.

mod parameters;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use serde_json::json;

use crate::domain::federation::{
    ENTITY_STATEMENT_TYP, FORMER_KEYS_TYP, KEY_SET_TYP, MARK_STATUS_TYP, RESOLVE_RESPONSE_TYP, TRUST_MARK_TYP,
};
use crate::node::federation::{FederationError, FederationStatements, ListFilter};
use crate::web::extract::{Body, is_form};
use crate::web::public_document::share;
use crate::web::routes::routes;
use parameters::Parameters;

/// The statements served by the handlers, as app data.
pub(crate) type Statements = web::Data<dyn FederationStatements>;

routes! {
    /// Endpoints of every node and anchor: the entity configuration and the former keys.
    pub fn configure, FEDERATION {
        "/.well-known/openid-federation" => { get entity_configuration }
        "/federation/historical-keys" => { get historical_keys }
        "/federation/former-keys" => { get former_keys }
    }
}

routes! {
    /// Endpoints of superiors only: subordinate statements, resolution and trust marks.
    pub(crate) fn configure_superior, SUPERIOR {
        "/federation/fetch" => { get fetch }
        "/federation/list" => { get list }
        "/federation/resolve" => { get resolve }
        "/federation/trust-mark" => { get trust_mark }
        "/federation/trust-mark-list" => { get trust_mark_list }
        "/federation/trust-mark-status" => { post trust_mark_status }
    }
}

/// All endpoints of a trust anchor or an intermediate.
pub fn configure_anchor(routes: &mut web::ServiceConfig) {
    configure(routes);
    configure_superior(routes);
}

/// The query as sent, including repeated parameters.
type Query = web::Query<Vec<(String, String)>>;

/// `GET /.well-known/openid-federation` (§9).
async fn entity_configuration(statements: Statements) -> Result<HttpResponse, Refusal> {
    Ok(signed(ENTITY_STATEMENT_TYP, statements.publish_entity_configuration().await?))
}

/// `GET /federation/fetch?sub=` (§8.1).
async fn fetch(statements: Statements, query: Query) -> Result<HttpResponse, Refusal> {
    let subject = Parameters::new(query.into_inner())?.subject()?;
    Ok(signed(ENTITY_STATEMENT_TYP, statements.fetch_subordinate(&subject).await?))
}

/// `GET /federation/list` (§8.2).
async fn list(statements: Statements, query: Query) -> Result<HttpResponse, Refusal> {
    const FILTERS: [&str; 4] = ["entity_type", "trust_marked", "trust_mark_type", "intermediate"];
    let parameters = Parameters::new(query.into_inner())?;
    if !parameters.are_all_of(&FILTERS) {
        return Err(Refusal::UnsupportedParameter);
    }
    let filter = ListFilter {
        entity_types: parameters.all("entity_type"),
        trust_marked: parameters.flag("trust_marked")?,
        trust_mark_type: parameters.optional("trust_mark_type")?.map(str::to_owned),
        intermediate: parameters.flag("intermediate")?,
    };
    Ok(share(&mut HttpResponse::Ok()).json(statements.list_subordinates(&filter).await?))
}

/// `GET /federation/resolve?sub=&trust_anchor=` (§8.3).
async fn resolve(statements: Statements, query: Query) -> Result<HttpResponse, Refusal> {
    let parameters = Parameters::new(query.into_inner())?;
    let (subject, anchors) = (parameters.subject()?, parameters.anchors()?);
    let answer = statements.resolve(&subject, &anchors, &parameters.all("entity_type")).await?;
    Ok(signed(RESOLVE_RESPONSE_TYP, answer))
}

/// `GET /federation/historical-keys` (§8.7).
async fn historical_keys(statements: Statements) -> Result<HttpResponse, Refusal> {
    Ok(signed(KEY_SET_TYP, statements.historical_keys().await?))
}

/// `GET /federation/former-keys`: this product's own, for keys of tokens and receipts.
async fn former_keys(statements: Statements) -> Result<HttpResponse, Refusal> {
    Ok(signed(FORMER_KEYS_TYP, statements.former_keys().await?))
}

/// `GET /federation/trust-mark?trust_mark_type=&sub=` (§8.6).
async fn trust_mark(statements: Statements, query: Query) -> Result<HttpResponse, Refusal> {
    let parameters = Parameters::new(query.into_inner())?;
    let (mark_type, subject) = (parameters.required("trust_mark_type")?, parameters.subject()?);
    Ok(signed(TRUST_MARK_TYP, statements.trust_mark(mark_type, &subject).await?))
}

/// `GET /federation/trust-mark-list?trust_mark_type=` (§8.5).
async fn trust_mark_list(statements: Statements, query: Query) -> Result<HttpResponse, Refusal> {
    let parameters = Parameters::new(query.into_inner())?;
    let mark_type = parameters.required("trust_mark_type")?;
    let subject = parameters.optional("sub")?.map(|_| parameters.subject()).transpose()?;
    Ok(share(&mut HttpResponse::Ok()).json(statements.list_trust_marked(mark_type, subject.as_ref()).await?))
}

/// `POST /federation/trust-mark-status` with `trust_mark` (§8.4).
async fn trust_mark_status(
    statements: Statements,
    request: HttpRequest,
    Body(body): Body,
) -> Result<HttpResponse, Refusal> {
    if !is_form(&request) {
        return Err(Refusal::InvalidRequest("send a form"));
    }
    let form = url::form_urlencoded::parse(&body).into_owned().collect();
    let parameters = Parameters::new(form)?;
    let mark = parameters.required("trust_mark")?;
    Ok(signed(MARK_STATUS_TYP, statements.trust_mark_status(mark).await?))
}

/// A signed response; its media type is its `typ`.
fn signed(typ: &str, text: String) -> HttpResponse {
    share(&mut HttpResponse::Ok()).content_type(format!("application/{typ}")).body(text)
}

/// An error of a federation endpoint (§8.9).
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("{0}")]
    InvalidRequest(&'static str),
    #[error("a parameter is not supported")]
    UnsupportedParameter,
    #[error(transparent)]
    Statement(#[from] FederationError),
}

impl Refusal {
    const fn code(&self) -> &'static str {
        match self {
            Self::InvalidRequest(_) | Self::Statement(FederationError::OwnSubject) => "invalid_request",
            Self::UnsupportedParameter => "unsupported_parameter",
            Self::Statement(FederationError::NotFound) => "not_found",
            Self::Statement(FederationError::UnknownAnchor) => "invalid_trust_anchor",
            Self::Statement(FederationError::NoChain) => "invalid_trust_chain",
            Self::Statement(FederationError::InvalidMetadata) => "invalid_metadata",
            Self::Statement(FederationError::Unavailable(_)) => "temporarily_unavailable",
            Self::Statement(FederationError::Internal) => "server_error",
        }
    }

    /// The public description: never an internal cause.
    fn description(&self) -> String {
        match self {
            Self::Statement(FederationError::Unavailable(_)) => "try again later".into(),
            Self::Statement(FederationError::Internal) => "the request could not be answered".into(),
            other => other.to_string(),
        }
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::InvalidRequest(_)
            | Self::UnsupportedParameter
            | Self::Statement(
                FederationError::OwnSubject | FederationError::NoChain | FederationError::InvalidMetadata,
            ) => StatusCode::BAD_REQUEST,
            Self::Statement(FederationError::NotFound | FederationError::UnknownAnchor) => {
                StatusCode::NOT_FOUND
            }
            Self::Statement(FederationError::Unavailable(_)) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Statement(FederationError::Internal) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        share(&mut response);
        if self.status_code() == StatusCode::SERVICE_UNAVAILABLE {
            response.insert_header(("Retry-After", "5"));
        }
        response.json(json!({ "error": self.code(), "error_description": self.description() }))
    }
}
