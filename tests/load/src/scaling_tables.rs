//! The tables of `docs/scaling.md` that the simulation makes.

use anyhow::Result;

use super::figures;
use super::plan::{Markdown, count};
use super::simulate::{Options, Outcome, simulate};

/// What was measured, and the options under which it is simulated.
pub fn compared() -> Vec<(&'static str, Options, figures::Run)> {
    vec![
        ("SQLite, 16 connections", Options::measured().over(16), figures::SQLITE_PEAK),
        ("SQLite, 70 % of that", Options::measured().at(figures::SQLITE_70.per_second), figures::SQLITE_70),
        (
            "PostgreSQL, 1 process",
            Options::measured_postgres(1, figures::POSTGRES_1.cpu_us).over(16),
            figures::POSTGRES_1,
        ),
        (
            "PostgreSQL, 2 processes",
            Options::measured_postgres(2, figures::POSTGRES_2.cpu_us).over(16),
            figures::POSTGRES_2,
        ),
        (
            "PostgreSQL, 4 processes",
            Options::measured_postgres(4, figures::POSTGRES_4.cpu_us).over(16),
            figures::POSTGRES_4,
        ),
    ]
}

/// All of them, each behind a line with its name.
///
/// # Errors
/// None with these options.
pub fn simulated() -> Result<String> {
    let mut text = String::new();
    for (name, table) in [("compared", comparison()?), ("limits", limits()?), ("days", days()?)] {
        text.push_str(&format!("# {name}\n\n{}\n", table.text()));
    }
    Ok(text)
}

fn comparison() -> Result<Markdown> {
    let mut table =
        Markdown::of(["run", "measured: exchanges/s, p50, p99", "simulated", "difference: rate, p50, p99"]);
    for (name, options, run) in compared() {
        let one = simulate(&options)?;
        let off = |simulated: f64, measured: f64| format!("{:+.0} %", (simulated / measured - 1.0) * 100.0);
        table.row([
            name.to_owned(),
            format!("{}, {:.0} ms, {:.0} ms", count(run.per_second), run.p50_ms, run.p99_ms),
            format!("{}, {:.0} ms, {:.0} ms", count(one.per_second), one.p50_ms, one.p99_ms),
            format!(
                "{}, {}, {}",
                off(one.per_second, run.per_second),
                off(one.p50_ms, run.p50_ms),
                off(one.p99_ms, run.p99_ms)
            ),
        ]);
    }
    Ok(table)
}

/// As many connections as keep every commit full.
fn saturated(processes: usize, change: impl Fn(Options) -> Options) -> Result<Outcome> {
    simulate(&change(Options::of(processes, 4)).over(processes * 256))
}

fn limits() -> Result<Markdown> {
    let mut table = Markdown::of([
        "processes of 4 cores, one log",
        "exchanges/s at most",
        "cores busy",
        "log's head busy",
        "exchanges a commit",
        "first limit",
        "with commits of half the time",
    ]);
    for processes in [1, 2, 4, 8, 16] {
        let one = saturated(processes, |options| options)?;
        let faster = saturated(processes, Options::with_faster_commits)?;
        table.row([
            processes.to_string(),
            count(one.per_second),
            format!("{:.0} %", one.cores_busy * 100.0),
            format!("{:.0} %", one.head_busy * 100.0),
            format!("{:.0}", one.together),
            limit(&one).to_owned(),
            format!("{}, {}", count(faster.per_second), limit(&faster)),
        ]);
    }
    Ok(table)
}

fn limit(outcome: &Outcome) -> &'static str {
    if outcome.cores_busy > 0.95 { "cores" } else { "log's head" }
}

fn days() -> Result<Markdown> {
    let mut table = Markdown::of([
        "a busiest day, bursts of 3 × in every tenth second",
        "exchanges/s, mean",
        "processes of 4 cores",
        "p50",
        "p99",
        "most that waited in one process",
        "shed",
    ]);
    let plan = super::plan::defaults();
    for (name, residents, processes) in [
        ("Helsinki, 690,000", 690e3, 2),
        ("a city of 3.7 million (Berlin)", 3.7e6, 8),
        ("all of Finland in one node", 5.6e6, 8),
        ("all of Finland in one node", 5.6e6, 16),
    ] {
        let mean = plan.mean(residents) * plan.busiest_day();
        let one = simulate(&Options::of(processes, 4).of_day(mean, 3.0))?;
        table.row([
            name.to_owned(),
            count(mean),
            processes.to_string(),
            format!("{:.0} ms", one.p50_ms),
            format!("{:.0} ms", one.p99_ms),
            count(one.longest_queue as f64),
            format!("{:.2} %", one.shed as f64 / (one.per_second * 240.0 + one.shed as f64) * 100.0),
        ]);
    }
    Ok(table)
}
