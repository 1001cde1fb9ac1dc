//! A node: its parts assembled, its server and its background tasks started.

use std::collections::HashMap;
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::ExposeSecret;

use super::anchor_files;
use super::member_requests::MemberRequests;
use super::settings::{anchor_source, identity_provider, logo, node_client, node_key_policy, settings};
use super::tasks::Tasks;
use super::{Running, StartError, SystemClock, SystemEntropy};
use crate::config::{self, Config, DatabaseUrl, Profile};
use crate::domain::catalogue::Language;
use crate::domain::ids::EntityId;

use crate::node::federation::{DocumentsWithOwnUses, FederationStatements, obtain_marks};
use crate::node::holder::exchange::commit_queue::CommitQueue;
use crate::node::holder::oauth::dpop_nonce::NonceMint;
use crate::node::keys::{expiry_warnings, rotate_keys};
use crate::node::messaging::{deliver_outbox, reconciliation};
use crate::node::recipient::holder_catalogue::SchemaCache;
use crate::node::resident::holdings::ReadLimit;
use crate::node::services::guess_limit::GuessLimit;
use crate::node::{KeyRing, Node, maintenance};
use crate::outbound::{AnchorSource, FederationPeers, PeerSettings, SuperiorContact, WebAuthn};
use crate::ports::{Clock, Entropy, StopSignal, random};
use crate::registers::trackers::CityTrackers;
use crate::registers::{Bounds as RegisterBounds, CityRegisters};
use crate::store::{OpenError, Options, Random, RootKeys, ServingLock, Store};
use crate::web;

/// The store of a node or anchor, with its root keys.
pub struct Opened {
    /// Open, not migrated yet.
    pub store: Store,
    /// Its root keys.
    pub root: RootKeys,
}

/// Opens a store without migrating it. A store that an `owner` has used refuses every other.
///
/// # Errors
/// [`StartError`] when the key files or the database cannot be used.
pub fn open_store(
    store: &config::Store,
    keys: &config::Keys,
    owner: Option<&EntityId>,
) -> Result<Opened, StartError> {
    let fill: Random = Arc::new(|buffer| SystemEntropy.fill(buffer));
    let root = RootKeys::load_or_create(&keys.dir, &fill)?;
    let options = Options {
        url: store.connection_url()?.expose_secret().to_owned(),
        pool: store.pool_size,
        owner: owner.cloned(),
        transaction_pooling: store.transaction_pooling,
    };
    Ok(Opened { store: Store::open(&options, &root, fill)?, root })
}

/// As [`open_store`], but creates no key file for a database that was used with other keys: a wrong key beside a
/// database would look like its own from then on.
///
/// # Errors
/// [`StartError`] when the key files or the database cannot be used; then nothing was written.
pub(crate) async fn open_checked_store(
    store: &config::Store,
    keys: &config::Keys,
    owner: Option<&EntityId>,
) -> Result<Opened, StartError> {
    let fill: Random = Arc::new(|buffer| SystemEntropy.fill(buffer));
    let (root, missing) = RootKeys::preview(&keys.dir, &fill)?;
    // A SQLite file that does not exist was used with no keys.
    let unused = matches!(&store.url, DatabaseUrl::Sqlite(path) if !path.exists());
    if missing && !unused {
        let options = Options {
            url: store.connection_url()?.expose_secret().to_owned(),
            pool: 1,
            owner: None,
            transaction_pooling: store.transaction_pooling,
        };
        let before = Store::open(&options, &root, fill)?;
        let pending = before.migrations_pending().await?;
        match before.check_owner().await {
            // Before its first migration a database has recorded no keys.
            Err(error) if !pending || matches!(error, OpenError::WrongKey(_)) => return Err(error.into()),
            _ => {}
        }
    }
    open_store(store, keys, owner)
}

/// Locks the store for serving; a SQLite file serves one process at a time. Keep the lock while serving.
///
/// # Errors
/// [`StartError`] when another process serves from it.
pub fn lock_for_serving(store: &config::Store) -> Result<ServingLock, StartError> {
    Ok(ServingLock::take(store.connection_url()?.expose_secret())?)
}

/// A node without its server, as the command line needs it too.
pub struct Assembled {
    /// The use cases' context.
    pub node: Arc<Node>,
    /// The city's registers, also behind [`Node::registers`].
    pub registers: Arc<CityRegisters>,
    trackers: Arc<CityTrackers>,
    root: RootKeys,
    peers: Arc<FederationPeers>,
    requests: Arc<MemberRequests>,
}

/// Assembles a node. Migrates the store.
///
/// # Errors
/// [`StartError`] when a file that the configuration names, the database or a client cannot be used.
pub async fn assemble(config: &Config) -> Result<Assembled, StartError> {
    let (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>) =
        (Arc::new(SystemClock), Arc::new(SystemEntropy));
    let opened = open_checked_store(&config.store, &config.keys, Some(&config.node.base_url)).await?;
    opened.store.migrate().await?;
    let keys = KeyRing::open_with(&opened.store, node_key_policy(config), clock.now()).await?;
    let guard = node_client(config)?;
    let anchors: Vec<AnchorSource> =
        config.trust_anchors.iter().map(anchor_source).collect::<Result<_, _>>()?;
    let trust_anchors: Vec<EntityId> = anchors.iter().map(|anchor| anchor.id.clone()).collect();
    let hints = if config.superiors.is_empty() { trust_anchors.clone() } else { config.superiors.clone() };
    let superiors = SuperiorContact::new(guard.clone(), Arc::clone(&clock));
    let peers = Arc::new(FederationPeers::open(
        PeerSettings {
            anchors,
            chain_age_secs: config.federation.chain_age_seconds.into(),
            memory: Arc::new(opened.store.clone()),
        },
        guard.clone(),
        Arc::clone(&clock),
    )?);
    let registers = Arc::new(registers(config)?);
    let trackers = Arc::new(trackers(config)?);
    let identity = identity_provider(config, &keys, &clock, &entropy)?;
    let settings = settings(config, hints, trust_anchors, &*entropy)?;
    let requests = Arc::new(MemberRequests::new(settings.id.clone(), guard));
    let documents = DocumentsWithOwnUses::new(settings.declared_uses(), peers.clone());
    let node = Arc::new(Node {
        settings,
        store: opened.store,
        keys,
        nonces: NonceMint::new(opened.root.session.bytes(), config.limits.dpop_nonce_seconds.into()),
        peer_nonces: Mutex::new(HashMap::new()),
        record_schemas: SchemaCache::default(),
        service_guesses: GuessLimit::default(),
        own_reads: ReadLimit::default(),
        exchange_commits: CommitQueue::new(tokio::runtime::Handle::current()),
        tracker_reads: ReadLimit::default(),
        status_lists: tokio::sync::Mutex::new(HashMap::new()),
        status_bits: Mutex::new(HashMap::new()),
        peers: peers.clone(),
        member_documents: Arc::new(documents),
        members: peers.clone(),
        superiors: Arc::new(superiors),
        outbound: requests.clone(),
        registers: registers.clone(),
        trackers: trackers.clone(),
        identity: Arc::new(identity),
        passkeys: Arc::new(WebAuthn::new(&config.node.base_url, config.node.city.get(Language::Fi))),
        clock,
        entropy,
        outbox_bell: Arc::new(tokio::sync::Notify::new()),
    });
    Ok(Assembled { node, registers, trackers, root: opened.root, peers, requests })
}

/// The connectors to the city's registers; no connection is opened yet.
///
/// # Errors
/// [`StartError::Register`] when a password file cannot be read or an address not be used.
pub(crate) fn registers(config: &Config) -> Result<CityRegisters, StartError> {
    let bounds =
        RegisterBounds { max_records: config.limits.max_records, max_bytes: config.limits.max_bytes };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    Ok(CityRegisters::new(&config.registers, &config.datasets, bounds, &clock)?)
}

/// The clients of the data trackers; no connection is opened yet.
///
/// # Errors
/// [`StartError::Register`] when a file that one names cannot be used.
pub(crate) fn trackers(config: &Config) -> Result<CityTrackers, StartError> {
    Ok(CityTrackers::new(&config.data_trackers, Arc::new(SystemClock))?)
}

/// Starts a node.
///
/// # Errors
/// As [`assemble`], and when the socket is taken.
pub async fn start_node(config: &Config) -> Result<Running, StartError> {
    let listener = listen(config.node.listen)?;
    let assembled = assemble(config).await?;
    let node = Arc::clone(&assembled.node);
    reconciliation::begin_if_restored(&node, &config.keys.dir).await?;
    // Wait for the trust marks if the superior answers: a configuration without them would be read as one without
    // roles.
    if tokio::time::timeout(FIRST_MARKS, obtain_marks::obtain_marks(&node)).await.is_err() {
        tracing::warn!(
            event = "trust_marks_late",
            "a superior did not answer in time; the node starts without its trust marks and asks for them again"
        );
    }
    let tasks = Tasks::default();
    let app = || {
        Ok::<_, StartError>(web::App {
            node: Arc::clone(&node),
            stop: tasks.stop_signal(),
            demo: config.node.profile == Profile::Demo,
            catalogue: web::made_once::MadeOnce::default(),
            cookies: web::Cookies { secure: config.node.base_url.as_str().starts_with("https://") },
            trusted_proxies: web::TrustedProxies::new(config.node.trusted_proxies.clone()),
            brand: web::Brand::new(
                config.node.brand.name.clone(),
                &config.node.brand.primary_colour,
                logo(&config.node.brand)?,
                config.contact.clone(),
            )?,
        })
    };
    let body = Duration::from_millis(config.limits.request_body_ms.into());
    let bounds = web::server::Bounds {
        head: Duration::from_millis(config.limits.request_head_ms.into()),
        body,
        ..web::server::Bounds::new(config.node.workers, body + ANSWER_TIME, config.limits.request_max_bytes)
    };
    let statements: Arc<dyn FederationStatements> = node.clone();
    let session_key = assembled.root.session.bytes();
    let inside = web::server::serve_itself(app()?, Arc::clone(&statements), session_key, bounds)?;
    let server = web::server::serve_node(app()?, statements, session_key, listener, bounds)?;
    assembled.requests.open(inside);
    let mut tasks = start_tasks(tasks, &node, &config.keys.dir);
    tasks.spawn_once(async move { assembled.registers.probe_all().await });
    tasks.spawn_once(async move { assembled.trackers.probe_all().await });
    tasks.spawn("anchor_files", {
        let (peers, anchors) = (assembled.peers, config.trust_anchors.clone());
        move |stop| anchor_files::follow(Arc::clone(&peers), anchors.clone(), stop)
    });
    let drain = drain_time(config.node.drain_ms, config.node.profile);
    let inside = Some((node, assembled.requests));
    Ok(Running::new(config.node.base_url.clone(), inside, server, tasks, drain))
}

/// Default time between "not ready" and the closing of the socket.
const DRAIN: Duration = Duration::from_secs(2);

pub(super) fn drain_time(drain_ms: Option<u32>, profile: Profile) -> Duration {
    match (drain_ms, profile) {
        (Some(millis), _) => Duration::from_millis(millis.into()),
        (None, Profile::Demo) => Duration::ZERO,
        (None, Profile::Production) => DRAIN,
    }
}

fn start_tasks(mut tasks: Tasks, node: &Arc<Node>, key_directory: &Path) -> Tasks {
    let owner = crate::domain::jose::b64url(&random::<9>(&*node.entropy));
    tasks.spawn("deliver_outbox", {
        let (node, owner) = (Arc::clone(node), owner.clone());
        move |stop| {
            let (node, owner) = (Arc::clone(&node), owner.clone());
            async move { deliver_outbox::run(&node, &owner, &stop).await }
        }
    });
    tasks.spawn("maintenance", {
        let node = Arc::clone(node);
        move |stop| {
            let (node, owner) = (Arc::clone(&node), owner.clone());
            async move { maintenance::run(&node, &owner, &stop).await }
        }
    });
    tasks.spawn("try_writes", {
        let store = node.store.clone();
        move |stop| try_writes(store.clone(), stop)
    });
    tasks.spawn("note_log_end", {
        let (node, directory) = (Arc::clone(node), key_directory.to_path_buf());
        move |stop| {
            let (node, directory) = (Arc::clone(&node), directory.clone());
            async move { note_log_end(&node, &directory, &stop).await }
        }
    });
    tasks.spawn("rotate_keys", {
        let node = Arc::clone(node);
        move |stop| {
            let node = Arc::clone(&node);
            async move {
                let above = rotate_keys::EntitySuperiors {
                    superiors: &*node.superiors,
                    own: &node.settings.id,
                    named: &|| node.settings.authority_hints.clone(),
                };
                rotate_keys::run(&node.store, &node.keys, &*node.clock, &above, &stop).await;
            }
        }
    });
    tasks.spawn("obtain_marks", {
        let node = Arc::clone(node);
        move |stop| {
            let node = Arc::clone(&node);
            async move { obtain_marks::run(&node, &stop).await }
        }
    });
    tasks.spawn("expiry_warnings", {
        let node = Arc::clone(node);
        move |stop| {
            let node = Arc::clone(&node);
            async move { expiry_warnings::run(&node, &stop).await }
        }
    });
    tasks
}

/// Time between two attempts to write.
const TRY_WRITE: Duration = Duration::from_secs(2);

/// Tries to write for as long as the process runs. What fails is told by readiness, and by whoever has something to write.
pub(super) async fn try_writes(store: Store, stop: StopSignal) {
    while stop.pause(TRY_WRITE).await {
        let _ = store.try_write().await;
    }
}

/// Time between two notes of the end of the log.
const NOTE: Duration = Duration::from_secs(2);

/// Records the end of the log beside the root keys while the process runs, so that a restored backup is detected.
async fn note_log_end(node: &Node, directory: &Path, stop: &StopSignal) {
    while stop.pause(NOTE).await {
        if let Err(error) = node.store.write_log_mark(directory).await {
            tracing::warn!(event = "log_end_not_noted", %error, "the end of the log could not be noted beside the keys");
        }
    }
}

/// How long a start waits for the superiors' trust marks.
const FIRST_MARKS: Duration = Duration::from_secs(2);

/// Time for a response after the request body is read: a peer, a register and the login provider may each take their
/// own time.
pub(super) const ANSWER_TIME: Duration = Duration::from_secs(30);

pub(super) fn listen(address: std::net::SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).map_err(|source| StartError::Listen { address, source })
}
