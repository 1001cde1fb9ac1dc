//! Events of other nodes: Push-Based Security Event Token Delivery (RFC 8935).

use actix_web::http::{StatusCode, header};
use actix_web::web;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::App;
use super::extract::Body;
use super::problem::RETRY_AFTER_SECS;
use super::routes::routes;
use crate::node::messaging::receive_event::{EventError, receive_event};

routes! {
    pub(crate) fn configure, EVENTS {
        "/events" => { post event }
    }
}

async fn event(app: web::Data<App>, request: HttpRequest, Body(body): Body) -> HttpResponse {
    let content_type = actix_web::HttpMessage::content_type(&request);
    let text = std::str::from_utf8(&body).ok();
    let (true, Some(text)) = (content_type.eq_ignore_ascii_case("application/secevent+jwt"), text) else {
        return refuse(EventError::InvalidRequest);
    };
    match receive_event(&app.node, text).await {
        Ok(()) => HttpResponse::Accepted().finish(),
        Err(error) => refuse(error),
    }
}

fn refuse(error: EventError) -> HttpResponse {
    let (code, description) = match error {
        EventError::InvalidRequest => ("invalid_request", "not a Security Event Token of a known kind"),
        EventError::InvalidKey => ("invalid_key", "not signed with a published key of the issuer"),
        EventError::InvalidIssuer => ("invalid_issuer", "the issuer is not a trusted member"),
        EventError::InvalidAudience => ("invalid_audience", "meant for another node"),
        EventError::Unavailable => {
            return HttpResponse::build(StatusCode::SERVICE_UNAVAILABLE)
                .insert_header((header::RETRY_AFTER, RETRY_AFTER_SECS))
                .finish();
        }
    };
    HttpResponse::BadRequest()
        .insert_header((header::CONTENT_LANGUAGE, "en"))
        .json(json!({"err": code, "description": description}))
}
