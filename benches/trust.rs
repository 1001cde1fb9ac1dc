//! What trust costs: `cargo bench --bench trust`.
//!
//! A federation on loopback (an anchor, an intermediate with 300 members, four cities below the anchor) is resolved
//! cold in one pass, over HTTP and with every check; then a cached resolution and one whose time is over are measured,
//! and their requests counted. Prints a table and fails beyond its bounds.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::as_conversions,
    missing_docs,
    reason = "a program that measures"
)]
#![allow(clippy::print_stdout, reason = "it prints its table")]

#[path = "../tests/harness/toy_federation.rs"]
mod toy_federation;

use std::time::{Duration, Instant};

use omadata::http::{AddressPolicy, GuardedClient};
use omadata::outbound::{AnchorSource, CHAIN_AGE_SECS, FederationPeers};
use omadata::ports::{MemberDirectory, TrustResolver};
use toy_federation::Toy;

const CITIES: [&str; 4] = ["helsinki", "espoo", "turku", "oulu"];
const MEMBERS: usize = 300;

/// Longest time for the cold pass: each of the resolutions is five requests and twelve signatures, on both sides.
const COLD: Duration = Duration::from_secs(30);
const CACHED: Duration = Duration::from_micros(5);

async fn federation() -> Toy {
    let toy = Toy::serve().await;
    let generated: Vec<String> = (0..MEMBERS).map(|n| format!("member{n}")).collect();
    let below: Vec<&str> = generated.iter().map(String::as_str).collect();
    toy.superior("anchor", &[], &[&CITIES[..], &["region"]].concat());
    toy.superior("region", &["anchor"], &below);
    for city in CITIES {
        toy.node(city, &["anchor"], "anchor");
    }
    for member in &below {
        toy.node(member, &["region"], "anchor");
    }
    toy
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let toy = federation().await;
    let source = AnchorSource { id: toy.id("anchor"), keys: Some(toy.keys("anchor")) };
    let guard = GuardedClient::new(AddressPolicy::Demo).unwrap();
    let peers = FederationPeers::new(vec![source], guard, toy.clock.clone()).unwrap();

    let start = Instant::now();
    let members = peers.members().await.unwrap();
    let cold = start.elapsed();
    let requests = toy.asked().len();
    assert_eq!(members.len(), MEMBERS + CITIES.len(), "every member is resolved in one pass");
    assert!(members.iter().all(|peer| peer.roles().len() == 3), "every mark was judged");

    let (espoo, rounds) = (toy.id("espoo"), 200_000_u32);
    for _ in 0..1000 {
        peers.resolve(&espoo).await.unwrap();
    }
    let start = Instant::now();
    for _ in 0..rounds {
        std::hint::black_box(peers.resolve(&espoo).await.unwrap());
    }
    let cached = start.elapsed() / rounds;
    assert_eq!(toy.asked().len(), 0, "a cached resolution asks nobody");

    toy.clock.pass(CHAIN_AGE_SECS + 1);
    let start = Instant::now();
    let waiting: Vec<_> = (0..64).map(|_| peers.resolve(&espoo)).collect();
    for outcome in futures_util::future::join_all(waiting).await {
        outcome.unwrap();
    }
    let expired = start.elapsed();
    let asked = toy.asked();
    let of = |host: &str, path: &str| asked.iter().filter(|(h, p)| h == host && p.starts_with(path)).count();
    let refreshes = of("espoo", "/.well-known");

    println!("{:<58} {:>14} {:>14}", "trust", "measured", "bound");
    let row = |what: &str, measured: String, bound: String| println!("{what:<58} {measured:>14} {bound:>14}");
    row(
        &format!("cold: {} members, one intermediate, {requests} requests", members.len()),
        format!("{:.2} s", cold.as_secs_f64()),
        format!("{} s", COLD.as_secs()),
    );
    row(
        "cold, for each member",
        format!("{:.2} ms", cold.as_secs_f64() * 1e3 / members.len() as f64),
        String::new(),
    );
    row("a cached resolution", format!("{} ns", cached.as_nanos()), format!("{} ns", CACHED.as_nanos()));
    row("64 at once on one whose time is over: refreshes", refreshes.to_string(), "1".into());
    row("  requests of it", asked.len().to_string(), String::new());
    row("  time of it", format!("{:.2} ms", expired.as_secs_f64() * 1e3), String::new());
    assert_eq!(refreshes, 1, "{asked:?}");
    assert_eq!(of("anchor", "/fetch"), 1, "{asked:?}");
    assert!(cached < CACHED, "a cached resolution takes {cached:?}");
    assert!(cold < COLD, "the cold pass takes {cold:?}");
}
