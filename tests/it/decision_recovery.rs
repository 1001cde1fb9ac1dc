//! A resident's work survives what comes between: other tabs, mistakes, a session that ends, a request that comes back.

use serde_json::json;

use crate::harness::World;
use crate::harness::browser::{Browser, Page};

const PLACEMENT: &str = "early-education-placement";

const NOTHING_SENT: &str = "None of your data was sent";

fn optional_field(page: &Page) -> String {
    let start = page.body.find("type=\"checkbox\"").expect("an optional field");
    let value = page.body[start..].split("value=\"").nth(1).unwrap();
    value.split('"').next().unwrap().to_owned()
}

fn is_checked(page: &Page, field: &str) -> bool {
    let tags = page.body.split('<').filter(|tag| tag.starts_with("input") && tag.contains("checkbox"));
    tags.filter(|tag| tag.contains(&format!("value=\"{field}\""))).any(|tag| tag.contains(" checked"))
}

/// Opens an address as Aino; a login that is live at the provider asks nothing.
async fn logged_in(browser: &mut Browser, url: &str) -> Page {
    let page = browser.open(url).await;
    if page.body.contains("action=\"/login/") { page.log_in(browser, "aino").await } else { page }
}

async fn offered(world: &'static World, resident: &str, times: u32) -> (String, Browser, Page) {
    let service = world.service("helsinki").await;
    let asked = service.ask("espoo", PLACEMENT, Some(resident), json!({"times": times})).await;
    let mut browser = Browser::new();
    let page = browser.open(asked["startUrl"].as_str().unwrap()).await;
    let page = page.log_in(&mut browser, resident).await;
    assert!(page.body.contains("name=\"decision\""), "{}", page.describe());
    (asked["id"].as_str().unwrap().to_owned(), browser, page)
}

#[tokio::test]
async fn two_requests_in_two_tabs_come_back_each_to_its_own() {
    let world = World::shared();
    let service = world.service("helsinki").await;
    let (first, mut browser, first_page) = offered(world, "aino", 1).await;
    let asked = service.ask("espoo", PLACEMENT, Some("aino"), json!({})).await;
    let second_page = browser.open(asked["startUrl"].as_str().unwrap()).await;
    let second = asked["id"].as_str().unwrap();
    for (page, id) in [(first_page, first.as_str()), (second_page, second)] {
        let end = page.decide(&mut browser, "allow", &[]).await;
        assert!(end.url.query().unwrap_or_default().contains(&format!("consent={id}")), "{}", end.describe());
        assert_eq!(service.show(id).await["state"], "active");
    }
}

#[tokio::test]
async fn two_logins_in_two_tabs_both_succeed() {
    let base = World::shared().url("espoo");
    let mut browser = Browser::new();
    let first = browser.open(&format!("{base}/login?return_to=/me")).await;
    let second = browser.open(&format!("{base}/login?return_to=/me/log")).await;
    let first = first.log_in(&mut browser, "otso").await;
    assert_eq!((first.status, first.url.path()), (200, "/me"), "{}", first.describe());
    let second = second.log_in(&mut browser, "otso").await;
    assert_eq!((second.status, second.url.path()), (200, "/me/log"), "{}", second.describe());
}

#[tokio::test]
async fn a_bad_date_keeps_every_choice_and_says_what_to_correct() {
    let (_, mut browser, page) = offered(World::shared(), "aino", 3).await;
    let field = optional_field(&page);
    let wrong = [
        ("field", Some(field.as_str())),
        ("duration", Some("until")),
        ("until", Some("sometime")),
        ("times", Some("99")),
    ];
    let shown = page.decide(&mut browser, "allow", &wrong).await;
    assert_eq!(shown.status, 400, "{}", shown.describe());
    assert!(shown.body.contains("<title>Error: ") && shown.body.contains("role=\"alert\""));
    for id in ["until", "times"] {
        assert!(shown.body.contains(&format!("href=\"#{id}\"")), "no link to {id}");
        assert!(shown.body.contains(&format!("aria-describedby=\"{id}-error\"")), "no message at {id}");
    }
    assert!(is_checked(&shown, &field), "the ticked field is lost");
    assert!(shown.body.contains("value=\"99\""), "what was written is lost");
    // Another look at the page, in another language say, has it all the same.
    let again = browser.open(&format!("{}?lang=sv", shown.url)).await;
    assert!(is_checked(&again, &field), "{}", again.describe());
    // Corrected, it is decided.
    let end = again.decide(&mut browser, "allow", &[("duration", Some("once"))]).await;
    assert!(end.url.query().unwrap_or_default().contains("state=active"), "{}", end.describe());
}

#[tokio::test]
async fn one_date_alone_leaves_the_other_end_open() {
    let (_, mut browser, page) = offered(World::shared(), "aino", 1).await;
    if !page.body.contains("name=\"reach_from\"") {
        panic!("the placement can be limited in time: {}", page.describe());
    }
    let end =
        page.decide(&mut browser, "allow", &[("reach_from", Some("1.8.2025")), ("reach_to", Some(""))]).await;
    assert!(end.url.query().unwrap_or_default().contains("state=active"), "{}", end.describe());
}

#[tokio::test]
async fn a_reversed_time_is_said_at_its_field() {
    let (_, mut browser, page) = offered(World::shared(), "aino", 1).await;
    let reversed = [("reach_from", Some("2027-01-01")), ("reach_to", Some("2026-01-01"))];
    let shown = page.decide(&mut browser, "allow", &reversed).await;
    assert_eq!(shown.status, 400);
    assert!(shown.body.contains("id=\"reach-to-error\""), "{}", shown.describe());
}

#[tokio::test]
async fn choices_come_back_after_a_session_that_ended() {
    let (_, mut browser, page) = offered(World::shared(), "aino", 1).await;
    let field = optional_field(&page);
    let host = page.url.host_str().unwrap().to_owned();
    browser.cookies.get_mut(&host).unwrap().remove("omadata");
    let ended = page.decide(&mut browser, "allow", &[("field", Some(field.as_str()))]).await;
    assert_eq!(ended.status, 401, "{}", ended.describe());
    assert!(ended.text().contains("What you chose is kept"), "{}", ended.text());
    let back = logged_in(&mut browser, ended.link("/login").as_str()).await;
    assert_eq!(back.url.path(), page.url.path(), "{}", back.describe());
    assert!(is_checked(&back, &field), "the choice is lost");
    let end = back.decide(&mut browser, "allow", &[("field", Some(field.as_str()))]).await;
    assert!(end.url.query().unwrap_or_default().contains("state=active"), "{}", end.describe());
}

#[tokio::test]
async fn choices_that_another_site_sends_are_not_kept() {
    let (_, mut browser, page) = offered(World::shared(), "aino", 1).await;
    let field = optional_field(&page);
    let host = page.url.host_str().unwrap().to_owned();
    for headers in [vec![], vec![("origin", "https://evil.example")], vec![("sec-fetch-site", "cross-site")]]
    {
        browser.cookies.get_mut(&host).unwrap().remove("omadata");
        let changes = [("field", Some(field.as_str())), ("decision", Some("allow"))];
        let answer = browser.submit_from(&page.form("/consent/"), &changes, &headers).await;
        assert_eq!(answer.status, 401);
        let back = logged_in(&mut browser, page.url.as_str()).await;
        assert!(!is_checked(&back, &field), "{headers:?}");
    }
}

#[tokio::test]
async fn what_was_decided_before_is_told_as_it_is() {
    let world = World::shared();
    let service = world.service("helsinki").await;
    let (id, mut browser, page) = offered(world, "aino", 1).await;
    let end = page.decide(&mut browser, "allow", &[]).await;
    assert!(end.url.query().unwrap_or_default().contains("state=active"), "{}", end.describe());
    assert_eq!(service.fetch(&id).await.0, 200);
    let again = browser.open(page.url.as_str()).await;
    assert_eq!(again.status, 409, "{}", again.describe());
    let text = again.text();
    assert!(text.contains("You have already decided this") && text.contains("You gave this permission on"));
    assert!(!text.contains(NOTHING_SENT), "{text}");
    let permission = again.link("/me/sharing/");
    // The permission was for once, and that was it.
    let stop = browser.open(&format!("{permission}/stop")).await;
    assert_eq!(stop.status, 409, "{}", stop.describe());
    assert!(!stop.text().contains(NOTHING_SENT), "{}", stop.text());
    assert_eq!(stop.link("/me/sharing/").path(), permission.path());
}
