//! `/consent/{id}`: the content of the decision page.

use std::collections::BTreeMap;

use serde_json::Value;

use super::form::{DecisionInput, FieldError};
use super::persons::PersonsChoice;
use crate::domain::catalogue::{Contact, Field, FieldTree, FieldType, Text};
use crate::domain::clock::{Day, Timestamp};
use crate::domain::consent::Persons;
use crate::domain::consent::document::ShownPerson;
use crate::domain::ids::{ConsentId, FieldName, FieldPath, PairwisePerson, PairwiseRecord, RequestId};
use crate::web::html::format::Html;
use crate::web::html::frame::Frame;
use crate::web::html::page;
use crate::web::portal::party::Party;
use crate::web::portal::reach::HistoryReach;

/// A field without which the service cannot work: of an object or list, the parts that are requested.
#[derive(Debug, Clone)]
pub(crate) struct RequiredField {
    pub(crate) field: Field,
    pub(crate) within: FieldTree,
}

/// A field that the resident may add.
#[derive(Debug, Clone)]
pub(crate) struct OptionalField {
    /// Its path in the records.
    pub(crate) path: FieldPath,
    /// Its label within its group.
    pub(crate) label: Text,
    pub(crate) sensitive: bool,
    pub(crate) field: Field,
}

/// Optional fields of one object or list, or one field that stands alone.
#[derive(Debug, Clone)]
pub(crate) struct OptionalGroup {
    /// Label of the object or list.
    pub(crate) label: Option<Text>,
    pub(crate) fields: Vec<OptionalField>,
}

/// One record about the resident, or about a child of theirs.
#[derive(Clone)]
pub(crate) struct ConsentRecord {
    /// The child's first name, if it is not about the resident. Without one, records are numbered.
    pub(crate) title: Option<String>,
    /// The values of the requested fields; a field without a value is shown as "–".
    pub(crate) values: BTreeMap<FieldName, Value>,
}

impl std::fmt::Debug for ConsentRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ConsentRecord([{} values redacted])", self.values.len())
    }
}

impl ConsentRecord {
    /// The value of a field of the record.
    pub(crate) fn value(&self, name: &FieldName) -> &Value {
        self.values.get(name).unwrap_or(&Value::Null)
    }

    /// The value at a path: one, or one for each row of a list.
    pub(crate) fn at(&self, path: &FieldPath) -> Vec<Value> {
        let names: Vec<&str> = path.names().collect();
        let Some((outer, within)) = names.split_first() else { return Vec::new() };
        let top = self.values.iter().find(|(name, _)| name.as_str() == *outer);
        let mut found = Vec::new();
        collect(top.map_or(&Value::Null, |(_, value)| value), within, &mut found);
        found
    }
}

/// Adds the values under these names, through lists those of every row.
fn collect(value: &Value, names: &[&str], found: &mut Vec<Value>) {
    match (names.split_first(), value) {
        (None, value) => found.push(value.clone()),
        (Some(_), Value::Array(items)) => items.iter().for_each(|item| collect(item, names, found)),
        (Some((name, within)), value) => collect(value.get(name).unwrap_or(&Value::Null), within, found),
    }
}

/// The limits of the resident's choices.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConsentLimits {
    /// The last day of a permission for one fetch.
    pub(crate) once_until: Day,
    /// The earliest last day that can be chosen: today.
    pub(crate) earliest_until: Day,
    /// The latest last day that can be chosen.
    pub(crate) latest_until: Day,
    /// Maximum number of fetches; 1 leaves "once" as the only choice.
    pub(crate) max_times: u32,
}

/// The difference between a new permission and the present one.
#[derive(Debug, Clone)]
pub(crate) struct Instead {
    /// The permission that there is.
    pub(crate) permission: ConsentId,
    /// Whether the new one adds to it, or replaces it.
    pub(crate) extends: bool,
    /// Whose records the present permission covers, as shown then; empty for everybody's.
    pub(crate) persons: Vec<ShownPerson>,
    /// Fields that the old one does not cover.
    pub(crate) new_fields: Vec<Text>,
    /// Fields that the old one covers and the new one would not.
    pub(crate) dropped_fields: Vec<Text>,
    /// The old last day.
    pub(crate) until: Day,
    /// The new last day at most.
    pub(crate) new_until: Day,
    /// The previous number of fetches, and its period.
    pub(crate) times: (u32, Option<String>),
    /// The new maximum number of fetches, and its period.
    pub(crate) new_times: (u32, Option<String>),
}

/// Whether the dataset requires a passkey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PasskeyNeed {
    None,
    /// It does, and the resident has one.
    Ready,
    /// It does, and the resident has to add one first.
    Missing,
}

#[derive(Debug, Clone)]
pub(crate) struct ConsentView {
    /// The requesting city's own address: its name proves nothing.
    pub(crate) asker_address: String,
    /// The request that is decided.
    pub(crate) request: RequestId,
    pub(crate) asker: Party,
    /// The difference from a permission, when the request is about one.
    pub(crate) instead: Option<Instead>,
    /// The city that holds the data: this one.
    pub(crate) holder: Text,
    /// Display name of the data.
    pub(crate) dataset: Text,
    /// Display name of the register.
    pub(crate) register: Text,
    /// The purpose in one sentence.
    pub(crate) purpose: Text,
    /// Fields without which the service cannot work.
    pub(crate) required: Vec<RequiredField>,
    /// Fields that the resident may add; none is ticked.
    pub(crate) optional: Vec<OptionalGroup>,
    /// Fields of the same data that are not requested, and not released.
    pub(crate) not_asked: Vec<Text>,
    pub(crate) records: Vec<ConsentRecord>,
    /// The requested fields that a non-disclosure order keeps back.
    pub(crate) withheld: Vec<Text>,
    /// From when on the register has the values, if it needs time.
    pub(crate) available_from: Option<Timestamp>,
    /// Whether a permission can be narrowed to persons and records.
    pub(crate) narrows: bool,
    /// The persons and records to choose from.
    pub(crate) persons: PersonsChoice,
    /// Their hash, if there are any to choose from.
    pub(crate) shown_persons: Option<String>,
    /// The limits of the resident's choices.
    pub(crate) limits: ConsentLimits,
    /// The period of the number of fetches, ISO 8601 duration; the permission's whole life when none.
    pub(crate) per: Option<String>,
    /// How far back the data goes.
    pub(crate) reach: HistoryReach,
    /// Whether the resident can limit it to a part of that period.
    pub(crate) reach_choice: bool,
    /// The recipient's retention, ISO 8601 duration.
    pub(crate) retention: String,
    /// Shorter retention times that the resident can choose, longest first.
    pub(crate) shorter_retentions: Vec<String>,
    /// Further recipients of the data; empty for none.
    pub(crate) onward: Vec<Text>,
    /// Legal basis, a DPV term.
    pub(crate) legal_basis: String,
    /// The controller at the recipient.
    pub(crate) controller: Contact,
    /// Its data protection officer.
    pub(crate) data_protection_officer: Contact,
    /// What "no" means, and the equivalent alternative.
    pub(crate) otherwise: Text,
    /// Whether a "no" can be permanent: when a service requested.
    pub(crate) can_refuse_for_good: bool,
    /// First names of the children on whose behalf the resident decides; empty when it is only about themselves.
    pub(crate) on_behalf_of: Vec<String>,
    /// When the request expires.
    pub(crate) expires_at: Timestamp,
    /// The hash of what is shown, to detect changes at the decision.
    pub(crate) offer_hash: String,
    /// Whether a passkey must sign too.
    pub(crate) passkey: PasskeyNeed,
    /// The form's values: initial ones, or the resident's previous choices.
    pub(crate) input: DecisionInput,
    /// The form's faults, in the page's order.
    pub(crate) errors: Vec<FieldError>,
}

impl ConsentView {
    pub(crate) fn is_ticked(&self, field: &FieldPath) -> bool {
        self.input.fields.contains(field)
    }

    pub(crate) fn is_person(&self, id: &PairwisePerson) -> bool {
        self.input.persons.contains(id)
    }

    pub(crate) fn is_record(&self, id: &PairwiseRecord) -> bool {
        self.input.records.contains(id)
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
    /// The values of an optional field in one record.
    pub(crate) fn optional_value(&self, field: &OptionalField, record: &ConsentRecord) -> Html {
        let whole = FieldTree::default();
        match record.at(&field.path).as_slice() {
            [one] => self.field_value(&field.field, &whole, one),
            // One for each row, shown as a list is.
            rows => {
                let list =
                    Field { kind: FieldType::Array, items: Some(field.field.kind), ..field.field.clone() };
                self.field_value(&list, &whole, &Value::Array(rows.to_vec()))
            }
        }
    }

    /// A fault of the form and its correction (WCAG 2.2, success criteria 3.3.1 and 3.3.3).
    pub(crate) fn field_error(&self, error: &FieldError, view: &ConsentView) -> String {
        let t = &self.t;
        let limits = &view.limits;
        match error {
            FieldError::PersonsNone => t.field_persons_none(),
            FieldError::PersonsBoth => t.field_persons_both(),
            FieldError::PersonsTooMany => {
                t.field_persons_too_many(Persons::MOST_PERSONS, Persons::MOST_RECORDS)
            }
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
