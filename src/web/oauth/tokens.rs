//! The endpoints for programs: PAR, token, revocation, introspection.

use actix_web::http::header::HeaderName;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use super::credentials;
use super::error::HttpOAuthError;
use crate::node::holder::oauth::introspect_token::{introspect_token, revoke_token};
use crate::node::holder::oauth::issue_token::{TokenForm, issue_token};
use crate::node::holder::oauth::manage_grant::issue_management_token;
use crate::node::holder::oauth::push_authorization::{PushedForm, push_authorization};
use crate::node::{Node, OAuthCode, OAuthError};
use crate::web::App;
use crate::web::extract::{Body, Parameters, is_form, single_header};

static DPOP: HeaderName = HeaderName::from_static("dpop");

/// `POST /oauth/par` (RFC 9126).
pub(super) async fn push(
    app: web::Data<App>,
    request: HttpRequest,
    Body(body): Body,
) -> Result<HttpResponse, HttpOAuthError> {
    let mut form = form(&request, &body)?;
    let proof = proof(&request)?;
    let pushed = PushedForm {
        credentials: credentials(&mut form),
        response_type: form.take("response_type"),
        redirect_uri: form.take("redirect_uri"),
        response_mode: form.take("response_mode"),
        resource: form.take("resource"),
        state: form.take("state"),
        code_challenge: form.take("code_challenge"),
        code_challenge_method: form.take("code_challenge_method"),
        dpop_jkt: form.take("dpop_jkt"),
        authorization_details: form.take("authorization_details"),
        grant_management_action: form.take("grant_management_action"),
        acr_values: form.take("acr_values"),
        max_age: form.take("max_age"),
        grant_id: form.take("grant_id"),
        expected_person: form.take("expected_person"),
        has_request_object: form.has("request") || form.has("request_uri"),
    };
    let answer = push_authorization(&app.node, pushed, proof)
        .await
        .map_err(|error| HttpOAuthError::with_nonce(error, nonce(&app.node)))?;
    Ok(HttpResponse::Created()
        .insert_header(("DPoP-Nonce", nonce(&app.node)))
        .json(json!({"request_uri": answer.request_uri, "expires_in": answer.expires_in})))
}

/// `POST /oauth/token`.
pub(super) async fn token(
    app: web::Data<App>,
    request: HttpRequest,
    Body(body): Body,
) -> Result<HttpResponse, HttpOAuthError> {
    let mut form = form(&request, &body)?;
    let proof = proof(&request)?;
    let (credentials, grant_type) = (credentials(&mut form), form.take("grant_type"));
    let with_nonce = |error| HttpOAuthError::with_nonce(error, nonce(&app.node));
    if grant_type.as_deref() == Some("client_credentials") {
        let scope = form.take("scope");
        let issued = issue_management_token(&app.node, &credentials, scope.as_deref(), proof)
            .await
            .map_err(with_nonce)?;
        return Ok(answer(&app, &issued));
    }
    let token = TokenForm {
        credentials,
        grant_type,
        code: form.take("code"),
        redirect_uri: form.take("redirect_uri"),
        code_verifier: form.take("code_verifier"),
        pre_authorized_code: form.take("pre-authorized_code"),
        refresh_token: form.take("refresh_token"),
        resource: form.take("resource"),
        authorization_details: form.take("authorization_details"),
    };
    let issued = issue_token(&app.node, token, proof).await.map_err(with_nonce)?;
    Ok(answer(&app, &issued))
}

fn answer(app: &App, issued: &impl serde::Serialize) -> HttpResponse {
    HttpResponse::Ok().insert_header(("DPoP-Nonce", nonce(&app.node))).json(issued)
}

/// `POST /oauth/revoke` (RFC 7009).
pub(super) async fn revoke(
    app: web::Data<App>,
    request: HttpRequest,
    Body(body): Body,
) -> Result<HttpResponse, HttpOAuthError> {
    let mut form = form(&request, &body)?;
    let credentials = credentials(&mut form);
    revoke_token(&app.node, &credentials, form.take("token").as_deref()).await?;
    Ok(HttpResponse::Ok().finish())
}

/// `POST /oauth/introspect` (RFC 7662).
pub(super) async fn introspect(
    app: web::Data<App>,
    request: HttpRequest,
    Body(body): Body,
) -> Result<HttpResponse, HttpOAuthError> {
    let mut form = form(&request, &body)?;
    let credentials = credentials(&mut form);
    let answer = introspect_token(&app.node, &credentials, form.take("token").as_deref()).await?;
    Ok(HttpResponse::Ok().json(answer))
}

fn nonce(node: &Node) -> String {
    node.nonces.current(node.now())
}

fn form(request: &HttpRequest, body: &[u8]) -> Result<Parameters, OAuthError> {
    if !is_form(request) {
        return Err(OAuthError::request("the body must be application/x-www-form-urlencoded"));
    }
    Parameters::parse(body).map_err(OAuthError::request)
}

fn proof(request: &HttpRequest) -> Result<Option<&str>, OAuthError> {
    single_header(request, &DPOP)
        .map_err(|_| OAuthError::new(OAuthCode::InvalidDpopProof, "the DPoP header must come once"))
}
