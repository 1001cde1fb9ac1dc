//! An anchor and nodes on loopback, found and trusted over HTTP.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use actix_web::{App, HttpResponse, HttpServer, web};
use async_trait::async_trait;
use omadata::domain::catalogue::Text;
use omadata::domain::clock::Timestamp;
use omadata::domain::federation::{
    EntityStatement, NodeDescription, Role, StatementRules, TrustError, TrustMarkEntry, subordinate_statement,
};
use omadata::domain::ids::{EntityId, UseId};
use omadata::domain::jose::{PublicKeys, SigningKey};
use omadata::http::{AddressPolicy, GuardError, GuardedClient};
use omadata::node::federation::members::{Decision, Described, Membership};
use omadata::node::federation::{
    AnchorParts, AnchorStatements, FederationError, FederationKeys, FederationStatements, ListFilter, Terms,
};
use omadata::outbound::{AnchorSource, FederationPeers, MemberContact};
use omadata::ports::{Clock, MemberDirectory, MemberDocuments, TrustResolver};
use omadata::store::RootKeys;
use omadata::store::{Options, Store};
use omadata::web::federation;
use serde_json::{Value, json};

const START: i64 = 1_800_000_000;
const LIFETIME: i64 = 6 * 3600;

struct HandClock(AtomicI64);

impl HandClock {
    fn pass(&self, secs: i64) {
        self.0.fetch_add(secs, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(self.0.load(Ordering::SeqCst))
    }
}

/// Keys that a test may exchange.
struct Keys(Mutex<SigningKey>);

impl Keys {
    fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(SigningKey::generate().unwrap())))
    }

    fn change(&self) {
        *self.0.lock().unwrap() = SigningKey::generate().unwrap();
    }

    fn public(&self) -> PublicKeys {
        PublicKeys::single(self.0.lock().unwrap().public().clone())
    }
}

impl FederationKeys for Keys {
    fn signing(&self) -> Result<SigningKey, FederationError> {
        Ok(self.0.lock().unwrap().clone())
    }

    fn published(&self) -> PublicKeys {
        self.public()
    }
}

fn text(word: &str) -> Text {
    Text { fi: word.into(), sv: word.into(), en: word.into() }
}

/// A node's statements with keys that a test may exchange.
struct Member {
    id: EntityId,
    name: String,
    anchor: EntityId,
    keys: Arc<Keys>,
    clock: Arc<HandClock>,
    /// Who gives it its trust marks.
    switch: Arc<Switch>,
}

#[async_trait]
impl FederationStatements for Member {
    async fn publish_entity_configuration(&self) -> Result<String, FederationError> {
        let keys = self.keys.public();
        let description = NodeDescription {
            id: self.id.clone(),
            name: text(&self.name),
            organization_uri: None,
            contacts: vec![],
            trust_anchors: vec![],
            authority_hints: vec![self.anchor.clone()],
            grant_types: vec!["authorization_code".into()],
            acr_values: vec![],
            federation_keys: keys.clone(),
            token_keys: keys.clone(),
            receipt_keys: keys.clone(),
            client_keys: keys,
        };
        let mut marks = Vec::new();
        for role in Role::ALL {
            let trust_mark_type = role.mark_type(&self.anchor);
            if let Ok(trust_mark) = self.switch.current().trust_mark(&trust_mark_type, &self.id).await {
                marks.push(TrustMarkEntry { trust_mark_type, trust_mark });
            }
        }
        let statement = EntityStatement {
            trust_marks: Some(marks),
            ..description.entity_configuration(self.clock.now(), LIFETIME)
        };
        Ok(statement.sign(&self.keys.signing()?)?)
    }
}

/// What one test server answers with, and what it was asked.
#[derive(Clone)]
struct Site {
    id: EntityId,
    listener: Arc<Mutex<Option<TcpListener>>>,
    asked: Arc<AtomicU32>,
    away: Arc<AtomicBool>,
    uses: Arc<Mutex<Value>>,
}

impl Site {
    fn reserve(name: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        Self {
            id: EntityId::new(format!("http://{name}.localhost:{port}")).unwrap(),
            listener: Arc::new(Mutex::new(Some(listener))),
            asked: Arc::default(),
            away: Arc::default(),
            uses: Arc::new(Mutex::new(Value::Null)),
        }
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }

    fn serve(&self, statements: Arc<dyn FederationStatements>) {
        let site = self.clone();
        let listener = self.listener.lock().unwrap().take().unwrap();
        let server = HttpServer::new(move || {
            let site = site.clone();
            let uses = site.uses.clone();
            App::new()
                .app_data(web::Data::from(Arc::clone(&statements)))
                .wrap(actix_web::middleware::from_fn(
                    move |request: actix_web::dev::ServiceRequest, next: actix_web::middleware::Next<_>| {
                        site.asked.fetch_add(1, Ordering::SeqCst);
                        let away = site.away.load(Ordering::SeqCst);
                        async move {
                            if away {
                                return Err(actix_web::error::ErrorServiceUnavailable("away"));
                            }
                            next.call(request).await
                        }
                    },
                ))
                .configure(federation::configure_anchor)
                .route(
                    "/catalogue/uses",
                    web::get().to(move || {
                        let uses = uses.lock().unwrap().clone();
                        async move { HttpResponse::Ok().json(uses) }
                    }),
                )
        })
        .workers(1)
        .disable_signals()
        .listen(listener)
        .unwrap()
        .run();
        actix_web::rt::spawn(server);
    }
}

/// The anchor's statements, which a test may exchange or make older.
#[derive(Default)]
struct Switch {
    current: Mutex<Option<Arc<AnchorStatements>>>,
    replay: Mutex<Option<String>>,
}

impl Switch {
    fn current(&self) -> Arc<AnchorStatements> {
        self.current.lock().unwrap().clone().unwrap()
    }
}

#[async_trait]
impl FederationStatements for Switch {
    async fn publish_entity_configuration(&self) -> Result<String, FederationError> {
        self.current().publish_entity_configuration().await
    }

    async fn fetch_subordinate(&self, subject: &EntityId) -> Result<String, FederationError> {
        let replayed = self.replay.lock().unwrap().clone();
        if let Some(text) = replayed {
            return Ok(text);
        }
        self.current().fetch_subordinate(subject).await
    }

    async fn list_subordinates(&self, filter: &ListFilter) -> Result<Vec<EntityId>, FederationError> {
        self.current().list_subordinates(filter).await
    }

    async fn trust_mark(&self, mark_type: &str, subject: &EntityId) -> Result<String, FederationError> {
        self.current().trust_mark(mark_type, subject).await
    }

    async fn trust_mark_status(&self, mark: &str) -> Result<String, FederationError> {
        self.current().trust_mark_status(mark).await
    }
}

struct World {
    clock: Arc<HandClock>,
    anchor: Site,
    anchor_keys: Arc<Keys>,
    switch: Arc<Switch>,
    store: Store,
    members: Membership,
    espoo: Site,
    espoo_keys: Arc<Keys>,
    helsinki: Site,
    stranger: Site,
    _folder: tempfile::TempDir,
}

#[allow(clippy::disallowed_methods, reason = "tests have no ports::Entropy")]
fn open_store(folder: &std::path::Path) -> Store {
    let random: omadata::store::Random = Arc::new(|buffer| getrandom::fill(buffer).unwrap());
    let root = RootKeys::load_or_create(&folder.join("keys"), &random).unwrap();
    let url = format!("sqlite://{}", folder.join("anchor.sqlite").display());
    Store::open(&Options { url, owner: None, pool: 4, transaction_pooling: false }, &root, random).unwrap()
}

impl World {
    /// Espoo's keys are configured at the anchor, Helsinki's are learnt at first contact, the stranger is no member.
    async fn start() -> Self {
        let clock = Arc::new(HandClock(AtomicI64::new(START)));
        let anchor = Site::reserve("anchor");
        let switch: Arc<Switch> = Arc::default();
        let folder = tempfile::tempdir().unwrap();
        let store = open_store(folder.path());
        store.migrate().await.unwrap();
        let node = |name: &str, keys: &Arc<Keys>| {
            let site = Site::reserve(name);
            site.serve(Arc::new(Member {
                id: site.id.clone(),
                name: name.to_owned(),
                anchor: anchor.id.clone(),
                keys: keys.clone(),
                clock: clock.clone(),
                switch: switch.clone(),
            }));
            site
        };
        let (anchor_keys, espoo_keys) = (Keys::new(), Keys::new());
        let (espoo, helsinki) = (node("espoo", &espoo_keys), node("helsinki", &Keys::new()));
        let stranger = node("stranger", &Keys::new());
        let guard = GuardedClient::new(AddressPolicy::Demo).unwrap();
        let statements = AnchorStatements::new(
            AnchorParts {
                id: anchor.id.clone(),
                name: text("Federation"),
                contacts: vec![],
                store: store.clone(),
                keys: anchor_keys.clone(),
                contact: Arc::new(MemberContact::new(guard)),
                resolver: None,
                clock: clock.clone(),
            },
            Terms {
                superiors: vec![],
                statement_secs: LIFETIME,
                subordinates: StatementRules::default(),
                marks_of: anchor.id.clone(),
                mark_secs: 30 * LIFETIME,
                mark_issuers: BTreeMap::new(),
                mark_owners: BTreeMap::new(),
                refresh_secs: 60,
                first_contact: true,
            },
        );
        *switch.current.lock().unwrap() = Some(Arc::new(statements));
        let world = Self {
            members: Membership::new(store.clone(), anchor.id.clone()),
            store,
            switch,
            clock,
            anchor,
            anchor_keys,
            espoo,
            espoo_keys,
            helsinki,
            stranger,
            _folder: folder,
        };
        world.set_members(&[&world.espoo, &world.helsinki]).await;
        world.anchor.serve(world.switch.clone());
        world
    }

    async fn set_members(&self, members: &[&Site]) {
        let described = members
            .iter()
            .map(|site| Described {
                id: site.id.clone(),
                keys: (site.id == self.espoo.id).then(|| self.espoo_keys.public()),
                roles: Role::ALL.to_vec(),
                rules: StatementRules::default(),
            })
            .collect();
        let by = Decision { actor: "test".into(), reason: None, now: self.clock.now() };
        self.members.apply(described, by).await.unwrap();
    }

    fn source(&self) -> AnchorSource {
        AnchorSource { id: self.anchor.id.clone(), keys: Some(self.anchor_keys.public()) }
    }

    fn peers_of(&self, source: AnchorSource) -> FederationPeers {
        let guard = GuardedClient::new(AddressPolicy::Demo).unwrap();
        FederationPeers::new(vec![source], guard, self.clock.clone()).unwrap()
    }

    fn peers(&self) -> FederationPeers {
        self.peers_of(self.source())
    }
}

fn not_trusted<T: std::fmt::Debug>(outcome: Result<T, TrustError>) -> &'static str {
    match outcome {
        Err(TrustError::NotTrusted(fault)) => fault.as_str(),
        other => panic!("{other:?}"),
    }
}

fn unavailable<T: std::fmt::Debug>(outcome: Result<T, TrustError>) -> &'static str {
    match outcome {
        Err(TrustError::Unavailable(outage)) => outage.as_str(),
        other => panic!("{other:?}"),
    }
}

#[actix_web::test]
async fn members_are_found_and_kept() {
    let world = World::start().await;
    let peers = world.peers();
    let espoo = peers.resolve(&world.espoo.id).await.unwrap();
    assert_eq!((&espoo.name, &espoo.anchor), (&text("espoo"), &world.anchor.id));
    assert_eq!(espoo.expires_at, Timestamp::from_secs(START + LIFETIME));
    let token_keys = &espoo.consent_issuer().unwrap().authorization_server().token_keys;
    assert_eq!(*token_keys, world.espoo_keys.public());
    let asked = (world.espoo.asked(), world.anchor.asked());
    for _ in 0..10 {
        peers.resolve(&world.espoo.id).await.unwrap();
    }
    assert_eq!((world.espoo.asked(), world.anchor.asked()), asked);
    let members: Vec<_> = peers.members().await.unwrap().iter().map(|peer| peer.name.clone()).collect();
    assert_eq!(members.len(), 2);
    assert!(members.contains(&text("helsinki")));
}

#[actix_web::test]
async fn an_anchor_without_configured_keys_is_met_once_in_the_demo_only() {
    let world = World::start().await;
    let source = AnchorSource { keys: None, ..world.source() };
    let peers = world.peers_of(source.clone());
    peers.resolve(&world.espoo.id).await.unwrap();
    world.anchor_keys.change();
    world.clock.pass(61);
    // Its keys of the first contact were kept: another signer is not the anchor.
    assert_eq!(not_trusted(peers.resolve(&world.espoo.id).await), "unknown_key");
    let public = GuardedClient::new(AddressPolicy::Public).unwrap();
    assert!(matches!(
        FederationPeers::new(vec![source], public, world.clock.clone()),
        Err(GuardError::Forbidden(_))
    ));
}

#[actix_web::test]
async fn a_stranger_is_neither_trusted_nor_asked() {
    let world = World::start().await;
    let peers = world.peers();
    assert_eq!(not_trusted(peers.resolve(&world.stranger.id).await), "no anchor lists it");
    assert_eq!(world.stranger.asked(), 0);
    let asked = world.anchor.asked();
    for _ in 0..10 {
        not_trusted(peers.resolve(&world.stranger.id).await);
    }
    assert_eq!(world.anchor.asked(), asked, "a stranger makes us ask the anchor again and again");
    // Once listed, it is trusted within seconds.
    world.set_members(&[&world.espoo, &world.stranger]).await;
    world.clock.pass(6);
    assert_eq!(peers.resolve(&world.stranger.id).await.unwrap().name, text("stranger"));
}

#[actix_web::test]
async fn whoever_gets_no_new_mark_waits_for_no_writer() {
    const SOON: std::time::Duration = std::time::Duration::from_secs(2);
    let world = World::start().await;
    let kind = Role::DataHolder.mark_type(&world.anchor.id);
    let statements = world.switch.current();
    let given = statements.trust_mark(&kind, &world.espoo.id).await.unwrap();
    // Somebody writes, and takes long.
    let (begun, is_begun) = std::sync::mpsc::channel();
    let (let_go, gone) = std::sync::mpsc::channel::<()>();
    let store = world.store.clone();
    let writer = tokio::spawn(async move {
        let hold = move |_: &mut omadata::store::Tx<'_>| {
            begun.send(()).unwrap();
            let _ = gone.recv_timeout(5 * SOON);
            Ok::<_, omadata::store::StoreError>(())
        };
        store.write("test", hold).await.unwrap();
    });
    tokio::task::spawn_blocking(move || is_begun.recv().unwrap()).await.unwrap();
    let again = tokio::time::timeout(SOON, statements.trust_mark(&kind, &world.espoo.id)).await;
    assert_eq!(again.expect("the mark of before"), Ok(given));
    let nobody = tokio::time::timeout(SOON, statements.trust_mark(&kind, &world.stranger.id)).await;
    assert_eq!(nobody.expect("nothing for a stranger"), Err(FederationError::NotFound));
    // A mark that was never given has to be noted.
    let new = statements.trust_mark(&kind, &world.helsinki.id);
    assert!(tokio::time::timeout(SOON / 4, new).await.is_err());
    let_go.send(()).unwrap();
    writer.await.unwrap();
    assert!(statements.trust_mark(&kind, &world.helsinki.id).await.is_ok());
}

#[actix_web::test]
async fn a_withdrawn_membership_ends_within_a_minute() {
    let world = World::start().await;
    let peers = world.peers();
    peers.resolve(&world.espoo.id).await.unwrap();
    world.set_members(&[&world.helsinki]).await;
    world.clock.pass(61);
    assert_eq!(not_trusted(peers.resolve(&world.espoo.id).await), "no anchor lists it");
    assert_eq!(peers.members().await.unwrap().len(), 1);
}

#[actix_web::test]
async fn what_is_known_holds_while_others_are_away_and_no_longer_than_its_time() {
    let world = World::start().await;
    let peers = world.peers();
    peers.resolve(&world.espoo.id).await.unwrap();
    for site in [&world.anchor, &world.espoo, &world.helsinki] {
        site.away.store(true, Ordering::SeqCst);
    }
    world.clock.pass(LIFETIME - 1);
    assert!(peers.resolve(&world.espoo.id).await.is_ok());
    unavailable(peers.resolve(&world.helsinki.id).await);
    world.clock.pass(1);
    unavailable(peers.resolve(&world.espoo.id).await);
    unavailable(peers.members().await);
    for site in [&world.anchor, &world.espoo, &world.helsinki] {
        site.away.store(false, Ordering::SeqCst);
    }
    // Back within the cool-down of seconds, by itself.
    world.clock.pass(2);
    assert!(peers.resolve(&world.espoo.id).await.is_ok());
}

#[actix_web::test]
async fn a_member_with_other_keys_than_vouched_for_is_refused() {
    let world = World::start().await;
    let peers = world.peers();
    peers.resolve(&world.espoo.id).await.unwrap();
    world.espoo_keys.change();
    world.clock.pass(61);
    assert_eq!(not_trusted(peers.resolve(&world.espoo.id).await), "unknown_key");
    assert_eq!(peers.members().await.unwrap().len(), 1);
}

#[actix_web::test]
async fn an_anchor_with_other_keys_than_configured_is_refused() {
    let world = World::start().await;
    let keys = Some(PublicKeys::single(SigningKey::generate().unwrap().public().clone()));
    let peers = world.peers_of(AnchorSource { keys, ..world.source() });
    assert_eq!(not_trusted(peers.resolve(&world.espoo.id).await), "unknown_key");
    assert_eq!(world.espoo.asked(), 0);
}

#[actix_web::test]
async fn an_older_statement_does_not_replace_a_newer() {
    let world = World::start().await;
    let peers = world.peers();
    let old = world.switch.fetch_subordinate(&world.espoo.id).await.unwrap();
    world.clock.pass(100);
    peers.resolve(&world.espoo.id).await.unwrap();
    *world.switch.replay.lock().unwrap() = Some(old);
    world.clock.pass(61);
    // The newer one serves on, until it expires and not only until the older one would.
    let peer = peers.resolve(&world.espoo.id).await.unwrap();
    assert_eq!(peer.expires_at, Timestamp::from_secs(START + 100 + LIFETIME));
}

#[actix_web::test]
async fn a_statement_about_someone_else_is_refused() {
    let world = World::start().await;
    let signing = world.anchor_keys.0.lock().unwrap().clone();
    let about_helsinki = subordinate_statement(
        &world.anchor.id,
        &world.helsinki.id,
        &world.espoo_keys.public(),
        world.clock.now(),
        60,
    );
    *world.switch.replay.lock().unwrap() = Some(about_helsinki.sign(&signing).unwrap());
    not_trusted(world.peers().resolve(&world.espoo.id).await);
}

#[actix_web::test]
async fn declared_uses_are_the_recipients_own() {
    let world = World::start().await;
    let text = json!({"fi": "a", "sv": "b", "en": "c"});
    let contact = json!({"name": text, "email": "a@espoo.example"});
    let declared = |id: &str| {
        json!({
            "id": id, "service": "daycare", "serviceName": text, "title": text, "purposeText": text,
            "purpose": "https://w3id.org/dpv#ServiceProvision", "legalBasis": "A6-1-a",
            "datasetType": "early-education-placements", "requiredFields": ["unit"], "optionalFields": [],
            "maxExchanges": 1, "maxDays": 30, "retention": "P1Y", "otherwise": text, "controller": contact,
            "dataProtectionOfficer": contact,
        })
    };
    let id = format!("{}/catalogue/uses/daycare-application", world.helsinki.id);
    let document = |recipient: &EntityId, id: &str| json!({"recipient": recipient, "name": text, "uses": [declared(id)]});
    *world.helsinki.uses.lock().unwrap() = document(&world.helsinki.id, &id);
    let peers = world.peers();
    let wanted = UseId::new(id.as_str()).unwrap();
    let found = peers.declared_use(&wanted).await.unwrap();
    assert_eq!((&found.id, found.max_days), (&wanted, 30));

    let other = UseId::new(format!("{}/catalogue/uses/other", world.helsinki.id)).unwrap();
    assert_eq!(not_trusted(peers.declared_use(&other).await), "the recipient declares no such use");
    let foreign = UseId::new(format!("{}/catalogue/uses/other", world.stranger.id)).unwrap();
    assert_eq!(not_trusted(peers.declared_use(&foreign).await), "no anchor lists it");

    for broken in [
        document(&world.espoo.id, &id),
        document(&world.helsinki.id, &format!("{}/catalogue/uses/daycare-application", world.espoo.id)),
        json!({"uses": []}),
        json!([]),
    ] {
        world.clock.pass(61);
        *world.helsinki.uses.lock().unwrap() = broken;
        not_trusted(peers.declared_use(&wanted).await);
    }
    world.clock.pass(61);
    world.helsinki.away.store(true, Ordering::SeqCst);
    unavailable(peers.declared_use(&wanted).await);
}

#[actix_web::test]
async fn first_contact_pins_a_members_keys() {
    let world = World::start().await;
    let peers = world.peers();
    let keys = || async {
        let members = world.members.list().await.unwrap();
        members.into_iter().find(|member| member.id == world.helsinki.id).unwrap().keys
    };
    assert_eq!(keys().await, None);
    peers.resolve(&world.helsinki.id).await.unwrap();
    let met = keys().await.expect("no first contact");
    // What the file says again does not make the anchor forget whom it met.
    world.set_members(&[&world.espoo, &world.helsinki]).await;
    assert_eq!(keys().await, Some(met));
}

#[actix_web::test]
async fn federation_endpoints_answer_with_the_standards_codes() {
    let world = World::start().await;
    let statements: Arc<dyn FederationStatements> = world.switch.clone();
    let app = actix_web::test::init_service(
        App::new().app_data(web::Data::from(statements)).configure(federation::configure_anchor),
    )
    .await;
    let mut cases = vec![
        ("/.well-known/openid-federation".to_owned(), 200, ""),
        ("/federation/list".into(), 200, ""),
        ("/federation/list?entity_type=oauth_client".into(), 200, ""),
        ("/federation/list?colour=blue".into(), 400, "unsupported_parameter"),
        ("/federation/list?intermediate=perhaps".into(), 400, "invalid_request"),
        ("/federation/list?trust_marked=true&trust_marked=true".into(), 400, "invalid_request"),
        ("/federation/resolve".into(), 400, "invalid_request"),
        ("/federation/trust-mark?trust_mark_type=x".into(), 400, "invalid_request"),
        ("/federation/trust-mark-list".into(), 400, "invalid_request"),
        ("/federation/fetch".into(), 400, "invalid_request"),
        ("/federation/fetch?sub=x".into(), 400, "invalid_request"),
    ];
    for (sub, status, code) in [
        (format!("{}", world.espoo.id), 200, ""),
        (format!("{}&sub={}", world.espoo.id, world.espoo.id), 400, "invalid_request"),
        (format!("{}/", world.espoo.id), 400, "invalid_request"),
        (format!("{}", world.anchor.id), 400, "invalid_request"),
        (format!("{}", world.stranger.id), 404, "not_found"),
    ] {
        cases.push((format!("/federation/fetch?sub={sub}"), status, code));
    }
    world.helsinki.away.store(true, Ordering::SeqCst);
    cases.push((format!("/federation/fetch?sub={}", world.helsinki.id), 503, "temporarily_unavailable"));
    for (path, status, code) in cases {
        let request = actix_web::test::TestRequest::get().uri(&path).to_request();
        let response = actix_web::test::call_service(&app, request).await;
        assert_eq!(response.status().as_u16(), status, "{path}");
        let kind = response.headers().get("content-type").unwrap().to_str().unwrap().to_owned();
        let body = actix_web::test::read_body(response).await;
        if code.is_empty() {
            let expected = if path.starts_with("/federation/list") {
                "application/json"
            } else {
                "application/entity-statement+jwt"
            };
            assert_eq!(kind, expected, "{path}");
        } else {
            let body: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(body["error"], code, "{path}");
        }
    }
}
