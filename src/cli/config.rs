//! `omadata config`.

use std::path::PathBuf;

use clap::Subcommand;

use super::Failure;
use crate::config::{AnchorConfig, Config};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Read a node's configuration file and say all that is wrong with it: file, line, key and mend
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
    if anchor {
        AnchorConfig::load(&file)?;
    } else {
        Config::load(&file)?;
    }
    println!("{} is in order.", file.display());
    Ok(())
}
