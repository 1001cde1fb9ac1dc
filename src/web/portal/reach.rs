//! How far back the data of a permission goes.

use crate::domain::clock::Day;
use crate::domain::consent::terms::Terms;

/// How far back the data goes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum HistoryReach {
    /// What the register says now.
    Current,
    /// What concerns a time.
    Period { from: Day, to: Day },
}

/// The reach of some terms.
pub(crate) fn reach(terms: &Terms) -> HistoryReach {
    match terms.period {
        None => HistoryReach::Current,
        Some(period) => HistoryReach::Period { from: period.from, to: period.to },
    }
}
