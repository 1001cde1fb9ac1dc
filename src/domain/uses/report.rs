//! A service's report of a use, and the checks against the record of processing.

use serde::Deserialize;

use super::hiding::{HidingRules, shown_until};
use super::{UsagePeriod, UseDescription};
use crate::domain::catalogue::{Dataset, Processing, Text};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{
    DatasetId, FieldPath, HidingReason, Jti, NationalIdentifier, ProcessingId, RoleId, ServiceId,
};

/// How far ahead of this node's clock a reporter's may be, in seconds.
const MAX_SKEW_SECS: i64 = 60;

/// Maximum number of uses in one report.
pub(crate) const MAX_USES: usize = 500;

/// One use as a service reports it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ReportedUse {
    /// The service's own identifier of the event; a repeated one is no new use.
    pub(crate) id: Jti,
    /// The national identifier of the person whose data was used.
    pub(crate) person: String,
    /// The activity in the record of processing.
    #[serde(rename = "use")]
    pub(crate) activity: ProcessingId,
    pub(crate) dataset: DatasetId,
    /// The fields that were used; all of them when absent.
    #[serde(default)]
    pub(crate) fields: Vec<FieldPath>,
    /// The role of whoever used the data.
    #[serde(default)]
    pub(crate) role: Option<RoleId>,
    pub(crate) usage_period: ReportedPeriod,
    /// Until when the use is to be withheld from the person.
    #[serde(default)]
    pub(crate) hidden_until: Option<String>,
    /// The law that allows it.
    #[serde(default)]
    pub(crate) hidden_reason: Option<HidingReason>,
}

/// The period as reported, RFC 3339.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReportedPeriod {
    from: String,
    to: String,
}

/// What reports are checked against.
pub(crate) struct Surroundings<'a> {
    pub(crate) service: &'a ServiceId,
    pub(crate) processing: &'a [Processing],
    pub(crate) datasets: &'a [Dataset],
    pub(crate) hiding: Option<&'a HidingRules>,
    pub(crate) now: Timestamp,
}

/// A use that may be recorded.
pub(crate) struct CheckedUse {
    pub(crate) event: Jti,
    /// Dataset, role and fields by their names, which stay while the texts of the configuration change.
    pub(crate) reported: String,
    pub(crate) person: NationalIdentifier,
    pub(crate) activity: ProcessingId,
    pub(crate) description: UseDescription,
    pub(crate) period: UsagePeriod,
    /// When it is no longer shown.
    pub(crate) expires_at: Timestamp,
    /// The proposed end and the reason of withholding it.
    pub(crate) hidden: Option<(Timestamp, HidingReason)>,
}

impl ReportedUse {
    /// Checks a reported use; the fault says what is wrong with it and quotes nothing.
    pub(crate) fn check(self, around: &Surroundings<'_>) -> Result<CheckedUse, &'static str> {
        let person =
            NationalIdentifier::new(&self.person).map_err(|_| "person is not a national identifier")?;
        let activity = around
            .processing
            .iter()
            .find(|one| one.id == self.activity && &one.service == around.service)
            .ok_or("use is not in the record of processing of this service")?;
        if !activity.datasets.contains(&self.dataset) {
            return Err("dataset is not among those of the use");
        }
        let dataset = around
            .datasets
            .iter()
            .find(|dataset| dataset.id == self.dataset)
            .ok_or("dataset is not one of this city")?;
        let fields = labels(dataset, &self.fields).ok_or("fields are not those of the dataset, each once")?;
        let role = match &self.role {
            None => None,
            Some(role) => {
                Some(activity.roles.get(role).cloned().ok_or("role is not among those of the use")?)
            }
        };
        let period = self.usage_period.check(around.now)?;
        let expires_at = period.to.plus_secs(i64::from(activity.retention.days()).saturating_mul(86_400));
        if expires_at <= around.now {
            return Err("usagePeriod ended longer ago than the use's retention");
        }
        let hidden = match (&self.hidden_until, self.hidden_reason) {
            (None, None) => None,
            (Some(until), Some(reason)) => {
                Some((check_hiding(around.hiding, around.service, until, &reason, around.now)?, reason))
            }
            _ => return Err("hiddenUntil and hiddenReason belong together"),
        };
        let expires_at = match &hidden {
            Some((until, _)) => expires_at.max(shown_until(*until)),
            None => expires_at,
        };
        let names: Vec<&str> = self.fields.iter().map(FieldPath::as_str).collect();
        let role_name = self.role.as_ref().map_or("", RoleId::as_str);
        Ok(CheckedUse {
            reported: [self.dataset.as_str(), role_name, &names.join(",")].join(";"),
            event: self.id,
            person,
            activity: self.activity,
            description: describe(activity, Some(dataset.title.clone()), fields, role),
            period,
            expires_at,
            hidden,
        })
    }
}

/// The description of a use under an activity.
pub(crate) fn describe(
    activity: &Processing,
    dataset: Option<Text>,
    fields: Vec<Text>,
    role: Option<Text>,
) -> UseDescription {
    UseDescription {
        service: activity.service_name.clone(),
        role,
        purpose: activity.purpose_text.clone(),
        legal_basis: activity.legal_basis.clone(),
        law: Some(activity.law.clone()),
        dataset,
        fields,
    }
}

/// The fields' labels; `None` when one is unknown or named twice.
fn labels(dataset: &Dataset, names: &[FieldPath]) -> Option<Vec<Text>> {
    let mut seen: Vec<&FieldPath> = Vec::new();
    let mut labels = Vec::new();
    for name in names {
        if seen.contains(&name) {
            return None;
        }
        seen.push(name);
        labels.push(dataset.leaf(name)?.label());
    }
    Some(labels)
}

impl ReportedPeriod {
    fn check(&self, now: Timestamp) -> Result<UsagePeriod, &'static str> {
        let moment = |text: &str| text.parse::<Timestamp>().map_err(|_| "usagePeriod is not in RFC 3339");
        let period = UsagePeriod { from: moment(&self.from)?, to: moment(&self.to)? };
        period.check(now)
    }
}

impl UsagePeriod {
    /// A period that ends after it begins, and not in the future.
    pub(crate) fn check(self, now: Timestamp) -> Result<Self, &'static str> {
        if self.from > self.to {
            return Err("usagePeriod ends before it begins");
        }
        if self.to > now.plus_secs(MAX_SKEW_SECS) {
            return Err("usagePeriod ends in the future");
        }
        Ok(self)
    }
}

/// Checks a proposal to withhold a use; returns its end.
fn check_hiding(
    rules: Option<&HidingRules>,
    service: &ServiceId,
    until: &str,
    reason: &HidingReason,
    now: Timestamp,
) -> Result<Timestamp, &'static str> {
    let rules = rules
        .filter(|rules| rules.proposers.contains(service))
        .ok_or("this service may not propose to withhold a use")?;
    if !rules.reasons.contains_key(reason) {
        return Err("hiddenReason is not among the configured ones");
    }
    let until = until.parse::<Timestamp>().map_err(|_| "hiddenUntil is not in RFC 3339")?;
    if until <= now || until > rules.latest(now) {
        return Err("hiddenUntil is not ahead, or later than the configured maximum");
    }
    Ok(until)
}
