//! Costs of a resolution, and lifetimes of cached results.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::federation::{Outage, TrustError};
use crate::http::GuardedClient;
use crate::ports::{AnchorKeyStore, Clock};

/// Maximum age of cached results, in seconds. Everything that a chain depends on is together never older than the
/// maximum chain age: the chain itself half of it, the one resolution that replaces it a sixth, and each superior's
/// state a twelfth, of which two are above a member of most federations and six at most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CacheTtls {
    /// Age at which a chain is renewed while the old one is used.
    pub(crate) renew: i64,
    /// Maximum age of a chain.
    pub(crate) chain: i64,
    /// Maximum age of a superior's state.
    pub(crate) superior: i64,
    /// Maximum age of a list of members.
    pub(crate) list: i64,
    /// Maximum age of a list when an unknown entity is looked up; limits the fetches that unauthenticated requests
    /// cause.
    pub(crate) stranger: i64,
    /// Time limit of one resolution with all its requests.
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

/// What every trust request needs.
#[derive(Clone)]
pub(crate) struct ResolverContext {
    pub(crate) guard: GuardedClient,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) anchor_keys: Arc<dyn AnchorKeyStore>,
    pub(crate) ttls: CacheTtls,
}

/// Remaining requests and time of one resolution. Clones share it.
#[derive(Clone)]
pub(crate) struct Budget {
    requests: Arc<AtomicU32>,
    until: Instant,
    /// Time after which missing responses are no longer waited for if another one suffices.
    patience: Instant,
}

/// Maximum number of requests of one resolution; each is limited in bytes and time by itself.
const MAX_REQUESTS: u32 = 256;

impl Budget {
    pub(crate) fn new(longest: Duration) -> Self {
        let now = Instant::now();
        let requests = Arc::new(AtomicU32::new(MAX_REQUESTS));
        Self { requests, until: now + longest, patience: now + longest / 3 }
    }

    /// Deadline of a response; earlier if the result does not depend on it.
    pub(crate) const fn until(&self, dispensable: bool) -> Instant {
        if dispensable { self.patience } else { self.until }
    }

    pub(crate) fn spend(&self) -> Result<(), TrustError> {
        self.requests
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
            .map(|_| ())
            .map_err(|_| TrustError::Unavailable(Outage::Budget))
    }

    /// Runs a part of the resolution, within the deadline.
    pub(crate) async fn in_time<T>(
        &self,
        part: impl Future<Output = Result<T, TrustError>>,
    ) -> Result<T, TrustError> {
        tokio::time::timeout_at(self.until, part)
            .await
            .unwrap_or(Err(TrustError::Unavailable(Outage::Deadline)))
    }
}
