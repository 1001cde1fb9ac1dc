//! Members found through anchors and intermediates, over HTTP on loopback; every hostile answer of
//! `vectors/federation/hostile.json`, and every address of `vectors/federation/inward.json`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

#[path = "harness/toy_federation.rs"]
mod toy_federation;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use omadata::domain::clock::Timestamp;
use omadata::domain::federation::{Role, TrustError, TrustedPeer};
use omadata::domain::ids::EntityId;
use omadata::domain::jose::{PublicKeys, SigningKey};
use omadata::node::OAuthError;
use omadata::outbound::{
    AnchorSource, Expected, FederationPeers, GuardError, GuardedClient, PeerSettings, Reach,
};
use omadata::ports::{AnchorKeys, Peers};
use serde::Deserialize;
use serde_json::{Value, json};
use toy_federation::{Change, START, Toy, http};

/// Espoo below the anchor, Turku below an intermediate, Helsinki below both; a stranger, and an anchor that is not ours.
async fn federation() -> Toy {
    let toy = Toy::serve().await;
    toy.superior("anchor", &[], &["espoo", "helsinki", "middle"]);
    toy.superior("middle", &["anchor"], &["turku", "helsinki"]);
    toy.superior("rogue", &[], &["outsider"]);
    toy.node("espoo", &["anchor"], "anchor");
    toy.node("turku", &["middle"], "anchor");
    toy.node("helsinki", &["middle", "anchor"], "anchor");
    toy.node("stranger", &["anchor"], "anchor");
    toy.node("outsider", &["rogue"], "rogue");
    toy
}

fn source(toy: &Toy, name: &str) -> AnchorSource {
    AnchorSource { id: toy.id(name), keys: Some(toy.keys(name)) }
}

fn peers(toy: &Toy) -> FederationPeers {
    let guard = GuardedClient::new(Reach::Demo).unwrap();
    FederationPeers::new(vec![source(toy, "anchor")], guard, toy.clock.clone()).unwrap()
}

fn refused<T: std::fmt::Debug>(outcome: Result<T, TrustError>) -> &'static str {
    match outcome {
        Err(TrustError::NotTrusted(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

fn count(asked: &[(String, String)], host: &str, path: &str) -> usize {
    asked.iter().filter(|(name, target)| name == host && target.starts_with(path)).count()
}

#[tokio::test]
async fn a_member_is_found_through_the_nearest_superior() {
    let toy = federation().await;
    let peers = peers(&toy);
    let turku = peers.resolve(&toy.id("turku")).await.unwrap();
    assert_eq!(turku.superiors, [toy.id("middle"), toy.id("anchor")]);
    assert_eq!((turku.statements.len(), turku.roles()), (4, Role::ALL.to_vec()));
    assert_eq!(turku.federation_keys, toy.keys("turku"));
    // Both vouch for Helsinki, which names the intermediate first; the shorter chain counts.
    let helsinki = peers.resolve(&toy.id("helsinki")).await.unwrap();
    assert_eq!(helsinki.superiors, [toy.id("anchor")]);
    // When the anchor does so no more, the longer one is found.
    toy.change("anchor", |anchor| {
        anchor.members.remove("helsinki");
    });
    toy.clock.pass(61);
    let helsinki = peers.resolve(&toy.id("helsinki")).await.unwrap();
    assert_eq!(helsinki.superiors, [toy.id("middle"), toy.id("anchor")]);
    let names: Vec<EntityId> = peers.members().await.unwrap().iter().map(|peer| peer.id.clone()).collect();
    let mut expected = vec![toy.id("espoo"), toy.id("helsinki"), toy.id("turku")];
    expected.sort();
    assert_eq!(names, expected);
    toy.change("espoo", |espoo| espoo.configuration.forged = true);
    toy.clock.pass(61);
    let survey: HashMap<EntityId, _> = peers.survey().await.unwrap().into_iter().collect();
    assert_eq!(refused(survey[&toy.id("espoo")].clone()), "unknown_key");
    assert!(survey[&toy.id("turku")].is_ok());
}

#[tokio::test]
async fn one_of_several_anchors_is_enough() {
    let toy = federation().await;
    toy.change("rogue", |rogue| {
        rogue.members.insert("espoo".into());
    });
    toy.change("espoo", |espoo| {
        espoo.hints.push("rogue".into());
        espoo.marks.push((Role::DataHolder, "rogue".into()));
    });
    let guard = GuardedClient::new(Reach::Demo).unwrap();
    let anchors = vec![source(&toy, "anchor"), source(&toy, "rogue")];
    let peers = FederationPeers::new(anchors, guard, toy.clock.clone()).unwrap();
    assert_eq!(peers.resolve(&toy.id("espoo")).await.unwrap().anchor, toy.id("anchor"));
    assert!(peers.resolve(&toy.id("outsider")).await.is_ok());
    toy.change("anchor", |anchor| {
        anchor.members.remove("espoo");
    });
    toy.clock.pass(61);
    let espoo = peers.resolve(&toy.id("espoo")).await.unwrap();
    // The marks of one federation give no role in another.
    assert_eq!((&espoo.anchor, espoo.roles()), (&toy.id("rogue"), vec![Role::DataHolder]));
}

#[tokio::test]
async fn losing_a_mark_or_a_superior_is_noticed_within_the_chains_age() {
    let toy = federation().await;
    let peers = peers(&toy);
    let (espoo, turku) = (toy.id("espoo"), toy.id("turku"));
    assert!(peers.resolve(&espoo).await.unwrap().recipient().is_ok());
    assert!(peers.resolve(&turku).await.is_ok());
    toy.change("anchor", |anchor| {
        anchor.revoked.insert(("espoo".into(), Role::DataRecipient));
        anchor.members.remove("middle");
    });
    toy.clock.pass(60);
    let peer = peers.resolve(&espoo).await.unwrap();
    assert_eq!(refused(peer.recipient()), "the member lacks the trust mark data-recipient");
    assert!(peer.holder().is_ok());
    refused(peers.resolve(&turku).await);
    // Whom only the intermediate listed is nobody that this node would ask.
    toy.clock.pass(61);
    toy.asked();
    refused(peers.resolve(&turku).await);
    assert_eq!(count(&toy.asked(), "turku", "/"), 0);
}

#[tokio::test]
async fn a_superior_that_is_away_does_not_keep_another_ones_former_member() {
    let toy = federation().await;
    let peers = peers(&toy);
    peers.resolve(&toy.id("espoo")).await.unwrap();
    peers.resolve(&toy.id("turku")).await.unwrap();
    toy.change("middle", |middle| middle.away = true);
    toy.change("anchor", |anchor| {
        anchor.members.remove("espoo");
    });
    toy.clock.pass(61);
    refused(peers.resolve(&toy.id("espoo")).await);
    // What is known of the others holds while their superior is away, and no longer than its time.
    assert!(peers.resolve(&toy.id("turku")).await.is_ok());
    toy.clock.pass(toy_federation::LIFETIME);
    let gone = peers.resolve(&toy.id("turku")).await;
    assert!(matches!(gone, Err(TrustError::Unavailable(_))), "{gone:?}");
    toy.change("middle", |middle| middle.away = false);
    toy.clock.pass(3);
    assert!(peers.resolve(&toy.id("turku")).await.is_ok());
}

#[tokio::test]
async fn a_chain_is_renewed_behind_its_users_backs() {
    let toy = federation().await;
    let peers = peers(&toy);
    let espoo = toy.id("espoo");
    let first = peers.resolve(&espoo).await.unwrap();
    toy.clock.pass(20);
    toy.asked();
    let still = peers.resolve(&espoo).await.unwrap();
    assert!(Arc::ptr_eq(&first, &still), "nobody waits for it");
    let mut fetched = 0;
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        fetched += count(&toy.asked(), "espoo", "/.well-known");
        if peers.resolve(&espoo).await.unwrap().issued_at > first.issued_at {
            break;
        }
    }
    assert!(peers.resolve(&espoo).await.unwrap().issued_at > first.issued_at);
    assert_eq!(fetched + count(&toy.asked(), "espoo", "/.well-known"), 1);
}

#[derive(Default)]
struct Memory(Mutex<HashMap<EntityId, PublicKeys>>);

#[async_trait]
impl AnchorKeys for Memory {
    async fn remembered(&self, anchor: &EntityId) -> Result<Option<PublicKeys>, TrustError> {
        Ok(self.0.lock().unwrap().get(anchor).cloned())
    }

    async fn remember(&self, anchor: &EntityId, keys: &PublicKeys, _: Timestamp) -> Result<(), TrustError> {
        self.0.lock().unwrap().insert(anchor.clone(), keys.clone());
        Ok(())
    }
}

#[tokio::test]
async fn an_anchor_is_followed_from_key_to_key() {
    let toy = federation().await;
    let (memory, configured) = (Arc::new(Memory::default()), source(&toy, "anchor"));
    let start = |memory: Arc<Memory>| {
        let settings = PeerSettings { anchors: vec![configured.clone()], chain_age_secs: 60, memory };
        FederationPeers::open(settings, GuardedClient::new(Reach::Demo).unwrap(), toy.clock.clone()).unwrap()
    };
    let peers = start(memory.clone());
    let espoo = toy.id("espoo");
    peers.resolve(&espoo).await.unwrap();
    let next = SigningKey::generate().unwrap();
    toy.change("anchor", |anchor| anchor.named.push(next.clone()));
    toy.clock.pass(61);
    peers.resolve(&espoo).await.unwrap();
    toy.change("anchor", |anchor| {
        anchor.key = next.clone();
        anchor.named = vec![next.clone()];
    });
    toy.clock.pass(61);
    assert!(peers.resolve(&espoo).await.is_ok());
    // A node that was started again remembers, though its file still has the first key.
    assert!(start(memory).resolve(&espoo).await.is_ok());
    assert_eq!(refused(start(Arc::default()).resolve(&espoo).await), "unknown_key");
    // Nobody else brings a key in.
    toy.change("anchor", |anchor| anchor.configuration.forged = true);
    toy.clock.pass(61);
    assert_eq!(refused(peers.resolve(&espoo).await), "unknown_key");
}

#[tokio::test]
async fn a_key_that_nobody_knows_makes_us_ask_its_owner_once() {
    let toy = federation().await;
    let peers = peers(&toy);
    let espoo = toy.id("espoo");
    peers.resolve(&espoo).await.unwrap();
    let next = SigningKey::generate().unwrap();
    toy.change("espoo", |espoo| espoo.named.push(next.clone()));
    toy.asked();
    toy.clock.pass(3);
    for _ in 0..20 {
        let peer = peers.refreshed(&espoo).await.unwrap();
        assert!(peer.recipient().unwrap().client().client_keys.find(next.kid()).is_some());
    }
    assert_eq!(count(&toy.asked(), "espoo", "/.well-known"), 1);
    assert_eq!(refused(peers.refreshed(&toy.id("stranger")).await), "no anchor lists it");
    assert_eq!(count(&toy.asked(), "stranger", "/"), 0);
}

#[tokio::test]
async fn an_older_statement_does_not_bring_back_what_was_taken_away() {
    let toy = federation().await;
    let peers = peers(&toy);
    let espoo = toy.id("espoo");
    toy.clock.pass(100);
    let newest = peers.resolve(&espoo).await.unwrap();
    let old = Change { claims: json!({"iat": START, "exp": START + 9000}), ..Change::default() };
    toy.change("anchor", |anchor| {
        anchor.about.insert("espoo".into(), old);
    });
    toy.clock.pass(61);
    let still = peers.resolve(&espoo).await.unwrap();
    assert_eq!(still.issued_at, newest.issued_at, "the newer one serves on");
    // Also when membership was refused in between.
    toy.change("anchor", |anchor| {
        anchor.members.remove("espoo");
    });
    toy.clock.pass(61);
    refused(peers.resolve(&espoo).await);
    toy.change("anchor", |anchor| {
        anchor.members.insert("espoo".into());
    });
    toy.clock.pass(61);
    let replayed = peers.resolve(&espoo).await;
    assert!(matches!(replayed, Err(TrustError::Unavailable(_))), "{replayed:?}");
}

#[tokio::test]
async fn marks_may_come_from_whom_the_anchor_allows() {
    let toy = federation().await;
    let by_middle = |toy: &Toy| {
        toy.change("turku", |turku| turku.marks = vec![(Role::DataHolder, "middle".into())]);
        toy.change("espoo", |espoo| espoo.marks = vec![(Role::DataHolder, "middle".into())]);
    };
    by_middle(&toy);
    assert_eq!(peers(&toy).resolve(&toy.id("turku")).await.unwrap().roles(), []);
    toy.change("anchor", |anchor| anchor.issuers = vec!["middle".into()]);
    let peers = peers(&toy);
    // Turku's chain goes through the issuer, Espoo's does not: there the issuer is resolved by itself.
    for name in ["turku", "espoo"] {
        assert_eq!(peers.resolve(&toy.id(name)).await.unwrap().roles(), [Role::DataHolder], "{name}");
    }
    toy.change("middle", |middle| {
        middle.revoked.insert(("turku".into(), Role::DataHolder));
    });
    toy.clock.pass(61);
    assert_eq!(peers.resolve(&toy.id("turku")).await.unwrap().roles(), []);
}

#[tokio::test]
async fn loops_and_depths_and_crowds_of_superiors_come_to_an_end() {
    let toy = Toy::serve().await;
    let names: Vec<String> = (0..12).map(|n| format!("level{n}")).collect();
    let crowd: Vec<String> = (0..200).map(|n| format!("zcrowd{n}")).collect();
    for (n, name) in names.iter().enumerate() {
        let above = if n == 0 { "anchor" } else { names[n - 1].as_str() };
        let below = names.get(n + 1).map_or("deep", String::as_str);
        // Each lists the next, itself and everyone above.
        toy.superior(name, &[above, name], &[below, name, "anchor", above, "shallow"]);
    }
    for name in &crowd {
        toy.superior(name, &["anchor"], &["nobody"]);
    }
    let listed: Vec<&str> = std::iter::once("level0").chain(crowd.iter().map(String::as_str)).collect();
    toy.superior("anchor", &[], &listed);
    toy.node("deep", &["level11"], "anchor");
    toy.node("shallow", &["level1"], "anchor");
    let peers = peers(&toy);
    let refusal = peers.resolve(&toy.id("deep")).await;
    assert!(refusal.is_err(), "{refusal:?}");
    let asked = toy.asked();
    assert!(asked.len() < 300, "{} requests", asked.len());
    assert_eq!(count(&asked, "deep", "/") + count(&asked, "level5", "/"), 0);
    let shallow = peers.resolve(&toy.id("shallow")).await.unwrap();
    assert_eq!(shallow.superiors, [toy.id("level1"), toy.id("level0"), toy.id("anchor")]);
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    #[serde(default)]
    resolve: Option<String>,
    #[serde(default)]
    who: String,
    #[serde(default)]
    part: String,
    about: Option<String>,
    #[serde(default)]
    claims: Value,
    typ: Option<String>,
    #[serde(default)]
    forged: bool,
    raw: Option<String>,
    also: Option<Also>,
    outcome: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    roles: Vec<String>,
}

#[derive(Deserialize)]
struct Also {
    who: String,
    about: String,
    claims: Value,
}

/// A place on loopback that nobody may ask.
async fn canary() -> (String, Arc<AtomicU32>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let inward = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let visits: Arc<AtomicU32> = Arc::default();
    let counter = visits.clone();
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    });
    (inward, visits)
}

/// Replaces the words of a line by what they stand for in this federation.
fn spell(toy: &Toy, inward: &str, value: &Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members.iter().map(|(name, value)| (name.clone(), spell(toy, inward, value))).collect(),
        ),
        Value::Array(list) => list.iter().map(|value| spell(toy, inward, value)).collect(),
        Value::String(text) => match text.as_str() {
            "$deep" => (0..40).fold(json!(1), |inner, _| json!([inner])),
            "$twice" => {
                let keys = SigningKey::generate().unwrap().public().to_jwk();
                json!([keys, keys])
            }
            "$rogue_keys" => toy.keys("rogue").to_jwks(),
            "$marks_of_turku" => marks(toy, "turku", &Role::ALL),
            "$marks_mixed_up" => {
                marks(toy, "espoo", &[Role::DataHolder, Role::ConsentIssuer, Role::DataRecipient])
            }
            now if now.starts_with("$now") => {
                json!(START + now["$now".len()..].trim_start_matches('+').parse::<i64>().unwrap_or(0))
            }
            text => {
                let mut text = text.replace("$inward", inward);
                for name in ["anchor", "rogue", "turku", "espoo"] {
                    text = text.replace(&format!("${name}"), toy.id(name).as_str());
                }
                json!(text)
            }
        },
        other => other.clone(),
    }
}

/// Marks of a member, shown under the types of all roles in order, whatever roles they really are for.
fn marks(toy: &Toy, member: &str, real: &[Role]) -> Value {
    let mut key = None;
    toy.change("anchor", |anchor| key = Some(anchor.key.clone()));
    Role::ALL
        .iter()
        .zip(real)
        .map(|(shown, real)| {
            let claims = json!({
                "iss": toy.id("anchor"), "sub": toy.id(member), "iat": START,
                "trust_mark_type": real.mark_type(&toy.id("anchor")),
            });
            let mark = key.as_ref().unwrap().sign("trust-mark+jwt", &claims).unwrap();
            json!({"trust_mark_type": shown.mark_type(&toy.id("anchor")), "trust_mark": mark})
        })
        .collect()
}

fn raw(kind: &str, part: &str, inward: &str) -> (Vec<u8>, bool) {
    let media = match part {
        "list" => "application/json",
        "status" => "application/trust-mark-status-response+jwt",
        _ => "application/entity-statement+jwt",
    };
    let open = |extra: &str| format!("HTTP/1.1 200 X\r\ncontent-type: {media}\r\n{extra}\r\n").into_bytes();
    match kind {
        "oversize" => (http(200, media, &vec![b'a'; 70_000]), false),
        "gzip" => (open("content-encoding: gzip\r\ncontent-length: 3\r\n"), false),
        "endless" => (open(""), true),
        "redirect" => (
            format!("HTTP/1.1 302 X\r\nlocation: {inward}/x\r\ncontent-length: 0\r\n\r\n").into_bytes(),
            false,
        ),
        "page" => (http(200, "text/html", b"<p>hello</p>"), false),
        "words" => (http(200, media, b"hello"), false),
        "gone" => (http(404, "application/json", br#"{"error":"not_found"}"#), false),
        "failure" => (http(500, "application/json", b"{}"), false),
        "object" => (http(200, media, b"{}"), false),
        other => panic!("{other}"),
    }
}

fn set_up(toy: &Toy, line: &Line, inward: &str) {
    let raw = line.raw.as_ref().map(|kind| raw(kind, &line.part, inward));
    let claims = spell(toy, inward, &line.claims);
    let change = Change { claims, typ: line.typ.clone(), forged: line.forged, raw };
    let resolved = line.resolve.clone().unwrap_or("espoo".into());
    match line.part.as_str() {
        "" => {}
        "configuration" => toy.change(&line.who, |entity| entity.configuration = change),
        "about" => {
            let about = line.about.clone().unwrap_or(resolved);
            toy.change(&line.who, |entity| {
                entity.about.insert(about, change);
            });
        }
        "list" => toy.change(&line.who, |entity| entity.list = change),
        "status" => toy.change(&line.who, |entity| entity.status = change),
        other => panic!("{other}"),
    }
    if let Some(also) = &line.also {
        let change = Change { claims: spell(toy, inward, &also.claims), ..Change::default() };
        toy.change(&also.who, |entity| {
            entity.about.insert(also.about.clone(), change);
        });
    }
}

fn judge(line: &Line, outcome: Result<Arc<TrustedPeer>, TrustError>) {
    let name = &line.name;
    match (line.outcome.as_str(), outcome) {
        ("roles", Ok(peer)) => {
            let roles: Vec<&str> = peer.roles().into_iter().map(Role::name).collect();
            assert_eq!(roles, line.roles, "{name}");
        }
        ("not_trusted", Err(error @ TrustError::NotTrusted(reason)))
        | ("unavailable", Err(error @ TrustError::Unavailable(reason))) => {
            assert_eq!(reason, line.reason, "{name}");
            assert_eq!(OAuthError::from(error).code.as_str(), line.error, "{name}");
        }
        (_, other) => panic!("{name}: {other:?}"),
    }
}

#[tokio::test]
async fn hostile_answers_are_refused_within_their_budget_and_lead_nowhere() {
    let lines: Vec<Line> = serde_json::from_str(include_str!("vectors/federation/hostile.json")).unwrap();
    let (inward, visits) = canary().await;
    for line in &lines {
        let toy = federation().await;
        // Ours is a node that was configured before anything went wrong.
        let peers = peers(&toy);
        set_up(&toy, line, &inward);
        let wanted = toy.id(line.resolve.as_deref().unwrap_or("espoo"));
        let outcome = tokio::time::timeout(Duration::from_secs(10), peers.resolve(&wanted)).await;
        judge(line, outcome.unwrap_or_else(|_| panic!("{}: no end", line.name)));
        let asked = toy.asked();
        assert!(asked.len() <= 16, "{}: {asked:?}", line.name);
        for foreign in ["stranger", "outsider", "rogue", "helsinki"] {
            assert_eq!(count(&asked, foreign, "/"), 0, "{}: {asked:?}", line.name);
        }
    }
    assert_eq!(visits.load(Ordering::SeqCst), 0, "a request went inward");
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Inward {
    reach: String,
    url: String,
    reason: String,
}

#[tokio::test]
async fn addresses_inward_are_never_asked_even_when_a_list_names_them() {
    const ANYTHING: Expected = Expected { content_types: &["application/json"], max_bytes: 1000 };
    let lines: Vec<Inward> = serde_json::from_str(include_str!("vectors/federation/inward.json")).unwrap();
    let (inward, visits) = canary().await;
    let port = inward.rsplit(':').next().unwrap();
    for line in &lines {
        let reach = if line.reach == "public" { Reach::Public } else { Reach::Demo };
        let client = GuardedClient::new(reach).unwrap();
        let url = url::Url::parse(&line.url.replace("$port", port)).unwrap();
        client.allow(&url);
        let outcome = client.get(&url, &[], ANYTHING).await;
        let reason = match outcome {
            Err(GuardError::Forbidden(reason)) => reason,
            // Nothing that a request could be made of.
            Err(GuardError::Malformed) => "malformed",
            other => panic!("{}: {other:?}", line.url),
        };
        assert_eq!(reason, line.reason, "{}", line.url);
    }
    assert_eq!(visits.load(Ordering::SeqCst), 0);
}
