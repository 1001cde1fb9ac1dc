//! The recipient's check of received records: nothing beyond the permission at any level, and all of it as the schema in
//! the holder's catalogue says.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::event::RejectionReason;
use super::release::ExchangeBody;
use crate::domain::catalogue::schema::{CURRENCY, DECIMAL};
use crate::domain::catalogue::value::{decimal, is_date_time};
use crate::domain::catalogue::{FieldTree, Narrowing};
use crate::domain::clock::Day;
use crate::domain::consent::{Persons, ReleasedPerson};
use crate::domain::ids::{Currency, DatasetId, DatasetType, FieldName, FieldPath};
use crate::domain::word_enum::word_enum;

/// Deepest nesting of a schema that is followed; below it, values are not checked.
const MAX_DEPTH: usize = 8;

/// Maximum number of surplus members that a fault names.
const MOST_NAMED: usize = 20;

word_enum! {
    /// The JSON Schema types that a field's values may have besides `null`.
    pub(crate) enum JsonType {
        String = "string",
        /// A number without fraction.
        Integer = "integer",
        Number = "number",
        /// `true` or `false`.
        Boolean = "boolean",
        Object = "object",
        Array = "array",
    }
}

/// What a text must be (`format` or `pattern`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TextForm {
    Any,
    Date,
    DateTime,
    Decimal,
    Currency,
}

/// One value in a holder's catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    /// The allowed types; empty if the schema does not limit them.
    types: Vec<JsonType>,
    form: TextForm,
    /// The members of an object; empty if the schema does not name them.
    members: BTreeMap<String, Self>,
    /// The members without which an object is none.
    required: Vec<String>,
    /// The elements of a list.
    items: Option<Box<Self>>,
    /// Whether an object is one value (`x-type`), such as money.
    is_whole: bool,
}

/// The schema of a dataset's records in a holder's catalogue, as far as a recipient checks it (JSON Schema draft
/// 2020-12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecordSchema {
    dataset_type: Option<DatasetType>,
    has_period: Option<bool>,
    /// Whether a permission can be narrowed to persons and to records.
    narrowing: Option<Narrowing>,
    fields: BTreeMap<String, Rule>,
}

/// What a holder's catalogue has under a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offered {
    /// A field that can be permitted.
    Field,
    /// An object or list with fields of its own.
    TooWide,
    Nothing,
}

/// A fault of received records; names fields, never a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RecordFault {
    /// The records are of another dataset than the one asked for.
    #[error("the records are of another dataset")]
    OtherDataset,
    /// A record is no JSON object.
    #[error("a record is not an object")]
    NotObject,
    /// There are members that the permission does not cover.
    #[error("the answer has more than the permission covers: {}", .0.join(", "))]
    Surplus(Vec<String>),
    /// A permitted field is missing in a record; an absent value must be `null`.
    #[error("a record lacks the permitted field {0}")]
    Missing(FieldPath),
    /// The records do not name whom they are about, as the permission needs, or not each of them.
    #[error("it is not said of each record whom it is about")]
    Unnamed,
    /// A record is about a person, or is one, that the resident has left out.
    #[error("a record is of a person, or one, that the permission does not cover")]
    NotCovered,
    /// The receipt counts other persons' records than the answer has, or one record twice.
    #[error("the receipt names other persons than the answer")]
    Miscounted,
    /// A value is not of the type in the holder's catalogue.
    #[error("the field {0} is not of the type that the holder's catalogue names")]
    Type(FieldPath),
}

impl RecordFault {
    #[must_use]
    pub(crate) const fn reason(&self) -> RejectionReason {
        match self {
            Self::OtherDataset | Self::NotObject | Self::Miscounted => RejectionReason::Form,
            Self::Surplus(_) | Self::NotCovered => RejectionReason::Surplus,
            Self::Missing(_) | Self::Unnamed => RejectionReason::Missing,
            Self::Type(_) => RejectionReason::Type,
        }
    }

    /// The fields that it names.
    #[must_use]
    pub(crate) fn fields(&self) -> Vec<String> {
        match self {
            Self::OtherDataset | Self::NotObject | Self::Unnamed | Self::NotCovered | Self::Miscounted => {
                Vec::new()
            }
            Self::Surplus(names) => names.clone(),
            Self::Missing(path) | Self::Type(path) => vec![path.to_string()],
        }
    }
}

impl RecordSchema {
    /// Parses the response of `/catalogue/datasets/{id}/schema`. Unknown members are ignored; `None` if it is no schema
    /// of a record.
    #[must_use]
    pub(crate) fn parse(schema: &Value) -> Option<Self> {
        schema.get("properties")?.as_object()?;
        Some(Self {
            dataset_type: schema
                .get("x-dataset-type")
                .and_then(Value::as_str)
                .and_then(|word| word.parse().ok()),
            has_period: schema.get("x-has-period").and_then(Value::as_bool),
            narrowing: schema.get("x-narrows-to").and_then(Value::as_array).map(|words| {
                let has = |word: &str| words.iter().any(|known| known == word);
                Narrowing { persons: has("persons"), records: has("records") }
            }),
            fields: Rule::parse(schema, MAX_DEPTH).members,
        })
    }

    /// Whether the dataset is of this kind; `true` if the catalogue does not say.
    #[must_use]
    pub(crate) fn is_of_type(&self, kind: &DatasetType) -> bool {
        self.dataset_type.as_ref().is_none_or(|known| known == kind)
    }

    /// Whether its records can be limited to a period; `true` if the catalogue does not say.
    #[must_use]
    pub(crate) fn can_limit_period(&self) -> bool {
        self.has_period.unwrap_or(true)
    }

    /// Whether a permission can be narrowed to these persons; `true` if the catalogue does not say.
    #[must_use]
    pub(crate) fn can_narrow_to(&self, persons: &Persons) -> bool {
        self.narrowing.is_none_or(|known| known.persons && (known.records || !persons.names_records()))
    }

    /// What the dataset has under a path.
    #[must_use]
    pub(crate) fn offered(&self, path: &FieldPath) -> Offered {
        let mut members = Some(&self.fields);
        let mut found = None;
        for name in path.names() {
            let Some(rule) = members.and_then(|members| members.get(name)) else { return Offered::Nothing };
            members = rule.fields();
            found = members;
        }
        if found.is_some() { Offered::TooWide } else { Offered::Field }
    }
}

impl Rule {
    fn parse(schema: &Value, depth: usize) -> Self {
        let words: Vec<&str> = match schema.get("type") {
            Some(Value::String(word)) => vec![word],
            Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let below = depth.checked_sub(1);
        let within = |name| schema.get(name).zip(below);
        let form = match (schema.get("format"), schema.get("pattern")) {
            (Some(format), _) if format == "date" => TextForm::Date,
            (Some(format), _) if format == "date-time" => TextForm::DateTime,
            (_, Some(pattern)) if pattern == DECIMAL => TextForm::Decimal,
            (_, Some(pattern)) if pattern == CURRENCY => TextForm::Currency,
            _ => TextForm::Any,
        };
        let properties =
            within("properties").and_then(|(properties, depth)| Some((properties.as_object()?, depth)));
        Self {
            types: words.into_iter().filter_map(|word| word.parse().ok()).collect(),
            form,
            members: properties
                .map(|(properties, depth)| {
                    properties.iter().map(|(name, rule)| (name.clone(), Self::parse(rule, depth))).collect()
                })
                .unwrap_or_default(),
            required: schema
                .get("required")
                .and_then(Value::as_array)
                .map(|names| names.iter().filter_map(Value::as_str).map(str::to_owned).collect())
                .unwrap_or_default(),
            items: within("items").map(|(items, depth)| Box::new(Self::parse(items, depth))),
            is_whole: schema.get("x-type").is_some(),
        }
    }

    /// The fields that can be permitted one by one; `None` for a value that is whole.
    fn fields(&self) -> Option<&BTreeMap<String, Self>> {
        let own = (!self.is_whole && !self.members.is_empty()).then_some(&self.members);
        own.or_else(|| self.items.as_ref()?.fields())
    }

    /// Whether a value is of this form, at every level.
    fn allows(&self, value: &Value) -> bool {
        let allowed = |kind: &JsonType| match (kind, value) {
            (JsonType::String, Value::String(text)) => self.form.allows(text),
            (JsonType::Integer, Value::Number(number)) => {
                number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|n| n.fract() == 0.0)
            }
            (JsonType::Number, Value::Number(_)) | (JsonType::Boolean, Value::Bool(_)) => true,
            (JsonType::Object, Value::Object(members)) => self.allows_members(members),
            (JsonType::Array, Value::Array(items)) => {
                self.items.as_ref().is_none_or(|rule| items.iter().all(|item| rule.allows(item)))
            }
            _ => false,
        };
        value.is_null() || self.types.is_empty() || self.types.iter().any(allowed)
    }

    fn allows_members(&self, members: &Map<String, Value>) -> bool {
        self.members.is_empty()
            || (self.required.iter().all(|name| members.contains_key(name))
                && members
                    .iter()
                    .all(|(name, value)| self.members.get(name).is_some_and(|rule| rule.allows(value))))
    }

    /// Whether a value of this type is possible at all.
    fn has_type(&self, kind: JsonType) -> bool {
        self.types.is_empty() || self.types.contains(&kind)
    }
}

impl TextForm {
    fn allows(self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Date => text.parse::<Day>().is_ok(),
            Self::DateTime => is_date_time(text),
            Self::Decimal => decimal(text).is_some_and(|same| same == text),
            Self::Currency => text.parse::<Currency>().is_ok(),
        }
    }
}

impl ExchangeBody {
    /// Checks that each record is about a person, and is one, that the permission covers, and that the receipt tells the
    /// same.
    ///
    /// # Errors
    /// [`RecordFault`]: the holder's fault, and nothing of the response may be used.
    pub(crate) fn check_persons(
        &self,
        permitted: Option<&Persons>,
        receipt: &[ReleasedPerson],
    ) -> Result<(), RecordFault> {
        let named = self.about.len() == self.records.len();
        let Some(permitted) = permitted else {
            return if named || self.about.is_empty() { Ok(()) } else { Err(RecordFault::Unnamed) };
        };
        if !named {
            return Err(RecordFault::Unnamed);
        }
        if !self.about.iter().all(|about| permitted.covers(about)) {
            return Err(RecordFault::NotCovered);
        }
        let told = permitted.released(&self.about) == receipt;
        if told && permitted.covers_all(receipt, self.records.len()) {
            Ok(())
        } else {
            Err(RecordFault::Miscounted)
        }
    }

    /// Checks every record: it has all permitted fields with their types, and no others at any level. Without the
    /// holder's schema, which may not be available, types are not checked.
    ///
    /// # Errors
    /// [`RecordFault`]: the holder's fault, and nothing of the response may be used.
    pub(crate) fn check_records(
        &self,
        dataset: &DatasetId,
        permitted: &[FieldPath],
        schema: Option<&RecordSchema>,
    ) -> Result<(), RecordFault> {
        if &self.dataset != dataset {
            return Err(RecordFault::OtherDataset);
        }
        let (permitted, rules) = (FieldTree::of(permitted), schema.map(|schema| &schema.fields));
        let mut check = Check::default();
        for record in &self.records {
            let members = record.as_object().ok_or(RecordFault::NotObject)?;
            check.members(None, &permitted, members, rules);
        }
        if !check.surplus.is_empty() {
            return Err(RecordFault::Surplus(check.surplus.into_iter().take(MOST_NAMED).collect()));
        }
        check.fault.map_or(Ok(()), Err)
    }
}

/// What is wrong with the records so far. All surplus members are collected; of other faults, the first.
#[derive(Default)]
struct Check {
    surplus: BTreeSet<String>,
    fault: Option<RecordFault>,
}

impl Check {
    fn members(
        &mut self,
        path: Option<&FieldPath>,
        permitted: &FieldTree,
        members: &Map<String, Value>,
        rules: Option<&BTreeMap<String, Rule>>,
    ) {
        for name in members.keys().filter(|name| permitted.get(name).is_none()) {
            // A name can be anything, and is told only if it can be a field's.
            let name = if name.parse::<FieldName>().is_ok() { name.as_str() } else { "(no field name)" };
            if self.surplus.len() <= MOST_NAMED {
                self.surplus.insert(path.map_or_else(|| name.to_owned(), |path| format!("{path}.{name}")));
            }
        }
        for (name, within) in permitted.iter() {
            let Ok(field) = name.parse::<FieldName>() else { continue };
            let Some(path) = path.map_or_else(|| Some(FieldPath::from(&field)), |path| path.child(&field))
            else {
                continue;
            };
            match members.get(name) {
                Some(value) => self.value(&path, within, value, rules.and_then(|rules| rules.get(name))),
                None => self.blame(RecordFault::Missing(path)),
            }
        }
    }

    fn value(&mut self, path: &FieldPath, permitted: &FieldTree, value: &Value, rule: Option<&Rule>) {
        if permitted.is_leaf() {
            if rule.is_some_and(|rule| !rule.allows(value)) {
                self.blame(RecordFault::Type(path.clone()));
            }
            return;
        }
        let can_be = |kind| rule.is_none_or(|rule| rule.has_type(kind));
        let rules = rule.and_then(Rule::fields);
        match value {
            Value::Null => {}
            Value::Object(members) if can_be(JsonType::Object) => {
                self.members(Some(path), permitted, members, rules)
            }
            Value::Array(items) if can_be(JsonType::Array) => {
                for item in items {
                    match item {
                        Value::Null => {}
                        Value::Object(members) => self.members(Some(path), permitted, members, rules),
                        _ => self.blame(RecordFault::Type(path.clone())),
                    }
                }
            }
            _ => self.blame(RecordFault::Type(path.clone())),
        }
    }

    fn blame(&mut self, fault: RecordFault) {
        self.fault.get_or_insert(fault);
    }
}

#[cfg(test)]
#[path = "record_schema_tests.rs"]
mod tests;
