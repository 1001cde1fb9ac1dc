//! `/consent/{id}`: what the decision page shows.

use std::collections::BTreeMap;

use super::form::{DecisionInput, FieldError};
use crate::domain::catalogue::{Contact, Sensitivity, Text};
use crate::domain::clock::{Day, Timestamp};
use crate::domain::ids::{ConsentId, FieldName, RequestId};
use crate::web::html::frame::Frame;
use crate::web::html::page;
use crate::web::portal::party::Party;
use crate::web::portal::reach::HistoryReach;

/// A field that is asked for.
#[derive(Debug, Clone)]
pub(crate) struct ConsentField {
    /// Its name in the records.
    pub(crate) name: FieldName,
    /// What people call it.
    pub(crate) label: Text,
    /// How careful one must be with it.
    pub(crate) sensitivity: Sensitivity,
    /// What people call the codes that it uses; may be empty.
    pub(crate) codes: BTreeMap<String, Text>,
}

impl ConsentField {
    pub(crate) const fn is_sensitive(&self) -> bool {
        matches!(self.sensitivity, Sensitivity::Sensitive)
    }
}

/// One record about the resident, or about a child of theirs.
#[derive(Clone)]
pub(crate) struct ConsentRecord {
    /// Whom it is about when not the resident: the child's first name. Without one, records are numbered.
    pub(crate) title: Option<String>,
    /// The actual values of the fields that are asked for; a field without a value is shown as "–".
    pub(crate) values: BTreeMap<FieldName, serde_json::Value>,
}

impl std::fmt::Debug for ConsentRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ConsentRecord([{} values redacted])", self.values.len())
    }
}

impl ConsentRecord {
    pub(crate) fn value(&self, name: &FieldName) -> &serde_json::Value {
        self.values.get(name).unwrap_or(&serde_json::Value::Null)
    }
}

/// Within which limits the resident can choose.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConsentLimits {
    /// The last day of a permission for one fetch.
    pub(crate) once_until: Day,
    /// The earliest last day that can be chosen: today.
    pub(crate) earliest_until: Day,
    /// The latest last day that can be chosen.
    pub(crate) latest_until: Day,
    /// How many fetches can be allowed at most; 1 leaves "once" as the only choice.
    pub(crate) max_times: u32,
}

/// What a new permission would change against the one that there is.
#[derive(Debug, Clone)]
pub(crate) struct Instead {
    /// The permission that there is.
    pub(crate) permission: ConsentId,
    /// Whether the new one adds to it, or comes in its place as a whole.
    pub(crate) extends: bool,
    /// Fields that the old one does not cover.
    pub(crate) new_fields: Vec<Text>,
    /// Fields that the old one covers and the new one would not.
    pub(crate) dropped_fields: Vec<Text>,
    /// The old last day.
    pub(crate) until: Day,
    /// The new last day at most.
    pub(crate) new_until: Day,
    /// How many times before, and in which stretch of time.
    pub(crate) times: (u32, Option<String>),
    /// How many times at most, and in which stretch of time.
    pub(crate) new_times: (u32, Option<String>),
}

/// Whether the data asks for a passkey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PasskeyNeed {
    /// It does not.
    None,
    /// It does, and the resident has one.
    Ready,
    /// It does, and the resident has to add one first.
    Missing,
}

/// The decision page.
#[derive(Debug, Clone)]
pub(crate) struct ConsentView {
    /// The asking city's own address: what it calls itself proves nothing.
    pub(crate) asker_address: String,
    /// The request that is decided.
    pub(crate) request: RequestId,
    pub(crate) asker: Party,
    /// What changes against a permission that there is, when the request is about one.
    pub(crate) instead: Option<Instead>,
    /// The city that holds the data: this one.
    pub(crate) holder: Text,
    /// What people call the data.
    pub(crate) dataset: Text,
    /// What people call the register that it comes from.
    pub(crate) register: Text,
    /// What for, in one sentence.
    pub(crate) purpose: Text,
    /// Fields without which the service cannot work.
    pub(crate) required: Vec<ConsentField>,
    /// Fields that the resident may add; none is ticked.
    pub(crate) optional: Vec<ConsentField>,
    /// Fields of the same data that are not asked for, and not given.
    pub(crate) not_asked: Vec<Text>,
    /// The resident's actual records.
    pub(crate) records: Vec<ConsentRecord>,
    /// What the resident can choose.
    pub(crate) limits: ConsentLimits,
    /// The stretch of time that the number of fetches is about, ISO 8601 duration; the permission's whole life when none.
    pub(crate) per: Option<String>,
    /// How far back the data goes.
    pub(crate) reach: HistoryReach,
    /// Whether the resident can limit it to a part of that time.
    pub(crate) reach_choice: bool,
    /// How long the one who asks keeps the data, ISO 8601 duration.
    pub(crate) retention: String,
    /// Shorter times that the resident can choose instead, longest first.
    pub(crate) shorter_retentions: Vec<String>,
    /// To whom the one who asks gives the data on; empty means to nobody.
    pub(crate) onward: Vec<Text>,
    /// On which basis it is fetched, a DPV term.
    pub(crate) legal_basis: String,
    /// Who is responsible for the data at the one who asks.
    pub(crate) controller: Contact,
    /// Its data protection officer.
    pub(crate) data_protection_officer: Contact,
    /// What "no" means, and the equivalent other way.
    pub(crate) otherwise: Text,
    /// Whether a "no" can be for good: when a service asked.
    pub(crate) can_refuse_for_good: bool,
    /// First names of the children on whose behalf the resident decides; empty when it is about themselves alone.
    pub(crate) on_behalf_of: Vec<String>,
    /// When the request lapses by itself.
    pub(crate) expires_at: Timestamp,
    /// The hash of what is shown, so that nothing else can be decided.
    pub(crate) offer_hash: String,
    /// Whether a passkey must sign too.
    pub(crate) passkey: PasskeyNeed,
    /// What the form's fields contain: what is proposed, or what the resident chose before.
    pub(crate) input: DecisionInput,
    /// What is to be corrected before the decision is taken, in the page's order.
    pub(crate) errors: Vec<FieldError>,
}

impl ConsentView {
    pub(crate) fn is_ticked(&self, field: &FieldName) -> bool {
        self.input.fields.contains(field)
    }

    pub(crate) fn is_until(&self) -> bool {
        self.input.duration.as_deref() == Some("until")
    }

    pub(crate) fn until_input(&self) -> &str {
        self.input.until.as_deref().unwrap_or_default()
    }

    pub(crate) fn times_input(&self) -> &str {
        self.input.times.as_deref().unwrap_or_default()
    }

    pub(crate) fn reach_from_input(&self) -> &str {
        self.input.reach_from.as_deref().unwrap_or_default()
    }

    pub(crate) fn reach_to_input(&self) -> &str {
        self.input.reach_to.as_deref().unwrap_or_default()
    }

    pub(crate) fn is_retention(&self, retention: &str) -> bool {
        self.input.retention.as_deref().unwrap_or(&self.retention) == retention
    }

    pub(crate) fn is_never(&self, word: &str) -> bool {
        self.input.never.as_deref().unwrap_or_default() == word
    }

    /// The error of one form field, by its identifier in the page.
    pub(crate) fn error_of(&self, id: &str) -> Option<&FieldError> {
        self.errors.iter().find(|error| error.field_id() == id)
    }
}

impl Frame<'_> {
    /// What is wrong with a field of the decision and how to correct it (WCAG 2.2, success criteria 3.3.1 and 3.3.3).
    pub(crate) fn field_error(&self, error: &FieldError, view: &ConsentView) -> String {
        let t = &self.t;
        let limits = &view.limits;
        match error {
            FieldError::UntilNotADay => t.field_until_not_a_day(),
            FieldError::UntilOutside => {
                t.field_until_outside(self.day(&limits.earliest_until), self.day(&limits.latest_until))
            }
            FieldError::Times => t.field_times(limits.max_times),
            FieldError::ReachFromNotADay => t.field_reach_from_not_a_day(),
            FieldError::ReachToNotADay => t.field_reach_to_not_a_day(),
            FieldError::ReachReversed => t.field_reach_reversed(),
            FieldError::ReachFromOutside | FieldError::ReachToOutside => match view.reach {
                HistoryReach::Period { from, to } => t.field_reach_outside(self.day(&from), self.day(&to)),
                HistoryReach::Current => t.field_reach_reversed(),
            },
        }
        .to_string()
    }
}

page!(ConsentView, "consent.html");
