//! The end-session endpoint (OpenID Connect RP-Initiated Logout 1.0).

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use url::Url;

use super::cookies::{SESSION_COOKIE, cookie};
use super::{DemoProvider, messages};
use crate::demo::pages;
use crate::domain::jose::{Claims, KeySource, PLAIN_JWT, Profile, UnverifiedJws};

/// An ID token of this provider as a hint; may be long expired.
static ID_TOKEN_HINT: Profile = Profile {
    typ: PLAIN_JWT,
    max_bytes: 8 * 1024,
    key_source: KeySource::Kid,
    required: &["iss", "aud"],
    optional: Claims::Any,
    forbidden_headers: &[],
};

#[derive(Deserialize)]
struct Hint {
    iss: String,
    aud: String,
}

/// `GET /logout`.
pub(super) async fn by_query(provider: web::Data<DemoProvider>, http: HttpRequest) -> HttpResponse {
    let query = http.query_string().to_owned();
    log_out(&provider, &http, query.as_bytes())
}

/// `POST /logout`.
pub(super) async fn by_form(
    provider: web::Data<DemoProvider>,
    http: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    log_out(&provider, &http, &body)
}

fn log_out(provider: &DemoProvider, http: &HttpRequest, parameters: &[u8]) -> HttpResponse {
    let values: BTreeMap<String, String> = url::form_urlencoded::parse(parameters).into_owned().collect();
    if let Some(session) = http.cookie(SESSION_COOKIE) {
        provider.memory().sessions.take(provider.now(), session.value());
    }
    let hinted = values.get("id_token_hint").map(|hint| client_of_hint(provider, hint));
    let named = values.get("client_id").cloned();
    // Where both name a client, they must name the same one (§2).
    let client = match (hinted, named) {
        (Some(Some(hinted)), Some(named)) => (hinted == named).then_some(named),
        (Some(hinted), None) => hinted,
        (Some(None), Some(_)) => None,
        (None, named) => named,
    };
    let back = values
        .get("post_logout_redirect_uri")
        .filter(|uri| {
            client
                .as_deref()
                .and_then(|id| provider.client(id))
                .is_some_and(|client| client.post_logout_redirect_uris.iter().any(|known| &known == uri))
        })
        .and_then(|uri| Url::parse(uri).ok());
    let mut response = match back {
        Some(mut back) => {
            if let Some(state) = values.get("state") {
                back.query_pairs_mut().append_pair("state", state);
            }
            pages::see_other(back.as_str()).finish()
        }
        None => messages::message(
            StatusCode::OK,
            "You are logged out",
            "The demo login has ended in this browser.",
        ),
    };
    let mut ended = cookie(SESSION_COOKIE, String::new());
    ended.make_removal();
    if response.add_cookie(&ended).is_err() {
        tracing::warn!(event = "demo_cookie_failed", "the demo provider's session cookie was not removed");
    }
    response
}

/// The client of the hint, if it is one of this provider's own ID tokens.
fn client_of_hint(provider: &DemoProvider, hint: &str) -> Option<String> {
    let hint: Hint =
        UnverifiedJws::parse(hint, &ID_TOKEN_HINT).ok()?.verify(provider.0.key.public()).ok()?.into_claims();
    (hint.iss == provider.0.issuer).then_some(hint.aud)
}
