//! Dates and times in Finnish conventions and Finnish time.

use time::{Date, Month, OffsetDateTime, UtcOffset, Weekday};

use crate::domain::catalogue::Language;
use crate::domain::clock::{Day, Timestamp};

/// How many hours Europe/Helsinki is ahead of UTC at a moment: 2 in winter, 3 in summer.
///
/// Summer time runs from 01:00 UTC of March's last Sunday to 01:00 UTC of October's last Sunday (directive 2000/84/EC).
#[must_use]
pub(crate) fn helsinki_offset_hours(at: Timestamp) -> i8 {
    let date = at.date();
    let starts = last_sunday(date.year(), Month::March);
    let ends = last_sunday(date.year(), Month::October);
    match (starts, ends) {
        (Some(starts), Some(ends)) if at.secs() >= starts && at.secs() < ends => 3,
        _ => 2,
    }
}

/// 01:00 UTC of the last Sunday of a month that has 31 days, in seconds since 1970.
fn last_sunday(year: i32, month: Month) -> Option<i64> {
    (25..=31)
        .filter_map(|day| Date::from_calendar_date(year, month, day).ok())
        .find(|date| date.weekday() == Weekday::Sunday)
        .and_then(|date| date.with_hms(1, 0, 0).ok())
        .map(|moment| moment.assume_utc().unix_timestamp())
}

/// The wall-clock time in Helsinki.
fn in_helsinki(at: Timestamp) -> Option<OffsetDateTime> {
    let offset = UtcOffset::from_hms(helsinki_offset_hours(at), 0, 0).ok()?;
    OffsetDateTime::from_unix_timestamp(at.secs()).ok()?.checked_to_offset(offset)
}

/// A day: `30.6.2027` in Finnish and Swedish, `30 June 2027` in English.
#[must_use]
pub(crate) fn day(day: Day, language: Language) -> String {
    date(day.0, language)
}

fn date(date: Date, language: Language) -> String {
    match language {
        Language::Fi | Language::Sv => format!("{}.{}.{}", date.day(), u8::from(date.month()), date.year()),
        Language::En => format!("{} {} {}", date.day(), date.month(), date.year()),
    }
}

/// The day of a moment in Finnish time.
#[must_use]
pub(crate) fn moment_day(at: Timestamp, language: Language) -> String {
    in_helsinki(at).map_or_else(String::new, |moment| date(moment.date(), language))
}

/// A moment in Finnish time: `30.6.2027 klo 15.05`, `30.6.2027 kl. 15.05`, `30 June 2027, 15:05`.
#[must_use]
pub(crate) fn moment(at: Timestamp, language: Language) -> String {
    let Some(moment) = in_helsinki(at) else { return String::new() };
    let (day, hour, minute) = (date(moment.date(), language), moment.hour(), moment.minute());
    match language {
        Language::Fi => format!("{day} klo {hour}.{minute:02}"),
        Language::Sv => format!("{day} kl. {hour}.{minute:02}"),
        Language::En => format!("{day}, {hour:02}:{minute:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        let form = time::format_description::well_known::Rfc3339;
        Timestamp::from_secs(OffsetDateTime::parse(text, &form).unwrap().unix_timestamp())
    }

    #[test]
    fn summer_time_begins_and_ends_when_the_directive_says() {
        for (moment, hours) in [
            ("2026-01-15T12:00:00Z", 2),
            ("2026-03-29T00:59:59Z", 2),
            ("2026-03-29T01:00:00Z", 3),
            ("2026-07-01T12:00:00Z", 3),
            ("2026-10-25T00:59:59Z", 3),
            ("2026-10-25T01:00:00Z", 2),
            ("2027-03-28T00:59:59Z", 2),
            ("2027-03-28T01:00:00Z", 3),
            ("2027-10-31T00:59:59Z", 3),
            ("2027-10-31T01:00:00Z", 2),
            ("2028-12-31T23:59:59Z", 2),
        ] {
            assert_eq!(helsinki_offset_hours(at(moment)), hours, "{moment}");
        }
    }

    #[test]
    fn moments_are_written_in_finnish_time() {
        let summer = at("2027-06-30T12:05:00Z");
        assert_eq!(moment(summer, Language::Fi), "30.6.2027 klo 15.05");
        assert_eq!(moment(summer, Language::Sv), "30.6.2027 kl. 15.05");
        assert_eq!(moment(summer, Language::En), "30 June 2027, 15:05");
        assert_eq!(moment(at("2026-12-31T22:07:00Z"), Language::En), "1 January 2027, 00:07");
        assert_eq!(moment_day(at("2026-12-31T21:59:00Z"), Language::Fi), "31.12.2026");
    }

    #[test]
    fn days_are_written_as_people_write_them() {
        let end: Day = "2027-06-30".parse().unwrap();
        assert_eq!(day(end, Language::Fi), "30.6.2027");
        assert_eq!(day(end, Language::Sv), "30.6.2027");
        assert_eq!(day(end, Language::En), "30 June 2027");
    }

    #[test]
    fn a_moment_out_of_all_calendars_is_left_blank() {
        assert_eq!(moment(Timestamp::from_micros(i64::MAX), Language::Fi), "");
        assert_eq!(moment(Timestamp::from_micros(i64::MIN), Language::En), "");
    }
}
