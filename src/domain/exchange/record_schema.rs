//! The recipient's check of received records against the schema in the holder's catalogue.

use std::collections::BTreeMap;

use serde_json::Value;

use super::release::ExchangeBody;
use crate::domain::clock::Day;
use crate::domain::ids::{DatasetType, FieldName};
use crate::domain::word_enum::word_enum;

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

/// One field in a holder's catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FieldRule {
    /// The allowed types; empty if the schema does not limit them.
    types: Vec<JsonType>,
    /// Whether a text is a date (`format`).
    is_date: bool,
}

/// The schema of a dataset's records in a holder's catalogue, as far as a recipient checks it (JSON Schema draft
/// 2020-12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecordSchema {
    dataset_type: Option<DatasetType>,
    has_period: Option<bool>,
    fields: BTreeMap<FieldName, FieldRule>,
}

/// A fault of received records; names the field, never a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RecordFault {
    /// A record is no JSON object.
    #[error("a record is not an object")]
    NotObject,
    /// A permitted field is missing in a record; an absent value must be `null`.
    #[error("a record lacks the permitted field {0}")]
    Missing(FieldName),
    /// A value is not of the type in the holder's catalogue.
    #[error("the field {0} is not of the type that the holder's catalogue names")]
    Type(FieldName),
}

impl RecordSchema {
    /// Parses the response of `/catalogue/datasets/{id}/schema`. Unknown members are ignored; `None` if it is no schema
    /// of a record.
    #[must_use]
    pub(crate) fn parse(schema: &Value) -> Option<Self> {
        let properties = schema.get("properties")?.as_object()?;
        let mut fields = BTreeMap::new();
        for (name, property) in properties {
            // An invalid field name can be neither requested nor permitted.
            let Ok(name) = name.parse::<FieldName>() else { continue };
            fields.insert(name, FieldRule::parse(property));
        }
        Some(Self {
            dataset_type: schema
                .get("x-dataset-type")
                .and_then(Value::as_str)
                .and_then(|word| word.parse().ok()),
            has_period: schema.get("x-has-period").and_then(Value::as_bool),
            fields,
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

    /// Whether the dataset has a field of that name.
    #[must_use]
    pub(crate) fn has_field(&self, name: &FieldName) -> bool {
        self.fields.contains_key(name)
    }
}

impl FieldRule {
    fn parse(property: &Value) -> Self {
        let words: Vec<&str> = match property.get("type") {
            Some(Value::String(word)) => vec![word],
            Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        Self {
            types: words.into_iter().filter_map(|word| word.parse().ok()).collect(),
            is_date: property.get("format").and_then(Value::as_str) == Some("date"),
        }
    }

    fn allows(&self, value: &Value) -> bool {
        let allowed = |kind: &JsonType| match (kind, value) {
            (JsonType::String, Value::String(text)) => !self.is_date || text.parse::<Day>().is_ok(),
            (JsonType::Integer, Value::Number(number)) => {
                number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|n| n.fract() == 0.0)
            }
            (JsonType::Number, Value::Number(_))
            | (JsonType::Boolean, Value::Bool(_))
            | (JsonType::Object, Value::Object(_))
            | (JsonType::Array, Value::Array(_)) => true,
            _ => false,
        };
        value.is_null() || self.types.is_empty() || self.types.iter().any(allowed)
    }
}

impl ExchangeBody {
    /// Checks every record: all permitted fields are present with their types. Without the holder's schema, which may
    /// not be available, types are not checked.
    ///
    /// # Errors
    /// [`RecordFault`]: the holder's fault, and nothing of the response may be used.
    pub(crate) fn check_records(
        &self,
        permitted: &[FieldName],
        schema: Option<&RecordSchema>,
    ) -> Result<(), RecordFault> {
        for record in &self.records {
            let values = record.as_object().ok_or(RecordFault::NotObject)?;
            for field in permitted {
                let value = values.get(field.as_str()).ok_or_else(|| RecordFault::Missing(field.clone()))?;
                let rule = schema.and_then(|schema| schema.fields.get(field));
                if rule.is_some_and(|rule| !rule.allows(value)) {
                    return Err(RecordFault::Type(field.clone()));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> RecordSchema {
        RecordSchema::parse(&json!({
            "type": "object",
            "x-dataset-type": "early-education-placement",
            "x-has-period": false,
            "properties": {
                "unit": {"type": ["string", "null"]},
                "begins": {"type": ["string", "null"], "format": "date"},
                "hours": {"type": ["integer", "null"]},
                "fee": {"type": "number"},
                "anything": {},
            }
        }))
        .unwrap()
    }

    fn field(name: &str) -> FieldName {
        name.parse().unwrap()
    }

    #[test]
    fn a_record_without_a_permitted_field_or_with_a_wrong_type_is_refused() {
        let permitted = ["unit", "begins", "hours", "fee", "anything"].map(field);
        let check = |record: Value| {
            let body = ExchangeBody { dataset: "placements".parse().unwrap(), records: vec![record] };
            body.check_records(&permitted, Some(&schema()))
        };
        let good =
            json!({"unit": "Satakieli", "begins": "2026-08-01", "hours": 120, "fee": 28.8, "anything": []});
        let with = |name: &str, value: Value| {
            let mut record = good.clone();
            record[name] = value;
            record
        };
        assert_eq!(check(good.clone()), Ok(()));
        assert_eq!(check(with("hours", json!(120.0))), Ok(()));
        for name in ["unit", "begins", "hours", "fee", "anything"] {
            assert_eq!(check(with(name, Value::Null)), Ok(()), "{name}");
            let mut without = good.clone();
            without.as_object_mut().unwrap().remove(name);
            assert_eq!(check(without), Err(RecordFault::Missing(field(name))));
        }
        for (name, value) in [
            ("unit", json!(7)),
            ("begins", json!("first of August")),
            ("begins", json!(20_260_801)),
            ("hours", json!("120")),
            ("hours", json!(1.5)),
            ("fee", json!("28.80")),
            ("fee", json!(true)),
        ] {
            assert_eq!(
                check(with(name, value.clone())),
                Err(RecordFault::Type(field(name))),
                "{name} {value}"
            );
        }
        assert_eq!(check(json!(["Satakieli"])), Err(RecordFault::NotObject));
    }

    #[test]
    fn without_the_holders_schema_missing_fields_are_still_noticed() {
        let body = ExchangeBody { dataset: "placements".parse().unwrap(), records: vec![json!({"unit": 7})] };
        assert_eq!(body.check_records(&[field("unit")], None), Ok(()));
        let missing = body.check_records(&[field("unit"), field("begins")], None);
        assert_eq!(missing, Err(RecordFault::Missing(field("begins"))));
    }

    #[test]
    fn a_schema_tells_what_a_dataset_offers() {
        let schema = schema();
        assert!(schema.has_field(&field("unit")) && !schema.has_field(&field("income")));
        assert!(schema.is_of_type(&"early-education-placement".parse().unwrap()));
        assert!(!schema.is_of_type(&"parking-permit".parse().unwrap()));
        assert!(!schema.can_limit_period());
        let silent = RecordSchema::parse(&json!({"properties": {}})).unwrap();
        assert!(silent.is_of_type(&"parking-permit".parse().unwrap()) && silent.can_limit_period());
        assert_eq!(RecordSchema::parse(&json!([])), None);
    }
}
