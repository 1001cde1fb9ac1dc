//! The load program: an independent recipient city that measures nodes of this repository, and what they are compared with.
//!
//! `omadata-load --help` tells the options. Everything that it starts ends with it.

mod browser;
mod config;
mod consents;
mod drive;
mod floor;
mod http;
mod jose;
mod parties;
mod postgres;
mod process;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand};
use serde::Serialize;

use drive::{Outcome, Plan, Target, drive};
use world::{Setup, World};

#[derive(Parser)]
#[command(version, about = "Measures OmaData nodes: exchanges with fresh proofs, every answer checked")]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    options: Options,
}

#[derive(Subcommand)]
enum Command {
    /// Measures the floor program in place of a node: two verifications, one signature, one durable row
    Floor(Options),
    /// The floor program itself
    #[command(hide = true)]
    FloorServe {
        #[arg(long)]
        port: u16,
        #[arg(long)]
        folder: PathBuf,
        #[arg(long, default_value_t = 2)]
        workers: usize,
    },
}

#[derive(Args, Clone)]
struct Options {
    /// The program to measure
    #[arg(long, default_value = "target/release/omadata")]
    binary: PathBuf,
    /// Ends after so many exchanges (default: 20000 where --seconds is not given)
    #[arg(long)]
    exchanges: Option<u64>,
    /// Ends after so long
    #[arg(long)]
    seconds: Option<f64>,
    /// Exchanges a second, each sent at its own time whatever the answers before; latency counts from that time
    #[arg(long)]
    rate: Option<f64>,
    /// Permissions that are prepared, each of another resident
    #[arg(long, default_value_t = 200)]
    consents: usize,
    /// Connections that are kept
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Exchanges before the clock starts
    #[arg(long, default_value_t = 2000)]
    warm_up: u64,
    /// The holder's store: sqlite, or a PostgreSQL server as postgres://USER:PASSWORD@HOST:PORT/postgres
    #[arg(long, default_value = "sqlite")]
    store: String,
    /// Processes of the holder's node; two need PostgreSQL
    #[arg(long, default_value_t = 1)]
    processes: usize,
    /// Threads of each process that serve requests, as in [node] workers
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// Database connections of each process, as in [store] pool_size
    #[arg(long, default_value_t = 8)]
    pool_size: usize,
    /// Runs this often with the same processes; each run is told
    #[arg(long, default_value_t = 1)]
    runs: usize,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

/// One run and what it cost the node.
#[derive(Serialize)]
struct Report {
    store: &'static str,
    processes: usize,
    connections: usize,
    consents: usize,
    #[serde(flatten)]
    outcome: Outcome,
    cpu_us_per_exchange: f64,
    memory_mb_before: f64,
    memory_mb_after: f64,
    statements_per_exchange: Option<f64>,
    syncs_per_exchange: Option<f64>,
    ready_ms: f64,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Some(Command::FloorServe { port, folder, workers }) = &cli.command {
        return match floor::serve(*port, folder, *workers) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error),
        };
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime.context("no runtime").and_then(|runtime| {
        let local = tokio::task::LocalSet::new();
        match &cli.command {
            Some(Command::Floor(options)) => runtime.block_on(local.run_until(measure_floor(options))),
            _ => runtime.block_on(local.run_until(measure(&cli.options))),
        }
    });
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => fail(&error),
    }
}

fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("load: {error:#}");
    ExitCode::FAILURE
}

/// Prepares, drives and tells; says whether every answer was right.
async fn measure(options: &Options) -> Result<bool> {
    if options.store == "sqlite" && options.processes != 1 {
        bail!("a SQLite file takes one process");
    }
    let setup = Setup {
        binary: options.binary.canonicalize().with_context(|| options.binary.display().to_string())?,
        store: options.store.clone(),
        processes: options.processes,
        workers: options.workers,
        pool_size: options.pool_size,
        residents: options.consents,
        max_exchanges: 1_000_000,
        recipient_node: false,
    };
    let world = Rc::new(World::start(&setup).await?);
    let permissions = match consents::prepare(&world, options.consents).await {
        Ok(permissions) => permissions,
        Err(error) => bail!("{error:#}\n{}", world.log()),
    };
    let target = Rc::new(Target {
        ports: world.ports(),
        url: world.exchange_url(),
        holder: world.holder.clone(),
        recipient: world.parties.recipient.clone(),
        key: world.parties.dpop_key.clone(),
        permissions,
        receipts: Some(world.receipt_keys.clone()),
    });
    let plan = options.plan();
    drive(&target, &options.warming()).await?;
    let mut right = true;
    for _ in 0..options.runs {
        let report = timed(&world, &target, &plan).await?;
        right &= report.outcome.wrong == 0;
        report.print(options.json)?;
    }
    if !right {
        eprintln!("{}", world.log());
    }
    Ok(right)
}

/// One timed run, with what the kernel and the database say of the node before and after.
async fn timed(world: &World, target: &Rc<Target>, plan: &Plan) -> Result<Report> {
    let pids = world.pids();
    let counts = || world.database.as_ref().map_or((None, None), postgres::Database::counts);
    let (before, memory_mb_before, cpu) = (counts(), process::memory(&pids), process::cpu(&pids));
    let outcome = drive(target, plan).await?;
    let cpu = process::cpu(&pids) - cpu;
    let (memory_mb_after, after) = (process::memory(&pids), counts());
    let each = |total: f64| total / (outcome.exchanges.max(1) as f64);
    let difference = |before: Option<f64>, after: Option<f64>| Some(each(after? - before?));
    Ok(Report {
        store: if world.database.is_some() { "PostgreSQL" } else { "SQLite" },
        processes: world.nodes.len(),
        connections: plan.connections,
        consents: target.permissions.len(),
        cpu_us_per_exchange: each(cpu.as_secs_f64() * 1e6),
        memory_mb_before,
        memory_mb_after,
        statements_per_exchange: difference(before.0, after.0),
        syncs_per_exchange: difference(before.1, after.1),
        ready_ms: world.nodes[0].ready_after.as_secs_f64() * 1000.0,
        outcome,
    })
}

async fn measure_floor(options: &Options) -> Result<bool> {
    let folder = tempfile::Builder::new().prefix("omadata-load.").tempdir()?;
    let key = std::sync::Arc::new(jose::Key::generate()?);
    let (process, target) = floor::start(folder.path(), options.workers, options.consents, &key).await?;
    drive(&target, &options.warming()).await?;
    let mut right = true;
    for _ in 0..options.runs {
        let pids = [process.pid()];
        let (memory_mb_before, cpu) = (process::memory(&pids), process::cpu(&pids));
        let outcome = drive(&target, &options.plan()).await?;
        right &= outcome.wrong == 0;
        let cpu = process::cpu(&pids) - cpu;
        let report = Report {
            store: "SQLite, one row",
            processes: 1,
            connections: options.connections,
            consents: options.consents,
            cpu_us_per_exchange: cpu.as_secs_f64() * 1e6 / outcome.exchanges.max(1) as f64,
            memory_mb_before,
            memory_mb_after: process::memory(&pids),
            statements_per_exchange: None,
            syncs_per_exchange: None,
            ready_ms: process.ready_after.as_secs_f64() * 1000.0,
            outcome,
        };
        report.print(options.json)?;
    }
    Ok(right)
}

impl Options {
    fn warming(&self) -> Plan {
        Plan { connections: self.connections, exchanges: Some(self.warm_up), length: None, rate: None }
    }

    fn plan(&self) -> Plan {
        Plan {
            connections: self.connections,
            exchanges: self.exchanges.or(self.seconds.is_none().then_some(20_000)),
            length: self.seconds.map(Duration::from_secs_f64),
            rate: self.rate,
        }
    }
}

impl Report {
    fn print(&self, json: bool) -> Result<()> {
        if json {
            println!("{}", serde_json::to_string(self)?);
            return Ok(());
        }
        let one = &self.outcome;
        println!(
            "{} exchanges in {:.1} s on {}, {} process(es), {} connections, {} permissions, answers of {} bytes",
            one.exchanges, one.seconds, self.store, self.processes, self.connections, self.consents, one.body_bytes
        );
        println!("  exchanges/s        {:.0}", one.per_second);
        println!("  CPU                {:.0} µs an exchange (user and system of the node)", self.cpu_us_per_exchange);
        println!(
            "  latency            p50 {:.2}  p90 {:.2}  p99 {:.2}  max {:.2} ms",
            one.p50_ms, one.p90_ms, one.p99_ms, one.max_ms
        );
        println!("  resident memory    {:.1} MB before, {:.1} MB after", self.memory_mb_before, self.memory_mb_after);
        let shown = |value: Option<f64>| value.map_or("not counted".to_owned(), |value| format!("{value:.2}"));
        println!("  fsyncs             {} an exchange", shown(self.syncs_per_exchange));
        println!("  statements         {} an exchange", shown(self.statements_per_exchange));
        println!("  nonces renewed     {}, receipts verified {}", one.nonce_renewals, one.receipts_verified);
        println!("  refusals           {:?}", one.refusals);
        println!("  wrong answers      {} {:?}", one.wrong, one.told);
        Ok(())
    }
}
