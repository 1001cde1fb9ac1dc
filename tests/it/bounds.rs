//! What services, peers, residents and guessers may not do: ask for what there is not, write without end, try secrets.

use omadata::app::{SystemClock, SystemEntropy};
use omadata::config::{Config, SecretFile};
use omadata::demo::run::Adjust;
use omadata::domain::exchange::Event;
use omadata::domain::exchange::event::ConsentGiven;
use omadata::domain::ids::{EntityId, GrantId, HeldConsentId, Jti};
use omadata::ports::{Clock, random};
use omadata::store::keys::signing_keys;
use omadata::store::keys::signing_keys::Purpose;
use omadata::store::recipient::held_consents;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::harness::browser::Browser;
use crate::harness::{self, Setup, World};

const PLACEMENT: &str = "early-education-placement";

/// Small bounds, a field that no holder has, a second secret for every city's first service, and proxies on this machine.
/// Turku is the holder, and Oulu the recipient, that little may be written to.
fn adjust_city(config: &mut Config) {
    config.node.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    config.limits.pushed_open_per_person = 2;
    let city = config.node.base_url.as_str();
    if city.contains("turku") {
        (config.limits.pushed_open, config.limits.resident_open) = (2, 2);
    }
    if city.contains("oulu") {
        (config.limits.given_per_hour, config.limits.service_open) = (2, 2);
    }
    config.limits.consent_max_days = 30;
    for declared in &mut config.uses {
        if declared.id.slug() == PLACEMENT {
            declared.optional_fields.push("income".parse().unwrap());
        }
    }
    let second = config.node.data_dir.join("secrets").join("second");
    if let Some(service) = config.services.first_mut() {
        service.next_client_secret = Some(SecretFile::new(second, true));
    }
}

fn world() -> &'static World {
    static WORLD: std::sync::OnceLock<World> = std::sync::OnceLock::new();
    WORLD.get_or_init(|| {
        let adjust = Adjust { city: Some(adjust_city), anchor: None };
        World::start(Setup { base_port: harness::free_ports(11), adjust, ..Setup::default() })
    })
}

/// A request that the holder's catalogue and its longest permission allow.
fn fitting() -> Value {
    json!({"fields": ["childName", "unit", "startDate", "endDate"], "until": soon()})
}

/// A day within the holder's longest permission.
fn soon() -> String {
    omadata::domain::clock::last_day(SystemClock.now(), 20).to_string()
}

#[tokio::test]
async fn what_the_holders_catalogue_does_not_offer_is_refused_when_it_is_asked() {
    let world = world();
    let service = world.service("helsinki").await;
    let with = |name: &str, value: Value| {
        let mut asked = fitting();
        asked[name] = value;
        asked
    };
    for (what, asked, problem, detail) in [
        ("an unknown dataset", with("dataset", json!("nothing")), "use-not-declared", "catalogue"),
        (
            "a dataset of another type than the use",
            with("dataset", json!("service-needs")),
            "use-not-declared",
            "another type",
        ),
        (
            "a field that the holder lacks",
            with("fields", json!(["childName", "unit", "startDate", "endDate", "income"])),
            "use-not-declared",
            "no field income",
        ),
        (
            "a period that ends before it begins",
            with("period", json!({"from": "2026-02-01", "to": "2026-01-01"})),
            "invalid-request",
            "ends before",
        ),
    ] {
        let (status, answer) = service.try_ask("espoo", PLACEMENT, None, asked).await;
        assert_eq!(answer["type"], format!("/problems/{problem}"), "{what}: {status} {answer}");
        assert!(answer["detail"].as_str().unwrap_or("").contains(detail), "{what}: {answer}");
    }
    let (status, answer) = service.try_ask("espoo", PLACEMENT, None, fitting()).await;
    assert_eq!(status, 201, "{answer}");
}

#[tokio::test]
async fn what_only_the_holder_knows_makes_the_request_fail_where_its_service_sees_it() {
    let world = world();
    let service = world.service("helsinki").await;
    // Longer than this holder lets any permission last: its catalogue does not say so.
    let mut asked = fitting();
    asked.as_object_mut().unwrap().remove("until");
    let asked = service.ask("espoo", PLACEMENT, None, asked).await;
    let id = asked["id"].as_str().unwrap();
    let back = Browser::new().look(asked["startUrl"].as_str().unwrap()).await.leads_to();
    assert!(
        back.query().unwrap_or("").contains("state=failed"),
        "the resident goes back to the service: {back}"
    );
    let shown = service.show(id).await;
    assert_eq!(
        (&shown["state"], &shown["reason"]),
        (&json!("failed"), &json!("invalid_authorization_details"))
    );
    assert_eq!(shown.get("startUrl"), None, "there is nothing more to start");
    let listed = service.call("GET", "/api/v1/consents?state=failed", None).await.1;
    assert!(listed["consents"].as_array().unwrap().iter().any(|one| one["id"] == id), "{listed}");
    assert_eq!(service.fetch(id).await.0, 409);
    assert_eq!(Browser::new().look(asked["startUrl"].as_str().unwrap()).await.status, 404);
}

#[tokio::test]
async fn one_person_is_not_buried_under_a_recipients_requests() {
    let world = world();
    let service = world.service("helsinki").await;
    let mut started = Vec::new();
    for _ in 0..3 {
        let asked = service.ask("espoo", PLACEMENT, Some("tuovi"), fitting()).await;
        let page = Browser::new().look(asked["startUrl"].as_str().unwrap()).await;
        started.push((page.status, asked["id"].as_str().unwrap().to_owned()));
    }
    let statuses: Vec<u16> = started.iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses, [303, 303, 429]);
    // The third one is not lost: it can be started when there is room.
    let id: HeldConsentId = started[2].1.parse().unwrap();
    let held =
        world.store("helsinki").read("test", move |store| held_consents::find(store, id)).await.unwrap();
    assert_eq!(held.status().as_str(), "requested");
    let other = service.ask("espoo", PLACEMENT, Some("elin"), fitting()).await;
    assert_eq!(Browser::new().look(other["startUrl"].as_str().unwrap()).await.status, 303, "another person");
}

#[tokio::test]
async fn a_recipient_that_has_pushed_too_much_waits_until_a_resident_decides() {
    let world = world();
    let service = world.service("helsinki").await;
    let (mut started, mut first) = (Vec::new(), None);
    for resident in ["aino", "elin", "otso"] {
        let asked = service.ask("turku", PLACEMENT, Some(resident), fitting()).await;
        let url = asked["startUrl"].as_str().unwrap().to_owned();
        let mut browser = Browser::new();
        let page = browser.look(&url).await;
        started.push((page.status, url));
        first.get_or_insert((browser, page));
    }
    let statuses: Vec<u16> = started.iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses, [303, 303, 429]);
    let (mut browser, page) = first.unwrap();
    let page = browser.open(page.leads_to().as_str()).await.log_in(&mut browser, "aino").await;
    page.decide(&mut browser, "deny", &[]).await;
    assert_eq!(Browser::new().look(&started[2].1).await.status, 303, "there is room again");
}

#[tokio::test]
async fn a_service_that_has_asked_too_much_waits_until_a_resident_decides() {
    let world = world();
    let service = world.service("oulu").await;
    let first = service.ask("espoo", PLACEMENT, Some("aino"), fitting()).await;
    service.ask("espoo", PLACEMENT, Some("elin"), fitting()).await;
    let (status, answer) = service.try_ask("espoo", PLACEMENT, Some("otso"), fitting()).await;
    assert_eq!((status, &answer["type"]), (429, &json!("/problems/too-many-requests")), "{answer}");
    let mut browser = Browser::new();
    let page = browser.open(first["startUrl"].as_str().unwrap()).await.log_in(&mut browser, "aino").await;
    page.decide(&mut browser, "deny", &[]).await;
    service.ask("espoo", PLACEMENT, Some("otso"), fitting()).await;
}

#[tokio::test]
async fn a_resident_who_has_begun_too_much_in_the_portal_decides_something_first() {
    let world = world();
    let turku = world.url("turku");
    let mut browser = Browser::new();
    let page =
        browser.open(&format!("{turku}/login?return_to=/partners")).await.log_in(&mut browser, "otso").await;
    let name = format!("{}/catalogue/uses/{PLACEMENT}", world.url("helsinki"));
    let encoded: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    let use_page = browser.open(page.link(&encoded).as_str()).await;
    let begin = use_page.form("/partners/use");
    let mut begun = Vec::new();
    for _ in 0..3 {
        begun.push(browser.submit(&use_page, &begin, &[]).await);
    }
    let statuses: Vec<u16> = begun.iter().map(|page| page.status).collect();
    assert_eq!(statuses, [200, 200, 429], "{}", begun[2].describe());
    begun[0].decide(&mut browser, "deny", &[]).await;
    let again = browser.submit(&use_page, &begin, &[]).await;
    assert_eq!(again.status, 200, "there is room again: {}", again.describe());
}

#[tokio::test]
async fn a_holder_tells_of_so_many_given_permissions_an_hour_and_of_the_rest_later() {
    let world = world();
    let (espoo, oulu) = (world.url("espoo"), world.url("oulu"));
    let (from, to) = (EntityId::new(&espoo).unwrap(), EntityId::new(&oulu).unwrap());
    let key = world
        .store("espoo")
        .read("test", |store| signing_keys::active(store, Purpose::Receipt))
        .await
        .unwrap();
    let tell = async |n: u8| {
        let given = Event::ConsentGiven(ConsentGiven {
            grant_id: GrantId::new(format!("grant-{n}")).unwrap(),
            declared_use: format!("{oulu}/catalogue/uses/{PLACEMENT}").parse().unwrap(),
            dataset: "placements".parse().unwrap(),
            fields: ["childName", "unit", "startDate", "endDate"].map(|name| name.parse().unwrap()).to_vec(),
            until: soon().parse().unwrap(),
            pre_authorized_code: format!("code-{n}"),
        });
        let jti = Jti::new(format!("given-{n}")).unwrap();
        let event = given.sign(&key, &from, &to, jti, SystemClock.now()).unwrap();
        let request = harness::client().post(format!("{oulu}/events"));
        let answer = request.header("content-type", "application/secevent+jwt").body(event).send();
        let answer = answer.await.unwrap();
        (answer.status().as_u16(), answer.headers().contains_key("retry-after"))
    };
    for n in [1, 2, 1] {
        assert_eq!(tell(n).await, (202, false), "the same news again takes no room");
    }
    assert_eq!(tell(3).await, (503, true), "the holder keeps it and comes again");
    // An hour and a second later, in microseconds.
    world.alter(
        "oulu",
        "UPDATE held_consents SET created_at = created_at - 3601000000 WHERE id = \
         (SELECT id FROM held_consents WHERE origin = 'portal' ORDER BY created_at LIMIT 1)",
    );
    assert_eq!(tell(3).await, (202, false), "there is room again");
    assert_eq!(tell(4).await, (503, true));
}

#[tokio::test]
async fn both_secrets_of_a_service_are_taken_and_a_guesser_has_to_wait() {
    let world = world();
    let config = &world.cities["turku"];
    let service = &config.services[0];
    let read = |file: &SecretFile| file.read(|| random(&SystemEntropy)).unwrap().expose_secret().to_owned();
    let (first, second) = (read(&service.client_secret), read(service.next_client_secret.as_ref().unwrap()));
    assert_ne!(first, second);
    let http = harness::client();
    let ask = async |secret: &str| {
        http.post(format!("{}/api/v1/token", world.url("turku")))
            .basic_auth(&service.id, Some(secret))
            .form(&[("grant_type", "client_credentials")])
            .send()
            .await
            .unwrap()
    };
    assert_eq!(ask(&first).await.status(), 200);
    assert_eq!(ask(&second).await.status(), 200);
    for n in 0..10 {
        assert_eq!(ask(&format!("wrong-{n}")).await.status(), 401, "{n}");
    }
    let answer = ask(&first).await;
    assert_eq!(answer.status(), 429);
    assert!(answer.headers().contains_key("retry-after"));
    // Who guesses behind the city's own proxy keeps nobody else out there, whatever it writes before the proxy's word.
    let behind = async |secret: &str, hops: &str| {
        http.post(format!("{}/api/v1/token", world.url("turku")))
            .basic_auth(&service.id, Some(secret))
            .header("x-forwarded-for", hops)
            .form(&[("grant_type", "client_credentials")])
            .send()
            .await
            .unwrap()
            .status()
    };
    for n in 0..10 {
        assert_eq!(behind("wrong", &format!("198.51.100.{n}, 203.0.113.9")).await, 401, "{n}");
    }
    assert_eq!(behind(&first, "203.0.113.9").await, 429);
    assert_eq!(behind(&first, "203.0.113.10").await, 200);
}

#[tokio::test]
async fn a_status_list_of_the_past_is_not_offered() {
    let world = world();
    let list = format!("{}/oauth/status-lists/0", world.url("espoo"));
    let status = async |query: &str| {
        harness::client().get(format!("{list}{query}")).send().await.unwrap().status().as_u16()
    };
    assert_eq!(status("?time=1686925000").await, 501);
    assert_ne!(status("?other=1").await, 501);
}
