//! Helsinki's registers that are services: the youth services' pages of JSON and the profiles' GDPR API, live from the
//! demo's city systems to the resident's own page and to another city.

use serde_json::{Value, json};

use crate::harness::browser::{Browser, Page};
use crate::harness::{self, Setup, World};

const MEMBERSHIP: &str = "youth-membership";
const PROFILE: &str = "resident-profile";

/// Somebody's page of their data at Helsinki, in English.
async fn holdings(world: &World, who: &str) -> (Browser, Page) {
    let mut browser = Browser::new();
    let page = browser.open(&format!("{}/login?return_to=%2Fme%2Fdata", world.url("helsinki"))).await;
    let page = page.log_in(&mut browser, who).await;
    assert_eq!((page.status, page.url.path()), (200, "/me/data"), "{}", page.describe());
    let page = browser.open(&format!("{}/me/data?lang=en", world.url("helsinki"))).await;
    (browser, page)
}

#[tokio::test]
async fn aino_sees_what_both_systems_hold_in_each_language() {
    let world = World::shared();
    let (mut browser, _) = holdings(world, "aino").await;
    for (language, told) in [
        (
            "en",
            ["Youth services memberships", "Youth services system", "Resident’s own details", "Valid until"],
        ),
        (
            "fi",
            [
                "Nuorisopalvelujen jäsenyydet",
                "Nuorisopalvelujen järjestelmä",
                "Asukkaan omat tiedot",
                "Voimassa asti",
            ],
        ),
        (
            "sv",
            [
                "Medlemskap i ungdomstjänsterna",
                "Ungdomstjänsternas system",
                "Invånarens egna uppgifter",
                "Giltigt till",
            ],
        ),
    ] {
        let page = browser.open(&format!("{}/me/data?lang={language}", world.url("helsinki"))).await;
        let text = page.text();
        // The eldest child's three seasons stand on two pages of the youth services' answer.
        let records =
            ["N000000-2026", "N000000-2025", "N000000-2024", "Kerttu", "aino.mallimaa@post.example"];
        for shown in told.iter().chain(&records) {
            assert!(text.contains(shown), "{language}: {shown} is not in {text}");
        }
    }
}

#[tokio::test]
async fn whom_the_systems_do_not_know_has_no_records_there_and_no_fault() {
    let world = World::shared();
    let (_, page) = holdings(world, "tuovi").await;
    let text = page.text();
    assert!(text.contains("Youth services memberships") && !text.contains("did not answer"), "{text}");
    assert!(!text.contains("Satusaaren koulu") && !text.contains("@post.example"), "{text}");
}

#[tokio::test]
async fn selmas_address_does_not_leave_the_profiles() {
    let world = World::shared();
    let (_, page) = holdings(world, "selma").await;
    let text = page.text();
    assert!(text.contains("A non-disclosure order applies to this data"), "{text}");
    assert!(text.contains("selma.satulinna@post.example") && !text.contains("Keksittykuja"), "{text}");
}

#[tokio::test]
async fn espoos_youth_services_fetch_all_pages_and_only_what_aino_allows() {
    let world = World::shared();
    let service = world.service_named("espoo", "youth-services").await;
    let asked = service.ask("helsinki", MEMBERSHIP, Some("aino"), json!({})).await;
    let mut browser = Browser::new();
    let page = browser.open(asked["startUrl"].as_str().unwrap()).await.log_in(&mut browser, "aino").await;
    for told in ["Espoo youth services", "Youth services system", "Kerttu", "Satusaaren koulu"] {
        assert!(page.text().contains(told), "{told}: {}", page.text());
    }
    let end = page.decide(&mut browser, "allow", &[("field", Some("schoolClass"))]).await;
    assert!(end.url.query().unwrap().contains("state=active"), "{}", end.describe());
    let (status, fetched) = service.fetch(asked["id"].as_str().unwrap()).await;
    assert_eq!(status, 200, "{fetched}");
    let records = fetched["data"].as_array().unwrap();
    let ends: Vec<&str> = records.iter().map(|record| record["expiration"].as_str().unwrap()).collect();
    assert_eq!(ends, ["2027-08-31", "2026-08-31", "2025-08-31"], "{fetched}");
    for record in records {
        let mut names: Vec<&str> = record.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["birthDate", "childName", "expiration", "schoolClass"], "{fetched}");
    }
}

#[tokio::test]
async fn espoos_move_in_advice_fetches_elins_profile_through_the_gdpr_api() {
    let world = World::shared();
    let service = world.service_named("espoo", "move-in").await;
    let (id, _) = service.given("helsinki", PROFILE, "elin", json!({})).await;
    let (status, fetched) = service.fetch(&id).await;
    assert_eq!(status, 200, "{fetched}");
    let expected = json!([{"firstName": "Elin", "lastName": "Exempelström", "language": "sv"}]);
    assert_eq!(fetched["data"], expected, "{fetched}");
}

#[tokio::test]
async fn systems_that_are_down_say_so_in_their_own_parts_alone() {
    let setup = Setup { base_port: harness::free_ports(11), ..Setup::default() };
    let world: &'static World = Box::leak(Box::new(World::start(setup)));
    let service = world.service_named("espoo", "youth-services").await;
    let (id, _) = service.given("helsinki", MEMBERSHIP, "otso", json!({})).await;
    let (mut browser, page) = holdings(world, "otso").await;
    assert!(!page.text().contains("did not answer"), "{}", page.text());

    world.stop_city_systems();
    let page = browser.open(&format!("{}/me/data?lang=en", world.url("helsinki"))).await;
    let text = page.text();
    assert_eq!(text.matches("This register did not answer").count(), 2, "{text}");
    for answered in ["Daycare centre", "DEMO-2"] {
        assert!(text.contains(answered), "{answered}: {text}");
    }
    for part in ["profile", MEMBERSHIP] {
        assert!(page.body.contains(&format!("href=\"/me/data/{part}\"")), "no link to try {part} again");
    }
    assert!(page.body.trim_end().ends_with("</html>"), "the page is not complete");

    // Nothing is given, and nothing is counted: the one time that she allowed is still there.
    let (status, refused) = service.fetch(&id).await;
    let told = refused["type"].as_str();
    assert_eq!((status, told), (503, Some("/problems/holder-unavailable")), "{refused}");
    assert!(refused.get("data").is_none_or(Value::is_null), "{refused}");
    assert_eq!(service.show(&id).await["state"], "active");
}
