//! The demo's page that plays a city service, such as early education in Helsinki. It calls the requesting city's node
//! over the service API as an integrator's program would, and shows every request with its response.
//!
//! It never runs outside `omadata demo`; its cases are in memory.

mod calls;
mod case;
mod cases;
mod reports;
mod views;

#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::web;
use secrecy::SecretString;
use url::Url;

use self::calls::Caller;
use self::case::Case;
use super::memory::Expiring;
use super::pages;
use super::server::{self, DemoServer};
use crate::domain::clock::Timestamp;
use crate::domain::ids::NationalIdentifier;
use crate::ports::{Clock, Entropy};

/// How long a case is kept, in seconds.
const CASE_SECS: i64 = 12 * 3600;

/// Settings of the page.
pub(crate) struct ServicePageConfig {
    /// Its own address, such as `http://service.localhost:8410`.
    pub(crate) base_url: Url,
    /// The cities; by default the first requests from the second.
    pub(crate) cities: Vec<City>,
    /// The made-up residents of the cases.
    pub(crate) residents: Vec<Customer>,
}

/// A city on the page: as recipient (its node, its service's credentials and uses) and as holder (its datasets).
pub(crate) struct City {
    /// Short name for addresses (`helsinki`).
    pub id: String,
    /// Name.
    pub name: String,
    /// Base URL of its node, which is also its entity identifier.
    pub node: Url,
    /// `client_id` of its service at its node.
    pub client_id: String,
    /// The service's secret.
    pub client_secret: SecretString,
    /// The declared uses of its service.
    pub uses: Vec<ServiceUse>,
    /// Its datasets.
    pub datasets: Vec<HeldDataset>,
}

/// A declared use of a city's service.
#[derive(Debug, Clone)]
pub(crate) struct ServiceUse {
    /// Its URL.
    pub(crate) url: String,
    pub(crate) title: String,
    /// The purpose in one sentence.
    pub(crate) purpose: String,
    /// The kind of the requested dataset.
    pub(crate) dataset_type: String,
    /// Maximum number of fetches under one consent.
    pub(crate) max_exchanges: u32,
}

/// A dataset of a city.
#[derive(Debug, Clone)]
pub(crate) struct HeldDataset {
    /// Its identifier at the city.
    pub id: String,
    /// Its kind.
    pub kind: String,
    pub(crate) title: String,
}

/// A made-up resident, as the customer of a case.
#[derive(Debug, Clone)]
pub(crate) struct Customer {
    /// Short name for the form.
    pub(crate) username: String,
    /// First and last name.
    pub(crate) name: String,
    /// The made-up identifier that the service has.
    pub(crate) identifier: NationalIdentifier,
}

/// The page. Cheap to clone.
#[derive(Clone)]
pub(crate) struct ServicePage(Arc<Inner>);

struct Inner {
    config: ServicePageConfig,
    caller: Caller,
    server: DemoServer<Memory>,
}

struct Memory {
    cases: Expiring<Case>,
    counter: u32,
}

impl ServicePage {
    /// Creates the page. Names under `localhost` resolve to this machine, even if the system does not resolve them.
    ///
    /// # Errors
    /// [`reqwest::Error`] when no HTTP client can be made.
    pub(crate) fn new(
        config: ServicePageConfig,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, reqwest::Error> {
        let mut client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(3))
            .timeout(Duration::from_secs(20))
            .user_agent("omadata-demo-service");
        for host in config.cities.iter().filter_map(|city| city.node.host_str()) {
            if host.ends_with(".localhost") {
                client = client.resolve(host, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
            }
        }
        Ok(Self(Arc::new(Inner {
            caller: Caller::new(client.build()?, clock.clone()),
            config,
            server: DemoServer::new(Memory { cases: Expiring::new(500), counter: 0 }, clock, entropy),
        })))
    }

    /// Adds the page's routes to an actix application.
    pub(crate) fn configure(&self, app: &mut web::ServiceConfig) {
        app.app_data(web::Data::new(self.clone()))
            .route("/", web::get().to(cases::home))
            .route("/ask", web::post().to(cases::ask))
            .route("/cases/{case}", web::get().to(cases::show))
            .route("/cases/{case}/fetch", web::post().to(cases::fetch))
            .route("/cities/{city}/permissions", web::get().to(cases::permissions))
            .route("/cities/{city}/permissions/{consent}", web::post().to(cases::take_up))
            .route("/assets/demo.css", web::get().to(pages::stylesheet))
            .default_service(web::to(cases::not_found));
    }

    /// Serves the page on a bound listener until the returned server is stopped.
    ///
    /// # Errors
    /// An I/O error when the listener cannot be used.
    pub(crate) fn run(self, listener: TcpListener) -> std::io::Result<Server> {
        server::serve(listener, move |app| self.configure(app))
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.server.memory()
    }

    fn now(&self) -> Timestamp {
        self.0.server.now()
    }

    fn new_name(&self) -> String {
        self.0.server.secret::<12>()
    }

    fn city(&self, id: &str) -> Option<&City> {
        self.0.config.cities.iter().find(|city| city.id == id)
    }

    fn address(&self, path: &str) -> String {
        format!("{}{path}", self.0.config.base_url.as_str().trim_end_matches('/'))
    }
}

impl City {
    /// The node's base URL without a trailing slash: its entity identifier.
    fn entity(&self) -> &str {
        self.node.as_str().trim_end_matches('/')
    }
}
