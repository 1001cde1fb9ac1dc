//! The command line: one file per subcommand.

mod anchor;
mod config;
mod consent;
mod demo;
mod keys;
mod members;
mod migrate;
mod peers;
mod process;
mod registers;
mod repeats;
mod residents;
mod restore_finished;
mod serve;
mod uses;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use process::Failure;

/// A city's OmaData node: residents see what data the city holds about them, and decide who may fetch it.
///
/// Start with `omadata demo`: four cities, made-up residents and a login, all on this machine. `omadata serve` runs one
/// city's node from its configuration file, `omadata anchor` the federation's trust anchor. README.md tells the story,
/// docs/operators.md what running a node takes.
#[derive(Parser)]
#[command(name = "omadata", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::Arguments),
    Serve(serve::Arguments),
    Anchor(anchor::Arguments),
    Migrate(migrate::Arguments),
    RestoreFinished(restore_finished::Arguments),
    /// List signing keys, or export the public ones for the other side to pin
    #[command(subcommand)]
    Keys(keys::Command),
    /// Say who is a member of a trust anchor or intermediate
    #[command(subcommand)]
    Members(members::Command),
    /// Look at the other members of the federation
    #[command(subcommand)]
    Peers(peers::Command),
    /// Check the evidence of residents' decisions
    #[command(subcommand)]
    Consent(consent::Command),
    /// Answer residents' requests for their data, and check a copy
    #[command(subcommand)]
    Residents(residents::Command),
    /// Look at the city's own registers
    #[command(subcommand)]
    Registers(registers::Command),
    /// Answer residents' objections to uses of their data, and import systems' logs of uses
    #[command(subcommand)]
    Uses(uses::Command),
    /// Check a configuration file before a start
    #[command(subcommand)]
    Config(config::Command),
}

/// Runs the command line of this process.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    let system = actix_web::rt::System::with_tokio_rt(move || runtime);
    match system.block_on(dispatch(cli.command)) {
        Ok(code) => code,
        Err(error) => fail(&*error),
    }
}

fn fail(error: &dyn std::error::Error) -> ExitCode {
    // Standard error may be closed too.
    let _ = writeln!(std::io::stderr(), "omadata: {error}");
    ExitCode::FAILURE
}

async fn dispatch(command: Command) -> Result<ExitCode, Failure> {
    match command {
        // The one command with more than two exit codes.
        Command::Consent(command) => return consent::run(command).await,
        Command::Demo(arguments) => demo::run(arguments).await,
        Command::Serve(arguments) => serve::run(arguments).await,
        Command::Anchor(arguments) => anchor::run(arguments).await,
        Command::Migrate(arguments) => migrate::run(arguments).await,
        Command::RestoreFinished(arguments) => restore_finished::run(arguments).await,
        Command::Keys(command) => keys::run(command).await,
        Command::Members(command) => members::run(command).await,
        Command::Peers(command) => peers::run(command).await,
        Command::Residents(command) => residents::run(command).await,
        Command::Registers(command) => registers::run(command).await,
        Command::Uses(command) => uses::run(command).await,
        Command::Config(command) => config::run(command),
    }?;
    Ok(ExitCode::SUCCESS)
}
