//! `omadata restore-finished`.

use std::path::PathBuf;

use super::process::{Failure, say};
use crate::config::Config;
use crate::operator::restore::restore_finished;

/// Say that a node's database was restored from a backup, before the node starts again
///
/// A node finds most restores by itself. Only the operator knows when a whole machine was put back, keys and all. At its next
/// start the node releases nothing under a permission until the recipient has said what it knows of it.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The node's configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let config = Config::load(&arguments.config)?;
    restore_finished(&config).await?;
    say!("Noted. Start the node: it asks every recipient what it knows before it releases anything.");
    Ok(())
}
