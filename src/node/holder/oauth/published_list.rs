//! A status list as this process serves it.

use std::sync::Arc;

/// A signed list, ready to be served.
#[derive(Debug, Clone)]
pub struct PublishedList {
    /// The status list token, compact.
    pub token: Arc<str>,
    /// Names this very text (RFC 9110 §8.8.3), without quotes.
    pub tag: Arc<str>,
    /// For how long others may keep it, in seconds.
    pub ttl_secs: i64,
}
