//! Everything that has an aim, in one run: what is compared is measured in turns, so that what else the machine does meets all.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Serialize;

use super::drive::{Plan, drive};
use super::fetches::{self, Fetches, quantile};
use super::process::{self, Process};
use super::run::{MAX_EXCHANGES, Report, Subject, shown};
use super::stops::{self, Stops};
use super::table::Bound::{Least, Most};
use super::table::Table;
use super::world::{Setup, World};
use super::{apache, floor, jose};

const MANY_CONNECTIONS: usize = 1000;
const WARM_UP: u64 = 1000;
const FETCHING_RESIDENTS: usize = 20;
/// Ports in a row that the demo takes.
const DEMO_PORTS: u16 = 11;

#[derive(Args, Clone)]
pub struct Options {
    /// The program to measure
    #[arg(long, default_value = "target/release/omadata")]
    binary: PathBuf,
    /// A PostgreSQL server as postgres://USER:PASSWORD@HOST:PORT/postgres; without one, its rows are missing
    #[arg(long)]
    postgres: Option<String>,
    /// Length of one timed run
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Timed runs of each that is compared, in turns; the median counts
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Permissions that are prepared
    #[arg(long, default_value_t = 200)]
    consents: usize,
    /// Connections that are kept
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Fetches of a service through both nodes, one after the other
    #[arg(long, default_value_t = 3000)]
    fetches: u64,
    /// Threads of each process that serve requests
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// Database connections of each process
    #[arg(long, default_value_t = 8)]
    pool_size: usize,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

/// All that was measured.
#[derive(Serialize, Default)]
struct Measured {
    compared: Vec<Vec<Report>>,
    at_70: Option<Report>,
    many: Option<Report>,
    idle_mb: f64,
    peak_mb: f64,
    stops: Option<Stops>,
    alone: Option<Fetches>,
    busy: Option<Fetches>,
    demo_ready_ms: Option<f64>,
    /// Stores that do not hold exactly what was answered.
    unaccounted: Vec<String>,
}

/// Measures and tells; says whether every answer was right.
pub async fn measure(options: &Options) -> Result<bool> {
    let folder = tempfile::Builder::new().prefix("omadata-load.").tempdir()?;
    let mut measured = Measured::default();
    let subjects = subjects(options, folder.path()).await?;
    let sqlite = subjects.first().context("nothing to measure")?;
    measured.idle_mb = sqlite.world().map_or(0.0, |world| world.idle_mb);
    say("in turns: the nodes and what they are compared with");
    measured.compared = in_turns(options, &subjects).await?;
    let peak = median(&measured.compared[0], |report| report.outcome.per_second);

    say("at 70 % of the peak");
    let plan = Plan {
        length: Some(Duration::from_secs_f64(options.seconds * 2.0)),
        rate: Some(peak * 0.7),
        ..Plan::of(options.connections * 2)
    };
    measured.at_70 = Some(sqlite.timed(&plan).await?);
    say("1,000 connections");
    process::forget_peak(&sqlite.pids());
    let plan = Plan { exchanges: Some(5 * 1000), ..Plan::of(MANY_CONNECTIONS) };
    measured.many = Some(sqlite.timed(&plan).await?);
    measured.peak_mb = process::peak_memory(&sqlite.pids());
    say("permissions are stopped while they are used");
    let world = sqlite.world().context("no node")?;
    measured.stops = Some(stops::beside(world, &sqlite.target, options.connections).await?);
    measured.unaccounted = subjects
        .iter()
        .filter_map(|subject| subject.check_stored().err().map(|error| format!("{error:#}")))
        .collect();
    drop(subjects);

    say("a service's fetches through two nodes");
    through_both(options, &mut measured).await?;
    say("the demo's start");
    measured.demo_ready_ms = demo_ready(&options.binary, folder.path())
        .await
        .inspect_err(|error| eprintln!("load: {error:#}"))
        .ok();
    let right = measured.is_right();
    let table = table(options, &measured);
    if options.json {
        println!("{}", serde_json::json!({"table": table, "measured": measured}));
    } else {
        table.print();
    }
    if !right {
        eprintln!("load: there were wrong answers {:?}", measured.unaccounted);
    }
    Ok(right)
}

fn say(what: &str) {
    eprintln!("-- {what}");
}

/// The node on SQLite first; then all that is measured in turns with it.
async fn subjects(options: &Options, folder: &Path) -> Result<Vec<Subject>> {
    let setup = |store: &str, processes: usize, recipient_node: bool| -> Result<Setup> {
        Ok(Setup {
            binary: options.binary.canonicalize().with_context(|| options.binary.display().to_string())?,
            store: store.to_owned(),
            processes,
            workers: options.workers,
            pool_size: options.pool_size,
            residents: options.consents,
            max_exchanges: MAX_EXCHANGES,
            recipient_node,
        })
    };
    say("permissions through the real flow");
    let sqlite = Subject::node(&setup("sqlite", 1, false)?).await?;
    drive(&sqlite.target, &Plan { exchanges: Some(WARM_UP), ..Plan::of(options.connections) }).await?;
    let body =
        sqlite.target.permissions.first().and_then(|one| one.body.borrow().clone()).context("no body")?;
    let mut all = vec![sqlite];
    if let Some(server) = &options.postgres {
        all.push(Subject::node(&setup(server, 1, false)?).await?);
        all.push(Subject::node(&setup(server, 2, false)?).await?);
    }
    let key = Arc::new(jose::Key::generate()?);
    let inside = |name: &str| -> Result<PathBuf> {
        let path = folder.join(name);
        std::fs::create_dir_all(&path)?;
        Ok(path)
    };
    let started = floor::start(&inside("floor")?, options.workers, options.consents, &key, None).await?;
    all.push(Subject::other(FLOOR, started));
    if apache::is_here() {
        process::open_to_others(folder)?;
        for (name, cached) in [(CACHED, true), (UNCACHED, false)] {
            let folder = inside(if cached { "cached" } else { "uncached" })?;
            let started = apache::start(&folder, options.consents, &key, &body, cached).await?;
            all.push(Subject::other(name, started));
        }
    }
    Ok(all)
}

const FLOOR: &str = "floor";
const CACHED: &str = "mod_oauth2 with its cache";
const UNCACHED: &str = "mod_oauth2, expiry=0";

/// For each subject its runs.
async fn in_turns(options: &Options, subjects: &[Subject]) -> Result<Vec<Vec<Report>>> {
    let warm_up = Plan { exchanges: Some(WARM_UP), ..Plan::of(options.connections) };
    for subject in subjects {
        drive(&subject.target, &warm_up).await?;
    }
    let plan =
        Plan { length: Some(Duration::from_secs_f64(options.seconds)), ..Plan::of(options.connections) };
    let mut reports = vec![Vec::new(); subjects.len()];
    for _ in 0..options.rounds {
        for (subject, reports) in subjects.iter().zip(&mut reports) {
            let report = subject.timed(&plan).await?;
            say(&format!(
                "   {}: {:.0}/s, {:.0} µs",
                subject.name, report.outcome.per_second, report.cpu_us_per_exchange
            ));
            reports.push(report);
        }
    }
    Ok(reports)
}

async fn through_both(options: &Options, measured: &mut Measured) -> Result<()> {
    let setup = Setup {
        binary: options.binary.canonicalize()?,
        store: "sqlite".to_owned(),
        processes: 1,
        workers: options.workers,
        pool_size: options.pool_size,
        residents: FETCHING_RESIDENTS,
        max_exchanges: MAX_EXCHANGES,
        recipient_node: true,
    };
    let world = Rc::new(World::start(&setup).await?);
    let held = match fetches::prepare(&world, FETCHING_RESIDENTS).await {
        Ok(held) => held,
        Err(error) => bail!("{error:#}\n{}", world.log()),
    };
    fetches::run(&world, &held, 1, options.fetches.min(200)).await?;
    measured.alone = Some(fetches::run(&world, &held, 1, options.fetches).await?);
    measured.busy = Some(fetches::run(&world, &held, options.connections, options.fetches).await?);
    Ok(())
}

/// From the start of `omadata demo` to its ready file, in milliseconds.
async fn demo_ready(binary: &Path, folder: &Path) -> Result<f64> {
    let (data, ready) = (folder.join("demo"), folder.join("ready.json"));
    let base = process::free_ports(DEMO_PORTS)?;
    let mut command = Command::new(binary);
    command
        .args(["demo", "--base-port", &base.to_string(), "--data-dir"])
        .arg(&data)
        .arg("--ready-file")
        .arg(&ready);
    let begin = Instant::now();
    let _demo = Process::spawn(&mut command, base, &folder.join("demo.log"))?;
    while begin.elapsed() < Duration::from_secs(60) {
        if std::fs::metadata(&ready).is_ok_and(|file| file.len() > 0) {
            return Ok(begin.elapsed().as_secs_f64() * 1000.0);
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    bail!("the demo is not ready after a minute")
}

fn median(reports: &[Report], of: fn(&Report) -> f64) -> f64 {
    let values: Vec<f64> = reports.iter().map(of).collect();
    quantile(&values, 0.5)
}

impl Measured {
    fn is_right(&self) -> bool {
        let runs = self.compared.iter().flatten().chain(&self.at_70).chain(&self.many);
        let fetches = self.alone.iter().chain(&self.busy);
        let stopped =
            self.stops.iter().all(|stops| stops.outcome.wrong == 0 && stops.outcome.served_after_stop == 0);
        let (mut runs, mut fetches) = (runs, fetches);
        stopped
            && self.unaccounted.is_empty()
            && runs.all(Report::is_right)
            && fetches.all(|fetches| fetches.wrong == 0)
    }

    fn of(&self, name: &str) -> Option<&Vec<Report>> {
        self.compared.iter().find(|reports| reports.first().is_some_and(|report| report.subject == name))
    }
}

fn machine() -> String {
    let model = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = model.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown processor");
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("").to_owned();
    format!(
        "{cores} × {}, shared by the measured processes, this program and whatever else runs (load average now {load})",
        model.trim_start_matches([' ', '\t', ':'])
    )
}

/// Where temporary files are: in memory a sync costs nothing, and the figures say less.
fn filesystem() -> String {
    let asked =
        Command::new("stat").args(["--file-system", "--format", "%T"]).arg(std::env::temp_dir()).output();
    asked.map_or_else(
        |_| "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

fn table(options: &Options, measured: &Measured) -> Table {
    let mut table = Table::of(machine());
    table.tell("stores and temporary files on", filesystem());
    let node = &measured.compared[0];
    let rate = |reports: &[Report]| median(reports, |report| report.outcome.per_second);
    let cpu = |reports: &[Report]| median(reports, |report| report.cpu_us_per_exchange);
    for reports in &measured.compared {
        let Some(first) = reports.first() else { continue };
        table.tell(
            &format!("{}, {} connections", first.subject, options.connections),
            format!("{:.0}/s at {:.0} µs", rate(reports), cpu(reports)),
        );
    }
    let missing = "libapache2-mod-oauth2 is not installed";
    for (name, aim) in [(UNCACHED, 2.0), (CACHED, 1.2)] {
        let figure = format!("against {name}");
        match measured.of(name) {
            Some(other) => table.aim(&figure, rate(node) / rate(other), Least(aim, "×")),
            None => table.lacks(&figure, &format!("≥ {aim} ×"), missing),
        }
    }
    if let Some(floor) = measured.of(FLOOR) {
        table.aim("against the floor", rate(node) / rate(floor), Least(0.8, "×"));
    }
    table.aim("CPU per exchange", cpu(node), Most(350.0, "µs"));
    let own = median(node, |report| report.outcome.own_cpu_us_per_exchange);
    table.tell("the load program beside it", format!("{own:.0} µs"));
    stores(&mut table, measured);
    let syncs = |report: &Report| report.syncs_per_exchange.unwrap_or(f64::NAN);
    table.tell(
        "syncs per exchange, SQLite",
        format!("{:.3} (fsync and fdatasync, counted in the process)", median(node, syncs)),
    );
    under_load(&mut table, measured);
    starts(&mut table, measured);
    table
}

/// PostgreSQL beside SQLite, and two processes beside one.
fn stores(table: &mut Table, measured: &Measured) {
    let (one, two) = (measured.of("node, PostgreSQL"), measured.of("node, PostgreSQL, 2 processes"));
    let (Some(one), Some(two)) = (one, two) else {
        table.lacks("PostgreSQL against SQLite", "≥ 0.8 ×", "no server was named");
        table.lacks("two processes: CPU per exchange against one", "≤ 1.1 ×", "no server was named");
        return;
    };
    let rate = |reports: &[Report]| median(reports, |report| report.outcome.per_second);
    let cpu = |reports: &[Report]| median(reports, |report| report.cpu_us_per_exchange);
    table.aim("PostgreSQL against SQLite", rate(one) / rate(&measured.compared[0]), Least(0.8, "×"));
    table.aim("two processes: CPU per exchange against one", cpu(two) / cpu(one), Most(1.1, "×"));
    let refused: u64 = two.iter().flat_map(|report| report.outcome.refusals.values()).sum();
    table.aim("two processes: exchanges refused", refused as f64, Most(0.0, ""));
    if let Some(last) = one.last() {
        table.tell(
            "statements per exchange, PostgreSQL",
            format!("{} (pg_stat_statements)", shown(last.statements_per_exchange)),
        );
        table.tell(
            "syncs per exchange, PostgreSQL",
            format!("{} (pg_stat_wal)", shown(last.syncs_per_exchange)),
        );
    }
}

fn under_load(table: &mut Table, measured: &Measured) {
    if let Some(report) = &measured.at_70 {
        let one = &report.outcome;
        table.tell("at 70 % of the peak", format!("{:.0}/s, p50 {:.2} ms", one.per_second, one.p50_ms));
        table.aim("  p99 against p50", one.p99_ms / one.p50_ms, Most(4.0, "×"));
        table.aim("  p99", one.p99_ms, Most(25.0, "ms"));
    }
    table.aim("resident memory, idle", measured.idle_mb, Most(60.0, "MB"));
    if let Some(report) = &measured.many {
        table.aim("resident memory, 1,000 connections", measured.peak_mb, Most(150.0, "MB"));
        let refused: u64 = report.outcome.refusals.values().sum();
        table.tell("  exchanges over them", format!("{}, refused {refused}", report.outcome.exchanges));
    }
    if let Some(fetches) = &measured.alone {
        table.aim("service fetch through both nodes: p50", fetches.p50_ms, Most(4.0, "ms"));
        let flat = fetches.p50_last_ms / fetches.p50_first_ms;
        table.aim(&format!("  last tenth of {} against the first", fetches.fetches), flat, Most(1.2, "×"));
    }
    if let Some(fetches) = &measured.busy {
        let alone = median(&measured.compared[0], |report| report.outcome.per_second);
        table.aim("  rate against the holder alone", fetches.per_second / alone, Least(0.35, "×"));
        table.tell(
            "  refused",
            format!("{}", fetches.refused + measured.alone.as_ref().map_or(0, |alone| alone.refused)),
        );
    }
    if let Some(stops) = &measured.stops {
        table.aim(
            &format!("{} stops beside busy connections: p99", stops.stops),
            stops.p99_ms,
            Most(100.0, "ms"),
        );
        table.aim("  served that were sent after it", stops.outcome.served_after_stop as f64, Most(0.0, ""));
        table.tell("  refused after it", format!("{}", stops.outcome.refused_after_stop));
    }
}

fn starts(table: &mut Table, measured: &Measured) {
    match measured.demo_ready_ms {
        Some(ready) => table.aim("four-city demo ready", ready, Most(1000.0, "ms")),
        None => table.lacks("four-city demo ready", "≤ 1000 ms", "it did not start"),
    }
    table.lacks("ready on a store of 10⁶ consents", "≤ 300 ms", "not part of this run");
    table.lacks("growth: 10⁶ consents against 10³", "≤ 1.2 ×", "tests/run bench");
    let all = measured.compared.iter().flatten().chain(&measured.at_70).chain(&measured.many);
    let (mut served, mut wrong) = (0, 0);
    for report in all {
        served += report.outcome.exchanges;
        wrong += report.outcome.wrong;
    }
    // One too many was released twice, or its answer lost.
    table.aim("stores that differ from what was answered", measured.unaccounted.len() as f64, Most(0.0, ""));
    table.aim(&format!("wrong answers in {served} exchanges"), wrong as f64, Most(0.0, ""));
}
