//! Records with structure: the same typed objects and rows from every kind of register, and nothing else within them.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection as _, PgConnection, SqliteConnection};
use serde_json::{Value, json};

use super::*;
use crate::domain::catalogue::field::unknown_codes;
use crate::domain::catalogue::register::{CsvDialect, DatabaseUrl, DatasetSource};
use crate::domain::catalogue::{Dataset, Field, Text};
use crate::domain::ids::FieldPath;

/// A made-up personal identity code; individual numbers from 900 belong to nobody.
const ANNA: &str = "010190-900P";

const BOUNDS: Bounds = Bounds { max_records: 10, max_bytes: 100_000 };

fn fields() -> Vec<Field> {
    let label = json!({"fi": "a", "sv": "b", "en": "c"});
    let field = |name: &str, kind: &str| json!({"name": name, "type": kind, "label": label});
    let with = |mut field: Value, name: &str, value: Value| {
        field[name] = value;
        field
    };
    serde_json::from_value(json!([
        field("number", "integer"),
        with(
            field("unit", "object"),
            "fields",
            json!([
                field("name", "string"),
                with(field("language", "string"), "codes", json!({"fi": label, "sv": label})),
                with(
                    field("owner", "object"),
                    "fields",
                    json!([field("name", "string"), field("since", "date")])
                ),
            ])
        ),
        with(
            field("children", "array"),
            "fields",
            json!([
                field("childName", "string"),
                with(field("fee", "money"), "currency", json!("EUR")),
                with(field("during", "period"), "may_be_missing", json!(true)),
            ])
        ),
        with(field("phones", "array"), "items", json!("string")),
    ]))
    .unwrap()
}

fn held(selection: Selection, columns: &[(&str, &str)]) -> HeldDataset {
    let text = Text::same("a");
    HeldDataset {
        dataset: Dataset {
            id: "decisions".parse().unwrap(),
            kind: "decisions".parse().unwrap(),
            title: text.clone(),
            description: text.clone(),
            theme: "EDUC".into(),
            fields: fields(),
            legal_bases: vec![],
            legislation: vec![],
            retention: "P1Y".parse().unwrap(),
            register: text,
            period: None,
            protected_fields: vec![],
            corrections: None,
            narrowing: crate::domain::catalogue::Narrowing::default(),
            required_acr: None,
            required_max_age_seconds: None,
            required_passkey: false,
        },
        source: DatasetSource {
            register: "base".parse().unwrap(),
            selection,
            subject_column: "guardian".into(),
            protected: None,
            available_from_column: None,
            names: crate::domain::catalogue::register::NameColumns::default(),
            columns: columns.iter().map(|(path, name)| (path.parse().unwrap(), (*name).to_owned())).collect(),
            subject_from: None,
        },
    }
}

fn sources(connection: Connection, held: HeldDataset) -> CityRegisters {
    let register = Register {
        id: "base".parse().unwrap(),
        name: Text::same("a"),
        connection,
        timeout: Duration::from_secs(5),
    };
    CityRegisters::new(&[register], &[held], BOUNDS, &super::tests::clock()).unwrap()
}

fn folder(path: &Path) -> Connection {
    Connection::Files { folder: path.to_owned() }
}

fn sqlite(path: &Path) -> Connection {
    Connection::Sql { url: DatabaseUrl::Sqlite(path.to_owned()), password_file: None, pool_size: 1 }
}

/// What a permission covers: the unit's name and not the rest, the fees and not whose they are.
const WANTED: [&str; 5] = ["number", "unit.name", "unit.owner.since", "children.fee", "phones"];

fn question(wanted: &[&str]) -> Question {
    Question::new(
        "decisions".parse().unwrap(),
        NationalIdentifier::new(ANNA).unwrap(),
        wanted.iter().map(|path| FieldPath::new(*path).unwrap()).collect(),
    )
}

async fn read(sources: &CityRegisters, wanted: &[&str]) -> Result<Vec<Value>, RegisterError> {
    let records = sources.read(question(wanted)).await?;
    Ok(records.into_iter().map(|record| serde_json::to_value(record.values).unwrap()).collect())
}

/// Why a read failed, as the operator is told.
async fn cause(sources: &CityRegisters) -> String {
    sources.ask(question(&WANTED)).await.unwrap_err().cause
}

/// A record as a register writes it: with members that the dataset does not have, and digits that must stay.
fn record() -> Value {
    json!({
        "guardian": ANNA, "number": 7, "secret": "s",
        "unit": {"name": "Satakieli", "language": "fi", "address": "Tie 1",
                 "owner": {"name": "Espoo", "since": "2001-01-01", "id": 7}},
        "children": [
            {"childName": "Aada", "fee": "288.30", "during": {"start": "2026-08-01", "end": null}, "income": 5},
            {"childName": "Eino", "fee": {"amount": "0.10", "currency": "SEK"}},
        ],
        "phones": ["1", null],
    })
}

fn expected() -> Vec<Value> {
    vec![json!({
        "number": 7,
        "unit": {"name": "Satakieli", "owner": {"since": "2001-01-01"}},
        "children": [
            {"fee": {"amount": "288.30", "currency": "EUR"}},
            {"fee": {"amount": "0.10", "currency": "SEK"}},
        ],
        "phones": ["1", null],
    })]
}

/// The parts of the unit in columns of their own.
const SPLIT: [(&str, &str); 4] = [
    ("unit.name", "unit_name"),
    ("unit.language", "unit_language"),
    ("unit.owner.name", "owner_name"),
    ("unit.owner.since", "owner_since"),
];

const QUERY: &str = "SELECT * FROM decision WHERE guardian = $1 ORDER BY number";

/// A table with the unit's parts in columns, and the rows as JSON.
fn table(json: &str) -> String {
    let children = record()["children"].to_string();
    format!(
        "CREATE TABLE decision (guardian varchar(11), number integer, unit_name text, unit_language text, owner_name text,
         owner_since date, children {json}, phones {json}, secret text);
         INSERT INTO decision VALUES ('{ANNA}', 7, 'Satakieli', 'fi', 'Espoo', '2001-01-01', '{children}', '[\"1\", null]', 's');"
    )
}

#[tokio::test]
async fn only_the_permitted_parts_of_objects_and_rows_leave_any_register() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    std::fs::write(at("a.json"), json!([record()]).to_string()).unwrap();
    let mut flat = record();
    let unit = flat["unit"].take();
    for (name, value) in [
        ("unit_name", &unit["name"]),
        ("unit_language", &unit["language"]),
        ("owner_name", &unit["owner"]["name"]),
        ("owner_since", &unit["owner"]["since"]),
    ] {
        flat[name] = value.clone();
    }
    std::fs::write(at("flat.json"), json!([flat]).to_string()).unwrap();
    let quoted = |value: &Value| format!("\"{}\"", value.to_string().replace('"', "\"\""));
    let rows = (quoted(&record()["children"]), quoted(&record()["phones"]));
    std::fs::write(
        at("flat.csv"),
        format!(
            "guardian,number,unit_name,unit_language,owner_name,owner_since,children,phones,secret\n\
             {ANNA},7,Satakieli,fi,Espoo,2001-01-01,{},{},s\n",
            rows.0, rows.1
        ),
    )
    .unwrap();
    let establish = |name: &str| SqliteConnection::establish(at(name).to_str().unwrap()).unwrap();
    establish("flat.sqlite").batch_execute(&table("text")).unwrap();
    let nested = record();
    establish("json.sqlite")
        .batch_execute(&format!(
            "CREATE TABLE decision (guardian text, number integer, unit text, children text, phones text);
             INSERT INTO decision VALUES ('{ANNA}', 7, '{}', '{}', '{}');",
            nested["unit"], nested["children"], nested["phones"]
        ))
        .unwrap();
    let csv = Selection::Csv("flat.csv".into(), CsvDialect::default());
    for (connection, held) in [
        (folder(place.path()), held(Selection::Json("a.json".into()), &[])),
        (folder(place.path()), held(Selection::Json("flat.json".into()), &SPLIT)),
        (folder(place.path()), held(csv, &SPLIT)),
        (sqlite(&at("flat.sqlite")), held(Selection::Query(QUERY.into()), &SPLIT)),
        (sqlite(&at("json.sqlite")), held(Selection::Query(QUERY.into()), &[])),
    ] {
        let described = format!("{:?}", held.source.selection);
        let sources = sources(connection, held);
        assert_eq!(read(&sources, &WANTED).await.unwrap(), expected(), "{described}");
        assert_eq!(
            read(&sources, &["unit.language"]).await.unwrap(),
            [json!({"unit": {"language": "fi"}})],
            "{described}"
        );
        sources.probe(&"decisions".parse().unwrap()).await.unwrap();
    }
}

#[tokio::test]
async fn postgres_gives_the_same_objects_and_rows() {
    #[expect(clippy::disallowed_methods, reason = "tests/run says where the database is")]
    let Ok(address) = std::env::var("OMADATA_TEST_POSTGRES") else {
        eprintln!(
            "left to tests/run: nested records on PostgreSQL (set OMADATA_TEST_POSTGRES to a postgres:// address)"
        );
        return;
    };
    let mut connection = PgConnection::establish(&address).unwrap();
    connection
        .batch_execute(&format!(
            "DROP SCHEMA IF EXISTS nested_test CASCADE; CREATE SCHEMA nested_test; SET search_path TO nested_test; {}",
            table("jsonb")
        ))
        .unwrap();
    let connect = || Connection::Sql {
        url: DatabaseUrl::Postgres(url::Url::parse(&address).unwrap()),
        password_file: None,
        pool_size: 1,
    };
    let query = QUERY.replace("FROM decision", "FROM nested_test.decision");
    let flat = sources(connect(), held(Selection::Query(query.clone()), &SPLIT));
    assert_eq!(read(&flat, &WANTED).await.unwrap(), expected());
    let built = query.replace(
        "*",
        "guardian, number, children, phones, jsonb_build_object('name', unit_name, 'language', unit_language, 'owner',
         jsonb_build_object('name', owner_name, 'since', owner_since)) AS unit",
    );
    let built = sources(connect(), held(Selection::Query(built), &[]));
    assert_eq!(read(&built, &WANTED).await.unwrap(), expected());
    let renamed = sources(
        connect(),
        held(Selection::Query(query.replace('*', "guardian, number, children, phones")), &SPLIT),
    );
    let told = cause(&renamed).await;
    assert!(told.contains("unit_name") && told.contains("does not exist"), "{told}");
}

#[tokio::test]
async fn a_renamed_or_changed_part_is_refused_and_named_by_its_path() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("a.json");
    let sources = sources(folder(place.path()), held(Selection::Json("a.json".into()), &[]));
    type Edit<'a> = &'a dyn Fn(&mut Value);
    let rename = |it: &mut Value, from: &str, to: &str| {
        let members = it.as_object_mut().unwrap();
        let value = members.remove(from).unwrap();
        members.insert(to.to_owned(), value);
    };
    let edits: [(Edit<'_>, &str); 9] = [
        (&|it| rename(&mut it["unit"], "name", "unitName"), "field unit.name: is not in the object"),
        (
            &|it| rename(&mut it["unit"]["owner"], "since", "from"),
            "field unit.owner.since: is not in the object",
        ),
        (&|it| rename(&mut it["children"][1], "fee", "price"), "field children.fee: is not in the object"),
        (&|it| it["unit"]["name"] = json!(7), "field unit.name: not a text"),
        (&|it| it["unit"]["owner"]["since"] = json!("1.1.2001"), "field unit.owner.since: not a date"),
        (&|it| it["unit"] = json!("Satakieli"), "field unit: not JSON"),
        (&|it| it["unit"] = json!(["Satakieli"]), "field unit: not an object"),
        (&|it| it["children"][0] = json!("Aada"), "field children: not a list of objects"),
        (&|it| it["children"][0]["fee"] = json!("288,30"), "field children.fee: not money: its amount"),
    ];
    for (edit, told) in edits {
        let mut changed = record();
        edit(&mut changed);
        std::fs::write(&path, json!([changed]).to_string()).unwrap();
        let cause = cause(&sources).await;
        assert!(cause.contains(told), "{told}: {cause}");
        assert!(!cause.contains("Satakieli") && !cause.contains("288"), "no content is told: {cause}");
        // What nobody asked for may be as it is.
        assert!(read(&sources, &["number"]).await.is_ok(), "{told}");
    }
}

#[tokio::test]
async fn an_object_without_values_is_absent_and_rows_stay_in_their_places() {
    let place = tempfile::tempdir().unwrap();
    let mut empty = record();
    empty["unit"] = json!({"name": null, "language": "fi", "owner": {"name": "Espoo", "since": null}});
    empty["children"] = json!([{"childName": "Aada", "fee": null}, null]);
    std::fs::write(place.path().join("a.json"), json!([empty]).to_string()).unwrap();
    std::fs::write(
        place.path().join("flat.csv"),
        format!("guardian,number,unit_name,unit_language,owner_name,owner_since,children,phones\n{ANNA},7,,,,,[],\n"),
    )
    .unwrap();
    let json_file = sources(folder(place.path()), held(Selection::Json("a.json".into()), &[]));
    let answer =
        read(&json_file, &["unit.name", "unit.owner.since", "children.fee", "children.during"]).await;
    assert_eq!(answer.unwrap(), [json!({"unit": null, "children": [{"fee": null, "during": null}, null]})]);
    let csv = Selection::Csv("flat.csv".into(), CsvDialect::default());
    let csv = sources(folder(place.path()), held(csv, &SPLIT));
    assert_eq!(
        read(&csv, &["unit.name", "children.fee"]).await.unwrap(),
        [json!({"unit": null, "children": []})]
    );
}

#[test]
fn codes_that_the_dataset_does_not_describe_are_told_by_field_and_not_by_value() {
    let of = |language: &str| {
        let unit = json!({"name": "Satakieli", "language": language});
        BTreeMap::from([("unit".parse().unwrap(), unit), ("phones".parse().unwrap(), json!(["1"]))])
    };
    assert_eq!(unknown_codes(&fields(), [&of("fi"), &of("sv")]).len(), 0);
    let unknown = unknown_codes(&fields(), [&of("fi"), &of("se")]);
    assert_eq!(unknown.into_iter().map(String::from).collect::<Vec<_>>(), ["unit.language"]);
}
