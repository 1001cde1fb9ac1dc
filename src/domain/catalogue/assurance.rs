//! Assurance of a resident's login that a dataset requires: levels of assurance (`acr`) and the age of the login
//! (`auth_time`), as in OpenID Connect and RFC 9470.

use super::Dataset;
use crate::domain::clock::Timestamp;

/// Allowed clock difference in seconds. The same at request and check: a login that the provider considers fresh enough
/// must not be requested again.
const LEEWAY_SECS: i64 = 60;

/// Requirement for a login.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AssuranceRequirement {
    /// Minimum level of assurance; `None` for no requirement.
    pub acr: Option<String>,
    /// Maximum age of the login, in seconds; `None` for no requirement.
    pub max_age: Option<u32>,
}

impl AssuranceRequirement {
    /// A dataset's requirement.
    #[must_use]
    pub fn of(dataset: &Dataset) -> Self {
        Self { acr: dataset.required_acr.clone(), max_age: dataset.required_max_age_seconds }
    }

    /// The stricter of two requirements, each part by itself.
    #[must_use]
    pub(crate) fn and(&self, other: &Self, levels: &Levels) -> Self {
        let acr = match (&self.acr, &other.acr) {
            (Some(ours), Some(theirs)) if levels.reaches(Some(theirs), ours) => Some(theirs.clone()),
            (Some(ours), _) => Some(ours.clone()),
            (None, theirs) => theirs.clone(),
        };
        let max_age = match (self.max_age, other.max_age) {
            (Some(ours), Some(theirs)) => Some(ours.min(theirs)),
            (ours, theirs) => ours.or(theirs),
        };
        Self { acr, max_age }
    }

    /// Whether a login of this level and time fulfils the requirement at `now`. A login without `auth_time` does not
    /// fulfil a maximum age.
    #[must_use]
    pub(crate) fn is_met(
        &self,
        levels: &Levels,
        acr: Option<&str>,
        auth_time: Option<Timestamp>,
        at: Timestamp,
    ) -> bool {
        let strong = self.acr.as_ref().is_none_or(|least| levels.reaches(acr, least));
        let fresh = self.max_age.is_none_or(|max_age| {
            auth_time.is_some_and(|moment| moment.plus_secs(i64::from(max_age) + LEEWAY_SECS) >= at)
        });
        strong && fresh
    }
}

/// The levels of assurance of the city's login provider, weakest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Levels(Vec<String>);

impl Levels {
    /// From the `acr` values, weakest first.
    #[must_use]
    pub(crate) const fn new(weakest_first: Vec<String>) -> Self {
        Self(weakest_first)
    }

    /// The `acr` values, weakest first.
    #[must_use]
    pub(crate) fn all(&self) -> &[String] {
        &self.0
    }

    fn rank(&self, acr: &str) -> Option<usize> {
        self.0.iter().position(|level| level == acr)
    }

    /// Whether a level is at least another. A level outside of the list only equals itself.
    #[must_use]
    pub(crate) fn reaches(&self, acr: Option<&str>, least: &str) -> bool {
        let Some(acr) = acr else { return false };
        match (self.rank(acr), self.rank(least)) {
            (Some(reached), Some(needed)) => reached >= needed,
            _ => acr == least,
        }
    }

    /// The `acr_values` to request for a minimum level: the level itself, then the stronger ones.
    #[must_use]
    pub(crate) fn acr_values(&self, least: &str) -> String {
        match self.rank(least).and_then(|rank| self.0.get(rank..)) {
            Some(enough) => enough.join(" "),
            None => least.to_owned(),
        }
    }

    /// The weakest known level of a list of `acr_values`; `None` if none is known.
    #[must_use]
    pub(crate) fn weakest_of(&self, acr_values: &str) -> Option<String> {
        let asked = || acr_values.split(' ').filter(|value| !value.is_empty());
        self.0.iter().find(|level| asked().any(|value| value == level.as_str())).cloned()
    }

    /// The strongest of these levels.
    #[must_use]
    pub(crate) fn strongest<'a>(&self, levels: impl Iterator<Item = &'a String>) -> Option<String> {
        levels.max_by_key(|level| self.rank(level)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels() -> Levels {
        Levels::new(["low", "substantial", "high"].map(str::to_owned).to_vec())
    }

    fn demand(acr: Option<&str>, max_age: Option<u32>) -> AssuranceRequirement {
        AssuranceRequirement { acr: acr.map(str::to_owned), max_age }
    }

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(1_800_000_000 + secs)
    }

    #[test]
    fn a_stronger_login_is_enough_and_a_weaker_one_is_not() {
        let substantial = demand(Some("substantial"), None);
        for (acr, enough) in
            [(Some("low"), false), (Some("substantial"), true), (Some("high"), true), (Some("HIGH"), false)]
        {
            assert_eq!(substantial.is_met(&levels(), acr, None, at(0)), enough, "{acr:?}");
        }
        assert!(!substantial.is_met(&levels(), None, Some(at(0)), at(0)));
        assert!(demand(None, None).is_met(&levels(), None, None, at(0)));
        // Without a list, a level only equals itself.
        assert!(substantial.is_met(&Levels::default(), Some("substantial"), None, at(0)));
        assert!(!substantial.is_met(&Levels::default(), Some("high"), None, at(0)));
    }

    #[test]
    fn an_old_login_and_one_of_unknown_age_are_not_fresh() {
        let fresh = demand(None, Some(300));
        assert!(fresh.is_met(&levels(), None, Some(at(0)), at(300)));
        assert!(fresh.is_met(&levels(), None, Some(at(0)), at(300 + LEEWAY_SECS)));
        assert!(!fresh.is_met(&levels(), None, Some(at(0)), at(301 + LEEWAY_SECS)));
        assert!(!fresh.is_met(&levels(), Some("high"), None, at(0)));
    }

    #[test]
    fn whoever_asks_may_ask_more_and_never_less() {
        let ours = demand(Some("substantial"), Some(300));
        assert_eq!(ours.and(&demand(Some("low"), Some(900)), &levels()), ours);
        assert_eq!(ours.and(&demand(None, None), &levels()), ours);
        assert_eq!(ours.and(&demand(Some("high"), Some(60)), &levels()), demand(Some("high"), Some(60)));
        assert_eq!(demand(None, None).and(&ours, &levels()), ours);
    }

    #[test]
    fn the_provider_is_asked_for_what_is_enough_and_no_more() {
        assert_eq!(levels().acr_values("substantial"), "substantial high");
        assert_eq!(levels().acr_values("own"), "own");
        assert_eq!(levels().weakest_of("high  substantial other").as_deref(), Some("substantial"));
        assert_eq!(levels().weakest_of("other"), None);
        let asked = ["low".to_owned(), "high".to_owned(), "substantial".to_owned()];
        assert_eq!(levels().strongest(asked.iter()).as_deref(), Some("high"));
    }
}
