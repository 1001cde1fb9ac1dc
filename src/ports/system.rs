//! The clock and the randomness of the process.

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
