//! The JSON Schema (draft 2020-12) of a dataset's records.

use serde_json::{Map, Value, json};

use super::{Dataset, FieldType, Language, Sensitivity};

/// The schema of one record. No field is required, because a permission may leave any of them out, and every value may
/// be `null`; no other field is allowed.
///
/// Labels in all languages are in `x-labels`, because `title` has one language only. `x-dataset-type` and
/// `x-has-period` tell a recipient beforehand whether the dataset is of the type in its declared use, and whether it
/// can be limited to a period.
#[must_use]
pub(crate) fn record_schema(dataset: &Dataset) -> Value {
    let mut properties = Map::new();
    for field in &dataset.fields {
        let mut property = json!({
            "title": field.label.get(Language::En),
            "type": [json_type(field.kind), "null"],
            "x-labels": field.label,
        });
        if let Some(property) = property.as_object_mut() {
            match field.kind {
                FieldType::Date => {
                    property.insert("format".to_owned(), json!("date"));
                }
                FieldType::DateTime => {
                    property.insert("format".to_owned(), json!("date-time"));
                }
                FieldType::Decimal => {
                    property.insert("pattern".to_owned(), json!("^-?(0|[1-9][0-9]*)(\\.[0-9]+)?$"));
                }
                _ => {}
            }
            if field.sensitivity == Sensitivity::Sensitive {
                property.insert("x-sensitivity".to_owned(), json!("sensitive"));
            }
        }
        properties.insert(field.name.to_string(), property);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": dataset.title.get(Language::En),
        "x-dataset-type": dataset.kind,
        "x-has-period": dataset.period.is_some(),
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

const fn json_type(kind: FieldType) -> &'static str {
    match kind {
        FieldType::String | FieldType::Date | FieldType::DateTime | FieldType::Decimal => "string",
        FieldType::Integer => "integer",
        FieldType::Number => "number",
        FieldType::Boolean => "boolean",
        FieldType::Object => "object",
        FieldType::Array => "array",
    }
}
