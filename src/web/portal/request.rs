//! A service's request at the recipient: the browser goes to the holder and returns with its response.

use actix_web::HttpResponse;
use actix_web::cookie::{Cookie, CookieBuilder, SameSite, time::Duration};
use actix_web::http::header;

use super::page::{Page, PageResult};
use crate::domain::consent::held::AWAY_SECS;
use crate::domain::ids::HeldConsentId;
use crate::node::recipient::accept_authorization::{Answer, accept_authorization};
use crate::node::recipient::start_request::{Start, start_request};
use crate::web::App;
use crate::web::extract::{Id, answer_to_probe, query};

/// Maximum number of requests in progress in one browser; the oldest is dropped first.
const MOST_BINDINGS: usize = 8;

/// `GET /requests/{id}`: pushes the request to the holder and sends the browser there.
pub(crate) async fn start(page: Page, Id(id): Id<HeldConsentId>) -> PageResult {
    if let Some(answer) = answer_to_probe(&page.request) {
        return Ok(answer);
    }
    let started = match start_request(&page.app.node, id).await? {
        Start::Holder(started) => started,
        Start::Service(back) => return Ok(page.redirect(back.as_str())),
    };
    let mut bindings = bindings(&page);
    bindings.push(started.browser_binding);
    let surplus = bindings.len().saturating_sub(MOST_BINDINGS);
    bindings.drain(..surplus);
    Ok(redirect(&page.app, started.location.as_str(), &bindings))
}

/// `GET /oauth/callback`: the holder's response.
pub(crate) async fn callback(page: Page) -> PageResult {
    if let Some(answer) = answer_to_probe(&page.request) {
        return Ok(answer);
    }
    let mut query = query(&page.request)?;
    let answer = Answer {
        code: query.take("code"),
        state: query.take("state"),
        iss: query.take("iss"),
        error: query.take("error"),
    };
    let mut bindings = bindings(&page);
    let accepted = accept_authorization(&page.app.node, answer, &bindings).await?;
    bindings.retain(|binding| *binding != accepted.browser_binding);
    Ok(redirect(&page.app, accepted.location.as_str(), &bindings))
}

/// The bindings of this browser's requests in progress, oldest first.
fn bindings(page: &Page) -> Vec<String> {
    let cookie = page.request.cookie(page.app.cookies.binding_name());
    let text = cookie.as_ref().map(Cookie::value).unwrap_or_default();
    let is_binding = |part: &&str| !part.is_empty() && part.len() <= 64;
    text.split('.').filter(is_binding).take(MOST_BINDINGS).map(str::to_owned).collect()
}

fn redirect(app: &App, location: &str, bindings: &[String]) -> HttpResponse {
    let mut cookie = cookie(app, bindings.join(".")).max_age(Duration::seconds(AWAY_SECS)).finish();
    if bindings.is_empty() {
        cookie.make_removal();
    }
    HttpResponse::SeeOther().insert_header((header::LOCATION, location)).cookie(cookie).finish()
}

fn cookie<'a>(app: &App, value: String) -> CookieBuilder<'a> {
    Cookie::build(app.cookies.binding_name(), value)
        .path("/")
        .http_only(true)
        .secure(app.cookies.secure)
        .same_site(SameSite::Lax)
}
