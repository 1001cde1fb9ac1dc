//! The resident's portal, by section: handler, page and samples of a section are together.
//!
//! A handler's first argument says who may see its page ([`page`]); it calls one use case, fills a view (plain values,
//! nothing personal beyond what the page shows) and renders it. Errors become pages in one place ([`failure`]).
//!
//! Texts are checked at compile time: a text that lacks a language does not compile. Every value on a page is escaped.
//! Only the pages for passkeys need JavaScript, and none has an inline style, so a strict Content-Security-Policy
//! applies.

mod decision;
mod denials;
mod failure;
mod holdings;
mod language;
mod login;
mod own_uses;
mod page;
mod page_error;
#[cfg(test)]
mod page_tests;
mod partners;
mod party;
mod passkeys;
mod permissions;
mod public;
mod reach;
mod receipts;
mod reply;
mod request;
#[cfg(test)]
mod samples;

use actix_web::web::{self, ServiceConfig};

pub(super) use failure::middleware as error_pages;
pub(crate) use holdings::download::index_page as resident_copy;

use decision::{decide, decided, open, show};
use page::{Page, PageResult};
use partners::{members, use_page};
use permissions::{detail, list, log, overview, stop, tracked};
use public::{assets, catalogue, home, uses};

use crate::node::{Problem, ProblemKind};
use crate::web::routes::{Table, routes};

/// Every path of the portal, with its methods.
pub(super) const PAGES: [Table; 4] = [OPEN_PAGES, PERSONAL_PAGES, DECISION_PAGES, REQUEST_PAGES];

pub(crate) fn configure(config: &mut ServiceConfig) {
    open_pages(config);
    personal_pages(config);
    decision_pages(config);
    request_pages(config);
    config.default_service(web::to(unknown));
}

async fn unknown(_: Page) -> PageResult {
    Err(Problem::new(ProblemKind::NotFound).into())
}

routes! {
    /// Public pages, login and logout.
    fn open_pages, OPEN_PAGES {
        "/" => { get home::show }
        "/assets/omadata.css" => { get assets::stylesheet }
        "/assets/city.css" => { get assets::city_stylesheet }
        "/assets/passkey.js" => { get assets::passkey_script }
        "/assets/icon.svg" => { get assets::icon }
        "/assets/logo" => { get assets::logo }
        "/catalogue" => { get catalogue::list }
        "/catalogue/uses" => { get uses::uses }
        "/catalogue/uses/schema" => { get uses::schema }
        "/catalogue/datasets/{id}" => { get catalogue::one }
        "/catalogue/datasets/{id}/schema" => { get catalogue::schema }
        "/partners" => { get members::show }
        "/partners/use" => { get use_page::show, post use_page::start }
        "/problems/{slug}" => { get public::problem::show }
        "/login" => { get login::begin }
        "/login/callback" => { get login::callback }
        "/logout" => { post login::log_out }
        "/logged-out" => { get login::logged_out }
        "/receipt/verify" => { get receipts::verify::ask, post receipts::verify::verify }
    }
}

routes! {
    /// The pages of residents who have logged in.
    fn personal_pages, PERSONAL_PAGES {
        "/me" => { get overview::show }
        "/me/data" => { get holdings::show::all }
        "/me/data/download" => { get holdings::download::download }
        "/me/data/{id}" => { get holdings::show::one }
        "/me/data/{id}/log-in" => { get holdings::show::log_in }
        "/me/log" => { get log::show }
        "/me/log/{id}" => { get tracked::one }
        "/me/uses" => { get own_uses::show }
        "/me/uses/{id}/object" => { get own_uses::object::ask, post own_uses::object::object }
        "/me/sharing" => { get list::show }
        "/me/sharing/{id}" => { get detail::show }
        "/me/sharing/{id}/stop" => { get stop::ask, post stop::stop }
        "/me/sharing/{id}/pause" => { post stop::pause }
        "/me/sharing/{id}/resume" => { post stop::resume }
        "/me/denials" => { get denials::show, post denials::add }
        "/me/denials/{id}/remove" => { post denials::remove }
        "/me/receipts" => { get receipts::own::all }
        "/me/sharing/{id}/receipt" => { get receipts::own::newest }
        "/me/sharing/{id}/receipt/{version}" => { get receipts::own::one }
        "/me/sharing/{id}/receipt/{version}/signed" => { get receipts::own::signed }
        "/me/sharing/{id}/receipt/{version}/readable" => { get receipts::own::readable }
        "/me/sharing/{id}/bundle" => { get receipts::own::bundle }
        "/me/passkeys" => { get passkeys::own::list, post passkeys::own::register }
        "/me/passkeys/new" => { get passkeys::own::ask }
        "/me/passkeys/{id}/remove" => { post passkeys::own::remove }
    }
}

routes! {
    /// The decision on a request.
    fn decision_pages, DECISION_PAGES {
        "/oauth/authorize" => { get open::authorize }
        "/consent/{id}" => { get show::show, post decide::decide }
        "/consent/{id}/done" => { get decided::show }
        "/consent/{id}/passkey" => { get passkeys::confirm::ask, post passkeys::confirm::confirm }
    }
}

routes! {
    /// The browser's endpoints at the recipient of a service's request.
    fn request_pages, REQUEST_PAGES {
        "/requests/{id}" => { get request::start }
        "/oauth/callback" => { get request::callback }
    }
}
