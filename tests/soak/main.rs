//! The soak: all keys of all nodes and of their trust anchor are replaced every five seconds under continuous exchanges
//! between cities. No exchange is refused or lost.
//!
//! Runs for 20 seconds; `OMADATA_SOAK_SECONDS=120` is the full one. It takes a federation of its own and looks at times,
//! so that it runs by itself: `tests/run soak`, or `cargo test --test soak -- --ignored --test-threads=1`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

#[path = "../harness/mod.rs"]
mod harness;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use harness::browser::Browser;
use harness::{World, eventually};
use omadata::app::{self, SystemClock};
use omadata::config::{AnchorConfig, Config, Keys};
use omadata::demo::run::Adjust;
use omadata::domain::jose::SigningKey;
use omadata::operator;
use omadata::operator::keys::{KeyPurpose, Rotation};
use omadata::ports::Clock;
use omadata::store::Store;
use omadata::store::holder::exchanges;
use omadata::store::keys::signing_keys;
use omadata::store::keys::signing_keys::KeyState;
use serde_json::json;

/// Time between two rotations.
const EVERY: Duration = Duration::from_secs(5);

/// Pause of one service between two fetches: a steady stream, not a load test.
const PAUSE: Duration = Duration::from_millis(100);

/// Who fetches from whom.
const PAIRS: [(&str, &str); 4] =
    [("helsinki", "espoo"), ("espoo", "turku"), ("turku", "oulu"), ("oulu", "helsinki")];

/// Longer than anyone takes to ask again, and over before the next rotation begins.
const LEAD_SECONDS: u32 = 3;

/// Several rotations long: trust marks, statements and tokens under way outlive the key that signed them.
const OVERLAP_SECONDS: u32 = 30;

/// Time between two looks of the anchor at each member.
const MEMBER_REFRESH_SECONDS: u32 = 1;

/// The shortest that can be configured; chains are renewed at half of it at the latest, and trust marks too.
const CHAIN_AGE_SECONDS: u32 = 5;

fn short_lives(keys: &mut Keys) {
    keys.lead_seconds = Some(LEAD_SECONDS);
    keys.overlap_seconds = OVERLAP_SECONDS;
}

fn city(config: &mut Config) {
    short_lives(&mut config.keys);
    config.federation.chain_age_seconds = CHAIN_AGE_SECONDS;
    for declared in &mut config.uses {
        declared.max_exchanges = 1_000_000;
    }
}

fn anchor(config: &mut AnchorConfig) {
    short_lives(&mut config.keys);
    config.anchor.member_refresh_seconds = MEMBER_REFRESH_SECONDS;
}

/// What came of the exchanges of one run.
#[derive(Default)]
struct Tally {
    /// By who fetched.
    done: std::sync::Mutex<BTreeMap<&'static str, usize>>,
    lost: std::sync::Mutex<Vec<String>>,
    over: AtomicBool,
}

fn world() -> &'static World {
    let adjust = Adjust { city: Some(city), anchor: Some(anchor) };
    let setup = harness::Setup { base_port: harness::free_ports(11), adjust, ..Default::default() };
    Box::leak(Box::new(World::start(setup)))
}

/// The stores whose keys are replaced.
fn everyone(world: &World) -> BTreeMap<&'static str, (omadata::config::Store, Keys)> {
    let cities =
        world.cities.iter().map(|(city, config)| (*city, (config.store.clone(), config.keys.clone())));
    let anchor = ("anchor", (world.anchor.store.clone(), world.anchor.keys.clone()));
    cities.chain([anchor]).collect()
}

/// One permission, from its beginning, that can be used without end.
async fn permission(world: &'static World, recipient: &'static str, holder: &'static str) -> String {
    let service = world.service(recipient).await;
    // One that asks for no stronger login: the soak is about keys.
    let held = |kind: &str| {
        let mut datasets = world.cities[holder].datasets.iter().map(|held| &held.dataset);
        datasets.any(|dataset| {
            dataset.kind.as_str() == kind
                && dataset.required_acr.is_none()
                && dataset.required_max_age_seconds.is_none()
                && !dataset.required_passkey
        })
    };
    let own = world.cities[recipient]
        .uses
        .iter()
        .filter(|one| one.service == world.cities[recipient].services[0].id);
    let declared = own
        .filter(|one| held(one.dataset_type.as_str()))
        .min_by_key(|one| (one.required_fields.len(), one.id.clone()))
        .unwrap();
    let asked = service.ask(holder, declared.id.slug(), Some("aino"), json!({"times": 1_000_000})).await;
    let mut browser = Browser::new();
    let page = browser.open(asked["startUrl"].as_str().unwrap()).await.log_in(&mut browser, "aino").await;
    let changes = [("duration", Some("until")), ("times", Some("1000000"))];
    let end = page.decide(&mut browser, "allow", &changes).await;
    assert!(end.url.query().unwrap_or("").contains("state=active"), "{}", end.describe());
    asked["id"].as_str().unwrap().to_owned()
}

async fn fetch_on(world: &'static World, recipient: &'static str, id: String, tally: Arc<Tally>) {
    let service = world.service(recipient).await;
    while !tally.over.load(Ordering::Relaxed) {
        let (status, body) = service.fetch(&id).await;
        if status == 200 && body["data"].as_array().is_some_and(|data| !data.is_empty()) {
            *tally.done.lock().unwrap().entry(recipient).or_default() += 1;
        } else {
            tally.lost.lock().unwrap().push(format!("{recipient}: {status} {body}"));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The planted fault: new keys sign at once and the old ones are forgotten, also where superiors must follow.
async fn replace_without_overlap(store: &Store) {
    for purpose in KeyPurpose::ALL.into_iter().filter(|purpose| purpose.login_kind().is_none()) {
        let (next, now) = (SigningKey::generate().unwrap(), SystemClock.now());
        store.write("test", move |tx| signing_keys::replace_active(tx, purpose, &next, now)).await.unwrap();
    }
}

/// What a soak saw.
struct Soaked {
    /// Exchanges that went well, by who fetched.
    done: BTreeMap<&'static str, usize>,
    /// Those that did not, with what was said.
    lost: Vec<String>,
    /// How often everyone was told to replace all keys.
    rounds: usize,
}

/// Exchanges for so long while keys are replaced.
async fn soak(world: &'static World, length: Duration, overlap: bool) -> Soaked {
    let tally = Arc::new(Tally::default());
    let mut fetching = Vec::new();
    for (recipient, holder) in PAIRS {
        let id = permission(world, recipient, holder).await;
        fetching.push(tokio::spawn(fetch_on(world, recipient, id, Arc::clone(&tally))));
    }
    let (began, mut rounds, mut under_way) = (tokio::time::Instant::now(), 0, 0);
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while began.elapsed() < length {
        tick.tick().await;
        rounds += 1;
        for (store, keys) in everyone(world).values() {
            if overlap {
                let begun = operator::keys::rotate(store, keys, &KeyPurpose::ALL, false).await.unwrap();
                let late = begun.iter().filter(|(_, rotation)| matches!(rotation, Rotation::UnderWay(_)));
                under_way += late.count();
            } else {
                replace_without_overlap(&app::open_store(store, keys, None).unwrap().store).await;
            }
        }
    }
    tally.over.store(true, Ordering::Relaxed);
    for task in fetching {
        task.await.unwrap();
    }
    let lost = std::mem::take(&mut *tally.lost.lock().unwrap());
    let done = std::mem::take(&mut *tally.done.lock().unwrap());
    println!(
        "{} exchanges in {:.1} s, {} lost; {rounds} rounds of rotations, {under_way} keys were still waiting",
        done.values().sum::<usize>(),
        began.elapsed().as_secs_f32(),
        lost.len()
    );
    Soaked { done, lost, rounds }
}

#[allow(clippy::disallowed_methods)]
fn length() -> Duration {
    let seconds = std::env::var("OMADATA_SOAK_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(20))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs by itself: tests/run soak"]
async fn keys_are_replaced_every_five_seconds_and_no_exchange_is_lost() {
    let (world, length) = (world(), length());
    let Soaked { done, lost, rounds } = soak(world, length, true).await;
    assert!(lost.is_empty(), "{} beside {done:?}: {:#?}", lost.len(), &lost[..lost.len().min(5)]);
    // However busy the machine: everyone exchanged under the keys of every round.
    let steady = PAIRS.iter().all(|(recipient, _)| done.get(recipient).is_some_and(|done| *done >= rounds));
    assert!(steady, "{done:?} in {rounds} rounds: the soak did not soak");
    // Every key of everyone was in fact replaced, again and again: in every second round at least. On a busy machine a
    // key may still wait when the next round begins; the last round's need not sign yet.
    let least = ((rounds - 1) / 2).max(2);
    let mut fewest = usize::MAX;
    for (who, (store, keys)) in everyone(world) {
        let (records, _) = operator::keys::list(&store, &keys).await.unwrap();
        for purpose in KeyPurpose::ALL {
            let retired =
                records.iter().filter(|key| key.purpose == purpose && key.state == KeyState::Retired).count();
            assert!(retired >= least, "{who} {purpose:?}: {retired} rotations in {rounds} rounds");
            fewest = fewest.min(retired);
        }
    }
    println!("every key was replaced {fewest} times or more");
    // Nothing was lost on the way back either: each exchange has the recipient's signature.
    let mut released = 0;
    for (recipient, holder) in PAIRS {
        let service = world.service(recipient).await;
        let (_, list) = service.call("GET", "/api/v1/consents?state=active", None).await;
        for held in list["consents"].as_array().unwrap() {
            let consent = world.consent(recipient, holder, held["id"].as_str().unwrap()).await;
            released += eventually("an acknowledgement of every exchange", || async {
                let store = world.store(holder);
                let all = store
                    .read("test", move |reader| exchanges::of_consent(reader, consent, 1_000_000))
                    .await
                    .unwrap();
                all.iter().all(|exchange| exchange.acknowledged_at.is_some()).then_some(all.len())
            })
            .await;
        }
    }
    assert_eq!(released, done.values().sum::<usize>(), "released and received differ");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs by itself: tests/run soak"]
async fn without_overlap_the_soak_fails() {
    let Soaked { lost, .. } = soak(world(), Duration::from_secs(8), false).await;
    assert!(!lost.is_empty(), "keys without overlap went unnoticed: the soak proves nothing");
}
