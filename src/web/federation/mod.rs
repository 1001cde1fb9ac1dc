//! Federation endpoints (OpenID Federation 1.0 §8 and §9). Handlers take an `Arc<dyn FederationStatements>` as app data.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{HttpResponse, ResponseError, web};
use serde_json::json;

use crate::domain::federation::ENTITY_STATEMENT_TYP;
use crate::domain::ids::EntityId;
use crate::node::federation::{FederationError, FederationStatements};

/// The statements that the handlers answer with, as app data.
pub type Statements = web::Data<dyn FederationStatements>;

/// Serves the entity configuration: every node and every anchor.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes.route("/.well-known/openid-federation", web::get().to(entity_configuration));
}

/// Serves what superiors serve beside it: `/federation/fetch` and `/federation/list`.
pub fn configure_anchor(routes: &mut web::ServiceConfig) {
    configure(routes);
    routes.route("/federation/fetch", web::get().to(fetch)).route("/federation/list", web::get().to(list));
}

/// A query as it was sent, so that repeated parameters are seen.
type Query = web::Query<Vec<(String, String)>>;

/// `GET /.well-known/openid-federation` (§9).
async fn entity_configuration(statements: Statements) -> Result<HttpResponse, Refusal> {
    Ok(statement(statements.publish_entity_configuration().await?))
}

/// `GET /federation/fetch?sub=` (§8.1).
async fn fetch(statements: Statements, query: Query) -> Result<HttpResponse, Refusal> {
    let mut subjects = query.iter().filter(|(name, _)| name == "sub");
    let (Some((_, subject)), None) = (subjects.next(), subjects.next()) else {
        return Err(Refusal::InvalidRequest("exactly one sub is needed"));
    };
    let subject = EntityId::new(subject.as_str())
        .map_err(|_| Refusal::InvalidRequest("sub is not an entity identifier"))?;
    Ok(statement(statements.fetch_subordinate(&subject).await?))
}

/// `GET /federation/list` (§8.2), without the filters, which the standard makes optional.
async fn list(statements: Statements, query: Query) -> Result<HttpResponse, Refusal> {
    if !query.is_empty() {
        return Err(Refusal::UnsupportedParameter);
    }
    Ok(HttpResponse::Ok().json(statements.list_subordinates().await?))
}

fn statement(text: String) -> HttpResponse {
    HttpResponse::Ok().content_type(format!("application/{ENTITY_STATEMENT_TYP}")).body(text)
}

/// An error of a federation endpoint (§8.9).
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("{0}")]
    InvalidRequest(&'static str),
    #[error("filters are not supported")]
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
            Self::Statement(FederationError::Unavailable(_)) => "temporarily_unavailable",
            Self::Statement(FederationError::Internal) => "server_error",
        }
    }

    /// What the caller may read: never a cause from inside.
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
            | Self::Statement(FederationError::OwnSubject) => StatusCode::BAD_REQUEST,
            Self::Statement(FederationError::NotFound) => StatusCode::NOT_FOUND,
            Self::Statement(FederationError::Unavailable(_)) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Statement(FederationError::Internal) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")));
        if self.status_code() == StatusCode::SERVICE_UNAVAILABLE {
            response.insert_header(("Retry-After", "5"));
        }
        response.json(json!({ "error": self.code(), "error_description": self.description() }))
    }
}
