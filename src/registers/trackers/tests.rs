//! A data tracker in the tests, written from the protocol; what it answers badly is refused by its name
//! (`tests/vectors/registers/data-tracker.json`).

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::*;
use crate::app::SystemClock;
use crate::domain::catalogue::Text;
use crate::domain::catalogue::service::{HttpService, XRoad};
use crate::registers::service::testing::{
    Answer, Asked, HEAD, Server, gigabyte, json as answer, whole, with_headers, word,
};
use crate::registers::service::tests::service;

const ANNA: &str = "010190-900P";
const LIMIT: Part = Part { offset: 0, limit: 4 };

fn anna() -> NationalIdentifier {
    NationalIdentifier::new(ANNA).unwrap()
}

fn id() -> RegisterId {
    RegisterId::new("tracker").unwrap()
}

fn tracker(url: url::Url, timeout_ms: u64, max_uses: u32) -> CityTrackers {
    let xroad = XRoad {
        client: "EE-DEV/GOV/70000001/OmaData".to_owned(),
        service: "EE-DEV/GOV/70000002/Registry/findUsage".to_owned(),
        user: Some("EE{subject}".to_owned()),
    };
    let tracker = DataTracker {
        id: id(),
        title: Text::same("a"),
        service: HttpService { xroad: Some(xroad), at_once: 2, ..service(url) },
        timeout: Duration::from_millis(timeout_ms),
        max_uses,
    };
    CityTrackers::new(&[tracker], Arc::new(SystemClock)).unwrap()
}

fn row(number: u32) -> Value {
    let at = crate::domain::clock::Timestamp::from_secs(1_700_000_000 - i64::from(number)).rfc3339();
    json!({"logtime": at, "action": format!("a{number}"), "receiverCode": "12345678", "receiverSystem": "s"})
}

/// What stands behind a name in the query.
fn asked_for(asked: &Asked, name: &str) -> u32 {
    let (_, query) = asked.target.split_once('?').unwrap();
    let found = query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
    found.unwrap().parse().unwrap()
}

/// A tracker with so many uses that does as the protocol says.
fn of_all(total: u32) -> impl Fn(&Asked) -> Answer + Send + Sync {
    move |asked: &Asked| {
        if asked.target.ends_with("/usagePeriod") {
            return answer(200, &json!({"periodStart": "2021-01-31T10:20:30Z"}).to_string());
        }
        let (offset, limit) = (asked_for(asked, "offset"), asked_for(asked, "limit"));
        let rows: Vec<Value> = (offset..total.min(offset.saturating_add(limit))).map(row).collect();
        answer(200, &json!({"totalUsages": total, "usages": rows}).to_string())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    status: Option<u16>,
    headers: Option<String>,
    body: Option<Value>,
    #[serde(default)]
    text: String,
    raw: Option<String>,
    #[serde(default)]
    uses: usize,
    next: Option<u32>,
    error: Option<String>,
    #[serde(default)]
    cause: String,
}

fn raw(kind: &str) -> Answer {
    match kind {
        "silence" => Answer::Silence,
        "closed" => Answer::Bytes(Vec::new()),
        "endless" => Answer::Endless(format!("{HEAD}{{\"usages\": [").into_bytes(), b"{},".repeat(1000)),
        "gigabyte" => gigabyte("{\"usages\": \""),
        "latin1" => whole(b"{\"usages\": [{\"action\": \"P\xe4ring\"}]}"),
        "deep" => whole("[".repeat(10_000).as_bytes()),
        "rows" => {
            let rows: Vec<Value> = (0..10_000).map(row).collect();
            whole(json!({"totalUsages": 10_000, "usages": rows}).to_string().as_bytes())
        }
        other => panic!("{other}"),
    }
}

fn given(line: &Line) -> Answer {
    if let Some(kind) = &line.raw {
        return raw(kind);
    }
    let text = line.body.as_ref().map_or_else(|| line.text.clone(), Value::to_string);
    match &line.headers {
        None => answer(line.status.unwrap_or(200), &text),
        Some(headers) => with_headers(line.status.unwrap_or(200), headers, &text),
    }
}

#[tokio::test]
async fn every_answer_is_read_as_a_whole_or_refused_by_its_name() {
    let lines: Vec<Line> =
        serde_json::from_str(include_str!("../../../tests/vectors/registers/data-tracker.json")).unwrap();
    let mut wrong = Vec::new();
    for line in lines.into_iter().map(Arc::new) {
        let served = Arc::clone(&line);
        let server = Server::start(move |_| given(&served));
        let timeout = if line.raw.as_deref() == Some("silence") { 300 } else { 5_000 };
        let trackers = tracker(server.url(), timeout, 100);
        let asked = trackers.ask(&trackers.by_id[&id()], &anna(), LIMIT).await;
        match (line.error.as_deref(), asked) {
            (None, Ok(read)) => {
                assert!(read.uses.is_sorted_by_key(|used| std::cmp::Reverse(used.at)), "{}", line.name);
                if (read.uses.len(), read.next) != (line.uses, line.next) {
                    wrong.push(format!("{}: {} uses, next {:?}", line.name, read.uses.len(), read.next));
                }
            }
            (Some(error), Err(failure)) => {
                let word = word(&failure.error);
                if word != error || !line.cause.split('|').any(|told| failure.cause.contains(told)) {
                    wrong.push(format!("{}: {word}: {}", line.name, failure.cause));
                }
                for private in [ANNA, "KUUSI"] {
                    assert!(!failure.loggable_cause().contains(private), "{}: {}", line.name, failure.cause);
                }
            }
            (expected, asked) => wrong.push(format!("{}: {asked:?}, not {expected:?}", line.name)),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn the_request_is_the_protocols_and_names_the_person_where_it_is_about_one() {
    let server = Server::start(of_all(1));
    let trackers = tracker(server.url(), 5_000, 100);
    let found = trackers.part(&id(), &anna(), Part { offset: 50, limit: 50 }).await.unwrap();
    assert_eq!((found.uses.len(), found.next), (0, None));
    let kept = found.kept.unwrap();
    assert_eq!((kept.from.rfc3339().as_str(), kept.to), ("2021-01-31T10:20:30Z", None));
    let mut asked = server.asked();
    asked.sort_by(|one, other| one.target.cmp(&other.target));
    let [uses, period] = asked.as_slice() else { panic!("{asked:?}") };
    let base = "/api/r1/EE-DEV/GOV/70000002/Registry/findUsage/v2";
    assert_eq!(uses.target, format!("{base}/findUsage?userCode=EE010190-900P&offset=50&limit=50"));
    assert_eq!(uses.header("x-road-userid"), Some("EE010190-900P"));
    assert_eq!(uses.header("x-road-client"), Some("EE-DEV/GOV/70000001/OmaData"));
    assert_eq!(
        (period.target.as_str(), period.header("x-road-userid")),
        (&*format!("{base}/usagePeriod"), None)
    );
    assert!(uses.method == "GET" && uses.body.is_empty());
    // Whatever an identifier contains stays within its place.
    let attack = NationalIdentifier::new("1&LIMIT=9#/../").unwrap();
    trackers.part(&id(), &attack, LIMIT).await.unwrap();
    let target = server.asked().into_iter().map(|asked| asked.target).find(|target| target.contains("LIMIT"));
    assert_eq!(
        target.unwrap(),
        format!("{base}/findUsage?userCode=EE1%26LIMIT%3D9%23%2F..%2F&offset=0&limit=4")
    );
}

#[tokio::test]
async fn all_uses_are_gathered_part_by_part_until_their_end_or_the_configured_number() {
    for (total, max, gathered, next, requests) in [
        (0, 10_000, 0, None, 1),
        (999, 10_000, 999, None, 1),
        (1_000, 10_000, 1_000, None, 2),
        (2_500, 10_000, 2_500, None, 3),
        (10_000, 3_500, 3_500, Some(3_500), 4),
    ] {
        let server = Server::start(of_all(total));
        let trackers = tracker(server.url(), 5_000, max);
        let all = trackers.all(&id(), &anna()).await.unwrap();
        assert_eq!((all.uses.len(), all.next), (gathered, next), "{total}");
        assert!(all.uses.is_sorted_by_key(|used| std::cmp::Reverse(used.at)));
        let asked = server.asked().iter().filter(|asked| asked.target.contains("userCode")).count();
        assert_eq!(asked, requests, "{total}");
    }
}

#[tokio::test]
async fn what_a_tracker_answered_before_it_failed_is_kept_and_known_to_be_a_part() {
    let whole = of_all(2_500);
    let server =
        Server::start(
            move |asked: &Asked| {
                if asked.target.contains("offset=1000") { answer(500, "{}") } else { whole(asked) }
            },
        );
    let all = tracker(server.url(), 5_000, 10_000).all(&id(), &anna()).await.unwrap();
    assert_eq!((all.uses.len(), all.next), (1_000, Some(1_000)));
    // One that says again and again that there is more is asked a bounded number of times.
    let server = Server::start(|asked: &Asked| {
        if asked.target.ends_with("/usagePeriod") {
            return answer(500, "{}");
        }
        let row = row(asked_for(asked, "offset"));
        answer(200, &json!({"totalUsages": 2_000_000_000, "usages": [row]}).to_string())
    });
    let all = tracker(server.url(), 5_000, 10_000).all(&id(), &anna()).await.unwrap();
    assert_eq!((all.uses.len(), all.next, all.kept), (100, Some(100), None));
}

#[tokio::test]
async fn a_use_that_is_added_between_two_parts_shows_no_other_twice() {
    let count = std::sync::atomic::AtomicU32::new(0);
    let server = Server::start(move |asked: &Asked| {
        if asked.target.ends_with("/usagePeriod") {
            return answer(200, "{}");
        }
        // Every answer finds one use more before all others.
        let shift = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let (offset, limit) = (asked_for(asked, "offset"), asked_for(asked, "limit"));
        let from = (offset + 10).saturating_sub(shift);
        let rows: Vec<Value> = (from..1_300_u32.min(from + limit)).map(row).collect();
        answer(200, &json!({"usages": rows}).to_string())
    });
    let all = tracker(server.url(), 5_000, 10_000).all(&id(), &anna()).await.unwrap();
    assert_eq!((all.uses.len(), all.next, all.kept), (1_290, None, None));
}

#[tokio::test]
async fn a_tracker_says_at_the_start_whether_it_works() {
    for (status, body, told) in [
        (200, r#"{"status": "OK", "message": "API is ready"}"#, None),
        (200, r#"{"status": "FAIL"}"#, Some("the tracker says of itself that it does not work")),
        (200, r#"{"state": "OK"}"#, Some("the answer has no status")),
        (404, "{}", Some("the service answered 404")),
    ] {
        let server = Server::start(move |asked: &Asked| {
            if asked.target.ends_with("/usagePeriod") { of_all(0)(asked) } else { answer(status, body) }
        });
        let outcome = tracker(server.url(), 5_000, 100).check(&id()).await;
        assert_eq!(outcome.is_err(), told.is_some(), "{body}");
        assert!(told.is_none_or(|told| outcome.unwrap_err().contains(told)), "{body}");
        assert!(server.asked()[0].target.ends_with("/findUsage/v2/heartbeat"));
    }
}

#[tokio::test]
async fn periods_that_cannot_be_are_not_shown() {
    for (body, kept) in [
        (json!({"periodStart": "2021-01-31T10:20:30Z", "periodEnd": "2022-01-31T10:20:30Z"}), true),
        (json!({"periodStart": "2021-01-31T10:20:30Z", "periodEnd": null}), true),
        (json!({"periodStart": "2021-01-31T10:20:30Z", "periodEnd": "2020-01-31T10:20:30Z"}), false),
        (json!({"periodStart": "2021-01-31"}), false),
        (json!({"periodStart": "2999-01-31T10:20:30Z"}), false),
        (json!({"periodEnd": "2022-01-31T10:20:30Z"}), false),
    ] {
        let text = body.to_string();
        let server = Server::start(move |asked: &Asked| {
            if asked.target.ends_with("/usagePeriod") {
                answer(200, &text)
            } else {
                answer(200, r#"{"usages": []}"#)
            }
        });
        let found = tracker(server.url(), 5_000, 100).part(&id(), &anna(), LIMIT).await.unwrap();
        assert_eq!(found.kept.is_some(), kept, "{body}");
    }
}

#[tokio::test]
async fn uses_do_not_wait_for_a_tracker_that_does_not_say_how_far_back_its_record_goes() {
    let whole = of_all(3);
    let server =
        Server::start(
            move |asked: &Asked| {
                if asked.target.ends_with("/usagePeriod") { Answer::Silence } else { whole(asked) }
            },
        );
    let begun = Instant::now();
    let found = tracker(server.url(), 15_000, 100).part(&id(), &anna(), LIMIT).await.unwrap();
    assert_eq!((found.uses.len(), found.kept), (3, None));
    assert!(begun.elapsed() < Duration::from_secs(12), "well before timeout_ms");
}
