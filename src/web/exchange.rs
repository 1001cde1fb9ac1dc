//! The exchange endpoint: `GET /exchange/datasets/{dataset}` (RFC 9449 §7, RFC 6750 §3).

use actix_web::http::header;
use actix_web::web;
use actix_web::{HttpRequest, HttpResponse};

use super::App;
use super::access::{credentials, refuse};
use super::extract::Body;
use super::problem::HttpProblem;
use super::routes::routes;
use crate::domain::exchange::receipt::content_digest;
use crate::node::holder::exchange::serve_exchange::{Answer, ExchangeRequest, serve_exchange};

routes! {
    pub(crate) fn configure, EXCHANGE {
        "/exchange/datasets/{dataset}" => { get_without_head exchange }
    }
}

async fn exchange(
    app: web::Data<App>,
    request: HttpRequest,
    dataset: web::Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, HttpProblem> {
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(request.query_string().as_bytes()).into_owned().collect();
    let exchange = ExchangeRequest {
        method: request.method().as_str().to_owned(),
        dataset: dataset.into_inner(),
        credentials: credentials(&request, &query),
        query,
        has_body: !body.is_empty(),
    };
    let nonce = app.node.nonces.current(app.node.now());
    let asked = exchange.dataset.parse().ok();
    Ok(match serve_exchange(&app.node, exchange).await {
        Ok(Answer::Released(released)) => HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, "application/json"))
            .insert_header(("Content-Digest", content_digest(&released.body)))
            .insert_header(("OmaData-Receipt", released.receipt))
            .insert_header(("DPoP-Nonce", nonce))
            .body(released.body),
        Ok(Answer::Deferred(deferred)) => HttpResponse::Accepted()
            .insert_header((header::CONTENT_TYPE, "application/json"))
            .insert_header((header::RETRY_AFTER, deferred.retry_secs.to_string()))
            .insert_header(("Content-Digest", content_digest(&deferred.body)))
            .insert_header(("OmaData-Receipt", deferred.receipt))
            .insert_header(("DPoP-Nonce", nonce))
            .body(deferred.body),
        Err(refusal) => refuse(&app, refusal, &nonce, asked.as_ref()),
    })
}
