//! Converts a register's values to a record as its dataset declares it.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};

use super::Bounds;
use super::failure::Failure;
use super::json::{Json, Parser, Place, is_number};
use crate::domain::catalogue::register::CsvNotation;
use crate::domain::catalogue::value::{MAX_EXACT_INTEGER, decimal, is_date_time};
use crate::domain::catalogue::{Dataset, FieldType, Marks, Record};
use crate::domain::clock::Day;
use crate::domain::ids::{FieldName, NationalIdentifier};
use crate::ports::RegisterError;

const NOT_EXACT: &str = "a number has more digits than a JSON number keeps: declare the field as decimal";

/// A source's value for a field, with its position if the source has positions.
pub(crate) type FoundValue = (Option<Place>, Json);

/// Builds one record: the wanted fields of the dataset and no others, each of its type, absent ones `null`, as are those
/// that a non-disclosure order protects.
pub(crate) fn record(
    dataset: &Dataset,
    wanted: &[FieldName],
    (subject, marks): (NationalIdentifier, Marks),
    mut take: impl FnMut(&FieldName) -> FoundValue,
) -> Result<Record, Failure> {
    let mut values = BTreeMap::new();
    for field in dataset.fields.iter().filter(|field| wanted.contains(&field.name)) {
        if marks.non_disclosure == Some(true) && dataset.protected_fields.contains(&field.name) {
            values.insert(field.name.clone(), Value::Null);
            continue;
        }
        let (at, found) = take(&field.name);
        let value = typed(field.kind, found).map_err(|rule| {
            let place = at.map(|at| format!("{at}, ")).unwrap_or_default();
            Failure::new(
                RegisterError::Unfit("a field is not of its type"),
                format!("{place}field {}: {rule}", field.name),
            )
        })?;
        values.insert(field.name.clone(), value);
    }
    Ok(Record { subject, values, marks })
}

/// The value as the field's type, or the rule that it breaks. Registers without a matching type may write a boolean as
/// 0 or 1, a decimal as a number, and an object or array as JSON text. No value is changed.
fn typed(kind: FieldType, found: Json) -> Result<Value, &'static str> {
    match (kind, found) {
        (_, Json::Null) => Ok(Value::Null),
        (FieldType::String, Json::String(text)) => Ok(Value::String(text)),
        (FieldType::Date, Json::String(text)) if text.parse::<Day>().is_ok() => Ok(Value::String(text)),
        (FieldType::DateTime, Json::String(text)) if is_date_time(&text) => Ok(Value::String(text)),
        (FieldType::Decimal, Json::String(text) | Json::Number(text)) => {
            decimal(&text).map(Value::String).ok_or("not a decimal number")
        }
        (FieldType::Integer, Json::Number(text)) => integer(&text),
        (FieldType::Number, Json::Number(text)) => number(&text),
        (FieldType::Boolean, Json::Bool(value)) => Ok(Value::Bool(value)),
        (FieldType::Boolean, Json::Number(text)) if text == "0" || text == "1" => {
            Ok(Value::Bool(text == "1"))
        }
        (FieldType::Object, found @ Json::Object(_)) | (FieldType::Array, found @ Json::Array(_)) => {
            plain(found)
        }
        (FieldType::Object | FieldType::Array, Json::String(text)) => {
            match Parser::new(text.as_bytes()).and_then(Parser::single) {
                Ok(Json::String(_)) => Err("not JSON of its type"),
                Ok(inner) => typed(kind, inner),
                Err(_) => Err("not JSON"),
            }
        }
        (FieldType::String, _) => Err("not a text"),
        (FieldType::Date, _) => Err("not a date such as 2026-08-01"),
        (FieldType::DateTime, _) => {
            Err("not a date and time with its offset, such as 2026-08-01T09:30:00+03:00 (RFC 3339)")
        }
        (FieldType::Decimal, _) => Err("not a decimal number"),
        (FieldType::Integer, _) => Err("not a whole number"),
        (FieldType::Number, _) => Err("not a number"),
        (FieldType::Boolean, _) => Err("neither true nor false"),
        (FieldType::Object, _) => Err("not an object"),
        (FieldType::Array, _) => Err("not an array"),
    }
}

/// A whole number that every JSON reader keeps (RFC 7493 §2.2).
fn integer(text: &str) -> Result<Value, &'static str> {
    let whole = text.strip_prefix('-').unwrap_or(text).bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<i64>() {
        Ok(value) if value.unsigned_abs() <= MAX_EXACT_INTEGER => Ok(value.into()),
        _ if whole => Err(NOT_EXACT),
        _ => Err("not a whole number"),
    }
}

/// A number that survives the conversion to a double, as JSON readers do it.
fn number(text: &str) -> Result<Value, &'static str> {
    if let Ok(value) = integer(text) {
        return Ok(value);
    }
    let double: f64 = text.parse().map_err(|_| "not a number")?;
    match Number::from_f64(double) {
        Some(number) if digits(text) == digits(&number.to_string()) => Ok(Value::Number(number)),
        _ => Err(NOT_EXACT),
    }
}

/// Sign, significant digits and power of ten of a number: the same for all spellings of one number.
fn digits(text: &str) -> Option<(bool, String, i64)> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return Some((false, String::new(), 0));
    }
    let zeros = all.len().checked_sub(all.trim_end_matches('0').len())?;
    let power = exponent
        .parse::<i64>()
        .ok()?
        .checked_sub(i64::try_from(fraction.len()).ok()?)?
        .checked_add(i64::try_from(zeros).ok()?)?;
    Some((negative, significant.to_owned(), power))
}

/// A value within an object or array, unchanged.
fn plain(found: Json) -> Result<Value, &'static str> {
    match found {
        Json::Null => Ok(Value::Null),
        Json::Bool(value) => Ok(Value::Bool(value)),
        Json::Number(text) => number(&text)
            .map_err(|_| "a number within it has more digits than a JSON number keeps: write it as a text"),
        Json::String(text) => Ok(Value::String(text)),
        Json::Array(items) => items.into_iter().map(plain).collect::<Result<_, _>>().map(Value::Array),
        Json::Object(members) => members
            .into_iter()
            .map(|member| Ok((member.name, plain(member.value)?)))
            .collect::<Result<Map<_, _>, _>>()
            .map(Value::Object),
    }
}

/// The text of a CSV cell as a value of the field's type; an empty cell is absent.
pub(crate) fn from_text(kind: FieldType, notation: CsvNotation, text: &str) -> Json {
    let text = text.trim();
    let spelt = match notation {
        CsvNotation::Iso => None,
        CsvNotation::Finnish => from_finnish(kind, text),
    };
    let text = spelt.as_deref().unwrap_or(text);
    match kind {
        _ if text.is_empty() => Json::Null,
        FieldType::Integer | FieldType::Number if is_number(text) => Json::Number(text.to_owned()),
        FieldType::Boolean if text.eq_ignore_ascii_case("true") || text == "1" => Json::Bool(true),
        FieldType::Boolean if text.eq_ignore_ascii_case("false") || text == "0" => Json::Bool(false),
        _ => Json::String(text.to_owned()),
    }
}

/// Of no type but a text's.
const NOT_FINNISH: &str = "-";

/// A value in Finnish notation as ISO 8601 and JSON spell it; `None` where it is not in that notation.
fn from_finnish(kind: FieldType, text: &str) -> Option<String> {
    match kind {
        FieldType::Date => {
            let mut parts = text.split('.');
            let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
            let digits = |part: &str, least, most| {
                (least..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
            };
            let is_date =
                parts.next().is_none() && digits(day, 1, 2) && digits(month, 1, 2) && digits(year, 4, 4);
            is_date.then(|| format!("{year}-{month:0>2}-{day:0>2}"))
        }
        FieldType::Integer | FieldType::Number | FieldType::Decimal => {
            // A point is the decimal separator in one export and separates thousands in another.
            if text.contains('.') {
                return Some(NOT_FINNISH.to_owned());
            }
            let (whole, fraction) = match text.split_once(',') {
                Some((whole, fraction)) => (whole, Some(fraction)),
                None => (text, None),
            };
            let (sign, whole) = match whole.strip_prefix(['-', '\u{2212}']) {
                Some(whole) => ("-", whole),
                None => ("", whole),
            };
            let mut groups = whole.split([' ', '\u{a0}', '\u{202f}']);
            let first = groups.next()?;
            let grouped: Vec<&str> = groups.collect();
            let well_grouped = grouped.is_empty() || (1..=3).contains(&first.len());
            if !well_grouped || grouped.iter().any(|group| group.len() != 3) {
                return None;
            }
            let fraction = fraction.map(|fraction| format!(".{fraction}")).unwrap_or_default();
            Some(format!("{sign}{first}{}{fraction}", grouped.concat()))
        }
        FieldType::Boolean => match text.to_lowercase().as_str() {
            "kyllä" | "ja" => Some("true".to_owned()),
            "ei" | "nej" => Some("false".to_owned()),
            _ => None,
        },
        FieldType::String | FieldType::DateTime | FieldType::Object | FieldType::Array => None,
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

    /// The number of records so far.
    pub(crate) fn len(&self) -> usize {
        self.records.len()
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn number_of(text: &str) -> Json {
        Json::Number(text.to_owned())
    }

    #[test]
    fn what_a_json_number_would_change_is_refused_and_kept_as_decimal() {
        for text in ["12345678901234.56789012", "0.1000000000000000000001", "9007199254740993", "1e400"] {
            assert_eq!(typed(FieldType::Number, number_of(text)), Err(NOT_EXACT), "{text}");
        }
        assert_eq!(typed(FieldType::Integer, number_of("9007199254740993")), Err(NOT_EXACT));
        assert_eq!(typed(FieldType::Integer, number_of("7.0")), Err("not a whole number"));
        for (text, kept) in [
            ("12345678901234.56789012", "12345678901234.56789012"),
            ("288.30", "288.30"),
            ("-0.10", "-0.10"),
            ("1.5e3", "1500"),
            ("25e-1", "2.5"),
        ] {
            assert_eq!(typed(FieldType::Decimal, number_of(text)), Ok(kept.into()), "{text}");
        }
        assert_eq!(typed(FieldType::Number, number_of("288.30")), Ok(serde_json::json!(288.3)));
        assert_eq!(typed(FieldType::Number, number_of("7")), Ok(serde_json::json!(7)));
        for text in ["NaN", "1,5", "", "1e9999999", "01.5", ".5"] {
            assert!(typed(FieldType::Decimal, Json::String(text.to_owned())).is_err(), "{text}");
        }
    }

    #[test]
    fn a_date_and_time_has_its_offset() {
        for text in ["2026-08-01T09:30:00+03:00", "2026-08-01T06:30:00.25Z"] {
            assert_eq!(typed(FieldType::DateTime, Json::String(text.to_owned())), Ok(text.into()));
        }
        for text in ["2026-08-01T09:30:00", "2026-08-01 09:30:00", "2026-08-01", "2026-13-01T00:00:00Z"] {
            assert!(typed(FieldType::DateTime, Json::String(text.to_owned())).is_err(), "{text}");
        }
    }

    #[test]
    fn finnish_notation_is_the_same_value_or_refused() {
        let read = |kind, text| typed(kind, from_text(kind, CsvNotation::Finnish, text));
        for (kind, text, value) in [
            (FieldType::Date, "1.8.2026", json!("2026-08-01")),
            (FieldType::Date, "31.12.1999", json!("1999-12-31")),
            (FieldType::Date, "2026-08-01", json!("2026-08-01")),
            (FieldType::Decimal, "288,30", json!("288.30")),
            (FieldType::Decimal, "1 234 567,5", json!("1234567.5")),
            (FieldType::Decimal, "-1\u{a0}234,50", json!("-1234.50")),
            (FieldType::Decimal, "\u{2212}5", json!("-5")),
            (FieldType::Number, "12,5", json!(12.5)),
            (FieldType::Integer, "12\u{202f}000", json!(12000)),
            (FieldType::Boolean, "Kyllä", json!(true)),
            (FieldType::Boolean, "nej", json!(false)),
            (FieldType::Boolean, "1", json!(true)),
            (FieldType::Boolean, "", Value::Null),
            (FieldType::String, "1.8.2026", json!("1.8.2026")),
        ] {
            assert_eq!(read(kind, text), Ok(value), "{kind:?} {text}");
        }
        for (kind, text) in [
            (FieldType::Date, "31.2.2026"),
            (FieldType::Date, "1.8.26"),
            (FieldType::Date, "1.8.2026."),
            (FieldType::Date, "8/1/2026"),
            (FieldType::Decimal, "1.234,50"),
            (FieldType::Decimal, "288.30"),
            (FieldType::Decimal, "12 34,5"),
            (FieldType::Decimal, "1234 567"),
            (FieldType::Decimal, "1,2,3"),
            (FieldType::Decimal, ",5"),
            (FieldType::Integer, "1,0"),
            (FieldType::Boolean, "joo"),
        ] {
            assert!(read(kind, text).is_err(), "{kind:?} {text}");
        }
        // Without the notation the same texts are what they were.
        assert!(
            typed(FieldType::Decimal, from_text(FieldType::Decimal, CsvNotation::Iso, "288,30")).is_err()
        );
    }

    proptest! {
        #[test]
        fn every_decimal_comes_out_as_it_is_written(text in "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,40})?") {
            let from_number = typed(FieldType::Decimal, number_of(&text));
            prop_assert_eq!(&from_number, &Ok(Value::String(text.clone())));
            prop_assert_eq!(typed(FieldType::Decimal, from_text(FieldType::Decimal, CsvNotation::Iso, &text)), from_number);
        }

        #[test]
        fn every_double_is_the_same_number_at_the_other_side(value in any::<f64>().prop_filter("finite", |value| value.is_finite())) {
            let text = serde_json::to_string(&value).unwrap();
            let wire = typed(FieldType::Number, number_of(&text)).unwrap().to_string();
            prop_assert_eq!(wire.parse::<f64>().unwrap().to_bits() & (u64::MAX >> 1), value.to_bits() & (u64::MAX >> 1));
        }

        #[test]
        fn a_number_is_the_same_on_the_wire_or_refused(text in "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,24})?([eE][+-]?[0-9]{1,2})?") {
            if let Ok(value) = typed(FieldType::Number, number_of(&text)) {
                prop_assert_eq!(digits(&value.to_string()), digits(&text));
            }
        }
    }
}
