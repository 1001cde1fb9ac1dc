//! What a city holds and what its services may ask: datasets, their fields, declared uses.

pub mod assurance;
pub mod purposes;
pub mod rdf;
pub mod register;
pub mod schema;
pub mod value;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use assurance::{AssuranceRequirement, Levels};

use super::clock::{RetentionPeriod, Window};
use super::ids::{DatasetId, DatasetType, EntityId, FieldName, NationalIdentifier, ServiceId, UseId};
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
    /// All languages, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Fi, Self::Sv, Self::En];

    /// The BCP 47 tag.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Fi => "fi",
            Self::Sv => "sv",
            Self::En => "en",
        }
    }

    /// The language of a BCP 47 tag such as `sv-FI`, when it is one of ours.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next()?;
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }
}

/// One text in all three languages; a missing language does not parse, and what does is clean ([`outside_text`]).
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

/// Wherever a text comes from (another city's declared use, a register's description, the configuration), people read it.
fn clean<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    String::deserialize(deserializer).map(|text| outside_text::clean(&text))
}

impl Text {
    /// The same in every language, for what has no translation.
    #[must_use]
    pub fn same(text: &str) -> Self {
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

/// How careful one must be with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sensitivity {
    /// Personal data, without a need for more care than that.
    #[default]
    Normal,
    /// Special category (GDPR article 9) or otherwise confidential.
    Sensitive,
}

/// The JSON type of a field's values. An absent value is `null` in any type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldType {
    /// JSON string, of any content.
    String,
    /// JSON string, `YYYY-MM-DD`.
    Date,
    /// JSON string, a moment with its offset (RFC 3339 §5.6).
    DateTime,
    /// JSON number without fraction, at most 2⁵³ − 1 either side of zero (RFC 7493 §2.2).
    Integer,
    /// JSON number, of no more digits than a double keeps.
    Number,
    /// JSON string, a decimal number of any length, as [`value::decimal`] writes it.
    Decimal,
    /// `true` or `false`.
    Boolean,
    /// JSON object, as the register has it.
    Object,
    /// JSON array, as the register has it.
    Array,
}

/// One field of a dataset's records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Field {
    /// Its name in the record.
    pub name: FieldName,
    /// Its JSON type.
    #[serde(rename = "type")]
    pub kind: FieldType,
    /// What people call it.
    pub label: Text,
    /// How careful one must be with it.
    #[serde(default)]
    pub sensitivity: Sensitivity,
    /// What people call the codes that it uses (`DAYCARE` → päiväkoti); empty when its values are plain.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub codes: BTreeMap<String, Text>,
}

/// The fields that date a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeriodFields {
    /// The record's first day.
    pub start: FieldName,
    /// The record's last day; open when the field is absent or null.
    pub end: Option<FieldName>,
}

/// One dataset of a holder as published in its catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Dataset {
    /// Its identifier at this holder.
    pub id: DatasetId,
    /// Its kind, the same in every city.
    #[serde(rename = "type")]
    pub kind: DatasetType,
    /// What people call it.
    pub title: Text,
    /// One or two sentences about it.
    pub description: Text,
    /// Theme of the EU vocabulary (`EDUC`, `TRAN`, `SOCI`, `GOVE` …).
    pub theme: String,
    /// The records' fields, in the order in which people read them.
    pub fields: Vec<Field>,
    /// GDPR articles on which the city itself uses the data, as DPV terms (`A6-1-c`, `A6-1-e`).
    pub legal_bases: Vec<String>,
    /// ELI or other address of the act that the city's own use rests on.
    pub legislation: Vec<String>,
    /// How long the city keeps it, ISO 8601 duration.
    pub retention: RetentionPeriod,
    /// What people call the register that it comes from.
    pub register: Text,
    /// The fields that date a record, where its records can be limited to a part of a person's history.
    #[serde(default)]
    pub period: Option<PeriodFields>,
    /// Least `acr` of a login that may give a permission to it; none demands nothing.
    #[serde(default)]
    pub required_acr: Option<String>,
    /// How old the login may be that gives a permission to it, in seconds; none demands nothing.
    #[serde(default)]
    pub required_max_age_seconds: Option<u32>,
    /// Whether the resident must sign a permission to it with a passkey too.
    #[serde(default)]
    pub required_passkey: bool,
}

impl Dataset {
    /// The field of that name.
    #[must_use]
    pub fn field(&self, name: &FieldName) -> Option<&Field> {
        self.fields.iter().find(|field| &field.name == name)
    }
}

/// A contact that a resident can reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Contact {
    /// Name of the office.
    pub name: Text,
    /// E-mail address that residents may write to.
    #[serde(deserialize_with = "clean")]
    pub email: String,
}

/// A recipient's published statement of what one service may ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct DeclaredUse {
    /// The URL that names it.
    pub id: UseId,
    /// The service that asks.
    pub service: ServiceId,
    /// What people call the service.
    pub service_name: Text,
    /// What people call this use.
    pub title: Text,
    /// The purpose in one sentence, as the resident reads it.
    pub purpose_text: Text,
    /// The purpose as a term of DPV or one of its extensions (`https://w3id.org/dpv#ServiceProvision`); see
    /// [`purposes::is_purpose`].
    pub purpose: String,
    /// The legal basis as a DPV term (`A6-1-a` for the person's own permission).
    pub legal_basis: String,
    /// The kind of dataset that it asks for.
    pub dataset_type: DatasetType,
    /// Fields without which the service cannot work.
    pub required_fields: Vec<FieldName>,
    /// Fields that the resident may leave out.
    #[serde(default)]
    pub optional_fields: Vec<FieldName>,
    /// How many exchanges one permission allows at most: in all, or in any stretch of time as long as `per`.
    pub max_exchanges: u32,
    /// The stretch, where a permission may be used again and again until its last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per: Option<Window>,
    /// The longest that one permission may last, in days (365 at most).
    pub max_days: u16,
    /// How long the recipient keeps what it fetched, ISO 8601 duration.
    pub retention: RetentionPeriod,
    /// What "no" means, and the equivalent other way.
    pub otherwise: Text,
    /// Who is responsible for the data at the recipient.
    pub controller: Contact,
    /// The recipient's data protection officer.
    pub data_protection_officer: Contact,
}

impl DeclaredUse {
    /// Whether a field may be asked under this use.
    #[must_use]
    pub fn allows_field(&self, name: &FieldName) -> bool {
        self.required_fields.contains(name) || self.optional_fields.contains(name)
    }
}

/// The document at `/catalogue/uses`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeclaredUses {
    /// The recipient that publishes it.
    pub recipient: EntityId,
    /// What people call the recipient.
    pub name: Text,
    /// The uses of all its services.
    pub uses: Vec<DeclaredUse>,
}

/// One record as read from a register.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// Whom the register says the record belongs to.
    pub subject: NationalIdentifier,
    /// The values, by field; only fields of the dataset.
    pub values: BTreeMap<FieldName, serde_json::Value>,
}

impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Record([{} values redacted])", self.values.len())
    }
}
