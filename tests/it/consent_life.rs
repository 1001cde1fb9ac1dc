//! The consent's whole life as people and services meet it: paused and resumed, replaced and extended, given back, refused
//! for good.

use omadata::app::SystemClock;
use omadata::domain::consent::Consent;
use omadata::domain::ids::ConsentId;
use omadata::ports::Clock;
use omadata::store::holder::deletion_confirmations;
use omadata::store::holder::{consents, exchanges};
use omadata::store::messaging::outbox;
use omadata::store::messaging::outbox::NewItem;
use serde_json::{Value, json};

use crate::harness::browser::{Browser, Page};
use crate::harness::{Service, World, eventually};

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
    let changes = world.store(city).read("test", move |store| consents::history(store, id)).await.unwrap();
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
    let (id, mut browser) = for_several(&service, "espoo", "otso", 3).await;
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

#[tokio::test]
async fn elin_lets_a_new_permission_take_the_place_of_the_old_one() {
    let world = World::shared();
    let service = world.service("helsinki").await;
    let (old, mut browser) = for_several(&service, "espoo", "elin", 3).await;
    assert_eq!(service.fetch(&old).await.0, 200);
    let old_id = world.consent("helsinki", "espoo", &old).await;
    let ask = json!({"times": 5, "replaces": old});
    let start = |asked: &Value| asked["startUrl"].as_str().unwrap().to_owned();

    // She does not want it: what she has stays as it is.
    let refused = service.ask("espoo", PLACEMENT, Some("elin"), ask.clone()).await;
    let page = browser.open(&start(&refused)).await;
    let text = page.text();
    assert!(
        text.contains("What would change") && text.contains("Now: 3.") && text.contains("5 at most"),
        "{text}"
    );
    page.decide(&mut browser, "deny", &[]).await;
    assert_eq!(service.show(&old).await["state"], "active");
    page.let_them_ask(&mut browser).await;

    // Another resident cannot answer for her.
    let again = service.ask("espoo", PLACEMENT, None, ask.clone()).await;
    assert_eq!(again["replaces"], json!(old));
    let mut aino = Browser::new();
    let foreign = aino.open(&start(&again)).await.log_in(&mut aino, "aino").await;
    assert_eq!(foreign.status, 404, "{}", foreign.describe());

    let asked = service.ask("espoo", PLACEMENT, Some("elin"), ask).await;
    let page = browser.open(&start(&asked)).await;
    let changes = [("duration", Some("until")), ("times", Some("5"))];
    let end = page.decide(&mut browser, "allow", &changes).await;
    assert!(end.url.query().unwrap_or("").contains("state=active"), "{}", end.describe());
    let new = asked["id"].as_str().unwrap();
    let shown = service.show(&old).await;
    assert_eq!((shown["state"].as_str(), shown["reason"].as_str()), (Some("ended"), Some("replaced")));
    assert_eq!(service.fetch(&old).await.0, 409);
    assert_eq!(service.fetch(new).await.0, 200);

    // Linked both ways, under one grant.
    let new_id = world.consent("helsinki", "espoo", new).await;
    let both = world
        .store("espoo")
        .read("test", move |store| {
            Ok::<_, omadata::store::StoreError>((
                consents::find(store, old_id)?,
                consents::find(store, new_id)?,
            ))
        })
        .await
        .unwrap();
    assert_eq!((both.0.replaced_by, both.1.replaces), (Some(new_id), Some(old_id)));
    assert_eq!(both.0.grant_id, both.1.grant_id);
    assert_eq!(both.0.state.as_str(), "replaced");
    the_deletion_of_each_is_confirmed_by_itself(world, &service, (&old, old_id), (new, new_id)).await;
    a_late_return_of_the_old_one_does_not_end_the_new_one(world, &both.0, new_id).await;
    // The news of the old one does not touch the new one, in whatever order it comes.
    press(&mut browser, &format!("{}/me/sharing/{new_id}", world.url("espoo")), "pause").await;
    in_state(&service, new, "suspended").await;
    press(&mut browser, &format!("{}/me/sharing/{new_id}", world.url("espoo")), "resume").await;
    in_state(&service, new, "active").await;
    // What is over cannot be replaced again.
    let (status, problem) = service
        .call(
            "POST",
            "/api/v1/consent-requests",
            Some(&json!({
                "holder": world.url("espoo"), "dataset": world.dataset("espoo", "early-education-placements"),
                "use": PLACEMENT, "returnUrl": "http://service.localhost:8410/back", "replaces": old,
            })),
        )
        .await;
    assert!((400..500).contains(&status), "{status} {problem}");
}

/// The recipient gave the old consent back, and the holder hears of it when another has its grant.
async fn a_late_return_of_the_old_one_does_not_end_the_new_one(world: &World, old: &Consent, new: ConsentId) {
    let item = NewItem {
        kind: "give-back",
        destination: old.terms.holder.clone(),
        subject: "late".to_owned(),
        order_key: "held:late".to_owned(),
        dedup_key: "give-back:late".to_owned(),
        payload: json!({"grant_id": old.grant_id, "commitment": old.commitment}).to_string(),
        next_at: SystemClock.now(),
    };
    world.store("helsinki").write("test", move |tx| outbox::push(tx, &item, item.next_at)).await.unwrap();
    eventually("it was delivered", || async {
        let deliveries =
            world.store("helsinki").read("test", |store| outbox::deliveries(store, "late")).await.unwrap();
        deliveries.iter().all(|delivery| delivery.delivered_at.is_some()).then_some(())
    })
    .await;
    assert_eq!(history(world, "espoo", new).await, [line("active", "resident", "decided")]);
}

/// Two consents of one grant: what was fetched under each is deleted, and confirmed, by itself.
async fn the_deletion_of_each_is_confirmed_by_itself(
    world: &World,
    service: &Service,
    old: (&str, ConsentId),
    new: (&str, ConsentId),
) {
    let confirmed = |id: ConsentId| async move {
        world
            .store("espoo")
            .read("test", move |store| deletion_confirmations::list(store, id))
            .await
            .unwrap()
            .len()
    };
    assert_eq!((confirmed(old.1).await, confirmed(new.1).await), (0, 0));
    for (held, consent, then) in [(old.0, old.1, (1, 0)), (new.0, new.1, (1, 1))] {
        let path = format!("/api/v1/consents/{held}/deletion");
        let (status, said) = service.call("POST", &path, None).await;
        assert_eq!((status, said["state"].as_str()), (200, Some("confirmed")), "{said}");
        eventually("the confirmation at the holder", || async move {
            (confirmed(consent).await > 0).then_some(())
        })
        .await;
        assert_eq!((confirmed(old.1).await, confirmed(new.1).await), then);
    }
}

#[tokio::test]
async fn a_permission_is_extended_by_what_it_lacks() {
    let world = World::shared();
    let service = world.service("helsinki").await;
    let required = json!(["unit", "startDate", "endDate", "childName"]);
    let asked = service.ask("turku", PLACEMENT, Some("elin"), json!({"fields": required})).await;
    let mut browser = Browser::new();
    let page = browser.open(asked["startUrl"].as_str().unwrap()).await.log_in(&mut browser, "elin").await;
    page.decide(&mut browser, "allow", &[]).await;
    let old = asked["id"].as_str().unwrap();
    assert_eq!(service.show(old).await["state"], "active");

    // Only what is new is asked; what is allowed already comes with it.
    let more =
        json!({"fields": ["unit", "startDate", "endDate", "childName", "type"], "times": 4, "extends": old});
    let asked = service.ask("turku", PLACEMENT, Some("elin"), more).await;
    assert_eq!(asked["extends"], json!(old));
    let page = browser.open(asked["startUrl"].as_str().unwrap()).await;
    assert!(page.text().contains("would add to it"), "{}", page.text());
    let changes = [("field", Some("type")), ("duration", Some("until")), ("times", Some("4"))];
    let end = page.decide(&mut browser, "allow", &changes).await;
    assert!(end.url.query().unwrap_or("").contains("state=active"), "{}", end.describe());
    let new = asked["id"].as_str().unwrap();
    let (status, fetched) = service.fetch(new).await;
    assert_eq!(status, 200, "{fetched}");
    assert!(fetched["data"][0].get("type").is_some(), "{fetched}");
    assert_eq!(service.show(old).await["reason"], "replaced");
    // The same dataset and use, or it is no extension.
    let (status, _) = service
        .call(
            "POST",
            "/api/v1/consent-requests",
            Some(&json!({
                "holder": world.url("espoo"), "dataset": world.dataset("espoo", "early-education-placements"),
                "use": PLACEMENT, "returnUrl": "http://service.localhost:8410/back", "extends": new,
            })),
        )
        .await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn a_permission_by_the_month_is_full_for_a_while_at_both_ends() {
    let world = World::shared();
    let service = world.service("helsinki").await;
    let slug = "early-education-service-need";
    let asked = service.ask("espoo", slug, Some("aino"), json!({"times": 3, "per": "P30D"})).await;
    let mut browser = Browser::new();
    let page = browser.open(asked["startUrl"].as_str().unwrap()).await.log_in(&mut browser, "aino").await;
    assert!(page.text().contains("in any 30 days"), "{}", page.text());
    // Fewer than asked, and kept for a shorter time.
    let changes = [("duration", Some("until")), ("times", Some("2")), ("retention", Some("P1M"))];
    let end = page.decide(&mut browser, "allow", &changes).await;
    assert!(end.url.query().unwrap_or("").contains("state=active"), "{}", end.describe());
    let id = asked["id"].as_str().unwrap();
    let shown = service.show(id).await;
    assert_eq!(
        (&shown["times"], &shown["per"], &shown["retention"]),
        (&json!(2), &json!("P30D"), &json!("P1M"))
    );
    for _ in 0..2 {
        assert_eq!(service.fetch(id).await.0, 200);
    }
    let (status, problem) = service.fetch(id).await;
    assert_eq!((status, problem["type"].as_str()), (429, Some("/problems/too-many-requests")), "{problem}");
    assert_eq!(service.show(id).await["state"], "active", "it is not used up");
    // Another permission in its place does not begin the stretch anew, at either end: two were made, three are allowed.
    let asked =
        service.ask("espoo", slug, Some("aino"), json!({"times": 3, "per": "P30D", "replaces": id})).await;
    let page = browser.open(asked["startUrl"].as_str().unwrap()).await;
    page.decide(&mut browser, "allow", &[("duration", Some("until")), ("times", Some("3"))]).await;
    let (old, id) = (id, asked["id"].as_str().unwrap());
    assert_eq!(service.show(old).await["reason"], "replaced");
    assert_eq!(service.fetch(id).await.0, 200, "the third in thirty days");
    assert_eq!(service.fetch(id).await.0, 429, "and the last");
    let consent = world.consent("helsinki", "espoo", id).await;
    let made = world
        .store("espoo")
        .read("test", move |store| exchanges::of_consent(store, consent, 9))
        .await
        .unwrap();
    assert_eq!(made.len(), 1);
    // Beyond the use: more, or in a shorter time.
    for more in
        [json!({"times": 6, "per": "P30D"}), json!({"times": 1, "per": "P1D"}), json!({"retention": "P2Y"})]
    {
        let mut body = json!({
            "holder": world.url("espoo"), "dataset": world.dataset("espoo", "early-education-service-needs"),
            "use": slug, "returnUrl": "http://service.localhost:8410/back",
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert!(
            (400..500).contains(&service.call("POST", "/api/v1/consent-requests", Some(&body)).await.0),
            "{more}"
        );
    }
}

#[tokio::test]
async fn aino_lets_them_see_one_year_only() {
    let world = World::shared();
    let service = world.service("helsinki").await;
    let asked = service.ask("espoo", PLACEMENT, Some("aino"), json!({})).await;
    let mut browser = Browser::new();
    let page = browser.open(asked["startUrl"].as_str().unwrap()).await.log_in(&mut browser, "aino").await;
    if !page.body.contains("name=\"reach_from\"") {
        panic!("placements carry dates: {}", page.describe());
    }
    // A time that ends before it begins is none.
    let reversed = [("reach_from", Some("1990-12-31")), ("reach_to", Some("1990-01-01"))];
    let refused = page.decide(&mut browser, "allow", &reversed).await;
    assert_eq!(refused.status, 400, "{}", refused.describe());
    let changes = [("reach_from", Some("1990-01-01")), ("reach_to", Some("1990-12-31"))];
    let end = page.decide(&mut browser, "allow", &changes).await;
    assert!(end.url.query().unwrap_or("").contains("state=active"), "{}", end.describe());
    let id = asked["id"].as_str().unwrap();
    assert_eq!(service.show(id).await["period"], json!({"from": "1990-01-01", "to": "1990-12-31"}));
    let (status, fetched) = service.fetch(id).await;
    assert_eq!((status, &fetched["data"]), (200, &json!([])), "nothing of hers is that old");
}

#[tokio::test]
async fn a_no_to_one_case_leaves_the_one_that_is_open_to_decide_and_a_yes_lifts_it() {
    let world = World::shared();
    let service = world.service("helsinki").await;
    let (mut phone, mut browser) = (Browser::new(), Browser::new());
    let (one, other) = (
        service.ask("oulu", PLACEMENT, Some("aino"), json!({})).await,
        service.ask("oulu", PLACEMENT, Some("aino"), json!({})).await,
    );
    let first = phone.open(one["startUrl"].as_str().unwrap()).await.log_in(&mut phone, "aino").await;
    let second = browser.open(other["startUrl"].as_str().unwrap()).await.log_in(&mut browser, "aino").await;
    let end = first.decide(&mut phone, "deny", &[]).await;
    assert!(end.url.query().unwrap().contains("state=declined"), "{}", end.url);
    // What comes now is answered for her; what she has before her is hers to decide, also after a look at it.
    let later = service.ask("oulu", PLACEMENT, Some("aino"), json!({})).await;
    let end = phone.open(later["startUrl"].as_str().unwrap()).await;
    assert!(end.url.query().unwrap().contains("state=declined"), "{}", end.url);
    let second = browser.open(second.url.as_str()).await;
    let end = second.decide(&mut browser, "allow", &[]).await;
    assert!(end.url.query().unwrap().contains("state=active"), "{}", end.describe());
    // She has thought better of it.
    let again = service.ask("oulu", PLACEMENT, Some("aino"), json!({})).await;
    let page = browser.open(again["startUrl"].as_str().unwrap()).await;
    assert!(page.body.contains("name=\"decision\""), "{}", page.describe());

    // Wherever she is, also on a page that tells that there is none, she can log out.
    let lost = browser.open(&format!("{}/me/sharing/AAAAAAAAAAAAAAAAAAAAAA", world.url("oulu"))).await;
    assert_eq!(lost.status, 404);
    let out = browser.submit(&lost, &lost.form("/logout"), &[]).await;
    assert!(out.text().contains("You are logged out"), "{}", out.describe());
}

#[tokio::test]
async fn otso_refuses_for_good_and_only_he_sees_why() {
    let world = World::shared();
    let service = world.service("helsinki").await;
    let asked = service.ask("turku", PLACEMENT, Some("otso"), json!({})).await;
    let mut browser = Browser::new();
    let page = browser.open(asked["startUrl"].as_str().unwrap()).await.log_in(&mut browser, "otso").await;
    let end = page.decide(&mut browser, "deny", &[("never", Some("use"))]).await;
    assert!(end.url.query().unwrap().contains("state=declined"), "{}", end.url);

    // The next one is answered before he sees it; its service learns no more than of any other no.
    let next = service.ask("turku", PLACEMENT, Some("otso"), json!({})).await;
    let visited = browser.visited.len();
    let end = browser.open(next["startUrl"].as_str().unwrap()).await;
    assert!(end.url.query().unwrap().contains("state=declined"), "{}", end.url);
    let answers = |urls: &[url::Url]| {
        let back = urls.iter().rfind(|url| url.path() == "/oauth/callback").unwrap();
        let mut pairs: Vec<_> = back.query_pairs().into_owned().collect();
        pairs.retain(|(name, _)| name != "state");
        pairs
    };
    let (plain, denied) = (answers(&browser.visited[..visited]), answers(&browser.visited[visited..]));
    assert_eq!(plain, denied);
    let (first, second) = (asked["id"].as_str().unwrap(), next["id"].as_str().unwrap());
    for shown in [service.show(first).await, service.show(second).await] {
        assert_eq!((shown["state"].as_str(), shown.get("reason")), (Some("declined"), None));
    }
    let base = world.url("turku");
    let log = browser.open(&format!("{base}/me/log")).await.text();
    assert_eq!(log.matches("You have refused it.").count(), 1, "{log}");
    // A receipt for each no, the one that he pressed and the one that was given for him.
    let receipts = browser.open(&format!("{base}/me/receipts")).await.text();
    assert_eq!(receipts.matches("You did not give the permission").count(), 2, "{receipts}");

    // Taken away again, he is asked again. Another resident cannot take it away.
    let denials = browser.open(&format!("{base}/me/denials")).await;
    let form = denials.form("/me/denials/");
    let mut elin = Browser::new();
    let hers = elin.open(&format!("{base}/login?return_to=/me")).await.log_in(&mut elin, "elin").await;
    let word = hers.form("/logout").fields.iter().find(|(name, _)| name == "csrf").unwrap().1.clone();
    elin.submit(&denials, &form, &[("csrf", Some(word.as_str()))]).await;
    assert!(browser.open(&format!("{base}/me/denials")).await.body.contains("/remove"), "it still stands");
    let removed = browser.submit(&denials, &form, &[]).await;
    assert!(removed.text().contains("You have refused nothing"), "{}", removed.text());
    let third = service.ask("turku", PLACEMENT, Some("otso"), json!({})).await;
    let page = browser.open(third["startUrl"].as_str().unwrap()).await;
    assert!(page.body.contains("name=\"decision\""), "{}", page.describe());

    // All that a city asks, from the page of one of its uses; and what he begins himself is not refused.
    let name = format!("{}/catalogue/uses/{PLACEMENT}", world.url("helsinki"));
    let encoded: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    let use_page = browser.open(&format!("{base}/partners/use?id={encoded}")).await;
    let form = use_page.form("/me/denials");
    let city = [("kind", Some("partner")), ("target", Some(world.cities["helsinki"].node.base_url.as_str()))];
    let added = browser.submit(&use_page, &form, &city).await;
    assert!(added.text().contains("Everything that this city asks for"), "{}", added.text());
    let end = browser.open(third["startUrl"].as_str().unwrap()).await;
    assert!(end.url.query().unwrap_or("").contains("state=declined"), "{}", end.url);
    let own = browser.submit(&use_page, &use_page.form("/partners/use"), &[]).await;
    assert!(own.body.contains("name=\"decision\""), "{}", own.describe());
}
