//! The consent's whole life as people and services meet it: paused and resumed, replaced and extended, given back, refused
//! for good.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod harness;

use harness::browser::{Browser, Page};
use harness::{Service, World, eventually};
use omadata::domain::ids::ConsentId;
use omadata::store::consents;
use serde_json::{Value, json};

const PLACEMENT: &str = "early-education-placement";

/// A permission for several fetches, with the resident's browser.
async fn for_several(
    service: &Service,
    holder: &'static str,
    resident: &str,
    times: u32,
) -> (String, Browser) {
    let asked = service.ask(holder, PLACEMENT, Some(resident), json!({"times": times})).await;
    let mut browser = Browser::new();
    let page = browser.open(asked["startUrl"].as_str().unwrap()).await.log_in(&mut browser, resident).await;
    let times = times.to_string();
    let changes = [("duration", Some("until")), ("times", Some(times.as_str()))];
    let end = page.decide(&mut browser, "allow", &changes).await;
    assert!(end.url.query().unwrap_or("").contains("state=active"), "{}", end.describe());
    (asked["id"].as_str().unwrap().to_owned(), browser)
}

async fn in_state(service: &Service, id: &str, state: &str) -> Value {
    eventually(&format!("{id} is {state}"), || async {
        let shown = service.show(id).await;
        (shown["state"] == state).then_some(shown)
    })
    .await
}

/// Presses the button of the one form on the permission's page that leads there.
async fn press(browser: &mut Browser, sharing: &str, what: &str) -> Page {
    let page = browser.open(sharing).await;
    let path = url::Url::parse(sharing).unwrap().path().to_owned();
    browser.submit(&page, &page.form(&format!("{path}/{what}")), &[]).await
}

async fn history(world: &World, city: &'static str, id: ConsentId) -> Vec<(String, String, String)> {
    let changes = world.store(city).read(move |store| consents::history(store, id)).await.unwrap();
    changes
        .iter()
        .map(|change| {
            (
                change.to.as_str().to_owned(),
                change.actor.as_str().to_owned(),
                change.reason.as_str().to_owned(),
            )
        })
        .collect()
}

fn line(state: &str, actor: &str, reason: &str) -> (String, String, String) {
    (state.to_owned(), actor.to_owned(), reason.to_owned())
}

#[tokio::test]
async fn aino_pauses_a_permission_and_lets_it_go_on() {
    let world = World::shared();
    let service = world.service("helsinki").await;
    let (id, mut browser) = for_several(&service, "espoo", "aino", 5).await;
    assert_eq!(service.fetch(&id).await.0, 200);
    let consent = world.consent("helsinki", "espoo", &id).await;
    let sharing = format!("{}/me/sharing/{consent}", world.url("espoo"));

    let paused = press(&mut browser, &sharing, "pause").await;
    assert!(paused.text().contains("The permission is paused"), "{}", paused.describe());
    // At once, whether or not the news has arrived; and it does not end what is only paused.
    let (status, problem) = service.fetch(&id).await;
    assert_eq!(status, 409, "{problem}");
    assert_eq!(problem["type"], "/problems/permission-suspended");
    let told = in_state(&service, &id, "suspended").await;
    assert_eq!(
        eventually("the reason", || async {
            let shown = service.show(&id).await;
            shown.get("reason").cloned()
        })
        .await,
        "paused",
        "{told}"
    );
    assert_eq!(
        service.call("GET", "/api/v1/consents?state=suspended", None).await.1["consents"][0]["id"],
        id
    );
    // The overview keeps it among those that are not over.
    let overview = browser.open(&format!("{}/me/sharing", world.url("espoo"))).await.text();
    assert!(overview.find("Paused").unwrap() < overview.find("Ended and not given").unwrap());

    let resumed = press(&mut browser, &sharing, "resume").await;
    assert!(resumed.text().contains("in force again"), "{}", resumed.describe());
    let shown = in_state(&service, &id, "active").await;
    assert_eq!(shown.get("reason"), None);
    let (status, fetched) = service.fetch(&id).await;
    assert_eq!(status, 200, "{fetched}");
    assert_eq!(
        history(world, "espoo", consent).await,
        [
            line("active", "resident", "decided"),
            line("suspended", "resident", "paused"),
            line("active", "resident", "continued"),
        ]
    );
    // Twice is no error, and changes nothing.
    press(&mut browser, &sharing, "pause").await;
    let page = browser.open(&sharing).await;
    let form = page.form(&format!("/me/sharing/{consent}/resume"));
    for _ in 0..2 {
        assert_eq!(browser.submit(&page, &form, &[]).await.status, 200);
    }
    assert_eq!(history(world, "espoo", consent).await.len(), 5);
    in_state(&service, &id, "active").await;
}

#[tokio::test]
async fn a_paused_permission_is_somebody_elses_to_nobody() {
    let world = World::shared();
    let service = world.service("helsinki").await;
    let (id, mut aino) = for_several(&service, "espoo", "aino", 3).await;
    let consent = world.consent("helsinki", "espoo", &id).await;
    let base = world.url("espoo");
    let sharing = format!("{base}/me/sharing/{consent}");
    let page = aino.open(&sharing).await;
    let form = page.form(&format!("/me/sharing/{consent}/pause"));
    let mut elin = Browser::new();
    let hers = elin.open(&format!("{base}/login?return_to=/me")).await.log_in(&mut elin, "elin").await;
    let word = hers.form("/logout").fields.iter().find(|(name, _)| name == "csrf").unwrap().1.clone();
    let answer = elin.submit(&page, &form, &[("csrf", Some(word.as_str()))]).await;
    assert_eq!(answer.status, 404, "{}", answer.describe());
    // Without the page's own word nothing happens either.
    let answer = aino.submit(&page, &form, &[("csrf", Some("forged"))]).await;
    assert!((400..500).contains(&answer.status), "{}", answer.describe());
    assert_eq!(service.show(&id).await["state"], "active");
    assert_eq!(history(world, "espoo", consent).await.len(), 1);
}

#[tokio::test]
async fn a_service_gives_a_permission_back() {
    let world = World::shared();
    let service = world.service("helsinki").await;
    let (id, mut browser) = for_several(&service, "espoo", "elin", 3).await;
    let consent = world.consent("helsinki", "espoo", &id).await;
    let path = format!("/api/v1/consents/{id}");
    assert_eq!(service.call("DELETE", &path, None).await.0, 204);
    assert_eq!(service.call("DELETE", &path, None).await.0, 204, "twice is no error");
    let shown = service.show(&id).await;
    assert_eq!((shown["state"].as_str(), shown["reason"].as_str()), (Some("ended"), Some("given_back")));
    assert_eq!(service.fetch(&id).await.0, 409);
    let ended = eventually("the holder has it back", || async {
        let changes = history(world, "espoo", consent).await;
        (changes.len() == 2).then_some(changes)
    })
    .await;
    assert_eq!(ended[1], line("returned", "recipient", "given_back"));
    let page = browser.open(&format!("{}/me/sharing/{consent}", world.url("espoo"))).await;
    assert!(page.text().contains("gave the permission back"), "{}", page.describe());
    // An undecided request can be taken back too, and then not be started.
    let asked = service.ask("espoo", PLACEMENT, None, json!({})).await;
    let path = format!("/api/v1/consents/{}", asked["id"].as_str().unwrap());
    assert_eq!(service.call("DELETE", &path, None).await.0, 204);
    assert_eq!(Browser::new().open(asked["startUrl"].as_str().unwrap()).await.status, 404);
    // Another service's looks unknown.
    let other = world.service("turku").await;
    assert_eq!(other.call("DELETE", &path, None).await.0, 404);
}
