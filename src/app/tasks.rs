//! The background tasks of a process: each receives the stop signal, is waited for within a limit, and is restarted
//! after a panic.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::ports::StopSignal;

/// Back-off of a task that ended by itself.
#[derive(Debug, Clone, Copy)]
struct BackOff {
    /// First pause; doubles with each consecutive end.
    first: Duration,
    /// Longest pause. A task that ran for this long resets the back-off.
    longest: Duration,
}

impl Default for BackOff {
    fn default() -> Self {
        Self { first: Duration::from_secs(1), longest: Duration::from_secs(60) }
    }
}

/// The background tasks of one node or anchor.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    stop: StopSignal,
    back_off: BackOff,
    running: JoinSet<()>,
}

impl Tasks {
    /// The stop signal of the tasks and of the rest of the process.
    pub(crate) fn stop_signal(&self) -> StopSignal {
        self.stop.clone()
    }

    /// Starts a task that runs until the stop signal; `task` creates its future, again after a panic.
    pub(crate) fn spawn<F, T>(&mut self, name: &'static str, task: F)
    where
        F: Fn(StopSignal) -> T + Send + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        self.running.spawn(supervise(name, self.stop.clone(), self.back_off, task));
    }

    /// Starts a task that ends by itself and is aborted at the stop.
    pub(crate) fn spawn_once(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.running.spawn(async move {
            tokio::select! {
                () = stop.stopped() => {}
                () = task => {}
            }
        });
    }

    /// Waits for the tasks after the stop signal. Tasks that have not ended after `bound` are aborted; `true` when all
    /// ended.
    pub(crate) async fn join(mut self, bound: Duration) -> bool {
        let ended = async { while self.running.join_next().await.is_some() {} };
        if tokio::time::timeout(bound, ended).await.is_ok() {
            return true;
        }
        tracing::warn!(
            event = "tasks_aborted",
            tasks = self.running.len(),
            "background tasks did not end in time and were aborted; what they had begun is done after the next start"
        );
        self.running.shutdown().await;
        false
    }
}

async fn supervise<F, T>(name: &'static str, stop: StopSignal, back_off: BackOff, task: F)
where
    F: Fn(StopSignal) -> T,
    T: Future<Output = ()>,
{
    let mut pause = back_off.first;
    while !stop.is_stopping() {
        let started = Instant::now();
        let ended = AssertUnwindSafe(task(stop.clone())).catch_unwind().await;
        if started.elapsed() >= back_off.longest {
            pause = back_off.first;
        }
        let millis = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        match ended {
            // The panic hook has logged where.
            Err(_) => tracing::error!(
                event = "task_panicked",
                task = name,
                millis,
                "a background task panicked and is started again after a pause"
            ),
            Ok(()) if stop.is_stopping() => return,
            Ok(()) => tracing::error!(
                event = "task_ended",
                task = name,
                millis,
                "a background task ended by itself and is started again after a pause"
            ),
        }
        if !stop.pause(pause).await {
            return;
        }
        pause = pause.saturating_mul(2).min(back_off.longest);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::sync::{Arc, Mutex};

    use super::*;

    const STEP: Duration = Duration::from_millis(100);

    #[tokio::test]
    async fn a_panicking_task_is_started_again_with_growing_pauses() {
        let back_off = BackOff { first: STEP, longest: STEP * 3 };
        let mut tasks = Tasks { back_off, ..Tasks::default() };
        let stop = tasks.stop_signal();
        let starts: Arc<Mutex<Vec<Instant>>> = Arc::default();
        let seen = Arc::clone(&starts);
        tasks.spawn("panicking", move |stop| {
            let round = {
                let mut seen = seen.lock().unwrap();
                seen.push(Instant::now());
                seen.len()
            };
            async move {
                assert!(round >= 5, "the first four rounds panic");
                stop.stopped().await;
            }
        });
        let started = || starts.lock().unwrap().len();
        tokio::time::timeout(Duration::from_secs(30), async {
            while started() < 5 {
                tokio::time::sleep(STEP / 10).await;
            }
        })
        .await
        .unwrap();
        let pauses: Vec<Duration> = starts.lock().unwrap().windows(2).map(|pair| pair[1] - pair[0]).collect();
        for (pause, least) in pauses.iter().zip([1, 2, 3, 3]) {
            assert!(*pause >= STEP * least, "{pauses:?}");
        }
        stop.stop();
        assert!(tasks.join(Duration::from_secs(5)).await);
        assert_eq!(started(), 5);
    }

    #[tokio::test]
    async fn a_stop_waits_for_the_round_under_way() {
        let mut tasks = Tasks::default();
        let (begun, finished): (Arc<AtomicUsize>, Arc<AtomicUsize>) = Default::default();
        let counters = (Arc::clone(&begun), Arc::clone(&finished));
        tasks.spawn("rounds", move |stop| {
            let (begun, finished) = counters.clone();
            async move {
                while stop.pause(STEP / 100).await {
                    begun.fetch_add(1, SeqCst);
                    tokio::time::sleep(STEP * 5).await;
                    finished.fetch_add(1, SeqCst);
                }
            }
        });
        while begun.load(SeqCst) == 0 {
            tokio::time::sleep(STEP / 100).await;
        }
        assert_eq!(finished.load(SeqCst), 0, "the first round is under way");
        tasks.stop_signal().stop();
        assert!(tasks.join(Duration::from_secs(30)).await);
        assert_eq!((begun.load(SeqCst), finished.load(SeqCst)), (1, 1));
    }

    #[tokio::test]
    async fn a_stop_does_not_wait_longer_than_its_bound() {
        let mut tasks = Tasks::default();
        tasks.spawn("hanging", |_| std::future::pending());
        tasks.stop_signal().stop();
        // It was started after the stop signal and hangs all the same.
        let mut late = Tasks::default();
        late.spawn("hanging", |_| std::future::pending());
        tokio::time::sleep(STEP).await;
        late.stop_signal().stop();
        let begun = Instant::now();
        assert!(!late.join(STEP).await);
        assert!(begun.elapsed() >= STEP && begun.elapsed() < STEP * 50);
        assert!(tasks.join(STEP * 50).await, "a task that had not begun never begins");
    }
}
