//! One timed run against a node or what it is compared with, what it cost, and how it is told.

use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Serialize;

use super::drive::{Outcome, Plan, Target, drive};
use super::process::{self, Process};
use super::syncs::Syncs;
use super::world::{Setup, World};
use super::{consents, floor, jose};

/// More than any run makes with one permission.
pub const MAX_EXCHANGES: u32 = 1_000_000;
const DEFAULT_EXCHANGES: u64 = 20_000;
const SAMPLE_EVERY: Duration = Duration::from_millis(200);

#[derive(Args, Clone)]
pub struct Options {
    /// The program to measure
    #[arg(long, default_value = "target/release/omadata")]
    pub binary: PathBuf,
    /// Ends after so many exchanges (20000 when neither this nor --seconds is given)
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
    pub consents: usize,
    /// Connections that are kept
    #[arg(long, default_value_t = 16)]
    pub connections: usize,
    /// Exchanges before the clock starts
    #[arg(long, default_value_t = 2000)]
    warm_up: u64,
    /// The holder's store: sqlite, or a PostgreSQL server as postgres://USER:PASSWORD@HOST:PORT/postgres
    #[arg(long, default_value = "sqlite")]
    pub store: String,
    /// Processes of the holder's node; two need PostgreSQL
    #[arg(long, default_value_t = 1)]
    pub processes: usize,
    /// Threads of each process that serve requests, as in [node] workers
    #[arg(long, default_value_t = 2)]
    pub workers: usize,
    /// Database connections of each process, as in [store] pool_size
    #[arg(long, default_value_t = 8)]
    pub pool_size: usize,
    /// Runs so often with the same processes; each run is told
    #[arg(long, default_value_t = 1)]
    runs: usize,
    /// Fails where half of the exchanges take longer
    #[arg(long)]
    max_p50_ms: Option<f64>,
    /// Fails where the node's memory grows by more over the second half of a run
    #[arg(long)]
    max_growth_mb: Option<f64>,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

impl Options {
    fn warming(&self) -> Plan {
        Plan { exchanges: Some(self.warm_up), ..Plan::of(self.connections) }
    }

    fn plan(&self) -> Plan {
        Plan {
            connections: self.connections,
            exchanges: self.exchanges.or(self.seconds.is_none().then_some(DEFAULT_EXCHANGES)),
            length: self.seconds.map(Duration::from_secs_f64),
            rate: self.rate,
        }
    }

    /// The federation that these options describe.
    pub fn setup(&self) -> Result<Setup> {
        if self.store == "sqlite" && self.processes != 1 {
            bail!("a SQLite file takes one process");
        }
        Ok(Setup {
            binary: self.binary.canonicalize().with_context(|| self.binary.display().to_string())?,
            store: self.store.clone(),
            processes: self.processes,
            workers: self.workers,
            pool_size: self.pool_size,
            residents: self.consents,
            max_exchanges: MAX_EXCHANGES,
            recipient_node: false,
        })
    }
}

/// What is measured: its processes, and what counts for them.
pub struct Subject {
    pub name: &'static str,
    pub target: Rc<Target>,
    /// With all their descendants.
    roots: Vec<u32>,
    world: Option<Rc<World>>,
    _process: Option<Process>,
}

impl Subject {
    /// A holder's node with so many permissions, given by as many residents.
    pub async fn node(setup: &Setup) -> Result<Self> {
        let world = Rc::new(World::start(setup).await?);
        let permissions = match consents::prepare(&world, setup.residents).await {
            Ok(permissions) => permissions,
            Err(error) => bail!("{error:#}\n{}", world.log()),
        };
        let target = Target {
            ports: world.ports(),
            url: world.exchange_url(),
            holder: world.holder.clone(),
            recipient: world.parties.recipient.clone(),
            key: world.parties.dpop_key.clone(),
            permissions,
            receipts: Some(world.receipt_keys.clone()),
            served: std::cell::Cell::default(),
        };
        let name = match (&world.database, setup.processes) {
            (None, _) => "node, SQLite",
            (Some(_), 1) => "node, PostgreSQL",
            (Some(_), _) => "node, PostgreSQL, 2 processes",
        };
        Ok(Self { name, target: Rc::new(target), roots: world.pids(), world: Some(world), _process: None })
    }

    pub fn other(name: &'static str, (process, target): (Process, Rc<Target>)) -> Self {
        Self { name, target, roots: vec![process.pid()], world: None, _process: Some(process) }
    }

    pub fn world(&self) -> Option<&Rc<World>> {
        self.world.as_ref()
    }

    pub fn pids(&self) -> Vec<u32> {
        self.roots.iter().flat_map(|root| process::family(*root)).collect()
    }

    fn counts(&self) -> (Option<f64>, Option<f64>) {
        let world = self.world.as_ref();
        match world.and_then(|world| world.database.as_ref()) {
            Some(database) => database.counts(),
            None => (None, world.and_then(|world| world.syncs.as_ref()).and_then(Syncs::count)),
        }
    }

    /// One timed run, with what the kernel and the database say before and after.
    pub async fn timed(&self, plan: &Plan) -> Result<Report> {
        let pids = self.pids();
        let (before, memory_mb_before, cpu) = (self.counts(), process::memory(&pids), process::cpu(&pids));
        let samples = Rc::new(std::cell::RefCell::new(Vec::new()));
        let sampling = tokio::task::spawn_local({
            let (samples, pids) = (samples.clone(), pids.clone());
            async move {
                loop {
                    samples.borrow_mut().push(process::memory(&pids));
                    tokio::time::sleep(SAMPLE_EVERY).await;
                }
            }
        });
        let outcome = drive(&self.target, plan).await;
        sampling.abort();
        let outcome = outcome?;
        let cpu = process::cpu(&pids) - cpu;
        let memory_mb_after = process::memory(&pids);
        if self.world.as_ref().is_some_and(|world| world.database.is_some()) {
            // Sessions tell their counts to the server a second later at the latest.
            tokio::time::sleep(Duration::from_millis(1500)).await;
        }
        let after = self.counts();
        let each = |total: f64| total / (outcome.exchanges.max(1) as f64);
        let difference = |before: Option<f64>, after: Option<f64>| Some(each(after? - before?));
        let middle = samples.borrow().get(samples.borrow().len() / 2).copied();
        Ok(Report {
            subject: self.name,
            connections: plan.connections,
            permissions: self.target.permissions.len(),
            cpu_us_per_exchange: each(cpu.as_secs_f64() * 1e6),
            memory_mb_before,
            memory_mb_after,
            growth_mb: memory_mb_after - middle.unwrap_or(memory_mb_before),
            statements_per_exchange: difference(before.0, after.0),
            syncs_per_exchange: difference(before.1, after.1),
            outcome,
        })
    }

    /// Fails where the store does not hold exactly the exchanges that were answered: one was released twice, or unrecorded.
    pub fn check_stored(&self) -> Result<()> {
        let Some(world) = &self.world else { return Ok(()) };
        let (stored, served) = (world.stored_exchanges()?, self.target.served.get());
        if stored != served {
            bail!("{}: the store holds {stored} exchanges, {served} were answered", self.name);
        }
        Ok(())
    }
}

/// One run and what it cost.
#[derive(Serialize, Clone)]
pub struct Report {
    pub subject: &'static str,
    connections: usize,
    permissions: usize,
    #[serde(flatten)]
    pub outcome: Outcome,
    /// User and system time of the measured processes.
    pub cpu_us_per_exchange: f64,
    pub memory_mb_before: f64,
    pub memory_mb_after: f64,
    /// Over the second half of the run.
    growth_mb: f64,
    /// What pg_stat_statements counted; SQLite counts none.
    pub statements_per_exchange: Option<f64>,
    /// fsync and fdatasync of the processes; with PostgreSQL, the server's syncs of its WAL.
    pub syncs_per_exchange: Option<f64>,
}

impl Report {
    pub fn is_right(&self) -> bool {
        self.outcome.wrong == 0 && self.outcome.served_after_stop == 0
    }

    fn print(&self, json: bool) -> Result<()> {
        if json {
            println!("{}", serde_json::to_string(self)?);
            return Ok(());
        }
        let one = &self.outcome;
        println!(
            "{}: {} exchanges in {:.1} s, {} connections, {} permissions, answers of {} bytes",
            self.subject, one.exchanges, one.seconds, self.connections, self.permissions, one.body_bytes
        );
        println!("  exchanges/s        {:.0}", one.per_second);
        println!(
            "  CPU an exchange    {:.0} µs (user and system); the load program itself {:.0} µs",
            self.cpu_us_per_exchange, one.own_cpu_us_per_exchange
        );
        println!(
            "  latency            p50 {:.2}  p90 {:.2}  p99 {:.2}  max {:.2} ms",
            one.p50_ms, one.p90_ms, one.p99_ms, one.max_ms
        );
        println!(
            "  resident memory    {:.1} MB before, {:.1} MB after, {:+.1} MB over the second half",
            self.memory_mb_before, self.memory_mb_after, self.growth_mb
        );
        println!("  syncs              {} an exchange", shown(self.syncs_per_exchange));
        println!("  statements         {} an exchange", shown(self.statements_per_exchange));
        println!("  nonces renewed     {}", one.nonce_renewals);
        println!("  receipts verified  {}", one.receipts_verified);
        println!("  refusals           {:?}", one.refusals);
        println!("  wrong answers      {} {:?}", one.wrong, one.told);
        Ok(())
    }
}

pub fn shown(value: Option<f64>) -> String {
    value.map_or("not counted".to_owned(), |value| format!("{value:.2}"))
}

/// Measures a node; says whether all answers were right and all bounds held.
pub async fn measure(options: &Options) -> Result<bool> {
    let subject = Subject::node(&options.setup()?).await?;
    let right = runs(&subject, options).await?;
    subject.check_stored()?;
    if let Some(world) = subject.world().filter(|_| !right) {
        eprintln!("{}", world.log());
    }
    Ok(right)
}

/// Measures the floor in place of a node.
pub async fn measure_floor(options: &Options, fault: Option<floor::Fault>) -> Result<bool> {
    let folder = tempfile::Builder::new().prefix("omadata-load.").tempdir()?;
    let key = Arc::new(jose::Key::generate()?);
    let started = floor::start(folder.path(), options.workers, options.consents, &key, fault).await?;
    runs(&Subject::other("floor", started), options).await
}

async fn runs(subject: &Subject, options: &Options) -> Result<bool> {
    drive(&subject.target, &options.warming()).await?;
    let mut right = true;
    for _ in 0..options.runs {
        let report = subject.timed(&options.plan()).await?;
        report.print(options.json)?;
        right &= report.is_right();
        if let Some(bound) = options.max_p50_ms.filter(|bound| report.outcome.p50_ms > *bound) {
            eprintln!("load: p50 is {:.2} ms, the bound is {bound} ms", report.outcome.p50_ms);
            right = false;
        }
        if let Some(bound) = options.max_growth_mb.filter(|bound| report.growth_mb > *bound) {
            eprintln!("load: memory grew by {:.1} MB, the bound is {bound} MB", report.growth_mb);
            right = false;
        }
    }
    Ok(right)
}
