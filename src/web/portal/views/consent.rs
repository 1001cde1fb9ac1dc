//! `/consent/{request}`: the decision. Its form posts to the same address:
//!
//! | name | value |
//! |---|---|
//! | `csrf`, `offer_hash` | as in the view |
//! | `field` | an optional field that is given, once for each |
//! | `duration` | `once` or `until` |
//! | `until` | the last day, `YYYY-MM-DD`, counts with `duration=until` |
//! | `times` | how many fetches at most, counts with `duration=until` |
//! | `reach_from`, `reach_to` | days that the data may be about, both or neither |
//! | `retention` | how long it may be kept, one of those offered |
//! | `never` | `use`, `partner` or `dataset`: refused for good, counts with `decision=deny` |
//! | `decision` | `allow` or `deny` |

use std::collections::BTreeMap;

use super::parts::Party;
use crate::domain::catalogue::{Contact, Sensitivity, Text};
use crate::domain::clock::{Day, Timestamp};
use crate::domain::ids::{ConsentId, FieldName, RequestId};

/// A field that is asked for.
#[derive(Debug, Clone)]
pub struct ConsentField {
    /// Its name in the records.
    pub name: FieldName,
    /// What people call it.
    pub label: Text,
    /// How careful one must be with it.
    pub sensitivity: Sensitivity,
    /// What people call the codes that it uses; may be empty.
    pub codes: BTreeMap<String, Text>,
}

impl ConsentField {
    pub(in crate::web::portal) const fn is_sensitive(&self) -> bool {
        matches!(self.sensitivity, Sensitivity::Sensitive)
    }
}

/// One record about the resident, or about a child of theirs.
#[derive(Clone)]
pub struct ConsentRecord {
    /// Whom it is about when not the resident: the child's first name. Without one, records are numbered.
    pub title: Option<String>,
    /// The actual values of the fields that are asked for; a field without a value is shown as "–".
    pub values: BTreeMap<FieldName, serde_json::Value>,
}

impl std::fmt::Debug for ConsentRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ConsentRecord([{} values redacted])", self.values.len())
    }
}

impl ConsentRecord {
    pub(in crate::web::portal) fn value(&self, name: &FieldName) -> &serde_json::Value {
        self.values.get(name).unwrap_or(&serde_json::Value::Null)
    }
}

/// Within which limits the resident can choose.
#[derive(Debug, Clone, Copy)]
pub struct ConsentLimits {
    /// The last day of a permission for one fetch.
    pub once_until: Day,
    /// The earliest last day that can be chosen: today.
    pub earliest_until: Day,
    /// The latest last day that can be chosen.
    pub latest_until: Day,
    /// The last day that the service proposes, within the two above.
    pub proposed_until: Day,
    /// How many fetches can be allowed at most; 1 leaves "once" as the only choice.
    pub max_times: u32,
    /// How many fetches the service proposes.
    pub proposed_times: u32,
}

/// How far back the data goes.
#[derive(Debug, Clone, Copy)]
pub enum HistoryReach {
    /// What the register says now.
    Current,
    /// What concerns a time.
    Period {
        /// First day.
        from: Day,
        /// Last day.
        to: Day,
    },
}

/// What a new permission would change against the one that there is.
#[derive(Debug, Clone)]
pub struct Instead {
    /// The permission that there is.
    pub permission: ConsentId,
    /// Whether the new one adds to it, or comes in its place as a whole.
    pub extends: bool,
    /// Fields that the old one does not cover.
    pub new_fields: Vec<Text>,
    /// Fields that the old one covers and the new one would not.
    pub dropped_fields: Vec<Text>,
    /// The old last day.
    pub until: Day,
    /// The new last day at most.
    pub new_until: Day,
    /// How many times before, and in which stretch of time.
    pub times: (u32, Option<String>),
    /// How many times at most, and in which stretch of time.
    pub new_times: (u32, Option<String>),
}

/// Whether the data asks for a passkey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasskeyNeed {
    /// It does not.
    None,
    /// It does, and the resident has one.
    Ready,
    /// It does, and the resident has to add one first.
    Missing,
}

/// The decision page.
#[derive(Debug, Clone)]
pub struct ConsentView {
    /// The request that is decided.
    pub request: RequestId,
    /// Who asks.
    pub asker: Party,
    /// Whether the asking city is a verified member of the network; the page says so either way.
    pub verified: bool,
    /// What changes against a permission that there is, when the request is about one.
    pub instead: Option<Instead>,
    /// The city that holds the data: this one.
    pub holder: Text,
    /// What people call the data.
    pub dataset: Text,
    /// What people call the register that it comes from.
    pub register: Text,
    /// What for, in one sentence.
    pub purpose: Text,
    /// Fields without which the service cannot work.
    pub required: Vec<ConsentField>,
    /// Fields that the resident may add; none is ticked.
    pub optional: Vec<ConsentField>,
    /// Fields of the same data that are not asked for, and not given.
    pub not_asked: Vec<Text>,
    /// The resident's actual records.
    pub records: Vec<ConsentRecord>,
    /// What the resident can choose.
    pub limits: ConsentLimits,
    /// The stretch of time that the number of fetches is about, ISO 8601 duration; the permission's whole life when none.
    pub per: Option<String>,
    /// How far back the data goes.
    pub reach: HistoryReach,
    /// Whether the resident can limit it to a part of that time.
    pub reach_choice: bool,
    /// How long the one who asks keeps the data, ISO 8601 duration.
    pub retention: String,
    /// Shorter times that the resident can choose instead, longest first.
    pub shorter_retentions: Vec<String>,
    /// To whom the one who asks gives the data on; empty means to nobody.
    pub onward: Vec<Text>,
    /// On which basis it is fetched, a DPV term.
    pub legal_basis: String,
    /// Who is responsible for the data at the one who asks.
    pub controller: Contact,
    /// Its data protection officer.
    pub data_protection_officer: Contact,
    /// What "no" means, and the equivalent other way.
    pub otherwise: Text,
    /// Whether a "no" can be for good: when a service asked.
    pub can_refuse_for_good: bool,
    /// First names of the children on whose behalf the resident decides; empty when it is about themselves alone.
    pub on_behalf_of: Vec<String>,
    /// When the request lapses by itself.
    pub expires_at: Timestamp,
    /// The hash of what is shown, so that nothing else can be decided.
    pub offer_hash: String,
    /// Whether a passkey must sign too.
    pub passkey: PasskeyNeed,
}

page!(ConsentView, "consent.html", None);
