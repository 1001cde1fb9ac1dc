//! What was measured, and the published figures that `docs/scaling.md` starts from. All else in the document follows from them.
//! Measured on the machine and under the load that the document names; replace them by your own, or give them as options.

// User and system time of the node's processes for an exchange, in microseconds: as the load program makes it.
pub const CPU_US_SQLITE: f64 = 890.0;
pub const CPU_US_POSTGRES: f64 = 840.0;
/// Of the PostgreSQL server for it.
pub const DATABASE_US: f64 = 520.0;
// The same for a service's fetch through both nodes, with the acknowledgement that goes back.
pub const HOLDER_US: f64 = 2510.0;
pub const RECIPIENT_US: f64 = 3750.0;

// A commit on PostgreSQL: whatever it holds, and for each exchange in it, in microseconds.
pub const COMMIT_US: f64 = 2100.0;
pub const COMMIT_EACH_US: f64 = 150.0;

// Bytes that stay of an exchange on PostgreSQL, with indexes: at the holder with the acknowledgement, and of it in the log.
pub const HOLDER_BYTES: f64 = 2730.0;
pub const LOG_BYTES: f64 = 532.0;
pub const HOLDER_BYTES_SQLITE: f64 = 2650.0;
pub const LOG_BYTES_SQLITE: f64 = 513.0;
/// At the recipient, on SQLite: its row, and the message that acknowledges.
pub const RECIPIENT_BYTES: f64 = 1680.0;
/// A used proof, until it is deleted.
pub const PROOF_BYTES: f64 = 242.0;
pub const PROOF_BYTES_SQLITE: f64 = 197.0;
/// What the holder's server writes to its write-ahead log: what replicas and archives get.
pub const WAL_BYTES: f64 = 2790.0;

/// Requests over X-tee on a day, December 2025 to May 2026, and the residents of Estonia.
pub const XTEE_REQUESTS_A_DAY: f64 = 21_270_000.0;
pub const XTEE_RESIDENTS: f64 = 1_370_000.0;

// The runs that the simulation is compared with: node, database server, load program and other work shared two cores.
pub const LOAD_PROGRAM_US: f64 = 80.0;
// Fitted to the first run of each database: the share of the cores that other work took, for how long at a time, in milliseconds,
// and a commit there.
pub const OTHERS_SQLITE: f64 = 0.6;
pub const SLICE_MS_SQLITE: f64 = 20.0;
pub const COMMIT_US_SQLITE: f64 = 2000.0;
pub const OTHERS_POSTGRES: f64 = 0.4;
pub const SLICE_MS_POSTGRES: f64 = 10.0;
pub const COMMIT_US_SHARED: f64 = 5900.0;
pub const COMMIT_EACH_US_SQLITE: f64 = 60.0;

pub struct Run {
    pub cpu_us: f64,
    pub per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

const fn run(cpu_us: f64, per_second: f64, p50_ms: f64, p99_ms: f64) -> Run {
    Run { cpu_us, per_second, p50_ms, p99_ms }
}

pub const SQLITE_PEAK: Run = run(912.0, 781.0, 15.9, 77.6);
pub const SQLITE_70: Run = run(912.0, 533.0, 6.1, 120.3);
pub const POSTGRES_1: Run = run(896.0, 786.0, 19.0, 41.1);
pub const POSTGRES_2: Run = run(1060.0, 516.0, 29.0, 64.6);
pub const POSTGRES_4: Run = run(1409.0, 291.0, 53.5, 100.1);
