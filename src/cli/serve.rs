//! `omadata serve`.

use std::path::PathBuf;

use super::process::{Failure, start_logging, until_stopped};
use crate::app;
use crate::config::Config;

/// Run one city's node
///
/// Migrates the database, makes missing keys, then serves until Ctrl-C or SIGTERM; requests under way are finished first.
/// /health/ready answers 204 once it serves.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The node's configuration file, such as federation-config/espoo.toml
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// What to log: error, warn, info, debug, or by module (omadata=debug,info)
    #[arg(long, value_name = "FILTER", default_value = "info")]
    log: String,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    start_logging(&arguments.log);
    let config = Config::load(&arguments.config)?;
    let running = app::start_node(&config).await?;
    tracing::info!(node = %running.id, listen = %config.node.listen, "ready");
    until_stopped().await?;
    running.stop().await;
    Ok(())
}
