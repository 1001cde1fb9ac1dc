//! Converts a register's values to the types that the dataset declares.

use serde_json::{Map, Number, Value, json};

use super::Bounds;
use super::json::{Json, Member, Parser, is_number};
use crate::domain::catalogue::register::CsvNotation;
use crate::domain::catalogue::tree::object;
use crate::domain::catalogue::value::{MAX_EXACT_INTEGER, decimal, is_date_time};
use crate::domain::catalogue::{Field, FieldTree, FieldType, Record};
use crate::domain::clock::Day;
use crate::domain::ids::Currency;
use crate::ports::RegisterError;

const NOT_EXACT: &str = "a number has more digits than a JSON number keeps: declare the field as decimal";
const MISSING: &str = "is not in the object; an absent value is null, or the field has may_be_missing = true";

/// The rule that a value breaks, and the path of the field within the value that breaks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    /// Names from the outside in; empty if it is the value itself.
    pub(crate) within: Vec<String>,
    pub(crate) rule: &'static str,
}

impl From<&'static str> for Broken {
    fn from(rule: &'static str) -> Self {
        Self { within: Vec::new(), rule }
    }
}

impl Broken {
    fn inside(mut self, name: &str) -> Self {
        self.within.insert(0, name.to_owned());
        self
    }
}

/// The value as the field's type, of objects and lists the wanted fields alone. Registers without a matching type may
/// write a boolean as 0 or 1, a decimal as a number, and an object or array as JSON text. No value is changed.
pub(crate) fn typed(field: &Field, wanted: &FieldTree, found: Json) -> Result<Value, Broken> {
    match (field.kind, from_json_text(field.kind, found)?) {
        (_, Json::Null) => Ok(Value::Null),
        (FieldType::Array, Json::Array(items)) if field.is_structured() => {
            items.into_iter().map(|item| row(field, wanted, item)).collect::<Result<_, _>>().map(Value::Array)
        }
        (FieldType::Array, _) if field.is_structured() => Err("not a list of objects".into()),
        (_, Json::Object(found)) if field.is_structured() => Ok(object(members(field, wanted, found)?)),
        (_, _) if field.is_structured() => Err("not an object".into()),
        (FieldType::Array, Json::Array(items)) => match field.items {
            Some(kind) => Ok(Value::Array(
                items
                    .into_iter()
                    .map(|item| plain(field.currency.as_ref(), kind, item))
                    .collect::<Result<_, _>>()?,
            )),
            None => Ok(opaque(Json::Array(items))?),
        },
        (FieldType::Object, found @ Json::Object(_)) => Ok(opaque(found)?),
        (kind, found) => Ok(plain(field.currency.as_ref(), kind, found)?),
    }
}

/// What a text holds, where a register writes an object or list as JSON text.
fn from_json_text(kind: FieldType, found: Json) -> Result<Json, &'static str> {
    let is_json = match (kind, &found) {
        (FieldType::Object | FieldType::Array | FieldType::Period, Json::String(_)) => true,
        (FieldType::Money, Json::String(text)) => text.trim_start().starts_with('{'),
        _ => false,
    };
    match found {
        Json::String(text) if is_json => match Parser::new(text.as_bytes()).and_then(Parser::single) {
            Ok(Json::String(_)) => Err("not JSON of its type"),
            Ok(inner) => Ok(inner),
            Err(_) => Err("not JSON"),
        },
        other => Ok(other),
    }
}

/// One object of a list. It stays an object, so that rows keep their number and order.
fn row(field: &Field, wanted: &FieldTree, found: Json) -> Result<Value, Broken> {
    match found {
        Json::Null => Ok(Value::Null),
        Json::Object(found) => Ok(Value::Object(members(field, wanted, found)?)),
        _ => Err("not a list of objects".into()),
    }
}

/// The wanted members of an object. Others are dropped, and a missing one is an error: it may have been renamed.
fn members(field: &Field, wanted: &FieldTree, mut found: Vec<Member>) -> Result<Map<String, Value>, Broken> {
    let mut kept = Map::new();
    for inner in &field.fields {
        let name = inner.name.as_str();
        let Some(within) = wanted.get(name) else { continue };
        let value = match found.iter().position(|member| member.name == name) {
            Some(at) => {
                typed(inner, within, found.swap_remove(at).value).map_err(|broken| broken.inside(name))?
            }
            None if inner.may_be_missing => Value::Null,
            None => return Err(Broken::from(MISSING).inside(name)),
        };
        kept.insert(name.to_owned(), value);
    }
    Ok(kept)
}

/// Whether a value could be that of a field of this type, whose own fields nobody has declared.
pub(crate) fn is_of(kind: FieldType, value: &Json) -> bool {
    match (kind, from_json_text(kind, value.clone())) {
        (FieldType::Object, Ok(found @ Json::Object(_))) | (FieldType::Array, Ok(found @ Json::Array(_))) => {
            opaque(found).is_ok()
        }
        (_, Ok(found)) => plain(None, kind, found).is_ok(),
        (_, Err(_)) => false,
    }
}

/// A value without fields of its own.
fn plain(currency: Option<&Currency>, kind: FieldType, found: Json) -> Result<Value, &'static str> {
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
        (FieldType::Money, found) => money(currency, found),
        (FieldType::Period, found) => period(found),
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

/// `{"amount", "currency"}`, or an amount alone where the dataset names the currency.
fn money(declared: Option<&Currency>, found: Json) -> Result<Value, &'static str> {
    const NOT_MONEY: &str =
        "not money: an object of amount and currency, or an amount where the field has a currency";
    let (amount, currency) = match found {
        Json::Object(mut members) => {
            let mut take = |name: &str| {
                let at = members.iter().position(|member| member.name == name)?;
                Some(members.swap_remove(at).value)
            };
            let currency = match take("currency") {
                Some(Json::String(text)) => Some(text.parse::<Currency>().map_err(|_| NOT_MONEY)?),
                None | Some(Json::Null) => declared.cloned(),
                Some(_) => return Err(NOT_MONEY),
            };
            (take("amount").ok_or(NOT_MONEY)?, currency)
        }
        amount => (amount, declared.cloned()),
    };
    let amount = match amount {
        Json::String(text) | Json::Number(text) => {
            decimal(&text).ok_or("not money: its amount is no decimal number")?
        }
        _ => return Err(NOT_MONEY),
    };
    let currency = currency.ok_or("not money: it has no currency, and the field none either")?;
    Ok(json!({"amount": amount, "currency": currency}))
}

/// `{"start", "end"}`: dates, the second may be absent.
fn period(found: Json) -> Result<Value, &'static str> {
    const NOT_A_PERIOD: &str = "not a period: an object of start and end, dates such as 2026-08-01";
    let Json::Object(members) = found else { return Err(NOT_A_PERIOD) };
    let (mut start, mut end) = (None, None);
    for member in members {
        let day = match member.value {
            Json::Null => None,
            Json::String(text) => Some(text.parse::<Day>().map_err(|_| NOT_A_PERIOD)?),
            _ => return Err(NOT_A_PERIOD),
        };
        match member.name.as_str() {
            "start" => start = day,
            "end" => end = day,
            _ => return Err("not a period: it has other members than start and end"),
        }
    }
    let start = start.ok_or("not a period: it has no start")?;
    if end.is_some_and(|end| end < start) {
        return Err("not a period: it ends before it starts");
    }
    Ok(json!({"start": start, "end": end}))
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

/// A value within an object or array whose fields are not declared, unchanged.
fn opaque(found: Json) -> Result<Value, &'static str> {
    match found {
        Json::Null => Ok(Value::Null),
        Json::Bool(value) => Ok(Value::Bool(value)),
        Json::Number(text) => number(&text)
            .map_err(|_| "a number within it has more digits than a JSON number keeps: write it as a text"),
        Json::String(text) => Ok(Value::String(text)),
        Json::Array(items) => items.into_iter().map(opaque).collect::<Result<_, _>>().map(Value::Array),
        Json::Object(members) => members
            .into_iter()
            .map(|member| Ok((member.name, opaque(member.value)?)))
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
        FieldType::Integer | FieldType::Number | FieldType::Decimal | FieldType::Money => {
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
        FieldType::String
        | FieldType::DateTime
        | FieldType::Period
        | FieldType::Object
        | FieldType::Array => None,
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
#[path = "values_tests.rs"]
mod tests;
