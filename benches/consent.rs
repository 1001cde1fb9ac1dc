//! What consents cost: the status list of a million, one consent's evidence, and a bundle judged offline.
//!
//! A plain program: prints a table and fails where a bound is missed (`cargo bench --bench consent`). The bounds are those
//! of a release build on one core; without optimisation only what is measured is checked.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a program that measures"
)]

#[path = "../tests/case/mod.rs"]
mod case;

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use omadata::domain::bundle::{VerifyOptions, verify_bundle};
use omadata::domain::clock::Timestamp;
use omadata::domain::ids::EntityId;
use omadata::domain::jose::{PublicKeys, SigningKey};
use omadata::domain::token::status_list::{self, LIST_SIZE};

/// Whether times count: they mean nothing in a build without optimisation.
const TIMED: bool = !cfg!(debug_assertions);

/// One line of the table.
struct Figure {
    what: &'static str,
    measured: String,
    bound: String,
    holds: bool,
}

/// The middle of so many runs; without optimisation, of three.
fn median(runs: usize, mut work: impl FnMut()) -> Duration {
    let runs = if TIMED { runs } else { 3 };
    let mut times: Vec<Duration> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[runs / 2]
}

fn within(what: &'static str, measured: Duration, bound: Duration) -> Figure {
    let text = |time: Duration| format!("{:.2} ms", time.as_secs_f64() * 1e3);
    Figure { what, measured: text(measured), bound: text(bound), holds: measured < bound || !TIMED }
}

/// Exactly one in a hundred places, without pattern and without chance: two thirds of them over, one third held back.
fn not_valid() -> Vec<(u32, u8)> {
    let mut taken = std::collections::BTreeSet::new();
    let mut place = 12_345_u32;
    while taken.len() < LIST_SIZE as usize / 100 {
        // A linear congruence of full period; its high bits are the good ones.
        place = place.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        taken.insert((place >> 8) % LIST_SIZE);
    }
    taken.into_iter().zip((0..3_u32).cycle()).map(|(at, n)| (at, if n == 0 { 2 } else { 1 })).collect()
}

fn status_lists() -> Vec<Figure> {
    const { assert!(LIST_SIZE >= 1_000_000) };
    let holder: EntityId = "https://node.city.example".parse().unwrap();
    let key = SigningKey::generate().unwrap();
    let entries = not_valid();
    let now = Timestamp::from_secs(1_780_000_000);
    let mut token = String::new();
    let made = median(9, || {
        let compressed = status_list::compress(&status_list::pack(entries.iter().copied())).unwrap();
        let claims = status_list::claims(&holder, 0, &compressed, now, 300);
        token = key.sign(status_list::TYP, &claims).unwrap();
    });
    let keys = PublicKeys::single(key.public().clone());
    let read = |at: u32| {
        let reference = status_list::reference(&holder, at);
        status_list::verify(&token, &keys, &holder, &reference, now).unwrap()
    };
    // What was measured says the truth about every kind of entry.
    let held_back = entries.iter().find(|(_, status)| *status == 2).unwrap().0;
    let over = entries.iter().find(|(_, status)| *status == 1).unwrap().0;
    let valid = (0..LIST_SIZE).find(|at| entries.iter().all(|(taken, _)| taken != at)).unwrap();
    let words = [read(valid), read(over), read(held_back)].map(|status| format!("{status:?}"));
    assert!(words[0] != words[1] && words[1] != words[2] && words[0] != words[2], "{words:?}");
    let checked = median(9, || {
        black_box(read(over));
    });
    vec![
        within(
            "status list, 1,048,576 entries, 1 % not valid: built and signed",
            made,
            Duration::from_millis(100),
        ),
        Figure {
            what: "the same list as served",
            measured: format!("{:.1} KB", token.len() as f64 / 1e3),
            bound: "60.0 KB".to_owned(),
            holds: token.len() < 60_000,
        },
        within("the same list verified and one place read", checked, Duration::from_millis(20)),
    ]
}

fn evidence() -> Vec<Figure> {
    let case = case::case(5);
    let sealed = case.sealed();
    let question = VerifyOptions {
        as_of: None,
        anchor_keys: Some(case.anchor_keys.clone()),
        provider_keys: Some(case.provider_keys()),
    };
    let evidence = median(500, || {
        case.evidence.verify(&case.commitment, Some(&case.committed)).unwrap();
    });
    let bundle = median(100, || assert!(verify_bundle(&sealed, &question).holds()));
    vec![
        within("one consent's evidence verified", evidence, Duration::from_millis(1)),
        within("a bundle with five exchanges judged", bundle, Duration::from_millis(50)),
    ]
}

fn main() -> ExitCode {
    let figures: Vec<Figure> = status_lists().into_iter().chain(evidence()).collect();
    println!("{:<72} {:>12} {:>12}", "consents", "measured", "bound");
    for figure in &figures {
        let verdict = if figure.holds { "" } else { "  MISSED" };
        println!("{:<72} {:>12} {:>12}{verdict}", figure.what, figure.measured, figure.bound);
    }
    if !TIMED {
        println!("a build without optimisation: no time was held against its bound");
    }
    if figures.iter().all(|figure| figure.holds) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
