//! What the law and contracts decide: residents see it, city systems report it, and a use is withheld by two alone.

use omadata::app::SystemClock;
use omadata::domain::catalogue::Language;
use omadata::domain::ids::NationalIdentifier;
use omadata::domain::uses::objection::ObjectionAnswer;
use omadata::operator;
use omadata::ports::Clock;
use serde_json::{Value, json};

use crate::harness::World;
use crate::harness::browser::{Browser, Page};
use crate::holdings::{file, unzipped};

/// A moment so many seconds from now.
fn moment(secs: i64) -> String {
    SystemClock.now().plus_secs(secs).rfc3339()
}

/// A use of a resident's placement a minute ago; `more` replaces members.
fn used(world: &World, resident: &str, id: &str, more: Value) -> Value {
    let mut body = json!({
        "id": id,
        "person": world.identifier(resident),
        "use": "early-education-places",
        "dataset": "placements",
        "fields": ["unit", "startDate"],
        "role": "placement-officer",
        "usagePeriod": {"from": moment(-60), "to": moment(-60)},
    });
    for (name, value) in more.as_object().unwrap() {
        if value.is_null() {
            body.as_object_mut().unwrap().remove(name);
        } else {
            body[name] = value.clone();
        }
    }
    body
}

/// A resident at Espoo's portal, on a page that needs a login.
async fn at_espoo(world: &World, resident: &str, path: &str) -> (Browser, Page) {
    let mut browser = Browser::new();
    let page = browser.open(&format!("{}{path}", world.url("espoo"))).await;
    let page = page.log_in(&mut browser, resident).await;
    (browser, page)
}

#[tokio::test]
async fn a_resident_sees_what_they_decide_and_what_the_law_decides_and_objects_where_the_law_lets_them() {
    let world = World::shared();
    let (mut browser, page) = at_espoo(world, "mikael", "/me/uses").await;
    assert_eq!(page.status, 200, "{}", page.describe());
    for (language, groups) in [
        ("fi", ["Sinä päätät", "Sopimus", "Laki ratkaisee", "Varhaiskasvatuslaki 540/2018, 5 §"]),
        ("sv", ["Du bestämmer", "Ett avtal", "Lagen avgör", "Lag om småbarnspedagogik 540/2018, 5 §"]),
        ("en", ["You decide", "A contract", "The law decides", "Care 540/2018, section 5"]),
    ] {
        let page = browser.open(&format!("{}/me/uses?lang={language}", world.url("espoo"))).await;
        for group in groups {
            assert!(page.text().contains(group), "{language}: {group}");
        }
        assert!(page.body.contains("href=\"http://data.finlex.fi/eli/sd/2016/1503/alkup\""), "{language}");
    }
    // Where a contract is among the city's own uses, the catalogue does not say that all of them rest on law.
    for (dataset, by_law_alone) in [("placements", false), ("decisions", true)] {
        let page =
            browser.open(&format!("{}/catalogue/datasets/{dataset}?lang=en", world.url("espoo"))).await;
        assert_eq!(page.text().contains("This rests on law."), by_law_alone, "{dataset}");
    }
    let log = browser.open(&format!("{}/me/log?lang=en", world.url("espoo"))).await.text();
    assert!(log.contains("You see the activity of one system."), "{log}");
    assert!(log.contains("3 systems do not report here yet."), "{log}");
    // Only a public task may be objected to: not the law's duties, and not a contract.
    let page = browser.open(&format!("{}/me/uses?lang=en", world.url("espoo"))).await;
    assert!(page.body.contains("/me/uses/service-planning/object"));
    for other in ["early-education-places", "early-education-fees", "holiday-clubs"] {
        assert!(!page.body.contains(&format!("/me/uses/{other}/object")), "{other}");
        let refused = browser.open(&format!("{}/me/uses/{other}/object", world.url("espoo"))).await;
        assert_eq!(refused.status, 404, "{other}");
    }
    let page = browser.open(&format!("{}/me/uses/service-planning/object", world.url("espoo"))).await;
    let form = page.form("/me/uses/");
    let grounds = "<script>alert(1)</script> because of my work";
    let page = browser.submit(&page, &form, &[("statement", Some(grounds))]).await;
    assert!(page.text().contains("The city has not answered yet"), "{}", page.describe());
    // A second one while the first waits changes nothing.
    let config = &world.cities["espoo"];
    let waiting = operator::uses::objections(config, false).await.unwrap();
    let [objection] = waiting.as_slice() else { panic!("{waiting:?}") };
    let (_, person) = operator::uses::objection(config, objection.id).await.unwrap();
    assert_eq!(person.reveal(), world.identifier("mikael"));
    operator::uses::answer(config, objection.id, ObjectionAnswer::Rejected).await.unwrap();
    assert!(operator::uses::answer(config, objection.id, ObjectionAnswer::Upheld).await.is_err());
    let page = browser.open(&format!("{}/me/uses?lang=en", world.url("espoo"))).await;
    assert!(page.text().contains("has to go on using the data"), "{}", page.describe());
}

#[tokio::test]
async fn a_reported_use_stands_once_in_its_persons_log_and_in_nobody_elses() {
    let world = World::shared();
    let service = world.service("espoo").await;
    let body = json!({"uses": [used(world, "tuovi", "case-1-1", json!({})), used(world, "tuovi", "case-1-2", json!({
        "fields": null, "role": null, "usagePeriod": {"from": moment(-7200), "to": moment(-3600)}
    }))]});
    let (status, answer) = service.call("POST", "/api/v1/uses", Some(&body)).await;
    assert_eq!((status, &answer["recorded"], &answer["known"]), (200, &json!(2), &json!(0)), "{answer}");
    let (status, answer) = service.call("POST", "/api/v1/uses", Some(&body)).await;
    assert_eq!((status, &answer["recorded"], &answer["known"]), (200, &json!(0), &json!(2)), "{answer}");
    let (_, page) = at_espoo(world, "tuovi", "/me/log?lang=en").await;
    let text = page.text();
    assert_eq!(text.matches("Data was used").count(), 2, "{text}");
    for told in
        ["placement secretary", "Espoo early education applications", "Daycare", "section 5", "Since "]
    {
        assert!(text.contains(told), "{told} in {text}");
    }
    assert!(text.contains("last reported") && text.contains("does not report yet"), "{text}");
    let (_, other) = at_espoo(world, "mikael", "/me/log?lang=en").await;
    assert!(!other.text().contains("Data was used"), "{}", other.describe());
}

#[tokio::test]
async fn a_report_with_a_fault_is_refused_as_a_whole_and_says_where() {
    let world = World::shared();
    let service = world.service("espoo").await;
    let good = |id: &str| used(world, "selma", id, json!({}));
    let (status, _) = service.call("POST", "/api/v1/uses", Some(&json!({"uses": [good("taken")]}))).await;
    assert_eq!(status, 200);
    let period = |from, to| json!({"usagePeriod": {"from": from, "to": to}});
    for (more, fault) in [
        (json!({"use": "parking"}), "use is not in the record of processing of this service"),
        (json!({"use": "early-education-fees"}), "use is not in the record of processing of this service"),
        (json!({"dataset": "assistance"}), "dataset is not among those of the use"),
        (json!({"fields": ["unit", "salary"]}), "fields are not those of the dataset, each once"),
        (json!({"fields": ["unit", "unit"]}), "fields are not those of the dataset, each once"),
        (json!({"role": "someone-else"}), "role is not among those of the use"),
        (json!({"person": ""}), "person is not a national identifier"),
        (json!({"person": "010101å900B"}), "person is not a national identifier"),
        (period(moment(-60), moment(-120)), "usagePeriod ends before it begins"),
        (period(moment(-60), moment(3600)), "usagePeriod ends in the future"),
        (period("yesterday".into(), moment(-60)), "usagePeriod is not in RFC 3339"),
        (
            period("1990-01-01T00:00:00Z".into(), "1990-01-01T00:00:00Z".into()),
            "usagePeriod ended longer ago than the use's retention",
        ),
        (json!({"hiddenUntil": moment(60)}), "hiddenUntil and hiddenReason belong together"),
        (
            json!({"hiddenUntil": moment(400 * 86_400), "hiddenReason": "investigation"}),
            "hiddenUntil is not ahead, or later than the configured maximum",
        ),
        (
            json!({"hiddenUntil": moment(60), "hiddenReason": "convenience"}),
            "hiddenReason is not among the configured ones",
        ),
        (json!({"id": "taken", "fields": []}), "another use was reported with this id"),
    ] {
        let wrong = used(world, "selma", "wrong", more);
        let body = json!({"uses": [good("good"), wrong]});
        let (status, answer) = service.call("POST", "/api/v1/uses", Some(&body)).await;
        assert_eq!(status, 400, "{fault}: {answer}");
        assert_eq!(answer["errors"], json!([{"index": 1, "detail": fault}]), "{answer}");
        assert!(!answer.to_string().contains(world.identifier("selma")), "{answer}");
    }
    for more in [json!({"id": "<script>"}), json!({"official": "A name"}), json!({"fields": ["<script>"]})] {
        let body = json!({"uses": [used(world, "selma", "wrong", more)]});
        let (status, answer) = service.call("POST", "/api/v1/uses", Some(&body)).await;
        assert_eq!(status, 400, "{answer}");
        assert!(!answer.to_string().contains(world.identifier("selma")), "{answer}");
    }
    let many: Vec<Value> = (0..501).map(|n| good(&format!("many-{n}"))).collect();
    let (status, answer) = service.call("POST", "/api/v1/uses", Some(&json!({"uses": many}))).await;
    assert_eq!(status, 413, "{answer}");
    // Twice the same in one report is one use.
    let body = json!({"uses": vec![good("double"); 2]});
    let (status, answer) = service.call("POST", "/api/v1/uses", Some(&body)).await;
    assert_eq!((status, &answer["recorded"], &answer["known"]), (200, &json!(1), &json!(1)), "{answer}");
    // Of all these, the two good ones alone are there.
    let (_, page) = at_espoo(world, "selma", "/me/log?lang=en").await;
    assert_eq!(page.text().matches("Data was used").count(), 2, "{}", page.text());
}

#[tokio::test]
async fn a_use_is_withheld_by_two_services_and_appears_by_itself_with_the_law() {
    let world = World::shared();
    let service = world.service("espoo").await;
    let second = world.service_named("espoo", "data-protection-office").await;
    let hidden = |id: &str, until: i64| {
        let more = json!({"hiddenUntil": moment(until), "hiddenReason": "investigation"});
        json!({"uses": [used(world, "rauno", id, more)]})
    };
    let report = hidden("secret-1", 25);
    let (status, answer) = service.call("POST", "/api/v1/uses", Some(&report)).await;
    assert_eq!(status, 200, "{answer}");
    let id = answer["hidings"][0]["id"].as_str().unwrap().to_owned();
    // Who repeats a report whose answer was lost learns the same.
    let (status, again) = service.call("POST", "/api/v1/uses", Some(&report)).await;
    assert_eq!((status, &again["known"], &again["hidings"]), (200, &json!(1), &answer["hidings"]), "{again}");
    let (mut browser, page) = at_espoo(world, "rauno", "/me/log?lang=en").await;
    assert!(!page.text().contains("Data was used"), "{}", page.text());
    // Who proposes neither sees what waits nor confirms it.
    let confirm = format!("/api/v1/uses/hidings/{id}/confirm");
    assert_eq!(service.call("GET", "/api/v1/uses/hidings", None).await.0, 404);
    assert_eq!(service.call("POST", &confirm, None).await.0, 404);
    let (status, waiting) = second.call("GET", "/api/v1/uses/hidings", None).await;
    assert_eq!(status, 200);
    assert_eq!(waiting["hidings"][0]["id"], json!(id));
    assert!(!waiting.to_string().contains(world.identifier("rauno")), "{waiting}");
    for _ in 0..2 {
        let (status, confirmed) = second.call("POST", &confirm, None).await;
        assert_eq!(
            (status, &confirmed["confirmedBy"]),
            (200, &json!("data-protection-office")),
            "{confirmed}"
        );
    }
    // A later end is a proposal again, and nothing that the confirming service can make.
    let extend = format!("/api/v1/uses/hidings/{id}/extend");
    let later = json!({"hiddenUntil": moment(3600)});
    assert_eq!(second.call("POST", &extend, Some(&later)).await.0, 404);
    let (status, extended) = service.call("POST", &extend, Some(&later)).await;
    assert_eq!((status, &extended["confirmedBy"]), (201, &Value::Null), "{extended}");
    // One proposal waits at a time: the same again is the same one, and another has to wait.
    let (_, again) = service.call("POST", &extend, Some(&later)).await;
    assert_eq!(again["id"], extended["id"], "{again}");
    let another = json!({"hiddenUntil": moment(7200)});
    assert_eq!(service.call("POST", &extend, Some(&another)).await.0, 400);
    let begun = tokio::time::Instant::now();
    let text = loop {
        let page = browser.open(&format!("{}/me/log?lang=en", world.url("espoo"))).await;
        if page.text().contains("Data was used") {
            break page.text();
        }
        assert!(begun.elapsed().as_secs() < 60, "the use does not appear at its end: {}", page.text());
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    };
    assert!(text.contains("a law allows waiting") && text.contains("1054/2018"), "{text}");
    // Every step is in the log, without the person.
    let entries = world
        .store("espoo")
        .read("test", |reader| omadata::store::log::read(reader, 0, 10_000))
        .await
        .unwrap();
    let steps: Vec<Value> = entries
        .iter()
        .map(|entry| serde_json::from_str::<Value>(&entry.leaf.entry).unwrap())
        .filter(|entry| entry["kind"] == "use_hiding")
        .collect();
    let acts: Vec<&str> = steps.iter().map(|step| step["act"].as_str().unwrap()).collect();
    assert_eq!(acts, ["proposed", "confirmed", "proposed"], "{steps:?}");
}

#[tokio::test]
async fn another_systems_logbook_is_imported_once() {
    let world = World::shared();
    let config = &world.cities["espoo"];
    let line = |span: &str, activity: &str| {
        json!({
            "trace_id": "7bba9f33312b3dabc8f8e90c7c61f194", "span_id": span, "status": "Ok", "name": "fee",
            "start_time": moment(-600), "end_time": moment(-600),
            "attributes": {
                "dpl.core.processing_activity_id": format!("{}/catalogue/uses#{activity}", world.url("espoo")),
                "dpl.core.data_subject_id": world.identifier("aino"),
                "dpl.core.data_subject_id_type": "HETU",
            }
        })
        .to_string()
    };
    let log = format!(
        "{}\n\n{}\n",
        line("00000000000000a1", "early-education-fees"),
        line("00000000000000a2", "early-education-fees")
    );
    let import = async |log: &str, subjects: &str| {
        operator::uses::import_log(config, log.as_bytes(), subjects).await.map_err(|error| error.to_string())
    };
    let bad = format!("{log}{}\n", line("00000000000000a3", "parking"));
    let told = import(&bad, "HETU").await.unwrap_err();
    assert!(told.starts_with("line 4: the activity is not in the record of processing"), "{told}");
    assert_eq!(import(&log, "BSN").await.map(|done| done.left_out), Ok(2));
    assert_eq!(import(&log, "HETU").await.map(|done| (done.recorded, done.known)), Ok((2, 0)));
    assert_eq!(import(&log, "HETU").await.map(|done| (done.recorded, done.known)), Ok((0, 2)));
    // What says something else under the same numbers is told, and a system that may withhold uses has one way only.
    let other = log.replace(world.identifier("aino"), world.identifier("elin"));
    assert_eq!(import(&other, "HETU").await.map(|done| (done.known, done.contradicting)), Ok((0, 2)));
    let withholding = line("00000000000000a4", "early-education-places");
    let told = import(&withholding, "HETU").await.unwrap_err();
    assert!(told.starts_with("line 1: its service may withhold uses"), "{told}");
    let (_, page) = at_espoo(world, "aino", "/me/log?lang=en").await;
    assert!(page.text().contains("Fee system"), "{}", page.text());
    // The city's answer under article 15 names them too, of somebody who has never logged in as well.
    let whose = NationalIdentifier::new(world.identifier("tuovi")).unwrap();
    let of_tuovi = line("00000000000000a5", "early-education-fees")
        .replace(world.identifier("aino"), world.identifier("tuovi"));
    assert_eq!(import(&of_tuovi, "HETU").await.map(|done| done.recorded), Ok(1));
    let archive = operator::residents::export_article_15(config, &whose, Language::En).await.unwrap();
    let files = unzipped(&archive);
    let recipients: Value = serde_json::from_slice(file(&files, "recipients.json")).unwrap();
    let uses = recipients["uses"].as_array().unwrap();
    assert!(uses.iter().any(|one| one["service"]["en"] == "Fee system"), "{recipients}");
}

#[tokio::test]
async fn the_published_uses_fit_their_schema_and_carry_the_record_of_processing() {
    let world = World::shared();
    let http = crate::harness::client();
    let get = async |path: &str| -> Value {
        http.get(format!("{}{path}", world.url("espoo"))).send().await.unwrap().json().await.unwrap()
    };
    let (uses, schema) = (get("/catalogue/uses").await, get("/catalogue/uses/schema").await);
    let processing = uses["processing"].as_array().unwrap();
    assert!(processing.iter().any(|one| one["id"] == "early-education-fees" && one["mayObject"] == false));
    for (list, members) in [("uses", &uses["uses"]), ("processing", &uses["processing"])] {
        let item = &schema["properties"][list]["items"];
        for one in members.as_array().unwrap() {
            for name in item["required"].as_array().unwrap() {
                assert!(one.get(name.as_str().unwrap()).is_some(), "{name} in {one}");
            }
            for name in one.as_object().unwrap().keys() {
                assert!(item["properties"].get(name).is_some(), "{name} is not in the schema");
            }
        }
    }
}
