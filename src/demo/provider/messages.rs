//! Pages of the demo's login provider that have one message.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use crate::demo::pages;
use crate::domain::catalogue::Language;

#[derive(Template)]
#[template(path = "provider/message.html")]
struct MessagePage<'a> {
    language: Language,
    title: &'a str,
    message: &'a str,
}

/// `GET /`: a description.
pub(super) async fn welcome() -> HttpResponse {
    message(
        StatusCode::OK,
        "Demo login provider",
        "This provider belongs to the OmaData demo. The cities of the demo send residents here to log in; every \
         resident is made up. To begin, open one of the cities and press its log-in button.",
    )
}

pub(super) async fn not_found() -> HttpResponse {
    mistake(StatusCode::NOT_FOUND, "There is no page at this address.")
}

pub(super) fn mistake(status: StatusCode, why: &str) -> HttpResponse {
    message(status, "The login cannot go on", why)
}

/// A page with one message.
pub(super) fn message(status: StatusCode, title: &str, message: &str) -> HttpResponse {
    pages::page(status, "", MessagePage { language: Language::En, title, message }.render())
}
