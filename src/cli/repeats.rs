//! Sums up repeated warnings, so that an outage of minutes does not fill the log.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex};

use crate::domain::sync::lock;
use std::time::Duration;

use tokio::time::Instant;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Filter};

/// Time in which a line is logged once.
const WINDOW: Duration = Duration::from_secs(60);

/// Maximum number of lines that are tracked; beyond that every line is logged.
const MAX_LINES: usize = 1024;

/// Logs the first of equal warnings and errors in each minute, and counts the others.
#[derive(Debug, Clone, Default)]
pub(crate) struct Repeats(Arc<Mutex<HashMap<Line, Count>>>);

/// What makes two lines equal: everything but the time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Line {
    level: Level,
    target: String,
    fields: String,
}

#[derive(Debug)]
struct Count {
    since: Instant,
    left_out: u64,
}

impl Repeats {
    fn is_first(&self, line: Line, now: Instant) -> bool {
        let mut lines = lock(&self.0);
        if let Some(count) = lines.get_mut(&line) {
            count.left_out = count.left_out.saturating_add(1);
            return false;
        }
        if lines.len() < MAX_LINES {
            lines.insert(line, Count { since: now, left_out: 0 });
        }
        true
    }

    /// Removes and returns the lines whose minute is over, with the number of repetitions.
    fn sums(&self, now: Instant) -> Vec<(Line, u64)> {
        let mut lines = lock(&self.0);
        let over = lines.extract_if(|_, count| now.saturating_duration_since(count.since) >= WINDOW);
        over.filter(|(_, count)| count.left_out > 0).map(|(line, count)| (line, count.left_out)).collect()
    }

    /// Logs the number of repetitions of the lines whose minute is over.
    pub(crate) fn log_sums(&self, now: Instant) {
        for (line, times) in self.sums(now) {
            tracing::warn!(
                event = "lines_summed_up",
                times,
                level = %line.level,
                line = line.fields,
                "equal lines were left out in the last minute"
            );
        }
    }
}

impl<S: Subscriber> Filter<S> for Repeats {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        let metadata = event.metadata();
        // `<=` is "at least as severe".
        if *metadata.level() > Level::WARN {
            return true;
        }
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        let line = Line { level: *metadata.level(), target: metadata.target().to_owned(), fields: fields.0 };
        self.is_first(line, Instant::now())
    }
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let separator = if self.0.is_empty() { "" } else { ", " };
        // Writing into a String cannot fail.
        let _ = write!(self.0, "{separator}{}: {value:?}", field.name());
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::Layer;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn equal_warnings_are_one_line_and_a_sum() {
        let (buffer, repeats) = (Buffer::default(), Repeats::default());
        let writer = buffer.clone();
        let lines = tracing_subscriber::fmt::layer()
            .json()
            .with_writer(move || writer.clone())
            .with_filter(repeats.clone());
        let subscriber = tracing_subscriber::registry().with(lines);
        tracing::subscriber::with_default(subscriber, || {
            for round in 0..137 {
                tracing::warn!(event = "store_unavailable", "the store does not answer");
                tracing::info!(event = "request", "answered");
                if round % 50 == 0 {
                    tracing::warn!(event = "peer_unreachable", round, "a peer does not answer");
                }
            }
            repeats.log_sums(Instant::now());
            repeats.log_sums(Instant::now() + WINDOW);
            tracing::warn!(event = "store_unavailable", "the store does not answer");
        });
        let text = String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap();
        let count = |what: &str| text.lines().filter(|line| line.contains(what)).count();
        assert_eq!(
            count("\"event\":\"store_unavailable\""),
            2,
            "once, and once again after its minute: {text}"
        );
        assert_eq!(count("\"event\":\"request\""), 137);
        assert_eq!(count("\"event\":\"peer_unreachable\""), 3, "lines that differ in a field are different");
        assert_eq!(count("lines_summed_up"), 1);
        assert_eq!(count("\"times\":136"), 1, "{text}");
    }
}
