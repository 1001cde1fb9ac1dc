//! The period of the data under a permission.

use crate::domain::clock::Day;
use crate::domain::consent::terms::Terms;

/// The period of the data.
#[derive(Debug, Clone, Copy)]
pub(crate) enum HistoryReach {
    /// The register's present data.
    Current,
    /// What concerns a time.
    Period { from: Day, to: Day },
}

/// The period of some terms.
pub(crate) fn reach(terms: &Terms) -> HistoryReach {
    match terms.period {
        None => HistoryReach::Current,
        Some(period) => HistoryReach::Period { from: period.from, to: period.to },
    }
}
