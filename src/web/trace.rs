//! One log line and one trace identifier for every request. Never a query, a client's address, or a body.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, web};
use tokio::time::Instant;

use super::App;

tokio::task_local! {
    static TRACE: String;
}

/// The trace identifier of the current request.
#[must_use]
pub(crate) fn current() -> String {
    TRACE.try_with(Clone::clone).unwrap_or_default()
}

/// Gives every request a trace identifier, returns it in `Trace-Id`, and logs the request when it is answered.
///
/// # Errors
/// The inner service's result.
pub(crate) async fn middleware(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let started = Instant::now();
    let id = request
        .app_data::<web::Data<App>>()
        .map(|app| crate::domain::jose::b64url(&crate::ports::random::<12>(&*app.node.entropy)))
        .unwrap_or_default();
    let method = request.method().clone();
    let mut response = TRACE.scope(id.clone(), next.call(request)).await?;
    // The route pattern, not the path: a path can identify a person's consent.
    let route = response.request().match_pattern().unwrap_or_else(|| "unmatched".to_owned());
    let status = response.status().as_u16();
    let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(event = "request_answered", %method, route, status, millis, trace = id, "the request was answered");
    if let Ok(value) = HeaderValue::from_str(&id)
        && !value.is_empty()
    {
        response.headers_mut().insert(HeaderName::from_static("trace-id"), value);
    }
    Ok(response)
}
