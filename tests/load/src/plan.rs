//! The arithmetic of `docs/scaling.md`: what so many residents need, from measured figures.

use anyhow::{Result, bail};
use clap::Args;

use super::figures;
use super::simulate::{HOURS, MOST_TOGETHER};

/// Exchanges a resident and year of the table for a modest use.
const FEW: f64 = 40.0;
const DAYS: f64 = 365.0;
const DAY_SECONDS: f64 = 86_400.0;
/// As in the node: `domain/token/status_list.rs`, a list is filled by half.
const PERMISSIONS_A_LIST: f64 = (1_u32 << 19) as f64;
/// As in the node: `domain/token/proof.rs` and `store/used_once.rs`: twice 60 s, 10 s ahead, 300 s of leeway.
const PROOF_SECONDS: f64 = 430.0;
/// As in the node: `outbound/federation/fetch.rs`.
const LONGEST_LIST: f64 = 10_000.0;
/// As in the node: `store/messaging/outbox.rs`.
const AT_ONCE_TO_ONE: f64 = 4.0;

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Only this many residents, with this many nodes of the same size
    #[arg(long)]
    residents: Option<f64>,
    #[arg(long, default_value_t = 1.0)]
    nodes: f64,
    /// Exchanges a resident and year (default: X-tee's requests a resident and year)
    #[arg(long)]
    exchanges: Option<f64>,
    /// The busiest day against the mean of all days
    #[arg(long, default_value_t = 1.8)]
    busiest_day: f64,
    /// Share of a core that the peak hour may use: two machines, of which one may fail
    #[arg(long, default_value_t = 0.35)]
    core_use: f64,
    /// Cores of one process
    #[arg(long, default_value_t = 4.0)]
    process_cores: f64,
    /// Permissions that a resident gives in a year
    #[arg(long, default_value_t = 5.0)]
    permissions: f64,
    /// Years for which exchanges and permissions are kept
    #[arg(long, default_value_t = 10.0)]
    years: f64,
    /// How long the delivery of a message takes, in milliseconds
    #[arg(long, default_value_t = 20.0)]
    delivery_ms: f64,
    /// Members of the federation
    #[arg(long, default_value_t = 98_891.0)]
    members: f64,
    /// Other members that one exchanges with within a minute
    #[arg(long, default_value_t = 50.0)]
    peers: f64,
    /// Members of one intermediate
    #[arg(long, default_value_t = 1000.0)]
    region: f64,
    /// The node's chain_age_seconds
    #[arg(long, default_value_t = 60.0)]
    chain_age: f64,
    #[arg(long, default_value_t = figures::HOLDER_US)]
    holder_us: f64,
    #[arg(long, default_value_t = figures::RECIPIENT_US)]
    recipient_us: f64,
    #[arg(long, default_value_t = figures::DATABASE_US)]
    database_us: f64,
    #[arg(long, default_value_t = figures::COMMIT_US)]
    commit_us: f64,
    #[arg(long, default_value_t = figures::COMMIT_EACH_US)]
    commit_each_us: f64,
    #[arg(long, default_value_t = figures::HOLDER_BYTES)]
    holder_bytes: f64,
    #[arg(long, default_value_t = figures::RECIPIENT_BYTES)]
    recipient_bytes: f64,
    #[arg(long, default_value_t = figures::WAL_BYTES)]
    wal_bytes: f64,
    #[arg(long, default_value_t = figures::XTEE_REQUESTS_A_DAY)]
    xtee_requests_a_day: f64,
    #[arg(long, default_value_t = figures::XTEE_RESIDENTS)]
    xtee_residents: f64,
}

/// Every option as it is without being given.
pub fn defaults() -> Options {
    #[derive(clap::Parser)]
    struct Alone {
        #[command(flatten)]
        options: Options,
    }
    <Alone as clap::Parser>::parse_from(["plan"]).options
}

impl Options {
    pub fn busiest_day(&self) -> f64 {
        self.busiest_day
    }

    fn exchanges(&self) -> f64 {
        self.exchanges.unwrap_or(self.xtee_requests_a_day * DAYS / self.xtee_residents)
    }

    /// The peak hour against the mean of the year.
    pub fn peak_factor(&self) -> f64 {
        HOURS.iter().copied().fold(0.0, f64::max) * 24.0 * self.busiest_day
    }

    pub fn mean(&self, residents: f64) -> f64 {
        residents * self.exchanges() / DAYS / DAY_SECONDS
    }

    fn peak(&self, residents: f64) -> f64 {
        self.mean(residents) * self.peak_factor()
    }

    /// Exchanges a second that one log takes, every commit full.
    fn head(&self) -> f64 {
        let most = MOST_TOGETHER as f64;
        most * 1e6 / (self.commit_us + most * self.commit_each_us)
    }

    /// Cores for so many exchanges a second of so many microseconds, at the peak's share of a core.
    fn cores(&self, rate: f64, cpu_us: f64) -> f64 {
        (rate * cpu_us / 1e6 / self.core_use).ceil().max(1.0)
    }

    fn check(&self) -> Result<()> {
        let figures = [
            self.residents.unwrap_or(1.0),
            self.nodes,
            self.exchanges(),
            self.busiest_day,
            self.core_use,
            self.process_cores,
            self.years,
            self.delivery_ms,
            self.members,
            self.region,
            self.chain_age,
            self.commit_us,
            self.xtee_residents,
        ];
        if figures.iter().any(|figure| !figure.is_finite() || *figure <= 0.0) {
            bail!("every figure must be above zero");
        }
        Ok(())
    }
}

/// A table in Markdown: the first row is the heading.
pub struct Markdown(Vec<Vec<String>>);

impl Markdown {
    pub fn of<const N: usize>(heading: [&str; N]) -> Self {
        Self(vec![heading.map(str::to_owned).to_vec()])
    }

    pub fn row<const N: usize>(&mut self, row: [String; N]) {
        self.0.push(row.to_vec());
    }

    fn push(&mut self, name: &str, values: impl Iterator<Item = String>) {
        self.0.push(std::iter::once(name.to_owned()).chain(values).collect());
    }

    pub fn text(&self) -> String {
        let mut text = String::new();
        for (number, row) in self.0.iter().enumerate() {
            text.push_str(&format!("| {} |\n", row.join(" | ")));
            if number == 0 {
                text.push_str(&format!("|{}\n", "---|".repeat(row.len())));
            }
        }
        text
    }
}

/// As 12,345 or 1.2 million.
pub fn count(value: f64) -> String {
    match value {
        value if value >= 1e12 => format!("{:.1} trillion", value / 1e12),
        value if value >= 1e9 => format!("{:.1} billion", value / 1e9),
        value if value >= 1e6 => format!("{:.1} million", value / 1e6),
        value if value >= 100.0 => {
            let digits = format!("{value:.0}");
            let lead = digits.len() % 3;
            let (first, rest) = digits.split_at(lead);
            let groups: Vec<&str> =
                (0..rest.len()).step_by(3).filter_map(|at| rest.get(at..at + 3)).collect();
            if lead == 0 {
                groups.join(",")
            } else if groups.is_empty() {
                digits
            } else {
                format!("{first},{}", groups.join(","))
            }
        }
        value if value >= 10.0 || value.fract() == 0.0 => format!("{value:.0}"),
        value => format!("{value:.1}"),
    }
}

fn bytes(value: f64) -> String {
    match value {
        value if value >= 1e15 => format!("{:.1} PB", value / 1e15),
        value if value >= 1e12 => format!("{:.1} TB", value / 1e12),
        value if value >= 1e9 => format!("{:.1} GB", value / 1e9),
        value => format!("{:.0} MB", value / 1e6),
    }
}

fn percent(share: f64) -> String {
    if share >= 0.01 { format!("{:.0} %", share * 100.0) } else { "< 1 %".to_owned() }
}

struct Area {
    name: String,
    residents: f64,
    nodes: f64,
}

fn areas(options: &Options) -> Vec<Area> {
    let area = |name: &str, residents: f64, nodes: f64| Area { name: name.to_owned(), residents, nodes };
    match options.residents {
        Some(residents) => vec![area("asked", residents, options.nodes)],
        None => vec![
            area("four cities", 1.5e6, 4.0),
            area("Finland", 5.6e6, 308.0),
            area("the Union", 450e6, options.members),
        ],
    }
}

/// All tables, each behind a line with its name.
///
/// # Errors
/// A figure that is not above zero.
pub fn tables(options: &Options) -> Result<String> {
    options.check()?;
    let named = [
        ("measured", measured()),
        ("start", start(options)),
        ("areas", whole(options)),
        ("nodes", single(options)),
        ("few", single(&Options { exchanges: Some(FEW), ..options.clone() })),
        ("tiers", tiers(options)),
    ];
    Ok(named.iter().map(|(name, table)| format!("# {name}\n\n{}\n", table.text())).collect())
}

/// What the rest follows from.
fn measured() -> Markdown {
    let mut table = Markdown::of(["measured", "SQLite", "PostgreSQL"]);
    let us = |value: f64| format!("{} µs", count(value));
    let mut row =
        |name: &str, sqlite: String, postgres: String| table.row([name.to_owned(), sqlite, postgres]);
    row("CPU of an exchange, holder's node alone", us(figures::CPU_US_SQLITE), us(figures::CPU_US_POSTGRES));
    row("CPU of it in the database server", "-".to_owned(), us(figures::DATABASE_US));
    row(
        "CPU of a service's fetch with its acknowledgement, holder's node",
        us(figures::HOLDER_US),
        "-".to_owned(),
    );
    row("the same, recipient's node", us(figures::RECIPIENT_US), "-".to_owned());
    row(
        "a commit alone, and for each exchange in it",
        "-".to_owned(),
        format!("{} + {}", us(figures::COMMIT_US), us(figures::COMMIT_EACH_US)),
    );
    let size = |value: f64| format!("{} B", count(value));
    row(
        "bytes that stay, holder, with log and acknowledgement",
        size(figures::HOLDER_BYTES_SQLITE),
        size(figures::HOLDER_BYTES),
    );
    row("of it in the log", size(figures::LOG_BYTES_SQLITE), size(figures::LOG_BYTES));
    row("bytes that stay, recipient", size(figures::RECIPIENT_BYTES), "-".to_owned());
    row(
        "bytes of a used proof, for about seven minutes",
        size(figures::PROOF_BYTES_SQLITE),
        size(figures::PROOF_BYTES),
    );
    row("bytes of write-ahead log", "-".to_owned(), size(figures::WAL_BYTES));
    row("syncs, 1 and 16 connections", "1.04, 0.19".to_owned(), "1.10, 0.14".to_owned());
    row("statements, 1 and 16 connections", "-".to_owned(), "11.3, 2.4".to_owned());
    table
}

/// What follows for one resident and one log.
fn start(options: &Options) -> Markdown {
    let mut table = Markdown::of(["follows from the figures above", "value"]);
    let mut row = |name: &str, value: String| table.row([name.to_owned(), value]);
    row("exchanges a resident and year", count(options.exchanges()));
    row("peak hour of the busiest day against the mean", format!("{:.1} ×", options.peak_factor()));
    row("residents for one exchange a second in the peak hour", count(1.0 / options.peak(1.0)));
    row("a full commit of 64 exchanges", format!("{:.1} ms", MOST_TOGETHER as f64 / options.head() * 1000.0));
    row("exchanges a second that one log takes at most", count(options.head()));
    row("residents whose peak hour uses half of that", count(options.head() / 2.0 / options.peak(1.0)));
    row(
        "messages a second from one node to one other at most",
        count(AT_ONCE_TO_ONE * 1000.0 / options.delivery_ms),
    );
    table
}

fn whole(options: &Options) -> Markdown {
    let areas = areas(options);
    let mut table = Markdown(vec![
        std::iter::once("for all nodes together".to_owned())
            .chain(areas.iter().map(|area| area.name.clone()))
            .collect(),
    ]);
    let mut row = |name: &str, of: &dyn Fn(&Area) -> String| table.push(name, areas.iter().map(of));
    let year = |area: &Area| area.residents * options.exchanges();
    let peak = |area: &Area| options.peak(area.residents);
    row("residents", &|area| count(area.residents));
    row("nodes", &|area| count(area.nodes));
    row("exchanges a day, mean", &|area| count(year(area) / DAYS));
    row("exchanges a second, mean", &|area| count(options.mean(area.residents)));
    row("exchanges a second, peak hour", &|area| count(peak(area)));
    row("cores of nodes as holders", &|area| count(options.cores(peak(area), options.holder_us)));
    row("cores of nodes as recipients", &|area| count(options.cores(peak(area), options.recipient_us)));
    row("cores of holders' databases", &|area| count(options.cores(peak(area), options.database_us)));
    row("rows of all logs a year", &|area| count(year(area) + area.residents * options.permissions * 2.0));
    row("disk a year, holders", &|area| bytes(year(area) * options.holder_bytes));
    row("of it in logs", &|area| bytes(year(area) * figures::LOG_BYTES));
    row("disk a year, recipients", &|area| bytes(year(area) * options.recipient_bytes));
    row("disk for all years that are kept", &|area| {
        bytes(year(area) * (options.holder_bytes + options.recipient_bytes) * options.years)
    });
    row("write-ahead log a day", &|area| bytes(year(area) / DAYS * options.wal_bytes));
    row("messages between nodes a day", &|area| {
        count((year(area) + area.residents * options.permissions * 2.0) / DAYS)
    });
    row("permissions that are kept", &|area| count(area.residents * options.permissions * options.years));
    row("status lists", &|area| {
        let each = area.residents / area.nodes * options.permissions * options.years / PERMISSIONS_A_LIST;
        count(each.ceil() * area.nodes)
    });
    table
}

fn single(options: &Options) -> Markdown {
    let nodes: Vec<(&str, f64)> = match options.residents {
        Some(residents) => vec![("asked", residents / options.nodes)],
        None => vec![
            ("a city of 50,000", 50e3),
            ("Oulu, 215,000", 215e3),
            ("Helsinki, 690,000", 690e3),
            ("a city of 3.7 million (Berlin)", 3.7e6),
            ("all of Finland in one node", 5.6e6),
            ("the Union in one node", 450e6),
        ],
    };
    let mut table = Markdown::of([
        "one node, holder and recipient",
        "peak hour, exchanges/s",
        "cores",
        "cores of its database, as holder",
        "processes",
        "share of its log's head",
        "disk a year",
        "used proofs in the peak hour",
        "status lists",
    ]);
    for (name, residents) in nodes {
        let peak = options.peak(residents);
        let cores = options.cores(peak, options.holder_us + options.recipient_us);
        let each_year = residents * options.exchanges();
        table.row([
            name.to_owned(),
            count(peak),
            count(cores),
            count(options.cores(peak, options.database_us)),
            count((cores / options.process_cores).ceil().max(2.0)),
            percent(peak / options.head()),
            bytes(each_year * (options.holder_bytes + options.recipient_bytes)),
            bytes(peak * PROOF_SECONDS * figures::PROOF_BYTES),
            count((residents * options.permissions * options.years / PERMISSIONS_A_LIST).ceil()),
        ]);
    }
    table
}

fn tiers(options: &Options) -> Markdown {
    let mut table = Markdown::of(["federation", "value"]);
    let mut row = |name: &str, value: String| table.row([name.to_owned(), value]);
    let regions = (options.members / options.region).ceil();
    let chains = options.members * options.peers / options.chain_age;
    row("members", count(options.members));
    row("members of one of 27 states, mean", count(options.members / 27.0));
    row("intermediates that lists of 10,000 demand", count((options.members / LONGEST_LIST).ceil()));
    row(&format!("intermediates for {} members each", count(options.region)), count(regions));
    row("chains that are fetched anew a second, all members", count(chains));
    row("requests a second to an intermediate's statements", count(chains / regions));
    row(
        "requests a second to the anchor, where each member shares its answer between chains",
        count(options.members / options.chain_age),
    );
    row("the same, where each chain asks it", count(chains));
    table
}

/// Prints all tables.
///
/// # Errors
/// As [`tables`].
pub fn print(options: &Options) -> Result<()> {
    print!("{}", tables(options)?);
    Ok(())
}
