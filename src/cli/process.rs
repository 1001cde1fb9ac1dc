//! What every command does as a process: logging, stopping, failing.

/// What a subcommand failed with, in words for the operator.
pub(crate) type Failure = Box<dyn std::error::Error>;

/// Logs as JSON lines on standard error; `filter` says from which level on, by module.
pub(crate) fn start_logging(filter: &str) {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let _ = tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}

/// Waits for Ctrl-C or a polite request to stop (SIGTERM).
pub(crate) async fn until_stopped() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        stopped = tokio::signal::ctrl_c() => stopped,
        _ = terminate.recv() => Ok(()),
    }
}
