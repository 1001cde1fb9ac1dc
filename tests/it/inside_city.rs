//! A city's service asks the city's own registers: by the same page, token, receipt and log as another city's would.

use omadata::domain::bundle::{VerifyOptions, verify_bundle};
use omadata::domain::jose::PublicKeys;
use serde_json::json;

use crate::evidence::published;
use crate::harness::browser::Browser;
use crate::harness::{World, eventually};

const GRANT: &str = "hobby-grant";

#[tokio::test]
async fn aino_lets_espoos_hobby_grants_see_what_espoos_early_education_knows() {
    let world = World::shared();
    let service = world.service_named("espoo", "hobby-grants").await;
    let more = json!({"fields": ["validDuring", "familySize", "children.childName"]});
    let asked = service.ask("espoo", GRANT, Some("aino"), more).await;
    let id = asked["id"].as_str().unwrap();
    let mut browser = Browser::new();
    let page = browser.open(asked["startUrl"].as_str().unwrap()).await.log_in(&mut browser, "aino").await;
    for told in ["Espoo asks for your permission", "Espoo hobby grants", "Register of fees and support"] {
        assert!(page.text().contains(told), "{told}: {}", page.text());
    }
    // She keeps the children's names to herself: what may be left out is not ticked.
    let end = page.decide(&mut browser, "allow", &[]).await;
    assert!(end.url.query().unwrap().contains("state=active"), "{}", end.describe());

    let (status, fetched) = service.fetch(id).await;
    assert_eq!(status, 200, "{fetched}");
    let record = &fetched["data"][0];
    assert!(record["familySize"].is_u64(), "{fetched}");
    assert!(record.get("children").is_none(), "a field that she left out was given: {fetched}");
    assert_eq!(fetched["receiptJws"].as_str().unwrap().split('.').count(), 3);

    // It stands in her log, and anybody can judge what the city signed.
    let consent = world.consent("espoo", "espoo", id).await;
    let log = browser.open(&format!("{}/me/log?lang=en", world.url("espoo"))).await;
    assert!(log.text().contains("Espoo hobby grants"), "{}", log.text());
    let bundle = format!("{}/me/sharing/{consent}/bundle", world.url("espoo"));
    let (anchor_keys, provider_keys) = published(world).await;
    let question = VerifyOptions {
        as_of: None,
        anchor_keys: Some(PublicKeys::from_jwks(&anchor_keys).unwrap()),
        provider_keys: Some(provider_keys),
    };
    // The recipient's own signature comes a moment later.
    let begun = tokio::time::Instant::now();
    let judged = loop {
        let text = browser.look(&bundle).await.body;
        let judged = verify_bundle(&text, &question);
        if judged.holds() || begun.elapsed().as_secs() > 30 {
            break judged;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    };
    assert!(judged.holds(), "{:#?}", judged.findings);
}

#[tokio::test]
async fn what_she_stops_inside_her_city_is_refused_at_once() {
    let world = World::shared();
    let service = world.service_named("espoo", "hobby-grants").await;
    let (id, mut browser) = service.given("espoo", GRANT, "elin", json!({})).await;
    let consent = world.consent("espoo", "espoo", &id).await;
    let page = browser.open(&format!("{}/me/sharing/{consent}/stop", world.url("espoo"))).await;
    let stopped = browser.submit(&page, &page.form("/me/sharing/"), &[]).await;
    assert_eq!(stopped.status, 200, "{}", stopped.describe());
    let (status, refused) = service.fetch(&id).await;
    // 502 where the holder refused before the recipient heard of the stop.
    assert!(status >= 400 && refused.get("data").is_none(), "{status} {refused}");
    eventually("the service reads who ended it", || async {
        (service.show(&id).await["reason"] == "taken_back").then_some(())
    })
    .await;
}

#[tokio::test]
async fn she_may_begin_it_herself_from_her_citys_catalogue() {
    let world = World::shared();
    let mut browser = Browser::new();
    let base = world.url("espoo");
    let page = browser.open(&format!("{base}/login?return_to=/catalogue/datasets/fee-decisions")).await;
    let page = page.log_in(&mut browser, "otso").await;
    let name = format!("{base}/catalogue/uses/{GRANT}");
    let encoded: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    let use_page = browser.open(page.link(&encoded).as_str()).await;
    let page = browser.submit(&use_page, &use_page.form("/partners/use"), &[]).await;
    let done = page.decide(&mut browser, "allow", &[]).await;
    assert!(done.url.path().ends_with("/done"), "{}", done.describe());
    // The service learns of it and may fetch.
    let service = world.service_named("espoo", "hobby-grants").await;
    let id = eventually("the service's list has it", || async {
        let (_, list) = service.call("GET", "/api/v1/consents?state=active", None).await;
        let started = list["consents"].as_array()?.iter().find(|held| held["origin"] == "portal")?.clone();
        Some(started["id"].as_str()?.to_owned())
    })
    .await;
    assert_eq!(service.fetch(&id).await.0, 200);
}

#[tokio::test]
async fn a_use_of_the_own_city_asks_no_other_and_the_other_way_round() {
    let world = World::shared();
    let inside = world.service_named("espoo", "hobby-grants").await;
    let (status, told) = inside.try_ask("turku", GRANT, None, json!({})).await;
    assert_eq!((status, told["detail"].as_str()), (403, Some("the use asks this city alone")), "{told}");
    let outside = world.service("espoo").await;
    let (status, told) = outside.try_ask("espoo", "early-education-placement", None, json!({})).await;
    assert_eq!(status, 403, "{told}");
    assert!(told["detail"].as_str().unwrap().contains("inside_city"), "{told}");
    // Espoo's catalogue offers its own use, Turku's does not.
    let mut browser = Browser::new();
    for (city, offered) in [("espoo", true), ("turku", false)] {
        let dataset = world.dataset(city, "early-education-fee-decisions");
        let page = browser.open(&format!("{}/catalogue/datasets/{dataset}?lang=en", world.url(city))).await;
        assert_eq!(page.text().contains("Espoo hobby grants"), offered, "{city}: {}", page.text());
    }
}
