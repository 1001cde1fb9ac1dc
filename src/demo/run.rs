//! Starts and stops the demo.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use futures_util::future::join_all;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tokio::task::JoinHandle;

use super::city_files::{Failure, own_files, read_from_postgres, write_city_files};
use super::city_systems::CitySystems;
use super::provider::{ClientAuthentication, DemoProvider, ProviderConfig, RegisteredClient, Resident};
use super::service_page::{
    City as ServiceCity, Customer, HeldDataset, ServicePage, ServicePageConfig, ServiceUse,
};
use super::world::{DemoResident, SystemRecords, World, write_world};
use crate::app::{self, Running, SystemClock, SystemEntropy};
use crate::config::shipped::{self, City, Overrides, Ports};
use crate::config::{self, AnchorConfig, Config, ConfiguredMember, DatabaseUrl, KnownEntity, SecretFile};
use crate::domain::catalogue::Language;
use crate::domain::federation::{Role, StatementRules};
use crate::domain::ids::EntityId;
use crate::ports::{Clock, Entropy, random};

/// The seed of the made-up world; another seed gives other unnamed residents.
const SEED: u64 = 2026;

/// A running server.
type Served = (ServerHandle, JoinHandle<std::io::Result<()>>);

/// How long to wait for the cities to resolve each other.
const READY: Duration = Duration::from_secs(30);

/// Changes to the shipped configurations, made after the files were read and checked.
#[derive(Clone, Copy, Default)]
pub struct Adjust {
    /// To every city's.
    pub city: Option<fn(&mut Config)>,
    /// To the anchor's.
    pub anchor: Option<fn(&mut AnchorConfig)>,
}

/// Another OpenID provider than the demo's own.
pub struct ForeignLogin {
    /// Its issuer.
    pub issuer: String,
    /// How the cities are registered there.
    pub registered: Registered,
}

/// How the cities are registered at a foreign provider.
pub enum Registered {
    /// With the secret in this file, the same for all.
    Secret(PathBuf),
    /// As the Finnish Trust Network demands it: with keys (RS256), signed requests and encrypted answers.
    Protected,
}

impl ForeignLogin {
    fn apply(&self, login: &mut config::Login) {
        login.issuer.clone_from(&self.issuer);
        match &self.registered {
            Registered::Secret(file) => {
                let file = SecretFile::new(file.clone(), false);
                login.authentication = config::ClientAuthentication::Secret(file);
            }
            Registered::Protected => {
                login.authentication = config::ClientAuthentication::PrivateKeyJwt;
                login.signing_algorithm = config::SigningAlgorithm::Rs256;
                login.signed_requests = true;
                login.encrypted_responses = true;
            }
        }
    }
}

/// Settings of a demo.
pub struct Options {
    /// Where databases and registers are kept.
    pub folder: PathBuf,
    /// First of the ports.
    pub base_port: u16,
    /// Another OpenID provider than the demo's own.
    pub login: Option<ForeignLogin>,
    /// Entities to admit to the federation besides the four cities.
    pub members: Vec<EntityId>,
    /// Databases of cities that do not use SQLite, by the city's slug.
    pub stores: BTreeMap<String, DatabaseUrl>,
    /// Files of cities that do not run with the shipped one.
    pub node_files: Vec<PathBuf>,
    /// Further differences from the shipped files.
    pub adjust: Adjust,
}

/// A running demo.
pub struct Demo {
    /// The trust anchor's address.
    pub anchor: EntityId,
    /// The trust anchor's configuration.
    pub anchor_config: AnchorConfig,
    /// The cities with their configuration.
    pub cities: Vec<(City, Config)>,
    /// Who can log in.
    pub residents: Vec<DemoResident>,
    /// The page that plays the city service.
    pub service_page: url::Url,
    /// Where Helsinki's systems are that its node asks over HTTP.
    pub(crate) systems_url: String,
    /// The login provider in use.
    pub(crate) login_issuer: String,
    nodes: Vec<Running>,
    city_systems: Option<Served>,
    servers: Vec<Served>,
}

impl Demo {
    /// Starts everything and waits until every city trusts every other.
    ///
    /// # Errors
    /// In words for the operator: a port is taken, a folder cannot be written.
    pub async fn start(options: Options, progress: impl Fn(&'static str)) -> Result<Self, Failure> {
        let ports = ports(options.base_port);
        let overrides = Overrides { folder: options.folder.clone(), ports };
        progress("making up residents and registers");
        let folder = options.folder.clone();
        let World { residents, systems } =
            tokio::task::spawn_blocking(move || write_world(&folder, SEED)).await??;
        let mut anchor_config = shipped::anchor(&overrides)?;
        anchor_config.members.extend(options.members.into_iter().map(|entity_id| ConfiguredMember {
            known: KnownEntity { entity_id, jwks_file: None },
            roles: Role::ALL.to_vec(),
            rules: StatementRules::default(),
        }));
        if let Some(adjust) = options.adjust.anchor {
            adjust(&mut anchor_config);
        }
        let mut own = own_files(&options.node_files, &overrides)?;
        let mut keep: Vec<City> = own.keys().copied().collect();
        keep.extend(City::ALL.into_iter().filter(|city| options.stores.contains_key(city.slug())));
        let mut cities = Vec::new();
        for city in City::ALL {
            let mut config = match own.remove(&city) {
                Some(config) => config,
                None => shipped::node(city, &overrides)?,
            };
            if let Some(login) = &options.login {
                login.apply(&mut config.login);
            }
            // Set after the file was checked: a demo's address may contain its password, a city's may not.
            if let Some(url) = options.stores.get(city.slug()) {
                config.store.url.clone_from(url);
                read_from_postgres(&mut config, url).await?;
            }
            if let Some(adjust) = options.adjust.city {
                adjust(&mut config);
            }
            cities.push((city, config));
        }
        write_city_files(&options.folder, &keep, &overrides)?;
        let mut demo = Self {
            anchor: anchor_config.anchor.entity_id.clone(),
            anchor_config,
            residents,
            service_page: url::Url::parse(&ports.service_url())?,
            systems_url: ports.systems_url(),
            login_issuer: options.login.map_or_else(|| ports.login_issuer(), |login| login.issuer),
            cities,
            nodes: Vec::new(),
            city_systems: None,
            servers: Vec::new(),
        };
        // Before the cities: a node asks its registers once when it starts.
        progress("starting the city systems");
        demo.start_city_systems(&overrides, &systems)?;
        if demo.login_issuer == ports.login_issuer() {
            progress("starting the login provider");
            demo.start_provider(ports)?;
        }
        progress("starting the trust anchor");
        demo.nodes.push(app::start_anchor(&demo.anchor_config).await?);
        progress("starting the cities");
        // Side by side: most of a first start is waiting for the disk.
        let start = |config: Config| tokio::spawn(async move { app::start_node(&config).await });
        let started: Vec<_> = demo.cities.iter().map(|(_, config)| start(config.clone())).collect();
        for node in started {
            demo.nodes.push(node.await??);
        }
        let service_page = demo.start_service_page(ports)?;
        progress("waiting until the cities trust each other");
        demo.wait_until_ready().await?;
        service_page.report_uses().await;
        Ok(demo)
    }

    /// Stops everything, finishing requests in progress.
    pub async fn stop(self) {
        for server in self.servers.into_iter().chain(self.city_systems) {
            end(server).await;
        }
        for node in self.nodes {
            node.stop().await;
        }
    }

    /// Stops one city's node, finishing requests in progress; the rest keeps running.
    pub async fn stop_city(&mut self, city: City) {
        let found = self.cities.iter().find(|(one, _)| *one == city);
        let position =
            found.and_then(|(_, config)| self.nodes.iter().position(|node| node.id == config.node.base_url));
        if let Some(position) = position {
            self.nodes.remove(position).stop().await;
        }
    }

    /// Stops the city systems that are asked over HTTP; the rest keeps running.
    pub async fn stop_city_systems(&mut self) {
        if let Some(server) = self.city_systems.take() {
            end(server).await;
        }
    }

    fn start_city_systems(&mut self, overrides: &Overrides, records: &SystemRecords) -> Result<(), Failure> {
        // The systems of Helsinki alone are services. They are as its shipped file has them, whichever file its node runs with.
        let config = &shipped::node(City::Helsinki, overrides)?;
        let (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>) =
            (Arc::new(SystemClock), Arc::new(SystemEntropy));
        let systems = CitySystems::new(config, records, clock, entropy)?;
        let server = systems.run(listen(overrides.ports.systems)?)?;
        self.city_systems = Some((server.handle(), tokio::spawn(server)));
        Ok(())
    }

    fn start_provider(&mut self, ports: Ports) -> Result<(), Failure> {
        let mut clients = Vec::new();
        for (_, config) in &self.cities {
            let config::ClientAuthentication::Secret(file) = &config.login.authentication else { continue };
            clients.push(RegisteredClient {
                client_id: config.login.client_id.clone(),
                name: config.node.city.clone(),
                authentication: ClientAuthentication::Secret(file.read(|| random(&SystemEntropy))?),
                redirect_uris: vec![format!("{}/login/callback", config.node.base_url)],
                post_logout_redirect_uris: vec![format!("{}/", config.node.base_url)],
            });
        }
        let residents = self
            .residents
            .iter()
            .map(|resident| Resident {
                username: resident.username.to_owned(),
                name: resident.display_name.clone(),
                identifier: resident.identifier.clone(),
                description: resident.description.clone(),
            })
            .collect();
        let identifier_claim =
            self.cities.first().map(|(_, config)| config.login.identifier_claim.clone()).unwrap_or_default();
        let settings = ProviderConfig {
            issuer: url::Url::parse(&self.login_issuer)?,
            identifier_claim,
            residents,
            clients,
        };
        let (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>) =
            (Arc::new(SystemClock), Arc::new(SystemEntropy));
        let server = DemoProvider::new(settings, clock, entropy)?.run(listen(ports.login)?)?;
        self.servers.push((server.handle(), tokio::spawn(server)));
        Ok(())
    }

    fn start_service_page(&mut self, ports: Ports) -> Result<ServicePage, Failure> {
        // Helsinki asks first and Espoo holds, as in the README.
        let mut cities = Vec::new();
        for (city, config) in &self.cities {
            cities.push(service_city(*city, config)?);
        }
        let residents = self
            .residents
            .iter()
            .map(|resident| Customer {
                username: resident.username.to_owned(),
                name: resident.display_name.clone(),
                identifier: resident.identifier.clone(),
            })
            .collect();
        let settings = ServicePageConfig { base_url: self.service_page.clone(), cities, residents };
        let (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>) =
            (Arc::new(SystemClock), Arc::new(SystemEntropy));
        let page = ServicePage::new(settings, clock, entropy)?;
        let server = page.clone().run(listen(ports.service)?)?;
        self.servers.push((server.handle(), tokio::spawn(server)));
        Ok(page)
    }

    /// Every city resolves every other through the anchor, as its first exchange would.
    async fn wait_until_ready(&self) -> Result<(), Failure> {
        let nodes: Vec<_> = self.nodes.iter().filter_map(Running::node).collect();
        let all_trusted = join_all(nodes.iter().map(|node| async {
            for other in &nodes {
                while node.peers.resolve(&other.settings.id).await.is_err() {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }));
        tokio::time::timeout(READY, all_trusted)
            .await
            .map(|_| ())
            .map_err(|_| "the cities did not find each other: is a firewall between local ports?".into())
    }

    /// Addresses and residents, as `--ready-file` has them.
    #[must_use]
    pub fn describe(&self) -> serde_json::Value {
        let nodes: serde_json::Map<String, serde_json::Value> = self
            .cities
            .iter()
            .map(|(city, config)| {
                let datasets: Vec<_> = config
                    .datasets
                    .iter()
                    .map(|held| json!({"id": held.dataset.id, "type": held.dataset.kind}))
                    .collect();
                let node = json!({"base_url": config.node.base_url, "datasets": datasets});
                (city.slug().to_owned(), node)
            })
            .collect();
        let residents: Vec<_> = self
            .residents
            .iter()
            .map(|resident| {
                json!({
                    "username": resident.username,
                    "name": resident.display_name,
                    "identifier": resident.identifier.reveal(),
                })
            })
            .collect();
        json!({
            "anchor": self.anchor,
            "nodes": nodes,
            "service_page": self.service_page.as_str().trim_end_matches('/'),
            "login_issuer": self.login_issuer,
            "residents": residents,
        })
    }
}

/// Stops a server, finishing requests in progress.
async fn end((handle, task): Served) {
    handle.stop(true).await;
    let _ = task.await;
}

fn service_city(city: City, config: &Config) -> Result<ServiceCity, Failure> {
    let service = config.services.first().ok_or("a city of the demo has no service")?;
    let secret: SecretString = service.client_secret.read(|| random(&SystemEntropy))?;
    Ok(ServiceCity {
        id: city.slug().to_owned(),
        name: config.node.city.get(Language::En).to_owned(),
        node: url::Url::parse(config.node.base_url.as_str())?,
        client_id: service.id.to_string(),
        client_secret: secret.expose_secret().to_owned().into(),
        uses: config
            .uses
            .iter()
            .filter(|declared| declared.service == service.id)
            .map(|declared| ServiceUse {
                url: declared.id.to_string(),
                title: declared.title.get(Language::En).to_owned(),
                purpose: declared.purpose_text.get(Language::En).to_owned(),
                dataset_type: declared.dataset_type.to_string(),
                max_exchanges: declared.max_exchanges,
            })
            .collect(),
        datasets: config
            .datasets
            .iter()
            .map(|held| HeldDataset {
                id: held.dataset.id.to_string(),
                kind: held.dataset.kind.to_string(),
                title: held.dataset.title.get(Language::En).to_owned(),
            })
            .collect(),
    })
}

const fn ports(base: u16) -> Ports {
    Ports {
        anchor: base,
        helsinki: base + 1,
        espoo: base + 2,
        turku: base + 3,
        oulu: base + 4,
        systems: base + 5,
        login: base + 9,
        service: base + 10,
    }
}

fn listen(port: u16) -> Result<TcpListener, app::StartError> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address).map_err(|source| app::StartError::Listen { address, source })
}
