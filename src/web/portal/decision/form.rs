//! The decision page's form. It is posted to the page's own address:
//!
//! | name | value |
//! |---|---|
//! | `csrf`, `offer_hash` | as in the page |
//! | `shown_persons` | as in the page: which persons and records it offered |
//! | `field` | a selected optional field, repeated |
//! | `person` | a person all of whose records are selected, repeated |
//! | `record` | a selected record, repeated |
//! | `duration` | `once` or `until` |
//! | `until` | the last day, with `duration=until` |
//! | `times` | the maximum number of fetches, with `duration=until` |
//! | `reach_from`, `reach_to` | first and last day that the data may be about; one alone leaves the other end as offered |
//! | `retention` | one of the offered retention times |
//! | `never` | `use`, `partner` or `dataset`: permanent denial, with `decision=deny` |
//! | `decision` | `allow` or `deny`; `return` where the city does not have what the service asks for |
//!
//! Days are `YYYY-MM-DD` as browsers send them, or `d.m.yyyy` as people in Finland write them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::domain::clock::{Day, Timestamp, last_day};
use crate::domain::consent::document::ShownPerson;
use crate::domain::consent::{Frequency, Period, Persons};
use crate::domain::ids::{FieldPath, PairwisePerson, PairwiseRecord, RequestId};
use crate::node::holder::decision::decide_consent::DecisionForm;
use crate::node::holder::decision::view_consent_request::Offer;
use crate::node::{Problem, ProblemKind};
use crate::web::portal::decision::persons::PersonsChoice;
use crate::web::portal::page::{FormData, Page};

/// Days that a permission for one fetch is valid: long enough for a service to fetch.
const ONCE_DAYS: u16 = 30;

/// The first day when "from" is left empty and the offer has no first day.
const EARLIEST: &str = "1900-01-01";

/// The last day of a permission for one fetch.
pub(crate) fn once_until(offer: &Offer) -> Day {
    last_day(offer.request.created_at, ONCE_DAYS).min(offer.request.terms.until)
}

/// The form as filled in, kept as written so that a page can show it again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DecisionInput {
    #[serde(default)]
    pub(crate) offer_hash: Option<String>,
    #[serde(default)]
    pub(crate) shown_persons: Option<String>,
    #[serde(default)]
    pub(crate) fields: BTreeSet<FieldPath>,
    #[serde(default)]
    pub(crate) persons: BTreeSet<PairwisePerson>,
    #[serde(default)]
    pub(crate) records: BTreeSet<PairwiseRecord>,
    #[serde(default)]
    pub(crate) duration: Option<String>,
    #[serde(default)]
    pub(crate) until: Option<String>,
    #[serde(default)]
    pub(crate) times: Option<String>,
    #[serde(default)]
    pub(crate) reach_from: Option<String>,
    #[serde(default)]
    pub(crate) reach_to: Option<String>,
    #[serde(default)]
    pub(crate) retention: Option<String>,
    #[serde(default)]
    pub(crate) never: Option<String>,
    #[serde(default)]
    pub(crate) decision: Option<String>,
}

/// A fault of a form field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldError {
    PersonsNone,
    PersonsTooMany,
    PersonsBoth,
    UntilNotADay,
    UntilOutside,
    Times,
    ReachFromNotADay,
    ReachToNotADay,
    ReachReversed,
    ReachFromOutside,
    ReachToOutside,
}

impl FieldError {
    /// The identifier of the field in the page, for links from the summary.
    pub(crate) const fn field_id(self) -> &'static str {
        match self {
            Self::PersonsNone | Self::PersonsTooMany | Self::PersonsBoth => "persons",
            Self::UntilNotADay | Self::UntilOutside => "until",
            Self::Times => "times",
            Self::ReachFromNotADay | Self::ReachFromOutside => "reach-from",
            Self::ReachToNotADay | Self::ReachToOutside | Self::ReachReversed => "reach-to",
        }
    }
}

/// The result of parsing the choices.
pub(crate) enum Choice {
    /// They are within the offer.
    Complete(DecisionForm),
    /// The resident has to correct these.
    Incomplete(Vec<FieldError>),
}

/// A day in either format.
fn parse_day(text: &str) -> Option<Day> {
    let text = text.trim();
    if let Ok(day) = text.parse() {
        return Some(day);
    }
    let mut parts = text.split('.').map(str::trim);
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let is_number = |part: &str, longest: usize| {
        !part.is_empty() && part.len() <= longest && part.bytes().all(|b| b.is_ascii_digit())
    };
    let fits = is_number(day, 2) && is_number(month, 2) && is_number(year, 4) && year.len() == 4;
    (fits && parts.next().is_none()).then(|| format!("{year}-{month:0>2}-{day:0>2}").parse().ok())?
}

fn filled(text: Option<&String>) -> Option<&str> {
    text.map(|text| text.trim()).filter(|text| !text.is_empty())
}

impl DecisionInput {
    /// The initial values of the form: once, no optional field.
    pub(crate) fn proposed(offer: &Offer) -> Self {
        let terms = &offer.request.terms;
        Self {
            duration: Some("once".to_owned()),
            until: Some(terms.until.to_string()),
            times: Some(terms.max_exchanges.to_string()),
            reach_from: terms.period.map(|period| period.from.to_string()),
            reach_to: terms.period.map(|period| period.to.to_string()),
            retention: Some(terms.retention.to_string()),
            ..Self::default()
        }
    }

    /// The resident's choice, or the faults to be corrected.
    ///
    /// # Errors
    /// [`Problem`] `bad-request` for input that no browser sends from the page; `changed` when the register names other
    /// persons or records than when the page was shown.
    pub(crate) fn choice(
        &self,
        offer: &Offer,
        persons: &PersonsChoice,
        now: Timestamp,
    ) -> Result<Choice, Problem> {
        let bad = || Problem::new(ProblemKind::BadRequest);
        let mut errors = Vec::new();
        if persons.digest()? != self.shown_persons {
            return Err(Problem::new(ProblemKind::Changed));
        }
        if persons.is_contradictory(&self.persons, &self.records) {
            errors.push(FieldError::PersonsBoth);
        }
        let persons = persons.chosen(&self.persons, &self.records)?;
        match &persons {
            Some(chosen) if chosen.is_empty() => errors.push(FieldError::PersonsNone),
            Some(chosen) if !Persons(chosen.iter().map(ShownPerson::covered).collect()).is_well_formed() => {
                errors.push(FieldError::PersonsTooMany);
            }
            _ => {}
        }
        let (until, frequency) = match self.duration.as_deref() {
            Some("until") => {
                (self.chosen_until(offer, now, &mut errors), self.chosen_times(offer, &mut errors))
            }
            Some("once") | None => (Some(once_until(offer)), Some(Frequency::in_all(1))),
            Some(_) => return Err(bad()),
        };
        let period = self.chosen_period(offer, &mut errors);
        let (Some(until), Some(frequency), true) = (until, frequency, errors.is_empty()) else {
            return Ok(Choice::Incomplete(errors));
        };
        Ok(Choice::Complete(DecisionForm {
            offer_hash: self.offer_hash.clone().ok_or_else(bad)?,
            optional_fields: self.fields.clone(),
            persons,
            frequency,
            period,
            retention: self.retention.as_deref().map(str::parse).transpose().map_err(|_| bad())?,
            until,
        }))
    }

    fn chosen_until(&self, offer: &Offer, now: Timestamp, errors: &mut Vec<FieldError>) -> Option<Day> {
        let Some(day) = filled(self.until.as_ref()).and_then(parse_day) else {
            errors.push(FieldError::UntilNotADay);
            return None;
        };
        if day > offer.request.terms.until || day.end() <= now {
            errors.push(FieldError::UntilOutside);
        }
        Some(day)
    }

    fn chosen_times(&self, offer: &Offer, errors: &mut Vec<FieldError>) -> Option<Frequency> {
        let terms = &offer.request.terms;
        let max = filled(self.times.as_ref()).and_then(|times| times.parse().ok());
        let max = max.filter(|max| (1..=terms.max_exchanges).contains(max));
        if max.is_none() {
            errors.push(FieldError::Times);
        }
        max.map(|max| Frequency { max, per: terms.per.clone() })
    }

    /// The period of the data; `None` when left as offered.
    fn chosen_period(&self, offer: &Offer, errors: &mut Vec<FieldError>) -> Option<Period> {
        let offered = offer.request.terms.period;
        let mut day = |text: Option<&String>, error| {
            let text = filled(text)?;
            let day = parse_day(text);
            if day.is_none() {
                errors.push(error);
            }
            day
        };
        let from = day(self.reach_from.as_ref(), FieldError::ReachFromNotADay);
        let to = day(self.reach_to.as_ref(), FieldError::ReachToNotADay);
        if from.is_none() && to.is_none() {
            return None;
        }
        // One day alone leaves the other end as offered.
        let first = offered.map_or_else(|| EARLIEST.parse().ok(), |offered| Some(offered.from));
        let last = offered.map_or(offer.request.terms.until, |offered| offered.to);
        let (from, to) = (from.or(first)?, to.unwrap_or(last));
        if from > to {
            errors.push(FieldError::ReachReversed);
        } else if let Some(offered) = offered {
            if from < offered.from {
                errors.push(FieldError::ReachFromOutside);
            }
            if to > offered.to {
                errors.push(FieldError::ReachToOutside);
            }
        }
        Some(Period { from, to })
    }
}

impl FormData for DecisionInput {
    fn read(body: &[u8]) -> Result<(Option<String>, Self), Problem> {
        let bad = || Problem::new(ProblemKind::BadRequest);
        let (mut form, mut csrf) = (Self::default(), None);
        for (name, value) in url::form_urlencoded::parse(body) {
            let place = match &*name {
                "field" => {
                    form.fields.insert(value.parse().map_err(|_| bad())?);
                    continue;
                }
                "person" => {
                    form.persons.insert(value.parse().map_err(|_| bad())?);
                    continue;
                }
                "record" => {
                    form.records.insert(value.parse().map_err(|_| bad())?);
                    continue;
                }
                "csrf" => &mut csrf,
                "offer_hash" => &mut form.offer_hash,
                "shown_persons" => &mut form.shown_persons,
                "duration" => &mut form.duration,
                "until" => &mut form.until,
                "times" => &mut form.times,
                "reach_from" => &mut form.reach_from,
                "reach_to" => &mut form.reach_to,
                "retention" => &mut form.retention,
                "never" => &mut form.never,
                "decision" => &mut form.decision,
                _ => return Err(bad()),
            };
            if place.replace(value.into_owned()).is_some() {
                return Err(bad());
            }
        }
        Ok((csrf, form))
    }

    /// Choices are kept when the session has ended, until the login. Only when the browser's own headers say that the
    /// form was this portal's, because without a session there is no CSRF token to check.
    fn keep_for_login(&self, page: &Page) -> bool {
        let id = page.request.match_info().get("id").and_then(|id| id.parse::<RequestId>().ok());
        id.is_some_and(|id| page.is_from_own_page() && page.visitor.keep_choices(id, self).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_as_browsers_and_as_people_write_them() {
        let day: Day = "2027-08-01".parse().unwrap();
        for good in ["2027-08-01", " 2027-08-01 ", "1.8.2027", "01.08.2027", "1. 8. 2027"] {
            assert_eq!(parse_day(good), Some(day), "{good}");
        }
        for bad in ["", "1.8.27", "32.1.2027", "1.13.2027", "1/8/2027", "1.8.2027.", "+1.8.2027", "tomorrow"]
        {
            assert_eq!(parse_day(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_form_that_no_page_of_ours_sends_is_refused() {
        for bad in ["unknown=1", "until=1&until=2", "field=%20", "person=010120A901K", "record=1"] {
            assert!(DecisionInput::read(bad.as_bytes()).is_err(), "{bad}");
        }
        let (csrf, form) = DecisionInput::read(b"csrf=t&field=unit&field=type&duration=once").unwrap();
        assert_eq!((csrf.as_deref(), form.fields.len()), (Some("t"), 2));
    }
}
