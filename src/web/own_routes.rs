//! A node's requests to itself: answered by its own routes on a thread of their own, without a connection.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use actix_http::{BoxedPayloadStream, Payload, Request};
use actix_service::{Service, ServiceFactory};
use actix_web::HttpResponse;
use actix_web::body::{BoxBody, MessageBody, to_bytes_limited};
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode, Uri};
use actix_web::web::Bytes;
use futures_util::stream;
use tokio::sync::{mpsc, oneshot};

use crate::ports::{OutboundAnswer, OutboundError, OutboundRequest};

/// Maximum number of requests that wait for the thread.
const MOST_WAITING: usize = 64;

/// One request, and where its response goes.
struct Asked {
    /// Path and query below the node's base URL.
    target: String,
    request: OutboundRequest,
    answer: oneshot::Sender<Result<OutboundAnswer, OutboundError>>,
}

/// Time for a request and its response, as over the network: shorter than whoever asks has themselves.
const WHOLE: Duration = Duration::from_secs(10);

/// The routes; they end with the last of these handles.
#[derive(Clone)]
pub(crate) struct OwnRoutes {
    asked: mpsc::Sender<Asked>,
}

impl OwnRoutes {
    /// Starts the thread.
    ///
    /// # Errors
    /// The operating system's error when no thread can be started.
    pub(super) fn start<F>(routes: impl FnOnce() -> F + Send + 'static) -> std::io::Result<Self>
    where
        F: ServiceFactory<
                Request,
                Config = (),
                Response = ServiceResponse<BoxBody>,
                Error = HttpResponse,
                InitError = (),
            > + 'static,
    {
        let (asked, waiting) = mpsc::channel(MOST_WAITING);
        std::thread::Builder::new().name("own-routes".to_owned()).spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                match routes().new_service(()).await {
                    Ok(service) => serve(service, waiting).await,
                    Err(()) => {
                        tracing::error!(
                            event = "own_routes_failed",
                            "the node cannot answer its own requests"
                        );
                    }
                }
            });
        })?;
        Ok(Self { asked })
    }

    /// As [`crate::ports::Outbound::send`]; `target` is the path and query below the node's base URL.
    pub(crate) async fn send(
        &self,
        target: String,
        request: OutboundRequest,
    ) -> Result<OutboundAnswer, OutboundError> {
        let exchange = async {
            let (answer, answered) = oneshot::channel();
            let stopped = OutboundError::Unreachable("the node stops");
            self.asked.send(Asked { target, request, answer }).await.map_err(|_| stopped)?;
            answered.await.map_err(|_| stopped)?
        };
        let late = Err(OutboundError::Unreachable("not in time"));
        tokio::time::timeout(WHOLE, exchange).await.unwrap_or(late)
    }
}

/// Answers until the last handle is gone.
async fn serve<S>(service: S, mut waiting: mpsc::Receiver<Asked>)
where
    S: Service<Request, Response = ServiceResponse<BoxBody>, Error = HttpResponse> + 'static,
{
    let service = Rc::new(service);
    while let Some(Asked { target, request, answer }) = waiting.recv().await {
        let service = Rc::clone(&service);
        actix_web::rt::spawn(async move {
            let mut answer = answer;
            tokio::select! {
                outcome = respond(&*service, &target, request) => {
                    // Nobody waits any more.
                    let _ = answer.send(outcome);
                }
                // As when the other side closes a connection.
                () = answer.closed() => {}
            }
        });
    }
}

async fn respond<S>(
    service: &S,
    target: &str,
    request: OutboundRequest,
) -> Result<OutboundAnswer, OutboundError>
where
    S: Service<Request, Response = ServiceResponse<BoxBody>, Error = HttpResponse>,
{
    let max_bytes = request.max_bytes;
    let request = assemble(target, request).ok_or(OutboundError::Refused("the request is malformed"))?;
    match service.call(request).await {
        Ok(response) => read(response.into(), max_bytes).await,
        Err(response) => read(response, max_bytes).await,
    }
}

/// The request as it would come over a connection.
fn assemble(target: &str, request: OutboundRequest) -> Option<Request> {
    let (method, content_type, bytes) = request.body.into_parts();
    let length = bytes.len();
    let whole: BoxedPayloadStream = Box::pin(stream::iter([Ok(Bytes::from(bytes))]));
    let mut assembled = Request::with_payload(Payload::from(whole));
    let head = assembled.head_mut();
    head.method = method.parse::<Method>().ok()?;
    head.uri = target.parse::<Uri>().ok()?;
    let host = &request.url[url::Position::BeforeHost..url::Position::AfterPort];
    head.headers.insert(header::HOST, HeaderValue::from_str(host).ok()?);
    if let Some(content_type) = content_type {
        head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    for (name, value) in request.headers {
        head.headers
            .insert(HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(&value).ok()?);
    }
    Some(assembled)
}

async fn read(
    response: HttpResponse<impl MessageBody>,
    max_bytes: usize,
) -> Result<OutboundAnswer, OutboundError> {
    let (response, body) = response.into_parts();
    let (status, headers) = (response.status(), single(response.headers()));
    let body = match to_bytes_limited(body, max_bytes).await {
        Ok(Ok(body)) => body.to_vec(),
        Ok(Err(_)) => return Err(OutboundError::Unreachable("the response broke off")),
        Err(_) => return Err(OutboundError::Unfit("too large")),
    };
    Ok(OutboundAnswer { status: StatusCode::as_u16(&status), headers, body })
}

/// The headers that are not repeated.
fn single(headers: &HeaderMap) -> HashMap<String, String> {
    headers
        .keys()
        .filter_map(|name| {
            let mut values = headers.get_all(name);
            let value = values.next().filter(|_| values.next().is_none())?;
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        })
        .collect()
}
