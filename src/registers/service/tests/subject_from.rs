//! A service that knows people by an identifier of its own, which another register tells.

use diesel::Connection as _;
use diesel::connection::SimpleConnection;

use super::*;
use crate::domain::catalogue::FieldType;
use crate::domain::catalogue::register::{HeldDataset, SubjectFrom};
use crate::domain::ids::{FieldName, RegisterId};
use crate::registers::tests::{clock, register, sqlite};

const PROFILE: &str = "aB3x-k9Qz";

/// Memberships by profile, and the file that tells each person's profile.
fn registers(profiles: &std::path::Path, memberships: Connection) -> CityRegisters {
    let mut file = held(Selection::Json("profiles.json".into()));
    file.dataset.id = DatasetId::new("profiles").unwrap();
    file.dataset.fields.retain(|field| field.kind == FieldType::String);
    file.source.register = RegisterId::new("people").unwrap();
    let request = ServiceRequest { whose: WhoseRecord::At(pointer("/profile")), ..request("/of/{subject}") };
    let mut service = held(Selection::Request(Box::new(request)));
    let field = FieldName::new("unit").unwrap();
    service.source.subject_from = Some(SubjectFrom { dataset: file.dataset.id.clone(), field });
    let people = Connection::Files { folder: profiles.to_owned() };
    let both = [register("people", people), register("base", memberships)];
    let datasets: [HeldDataset; 2] = [file, service];
    CityRegisters::new(&both, &datasets, BOUNDS, &clock()).unwrap()
}

#[tokio::test]
async fn a_service_is_asked_by_its_own_identifier_as_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let tell = |rows: Value| std::fs::write(folder.path().join("profiles.json"), rows.to_string()).unwrap();
    let server = Server::start(|asked| {
        let whose = if asked.target.ends_with("other") { "someone-else" } else { PROFILE };
        if asked.target.ends_with("/-") {
            return answer(404, "");
        }
        answer(200, &json!([{"profile": whose, "number": 7}]).to_string())
    });
    let sources = registers(folder.path(), Connection::Http(Box::new(service(server.url()))));
    let who = NationalIdentifier::new(ANNA).unwrap();
    let ask = || sources.ask(about(ANNA, &["number"]));
    let cause = |outcome: Result<Vec<crate::domain::catalogue::Record>, Failure>| outcome.unwrap_err().cause;

    tell(json!([{"guardian": ANNA, "unit": PROFILE}, {"guardian": BERTIL, "unit": "someone"}]));
    let records = ask().await.unwrap();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].subject, who, "the record is the asking person's");
    assert_eq!(server.asked()[0].target, format!("/api/of/{PROFILE}"), "with its letters as they are");

    // Another's record keeps its person, which the release refuses.
    tell(json!([{"guardian": ANNA, "unit": "other"}]));
    assert_ne!(ask().await.unwrap()[0].subject, who);
    let before = server.asked().len();

    // Who has no identifier there has no records, and the service is not asked.
    tell(json!([{"guardian": BERTIL, "unit": PROFILE}]));
    assert_eq!(ask().await.unwrap(), []);
    tell(json!([{"guardian": ANNA, "unit": null}]));
    assert_eq!(ask().await.unwrap(), []);
    tell(json!([{"guardian": ANNA, "unit": "one"}, {"guardian": ANNA, "unit": "two"}]));
    assert_eq!(cause(ask().await), "subject_from, dataset profiles: its records tell two identifiers");
    tell(json!([{"guardian": ANNA, "unit": "Önningeby"}]));
    assert_eq!(
        cause(ask().await),
        "subject_from, dataset profiles: the value is not of 1 to 64 printable ASCII characters"
    );
    std::fs::remove_file(folder.path().join("profiles.json")).unwrap();
    assert!(cause(ask().await).starts_with("subject_from, dataset profiles, profiles.json"));
    assert_eq!(server.asked().len(), before);

    // Each dataset is tried for itself.
    assert!(sources.probe(&DatasetId::new("placements").unwrap()).await.is_ok());
    assert!(sources.probe(&DatasetId::new("profiles").unwrap()).await.is_err());
}

/// Memberships in another file or database, by key.
fn beside(folder: &std::path::Path, connection: Connection, selection: Selection) -> CityRegisters {
    let mut profiles = held(Selection::Json("profiles.json".into()));
    profiles.dataset.id = DatasetId::new("profiles").unwrap();
    profiles.dataset.fields.retain(|field| field.kind == FieldType::String);
    profiles.source.register = RegisterId::new("people").unwrap();
    let mut by_key = held(selection);
    by_key.dataset.fields.retain(|field| field.name.as_str() == "number");
    by_key.source.subject_column = "profile".into();
    let field = FieldName::new("unit").unwrap();
    by_key.source.subject_from = Some(SubjectFrom { dataset: profiles.dataset.id.clone(), field });
    let people = Connection::Files { folder: folder.to_owned() };
    let both = [register("people", people), register("base", connection)];
    CityRegisters::new(&both, &[profiles, by_key], BOUNDS, &clock()).unwrap()
}

#[tokio::test]
async fn keys_that_differ_in_letter_case_alone_are_different_peoples() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, rows: Value| std::fs::write(folder.path().join(name), rows.to_string()).unwrap();
    let files = || Connection::Files { folder: folder.path().to_owned() };
    std::fs::write(
        folder.path().join("rows.csv"),
        "profile,number\naB3x,1\nAb3X,2\nUPPER-1,3\n0a1b2c3d-0000-4000-8000-00000000000f,4\n",
    )
    .unwrap();
    write(
        "rows.json",
        json!([{"profile": "aB3x", "number": 1}, {"profile": "Ab3X", "number": 2}, {"profile": "UPPER-1", "number": 3},
               {"profile": "0a1b2c3d-0000-4000-8000-00000000000f", "number": 4}]),
    );
    let path = folder.path().join("rows.sqlite");
    let mut database = diesel::sqlite::SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    database
        .batch_execute(
            "CREATE TABLE exact (profile TEXT, number INTEGER);
             INSERT INTO exact VALUES ('aB3x', 1), ('Ab3X', 2), ('UPPER-1', 3),
               ('0a1b2c3d-0000-4000-8000-00000000000f', 4);
             CREATE TABLE folding (profile TEXT COLLATE NOCASE, number INTEGER);
             INSERT INTO folding SELECT * FROM exact",
        )
        .unwrap();
    let query = |table: &str| {
        Selection::Query(format!("SELECT profile, number FROM {table} WHERE profile = $1 ORDER BY number"))
    };
    let csv = Selection::Csv("rows.csv".into(), crate::domain::catalogue::register::CsvDialect::default());
    let in_other_letters = RegisterError::Unfit("the register writes the key in other letters");
    for (name, sources, folds) in [
        ("csv", beside(folder.path(), files(), csv), false),
        ("json", beside(folder.path(), files(), Selection::Json("rows.json".into())), false),
        ("exact", beside(folder.path(), sqlite(&path), query("exact")), false),
        ("folding", beside(folder.path(), sqlite(&path), query("folding")), true),
    ] {
        let ask = async |who: &str, key: &str| {
            write("profiles.json", json!([{"guardian": who, "unit": key}]));
            sources.ask(about(who, &["number"])).await
        };
        for (who, key, number) in [(ANNA, "aB3x", 1), (BERTIL, "Ab3X", 2)] {
            match ask(who, key).await {
                // A database that takes both keys for one answers with somebody else's record, too: refused.
                Err(failure) if folds => assert_eq!(failure.error, in_other_letters, "{name} {key}"),
                Ok(records) if !folds => {
                    assert_eq!(records.len(), 1, "{name} {key}");
                    assert_eq!(records[0].values.values().next(), Some(&json!(number)), "{name} {key}");
                    assert_eq!(records[0].subject, NationalIdentifier::new(who).unwrap(), "{name} {key}");
                }
                outcome => panic!("{name} {key}: {outcome:?}"),
            }
        }
        // What one system writes in capitals and the other does not is no silent "nothing".
        let failure = ask(ANNA, "upper-1").await.unwrap_err();
        assert_eq!(failure.error, in_other_letters, "{name}");
        let uuid = "0A1B2C3D-0000-4000-8000-00000000000F";
        assert_eq!(ask(ANNA, uuid).await.unwrap().len(), 1, "{name}: a UUID is the same in either case");
        assert_eq!(ask(ANNA, "nobodys").await.unwrap(), [], "{name}");
        assert_eq!(ask(ANNA, "UPPER-1").await.unwrap().len(), 1, "{name}");
    }
    write("profiles.json", json!([{"guardian": ANNA, "unit": "aB3x"}, {"guardian": ANNA, "unit": "Ab3X"}]));
    let sources = beside(folder.path(), files(), Selection::Json("rows.json".into()));
    let cause = sources.ask(about(ANNA, &["number"])).await.unwrap_err().cause;
    assert_eq!(cause, "subject_from, dataset profiles: its records tell two identifiers");
}
