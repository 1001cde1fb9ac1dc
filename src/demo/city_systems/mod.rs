//! City systems of the demo that a node asks over HTTP as its registers: memberships of the youth services as pages of
//! JSON, and residents' profiles by City of Helsinki's GDPR API with a token endpoint (RFC 6749 §4.4).
//!
//! They hold what `world` made up, and are strict where real ones are: no answer without the secret or a token of the
//! right scope, none to a request that is not of the expected form. They never run outside `omadata demo`.

mod access;
mod memberships;
mod profiles;
#[cfg(test)]
mod tests;
mod token;

use std::collections::HashMap;
use std::net::TcpListener;
use std::sync::{Arc, MutexGuard};

use actix_web::dev::Server;
use actix_web::{HttpResponse, web};
use secrecy::SecretString;
use serde_json::json;

use super::memory::Expiring;
use super::server::{self, DemoServer};
use super::world::SystemRecords;
use crate::config::{Config, SecretError, SecretFile};
use crate::domain::catalogue::register::Connection;
use crate::domain::catalogue::service::{Credentials, OAuthClient};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{IdError, NationalIdentifier};
use crate::ports::{Clock, Entropy, random};

/// Below this path are the youth services, as the register's address in the configuration.
const YOUTH_SERVICES: &str = "/youth-services/v1";
/// Below this path is the GDPR API of the profiles.
const PROFILES: &str = "/profile/gdpr-api/v1";

/// Why the systems cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SystemsError {
    /// The configuration has no register of this kind with the credentials that the demo's systems take.
    #[error("the city has no register of kind {0} with the credentials of the demo's systems")]
    NoRegister(&'static str),
    /// A secret cannot be read or made.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A made-up record does not say whose it is.
    #[error("a made-up record does not say whose it is: {0}")]
    Subject(#[from] IdError),
}

/// An access token of the profiles' authorization server.
#[derive(Clone)]
struct AccessToken {
    /// Whether it has the scope that the GDPR API asks for.
    may_query: bool,
}

struct Inner {
    server: DemoServer<Expiring<AccessToken>>,
    youth_token: SecretString,
    client: OAuthClient,
    client_secret: SecretString,
    memberships: HashMap<NationalIdentifier, Vec<serde_json::Value>>,
    profiles: HashMap<NationalIdentifier, serde_json::Value>,
}

/// The systems. Cheap to clone.
#[derive(Clone)]
pub struct CitySystems(Arc<Inner>);

impl CitySystems {
    /// The systems that a city's configuration names among its registers, with their secrets, which are made where they are
    /// missing.
    ///
    /// # Errors
    /// [`SystemsError`] when the configuration has other registers, or a secret cannot be made.
    pub fn new(
        config: &Config,
        records: &SystemRecords,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, SystemsError> {
        let (mut bearer, mut client) = (None, None);
        for register in &config.registers {
            match &register.connection {
                Connection::Http(service) => {
                    if let Credentials::Bearer(file) = &service.credentials {
                        bearer = Some(file);
                    }
                }
                Connection::GdprApi(service) => {
                    if let Credentials::Client(found) = &service.credentials {
                        client = Some(found.clone());
                    }
                }
                _ => {}
            }
        }
        let bearer = bearer.ok_or(SystemsError::NoRegister("http"))?;
        let client = client.ok_or(SystemsError::NoRegister("gdpr-api"))?;
        let secret =
            |file: &std::path::Path| SecretFile::new(file.to_owned(), true).read(|| random(entropy.as_ref()));
        let (youth_token, client_secret) = (secret(bearer)?, secret(&client.secret_file)?);
        Ok(Self(Arc::new(Inner {
            youth_token,
            client_secret,
            client,
            memberships: memberships::by_guardian(&records.memberships)?,
            profiles: profiles::by_resident(&records.profiles)?,
            server: DemoServer::new(Expiring::new(1_000), clock, entropy),
        })))
    }

    /// Adds the systems' routes to an actix application.
    pub fn configure(&self, app: &mut web::ServiceConfig) {
        app.app_data(web::Data::new(self.clone()))
            .route("/", web::get().to(welcome))
            .route("/token", web::post().to(token::token))
            .route(&format!("{YOUTH_SERVICES}/memberships"), web::get().to(memberships::list))
            .route(&format!("{PROFILES}/profiles/{{id}}"), web::get().to(profiles::show))
            .default_service(web::to(not_found));
    }

    /// Serves the systems on a bound listener until the returned server is stopped.
    ///
    /// # Errors
    /// An I/O error when the listener cannot be used.
    pub fn run(self, listener: TcpListener) -> std::io::Result<Server> {
        server::serve(listener, move |app| self.configure(app))
    }

    fn tokens(&self) -> MutexGuard<'_, Expiring<AccessToken>> {
        self.0.server.memory()
    }

    fn now(&self) -> Timestamp {
        self.0.server.now()
    }
}

/// `GET /`: a description for a visitor.
async fn welcome() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(
        "City systems of the OmaData demo: youth services and residents' profiles, all made up. Helsinki's node asks them as \
         its registers; there is nothing here for people.\n",
    )
}

async fn not_found() -> HttpResponse {
    HttpResponse::NotFound().json(json!({"error": "not_found"}))
}
