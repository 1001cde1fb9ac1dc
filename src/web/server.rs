//! The HTTP server of a node and of an anchor: what stands before every handler, and what is served where.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_session::SessionMiddleware;
use actix_session::config::{CookieContentSecurity, PersistentSession, TtlExtensionPolicy};
use actix_web::body::MessageBody;
use actix_web::cookie::{Key, SameSite};
use actix_web::dev::{Server, ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::{Next, from_fn};
use actix_web::{App as ActixApp, Error, HttpResponse, HttpServer, web};

use super::problem::{HttpProblem, respond};
use super::session::StoredSessions;
use super::{App, events, exchange, federation, oauth, portal, trace};
use crate::node::ProblemKind;
use crate::node::federation::FederationStatements;
use crate::ports::StopSignal;
use crate::web::api::v1;

/// How the server bounds what strangers send.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Threads.
    pub workers: usize,
    /// Time for the first head of a connection.
    pub head: Duration,
    /// Time for a request's body and its answer.
    pub whole: Duration,
    /// Most bytes of a body.
    pub max_bytes: usize,
}

/// How long a connection may stand idle.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Most connections of one thread.
const MAX_CONNECTIONS: usize = 2048;

/// How long requests under way may take when the server stops, in seconds.
const STOP_SECS: u64 = 10;

/// Serves a node on a socket that is bound already.
///
/// # Errors
/// The operating system's, when the socket cannot be used.
pub fn serve_node(
    app: App,
    statements: Arc<dyn FederationStatements>,
    session_key: &[u8; 32],
    listener: TcpListener,
    bounds: Bounds,
) -> std::io::Result<Server> {
    let app = web::Data::new(app);
    let statements: web::Data<dyn FederationStatements> = web::Data::from(statements);
    let key = Key::derive_from(session_key);
    let server = HttpServer::new(move || {
        let sessions = SessionMiddleware::builder(StoredSessions::new(Arc::clone(&app.node)), key.clone())
            .cookie_name(app.cookies.session_name().to_owned())
            .cookie_content_security(CookieContentSecurity::Signed)
            .cookie_same_site(SameSite::Lax)
            .cookie_secure(app.cookies.secure)
            .cookie_http_only(true)
            .session_lifecycle(
                PersistentSession::default()
                    .session_ttl(cookie_life(&app))
                    .session_ttl_extension_policy(TtlExtensionPolicy::OnEveryRequest),
            )
            .build();
        ActixApp::new()
            .app_data(app.clone())
            .app_data(statements.clone())
            .app_data(web::PayloadConfig::new(bounds.max_bytes))
            .configure(machine_routes)
            .service(
                web::scope("")
                    .wrap(sessions)
                    .configure(oauth::configure_with_session)
                    .configure(portal::configure),
            )
            .default_service(web::to(|| async { respond(ProblemKind::NotFound, None) }))
            .wrap(from_fn(headers))
            .wrap(from_fn(move |request, next| deadline(bounds.whole, request, next)))
            .wrap(from_fn(trace::middleware))
    });
    Ok(server
        .workers(bounds.workers)
        .client_request_timeout(bounds.head)
        .keep_alive(KEEP_ALIVE)
        .max_connections(MAX_CONNECTIONS)
        .shutdown_timeout(STOP_SECS)
        .disable_signals()
        .listen(listener)?
        .run())
}

/// Serves a trust anchor on a socket that is bound already.
///
/// # Errors
/// The operating system's, when the socket cannot be used.
pub fn serve_anchor(
    statements: Arc<dyn FederationStatements>,
    stop: StopSignal,
    listener: TcpListener,
    bounds: Bounds,
) -> std::io::Result<Server> {
    let statements: web::Data<dyn FederationStatements> = web::Data::from(statements);
    let stop = web::Data::new(stop);
    let server = HttpServer::new(move || {
        ActixApp::new()
            .app_data(statements.clone())
            .app_data(stop.clone())
            .app_data(web::PayloadConfig::new(bounds.max_bytes))
            .configure(federation::configure_anchor)
            .route("/health/live", web::get().to(alive))
            .route("/health/ready", web::get().to(anchor_ready))
            .default_service(web::to(|| async { respond(ProblemKind::NotFound, None) }))
            .wrap(from_fn(headers))
            .wrap(from_fn(move |request, next| deadline(bounds.whole, request, next)))
            .wrap(from_fn(trace::middleware))
    });
    Ok(server
        .workers(bounds.workers)
        .client_request_timeout(bounds.head)
        .keep_alive(KEEP_ALIVE)
        .max_connections(MAX_CONNECTIONS)
        .shutdown_timeout(STOP_SECS)
        .disable_signals()
        .listen(listener)?
        .run())
}

/// What programs call; none of it has a session.
fn machine_routes(config: &mut web::ServiceConfig) {
    federation::configure(config);
    oauth::configure(config);
    exchange::configure(config);
    events::configure(config);
    v1::configure(config);
    config.route("/health/live", web::get().to(alive)).route("/health/ready", web::get().to(ready));
}

fn cookie_life(app: &App) -> actix_web::cookie::time::Duration {
    actix_web::cookie::time::Duration::seconds(app.node.settings.limits.session_max_secs)
}

async fn alive() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

/// Ready until the process stops.
async fn anchor_ready(stop: web::Data<StopSignal>) -> HttpResponse {
    if stop.is_stopping() {
        return respond(ProblemKind::Unavailable, None);
    }
    HttpResponse::NoContent().finish()
}

/// Ready when the store answers, until the process stops.
async fn ready(app: web::Data<App>) -> HttpResponse {
    if app.stop.is_stopping() {
        return respond(ProblemKind::Unavailable, None);
    }
    match app.node.store.ping().await {
        Ok(()) => HttpResponse::NoContent().finish(),
        Err(_) => respond(ProblemKind::Unavailable, None),
    }
}

/// Headers of every answer; a handler that says otherwise is left alone.
async fn headers(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    const ALWAYS: [(&str, &str); 5] = [
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("x-frame-options", "DENY"),
    ];
    let secure = request.app_data::<web::Data<App>>().is_some_and(|app| app.cookies.secure);
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        let name = HeaderName::from_static(name);
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if secure {
        headers.insert(
            HeaderName::from_static("strict-transport-security"),
            HeaderValue::from_static("max-age=31536000"),
        );
    }
    Ok(response)
}

/// Ends a request whose body trickles in, or whose answer never comes.
async fn deadline(
    whole: Duration,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    tokio::time::timeout(whole, next.call(request))
        .await
        .unwrap_or_else(|_| Err(HttpProblem::from(ProblemKind::Unavailable).into()))
}
