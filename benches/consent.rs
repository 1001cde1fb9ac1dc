//! What must be quick about consents, measured: prints a table and fails where a bound is missed.
//!
//! `cargo bench --bench consent`; the bounds are those of a release build on one core.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use omadata::domain::clock::Timestamp;
use omadata::domain::ids::EntityId;
use omadata::domain::jose::SigningKey;
use omadata::domain::token::status_list;

/// One line of the table.
struct Figure {
    what: &'static str,
    measured: String,
    bound: String,
    holds: bool,
}

/// The middle of so many runs.
fn median(runs: usize, mut work: impl FnMut()) -> Duration {
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
    Figure {
        what,
        measured: format!("{:.2} ms", measured.as_secs_f64() * 1e3),
        bound: format!("{:.0} ms", bound.as_secs_f64() * 1e3),
        holds: measured < bound,
    }
}

/// A list of 1,048,576 entries of which one in a hundred is not valid, two thirds of those over and one third held back.
fn status_lists(figures: &mut Vec<Figure>) {
    let holder: EntityId = "https://node.city.example".parse().unwrap();
    let key = SigningKey::generate().unwrap();
    // Places without pattern and without chance: a linear congruence runs through all of them.
    let mut place = 12_345_u32;
    let entries: Vec<(u32, u8)> = (0..status_list::LIST_SIZE / 100)
        .map(|number| {
            place = place.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((place >> 8) % status_list::LIST_SIZE, if number % 3 == 0 { 2 } else { 1 })
        })
        .collect();
    let now = Timestamp::from_secs(1_780_000_000);
    let mut token = String::new();
    let made = median(9, || {
        let compressed = status_list::compress(&status_list::pack(entries.iter().copied())).unwrap();
        let claims = status_list::claims(&holder, 0, &compressed, now, 300);
        token = key.sign(status_list::TYP, &claims).unwrap();
    });
    figures.push(within(
        "status list, 1,048,576 entries, 1 % not valid: built and signed",
        made,
        Duration::from_millis(100),
    ));
    figures.push(Figure {
        what: "the same list as served",
        measured: format!("{:.1} KB", f64::from(u32::try_from(token.len()).unwrap()) / 1e3),
        bound: "60 KB".to_owned(),
        holds: token.len() < 60_000,
    });
    let keys = omadata::domain::jose::PublicKeys::single(key.public().clone());
    let reference = status_list::reference(&holder, entries[0].0);
    let checked = median(9, || {
        black_box(status_list::verify(&token, &keys, &holder, &reference, now).unwrap());
    });
    figures.push(within("the same list verified and one place read", checked, Duration::from_millis(20)));
}

fn main() {
    let mut figures = Vec::new();
    status_lists(&mut figures);
    println!("{:<72} {:>12} {:>10}", "", "measured", "bound");
    for figure in &figures {
        let verdict = if figure.holds { "" } else { "  MISSED" };
        println!("{:<72} {:>12} {:>10}{verdict}", figure.what, figure.measured, figure.bound);
    }
    if figures.iter().any(|figure| !figure.holds) {
        std::process::exit(1);
    }
}
