//! The endpoints that a browser passes through on its way from the recipient to the holder and back.

use actix_web::cookie::{Cookie, SameSite, time::Duration};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};

use crate::domain::consent::held::AWAY_SECS;
use crate::domain::ids::HeldConsentId;
use crate::node::recipient::accept_authorization::{Answer, accept_authorization};
use crate::node::recipient::start_request::{Start, start_request};
use crate::node::{Problem, ProblemKind};
use crate::web::App;
use crate::web::extract::{is_prefetch, query};
use crate::web::portal::{PageProblem, begin_authorization};

/// `GET /oauth/authorize` at the holder: logs the resident in and opens the consent page.
pub(super) async fn authorize(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, PageProblem> {
    if is_prefetch(&request) {
        return Ok(reject_prefetch());
    }
    let mut query = query(&request).map_err(|problem| PageProblem::new(&request, problem.0))?;
    let (client, uri) = (query.take("client_id"), query.take("request_uri"));
    begin_authorization(&app, &request, client.as_deref(), uri.as_deref()).await
}

/// What a browser gets that looks ahead: nothing, so that it asks again when the person does.
fn reject_prefetch() -> HttpResponse {
    HttpResponse::ServiceUnavailable().insert_header((header::CACHE_CONTROL, "no-store")).finish()
}

/// `GET /requests/{id}` at the recipient: pushes the request to the holder and sends the browser there.
pub(super) async fn start(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, PageProblem> {
    if is_prefetch(&request) {
        return Ok(reject_prefetch());
    }
    let page = |problem| PageProblem::new(&request, problem);
    let id: HeldConsentId = id.parse().map_err(|_| page(Problem::new(ProblemKind::NotFound)))?;
    let started = match start_request(&app.node, id).await.map_err(page)? {
        Start::Holder(started) => started,
        Start::Service(back) => {
            return Ok(HttpResponse::SeeOther()
                .insert_header((header::LOCATION, back.as_str()))
                .insert_header((header::CACHE_CONTROL, "no-store"))
                .finish());
        }
    };
    let binding =
        binding_cookie(&app, started.browser_binding).max_age(Duration::seconds(AWAY_SECS)).finish();
    Ok(HttpResponse::SeeOther()
        .insert_header((header::LOCATION, started.location.as_str()))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .cookie(binding)
        .finish())
}

/// `GET /oauth/callback` at the recipient: the holder's answer.
pub(super) async fn callback(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, PageProblem> {
    let page = |problem| PageProblem::new(&request, problem);
    let mut query = query(&request).map_err(|problem| page(problem.0))?;
    let answer = Answer {
        code: query.take("code"),
        state: query.take("state"),
        iss: query.take("iss"),
        error: query.take("error"),
    };
    let binding = request.cookie(app.cookies.binding_name());
    let location =
        accept_authorization(&app.node, answer, binding.as_ref().map(Cookie::value)).await.map_err(page)?;
    let mut gone = binding_cookie(&app, String::new()).finish();
    gone.make_removal();
    Ok(HttpResponse::SeeOther()
        .insert_header((header::LOCATION, location.as_str()))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .cookie(gone)
        .finish())
}

fn binding_cookie<'a>(app: &App, value: String) -> actix_web::cookie::CookieBuilder<'a> {
    Cookie::build(app.cookies.binding_name(), value)
        .path("/")
        .http_only(true)
        .secure(app.cookies.secure)
        .same_site(SameSite::Lax)
}
