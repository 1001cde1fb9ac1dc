//! A trust anchor or intermediate: assembled, and reloaded when its files change.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use super::node::{ANSWER_TIME, drain_time, listen, open_checked_store, try_writes};
use super::settings::{anchor_client, anchor_source, key_policy, read_jwks};
use super::tasks::Tasks;
use super::{Running, StartError, SystemClock};
use crate::config::{AnchorConfig, Profile};
use crate::domain::catalogue::Text;
use crate::domain::clock::Timestamp;
use crate::domain::federation::{TrustError, TrustMarkOwner};
use crate::domain::ids::EntityId;
use crate::domain::jose::{PublicKeys, parse_strict_json};
use crate::http::GuardedClient;
use crate::node::federation::members::{Decision, Described, Membership};
use crate::node::federation::{AnchorParts, AnchorStatements, FederationKeys, Terms};
use crate::node::keys::{expiry_warnings, rotate_keys};
use crate::node::{KeyRing, Problem};
use crate::outbound::{
    AnchorSource, CHAIN_AGE_SECS, FederationPeers, MemberContact, PeerSettings, SuperiorContact,
};
use crate::ports::{AnchorKeyStore, Clock, StopSignal, TrustResolver};
use crate::store::Store;
use crate::web;

/// Interval at which the files are checked for changes.
const LOOK: Duration = Duration::from_secs(1);

/// An anchor is ready when its database answers and can be written.
struct StoreReadiness(Store);

#[async_trait]
impl web::health::Readiness for StoreReadiness {
    async fn ping(&self) -> Result<(), Problem> {
        Ok(self.0.ping().await?)
    }
}

/// Starts a trust anchor or intermediate.
///
/// # Errors
/// [`StartError`] when a file that the configuration names, the database, a client or the socket cannot be used.
pub async fn start_anchor(config: &AnchorConfig) -> Result<Running, StartError> {
    let listener = listen(config.anchor.listen)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = open_checked_store(&config.store, &config.keys, Some(&config.anchor.entity_id)).await?.store;
    store.migrate().await?;
    let keys = KeyRing::open_with(&store, key_policy(&config.keys), clock.now()).await?;
    let own_name = Text::same(&config.anchor.organization_name);
    let members = Membership::new(store.clone(), config.trust_marks.anchor.clone()).of_superior(own_name);
    apply(&members, config).await?;
    let guard = anchor_client(config)?;
    let resolver = resolver(config, guard.clone(), &store, &keys, &clock)?;
    let statements = Arc::new(AnchorStatements::new(
        AnchorParts {
            id: config.anchor.entity_id.clone(),
            name: Text::same(&config.anchor.organization_name),
            contacts: Vec::new(),
            store: store.clone(),
            keys: Arc::new(keys.clone()),
            contact: Arc::new(MemberContact::new(anchor_client(config)?)),
            resolver: Some(resolver),
            clock,
        },
        terms(config)?,
    ));
    let bounds = web::server::Bounds::new(1, ANSWER_TIME, 64 * 1024);
    let mut tasks = Tasks::default();
    let ready = Arc::new(StoreReadiness(store.clone()));
    let server = web::server::serve_anchor(statements.clone(), tasks.stop_signal(), ready, listener, bounds)?;
    tasks.spawn("watch_files", {
        let (config, members, statements) = (config.clone(), members, Arc::clone(&statements));
        move |stop| watch(config.clone(), members.clone(), Arc::clone(&statements), stop)
    });
    tasks.spawn("keep_members", {
        let statements = Arc::clone(&statements);
        move |stop| {
            let statements = Arc::clone(&statements);
            async move { statements.keep_members(&stop).await }
        }
    });
    tasks.spawn("try_writes", {
        let store = store.clone();
        move |stop| try_writes(store.clone(), stop)
    });
    tasks.spawn("expiry_warnings", {
        let (store, keys) = (store.clone(), keys.clone());
        move |stop| {
            let (store, keys) = (store.clone(), keys.clone());
            async move { expiry_warnings::run_for_superior(&store, &keys, &SystemClock, &stop).await }
        }
    });
    tasks.spawn("rotate_keys", {
        let contact = Arc::new(SuperiorContact::new(guard, Arc::new(SystemClock)));
        let own = config.anchor.entity_id.clone();
        move |stop| {
            let (contact, own, statements) = (Arc::clone(&contact), own.clone(), Arc::clone(&statements));
            let (store, keys) = (store.clone(), keys.clone());
            async move {
                let named = || statements.terms().superiors.clone();
                let above = rotate_keys::EntitySuperiors { superiors: &*contact, own: &own, named: &named };
                rotate_keys::run(&store, &keys, &SystemClock, &above, &stop).await;
            }
        }
    });
    let drain = drain_time(config.anchor.drain_ms, config.anchor.profile);
    Ok(Running::new(config.anchor.entity_id.clone(), None, server, tasks, drain))
}

/// The memberships in an anchor's store, for the command line; the configuration's members are applied first.
///
/// # Errors
/// [`StartError`] when the database or a member's key file cannot be used.
pub async fn membership(config: &AnchorConfig) -> Result<Membership, StartError> {
    let store = open_checked_store(&config.store, &config.keys, Some(&config.anchor.entity_id)).await?.store;
    store.migrate().await?;
    let own_name = Text::same(&config.anchor.organization_name);
    let members = Membership::new(store, config.trust_marks.anchor.clone()).of_superior(own_name);
    apply(&members, config).await?;
    Ok(members)
}

/// The members that an anchor's files name, with their keys.
///
/// # Errors
/// [`StartError::Jwks`] when a key file has no usable keys.
pub(crate) fn read_members(config: &AnchorConfig) -> Result<Vec<Described>, StartError> {
    config
        .members
        .iter()
        .map(|member| {
            Ok(Described {
                id: member.known.entity_id.clone(),
                keys: read_jwks(&member.known)?,
                roles: member.roles.clone(),
                rules: member.rules.clone(),
            })
        })
        .collect()
}

async fn apply(members: &Membership, config: &AnchorConfig) -> Result<(), StartError> {
    let by = Decision { actor: "the configuration".to_owned(), reason: None, now: SystemClock.now() };
    for change in members.apply(read_members(config)?, by).await? {
        tracing::info!(event = "membership_changed", change, "the configuration changed who is a member");
    }
    Ok(())
}

fn terms(config: &AnchorConfig) -> Result<Terms, StartError> {
    let mut mark_owners = std::collections::BTreeMap::new();
    for (mark_type, owner) in &config.trust_marks.owners {
        let path = &owner.jwks_file;
        let bytes = std::fs::read(path).map_err(StartError::of_file(path))?;
        let jwks = parse_strict_json(&bytes).map_err(|_| StartError::Jwks(path.display().to_string()))?;
        mark_owners.insert(mark_type.clone(), TrustMarkOwner { sub: owner.entity_id.clone(), jwks });
    }
    Ok(Terms {
        superiors: config.superiors.clone(),
        statement_secs: config.anchor.statement_seconds.into(),
        subordinates: config.subordinates.clone(),
        marks_of: config.trust_marks.anchor.clone(),
        mark_secs: config.trust_marks.lifetime_seconds.into(),
        mark_issuers: config.trust_marks.issuers.clone(),
        mark_owners,
        refresh_secs: config.anchor.member_refresh_seconds.into(),
        first_contact: config.anchor.profile == Profile::Demo,
    })
}

/// The resolver behind `/federation/resolve`: a trust anchor resolves chains to itself, an intermediate to the anchors
/// that its configuration names.
fn resolver(
    config: &AnchorConfig,
    guard: GuardedClient,
    store: &Store,
    keys: &KeyRing,
    clock: &Arc<dyn Clock>,
) -> Result<(Arc<dyn TrustResolver>, Vec<EntityId>), StartError> {
    let mut sources: Vec<AnchorSource> =
        config.trust_anchors.iter().map(anchor_source).collect::<Result<_, _>>()?;
    // Including itself: chains of its members that end at itself, which are complete for a trust anchor.
    if sources.is_empty() || config.superiors.is_empty() {
        let own = FederationKeys::published(keys);
        sources.push(AnchorSource { id: config.anchor.entity_id.clone(), keys: Some(own) });
    }
    let anchors = sources.iter().map(|source| source.id.clone()).collect();
    let own = config.anchor.entity_id.clone();
    let memory = Arc::new(KnownAnchors { own, keys: keys.clone(), store: store.clone() });
    let settings = PeerSettings { anchors: sources, chain_age_secs: CHAIN_AGE_SECS, memory };
    Ok((Arc::new(FederationPeers::open(settings, guard, Arc::clone(clock))?), anchors))
}

/// The keys of the anchors that chains may end at: its own current ones, other anchors' as followed.
struct KnownAnchors {
    own: EntityId,
    keys: KeyRing,
    store: Store,
}

#[async_trait]
impl AnchorKeyStore for KnownAnchors {
    async fn load(
        &self,
        anchor: &EntityId,
        configured: &PublicKeys,
    ) -> Result<Option<PublicKeys>, TrustError> {
        if *anchor == self.own {
            return Ok(Some(self.keys.published()));
        }
        self.store.load(anchor, configured).await
    }

    async fn save(
        &self,
        anchor: &EntityId,
        configured: &PublicKeys,
        keys: &PublicKeys,
        now: Timestamp,
    ) -> Result<(), TrustError> {
        if *anchor == self.own {
            return Ok(());
        }
        self.store.save(anchor, configured, keys, now).await
    }
}

/// Reads the files again when one of them changed. Files with errors change nothing; each error is logged with file and
/// line.
async fn watch(
    mut config: AnchorConfig,
    members: Membership,
    statements: Arc<AnchorStatements>,
    stop: StopSignal,
) {
    // Without a configuration file there is nothing to watch.
    let Some(file) = config.file.clone() else { return stop.stopped().await };
    // No state is recorded yet, so changes between reading the configuration and this point are noticed.
    let mut seen = State::new();
    while stop.pause(LOOK).await {
        let now = state(&config.member_files());
        if now == seen {
            continue;
        }
        match reload(&file, &config, &members, &statements).await {
            Ok(fresh) => {
                // The new configuration may name other files. Changes made while it was read are noticed by the next
                // check.
                let before: std::collections::HashMap<_, _> = now.into_iter().collect();
                seen = state(&fresh.member_files())
                    .into_iter()
                    .map(|(path, after)| {
                        let state = before.get(&path).copied().unwrap_or(after);
                        (path, state)
                    })
                    .collect();
                config = fresh;
                tracing::info!(event = "configuration_read", file = %file.display(), "the changed files were read and are in use");
            }
            Err(error) => {
                seen = now;
                tracing::error!(
                    event = "configuration_refused",
                    %error,
                    "the changed files cannot be used; what was read before stays in use"
                );
            }
        }
    }
}

async fn reload(
    file: &Path,
    before: &AnchorConfig,
    members: &Membership,
    statements: &AnchorStatements,
) -> Result<AnchorConfig, StartError> {
    let fresh = AnchorConfig::load(file)?;
    let fixed = |config: &AnchorConfig| {
        let anchor = &config.anchor;
        let names = (anchor.entity_id.clone(), anchor.organization_name.clone(), anchor.profile);
        (names, anchor.listen, config.store.clone(), config.keys.clone(), config.trust_anchors.clone())
    };
    if fixed(before) != fixed(&fresh) {
        tracing::warn!(
            event = "restart_needed",
            "[anchor], [store], [keys] or [[trust_anchors]] changed: this takes effect at the next start"
        );
    }
    let terms = terms(&fresh)?;
    apply(members, &fresh).await?;
    statements.set_terms(terms);
    Ok(fresh)
}

/// Number, length and modification time of each file, by name.
type State = Vec<(PathBuf, Option<(u64, u64, SystemTime)>)>;

fn state(files: &[&Path]) -> State {
    let of = |path: &&Path| {
        let metadata = std::fs::metadata(path).ok();
        let state = metadata.and_then(|file| Some((file.ino(), file.len(), file.modified().ok()?)));
        (path.to_path_buf(), state)
    };
    files.iter().map(of).collect()
}
