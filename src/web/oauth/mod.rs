//! The OAuth endpoints for programs: the holder's authorization server. Those for browsers are in the portal.

mod error;
mod grants;
mod metadata;
mod tokens;

use super::extract::Parameters;
use super::routes::routes;
use crate::node::holder::oauth::authenticate_client::ClientCredentials;

routes! {
    /// Registers the endpoints for programs.
    pub(crate) fn configure, OAUTH {
        "/.well-known/oauth-authorization-server" => { get metadata::authorization_server }
        "/.well-known/oauth-protected-resource" => { get metadata::protected_resource }
        "/oauth/jwks" => { get metadata::jwks }
        "/oauth/client-jwks" => { get metadata::client_jwks }
        "/oauth/login-jwks" => { get metadata::login_jwks }
        "/oauth/status-lists" => { get metadata::status_lists }
        "/oauth/status-lists/{list}" => { get metadata::status_list }
        "/oauth/par" => { post tokens::push }
        "/oauth/token" => { post tokens::token }
        "/oauth/revoke" => { post tokens::revoke }
        "/oauth/introspect" => { post tokens::introspect }
        "/oauth/grants/{grant}" => { get grants::query, delete grants::revoke }
    }
}

fn credentials(form: &mut Parameters) -> ClientCredentials {
    ClientCredentials {
        client_id: form.take("client_id"),
        assertion_type: form.take("client_assertion_type"),
        assertion: form.take("client_assertion"),
    }
}
