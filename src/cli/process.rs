//! What every command does as a process: logging, printing, stopping, failing.

use std::io::Write;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use super::repeats::Repeats;
use crate::app::Running;

/// A subcommand's error, for the operator.
pub(crate) type Failure = Box<dyn std::error::Error>;

/// The value of `--log`: a level, or levels by module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogFilter(String);

impl std::str::FromStr for LogFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];
        // EnvFilter takes an unknown level for the name of a module and then logs nothing.
        let known = |directive: &str| {
            let level = directive.rsplit_once('=').map_or(directive, |(_, level)| level);
            LEVELS.iter().any(|known| known.eq_ignore_ascii_case(level.trim()))
        };
        if !text.split(',').all(known) || EnvFilter::try_new(text).is_err() {
            return Err("write error, warn, info, debug, trace or off, also by module (omadata=debug,info)"
                .to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

/// Logs JSON lines on standard error; repeated warnings are summed up, and a panic is logged with its place.
pub(crate) fn start_logging(filter: &LogFilter) {
    use tracing_subscriber::filter::FilterExt;
    let repeats = Repeats::default();
    let mut env = EnvFilter::try_new(&filter.0).unwrap_or_else(|_| EnvFilter::new("info"));
    // Databases' messages may quote data; the registers log what may be told of them.
    if let Ok(silent) = "odbc_api=off".parse() {
        env = env.add_directive(silent);
    }
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .with_writer(std::io::stderr)
        .with_filter(env.and(repeats.clone()));
    if tracing_subscriber::registry().with(lines).try_init().is_err() {
        return;
    }
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_secs(10));
            repeats.log_sums(Instant::now());
        }
    });
    std::panic::set_hook(Box::new(|panic| {
        // Without the panic message, which may quote data.
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(
            event = "panic",
            place,
            "the program met a fault of its own; please report the place"
        );
    }));
}

/// Prints one line on standard output. Ends the process silently when the reader has closed the pipe, as `| head` does.
pub(crate) fn print_line(line: std::fmt::Arguments<'_>) {
    let mut out = std::io::stdout().lock();
    let printed = out.write_fmt(line).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
    if let Err(error) = printed {
        let nobody_reads = error.kind() == std::io::ErrorKind::BrokenPipe;
        std::process::exit(if nobody_reads { 0 } else { 1 });
    }
}

/// As `println!`, but without a panic where standard output is closed.
macro_rules! say {
    ($($argument:tt)*) => { $crate::cli::process::print_line(format_args!($($argument)*)) };
}
pub(crate) use say;

/// Ctrl-C and SIGTERM, noticed from the moment this is made.
pub(crate) struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignals {
    pub(crate) fn listen() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Serves until the process is asked to stop, then stops in order; a second request ends it at once.
pub(crate) async fn run_until_stopped(running: Running, listen: std::net::SocketAddr) -> Result<(), Failure> {
    // Before anyone reads that it is ready: a signal that comes at once stops it in order too.
    let mut signals = StopSignals::listen()?;
    tracing::info!(event = "ready", entity = %running.id, %listen, "ready to serve");
    signals.next().await;
    tracing::info!(event = "stopping", "stopping: requests under way are finished first");
    tokio::select! {
        () = running.stop() => Ok(()),
        () = signals.next() => Err("stopped before requests under way were finished".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_log_filter_is_refused() {
        for text in ["info", "warn", "OFF", "omadata=debug,info", "omadata::web=trace,warn"] {
            assert!(text.parse::<LogFilter>().is_ok(), "{text}");
        }
        for text in ["verbose", "infos", "omadata", "omadata=debgu,info", "", "info,", "=", "warning"] {
            assert!(text.parse::<LogFilter>().is_err(), "{text}");
        }
    }
}
