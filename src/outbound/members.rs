//! Requests to other members: `ports::Outbound` over the guarded client.

use std::collections::HashMap;

use async_trait::async_trait;
use http::{HeaderName, Method, Request};

use super::guard::{Expected, GuardedClient, OutboundError as GuardError};
use crate::ports::{Outbound, OutboundAnswer, OutboundBody, OutboundError, OutboundRequest};

#[async_trait]
impl Outbound for GuardedClient {
    async fn send(&self, request: OutboundRequest) -> Result<OutboundAnswer, OutboundError> {
        let expected = Expected { content_types: request.content_types, max_bytes: request.max_bytes };
        let reply = self.execute(to_http(request)?, expected).await.map_err(translate)?;
        let headers: HashMap<String, String> = reply
            .headers()
            .keys()
            // One that comes twice is none: nobody should choose between them.
            .filter_map(|name| Some((name.as_str().to_owned(), reply.header(name.as_str())?.to_owned())))
            .collect();
        Ok(OutboundAnswer { status: reply.status.as_u16(), headers, body: reply.body })
    }
}

fn to_http(request: OutboundRequest) -> Result<Request<Vec<u8>>, OutboundError> {
    let (method, content_type, bytes) = match request.body {
        OutboundBody::None => (Method::GET, None, Vec::new()),
        OutboundBody::Form(form) => {
            let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&form).finish();
            (Method::POST, Some("application/x-www-form-urlencoded"), text.into_bytes())
        }
        OutboundBody::Bytes { content_type, bytes } => (Method::POST, Some(content_type), bytes),
    };
    let mut builder = Request::builder().method(method).uri(request.url.as_str());
    if let Some(content_type) = content_type {
        builder = builder.header(http::header::CONTENT_TYPE, content_type);
    }
    for (name, value) in request.headers {
        builder = builder.header(HeaderName::from_static(name), value);
    }
    builder.body(bytes).map_err(|_| OutboundError::Refused("the request cannot be made"))
}

fn translate(error: GuardError) -> OutboundError {
    match error {
        GuardError::Forbidden(rule) => OutboundError::Refused(rule),
        GuardError::Malformed => OutboundError::Refused("the request cannot be made"),
        GuardError::Unreachable => OutboundError::Unreachable("no connection"),
        GuardError::Timeout => OutboundError::Unreachable("no answer in time"),
        GuardError::TooLarge => OutboundError::Unfit("too large"),
        GuardError::Unexpected(what) => OutboundError::Unfit(what),
    }
}
