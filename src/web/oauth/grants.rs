//! The grant management endpoint (Grant Management for OAuth 2.0 §6).

use actix_web::{HttpRequest, HttpResponse, web};

use crate::domain::token::CONSENT_COMMITMENT;
use crate::node::holder::oauth::manage_grant::{GrantRequest, query_grant, revoke_grant};
use crate::web::App;
use crate::web::access::{credentials, refuse};

/// `GET /oauth/grants/{grant_id}`.
pub(super) async fn query(
    app: web::Data<App>,
    request: HttpRequest,
    grant: web::Path<String>,
) -> HttpResponse {
    let nonce = app.node.nonces.current(app.node.now());
    match query_grant(&app.node, parse_grant_request(&request, grant.into_inner())).await {
        Ok(grant) => HttpResponse::Ok().insert_header(("DPoP-Nonce", nonce)).json(grant),
        Err(refusal) => refuse(&app, refusal, &nonce, None),
    }
}

/// `DELETE /oauth/grants/{grant_id}`.
pub(super) async fn revoke(
    app: web::Data<App>,
    request: HttpRequest,
    grant: web::Path<String>,
) -> HttpResponse {
    let nonce = app.node.nonces.current(app.node.now());
    match revoke_grant(&app.node, parse_grant_request(&request, grant.into_inner())).await {
        Ok(()) => HttpResponse::NoContent().insert_header(("DPoP-Nonce", nonce)).finish(),
        Err(refusal) => refuse(&app, refusal, &nonce, None),
    }
}

fn parse_grant_request(request: &HttpRequest, grant: String) -> GrantRequest {
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(request.query_string().as_bytes()).into_owned().collect();
    let meant = query.iter().find(|(name, _)| name == CONSENT_COMMITMENT);
    GrantRequest {
        grant,
        commitment: meant.map(|(_, commitment)| commitment.clone()),
        credentials: credentials(request, &query),
    }
}
