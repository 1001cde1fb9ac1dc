//! Databases that were restored from a backup: nothing that a peer knows better takes effect again.

use omadata::app::{self, SystemClock};
use omadata::domain::consent::{HolderChange, Reason, ReasonWord};
use omadata::domain::ids::{ConsentId, HeldConsentId};
use omadata::node::messaging::reconciliation;
use omadata::ports::Clock;
use omadata::store::holder::consents;
use omadata::store::recipient::held_consents;
use omadata::store::{StoreError, restore};
use serde_json::json;

use crate::harness::browser::Browser;
use crate::harness::{Service, World, eventually};

/// A restored city holds back the consents of every test.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

const PLACEMENT: &str = "early-education-placement";

async fn given(service: &Service, resident: &str) -> (String, Browser) {
    let asked = service.ask("espoo", PLACEMENT, Some(resident), json!({"times": 9})).await;
    let mut browser = Browser::new();
    let page = browser.open(asked["startUrl"].as_str().unwrap()).await.log_in(&mut browser, resident).await;
    let changes = [("duration", Some("until")), ("times", Some("9"))];
    page.decide(&mut browser, "allow", &changes).await;
    let id = asked["id"].as_str().unwrap().to_owned();
    assert_eq!(service.fetch(&id).await.0, 200);
    (id, browser)
}

async fn is_held_back(world: &World, id: ConsentId) -> bool {
    world.store("espoo").read("test", move |store| consents::is_held_back(store, id)).await.unwrap()
}

/// What `omadata serve` does at its start; the running node delivers.
async fn start_after_restore(world: &World, city: &'static str) {
    let now = SystemClock.now();
    world.store(city).write("test", move |tx| restore::begin_epoch(tx, now)).await.unwrap();
    let config = &world.cities[city];
    let node = app::assemble(config).await.unwrap().node;
    reconciliation::begin_if_restored(&node, &config.keys.dir).await.unwrap();
}

#[tokio::test]
async fn a_restored_holder_releases_nothing_until_it_has_learned_of_the_stops_that_it_forgot() {
    let _turn = TURN.lock().await;
    let world = World::shared();
    let service = world.service("helsinki").await;
    let (stopped, _) = given(&service, "aino").await;
    let (going_on, mut browser) = given(&service, "elin").await;
    let stopped_at_espoo = world.consent("helsinki", "espoo", &stopped).await;
    let going_on_at_espoo = world.consent("helsinki", "espoo", &going_on).await;
    // The stop was told after the backup was made: the recipient alone knows of it.
    let held: HeldConsentId = stopped.parse().unwrap();
    let helsinki = world.store("helsinki");
    let told = helsinki.write("test", move |tx| {
        let mut held = held_consents::find(tx, held)?;
        let reason = ReasonWord::from(Reason::TakenBack);
        assert!(held.life.apply_event(HolderChange::Over, &reason, 1_000_000, SystemClock.now()));
        held_consents::save(tx, &held)?;
        Ok::<_, StoreError>(())
    });
    told.await.unwrap();

    let now = SystemClock.now();
    world.store("espoo").write("test", move |tx| restore::begin_epoch(tx, now)).await.unwrap();
    assert!(is_held_back(world, stopped_at_espoo).await && is_held_back(world, going_on_at_espoo).await);
    let (status, answer) = service.fetch(&going_on).await;
    assert!(status >= 500, "nothing is released before the recipient was compared with: {status} {answer}");

    start_after_restore(world, "espoo").await;
    let ended = eventually("the forgotten stop is learned", || async {
        let find = move |store: &mut omadata::store::Reader<'_>| consents::find(store, stopped_at_espoo);
        let consent = world.store("espoo").read("test", find).await.unwrap();
        consent.state.ended_at().is_some().then_some(consent)
    })
    .await;
    assert_eq!((ended.state.as_str(), ended.reason), ("revoked", Reason::TakenBack));
    eventually("the other goes on", || async {
        (!is_held_back(world, going_on_at_espoo).await).then_some(())
    })
    .await;
    assert_eq!(service.fetch(&going_on).await.0, 200);
    eventually("all were compared with", || async {
        world.store("espoo").read("test", restore::restored_at).await.unwrap().is_none().then_some(())
    })
    .await;

    // What is told after the restore counts, although the log gives its numbers out again.
    let sharing = format!("{}/me/sharing/{going_on_at_espoo}", world.url("espoo"));
    let page = browser.open(&sharing).await;
    let path = url::Url::parse(&sharing).unwrap().path().to_owned();
    browser.submit(&page, &page.form(&format!("{path}/pause")), &[]).await;
    eventually("the pause is heard", || async {
        (service.show(&going_on).await["state"] == "suspended").then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_a_restored_city_gave_its_own_service_ends_because_nobody_else_remembers() {
    let _turn = TURN.lock().await;
    let world = World::shared();
    let service = world.service_named("espoo", "hobby-grants").await;
    let (id, _) = service.given("espoo", "hobby-grant", "otso", json!({})).await;
    let consent = world.consent("espoo", "espoo", &id).await;
    start_after_restore(world, "espoo").await;
    let find = move |store: &mut omadata::store::Reader<'_>| consents::find(store, consent);
    let ended = world.store("espoo").read("test", find).await.unwrap();
    assert_eq!((ended.state.as_str(), ended.reason), ("withdrawn", Reason::LostByHolder));
    let (status, refused) = service.fetch(&id).await;
    assert!(status >= 400 && refused.get("data").is_none(), "{status} {refused}");
    eventually("the service learns it", || async {
        (service.show(&id).await["state"] == "ended").then_some(())
    })
    .await;
    eventually("all were compared with", || async {
        world.store("espoo").read("test", restore::restored_at).await.unwrap().is_none().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_restored_recipient_is_told_again_what_it_forgot() {
    let _turn = TURN.lock().await;
    let world = World::shared();
    let service = world.service("turku").await;
    let (id, mut browser) = given(&service, "aino").await;
    let consent = world.consent("turku", "espoo", &id).await;
    let held: HeldConsentId = id.parse().unwrap();
    let find = move |store: &mut omadata::store::Reader<'_>| held_consents::find(store, held);
    let before = world.store("turku").read("test", find).await.unwrap();
    let sharing = format!("{}/me/sharing/{consent}", world.url("espoo"));
    let page = browser.open(&sharing).await;
    let path = url::Url::parse(&sharing).unwrap().path().to_owned();
    browser.submit(&page, &page.form(&format!("{path}/pause")), &[]).await;
    let suspended = || async { (service.show(&id).await["state"] == "suspended").then_some(()) };
    eventually("the pause is heard", suspended).await;

    // The backup is older than the pause.
    world.store("turku").write("test", move |tx| held_consents::save(tx, &before)).await.unwrap();
    assert_eq!(service.show(&id).await["state"], "active");
    start_after_restore(world, "turku").await;
    eventually("the pause is heard again", suspended).await;
}

#[tokio::test]
async fn a_running_node_notes_the_end_of_its_log_beside_its_keys() {
    let _turn = TURN.lock().await;
    let world = World::shared();
    let noted = || restore::LogMark::load(&world.cities["espoo"].keys.dir).unwrap();
    let service = world.service("helsinki").await;
    given(&service, "otso").await;
    let store = world.store("espoo");
    eventually("the end of the log is noted", || async {
        let (noted, end) = (noted(), store.read("test", restore::log_mark).await.unwrap());
        (noted.is_some() && noted == end).then_some(())
    })
    .await;
}
