//! The page on which a visitor chooses a resident to log in as.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::authorize;
use super::cookies::{BROWSER_COOKIE, SESSION_COOKIE};
use super::messages::mistake;
use super::texts::Texts;
use super::{Choice, DemoProvider, Level};
use crate::demo::pages;
use crate::domain::catalogue::Language;

/// A row of the page.
struct Person<'a> {
    username: &'a str,
    name: &'a str,
    description: &'a str,
    here_already: bool,
}

#[derive(Template)]
#[template(path = "provider/choose.html")]
struct ChoosePage<'a> {
    language: Language,
    texts: &'static Texts,
    client: &'a str,
    choice: &'a str,
    strong: bool,
    people: Vec<Person<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Shown {
    lang: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Decision {
    /// The chosen resident's username.
    resident: Option<String>,
    /// Present when the person cancelled.
    cancel: Option<String>,
}

/// `GET /login/{choice}`: the choice of residents.
pub(super) async fn show(
    provider: web::Data<DemoProvider>,
    http: HttpRequest,
    name: web::Path<String>,
    shown: web::Query<Shown>,
) -> HttpResponse {
    let Some(choice) = find(&provider, &http, &name) else { return gone() };
    let language = shown.lang.as_deref().and_then(Language::from_tag).unwrap_or(choice.request.language);
    let now = provider.now();
    let current = http
        .cookie(SESSION_COOKIE)
        .and_then(|cookie| provider.memory().sessions.get(now, cookie.value()).cloned())
        .map(|session| session.username);
    let config = &provider.0.config;
    let page = ChoosePage {
        language,
        texts: Texts::of(language),
        client: provider.client(&choice.request.client_id).map_or("", |client| client.name.get(language)),
        choice: &name,
        strong: choice.request.needed_level() == Level::Strong,
        people: config
            .residents
            .iter()
            .map(|resident| Person {
                username: &resident.username,
                name: &resident.name,
                description: resident.description.get(language),
                here_already: current.as_deref() == Some(&resident.username),
            })
            .collect(),
    };
    pages::page(StatusCode::OK, &provider.0.form_targets, page.render())
}

/// `POST /login/{choice}`: the decision, then the redirect to the client.
pub(super) async fn decide(
    provider: web::Data<DemoProvider>,
    http: HttpRequest,
    name: web::Path<String>,
    decision: web::Form<Decision>,
) -> HttpResponse {
    if !pages::is_own_form(http.headers(), &provider.0.config.issuer) {
        return mistake(StatusCode::FORBIDDEN, "This form was not sent by the login page itself.");
    }
    let Some(Choice { request, .. }) = find(&provider, &http, &name) else { return gone() };
    let resident = decision.resident.as_deref().and_then(|username| provider.resident(username));
    match (decision.cancel.is_some(), resident) {
        (true, _) => {
            provider.memory().choices.take(provider.now(), &name);
            authorize::back_with_error(
                &provider,
                &request.redirect_uri,
                request.state.as_deref(),
                "access_denied",
                "the person turned back",
            )
        }
        (false, Some(resident)) => {
            provider.memory().choices.take(provider.now(), &name);
            authorize::log_in(&provider, request, &resident.username)
        }
        (false, None) => mistake(StatusCode::BAD_REQUEST, "There is no such resident in this demo."),
    }
}

/// A pending choice by its name, if it belongs to this browser.
fn find(provider: &DemoProvider, http: &HttpRequest, name: &str) -> Option<Choice> {
    let browser = http.cookie(BROWSER_COOKIE)?;
    provider
        .memory()
        .choices
        .get(provider.now(), name)
        .filter(|choice| choice.browser == browser.value())
        .cloned()
}

fn gone() -> HttpResponse {
    mistake(
        StatusCode::GONE,
        "This login has already been used or was left open for too long. Go back to the city and log in again.",
    )
}
