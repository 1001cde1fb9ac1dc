//! The OAuth endpoints: the holder's authorization server and the recipient's redirect endpoint.

mod authorize;
mod error;
mod grants;
mod metadata;
mod tokens;

use actix_web::web::{self, ServiceConfig};

use super::extract::Parameters;
use crate::node::holder::oauth::authenticate_client::ClientCredentials;

/// Registers the endpoints.
pub fn configure(config: &mut ServiceConfig) {
    config
        .route("/.well-known/oauth-authorization-server", web::get().to(metadata::authorization_server))
        .route("/.well-known/oauth-protected-resource", web::get().to(metadata::protected_resource))
        .route("/oauth/jwks", web::get().to(metadata::jwks))
        .route("/oauth/client-jwks", web::get().to(metadata::client_jwks))
        .route("/oauth/status-lists", web::get().to(metadata::status_lists))
        .route("/oauth/status-lists/{list}", web::get().to(metadata::status_list))
        .route("/oauth/par", web::post().to(tokens::push))
        .route("/oauth/token", web::post().to(tokens::token))
        .route("/oauth/revoke", web::post().to(tokens::revoke))
        .route("/oauth/introspect", web::post().to(tokens::introspect))
        .route("/oauth/grants/{grant}", web::get().to(grants::query))
        .route("/oauth/grants/{grant}", web::delete().to(grants::revoke))
        .route("/oauth/callback", web::get().to(authorize::callback))
        .route("/requests/{id}", web::get().to(authorize::start));
}

/// Registers the endpoint that a resident's session comes to.
pub fn configure_with_session(config: &mut ServiceConfig) {
    config.route("/oauth/authorize", web::get().to(authorize::authorize));
}

fn credentials(form: &mut Parameters) -> ClientCredentials {
    ClientCredentials {
        client_id: form.take("client_id"),
        assertion_type: form.take("client_assertion_type"),
        assertion: form.take("client_assertion"),
    }
}
