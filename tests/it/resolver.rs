//! Members found through anchors and intermediates, over HTTP on loopback; every hostile answer of
//! `tests/vectors/federation/hostile.json`, and every address of `tests/vectors/federation/inward.json`.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use omadata::domain::clock::Timestamp;
use omadata::domain::federation::{ChainHint, Role, TrustError, TrustedPeer};
use omadata::domain::ids::EntityId;
use omadata::domain::jose::{PublicKeys, SigningKey};
use omadata::http::{AddressPolicy, Expected, GuardError, GuardedClient};
use omadata::outbound::{AnchorSource, FederationPeers, PeerSettings};
use omadata::ports::{AnchorKeyStore, MemberDirectory, TrustResolver};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::hostile::{canary, count, federation, judge, lines, set_up, spell};
use crate::toy_federation::{self, Change, START, Toy};

fn source(toy: &Toy, name: &str) -> AnchorSource {
    AnchorSource { id: toy.id(name), keys: Some(toy.keys(name)) }
}

fn peers(toy: &Toy) -> FederationPeers {
    let guard = GuardedClient::new(AddressPolicy::Demo).unwrap();
    FederationPeers::new(vec![source(toy, "anchor")], guard, toy.clock.clone()).unwrap()
}

fn refused<T: std::fmt::Debug>(outcome: Result<T, TrustError>) -> &'static str {
    match outcome {
        Err(TrustError::NotTrusted(fault)) => fault.as_str(),
        other => panic!("{other:?}"),
    }
}

fn key_of(toy: &Toy, name: &str) -> SigningKey {
    let mut key = None;
    toy.change(name, |entity| key = Some(entity.key.clone()));
    key.unwrap()
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
    let guard = GuardedClient::new(AddressPolicy::Demo).unwrap();
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

/// By anchor: from which configured keys it was followed to which.
#[derive(Default)]
struct Memory(Mutex<HashMap<EntityId, (PublicKeys, PublicKeys)>>);

#[async_trait]
impl AnchorKeyStore for Memory {
    async fn load(
        &self,
        anchor: &EntityId,
        configured: &PublicKeys,
    ) -> Result<Option<PublicKeys>, TrustError> {
        let kept = self.0.lock().unwrap().get(anchor).cloned();
        Ok(kept.filter(|(from, _)| from == configured).map(|(_, keys)| keys))
    }

    async fn save(
        &self,
        anchor: &EntityId,
        configured: &PublicKeys,
        keys: &PublicKeys,
        _: Timestamp,
    ) -> Result<(), TrustError> {
        self.0.lock().unwrap().insert(anchor.clone(), (configured.clone(), keys.clone()));
        Ok(())
    }
}

#[tokio::test]
async fn an_anchor_is_followed_from_key_to_key() {
    let toy = federation().await;
    let (memory, configured) = (Arc::new(Memory::default()), source(&toy, "anchor"));
    let first = key_of(&toy, "anchor");
    let start = |memory: Arc<Memory>| {
        let settings = PeerSettings { anchors: vec![configured.clone()], chain_age_secs: 60, memory };
        FederationPeers::open(settings, GuardedClient::new(AddressPolicy::Demo).unwrap(), toy.clock.clone())
            .unwrap()
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
    assert!(start(memory.clone()).resolve(&espoo).await.is_ok());
    assert_eq!(refused(start(Arc::default()).resolve(&espoo).await), "unknown_key");
    // Nobody else brings a key in.
    toy.change("anchor", |anchor| anchor.configuration.forged = true);
    toy.clock.pass(61);
    assert_eq!(refused(peers.resolve(&espoo).await), "unknown_key");
    // Nor whoever has the key that the anchor gave up, though it is the one that the file names.
    toy.change("anchor", |anchor| {
        anchor.configuration.forged = false;
        anchor.key = first.clone();
        anchor.named = vec![first.clone()];
    });
    toy.clock.pass(61);
    assert_eq!(refused(peers.resolve(&espoo).await), "unknown_key");
    assert_eq!(refused(start(memory).resolve(&espoo).await), "unknown_key");
}

#[tokio::test]
async fn an_anchor_that_is_configured_anew_is_no_longer_followed_from_its_old_keys() {
    let toy = federation().await;
    let memory = Arc::new(Memory::default());
    let start = |keys: PublicKeys| {
        let anchors = vec![AnchorSource { id: toy.id("anchor"), keys: Some(keys) }];
        let settings = PeerSettings { anchors, chain_age_secs: 60, memory: memory.clone() };
        FederationPeers::open(settings, GuardedClient::new(AddressPolicy::Demo).unwrap(), toy.clock.clone())
            .unwrap()
    };
    let espoo = toy.id("espoo");
    let (old, stolen) = (toy.keys("anchor"), key_of(&toy, "anchor"));
    start(old).resolve(&espoo).await.unwrap();
    // Its key was stolen; the operators name the new one in their files.
    let next = SigningKey::generate().unwrap();
    let changed = start(PublicKeys::single(next.public().clone()));
    assert_eq!(refused(changed.resolve(&espoo).await), "unknown_key", "the thief, who has the old key");
    toy.change("anchor", |anchor| (anchor.key, anchor.named) = (next.clone(), vec![next.clone()]));
    toy.clock.pass(61);
    assert!(changed.resolve(&espoo).await.is_ok());
    toy.change("anchor", |anchor| (anchor.key, anchor.named) = (stolen.clone(), vec![stolen.clone()]));
    toy.clock.pass(61);
    assert_eq!(refused(changed.resolve(&espoo).await), "unknown_key");
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
        let peer = peers.refreshed(&espoo, &|_| true).await.unwrap();
        assert!(peer.recipient().unwrap().client().client_keys.find(next.kid()).is_some());
    }
    assert_eq!(count(&toy.asked(), "espoo", "/.well-known"), 1);
    assert_eq!(refused(peers.refreshed(&toy.id("stranger"), &|_| true).await), "no anchor lists it");
    assert_eq!(count(&toy.asked(), "stranger", "/"), 0);
}

#[tokio::test]
async fn a_crowd_of_forgeries_makes_few_requests_and_hides_no_new_key() {
    let toy = federation().await;
    let peers = peers(&toy);
    let espoo = toy.id("espoo");
    peers.resolve(&espoo).await.unwrap();
    toy.asked();
    for _ in 0..180 {
        toy.clock.pass(1);
        for _ in 0..3 {
            peers.refreshed(&espoo, &|_| false).await.unwrap();
        }
    }
    let asked = count(&toy.asked(), "espoo", "/.well-known");
    assert!((4..=12).contains(&asked), "{asked} requests in three minutes");
    let next = SigningKey::generate().unwrap();
    toy.change("espoo", |espoo| espoo.named.push(next.clone()));
    let has = |peer: &TrustedPeer| peer.recipient().unwrap().client().client_keys.find(next.kid()).is_some();
    let mut waited = 0;
    while !has(&peers.refreshed(&espoo, &|_| false).await.unwrap()) {
        toy.clock.pass(1);
        waited += 1;
        assert!(waited <= 31, "the true member's new key is not found");
    }
    // One that is found ends the pause, and so does a while without any.
    toy.clock.pass(61);
    toy.asked();
    for _ in 0..3 {
        toy.clock.pass(2);
        peers.refreshed(&espoo, &has).await.unwrap();
    }
    assert_eq!(count(&toy.asked(), "espoo", "/.well-known"), 3);
}

#[tokio::test]
async fn who_is_below_a_withdrawn_intermediate_is_refused_though_another_superior_is_away() {
    let toy = federation().await;
    toy.superior("second", &[], &["turku"]);
    toy.change("turku", |turku| turku.hints.push("second".into()));
    let guard = GuardedClient::new(AddressPolicy::Demo).unwrap();
    let anchors = vec![source(&toy, "anchor"), source(&toy, "second")];
    toy.change("second", |second| second.away = true);
    let peers = FederationPeers::new(anchors, guard, toy.clock.clone()).unwrap();
    let turku = toy.id("turku");
    assert_eq!(peers.resolve(&turku).await.unwrap().superiors, [toy.id("middle"), toy.id("anchor")]);
    toy.change("anchor", |anchor| {
        anchor.members.remove("middle");
    });
    toy.clock.pass(61);
    assert_eq!(refused(peers.resolve(&turku).await), "its superior is no intermediate any more");
    toy.change("second", |second| second.away = false);
    toy.clock.pass(61);
    assert_eq!(peers.resolve(&turku).await.unwrap().superiors, [toy.id("second")]);
}

#[tokio::test]
async fn superiors_that_say_nothing_do_not_hold_up_a_first_contact() {
    let toy = federation().await;
    let silent = ["quiet0", "quiet1", "quiet2"];
    for name in silent {
        toy.superior(name, &[], &["espoo"]);
        toy.change(name, |quiet| quiet.configuration.raw = Some((Vec::new(), false)));
    }
    let start = |names: &[&str]| {
        let anchors = names.iter().map(|name| source(&toy, name)).collect();
        let settings = PeerSettings { anchors, chain_age_secs: 30, memory: Arc::new(Memory::default()) };
        FederationPeers::open(settings, GuardedClient::new(AddressPolicy::Demo).unwrap(), toy.clock.clone())
            .unwrap()
    };
    let began = tokio::time::Instant::now();
    let peer = start(&[silent[0], silent[1], "anchor", silent[2]]).resolve(&toy.id("espoo")).await.unwrap();
    assert_eq!(peer.anchor, toy.id("anchor"));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    // When there is nobody else, the whole of it has one end.
    let began = tokio::time::Instant::now();
    let nobody = start(&silent).resolve(&toy.id("espoo")).await;
    assert!(matches!(nobody, Err(TrustError::Unavailable(_))), "{nobody:?}");
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HandedIn {
    name: String,
    /// Each statement as issuer and subject.
    #[serde(default)]
    chain: Vec<String>,
    #[serde(default)]
    claims: Value,
    #[serde(default)]
    forged: bool,
    #[serde(default)]
    raw: Option<Value>,
    reason: String,
}

#[tokio::test]
async fn a_chain_that_is_handed_in_changes_nothing_but_who_is_asked_first() {
    let lines: Vec<HandedIn> =
        serde_json::from_str(include_str!("../vectors/federation/hints.json")).unwrap();
    for line in &lines {
        let toy = federation().await;
        let claims = spell(&toy, "", &line.claims);
        let texts = line.chain.iter().map(|link| {
            let (issuer, subject) = link.split_once('/').unwrap();
            toy.statement(issuer, subject, &claims, line.forged)
        });
        let handed_in = line.raw.clone().unwrap_or_else(|| texts.map(Value::from).collect());
        let (turku, anchors) = (toy.id("turku"), [toy.id("anchor")]);
        let read = ChainHint::read(&handed_in, &turku, &anchors, Timestamp::from_secs(START));
        let reason = read.as_ref().err().map_or("", TrustError::reason);
        assert_eq!(reason, line.reason, "{}", line.name);
        let peers = peers(&toy);
        let peer = peers.resolve_along(&turku, &read.unwrap_or_default()).await.unwrap();
        assert_eq!(peer.superiors, [toy.id("middle"), toy.id("anchor")], "{}", line.name);
        let asked = toy.asked();
        for foreign in ["rogue", "stranger", "outsider", "espoo"] {
            assert_eq!(count(&asked, foreign, "/"), 0, "{}: {asked:?}", line.name);
        }
        // It makes nobody a member.
        let outsider = toy.id("outsider");
        let texts = ["outsider/outsider", "anchor/outsider"].map(|link| {
            let (issuer, subject) = link.split_once('/').unwrap();
            toy.statement(issuer, subject, &Value::Null, false)
        });
        let hint = ChainHint::read(&json!(texts), &outsider, &anchors, Timestamp::from_secs(START)).unwrap();
        assert_eq!(refused(peers.resolve_along(&outsider, &hint).await), "no anchor lists it");
        assert_eq!(count(&toy.asked(), "outsider", "/"), 0);
    }
}

#[tokio::test]
async fn a_hint_saves_asking_the_others() {
    let toy = federation().await;
    let regions: Vec<String> = (0..20).map(|n| format!("region{n}")).collect();
    for region in &regions {
        toy.superior(region, &["anchor"], &["somebody"]);
    }
    toy.superior("zlast", &["anchor"], &["oulu"]);
    toy.node("oulu", &["zlast"], "anchor");
    let listed: Vec<&str> = regions.iter().map(String::as_str).chain(["zlast"]).collect();
    toy.superior("anchor", &[], &listed);
    let oulu = toy.id("oulu");
    let texts = [("oulu", "oulu"), ("zlast", "oulu"), ("anchor", "zlast")]
        .map(|(issuer, subject)| toy.statement(issuer, subject, &Value::Null, false));
    let anchors = [toy.id("anchor")];
    let hint = ChainHint::read(&json!(texts), &oulu, &anchors, Timestamp::from_secs(START)).unwrap();
    let cost = |hint: ChainHint| {
        let (peers, oulu, toy) = (peers(&toy), oulu.clone(), toy.clone());
        async move {
            toy.asked();
            let peer = peers.resolve_along(&oulu, &hint).await.unwrap();
            (toy.asked().len(), peer.superiors.clone())
        }
    };
    let (with, found) = cost(hint).await;
    let (without, same) = cost(ChainHint::default()).await;
    assert_eq!(found, same);
    assert!(with < 16 && without > 80, "{with} with the hint, {without} without");
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
    // Of so many superiors those are asked that are above it: its own configuration is read to know which.
    assert_eq!((count(&asked, "deep", "/"), count(&asked, "level5", "/")), (1, 0));
    let shallow = peers.resolve(&toy.id("shallow")).await.unwrap();
    assert_eq!(shallow.superiors, [toy.id("level1"), toy.id("level0"), toy.id("anchor")]);
}

#[tokio::test]
async fn hostile_answers_are_refused_within_their_budget_and_lead_nowhere() {
    let (inward, visits) = canary().await;
    for line in &lines() {
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
    let lines: Vec<Inward> = serde_json::from_str(include_str!("../vectors/federation/inward.json")).unwrap();
    let (inward, visits) = canary().await;
    let port = inward.rsplit(':').next().unwrap();
    for line in &lines {
        let reach = if line.reach == "public" { AddressPolicy::Public } else { AddressPolicy::Demo };
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

#[tokio::test]
async fn a_member_below_the_last_of_many_intermediates_is_found_with_little_work() {
    let toy = federation().await;
    let regions: Vec<String> = (0..50).map(|n| format!("region{n}")).collect();
    for region in &regions {
        toy.superior(region, &["anchor"], &["nobody"]);
    }
    toy.superior("region49", &["anchor"], &["oulu"]);
    toy.node("oulu", &["region49"], "anchor");
    toy.change("anchor", |anchor| anchor.members.extend(regions.iter().cloned()));
    let peers = peers(&toy);
    let oulu = peers.resolve(&toy.id("oulu")).await.unwrap();
    assert_eq!(oulu.superiors, [toy.id("region49"), toy.id("anchor")]);
    assert_eq!(oulu.roles(), Role::ALL.to_vec());
    let listed = |asked: &[(String, String)]| -> Vec<String> {
        let mut who: Vec<String> = asked
            .iter()
            .filter(|(who, path)| who.starts_with("region") && path.starts_with("/list"))
            .map(|(who, _)| who.clone())
            .collect();
        who.sort();
        who.dedup();
        who
    };
    assert_eq!(listed(&toy.asked()), ["region49"], "only who is above it by what it says itself");
    // Whom nobody lists leads to no superior, and is not asked again at once.
    for _ in 0..3 {
        assert_eq!(refused(peers.resolve(&toy.id("stranger")).await), "no anchor lists it");
    }
    let asked = toy.asked();
    assert_eq!(listed(&asked), Vec::<String>::new());
    assert!(count(&asked, "stranger", "/") <= 1, "{asked:?}");
}

#[tokio::test]
async fn a_member_of_another_kind_has_a_chain_though_it_is_no_peer() {
    let toy = federation().await;
    toy.change("espoo", |espoo| {
        espoo.configuration.claims = json!({"metadata": {
            "oauth_client": null,
            "openid_relying_party": {"jwks_uri": "https://client.example/jwks"},
        }});
    });
    let peers = peers(&toy);
    assert_eq!(refused(peers.resolve(&toy.id("espoo")).await), "the client has no proper redirect_uris");
    let resolved = peers.resolve_entity(&toy.id("espoo")).await.unwrap();
    assert_eq!(resolved.chain.anchor(), &toy.id("anchor"));
    let client = &resolved.chain.metadata()["openid_relying_party"];
    assert_eq!(client["jwks_uri"], "https://client.example/jwks");
    assert_eq!(resolved.marks.len(), 3);
}

#[tokio::test]
async fn wrong_keys_of_an_anchor_are_put_right_without_a_restart() {
    let toy = federation().await;
    let guard = GuardedClient::new(AddressPolicy::Demo).unwrap();
    let wrong = AnchorSource { id: toy.id("anchor"), keys: Some(toy.keys("rogue")) };
    let peers = FederationPeers::new(vec![wrong], guard, toy.clock.clone()).unwrap();
    let espoo = toy.id("espoo");
    assert_eq!(refused(peers.resolve(&espoo).await), "unknown_key");
    peers.configure_anchor_keys(&toy.id("anchor"), toy.keys("anchor"));
    toy.clock.pass(3);
    assert_eq!(peers.resolve(&espoo).await.unwrap().anchor, toy.id("anchor"));
    // And back: what was followed from other keys counts no more.
    peers.configure_anchor_keys(&toy.id("anchor"), toy.keys("rogue"));
    toy.clock.pass(61);
    assert_eq!(refused(peers.resolve(&espoo).await), "unknown_key");
}
