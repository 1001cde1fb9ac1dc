//! The fields of a dataset's records, at every level.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Language, Text};
use crate::domain::ids::{Currency, FieldName, FieldPath};

/// Sensitivity of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Sensitivity {
    /// Personal data without further protection.
    #[default]
    Normal,
    /// Special category (GDPR article 9) or otherwise confidential.
    Sensitive,
}

/// The type of a field's values. An absent value is `null` in any type.
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
    /// JSON string, a decimal number of any length, as [`super::value::decimal`] writes it.
    Decimal,
    /// `true` or `false`.
    Boolean,
    /// `{"amount": decimal, "currency": ISO 4217}`: digits as in the register, and never without its unit.
    Money,
    /// `{"start": date, "end": date or null}`, both days included.
    Period,
    /// JSON object: of `fields`, or as the register has it.
    Object,
    /// JSON array: of objects of `fields`, of values of the type `items`, or as the register has it.
    Array,
}

impl FieldType {
    /// Its name in configuration and catalogue.
    #[must_use]
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Date => "date",
            Self::DateTime => "datetime",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Decimal => "decimal",
            Self::Boolean => "boolean",
            Self::Money => "money",
            Self::Period => "period",
            Self::Object => "object",
            Self::Array => "array",
        }
    }
}

/// One field of a dataset's records, or of an object in them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its name in the record or object.
    pub name: FieldName,
    /// The type of its values.
    #[serde(rename = "type")]
    pub kind: FieldType,
    pub(crate) label: Text,
    #[serde(default)]
    pub(crate) sensitivity: Sensitivity,
    /// Display names of its codes (`DAYCARE` → päiväkoti); empty if its values are no codes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) codes: BTreeMap<String, Text>,
    /// The fields of an object, or of each object in a list. Then only these can be permitted, each by its own path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Self>,
    /// The type of a list's plain values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) items: Option<FieldType>,
    /// The currency of amounts that the register writes without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) currency: Option<Currency>,
    /// Whether the register's objects leave it out where it has no value. Without this, an object without it has been
    /// changed, and is refused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) may_be_missing: bool,
}

/// A field that a permission can name: a plain value, or an object or list without fields of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leaf<'a> {
    pub(crate) path: FieldPath,
    /// The objects and lists around it, from the outside in.
    pub(crate) outer: Vec<&'a Field>,
    pub(crate) field: &'a Field,
}

impl Field {
    /// A field of a plain type.
    #[must_use]
    pub fn new(name: FieldName, kind: FieldType, label: Text) -> Self {
        Self {
            name,
            kind,
            label,
            sensitivity: Sensitivity::Normal,
            codes: BTreeMap::new(),
            fields: Vec::new(),
            items: None,
            currency: None,
            may_be_missing: false,
        }
    }

    /// Whether it is made of fields.
    #[must_use]
    pub(crate) const fn is_structured(&self) -> bool {
        !self.fields.is_empty()
    }

    #[must_use]
    pub(crate) const fn is_sensitive(&self) -> bool {
        matches!(self.sensitivity, Sensitivity::Sensitive)
    }

    /// Adds the paths of texts outside the field's code list.
    fn unknown_codes(&self, path: &FieldPath, value: &Value, found: &mut BTreeSet<FieldPath>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.unknown_codes(path, item, found)),
            Value::Object(members) => {
                for field in &self.fields {
                    if let (Some(value), Some(path)) =
                        (members.get(field.name.as_str()), path.child(&field.name))
                    {
                        field.unknown_codes(&path, value, found);
                    }
                }
            }
            Value::String(text) if !self.codes.is_empty() && !self.codes.contains_key(text) => {
                found.insert(path.clone());
            }
            _ => {}
        }
    }
}

impl Leaf<'_> {
    /// Its label after those of what is around it: `Päiväkoti: Nimi`.
    #[must_use]
    pub(crate) fn label(&self) -> Text {
        self.label_after(0)
    }

    /// Its label below the outermost object or list.
    #[must_use]
    pub(crate) fn label_within_group(&self) -> Text {
        self.label_after(1)
    }

    fn label_after(&self, passed: usize) -> Text {
        let joined = |language| {
            let labels = self.outer.iter().copied().skip(passed).chain([self.field]);
            labels.map(|field| field.label.get(language)).collect::<Vec<_>>().join(": ")
        };
        Text { fi: joined(Language::Fi), sv: joined(Language::Sv), en: joined(Language::En) }
    }

    /// Whether it, or what it is part of, is sensitive.
    #[must_use]
    pub(crate) fn is_sensitive(&self) -> bool {
        self.outer.iter().copied().chain([self.field]).any(Field::is_sensitive)
    }
}

/// The leaves of these fields, in display order.
pub(super) fn leaves(fields: &[Field]) -> Vec<Leaf<'_>> {
    let mut found = Vec::new();
    for field in fields {
        collect(FieldPath::from(&field.name), field, &mut Vec::new(), &mut found);
    }
    found
}

fn collect<'a>(path: FieldPath, field: &'a Field, outer: &mut Vec<&'a Field>, found: &mut Vec<Leaf<'a>>) {
    if !field.is_structured() {
        found.push(Leaf { path, outer: outer.clone(), field });
        return;
    }
    outer.push(field);
    for inner in &field.fields {
        if let Some(path) = path.child(&inner.name) {
            collect(path, inner, outer, found);
        }
    }
    outer.pop();
}

/// The paths of texts that are outside their field's code list. They are shown and released as they are: a register
/// that has begun to use a code is not wrong, its description here is not complete.
pub(crate) fn unknown_codes<'a>(
    fields: &[Field],
    records: impl IntoIterator<Item = &'a BTreeMap<FieldName, Value>>,
) -> BTreeSet<FieldPath> {
    let mut found = BTreeSet::new();
    for record in records {
        for field in fields {
            if let Some(value) = record.get(&field.name) {
                field.unknown_codes(&FieldPath::from(&field.name), value, &mut found);
            }
        }
    }
    found
}

#[cfg(test)]
#[path = "field_tests.rs"]
mod tests;
