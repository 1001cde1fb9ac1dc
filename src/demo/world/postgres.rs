//! Copies a register's SQLite database into PostgreSQL, for cities whose databases are there.

use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::sqlite::SqliteConnection;
use diesel::{Connection, QueryResult, QueryableByName, RunQueryDsl, sql_query, sql_types};
use url::Url;

use super::WorldError;
use super::registers::EARLY_EDUCATION;

/// The schema of the copy, beside the node's own tables.
const SCHEMA: &str = "early_education";

#[derive(QueryableByName)]
struct Text {
    #[diesel(sql_type = sql_types::Text)]
    text: String,
}

/// A table as SQLite describes it.
struct Table {
    /// Name and PostgreSQL type of each column; the first holds the person.
    columns: Vec<(String, &'static str)>,
    /// The rows, one JSON array of objects.
    rows: String,
}

/// The register's address within a city's PostgreSQL database.
pub(in crate::demo) fn register_url(database: &Url) -> Url {
    let mut url = database.clone();
    url.query_pairs_mut().append_pair("options", &format!("-csearch_path={SCHEMA}"));
    url
}

/// Replaces the register in a PostgreSQL database with what stands in a SQLite file.
///
/// # Errors
/// [`WorldError::Database`].
pub(in crate::demo) fn copy_register(file: &Path, database: &Url) -> Result<(), WorldError> {
    let failed = |reason: String| WorldError::Database { path: file.to_owned(), reason };
    let address = file.to_str().ok_or_else(|| failed("the path is not UTF-8".to_owned()))?;
    let mut from = SqliteConnection::establish(address).map_err(|error| failed(error.to_string()))?;
    let mut to = PgConnection::establish(database.as_str()).map_err(|error| failed(error.to_string()))?;
    to.transaction(|to| copy(&mut from, to)).map_err(|error| failed(error.to_string()))
}

fn copy(from: &mut SqliteConnection, to: &mut PgConnection) -> QueryResult<()> {
    to.batch_execute(&format!(
        "DROP SCHEMA IF EXISTS {SCHEMA} CASCADE; CREATE SCHEMA {SCHEMA}; SET LOCAL search_path = {SCHEMA}"
    ))?;
    create(to, "outage", &read(from, "outage")?)?;
    for name in EARLY_EDUCATION {
        let table = read(from, &format!("{name}_row"))?;
        create(to, &format!("{name}_row"), &table)?;
        let who = table.columns.first().map_or("", |(name, _)| name);
        // In a result column, not in the searched one: only a matching row fails.
        let seen = joined(&table, |column, _| match column {
            "child_name" => format!(
                "CASE WHEN {who} IN (SELECT who FROM outage) THEN (1 / (length({who}) - length({who})))::text \
                 ELSE child_name END AS child_name"
            ),
            _ => format!("\"{column}\""),
        });
        to.batch_execute(&format!(
            "CREATE INDEX {name}_of ON {name}_row ({who}); CREATE VIEW {name} AS SELECT {seen} FROM {name}_row"
        ))?;
    }
    Ok(())
}

fn joined(table: &Table, form: impl Fn(&str, &str) -> String) -> String {
    table.columns.iter().map(|(name, kind)| form(name, kind)).collect::<Vec<_>>().join(", ")
}

fn read(from: &mut SqliteConnection, name: &str) -> QueryResult<Table> {
    let names: Vec<Text> = sql_query("SELECT name AS text FROM pragma_table_info(?)")
        .bind::<sql_types::Text, _>(name)
        .load(from)?;
    let mut columns = Vec::new();
    for Text { text: column } in names {
        // SQLite's columns have no types of their own here: the values have.
        let used: Vec<Text> = sql_query(format!(
            "SELECT DISTINCT typeof(\"{column}\") AS text FROM {name} WHERE \"{column}\" IS NOT NULL"
        ))
        .load(from)?;
        let kind = match used.first().map(|used| used.text.as_str()) {
            Some("integer") => "bigint",
            _ => "text",
        };
        columns.push((column, kind));
    }
    let table = Table { columns, rows: String::new() };
    let object = joined(&table, |column, _| format!("'{column}', \"{column}\""));
    let rows: Text = sql_query(format!("SELECT json_group_array(json_object({object})) AS text FROM {name}"))
        .get_result(from)?;
    Ok(Table { rows: rows.text, ..table })
}

fn create(to: &mut PgConnection, name: &str, table: &Table) -> QueryResult<()> {
    let columns = joined(table, |column, kind| format!("\"{column}\" {kind}"));
    to.batch_execute(&format!("CREATE TABLE {name} ({columns})"))?;
    sql_query(format!("INSERT INTO {name} SELECT * FROM json_populate_recordset(NULL::{name}, $1::json)"))
        .bind::<sql_types::Text, _>(&table.rows)
        .execute(to)?;
    Ok(())
}
