//! Revocations against fetches, over two processes of one node on one database: nothing is released after a revocation was
//! acknowledged (I1), nothing is counted twice (I4). `OMADATA_RACES` says how many; the checker is shown to find what it
//! looks for.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(unreachable_pub, reason = "the parts of this test")]
#![allow(clippy::disallowed_methods, reason = "a run is timed, and the environment says how many")]

mod checker;
#[path = "../harness/mod.rs"]
mod harness;
mod kills;
mod node;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use checker::{Fetch, History, Revocation};
use futures_util::StreamExt;
use harness::{Setup, World};
use node::{Race, Stand};
use omadata::config::DatabaseUrl;
use omadata::domain::consent::Reason;
use omadata::domain::log::Entry;
use omadata::store::holder::consents;
use omadata::store::holder::exchanges;
use omadata::store::holder::exchanges::Exchange;
use omadata::store::{StoreError, log};

/// Races in flight at a time.
const AT_A_TIME: usize = 16;

/// How many races; a small number where nothing is said, so that `cargo test` stays quick.
fn races() -> usize {
    std::env::var("OMADATA_RACES").ok().and_then(|text| text.parse().ok()).unwrap_or(100)
}

/// What one race gave.
struct Raced {
    fetches: Vec<Fetch>,
    revocation: Revocation,
    /// How long the revocation waited for its acknowledgement.
    waited: Duration,
}

/// One race: two proofs, one of them sent to both processes, and a revocation, all within a few milliseconds.
async fn run(stand: Arc<Stand>, race: Race, number: usize, start: Instant) -> Raced {
    let clock = || u64::try_from(start.elapsed().as_nanos()).unwrap();
    let consent = race.consent.to_string();
    let proofs = [stand.proof(&race), stand.proof(&race)];
    let random = |n: u64, range: u64| {
        Duration::from_micros((u64::try_from(number).unwrap() * 7919 + n * 104_729) % range)
    };
    let fetch = |n: u64, process: usize, proof: String| {
        let (stand, race, consent) = (Arc::clone(&stand), race.clone(), consent.clone());
        async move {
            tokio::time::sleep(random(n, 30_000)).await;
            let sent = clock();
            let released = stand.fetch(process, &race, &proof).await;
            Fetch { consent, proof: node::digest_of(&proof), sent, released }
        }
    };
    let revocation = async {
        tokio::time::sleep(random(4, 40_000)).await;
        // Every other one is the resident's own, in the portal; the rest the recipient's.
        let mut done = false;
        let began = Instant::now();
        for _ in 0..10 {
            done = if number.is_multiple_of(2) {
                stand.stop(number / 2 % 2, &race).await
            } else {
                stand.give_back(number / 2 % 2, &race).await
            };
            // An overloaded process says so; whoever takes something back tries again.
            if done {
                break;
            }
        }
        let waited = began.elapsed();
        let acknowledged = done.then(clock);
        // After the acknowledgement nothing passes, whatever proof it has.
        let late = stand.proof(&race);
        let sent = clock();
        let released = stand.fetch(number % 2, &race, &late).await;
        let late = Fetch { consent: consent.clone(), proof: node::digest_of(&late), sent, released };
        (Revocation { consent: consent.clone(), acknowledged }, late, waited)
    };
    let (first, again, second, (revocation, late, waited)) = tokio::join!(
        fetch(1, 0, proofs[0].clone()),
        fetch(2, 1, proofs[0].clone()),
        fetch(3, (number / 4) % 2, proofs[1].clone()),
        revocation
    );
    Raced { fetches: vec![first, again, second, late], revocation, waited }
}

async fn over_two_processes(name: &str, setup: Setup) {
    let (count, world) = (races(), World::start(setup));
    let world: &'static World = Box::leak(Box::new(world));
    let stand = Arc::new(Stand::new(world).await);
    let seeded = stand.seed(count).await;
    let start = Instant::now();
    let mut history = History::default();
    let mut running = futures_util::stream::iter(seeded.iter().cloned().enumerate())
        .map(|(number, race)| tokio::spawn(run(Arc::clone(&stand), race, number, start)))
        .buffer_unordered(AT_A_TIME);
    let mut waited = Vec::new();
    while let Some(done) = running.next().await {
        let raced = done.unwrap();
        history.fetches.extend(raced.fetches);
        history.revocations.push(raced.revocation);
        waited.push(raced.waited);
        if waited.len().is_multiple_of(500) {
            println!("{name}: {} of {count} races, {:.0} s", waited.len(), start.elapsed().as_secs_f64());
        }
    }
    let took = start.elapsed();
    history.kept = stand.kept(seeded.iter().map(|race| race.consent).collect()).await;
    let violations = history.violations();
    let broken = |name: &str| violations.iter().filter(|found| found.starts_with(name)).count().to_string();
    let released = history.fetches.iter().filter(|fetch| fetch.released).count();
    let acknowledged = history.revocations.iter().filter(|end| end.acknowledged.is_some()).count();
    let released_of = |n: u32| history.kept.values().filter(|kept| kept.counted == n).count();
    let won = released_of(0);
    waited.sort_unstable();
    let rows = [
        ("races", count.to_string()),
        ("seconds", format!("{:.1}", took.as_secs_f64())),
        ("fetches sent", history.fetches.len().to_string()),
        ("fetches released", released.to_string()),
        ("revocations acknowledged", acknowledged.to_string()),
        ("consents of which nothing was released", won.to_string()),
        ("consents of which something was released once", released_of(1).to_string()),
        ("consents of which something was released twice", released_of(2).to_string()),
        ("a revocation waits, the middle one", format!("{} ms", waited[count / 2].as_millis())),
        ("a revocation waits, the longest", format!("{} ms", waited[count - 1].as_millis())),
        ("released after an acknowledged revocation (I1)", broken("I1")),
        ("released or counted twice (I4)", broken("I4")),
    ];
    println!("{name}, two processes");
    for (what, figure) in rows {
        println!("  {what:<48} {figure:>10}");
    }
    assert!(
        violations.is_empty(),
        "{name}: {} violations, first: {:?}",
        violations.len(),
        violations.first()
    );
    // A run that raced nothing proves nothing.
    assert_eq!(acknowledged, count, "a revocation was not acknowledged");
    assert!(won * 20 > count && released * 5 > count, "the races are not even: {won}, {released}");
}

/// One store after the other: two runs at once would race for the machine.
static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revoke_against_fetch_over_two_processes_on_sqlite() {
    let _turn = ONE_AT_A_TIME.lock().await;
    over_two_processes("SQLite", Setup { base_port: harness::free_ports(11), ..Setup::default() }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revoke_against_fetch_over_two_processes_on_postgresql() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let Some(database) = node::Database::new() else {
        eprintln!("left out: races on PostgreSQL; set OMADATA_TEST_POSTGRES to run them");
        return;
    };
    let stores = BTreeMap::from([("espoo".to_owned(), DatabaseUrl::Postgres(database.url.clone()))]);
    over_two_processes(
        "PostgreSQL",
        Setup { base_port: harness::free_ports(11), stores, ..Setup::default() },
    )
    .await;
}

/// An exchange as it must not be made: looked at once, released later without looking again.
async fn release_without_looking_again(stand: &Stand, race: &Race, proof: &str) {
    let (store, id) = (stand.store(), race.consent);
    let consent = store.read("test", move |store| consents::find(store, id)).await.unwrap();
    if consent.in_force(node::now()).is_err() {
        return;
    }
    // Here a careful one would lock the consent and ask again.
    tokio::time::sleep(Duration::from_millis(30)).await;
    let digest = node::digest_of(proof);
    store
        .write_log("test", move |tx| {
            let entry = Entry::Exchange {
                consent: id,
                recipient: consent.terms.recipient.clone(),
                dataset: consent.terms.dataset.clone(),
                fields: consent.terms.fields.clone(),
                persons: Vec::new(),
                proof_digest: digest.clone(),
                body_digest: "b".repeat(43),
                at: node::now().secs(),
            };
            let log_index = log::append(tx, &entry.leaf().unwrap(), node::now())?;
            let exchange = Exchange {
                id: node::fresh_exchange(),
                consent: id,
                recipient: consent.terms.recipient.clone(),
                dataset: consent.terms.dataset.clone(),
                fields: consent.terms.fields.clone(),
                at: node::now(),
                log_index,
                proof_digest: digest.clone(),
                body_digest: "b".repeat(43),
                receipt: "r.e.c".to_owned(),

                acknowledged_at: None,
            };
            exchanges::insert(tx, &exchange)?;
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_checker_finds_an_exchange_that_does_not_look_again() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let world = World::start(Setup { base_port: harness::free_ports(11), ..Setup::default() });
    let world: &'static World = Box::leak(Box::new(world));
    let stand = Stand::new(world).await;
    let seeded = stand.seed(1).await;
    let (race, start) = (&seeded[0], Instant::now());
    let proof = stand.proof(race);
    let clock = || u64::try_from(start.elapsed().as_nanos()).unwrap();
    let sent = clock();
    // The same proof at two processes that both forget to use it up.
    let careless = futures_util::future::join(
        release_without_looking_again(&stand, race, &proof),
        release_without_looking_again(&stand, race, &proof),
    );
    let (_, acknowledged) = tokio::join!(careless, async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        stand.stop(0, race).await.then(clock)
    });
    let consent = race.consent.to_string();
    let fetch = Fetch { consent: consent.clone(), proof: node::digest_of(&proof), sent, released: true };
    let mut history = History {
        fetches: vec![fetch.clone(), fetch],
        revocations: vec![Revocation { consent: consent.clone(), acknowledged }],
        kept: stand.kept(vec![race.consent]).await,
    };
    let found = history.violations();
    for name in ["I1", "I4", "count"] {
        assert!(found.iter().any(|violation| violation.starts_with(name)), "{name}: {found:?}");
    }
    assert_eq!(history.kept[&consent].logged_ends.len(), 1, "{}", Reason::TakenBack.as_str());
    // And one that was sent when the acknowledgement had come.
    history.fetches[0].sent = acknowledged.unwrap() + 1;
    assert!(history.violations().iter().any(|violation| violation.contains("after the acknowledgement")));
}
