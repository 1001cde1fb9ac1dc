//! From when on a service has an answer, as it says itself.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::domain::clock::Timestamp;
use crate::http::Reply;

/// The latest time that is believed.
const LATEST_SECS: i64 = 366 * 86_400;

/// The time in `Retry-After` (RFC 9110 §10.2.3): seconds from now, or a date.
pub(super) fn retry_after(reply: &Reply, now: Timestamp) -> Option<Timestamp> {
    let text = reply.header("retry-after")?.trim();
    let found = match text.parse::<u32>() {
        Ok(seconds) => now.plus_secs(seconds.into()),
        Err(_) => Timestamp::from_secs(OffsetDateTime::parse(text, &Rfc2822).ok()?.unix_timestamp()),
    };
    believed(found, now)
}

/// A time of the next year.
pub(crate) fn believed(found: Timestamp, now: Timestamp) -> Option<Timestamp> {
    (found <= now.plus_secs(LATEST_SECS)).then_some(found)
}
