//! A simulation of a holder by discrete events: exchanges arrive, take a core of one process, wait for that process's next commit, and
//! are committed together while no other process commits. The same seed gives the same figures.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use anyhow::{Result, bail};
use clap::Args;

use super::figures;

/// As in the node's `commit_queue.rs`.
pub const MOST_TOGETHER: usize = 64;
pub const MOST_WAITING: usize = 1024;

/// Share of a working day's exchanges in each hour: offices by day, residents in the evening, systems at night.
pub const HOURS: [f64; 24] = [
    0.010, 0.010, 0.010, 0.010, 0.010, 0.015, 0.030, 0.055, 0.090, 0.115, 0.120, 0.105, 0.085, 0.090, 0.085,
    0.060, 0.030, 0.020, 0.015, 0.010, 0.010, 0.005, 0.005, 0.005,
];

const SECOND: u64 = 1_000_000_000;
/// One second in so many has a burst.
const BURST_EVERY: u64 = 10;

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Exchanges a second; with --day the mean of the day
    #[arg(long, conflicts_with = "connections")]
    rate: Option<f64>,
    /// Connections that each send the next exchange when the last is answered, as the load program does
    #[arg(long)]
    connections: Option<usize>,
    /// How long
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// A day: each hour is played by --seconds at that hour's rate
    #[arg(long)]
    day: bool,
    /// Every tenth second has so many times the rate, and the others less
    #[arg(long, default_value_t = 1.0)]
    burst: f64,
    /// Processes of the node over one database
    #[arg(long, default_value_t = 1)]
    processes: usize,
    /// Cores of each process
    #[arg(long, default_value_t = 2)]
    cores: usize,
    /// The cores are those of one machine, and all processes share them
    #[arg(long)]
    shared: bool,
    /// Share of these cores that other programs take
    #[arg(long, default_value_t = 0.0)]
    busy: f64,
    /// For how long at a time, in milliseconds
    #[arg(long, default_value_t = 4.0)]
    slice_ms: f64,
    /// Processor time of an exchange and its acknowledgement in the holder's node, in microseconds
    #[arg(long, default_value_t = figures::HOLDER_US)]
    cpu_us: f64,
    /// How long a commit takes whatever it holds, in microseconds
    #[arg(long, default_value_t = figures::COMMIT_US)]
    commit_us: f64,
    /// How much longer for each exchange in it, in microseconds
    #[arg(long, default_value_t = figures::COMMIT_EACH_US)]
    commit_each_us: f64,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Prints the tables of docs/scaling.md in place of one run
    #[arg(long)]
    tables: bool,
}

/// What comes of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    pub per_second: f64,
    pub shed: u64,
    /// Of all cores.
    pub cores_busy: f64,
    /// Of the time in which at most one process commits.
    pub head_busy: f64,
    pub together: f64,
    /// Most exchanges of one process that waited for a commit.
    pub longest_queue: usize,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// The next exchange that nobody waits for to send it.
    Arrive,
    /// Of an exchange that arrived then.
    CoreDone(usize, u64),
    Committed(usize),
}

/// Cores, and the exchanges that wait for one: their process and when they arrived.
#[derive(Default)]
struct Pool {
    taken: usize,
    waiting: VecDeque<(usize, u64)>,
}

#[derive(Default)]
struct Process {
    for_commit: VecDeque<u64>,
    committing: Vec<u64>,
}

struct Simulation<'a> {
    options: &'a Options,
    random: Random,
    now: u64,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    number: u64,
    /// One for each process, or one for all.
    pools: Vec<Pool>,
    processes: Vec<Process>,
    next_process: usize,
    /// The process that commits, and those that wait for it, first come first served.
    head: Option<usize>,
    for_head: VecDeque<usize>,
    latencies: Vec<u64>,
    shed: u64,
    core_time: u64,
    head_time: u64,
    commits: u64,
    longest_queue: usize,
}

impl Options {
    /// On PostgreSQL, its server on another machine: `processes` of `cores` each.
    pub fn of(processes: usize, cores: usize) -> Self {
        Self {
            rate: None,
            connections: None,
            seconds: 20,
            day: false,
            burst: 1.0,
            processes,
            cores,
            shared: false,
            busy: 0.0,
            slice_ms: 4.0,
            cpu_us: figures::HOLDER_US,
            commit_us: figures::COMMIT_US,
            commit_each_us: figures::COMMIT_EACH_US,
            seed: 1,
            tables: false,
        }
    }

    /// The holder that was measured on SQLite, on a machine that others used too.
    pub fn measured() -> Self {
        Self {
            seconds: 100,
            busy: figures::OTHERS_SQLITE,
            slice_ms: figures::SLICE_MS_SQLITE,
            cpu_us: figures::SQLITE_PEAK.cpu_us + figures::LOAD_PROGRAM_US,
            commit_us: figures::COMMIT_US_SQLITE,
            commit_each_us: figures::COMMIT_EACH_US_SQLITE,
            ..Self::of(1, 2)
        }
    }

    /// The same on PostgreSQL, its server on the same cores.
    pub fn measured_postgres(processes: usize, cpu_us: f64) -> Self {
        Self {
            shared: true,
            seconds: 100,
            busy: figures::OTHERS_POSTGRES,
            slice_ms: figures::SLICE_MS_POSTGRES,
            cpu_us: cpu_us + figures::LOAD_PROGRAM_US + figures::DATABASE_US,
            commit_us: figures::COMMIT_US_SHARED,
            commit_each_us: figures::COMMIT_EACH_US,
            ..Self::of(processes, 2)
        }
    }

    /// A commit that takes half as long.
    pub fn with_faster_commits(self) -> Self {
        Self { commit_us: self.commit_us / 2.0, commit_each_us: self.commit_each_us / 2.0, ..self }
    }

    pub fn at(self, rate: f64) -> Self {
        Self { rate: Some(rate), connections: None, ..self }
    }

    pub fn over(self, connections: usize) -> Self {
        Self { rate: None, connections: Some(connections), ..self }
    }

    pub fn of_day(self, mean: f64, burst: f64) -> Self {
        Self { rate: Some(mean), day: true, burst, seconds: 10, ..self }
    }

    fn length(&self) -> u64 {
        self.seconds * if self.day { 24 } else { 1 } * SECOND
    }

    fn rate_at(&self, time: u64) -> f64 {
        let mut rate = self.rate.unwrap_or_default();
        if self.day {
            let hour = usize::try_from(time / (self.seconds * SECOND)).unwrap_or_default();
            rate *= HOURS.get(hour).copied().unwrap_or_default() * 24.0;
        }
        let every = BURST_EVERY as f64;
        match (time / SECOND) % BURST_EVERY {
            0 => rate * self.burst,
            _ => rate * (every - self.burst) / (every - 1.0),
        }
    }

    fn check(&self) -> Result<()> {
        if self.rate.is_none() == self.connections.is_none() {
            bail!("say --rate or --connections, or --tables");
        }
        if self.day && self.rate.is_none() {
            bail!("--day needs --rate");
        }
        let in_range = self.processes > 0
            && self.cores > 0
            && self.seconds > 0
            && self.connections != Some(0)
            && self.rate.is_none_or(|rate| rate > 0.0)
            && (0.0..1.0).contains(&self.busy)
            && self.slice_ms > 0.0
            && (1.0..BURST_EVERY as f64).contains(&self.burst)
            && self.cpu_us > 0.0
            && self.commit_us >= 0.0
            && self.commit_each_us >= 0.0;
        if !in_range {
            bail!("an option is out of range");
        }
        Ok(())
    }
}

/// Runs one simulation.
///
/// # Errors
/// Options that contradict each other or are out of range.
pub fn simulate(options: &Options) -> Result<Outcome> {
    options.check()?;
    let mut simulation = Simulation {
        options,
        random: Random(options.seed),
        now: 0,
        events: BinaryHeap::new(),
        number: 0,
        pools: (0..if options.shared { 1 } else { options.processes }).map(|_| Pool::default()).collect(),
        processes: (0..options.processes).map(|_| Process::default()).collect(),
        next_process: 0,
        head: None,
        for_head: VecDeque::new(),
        latencies: Vec::new(),
        shed: 0,
        core_time: 0,
        head_time: 0,
        commits: 0,
        longest_queue: 0,
    };
    match options.connections {
        Some(connections) => (0..connections).for_each(|_| simulation.enter()),
        None => simulation.schedule(0, Event::Arrive),
    }
    Ok(simulation.run())
}

impl Simulation<'_> {
    fn schedule(&mut self, after: u64, event: Event) {
        self.number += 1;
        self.events.push(Reverse((self.now + after, self.number, event)));
    }

    fn run(mut self) -> Outcome {
        let end = self.options.length();
        while let Some(Reverse((time, _, event))) = self.events.pop() {
            if time > end {
                break;
            }
            self.now = time;
            match event {
                Event::Arrive => {
                    self.enter();
                    let gap = self.random.exponential(SECOND as f64 / self.options.rate_at(time));
                    self.schedule(gap, Event::Arrive);
                }
                Event::CoreDone(process, arrived) => self.core_done(process, arrived),
                Event::Committed(process) => self.committed(process),
            }
        }
        self.outcome(end)
    }

    /// An exchange arrives at the next process in turn.
    fn enter(&mut self) {
        let process = self.next_process;
        self.next_process = (process + 1) % self.processes.len();
        let pool = process % self.pools.len();
        self.pools[pool].waiting.push_back((process, self.now));
        self.take_core(pool);
    }

    fn take_core(&mut self, number: usize) {
        let pool = &mut self.pools[number];
        if pool.taken == self.options.cores {
            return;
        }
        let Some((process, arrived)) = pool.waiting.pop_front() else { return };
        pool.taken += 1;
        let time = self.core_time_of_one();
        self.core_time += time;
        self.schedule(time, Event::CoreDone(process, arrived));
    }

    /// Half of the work is always the same, the other half varies; other programs take the core now and then.
    fn core_time_of_one(&mut self) -> u64 {
        let mean = self.options.cpu_us * 1000.0;
        let work = (mean / 2.0) as u64 + self.random.exponential(mean / 2.0);
        let slice = self.options.slice_ms * 1e6;
        let between = slice * (1.0 - self.options.busy) / self.options.busy;
        let mut time = work;
        let mut until = if self.options.busy > 0.0 { self.random.exponential(between) } else { u64::MAX };
        while until < work {
            time += self.random.exponential(slice);
            until += self.random.exponential(between);
        }
        time
    }

    fn core_done(&mut self, number: usize, arrived: u64) {
        let process = &mut self.processes[number];
        if process.for_commit.len() >= MOST_WAITING {
            self.shed += 1;
        } else {
            process.for_commit.push_back(arrived);
            self.longest_queue = self.longest_queue.max(process.for_commit.len());
            self.lead(number);
        }
        let pool = number % self.pools.len();
        self.pools[pool].taken -= 1;
        self.take_core(pool);
    }

    /// Takes those that wait, if the process is not committing, and waits for the log's head with them.
    fn lead(&mut self, number: usize) {
        let process = &mut self.processes[number];
        if !process.committing.is_empty() || process.for_commit.is_empty() {
            return;
        }
        let most = process.for_commit.len().min(MOST_TOGETHER);
        process.committing = process.for_commit.drain(..most).collect();
        self.for_head.push_back(number);
        self.take_head();
    }

    fn take_head(&mut self) {
        if self.head.is_some() {
            return;
        }
        let Some(number) = self.for_head.pop_front() else { return };
        self.head = Some(number);
        let together = self.processes[number].committing.len() as f64;
        let fixed = self.options.commit_us * 1000.0;
        let held = (fixed / 2.0) as u64
            + self.random.exponential(fixed / 2.0)
            + (together * self.options.commit_each_us * 1000.0) as u64;
        self.head_time += held;
        self.commits += 1;
        self.schedule(held, Event::Committed(number));
    }

    fn committed(&mut self, number: usize) {
        self.head = None;
        let done = std::mem::take(&mut self.processes[number].committing);
        for arrived in done {
            self.latencies.push(self.now - arrived);
            if self.options.connections.is_some() {
                self.enter();
            }
        }
        self.lead(number);
        self.take_head();
    }

    fn outcome(mut self, length: u64) -> Outcome {
        self.latencies.sort_unstable();
        let answered = self.latencies.len();
        let quantile = |share: f64| {
            let place = (answered as f64 * share) as usize;
            self.latencies.get(place.min(answered.saturating_sub(1))).map_or(0.0, |time| *time as f64 / 1e6)
        };
        let length = length as f64;
        let cores = (self.options.cores * self.pools.len()) as f64;
        Outcome {
            per_second: answered as f64 / (length / SECOND as f64),
            shed: self.shed,
            cores_busy: self.core_time as f64 / (length * cores),
            head_busy: self.head_time as f64 / length,
            together: answered as f64 / self.commits.max(1) as f64,
            longest_queue: self.longest_queue,
            p50_ms: quantile(0.5),
            p99_ms: quantile(0.99),
        }
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn exponential(&mut self, mean: f64) -> u64 {
        let even = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        (-(1.0 - even).ln() * mean) as u64
    }
}

/// Prints a run, or the tables of the document.
///
/// # Errors
/// As [`simulate`].
pub fn print(options: &Options) -> Result<()> {
    if options.tables {
        print!("{}", super::scaling_tables::simulated()?);
        return Ok(());
    }
    let one = simulate(options)?;
    println!("exchanges/s        {:.0}, shed {}", one.per_second, one.shed);
    println!("latency            p50 {:.1}  p99 {:.1} ms", one.p50_ms, one.p99_ms);
    println!("cores busy         {:.0} %", one.cores_busy * 100.0);
    println!("log's head busy    {:.0} %", one.head_busy * 100.0);
    println!("commits            {:.1} exchanges each, at most {} waited", one.together, one.longest_queue);
    Ok(())
}
