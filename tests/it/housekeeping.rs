//! What a node does by itself, over time: several processes of Espoo's node with a clock that is ahead.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use omadata::app::{self, SystemClock};
use omadata::config::shipped::City;
use omadata::domain::catalogue::{DeclaredUse, DeclaredUses};
use omadata::domain::clock::Timestamp;
use omadata::domain::consent::{Actor, Reason};
use omadata::domain::federation::{FormerKeys, TrustError};
use omadata::domain::ids::{ConsentId, EntityId, HeldConsentId, UseId};
use omadata::domain::jose::{PublicKeys, SigningKey};
use omadata::domain::log::Entry;
use omadata::domain::login::Resident;
use omadata::node::Node;
use omadata::node::holder::permissions::revoke_consent;
use omadata::node::maintenance::{Job, prepare, run_due_jobs};
use omadata::node::messaging::deliver_outbox;
use omadata::operator;
use omadata::ports::{Clock, MemberDocuments, Outbound, OutboundAnswer, OutboundError, OutboundRequest};
use omadata::store::holder::consents;
use omadata::store::messaging::outbox;
use omadata::store::messaging::outbox::Delivery;
use omadata::store::recipient::held_consents;
use omadata::store::{Store, StoreError, jobs, log};
use serde_json::{Value, json};

use crate::harness::{self, Setup, World};

/// A clock that is ahead by so many seconds.
struct Ahead(i64);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus_secs(self.0)
    }
}

/// A clock that stands until it is moved.
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(self.0.load(Ordering::SeqCst))
    }
}

/// Requests that never come to an end.
struct Hangs;

#[async_trait]
impl Outbound for Hangs {
    async fn send(&self, _: OutboundRequest) -> Result<OutboundAnswer, OutboundError> {
        std::future::pending().await
    }
}

/// The documents of the other members, in which every declared use asks for another kind of dataset than residents were shown.
struct ChangedUses(Arc<dyn MemberDocuments>);

#[async_trait]
impl MemberDocuments for ChangedUses {
    async fn former_keys(&self, id: &EntityId) -> Result<Arc<FormerKeys>, TrustError> {
        self.0.former_keys(id).await
    }

    async fn declared_use(&self, id: &UseId) -> Result<Arc<DeclaredUse>, TrustError> {
        let mut declared = (*self.0.declared_use(id).await?).clone();
        declared.dataset_type = "parking-permits".parse().unwrap();
        Ok(Arc::new(declared))
    }

    async fn declared_uses(&self, recipient: &EntityId) -> Result<Arc<DeclaredUses>, TrustError> {
        self.0.declared_uses(recipient).await
    }
}

/// Requests that arrive, and answers that do not.
struct LosesAnswers(Arc<dyn Outbound>);

#[async_trait]
impl Outbound for LosesAnswers {
    async fn send(&self, request: OutboundRequest) -> Result<OutboundAnswer, OutboundError> {
        self.0.send(request).await?;
        Err(OutboundError::Unreachable("the answer was lost"))
    }
}

/// What Helsinki's node knows of the consent: its last change and the number of the last news.
async fn at_helsinki(world: &World, held: &str) -> (Timestamp, u64) {
    let id: HeldConsentId = held.parse().unwrap();
    let held =
        world.store("helsinki").read("test", move |store| held_consents::find(store, id)).await.unwrap();
    (held.life.updated_at(), held.life.sequence())
}

/// How the news of the suspension is on its way.
async fn suspension(store: &Store, id: ConsentId) -> Delivery {
    let all = store.read("test", move |store| outbox::deliveries(store, &id.to_string())).await.unwrap();
    all.into_iter().find(|delivery| delivery.kind.ends_with("consent-suspended")).unwrap()
}

/// One more process of Espoo's node.
async fn process(world: &World, ahead: i64, changed_uses: bool) -> Node {
    let assembled = app::assemble(&world.cities["espoo"]).await.unwrap();
    let mut node = Arc::into_inner(assembled.node).expect("nobody else has it yet");
    node.clock = Arc::new(Ahead(ahead));
    if changed_uses {
        node.member_documents = Arc::new(ChangedUses(node.member_documents));
    }
    node
}

/// Puts every job off by so many seconds, also one that the demo's own process is at.
async fn put_off(store: &Store, secs: i64) {
    let now = SystemClock.now();
    store
        .write("test", move |tx| {
            for job in Job::ALL {
                let later = now.plus_secs(86_400);
                let lease =
                    jobs::lease(tx, job.as_str(), "test", later, later)?.expect("known and due by then");
                jobs::failed(tx, &lease, now.plus_secs(secs), "put_off")?;
            }
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
}

/// How many jobs four processes at once did in all.
async fn four_at_once(nodes: &[Node]) -> usize {
    let all = nodes.iter().enumerate().map(|(number, node)| {
        let owner = format!("process-{number}");
        async move { run_due_jobs(node, &owner).await.unwrap() }
    });
    futures_util::future::join_all(all).await.into_iter().sum()
}

async fn reasons(store: &Store, id: ConsentId) -> Vec<(Actor, Reason)> {
    let changes = store.read("test", move |store| consents::history(store, id)).await.unwrap();
    changes.into_iter().map(|change| (change.actor, change.reason)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_processes_do_each_job_once_and_everyone_is_told() {
    let world: &'static World =
        Box::leak(Box::new(World::start(Setup { base_port: harness::free_ports(11), ..Setup::default() })));
    let service = world.service("helsinki").await;
    let (held, mut browser) = service.given("espoo", "early-education-placement", "aino", json!({})).await;
    let id = world.consent("helsinki", "espoo", &held).await;
    let store = world.store("espoo");
    let first = process(world, 45, true).await;
    prepare(&first).await.unwrap();
    put_off(&store, 40).await;

    // Helsinki's use asks for another kind of dataset now: what rests on it is held back, once, and everyone is told.
    let mut nodes = vec![first];
    for _ in 0..3 {
        nodes.push(process(world, 45, true).await);
    }
    assert_eq!(four_at_once(&nodes).await, Job::ALL.len(), "each job once");
    let held_back = [(Actor::Resident, Reason::Decided), (Actor::Node, Reason::UseChanged)];
    assert_eq!(reasons(&store, id).await, held_back);
    // The process that tells Helsinki so dies before it has heard the answer; another one tells it again.
    let mut dying = process(world, 45, false).await;
    dying.outbound = Arc::new(LosesAnswers(dying.outbound));
    assert!(deliver_outbox::deliver_outbox(&dying, "dying").await.unwrap() >= 1);
    let told = service.show(&held).await;
    assert_eq!(
        (told["state"].as_str(), told["reason"].as_str()),
        (Some("suspended"), Some("use_changed")),
        "{told}"
    );
    let effect = at_helsinki(world, &held).await;
    let news = suspension(&store, id).await;
    assert_eq!((news.attempts, news.delivered_at), (1, None), "not known to have arrived");
    let other = process(world, 50, false).await;
    assert!(deliver_outbox::deliver_outbox(&other, "other").await.unwrap() >= 1);
    let news = suspension(&store, id).await;
    assert_eq!(news.attempts, 2);
    assert!(news.delivered_at.is_some(), "{news:?}");
    assert_eq!(at_helsinki(world, &held).await, effect, "effective once");
    assert_ne!(service.fetch(&held).await.0, 200);

    // It fits again: the consent goes on by itself.
    put_off(&store, 0).await;
    let fitting = process(world, 45, false).await;
    while reasons(&store, id).await.len() < 3 {
        run_due_jobs(&fitting, "process-0").await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    assert_eq!(reasons(&store, id).await[2], (Actor::Node, Reason::UseFits));

    // Twenty days later: a permission for thirty days ends soon, of which the resident is told once.
    const DAYS: i64 = 20 * 86_400;
    put_off(&store, DAYS - 60).await;
    let mut later = Vec::new();
    for _ in 0..4 {
        later.push(process(world, DAYS, false).await);
    }
    // The demo's own process lives twenty days earlier and takes due times so far ahead for those of a clock that was put
    // back: what it does in between is due once more here.
    assert!(four_at_once(&later).await >= Job::ALL.len(), "each job");
    assert!(store.read("test", move |store| consents::reminded_at(store, id)).await.unwrap().is_some());
    let reminders = store
        .read("test", move |store| {
            let entries = log::read(store, 0, 10_000)?;
            let parsed =
                entries.iter().filter_map(|entry| serde_json::from_str::<Entry>(&entry.leaf.entry).ok());
            Ok::<_, StoreError>(
                parsed
                    .filter(|entry| matches!(entry, Entry::Reminder { consent, .. } if *consent == id))
                    .count(),
            )
        })
        .await
        .unwrap();
    assert_eq!(reminders, 1);
    browser.cookies.clear();
    let login = browser.open(&format!("{}/login", world.url("espoo"))).await;
    let me = login.log_in(&mut browser, "aino").await;
    assert!(me.text().contains("Ends soon"), "{}", me.describe());
    assert!(me.text().contains("does not go on by itself"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_consent_keeps_no_other_from_ending() {
    let world: &'static World =
        Box::leak(Box::new(World::start(Setup { base_port: harness::free_ports(11), ..Setup::default() })));
    let service = world.service("helsinki").await;
    let mut given = Vec::new();
    for resident in ["aino", "elin"] {
        let (held, _) = service.given("espoo", "early-education-placement", resident, json!({})).await;
        given.push(world.consent("helsinki", "espoo", &held).await);
    }
    let row = harness::hex(given[0].as_bytes());
    // The damaged one is the first that is due.
    let damage = format!("UPDATE consents SET terms = '{{', until_at = until_at - 1 WHERE id = x'{row}'");
    world.alter("espoo", &damage);
    let store = world.store("espoo");
    let later = process(world, 400 * 86_400, false).await;
    prepare(&later).await.unwrap();
    let ended = (Actor::Node, Reason::LastDay);
    harness::eventually("the sound one ends", || async {
        run_due_jobs(&later, "later").await.unwrap();
        reasons(&store, given[1]).await.contains(&ended).then_some(())
    })
    .await;
    assert!(!reasons(&store, given[0]).await.contains(&ended));
}

/// A log that a test reads.
struct Kept(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The lines of a log about an event.
fn told(log: &Mutex<Vec<u8>>, event: &str) -> Vec<Value> {
    let text = String::from_utf8(log.lock().unwrap().clone()).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["fields"]["event"] == event).collect()
}

// One thread: what the node's tasks log is read here.
#[tokio::test]
async fn wrong_keys_of_the_anchor_hold_permissions_back_as_untrusted_until_the_file_is_put_right() {
    let world: &'static World =
        Box::leak(Box::new(World::start(Setup { base_port: harness::free_ports(11), ..Setup::default() })));
    let service = world.service("helsinki").await;
    let (held, _) = service.given("espoo", "early-education-placement", "aino", json!({})).await;
    let id = world.consent("helsinki", "espoo", &held).await;
    world.stop(City::Espoo);

    // The operator has put somebody else's keys where the anchor's belong.
    let right = operator::keys::federation_keys(&world.anchor.store, &world.anchor.keys).await.unwrap();
    let wrong = PublicKeys::single(SigningKey::generate().unwrap().public().clone());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("anchor.jwks.json");
    std::fs::write(&file, wrong.to_jwks().to_string()).unwrap();
    let mut config = world.cities["espoo"].clone();
    config.trust_anchors[0].jwks_file = Some(file.clone());
    let log: Arc<Mutex<Vec<u8>>> = Arc::default();
    let written = Arc::clone(&log);
    let lines = tracing_subscriber::fmt().json().with_writer(move || Kept(Arc::clone(&written))).finish();
    let _kept = tracing::subscriber::set_default(lines);
    let running = app::start_node(&config).await.unwrap();

    let store = world.store("espoo");
    put_off(&store, 0).await;
    harness::eventually("the permission is held back", || async {
        (reasons(&store, id).await.len() > 1).then_some(())
    })
    .await;
    let history = reasons(&store, id).await;
    assert_eq!(history[1..], [(Actor::Node, Reason::RecipientNotTrusted)], "and not: the use was withdrawn");
    let lines = told(&log, "anchor_keys_unknown");
    assert_eq!(lines.len(), 1, "told once: {lines:?}");
    assert_eq!(lines[0]["level"], "ERROR");
    assert!(lines[0]["fields"]["remedy"].as_str().unwrap().contains("jwks_file"), "{lines:?}");
    assert_ne!(service.fetch(&held).await.0, 200);

    // Put right in the file, while the node runs.
    std::fs::write(&file, right.to_jwks().to_string()).unwrap();
    harness::eventually("the file is read again", || async {
        (!told(&log, "anchor_keys_configured").is_empty()).then_some(())
    })
    .await;
    harness::eventually("the permission goes on", || async {
        put_off(&store, 0).await;
        tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
        (reasons(&store, id).await.len() > 2).then_some(())
    })
    .await;
    assert_eq!(reasons(&store, id).await[2..], [(Actor::Node, Reason::UseFits)]);
    harness::eventually("data is given again", || async {
        (service.fetch(&held).await.0 == 200).then_some(())
    })
    .await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recipient_hears_of_a_stop_within_half_a_minute_when_its_deliverer_was_killed() {
    let world: &'static World =
        Box::leak(Box::new(World::start(Setup { base_port: harness::free_ports(11), ..Setup::default() })));
    let service = world.service("helsinki").await;
    let (held, _) = service.given("espoo", "early-education-placement", "aino", json!({})).await;
    let id = world.consent("helsinki", "espoo", &held).await;
    // The demo's own process would deliver at once.
    world.stop(City::Espoo);
    let store = world.store("espoo");
    let stopped = SystemClock.now().secs();
    let clock = Arc::new(Hand(AtomicI64::new(stopped)));
    let mut nodes = Vec::new();
    for _ in 0..2 {
        let mut node = process(world, 0, false).await;
        node.clock = clock.clone();
        nodes.push(node);
    }
    let (other, mut killed) = (nodes.remove(0), nodes.remove(0));
    killed.outbound = Arc::new(Hangs);

    let person = store.read("test", move |store| consents::find(store, id)).await.unwrap().person;
    let resident = Resident {
        person,
        issuer: String::new(),
        subject: String::new(),
        display_name: None,
        acr: None,
        auth_time: None,
        id_token: String::new(),
    };
    assert!(revoke_consent::revoke(&killed, &resident, id).await.unwrap());
    let news = async || {
        let all = store.read("test", move |store| outbox::deliveries(store, &id.to_string())).await.unwrap();
        all.into_iter().find(|delivery| delivery.kind.ends_with("consent-revoked")).unwrap()
    };
    let delivering = tokio::spawn(async move { deliver_outbox::deliver_outbox(&killed, "killed").await });
    harness::eventually("it is being delivered", || async { (news().await.attempts == 1).then_some(()) })
        .await;
    delivering.abort();

    // Every process looks once a second.
    let mut heard = None;
    for secs in 0..30 {
        clock.0.store(stopped + secs, Ordering::SeqCst);
        deliver_outbox::deliver_outbox(&other, "other").await.unwrap();
        if news().await.delivered_at.is_some() {
            heard = Some(secs);
            break;
        }
    }
    assert!(heard.is_some(), "after half a minute: {:?}", news().await);
    assert!(heard > Some(0), "the lease of the one that was killed held for a while");
    assert_eq!(service.show(&held).await["state"], "ended");
}
