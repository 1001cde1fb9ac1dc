//! Points in time as values. The clock itself is `ports::Clock`; nothing in `domain/` reads it.

use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime, format_description::well_known::Rfc3339};

/// A moment: microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// Microseconds in a second.
const MICROS: i64 = 1_000_000;

impl Timestamp {
    /// From microseconds since 1970.
    #[must_use]
    pub(crate) const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From whole seconds since 1970 (a JWT `NumericDate`); saturates.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(MICROS))
    }

    /// Microseconds since 1970, as stored.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down (a JWT `NumericDate`).
    #[must_use]
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(MICROS)
    }

    /// This moment shifted by whole seconds, negative for the past; saturates.
    #[must_use]
    pub const fn plus_secs(self, secs: i64) -> Self {
        Self(self.0.saturating_add(secs.saturating_mul(MICROS)))
    }

    /// The date in UTC.
    #[must_use]
    pub(crate) fn date(self) -> Date {
        OffsetDateTime::from_unix_timestamp(self.secs()).map_or(Date::MIN, OffsetDateTime::date)
    }

    /// RFC 3339 in UTC, whole seconds (`2026-06-30T12:00:00Z`).
    #[must_use]
    pub fn rfc3339(self) -> String {
        OffsetDateTime::from_unix_timestamp(self.secs())
            .ok()
            .and_then(|moment| moment.format(&Rfc3339).ok())
            .unwrap_or_default()
    }
}

impl AsRef<i64> for Timestamp {
    /// Microseconds since 1970, for stores that bind values by reference.
    fn as_ref(&self) -> &i64 {
        &self.0
    }
}

impl std::str::FromStr for Timestamp {
    type Err = super::ids::IdError;

    /// From RFC 3339.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        OffsetDateTime::parse(text, &Rfc3339)
            .map(|moment| Self::from_secs(moment.unix_timestamp()))
            .map_err(|_| super::ids::IdError { kind: "Timestamp", rule: "an RFC 3339 date and time" })
    }
}

/// A calendar day, written `2026-12-31`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub(crate) Date);

impl Day {
    /// The first moment after something that is valid *until* this day, the day included.
    ///
    /// Days end at 21:00 UTC: midnight of Finnish summer time, an hour before it in winter. A permission therefore
    /// never outlives the day that the resident read.
    #[must_use]
    pub fn end(self) -> Timestamp {
        Timestamp::from_secs(self.0.midnight().assume_utc().unix_timestamp()).plus_secs(21 * 3600)
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0.year(), u8::from(self.0.month()), self.0.day())
    }
}

impl std::str::FromStr for Day {
    type Err = super::ids::IdError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = time::macros::format_description!("[year]-[month]-[day]");
        // The calendar has no year 0 (ISO 8601 allows it by agreement only); systems write it for "unknown".
        match Date::parse(text, form) {
            Ok(date) if date.year() > 0 => Ok(Self(date)),
            _ => Err(super::ids::IdError { kind: "Day", rule: "YYYY-MM-DD" }),
        }
    }
}

impl Serialize for Day {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        String::deserialize(input)?.parse().map_err(serde::de::Error::custom)
    }
}

/// An ISO 8601 duration of whole years, months, weeks or days as days, a month counted as 31 and a year as 366: enough
/// to compare two durations without ever considering a longer one the shorter.
#[must_use]
pub(crate) fn duration_days(text: &str) -> Option<u32> {
    let rest = text.strip_prefix('P')?;
    let mut days = 0_u32;
    let mut number = String::new();
    for character in rest.chars() {
        if character.is_ascii_digit() {
            number.push(character);
            continue;
        }
        let unit = match character {
            'Y' => 366,
            'M' => 31,
            'W' => 7,
            'D' => 1,
            _ => return None,
        };
        days = days.checked_add(number.parse::<u32>().ok()?.checked_mul(unit)?)?;
        number.clear();
    }
    (number.is_empty() && !rest.is_empty()).then_some(days)
}

/// Maximum retention, in days of [`duration_days`]: a thousand years.
const LONGEST_RETENTION_DAYS: u32 = 366_000;

/// A retention time, as an ISO 8601 duration of whole years, months, weeks or days, a thousand years at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct RetentionPeriod {
    text: String,
    days: u32,
}

impl RetentionPeriod {
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Its length in days by [`duration_days`], for comparisons.
    #[must_use]
    pub(crate) const fn days(&self) -> u32 {
        self.days
    }

    /// Whether it is no longer than another.
    #[must_use]
    pub(crate) const fn is_within(&self, other: &Self) -> bool {
        self.days <= other.days
    }
}

impl From<RetentionPeriod> for String {
    fn from(period: RetentionPeriod) -> Self {
        period.text
    }
}

impl std::fmt::Display for RetentionPeriod {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for RetentionPeriod {
    type Error = super::ids::IdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match duration_days(&text) {
            Some(days @ 0..=LONGEST_RETENTION_DAYS) => Ok(Self { text, days }),
            _ => Err(super::ids::IdError {
                kind: "RetentionPeriod",
                rule: "an ISO 8601 duration of days to years",
            }),
        }
    }
}

impl std::str::FromStr for RetentionPeriod {
    type Err = super::ids::IdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.to_owned().try_into()
    }
}

/// A sliding period of time, as an ISO 8601 duration of whole days, weeks, months or years, from one day to a year: "in
/// any seven days". A month counts as 31 days, a year as 366.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Window(String);

impl Window {
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Its length in seconds.
    #[must_use]
    pub(crate) fn secs(&self) -> i64 {
        i64::from(duration_days(&self.0).unwrap_or(u32::MAX)) * 86_400
    }
}

impl From<Window> for String {
    fn from(window: Window) -> Self {
        window.0
    }
}

impl TryFrom<String> for Window {
    type Error = super::ids::IdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match duration_days(&text) {
            Some(1..=366) => Ok(Self(text)),
            _ => Err(super::ids::IdError { kind: "Window", rule: "an ISO 8601 duration of a day to a year" }),
        }
    }
}
/// The last day within so many days from now.
#[must_use]
pub fn last_day(now: Timestamp, days: u16) -> Day {
    Day(now.plus_secs(i64::from(days).saturating_mul(86_400)).date())
}
