//! A service that knows people by an identifier of its own, which another register tells.

use super::*;
use crate::domain::catalogue::FieldType;
use crate::domain::catalogue::register::{HeldDataset, SubjectFrom};
use crate::domain::ids::{FieldName, RegisterId};
use crate::registers::tests::{clock, register};

const PROFILE: &str = "a1b2c3d4-0000-4000-8000-00000000000f";

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
