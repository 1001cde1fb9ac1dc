//! `[retention]`: how long the node keeps data after its use.

use super::reader::Section;

/// Seconds in a day.
const DAY: i64 = 86_400;

/// `[retention]`. Every value has a default; the section may be absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Retention {
    /// Evidence, tokens and refusals of a consent after its end, and the person behind it, in days. Default 1825 (five
    /// years), from 30 to 36500.
    pub(crate) ended_consents_days: u32,
    /// Requests that were declined, in days. Default 90, from 1 to 3650.
    pub(crate) requests_days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { ended_consents_days: 1825, requests_days: 90 }
    }
}

impl Retention {
    /// [`Self::ended_consents_days`] in seconds.
    #[must_use]
    pub(crate) fn ended_consents_secs(&self) -> i64 {
        i64::from(self.ended_consents_days) * DAY
    }

    /// [`Self::requests_days`] in seconds.
    #[must_use]
    pub(crate) fn requests_secs(&self) -> i64 {
        i64::from(self.requests_days) * DAY
    }
}

/// Reads `[retention]`; absent values have their defaults.
pub(super) fn read(section: Option<Section<'_, '_>>) -> Retention {
    let mut retention = Retention::default();
    let Some(mut section) = section else { return retention };
    for (name, range, place, remedy) in [
        (
            "ended_consents_days",
            30..=36_500,
            &mut retention.ended_consents_days,
            "write a whole number of days from 30 to 36500, or take the line out for 1825",
        ),
        (
            "requests_days",
            1..=3_650,
            &mut retention.requests_days,
            "write a whole number of days from 1 to 3650, or take the line out for 90",
        ),
    ] {
        if let Some(found) = section.optional::<u32>(name, remedy) {
            if !range.contains(&found.value) {
                section.document().problem(&found.at, "out of range", remedy);
            }
            *place = found.value;
        }
    }
    section.close();
    retention
}
