//! Writes rows in the form of each city's systems: SQLite databases, JSON and CSV files.

use std::fs;
use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;
use diesel::{Connection, RunQueryDsl, sql_query, sql_types};
use serde_json::Value;
use time::Date;
use time::macros::format_description;

use super::WorldError;
use super::people::{Behaviour, Person};
use super::records::{Row, Rows};
use crate::config::shipped::City;

/// Columns of the tables, in pairs of name and the row's member. The first is the subject.
const PLACEMENT: [(&str, &str); 12] = [
    ("guardian", "guardian"),
    ("id", "id"),
    ("child", "child"),
    ("non_disclosure", "nonDisclosure"),
    ("available_from", "availableFrom"),
    ("child_name", "childName"),
    ("type", "type"),
    ("unit", "unit"),
    ("start_date", "startDate"),
    ("end_date", "endDate"),
    ("place_guarantee", "placeGuarantee"),
    ("termination_requested_date", "terminationRequestedDate"),
];
const SERVICE_NEED: [(&str, &str); 11] = [
    ("guardian", "guardian"),
    ("id", "id"),
    ("child", "child"),
    ("non_disclosure", "nonDisclosure"),
    ("available_from", "availableFrom"),
    ("child_name", "childName"),
    ("start_date", "startDate"),
    ("end_date", "endDate"),
    ("option", "option"),
    ("shift_care", "shiftCare"),
    ("part_week", "partWeek"),
];
const DECISION: [(&str, &str); 14] = [
    ("guardian", "guardian"),
    ("id", "id"),
    ("child", "child"),
    ("non_disclosure", "nonDisclosure"),
    ("available_from", "availableFrom"),
    ("child_name", "childName"),
    ("decision_number", "decisionNumber"),
    ("type", "type"),
    ("start_date", "startDate"),
    ("end_date", "endDate"),
    ("sent_date", "sentDate"),
    ("status", "status"),
    ("resolved", "resolved"),
    ("unit", "unit"),
];
/// As [`DECISION`], with the daycare centre's parts in columns of their own.
const DECISION_IN_COLUMNS: [(&str, &str); 17] = [
    ("guardian", "guardian"),
    ("id", "id"),
    ("child", "child"),
    ("non_disclosure", "nonDisclosure"),
    ("available_from", "availableFrom"),
    ("child_name", "childName"),
    ("decision_number", "decisionNumber"),
    ("type", "type"),
    ("start_date", "startDate"),
    ("end_date", "endDate"),
    ("sent_date", "sentDate"),
    ("status", "status"),
    ("resolved", "resolved"),
    ("unit_name", "unit.name"),
    ("unit_provider_type", "unit.providerType"),
    ("unit_language", "unit.language"),
    ("unit_address", "unit.address"),
];
const PARKING: [&str; 9] = [
    "resident",
    "type",
    "status",
    "startTime",
    "endTime",
    "contractType",
    "monthCount",
    "vehicle",
    "parkingZone",
];
/// Members with the headings of a Finnish export.
const PLACEMENT_EXPORT: [(&str, &str); 11] = [
    ("guardian", "Huoltajan henkilötunnus"),
    ("id", "Sijoituksen tunnus"),
    ("child", "Lapsen henkilötunnus"),
    ("nonDisclosure", "Turvakielto"),
    ("childName", "Lapsen etunimi"),
    ("type", "Hoitomuoto"),
    ("unit", "Yksikkö"),
    ("startDate", "Alkaa"),
    ("endDate", "Päättyy"),
    ("placeGuarantee", "Paikkatakuu"),
    ("terminationRequestedDate", "Irtisanottu"),
];

/// Writes all registers of a city to a folder.
pub(super) fn write(
    folder: &Path,
    city: City,
    residents: &[Person],
    rows: &mut Rows,
) -> Result<(), WorldError> {
    make_folder(folder)?;
    match city {
        City::Oulu => {
            let folder = folder.join("early-education");
            make_folder(&folder)?;
            as_exported(rows, residents);
            finnish_export(&folder.join("placements.csv"), &PLACEMENT_EXPORT, &rows.placements)?;
            json(&folder.join("service-needs.json"), &rows.service_needs)?;
            json(&folder.join("decisions.json"), &rows.decisions)?;
            json(&folder.join("fee-decisions.json"), &rows.fee_decisions)?;
            json(&folder.join("assistance.json"), &rows.assistance)?;
        }
        City::Helsinki => {
            early_education(folder, city, rows, residents)?;
            let folder = folder.join("exports");
            make_folder(&folder)?;
            csv(&folder.join("parking-permits.csv"), &PARKING, &rows.parking)?;
        }
        City::Espoo | City::Turku => {
            early_education(folder, city, rows, residents)?;
            let folder = folder.join("fees");
            make_folder(&folder)?;
            json(&folder.join("fee-decisions.json"), &rows.fee_decisions)?;
            json(&folder.join("assistance.json"), &rows.assistance)?;
        }
    }
    Ok(())
}

/// The views of the early education database.
pub(super) const EARLY_EDUCATION: [&str; 3] = ["placement", "service_need", "decision"];

fn early_education(folder: &Path, city: City, rows: &Rows, residents: &[Person]) -> Result<(), WorldError> {
    let broken: Vec<&str> = broken(residents).map(|person| person.identifier.as_str()).collect();
    let decision: &[(&str, &str)] = if city == City::Turku { &DECISION_IN_COLUMNS } else { &DECISION };
    let [placement, service_need, decisions] = EARLY_EDUCATION;
    let tables: [Table<'_>; 3] = [
        (placement, &PLACEMENT, &rows.placements),
        (service_need, &SERVICE_NEED, &rows.service_needs),
        (decisions, decision, &rows.decisions),
    ];
    database(&folder.join("early-education.sqlite"), &tables, &broken)
}

fn broken(residents: &[Person]) -> impl Iterator<Item = &Person> {
    residents.iter().filter(|person| person.behaviour == Behaviour::Broken)
}

/// Corrupts the rows of the person whose register fails, and leaves out what only the databases have.
fn as_exported(rows: &mut Rows, residents: &[Person]) {
    for list in [&mut rows.placements, &mut rows.service_needs, &mut rows.decisions] {
        for row in list {
            row.remove("availableFrom");
            let whose = row.get("guardian").and_then(Value::as_str).unwrap_or_default();
            if broken(residents).any(|person| person.identifier == whose) {
                row.insert("startDate".to_owned(), Value::String("#REF!".to_owned()));
            }
        }
    }
}

type Table<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [Row]);

/// Creates a database. Each table is read through a view of its name, which fails for the `broken` person.
fn database(path: &Path, tables: &[Table<'_>], broken: &[&str]) -> Result<(), WorldError> {
    remove(path)?;
    let failed = |reason: String| WorldError::Database { path: path.to_owned(), reason };
    let address = path.to_str().ok_or_else(|| failed("the path is not UTF-8".to_owned()))?;
    let mut connection = SqliteConnection::establish(address).map_err(|error| failed(error.to_string()))?;
    // Created at once or again: nothing needs to survive a power cut.
    connection
        .batch_execute("PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY; CREATE TABLE outage (who TEXT PRIMARY KEY)")
        .and_then(|()| {
            connection.transaction(|connection| {
                for who in broken {
                    sql_query("INSERT INTO outage VALUES (?)").bind::<sql_types::Text, _>(who).execute(connection)?;
                }
                for table in tables {
                    fill(connection, table)?;
                }
                Ok::<(), diesel::result::Error>(())
            })
        })
        .map_err(|error| failed(error.to_string()))
}

fn fill(connection: &mut SqliteConnection, (name, columns, rows): &Table<'_>) -> diesel::QueryResult<()> {
    let who = columns.first().map_or("", |column| column.0);
    let list =
        |form: &dyn Fn(&(&str, &str)) -> String| columns.iter().map(form).collect::<Vec<_>>().join(", ");
    let names = list(&|column| format!("\"{}\"", column.0));
    let values = list(&|column| format!("json_extract(value, '$.{}')", column.1));
    // In a result column, not in the searched one: only a matching row fails.
    let seen = list(&|column| match column.0 {
        "child_name" => format!(
            "CASE WHEN {who} IN (SELECT who FROM outage) THEN json('') ELSE child_name END AS child_name"
        ),
        name => format!("\"{name}\""),
    });
    connection.batch_execute(&format!(
        "CREATE TABLE {name}_row ({names}); CREATE INDEX {name}_of ON {name}_row ({who});
         CREATE VIEW {name} AS SELECT {seen} FROM {name}_row"
    ))?;
    let rows = serde_json::to_string(rows)
        .map_err(|error| diesel::result::Error::SerializationError(error.into()))?;
    sql_query(format!("INSERT INTO {name}_row SELECT {values} FROM json_each(?)"))
        .bind::<sql_types::Text, _>(rows)
        .execute(connection)?;
    if columns.iter().any(|column| column.0 == "available_from") {
        connection.batch_execute(&format!(
            "UPDATE {name}_row SET available_from = strftime('%Y-%m-%dT%H:%M:%SZ', 'now', available_from)
             WHERE available_from IS NOT NULL"
        ))?;
    }
    Ok(())
}

fn json(path: &Path, rows: &[Row]) -> Result<(), WorldError> {
    let text = serde_json::to_vec(rows).map_err(|error| WorldError::Value(error.to_string()))?;
    fs::write(path, text).map_err(|source| WorldError::File { path: path.to_owned(), source })
}

fn csv<const N: usize>(path: &Path, columns: &[&str; N], rows: &[Row]) -> Result<(), WorldError> {
    let text = table(b',', columns, rows.iter().map(|row| columns.map(|column| cell(row.get(column)))))?;
    fs::write(path, text).map_err(|source| WorldError::File { path: path.to_owned(), source })
}

/// As a city's system on Windows exports a table: its own headings, semicolons, windows-1252, `1.8.2026` and `kyllä`.
fn finnish_export<const N: usize>(
    path: &Path,
    columns: &[(&str, &str); N],
    rows: &[Row],
) -> Result<(), WorldError> {
    let cells = |row: &Row| columns.map(|(member, _)| finnish(row.get(member)));
    let text = table(b';', &columns.map(|(_, heading)| heading), rows.iter().map(cells))?;
    let text = String::from_utf8(text).map_err(|error| WorldError::Value(error.to_string()))?;
    let (bytes, _, unmappable) = encoding_rs::WINDOWS_1252.encode(&text);
    if unmappable {
        return Err(WorldError::Value("a text has no form in windows-1252".to_owned()));
    }
    fs::write(path, bytes).map_err(|source| WorldError::File { path: path.to_owned(), source })
}

fn table<const N: usize>(
    delimiter: u8,
    headings: &[&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> Result<Vec<u8>, WorldError> {
    let value = |error: csv::Error| WorldError::Value(error.to_string());
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    writer.write_record(headings).map_err(value)?;
    for row in rows {
        writer.write_record(row).map_err(value)?;
    }
    writer.into_inner().map_err(|error| WorldError::Value(error.to_string()))
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn finnish(value: Option<&Value>) -> String {
    match value {
        Some(Value::Bool(true)) => "kyllä".to_owned(),
        Some(Value::Bool(false)) => "ei".to_owned(),
        other => {
            let text = cell(other);
            match Date::parse(&text, format_description!("[year]-[month]-[day]")) {
                Ok(date) => format!("{}.{}.{}", date.day(), u8::from(date.month()), date.year()),
                Err(_) => text,
            }
        }
    }
}

fn make_folder(path: &Path) -> Result<(), WorldError> {
    fs::create_dir_all(path).map_err(|source| WorldError::File { path: path.to_owned(), source })
}

fn remove(path: &Path) -> Result<(), WorldError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(WorldError::File { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}
