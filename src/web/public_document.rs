//! Public documents with `Access-Control-Allow-Origin: *` (Fetch standard §3.2), because none depends on the caller.

use actix_web::HttpResponseBuilder;
use actix_web::http::header;

/// Lets scripts of every origin read the response. Never combined with credentials.
pub(super) fn share(answer: &mut HttpResponseBuilder) -> &mut HttpResponseBuilder {
    answer.insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
}

/// The same, for a document that caches may keep for some seconds.
pub(super) fn share_for(
    answer: &mut HttpResponseBuilder,
    secs: impl std::fmt::Display,
) -> &mut HttpResponseBuilder {
    share(answer).insert_header((header::CACHE_CONTROL, format!("public, max-age={secs}")))
}
