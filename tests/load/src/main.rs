//! The load program: an independent recipient city that measures nodes of this repository, and what they are compared with.
//!
//! `omadata-load --help` tells the options. Everything that it starts ends with it.

mod apache;
mod browser;
mod config;
mod consents;
mod drive;
mod fetches;
mod figures;
mod floor;
mod http;
mod jose;
mod measure;
mod parties;
mod plan;
mod postgres;
mod process;
mod run;
mod scaling_tables;
mod simulate;
mod stops;
mod syncs;
mod table;
#[cfg(test)]
mod tests;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};

use run::Options;

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
    Floor {
        #[command(flatten)]
        options: Options,
        /// What it does wrong, to see that it is noticed
        #[arg(long)]
        fault: Option<floor::Fault>,
    },
    /// Measures everything that has an aim, one after the other in one run, and prints the table
    Measure(measure::Options),
    /// What so many residents need, by the figures of docs/scaling.md or your own
    Plan(plan::Options),
    /// Simulates a holder under load: processes, cores, commits, the log's head
    Simulate(simulate::Options),
    /// The floor program itself
    #[command(hide = true)]
    FloorServe {
        #[arg(long)]
        port: u16,
        #[arg(long)]
        folder: PathBuf,
        #[arg(long, default_value_t = 2)]
        workers: usize,
        #[arg(long)]
        fault: Option<floor::Fault>,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let calculated = match &cli.command {
        Some(Command::Plan(options)) => Some(plan::print(options)),
        Some(Command::Simulate(options)) => Some(simulate::print(options)),
        _ => None,
    };
    if let Some(result) = calculated {
        return result.map_or_else(|error| fail(&error), |()| ExitCode::SUCCESS);
    }
    if let Some(Command::FloorServe { port, folder, workers, fault }) = &cli.command {
        return match floor::serve(*port, folder, *workers, *fault) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error),
        };
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime.context("no runtime").and_then(|runtime| {
        let local = tokio::task::LocalSet::new();
        match &cli.command {
            Some(Command::Floor { options, fault }) => {
                runtime.block_on(local.run_until(run::measure_floor(options, *fault)))
            }
            Some(Command::Measure(options)) => runtime.block_on(local.run_until(measure::measure(options))),
            _ => runtime.block_on(local.run_until(run::measure(&cli.options))),
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
