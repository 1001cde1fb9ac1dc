//! What checking evidence costs: one consent's evidence in less than a millisecond, and a whole bundle.
//!
//! A plain program: prints a table and fails beyond its bounds (`cargo bench --bench evidence`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::as_conversions,
    missing_docs,
    reason = "a measurement, not the product"
)]

#[path = "../tests/case/mod.rs"]
mod case;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use omadata::domain::bundle::{Question, judge};

/// The middle of many runs.
fn median(runs: usize, mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..runs)
        .map(|_| {
            let begin = Instant::now();
            work();
            begin.elapsed()
        })
        .collect();
    times.sort_unstable();
    *times.get(runs / 2).unwrap()
}

fn main() -> ExitCode {
    let case = case::case(5);
    let sealed = case.sealed();
    let question = Question {
        as_of: None,
        anchor_keys: Some(case.anchor_keys.clone()),
        provider_keys: Some(case.provider_keys()),
    };
    let evidence = median(500, || {
        case.evidence.verify(&case.commitment, Some(&case.committed)).unwrap();
    });
    let bundle = median(100, || assert!(judge(&sealed, &question).holds()));
    let rows = [
        ("evidence of one consent", evidence, Duration::from_millis(1)),
        ("bundle with five exchanges", bundle, Duration::from_millis(50)),
    ];
    let mut within = true;
    println!("{:<30} {:>12} {:>12}", "check", "median", "bound");
    for (name, took, bound) in rows {
        println!("{name:<30} {:>9} µs {:>9} µs", took.as_micros(), bound.as_micros());
        within &= took < bound;
    }
    println!("bundle: {} bytes", sealed.len());
    if within { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
