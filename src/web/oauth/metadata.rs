//! What the node says about itself: RFC 8414, RFC 9728, its token keys and status lists.

use actix_web::http::header;
use actix_web::{HttpResponse, web};

use crate::node::federation::describe;
use crate::node::{KeyPurpose, publish_status};
use crate::web::App;
use crate::web::problem::HttpProblem;

/// `/.well-known/oauth-authorization-server` (RFC 8414).
pub(super) async fn authorization_server(app: web::Data<App>) -> HttpResponse {
    cached(&describe(&app.node).authorization_server())
}

/// `/.well-known/oauth-protected-resource` (RFC 9728).
pub(super) async fn protected_resource(app: web::Data<App>) -> HttpResponse {
    cached(&describe(&app.node).protected_resource())
}

/// The keys that sign consent tokens.
pub(super) async fn jwks(app: web::Data<App>) -> HttpResponse {
    cached(&app.node.keys.published_for(KeyPurpose::Token).to_jwks())
}

/// The keys that sign client assertions, for a login provider that is told this address.
pub(super) async fn client_jwks(app: web::Data<App>) -> HttpResponse {
    cached(&app.node.keys.published_for(KeyPurpose::Client).to_jwks())
}

/// One status list (Token Status List §8.1).
pub(super) async fn status_list(
    app: web::Data<App>,
    list: web::Path<u32>,
) -> Result<HttpResponse, HttpProblem> {
    let signed = publish_status::publish_status(&app.node, list.into_inner()).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/statuslist+jwt"))
        .insert_header((header::CACHE_CONTROL, "public, max-age=5"))
        .body(signed.to_string()))
}

fn cached(document: &serde_json::Value) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "public, max-age=60")).json(document)
}
