//! `omadata anchor`.

use std::path::PathBuf;

use super::process::{Failure, LogFilter, run_until_stopped, start_logging};
use crate::app;
use crate::config::AnchorConfig;

/// Run the federation's trust anchor
///
/// It says who is a member and with which keys; it sees no data and no permission. Serves until Ctrl-C or SIGTERM.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The anchor's configuration file, such as federation-config/anchor.toml
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// What to log: error, warn, info, debug, or by module (omadata=debug,info)
    #[arg(long, value_name = "FILTER", default_value = "info")]
    log: LogFilter,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    start_logging(&arguments.log);
    let config = AnchorConfig::load(&arguments.config)?;
    for warning in &config.warnings {
        tracing::warn!(event = "configuration_warning", "{warning}");
    }
    let _serving = app::lock_for_serving(&config.store)?;
    let running = app::start_anchor(&config).await?;
    run_until_stopped(running, config.anchor.listen).await
}
