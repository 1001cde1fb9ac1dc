//! Logins of the right strength and age: asked for where a dataset or a service demands them, nowhere else, and told to
//! programs in the words of RFC 9470.

use omadata::app::SystemClock;
use omadata::domain::ids::{ConsentId, HeldConsentId, NationalIdentifier};
use omadata::domain::jose::{SigningKey, b64url, sha256};
use omadata::ports::Clock;
use omadata::store::StoreError;
use omadata::store::holder::{consents, refusals};
use omadata::store::keys::signing_keys;
use omadata::store::recipient::held_consents;
use omadata::store::resident::persons;
use serde_json::{Value, json};

use crate::harness::browser::{Browser, Page};
use crate::harness::{self, Service, World};

const SUPPORT: &str = "early-education-support";
const PLACEMENT: &str = "early-education-placement";
const LOA2: &str = "urn:omadata:demo:loa2";
const LOA3: &str = "urn:omadata:demo:loa3";

/// Whether the login provider asks who is there.
fn asks_to_log_in(page: &Page) -> bool {
    page.url.host_str() == Some("login.localhost")
}

/// Helsinki's permission for a child's support, given at Turku.
async fn support_given(service: &Service, resident: &str) -> (String, ConsentId) {
    let asked = service.ask("turku", SUPPORT, Some(resident), json!({"times": 10})).await;
    let mut browser = Browser::new();
    let page = browser.open(asked["startUrl"].as_str().unwrap()).await.log_in(&mut browser, resident).await;
    assert!(asks_to_log_in(&page), "the usual login was enough: {}", page.describe());
    let page = page.log_in(&mut browser, resident).await;
    let changes = [("duration", Some("until")), ("times", Some("10"))];
    let end = page.decide(&mut browser, "allow", &changes).await;
    assert!(end.url.query().unwrap_or("").contains("state=active"), "{}", end.describe());
    let id = asked["id"].as_str().unwrap().to_owned();
    let consent = service.world.consent("helsinki", "turku", &id).await;
    (id, consent)
}

/// What the exchange endpoint answers to this consent's token: status, challenge, body.
async fn exchange(world: &World, held: &str) -> (u16, String, Value) {
    let id: HeldConsentId = held.parse().unwrap();
    let held =
        world.store("helsinki").read("test", move |store| held_consents::find(store, id)).await.unwrap();
    let tokens = held.life.grant_held().unwrap().tokens.clone();
    let kid = tokens.dpop_kid.clone();
    let key: SigningKey = world
        .store("helsinki")
        .read("test", move |store| signing_keys::with_private_part(store, &kid))
        .await
        .unwrap();
    let url = format!("{}/exchange/datasets/{}", held.holder, held.life.detail().identifier);
    let http = harness::client();
    let nonce = http.get(&url).send().await.unwrap().headers()["dpop-nonce"].to_str().unwrap().to_owned();
    let proof = json!({
        "htm": "GET", "htu": url, "iat": SystemClock.now().secs(), "nonce": nonce,
        "jti": SigningKey::generate().unwrap().kid().to_string(),
        "ath": b64url(&sha256(tokens.access_token.as_bytes())),
    });
    let answer = http
        .get(&url)
        .header("authorization", format!("DPoP {}", tokens.access_token))
        .header("dpop", key.sign_with_jwk("dpop+jwt", &proof).unwrap())
        .send()
        .await
        .unwrap();
    let header = answer.headers().get("www-authenticate").map(|value| value.to_str().unwrap().to_owned());
    (answer.status().as_u16(), header.unwrap_or_default(), answer.json().await.unwrap_or(Value::Null))
}

#[tokio::test]
async fn a_stronger_login_is_asked_for_only_where_it_is_needed() {
    let world = World::shared();
    let service = world.service("helsinki").await;
    // What demands nothing asks for nothing, and the usual login signs it.
    let (id, mut browser) = service.given("turku", PLACEMENT, "aino", json!({})).await;
    assert_eq!(service.fetch(&id).await.0, 200);
    // Confidential data asks for more, before any value is shown.
    let asked = service.ask("turku", SUPPORT, Some("aino"), json!({})).await;
    let page = browser.open(asked["startUrl"].as_str().unwrap()).await;
    assert!(asks_to_log_in(&page), "{}", page.describe());
    let page = page.log_in(&mut browser, "aino").await;
    assert!(page.text().contains("Lumi"), "{}", page.describe());
    // The signature needs no further screen: the login is fresh and strong.
    let end = page.decide(&mut browser, "allow", &[]).await;
    assert!(end.url.query().unwrap().contains("state=active"), "{}", end.describe());
    let consent = world.consent("helsinki", "turku", asked["id"].as_str().unwrap()).await;
    let kept = world.store("turku").read("test", move |store| consents::find(store, consent)).await.unwrap();
    assert_eq!(kept.acr.as_deref(), Some(LOA3));
    assert!(kept.auth_time.is_some());
    assert_eq!(service.fetch(asked["id"].as_str().unwrap()).await.0, 200);
}

#[tokio::test]
async fn a_resident_starts_what_asks_for_a_stronger_login() {
    let world = World::shared();
    let mut browser = Browser::new();
    let base = world.url("turku");
    let page = browser.open(&format!("{base}/login?return_to=/partners")).await;
    let page = page.log_in(&mut browser, "aino").await;
    let name = format!("{}/catalogue/uses/{SUPPORT}", world.url("helsinki"));
    let encoded: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    let use_page = browser.open(page.link(&encoded).as_str()).await;
    // The answer to the form leads on to the login provider: the page must let browsers go there.
    let page = browser.submit(&use_page, &use_page.form("/partners/use"), &[]).await;
    assert!(asks_to_log_in(&page), "{}", page.describe());
    let page = page.log_in(&mut browser, "aino").await;
    let done = page.decide(&mut browser, "allow", &[]).await;
    assert!(done.url.path().ends_with("/done"), "{}", done.describe());
}

#[tokio::test]
async fn a_service_may_ask_for_more_than_the_dataset_and_never_for_less() {
    let world = World::shared();
    let service = world.service("helsinki").await;
    let more = json!({"acrValues": LOA3, "maxAgeSeconds": 600});
    let asked = service.ask("espoo", PLACEMENT, Some("elin"), more).await;
    let mut browser = Browser::new();
    let page = browser.open(asked["startUrl"].as_str().unwrap()).await.log_in(&mut browser, "elin").await;
    assert!(asks_to_log_in(&page), "the service's demand is not heard: {}", page.describe());
    let page = page.log_in(&mut browser, "elin").await;
    let end = page.decide(&mut browser, "allow", &[]).await;
    assert!(end.url.query().unwrap().contains("state=active"), "{}", end.describe());
    // Less than the dataset demands changes nothing.
    let less = json!({"acrValues": format!("{LOA2} {LOA3}")});
    let asked = service.ask("turku", SUPPORT, Some("elin"), less).await;
    let mut browser = Browser::new();
    let page = browser.open(asked["startUrl"].as_str().unwrap()).await.log_in(&mut browser, "elin").await;
    assert!(asks_to_log_in(&page), "{}", page.describe());
    // What the holder's login does not know cannot be asked; the service reads why.
    let asked = service.ask("espoo", PLACEMENT, Some("elin"), json!({"acrValues": "urn:nobody:knows"})).await;
    let page = Browser::new().open(asked["startUrl"].as_str().unwrap()).await;
    assert!(page.status >= 400, "{}", page.describe());
    let shown = service.show(asked["id"].as_str().unwrap()).await;
    assert_eq!(
        (shown["state"].as_str(), shown["reason"].as_str()),
        (Some("requested"), Some("unmet_authentication_requirements"))
    );
}

#[tokio::test]
async fn a_permission_given_with_less_than_is_demanded_now_must_be_confirmed_again() {
    let world = World::shared();
    let service = world.service("helsinki").await;
    let (id, consent) = support_given(&service, "aino").await;
    assert_eq!(service.fetch(&id).await.0, 200);
    let row = harness::hex(consent.as_bytes());
    let kept = world.store("turku").read("test", move |store| consents::find(store, consent)).await.unwrap();
    let auth_time = kept.auth_time.unwrap().micros();
    let restore = format!("UPDATE consents SET acr = '{LOA3}', auth_time = {auth_time} WHERE id = x'{row}'");
    for (name, change) in [
        ("a weaker login", format!("acr = '{LOA2}'")),
        ("a login of unknown strength", "acr = NULL".to_owned()),
        ("an old login", "auth_time = auth_time - 7200000000".to_owned()),
        ("a login of unknown age", "auth_time = NULL".to_owned()),
    ] {
        world.alter("turku", &format!("UPDATE consents SET {change} WHERE id = x'{row}'"));
        let (status, challenge, body) = exchange(world, &id).await;
        assert_eq!(
            (status, body["code"].as_str()),
            (401, Some("insufficient_user_authentication")),
            "{name}: {body}"
        );
        assert!(challenge.starts_with("DPoP error=\"insufficient_user_authentication\""), "{challenge}");
        assert!(challenge.contains(&format!("acr_values=\"{LOA3}\"")), "{challenge}");
        assert!(challenge.contains("max_age=\"900\""), "{challenge}");
        assert!(body.get("data").is_none() && body.get("records").is_none(), "{body}");
        // The service is told in its own words; the permission is not over.
        let (status, problem) = service.fetch(&id).await;
        assert_eq!(
            (status, problem["type"].as_str()),
            (409, Some("/problems/confirmation-needed")),
            "{name}: {problem}"
        );
        let shown = service.show(&id).await;
        assert_eq!(
            (shown["state"].as_str(), shown["reason"].as_str()),
            (Some("active"), Some("confirmation_needed"))
        );
        world.alter("turku", &restore);
        assert_eq!(service.fetch(&id).await.0, 200, "{name}: it stays refused");
        assert!(service.show(&id).await.get("reason").is_none());
    }
}

fn subject_of(id_token: &str) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let claims = URL_SAFE_NO_PAD.decode(id_token.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    claims["sub"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn another_identifier_for_the_same_login_stops_what_was_given_before() {
    let world = World::shared();
    let service = world.service("helsinki").await;
    let (id, browser) = service.given("oulu", PLACEMENT, "otso", json!({})).await;
    drop(browser);
    let consent = world.consent("helsinki", "oulu", &id).await;
    let store = world.store("oulu");
    let login = |identifier: &str| {
        let identifier = NationalIdentifier::new(identifier).unwrap();
        let store = store.clone();
        async move {
            store
                .write("test", move |tx| {
                    let person = consents::find(tx, consent)?.person;
                    let subject = subject_of(&consents::evidence(tx, consent)?.id_token);
                    let issuer = persons::find(tx, person)?.issuer;
                    let same = persons::upsert_login(tx, &issuer, &subject, &identifier, SystemClock.now())?;
                    assert_eq!(same, person);
                    Ok::<_, StoreError>(())
                })
                .await
                .unwrap();
        }
    };
    // As if the login provider had come to state somebody else's identifier.
    login(world.identifier("mikael")).await;
    let (status, _, body) = exchange(world, &id).await;
    login(world.identifier("otso")).await;
    assert_eq!((status, body["code"].as_str()), (401, Some("insufficient_user_authentication")), "{body}");
    let refused = store.read("test", |store| refusals::latest(store, 1000)).await.unwrap();
    assert!(
        refused.iter().any(|one| one.reason.as_str() == "identifier_changed" && one.consent == Some(consent))
    );
    assert_eq!(service.fetch(&id).await.0, 200, "the same person again");
}
