//! `omadata serve`.

use std::path::PathBuf;

use super::process::{Failure, LogFilter, run_until_stopped, start_logging};
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
    log: LogFilter,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    start_logging(&arguments.log);
    let config = Config::load(&arguments.config)?;
    for warning in &config.warnings {
        tracing::warn!(event = "configuration_warning", "{warning}");
    }
    let _serving = app::lock_for_serving(&config.store)?;
    let running = app::start_node(&config).await?;
    run_until_stopped(running, config.node.listen).await
}
