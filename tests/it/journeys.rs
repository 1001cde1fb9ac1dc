//! The stories of the people whom the product is for, from their own side: a resident's browser, a city's service.

use diesel::Connection;
use diesel::connection::SimpleConnection;
use omadata::app::{self, SystemClock};
use omadata::config::DatabaseUrl;
use omadata::domain::consent::Reason;
use omadata::domain::exchange::Event;
use omadata::domain::exchange::event::{ConsentEvent, DataDeleted};
use omadata::domain::ids::{ConsentId, EntityId, ExchangeId, Jti};
use omadata::domain::token::status_list::{self, TokenStatus};
use omadata::node::KeyPurpose;
use omadata::operator;
use omadata::ports::Clock;
use omadata::store::holder::deletion_confirmations;
use omadata::store::holder::{consent_requests, consents, exchanges};
use omadata::store::keys::signing_keys;
use omadata::store::keys::signing_keys::Purpose;
use omadata::store::recipient::pending_events;
use serde_json::{Value, json};

use crate::harness::browser::Browser;
use crate::harness::{self, World, eventually};

const PLACEMENT: &str = "early-education-placement";

/// A second process of a city, over the same store, at another port of this machine.
async fn second_process(world: &World, city: &str) -> (app::Running, u16) {
    let mut config = world.cities[city].clone();
    let port = harness::free_ports(1);
    config.node.listen = ([127, 0, 0, 1], port).into();
    (app::start_node(&config).await.unwrap(), port)
}

#[tokio::test]
async fn aino_lets_helsinki_fetch_from_espoo_watches_and_stops_it() {
    let world = World::shared();
    let service = world.service("helsinki").await;
    let asked =
        service.ask("espoo", PLACEMENT, Some("aino"), json!({"times": 3, "caseReference": "A-1"})).await;
    let id = asked["id"].as_str().unwrap();
    assert_eq!((asked["state"].as_str(), asked["caseReference"].as_str()), (Some("requested"), Some("A-1")));
    assert_eq!(service.fetch(id).await.0, 409, "nothing can be fetched before the decision");

    // She logs in and reads what it is about, with her own values.
    let mut browser = Browser::new();
    let page = browser.open(asked["startUrl"].as_str().unwrap()).await.log_in(&mut browser, "aino").await;
    assert_eq!(page.status, 200, "{}", page.describe());
    assert_eq!(page.url.host_str(), Some("espoo.localhost"));
    let text = page.text();
    for shown in ["Helsinki", "Lumi", "Onni", "care goes on without a break"] {
        assert!(text.contains(shown), "the consent page does not show {shown}");
    }
    assert!(!page.body.contains("checkbox\" checked"), "an optional field is ticked beforehand");
    // She allows three times, with one optional field of three.
    let until = page.form("/consent/").fields.iter().any(|(name, _)| name == "duration");
    assert!(until);
    let last = page.body.split("id=\"until\" name=\"until\" value=\"").nth(1).unwrap();
    let last = last.split('"').next().unwrap().to_owned();
    let changes = [
        ("field", Some("type")),
        ("duration", Some("until")),
        ("until", Some(last.as_str())),
        ("times", Some("3")),
    ];
    let end = page.decide(&mut browser, "allow", &changes).await;
    assert_eq!(end.url.host_str(), Some("service.localhost"), "{}", end.describe());
    assert!(end.url.query().unwrap().contains("state=active"));
    let national = world.identifier("aino");
    assert!(
        browser.visited.iter().all(|url| !url.as_str().contains(national)),
        "an identifier in an address"
    );

    // The service fetches what she allowed and nothing else.
    let shown = service.show(id).await;
    assert_eq!(shown["state"], "active");
    let fields: Vec<&str> = shown["fields"].as_array().unwrap().iter().map(|f| f.as_str().unwrap()).collect();
    assert!(fields.contains(&"type") && !fields.contains(&"placeGuarantee"), "{fields:?}");
    let (status, fetched) = service.fetch(id).await;
    assert_eq!(status, 200, "{fetched}");
    let records = fetched["data"].as_array().unwrap();
    assert!(!records.is_empty());
    for record in records {
        assert!(record.as_object().unwrap().keys().all(|name| fields.contains(&name.as_str())));
    }
    assert!(records.iter().any(|record| record["childName"] == "Onni"));
    assert_eq!(fetched["receiptJws"].as_str().unwrap().split('.').count(), 3);
    assert_eq!(fetched["receipt"]["records"], records.len());

    // Helsinki's signature on what it got arrives in Espoo.
    let exchange: ExchangeId = fetched["receipt"]["jti"].as_str().unwrap().parse().unwrap();
    let store = world.store("espoo");
    let known = eventually("the acknowledgement at the holder", || {
        let store = store.clone();
        async move {
            let known = store.read("test", move |store| exchanges::find(store, exchange)).await.unwrap();
            known.acknowledged_at.is_some().then_some(known)
        }
    })
    .await;
    assert_eq!(known.receipt, fetched["receiptJws"].as_str().unwrap());

    // She sees it in her log and stops it.
    let log = browser.open(&format!("{}/me/log", world.url("espoo"))).await;
    assert!(log.text().contains("Helsinki"), "{}", log.describe());
    let consent = world.consent("helsinki", "espoo", id).await;
    let sharing = format!("{}/me/sharing/{consent}", world.url("espoo"));
    let stop = browser.open(&format!("{sharing}/stop")).await;
    let stopped = browser.submit(&stop, &stop.form("/me/sharing/"), &[]).await;
    assert_eq!(stopped.status, 200, "{}", stopped.describe());
    let (status, refused) = service.fetch(id).await;
    assert!(status == 409 || status == 403 || status == 410 || status == 502, "{status} {refused}");
    assert!(refused.get("data").is_none());
    // Helsinki's service learns why.
    let told = eventually("the event at the recipient", || async {
        let shown = service.show(id).await;
        (shown["reason"] == "taken_back" || shown["state"] != "active").then_some(shown)
    })
    .await;
    assert_ne!(told["state"], "active");
    let confirmed = eventually("the confirmation on the page", || {
        let (sharing, cookies) = (sharing.clone(), browser.cookies.clone());
        async move {
            let mut again = Browser::new();
            again.cookies = cookies;
            let page = again.open(&sharing).await;
            page.text().contains("confirmed").then_some(page)
        }
    })
    .await;
    assert_eq!(confirmed.status, 200);
    // The evidence of her decision stands for itself.
    operator::consents::verify_consent(&world.cities["espoo"], consent).await.unwrap();
}

#[tokio::test]
async fn elin_says_no_and_the_service_learns_just_that() {
    let world = World::shared();
    let service = world.service("helsinki").await;
    let asked = service.ask("espoo", PLACEMENT, Some("elin"), json!({})).await;
    let mut browser = Browser::new();
    let page = browser.open(asked["startUrl"].as_str().unwrap()).await.log_in(&mut browser, "elin").await;
    let end = page.decide(&mut browser, "deny", &[]).await;
    assert!(end.url.query().unwrap().contains("state=declined"), "{}", end.url);
    let id = asked["id"].as_str().unwrap();
    let shown = service.show(id).await;
    assert_eq!((shown["state"].as_str(), shown.get("reason")), (Some("declined"), None));
    assert_ne!(service.fetch(id).await.0, 200);

    // Asked for the same again, she is not disturbed, and the service hears no more than a no.
    let again = service.ask("espoo", PLACEMENT, None, json!({})).await;
    let end = browser.open(again["startUrl"].as_str().unwrap()).await;
    assert!(end.url.query().unwrap().contains("state=declined"), "{}", end.url);
    assert_eq!(service.show(again["id"].as_str().unwrap()).await.get("reason"), None);
    let base = world.url("espoo");
    let refused = browser.open(&format!("{base}/me/denials")).await;
    assert!(refused.text().contains("This use") && refused.text().contains("Until"), "{}", refused.text());
    // For another use she is asked; and what she begins herself is not refused.
    let other = service.ask("espoo", "early-education-service-need", Some("elin"), json!({})).await;
    let page = browser.open(other["startUrl"].as_str().unwrap()).await;
    assert!(page.body.contains("name=\"decision\""), "{}", page.describe());
    let name = format!("{}/catalogue/uses/{PLACEMENT}", world.url("helsinki"));
    let encoded: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    let use_page = browser.open(&format!("{base}/partners/use?id={encoded}")).await;
    let own = browser.submit(&use_page, &use_page.form("/partners/use"), &[]).await;
    assert!(own.body.contains("name=\"decision\""), "{}", own.describe());
    // Or let the service ask again.
    refused.let_them_ask(&mut browser).await;
    let third = service.ask("espoo", PLACEMENT, Some("elin"), json!({})).await;
    let page = browser.open(third["startUrl"].as_str().unwrap()).await;
    assert!(page.body.contains("name=\"decision\""), "{}", page.describe());
}

#[tokio::test]
async fn mikael_cannot_answer_for_aino() {
    let world = World::shared();
    let service = world.service("helsinki").await;
    let asked = service.ask("espoo", PLACEMENT, Some("aino"), json!({})).await;
    let mut browser = Browser::new();
    let page = browser.open(asked["startUrl"].as_str().unwrap()).await.log_in(&mut browser, "mikael").await;
    assert!(!page.body.contains("name=\"decision\""), "the wrong person can decide");
    for private in ["Aino", "Onni", "Axel"] {
        assert!(!page.text().contains(private), "the wrong person sees {private}");
    }
    assert_eq!(service.show(asked["id"].as_str().unwrap()).await["state"], "requested");
}

#[tokio::test]
async fn a_request_belongs_to_whom_opened_it_and_its_uri_works_once() {
    let world = World::shared();
    let service = world.service("turku").await;
    let asked = service.ask("espoo", PLACEMENT, None, json!({})).await;
    let mut otso = Browser::new();
    let page = otso.open(asked["startUrl"].as_str().unwrap()).await.log_in(&mut otso, "otso").await;
    assert_eq!(page.status, 200, "{}", page.describe());
    let mut elin = Browser::new();
    let other = elin.open(page.url.as_str()).await.log_in(&mut elin, "elin").await;
    assert_eq!(other.status, 404, "{}", other.describe());
    assert!(!other.text().contains("Otso"));
    // The same decision from another resident's browser, with that browser's own form word.
    let sharing = elin.open(&format!("{}/me", world.url("espoo"))).await;
    let word = sharing.form("/logout").fields.iter().find(|(name, _)| name == "csrf").unwrap().1.clone();
    let stolen = page.form("/consent/");
    let answer =
        elin.submit(&page, &stolen, &[("csrf", Some(word.as_str())), ("decision", Some("allow"))]).await;
    assert_eq!(answer.status, 404, "{}", answer.describe());
    // The request URI was used up when the page opened.
    let authorize = otso.visited.iter().find(|url| url.path() == "/oauth/authorize").unwrap().clone();
    let again = Browser::new().open(authorize.as_str()).await;
    assert!((400..500).contains(&again.status), "{}", again.describe());
}

#[tokio::test]
async fn looking_at_a_request_takes_it_from_nobody() {
    let world = World::shared();
    let service = world.service("turku").await;
    let base = world.url("espoo");
    let mut elin = Browser::new();
    elin.open(&format!("{base}/login?return_to=/me")).await.log_in(&mut elin, "elin").await;
    let asked = service.ask("espoo", PLACEMENT, None, json!({})).await;
    let start = asked["startUrl"].as_str().unwrap();
    for purpose in ["prefetch", "prefetch;prerender"] {
        let ahead = elin.look_with(start, &[("sec-purpose", purpose)]).await;
        assert_eq!((ahead.status, ahead.body.as_str()), (503, ""), "nothing was pushed");
    }
    let mut otso = Browser::new();
    let authorize = otso.look(start).await.leads_to();
    // A browser that looks ahead with her cookies, and one that knows the page's address, open nothing.
    let ahead = elin.look_with(authorize.as_str(), &[("sec-purpose", "prefetch")]).await;
    assert_eq!(ahead.status, 503);
    let parameter = |name: &str| authorize.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
    let (client, uri) = (parameter("client_id").parse().unwrap(), parameter("request_uri"));
    let id = world
        .store("espoo")
        .read("test", move |store| consent_requests::by_request_uri(store, &uri, &client, SystemClock.now()))
        .await
        .unwrap()
        .id;
    let page = format!("{base}/consent/{id}");
    for _ in 0..2 {
        let unknown = elin.look(&page).await;
        assert_eq!(unknown.status, 404, "{}", unknown.describe());
        assert!(unknown.text().contains("Request not found"));
    }
    // The page can be loaded again until somebody has logged in; then it is his.
    let login = otso.open(authorize.as_str()).await;
    let again = otso.open(authorize.as_str()).await;
    for page in [&login, &again] {
        assert_eq!(page.url.host_str(), Some("login.localhost"), "{}", page.describe());
    }
    let shown = again.log_in(&mut otso, "otso").await;
    assert_eq!((shown.status, shown.url.as_str()), (200, page.as_str()), "{}", shown.describe());
    assert_eq!(otso.look(&page).await.status, 200, "his own page can be loaded again");
    for browser in [&mut elin, &mut otso] {
        let used = browser.open(authorize.as_str()).await;
        assert_eq!(used.status, 404, "{}", used.describe());
        assert!(used.text().contains("start again there"), "{}", used.text());
    }
    assert_eq!(elin.look(&page).await.status, 404);
}

#[tokio::test]
async fn news_that_comes_before_the_tokens_is_not_lost() {
    let world = World::shared();
    let service = world.service("oulu").await;
    let asked = service.ask("turku", PLACEMENT, Some("elin"), json!({})).await;
    let mut browser = Browser::new();
    let page = browser.open(asked["startUrl"].as_str().unwrap()).await.log_in(&mut browser, "elin").await;
    let consent: ConsentId = page.url.path().rsplit('/').next().unwrap().parse().unwrap();
    browser.stop_before = Some("/oauth/callback");
    let allowed = page.decide(&mut browser, "allow", &[]).await;
    // The holder has decided, the recipient has not redeemed the code yet: as if the news had overtaken the tokens.
    let given = world.store("turku").read("test", move |store| consents::find(store, consent)).await.unwrap();
    let news = ConsentEvent {
        grant_id: given.grant_id,
        at: 0,
        reason: Reason::Paused.into(),
        sequence: 1_000_000,
        commitment: given.commitment,
    };
    let holder = given.terms.holder;
    world
        .store("oulu")
        .write("test", move |tx| {
            pending_events::keep(
                tx,
                &holder,
                &Event::ConsentSuspended(news.clone()),
                &news,
                SystemClock.now(),
            )
        })
        .await
        .unwrap();
    browser.stop_before = None;
    let end = browser.open(allowed.leads_to().as_str()).await;
    assert!(end.url.query().unwrap().contains("state=suspended"), "{}", end.describe());
    let id = asked["id"].as_str().unwrap();
    assert_eq!(service.show(id).await["reason"], "paused");
    assert_eq!(service.fetch(id).await.0, 409);
}

#[tokio::test]
async fn otso_gives_turku_a_permission_of_his_own_accord() {
    let world = World::shared();
    let mut browser = Browser::new();
    let base = world.url("espoo");
    let page =
        browser.open(&format!("{base}/login?return_to=/partners")).await.log_in(&mut browser, "otso").await;
    let name = format!("{}/catalogue/uses/{PLACEMENT}", world.url("turku"));
    let encoded: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    let use_page = browser.open(page.link(&encoded).as_str()).await;
    let consent = browser.submit(&use_page, &use_page.form("/partners/use"), &[]).await;
    assert!(consent.text().contains("Sampo"), "{}", consent.describe());
    let done = consent.decide(&mut browser, "allow", &[]).await;
    assert!(done.url.path().ends_with("/done"), "{}", done.describe());
    let service = world.service("turku").await;
    let found = eventually("the permission at the recipient", || async {
        let (_, list) = service.call("GET", "/api/v1/consents?state=active", None).await;
        let all = list["consents"].as_array().cloned().unwrap_or_default();
        all.into_iter().find(|held| held["origin"] == "portal")
    })
    .await;
    let (status, fetched) = service.fetch(found["id"].as_str().unwrap()).await;
    assert_eq!(status, 200, "{fetched}");
    assert!(fetched["data"].as_array().unwrap().iter().any(|record| record["childName"] == "Sampo"));
}

#[tokio::test]
async fn any_city_fetches_from_any_other() {
    let world = World::shared();
    for recipient in ["helsinki", "espoo", "turku", "oulu"] {
        let service = world.service(recipient).await;
        for holder in ["helsinki", "espoo", "turku", "oulu"].into_iter().filter(|holder| *holder != recipient)
        {
            // Confidential data asks for more than this story's login.
            let held = |kind: &str| {
                let mut datasets = world.cities[holder].datasets.iter().map(|held| &held.dataset);
                datasets.any(|one| one.kind.as_str() == kind && one.required_acr.is_none())
            };
            let uses = world.cities[recipient].uses.iter().filter(|one| held(one.dataset_type.as_str()));
            let own = uses.filter(|one| one.service == world.cities[recipient].services[0].id);
            let smallest = own
                .min_by_key(|one| (one.required_fields.len(), one.id.clone()))
                .unwrap_or_else(|| panic!("{recipient} asks for nothing that {holder} holds"));
            let (id, _) = service.given(holder, smallest.id.slug(), "aino", json!({})).await;
            let (status, fetched) = service.fetch(&id).await;
            assert_eq!(status, 200, "{recipient} from {holder}: {fetched}");
            assert!(!fetched["data"].as_array().unwrap().is_empty(), "{recipient} from {holder}");
        }
    }
}

#[tokio::test]
async fn a_permission_for_once_is_used_up() {
    let world = World::shared();
    let service = world.service("helsinki").await;
    let (id, _) = service.given("espoo", PLACEMENT, "aino", json!({})).await;
    assert_eq!(service.fetch(&id).await.0, 200);
    let (status, again) = service.fetch(&id).await;
    assert_ne!(status, 200);
    assert!(again.get("data").is_none(), "{again}");
}

#[tokio::test]
async fn what_is_taken_back_at_one_process_is_refused_by_the_other() {
    let world = World::shared();
    let service = world.service("helsinki").await;
    let (id, mut browser) = service.given("espoo", PLACEMENT, "otso", json!({})).await;
    let consent = world.consent("helsinki", "espoo", &id).await;
    let (second, port) = second_process(world, "espoo").await;
    // Stopped at the second process, fetched at the first.
    let path = format!("/me/sharing/{consent}/stop");
    let page = browser.open(&format!("{}{path}", world.url("espoo"))).await;
    let mut form = page.form("/me/sharing/");
    form.action.set_port(Some(port)).unwrap();
    let own = world.url("espoo");
    let answer =
        browser.submit_from(&form, &[], &[("origin", &own), ("sec-fetch-site", "same-origin")]).await;
    assert_eq!(answer.status, 200, "{}", answer.describe());
    let (status, refused) = service.fetch(&id).await;
    assert_ne!(status, 200, "{refused}");
    assert!(refused.get("data").is_none());
    second.stop().await;
}

/// Databases of their own on the PostgreSQL server that the tests may use; dropped with this value.
struct Databases {
    server: url::Url,
    names: Vec<String>,
}

impl Databases {
    fn run(&self, statement: &str) {
        let mut connection = diesel::PgConnection::establish(self.server.as_str()).unwrap();
        connection.batch_execute(statement).unwrap();
    }

    fn create(&mut self, purpose: &str) -> DatabaseUrl {
        let name = format!("omadata_journey_{}_{purpose}", std::process::id());
        self.run(&format!("CREATE DATABASE {name}"));
        let mut url = self.server.clone();
        url.set_path(&name);
        self.names.push(name);
        DatabaseUrl::Postgres(url)
    }
}

impl Drop for Databases {
    fn drop(&mut self) {
        for name in &self.names {
            self.run(&format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

#[tokio::test]
#[allow(clippy::disallowed_methods)]
async fn the_story_is_the_same_over_postgresql() {
    let Some(server) = std::env::var("OMADATA_TEST_POSTGRES").ok().filter(|url| !url.is_empty()) else {
        eprintln!("left out: the story over PostgreSQL; set OMADATA_TEST_POSTGRES to run it");
        return;
    };
    let mut server = url::Url::parse(&server).unwrap();
    server.set_path("/postgres");
    let mut databases = Databases { server, names: Vec::new() };
    let stores = ["espoo", "helsinki"].map(|city| (city.to_owned(), databases.create(city)));
    let setup =
        harness::Setup { base_port: harness::free_ports(11), stores: stores.into(), ..Default::default() };
    let world: &'static World = Box::leak(Box::new(World::start(setup)));
    let service = world.service("helsinki").await;
    // Its early education is read from there too.
    std::fs::remove_file(world.cities["espoo"].node.data_dir.join("registers/early-education.sqlite"))
        .unwrap();
    let (id, mut browser) = service.given("espoo", PLACEMENT, "aino", json!({})).await;
    let (status, fetched) = service.fetch(&id).await;
    assert_eq!(status, 200, "{fetched}");
    assert_ne!(service.fetch(&id).await.0, 200, "used up");
    let asked = service.ask("espoo", PLACEMENT, Some("rauno"), json!({})).await;
    let mut raunos = Browser::new();
    let page = raunos.open(asked["startUrl"].as_str().unwrap()).await.log_in(&mut raunos, "rauno").await;
    assert_eq!(page.status, 503, "{}", page.describe());
    let (id, _) = service.given("espoo", PLACEMENT, "aino", json!({})).await;
    let consent = world.consent("helsinki", "espoo", &id).await;
    let choice = browser.open(&format!("{}/me/sharing/{consent}/stop", world.url("espoo"))).await;
    let stopped = browser.submit(&choice, &choice.form("/me/sharing/"), &[]).await;
    assert_eq!(stopped.status, 200, "{}", stopped.describe());
    assert_ne!(service.fetch(&id).await.0, 200, "stopped");
    eventually("the event at the recipient", || async {
        (service.show(&id).await["state"] != "active").then_some(())
    })
    .await;
}

#[tokio::test]
async fn raunos_register_is_down_and_says_so() {
    let world = World::shared();
    let service = world.service("helsinki").await;
    let asked = service.ask("espoo", PLACEMENT, Some("rauno"), json!({})).await;
    let mut browser = Browser::new();
    let page = browser.open(asked["startUrl"].as_str().unwrap()).await.log_in(&mut browser, "rauno").await;
    assert_eq!(page.status, 503, "{}", page.describe());
    assert!(page.text().contains("The register does not answer"));
    assert!(page.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn where_selma_lives_stays_in_the_register() {
    let world = World::shared();
    let service = world.service("helsinki").await;
    let (id, _) = service.given("espoo", PLACEMENT, "selma", json!({})).await;
    let (status, fetched) = service.fetch(&id).await;
    assert_eq!(status, 200, "{fetched}");
    let records = fetched["data"].as_array().unwrap();
    assert!(!records.is_empty());
    assert!(records.iter().all(|record| record["unit"] == Value::Null), "{records:?}");
}

#[tokio::test]
async fn a_login_changes_the_session_and_a_logout_ends_it() {
    let world = World::shared();
    let base = world.url("turku");
    let mut browser = Browser::new();
    let choice = browser.open(&format!("{base}/login")).await;
    let before = browser.cookies["turku.localhost"]["omadata"].clone();
    let page = choice.log_in(&mut browser, "elin").await;
    assert_eq!(page.url.path(), "/me", "{}", page.describe());
    let after = browser.cookies["turku.localhost"]["omadata"].clone();
    assert_ne!(before, after, "the session of before the login lives on");
    let mut old = Browser::new();
    old.cookies.entry("turku.localhost".into()).or_default().insert("omadata".into(), before);
    assert_ne!(old.look(&format!("{base}/me")).await.status, 200);
    let mut kept = Browser::new();
    kept.cookies.clone_from(&browser.cookies);
    browser.submit(&page, &page.form("/logout"), &[]).await;
    assert_ne!(kept.look(&format!("{base}/me")).await.status, 200, "the session outlives the logout");
}

#[tokio::test]
async fn changed_evidence_is_found_out_by_name() {
    let world = World::shared();
    let service = world.service("turku").await;
    let (id, _) = service.given("espoo", PLACEMENT, "otso", json!({})).await;
    let consent = world.consent("turku", "espoo", &id).await;
    let verified =
        operator::consents::verify_consent(&world.cities["espoo"], consent).await.unwrap().evidence;
    assert_eq!(verified.document.recipient.id, world.url("turku"));
    let store = world.store("espoo");
    let (known, good) = store
        .read("test", move |store| {
            let known = omadata::store::holder::consents::find(store, consent)?;
            Ok::<_, omadata::store::StoreError>((
                known,
                omadata::store::holder::consents::evidence(store, consent)?,
            ))
        })
        .await
        .unwrap();
    use omadata::domain::consent::{Committed, EvidenceError};
    assert!(good.provider_documents.is_some(), "what the provider published is kept");
    let committed = Committed::to(&good, &known.commitment).unwrap();
    let refused = |receipt: bool, change: &dyn Fn(&mut omadata::domain::consent::Evidence)| {
        let mut evidence = good.clone();
        change(&mut evidence);
        evidence.verify(&known.commitment, receipt.then_some(&committed)).unwrap_err()
    };
    let other = omadata::domain::jose::b64url(&[9; 32]);
    // The evidence alone tells that it was changed; with the holder's receipt of the decision, what.
    let moved = |evidence: &mut omadata::domain::consent::Evidence| {
        evidence.document = evidence.document.replace("turku.localhost", "tirku.localhost");
    };
    assert_eq!(refused(false, &moved), EvidenceError::Commitment);
    assert_eq!(refused(true, &moved), EvidenceError::Document);
    assert_eq!(refused(false, &|evidence| evidence.document.push(' ')), EvidenceError::Form);
    assert_eq!(refused(true, &|evidence| evidence.salt = "short".into()), EvidenceError::SaltForm);
    assert_eq!(refused(false, &|evidence| evidence.salt.clone_from(&other)), EvidenceError::Commitment);
    assert_eq!(refused(true, &|evidence| evidence.salt.clone_from(&other)), EvidenceError::Salt);
    let stranger = omadata::domain::jose::SigningKey::generate().unwrap();
    let swapped = |evidence: &mut omadata::domain::consent::Evidence| {
        evidence.provider_key = stranger.public().to_jwk();
    };
    assert_eq!(refused(true, &swapped), EvidenceError::ProviderKey);
    assert_eq!(refused(false, &swapped), EvidenceError::UnpublishedKey);
    let bare = |evidence: &mut omadata::domain::consent::Evidence| {
        swapped(evidence);
        evidence.provider_documents = None;
    };
    assert!(matches!(refused(false, &bare), EvidenceError::Signature(_)));
    assert_eq!(refused(false, &|evidence| evidence.provider.push('x')), EvidenceError::Provider);
    assert_eq!(refused(false, &|evidence| evidence.client_id.push('x')), EvidenceError::Client);
}

#[tokio::test]
async fn a_service_deletes_what_it_fetched_and_the_resident_reads_so() {
    let world = World::shared();
    let service = world.service("helsinki").await;
    let (id, mut browser) = service.given("turku", PLACEMENT, "aino", json!({})).await;
    let path = format!("/api/v1/consents/{id}/deletion");
    let (status, nothing) = service.call("POST", &path, None).await;
    assert_eq!(status, 400, "nothing was fetched: {nothing}");
    assert_eq!(service.fetch(&id).await.0, 200);
    let shown = service.show(&id).await;
    assert_eq!(shown["deletion"]["state"], "due", "{shown}");
    assert!(shown["deletion"]["dueAt"].as_str().unwrap() > shown["deletion"]["fetchedAt"].as_str().unwrap());
    let consent = world.consent("helsinki", "turku", &id).await;
    let address = format!("{}/me/sharing/{consent}", world.url("turku"));
    let page = browser.open(&address).await;
    assert!(page.text().contains("must delete the data"), "{}", page.describe());

    for wrong in ["yesterday", "2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"] {
        let (status, _) = service.call("POST", &path, Some(&json!({"deletedAt": wrong}))).await;
        assert_eq!(status, 400, "{wrong}");
    }
    let other = world.service("oulu").await;
    assert_eq!(other.call("POST", &path, None).await.0, 404, "another city's service");
    let (status, said) = service.call("POST", &path, None).await;
    assert_eq!((status, said["state"].as_str()), (200, Some("confirmed")), "{said}");
    let (_, again) = service.call("POST", &path, None).await;
    assert_eq!(again["confirmedAt"], said["confirmedAt"], "once");
    eventually("the confirmation at the holder", || {
        let (address, cookies) = (address.clone(), browser.cookies.clone());
        async move {
            let mut again = Browser::new();
            again.cookies = cookies;
            let page = again.open(&address).await;
            page.text().contains("confirmed that it deleted").then_some(())
        }
    })
    .await;
    // One fetch was made: more confirmations than that say nothing, and are not kept.
    let key = world
        .store("helsinki")
        .read("test", |store| signing_keys::active(store, Purpose::Receipt))
        .await
        .unwrap();
    let id = |city| world.url(city).parse::<EntityId>().unwrap();
    let (from, to) = (id("helsinki"), id("turku"));
    let kept = world.store("turku").read("test", move |store| consents::find(store, consent)).await.unwrap();
    for number in 0..3 {
        let now = SystemClock.now();
        let event = Event::DataDeleted(DataDeleted {
            grant_id: kept.grant_id.clone(),
            commitment: Some(kept.commitment.clone()),
            deleted_at: now.secs(),
            fetched_until: now.secs(),
        });
        let jti = Jti::new(format!("again-{number}")).unwrap();
        let text = event.sign(&key, &from, &to, jti, now).unwrap();
        let request = harness::client().post(format!("{to}/events")).body(text);
        let answer = request.header("content-type", "application/secevent+jwt").send().await.unwrap();
        assert_eq!(answer.status(), 202, "taken, like any other");
    }
    let all = world
        .store("turku")
        .read("test", move |store| deletion_confirmations::list(store, consent))
        .await
        .unwrap();
    assert_eq!(all.len(), 1);
}

#[tokio::test]
async fn the_status_list_tells_of_an_end_within_five_seconds_at_every_process() {
    let world = World::shared();
    let service = world.service("helsinki").await;
    let (id, mut browser) = service.given("oulu", PLACEMENT, "elin", json!({})).await;
    let consent = world.consent("helsinki", "oulu", &id).await;
    let stored = world.store("oulu").read("test", move |store| consents::find(store, consent)).await.unwrap();
    let holder = stored.terms.holder.clone();
    let reference = status_list::reference(&holder, stored.status_index);
    let (other, port) = second_process(world, "oulu").await;
    let keys = other.node().unwrap().keys.verifying(KeyPurpose::Token);
    let http = harness::client();
    let elsewhere = |port| {
        let mut url: url::Url = reference.uri.parse().unwrap();
        url.set_port(Some(port)).unwrap();
        url
    };
    let here = elsewhere(holder.as_str().parse::<url::Url>().unwrap().port().unwrap());
    let status = |url: url::Url| {
        let (http, keys, holder, reference) = (http.clone(), keys.clone(), holder.clone(), reference.clone());
        async move {
            let answer = http.get(url).header("accept", "application/statuslist+jwt").send().await.unwrap();
            assert_eq!(answer.headers()["content-type"], "application/statuslist+jwt");
            assert!(!answer.headers().contains_key("content-encoding"), "compressed inside already");
            let text = answer.text().await.unwrap();
            status_list::verify(&text, &keys, &holder, &reference, SystemClock.now()).unwrap()
        }
    };
    assert_eq!(status(here.clone()).await, TokenStatus::Valid);
    assert_eq!(status(elsewhere(port)).await, TokenStatus::Valid);

    // Kept copies: the same text at both processes has the same tag, and is not sent twice. Other tests' permissions change
    // the list too, which one process may have heard of before the other.
    let tag = harness::eventually("both processes serve the same text", || async {
        let first = http.get(here.clone()).send().await.unwrap();
        let tag = first.headers()["etag"].clone();
        assert_eq!(first.headers()["cache-control"], "public, max-age=60");
        let known = http.get(elsewhere(port)).header("if-none-match", &tag).send().await.unwrap();
        if known.status() == 200 {
            return None;
        }
        assert_eq!((known.status().as_u16(), known.headers()["etag"].clone()), (304, tag.clone()));
        assert!(known.bytes().await.unwrap().is_empty());
        Some(tag)
    })
    .await;
    let html = http.get(here.clone()).header("accept", "text/html").send().await.unwrap();
    assert_eq!(html.status(), 406);
    let metadata: Value = http
        .get(format!("{holder}/.well-known/oauth-authorization-server"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let all = metadata["status_list_aggregation_endpoint"].as_str().unwrap();
    let lists: Value = http.get(all).send().await.unwrap().json().await.unwrap();
    assert_eq!(lists, json!({"status_lists": [reference.uri]}));
    assert_eq!(http.get(format!("{all}/7")).send().await.unwrap().status(), 404);

    let sharing = format!("{holder}/me/sharing/{consent}");
    let stop = browser.open(&format!("{sharing}/stop")).await;
    browser.submit(&stop, &stop.form("/me/sharing/"), &[]).await;
    let stopped = tokio::time::Instant::now();
    // Whoever asks five seconds later is told, however long the answer takes on a machine that does much else.
    for url in [here.clone(), elsewhere(port)] {
        loop {
            let asked = stopped.elapsed();
            if status(url.clone()).await == TokenStatus::Invalid {
                break;
            }
            assert!(asked.as_secs() < 5, "the list still says that it is in force");
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }
    let changed = http.get(here).header("if-none-match", tag).send().await.unwrap();
    assert_eq!(changed.status(), 200);
    other.stop().await;
}
