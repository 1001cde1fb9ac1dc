//! Registers of every kind return the same typed records, and nothing else.

#[cfg(feature = "odbc")]
mod odbc;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection as _, PgConnection, SqliteConnection};
use serde_json::{Value, json};

use super::*;
use crate::domain::catalogue::register::{
    CsvDelimiter, CsvDialect, CsvEncoding, CsvNotation, DatabaseUrl, DatasetSource, NameColumns,
    ProtectedColumn,
};
use crate::domain::catalogue::{Dataset, Field, FieldType, Marks, Narrowing, RecordNames, Text};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{DatasetType, FieldName, FieldPath};

/// Made-up personal identity codes; individual numbers from 900 belong to nobody.
pub(super) const ANNA: &str = "010190-900P";
pub(super) const BERTIL: &str = "020285-901U";

const BOUNDS: Bounds = Bounds { max_records: 10, max_bytes: 10_000 };

fn text() -> Text {
    Text { fi: "a".into(), sv: "b".into(), en: "c".into() }
}

const FIELDS: [(&str, FieldType); 7] = [
    ("unit", FieldType::String),
    ("startDate", FieldType::Date),
    ("number", FieldType::Integer),
    ("fee", FieldType::Number),
    ("guaranteed", FieldType::Boolean),
    ("place", FieldType::Object),
    ("phones", FieldType::Array),
];

pub(super) fn held(selection: Selection) -> HeldDataset {
    let field = |(name, kind)| Field::new(FieldName::new(name).unwrap(), kind, text());
    HeldDataset {
        dataset: Dataset {
            id: DatasetId::new("placements").unwrap(),
            kind: DatasetType::new("placements").unwrap(),
            title: text(),
            description: text(),
            theme: "EDUC".into(),
            fields: FIELDS.into_iter().map(field).collect(),
            legal_bases: vec![],
            legislation: vec![],
            retention: "P1Y".parse().unwrap(),
            register: text(),
            period: None,
            protected_fields: Vec::new(),
            corrections: None,
            narrowing: Narrowing::default(),
            required_acr: None,
            required_max_age_seconds: None,
            required_passkey: false,
        },
        source: DatasetSource {
            register: RegisterId::new("base").unwrap(),
            selection,
            subject_column: "guardian".into(),
            protected: None,
            available_from_column: None,
            names: NameColumns::default(),
            columns: BTreeMap::new(),
            subject_from: None,
        },
    }
}

/// A clock that stands still.
pub(super) fn clock() -> Arc<dyn Clock> {
    struct Stopped;
    impl Clock for Stopped {
        fn now(&self) -> Timestamp {
            Timestamp::from_secs(1_800_000_000)
        }
    }
    Arc::new(Stopped)
}

pub(super) fn sources(connection: Connection, selection: Selection, bounds: Bounds) -> CityRegisters {
    CityRegisters::new(&[register("base", connection)], &[held(selection)], bounds, &clock()).unwrap()
}

pub(super) fn sqlite(path: &Path) -> Connection {
    Connection::Sql { url: DatabaseUrl::Sqlite(path.to_owned()), password_file: None, pool_size: 2 }
}

fn csv(name: &str) -> Selection {
    Selection::Csv(name.into(), CsvDialect::default())
}

fn folder(path: &Path) -> Connection {
    Connection::Files { folder: path.to_owned() }
}

/// About every field.
pub(super) fn question(who: &NationalIdentifier) -> Question {
    Question::new(
        DatasetId::new("placements").unwrap(),
        who.clone(),
        FIELDS.map(|(name, _)| FieldPath::new(name).unwrap()).to_vec(),
    )
}

async fn read(sources: &CityRegisters, who: &str) -> Result<Vec<Value>, RegisterError> {
    // A text that is no identifier never reaches a register.
    let Ok(who) = NationalIdentifier::new(who) else { return Ok(Vec::new()) };
    let records = sources.read(question(&who)).await?;
    assert!(records.iter().all(|record| record.subject == who));
    Ok(records.into_iter().map(|record| serde_json::to_value(record.values).unwrap()).collect())
}

/// The records of Anna, the same from every kind of register.
pub(super) fn expected() -> Vec<Value> {
    vec![
        json!({"unit": "Kuusi \"A\"; päivä", "startDate": "2026-08-01", "number": 7, "fee": 12.5, "guaranteed": true,
               "place": {"city": "Espoo"}, "phones": ["1", "2"]}),
        json!({"unit": "Mänty", "startDate": "2025-08-01", "number": null, "fee": null, "guaranteed": false,
               "place": null, "phones": null}),
    ]
}

pub(super) const QUERY: &str = "SELECT guardian, unit, start_date AS \"startDate\", number, fee, guaranteed, place, phones, secret \
                     FROM placement WHERE guardian = $1 ORDER BY start_date DESC -- the newest first";

pub(super) const ROWS: &str = "
    INSERT INTO placement VALUES ('010190-900P', 'Mänty', '2025-08-01', NULL, NULL, FALSE, NULL, NULL, 's');
    INSERT INTO placement VALUES ('010190-900P', 'Kuusi \"A\"; päivä', '2026-08-01', 7, 12.5, TRUE, '{\"city\":\"Espoo\"}', '[\"1\",\"2\"]', 's');
    INSERT INTO placement VALUES ('020285-901U', 'Koivu', '2026-08-01', 8, 1, TRUE, NULL, NULL, 's');";

pub(super) fn sqlite_register(path: &Path) {
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let table = "CREATE TABLE placement (guardian TEXT, unit TEXT, start_date TEXT, number INTEGER, fee REAL,
                 guaranteed INTEGER, place TEXT, phones TEXT, secret TEXT);";
    connection.batch_execute(&format!("{table}{ROWS}")).unwrap();
}

#[tokio::test]
async fn sqlite_gives_typed_records_and_no_other_column() {
    let folder = tempfile::tempdir().unwrap();
    // A name with the characters that are special in SQLite's URI form.
    let path = folder.path().join("a register?#%.sqlite");
    let mut connection = SqliteConnection::establish(folder.path().join("plain").to_str().unwrap()).unwrap();
    connection.batch_execute("SELECT 1").unwrap();
    sqlite_register(&folder.path().join("plain"));
    std::fs::rename(folder.path().join("plain"), &path).unwrap();
    let sources = sources(sqlite(&path), Selection::Query(QUERY.into()), BOUNDS);
    assert_eq!(read(&sources, ANNA).await.unwrap(), expected());
    assert_eq!(read(&sources, &ANNA.to_lowercase()).await.unwrap().len(), 2);
    assert_eq!(read(&sources, BERTIL).await.unwrap().len(), 1);
    assert_eq!(read(&sources, "030303-902X").await.unwrap(), Vec::<Value>::new());
    sources.probe(&DatasetId::new("placements").unwrap()).await.unwrap();
}

#[tokio::test]
async fn postgres_gives_the_same() {
    #[expect(clippy::disallowed_methods, reason = "tests/run says where the database is")]
    let Ok(address) = std::env::var("OMADATA_TEST_POSTGRES") else {
        eprintln!(
            "left to tests/run: registers on PostgreSQL (set OMADATA_TEST_POSTGRES to a postgres:// address)"
        );
        return;
    };
    let mut connection = PgConnection::establish(&address).unwrap();
    connection
        .batch_execute(&format!(
            "DROP SCHEMA IF EXISTS source_test CASCADE; CREATE SCHEMA source_test; SET search_path TO source_test;
             CREATE TABLE placement (guardian varchar(11), unit text, start_date date, number integer, fee numeric(8,2),
             guaranteed boolean, place jsonb, phones jsonb, secret text); {ROWS}"
        ))
        .unwrap();
    let connect = || Connection::Sql {
        url: DatabaseUrl::Postgres(url::Url::parse(&address).unwrap()),
        password_file: None,
        pool_size: 2,
    };
    let query = QUERY.replace("FROM placement", "FROM source_test.placement");
    let good = sources(connect(), Selection::Query(query.clone()), BOUNDS);
    let mut wanted = expected();
    wanted[0]["fee"] = json!(12.5);
    assert_eq!(read(&good, ANNA).await.unwrap(), wanted);
    for attack in INJECTIONS {
        assert_eq!(read(&good, attack).await.unwrap(), Vec::<Value>::new());
    }
    assert_eq!(read(&good, ANNA).await.unwrap().len(), 2);

    let mut nowhere = url::Url::parse(&address).unwrap();
    nowhere.set_path("/no_such_database");
    let absent = Connection::Sql { url: DatabaseUrl::Postgres(nowhere), password_file: None, pool_size: 1 };
    let absent = sources(absent, Selection::Query(query.clone()), BOUNDS);
    let told = cause(&absent).await;
    assert!(told.contains("\"no_such_database\" does not exist"), "{told}");

    let one = sources(connect(), Selection::Query(query), Bounds { max_records: 1, ..BOUNDS });
    assert_eq!(read(&one, ANNA).await, Err(RegisterError::TooLarge));
    assert_eq!(read(&one, BERTIL).await.unwrap().len(), 1);

    let writes = "WITH gone AS (DELETE FROM source_test.placement WHERE guardian = $1 RETURNING *) SELECT * FROM gone ORDER BY 1";
    let writing = sources(connect(), Selection::Query(writes.into()), BOUNDS);
    assert_eq!(read(&writing, ANNA).await, Err(RegisterError::Unavailable));
    let slow =
        "SELECT guardian, unit FROM source_test.placement, pg_sleep(30) WHERE guardian = $1 ORDER BY 1";
    let slow = sources(connect(), Selection::Query(slow.into()), BOUNDS);
    let begun = tokio::time::Instant::now();
    assert_eq!(read(&slow, ANNA).await, Err(RegisterError::Unavailable));
    assert!(begun.elapsed() < Duration::from_secs(6));
    assert_eq!(read(&good, ANNA).await.unwrap().len(), 2);
}

const INJECTIONS: [&str; 6] = [
    "' OR '1'='1",
    "x'; DROP TABLE placement; --",
    "x' UNION SELECT * FROM placement --",
    "$1",
    "%",
    "010190-900P OR 1=1",
];

#[tokio::test]
async fn a_field_that_is_not_asked_for_never_leaves_the_connector() {
    let place = tempfile::tempdir().unwrap();
    sqlite_register(&place.path().join("register.sqlite"));
    // What is not asked for is not read, so it cannot be of a wrong type either.
    std::fs::write(place.path().join("a.json"), json_rows().to_string().replace("12.5", "\"?\"")).unwrap();
    std::fs::write(place.path().join("a.csv"), CSV.replace("12.5", "?")).unwrap();
    for (connection, selection) in [
        (sqlite(&place.path().join("register.sqlite")), Selection::Query(QUERY.into())),
        (folder(place.path()), Selection::Json("a.json".into())),
        (folder(place.path()), csv("a.csv")),
    ] {
        let sources = sources(connection, selection.clone(), BOUNDS);
        let anna = NationalIdentifier::new(ANNA).unwrap();
        let fields = ["number", "unit"].map(|name| FieldPath::new(name).unwrap()).to_vec();
        let records = sources.read(Question { fields, ..question(&anna) }).await.unwrap();
        let values: Vec<Value> =
            records.into_iter().map(|record| serde_json::to_value(record.values).unwrap()).collect();
        assert_eq!(
            values,
            [json!({"unit": "Kuusi \"A\"; päivä", "number": 7}), json!({"unit": "Mänty", "number": null})],
            "{selection:?}"
        );
    }
}

#[tokio::test]
async fn an_identifier_is_never_part_of_the_query() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("register.sqlite");
    sqlite_register(&path);
    let sources = sources(sqlite(&path), Selection::Query(QUERY.into()), BOUNDS);
    for attack in INJECTIONS {
        assert_eq!(read(&sources, attack).await.unwrap(), Vec::<Value>::new(), "{attack}");
    }
    assert_eq!(read(&sources, ANNA).await.unwrap(), expected());
}

#[tokio::test]
async fn sqlite_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("register.sqlite");
    sqlite_register(&path);
    let query = || Selection::Query(QUERY.into());
    let one = sources(sqlite(&path), query(), Bounds { max_records: 1, ..BOUNDS });
    assert_eq!(read(&one, ANNA).await, Err(RegisterError::TooLarge));
    let small = sources(sqlite(&path), query(), Bounds { max_bytes: 100, ..BOUNDS });
    assert_eq!(read(&small, ANNA).await, Err(RegisterError::TooLarge));
}

#[tokio::test]
async fn a_database_that_was_away_is_read_once_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("register.sqlite");
    let sources = sources(sqlite(&path), Selection::Query(QUERY.into()), BOUNDS);
    assert_eq!(read(&sources, ANNA).await, Err(RegisterError::Unavailable));
    assert!(!path.exists(), "reading must not make the register");
    sqlite_register(&path);
    assert_eq!(read(&sources, ANNA).await.unwrap(), expected());
}

fn json_rows() -> Value {
    json!([
        {"guardian": "010190-900p", "unit": "Kuusi \"A\"; päivä", "startDate": "2026-08-01", "number": 7, "fee": 12.5,
         "guaranteed": true, "place": {"city": "Espoo"}, "phones": ["1", "2"], "secret": "s"},
        {"guardian": "020285-901U", "unit": "Koivu", "startDate": "not read, so not checked"},
        {"guardian": null, "unit": "nobody's"},
        {"guardian": "", "unit": "nobody's"},
        {"guardian": " 010190-900P ", "unit": "Mänty", "startDate": "2025-08-01", "guaranteed": false},
    ])
}

const CSV: &str = "\u{feff}unit,guardian,startDate,number,fee,guaranteed,place,phones,secret\r\n\
    \"Kuusi \"\"A\"\"; päivä\",010190-900P,2026-08-01,7,12.5,TRUE,\"{\"\"city\"\":\"\"Espoo\"\"}\",\"[\"\"1\"\",\"\"2\"\"]\",s\r\n\
    Koivu,020285-901U,2026-08-01,8,1,true,,,s\r\n\
    Mänty,010190-900p,2025-08-01,,,0,,,s\r\n";

#[tokio::test]
async fn files_give_the_same() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("a.json"), json_rows().to_string()).unwrap();
    std::fs::write(place.path().join("a.csv"), CSV).unwrap();
    let bound = Bounds { max_records: 1, ..BOUNDS };
    for selection in [Selection::Json("a.json".into()), csv("a.csv")] {
        let whole = sources(folder(place.path()), selection.clone(), BOUNDS);
        assert_eq!(read(&whole, ANNA).await.unwrap(), expected(), "{selection:?}");
        for attack in INJECTIONS {
            assert_eq!(read(&whole, attack).await.unwrap(), Vec::<Value>::new());
        }
        let one = sources(folder(place.path()), selection, bound);
        assert_eq!(read(&one, ANNA).await, Err(RegisterError::TooLarge));
    }
}

/// As a city's system exports it on Windows: Finnish headings, dates and numbers, semicolons, no Unicode.
const EXPORT: &str = "Huoltaja;Yksikkö;Alkaa;Numero;Maksu €;Paikka taattu;Paikka;Puhelimet;Salainen\r\n\
    010190-900p;\"Kuusi \"\"A\"\"; päivä\";1.8.2026;7;12,50;Kyllä;\"{\"\"city\"\":\"\"Espoo\"\"}\";\"[\"\"1\"\",\"\"2\"\"]\";s\r\n\
    020285-901U;Koivu;01.08.2026;8;1 000,00;ei;;;s\r\n\
    010190-900P;Mänty;1.8.2025;;;Ei;;;s\r\n";

fn exported(columns: &[(&str, &str)]) -> HeldDataset {
    let dialect = CsvDialect {
        delimiter: CsvDelimiter::Semicolon,
        encoding: CsvEncoding::Windows1252,
        notation: CsvNotation::Finnish,
    };
    let mut held = held(Selection::Csv("export.csv".into(), dialect));
    held.source.subject_column = "Huoltaja".into();
    let name = |(field, heading): &(&str, &str)| (FieldPath::new(*field).unwrap(), (*heading).to_owned());
    held.source.columns = columns.iter().map(name).collect();
    held
}

const HEADINGS: [(&str, &str); 7] = [
    ("unit", "Yksikkö"),
    ("startDate", "Alkaa"),
    ("number", "Numero"),
    ("fee", "Maksu €"),
    ("guaranteed", "Paikka taattu"),
    ("place", "Paikka"),
    ("phones", "Puhelimet"),
];

pub(super) fn register(id: &str, connection: Connection) -> Register {
    Register { id: RegisterId::new(id).unwrap(), name: text(), connection, timeout: Duration::from_secs(2) }
}

pub(super) fn registers_of(connection: Connection, held: HeldDataset) -> CityRegisters {
    CityRegisters::new(&[register("base", connection)], &[held], BOUNDS, &clock()).unwrap()
}

#[tokio::test]
async fn an_export_in_finnish_notation_and_an_old_encoding_gives_the_same() {
    let place = tempfile::tempdir().unwrap();
    let (bytes, _, lossy) = encoding_rs::WINDOWS_1252.encode(EXPORT);
    assert!(!lossy);
    std::fs::write(place.path().join("export.csv"), &bytes).unwrap();
    let good = registers_of(folder(place.path()), exported(&HEADINGS));
    assert_eq!(read(&good, ANNA).await.unwrap(), expected());
    assert_eq!(read(&good, BERTIL).await.unwrap()[0]["fee"], json!(1000.0));
    // Without the headings the fields are not there, which is told.
    let unnamed = registers_of(folder(place.path()), exported(&HEADINGS[1..]));
    assert_eq!(cause(&unnamed).await, "export.csv, the first line has no column unit");
    // A file in another encoding than the dataset says is not guessed at.
    let mut utf8 = exported(&HEADINGS);
    let Selection::Csv(_, dialect) = &mut utf8.source.selection else { unreachable!() };
    dialect.encoding = CsvEncoding::Utf8;
    let utf8 = registers_of(folder(place.path()), utf8);
    assert_eq!(cause(&utf8).await, "export.csv, line 1, column 10: a cell is not UTF-8");
}

#[tokio::test]
async fn a_file_that_was_replaced_or_written_over_is_read_again() {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name);
    std::fs::write(path("a.csv"), CSV).unwrap();
    std::fs::write(path("a.json"), json_rows().to_string()).unwrap();
    let table = sources(folder(place.path()), csv("a.csv"), BOUNDS);
    let array = sources(folder(place.path()), Selection::Json("a.json".into()), BOUNDS);
    for sources in [&table, &array] {
        assert_eq!(read(sources, ANNA).await.unwrap(), expected());
    }
    // Anna's rows are elsewhere in the new file, and fewer.
    let row = "Koivu,010190-900P,2026-08-01,8,1,true,,,s\r\n";
    let header = CSV.split_inclusive('\n').next().unwrap();
    std::fs::write(path("new.csv"), format!("{header}{}{row}", row.replace("010190-900P", BERTIL))).unwrap();
    std::fs::rename(path("new.csv"), path("a.csv")).unwrap();
    assert_eq!(read(&table, ANNA).await.unwrap().len(), 1);
    assert_eq!(read(&table, BERTIL).await.unwrap().len(), 1);
    std::fs::write(path("a.json"), "[]").unwrap();
    assert_eq!(read(&array, ANNA).await.unwrap(), Vec::<Value>::new());
    // One that breaks is an error until it is mended.
    std::fs::write(path("a.json"), "[").unwrap();
    assert!(matches!(read(&array, ANNA).await, Err(RegisterError::Unfit(_))));
    std::fs::write(path("a.json"), json_rows().to_string()).unwrap();
    assert_eq!(read(&array, ANNA).await.unwrap(), expected());
}

#[cfg(unix)]
#[tokio::test]
async fn nothing_outside_the_folder_is_read() {
    let place = tempfile::tempdir().unwrap();
    let inside = place.path().join("register");
    std::fs::create_dir(&inside).unwrap();
    std::fs::write(place.path().join("outside.json"), json_rows().to_string()).unwrap();
    std::os::unix::fs::symlink(place.path().join("outside.json"), inside.join("link.json")).unwrap();
    std::os::unix::fs::symlink(place.path(), inside.join("up")).unwrap();
    std::fs::create_dir(inside.join("folder.json")).unwrap();
    for name in ["link.json", "up/outside.json", "../outside.json", "folder.json", "missing.json"] {
        let sources = sources(folder(&inside), Selection::Json(name.into()), BOUNDS);
        assert_eq!(read(&sources, ANNA).await, Err(RegisterError::Unavailable), "{name}");
    }
    // Opening a pipe would wait for whoever writes to it.
    assert!(std::process::Command::new("mkfifo").arg(inside.join("pipe.json")).status().unwrap().success());
    let pipe = sources(folder(&inside), Selection::Json("pipe.json".into()), BOUNDS);
    assert!(cause(&pipe).await.contains("which is not a file"));
    // A link inside the directory, as systems make that swap a whole export at once, is followed.
    std::fs::write(inside.join("today.json"), json_rows().to_string()).unwrap();
    std::os::unix::fs::symlink("today.json", inside.join("current.json")).unwrap();
    let sources = sources(folder(&inside), Selection::Json("current.json".into()), BOUNDS);
    assert_eq!(read(&sources, ANNA).await.unwrap(), expected());
}

#[test]
fn registers_and_datasets_that_do_not_fit_are_refused() {
    let register = Register {
        id: RegisterId::new("base").unwrap(),
        name: text(),
        connection: folder(Path::new("/nowhere")),
        timeout: Duration::from_secs(1),
    };
    let asked = held(Selection::Query(QUERY.into()));
    assert!(matches!(
        CityRegisters::new(std::slice::from_ref(&register), std::slice::from_ref(&asked), BOUNDS, &clock()),
        Err(RegisterConfigError::NoRegister { .. })
    ));
    assert!(matches!(
        CityRegisters::new(&[], &[asked], BOUNDS, &clock()),
        Err(RegisterConfigError::NoRegister { .. })
    ));
    let password = Connection::Sql {
        url: DatabaseUrl::Postgres(url::Url::parse("postgres://u@h/d").unwrap()),
        password_file: Some("/nowhere/password".into()),
        pool_size: 1,
    };
    assert!(matches!(
        CityRegisters::new(&[Register { connection: password, ..register }], &[], BOUNDS, &clock()),
        Err(RegisterConfigError::Password { .. })
    ));
}

async fn cause(sources: &CityRegisters) -> String {
    sources.probe(&DatasetId::new("placements").unwrap()).await.unwrap_err()
}

#[tokio::test]
async fn a_json_file_whose_records_do_not_say_whose_they_are_is_an_error_and_not_empty() {
    let place = tempfile::tempdir().unwrap();
    let good = json!({"guardian": BERTIL, "unit": "Koivu"});
    for (name, record, told) in [
        ("renamed", json!({"huoltaja": ANNA, "unit": "Mänty"}), "the record has no member guardian"),
        ("number", json!({"guardian": 10_190_900, "unit": "Mänty"}), "guardian is not a text"),
        ("list", json!({"guardian": [ANNA], "unit": "Mänty"}), "guardian is not a text"),
        ("letters", json!({"guardian": "Änna", "unit": "Mänty"}), "guardian is not an identifier"),
    ] {
        let file = format!("{name}.json");
        std::fs::write(place.path().join(&file), format!("[{good},\n {record}]")).unwrap();
        let sources = sources(folder(place.path()), Selection::Json(file.clone().into()), BOUNDS);
        // For everybody: the subject of the record is unknown.
        for who in [ANNA, BERTIL] {
            let unfit = RegisterError::Unfit("a record does not say whose it is");
            assert_eq!(read(&sources, who).await, Err(unfit), "{name}");
        }
        let cause = cause(&sources).await;
        assert!(cause.starts_with(&format!("{file}, line 2, column ")) && cause.ends_with(told), "{cause}");
        assert!(!cause.contains("900"), "{cause}");
    }
}

#[tokio::test]
async fn doubled_members_and_columns_and_other_dialects_are_errors_with_their_place() {
    let place = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(place.path().join(name), text).unwrap();
    write("twice.json", "[{\"guardian\": \"010190-900P\", \"unit\": \"a\",\n  \"unit\": \"b\"}]");
    write("twice.csv", &CSV.replacen("secret", "unit", 1));
    write(
        "unneeded.csv",
        &CSV.replacen("unit,", "secret,unit,", 1)
            .replace("\r\n\"K", "\r\nx,\"K")
            .replace("\r\nKo", "\r\nx,Ko")
            .replace("\r\nM", "\r\nx,M"),
    );
    write("backslash.csv", &CSV.replace("\"\"A\"\"", "\\\"A\\\""));
    write("semicolons.csv", &CSV.replace(',', ";"));
    for (name, selection, told) in [
        (
            "twice.json",
            Selection::Json("twice.json".into()),
            "twice.json, line 2, column 3: a member occurs twice in one object",
        ),
        ("twice.csv", csv("twice.csv"), "twice.csv, line 1, column 63: the column unit occurs twice"),
        (
            "backslash.csv",
            csv("backslash.csv"),
            "backslash.csv, line 2, column 10: a quote within a quoted cell is not doubled",
        ),
        (
            "semicolons.csv",
            csv("semicolons.csv"),
            "semicolons.csv, the first line has no column guardian: it seems to separate columns by \";\", not \",\"",
        ),
    ] {
        let sources = sources(folder(place.path()), selection, BOUNDS);
        assert!(matches!(read(&sources, ANNA).await, Err(RegisterError::Unfit(_))), "{name}");
        assert_eq!(cause(&sources).await, told);
    }
    // A doubled column that nobody asks for does no harm.
    let sources = sources(folder(place.path()), csv("unneeded.csv"), BOUNDS);
    assert_eq!(read(&sources, ANNA).await.unwrap(), expected());
}

#[tokio::test]
async fn a_database_with_identifiers_in_lower_case_is_an_error_and_not_empty() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("register.sqlite");
    sqlite_register(&path);
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    connection.batch_execute("UPDATE placement SET guardian = lower(guardian)").unwrap();
    let exact = sources(sqlite(&path), Selection::Query(QUERY.into()), BOUNDS);
    let unfit = RegisterError::Unfit("the register writes identifiers in lower case");
    assert_eq!(read(&exact, ANNA).await, Err(unfit));
    assert_eq!(read(&exact, "030303-902X").await.unwrap(), Vec::<Value>::new());
    let folding = QUERY.replace("guardian = $1", "upper(guardian) = $1");
    let folding = sources(sqlite(&path), Selection::Query(folding), BOUNDS);
    assert_eq!(read(&folding, ANNA).await.unwrap(), expected());
}

#[tokio::test]
async fn an_absent_sqlite_register_is_told_by_its_cause() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("register.sqlite");
    let absent = sources(sqlite(&path), Selection::Query(QUERY.into()), BOUNDS);
    let told = cause(&absent).await;
    assert!(told.contains("register.sqlite") && told.contains("unable to open database file"), "{told}");
}

#[test]
fn a_message_that_may_quote_data_is_kept_out_of_the_log() {
    let quoting =
        Failure::quoting(RegisterError::Unavailable, "invalid input syntax for type date: \"010190-900P\"");
    assert!(!quoting.loggable_cause().contains("900P"));
    let plain = Failure::new(RegisterError::Unavailable, "column r.strat_date\n  does not exist");
    assert_eq!(plain.loggable_cause(), "column r.strat_date does not exist");
}

/// Each record's unit and number, and its marks, where the columns `protected` and `ready` have them.
async fn marked(
    connection: Connection,
    selection: Selection,
) -> Result<Vec<(Value, Value, Marks)>, RegisterError> {
    let register = Register {
        id: RegisterId::new("base").unwrap(),
        name: text(),
        connection,
        timeout: Duration::from_secs(2),
    };
    let mut held = held(selection);
    held.dataset.protected_fields = ["unit", "place"].map(|name| FieldPath::new(name).unwrap()).to_vec();
    held.source.protected = Some(ProtectedColumn { column: "protected".into(), marker: None });
    held.source.available_from_column = Some("ready".into());
    let sources = CityRegisters::new(&[register], &[held], BOUNDS, &clock()).unwrap();
    let records = sources.read(question(&NationalIdentifier::new(ANNA).unwrap())).await?;
    let value = |record: &Record, name: &str| record.values[&FieldName::new(name).unwrap()].clone();
    Ok(records
        .into_iter()
        .map(|record| (value(&record, "unit"), value(&record, "number"), record.marks))
        .collect())
}

/// What [`marked`] gives for Anna: the first record is protected, and neither may be given before August.
fn expected_marks() -> Vec<(Value, Value, Marks)> {
    let available_from = Some("2026-08-01T06:30:00Z".parse().unwrap());
    vec![
        (json!(null), json!(7), Marks { non_disclosure: Some(true), available_from }),
        (json!("Mänty"), json!(null), Marks { non_disclosure: Some(false), available_from }),
    ]
}

const UNMARKED: RegisterError = RegisterError::Unfit("a record's mark cannot be read");

#[tokio::test]
async fn a_database_tells_of_an_order_and_what_it_protects_stays_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("register.sqlite");
    sqlite_register(&path);
    let query = |marks: &str| QUERY.replace(", secret", &format!(", secret, {marks}"));
    let read = |marks: &str| marked(sqlite(&path), Selection::Query(query(marks)));
    let good = "guaranteed AS protected, '2026-08-01T09:30:00+03:00' AS ready";
    assert_eq!(read(good).await.unwrap(), expected_marks());
    // A register that cannot say gives nothing.
    assert_eq!(read("unit AS protected, NULL AS ready").await, Err(UNMARKED));
    assert_eq!(read("NULL AS protected, NULL AS ready").await, Err(UNMARKED));
    assert_eq!(read("0 AS protected, 'soon' AS ready").await, Err(UNMARKED));
    assert_eq!(read("0 AS protected").await, Err(RegisterError::Unavailable), "a column is missing");

    #[expect(clippy::disallowed_methods, reason = "tests/run says where the database is")]
    let Ok(address) = std::env::var("OMADATA_TEST_POSTGRES") else {
        eprintln!(
            "left to tests/run: marks on PostgreSQL (set OMADATA_TEST_POSTGRES to a postgres:// address)"
        );
        return;
    };
    let mut connection = PgConnection::establish(&address).unwrap();
    connection
        .batch_execute(&format!(
            "DROP SCHEMA IF EXISTS mark_test CASCADE; CREATE SCHEMA mark_test; SET search_path TO mark_test;
             CREATE TABLE placement (guardian varchar(11), unit text, start_date date, number integer, fee numeric(8,2),
             guaranteed boolean, place jsonb, phones jsonb, secret text); {ROWS}"
        ))
        .unwrap();
    let postgres = |marks: &str| {
        let connection = Connection::Sql {
            url: DatabaseUrl::Postgres(url::Url::parse(&address).unwrap()),
            password_file: None,
            pool_size: 2,
        };
        let query = query(marks).replace("FROM placement", "FROM mark_test.placement");
        marked(connection, Selection::Query(query))
    };
    let good = "guaranteed AS protected, timestamptz '2026-08-01 09:30:00+03' AS ready";
    assert_eq!(postgres(good).await.unwrap(), expected_marks());
    assert_eq!(postgres("unit AS protected, NULL AS ready").await, Err(UNMARKED));
    assert_eq!(postgres("false AS protected").await, Err(RegisterError::Unavailable));
}

#[tokio::test]
async fn a_file_tells_of_an_order_and_what_it_protects_is_not_given() {
    let files = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(files.path().join(name), text).unwrap();
    let json = |protected: &str, ready: &str| {
        let record = |unit: &str, number: &str, protected: &str| {
            format!(
                "{{\"guardian\": \"{ANNA}\", \"unit\": \"{unit}\", \"number\": {number}, \"startDate\": null, \
                 \"fee\": null, \"guaranteed\": null, \"place\": null, \"phones\": null{protected}{ready}}}"
            )
        };
        write(
            "data.json",
            &format!(
                "[{}, {}]",
                record("Kuusi", "7", protected),
                record("Mänty", "null", ", \"protected\": 0")
            ),
        );
        marked(folder(files.path()), Selection::Json("data.json".into()))
    };
    let ready = ", \"ready\": \"2026-08-01T09:30:00+03:00\"";
    assert_eq!(json(", \"protected\": true", ready).await.unwrap(), expected_marks());
    for (protected, ready) in [("", ready), (", \"protected\": null", ready), (", \"protected\": true", "")] {
        assert_eq!(json(protected, ready).await, Err(UNMARKED), "{protected} {ready}");
    }

    let heading = "guardian,unit,startDate,number,fee,guaranteed,place,phones";
    let rows = |first: &str| {
        format!(
            "{heading},protected,ready\n{ANNA},Kuusi,,7,,,,,{first},2026-08-01T09:30:00+03:00\n\
             {ANNA},Mänty,,,,,,,ei,2026-08-01T09:30:00+03:00\n"
        )
    };
    write("data.csv", &rows("kyllä"));
    assert_eq!(marked(folder(files.path()), csv("data.csv")).await.unwrap(), expected_marks());
    write("data.csv", &rows("?"));
    assert_eq!(marked(folder(files.path()), csv("data.csv")).await, Err(UNMARKED));
    write("data.csv", &format!("{heading}\n{ANNA},Kuusi,,7,,,,\n"));
    let missing = marked(folder(files.path()), csv("data.csv")).await;
    assert_eq!(missing, Err(RegisterError::Unfit("a column is missing or doubled")));
}

/// Two children's records, as every kind of register names them.
const NAMED_CSV: &str = "guardian,child,child_name,id,unit,startDate,number,fee,guaranteed,place,phones\r\n\
    010190-900P,010120a901k,Onni,7,Kuusi,2026-08-01,,,,,\r\n\
    010190-900P,020222A902L,Lumi,8,Mänty,2025-08-01,,,,,\r\n";

fn named(selection: Selection) -> HeldDataset {
    let mut held = held(selection);
    let column = |name: &str| Some(name.to_owned());
    held.source.names =
        NameColumns { person: column("child"), person_name: column("child_name"), record: column("id") };
    held
}

fn named_sqlite(path: &Path, second_child: &str) -> CityRegisters {
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    connection
        .batch_execute(&format!(
            "CREATE TABLE placement (guardian TEXT, child TEXT, child_name TEXT, id INTEGER, unit TEXT, \"startDate\" TEXT,
             number INTEGER, fee REAL, guaranteed INTEGER, place TEXT, phones TEXT);
             INSERT INTO placement (guardian, child, child_name, id, unit, \"startDate\") VALUES
             ('010190-900P', '010120a901k', 'Onni', 7, 'Kuusi', '2026-08-01'),
             ('010190-900P', {second_child}, 'Lumi', 8, 'Mänty', '2025-08-01')"
        ))
        .unwrap();
    let query = "SELECT * FROM placement WHERE guardian = $1 ORDER BY id";
    registers_of(sqlite(path), named(Selection::Query(query.into())))
}

#[tokio::test]
async fn every_kind_of_register_names_whom_a_record_is_about_and_which_it_is() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("a.csv"), NAMED_CSV).unwrap();
    let rows = json!([
        {"guardian": "010190-900P", "child": "010120A901K", "child_name": "Onni", "id": 7, "unit": "Kuusi",
         "startDate": "2026-08-01", "number": null, "fee": null, "guaranteed": null, "place": null, "phones": null},
        {"guardian": "010190-900P", "child": "020222A902L", "child_name": "Lumi", "id": "8", "unit": "Mänty",
         "startDate": "2025-08-01"},
    ]);
    std::fs::write(place.path().join("a.json"), rows.to_string()).unwrap();
    let names = |person: &str, name: &str, record: &str| RecordNames {
        person: Some(NationalIdentifier::new(person).unwrap()),
        person_name: Some(name.to_owned()),
        record: Some(record.to_owned()),
    };
    let expected = [names("010120A901K", "Onni", "7"), names("020222A902L", "Lumi", "8")];
    for sources in [
        named_sqlite(&place.path().join("a.sqlite"), "'020222A902L'"),
        registers_of(folder(place.path()), named(csv("a.csv"))),
        registers_of(folder(place.path()), named(Selection::Json("a.json".into()))),
    ] {
        let records = sources.read(question(&NationalIdentifier::new(ANNA).unwrap())).await.unwrap();
        assert_eq!(records.iter().map(|record| record.names.clone()).collect::<Vec<_>>(), expected);
        assert!(records.iter().all(|record| record.values.len() == FIELDS.len()), "a name became a field");
        let told = format!("{records:?} {:?}", records[0].names);
        assert!(!told.contains("Onni") && !told.contains("010120A901K"), "{told}");
    }
}

#[tokio::test]
async fn a_record_that_names_nobody_where_it_must_is_an_error() {
    let place = tempfile::tempdir().unwrap();
    let without = NAMED_CSV.replace("020222A902L", "").replace(",7,", ", ,");
    std::fs::write(place.path().join("a.csv"), without).unwrap();
    let nobody = RegisterError::Unfit("a record does not say whom it is about");
    let sources = named_sqlite(&place.path().join("a.sqlite"), "NULL");
    assert_eq!(read(&sources, ANNA).await, Err(nobody));
    let sources = registers_of(folder(place.path()), named(csv("a.csv")));
    assert_eq!(read(&sources, ANNA).await, Err(RegisterError::Unfit("a record has no key")));
    // Two records under one key: who gives one of them would give both.
    std::fs::write(place.path().join("a.csv"), NAMED_CSV.replace(",8,", ",7,")).unwrap();
    let sources = registers_of(folder(place.path()), named(csv("a.csv")));
    assert_eq!(read(&sources, ANNA).await, Err(RegisterError::Unfit("two records have the same key")));
}

#[tokio::test]
async fn postgres_names_whom_a_record_is_about_whatever_its_types() {
    #[expect(clippy::disallowed_methods, reason = "tests/run says where the database is")]
    let Ok(address) = std::env::var("OMADATA_TEST_POSTGRES") else {
        eprintln!(
            "left to tests/run: names on PostgreSQL (set OMADATA_TEST_POSTGRES to a postgres:// address)"
        );
        return;
    };
    let mut connection = PgConnection::establish(&address).unwrap();
    connection
        .batch_execute(
            "DROP SCHEMA IF EXISTS name_test CASCADE; CREATE SCHEMA name_test;
             CREATE TABLE name_test.placement (guardian varchar(11), child char(11), child_name text, id bigint, unit text,
             \"startDate\" date, number integer, fee numeric, guaranteed boolean, place jsonb, phones jsonb);
             INSERT INTO name_test.placement (guardian, child, child_name, id, unit) VALUES
             ('010190-900P', '010120A901K', 'Onni', 7, 'Kuusi')",
        )
        .unwrap();
    let address = Connection::Sql {
        url: DatabaseUrl::Postgres(url::Url::parse(&address).unwrap()),
        password_file: None,
        pool_size: 1,
    };
    let query = "SELECT * FROM name_test.placement WHERE guardian = $1 ORDER BY id";
    let sources = registers_of(address, named(Selection::Query(query.into())));
    let records = sources.read(question(&NationalIdentifier::new(ANNA).unwrap())).await.unwrap();
    let names = &records[0].names;
    assert_eq!(names.person, NationalIdentifier::new("010120A901K").ok());
    assert_eq!((names.person_name.as_deref(), names.record.as_deref()), (Some("Onni"), Some("7")));
}
