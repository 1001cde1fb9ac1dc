//! What resolution costs and how long its results serve.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::federation::{Outage, TrustError};
use crate::http::GuardedClient;
use crate::ports::{AnchorKeyStore, Clock};

/// How old what is known may be, in seconds. Everything a chain rests on is together never older than the chain's age:
/// the chain itself half of it, the one resolution that replaces it a sixth, and each superior's state a twelfth, of
/// which two are above a member of most federations and six at most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CacheTtls {
    /// When a chain is renewed while the old one serves.
    pub(crate) renew: i64,
    /// How long a chain serves without a request.
    pub(crate) chain: i64,
    /// How long a superior's state does.
    pub(crate) superior: i64,
    /// How long a list of members does.
    pub(crate) list: i64,
    /// How long a list does by which an unknown entity is judged; a stranger cannot make us ask more often.
    pub(crate) stranger: i64,
    /// Longest time for one resolution, every request of it together.
    pub(crate) deadline: Duration,
}

impl CacheTtls {
    pub(crate) fn of_chain(secs: i64) -> Self {
        Self {
            renew: secs / 4,
            chain: secs / 2,
            superior: secs / 12,
            list: secs / 2,
            stranger: secs.min(5),
            deadline: Duration::from_secs(u64::try_from(secs / 6).unwrap_or(0).clamp(5, 20)),
        }
    }
}

/// What every request for trust needs.
#[derive(Clone)]
pub(crate) struct ResolverContext {
    pub(crate) guard: GuardedClient,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) anchor_keys: Arc<dyn AnchorKeyStore>,
    pub(crate) ttls: CacheTtls,
}

/// How much one resolution may still ask for, and how long it may take, whatever it is made of. Clones share it.
#[derive(Clone)]
pub(crate) struct Budget {
    requests: Arc<AtomicU32>,
    until: Instant,
    /// Time after which those who did not answer are no longer waited for where another answer will do.
    patience: Instant,
}

/// Most requests of one resolution; each is bounded in bytes and time by itself.
const MAX_REQUESTS: u32 = 256;

impl Budget {
    pub(crate) fn new(longest: Duration) -> Self {
        let now = Instant::now();
        let requests = Arc::new(AtomicU32::new(MAX_REQUESTS));
        Self { requests, until: now + longest, patience: now + longest / 3 }
    }

    /// Until when an answer is waited for; less long where it can be done without.
    pub(crate) const fn until(&self, dispensable: bool) -> Instant {
        if dispensable { self.patience } else { self.until }
    }

    /// Pays for one request.
    pub(crate) fn spend(&self) -> Result<(), TrustError> {
        self.requests
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
            .map(|_| ())
            .map_err(|_| TrustError::Unavailable(Outage::Budget))
    }

    /// A part of the resolution, as long as there is time.
    pub(crate) async fn in_time<T>(
        &self,
        part: impl Future<Output = Result<T, TrustError>>,
    ) -> Result<T, TrustError> {
        tokio::time::timeout_at(self.until, part)
            .await
            .unwrap_or(Err(TrustError::Unavailable(Outage::Deadline)))
    }
}
