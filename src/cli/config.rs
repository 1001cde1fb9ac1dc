//! `omadata config`.

use std::path::PathBuf;

use clap::Subcommand;

use super::process::{Failure, say};
use crate::config::{AnchorConfig, Config};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Say all that is wrong with a configuration file: file, line, key and remedy
    ///
    /// Exits with 1 when anything is; what is only unwise is a warning. Values from the environment (OMADATA_<SECTION>__<KEY>) count as they do at a start.
    Check {
        /// The configuration file
        file: PathBuf,
        /// The file is a trust anchor's
        #[arg(long)]
        anchor: bool,
    },
}

pub(super) fn run(command: Command) -> Result<(), Failure> {
    let Command::Check { file, anchor } = command;
    let warnings = if anchor { AnchorConfig::load(&file)?.warnings } else { Config::load(&file)?.warnings };
    for warning in warnings {
        say!("warning: {warning}");
    }
    say!("{} is in order.", file.display());
    Ok(())
}
