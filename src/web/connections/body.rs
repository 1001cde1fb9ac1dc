//! Middleware that reports a connection's requests to the connection table, and sets a deadline for every body.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use actix_web::{Error, HttpMessage};
use futures_util::Stream;
use tokio::time::{Instant, Sleep, sleep};

use super::phase::Phase;

/// Marks a connection as being served, until dropped.
struct Serving(Arc<Phase>);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.finish(Instant::now());
    }
}

/// The outermost middleware.
///
/// # Errors
/// The inner service's result.
pub(crate) async fn middleware(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(phase) = request.conn_data::<Arc<Phase>>().cloned() else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    phase.serve();
    if has_body(&request) {
        let (body, end) = (request.take_payload(), Box::pin(sleep(phase.deadlines().body)));
        let timed: TimedStream = Box::pin(TimedBody { body, end });
        request.set_payload(Payload::from(timed));
    }
    let serving = Serving(phase);
    let response = next.call(request).await?;
    Ok(response.map_body(|_, body| BoxBody::new(ServedBody { body: body.boxed(), serving: Some(serving) })))
}

type TimedStream = Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>>;

fn has_body(request: &ServiceRequest) -> bool {
    request.headers().contains_key(header::CONTENT_LENGTH)
        || request.headers().contains_key(header::TRANSFER_ENCODING)
}

/// A body with a deadline, in any transfer encoding.
struct TimedBody {
    body: Payload,
    end: Pin<Box<Sleep>>,
}

impl Stream for TimedBody {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let chunk = Pin::new(&mut self.body).poll_next(cx);
        // The deadline also applies while small chunks keep arriving.
        if self.end.as_mut().poll(cx).is_ready() && !matches!(chunk, Poll::Ready(None)) {
            let late = std::io::Error::from(std::io::ErrorKind::TimedOut);
            return Poll::Ready(Some(Err(PayloadError::Io(late))));
        }
        chunk
    }
}

/// A response body; when it has been sent, the connection waits for its client again.
struct ServedBody {
    body: BoxBody,
    serving: Option<Serving>,
}

impl MessageBody for ServedBody {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let chunk = Pin::new(&mut self.body).poll_next(cx);
        if matches!(chunk, Poll::Ready(None | Some(Err(_)))) {
            self.serving = None;
        }
        chunk
    }
}
