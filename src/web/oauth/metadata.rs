//! The node's metadata: RFC 8414, RFC 9728, its token keys and status lists.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use crate::node::KeyPurpose;
use crate::node::federation::describe;
use crate::node::holder::oauth::publish_status;
use crate::web::App;
use crate::web::negotiate::accepts;
use crate::web::problem::HttpProblem;
use crate::web::public_document::{share, share_for};

/// `/.well-known/oauth-authorization-server` (RFC 8414).
pub(super) async fn authorization_server(app: web::Data<App>) -> HttpResponse {
    cached(&describe(&app.node).authorization_server())
}

/// `/.well-known/oauth-protected-resource` (RFC 9728).
pub(super) async fn protected_resource(app: web::Data<App>) -> HttpResponse {
    cached(&describe(&app.node).protected_resource())
}

/// The keys that sign consent tokens.
pub(super) async fn jwks(app: web::Data<App>) -> HttpResponse {
    cached(&app.node.keys.published_for(KeyPurpose::Token).to_jwks())
}

/// The keys that sign client assertions.
pub(super) async fn client_jwks(app: web::Data<App>) -> HttpResponse {
    cached(&app.node.keys.published_for(KeyPurpose::Client).to_jwks())
}

/// The key set for the login provider: the keys that sign for this node there, and those to encrypt to.
pub(super) async fn login_jwks(app: web::Data<App>) -> HttpResponse {
    cached(&app.node.keys.login_jwks(app.node.now()))
}

/// All status lists ("Status List Aggregation").
pub(super) async fn status_lists(app: web::Data<App>) -> Result<HttpResponse, HttpProblem> {
    let lists = publish_status::all_lists(&app.node).await?;
    Ok(cached(&json!({"status_lists": lists})))
}

/// Media type of a status list token.
const STATUS_LIST: &str = "application/statuslist+jwt";

/// One status list. Its content is compressed already, so the response is not.
pub(super) async fn status_list(
    app: web::Data<App>,
    request: HttpRequest,
    list: web::Path<u32>,
) -> Result<HttpResponse, HttpProblem> {
    if !accepts(header_text(&request, &header::ACCEPT), STATUS_LIST) {
        return Ok(share(&mut HttpResponse::NotAcceptable())
            .insert_header((header::CONTENT_TYPE, "application/problem+json"))
            .insert_header((header::VARY, "accept"))
            .body(r#"{"type":"about:blank","title":"Not Acceptable","status":406}"#));
    }
    // Token Status List §8.4: historical lists are not supported, and must not be mistaken for the current one.
    if request.query_string().split('&').any(|pair| pair.split('=').next() == Some("time")) {
        return Ok(HttpResponse::NotImplemented()
            .insert_header((header::CONTENT_TYPE, "application/problem+json"))
            .body(r#"{"type":"about:blank","title":"Not Implemented","status":501}"#));
    }
    let published = publish_status::publish_status(&app.node, list.into_inner()).await?;
    let unchanged = names(header_text(&request, &header::IF_NONE_MATCH), &published.tag);
    let mut answer = if unchanged { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    share_for(&mut answer, published.ttl_secs)
        .insert_header((header::VARY, "accept"))
        .insert_header((header::ETAG, format!("\"{}\"", published.tag)));
    if unchanged {
        return Ok(answer.finish());
    }
    Ok(answer.insert_header((header::CONTENT_TYPE, STATUS_LIST)).body(published.token.to_string()))
}

/// A header's text; `None` when it is absent, repeated or not text.
fn header_text<'a>(request: &'a HttpRequest, name: &header::HeaderName) -> &'a str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
}

/// Whether an `If-None-Match` header contains this tag (weak comparison, RFC 9110 §13.1.2).
fn names(header: &str, tag: &str) -> bool {
    header.trim() == "*"
        || header.split(',').any(|one| {
            let one = one.trim();
            one.strip_prefix("W/").unwrap_or(one).trim_matches('"') == tag
        })
}

fn cached(document: &serde_json::Value) -> HttpResponse {
    share_for(&mut HttpResponse::Ok(), 60).json(document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read_as_the_standard_says() {
        assert!(names("\"a\", W/\"b\"", "b") && names("*", "b") && !names("\"a\"", "b") && !names("", "b"));
    }
}
