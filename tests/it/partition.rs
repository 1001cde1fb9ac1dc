//! What becomes of exchanges when parts of the federation cannot reach each other, and when a member is taken out: over
//! real connections, with every city's way to the anchor and to each other on a wire that a test can cut.
//!
//! Times are shortened and stated here: statements about members hold for [`STATEMENT_SECS`], a chain is used for
//! [`CHAIN_AGE_SECS`] at most. As shipped that is an hour and a minute.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::OnceLock;
use std::time::Duration;

use omadata::app::{self, SystemClock};
use omadata::config::{AnchorConfig, Config, Federation};
use omadata::demo::run::Adjust;
use omadata::domain::federation::{FaultKind, PeerReport, ResponsibleParty, Verdict};
use omadata::domain::ids::{EntityId, KeyId};
use omadata::node::federation::members::Decision;
use omadata::operator;
use omadata::operator::keys::{KeyPurpose, Rotation};
use omadata::operator::peers::FederationInspector;
use omadata::ports::Clock;
use omadata::store::keys::signing_keys;
use serde_json::{Value, json};

use crate::harness::browser::Browser;
use crate::harness::wire::{Cut, Wire};
use crate::harness::{self, Service, Setup, World, eventually};

const PLACEMENT: &str = "early-education-placement";

/// How long an anchor's statement about a member holds here.
const STATEMENT_SECS: u32 = 20;

/// How long a chain is used at most here: the time in which a member that was taken out is noticed.
const CHAIN_AGE_SECS: u32 = 5;

/// How long a new key is published before it signs here.
const LEAD_SECS: u32 = 3;

/// Within this time everything works again by itself once a fault is mended.
const RECOVERY: Duration = Duration::from_secs(30);

/// The cities in the order of their ports, with the address that each speaks from.
const CITIES: [(&str, u8); 4] = [("helsinki", 21), ("espoo", 22), ("turku", 23), ("oulu", 24)];

fn address(city: &str) -> IpAddr {
    let (_, last) = CITIES.into_iter().find(|(name, _)| *name == city).unwrap();
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, last))
}

/// Behind the wire: the demo uses the first eleven ports of a block.
fn behind_of_city(public: u16) -> u16 {
    public + 11
}

fn behind_of_anchor(public: u16) -> u16 {
    public + 11
}

fn adjust_city(config: &mut Config) {
    assert_eq!(
        config.federation.chain_age_seconds, 60,
        "as shipped, a removed member is noticed within a minute"
    );
    config.federation.chain_age_seconds = CHAIN_AGE_SECS;
    config.keys.lead_seconds = Some(LEAD_SECS);
    let public = config.node.listen.port();
    config.node.listen.set_port(behind_of_city(public));
    let host =
        config.node.base_url.as_str().trim_start_matches("http://").split('.').next().unwrap().to_owned();
    config.node.outbound_address = Some(address(&host));
}

fn adjust_anchor(config: &mut AnchorConfig) {
    config.anchor.statement_seconds = STATEMENT_SECS;
    let public = config.anchor.listen.port();
    config.anchor.listen.set_port(behind_of_anchor(public));
}

/// The cities, each behind a wire.
struct Wired {
    world: &'static World,
    wires: BTreeMap<&'static str, Wire>,
    /// One test at a time: they cut each other's wires.
    turn: tokio::sync::Mutex<()>,
}

impl Wired {
    fn shared() -> &'static Self {
        static SHARED: OnceLock<Wired> = OnceLock::new();
        SHARED.get_or_init(|| {
            let base_port = harness::free_ports(16);
            let mut wires = BTreeMap::from([("anchor", Wire::lay(base_port, behind_of_anchor(base_port)))]);
            for (place, (city, _)) in (1..).zip(CITIES) {
                wires.insert(city, Wire::lay(base_port + place, behind_of_city(base_port + place)));
            }
            let adjust = Adjust { city: Some(adjust_city), anchor: Some(adjust_anchor) };
            let world = World::start(Setup { base_port, adjust, ..Setup::default() });
            Self { world: Box::leak(Box::new(world)), wires, turn: tokio::sync::Mutex::default() }
        })
    }

    fn id(&self, city: &str) -> EntityId {
        self.world.cities[city].node.base_url.clone()
    }

    /// What an operator at one city is told about another.
    async fn report(&self, at: &str, about: &str) -> PeerReport {
        FederationInspector::open(&self.world.cities[at]).await.unwrap().test(&self.id(about)).await
    }

    async fn partners(&self, at: &str) -> String {
        let mut browser = Browser::new();
        let page = browser.open(&format!("{}/partners", self.world.url(at))).await;
        assert_eq!(page.status, 200, "{}", page.describe());
        page.text()
    }
}

/// A permission for ten fetches.
async fn given(service: &Service, holder: &'static str, resident: &str) -> String {
    let asked = service.ask(holder, PLACEMENT, Some(resident), json!({"times": 10})).await;
    let mut browser = Browser::new();
    let page = browser.open(asked["startUrl"].as_str().unwrap()).await.log_in(&mut browser, resident).await;
    let until = page.body.split("id=\"until\" name=\"until\" value=\"").nth(1).expect("no last day");
    let until = until.split('"').next().unwrap().to_owned();
    let changes = [("duration", Some("until")), ("until", Some(until.as_str())), ("times", Some("10"))];
    let end = page.decide(&mut browser, "allow", &changes).await;
    assert!(end.url.query().is_some_and(|query| query.contains("state=active")), "{}", end.describe());
    asked["id"].as_str().unwrap().to_owned()
}

struct Fetched {
    status: u16,
    retry_after: Option<String>,
    body: Value,
}

async fn fetch(service: &Service, id: &str) -> Fetched {
    let answer = service.answer("POST", &format!("/api/v1/consents/{id}/fetch")).await;
    let retry_after = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
    Fetched {
        status: answer.status().as_u16(),
        retry_after,
        body: answer.json().await.unwrap_or(Value::Null),
    }
}

impl Fetched {
    fn released(&self) -> bool {
        assert_eq!(self.status == 200, self.body.get("data").is_some(), "{} {}", self.status, self.body);
        self.status == 200
    }
}

/// Fetches again and again until data comes.
async fn recovered(service: &Service, id: &str) -> Duration {
    let mended = tokio::time::Instant::now();
    while mended.elapsed() < RECOVERY {
        if fetch(service, id).await.released() {
            return mended.elapsed();
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    panic!("no recovery within {RECOVERY:?}");
}

#[test]
fn as_shipped_a_change_of_membership_is_noticed_within_a_minute() {
    assert_eq!(Federation::default().chain_age_seconds, 60);
}

#[tokio::test]
async fn without_the_anchor_exchanges_go_on_until_the_chain_ends_and_come_back_by_themselves() {
    let wired = Wired::shared();
    let _turn = wired.turn.lock().await;
    let service = wired.world.service("helsinki").await;
    let id = given(&service, "espoo", "aino").await;
    assert!(fetch(&service, &id).await.released());
    let before = wired.partners("helsinki").await;
    assert!(before.contains("Verified member of the network") && before.contains("OmaData demo"), "{before}");

    wired.wires["anchor"].cut(Cut::Down);
    let cut = tokio::time::Instant::now();
    let at = |secs: u64| tokio::time::sleep(Duration::from_secs(secs).saturating_sub(cut.elapsed()));
    assert!(fetch(&service, &id).await.released(), "what is known holds");
    at(u64::from(CHAIN_AGE_SECS) + 3).await;
    assert!(
        fetch(&service, &id).await.released(),
        "what is known holds past its age while the anchor is away"
    );
    let report = wired.report("helsinki", "espoo").await;
    assert_eq!(
        (report.verdict(), report.fault()),
        (Verdict::Fail, Some((ResponsibleParty::Anchor, FaultKind::Silent)))
    );

    // A statement of twenty seconds is at most so much older when the anchor goes; the rest is for slow machines.
    at(u64::from(STATEMENT_SECS) - 5).await;
    let refused = loop {
        let fetched = fetch(&service, &id).await;
        if !fetched.released() {
            break fetched;
        }
        assert!(
            cut.elapsed().as_secs() < u64::from(STATEMENT_SECS) + 10,
            "released long after the chain's end"
        );
        tokio::time::sleep(Duration::from_secs(3)).await;
    };
    assert_eq!(refused.status, 503, "{}", refused.body);
    let wait: u32 = refused.retry_after.expect("no Retry-After").parse().unwrap();
    assert!(wait > 0 && wait <= 60);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let during = wired.partners("helsinki").await;
    for said in ["cannot be checked right now", "Not available right now", "shared trust service"] {
        assert!(during.contains(said), "{said}: {during}");
    }

    wired.wires["anchor"].restore();
    let took = recovered(&service, &id).await;
    println!("recovered {took:?} after the anchor was back");
    assert_eq!(wired.report("helsinki", "espoo").await.verdict(), Verdict::Pass);
}

#[tokio::test]
async fn a_federation_key_does_not_sign_before_the_anchor_that_is_away_vouches_for_it() {
    let wired = Wired::shared();
    let _turn = wired.turn.lock().await;
    // Not Oulu: another test takes it out of the network for good.
    let signing = || async {
        let store = wired.world.store("turku");
        store
            .read("test", |reader| signing_keys::active(reader, KeyPurpose::Federation))
            .await
            .unwrap()
            .kid()
            .clone()
    };
    let known = |report: &PeerReport, kid: &KeyId| {
        report.peer.as_ref().is_some_and(|peer| peer.federation_keys.find(kid).is_some())
    };
    let old = signing().await;
    wired.wires["anchor"].cut(Cut::Down);
    let config = &wired.world.cities["turku"];
    let begun =
        operator::keys::rotate(&config.store, &config.keys, &[KeyPurpose::Federation], false).await.unwrap();
    let [(_, Rotation::Begun(next))] = begun.as_slice() else { panic!("{begun:?}") };
    tokio::time::sleep(Duration::from_secs(u64::from(LEAD_SECS) + 5)).await;
    assert_eq!(signing().await, old, "the lead is over, and nobody vouches for the key");
    wired.wires["anchor"].restore();
    // Whoever looks at any moment trusts the city: the anchor knows the key before it signs.
    eventually("the next key signs by itself", || async {
        let report = wired.report("espoo", "turku").await;
        let fault = report.fault();
        assert!(
            report.peer.is_some() || fault.is_none_or(|(side, _)| side != ResponsibleParty::Peer),
            "{fault:?}"
        );
        (signing().await == *next).then_some(())
    })
    .await;
    let report = wired.report("espoo", "turku").await;
    assert!(report.verdict() == Verdict::Pass && known(&report, next), "{:?}", report.fault());
}

#[tokio::test]
async fn two_cities_that_do_not_reach_each_other_hold_nobody_else_up() {
    let wired = Wired::shared();
    let _turn = wired.turn.lock().await;
    let (helsinki, turku) = (wired.world.service("helsinki").await, wired.world.service("turku").await);
    let near = given(&helsinki, "espoo", "aino").await;
    let far = given(&turku, "espoo", "aino").await;
    assert!(fetch(&helsinki, &near).await.released() && fetch(&turku, &far).await.released());

    wired.wires["espoo"].cut(Cut::Lost(address("helsinki")));
    wired.wires["helsinki"].cut(Cut::Lost(address("espoo")));
    let refused = fetch(&helsinki, &near).await;
    assert!(!refused.released());
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert!(refused.retry_after.is_some());
    assert!(fetch(&turku, &far).await.released(), "Turku reaches Espoo as before");
    let report = wired.report("helsinki", "espoo").await;
    assert_eq!(report.fault(), Some((ResponsibleParty::Peer, FaultKind::Silent)), "{:#?}", report.findings);
    assert!(report.listed && report.peer.is_none());
    assert_eq!(wired.report("turku", "espoo").await.verdict(), Verdict::Pass);
    assert_eq!(wired.report("helsinki", "turku").await.verdict(), Verdict::Pass);

    wired.wires["espoo"].restore();
    wired.wires["helsinki"].restore();
    let took = recovered(&helsinki, &near).await;
    println!("recovered {took:?} after the cities reached each other again");
}

#[tokio::test]
async fn a_city_that_is_taken_out_is_refused_by_all_others_in_time() {
    let wired = Wired::shared();
    let _turn = wired.turn.lock().await;
    let world = wired.world;
    // Oulu holds something that Helsinki fetches, and fetches itself.
    let helsinki = world.service("helsinki").await;
    let running = given(&helsinki, "oulu", "aino").await;
    assert!(fetch(&helsinki, &running).await.released());

    let anchor = app::membership(&world.anchor).await.unwrap();
    let why = Decision { actor: "test".to_owned(), reason: Some("left".to_owned()), now: SystemClock.now() };
    anchor.remove(wired.id("oulu"), why).await.unwrap();
    let removed = tokio::time::Instant::now();
    // Two seconds more than configured: for the look at the files of members, and for a loaded machine's own slowness.
    let bound = Duration::from_secs(u64::from(CHAIN_AGE_SECS) + 2);
    for city in ["helsinki", "espoo", "turku"] {
        let service = world.service(city).await;
        let refused = loop {
            let begun = removed.elapsed();
            let (status, answer) = service.try_ask("oulu", PLACEMENT, None, json!({})).await;
            if status != 201 {
                break (status, answer);
            }
            assert!(begun < bound, "{city} still trusts {begun:?} after the removal");
            tokio::time::sleep(Duration::from_millis(200)).await;
        };
        assert!(refused.0 >= 400 && refused.0 != 503, "{city}: {} {}", refused.0, refused.1);
        assert!(refused.1["type"].as_str().unwrap().ends_with("/problems/not-a-member"), "{}", refused.1);
    }
    // A running permission stops being served too, and it is said why.
    let fetched = fetch(&helsinki, &running).await;
    assert!(!fetched.released());
    assert_ne!(fetched.status, 503, "{}", fetched.body);
    // The other way: nobody serves it as a recipient.
    let oulu = world.service("oulu").await;
    for city in ["helsinki", "espoo", "turku"] {
        let asked = oulu.ask(city, PLACEMENT, None, json!({})).await;
        // The request goes to the holder when the resident sets out; without it the browser gets no further.
        let page = Browser::new().open(asked["startUrl"].as_str().unwrap()).await;
        let here = page.url.host_str() == Some("oulu.localhost");
        assert!(here && page.status >= 400, "{city} serves it: {}", page.describe());
    }
    let report = wired.report("helsinki", "oulu").await;
    assert_eq!(
        report.fault(),
        Some((ResponsibleParty::Peer, FaultKind::NotMember)),
        "{:#?}",
        report.findings
    );
    assert!(!report.listed);
    eventually("Helsinki's page without Oulu", || async {
        (!wired.partners("helsinki").await.contains("Oulu")).then_some(())
    })
    .await;
    eventually("Oulu's own page saying so", || async {
        let own = wired.partners("oulu").await;
        (own.contains("on this city’s own side") && own.contains("Nobody vouches")).then_some(())
    })
    .await;
}

/// Runs `omadata peers` at a city, with the file that the demo wrote for it.
async fn peers(wired: &Wired, city: &str, words: &[&str]) -> (Option<i32>, String, String) {
    let data = &wired.world.cities[city].node.data_dir;
    let file = data.parent().unwrap().join(format!("{city}.toml"));
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_omadata"));
    command.arg("peers").args(words).args(["--config", file.to_str().unwrap()]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[tokio::test]
async fn an_operator_sees_every_chain_link_by_link_and_whose_side_a_fault_is_on() {
    let wired = Wired::shared();
    let _turn = wired.turn.lock().await;
    let (code, said, complaint) = peers(wired, "espoo", &["list", "--json"]).await;
    assert_eq!((code, complaint.as_str()), (Some(0), ""));
    let said: Value = serde_json::from_str(&said).unwrap();
    let helsinki = said["members"]
        .as_array()
        .unwrap()
        .iter()
        .find(|member| member["entity"] == wired.world.url("helsinki"))
        .expect("Helsinki is not listed");
    assert_eq!(helsinki["verdict"], "pass", "{helsinki:#}");
    let member = &helsinki["member"];
    assert_eq!(member["roles"], json!(["consent-issuer", "data-holder", "data-recipient"]));
    assert_eq!(member["chain"].as_array().unwrap().len(), 3, "itself, the anchor about it, the anchor");
    assert_eq!(member["marks"].as_array().unwrap().len(), 3);
    for keys in ["federation", "token", "receipt", "client"] {
        assert!(!member["keys"][keys].as_array().unwrap().is_empty(), "{keys}");
    }

    let (code, said, complaint) = peers(wired, "espoo", &["test", &wired.world.url("helsinki")]).await;
    assert_eq!((code, complaint.as_str()), (Some(0), ""), "{said}");
    for step in ["anchor", "listing", "configuration", "chain", "mark", "roles", "time"] {
        assert!(said.lines().any(|line| line.starts_with(&format!("pass  {step} "))), "{step}: {said}");
    }

    // A server that is no member, nor speaks the protocol.
    let stranger = wired.world.cities["espoo"].login.issuer.clone();
    let (code, said, complaint) = peers(wired, "espoo", &["test", &stranger]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(complaint.contains("not a member"), "{complaint}");
    assert!(said.contains("side: the peer's") && said.contains("remedy: "), "{said}");

    wired.wires["turku"].cut(Cut::Down);
    let (code, said, complaint) = peers(wired, "espoo", &["test", &wired.world.url("turku"), "--json"]).await;
    wired.wires["turku"].restore();
    assert_eq!(code, Some(1));
    assert!(complaint.contains("a member, and broken"), "{complaint}");
    let said: Value = serde_json::from_str(&said).unwrap();
    let fault = said["findings"].as_array().unwrap().iter().find(|found| found["verdict"] == "fail").unwrap();
    assert_eq!(
        (&fault["step"], &fault["side"], &fault["fault"]),
        (&json!("configuration"), &json!("peer"), &json!("silent"))
    );
    assert!(!fault["remedy"].as_str().unwrap().is_empty());
}
