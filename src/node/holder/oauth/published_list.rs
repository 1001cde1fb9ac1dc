//! A status list as served by this process.

use std::sync::Arc;

/// A signed list, ready to be served.
#[derive(Debug, Clone)]
pub(crate) struct PublishedList {
    /// The status list token, compact.
    pub(crate) token: Arc<str>,
    /// Entity tag of this text (RFC 9110 §8.8.3), without quotes.
    pub(crate) tag: Arc<str>,
    /// `max-age` for caches, in seconds.
    pub(crate) ttl_secs: i64,
}
