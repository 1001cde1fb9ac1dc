//! Requests to other members: `ports::Outbound` over the guarded client.

use std::collections::HashMap;

use async_trait::async_trait;
use http::{HeaderName, Method, Request};

use super::guard::{Expected, GuardError, GuardedClient};
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbound::Reach;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// Sends one request and gives back what the server saw and what the client got.
    async fn round(
        body: OutboundBody,
        answer: &'static str,
    ) -> (String, Result<OutboundAnswer, OutboundError>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://espoo.localhost:{}/oauth/par", listener.local_addr().unwrap().port());
        let url = url::Url::parse(&url).unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut seen = vec![0; 8192];
            let length = stream.read(&mut seen).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&seen[..length]).into_owned()
        });
        let client = GuardedClient::new(Reach::Demo).unwrap();
        client.allow(&url);
        let headers = vec![("dpop", "proof".to_owned())];
        let outcome = client
            .send(OutboundRequest {
                url,
                body,
                headers,
                content_types: &["application/json"],
                max_bytes: 100,
            })
            .await;
        (server.await.unwrap(), outcome)
    }

    #[tokio::test]
    async fn a_form_goes_out_and_json_comes_back() {
        let (seen, outcome) = round(
            OutboundBody::Form(vec![("scope".into(), "a b&c".into())]),
            "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nDPoP-Nonce: n\r\nContent-Length: 2\r\n\r\n{}",
        )
        .await;
        assert!(seen.starts_with("POST /oauth/par HTTP/1.1\r\n"), "{seen}");
        assert!(seen.contains("content-type: application/x-www-form-urlencoded\r\n"), "{seen}");
        assert!(seen.contains("dpop: proof\r\n") && seen.ends_with("scope=a+b%26c"), "{seen}");
        let answer = outcome.unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (201, &b"{}"[..]));
        assert_eq!(answer.headers.get("dpop-nonce").map(String::as_str), Some("n"));
    }

    #[tokio::test]
    async fn an_unfit_answer_is_told_from_none() {
        let (seen, outcome) = round(
            OutboundBody::None,
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi",
        )
        .await;
        assert!(seen.starts_with("GET /oauth/par"), "{seen}");
        assert_eq!(outcome.unwrap_err(), OutboundError::Unfit("another content type"));
        let bytes = OutboundBody::Bytes { content_type: "application/secevent+jwt", bytes: vec![b'x'] };
        let (seen, outcome) = round(bytes, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n").await;
        assert!(seen.contains("content-type: application/secevent+jwt\r\n"), "{seen}");
        assert_eq!(outcome.unwrap().status, 202);
    }
}
