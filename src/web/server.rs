//! The HTTP server of a node and of an anchor: middleware and routes.

use std::future::ready as not_found;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, KeepAlive, Request};
use actix_service::{IntoServiceFactory, ServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_session::SessionMiddleware;
use actix_session::config::{CookieContentSecurity, PersistentSession, TtlExtensionPolicy};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::cookie::{Key, SameSite};
use actix_web::dev::{AppConfig, Server, ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::{Next, from_fn};
use actix_web::rt::net::TcpStream;
use actix_web::web::ServiceConfig;
use actix_web::{App as ActixApp, Error, HttpResponse, ResponseError, web};
use tokio::time::Instant;

use super::connections::body;
use super::connections::phase::Deadlines;
use super::connections::stream::GuardedStream;
use super::connections::table::{Limits, Table};
use super::health::{self, Readiness};
use super::own_routes::OwnRoutes;
use super::problem::HttpProblem;
use super::routes::close_prefixes;
use super::session::StoredSessions;
use super::{App, events, exchange, federation, oauth, portal, trace};
use crate::node::ProblemKind;
use crate::node::federation::FederationStatements;
use crate::ports::StopSignal;
use crate::web::api::v1;

/// Limits of the server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Threads.
    pub workers: usize,
    /// Time for a request head.
    pub head: Duration,
    /// Time for a request body, and without progress for a client to take a response.
    pub body: Duration,
    /// Time between a response and the next request of a connection.
    pub(crate) idle: Duration,
    /// Time for a request's body and its response.
    pub whole: Duration,
    /// Maximum size of a body in bytes.
    pub max_bytes: usize,
    /// Maximum number of connections; by the process's file descriptors when `None`.
    pub limits: Option<Limits>,
}

impl Bounds {
    /// The default limits of a server.
    #[must_use]
    pub(crate) const fn new(workers: usize, whole: Duration, max_bytes: usize) -> Self {
        Self {
            workers,
            head: Duration::from_secs(5),
            body: Duration::from_secs(10),
            idle: Duration::from_secs(15),
            whole,
            max_bytes,
            limits: None,
        }
    }

    const fn deadlines(&self) -> Deadlines {
        Deadlines { head: self.head, idle: self.idle, body: self.body, stall: self.body }
    }
}

/// Time for requests in progress when the server stops, in seconds.
const STOP_SECS: u64 = 10;

/// Serves a node on a bound socket.
///
/// # Errors
/// The operating system's error when the socket cannot be used.
pub(crate) fn serve_node(
    app: App,
    statements: Arc<dyn FederationStatements>,
    session_key: &[u8; 32],
    listener: TcpListener,
    bounds: Bounds,
) -> std::io::Result<Server> {
    serve(node_service(app, statements, session_key), listener, bounds)
}

/// Answers a node's requests to itself, by the same routes and without a connection.
///
/// # Errors
/// The operating system's error when no thread can be started.
pub(crate) fn serve_itself(
    app: App,
    statements: Arc<dyn FederationStatements>,
    session_key: &[u8; 32],
    bounds: Bounds,
) -> std::io::Result<OwnRoutes> {
    let routes = node_service(app, statements, session_key);
    OwnRoutes::start(move || application(routes, bounds))
}

/// Any routes, as [`serve_itself`] serves a node's.
#[cfg(test)]
pub(crate) fn test_routes(routes: impl Fn(&mut ServiceConfig) + Send + 'static) -> OwnRoutes {
    let bounds = Bounds::new(1, Duration::from_secs(5), 1000);
    OwnRoutes::start(move || application(routes, bounds)).unwrap()
}

/// All routes of a node, with what they share.
fn node_service(
    app: App,
    statements: Arc<dyn FederationStatements>,
    session_key: &[u8; 32],
) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
    let app = web::Data::new(app);
    let statements: web::Data<dyn FederationStatements> = web::Data::from(statements);
    let key = Key::derive_from(session_key);
    move |config: &mut ServiceConfig| {
        config.app_data(app.clone()).app_data(statements.clone());
        machine_routes(config);
        config.service(
            web::scope("")
                .wrap(from_fn(portal::error_pages))
                .wrap(sessions(&app, key.clone()))
                .configure(portal::configure),
        );
    }
}

/// Serves a trust anchor on a bound socket.
///
/// # Errors
/// The operating system's error when the socket cannot be used.
pub(crate) fn serve_anchor(
    statements: Arc<dyn FederationStatements>,
    stop: StopSignal,
    ready: Arc<dyn Readiness>,
    listener: TcpListener,
    bounds: Bounds,
) -> std::io::Result<Server> {
    let statements: web::Data<dyn FederationStatements> = web::Data::from(statements);
    let ready: web::Data<dyn Readiness> = web::Data::from(ready);
    let stop = web::Data::new(stop);
    let routes = move |config: &mut ServiceConfig| {
        config.app_data(statements.clone()).app_data(ready.clone()).app_data(stop.clone());
        federation::configure_anchor(config);
        health::configure(config);
    };
    serve(routes, listener, bounds)
}

/// The routes with the middleware of every handler: connection limits, trace, deadline, headers.
fn application(
    routes: impl Fn(&mut ServiceConfig),
    bounds: Bounds,
) -> impl ServiceFactory<
    Request,
    Config = (),
    Response = ServiceResponse<BoxBody>,
    Error = HttpResponse,
    InitError = (),
> {
    let app = ActixApp::new()
        .app_data(web::PayloadConfig::new(bounds.max_bytes))
        // The framework's own errors are plain text; an invalid path or query is a problem like any other.
        .app_data(web::PathConfig::default().error_handler(|_, _| problem(ProblemKind::NotFound)))
        .app_data(web::QueryConfig::default().error_handler(|_, _| problem(ProblemKind::BadRequest)))
        .configure(routes)
        .default_service(web::to(|| not_found(HttpProblem::from(ProblemKind::NotFound).error_response())))
        .wrap(from_fn(headers))
        .wrap(from_fn(move |request, next| deadline(bounds.whole, request, next)))
        .wrap(from_fn(trace::middleware))
        .wrap(from_fn(body::middleware))
        .into_factory()
        .map_err(|error: Error| error.error_response());
    map_config(app, |()| AppConfig::default())
}

/// Serves over the connections of a socket, within the limits of the table.
fn serve(
    routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
    listener: TcpListener,
    bounds: Bounds,
) -> std::io::Result<Server> {
    let limits = bounds.limits.unwrap_or_else(Limits::of_process);
    let table = Table::new(limits, bounds.deadlines());
    let builder = Server::build()
        .workers(bounds.workers)
        // The table limits connections; a worker's own limit would stop accepting earlier.
        .max_concurrent_connections(limits.total.saturating_mul(2))
        .shutdown_timeout(STOP_SECS)
        .disable_signals();
    let (address, stopping) = (listener.local_addr()?, builder.graceful_shutdown_signal());
    let connections = move || {
        let (table, stopping) = (Arc::clone(&table), stopping.clone());
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            // The stream measures the time for every head; the framework's timer has a resolution of half a second.
            .keep_alive(KeepAlive::Os)
            .client_request_timeout(Duration::ZERO)
            .local_addr(address)
            .on_connect_ext(|stream: &GuardedStream, data| {
                data.insert(Arc::clone(stream.phase()));
            })
            .h1(application(routes.clone(), bounds));
        fn_service(move |stream: TcpStream| std::future::ready(admit(&table, stream))).and_then(http)
    };
    Ok(builder.listen("http", listener, connections)?.run())
}

fn problem(kind: ProblemKind) -> Error {
    HttpProblem::from(kind).into()
}

/// Admits a connection, or closes it.
fn admit(
    table: &Arc<Table>,
    stream: TcpStream,
) -> Result<(GuardedStream, Option<SocketAddr>), DispatchError> {
    let peer = stream.peer_addr()?;
    let place = table.admit(peer.ip(), Instant::now());
    let place = place.ok_or_else(|| std::io::Error::from(std::io::ErrorKind::ConnectionRefused))?;
    stream.set_nodelay(true)?;
    Ok((GuardedStream::new(stream, place), Some(peer)))
}

/// Path prefixes that are answered with problems, not pages; each begins a path of [`machine_routes`].
const MACHINE_PREFIXES: [&str; 6] =
    ["/api", "/exchange", "/events", "/federation", "/health", "/.well-known"];

/// The paths for programs; none has a session.
fn machine_routes(config: &mut ServiceConfig) {
    federation::configure(config);
    oauth::configure(config);
    exchange::configure(config);
    events::configure(config);
    v1::configure(config);
    health::configure(config);
    close_prefixes(config, &MACHINE_PREFIXES);
}

/// Every path that a node offers, with its methods.
pub fn node_routes() -> impl Iterator<Item = &'static (&'static str, &'static [&'static str])> {
    let programs =
        [federation::FEDERATION, oauth::OAUTH, exchange::EXCHANGE, events::EVENTS, v1::API, health::HEALTH];
    programs.into_iter().chain(portal::PAGES).flatten()
}

/// The browser's session, by a signed cookie that scripts cannot read.
fn sessions(app: &web::Data<App>, key: Key) -> SessionMiddleware<StoredSessions> {
    let lifecycle = PersistentSession::default()
        .session_ttl(cookie_life(app))
        .session_ttl_extension_policy(TtlExtensionPolicy::OnEveryRequest);
    SessionMiddleware::builder(StoredSessions::new(Arc::clone(&app.node)), key)
        .cookie_name(app.cookies.session_name().to_owned())
        .cookie_content_security(CookieContentSecurity::Signed)
        .cookie_same_site(SameSite::Lax)
        .cookie_secure(app.cookies.secure)
        .cookie_http_only(true)
        .session_lifecycle(lifecycle)
        .build()
}

fn cookie_life(app: &App) -> actix_web::cookie::time::Duration {
    actix_web::cookie::time::Duration::seconds(app.node.settings.limits.session_max_secs)
}

/// Default headers of every response; a handler can override them.
async fn headers(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    // Responses to a person or with a secret are not cached (RFC 9111 §5.2.2.5); public documents set their own
    // lifetime.
    const ALWAYS: [(&str, &str); 6] = [
        ("cache-control", "no-store"),
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

/// Times out a request whose body or response takes too long.
async fn deadline(
    whole: Duration,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    // What a request was to change may have been changed by then.
    let late = match request.method().is_safe() {
        true => ProblemKind::Unavailable,
        false => ProblemKind::OutcomeUnknown,
    };
    tokio::time::timeout(whole, next.call(request))
        .await
        .unwrap_or_else(|_| Err(HttpProblem::from(late).into()))
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
