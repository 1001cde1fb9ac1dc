//! The JSON Schema (draft 2020-12) of a dataset's records.

use serde_json::{Map, Value, json};

use super::{Dataset, Field, FieldType, Language, Narrowing};

/// Texts of the type `decimal`, as [`super::value::decimal`] writes them.
pub(crate) const DECIMAL: &str = "^-?(0|[1-9][0-9]*)(\\.[0-9]+)?$";
/// Texts of a [`crate::domain::ids::Currency`].
pub(crate) const CURRENCY: &str = "^[A-Z]{3}$";

/// The schema of one record. No field is required, because a permission may leave any of them out, and every value may
/// be `null`; no other field is allowed.
///
/// Labels in all languages are in `x-labels`, because `title` has one language only. `x-type` marks an object that is
/// one value (money, a period) and whose members cannot be permitted one by one. `x-dataset-type` and `x-has-period` tell
/// a recipient beforehand whether the dataset is of the type in its declared use, and whether it can be limited to a
/// period; `x-narrows-to`, whether a permission can be narrowed to `persons` and to `records`.
#[must_use]
pub(crate) fn record_schema(dataset: &Dataset) -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": dataset.title.get(Language::En),
        "x-dataset-type": dataset.kind,
        "x-has-period": dataset.period.is_some(),
        "x-narrows-to": narrows_to(dataset),
        "type": "object",
        "properties": properties(&dataset.fields),
        "additionalProperties": false,
    })
}

fn narrows_to(dataset: &Dataset) -> Vec<&'static str> {
    let Narrowing { records, .. } = dataset.narrowing;
    let words = [(dataset.narrowing.is_possible(), "persons"), (records, "records")];
    words.into_iter().filter_map(|(can, word)| can.then_some(word)).collect()
}

fn properties(fields: &[Field]) -> Map<String, Value> {
    fields.iter().map(|field| (field.name.to_string(), property(field))).collect()
}

fn property(field: &Field) -> Value {
    let mut property = if field.is_structured() {
        let object = json!({
            "type": ["object", "null"], "properties": properties(&field.fields), "additionalProperties": false,
        });
        match field.kind {
            FieldType::Array => json!({"type": ["array", "null"], "items": object}),
            _ => object,
        }
    } else if let Some(items) = field.items {
        json!({"type": ["array", "null"], "items": with_codes(plain(items), field)})
    } else {
        with_codes(plain(field.kind), field)
    };
    if let Some(property) = property.as_object_mut() {
        property.insert("title".to_owned(), json!(field.label.get(Language::En)));
        property.insert("x-labels".to_owned(), json!(field.label));
        if field.is_sensitive() {
            property.insert("x-sensitivity".to_owned(), json!("sensitive"));
        }
    }
    property
}

/// The schema of a value without fields of its own.
fn plain(kind: FieldType) -> Value {
    match kind {
        FieldType::String => json!({"type": ["string", "null"]}),
        FieldType::Date => json!({"type": ["string", "null"], "format": "date"}),
        FieldType::DateTime => json!({"type": ["string", "null"], "format": "date-time"}),
        FieldType::Decimal => json!({"type": ["string", "null"], "pattern": DECIMAL}),
        FieldType::Integer => json!({"type": ["integer", "null"]}),
        FieldType::Number => json!({"type": ["number", "null"]}),
        FieldType::Boolean => json!({"type": ["boolean", "null"]}),
        FieldType::Object => json!({"type": ["object", "null"]}),
        FieldType::Array => json!({"type": ["array", "null"]}),
        FieldType::Money => json!({
            "type": ["object", "null"],
            "x-type": "money",
            "properties": {
                "amount": {"type": "string", "pattern": DECIMAL},
                "currency": {"type": "string", "pattern": CURRENCY},
            },
            "required": ["amount", "currency"],
            "additionalProperties": false,
        }),
        FieldType::Period => json!({
            "type": ["object", "null"],
            "x-type": "period",
            "properties": {
                "start": {"type": "string", "format": "date"},
                "end": {"type": ["string", "null"], "format": "date"},
            },
            "required": ["start", "end"],
            "additionalProperties": false,
        }),
    }
}

/// Adds the code list. Other texts stay valid: a register may use a code before it is described, and its value is
/// released as it is.
fn with_codes(mut schema: Value, field: &Field) -> Value {
    let opaque = matches!(field.kind, FieldType::Object | FieldType::Array) && field.items.is_none();
    if let (Some(members), false) = (schema.as_object_mut(), field.codes.is_empty() || opaque) {
        let codes: Vec<&String> = field.codes.keys().collect();
        members.insert("anyOf".to_owned(), json!([{"enum": codes}, {"type": ["string", "null"]}]));
        members.insert("x-codes".to_owned(), json!(field.codes));
    }
    schema
}
