//! Shared by the demo's servers: time, unguessable names, locked state, serving.

use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard};

use actix_web::dev::Server;
use actix_web::{App, HttpServer, web};

use crate::domain::clock::Timestamp;
use crate::domain::jose;
use crate::domain::sync::lock;
use crate::ports::{Clock, Entropy, random};

/// The state of a demo server, in memory.
pub(super) struct DemoServer<M> {
    pub(super) clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    memory: Mutex<M>,
}

impl<M> DemoServer<M> {
    pub(super) fn new(memory: M, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { clock, entropy, memory: Mutex::new(memory) }
    }

    pub(super) fn memory(&self) -> MutexGuard<'_, M> {
        lock(&self.memory)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A name of `BYTES` random bytes, base64url.
    pub(super) fn secret<const BYTES: usize>(&self) -> String {
        jose::b64url(&random::<BYTES>(self.entropy.as_ref()))
    }
}

/// Serves routes on a bound listener until the returned server is stopped.
pub(super) fn serve(
    listener: TcpListener,
    configure: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
) -> std::io::Result<Server> {
    let server = HttpServer::new(move || {
        App::new().app_data(web::FormConfig::default().limit(16 * 1024)).configure(|app| configure(app))
    });
    Ok(server.workers(1).disable_signals().shutdown_timeout(2).listen(listener)?.run())
}
