//! The redirect after a decision, and the page of a request that cannot be decided.

use actix_web::HttpResponse;

use crate::domain::ids::RequestId;
use crate::node::holder::decision::decide_consent::Destination;
use crate::node::{Problem, ProblemKind};
use crate::web::portal::failure::PageFailure;
use crate::web::portal::page::Page;
use crate::web::portal::page_error::PageError;
use crate::web::portal::reply::see_other;

/// Redirects the browser to the recipient, or to the page with the result.
pub(super) fn go(page: &Page, id: RequestId, destination: &Destination) -> HttpResponse {
    match destination {
        Destination::Recipient(url) => see_other(url.as_str()),
        Destination::Permission(_) | Destination::Declined => page.redirect(&format!("/consent/{id}/done")),
    }
}

/// The page of a request that is unknown or another resident's.
pub(super) fn unknown_request(problem: Problem) -> PageFailure {
    match problem.kind {
        ProblemKind::NotFound => PageFailure::Page(PageError::RequestUnknown),
        _ => PageFailure::Problem(problem),
    }
}
