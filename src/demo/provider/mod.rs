//! The demo's login provider: an OpenID provider (OpenID Connect Core 1.0, Discovery 1.0, RP-Initiated Logout 1.0) at
//! which a visitor chooses one of the made-up residents instead of authenticating.
//!
//! It stands in for a city's real provider and is strict in the same places: registered clients and exact redirect
//! addresses only, PKCE S256 required, codes redeemed once, `iss` in every response (RFC 9207). Its state is in memory.
//! It never runs outside `omadata demo`.

mod authorize;
mod client;
mod cookies;
mod login;
mod logout;
mod messages;
mod texts;
mod token;
mod token_request;

use std::net::TcpListener;
use std::sync::{Arc, MutexGuard};

use actix_web::dev::Server;
use actix_web::{HttpResponse, web};
use serde_json::json;
use url::Url;

use super::memory::Expiring;
use super::pages;
use super::server::{self, DemoServer};
use crate::domain::catalogue::{Language, Text};
use crate::domain::clock::Timestamp;
use crate::domain::ids::NationalIdentifier;
use crate::domain::jose::{JoseError, PublicKeys, SigningKey};
use crate::ports::{Clock, Entropy};

/// The everyday level of a demo login, as `acr` value.
pub const LOA2: &str = "urn:omadata:demo:loa2";
/// The demo's strong level, as `acr` value.
pub const LOA3: &str = "urn:omadata:demo:loa3";

/// How long a login at the provider lasts, in seconds.
const SESSION_SECS: i64 = 8 * 3600;
/// How long a person may take to choose a resident, in seconds.
const CHOICE_SECS: i64 = 30 * 60;
/// How long an authorization code may be redeemed, in seconds.
const CODE_SECS: i64 = 60;
/// How long an access token opens the UserInfo endpoint, in seconds.
const ACCESS_SECS: i64 = 300;

/// Settings of the demo's login provider.
pub struct ProviderConfig {
    /// Its issuer: a base URL without path, such as `http://login.localhost:8409`.
    pub issuer: Url,
    /// The claim that carries the made-up national identifier (`national_id`).
    pub identifier_claim: String,
    /// The residents one can log in as, in the order shown.
    pub residents: Vec<Resident>,
    /// Registered clients.
    pub clients: Vec<RegisteredClient>,
}

/// A made-up person.
#[derive(Debug, Clone)]
pub struct Resident {
    /// A short name for the form, unique (`aino`).
    pub username: String,
    /// First and last name.
    pub name: String,
    /// The made-up national identifier in the demo's registers.
    pub identifier: NationalIdentifier,
    /// What can be tried with this resident.
    pub description: Text,
}

/// A relying party.
#[derive(Clone)]
pub struct RegisteredClient {
    /// `client_id`.
    pub client_id: String,
    /// Display name (`Espoo` / `Esbo`).
    pub name: Text,
    /// Authentication at the token endpoint.
    pub authentication: ClientAuthentication,
    /// `redirect_uris`, compared character by character.
    pub redirect_uris: Vec<String>,
    /// `post_logout_redirect_uris`, compared character by character.
    pub post_logout_redirect_uris: Vec<String>,
}

/// Authentication of a client at the token endpoint.
#[derive(Clone)]
pub enum ClientAuthentication {
    /// `client_secret_basic` or `client_secret_post`.
    Secret(secrecy::SecretString),
    /// `private_key_jwt` with one of these keys.
    Keys(PublicKeys),
}

/// Strength of a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Everyday,
    Strong,
}

impl Level {
    fn acr(self) -> &'static str {
        match self {
            Self::Everyday => LOA2,
            Self::Strong => LOA3,
        }
    }

    fn from_acr(acr: &str) -> Option<Self> {
        [Self::Everyday, Self::Strong].into_iter().find(|level| level.acr() == acr)
    }
}

/// A logged-in browser session.
#[derive(Clone)]
struct Session {
    username: String,
    auth_time: Timestamp,
    level: Level,
}

/// A pending choice of residents.
#[derive(Clone)]
struct Choice {
    request: authorize::AuthorizationRequest,
    /// The cookie of the browser that may choose.
    browser: String,
}

/// A grant behind a code or access token.
#[derive(Clone)]
struct Grant {
    /// Identifies the grant, so that a replayed code revokes its access token.
    id: String,
    request: authorize::AuthorizationRequest,
    username: String,
    auth_time: Timestamp,
    acr: &'static str,
}

/// An authorization code; kept after its use so that a replay is detected.
struct Code {
    grant: Grant,
    used: bool,
}

struct Memory {
    choices: Expiring<Choice>,
    sessions: Expiring<Session>,
    codes: Expiring<Code>,
    access_tokens: Expiring<Grant>,
    client_assertions: Expiring<()>,
}

/// The demo's login provider. Cheap to clone.
#[derive(Clone)]
pub struct DemoProvider(Arc<Inner>);

struct Inner {
    config: ProviderConfig,
    /// The issuer without a trailing slash.
    issuer: String,
    form_targets: String,
    key: SigningKey,
    server: DemoServer<Memory>,
}

impl DemoProvider {
    /// Makes a provider with a fresh signing key (ES256).
    ///
    /// # Errors
    /// [`JoseError`] when no key can be made.
    pub fn new(
        config: ProviderConfig,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, JoseError> {
        let memory = Memory {
            choices: Expiring::new(2_000),
            sessions: Expiring::new(2_000),
            codes: Expiring::new(2_000),
            access_tokens: Expiring::new(2_000),
            client_assertions: Expiring::new(10_000),
        };
        Ok(Self(Arc::new(Inner {
            issuer: config.issuer.as_str().trim_end_matches('/').to_owned(),
            form_targets: form_targets(&config),
            key: SigningKey::generate()?,
            config,
            server: DemoServer::new(memory, clock, entropy),
        })))
    }

    /// Adds the provider's routes to an actix application.
    pub fn configure(&self, app: &mut web::ServiceConfig) {
        app.app_data(web::Data::new(self.clone()))
            .route("/", web::get().to(messages::welcome))
            .route("/.well-known/openid-configuration", web::get().to(metadata))
            .route("/jwks", web::get().to(jwks))
            .route("/authorize", web::get().to(authorize::by_query))
            .route("/authorize", web::post().to(authorize::by_form))
            .route("/login/{choice}", web::get().to(login::show))
            .route("/login/{choice}", web::post().to(login::decide))
            .route("/token", web::post().to(token::token))
            .route("/userinfo", web::get().to(token::userinfo))
            .route("/userinfo", web::post().to(token::userinfo))
            .route("/logout", web::get().to(logout::by_query))
            .route("/logout", web::post().to(logout::by_form))
            .route("/assets/demo.css", web::get().to(pages::stylesheet))
            .default_service(web::to(messages::not_found));
    }

    /// Serves the provider on a bound listener until the returned server is stopped.
    ///
    /// # Errors
    /// An I/O error when the listener cannot be used.
    pub fn run(self, listener: TcpListener) -> std::io::Result<Server> {
        server::serve(listener, move |app| self.configure(app))
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.server.memory()
    }

    fn now(&self) -> Timestamp {
        self.0.server.now()
    }

    fn secret(&self) -> String {
        self.0.server.secret::<24>()
    }

    fn client(&self, id: &str) -> Option<&RegisteredClient> {
        self.0.config.clients.iter().find(|client| client.client_id == id)
    }

    fn resident(&self, username: &str) -> Option<&Resident> {
        self.0.config.residents.iter().find(|resident| resident.username == username)
    }

    fn endpoint(&self, path: &str) -> String {
        format!("{}{path}", self.0.issuer)
    }
}

/// The origins that a form of this provider may be redirected to: the clients, and the pages after them, which in the
/// demo are on this machine.
fn form_targets(config: &ProviderConfig) -> String {
    let mut targets: Vec<String> = config
        .clients
        .iter()
        .flat_map(|client| client.redirect_uris.iter().chain(&client.post_logout_redirect_uris))
        .filter_map(|uri| Url::parse(uri).ok())
        .map(|uri| uri.origin().ascii_serialization())
        .collect();
    targets.push("http://*.localhost:*".to_owned());
    targets.sort();
    targets.dedup();
    targets.join(" ")
}

/// `GET /.well-known/openid-configuration` (OpenID Connect Discovery 1.0 §3).
async fn metadata(provider: web::Data<DemoProvider>) -> HttpResponse {
    let claims = ["sub", "iss", "aud", "exp", "iat", "nonce", "auth_time", "acr", "amr", "name"];
    let claims: Vec<&str> = claims.into_iter().chain([provider.0.config.identifier_claim.as_str()]).collect();
    HttpResponse::Ok().json(json!({
        "issuer": provider.0.issuer,
        "authorization_endpoint": provider.endpoint("/authorize"),
        "token_endpoint": provider.endpoint("/token"),
        "userinfo_endpoint": provider.endpoint("/userinfo"),
        "jwks_uri": provider.endpoint("/jwks"),
        "end_session_endpoint": provider.endpoint("/logout"),
        "authorization_response_iss_parameter_supported": true,
        "scopes_supported": ["openid", "profile"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["ES256", "EdDSA"],
        "code_challenge_methods_supported": ["S256"],
        "acr_values_supported": [LOA2, LOA3],
        "prompt_values_supported": ["none", "login"],
        "ui_locales_supported": Language::ALL.map(Language::tag),
        "claims_supported": claims,
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
    }))
}

/// `GET /jwks`.
async fn jwks(provider: web::Data<DemoProvider>) -> HttpResponse {
    HttpResponse::Ok().json(PublicKeys::single(provider.0.key.public().clone()).to_jwks())
}
