//! A look at a table, view or file of a register, so that a dataset's section can be drafted from it.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Component, Path};

use super::csv::Rows;
use super::failure::Failure;
use super::json::{Json, JsonError, Parser};
use super::{sql, values};
use crate::domain::catalogue::FieldType;
use crate::domain::catalogue::register::{
    Connection, CsvDelimiter, CsvDialect, CsvEncoding, CsvNotation, Register,
};
use crate::ports::RegisterError;

/// Rows that are looked at.
const ROWS: usize = 200;

/// One column or member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SampleColumn {
    pub(crate) name: String,
    pub(crate) kind: FieldType,
    /// Whether every value has the form of a Finnish personal identity code.
    pub(crate) is_identifier: bool,
}

/// What a register holds under one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) columns: Vec<SampleColumn>,
    pub(crate) source: SampleSource,
}

/// Where the columns stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SampleSource {
    /// A table or view, whose names are quoted with this character.
    Table(char),
    Json,
    Csv(CsvDialect),
}

/// Looks at the columns and the first rows.
///
/// # Errors
/// What cannot be read and why, for the operator.
pub(crate) fn sample(register: &Register, what: &str) -> Result<Sample, String> {
    look(register, what).map_err(|failure| failure.loggable_cause().to_owned())
}

fn look(register: &Register, what: &str) -> Result<Sample, Failure> {
    match &register.connection {
        Connection::Files { folder } => file(folder, Path::new(what)),
        Connection::Sql { url, password_file, .. } => {
            let (columns, rows) = sql::sample(register, url, password_file.as_deref(), &table(what)?, ROWS)?;
            let rows = rows
                .iter()
                .map(|row| match Parser::new(row.as_bytes())?.single()? {
                    Json::Object(members) => Ok(members.into_iter().map(|m| (m.name, m.value)).collect()),
                    _ => Ok(Vec::new()),
                })
                .collect::<Result<Vec<Vec<(String, Json)>>, JsonError>>()?;
            let columns = columns.iter().map(|column| {
                let values = column_of(&rows, &column.name);
                guess(&column.name, declared(&column.declared), &values)
            });
            found(columns.collect(), SampleSource::Table('"'))
        }
        #[cfg(feature = "odbc")]
        Connection::Odbc { connection, password_file, .. } => {
            let pool = super::odbc::Pool::new(register, connection, password_file.as_deref(), 1)
                .map_err(|error| Failure::new(RegisterError::Unavailable, error))?;
            let quote = pool.quote()?;
            let name: Vec<String> = table(what)?.iter().map(|part| format!("{quote}{part}{quote}")).collect();
            let (columns, rows) = super::odbc::sample(&pool, &name.join("."), ROWS)?;
            let columns = columns.iter().enumerate().map(|(at, (name, kind))| {
                let values: Vec<&Json> = rows.iter().filter_map(|row| row.get(at)).collect();
                guess(name, Some(*kind), &values)
            });
            found(columns.collect(), SampleSource::Table(quote))
        }
        #[cfg(not(feature = "odbc"))]
        Connection::Odbc { .. } => Err(RegisterError::Unavailable.into()),
        Connection::Http(_)
        | Connection::GdprApi(_)
        | Connection::Plugin(_)
        | Connection::PluginService(_) => Err(Failure::new(
            RegisterError::Unavailable,
            "a service has neither tables nor files: docs/operators.md shows its section",
        )),
    }
}

fn found(columns: Vec<SampleColumn>, source: SampleSource) -> Result<Sample, Failure> {
    match columns.is_empty() {
        true => Err(Failure::new(RegisterError::Unavailable, "no such table, or it has no column")),
        false => Ok(Sample { columns, source }),
    }
}

/// The parts of `schema.table`.
fn table(name: &str) -> Result<Vec<&str>, Failure> {
    let parts: Vec<&str> = name.split('.').collect();
    let plain = |part: &&str| {
        !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | ' ' | '-'))
    };
    match parts.iter().all(plain) {
        true => Ok(parts),
        false => Err(Failure::new(
            RegisterError::Unavailable,
            "not the name of a table: write TABLE or SCHEMA.TABLE",
        )),
    }
}

fn column_of<'a>(rows: &'a [Vec<(String, Json)>], name: &str) -> Vec<&'a Json> {
    let of =
        |row: &'a Vec<(String, Json)>| row.iter().find(|(other, _)| other == name).map(|(_, value)| value);
    rows.iter().filter_map(of).collect()
}

/// The field type of a column as PostgreSQL and SQLite declare it, where it says more than the values.
fn declared(kind: &str) -> Option<FieldType> {
    let kind = kind.to_ascii_lowercase();
    let is = |words: &[&str]| words.iter().any(|word| kind.starts_with(word));
    match () {
        () if is(&["bool"]) => Some(FieldType::Boolean),
        () if is(&["numeric", "decimal"]) => Some(FieldType::Decimal),
        () if is(&["real", "double", "float"]) => Some(FieldType::Number),
        () if is(&["int", "bigint", "smallint"]) => Some(FieldType::Integer),
        () if kind == "date" => Some(FieldType::Date),
        () if kind.starts_with("timestamp") && kind.ends_with("with time zone") => Some(FieldType::DateTime),
        () => None,
    }
}

/// What a column holds: what its database declares where the values agree, or else what all values are.
fn guess(name: &str, declared: Option<FieldType>, values: &[&Json]) -> SampleColumn {
    let values: Vec<&Json> = values.iter().copied().filter(|value| **value != Json::Null).collect();
    let are = |kind: FieldType| values.iter().all(|value| values::is_of(kind, value));
    let text = |value: &&Json| matches!(value, Json::String(_));
    let kind = match declared {
        Some(kind) if kind != FieldType::String && are(kind) => kind,
        _ if values.is_empty() => declared.unwrap_or(FieldType::String),
        _ if values.iter().all(|value| matches!(value, Json::Bool(_))) => FieldType::Boolean,
        _ if are(FieldType::Integer) => FieldType::Integer,
        // A text of digits may be a number of something that has none: a telephone, a house.
        _ if !values.iter().any(text) && are(FieldType::Decimal) => FieldType::Decimal,
        _ => [
            FieldType::Date,
            FieldType::DateTime,
            FieldType::Period,
            FieldType::Money,
            FieldType::Object,
            FieldType::Array,
        ]
        .into_iter()
        .find(|kind| are(*kind))
        .unwrap_or(FieldType::String),
    };
    let is_code = |value: &&Json| matches!(value, Json::String(text) if is_identity_code(text));
    SampleColumn {
        name: name.to_owned(),
        kind,
        is_identifier: !values.is_empty() && values.iter().all(is_code),
    }
}

/// The form of a Finnish personal identity code.
fn is_identity_code(text: &str) -> bool {
    let text = text.trim().as_bytes();
    let digits = |range: std::ops::Range<usize>| {
        text.get(range).is_some_and(|part| part.iter().all(u8::is_ascii_digit))
    };
    text.len() == 11
        && digits(0..6)
        && digits(7..10)
        && text.get(6).is_some_and(|sign| b"+-ABCDEFUVWXY".contains(&sign.to_ascii_uppercase()))
}

fn file(folder: &Path, name: &Path) -> Result<Sample, Failure> {
    let outside =
        || Failure::new(RegisterError::Unavailable, "not a .csv or .json file in the register's folder");
    if !name.components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(outside());
    }
    let unavailable = |error: std::io::Error| Failure::new(RegisterError::Unavailable, error);
    let open = || File::open(folder.join(name)).map_err(unavailable);
    match name.extension().and_then(|extension| extension.to_str()) {
        Some("json") => json(BufReader::new(open()?)),
        Some("csv") => {
            let mut bytes = Vec::new();
            open()?.take(1024 * 1024).read_to_end(&mut bytes).map_err(unavailable)?;
            csv(&bytes)
        }
        _ => Err(outside()),
    }
}

/// Why a look at a file ends.
enum End {
    Enough,
    Failed(Failure),
}

impl From<JsonError> for End {
    fn from(error: JsonError) -> Self {
        Self::Failed(error.into())
    }
}

fn json(input: BufReader<File>) -> Result<Sample, Failure> {
    let mut rows: Vec<Vec<(String, Json)>> = Vec::new();
    let read = Parser::new(input)?.objects(|_, members| {
        rows.push(members.into_iter().map(|member| (member.name, member.value)).collect());
        if rows.len() < ROWS { Ok(()) } else { Err(End::Enough) }
    });
    if let Err(End::Failed(failure)) = read {
        return Err(failure);
    }
    let mut names: Vec<String> = Vec::new();
    for (name, _) in rows.iter().flatten() {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    let columns = names.iter().map(|name| guess(name, None, &column_of(&rows, name))).collect();
    found(columns, SampleSource::Json)
}

/// Reads the first rows of a table whose dialect nobody has told.
fn csv(bytes: &[u8]) -> Result<Sample, Failure> {
    let is_utf8 = match std::str::from_utf8(bytes) {
        Ok(_) => true,
        // The end may be cut within a character.
        Err(error) => error.error_len().is_none(),
    };
    let encoding = if is_utf8 { CsvEncoding::Utf8 } else { CsvEncoding::Windows1252 };
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: &CsvDelimiter| first.iter().filter(|byte| **byte == delimiter.byte()).count();
    let delimiter = CsvDelimiter::ALL.into_iter().max_by_key(count).unwrap_or_default();
    let read = |notation| -> Result<(CsvDialect, Vec<SampleColumn>), Failure> {
        let dialect = CsvDialect { delimiter, encoding, notation };
        let mut rows = Rows::new(bytes, &dialect)?;
        let header = rows.row()?.unwrap_or_default();
        let mut cells: Vec<Vec<String>> = Vec::new();
        // The last row may be cut off.
        while let Ok(Some(row)) = rows.row() {
            cells.push(row.into_iter().map(|cell| cell.text).collect());
            if cells.len() >= ROWS {
                break;
            }
        }
        let columns = header.iter().enumerate().map(|(at, heading)| {
            let texts: Vec<&str> = cells.iter().filter_map(|row| row.get(at)).map(String::as_str).collect();
            let mut column = guess_texts(notation, &texts);
            column.name = heading.text.trim().to_owned();
            column
        });
        Ok((dialect, columns.collect()))
    };
    let (iso, finnish) = (read(CsvNotation::Iso)?, read(CsvNotation::Finnish)?);
    let told = |(_, columns): &(CsvDialect, Vec<SampleColumn>)| {
        columns.iter().filter(|column| column.kind != FieldType::String).count()
    };
    let (dialect, columns) = if told(&finnish) > told(&iso) { finnish } else { iso };
    found(columns, SampleSource::Csv(dialect))
}

/// What a column of a CSV file holds.
fn guess_texts(notation: CsvNotation, texts: &[&str]) -> SampleColumn {
    let texts: Vec<&str> = texts.iter().copied().filter(|text| !text.trim().is_empty()).collect();
    let are = |kind: FieldType| {
        texts.iter().all(|text| values::is_of(kind, &values::from_text(kind, notation, text)))
    };
    // A column of ones and zeros may count something.
    let words = texts.iter().any(|text| !matches!(text.trim(), "0" | "1"));
    let kind = match texts.is_empty() {
        true => FieldType::String,
        false if words && are(FieldType::Boolean) => FieldType::Boolean,
        false => [
            FieldType::Integer,
            FieldType::Decimal,
            FieldType::Date,
            FieldType::DateTime,
            FieldType::Object,
            FieldType::Array,
        ]
        .into_iter()
        .find(|kind| are(*kind))
        .unwrap_or(FieldType::String),
    };
    let is_identifier = !texts.is_empty() && texts.iter().all(|text| is_identity_code(text));
    SampleColumn { name: String::new(), kind, is_identifier }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(columns: &[SampleColumn]) -> Vec<(&str, FieldType)> {
        columns.iter().map(|column| (column.name.as_str(), column.kind)).collect()
    }

    #[test]
    fn the_dialect_and_the_types_of_a_finnish_export_are_found() {
        let text = "Huoltaja;Yksikkö;Alkaa;Maksu;Taattu;Postinumero;Lapsia\r\n\
                    010190-900P;Mänty;1.8.2026;1 288,30;kyllä;02100;2\r\n\
                    020285-901U;\"Kuusi; A\";31.12.2025;0,00;ei;00100;1\r\n";
        let (bytes, _, _) = encoding_rs::WINDOWS_1252.encode(text);
        let sample = csv(&bytes).unwrap();
        assert_eq!(
            sample.source,
            SampleSource::Csv(CsvDialect {
                delimiter: CsvDelimiter::Semicolon,
                encoding: CsvEncoding::Windows1252,
                notation: CsvNotation::Finnish,
            })
        );
        assert_eq!(
            kinds(&sample.columns),
            [
                ("Huoltaja", FieldType::String),
                ("Yksikkö", FieldType::String),
                ("Alkaa", FieldType::Date),
                ("Maksu", FieldType::Decimal),
                ("Taattu", FieldType::Boolean),
                ("Postinumero", FieldType::String),
                ("Lapsia", FieldType::Integer),
            ]
        );
        let identifiers: Vec<bool> = sample.columns.iter().map(|column| column.is_identifier).collect();
        assert_eq!(identifiers, [true, false, false, false, false, false, false]);
    }

    #[test]
    fn names_that_are_no_table_are_refused() {
        for name in ["", "a.", "a;b", "a\"b", "a'b", "(SELECT 1)", "a\0"] {
            assert!(table(name).is_err(), "{name}");
        }
        assert_eq!(table("early_education.placement").unwrap(), ["early_education", "placement"]);
    }
}
