//! What the tests of the whole product share: a running demo, residents' browsers, cities' services.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    dead_code
)]
#![allow(unreachable_pub, reason = "each test binary uses a part of it")]

pub mod browser;
mod ports;
pub mod wire;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::panic::Location;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use diesel::Connection;
use diesel::connection::SimpleConnection;
use omadata::app::{self, SystemEntropy};
use omadata::config::shipped::City;
use omadata::config::{AnchorConfig, Config, DatabaseUrl};
use omadata::demo::run::{Adjust, Demo, Options};
use omadata::domain::ids::{ConsentId, EntityId, HeldConsentId};
use omadata::ports::random;
use omadata::store::Store;
use omadata::store::holder::consents;
use omadata::store::recipient::held_consents;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use browser::{Browser, Page};
pub use ports::free_ports;

/// A demo federation that lives as long as the test binary.
pub struct World {
    pub cities: BTreeMap<&'static str, Config>,
    pub anchor: AnchorConfig,
    identifiers: BTreeMap<&'static str, String>,
    pub service_page: String,
    stores: Mutex<BTreeMap<&'static str, Store>>,
    stops: Stops,
}

/// What of a demo is to stop, and whom to tell when it has.
type Stops = tokio::sync::mpsc::UnboundedSender<(Part, std::sync::mpsc::Sender<()>)>;

/// A part of a demo that a test may stop.
enum Part {
    City(City),
    CitySystems,
}

/// What a demo is started with.
#[derive(Default)]
pub struct Setup {
    pub base_port: u16,
    pub members: Vec<EntityId>,
    pub stores: BTreeMap<String, DatabaseUrl>,
    pub node_files: Vec<PathBuf>,
    pub adjust: Adjust,
}

/// Bytes as an SQL statement names them.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl World {
    /// Changes rows of a city's SQLite database behind the node's back. Other tests may use the same city: only the rows of
    /// the test itself.
    pub fn alter(&self, city: &str, statement: &str) {
        let DatabaseUrl::Sqlite(path) = &self.cities[city].store.url else { panic!("not a SQLite store") };
        let mut connection = diesel::SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        connection.batch_execute("PRAGMA busy_timeout = 10000").unwrap();
        connection.batch_execute(statement).unwrap();
    }

    /// Starts a demo on a runtime of its own, so that it outlives the test that needed it first.
    pub fn start(setup: Setup) -> Self {
        // The federations of one binary hold more files and sockets open than the usual soft limit of 1,024.
        rlimit::increase_nofile_limit(u64::MAX).unwrap();
        let (said, heard) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
            actix_web::rt::System::with_tokio_rt(runtime).block_on(async move {
                let folder = tempfile::tempdir().unwrap();
                let options = Options {
                    folder: folder.path().to_owned(),
                    base_port: setup.base_port,
                    login: None,
                    members: setup.members,
                    stores: setup.stores,
                    node_files: setup.node_files,
                    adjust: setup.adjust,
                };
                let mut demo = Demo::start(options, |_| ()).await.unwrap_or_else(|error| panic!("{error}"));
                let (stops, mut to_stop) = tokio::sync::mpsc::unbounded_channel();
                said.send(Self::of(&demo, stops)).unwrap();
                while let Some((part, stopped)) = to_stop.recv().await {
                    match part {
                        Part::City(city) => demo.stop_city(city).await,
                        Part::CitySystems => demo.stop_city_systems().await,
                    }
                    stopped.send(()).unwrap();
                }
                demo.stop().await;
            });
        });
        heard.recv_timeout(Duration::from_secs(60)).expect("the demo does not start")
    }

    /// The demo that all tests of the calling file share. Other files of the same binary have others: what they do to
    /// keys, members and consents must not meet.
    #[track_caller]
    pub fn shared() -> &'static Self {
        type Shared = OnceLock<&'static World>;
        static SHARED: Mutex<BTreeMap<&str, &'static Shared>> = Mutex::new(BTreeMap::new());
        let file = Location::caller().file();
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let own = *shared.entry(file).or_insert_with(|| Box::leak(Box::default()));
        drop(shared);
        own.get_or_init(|| {
            Box::leak(Box::new(Self::start(Setup { base_port: free_ports(11), ..Setup::default() })))
        })
    }

    /// Stops a city's node and closes its store, so that a test can run it as a process of its own.
    pub fn stop(&self, city: City) {
        self.stores.lock().unwrap_or_else(PoisonError::into_inner).remove(city.slug());
        self.stop_part(Part::City(city));
    }

    /// Stops Helsinki's systems that are asked over HTTP.
    pub fn stop_city_systems(&self) {
        self.stop_part(Part::CitySystems);
    }

    fn stop_part(&self, part: Part) {
        let (stopped, ended) = std::sync::mpsc::channel();
        self.stops.send((part, stopped)).unwrap();
        ended.recv_timeout(Duration::from_secs(60)).expect("it does not stop");
    }

    fn of(demo: &Demo, stops: Stops) -> Self {
        Self {
            anchor: demo.anchor_config.clone(),
            cities: demo.cities.iter().map(|(city, config)| (city.slug(), config.clone())).collect(),
            identifiers: demo
                .residents
                .iter()
                .map(|resident| (resident.username, resident.identifier.reveal().to_owned()))
                .collect(),
            service_page: demo.service_page.as_str().trim_end_matches('/').to_owned(),
            stores: Mutex::default(),
            stops,
        }
    }

    pub fn url(&self, city: &str) -> String {
        self.cities[city].node.base_url.to_string()
    }

    pub fn identifier(&self, resident: &str) -> &str {
        &self.identifiers[resident]
    }

    /// The city's own store, as another process of the same node sees it.
    pub fn store(&self, city: &'static str) -> Store {
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        let config = &self.cities[city];
        stores
            .entry(city)
            .or_insert_with(|| app::open_store(&config.store, &config.keys, None).unwrap().store)
            .clone()
    }

    /// The dataset of a kind that a city holds.
    pub fn dataset(&self, city: &str, kind: &str) -> String {
        let held = self.cities[city].datasets.iter().find(|held| held.dataset.kind.as_str() == kind);
        held.unwrap_or_else(|| panic!("{city} holds no {kind}")).dataset.id.to_string()
    }

    /// The file or folder of a city's registers.
    pub fn register(&self, city: &str, path: &str) -> PathBuf {
        self.cities[city].node.data_dir.join("registers").join(path)
    }

    /// The holder's name of a consent that a recipient holds.
    pub async fn consent(&self, recipient: &'static str, holder: &'static str, held: &str) -> ConsentId {
        let id: HeldConsentId = held.parse().unwrap();
        let held =
            self.store(recipient).read("test", move |store| held_consents::find(store, id)).await.unwrap();
        let grant = held.life.grant_id().cloned().expect("not given yet");
        self.store(holder).read("test", move |store| consents::find_by_grant(store, &grant)).await.unwrap().id
    }

    /// A city's first service, with its token.
    pub async fn service(&'static self, city: &'static str) -> Service {
        let first = self.cities[city].services[0].id.to_string();
        self.service_named(city, &first).await
    }

    /// A city's service, with its token.
    pub async fn service_named(&'static self, city: &'static str, id: &str) -> Service {
        let service = self.cities[city].services.iter().find(|service| service.id.as_str() == id);
        let service = service.unwrap_or_else(|| panic!("{city} has no service {id}"));
        let secret = service.client_secret.read(|| random(&SystemEntropy)).unwrap();
        let http = client();
        let answer = http
            .post(format!("{}/api/v1/token", self.url(city)))
            .basic_auth(&service.id, Some(secret.expose_secret()))
            .form(&[("grant_type", "client_credentials")])
            .send()
            .await
            .unwrap();
        let token: Value = answer.json().await.unwrap();
        let token = token["access_token"].as_str().expect("no service token").to_owned();
        Service { world: self, city, http, token }
    }
}

/// Waits until something holds: for half a minute, which is long for what happens at once on a machine that does much else.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let begun = tokio::time::Instant::now();
    while begun.elapsed() < Duration::from_secs(30) {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it did not come about: {what}");
}

/// A client for which every name under `localhost` is this machine, as browsers have it; follows no redirect.
pub fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .dns_resolver(Arc::new(ThisMachine))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(Duration::from_secs(30))
        .build()
        .unwrap()
}

struct ThisMachine;

impl reqwest::dns::Resolve for ThisMachine {
    fn resolve(&self, _: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let here: reqwest::dns::Addrs = Box::new([SocketAddr::from((Ipv4Addr::LOCALHOST, 0))].into_iter());
        Box::pin(std::future::ready(Ok(here)))
    }
}

/// A city's service, as an integrator's program would call its own node.
pub struct Service {
    pub world: &'static World,
    pub city: &'static str,
    http: reqwest::Client,
    pub token: String,
}

impl Service {
    pub async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let url = format!("{}{path}", self.world.url(self.city));
        let mut request = self.http.request(method.parse().unwrap(), url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or(Value::Null))
    }

    /// Asks a holder for what one of the service's declared uses needs; `more` replaces members of the request.
    pub async fn ask(&self, holder: &str, use_slug: &str, person: Option<&str>, more: Value) -> Value {
        let (status, answer) = self.try_ask(holder, use_slug, person, more).await;
        assert_eq!(status, 201, "{answer}");
        answer
    }

    /// As [`Self::ask`], whatever comes of it.
    pub async fn try_ask(
        &self,
        holder: &str,
        use_slug: &str,
        person: Option<&str>,
        more: Value,
    ) -> (u16, Value) {
        let declared =
            self.world.cities[self.city].uses.iter().find(|declared| declared.id.slug() == use_slug);
        let kind = declared.unwrap_or_else(|| panic!("no use {use_slug}")).dataset_type.to_string();
        let mut body = json!({
            "holder": self.world.url(holder),
            "dataset": self.world.dataset(holder, &kind),
            "use": use_slug,
            "returnUrl": format!("{}/back", self.world.service_page),
        });
        if let Some(person) = person {
            body["person"] = json!(self.world.identifier(person));
        }
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        self.call("POST", "/api/v1/consent-requests", Some(&body)).await
    }

    /// An answer with all that stands around it.
    pub async fn answer(&self, method: &str, path: &str) -> reqwest::Response {
        let url = format!("{}{path}", self.world.url(self.city));
        self.http.request(method.parse().unwrap(), url).bearer_auth(&self.token).send().await.unwrap()
    }

    pub async fn show(&self, id: &str) -> Value {
        self.call("GET", &format!("/api/v1/consents/{id}"), None).await.1
    }

    pub async fn fetch(&self, id: &str) -> (u16, Value) {
        self.call("POST", &format!("/api/v1/consents/{id}/fetch"), None).await
    }

    /// A permission given from beginning to end; its identifier at this service, and the resident's browser.
    pub async fn given(
        &self,
        holder: &'static str,
        use_slug: &str,
        resident: &str,
        more: Value,
    ) -> (String, Browser) {
        let asked = self.ask(holder, use_slug, Some(resident), more).await;
        let mut browser = Browser::new();
        let page = browser.open(asked["startUrl"].as_str().unwrap()).await;
        let page = page.log_in(&mut browser, resident).await;
        let end = page.decide(&mut browser, "allow", &[]).await;
        assert!(end.url.as_str().starts_with(&self.world.service_page), "{}", end.describe());
        (asked["id"].as_str().unwrap().to_owned(), browser)
    }
}

impl Page {
    /// Picks a resident where the login provider asks whom to log in as.
    pub async fn log_in(self, browser: &mut Browser, resident: &str) -> Self {
        let form = self.form("/login/");
        browser.submit(&self, &form, &[("resident", Some(resident))]).await
    }

    /// Takes back everything that the resident has refused in the portal whose page this is: a service may ask again.
    pub async fn let_them_ask(&self, browser: &mut Browser) {
        let mut page = browser.open(self.url.join("/me/denials").unwrap().as_str()).await;
        while page.body.contains("/remove\"") {
            page = browser.submit(&page, &page.form("/me/denials/"), &[]).await;
        }
    }

    /// The persons among whom the consent page lets the resident choose.
    pub fn offered_persons(&self) -> Vec<String> {
        self.values_of("person")
    }

    /// The values of the checkboxes of that name.
    pub fn values_of(&self, name: &str) -> Vec<String> {
        let boxes = self.body.split("<input type=\"checkbox\"").skip(1);
        let tags = boxes.filter_map(|rest| rest.split('>').next());
        let tags = tags.filter(|tag| tag.contains(&format!("name=\"{name}\"")));
        let value = |tag: &str| {
            tag.split("value=\"").nth(1).and_then(|rest| rest.split('"').next()).map(str::to_owned)
        };
        tags.filter_map(value).collect()
    }

    /// Presses a button of the consent page; `changes` as in [`Browser::submit`].
    pub async fn decide(
        &self,
        browser: &mut Browser,
        decision: &str,
        changes: &[(&str, Option<&str>)],
    ) -> Self {
        let form = self.form("/consent/");
        let mut changes = changes.to_vec();
        changes.push(("decision", Some(decision)));
        // Whose data is for the resident to choose; who says nothing else gives everybody's.
        let persons = self.offered_persons();
        if decision == "allow" && !changes.iter().any(|(name, _)| ["person", "record"].contains(name)) {
            changes.extend(persons.iter().map(|person| ("person", Some(person.as_str()))));
        }
        browser.submit(self, &form, &changes).await
    }
}
