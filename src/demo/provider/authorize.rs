//! The authorization endpoint (OpenID Connect Core 1.0 §3.1.2).

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use url::Url;

use super::cookies::{BROWSER_COOKIE, SESSION_COOKIE, cookie};
use super::{
    CHOICE_SECS, CODE_SECS, Choice, Code, DemoProvider, Grant, Level, SESSION_SECS, Session, messages,
};
use crate::demo::pages;
use crate::domain::catalogue::Language;

/// A checked authorization request.
#[derive(Clone)]
pub(super) struct AuthorizationRequest {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
    pub(super) nonce: Option<String>,
    pub(super) code_challenge: String,
    /// A new login is required even in a live session (`prompt=login`).
    fresh: bool,
    /// No page may be shown (`prompt=none`).
    silent: bool,
    max_age: Option<i64>,
    /// The requested levels that this provider knows, best first.
    acr: Vec<Level>,
    pub(super) language: Language,
}

impl AuthorizationRequest {
    /// The level that a login must reach to fulfil one of the requested levels.
    pub(super) fn needed_level(&self) -> Level {
        self.acr.iter().copied().min().unwrap_or(Level::Everyday)
    }

    /// The `acr` of the response: the best requested level that the login reaches, or its own when none was requested.
    fn answered_acr(&self, reached: Level) -> Option<&'static str> {
        match self.acr.as_slice() {
            [] => Some(reached.acr()),
            asked => asked.iter().find(|level| **level <= reached).map(|level| level.acr()),
        }
    }
}

/// Why an authorization request is not served.
enum Refusal {
    /// The client or its redirect address is unknown: no redirect.
    Here(&'static str),
    /// The client gets an error (RFC 6749 §4.1.2.1).
    ToClient { redirect_uri: String, state: Option<String>, error: &'static str, description: &'static str },
}

/// `GET /authorize`.
pub(super) async fn by_query(provider: web::Data<DemoProvider>, request: HttpRequest) -> HttpResponse {
    let query = request.query_string().to_owned();
    authorize(&provider, &request, query.as_bytes())
}

/// `POST /authorize`.
pub(super) async fn by_form(
    provider: web::Data<DemoProvider>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    authorize(&provider, &request, &body)
}

fn authorize(provider: &DemoProvider, http: &HttpRequest, parameters: &[u8]) -> HttpResponse {
    let request = match parse(provider, parameters) {
        Ok(request) => request,
        Err(Refusal::Here(why)) => return messages::mistake(StatusCode::BAD_REQUEST, why),
        Err(Refusal::ToClient { redirect_uri, state, error, description }) => {
            return back_with_error(provider, &redirect_uri, state.as_deref(), error, description);
        }
    };
    let now = provider.now();
    let session = http
        .cookie(SESSION_COOKIE)
        .and_then(|cookie| provider.memory().sessions.get(now, cookie.value()).cloned())
        .filter(|session| !request.fresh && provider.resident(&session.username).is_some())
        .filter(|session| request.max_age.is_none_or(|max_age| session.auth_time.plus_secs(max_age) >= now));
    let answered = session.and_then(|session| {
        let acr = request.answered_acr(session.level)?;
        Some((session, acr))
    });
    match answered {
        Some((session, acr)) => back_with_code(provider, request, &session, acr),
        None if request.silent => back_with_error(
            provider,
            &request.redirect_uri,
            request.state.as_deref(),
            "login_required",
            "nobody is logged in well enough",
        ),
        None => offer_choice(provider, http, request),
    }
}

/// Redirects the browser to the choice of residents.
fn offer_choice(provider: &DemoProvider, http: &HttpRequest, request: AuthorizationRequest) -> HttpResponse {
    let now = provider.now();
    let browser =
        http.cookie(BROWSER_COOKIE).map_or_else(|| provider.secret(), |cookie| cookie.value().to_owned());
    let name = provider.secret();
    let choice = Choice { request, browser: browser.clone() };
    provider.memory().choices.insert(now, name.clone(), now.plus_secs(CHOICE_SECS), choice);
    pages::see_other(&format!("/login/{name}")).cookie(cookie(BROWSER_COOKIE, browser)).finish()
}

/// Begins a session and answers the request that led to it.
pub(super) fn log_in(provider: &DemoProvider, request: AuthorizationRequest, username: &str) -> HttpResponse {
    let now = provider.now();
    let level = request.needed_level();
    let session = Session { username: username.to_owned(), auth_time: now, level };
    // A new session key at every login (no session fixation).
    let name = provider.secret();
    provider.memory().sessions.insert(now, name.clone(), now.plus_secs(SESSION_SECS), session.clone());
    let acr = request.answered_acr(level).unwrap_or(level.acr());
    let mut response = back_with_code(provider, request, &session, acr);
    // Only an over-long value could fail here, and this one is ours; without the cookie the login still succeeds.
    if response.add_cookie(&cookie(SESSION_COOKIE, name)).is_err() {
        tracing::warn!(event = "demo_cookie_failed", "the demo provider's session cookie was not set");
    }
    response
}

fn back_with_code(
    provider: &DemoProvider,
    request: AuthorizationRequest,
    session: &Session,
    acr: &'static str,
) -> HttpResponse {
    let now = provider.now();
    let code = provider.secret();
    let back = answer(provider, &request.redirect_uri, request.state.as_deref(), &[("code", &code)]);
    let grant = Grant {
        id: provider.secret(),
        request,
        username: session.username.clone(),
        auth_time: session.auth_time,
        acr,
    };
    provider.memory().codes.insert(now, code, now.plus_secs(CODE_SECS), Code { grant, used: false });
    pages::see_other(&back).finish()
}

/// Redirects the browser with an error (RFC 6749 §4.1.2.1, OpenID Connect Core 1.0 §3.1.2.6).
pub(super) fn back_with_error(
    provider: &DemoProvider,
    redirect_uri: &str,
    state: Option<&str>,
    error: &str,
    description: &str,
) -> HttpResponse {
    let error = [("error", error), ("error_description", description)];
    pages::see_other(&answer(provider, redirect_uri, state, &error)).finish()
}

/// The redirect address with an answer in its query, always with `iss` (RFC 9207).
fn answer(
    provider: &DemoProvider,
    redirect_uri: &str,
    state: Option<&str>,
    pairs: &[(&str, &str)],
) -> String {
    let Ok(mut back) = Url::parse(redirect_uri) else {
        // A registered address that is no URL cannot be opened by any browser.
        return redirect_uri.to_owned();
    };
    back.query_pairs_mut()
        .extend_pairs(pairs)
        .extend_pairs(state.map(|state| ("state", state)))
        .append_pair("iss", &provider.0.issuer);
    back.into()
}

fn parse(provider: &DemoProvider, parameters: &[u8]) -> Result<AuthorizationRequest, Refusal> {
    let mut values: BTreeMap<String, String> = BTreeMap::new();
    let mut repeated = false;
    for (name, value) in url::form_urlencoded::parse(parameters) {
        repeated |= values.insert(name.into_owned(), value.into_owned()).is_some();
    }
    let get = |name: &str| values.get(name).map(String::as_str).filter(|value| !value.is_empty());
    if repeated {
        return Err(Refusal::Here("A parameter of the login request is given twice."));
    }
    let client = get("client_id")
        .and_then(|id| provider.client(id))
        .ok_or(Refusal::Here("The login request comes from a client that is not registered here."))?;
    let redirect_uri = get("redirect_uri")
        .filter(|uri| client.redirect_uris.iter().any(|known| known == uri))
        .ok_or(Refusal::Here("The login request names an address to return to that is not registered."))?;
    let refuse = |error: &'static str, description: &'static str| Refusal::ToClient {
        redirect_uri: redirect_uri.to_owned(),
        state: get("state").map(str::to_owned),
        error,
        description,
    };
    check_protocol(&get).map_err(|(error, description)| refuse(error, description))?;

    let prompts: Vec<&str> = get("prompt").map(|text| text.split(' ').collect()).unwrap_or_default();
    if prompts.contains(&"none") && prompts.len() > 1 {
        return Err(refuse("invalid_request", "prompt=none stands alone"));
    }
    let max_age = get("max_age")
        .map(|text| text.parse::<u32>().map(i64::from))
        .transpose()
        .map_err(|_| refuse("invalid_request", "max_age is a number of seconds"))?;
    Ok(AuthorizationRequest {
        client_id: client.client_id.clone(),
        redirect_uri: redirect_uri.to_owned(),
        state: get("state").map(str::to_owned),
        nonce: get("nonce").map(str::to_owned),
        code_challenge: get("code_challenge").unwrap_or_default().to_owned(),
        fresh: prompts.iter().any(|prompt| matches!(*prompt, "login" | "select_account")),
        silent: prompts.contains(&"none"),
        max_age,
        acr: get("acr_values")
            .map(|text| text.split(' ').filter_map(Level::from_acr).collect())
            .unwrap_or_default(),
        language: get("ui_locales")
            .and_then(|text| text.split(' ').find_map(Language::from_tag))
            .unwrap_or(Language::Fi),
    })
}

/// Checks the parts of a request that are the same for everyone; an error code with a description otherwise.
fn check_protocol<'a>(get: &impl Fn(&str) -> Option<&'a str>) -> Result<(), (&'static str, &'static str)> {
    if get("request").is_some() {
        return Err(("request_not_supported", "request objects are not supported"));
    }
    if get("request_uri").is_some() {
        return Err(("request_uri_not_supported", "pushed or fetched requests are not supported"));
    }
    if get("response_type") != Some("code") {
        return Err(("unsupported_response_type", "only response_type=code is supported"));
    }
    if get("response_mode").is_some_and(|mode| mode != "query") {
        return Err(("invalid_request", "only response_mode=query is supported"));
    }
    if !get("scope").is_some_and(|scope| scope.split(' ').any(|word| word == "openid")) {
        return Err(("invalid_scope", "the scope must have openid"));
    }
    let challenge = get("code_challenge").unwrap_or_default();
    let is_hash = challenge.len() == 43
        && challenge.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if get("code_challenge_method") != Some("S256") || !is_hash {
        return Err(("invalid_request", "PKCE with code_challenge_method=S256 is required"));
    }
    Ok(())
}
