//! Registers that are databases behind an ODBC driver: MSSQL, Oracle, MySQL, MariaDB, DB2.
//!
//! Databases quote names and limit rows differently, so the operator's query is run as it is written, and only the columns of
//! the fields that are asked for are fetched, by name, row by row. The identifier is a bound parameter. Whatever the query
//! does is rolled back.

mod cell;
mod pool;

use odbc_api::parameter::VarCharSlice;
use odbc_api::{ColumnDescription, Cursor, ResultSetMetadata};

pub(crate) use pool::Pool;

use super::failure::Failure;
use super::json::Json;
use super::mapping::Mapping;
use super::marks::MarkColumns;
use super::names::{self, NameColumn};
use super::values::Collected;
use super::{BlockingReader, Bounds, sql};
use crate::domain::catalogue::register::{HeldDataset, NameColumns};
use crate::domain::catalogue::{FieldType, Record};
use crate::domain::ids::{FieldPath, NationalIdentifier};
use crate::ports::{Question, RegisterError};
use cell::{Cells, Form};
use pool::refused;

pub(crate) struct Query {
    pool: Pool,
    text: String,
    subject_column: String,
    marks: MarkColumns,
    mapping: Mapping,
    names: NameColumns,
    bounds: Bounds,
}

/// A column of the answer that is fetched. It may be a field and say something about the record as well.
struct Column {
    /// Counted from 1.
    number: u16,
    form: Form,
    /// As this side writes it.
    name: String,
}

impl Query {
    pub(crate) fn new(pool: Pool, query: &str, held: &HeldDataset, bounds: Bounds) -> Self {
        Self {
            pool,
            text: query.replace("$1", "?"),
            subject_column: held.source.subject_column.clone(),
            marks: MarkColumns::of(&held.source),
            mapping: Mapping::of(held),
            names: held.source.names.clone(),
            bounds,
        }
    }

    fn run(&self, fields: &[FieldPath], identifier: &str) -> Result<Vec<Record>, Failure> {
        self.pool.with_statement(|statement| {
            // Identifiers are ASCII. As VARCHAR: compared with a wide text, a column of narrow ones would not use its index.
            let parameter = VarCharSlice::new(identifier.as_bytes());
            let cursor = statement.execute(&self.text, &parameter).map_err(refused)?;
            let mut cursor =
                cursor.ok_or_else(|| unfit("the query gives no rows", "the query is not a SELECT"))?;
            let columns = self.columns(&mut cursor, fields)?;
            let mut collected = Collected::new(self.bounds);
            let mut cells = Cells::new(self.bounds.max_bytes);
            while let Some(mut row) = cursor.next_row().map_err(refused)? {
                let number = collected.len().saturating_add(1);
                self.take(&mut row, &columns, fields, &mut cells, &mut collected).map_err(|failure| {
                    Failure { cause: format!("row {number}, {}", failure.cause), ..failure }
                })?;
            }
            Ok(collected.into_records())
        })
    }

    /// Finds the columns to fetch, in the order in which every driver gives them away.
    fn columns(
        &self,
        cursor: &mut impl ResultSetMetadata,
        fields: &[FieldPath],
    ) -> Result<Vec<Column>, Failure> {
        const REASON: &str = "a column is missing or doubled";
        let count = cursor.num_result_cols().map_err(refused)?;
        let mut described = Vec::new();
        for number in 1..=u16::try_from(count).unwrap_or(0) {
            let mut column = ColumnDescription::default();
            cursor.describe_col(number, &mut column).map_err(refused)?;
            described.push((number, column.name_to_string().unwrap_or_default(), column.data_type));
        }
        let asked = self.mapping.columns(fields);
        let asked = asked.iter().map(|column| column.name);
        let about = NameColumn::of(&self.names).map(|(_, column)| column);
        let names =
            std::iter::once(self.subject_column.as_str()).chain(self.marks.names()).chain(about).chain(asked);
        let mut columns: Vec<Column> = Vec::new();
        for name in names {
            // Databases that fold names write them in capitals.
            let mut named = described.iter().filter(|(_, other, _)| other.eq_ignore_ascii_case(name));
            let (number, _, kind) = match (named.next(), named.next()) {
                (Some(found), None) => found,
                (Some(_), Some(_)) => {
                    return Err(unfit(REASON, format!("the query has two columns {name}")));
                }
                (None, _) => return Err(unfit(REASON, format!("the query has no column {name}"))),
            };
            let form = Form::of(kind)
                .map_err(|rule| unfit("a field is not of its type", format!("column {name}: {rule}")))?;
            if columns.iter().all(|column| column.number != *number) {
                columns.push(Column { number: *number, form, name: name.to_owned() });
            }
        }
        columns.sort_by_key(|column| column.number);
        Ok(columns)
    }

    fn take(
        &self,
        row: &mut odbc_api::CursorRow<'_>,
        columns: &[Column],
        fields: &[FieldPath],
        cells: &mut Cells,
        collected: &mut Collected,
    ) -> Result<(), Failure> {
        let mut found = Vec::new();
        cells.begin_row();
        for Column { number, form, name } in columns {
            let value = cells.read(row, *number, *form).map_err(|failure| Failure {
                cause: format!("column {name}: {}", failure.cause),
                ..failure
            })?;
            found.push((name, *form, value));
        }
        let of = |name: &str| {
            let found = found.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name));
            found.map(|(_, form, value)| (*form, value.clone()))
        };
        let subject = match of(&self.subject_column) {
            Some((_, Json::String(text))) => NationalIdentifier::exact(&text).ok(),
            _ => None,
        };
        let subject = subject.ok_or_else(|| {
            unfit("a record does not say whose it is", "the subject column holds no identifier")
        })?;
        let marks = self.marks.read(|column| of(column).map(|(_, value)| value))?;
        let names =
            names::read(&self.names, |_, column| of(column).and_then(|(_, value)| names::text(&value)))?;
        let record = self.mapping.record(fields, (subject, marks), |column| {
            let value = of(column.name).map(|(form, value)| cell::fit(column.field.kind, form, value));
            (None, value.unwrap_or(Json::Null))
        })?;
        Ok(collected.push(Record { names, ..record })?)
    }
}

impl BlockingReader for Query {
    fn read(&self, question: &Question) -> Result<Vec<Record>, Failure> {
        sql::in_either_case(question, |identifier| self.run(&question.fields, identifier))
    }
}

fn unfit(reason: &'static str, cause: impl ToString) -> Failure {
    Failure::new(RegisterError::Unfit(reason), cause)
}

/// Columns with the type that each most likely has, and rows.
type Sampled = (Vec<(String, FieldType)>, Vec<Vec<Json>>);

/// The first rows of a table or view, with its columns and their types.
pub(super) fn sample(pool: &Pool, table: &str, rows: usize) -> Result<Sampled, Failure> {
    pool.with_statement(|statement| {
        let cursor = statement.execute(&format!("SELECT * FROM {table}"), ()).map_err(refused)?;
        let mut cursor = cursor.ok_or_else(|| unfit("the query gives no rows", "not a table"))?;
        let mut columns = Vec::new();
        let mut forms = Vec::new();
        for number in 1..=u16::try_from(cursor.num_result_cols().map_err(refused)?).unwrap_or(0) {
            let mut column = ColumnDescription::default();
            cursor.describe_col(number, &mut column).map_err(refused)?;
            // What cannot be read is left out.
            let Ok(form) = Form::of(&column.data_type) else { continue };
            columns.push((column.name_to_string().unwrap_or_default(), cell::likely(&column.data_type)));
            forms.push((number, form));
        }
        let mut found = Vec::new();
        let mut cells = Cells::new(1024 * 1024);
        while let Some(mut row) = cursor.next_row().map_err(refused)?.filter(|_| found.len() < rows) {
            cells.begin_row();
            let row: Result<_, _> =
                forms.iter().map(|(number, form)| cells.read(&mut row, *number, *form)).collect();
            found.push(row?);
        }
        Ok((columns, found))
    })
}
