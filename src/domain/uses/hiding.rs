//! Withholding a use from its person for a time, where a law allows it (GDPR article 23).
//!
//! One service proposes it and another confirms it. Until then it holds for a few days only, so that no single service,
//! and nobody with a single service's secret, can keep a use from its person.

use std::collections::BTreeMap;

use crate::domain::catalogue::LegalReference;
use crate::domain::clock::Timestamp;
use crate::domain::ids::{HidingReason, ServiceId};
use crate::domain::word_enum::word_enum;

/// How long a proposal holds without a confirmation, in seconds.
pub(crate) const UNCONFIRMED_SECS: i64 = 3 * 86_400;

/// How long a use is shown at least after it was withheld, in seconds, whatever its retention.
const SHOWN_SECS: i64 = 90 * 86_400;

/// When a use that was withheld until then may be deleted at the earliest.
pub(crate) fn shown_until(withheld_until: Timestamp) -> Timestamp {
    withheld_until.plus_secs(SHOWN_SECS)
}

/// The operator's rules. Without them nothing is withheld.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HidingRules {
    /// Longest time from the report of a use, in days.
    pub(crate) max_days: u16,
    /// Services that may propose.
    pub(crate) proposers: Vec<ServiceId>,
    /// Services that may confirm; none of them may propose.
    pub(crate) confirmers: Vec<ServiceId>,
    /// The laws that allow it, by name.
    pub(crate) reasons: BTreeMap<HidingReason, LegalReference>,
}

impl HidingRules {
    /// The latest end for a use that was reported then.
    pub(crate) fn latest(&self, reported_at: Timestamp) -> Timestamp {
        reported_at.plus_secs(i64::from(self.max_days).saturating_mul(86_400))
    }
}

/// Until when a use is withheld on the strength of a proposal alone.
pub(crate) fn until_confirmed(proposed: Timestamp, now: Timestamp) -> Timestamp {
    proposed.min(now.plus_secs(UNCONFIRMED_SECS))
}

word_enum! {
    /// A step of withholding, as the log has it.
    pub enum HidingAct {
        /// A service proposed it, or a later end.
        Proposed = "proposed",
        /// Another service confirmed it.
        Confirmed = "confirmed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proposal_alone_holds_for_three_days_at_most() {
        let now = Timestamp::from_secs(1_000_000);
        assert_eq!(until_confirmed(now.plus_secs(3600), now), now.plus_secs(3600));
        assert_eq!(until_confirmed(now.plus_secs(90 * 86_400), now), now.plus_secs(3 * 86_400));
    }
}
