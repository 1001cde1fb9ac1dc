//! From what a register says to a record as its dataset promises it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Bounds;
use crate::domain::catalogue::{Dataset, FieldType, Record};
use crate::domain::clock::Day;
use crate::domain::ids::{FieldName, NationalIdentifier};
use crate::ports::RegisterError;

/// Builds one record: the dataset's fields and no others, each of its type, absent ones `null`.
pub(crate) fn record(
    dataset: &Dataset,
    subject: NationalIdentifier,
    mut take: impl FnMut(&FieldName) -> Value,
) -> Result<Record, RegisterError> {
    let mut values = BTreeMap::new();
    for field in &dataset.fields {
        values.insert(field.name.clone(), typed(field.kind, take(&field.name))?);
    }
    Ok(Record { subject, values })
}

/// The value as the field's type. Registers without a type of its own for it may spell a truth value as 0 or 1, and an
/// object or array as JSON text.
fn typed(kind: FieldType, value: Value) -> Result<Value, RegisterError> {
    let fits = match (kind, &value) {
        (_, Value::Null) | (FieldType::String, Value::String(_)) | (FieldType::Boolean, Value::Bool(_)) => {
            true
        }
        (FieldType::Date, Value::String(text)) => text.parse::<Day>().is_ok(),
        (FieldType::Integer, Value::Number(number)) => number.is_i64() || number.is_u64(),
        (FieldType::Number, Value::Number(_)) => true,
        (FieldType::Object, Value::Object(_)) | (FieldType::Array, Value::Array(_)) => true,
        (FieldType::Boolean, Value::Number(number)) => {
            return match number.as_i64() {
                Some(0) => Ok(Value::Bool(false)),
                Some(1) => Ok(Value::Bool(true)),
                _ => Err(RegisterError::Unfit("a field is not of its type")),
            };
        }
        (FieldType::Object | FieldType::Array, Value::String(text)) => {
            let inner =
                serde_json::from_str(text).map_err(|_| RegisterError::Unfit("a field is not JSON"))?;
            return match inner {
                Value::String(_) => Err(RegisterError::Unfit("a field is not of its type")),
                inner => typed(kind, inner),
            };
        }
        _ => false,
    };
    if fits { Ok(value) } else { Err(RegisterError::Unfit("a field is not of its type")) }
}

/// The text of a CSV cell as a value of the field's type; an empty cell is absent.
pub(crate) fn from_text(kind: FieldType, text: &str) -> Value {
    let text = text.trim();
    let spelled = |value: Option<Value>| value.unwrap_or_else(|| Value::String(text.to_owned()));
    match kind {
        _ if text.is_empty() => Value::Null,
        FieldType::Integer | FieldType::Number => {
            spelled(serde_json::from_str(text).ok().filter(Value::is_number))
        }
        FieldType::Boolean if text.eq_ignore_ascii_case("true") || text == "1" => Value::Bool(true),
        FieldType::Boolean if text.eq_ignore_ascii_case("false") || text == "0" => Value::Bool(false),
        _ => Value::String(text.to_owned()),
    }
}

/// Collects records until a bound is passed.
pub(crate) struct Collected {
    bounds: Bounds,
    bytes: usize,
    records: Vec<Record>,
}

impl Collected {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { bounds, bytes: 0, records: Vec::new() }
    }

    /// Takes one more record.
    pub(crate) fn push(&mut self, record: Record) -> Result<(), RegisterError> {
        let mut counter = Counter(0);
        serde_json::to_writer(&mut counter, &record.values)
            .map_err(|_| RegisterError::Unfit("a field is not JSON"))?;
        self.bytes = self.bytes.saturating_add(counter.0);
        if self.records.len() >= self.bounds.max_records || self.bytes > self.bounds.max_bytes {
            return Err(RegisterError::TooLarge);
        }
        self.records.push(record);
        Ok(())
    }

    pub(crate) fn into_records(self) -> Vec<Record> {
        self.records
    }
}

/// Counts bytes and keeps none.
struct Counter(usize);

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
