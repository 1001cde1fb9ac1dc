//! What a register says about a record beside its values: a non-disclosure order, and from when on it is available.
//! What cannot be read is an error, never "no order".

use super::failure::Failure;
use super::json::Json;
use crate::domain::catalogue::Marks;
use crate::domain::catalogue::register::{DatasetSource, ProtectedColumn};
use crate::domain::clock::Timestamp;
use crate::ports::RegisterError;

/// The columns or members with the marks of a dataset's records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MarkColumns {
    protected: Option<ProtectedColumn>,
    available_from: Option<String>,
}

impl MarkColumns {
    pub(crate) fn of(source: &DatasetSource) -> Self {
        Self { protected: source.protected.clone(), available_from: source.available_from_column.clone() }
    }

    /// Their names, as the register calls them.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let protected = self.protected.iter().map(|protected| protected.column.as_str());
        protected.chain(self.available_from.as_deref())
    }

    /// Reads the marks of one record; `take` returns `None` where the record has no such column.
    pub(crate) fn read(&self, mut take: impl FnMut(&str) -> Option<Json>) -> Result<Marks, Failure> {
        let mut found =
            |column: &str| take(column).ok_or_else(|| unfit(format!("the record has no member {column}")));
        let mut marks = Marks::default();
        if let Some(protected) = &self.protected {
            let value = found(&protected.column)?;
            let read = is_marked(&value, protected.marker.as_deref());
            marks.non_disclosure = Some(read.map_err(|rule| unfit(format!("{}: {rule}", protected.column)))?);
        }
        if let Some(column) = &self.available_from {
            marks.available_from =
                moment(&found(column)?).map_err(|rule| unfit(format!("{column}: {rule}")))?;
        }
        Ok(marks)
    }
}

fn unfit(cause: String) -> Failure {
    Failure::new(RegisterError::Unfit("a record's mark cannot be read"), cause)
}

/// With a marker text, the column has that text or nothing; without one, it says yes or no.
fn is_marked(value: &Json, marker: Option<&str>) -> Result<bool, &'static str> {
    match (value, marker) {
        (Json::Null, Some(_)) => Ok(false),
        (Json::String(text), Some(marker)) => match text.trim() {
            "" => Ok(false),
            text if text == marker => Ok(true),
            _ => Err("neither protected_marker nor empty"),
        },
        (Json::Bool(yes), None) => Ok(*yes),
        (Json::Number(text) | Json::String(text), None) => match text.trim().to_lowercase().as_str() {
            "1" | "true" | "t" | "kyllä" | "ja" | "yes" => Ok(true),
            "0" | "false" | "f" | "ei" | "nej" | "no" => Ok(false),
            _ => Err("neither yes nor no"),
        },
        (Json::Number(_) | Json::Bool(_), Some(_)) => Err("not a text, and protected_marker is one"),
        (Json::Null, None) => Err("empty: it must say yes or no"),
        (Json::Array(_) | Json::Object(_), _) => Err("neither yes nor no"),
    }
}

fn moment(value: &Json) -> Result<Option<Timestamp>, &'static str> {
    const RULE: &str = "not a date and time with its offset, such as 2026-08-01T09:30:00+03:00 (RFC 3339)";
    match value {
        Json::Null => Ok(None),
        Json::String(text) if text.trim().is_empty() => Ok(None),
        Json::String(text) => text.trim().parse().map(Some).map_err(|_| RULE),
        _ => Err(RULE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Json {
        Json::String(text.to_owned())
    }

    #[test]
    fn an_order_is_told_plainly_or_not_at_all() {
        for yes in [Json::Bool(true), Json::Number("1".to_owned()), text("Kyllä"), text(" true ")] {
            assert_eq!(is_marked(&yes, None), Ok(true));
        }
        for no in [Json::Bool(false), Json::Number("0".to_owned()), text("ei"), text("FALSE")] {
            assert_eq!(is_marked(&no, None), Ok(false));
        }
        for unclear in [Json::Null, text(""), text("?"), Json::Number("2".to_owned()), Json::Array(vec![])] {
            assert!(is_marked(&unclear, None).is_err());
        }
    }

    #[test]
    fn a_marker_text_stands_there_or_nothing_does() {
        assert_eq!(is_marked(&text("T"), Some("T")), Ok(true));
        assert_eq!(is_marked(&text(" "), Some("T")), Ok(false));
        assert_eq!(is_marked(&Json::Null, Some("T")), Ok(false));
        for unclear in [text("t"), text("E"), Json::Bool(true), Json::Number("1".to_owned())] {
            assert!(is_marked(&unclear, Some("T")).is_err());
        }
    }

    #[test]
    fn a_record_without_the_column_is_an_error_and_never_unprotected() {
        let columns = MarkColumns {
            protected: Some(ProtectedColumn { column: "turvakielto".to_owned(), marker: None }),
            available_from: Some("valmis".to_owned()),
        };
        let read = |protected: Option<Json>, from: Json| {
            columns.read(|name| if name == "turvakielto" { protected.clone() } else { Some(from.clone()) })
        };
        let marks = read(Some(Json::Bool(true)), text("2026-08-01T09:30:00+03:00")).unwrap();
        assert_eq!(marks.non_disclosure, Some(true));
        assert_eq!(marks.available_from, Some("2026-08-01T06:30:00Z".parse().unwrap()));
        assert_eq!(read(Some(Json::Bool(false)), Json::Null).unwrap().available_from, None);
        for (protected, from) in [(None, Json::Null), (Some(Json::Bool(true)), text("tomorrow"))] {
            let failure = read(protected, from).unwrap_err();
            assert_eq!(failure.error, RegisterError::Unfit("a record's mark cannot be read"));
        }
    }
}
