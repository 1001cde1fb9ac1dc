//! Services answer what they like; what leaves the connector is the person's records as the dataset declares them, or an
//! error with its name.

mod bad_input;
mod gdpr;
mod protection;
mod subject_from;

use serde_json::{Value, json};

use super::testing::{Answer, Server, json as answer, with_headers};
use super::*;
use crate::domain::catalogue::RecordNames;
use crate::domain::catalogue::pointer::Pointer;
use crate::domain::catalogue::register::{Connection, NameColumns, ProtectedColumn, Selection};
use crate::domain::catalogue::service::{Paging, ServiceRequest, WhoseRecord, XRoad};
use crate::domain::ids::{DatasetId, FieldPath, NationalIdentifier};
use crate::ports::{Question, Registers};
use crate::registers::CityRegisters;
use crate::registers::tests::{ANNA, BERTIL, expected, held, question, registers_of, sources};

const BOUNDS: Bounds = Bounds { max_records: 10, max_bytes: 10_000 };

fn pointer(text: &str) -> Pointer {
    Pointer::parse(text).unwrap()
}

pub(crate) fn service(url: Url) -> HttpService {
    HttpService {
        base_url: url,
        private_networks: vec![],
        demo: true,
        ca_file: None,
        client_certificate: None,
        credentials: Credentials::None,
        xroad: None,
        at_once: 4,
    }
}

fn request(path: &str) -> ServiceRequest {
    ServiceRequest {
        method: Method::Get,
        path: path.to_owned(),
        body: None,
        subject_header: None,
        records: pointer(""),
        whose: WhoseRecord::At(pointer("/guardian")),
        absent_is_null: false,
        paging: None,
        none_status: vec![404],
        available_from: None,
    }
}

fn http(service: HttpService, request: ServiceRequest) -> CityRegisters {
    sources(Connection::Http(Box::new(service)), Selection::Request(Box::new(request)), BOUNDS)
}

/// With the places of fields that do not stand in a member of their name.
fn mapped_to(connection: Connection, request: ServiceRequest, columns: &[(&str, &str)]) -> CityRegisters {
    let mut held = held(Selection::Request(Box::new(request)));
    let named = |(name, place): &(&str, &str)| (FieldPath::new(*name).unwrap(), (*place).to_owned());
    held.source.columns = columns.iter().map(named).collect();
    registers_of(connection, held)
}

fn about(who: &str, fields: &[&str]) -> Question {
    let fields = fields.iter().map(|name| FieldPath::new(*name).unwrap()).collect();
    Question { fields, ..question(&NationalIdentifier::new(who).unwrap()) }
}

async fn values(sources: &CityRegisters, question: Question) -> Vec<Value> {
    let records = sources.read(question).await.unwrap();
    records.into_iter().map(|record| serde_json::to_value(record.values).unwrap()).collect()
}

fn rows() -> Vec<Value> {
    let mut rows = expected();
    for row in &mut rows {
        row["guardian"] = json!(ANNA);
        row["secret"] = json!("s");
    }
    rows
}

#[tokio::test]
async fn a_service_gives_the_same_typed_records_and_no_other_member() {
    let server = Server::start(|_| answer(200, &Value::from(rows()).to_string()));
    let sources = http(service(server.url()), request("/placements/{subject}"));
    let all = question(&NationalIdentifier::new(ANNA).unwrap());
    assert_eq!(values(&sources, all).await, expected());
    let some = values(&sources, about(ANNA, &["unit", "number"])).await;
    assert_eq!(some[1], json!({"unit": "Mänty", "number": null}));
    let asked = server.asked();
    assert_eq!((asked[0].method.as_str(), asked[0].target.as_str()), ("GET", "/api/placements/010190-900P"));
    assert_eq!(asked[0].header("accept"), Some("application/json, application/hal+json"));
    assert_eq!(asked[0].header("accept-encoding"), None);
}

#[tokio::test]
async fn pointers_lead_into_the_records_and_null_on_the_way_is_null() {
    let server = Server::start(|_| {
        let records = json!([
            {"who": {"code": "010190-900p"}, "unit": {"name/fi": "Kuusi"}, "counts": [1, 7]},
            {"who": {"code": "010190-900P"}, "unit": null, "counts": [1, null]},
        ]);
        answer(200, &json!({"meta": {"total": 2}, "data": {"items": records}}).to_string())
    });
    let mapped = ServiceRequest {
        records: pointer("/data/items"),
        whose: WhoseRecord::At(pointer("/who/code")),
        ..request("/placements?of={subject}")
    };
    let sources = mapped_to(
        Connection::Http(Box::new(service(server.url()))),
        mapped,
        &[("unit", "/unit/name~1fi"), ("number", "/counts/1")],
    );
    assert_eq!(
        values(&sources, about(ANNA, &["unit", "number"])).await,
        [json!({"unit": "Kuusi", "number": 7}), json!({"unit": null, "number": null})]
    );
    assert_eq!(server.asked()[0].target, "/api/placements?of=010190-900P");
}

#[tokio::test]
async fn the_person_goes_into_body_or_header_where_the_dataset_says_so() {
    let server = Server::start(|_| answer(200, "[]"));
    let posted = ServiceRequest {
        method: Method::Post,
        body: Some(json!({"person": "{subject}", "limit": 5})),
        subject_header: Some("X-Person".to_owned()),
        ..request("/search")
    };
    let sources = http(service(server.url()), posted);
    assert_eq!(values(&sources, about("A\"B", &["unit"])).await, Vec::<Value>::new());
    let asked = &server.asked()[0];
    assert_eq!((asked.method.as_str(), asked.target.as_str()), ("POST", "/api/search"));
    assert_eq!(serde_json::from_str::<Value>(&asked.body).unwrap(), json!({"person": "A\"B", "limit": 5}));
    assert_eq!(asked.header("x-person"), Some("A\"B"));
    assert_eq!(asked.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn an_identifier_never_changes_the_address() {
    let server = Server::start(|_| answer(200, "[]"));
    let sources = http(service(server.url()), request("/placements/{subject}/all?x={subject}"));
    for (attack, target) in [
        ("../ADMIN", "/api/placements/..%2FADMIN/all?x=..%2FADMIN"),
        ("A?B&C#D", "/api/placements/A%3FB%26C%23D/all?x=A%3FB%26C%23D"),
        ("%2E%2E", "/api/placements/%252E%252E/all?x=%252E%252E"),
    ] {
        assert_eq!(values(&sources, about(attack, &["unit"])).await, Vec::<Value>::new());
        assert_eq!(server.asked().last().unwrap().target, target);
    }
    // A segment that the address would lose.
    let unfit = RegisterError::Unfit("the identifier cannot stand in the service's address");
    let before = server.asked().len();
    for attack in ["..", "."] {
        assert_eq!(sources.read(about(attack, &["unit"])).await, Err(unfit.clone()));
    }
    assert_eq!(server.asked().len(), before);
}

#[tokio::test]
async fn pages_are_read_until_the_last_one_by_link_or_by_count() {
    let page = |numbers: std::ops::Range<u32>| -> Vec<Value> {
        numbers.map(|number| json!({"guardian": ANNA, "unit": "Kuusi", "number": number})).collect()
    };
    let server = Server::start(move |asked| {
        let (path, query) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
        let body = match (path, query) {
            ("/api/linked/010190-900P", "") => json!({"data": page(0..3), "next": "/api/linked/2?cursor=b"}),
            ("/api/linked/2", "cursor=b") => json!({"data": page(3..5), "next": null}),
            ("/api/paged/010190-900P", "sort=date&page=1") => json!({"data": page(0..3)}),
            ("/api/paged/010190-900P", "sort=date&page=2") => json!({"data": page(3..5)}),
            ("/api/paged/010190-900P", "sort=date&page=3") => json!({"data": []}),
            ("/api/offset/010190-900P", "offset=0") => json!({"data": page(0..3)}),
            ("/api/offset/010190-900P", "offset=3") => json!({"data": page(3..5)}),
            _ => return answer(500, "{}"),
        };
        answer(200, &body.to_string())
    });
    let count = |parameter: &str, first, step| Paging::Count { parameter: parameter.to_owned(), first, step };
    for (path, paging, asked) in [
        ("/linked/{subject}", Paging::Link(pointer("/next")), 2),
        ("/paged/{subject}?sort=date", count("page", 1, 1), 3),
        ("/offset/{subject}", count("offset", 0, 3), 2),
    ] {
        let before = server.asked().len();
        let paged = ServiceRequest { records: pointer("/data"), paging: Some(paging), ..request(path) };
        let read = values(&http(service(server.url()), paged), about(ANNA, &["number"])).await;
        assert_eq!(read, (0..5).map(|number| json!({"number": number})).collect::<Vec<_>>(), "{path}");
        assert_eq!(server.asked().len() - before, asked, "{path}");
    }
}

#[tokio::test]
async fn a_page_that_is_not_where_the_link_leads_gives_no_half_answer() {
    let server = Server::start(|asked| match asked.target.as_str() {
        "/api/linked/010190-900P" => {
            let records = [json!({"guardian": ANNA, "unit": "Kuusi", "number": 1})];
            answer(200, &json!({"data": records, "next": "/api/linked/2"}).to_string())
        }
        _ => answer(404, "{}"),
    });
    let linked = |who: &'static str| {
        let paging = Some(Paging::Link(pointer("/next")));
        let paged = ServiceRequest { records: pointer("/data"), paging, ..request("/linked/{subject}") };
        let sources = http(service(server.url()), paged);
        async move { sources.read(about(who, &["number"])).await }
    };
    assert_eq!(linked(ANNA).await, Err(RegisterError::Unfit("the next page is not there")));
    // Of somebody whom it does not know it has no first page: that is an answer.
    assert_eq!(linked(BERTIL).await, Ok(Vec::new()));
}

#[tokio::test]
async fn a_service_that_names_nobody_is_believed_only_where_the_dataset_says_so() {
    let server = Server::start(|_| answer(200, r#"{"unit": "Kuusi"}"#));
    let sources = http(service(server.url()), request("/placements/{subject}"));
    let unfit = RegisterError::Unfit("a record does not say whose it is");
    assert_eq!(sources.read(about(ANNA, &["unit"])).await, Err(unfit));
    let asked = ServiceRequest { whose: WhoseRecord::Asked, ..request("/placements/{subject}") };
    let records = http(service(server.url()), asked).read(about(ANNA, &["unit"])).await.unwrap();
    assert_eq!(records[0].subject, NationalIdentifier::new(ANNA).unwrap());
}

#[tokio::test]
async fn what_a_service_leaves_out_is_empty_only_where_the_dataset_says_so() {
    let server = Server::start(|_| answer(200, &json!([{"guardian": ANNA, "number": 1}]).to_string()));
    let strict = http(service(server.url()), request("/placements/{subject}"));
    assert_eq!(
        strict.read(about(ANNA, &["unit", "number"])).await,
        Err(RegisterError::Unfit("a field is missing"))
    );
    // What is not asked for may be absent.
    assert_eq!(values(&strict, about(ANNA, &["number"])).await, [json!({"number": 1})]);
    let lenient = ServiceRequest { absent_is_null: true, ..request("/placements/{subject}") };
    let lenient = http(service(server.url()), lenient);
    assert_eq!(
        values(&lenient, about(ANNA, &["unit", "number"])).await,
        [json!({"unit": null, "number": 1})]
    );
}

#[tokio::test]
async fn a_non_disclosure_order_is_read_where_the_dataset_says_and_its_absence_is_an_error() {
    let row =
        |order: Value| json!([{"guardian": ANNA, "unit": "Kuusi", "number": 1, "flags": order}]).to_string();
    for (order, outcome) in [
        (json!({"protected": true}), Ok(vec![json!({"unit": null, "number": 1})])),
        (json!({"protected": false}), Ok(vec![json!({"unit": "Kuusi", "number": 1})])),
        (json!({}), Err(RegisterError::Unfit("a record's mark cannot be read"))),
        (json!({"protected": "?"}), Err(RegisterError::Unfit("a record's mark cannot be read"))),
    ] {
        let body = row(order);
        let server = Server::start(move |_| answer(200, &body));
        let mut held = held(Selection::Request(Box::new(request("/{subject}"))));
        held.source.protected = Some(ProtectedColumn { column: "/flags/protected".to_owned(), marker: None });
        held.dataset.protected_fields = vec![FieldPath::new("unit").unwrap()];
        let sources = registers_of(Connection::Http(Box::new(service(server.url()))), held);
        let read = sources.read(about(ANNA, &["unit", "number"])).await;
        let values = read.map(|records| {
            records.into_iter().map(|record| serde_json::to_value(record.values).unwrap()).collect::<Vec<_>>()
        });
        assert_eq!(values, outcome);
    }
}

#[tokio::test]
async fn a_call_through_x_road_has_its_headers_and_its_errors_are_named_by_side() {
    let server = Server::start(|asked| match asked.target.rsplit('/').next().unwrap() {
        "010190-900P" => answer(200, "[]"),
        "CLIENT" => {
            with_headers(400, "content-type: application/json\r\nx-road-error: Client.BadRequest\r\n", "{}")
        }
        "PROVIDER" => with_headers(
            500,
            "content-type: application/json\r\nx-road-error: Server.ServerProxy.NetworkError\r\nx-road-request-id: f92591a3\r\n",
            r#"{"message": "Connect to 10.139.178.1 failed"}"#,
        ),
        // A missing person is the service's answer, and no error of X-Road.
        "NOBODY" => answer(404, "{}"),
        _ => with_headers(404, "x-road-error: Server.ClientProxy.UnknownMember\r\n", ""),
    });
    let xroad = XRoad {
        client: "FI/GOV/1234567-8/OmaData".to_owned(),
        service: "FI/GOV/8765432-1/Varhaiskasvatus/paikat%20v1".to_owned(),
        user: Some("FI{subject}".to_owned()),
    };
    let url = format!("http://register.localhost:{}", server.port).parse().unwrap();
    let sources = http(HttpService { xroad: Some(xroad), ..service(url) }, request("/v2/persons/{subject}"));
    assert_eq!(values(&sources, about(ANNA, &["unit"])).await, Vec::<Value>::new());
    let asked = &server.asked()[0];
    assert_eq!(asked.target, "/r1/FI/GOV/8765432-1/Varhaiskasvatus/paikat%20v1/v2/persons/010190-900P");
    assert_eq!(asked.header("x-road-client"), Some("FI/GOV/1234567-8/OmaData"));
    assert_eq!(asked.header("x-road-userid"), Some("FI010190-900P"));
    assert_eq!(values(&sources, about("NOBODY", &["unit"])).await, Vec::<Value>::new());
    for (who, told) in [
        ("CLIENT", "X-Road: Client.BadRequest (this side: the request does not fit the protocol"),
        (
            "PROVIDER",
            "X-Road: Server.ServerProxy.NetworkError (the provider's security server or service, request f92591a3)",
        ),
        ("OTHER", "X-Road: Server.ClientProxy.UnknownMember (this city's security server)"),
    ] {
        let failure = sources.ask(about(who, &["unit"])).await.unwrap_err();
        assert_eq!(failure.error, RegisterError::Unavailable, "{who}");
        assert!(failure.cause.contains(told) && !failure.cause.contains("10.139"), "{}", failure.cause);
    }
}

#[tokio::test]
async fn a_slow_service_holds_no_more_than_its_requests_at_once_and_the_others_go_on() {
    let silent = Server::start(|_| Answer::Silence);
    let sources = std::sync::Arc::new(http(
        HttpService { at_once: 1, ..service(silent.url()) },
        request("/placements/{subject}"),
    ));
    let both = [ANNA, BERTIL].map(|who| {
        let sources = std::sync::Arc::clone(&sources);
        tokio::spawn(async move { sources.read(about(who, &["unit"])).await })
    });
    // Half of the time limit: neither has ended.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(silent.asked().len(), 1, "the second waits for the first and sends nothing");
    for one in both {
        assert_eq!(one.await.unwrap(), Err(RegisterError::Unavailable));
    }
}

/// With the places of whom a record is about, their name and the record's key.
fn naming(connection: Connection, request: ServiceRequest, places: [&str; 3]) -> CityRegisters {
    let mut held = held(Selection::Request(Box::new(request)));
    let [person, person_name, record] = places.map(|place| Some(place.to_owned()));
    held.source.names = NameColumns { person, person_name, record };
    held.source.columns = ["unit", "number"]
        .map(|name| (FieldPath::new(name).unwrap(), format!("/{}", name.to_uppercase())))
        .into();
    registers_of(connection, held)
}

#[tokio::test]
async fn a_service_names_whom_a_record_is_about_and_which_it_is() {
    let record = |child: &Value, id: &Value| json!([{"guardian": ANNA, "UNIT": "Kuusi", "NUMBER": 7, "child": {"code": child, "name": "Onni"}, "id": id}]);
    let tree = |child: &Value, id: &Value| {
        let leaf = |key: &str, value: &Value| json!({"key": key, "value": value});
        let child = json!({"key": "child", "children": [leaf("code", child), leaf("name", &json!("Onni"))]});
        json!({"key": "YOUTH", "children": [
            leaf("UNIT", &json!("Kuusi")), leaf("NUMBER", &json!(7)), child, leaf("id", id),
        ]})
    };
    let names = RecordNames {
        person: Some(NationalIdentifier::new("010120A901K").unwrap()),
        person_name: Some("Onni".to_owned()),
        record: Some("7".to_owned()),
    };
    let read = async |child: Value, id: Value, is_tree: bool| {
        let body = if is_tree { tree(&child, &id) } else { record(&child, &id) }.to_string();
        let server = Server::start(move |_| answer(200, &body));
        let of = Box::new(service(server.url()));
        let (connection, request) = if is_tree {
            (Connection::GdprApi(of), ServiceRequest { whose: WhoseRecord::Asked, ..request("/{subject}") })
        } else {
            (Connection::Http(of), request("/{subject}"))
        };
        let sources = naming(connection, request, ["/child/code", "/child/name", "/id"]);
        let records = sources.read(about(ANNA, &["unit", "number"])).await?;
        Ok::<_, RegisterError>(records.into_iter().map(|record| record.names).collect::<Vec<_>>())
    };
    for is_tree in [false, true] {
        let good = read(json!("010120a901k"), json!(7), is_tree).await;
        assert_eq!(good, Ok(vec![names.clone()]), "tree: {is_tree}");
        let nobody = Err(RegisterError::Unfit("a record does not say whom it is about"));
        assert_eq!(read(json!(null), json!(7), is_tree).await, nobody, "tree: {is_tree}");
        let nameless = Err(RegisterError::Unfit("a record has no key"));
        assert_eq!(read(json!("010120A901K"), json!(""), is_tree).await, nameless, "tree: {is_tree}");
    }
}
