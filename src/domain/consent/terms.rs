//! What one consent covers, and the rule that a request may only narrow the declared use it names.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::domain::catalogue::{Dataset, DeclaredUse};
use crate::domain::clock::{Day, RetentionPeriod, Timestamp, Window};
use crate::domain::ids::{DatasetId, EntityId, FieldPath, UseId};

use super::persons::Persons;

/// The `type` of every `authorization_details` entry that a node understands (RFC 9396 §2).
pub(crate) const DETAIL_TYPE: &str = "omadata_dataset";

/// Maximum duration of a consent, in days.
pub(crate) const LONGEST_DAYS: i64 = 365;

/// A period of the data, both days included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Period {
    pub(crate) from: Day,
    pub(crate) to: Day,
}

impl Period {
    /// Whether it is within another.
    #[must_use]
    pub(crate) fn is_within(&self, wider: &Self) -> bool {
        self.from <= self.to && wider.from <= self.from && self.to <= wider.to
    }

    /// Whether a record that was valid from `start` to `end` (open when absent) overlaps this period.
    #[must_use]
    pub(crate) fn touches(&self, start: Option<Day>, end: Option<Day>) -> bool {
        start.is_none_or(|start| start <= self.to) && end.is_none_or(|end| end >= self.from)
    }
}

/// How often the data may be fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Frequency {
    /// Number of exchanges: over the consent's whole life, or in any period of length `per`.
    pub(crate) max: u32,
    /// The period; the whole life when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per: Option<Window>,
}

impl Frequency {
    /// A number over the consent's whole life.
    #[must_use]
    pub(crate) const fn in_all(max: u32) -> Self {
        Self { max, per: None }
    }

    /// The maximum of a declared use.
    #[must_use]
    pub(crate) fn declared(declared: &DeclaredUse) -> Self {
        Self { max: declared.max_exchanges, per: declared.per.clone() }
    }

    /// When the next exchange is allowed, if the number of the sliding period is used up. `recent` are the moments of
    /// the exchanges made, latest first, as many as the period allows at most.
    #[must_use]
    pub(crate) fn next_at(&self, recent: &[Timestamp], now: Timestamp) -> Option<Timestamp> {
        let per = self.per.as_ref()?;
        let most = usize::try_from(self.max).ok()?;
        let free = recent.get(most.checked_sub(1)?)?.plus_secs(per.secs());
        (free > now).then_some(free)
    }

    /// Whether it is at most another: no higher number, in no shorter period.
    #[must_use]
    pub(crate) fn is_within(&self, wider: &Self) -> bool {
        let stretch = match (&self.per, &wider.per) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(per), Some(wider)) => per.secs() >= wider.secs(),
        };
        stretch && (1..=wider.max).contains(&self.max)
    }
}

/// One entry of `authorization_details` (RFC 9396), strictly parsed, not checked yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthorizationDetail {
    /// [`DETAIL_TYPE`].
    #[serde(rename = "type")]
    pub kind: String,
    /// The holder, exactly one.
    pub(crate) locations: Vec<String>,
    /// The dataset at the holder.
    pub identifier: DatasetId,
    /// `["read"]`.
    pub(crate) actions: Vec<String>,
    pub(crate) datatypes: Vec<FieldPath>,
    /// Whose records; everybody's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) persons: Option<Persons>,
    /// The declared use that the request rests on.
    #[serde(rename = "use")]
    pub declared_use: UseId,
    /// The use's purpose.
    pub purpose: String,
    /// The period of the data; the whole history when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) period: Option<Period>,
    pub(crate) frequency: Frequency,
    /// Retention by the recipient, ISO 8601 duration in days, months or years.
    pub(crate) retention: RetentionPeriod,
    /// The last day on which it may be fetched.
    pub(crate) until: Day,
}

impl AuthorizationDetail {
    /// The request added to what is allowed already: all fields of both, the later end, the higher frequency, the
    /// longer retention, the period that spans both, and the persons and records of both. Other members are the request's.
    #[must_use]
    pub(crate) fn merged_with(&self, allowed: &Self) -> Self {
        let mut merged = self.clone();
        let more = allowed.datatypes.iter().filter(|field| !self.datatypes.contains(field));
        merged.datatypes.extend(more.cloned());
        merged.until = self.until.max(allowed.until);
        if self.frequency.is_within(&allowed.frequency) {
            merged.frequency = allowed.frequency.clone();
        }
        if self.retention.is_within(&allowed.retention) {
            merged.retention.clone_from(&allowed.retention);
        }
        merged.persons =
            self.persons.as_ref().zip(allowed.persons.as_ref()).map(|(one, other)| one.merged_with(other));
        merged.period = self
            .period
            .zip(allowed.period)
            .map(|(one, other)| Period { from: one.from.min(other.from), to: one.to.max(other.to) });
        merged
    }

    /// Whether it is within a declared use: the recipient's own check of what a holder granted.
    #[must_use]
    pub(crate) fn is_within(&self, declared: &DeclaredUse, now: Timestamp) -> bool {
        let fields: BTreeSet<&FieldPath> = self.datatypes.iter().collect();
        self.kind == DETAIL_TYPE
            && self.actions == ["read"]
            && self.declared_use == declared.id
            && self.purpose == declared.purpose
            && declared.inside_city == (self.locations == [declared.id.recipient()])
            && self.persons.as_ref().is_none_or(Persons::is_well_formed)
            && fields.len() == self.datatypes.len()
            && self.datatypes.iter().all(|field| declared.allows_field(field))
            && declared.required_fields.iter().all(|field| fields.contains(field))
            && self.frequency.is_within(&Frequency::declared(declared))
            && self.retention.is_within(&declared.retention)
            && fits_until(self.until, now, i64::from(declared.max_days).min(LONGEST_DAYS))
    }
}

/// Why a request does not match its declared use or the dataset (`invalid_authorization_details`, RFC 9396 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.message())]
pub enum DetailError {
    /// Not `omadata_dataset`.
    Type,
    /// Not exactly this holder.
    Location,
    /// Not exactly `read`.
    Action,
    /// The use is another recipient's.
    ForeignUse,
    /// The use is for the recipient's own city, or for others only.
    OtherHolder,
    /// The dataset is not of the kind in the use.
    DatasetKind,
    /// A field is outside of the use or the dataset, repeated, or a required one is missing.
    Fields,
    /// An object or list with fields of its own is named instead of these.
    FieldsTooWide,
    /// Not the use's purpose.
    Purpose,
    /// Zero, or more than the use allows.
    Frequency,
    /// Longer than the use allows, or not a duration.
    Retention,
    /// In the past, or further ahead than the use allows.
    Until,
    /// From after to, or a dataset whose records have no dates.
    Period,
    /// Malformed, or a dataset whose records do not name them.
    Persons,
}

/// What one consent covers. Created only by [`Terms::narrowed`] from a request and by [`Terms::decided`] from those.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Terms {
    /// The holder.
    pub holder: EntityId,
    /// The recipient.
    pub recipient: EntityId,
    /// The declared use that it rests on.
    pub declared_use: UseId,
    /// The dataset at the holder.
    pub dataset: DatasetId,
    /// The fields covered, in the dataset's order.
    pub fields: Vec<FieldPath>,
    /// Whose records; everybody's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub persons: Option<Persons>,
    /// The purpose, a DPV term.
    pub purpose: String,
    /// The period of the data; the whole history when absent.
    pub(crate) period: Option<Period>,
    /// Number of exchanges over the consent's whole life, or in any period of length `per`.
    pub max_exchanges: u32,
    /// The period; the whole life when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per: Option<Window>,
    /// Retention by the recipient, ISO 8601 duration.
    pub(crate) retention: RetentionPeriod,
    /// The last day on which it may be fetched.
    pub(crate) until: Day,
}

/// What a request is checked against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds<'a> {
    /// This node.
    pub holder: &'a EntityId,
    /// The client that asks.
    pub recipient: &'a EntityId,
    /// The dataset that it asks for.
    pub dataset: &'a Dataset,
    /// The declared use that it names, as published by its recipient.
    pub declared_use: &'a DeclaredUse,
    /// Now.
    pub now: Timestamp,
}

impl DetailError {
    /// The fault, as a constant sentence for the client's developer.
    #[must_use]
    pub(crate) const fn message(self) -> &'static str {
        match self {
            Self::Type => "type must be omadata_dataset",
            Self::Location => "locations must name this holder and nothing else",
            Self::Action => "actions must be [\"read\"]",
            Self::ForeignUse => "use must be one of the client's own declared uses",
            Self::OtherHolder => "the declared use does not ask this city",
            Self::DatasetKind => "the dataset is not of the declared use's kind",
            Self::Fields => "datatypes go beyond the declared use, repeat, or lack a required field",
            Self::FieldsTooWide => {
                "datatypes name an object or list as a whole: name its fields, such as unit.name"
            }
            Self::Purpose => "purpose differs from the declared use",
            Self::Frequency => "frequency is outside the declared use",
            Self::Retention => "retention is outside the declared use",
            Self::Until => "until is outside the declared use",
            Self::Period => "period is not one that the dataset can be limited to",
            Self::Persons => "persons are repeated, too many, or not what the dataset can be narrowed to",
        }
    }
}

impl Terms {
    /// Checks a request against the declared use and the dataset.
    ///
    /// # Errors
    /// [`DetailError`]: the first way in which the request exceeds them.
    pub(crate) fn narrowed(detail: &AuthorizationDetail, bounds: &Bounds<'_>) -> Result<Self, DetailError> {
        let declared = bounds.declared_use;
        let require = |holds: bool, error: DetailError| if holds { Ok(()) } else { Err(error) };
        require(detail.kind == DETAIL_TYPE, DetailError::Type)?;
        require(detail.locations == [bounds.holder.as_str()], DetailError::Location)?;
        require(detail.actions == ["read"], DetailError::Action)?;
        require(
            detail.declared_use == declared.id
                && detail.declared_use.recipient() == bounds.recipient.as_str(),
            DetailError::ForeignUse,
        )?;
        require(declared.may_be_asked_of(bounds.holder), DetailError::OtherHolder)?;
        require(
            detail.identifier == bounds.dataset.id && bounds.dataset.kind == declared.dataset_type,
            DetailError::DatasetKind,
        )?;
        require(detail.purpose == declared.purpose, DetailError::Purpose)?;
        let fields = order_fields(&detail.datatypes, bounds)?;
        require(detail.frequency.is_within(&Frequency::declared(declared)), DetailError::Frequency)?;
        require(detail.retention.is_within(&declared.retention), DetailError::Retention)?;
        let longest = i64::from(declared.max_days).min(LONGEST_DAYS);
        require(fits_until(detail.until, bounds.now, longest), DetailError::Until)?;
        require(
            detail.period.is_none_or(|period| bounds.dataset.period.is_some() && period.from <= period.to),
            DetailError::Period,
        )?;
        let narrowing = bounds.dataset.narrowing;
        let can_narrow = |persons: &Persons| {
            persons.is_well_formed()
                && narrowing.is_possible()
                && (narrowing.records || !persons.names_records())
        };
        require(detail.persons.as_ref().is_none_or(can_narrow), DetailError::Persons)?;
        Ok(Self {
            holder: bounds.holder.clone(),
            recipient: bounds.recipient.clone(),
            declared_use: detail.declared_use.clone(),
            dataset: detail.identifier.clone(),
            fields,
            persons: detail.persons.clone(),
            purpose: detail.purpose.clone(),
            period: detail.period,
            max_exchanges: detail.frequency.max,
            per: detail.frequency.per.clone(),
            retention: detail.retention.clone(),
            until: detail.until,
        })
    }

    #[must_use]
    pub(crate) fn frequency(&self) -> Frequency {
        Frequency { max: self.max_exchanges, per: self.per.clone() }
    }

    /// When the next exchange is allowed, if the number of the sliding period is used up; see [`Frequency::next_at`].
    #[must_use]
    pub fn next_at(&self, recent: &[Timestamp], now: Timestamp) -> Option<Timestamp> {
        self.frequency().next_at(recent, now)
    }

    /// The terms as the resident decided them: without some optional fields, with a lower frequency, an earlier end, a
    /// shorter period, a shorter retention, or for some persons and records only.
    ///
    /// # Errors
    /// [`DetailError`] when the choice exceeds the offer or drops a required field.
    pub fn decided(
        &self,
        choice: &Choice,
        required: &[FieldPath],
        now: Timestamp,
    ) -> Result<Self, DetailError> {
        if required.iter().any(|field| !choice.fields.contains(field))
            || choice.fields.iter().any(|field| !self.fields.contains(field))
        {
            return Err(DetailError::Fields);
        }
        if !choice.frequency.is_within(&self.frequency()) {
            return Err(DetailError::Frequency);
        }
        if !choice.retention.is_within(&self.retention) {
            return Err(DetailError::Retention);
        }
        let narrower = match (choice.period, self.period) {
            (Some(chosen), Some(offered)) => chosen.is_within(&offered),
            (Some(chosen), None) => chosen.from <= chosen.to,
            (None, offered) => offered.is_none(),
        };
        if !narrower {
            return Err(DetailError::Period);
        }
        if choice.until > self.until || choice.until.end() <= now {
            return Err(DetailError::Until);
        }
        let well_formed = choice.persons.as_ref().is_none_or(Persons::is_well_formed);
        if !well_formed || !Persons::narrows(choice.persons.as_ref(), self.persons.as_ref()) {
            return Err(DetailError::Persons);
        }
        let mut decided = self.clone();
        decided.persons.clone_from(&choice.persons);
        decided.fields.retain(|field| choice.fields.contains(field));
        decided.max_exchanges = choice.frequency.max;
        decided.per = choice.frequency.per.clone();
        decided.period = choice.period;
        decided.retention.clone_from(&choice.retention);
        decided.until = choice.until;
        Ok(decided)
    }

    /// The terms as an `authorization_details` entry, for the token and its response.
    #[must_use]
    pub(crate) fn to_detail(&self) -> AuthorizationDetail {
        AuthorizationDetail {
            kind: DETAIL_TYPE.to_owned(),
            locations: vec![self.holder.to_string()],
            identifier: self.dataset.clone(),
            actions: vec!["read".to_owned()],
            datatypes: self.fields.clone(),
            persons: self.persons.clone(),
            declared_use: self.declared_use.clone(),
            purpose: self.purpose.clone(),
            period: self.period,
            frequency: self.frequency(),
            retention: self.retention.clone(),
            until: self.until,
        }
    }
}

/// The resident's choices on the consent page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Required and kept optional fields.
    pub(crate) fields: BTreeSet<FieldPath>,
    /// Whose records; everybody's when absent.
    pub(crate) persons: Option<Persons>,
    pub(crate) frequency: Frequency,
    /// The period of the data.
    pub(crate) period: Option<Period>,
    /// Retention by the recipient, ISO 8601 duration.
    pub(crate) retention: RetentionPeriod,
    pub(crate) until: Day,
}

fn order_fields(asked: &[FieldPath], bounds: &Bounds<'_>) -> Result<Vec<FieldPath>, DetailError> {
    let wanted: BTreeSet<&FieldPath> = asked.iter().collect();
    if asked.iter().any(|path| bounds.dataset.is_too_wide(path)) {
        return Err(DetailError::FieldsTooWide);
    }
    let offered = bounds.dataset.paths();
    let may_be_asked = |path: &FieldPath| bounds.declared_use.allows_field(path) && offered.contains(path);
    if asked.is_empty()
        || wanted.len() != asked.len()
        || !asked.iter().all(may_be_asked)
        || !bounds.declared_use.required_fields.iter().all(|field| wanted.contains(field))
    {
        return Err(DetailError::Fields);
    }
    Ok(offered.into_iter().filter(|path| wanted.contains(path)).collect())
}

/// Whether a last day is in the future, and at most so many days ahead.
#[must_use]
pub(crate) fn fits_until(until: Day, now: Timestamp, longest_days: i64) -> bool {
    until.end() > now && until.end() <= now.plus_secs((longest_days + 1) * 86_400)
}

#[cfg(test)]
mod tests;
