//! Expiry of what a membership depends on, and when it is reported.

use super::{Role, TrustedPeer};
use crate::domain::clock::Timestamp;
use crate::domain::ids::EntityId;

/// Days before an expiry at which it is reported.
pub(crate) const WARNING_DAYS: [i64; 4] = [30, 14, 7, 1];

const DAY_SECS: i64 = 86_400;

/// The kind of thing that expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ExpiryKind {
    /// A superior's statement in this entity's own chain.
    Statement,
    /// A trust mark that this entity has.
    OwnMark,
    /// A trust mark that this entity issued.
    GivenMark,
    /// A key that this entity signs with.
    SigningKey,
    /// A configured key of an anchor.
    AnchorKey,
}

impl ExpiryKind {
    /// Its name in logs and reports.
    #[must_use]
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Statement => "statement",
            Self::OwnMark => "own-trust-mark",
            Self::GivenMark => "given-trust-mark",
            Self::SigningKey => "signing-key",
            Self::AnchorKey => "anchor-key",
        }
    }

    /// The remedy for the operator.
    #[must_use]
    pub(crate) const fn remedy(self) -> &'static str {
        match self {
            Self::Statement => {
                "it is renewed by the superior whenever it is asked: see why it cannot be reached"
            }
            Self::OwnMark => {
                "it is renewed at the superior by itself: see whether it answers, and still gives the mark"
            }
            Self::GivenMark => "the member renews it by itself while it runs: ask the member",
            Self::SigningKey => "it is replaced by itself: see that a process of the node runs",
            Self::AnchorKey => {
                "get the anchor's new keys over a way that you trust, and put them into jwks_file"
            }
        }
    }
}

/// Something that expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiry {
    pub(crate) kind: ExpiryKind,
    /// Its identifier, never a person's data.
    pub(crate) name: String,
    /// Start of its lifetime.
    pub(crate) since: Timestamp,
    pub(crate) ends_at: Timestamp,
}

/// Distance to an expiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum WarningThreshold {
    Over,
    /// The last quarter of a lifetime of at most two days: it should have been renewed before.
    LastQuarter,
    /// So many days or fewer are left; one of [`WARNING_DAYS`].
    Days(i64),
}

impl WarningThreshold {
    /// As stored and logged: `over`, `last-quarter`, `7-days`.
    #[must_use]
    pub(crate) fn name(self) -> String {
        match self {
            Self::Over => "over".to_owned(),
            Self::LastQuarter => "last-quarter".to_owned(),
            Self::Days(days) => format!("{days}-days"),
        }
    }
}

/// An expiry to be reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExpiryWarning {
    pub(crate) expiry: Expiry,
    pub(crate) threshold: WarningThreshold,
}

impl ExpiryWarning {
    /// Identifies this warning: the same thing with the same expiry is reported once for each threshold.
    #[must_use]
    pub(crate) fn key(&self) -> String {
        let Expiry { kind, name, ends_at, .. } = &self.expiry;
        format!("{}|{name}|{}|{}", kind.name(), ends_at.secs(), self.threshold.name())
    }
}

impl Expiry {
    /// The threshold that is reached; `None` if none is.
    ///
    /// A threshold applies only to lifetimes at least twice as long: a mark for thirty days is not close to its expiry
    /// on the day it is issued.
    #[must_use]
    pub(crate) fn threshold(&self, now: Timestamp) -> Option<WarningThreshold> {
        let left = self.ends_at.secs().saturating_sub(now.secs());
        if left <= 0 {
            return Some(WarningThreshold::Over);
        }
        let life = self.ends_at.secs().saturating_sub(self.since.secs());
        if life <= 2 * DAY_SECS {
            return (left.saturating_mul(4) <= life).then_some(WarningThreshold::LastQuarter);
        }
        let counts = |days: &i64| {
            let secs = days.saturating_mul(DAY_SECS);
            left <= secs && life >= secs.saturating_mul(2)
        };
        WARNING_DAYS.into_iter().rev().find(counts).map(WarningThreshold::Days)
    }
}

/// The warnings about these, nearest expiry first.
#[must_use]
pub(crate) fn warnings(expiries: &[Expiry], now: Timestamp) -> Vec<ExpiryWarning> {
    let near = |expiry: &Expiry| {
        expiry.threshold(now).map(|threshold| ExpiryWarning { expiry: expiry.clone(), threshold })
    };
    let mut warnings: Vec<ExpiryWarning> = expiries.iter().filter_map(near).collect();
    warnings.sort_by(|one, other| {
        let key = |warning: &ExpiryWarning| {
            (warning.expiry.ends_at, warning.expiry.kind, warning.expiry.name.clone())
        };
        key(one).cmp(&key(other))
    });
    warnings
}

/// What a member's trust depends on: the statements of its superiors and its trust marks. Its own configuration is
/// signed again for every request, and is left out.
#[must_use]
pub(crate) fn expiries_of(peer: &TrustedPeer) -> Vec<Expiry> {
    let said = |issuer: &EntityId, subject: &EntityId| format!("{issuer} about {subject}");
    let statements = peer.links().into_iter().filter(|link| link.issuer != peer.id).map(|link| Expiry {
        kind: ExpiryKind::Statement,
        name: said(&link.issuer, &link.subject),
        since: link.issued_at,
        ends_at: link.expires_at,
    });
    let marks = peer.marks().iter().filter_map(|held| {
        Some(Expiry {
            kind: ExpiryKind::OwnMark,
            name: mark_name(held.role(), &held.mark().sub),
            since: Timestamp::from_secs(held.mark().iat),
            ends_at: Timestamp::from_secs(held.mark().exp?),
        })
    });
    statements.chain(marks).collect()
}

/// The name of a trust mark in warnings.
#[must_use]
pub(crate) fn mark_name(role: Role, subject: &EntityId) -> String {
    format!("{role} of {subject}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn expiry(since_days: i64, ends_days: i64) -> Expiry {
        Expiry {
            kind: ExpiryKind::OwnMark,
            name: "data-holder of https://espoo.example".to_owned(),
            since: at(since_days * DAY_SECS),
            ends_at: at(ends_days * DAY_SECS),
        }
    }

    #[test]
    fn an_end_is_said_thirty_fourteen_seven_and_one_day_before() {
        let year = expiry(0, 365);
        let said = |left_secs: i64| year.threshold(at(365 * DAY_SECS - left_secs));
        for (left, expected) in [
            (31 * DAY_SECS, None),
            (30 * DAY_SECS + 1, None),
            (30 * DAY_SECS, Some(WarningThreshold::Days(30))),
            (14 * DAY_SECS + 1, Some(WarningThreshold::Days(30))),
            (14 * DAY_SECS, Some(WarningThreshold::Days(14))),
            (7 * DAY_SECS + 1, Some(WarningThreshold::Days(14))),
            (7 * DAY_SECS, Some(WarningThreshold::Days(7))),
            (DAY_SECS + 1, Some(WarningThreshold::Days(7))),
            (DAY_SECS, Some(WarningThreshold::Days(1))),
            (1, Some(WarningThreshold::Days(1))),
            (0, Some(WarningThreshold::Over)),
            (-DAY_SECS, Some(WarningThreshold::Over)),
        ] {
            assert_eq!(said(left), expected, "{left} s before");
        }
    }

    #[test]
    fn what_lives_shortly_is_not_near_its_end_from_the_first_day_on() {
        assert_eq!(expiry(0, 30).threshold(at(0)), None);
        assert_eq!(expiry(0, 30).threshold(at(16 * DAY_SECS)), Some(WarningThreshold::Days(14)));
        assert_eq!(expiry(0, 3).threshold(at(2 * DAY_SECS)), Some(WarningThreshold::Days(1)));
        // A mark for a day that is renewed in time is never reported; one that was not renewed is, once.
        let day = expiry(0, 1);
        assert_eq!(day.threshold(at(DAY_SECS / 2)), None);
        assert_eq!(day.threshold(at(DAY_SECS * 3 / 4)), Some(WarningThreshold::LastQuarter));
        assert_eq!(day.threshold(at(DAY_SECS)), Some(WarningThreshold::Over));
    }

    #[test]
    fn each_threshold_of_each_end_is_a_warning_of_its_own() {
        let expiries = [expiry(0, 365), expiry(0, 400)];
        let now = at(360 * DAY_SECS);
        let said = warnings(&expiries, now);
        assert_eq!(said.len(), 1);
        assert_eq!(said[0].threshold, WarningThreshold::Days(7));
        let mut keys = std::collections::BTreeSet::new();
        for day in 300..=366 {
            keys.extend(warnings(&expiries[..1], at(day * DAY_SECS)).iter().map(ExpiryWarning::key));
        }
        assert_eq!(keys.len(), 5, "four thresholds and the end itself: {keys:?}");
        let renewed = expiry(1, 366);
        let again = warnings(&[renewed], now);
        assert_ne!(again[0].key(), said[0].key(), "what was renewed and ends again is said again");
    }
}
