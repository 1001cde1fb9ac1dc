//! The GDPR API: a tree of keys becomes records, and anything else is refused by its name.

use serde::Deserialize;

use super::*;

fn gdpr(service: HttpService, request: ServiceRequest, columns: &[(&str, &str)]) -> CityRegisters {
    mapped_to(Connection::GdprApi(Box::new(service)), request, columns)
}

fn tree_request(records: &str) -> ServiceRequest {
    ServiceRequest {
        records: pointer(records),
        whose: WhoseRecord::Asked,
        ..request("/gdpr-api/v1/profiles/{subject}")
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    status: Option<u16>,
    body: Value,
    values: Option<Value>,
    error: Option<String>,
    #[serde(default)]
    cause: String,
}

#[tokio::test]
async fn every_shape_that_is_none_of_the_api_is_refused_by_its_name() {
    let table: Vec<Line> =
        serde_json::from_str(include_str!("../../../../tests/vectors/registers/gdpr-api.json")).unwrap();
    for line in table {
        let (status, body) = (line.status.unwrap_or(200), line.body.to_string());
        let server = Server::start(move |_| answer(status, if status == 204 { "" } else { &body }));
        let sources =
            gdpr(service(server.url()), tree_request(""), &[("unit", "/NAME"), ("number", "/NUMBER")]);
        let outcome = sources.ask(about(ANNA, &["unit", "number"])).await;
        let name = &line.name;
        match (line.error.as_deref(), outcome) {
            (None, Ok(records)) => {
                let found: Vec<Value> =
                    records.into_iter().map(|record| serde_json::to_value(record.values).unwrap()).collect();
                assert_eq!(
                    found,
                    line.values.into_iter().filter(|v| !v.is_null()).collect::<Vec<_>>(),
                    "{name}"
                );
            }
            (Some(error), Err(failure)) => {
                let unfit = matches!(failure.error, RegisterError::Unfit(_));
                assert_eq!(if unfit { "unfit" } else { "unavailable" }, error, "{name}: {}", failure.cause);
                assert!(failure.cause.contains(&line.cause), "{name}: {}", failure.cause);
                assert!(!failure.cause.contains("Kuusi") && !failure.cause.contains("900P"), "{name}");
            }
            (expected, outcome) => panic!("{name}: {outcome:?}, not {expected:?}"),
        }
    }
}

#[tokio::test]
async fn a_tree_becomes_a_record_with_lists_and_objects_and_its_digits() {
    let server = Server::start(|_| {
        answer(
            200,
            r#"{"key": "PROFILE", "children": [
                {"key": "NAME", "value": "Kuusi \"A\"; päivä"},
                {"key": "DETAILS", "children": [{"key": "NUMBER", "value": 7}, {"key": "FEE", "value": 12.50}]},
                {"key": "PLACE", "children": [{"key": "city", "value": "Espoo"}]},
                {"key": "PHONES", "children": [{"key": "PHONE", "value": "1"}, {"key": "PHONE", "value": "2"}]}]}"#,
        )
    });
    let columns = [
        ("unit", "/NAME"),
        ("number", "/DETAILS/NUMBER"),
        ("fee", "/DETAILS/FEE"),
        ("place", "/PLACE"),
        ("phones", "/PHONES"),
    ];
    let sources = gdpr(service(server.url()), tree_request(""), &columns);
    let read = values(&sources, about(ANNA, &["unit", "number", "fee", "place", "phones"])).await;
    assert_eq!(
        read,
        [
            json!({"unit": "Kuusi \"A\"; päivä", "number": 7, "fee": 12.5, "place": {"city": "Espoo"}, "phones": ["1", "2"]})
        ]
    );
    assert_eq!(server.asked()[0].target, "/api/gdpr-api/v1/profiles/010190-900P");
}

#[tokio::test]
async fn nodes_with_the_same_key_are_records_that_name_their_persons() {
    let tree = |owner: &str| {
        json!({"key": "YOUTH", "children": [
            {"key": "MEMBERSHIPS", "children": [
                {"key": "MEMBERSHIP", "children": [{"key": "OWNER", "value": ANNA}, {"key": "NUMBER", "value": 1}]},
                {"key": "MEMBERSHIP", "children": [{"key": "OWNER", "value": owner}, {"key": "NUMBER", "value": 2}]},
            ]},
        ]})
        .to_string()
    };
    let server = Server::start(move |_| answer(200, &tree(BERTIL)));
    let owned = ServiceRequest {
        whose: WhoseRecord::At(pointer("/OWNER")),
        ..tree_request("/MEMBERSHIPS/MEMBERSHIP")
    };
    let columns = [("number", "/NUMBER")];
    let records =
        gdpr(service(server.url()), owned.clone(), &columns).read(about(ANNA, &["number"])).await.unwrap();
    let whose: Vec<&str> = records.iter().map(|record| record.subject.reveal()).collect();
    assert_eq!(whose, [ANNA, BERTIL], "another person's record is passed on with its subject");
    // Without the list there could be nothing in it; without what holds it, the tree is another one.
    for (tree, outcome) in [
        (json!({"key": "YOUTH", "children": [{"key": "MEMBERSHIPS", "children": []}]}), Ok(Vec::new())),
        (
            json!({"key": "YOUTH", "children": [{"key": "JASENYYDET", "children": []}]}),
            Err(RegisterError::Unfit("the records are not there")),
        ),
    ] {
        let server = Server::start(move |_| answer(200, &tree.to_string()));
        assert_eq!(
            gdpr(service(server.url()), owned.clone(), &columns).read(about(ANNA, &["number"])).await,
            outcome
        );
    }
}
