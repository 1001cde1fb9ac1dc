//! Uses that a data tracker answers: *findUsage* of Estonia's Andmejälgija (RIA), protocol 1.6 and its OpenAPI description
//! 2.1.0. The answer names no person: it is about the one in the request.

use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::domain::catalogue::Text;
use crate::domain::clock::Timestamp;
use crate::domain::ids::RegisterId;
use crate::domain::jose::parse_strict_json;
use crate::domain::outside_text;

/// How far ahead of this node's clock a tracker's may be, in seconds.
const MAX_SKEW_SECS: i64 = 300;

/// A data tracker that this node asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tracker {
    pub(crate) id: RegisterId,
    /// What residents read as the source of its uses.
    pub(crate) title: Text,
}

/// One use of the person's data.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TrackedUse {
    pub(crate) at: Timestamp,
    /// What was done, in words for people.
    pub(crate) action: String,
    /// The register code of whoever received or processed the data.
    pub(crate) receiver_code: String,
    pub(crate) receiver_name: Option<String>,
    /// The information system that received or processed the data.
    pub(crate) receiver_system: String,
}

impl std::fmt::Debug for TrackedUse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TrackedUse([redacted])")
    }
}

/// From when until when a tracker keeps uses; to the present where it has no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptPeriod {
    pub(crate) from: Timestamp,
    pub(crate) to: Option<Timestamp>,
}

/// A part of a tracker's uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackedUses {
    /// Latest first; what is equal in everything stands once.
    pub(crate) uses: Vec<TrackedUse>,
    /// Where the next part begins, if the tracker has more.
    pub(crate) next: Option<u32>,
    /// `None` where the tracker did not say.
    pub(crate) kept: Option<KeptPeriod>,
}

/// Which uses are asked for, from the latest one backwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// How many are left out.
    pub(crate) offset: u32,
    /// The maximum number.
    pub(crate) limit: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(default)]
    total_usages: Option<u32>,
    usages: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    logtime: String,
    action: String,
    receiver_code: String,
    #[serde(default)]
    receiver_name: Option<String>,
    receiver_system: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Period {
    period_start: String,
    #[serde(default)]
    period_end: Option<String>,
}

#[derive(Deserialize)]
struct Heartbeat {
    status: String,
}

/// Reads an answer of `findUsage` (§6.1.4). One use that cannot be read makes the answer unreadable.
///
/// # Errors
/// What is wrong with it; quotes nothing of it.
pub(crate) fn read_uses(body: &[u8], part: Part, now: Timestamp) -> Result<TrackedUses, &'static str> {
    let answer: Answer = read(body, "the answer has no list usages, or totalUsages is not a number")?;
    let received = u32::try_from(answer.usages.len()).unwrap_or(u32::MAX);
    if received > part.limit {
        return Err("usages has more than the limit of the request");
    }
    let end = part.offset.saturating_add(received);
    // The text has totalUsages as the number in this answer, the OpenAPI description as the number of all: more than
    // were received so far can only be the second.
    let told_more = answer.total_usages.is_some_and(|total| total > end);
    if received == 0 && told_more {
        return Err("usages is empty, although totalUsages says that there are more");
    }
    let mut uses = answer.usages.into_iter().map(|row| used(row, now)).collect::<Result<Vec<_>, _>>()?;
    uses.sort_by_key(|used| std::cmp::Reverse(used.at));
    // A full part has others behind it (§7).
    let next = (received == part.limit || told_more).then_some(end);
    Ok(TrackedUses { uses, next, kept: None })
}

/// Reads an answer of `usagePeriod` (§6.2.4).
///
/// # Errors
/// What is wrong with it; quotes nothing of it.
pub(crate) fn read_period(body: &[u8], now: Timestamp) -> Result<KeptPeriod, &'static str> {
    let period: Period = read(body, "the answer has no periodStart, or one that is not a text")?;
    let from = moment(&period.period_start, now).ok_or("periodStart is not a time in the past")?;
    let to = match &period.period_end {
        None => None,
        Some(end) => Some(end.parse().map_err(|_| "periodEnd is not in RFC 3339")?),
    };
    if to.is_some_and(|to| to < from) {
        return Err("periodEnd is before periodStart");
    }
    Ok(KeptPeriod { from, to })
}

/// Reads an answer of `heartbeat` (§6.3.4).
///
/// # Errors
/// What is wrong with it; quotes nothing of it.
pub(crate) fn read_heartbeat(body: &[u8]) -> Result<(), &'static str> {
    let heartbeat: Heartbeat = read(body, "the answer has no status")?;
    if heartbeat.status == "OK" { Ok(()) } else { Err("the tracker says of itself that it does not work") }
}

/// Adds a later part. Uses that were added between both answers have moved as many others from the end of the first to the
/// beginning of the second: those are not added again.
pub(crate) fn add_part(uses: &mut Vec<TrackedUse>, part: Vec<TrackedUse>) {
    let most = uses.len().min(part.len());
    let is_overlap = |length: &usize| part.get(..*length).is_some_and(|first| uses.ends_with(first));
    let overlap = (1..=most).rev().find(is_overlap).unwrap_or(0);
    uses.extend(part.into_iter().skip(overlap));
    uses.sort_by_key(|used| std::cmp::Reverse(used.at));
}

fn read<T: serde::de::DeserializeOwned>(body: &[u8], other: &'static str) -> Result<T, &'static str> {
    let value = parse_strict_json(body).map_err(|_| "not JSON in which each member stands once")?;
    serde_json::from_value(value).map_err(|_| other)
}

fn used(row: Value, now: Timestamp) -> Result<TrackedUse, &'static str> {
    let row: Row = serde_json::from_value(row).map_err(
        |_| "a use lacks logtime, action, receiverCode or receiverSystem, or has one that is not a text",
    )?;
    let text = |text: &str| Some(outside_text::clean(text)).filter(|text| !text.is_empty());
    Ok(TrackedUse {
        at: moment(&row.logtime, now).ok_or("a logtime is not a time in the past")?,
        action: text(&row.action).ok_or("an action is empty")?,
        receiver_code: text(&row.receiver_code).ok_or("a receiverCode is empty")?,
        receiver_name: row.receiver_name.as_deref().and_then(text),
        receiver_system: text(&row.receiver_system).ok_or("a receiverSystem is empty")?,
    })
}

/// A moment in RFC 3339 from 1970 until now.
fn moment(text: &str, now: Timestamp) -> Option<Timestamp> {
    let at = OffsetDateTime::parse(text, &Rfc3339).ok()?.unix_timestamp_nanos() / 1_000;
    let at = Timestamp::from_micros(i64::try_from(at).ok()?);
    (at.secs() >= 0 && at <= now.plus_secs(MAX_SKEW_SECS)).then_some(at)
}
