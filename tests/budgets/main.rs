//! What each hostile answer costs at most: requests, bytes, time and memory.
//!
//! One test, so that nothing else runs in this process: memory is that of the process, its peak reset before each case. The
//! federation that answers lives in it too, and counts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

#[path = "../harness/hostile.rs"]
mod hostile;
#[path = "../harness/toy_federation.rs"]
mod toy_federation;

use std::time::Duration;

use futures_util::future::join_all;
use hostile::{canary, federation, judge, lines, set_up};
use omadata::domain::federation::TrustError;
use omadata::http::{AddressPolicy, GuardedClient};
use omadata::outbound::{AnchorSource, FederationPeers, PeerSettings};
use omadata::ports::TrustResolver;
use toy_federation::{Change, Toy};

/// Requests of one resolution in a federation of this size, whatever is answered.
const REQUESTS: usize = 16;

/// Bytes that are taken in, with what waits in connections: one list that is too large, and some statements.
const BYTES: usize = 2 * 1024 * 1024;

/// An answer that comes is judged at once.
const TIME: Duration = Duration::from_secs(3);

/// How much more memory than before is held at any moment.
const MEMORY: usize = 16 * 1024 * 1024;

/// The deadline of a resolution under the shortest chain age, and some for a busy machine.
const DEADLINE: Duration = Duration::from_secs(7);

fn peers(toy: &Toy, chain_age_secs: i64) -> FederationPeers {
    let anchors = vec![AnchorSource { id: toy.id("anchor"), keys: Some(toy.keys("anchor")) }];
    let guard = GuardedClient::new(AddressPolicy::Demo).unwrap();
    let settings = PeerSettings { chain_age_secs, ..PeerSettings::in_memory(anchors) };
    FederationPeers::open(settings, guard, toy.clock.clone()).unwrap()
}

/// A line of this process's status, in bytes.
fn memory(name: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_ascii_whitespace().next().unwrap().parse::<usize>().unwrap() * 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_hostile_answer_stays_within_its_budget() {
    let (inward, _) = canary().await;
    let (mut most, lines) = ([0; 3], lines());
    assert!(lines.len() > 60);
    for line in &lines {
        let toy = federation().await;
        let peers = peers(&toy, 60);
        set_up(&toy, line, &inward);
        let wanted = toy.id(line.resolve.as_deref().unwrap_or("espoo"));
        // Peak from here on.
        std::fs::write("/proc/self/clear_refs", "5").unwrap();
        let before = memory("VmRSS:");
        let began = tokio::time::Instant::now();
        let outcome = peers.resolve(&wanted).await;
        let (took, grown) = (began.elapsed(), memory("VmHWM:").saturating_sub(before));
        judge(line, outcome);
        let (requests, bytes) = (toy.asked().len(), toy.sent());
        assert!(requests <= REQUESTS, "{}: {requests} requests", line.name);
        assert!(bytes <= BYTES, "{}: {bytes} bytes", line.name);
        assert!(took <= TIME, "{}: {took:?}", line.name);
        assert!(grown <= MEMORY, "{}: {grown} bytes more memory", line.name);
        for (most, now) in most.iter_mut().zip([requests, bytes, grown]) {
            *most = now.max(*most);
        }
    }
    println!(
        "{} answers; at most {} requests, {} bytes, {} of memory",
        lines.len(),
        most[0],
        most[1],
        most[2]
    );
    answers_that_do_not_come().await;
}

/// Nothing, or letter by letter: at each place where something is asked, all at once.
async fn answers_that_do_not_come() {
    let silent = || Change { raw: Some((Vec::new(), false)), ..Change::default() };
    let drips = || Change { drips: true, ..Change::default() };
    type Place = fn(&Toy, Change);
    let places: [(&str, Place); 5] = [
        ("anchor's configuration", |toy, change| toy.change("anchor", |one| one.configuration = change)),
        ("anchor's list", |toy, change| toy.change("anchor", |one| one.list = change)),
        ("anchor's statement", |toy, change| {
            toy.change("anchor", |one| {
                one.about.insert("espoo".into(), change);
            });
        }),
        ("member's configuration", |toy, change| toy.change("espoo", |one| one.configuration = change)),
        ("status", |toy, change| toy.change("anchor", |one| one.status = change)),
    ];
    let cases = places.into_iter().flat_map(|(place, set)| {
        [("silent", silent()), ("drips", drips())].map(|(how, change)| async move {
            let toy = federation().await;
            let peers = peers(&toy, 5);
            set(&toy, change);
            let began = tokio::time::Instant::now();
            let outcome = peers.resolve(&toy.id("espoo")).await;
            assert!(matches!(outcome, Err(TrustError::Unavailable(_))), "{place} {how}: {outcome:?}");
            assert!(began.elapsed() <= DEADLINE, "{place} {how}: {:?}", began.elapsed());
            assert!(toy.asked().len() <= REQUESTS, "{place} {how}");
        })
    });
    join_all(cases).await;
}
