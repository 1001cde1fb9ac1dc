//! Deletion duty for fetched data, and its state.

use time::{Date, Month};

use crate::domain::clock::{Day, RetentionPeriod, Timestamp};
use crate::domain::jose::MAX_SKEW_SECS;

/// The deadline for data that was fetched at a moment: the end of the day on which its retention is over.
#[must_use]
pub(crate) fn due_at(fetched_at: Timestamp, retention: &RetentionPeriod) -> Timestamp {
    // Beyond the end of the calendar no deadline is earlier.
    retention_end(fetched_at, retention.as_str()).map_or(fetched_at, |date| Day(date).end().max(fetched_at))
}

fn retention_end(fetched_at: Timestamp, retention: &str) -> Option<Date> {
    let rest = retention.strip_prefix('P')?;
    let (mut months, mut days, mut number) = (0_i32, 0_i64, String::new());
    for character in rest.chars() {
        if character.is_ascii_digit() {
            number.push(character);
            continue;
        }
        let count: i32 = number.parse().ok()?;
        match character {
            'Y' => months = months.checked_add(count.checked_mul(12)?)?,
            'M' => months = months.checked_add(count)?,
            'W' => days = days.checked_add(i64::from(count) * 7)?,
            'D' => days = days.checked_add(i64::from(count))?,
            _ => return None,
        }
        number.clear();
    }
    plus_months(fetched_at.date(), months)?.checked_add(time::Duration::days(days))
}

/// The same day so many months later, or the last day of that month.
fn plus_months(date: Date, months: i32) -> Option<Date> {
    let since = date
        .year()
        .checked_mul(12)?
        .checked_add(i32::from(u8::from(date.month())).checked_sub(1)?)?
        .checked_add(months)?;
    let month = Month::try_from(u8::try_from(since.rem_euclid(12)).ok()?.checked_add(1)?).ok()?;
    let year = since.div_euclid(12);
    Date::from_calendar_date(year, month, date.day().min(month.length(year))).ok()
}

/// Deletion state of the data fetched under one consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeletionState {
    /// The recipient confirmed that all fetched data is deleted.
    Confirmed {
        /// When it was deleted.
        deleted_at: Timestamp,
    },
    /// To be deleted by a deadline.
    Due { by: Timestamp },
    /// Overdue, without a confirmation.
    Overdue {
        /// The moment that has passed.
        since: Timestamp,
    },
}

impl DeletionState {
    /// The state at `now`; `None` if nothing was fetched.
    ///
    /// A confirmation covers what was fetched before the deletion that it states; clocks may differ by a minute.
    #[must_use]
    pub(crate) fn judge(
        last_fetch: Option<Timestamp>,
        retention: &RetentionPeriod,
        deleted_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Self> {
        let last = last_fetch?;
        if let Some(deleted_at) = deleted_at.filter(|deleted| deleted.plus_secs(MAX_SKEW_SECS) >= last) {
            return Some(Self::Confirmed { deleted_at });
        }
        let by = due_at(last, retention);
        Some(if now < by { Self::Due { by } } else { Self::Overdue { since: by } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_due_day_follows_the_calendar() {
        for (fetched, retention, due) in [
            ("2026-03-01T08:00:00Z", "P1Y", "2027-03-01T21:00:00Z"),
            ("2024-02-29T08:00:00Z", "P1Y", "2025-02-28T21:00:00Z"),
            ("2026-01-31T08:00:00Z", "P1M", "2026-02-28T21:00:00Z"),
            ("2026-11-15T08:00:00Z", "P3M", "2027-02-15T21:00:00Z"),
            ("2026-12-31T08:00:00Z", "P2W", "2027-01-14T21:00:00Z"),
            ("2026-12-31T08:00:00Z", "P1Y1M1D", "2028-02-01T21:00:00Z"),
            ("2026-12-31T23:00:00Z", "P0D", "2026-12-31T23:00:00Z"),
        ] {
            let period: RetentionPeriod = retention.parse().unwrap();
            assert_eq!(due_at(moment(fetched), &period), moment(due), "{fetched} {retention}");
        }
        for wrong in ["", "P", "1Y", "P1", "PT1H", "P-1D", "P1X", "P99999999999Y", "P2147483647Y", "P9999Y"] {
            assert!(wrong.parse::<RetentionPeriod>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_was_fetched_after_a_confirmed_deletion_is_due_again() {
        let fetched = moment("2026-03-01T08:00:00Z");
        let judge = |deleted: Option<i64>, now: i64| {
            DeletionState::judge(
                Some(fetched),
                &"P30D".parse().unwrap(),
                deleted.map(|days| fetched.plus_secs(days * 86_400)),
                fetched.plus_secs(now * 86_400),
            )
        };
        let by = moment("2026-03-31T21:00:00Z");
        assert_eq!(judge(None, 1), Some(DeletionState::Due { by }));
        assert_eq!(judge(None, 31), Some(DeletionState::Overdue { since: by }));
        assert_eq!(judge(Some(-1), 31), Some(DeletionState::Overdue { since: by }), "before the fetch");
        let deleted_at = fetched.plus_secs(2 * 86_400);
        assert_eq!(judge(Some(2), 31), Some(DeletionState::Confirmed { deleted_at }));
        assert_eq!(DeletionState::judge(None, &"P30D".parse().unwrap(), None, fetched), None);
    }
}
