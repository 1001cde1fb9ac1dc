//! The tables `tests/vectors/registers/file.json` and `sql.json`: each bad answer of a file or database is refused by its
//! name, and nothing of it is released.

use std::io::Write;
use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::{Connection as _, PgConnection};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::tests::{ANNA, QUERY, ROWS, question, sources, sqlite, sqlite_register};
use super::*;
use crate::domain::catalogue::register::{CsvDialect, DatabaseUrl};
use crate::domain::ids::FieldName;
use crate::registers::service::testing::word;

const BOUNDS: Bounds = Bounds { max_records: 10, max_bytes: 10_000 };

/// What comes of a read.
#[derive(Deserialize, Clone)]
struct Outcome {
    error: Option<String>,
    /// What the operator is told; several texts where sources word it differently.
    #[serde(default)]
    cause: String,
    #[serde(default)]
    records: usize,
    #[serde(default)]
    foreign: usize,
}

fn table<T: DeserializeOwned>(name: &str) -> Vec<T> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/registers").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Reads every field that is asked for and adds what differs from the table to `wrong`.
async fn judge(
    name: &str,
    sources: &CityRegisters,
    fields: &[&str],
    outcome: &Outcome,
    wrong: &mut Vec<String>,
) {
    let mut question = question(&NationalIdentifier::new(ANNA).unwrap());
    if !fields.is_empty() {
        question.fields = fields.iter().map(|name| FieldPath::new(*name).unwrap()).collect();
    }
    match (outcome.error.as_deref(), sources.ask(question).await) {
        (None, Ok(records)) => {
            let foreign = records.iter().filter(|record| record.subject.reveal() != ANNA).count();
            if (records.len(), foreign) != (outcome.records, outcome.foreign) {
                wrong.push(format!("{name}: {} records, {foreign} foreign", records.len()));
            }
            let names: Vec<&str> =
                records.iter().flat_map(|record| record.values.keys().map(FieldName::as_str)).collect();
            assert!(!names.contains(&"secret"), "{name}");
        }
        (Some(error), Err(failure)) => {
            let word = word(&failure.error);
            if word != error || !outcome.cause.split('|').any(|told| failure.cause.contains(told)) {
                wrong.push(format!("{name}: {word}: {}", failure.cause));
            }
            for private in ["900P", "901U", "Kuusi", "Koivu"] {
                assert!(!failure.loggable_cause().contains(private), "{name}: {}", failure.cause);
            }
        }
        (expected, outcome) => wrong.push(format!("{name}: {outcome:?}, not {expected:?}")),
    }
}

#[derive(Deserialize)]
struct FileLine {
    name: String,
    /// Of a JSON file.
    json: Option<String>,
    /// Of a CSV file.
    csv: Option<String>,
    /// What is too large, or no text, for the table.
    made: Option<String>,
    #[serde(flatten)]
    outcome: Outcome,
}

const HEADING: &str = "guardian,unit,number,startDate,fee,guaranteed,place,phones\n";

fn write_made(kind: &str, mut file: std::fs::File) {
    let row = format!(
        "{{\"guardian\": \"{ANNA}\", \"unit\": \"a\", \"number\": 1, \"startDate\": null, \"fee\": null, \
         \"guaranteed\": null, \"place\": null, \"phones\": null}}"
    );
    let bytes = match kind {
        "latin1.json" => {
            let (before, after) = row.split_once("\"a\"").unwrap();
            [b"[", before.as_bytes(), b"\"P\xe4iv\xe4koti\"", after.as_bytes(), b"]"].concat()
        }
        "latin1.csv" => [HEADING.as_bytes(), ANNA.as_bytes(), b",P\xe4iv\xe4koti,1,,,,,\n"].concat(),
        "gzip.json" | "gzip.csv" => b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x8b\x8e\x05\x00".to_vec(),
        "deep.json" => format!("[{}]", row.replace("\"a\"", &"[".repeat(10_000))).into_bytes(),
        "rows.json" => format!("[{}]", vec![row; 10_000].join(",")).into_bytes(),
        "rows.csv" => format!("{HEADING}{}", format!("{ANNA},a,1,,,,,\n").repeat(10_000)).into_bytes(),
        "field.json" => {
            format!("[{}]", row.replace("\"a\"", &format!("\"{}\"", "a".repeat(20_000)))).into_bytes()
        }
        "field.csv" => format!("{HEADING}{ANNA},{},1,,,,,\n", "a".repeat(20_000)).into_bytes(),
        "gigabyte.json" | "gigabyte.csv" => return file.set_len(1 << 30).unwrap(),
        other => panic!("{other}"),
    };
    file.write_all(&bytes).unwrap();
}

#[tokio::test]
async fn every_bad_file_is_refused_by_its_name_and_nothing_of_it_is_released() {
    let mut wrong = Vec::new();
    for line in table::<FileLine>("file.json") {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        let kind = line.made.as_deref().unwrap_or_default();
        if !kind.is_empty() {
            let name = if kind.ends_with("csv") { "a.csv" } else { "a.json" };
            write_made(kind, std::fs::File::create(at(name)).unwrap());
        }
        for (name, text) in [("a.json", &line.json), ("a.csv", &line.csv)] {
            if let Some(text) = text {
                std::fs::write(at(name), text).unwrap();
            }
        }
        let selection = if at("a.csv").exists() {
            Selection::Csv("a.csv".into(), CsvDialect::default())
        } else {
            Selection::Json("a.json".into())
        };
        let dated = line.json.iter().chain(&line.csv).any(|text| text.contains("startDate"));
        let fields: &[&str] = if dated { &["unit", "number", "startDate"] } else { &["unit", "number"] };
        let folder = Connection::Files { folder: place.path().to_owned() };
        let sources = sources(folder, selection, BOUNDS);
        judge(&line.name, &sources, fields, &line.outcome, &mut wrong).await;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[derive(Deserialize)]
struct SqlLine {
    name: String,
    /// A part of the query, and what stands in its place; in both databases, or in one.
    change: Option<[String; 2]>,
    sqlite: Option<[String; 2]>,
    postgres: Option<[String; 2]>,
    #[serde(flatten)]
    outcome: Outcome,
}

impl SqlLine {
    /// The query; `None` where the case is another database's.
    fn query(&self, own: Option<&[String; 2]>) -> Option<String> {
        let [part, other] = self.change.as_ref().or(own)?;
        assert!(QUERY.contains(part), "{}", self.name);
        Some(QUERY.replacen(part, other, 1))
    }
}

#[tokio::test]
async fn every_bad_answer_of_sqlite_is_refused_by_its_name_and_nothing_of_it_is_released() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("register.sqlite");
    sqlite_register(&path);
    let mut wrong = Vec::new();
    for line in table::<SqlLine>("sql.json") {
        let Some(query) = line.query(line.sqlite.as_ref()) else { continue };
        let sources = sources(sqlite(&path), Selection::Query(query), BOUNDS);
        judge(&line.name, &sources, &[], &line.outcome, &mut wrong).await;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn every_bad_answer_of_postgres_is_refused_by_its_name_and_nothing_of_it_is_released() {
    #[expect(clippy::disallowed_methods, reason = "tests/run says where the database is")]
    let Ok(address) = std::env::var("OMADATA_TEST_POSTGRES") else {
        eprintln!(
            "left to tests/run: bad answers of PostgreSQL (set OMADATA_TEST_POSTGRES to a postgres:// address)"
        );
        return;
    };
    let mut connection = PgConnection::establish(&address).unwrap();
    connection
        .batch_execute(&format!(
            "DROP SCHEMA IF EXISTS bad_input_test CASCADE; CREATE SCHEMA bad_input_test; SET search_path TO bad_input_test;
             CREATE TABLE placement (guardian varchar(11), unit text, start_date date, number integer, fee numeric(8,2),
             guaranteed boolean, place jsonb, phones jsonb, secret text); {ROWS}"
        ))
        .unwrap();
    let mut wrong = Vec::new();
    for line in table::<SqlLine>("sql.json") {
        let Some(query) = line.query(line.postgres.as_ref()) else { continue };
        let postgres = Connection::Sql {
            url: DatabaseUrl::Postgres(url::Url::parse(&address).unwrap()),
            password_file: None,
            pool_size: 1,
        };
        let query = query.replace("FROM placement", "FROM bad_input_test.placement");
        let sources = sources(postgres, Selection::Query(query), BOUNDS);
        judge(&line.name, &sources, &[], &line.outcome, &mut wrong).await;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
