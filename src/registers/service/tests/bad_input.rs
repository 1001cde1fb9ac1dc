//! The table `tests/vectors/registers/http.json`: each bad answer is refused by its name.

use serde::Deserialize;

use super::*;
use crate::registers::service::testing::{HEAD, gigabyte, whole, word};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    status: Option<u16>,
    headers: Option<String>,
    #[serde(default)]
    body: String,
    raw: Option<String>,
    #[serde(default)]
    request: Changes,
    error: Option<String>,
    #[serde(default)]
    cause: String,
    from: Option<String>,
    #[serde(default)]
    records: usize,
    #[serde(default)]
    foreign: usize,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Changes {
    records: Option<String>,
    next: Option<String>,
    available_from: Option<String>,
}

fn raw(kind: &str) -> Answer {
    match kind {
        "silence" => Answer::Silence,
        "endless" => Answer::Endless(format!("{HEAD}[").into_bytes(), b"{},".repeat(1000)),
        "endless-head" => Answer::Endless(b"HTTP/1.1 200 X\r\n".to_vec(), b"x-more: 1\r\n".repeat(1000)),
        "gigabyte" => gigabyte("[{\"unit\": \""),
        "latin1" => whole(b"[{\"guardian\": \"010190-900P\", \"unit\": \"P\xe4iv\xe4koti\", \"number\": 7}]"),
        "deep" => whole("[".repeat(10_000).as_bytes()),
        "rows" => {
            let row = json!({"guardian": ANNA, "unit": "a", "number": 1, "startDate": null}).to_string();
            whole(format!("[{}]", vec![row; 10_000].join(",")).as_bytes())
        }
        other => panic!("{other}"),
    }
}

fn given(line: &Line) -> Answer {
    if let Some(kind) = &line.raw {
        return raw(kind);
    }
    let (status, body) = (line.status.unwrap_or(200), &line.body);
    match &line.headers {
        None => answer(status, body),
        Some(headers) if headers.contains("content-length") => Answer::Bytes(
            format!("HTTP/1.1 {status} X\r\n{headers}connection: close\r\n\r\n{body}").into_bytes(),
        ),
        Some(headers) => with_headers(status, headers, body),
    }
}

fn lines() -> Vec<Line> {
    serde_json::from_str(include_str!("../../../../tests/vectors/registers/http.json")).unwrap()
}

#[tokio::test]
async fn every_bad_answer_is_refused_by_its_name_and_nothing_of_it_is_released() {
    let lines: Vec<std::sync::Arc<Line>> = lines().into_iter().map(std::sync::Arc::new).collect();
    for line in lines {
        let name = line.name.clone();
        let served = std::sync::Arc::clone(&line);
        let server = Server::start(move |_| given(&served));
        let changed = ServiceRequest {
            records: pointer(line.request.records.as_deref().unwrap_or_default()),
            paging: line.request.next.as_deref().map(|next| Paging::Link(pointer(next))),
            available_from: line.request.available_from.as_deref().map(pointer),
            ..request("/placements/{subject}")
        };
        // What many lines do not have is asked for only in those about it.
        let fields: &[&str] = if line.body.contains("startDate") {
            &["unit", "number", "startDate"]
        } else {
            &["unit", "number"]
        };
        let bounds = if line.raw.as_deref() == Some("rows") {
            Bounds { max_bytes: 1_000_000, ..BOUNDS }
        } else {
            BOUNDS
        };
        let sources = sources(
            Connection::Http(Box::new(service(server.url()))),
            Selection::Request(Box::new(changed)),
            bounds,
        );
        match (line.error.as_deref(), sources.ask(about(ANNA, fields)).await) {
            (None, Ok(records)) => {
                let foreign = records.iter().filter(|record| record.subject.reveal() != ANNA).count();
                assert_eq!((records.len(), foreign), (line.records, line.foreign), "{name}");
                let text: String =
                    records.iter().map(|record| format!("{:?}", record.values.keys())).collect();
                assert!(!text.contains("secret"), "{name}: {text}");
            }
            (Some("later"), Err(failure)) => {
                let RegisterError::AvailableFrom(from) = failure.error else { panic!("{name}: {failure:?}") };
                assert_eq!(Some(from.rfc3339()), line.from, "{name}");
                assert_eq!(sources.probe(&DatasetId::new("placements").unwrap()).await, Ok(()), "{name}");
            }
            (Some(error), Err(failure)) => {
                let word = word(&failure.error);
                assert_eq!(word, error, "{name}: {}", failure.cause);
                assert!(
                    line.cause.split('|').any(|told| failure.cause.contains(told)),
                    "{name}: {}",
                    failure.cause
                );
                assert!(!failure.may_quote, "{name}");
                for private in ["900P", "Kuusi", "Maintenance", "soon"] {
                    assert!(!failure.cause.contains(private), "{name}: {}", failure.cause);
                }
            }
            (expected, outcome) => panic!("{name}: {outcome:?}, not {expected:?}"),
        }
    }
}
