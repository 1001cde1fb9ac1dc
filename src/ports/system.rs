//! The clock and the randomness of the process, and the end of it.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::domain::clock::Timestamp;

/// The time, as seen by this process.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// Unpredictable bytes from the operating system.
pub trait Entropy: Send + Sync {
    /// Fills the buffer. Never returns predictable bytes; a system that has none ends the process.
    fn fill(&self, buffer: &mut [u8]);
}

/// N random bytes.
pub fn random<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}

/// Tells the parts of a process that it stops. Cheap to clone; all clones are one signal.
#[derive(Debug, Clone, Default)]
pub struct StopSignal(CancellationToken);

impl StopSignal {
    /// Gives the signal. It cannot be taken back.
    pub fn stop(&self) {
        self.0.cancel();
    }

    /// Whether the signal was given.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits until the signal is given.
    pub async fn stopped(&self) {
        self.0.cancelled().await;
    }

    /// Waits for a time, or until the signal is given; says whether to go on. A loop that pauses between its rounds with
    /// `while stop.pause(time).await` ends after the round that is under way.
    pub async fn pause(&self, time: Duration) -> bool {
        tokio::select! {
            biased;
            () = self.0.cancelled() => false,
            () = tokio::time::sleep(time) => true,
        }
    }
}
