//! Datasets of a city, their fields, and the declared uses of its services.

pub(crate) mod assurance;
pub mod field;
pub mod odbc_string;
pub mod pointer;
pub(crate) mod processing;
pub(crate) mod purposes;
pub mod rdf;
pub mod register;
pub(crate) mod schema;
pub mod service;
pub(crate) mod tree;
pub(crate) mod value;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(crate) use assurance::{AssuranceRequirement, Levels};
pub(crate) use field::Leaf;
pub use field::{Field, FieldType};
pub use processing::{LegalReference, Processing};
pub(crate) use tree::FieldTree;

use super::clock::{RetentionPeriod, Timestamp, Window};
use super::ids::{
    DatasetId, DatasetType, EntityId, FieldName, FieldPath, NationalIdentifier, ServiceId, UseId,
};
use super::outside_text;

/// The three languages of every text: Finnish, Swedish, English.
#[allow(missing_docs, reason = "the names say it")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    Fi,
    Sv,
    En,
}

impl Language {
    /// All languages, in display order.
    pub(crate) const ALL: [Self; 3] = [Self::Fi, Self::Sv, Self::En];

    /// The BCP 47 tag.
    #[must_use]
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::Fi => "fi",
            Self::Sv => "sv",
            Self::En => "en",
        }
    }

    /// The language of a BCP 47 tag such as `sv-FI`, if it is one of these.
    #[must_use]
    pub(crate) fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next()?;
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }
}

/// A text in all three languages. Parsing requires every language, and cleans the text ([`outside_text`]).
#[allow(missing_docs, reason = "the names say it")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    #[serde(deserialize_with = "clean")]
    pub fi: String,
    #[serde(deserialize_with = "clean")]
    pub sv: String,
    #[serde(deserialize_with = "clean")]
    pub en: String,
}

/// Applied to every text, since people read it whatever its source (another city's declared use, a register's
/// description, the configuration).
fn clean<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    String::deserialize(deserializer).map(|text| outside_text::clean(&text))
}

impl Text {
    /// The same text in every language, if there is no translation.
    #[must_use]
    pub(crate) fn same(text: &str) -> Self {
        Self { fi: text.to_owned(), sv: text.to_owned(), en: text.to_owned() }
    }

    /// The text in one language.
    #[must_use]
    pub fn get(&self, language: Language) -> &str {
        match language {
            Language::Fi => &self.fi,
            Language::Sv => &self.sv,
            Language::En => &self.en,
        }
    }
}

/// The fields with a record's period of validity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PeriodFields {
    /// The record's first day.
    pub(crate) start: FieldName,
    /// The record's last day; open when the field is absent or null.
    pub(crate) end: Option<FieldName>,
}

/// What a permission can be narrowed to, because the records of the dataset name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Narrowing {
    /// The persons whom the records are about, other than their subject.
    pub persons: bool,
    /// The records themselves.
    pub records: bool,
}

impl Narrowing {
    /// Whether there is anything to narrow to.
    #[must_use]
    pub(crate) const fn is_possible(self) -> bool {
        self.persons || self.records
    }
}

/// A dataset in a holder's catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Dataset {
    /// Its identifier at this holder.
    pub id: DatasetId,
    /// Its kind, the same in every city.
    #[serde(rename = "type")]
    pub kind: DatasetType,
    pub(crate) title: Text,
    /// Description in one or two sentences.
    pub description: Text,
    /// Theme of the EU vocabulary (`EDUC`, `TRAN`, `SOCI`, `GOVE` …).
    pub(crate) theme: String,
    /// The records' fields, in display order.
    pub fields: Vec<Field>,
    /// Legal bases of the city's own use, as DPV terms (`A6-1-c`, `A6-1-e`).
    pub(crate) legal_bases: Vec<String>,
    /// ELI or other address of the legislation behind the city's own use.
    pub(crate) legislation: Vec<String>,
    /// How long the city keeps it, ISO 8601 duration.
    pub(crate) retention: RetentionPeriod,
    /// Display name of the register.
    pub register: Text,
    /// The fields with a record's period, if its records can be limited to a period.
    #[serde(default)]
    pub(crate) period: Option<PeriodFields>,
    /// The fields that are never given to anyone where the register tells of a non-disclosure order, each with all that is
    /// within. Not published.
    #[serde(skip)]
    pub protected_fields: Vec<FieldPath>,
    /// Where a resident asks for a correction (GDPR article 16); the city's contact when absent. Not published.
    #[serde(skip)]
    pub corrections: Option<Corrections>,
    /// What a permission for its records can be narrowed to.
    #[serde(default)]
    pub narrowing: Narrowing,
    /// Minimum `acr` of a login that may give a permission; `None` for no requirement.
    #[serde(default)]
    pub required_acr: Option<String>,
    /// Maximum age of a login that may give a permission, in seconds; `None` for no requirement.
    #[serde(default)]
    pub required_max_age_seconds: Option<u32>,
    /// Whether the resident must sign a permission with a passkey too.
    #[serde(default)]
    pub required_passkey: bool,
}

impl Dataset {
    /// The fields that a permission can name, at every level, in display order.
    #[must_use]
    pub(crate) fn leaves(&self) -> Vec<Leaf<'_>> {
        field::leaves(&self.fields)
    }

    /// The paths of its leaves, in display order.
    #[must_use]
    pub fn paths(&self) -> Vec<FieldPath> {
        self.leaves().into_iter().map(|leaf| leaf.path).collect()
    }

    /// The leaf with that path; `None` also for an object or list with fields of its own.
    #[must_use]
    pub(crate) fn leaf(&self, path: &FieldPath) -> Option<Leaf<'_>> {
        self.leaves().into_iter().find(|leaf| &leaf.path == path)
    }

    /// Whether a path names an object or list with fields of its own. A permission cannot name it: a field added to it
    /// later would be covered without having been decided.
    #[must_use]
    pub(crate) fn is_too_wide(&self, path: &FieldPath) -> bool {
        self.leaves().iter().any(|leaf| &leaf.path != path && leaf.path.is_within(path))
    }

    /// The fields to read so that these can be released: they themselves and those that date the record, in the dataset's
    /// order.
    #[must_use]
    pub(crate) fn to_read(&self, released: &[FieldPath]) -> Vec<FieldPath> {
        let dates = |path: &FieldPath| {
            self.period.as_ref().is_some_and(|period| {
                [Some(&period.start), period.end.as_ref()]
                    .into_iter()
                    .flatten()
                    .any(|name| name.as_str() == path.as_str())
            })
        };
        self.paths().into_iter().filter(|path| released.contains(path) || dates(path)).collect()
    }
}

/// A contact for residents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Contact {
    /// Name of the office.
    pub name: Text,
    /// E-mail address that residents may write to.
    #[serde(deserialize_with = "clean")]
    pub email: String,
}

/// Where a resident asks for a correction of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Corrections {
    /// What residents call it.
    pub(crate) name: Text,
    /// An https address of a page or form, or an e-mail address.
    pub(crate) address: String,
}

impl Corrections {
    /// The address as a link.
    #[must_use]
    pub(crate) fn href(&self) -> String {
        let is_page = self.address.contains("://");
        if is_page { self.address.clone() } else { format!("mailto:{}", self.address) }
    }
}

/// A recipient's published declaration of what one service may request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct DeclaredUse {
    /// Its URL.
    pub id: UseId,
    /// The service.
    pub service: ServiceId,
    /// Display name of the service.
    pub(crate) service_name: Text,
    /// Display name of this use.
    pub(crate) title: Text,
    /// The purpose in one sentence, as shown to the resident.
    pub(crate) purpose_text: Text,
    /// The purpose as a term of DPV or one of its extensions (`https://w3id.org/dpv#ServiceProvision`); see
    /// [`purposes::is_purpose`].
    pub purpose: String,
    /// The legal basis as a DPV term (`A6-1-a` for consent).
    pub(crate) legal_basis: String,
    /// The kind of the requested dataset.
    pub dataset_type: DatasetType,
    /// Whether it is requested of the recipient's own city, and of no other.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inside_city: bool,
    /// Fields without which the service cannot work.
    pub required_fields: Vec<FieldPath>,
    /// Fields that the resident may leave out.
    #[serde(default)]
    pub optional_fields: Vec<FieldPath>,
    /// Maximum number of exchanges under one permission: in all, or in any period of length `per`.
    pub max_exchanges: u32,
    /// The period, if a permission may be used repeatedly until its last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) per: Option<Window>,
    /// Maximum duration of one permission, in days (at most 365).
    pub max_days: u16,
    /// Retention by the recipient, ISO 8601 duration.
    pub(crate) retention: RetentionPeriod,
    /// What "no" means, and the equivalent alternative.
    pub(crate) otherwise: Text,
    /// The controller at the recipient.
    pub(crate) controller: Contact,
    /// The recipient's data protection officer.
    pub data_protection_officer: Contact,
}

impl DeclaredUse {
    /// Whether a field may be requested under this use.
    #[must_use]
    pub(crate) fn allows_field(&self, path: &FieldPath) -> bool {
        self.required_fields.contains(path) || self.optional_fields.contains(path)
    }

    /// Whether it may be requested of a holder: of the own city or of others.
    #[must_use]
    pub(crate) fn may_be_asked_of(&self, holder: &EntityId) -> bool {
        self.inside_city == (self.id.recipient() == holder.as_str())
    }
}

/// The document at `/catalogue/uses`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeclaredUses {
    /// The recipient that publishes it.
    pub recipient: EntityId,
    /// Display name of the recipient.
    pub name: Text,
    /// The uses of all its services.
    pub uses: Vec<DeclaredUse>,
}

/// One record as read from a register.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// The subject of the record, as the register states it.
    pub subject: NationalIdentifier,
    /// The values by field of the dataset; objects and lists hold the read fields only.
    pub values: BTreeMap<FieldName, serde_json::Value>,
    /// What the register says about the record beside its values.
    pub marks: Marks,
    /// Whom it is about and which one it is.
    pub names: RecordNames,
}

/// What a register says about a record beside its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks {
    /// Whether a non-disclosure order protects the person; `None` where the register is not asked about that.
    pub non_disclosure: Option<bool>,
    /// From when on the record may be released.
    pub available_from: Option<Timestamp>,
}

/// Whom a record is about and which one it is, as its register names them. Never released.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct RecordNames {
    /// The person whom it is about, where the register names one.
    pub person: Option<NationalIdentifier>,
    /// Display name of that person, for the resident alone.
    pub person_name: Option<String>,
    /// Its key in the register.
    pub record: Option<String>,
}

impl std::fmt::Debug for RecordNames {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecordNames([redacted])")
    }
}

impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Record([{} values redacted])", self.values.len())
    }
}
