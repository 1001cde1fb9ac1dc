//! Signing keys are replaced while cities exchange: by command, at a process that knows nothing of it beforehand.

use std::sync::OnceLock;
use std::time::Duration;

use omadata::app::{self, SystemClock};
use omadata::config::{AnchorConfig, Config};
use omadata::demo::run::Adjust;
use omadata::domain::federation::{
    HistoricalKeys, KEY_SET_TYP, RevocationReason, TrustAnchor, verify_self_signed, verify_statements,
};
use omadata::domain::ids::{EntityId, HeldConsentId, KeyId};
use omadata::domain::jose::RevokeReason;
use omadata::node::resident::check_receipt;
use omadata::node::resident::check_receipt::{SignerKey, Verified};
use omadata::operator;
use omadata::operator::keys::{KeyPurpose, Rotation};
use omadata::ports::Clock;
use omadata::store::holder::consent_receipts;
use omadata::store::keys::signing_keys;
use omadata::store::recipient::{fetches, held_consents};
use serde_json::{Value, json};

use crate::harness::{self, Service, World, eventually};

/// What each city's own keys do for one exchange that Helsinki makes at Espoo.
const BY_COMMAND: [(&str, KeyPurpose); 4] = [
    ("espoo", KeyPurpose::Token),
    ("espoo", KeyPurpose::Receipt),
    ("helsinki", KeyPurpose::Client),
    ("helsinki", KeyPurpose::Dpop),
];

fn short_lead(config: &mut Config) {
    config.keys.lead_seconds = Some(3);
    if config.node.base_url.as_str().contains("turku") {
        config.keys.overlap_seconds = 5;
    }
    for declared in &mut config.uses {
        declared.max_exchanges = 100;
    }
}

fn looks_often(config: &mut AnchorConfig) {
    config.anchor.member_refresh_seconds = 1;
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let adjust = Adjust { city: Some(short_lead), anchor: Some(looks_often) };
        World::start(harness::Setup { base_port: harness::free_ports(11), adjust, ..Default::default() })
    })
}

/// Two journeys replace the same keys of the same cities: one after the other.
static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A permission that Helsinki's service may use often.
async fn permission(service: &Service, resident: &str) -> String {
    let asked =
        service.ask("espoo", "early-education-placement", Some(resident), json!({"times": 100})).await;
    let mut browser = harness::browser::Browser::new();
    let page = browser.open(asked["startUrl"].as_str().unwrap()).await.log_in(&mut browser, resident).await;
    let end =
        page.decide(&mut browser, "allow", &[("duration", Some("until")), ("times", Some("100"))]).await;
    assert!(end.url.query().unwrap_or("").contains("state=active"), "{}", end.describe());
    asked["id"].as_str().unwrap().to_owned()
}

async fn signing(city: &'static str, purpose: KeyPurpose) -> KeyId {
    let key =
        world().store(city).read("test", move |store| signing_keys::active(store, purpose)).await.unwrap();
    key.kid().clone()
}

async fn rotate(city: &str, purpose: KeyPurpose, at_once: bool) -> Rotation {
    let config = &world().cities[city];
    let mut begun = operator::keys::rotate(&config.store, &config.keys, &[purpose], at_once).await.unwrap();
    begun.remove(0).1
}

async fn bound_to(id: &str) -> KeyId {
    let id: HeldConsentId = id.parse().unwrap();
    let held =
        world().store("helsinki").read("test", move |store| held_consents::find(store, id)).await.unwrap();
    held.life.grant_held().unwrap().tokens.dpop_kid.clone()
}

async fn fetched(service: &Service, id: &str, when: &str) {
    let (status, body) = service.fetch(id).await;
    assert_eq!(status, 200, "{when}: {body}");
    assert!(!body["data"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn each_key_is_rotated_by_command_and_no_exchange_is_lost() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let service = world().service("helsinki").await;
    let id = permission(&service, "aino").await;
    // A second process of the holder, which nobody tells of anything.
    let mut config = world().cities["espoo"].clone();
    let port = harness::free_ports(1);
    config.node.listen = ([127, 0, 0, 1], port).into();
    let second = app::start_node(&config).await.unwrap();
    for (city, purpose) in BY_COMMAND {
        let old = signing(city, purpose).await;
        let Rotation::Begun(next) = rotate(city, purpose, false).await else { panic!("not begun") };
        fetched(&service, &id, "while the next key waits").await;
        assert_eq!(signing(city, purpose).await, old, "{city} {purpose:?}: no lead time");
        eventually("the next key signs by itself", || async {
            (signing(city, purpose).await == next).then_some(())
        })
        .await;
        fetched(&service, &id, "after the rotation").await;
        if (city, purpose) == ("espoo", KeyPurpose::Token) {
            // Old and new stand side by side, at both processes.
            for base in [world().url("espoo"), format!("http://espoo.localhost:{port}")] {
                eventually("both keys at every process", || async {
                    let jwks: Value = harness::client()
                        .get(format!("{base}/oauth/jwks"))
                        .send()
                        .await
                        .unwrap()
                        .json()
                        .await
                        .unwrap();
                    let text = jwks.to_string();
                    (text.contains(old.as_str()) && text.contains(next.as_str())).then_some(())
                })
                .await;
            }
        }
    }
    // The running process notices within a second; the next fetch after that moves.
    eventually("a move to the new proof key", || async {
        fetched(&service, &id, "after all rotations").await;
        (bound_to(&id).await == signing("helsinki", KeyPurpose::Dpop).await).then_some(())
    })
    .await;
    second.stop().await;
}

#[tokio::test]
async fn in_an_emergency_new_keys_sign_at_once_and_peers_follow() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let service = world().service("helsinki").await;
    let id = permission(&service, "otso").await;
    fetched(&service, &id, "before").await;
    // The proof key last: the move to it makes the recipient prove itself with the new client key, get a token under
    // the new token key, and verify a receipt under the new receipt key.
    for (city, purpose) in BY_COMMAND {
        assert!(matches!(rotate(city, purpose, true).await, Rotation::Done(_)));
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = bound_to(&id).await;
    fetched(&service, &id, "with four new keys").await;
    assert_ne!(bound_to(&id).await, before);
    // A proof key that is given up for good takes no permission with it either.
    let config = &world().cities["helsinki"];
    let given_up = signing("helsinki", KeyPurpose::Dpop).await;
    let reason = RevokeReason::Compromised;
    operator::keys::revoke(&config.store, &config.keys, given_up.clone(), reason, None).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    fetched(&service, &id, "after the proof key was revoked").await;
    assert_ne!(bound_to(&id).await, given_up);
}

async fn text(url: &str) -> (String, String) {
    let reply = harness::client().get(url).send().await.unwrap();
    assert_eq!(reply.status(), 200, "{url}");
    let kind = reply.headers()["content-type"].to_str().unwrap().to_owned();
    (kind, reply.text().await.unwrap())
}

/// What a stranger who knows the anchor alone finds out about a member's keys of before.
async fn history_of(member: &EntityId) -> Option<HistoricalKeys> {
    const CONFIGURATION: &str = "/.well-known/openid-federation";
    let (anchor, now) = (&world().anchor.anchor.entity_id, SystemClock.now());
    let (_, own_word) = text(&format!("{anchor}{CONFIGURATION}")).await;
    let keys = verify_self_signed(&own_word, now).unwrap().keys().unwrap();
    let (_, leaf) = text(&format!("{member}{CONFIGURATION}")).await;
    let (_, about) = text(&format!("{anchor}/federation/fetch?sub={member}")).await;
    let anchors = [TrustAnchor { id: anchor.clone(), keys }];
    // The anchor may not have looked since the last change: then the stranger asks again.
    let chain = verify_statements(&[leaf, about, own_word], &anchors, SystemClock.now()).ok()?;
    let endpoint = chain.metadata()["federation_entity"]["federation_historical_keys_endpoint"].clone();
    let (kind, history) = text(endpoint.as_str().unwrap()).await;
    assert_eq!(kind, format!("application/{KEY_SET_TYP}"));
    let vouched = chain.keys_of(member).unwrap();
    let other = EntityId::new(world().url("oulu")).unwrap();
    assert!(HistoricalKeys::verify(&history, &other, vouched, SystemClock.now()).is_err());
    HistoricalKeys::verify(&history, member, vouched, SystemClock.now()).ok()
}

async fn rotated_by_itself(city: &'static str, purpose: KeyPurpose) -> KeyId {
    let old = signing(city, purpose).await;
    let Rotation::Begun(next) = rotate(city, purpose, false).await else { panic!("not begun") };
    eventually("the next key signs by itself", || async {
        (signing(city, purpose).await == next).then_some(())
    })
    .await;
    old
}

#[tokio::test]
async fn a_stranger_reads_and_verifies_the_federation_keys_of_before_and_no_others() {
    let turku = EntityId::new(world().url("turku")).unwrap();
    let given_up = rotated_by_itself("turku", KeyPurpose::Federation).await;
    rotated_by_itself("turku", KeyPurpose::Token).await;
    let retired = rotated_by_itself("turku", KeyPurpose::Federation).await;
    let config = &world().cities["turku"];
    let reason = RevokeReason::Compromised;
    operator::keys::revoke(&config.store, &config.keys, given_up.clone(), reason, None).await.unwrap();
    let history = eventually("a history with both keys", || async {
        let history = history_of(&turku).await?;
        history.find(&given_up)?.revoked.is_some().then_some(history)
    })
    .await;
    let now = SystemClock.now().secs();
    let revoked = history.find(&given_up).unwrap();
    let revocation = revoked.revoked.clone().unwrap();
    assert_eq!(revocation.reason, Some(RevocationReason::Compromised));
    assert!((now - 60..=now).contains(&revocation.revoked_at));
    let ended = history.find(&retired).unwrap();
    assert!(ended.revoked.is_none() && ended.iat.unwrap() <= ended.exp && ended.exp <= now);
    // The token key of before is not among them: whoever has it could otherwise pass for the federation key.
    assert_eq!(history.keys.len(), 2);
    assert!(history.find(&signing("turku", KeyPurpose::Federation).await).is_none());
}

/// Receipts of Turku: of a decision, about something that asks for no stronger login, and of what Espoo then fetched.
async fn receipts_of_turku() -> [String; 2] {
    let (recipient, config) = (world().service("espoo").await, &world().cities["espoo"]);
    let plain = |kind: &str| {
        let mut held = world().cities["turku"].datasets.iter().map(|held| &held.dataset);
        held.any(|one| one.kind.as_str() == kind && one.required_acr.is_none() && !one.required_passkey)
    };
    let mut own = config.uses.iter().filter(|one| one.service == config.services[0].id);
    let declared = own.find(|one| plain(one.dataset_type.as_str())).unwrap();
    let asked = recipient.ask("turku", declared.id.slug(), Some("aino"), json!({})).await;
    let mut browser = harness::browser::Browser::new();
    let page = browser.open(asked["startUrl"].as_str().unwrap()).await.log_in(&mut browser, "aino").await;
    page.decide(&mut browser, "allow", &[]).await;
    let id = asked["id"].as_str().unwrap();
    fetched(&recipient, id, "while the key signs").await;
    let consent = world().consent("espoo", "turku", id).await;
    let (turku, espoo, held) = (world().store("turku"), world().store("espoo"), id.parse().unwrap());
    let decided =
        turku.read("test", move |reader| consent_receipts::of_consent(reader, consent)).await.unwrap();
    let exchanged = espoo.read("test", move |reader| fetches::of_held(reader, held, 1)).await.unwrap();
    [decided[0].text.clone(), exchanged[0].receipt.clone().unwrap()]
}

/// What a city says about a receipt, by a process that has asked nobody before.
async fn judged_by(city: &str, receipt: &str) -> Option<SignerKey> {
    let node = app::assemble(&world().cities[city]).await.unwrap().node;
    match check_receipt::check(&node, receipt).await.unwrap() {
        Verified::Genuine { key, .. } => Some(key),
        Verified::Unavailable { .. } => None,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_receipt_is_judged_elsewhere_long_after_its_key_left_the_published_set() {
    let [receipt, exchange] = receipts_of_turku().await;
    assert_eq!(judged_by("helsinki", &receipt).await, Some(SignerKey::InUse));
    let signed_by = signing("turku", KeyPurpose::Receipt).await;
    rotated_by_itself("turku", KeyPurpose::Receipt).await;
    eventually("another city that takes it for an old one", || async {
        (judged_by("helsinki", &receipt).await == Some(SignerKey::Retired)).then_some(())
    })
    .await;
    // One letter less, and the old key does not help.
    let altered = format!("{}A", &receipt[..receipt.len() - 1]);
    let other = if altered == receipt { format!("{}Q", &receipt[..receipt.len() - 1]) } else { altered };
    let node = app::assemble(&world().cities["helsinki"]).await.unwrap().node;
    let outcome = check_receipt::check(&node, &other).await.unwrap();
    assert!(matches!(outcome, Verified::Altered { .. } | Verified::NoReceipt), "{outcome:?}");
    // Given up: a receipt that nobody else recorded proves nothing, whatever date it bears.
    let config = &world().cities["turku"];
    let reason = RevokeReason::Compromised;
    operator::keys::revoke(&config.store, &config.keys, signed_by, reason, None).await.unwrap();
    assert_eq!(judged_by("helsinki", &receipt).await, Some(SignerKey::Compromised));
    assert_eq!(judged_by("helsinki", &exchange).await, Some(SignerKey::Compromised));
    // Espoo had it, with the data, before the thief had the key.
    assert_eq!(judged_by("espoo", &exchange).await, Some(SignerKey::GivenUpSince));
}
