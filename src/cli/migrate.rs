//! `omadata migrate`.

use std::path::PathBuf;

use super::process::{Failure, say};
use crate::app;
use crate::config::Config;

/// Bring a node's database up to date, or say whether it is
///
/// `omadata serve` does the same at its start.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The node's configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Only say whether anything is to be done; exit 1 when there is
    #[arg(long)]
    check: bool,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let config = Config::load(&arguments.config)?;
    let store = app::open_checked_store(&config.store, &config.keys).await?.store;
    if arguments.check {
        if store.migrations_pending().await? {
            return Err("the database is not up to date: run omadata migrate".into());
        }
        say!("The database is up to date.");
        return Ok(());
    }
    match store.migrate().await? {
        0 => say!("The database was up to date."),
        ran => say!("{ran} migrations ran."),
    }
    Ok(())
}
