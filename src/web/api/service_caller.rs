//! The caller of the API: one of the city's own services, by its bearer token (RFC 6750 §2.1).

use std::future::Ready;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};

use crate::node::services::authenticate_service;
use crate::node::{ProblemKind, Service};
use crate::web::App;
use crate::web::extract::single_header;
use crate::web::problem::HttpProblem;

/// The calling service. A handler with this argument requires a valid token.
pub(super) struct ServiceCaller {
    pub(super) app: web::Data<App>,
    pub(super) service: Service,
}

impl FromRequest for ServiceCaller {
    type Error = HttpProblem;
    type Future = Ready<Result<Self, HttpProblem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(authenticate(request))
    }
}

fn authenticate(request: &HttpRequest) -> Result<ServiceCaller, HttpProblem> {
    let unauthenticated = || HttpProblem::from(ProblemKind::Unauthenticated);
    let app = request.app_data::<web::Data<App>>().ok_or(HttpProblem::from(ProblemKind::Internal))?;
    let header = single_header(request, &header::AUTHORIZATION).ok().flatten().ok_or_else(unauthenticated)?;
    let token = header
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(unauthenticated)?;
    let service = authenticate_service::verify(&app.node, token)?.clone();
    Ok(ServiceCaller { app: app.clone(), service })
}
