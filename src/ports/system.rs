//! The clock and the randomness of the process, and its stop signal.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::domain::clock::Timestamp;

/// The clock of this process.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// Unpredictable bytes from the operating system.
pub trait Entropy: Send + Sync {
    /// Fills the buffer. Never returns predictable bytes: without a source of randomness the process ends.
    fn fill(&self, buffer: &mut [u8]);
}

/// N random bytes.
pub fn random<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}

/// Signals that the process stops. Cheap to clone; all clones share one signal.
#[derive(Debug, Clone, Default)]
pub struct StopSignal(CancellationToken);

impl StopSignal {
    /// Sets the signal. It cannot be unset.
    pub fn stop(&self) {
        self.0.cancel();
    }

    /// Whether the signal is set.
    #[must_use]
    pub(crate) fn is_stopping(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits until the signal is set.
    pub async fn stopped(&self) {
        self.0.cancelled().await;
    }

    /// Waits for a duration or until the signal is set; `true` when the loop should go on. `while
    /// stop.pause(time).await` ends after the current iteration.
    pub(crate) async fn pause(&self, time: Duration) -> bool {
        tokio::select! {
            biased;
            () = self.0.cancelled() => false,
            () = tokio::time::sleep(time) => true,
        }
    }
}
