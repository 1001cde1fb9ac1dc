//! The use cases' requests to other members, over the guarded client.

use async_trait::async_trait;
use http::{HeaderName, HeaderValue, header::CONTENT_TYPE};

use crate::http::guard::{Expected, GuardError, GuardedClient, Reply};
use crate::ports::{Outbound, OutboundAnswer, OutboundError, OutboundRequest};

/// Every successful response between nodes is JSON, a JSON Schema, or has no body.
const ANSWERS: &[&str] = &["application/json", "application/schema+json"];

#[async_trait]
impl Outbound for GuardedClient {
    async fn send(&self, request: OutboundRequest) -> Result<OutboundAnswer, OutboundError> {
        let expected = Expected { content_types: ANSWERS, max_bytes: request.max_bytes };
        let request = assemble(request).ok_or(OutboundError::Refused("the request is malformed"))?;
        self.execute(request, expected).await.map(answer).map_err(translate)
    }
}

fn assemble(request: OutboundRequest) -> Option<http::Request<Vec<u8>>> {
    let (method, content_type, bytes) = request.body.into_parts();
    let mut assembled = http::Request::builder().method(method).uri(request.url.as_str()).body(bytes).ok()?;
    let headers = assembled.headers_mut();
    if let Some(content_type) = content_type {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    for (name, value) in request.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        let mut value = HeaderValue::from_str(&value).ok()?;
        // Tokens and proofs: marked sensitive, so that no library's debug output prints them.
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Some(assembled)
}

fn answer(reply: Reply) -> OutboundAnswer {
    // A repeated header is ambiguous: of two receipts, for example, neither could be chosen.
    let single = |name: &HeaderName| {
        let mut values = reply.headers().get_all(name).iter();
        values.next().filter(|_| values.next().is_none())
    };
    let headers = reply
        .headers()
        .keys()
        .filter_map(|name| Some((name.as_str().to_owned(), single(name)?.to_str().ok()?.to_owned())))
        .collect();
    OutboundAnswer { status: reply.status.as_u16(), headers, body: reply.body }
}

const fn translate(error: GuardError) -> OutboundError {
    match error {
        GuardError::Forbidden(rule) => OutboundError::Refused(rule),
        GuardError::Malformed => OutboundError::Refused("the request is malformed"),
        GuardError::Unreachable => OutboundError::Unreachable("no connection"),
        GuardError::Timeout => OutboundError::Unreachable("not in time"),
        GuardError::TooLarge => OutboundError::Unfit("too large"),
        GuardError::Unexpected(kind) => OutboundError::Unfit(kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::AddressPolicy;
    use crate::ports::OutboundBody;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// Sends one request and returns what the server received and what the client got.
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
        let client = GuardedClient::new(AddressPolicy::Demo).unwrap();
        client.allow(&url);
        let headers = vec![("dpop", "proof".to_owned())];
        let outcome = client.send(OutboundRequest { url, body, headers, max_bytes: 100 }).await;
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
    async fn a_repeated_header_counts_as_none() {
        let (_, outcome) = round(
            OutboundBody::None,
            "HTTP/1.1 200 OK\r\nOmaData-Receipt: a\r\nOmaData-Receipt: b\r\nDPoP-Nonce: n\r\nContent-Type: application/json\r\n\
             Content-Length: 2\r\n\r\n{}",
        )
        .await;
        let headers = outcome.unwrap().headers;
        assert_eq!(headers.get("omadata-receipt"), None);
        assert_eq!(headers.get("dpop-nonce").map(String::as_str), Some("n"));
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
