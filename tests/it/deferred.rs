//! A register that needs time: nothing is given or counted, everyone learns from when on the data is there, and nobody asks
//! again before.

use diesel::Connection;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;
use omadata::store::holder::{consents, deferrals};
use reqwest::header::RETRY_AFTER;
use serde_json::json;

use crate::harness::World;
use crate::harness::browser::Browser;

const PLACEMENT: &str = "early-education-placement";

/// From when on Espoo's register has Ilmari's records, in SQLite's words: `+2 seconds`, or `NULL` for at once.
fn put_off(world: &World, from: &str) {
    let path = world.register("espoo", "early-education.sqlite");
    let mut register = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let who = world.identifier("ilmari");
    let moment = match from {
        "NULL" => from.to_owned(),
        shift => format!("strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '{shift}')"),
    };
    register
        .batch_execute(&format!(
            "UPDATE placement_row SET available_from = {moment} WHERE guardian = '{who}'"
        ))
        .unwrap();
}

#[tokio::test]
async fn ilmaris_data_comes_later_and_is_asked_for_once_until_then() {
    let world = World::shared();
    let service = world.service("helsinki").await;

    // The register does not have it yet. He may decide all the same, and reads what that means.
    let asked = service.ask("espoo", PLACEMENT, Some("ilmari"), json!({"times": 2})).await;
    let id = asked["id"].as_str().unwrap();
    let mut browser = Browser::new();
    let page = browser.open(asked["startUrl"].as_str().unwrap()).await.log_in(&mut browser, "ilmari").await;
    assert_eq!(page.status, 200, "{}", page.describe());
    assert!(page.text().contains("The register has your data from"), "{}", page.text());
    assert!(page.text().contains("the data is fetched only once the register has it"));
    assert!(!page.text().contains("Pihla"), "a value that may not be given yet is shown");
    let until = [("duration", Some("until")), ("times", Some("2"))];
    let end = page.decide(&mut browser, "allow", &until).await;
    assert!(end.url.query().unwrap().contains("state=active"), "{}", end.describe());

    // Long enough to ask twice before they are over, on a busy machine too.
    put_off(world, "+10 seconds");
    let path = format!("/api/v1/consents/{id}/fetch");
    let first = service.answer("POST", &path).await;
    assert_eq!(first.status(), 202);
    let wait: u64 = first.headers()[RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((1..=10).contains(&wait), "{wait}");
    let first: serde_json::Value = first.json().await.unwrap();
    assert!(
        first["availableFrom"].as_str().unwrap().ends_with('Z') && first.get("data").is_none(),
        "{first}"
    );
    assert_eq!(first["receiptJws"].as_str().unwrap().split('.').count(), 3);
    let (status, again) = service.fetch(id).await;
    assert_eq!((status, &again), (202, &first), "the node answers by itself what it knows");

    // One question reached Espoo. It counts as none, and stands in his log as what it is.
    let consent = world.consent("helsinki", "espoo", id).await;
    let store = world.store("espoo");
    let (known, exchanges) = store
        .read("test", move |store| {
            Ok::<_, omadata::store::StoreError>((
                deferrals::of_consent(store, consent, 10)?,
                consents::find(store, consent)?.exchanges,
            ))
        })
        .await
        .unwrap();
    assert_eq!((known.len(), exchanges), (1, 0));
    assert_eq!(known[0].available_from.rfc3339(), first["availableFrom"].as_str().unwrap());
    for (language, told) in [
        ("en", "No data was given. The register has it from"),
        ("fi", "Tietoja ei annettu. Rekisterissä ne ovat"),
        ("sv", "Inga uppgifter gavs. De finns i registret från"),
    ] {
        for place in ["/me/log".to_owned(), format!("/me/sharing/{consent}")] {
            let page = browser.open(&format!("{}{place}?lang={language}", world.url("espoo"))).await;
            assert!(page.text().contains(told), "{language} {place}: {}", page.text());
        }
    }

    // When the time has come, the same call fetches, and only that one counts.
    tokio::time::sleep(std::time::Duration::from_secs(wait + 1)).await;
    let (status, fetched) = service.fetch(id).await;
    assert_eq!(status, 200, "{fetched}");
    assert!(fetched["data"].as_array().unwrap().iter().any(|record| record["childName"] == "Pihla"));
    let consent = store.read("test", move |store| consents::find(store, consent)).await.unwrap();
    assert_eq!(consent.exchanges, 1);

    // A register that puts it off for longer than anyone can wait is a register that does not answer.
    put_off(world, "+31 days");
    assert_eq!(service.fetch(id).await.0, 503);
    put_off(world, "NULL");
    assert_eq!(service.fetch(id).await.0, 200);
    put_off(world, "+15 minutes");

    // Records outside the permission's time put nothing off.
    let asked = service.ask("espoo", PLACEMENT, Some("ilmari"), json!({})).await;
    let page = browser.open(asked["startUrl"].as_str().unwrap()).await;
    let nineties = [("reach_from", Some("1990-01-01")), ("reach_to", Some("1990-12-31"))];
    let end = page.decide(&mut browser, "allow", &nineties).await;
    assert!(end.url.query().unwrap().contains("state=active"), "{}", end.describe());
    let (status, fetched) = service.fetch(asked["id"].as_str().unwrap()).await;
    assert_eq!((status, &fetched["data"]), (200, &json!([])), "{fetched}");
}
