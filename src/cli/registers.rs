//! `omadata registers`.

use std::path::PathBuf;

use clap::Subcommand;

use super::process::{Failure, say};
use crate::config::Config;
use crate::domain::ids::DatasetId;
use crate::operator::registers;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Ask the registers for nobody and say which would not answer, and why
    ///
    /// Connects as the node does, runs each dataset's query or reads its file, and shows no record. The cause may quote what
    /// stands in a register. Exits with 1 when any does not answer.
    Test {
        /// This dataset alone
        dataset: Option<DatasetId>,
        /// The node's configuration file
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
}

pub(super) async fn run(command: Command) -> Result<(), Failure> {
    let Command::Test { dataset, config } = command;
    let checks = registers::check(&Config::load(&config)?, dataset.as_ref()).await?;
    let mut failed = 0_usize;
    for check in &checks {
        match &check.outcome {
            Ok(()) => say!("pass  {} (register {})", check.dataset, check.register),
            Err(cause) => {
                failed = failed.saturating_add(1);
                say!("FAIL  {} (register {}): {cause}", check.dataset, check.register);
            }
        }
    }
    if failed > 0 {
        return Err(format!("{failed} of {} datasets cannot be read", checks.len()).into());
    }
    Ok(())
}
