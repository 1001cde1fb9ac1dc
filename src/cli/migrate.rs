//! `omadata migrate`.

use std::path::PathBuf;

use super::process::{Failure, say};
use crate::app;
use crate::config::{AnchorConfig, Config};

/// Bring the database of a node or anchor up to date, or say whether it is
///
/// `omadata serve` and `omadata anchor` do the same at their start.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The file is a trust anchor's
    #[arg(long)]
    anchor: bool,
    /// Only say whether anything is to be done; exit 1 when there is
    #[arg(long)]
    check: bool,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    // Keys are exchanged over a database that is ready: what others still have to give is not asked for.
    let files = if arguments.anchor {
        AnchorConfig::load_key_files(&arguments.config)?
    } else {
        Config::load_key_files(&arguments.config)?
    };
    let store = app::open_checked_store(&files.store, &files.keys, Some(&files.id)).await?.store;
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
