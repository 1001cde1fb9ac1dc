//! Espoo's node as two processes over one database, with consents made beforehand, and the requests that race.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use omadata::app::{SystemClock, SystemEntropy};
use omadata::config::DatabaseUrl;
use omadata::config::shipped::City;
use omadata::domain::clock::Timestamp;
use omadata::domain::consent::{Consent, RequestState};
use omadata::domain::ids::{ConsentId, EntityId, ExchangeId, GrantId, HeldConsentId, Jti, RequestId};
use omadata::domain::jose::{SigningKey, b64url, sha256};
use omadata::domain::log::Entry;
use omadata::domain::token::consent_token::CONSENT_TOKEN;
use omadata::domain::token::{TokenPolicy, client_assertion};
use omadata::ports::{Clock, random};
use omadata::store::holder::{consent_requests, consents, exchanges};
use omadata::store::keys::signing_keys;
use omadata::store::keys::signing_keys::Purpose;
use omadata::store::recipient::held_consents;
use omadata::store::{Store, StoreError, log};
use serde_json::{Value, json};

use super::checker::Kept;
use super::harness::{self, World};

/// Consents that one transaction makes.
const SEEDED_AT_ONCE: usize = 100;

pub fn now() -> Timestamp {
    SystemClock.now()
}

pub fn digest_of(text: &str) -> String {
    b64url(&sha256(text.as_bytes()))
}

pub fn fresh_exchange() -> ExchangeId {
    ExchangeId::from_bytes(random(&SystemEntropy))
}

fn word() -> String {
    b64url(&random::<16>(&SystemEntropy))
}

/// A PostgreSQL database that vanishes with this value.
pub struct Database {
    pub url: url::Url,
    admin: String,
    name: String,
}

impl Database {
    /// None when no server is named.
    pub fn new() -> Option<Self> {
        let server = std::env::var("OMADATA_TEST_POSTGRES").ok().filter(|url| !url.is_empty())?;
        let mut admin = url::Url::parse(&server).unwrap();
        admin.set_path("/postgres");
        let name = format!("omadata_races_{:016x}", u64::from_be_bytes(random(&SystemEntropy)));
        let mut connection = PgConnection::establish(admin.as_str()).unwrap();
        connection.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
        let mut url = admin.clone();
        url.set_path(&name);
        Some(Self { url, admin: admin.into(), name })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Ok(mut connection) = PgConnection::establish(&self.admin) {
            let _ = connection.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
        }
    }
}

/// One consent that is raced for.
#[derive(Clone)]
pub struct Race {
    pub consent: ConsentId,
    token: String,
}

/// `omadata serve`, ended with this value.
pub struct Process {
    child: Child,
    port: u16,
}

impl Process {
    /// Ends it as a loss of power would, without a word to it (SIGKILL).
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Everything that a race needs.
pub struct Stand {
    world: &'static World,
    processes: Vec<Process>,
    /// Where each process listens.
    ports: Vec<u16>,
    base: String,
    dataset: String,
    http: reqwest::Client,
    dpop: SigningKey,
    token_key: SigningKey,
    client_key: SigningKey,
    recipient: EntityId,
    template: Consent,
    nonce: Mutex<String>,
    cookies: String,
    csrf: String,
    folder: tempfile::TempDir,
}

impl Stand {
    /// With two processes. A SQLite file takes one that serves by command: the demo in this process is the other then.
    pub async fn new(world: &'static World) -> Self {
        let mut stand = Self::prepare(world).await;
        let is_file = matches!(world.cities["espoo"].store.url, DatabaseUrl::Sqlite(_));
        if is_file {
            let base: url::Url = stand.base.parse().unwrap();
            stand.ports.push(base.port().unwrap());
        }
        for number in usize::from(is_file)..2 {
            let process = serve(world, stand.folder.path().into(), number, harness::free_ports(1));
            stand.ports.push(process.port);
            stand.processes.push(process);
        }
        for process in 0..stand.ports.len() {
            stand.wait_until_ready(process).await;
        }
        stand
    }

    /// With one process in place of the demo's own, which is stopped: [`Self::serve`] starts it, now and after each kill.
    pub async fn alone(world: &'static World) -> Self {
        let mut stand = Self::prepare(world).await;
        let base: url::Url = stand.base.parse().unwrap();
        stand.ports.push(base.port().unwrap());
        world.stop(City::Espoo);
        stand
    }

    /// Starts the one process and waits until it answers.
    pub async fn serve(&self) -> Process {
        let mut process = serve(self.world, self.folder.path().into(), 0, self.ports[0]);
        for _ in 0..600 {
            assert!(!process.has_ended(), "the node does not start");
            let answer = self.http.get(self.at(0, "/health/ready")).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                self.wait_until_ready(0).await;
                return process;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the node is not ready");
    }

    async fn prepare(world: &'static World) -> Self {
        let service = world.service("helsinki").await;
        let use_slug = "early-education-placement";
        let (id, mut browser) = service.given("espoo", use_slug, "aino", json!({})).await;
        let held: HeldConsentId = id.parse().unwrap();
        let held = world
            .store("helsinki")
            .read("test", move |store| held_consents::find(store, held))
            .await
            .unwrap();
        let dpop_kid = held.life.grant_held().unwrap().tokens.dpop_kid.clone();
        let dpop = world
            .store("helsinki")
            .read("test", move |store| signing_keys::with_private_part(store, &dpop_kid))
            .await
            .unwrap();
        let consent = world.consent("helsinki", "espoo", &id).await;
        let template =
            world.store("espoo").read("test", move |store| consents::find(store, consent)).await.unwrap();
        let base = world.url("espoo");
        let page = browser.open(&format!("{base}/me/sharing/{consent}/stop")).await;
        let form = page.form("/me/sharing/");
        let csrf = form.fields.iter().find(|(name, _)| name == "csrf").unwrap().1.clone();
        let jar = &browser.cookies[page.url.host_str().unwrap()];
        let cookies: Vec<String> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Self {
            world,
            processes: Vec::new(),
            ports: Vec::new(),
            dataset: world.dataset("espoo", "early-education-placements"),
            base,
            http: harness::client(),
            dpop,
            token_key: key(world, "espoo", Purpose::Token).await,
            client_key: key(world, "helsinki", Purpose::Client).await,
            recipient: world.url("helsinki").parse().unwrap(),
            template,
            nonce: Mutex::default(),
            cookies: cookies.join("; "),
            csrf,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub fn store(&self) -> Store {
        self.world.store("espoo")
    }

    fn at(&self, process: usize, path: &str) -> url::Url {
        let mut url: url::Url = format!("{}{path}", self.base).parse().unwrap();
        url.set_port(Some(self.ports[process])).unwrap();
        url
    }

    /// The nonce that proofs must carry from now on; it changes every few minutes.
    fn remember_nonce(&self, answer: &reqwest::Response) {
        if let Some(nonce) = answer.headers().get("dpop-nonce") {
            nonce.to_str().unwrap().clone_into(&mut self.nonce.lock().unwrap());
        }
    }

    async fn wait_until_ready(&self, process: usize) {
        let path = format!("/exchange/datasets/{}", self.dataset);
        for _ in 0..300 {
            if let Ok(answer) = self.http.get(self.at(process, &path)).send().await {
                // Both have the same nonces: the key that makes them is the node's.
                self.remember_nonce(&answer);
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("process {process} does not serve");
    }

    /// Makes consents like the one that was given through the pages, each with a token. A third of them are used up by the
    /// first exchange.
    pub async fn seed(&self, count: usize) -> Vec<Race> {
        self.seed_into(&self.store(), count, |number| if number.is_multiple_of(3) { 1 } else { 3 }).await
    }

    /// As [`Self::seed`], with this store of the node and that many exchanges for each.
    pub async fn seed_into(&self, store: &Store, count: usize, max_exchanges: fn(usize) -> u32) -> Vec<Race> {
        let template = self.template.clone();
        let policy = TokenPolicy { holder: template.terms.holder.clone(), max_lifetime_secs: 3600 * 24 };
        let id = template.id;
        let (request, evidence) = store
            .read("test", move |store| {
                Ok::<_, StoreError>((
                    consent_requests::of_consent(store, id)?,
                    consents::evidence(store, id)?,
                ))
            })
            .await
            .unwrap();
        let mut races = Vec::new();
        while races.len() < count {
            let batch = SEEDED_AT_ONCE.min(count - races.len());
            let first = races.len();
            let (template, request, evidence) = (template.clone(), request.clone(), evidence.clone());
            let made = store
                .write("test", move |tx| {
                    let mut made = Vec::new();
                    for number in first..first + batch {
                        let mut request = request.clone();
                        request.id = RequestId::from_bytes(tx.random());
                        request.state = RequestState::Requested;
                        let mut consent = template.clone();
                        consent.id = ConsentId::from_bytes(tx.random());
                        consent.grant_id = GrantId::new(b64url(&tx.random::<16>())).unwrap();
                        consent.status_index = consents::draw_status_index(tx)?;
                        consent.terms.max_exchanges = max_exchanges(number);
                        consent_requests::insert(tx, &request, None)?;
                        consent_requests::conclude(tx, request.id, RequestState::Allowed(consent.id), now())?;
                        consents::insert(tx, &consent, request.id, &evidence)?;
                        made.push(consent);
                    }
                    Ok::<_, StoreError>(made)
                })
                .await
                .unwrap();
            for consent in made {
                let jkt = self.dpop.public().thumbprint().clone();
                let claims = policy.claims(&consent, jkt, Jti::new(word()).unwrap(), now());
                let token = self.token_key.sign(CONSENT_TOKEN.typ, &claims).unwrap();
                races.push(Race { consent: consent.id, token });
            }
        }
        races
    }

    /// A fresh proof for a fetch.
    pub fn proof(&self, race: &Race) -> String {
        let claims = json!({
            "htm": "GET", "htu": format!("{}/exchange/datasets/{}", self.base, self.dataset), "iat": now().secs(),
            "jti": word(), "nonce": *self.nonce.lock().unwrap(), "ath": digest_of(&race.token),
        });
        self.dpop.sign_with_jwk("dpop+jwt", &claims).unwrap()
    }

    /// Fetches from one of the processes; says whether data was released.
    pub async fn fetch(&self, process: usize, race: &Race, proof: &str) -> bool {
        self.answer_to_fetch(process, race, proof).await == Some(200)
    }

    /// Fetches from one of the processes; the status, where a whole answer came.
    pub async fn answer_to_fetch(&self, process: usize, race: &Race, proof: &str) -> Option<u16> {
        let sent = self
            .http
            .get(self.at(process, &format!("/exchange/datasets/{}", self.dataset)))
            .header("authorization", format!("DPoP {}", race.token))
            .header("dpop", proof)
            .send()
            .await;
        // No answer in time: whatever was decided did not reach anybody.
        let answer = sent.ok()?;
        self.remember_nonce(&answer);
        let status = answer.status().as_u16();
        let body = answer.text().await.ok()?;
        assert!(matches!(status, 200 | 401 | 403 | 429 | 503), "{status} {body}");
        Some(status)
    }

    /// The resident stops the permission in the portal; says whether that was acknowledged.
    pub async fn stop(&self, process: usize, race: &Race) -> bool {
        let sent = self
            .http
            .post(self.at(process, &format!("/me/sharing/{}/stop", race.consent)))
            .header("cookie", &self.cookies)
            .header("origin", &self.base)
            .header("sec-fetch-site", "same-origin")
            .form(&[("csrf", &self.csrf)])
            .send()
            .await;
        // No answer in time: whatever was decided did not reach anybody.
        let Ok(answer) = sent else { return false };
        answer.status().is_redirection()
            && answer.headers()["location"].to_str().unwrap().contains("?notice=")
    }

    /// The recipient gives the consent back; says whether that was acknowledged.
    pub async fn give_back(&self, process: usize, race: &Race) -> bool {
        let jti = Jti::new(word()).unwrap();
        let assertion =
            client_assertion::sign(&self.client_key, &self.recipient, &self.base, jti, now()).unwrap();
        let sent = self
            .http
            .post(self.at(process, "/oauth/revoke"))
            .form(&[
                ("token", race.token.as_str()),
                ("client_id", self.recipient.as_str()),
                ("client_assertion_type", client_assertion::ASSERTION_TYPE),
                ("client_assertion", &assertion),
            ])
            .send()
            .await;
        // No answer in time: whatever was decided did not reach anybody.
        let Ok(answer) = sent else { return false };
        answer.status() == 200
    }

    /// What the store holds of these consents.
    pub async fn kept(&self, ids: Vec<ConsentId>) -> BTreeMap<String, Kept> {
        self.store()
            .read("test", move |store| {
                let mut kept: BTreeMap<String, Kept> = BTreeMap::new();
                for id in ids {
                    let consent = consents::find(store, id)?;
                    let made = exchanges::of_consent(store, id, 100)?;
                    kept.insert(
                        id.to_string(),
                        Kept {
                            counted: consent.exchanges,
                            allowed: consent.terms.max_exchanges,
                            exchanges: made.into_iter().map(|exchange| exchange.proof_digest).collect(),
                            ..Kept::default()
                        },
                    );
                }
                let mut from = 0;
                loop {
                    let entries = log::read(store, from, 1000)?;
                    let Some(last) = entries.last() else { return Ok::<_, StoreError>(kept) };
                    from = last.index + 1;
                    for entry in entries {
                        note(&mut kept, entry.index, &entry.leaf.entry);
                    }
                }
            })
            .await
            .unwrap()
    }
}

/// Notes one entry of the log with the consent that it is about.
fn note(kept: &mut BTreeMap<String, Kept>, index: u64, text: &str) {
    let entry: Value = serde_json::from_str(text).unwrap();
    let Some(consent) = entry["consent"].as_str().and_then(|id| kept.get_mut(id)) else { return };
    match serde_json::from_value::<Entry>(entry) {
        Ok(Entry::Exchange { .. }) => consent.logged_exchanges.push(index),
        Ok(Entry::Consent { state, .. }) if !matches!(state.as_str(), "active" | "suspended") => {
            consent.logged_ends.push(index);
        }
        _ => {}
    }
}

async fn key(world: &World, city: &'static str, purpose: Purpose) -> SigningKey {
    world.store(city).read("test", move |store| signing_keys::active(store, purpose)).await.unwrap()
}

/// Starts Espoo's node as a process of its own, over the demo's database, at a port of this machine.
fn serve(world: &World, folder: PathBuf, number: usize, port: u16) -> Process {
    let config = &world.cities["espoo"];
    let base: url::Url = config.node.base_url.as_str().parse().unwrap();
    let first = base.port().unwrap() - 2;
    let mut text = City::Espoo.text().to_owned();
    for step in 0..=10 {
        text = text.replace(&format!(":{}", 8400 + step), &format!(":{}", first + step));
    }
    let file = folder.join(format!("espoo-{number}.toml"));
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_omadata"));
    command
        .args(["serve", "--log", "error", "--config"])
        .arg(&file)
        .env("OMADATA_NODE__LISTEN", format!("127.0.0.1:{port}"))
        .env("OMADATA_NODE__DATA_DIR", &config.node.data_dir)
        .env("OMADATA_LIMITS__PUSHED_OPEN_PER_PERSON", config.limits.pushed_open_per_person.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    if let DatabaseUrl::Postgres(url) = &config.store.url {
        // An address in a city's configuration may not carry its password.
        let mut bare = url.clone();
        if let Some(password) = url.password() {
            let file = folder.join("password");
            std::fs::write(&file, password).unwrap();
            bare.set_password(None).unwrap();
            command.env("OMADATA_STORE__PASSWORD_FILE", file);
        }
        command.env("OMADATA_STORE__URL", bare.as_str());
    }
    Process { child: command.spawn().unwrap(), port }
}
