//! The one room that wires everything together: from a checked configuration to a running node or anchor.

mod anchor;
pub mod consents;
pub mod keys;
pub mod peers;

use std::collections::HashMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use async_trait::async_trait;
use secrecy::ExposeSecret;
use tokio::task::JoinHandle;

use crate::config::{self, Config, KnownEntity, Profile};
use crate::domain::catalogue::{Language, Levels, Text};
use crate::domain::clock::Timestamp;
use crate::domain::ids::EntityId;
use crate::domain::jose::{PublicKeys, SigningKey, parse_strict_json, sha256};
use crate::domain::token::TokenPolicy;
use crate::node::dpop_nonce::NonceMint;
use crate::node::federation::{FederationStatements, obtain_marks};
use crate::node::{
    KeyPolicy, KeyPurpose, KeyRing, Limits, Node, Retention, Service, Settings, deliver_outbox, keep_house,
    rotate_keys, warn_of_ends,
};
use crate::outbound::openid::{
    ClientAuthentication, ClientKeySource, OpenIdProvider, OpenIdSettings, ProviderNetwork,
};
use crate::outbound::{
    AnchorSource, FederationPeers, GuardedClient, PeerSettings, Reach, SuperiorContact, WebAuthn,
};
use crate::ports::{Clock, Entropy, random};
use crate::sources::{Bounds as SourceBounds, Sources};
use crate::store::root_keys::RootKeys;
use crate::store::{Options, Random, Store, StoreError};
use crate::web;
pub use consents::{VerifyError, verify_consent};

pub use anchor::{membership, read_members, start_anchor};

/// The operating system's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// The operating system's randomness.
#[derive(Debug, Clone, Copy)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's randomness")]
    fn fill(&self, buffer: &mut [u8]) {
        if getrandom::fill(buffer).is_err() {
            // Predictable keys would be worse than no node.
            std::process::abort();
        }
    }
}

/// Why a node or anchor does not start; names what to mend.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] config::ConfigError),
    /// A secret file.
    #[error(transparent)]
    Secret(#[from] config::SecretError),
    /// The root key files.
    #[error(transparent)]
    RootKeys(#[from] crate::store::root_keys::RootKeyError),
    /// The database.
    #[error(transparent)]
    Store(#[from] crate::store::OpenError),
    /// The database, after it was opened.
    #[error("the database cannot be used: {0}")]
    Rows(#[from] StoreError),
    /// A register.
    #[error(transparent)]
    Register(#[from] crate::sources::SourceError),
    /// The login provider's settings.
    #[error(transparent)]
    Login(#[from] crate::outbound::openid::OpenIdSettingsError),
    /// The HTTP client or the anchors.
    #[error("the federation cannot be set up: {0}")]
    Federation(#[from] crate::outbound::GuardError),
    /// A file with an entity's keys.
    #[error("{0}: holds no JWK Set: put the entity's federation keys there, as it publishes them")]
    Jwks(String),
    /// The configured colour.
    #[error("[node.brand] primary_colour: {0}")]
    Colour(#[from] web::portal::assets::ColourError),
    /// The socket.
    #[error("cannot listen on {address}: {source}: is another process using the port?")]
    Listen {
        /// The configured address.
        address: std::net::SocketAddr,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// Another answer of the operating system.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// A running node or anchor.
pub struct Running {
    /// Its base URL.
    pub id: EntityId,
    node: Option<Arc<Node>>,
    server: JoinHandle<std::io::Result<()>>,
    handle: ServerHandle,
    background: Vec<JoinHandle<()>>,
}

impl Running {
    fn new(id: EntityId, node: Option<Arc<Node>>, server: Server, background: Vec<JoinHandle<()>>) -> Self {
        let handle = server.handle();
        Self { id, node, server: tokio::spawn(server), handle, background }
    }

    /// The node behind it; none for an anchor.
    #[must_use]
    pub fn node(&self) -> Option<&Arc<Node>> {
        self.node.as_ref()
    }

    /// Lets requests under way finish, then stops.
    pub async fn stop(self) {
        self.handle.stop(true).await;
        for task in self.background {
            task.abort();
        }
        let _ = self.server.await;
    }
}

/// The store of a node or anchor, with its root keys.
pub struct Opened {
    /// The store.
    pub store: Store,
    /// Its root keys.
    pub root: RootKeys,
}

/// Opens a store; does not migrate it.
///
/// # Errors
/// [`StartError`] when the key files or the database cannot be used.
pub fn open_store(store: &config::Store, keys: &config::Keys) -> Result<Opened, StartError> {
    let fill: Random = Arc::new(|buffer| SystemEntropy.fill(buffer));
    let root = RootKeys::load_or_create(&keys.dir, &fill)?;
    let options = Options {
        url: store.connection_url()?.expose_secret().to_owned(),
        password_file: None,
        pool: store.pool_size,
    };
    Ok(Opened { store: Store::open(&options, &root, fill)?, root })
}

/// Everything of a node but its server: what the command line works with too.
pub struct Assembled {
    /// The use cases' context.
    pub node: Arc<Node>,
    root: RootKeys,
}

/// Wires a node together. Migrates the store.
///
/// # Errors
/// [`StartError`].
pub async fn assemble(config: &Config) -> Result<Assembled, StartError> {
    let (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>) =
        (Arc::new(SystemClock), Arc::new(SystemEntropy));
    let opened = open_store(&config.store, &config.keys)?;
    opened.store.migrate().await?;
    let keys = KeyRing::open_with(&opened.store, key_policy(&config.keys), clock.now()).await?;
    let guard = GuardedClient::from_address(reach(config.node.profile), config.node.outbound_address)?;
    let anchors: Vec<AnchorSource> =
        config.trust_anchors.iter().map(anchor_source).collect::<Result<_, _>>()?;
    let trust_anchors: Vec<EntityId> = anchors.iter().map(|anchor| anchor.id.clone()).collect();
    let hints = if config.superiors.is_empty() { trust_anchors.clone() } else { config.superiors.clone() };
    let superiors = SuperiorContact::new(guard.clone(), Arc::clone(&clock));
    let peers = FederationPeers::open(
        PeerSettings {
            anchors,
            chain_age_secs: config.federation.chain_age_seconds.into(),
            memory: Arc::new(opened.store.clone()),
        },
        guard.clone(),
        Arc::clone(&clock),
    )?;
    let bounds = SourceBounds { max_records: config.limits.max_records, max_bytes: config.limits.max_bytes };
    let registers = Sources::new(&config.registers, &config.datasets, bounds)?;
    let identity = identity_provider(config, &keys, &clock, &entropy)?;
    let settings = settings(config, hints, trust_anchors, &*entropy)?;
    let node = Arc::new(Node {
        settings,
        store: opened.store,
        keys,
        nonces: NonceMint::new(opened.root.session.bytes(), config.limits.dpop_nonce_seconds.into()),
        peer_nonces: Mutex::new(HashMap::new()),
        status_lists: tokio::sync::Mutex::new(HashMap::new()),
        peers: Arc::new(peers),
        superiors: Arc::new(superiors),
        outbound: Arc::new(guard),
        registers: Arc::new(registers),
        identity: Arc::new(identity),
        passkeys: Arc::new(WebAuthn::new(&config.node.base_url, config.node.city.get(Language::Fi))),
        clock,
        entropy,
        outbox_bell: Arc::new(tokio::sync::Notify::new()),
    });
    Ok(Assembled { node, root: opened.root })
}

/// Starts a node.
///
/// # Errors
/// [`StartError`].
pub async fn start_node(config: &Config) -> Result<Running, StartError> {
    let listener = listen(config.node.listen)?;
    let assembled = assemble(config).await?;
    let node = Arc::clone(&assembled.node);
    // With its trust marks from the first moment on, where the superior answers: whoever asks earlier than they are there
    // would take the node for one that has no role.
    if tokio::time::timeout(FIRST_MARKS, obtain_marks::obtain_marks(&node)).await.is_err() {
        tracing::warn!("a superior does not answer; the trust marks come later");
    }
    let app = web::App {
        node: Arc::clone(&node),
        demo: config.node.profile == Profile::Demo,
        cookies: web::Cookies { secure: config.node.base_url.as_str().starts_with("https://") },
        brand: web::Brand::new(
            config.node.brand.name.clone(),
            &config.node.brand.primary_colour,
            logo(&config.node.brand)?,
            config.contact.clone(),
        )?,
    };
    let bounds = web::server::Bounds {
        workers: config.node.workers,
        head: Duration::from_millis(config.limits.request_head_ms.into()),
        whole: Duration::from_millis(config.limits.request_body_ms.into()) + ANSWER_TIME,
        max_bytes: config.limits.request_max_bytes,
    };
    let statements: Arc<dyn FederationStatements> = node.clone();
    let server = web::server::serve_node(app, statements, assembled.root.session.bytes(), listener, bounds)?;
    let owner = crate::domain::jose::b64url(&random::<9>(&*node.entropy));
    let outbox = tokio::spawn({
        let (node, owner) = (Arc::clone(&node), owner.clone());
        async move { deliver_outbox::run(&node, &owner).await }
    });
    let upkeep = tokio::spawn({
        let node = Arc::clone(&node);
        async move { keep_house::run(&node, &owner).await }
    });
    let keys = tokio::spawn({
        let node = Arc::clone(&node);
        async move {
            let above = rotate_keys::Above {
                superiors: &*node.superiors,
                own: &node.settings.id,
                named: &|| node.settings.authority_hints.clone(),
            };
            rotate_keys::run(&node.store, &node.keys, &*node.clock, &above).await;
        }
    });
    let marks = tokio::spawn({
        let node = Arc::clone(&node);
        async move { obtain_marks::run(&node).await }
    });
    let ends = tokio::spawn({
        let node = Arc::clone(&node);
        async move { warn_of_ends::run(&node).await }
    });
    let background = vec![outbox, upkeep, keys, marks, ends];
    Ok(Running::new(config.node.base_url.clone(), Some(node), server, background))
}

/// The rules for signing keys, from `[keys]`.
fn key_policy(keys: &config::Keys) -> KeyPolicy {
    let days = &keys.rotate_days;
    KeyPolicy {
        lead_secs: keys.lead_seconds.map_or_else(|| KeyPolicy::default().lead_secs, i64::from),
        overlap_secs: keys.overlap_seconds.into(),
        rotate_days: KeyPurpose::ALL.map(|purpose| match purpose {
            KeyPurpose::Federation => days.federation,
            KeyPurpose::Token => days.token,
            KeyPurpose::Receipt => days.receipt,
            KeyPurpose::Client => days.client,
            KeyPurpose::Dpop => days.dpop,
        }),
    }
}

/// How long a start waits for the superiors' trust marks.
const FIRST_MARKS: Duration = Duration::from_secs(2);

/// Time for an answer after the body is there: a peer, a register and the login provider may each take their own.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// The city's logo, read once at start.
fn logo(brand: &config::Brand) -> Result<Option<(&'static str, Vec<u8>)>, StartError> {
    let Some(path) = &brand.logo else { return Ok(None) };
    let svg = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("svg"));
    Ok(Some((if svg { "image/svg+xml" } else { "image/png" }, std::fs::read(path)?)))
}

fn listen(address: std::net::SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).map_err(|source| StartError::Listen { address, source })
}

/// A name that the anchor's operator gives in one language.
fn same_in_all(name: &str) -> Text {
    Text { fi: name.to_owned(), sv: name.to_owned(), en: name.to_owned() }
}

const fn reach(profile: Profile) -> Reach {
    match profile {
        Profile::Demo => Reach::Demo,
        Profile::Production => Reach::Public,
    }
}

fn anchor_source(known: &KnownEntity) -> Result<AnchorSource, StartError> {
    Ok(AnchorSource { id: known.entity_id.clone(), keys: read_jwks(known)? })
}

fn read_jwks(known: &KnownEntity) -> Result<Option<PublicKeys>, StartError> {
    let Some(path) = &known.jwks_file else { return Ok(None) };
    let unfit = || StartError::Jwks(path.display().to_string());
    let jwks = parse_strict_json(&std::fs::read(path)?).map_err(|_| unfit())?;
    PublicKeys::from_jwks(&jwks).map(Some).map_err(|_| unfit())
}

fn settings(
    config: &Config,
    authority_hints: Vec<EntityId>,
    trust_anchors: Vec<EntityId>,
    entropy: &dyn Entropy,
) -> Result<Settings, StartError> {
    let mut services = Vec::new();
    for service in &config.services {
        let secret = service.client_secret.read(|| random(entropy))?;
        services.push(Service {
            id: service.id.clone(),
            name: service.name.clone(),
            secret_hash: sha256(secret.expose_secret().as_bytes()),
            return_url_prefixes: service.return_url_prefixes.clone(),
        });
    }
    let limits = &config.limits;
    Ok(Settings {
        id: config.node.base_url.clone(),
        name: config.node.city.clone(),
        contact: config.contact.clone(),
        data_protection_officer: config.data_protection_officer.clone(),
        authority_hints,
        trust_anchors,
        anchor_keys: peers::anchor_key_endings(&config.trust_anchors)?,
        login_client_id: config.login.client_id.clone(),
        levels: Levels::new(config.login.acr_values.clone()),
        datasets: config.datasets.iter().map(|held| held.dataset.clone()).collect(),
        uses: config.uses.clone(),
        services,
        token_policy: TokenPolicy {
            holder: config.node.base_url.clone(),
            max_lifetime_secs: limits.token_max_seconds.into(),
        },
        limits: Limits {
            consent_max_days: limits.consent_max_days,
            request_uri_secs: limits.request_max_seconds.into(),
            decision_secs: limits.decision_max_seconds.into(),
            code_secs: limits.code_max_seconds.into(),
            pre_authorized_secs: limits.pre_authorized_code_max_seconds.into(),
            service_token_secs: limits.service_token_seconds.into(),
            status_list_secs: limits.status_list_seconds.into(),
            // As often as others ask for this node's chain anew, so that what they are shown is never the older part.
            trust_mark_refresh_secs: u64::from(config.federation.chain_age_seconds / 2).max(1),
            entity_configuration_secs: limits.entity_configuration_seconds.into(),
            proof_secs: limits.dpop_proof_max_seconds.into(),
            demand_dpop_nonce: limits.dpop_nonce,
            session_idle_secs: limits.session_idle_seconds.into(),
            session_max_secs: limits.session_max_seconds.into(),
        },
        retention: Retention {
            consents_secs: config.retention.ended_consents_secs(),
            requests_secs: config.retention.requests_secs(),
        },
    })
}

fn identity_provider(
    config: &Config,
    keys: &KeyRing,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> Result<OpenIdProvider, StartError> {
    let login = &config.login;
    let authentication = match &login.authentication {
        config::ClientAuthentication::Secret(file) => {
            ClientAuthentication::SecretBasic(file.read(|| random(&**entropy))?)
        }
        config::ClientAuthentication::PrivateKeyJwt => {
            ClientAuthentication::PrivateKeyJwt(Arc::new(RingKeys(keys.clone())))
        }
    };
    let redirect = format!("{}/login/callback", config.node.base_url);
    let scopes = login.scopes.iter().filter(|scope| *scope != "openid").cloned().collect();
    let settings = OpenIdSettings {
        issuer: login.issuer.clone(),
        client_id: login.client_id.clone(),
        authentication,
        identifier_claim: login.identifier_claim.clone(),
        scopes,
        redirect_url: url::Url::parse(&redirect).map_err(|_| StartError::Jwks(redirect.clone()))?,
        network: match config.node.profile {
            Profile::Demo => ProviderNetwork::Demo,
            Profile::Production => ProviderNetwork::Production,
        },
    };
    Ok(OpenIdProvider::new(settings, Arc::clone(clock), Arc::clone(entropy))?)
}

/// The key ring, for the login client.
struct RingKeys(KeyRing);

#[async_trait]
impl ClientKeySource for RingKeys {
    async fn active_client_key(&self) -> Option<SigningKey> {
        self.0.active(KeyPurpose::Client).ok()
    }
}
