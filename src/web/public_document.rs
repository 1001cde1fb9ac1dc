//! Documents that anyone may read from anywhere: programs in a browser too (Fetch standard §3.2), because none depends on
//! who asks.

use actix_web::HttpResponseBuilder;
use actix_web::http::header;

/// Lets scripts of every origin read the answer. No credentials are ever allowed with it.
pub(super) fn share(answer: &mut HttpResponseBuilder) -> &mut HttpResponseBuilder {
    answer.insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
}

/// The same, for a document that may be kept for some seconds.
pub(super) fn share_for(
    answer: &mut HttpResponseBuilder,
    secs: impl std::fmt::Display,
) -> &mut HttpResponseBuilder {
    share(answer).insert_header((header::CACHE_CONTROL, format!("public, max-age={secs}")))
}
