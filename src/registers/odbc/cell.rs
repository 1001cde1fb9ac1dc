//! Single values of an ODBC answer, without a change on the way.

use odbc_api::buffers::Indicator;
use odbc_api::parameter::{VarCell, WideText};
use odbc_api::{Bit, CursorRow, DataType, Nullable};

use super::super::failure::Failure;
use super::super::json::Json;
use super::pool::refused;
use super::unfit;
use crate::domain::catalogue::FieldType;
use crate::ports::RegisterError;

/// How a column's values are fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    /// A number with all its digits, as the database writes it.
    Digits,
    /// Fetched as it is: drivers write fewer digits than it has.
    Float,
    Double,
    Bit,
    /// `2026-08-01 09:30:00.25`.
    Timestamp,
    /// The same with ` +03:00` behind.
    TimestampWithOffset,
}

/// Type codes of Microsoft's driver that the standard does not name, and the standard's own GUID.
const GUID: i16 = -11;
const XML: i16 = -152;
const TIME: i16 = -154;
const TIMESTAMP_WITH_OFFSET: i16 = -155;

impl Form {
    pub(super) fn of(kind: &DataType) -> Result<Self, &'static str> {
        match kind {
            DataType::Char { .. }
            | DataType::WChar { .. }
            | DataType::Varchar { .. }
            | DataType::WVarchar { .. }
            | DataType::LongVarchar { .. }
            | DataType::WLongVarchar { .. }
            | DataType::Date
            | DataType::Time { .. } => Ok(Self::Text),
            DataType::Numeric { .. }
            | DataType::Decimal { .. }
            | DataType::Integer
            | DataType::SmallInt
            | DataType::BigInt
            | DataType::TinyInt => Ok(Self::Digits),
            DataType::Real => Ok(Self::Float),
            DataType::Float { .. } | DataType::Double => Ok(Self::Double),
            DataType::Bit => Ok(Self::Bit),
            DataType::Timestamp { .. } => Ok(Self::Timestamp),
            DataType::Other { data_type, .. } => match data_type.0 {
                GUID | XML | TIME => Ok(Self::Text),
                TIMESTAMP_WITH_OFFSET => Ok(Self::TimestampWithOffset),
                _ => Err("a type that is not read: let the query convert it"),
            },
            DataType::Binary { .. } | DataType::Varbinary { .. } | DataType::LongVarbinary { .. } => {
                Err("binary data: let the query convert it to a text")
            }
            DataType::Unknown => Err("the driver does not tell its type: let the query convert it"),
        }
    }
}

/// The field type that a column most likely has.
pub(super) fn likely(kind: &DataType) -> FieldType {
    match kind {
        DataType::Bit => FieldType::Boolean,
        DataType::Integer | DataType::SmallInt | DataType::BigInt | DataType::TinyInt => FieldType::Integer,
        DataType::Numeric { scale: 0, .. } | DataType::Decimal { scale: 0, .. } => FieldType::Integer,
        DataType::Numeric { .. } | DataType::Decimal { .. } => FieldType::Decimal,
        DataType::Real | DataType::Float { .. } | DataType::Double => FieldType::Number,
        DataType::Date => FieldType::Date,
        DataType::Other { data_type, .. } if data_type.0 == TIMESTAMP_WITH_OFFSET => FieldType::DateTime,
        _ => FieldType::String,
    }
}

/// Fetches the cells of one row after another, within the bound of bytes.
pub(super) struct Cells {
    /// For a part of a text.
    part: Vec<u16>,
    text: Vec<u16>,
    max_units: usize,
    /// What the row's texts may still have.
    left: usize,
}

/// UTF-16 units fetched at a time: most values in one.
const PART: usize = 2048;

impl Cells {
    pub(super) fn new(max_bytes: usize) -> Self {
        // A unit is a byte of JSON at least, and one more shows that the bound is exceeded.
        let max_units = max_bytes.saturating_add(1);
        Self { part: vec![0; PART], text: Vec::new(), max_units, left: max_units }
    }

    pub(super) fn begin_row(&mut self) {
        self.left = self.max_units;
    }

    /// Reads one cell. Of one row, columns are read from the first to the last.
    pub(super) fn read(&mut self, row: &mut CursorRow<'_>, number: u16, form: Form) -> Result<Json, Failure> {
        match form {
            Form::Bit => {
                let mut cell = Nullable::<Bit>::null();
                row.get_data(number, &mut cell).map_err(refused)?;
                Ok(cell.into_opt().map_or(Json::Null, |bit| Json::Bool(bit.as_bool())))
            }
            Form::Float => {
                let mut cell = Nullable::<f32>::null();
                row.get_data(number, &mut cell).map_err(refused)?;
                cell.into_opt().map_or(Ok(Json::Null), |value| float(value.is_finite(), value.to_string()))
            }
            Form::Double => {
                let mut cell = Nullable::<f64>::null();
                row.get_data(number, &mut cell).map_err(refused)?;
                cell.into_opt().map_or(Ok(Json::Null), |value| float(value.is_finite(), value.to_string()))
            }
            Form::Text | Form::Timestamp => Ok(self.text(row, number)?.map_or(Json::Null, Json::String)),
            Form::TimestampWithOffset => {
                let text = self.text(row, number)?;
                Ok(text.map_or(Json::Null, |text| Json::String(with_offset(&text))))
            }
            Form::Digits => {
                let text = self.text(row, number)?;
                Ok(text.map_or(Json::Null, |text| Json::Number(with_leading_zero(text.trim()))))
            }
        }
    }

    /// A text as a whole; `None` for NULL.
    fn text(&mut self, row: &mut CursorRow<'_>, number: u16) -> Result<Option<String>, Failure> {
        self.text.clear();
        loop {
            let mut cell =
                VarCell::<&mut [u16], WideText>::from_buffer(self.part.as_mut_slice(), Indicator::Null);
            row.get_data(number, &mut cell).map_err(refused)?;
            let Some(units) = cell.as_slice() else { return Ok(None) };
            if units.len() > self.left {
                return Err(RegisterError::TooLarge.into());
            }
            self.left = self.left.saturating_sub(units.len());
            self.text.extend_from_slice(units);
            if cell.is_complete() {
                break;
            }
        }
        let text = String::from_utf16(&self.text).ok().filter(|text| !text.contains('\u{fffd}'));
        let text = text.ok_or_else(|| {
            unfit(
                "a text is not Unicode",
                "a character was lost on the way: check the \
                                      character set of the table, the query and the driver",
            )
        })?;
        Ok(Some(text))
    }
}

fn float(is_finite: bool, text: String) -> Result<Json, Failure> {
    match is_finite {
        true => Ok(Json::Number(text)),
        false => Err(unfit("a field is not of its type", "infinite or not a number")),
    }
}

/// Some drivers write `.50` and `-.50`.
fn with_leading_zero(text: &str) -> String {
    match text.strip_prefix('-').map_or(("", text), |rest| ("-", rest)) {
        (sign, rest) if rest.starts_with('.') => format!("{sign}0{rest}"),
        _ => text.to_owned(),
    }
}

/// RFC 3339 writes no space before the offset.
fn with_offset(text: &str) -> String {
    match text.split(' ').collect::<Vec<_>>().as_slice() {
        [day, time, offset] => format!("{day}T{time}{offset}"),
        _ => text.to_owned(),
    }
}

/// What a database without the field's type writes instead, as the type itself; anything else is left as it is.
pub(super) fn fit(kind: FieldType, form: Form, value: Json) -> Json {
    match (kind, form, value) {
        (FieldType::Boolean, Form::Text, Json::String(text)) => match text.trim_end() {
            "0" => Json::Bool(false),
            "1" => Json::Bool(true),
            _ => Json::String(text),
        },
        // Binary fractions have no decimal digits of their own.
        (FieldType::Decimal | FieldType::Money, Form::Float | Form::Double, Json::Number(_)) => {
            Json::Bool(false)
        }
        // Oracle's DATE has a time of day.
        (FieldType::Date, Form::Timestamp, Json::String(text)) => match text.split_once(' ') {
            Some((day, time)) if time.bytes().all(|byte| matches!(byte, b'0' | b':' | b'.')) => {
                Json::String(day.to_owned())
            }
            _ => Json::String(text),
        },
        (_, _, value) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Json {
        Json::String(text.to_owned())
    }

    #[test]
    fn what_databases_write_otherwise_is_the_same_value_or_left_alone() {
        for (kind, form, written, value) in [
            (FieldType::Boolean, Form::Text, text("1"), Json::Bool(true)),
            (FieldType::Boolean, Form::Text, text("0  "), Json::Bool(false)),
            (FieldType::Boolean, Form::Text, text("Y"), text("Y")),
            (FieldType::String, Form::Text, text("1"), text("1")),
            (FieldType::Date, Form::Timestamp, text("2026-08-01 00:00:00"), text("2026-08-01")),
            (FieldType::Date, Form::Timestamp, text("2026-08-01 00:00:00.000000"), text("2026-08-01")),
            (FieldType::Date, Form::Timestamp, text("2026-08-01 00:30:00"), text("2026-08-01 00:30:00")),
            (FieldType::String, Form::Timestamp, text("2026-08-01 00:00:00"), text("2026-08-01 00:00:00")),
        ] {
            assert!(fit(kind, form, written) == value, "{kind:?} {form:?}");
        }
        for (written, number) in [(".50", "0.50"), ("-.5", "-0.5"), ("12.50", "12.50"), ("-7", "-7")] {
            assert_eq!(with_leading_zero(written), number);
        }
        assert_eq!(with_offset("2026-08-01 09:30:00.25 +03:00"), "2026-08-01T09:30:00.25+03:00");
        assert_eq!(with_offset("2026-08-01 09:30:00"), "2026-08-01 09:30:00");
    }

    #[test]
    fn binary_and_unknown_columns_are_refused() {
        assert_eq!(Form::of(&DataType::Bit), Ok(Form::Bit));
        assert!(Form::of(&DataType::Unknown).is_err());
        for length in [None, std::num::NonZeroUsize::new(8)] {
            assert!(Form::of(&DataType::Binary { length }).is_err());
            assert!(Form::of(&DataType::Varbinary { length }).is_err());
            assert!(Form::of(&DataType::LongVarbinary { length }).is_err());
        }
    }
}
